/**
 * What the control groups of a process say: its systemd unit, and the container that it runs in.
 *
 * Given the text of /proc/PID/cgroup (cgroups(7)): "4:memory:/path" lines of version 1, "0::/path" of version 2, or both.
 * A path is read from its root, and the first container on it is the answer: that is the one this host's engine knows.
 * What comes below it was named inside the container, by whoever is root there, and is believed in nothing.
 */

export interface ContainerPlace {
  readonly id: string;
  /** Null where the path doesn't tell: "/kubepods/…/ID" is docker's as well as containerd's. */
  readonly runtime: string | null;
  readonly podUid: string | null;
  /** Started by a user without root: the system's engines know nothing of it, and its path is the user's to name. */
  readonly ofUser: boolean;
}

export interface Place {
  /**
   * The unit of the system or of a user, as systemd names it. Null too where the only unit is the scope that an engine
   * made for the container ("docker-ID.scope"): the container says that better.
   */
  readonly unit: string | null;
  readonly container: ContainerPlace | null;
}

const MAX_LINES = 64;
const MAX_PATH = 4096;
const MAX_SEGMENTS = 64;
const MAX_NAME = 255;

export function parseCgroup(cgroup: string): Place {
  const paths = pathsOf(cgroup).map((path) => path.split('/').slice(0, MAX_SEGMENTS).filter(isName));
  for (const segments of paths) {
    const found = findContainer(segments);
    // Other hierarchies of a container's process may still bear its engine's unit.
    if (found !== null) return { unit: unitAround(segments, found.at), container: found.container };
  }
  let unit: string | null = null;
  for (const segments of paths) unit ??= findUnit(segments);
  return { unit, container: null };
}

/** The service that a container was started for, if it has one of its own. */
function unitAround(segments: readonly string[], at: number): string | null {
  // "containerd.service/kubepods-….slice:cri-containerd:ID" is where the engine happened to stand.
  if (segments[at]?.includes(':') ?? true) return null;
  const unit = findUnit(segments.slice(0, at));
  return unit === null || USER_MANAGER.test(unit) ? null : unit;
}

/** The paths below the roots: systemd's own hierarchy first, then version 2, then the controllers of version 1. */
function pathsOf(cgroup: string): string[] {
  const ranked: [rank: number, path: string][] = [];
  for (const line of cgroup.split('\n', MAX_LINES)) {
    const match = /^\d{1,10}:([^:]{0,256}):(\/.*)$/.exec(line.slice(0, MAX_PATH));
    if (match === null) continue;
    const [, controllers = '', path = ''] = match;
    const rank = controllers === 'name=systemd' ? 0 : controllers === '' ? 1 : 2;
    ranked.push([rank, path.replace(/ \(deleted\)$/, '')]);
  }
  return ranked.sort((a, b) => a[0] - b[0]).map(([, path]) => path);
}

/** ".." leads out of the reader's own cgroup namespace. */
function isName(segment: string): boolean {
  return segment !== '' && segment !== '..' && segment.length <= MAX_NAME;
}

/** Ends in the name of a unit that may hold processes. */
const UNIT = /^[\w:.\\@-]+\.(?:service|scope|socket|mount|swap)$/;
const SLICE = /^[\w:.\\@-]+\.slice$/;
const USER_MANAGER = /^user@\d{1,10}\.service$/;

/** As sd_pid_get_unit(3) and sd_pid_get_user_unit(3): slices are passed over, the first unit counts, a user's before the system's. */
function findUnit(segments: readonly string[]): string | null {
  const names = segments.map((segment) => segment.replace(/^_/, ''));
  const first = names.findIndex((name) => !SLICE.test(name));
  const unit = names[first];
  if (unit === undefined || !UNIT.test(unit)) return null;
  if (!USER_MANAGER.test(unit)) return unit;
  const own = names.slice(first + 1).find((name) => !SLICE.test(name));
  return own !== undefined && own !== 'init.scope' && UNIT.test(own) ? own : unit;
}

interface Found {
  /** The segments before this one are the host's. */
  readonly at: number;
  readonly container: ContainerPlace;
}

function findContainer(segments: readonly string[]): Found | null {
  let podUid: string | null = null;
  let ofUser = false;
  for (const [at, segment] of segments.entries()) {
    const before = segments[at - 1] ?? '';
    ofUser ||= USER_MANAGER.test(segment);
    podUid ??= podOf(segment, before);
    const [id, runtime] =
      byName(segment) ?? byFolder(segment, before, segments[0] ?? '') ?? byMachine(segments, at) ?? [];
    if (id !== undefined && runtime !== undefined) return { at, container: { id, runtime, podUid, ofUser } };
  }
  return null;
}

type Named = readonly [id: string, runtime: string | null];

const PREFIXES: Readonly<Record<string, string>> = {
  docker: 'docker',
  'cri-containerd': 'containerd',
  nerdctl: 'containerd',
  crio: 'cri-o',
  libpod: 'podman',
  'libpod-payload': 'podman',
};

/** The engine is in the name: "docker-ID.scope", "crio-ID", "kubepods-….slice:cri-containerd:ID", "lxc.payload.NAME". */
function byName(segment: string): Named | null {
  const match = /(?:^|:)([a-z-]{4,16})[-:]([0-9a-f]{64})(?:\.scope)?$/.exec(segment);
  const [, prefix = '', id = ''] = match ?? [];
  const runtime = Object.hasOwn(PREFIXES, prefix) ? PREFIXES[prefix] : undefined;
  if (runtime !== undefined) return [id, runtime];
  const lxc = /^lxc\.payload\.(.+)$/.exec(segment)?.[1];
  return lxc === undefined ? null : [lxc, 'lxc'];
}

/** The engine is in the path, or not told: "/docker/ID", "/lxc/NAME", "/ecs/TASK/ID", "/kubepods/burstable/podUID/ID". */
function byFolder(segment: string, before: string, first: string): Named | null {
  if (/^[0-9a-f]{64}$/.test(segment)) return [segment, before === 'docker' ? 'docker' : null];
  // Fargate's names: a task and a number.
  if (first === 'ecs' && /^[0-9a-f]{32}-\d{1,20}$/.test(segment)) return [segment, null];
  if ((before === 'lxc' && first === 'lxc') || before === 'lxc.payload') return [segment, 'lxc'];
  return null;
}

/** systemd-machined's: nspawn's machines, and libvirt's of lxc. Virtual machines (qemu) are no containers. */
function byMachine(segments: readonly string[], at: number): Named | null {
  const below = segments[at + 1] ?? '';
  const scope = /^machine-(.+)\.scope$/.exec(segments[at] ?? '')?.[1];
  if (scope !== undefined) {
    const machine = unescaped(scope);
    const libvirt = /^lxc-\d{1,10}-(.+)$/.exec(machine)?.[1];
    if (libvirt !== undefined) return [libvirt, 'lxc'];
    if (/^qemu-\d/.test(machine) || below === 'supervisor') return null;
    return [machine, 'systemd-nspawn'];
  }
  // The service is the host's unit, what runs below its payload is not.
  const service = /^systemd-nspawn@(.+)\.service$/.exec(segments[at - 1] ?? '')?.[1];
  return service !== undefined && segments[at] === 'payload' ? [unescaped(service), 'systemd-nspawn'] : null;
}

/** systemd's "\x2d" is "-". */
function unescaped(name: string): string {
  return name.replace(/\\x([0-7][0-9a-f])/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

const POD_SLICE = /^(?:[a-z]+-)?kubepods(?:-(?:burstable|besteffort|guaranteed))?-pod([0-9a-f_]{32,36})\.slice/;
const POD_FOLDER = /^pod([0-9a-f-]{32,36})$/;

/** Kubernetes' identifier of the pod; systemd's slices have "_" for its "-". */
function podOf(segment: string, before: string): string | null {
  const slice = POD_SLICE.exec(segment)?.[1];
  if (slice !== undefined) return slice.replaceAll('_', '-');
  if (!/^(?:kubepods|burstable|besteffort|guaranteed)$/.test(before)) return null;
  return POD_FOLDER.exec(segment)?.[1] ?? null;
}
