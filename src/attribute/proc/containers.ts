/**
 * Names of containers and pods, from what their engines leave on this host's disk, else from the environment of a
 * process inside; no engine is asked.
 *
 * A file that is not there, not for us, too long or not as expected means that the name is not known.
 */

import type { Container } from '../process.js';
import type { ContainerPlace } from './cgroup.js';
import { listFolder, readWhole } from './files.js';

const MAX_BYTES = 1024 * 1024;
const MAX_TEXT = 256;
const MAX_CACHED = 1024;
const MAX_NAMESPACES = 32;
const MAX_ENTRIES = 10000;
/** Containers are renamed, and are told of on disk a moment after they begin. In milliseconds. */
const KNOWN_MS = 60_000;
const UNKNOWN_MS = 5000;

const DOCKER_CONFIG = '/etc/docker/daemon.json';
const DOCKER_FOLDERS = ['/var/lib/docker', '/var/snap/docker/common/var-lib-docker'];
const CONTAINERD_FOLDERS = ['/run/containerd', '/run/k3s/containerd', '/var/snap/microk8s/common/run/containerd'];
const CONTAINERD_TASKS = 'io.containerd.runtime.v2.task';
const OVERLAYS_OF_NOW = '/run/containers/storage/overlay-containers';
const OVERLAYS = '/var/lib/containers/storage/overlay-containers';
/** Containers that are removed when they end are in the second, or the third. */
const STORED_NAMES = [
  `${OVERLAYS}/containers.json`,
  `${OVERLAYS}/volatile-containers.json`,
  `${OVERLAYS_OF_NOW}/volatile-containers.json`,
];

type Known = Omit<Container, 'id'>;
const NOTHING: Known = { runtime: null, name: null, pod: null, podNamespace: null };

export class ContainerNames {
  private readonly root: string;
  private readonly hostName: string;
  private readonly clock: () => number;
  private readonly cache = new Map<string, { readonly known: Known | null; readonly until: number }>();

  /** `root` is where "/var" and "/run" are looked for; `hostName` is this host's; `clock` in milliseconds. */
  constructor(root: string, hostName: string, clock: () => number) {
    this.root = root === '/' ? '' : root;
    this.hostName = hostName;
    this.clock = clock;
  }

  /** `environ` is asked only where the disk says nothing of a pod. */
  describe(place: ContainerPlace, environ: () => string | null): Container {
    // Machines are known by their names.
    if (place.runtime === 'lxc' || place.runtime === 'systemd-nspawn') {
      return { ...NOTHING, id: place.id, runtime: place.runtime, name: place.id };
    }
    const known = place.ofUser ? null : this.onDisk(place);
    if (known !== null) return { id: place.id, ...known, runtime: place.runtime ?? known.runtime };
    const pod = place.podUid === null ? NOTHING : podFromEnviron(environ() ?? '', this.hostName);
    return { id: place.id, ...pod, runtime: place.runtime };
  }

  private onDisk(place: ContainerPlace): Known | null {
    const { id } = place;
    // The id becomes part of a path.
    if (!/^[0-9a-f-]{32,64}$/.test(id)) return null;
    const now = this.clock();
    const cached = this.cache.get(id);
    if (cached !== undefined && now < cached.until) return cached.known;
    const known = this.lookUp(id);
    this.cache.delete(id);
    this.cache.set(id, { known, until: now + (known === null ? UNKNOWN_MS : KNOWN_MS) });
    if (this.cache.size > MAX_CACHED) {
      for (const oldest of this.cache.keys()) {
        this.cache.delete(oldest);
        break;
      }
    }
    return known;
  }

  private lookUp(id: string): Known | null {
    return this.docker(id) ?? this.containerd(id) ?? this.overlay(id);
  }

  private docker(id: string): Known | null {
    const set = this.json(DOCKER_CONFIG);
    const moved = string(get(set, 'data-root')) ?? string(get(set, 'graph'));
    for (const folder of moved?.startsWith('/') === true ? [moved, ...DOCKER_FOLDERS] : DOCKER_FOLDERS) {
      const config = this.json(`${folder}/containers/${id}/config.v2.json`);
      if (config === null) continue;
      const labels = get(get(config, 'Config'), 'Labels');
      return {
        runtime: 'docker',
        name: string(get(labels, 'io.kubernetes.container.name')) ?? unslashed(string(get(config, 'Name'))),
        pod: string(get(labels, 'io.kubernetes.pod.name')),
        podNamespace: string(get(labels, 'io.kubernetes.pod.namespace')),
      };
    }
    return null;
  }

  private containerd(id: string): Known | null {
    for (const folder of CONTAINERD_FOLDERS) {
      const tasks = `${folder}/${CONTAINERD_TASKS}`;
      for (const namespace of listFolder(`${this.root}${tasks}`, MAX_NAMESPACES)) {
        const config = this.json(`${tasks}/${namespace}/${id}/config.json`);
        if (config === null) continue;
        const notes = get(config, 'annotations');
        return {
          runtime: namespace === 'moby' ? 'docker' : 'containerd',
          name: string(get(notes, 'io.kubernetes.cri.container-name')) ?? string(get(notes, 'nerdctl/name')),
          pod: string(get(notes, 'io.kubernetes.cri.sandbox-name')),
          podNamespace: string(get(notes, 'io.kubernetes.cri.sandbox-namespace')),
        };
      }
    }
    return null;
  }

  /** CRI-O's and podman's. */
  private overlay(id: string): Known | null {
    const config =
      this.json(`${OVERLAYS_OF_NOW}/${id}/userdata/config.json`) ?? this.json(`${OVERLAYS}/${id}/userdata/config.json`);
    if (config === null) return null;
    const notes = get(config, 'annotations');
    const manager = string(get(notes, 'io.container.manager'));
    const pod = string(get(notes, 'io.kubernetes.pod.name'));
    const isCrio = manager === 'cri-o' || string(get(notes, 'io.kubernetes.cri-o.ContainerID')) !== null;
    return {
      runtime: isCrio ? 'cri-o' : manager === 'libpod' ? 'podman' : null,
      name: string(get(notes, 'io.kubernetes.container.name')) ?? this.storedName(id),
      pod,
      podNamespace: string(get(notes, 'io.kubernetes.pod.namespace')),
    };
  }

  /** From the lists of containers that podman and CRI-O share. */
  private storedName(id: string): string | null {
    for (const file of STORED_NAMES) {
      const list = this.json(file);
      if (!Array.isArray(list)) continue;
      for (const entry of list.slice(0, MAX_ENTRIES) as unknown[]) {
        if (get(entry, 'id') !== id) continue;
        const names = get(entry, 'names');
        return Array.isArray(names) ? string(names[0]) : null;
      }
    }
    return null;
  }

  private json(path: string): unknown {
    const text = readWhole(`${this.root}${path}`, MAX_BYTES);
    if (text === null) return null;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return null;
    }
  }
}

/** What Kubernetes ends the name of a made-up pod with: no vowels, no digits that look like letters. */
const MADE_UP_POD = /^[a-z0-9][a-z0-9.-]{0,200}-[bcdfghjklmnpqrstvwxz2456789]{5}$/;

/**
 * The pod of a process by the variables that manifests fill by custom, or by the host name where it can be nothing but
 * the name of a pod: in a pod with a host name of its own, or the host's, it is something else.
 */
export function podFromEnviron(environ: string, hostName: string): Known {
  const value = (key: string): string | null => {
    const at = `\0${environ}`.indexOf(`\0${key}=`);
    if (at < 0) return null;
    const start = at + key.length + 1;
    const end = environ.indexOf('\0', start);
    // Without an end it was cut off.
    return end < 0 ? null : string(environ.slice(start, end));
  };
  const host = value('HOSTNAME');
  const pod = value('POD_NAME') ?? (host !== null && host !== hostName && MADE_UP_POD.test(host) ? host : null);
  return { ...NOTHING, pod, podNamespace: value('POD_NAMESPACE') };
}

function get(object: unknown, key: string): unknown {
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, key)) return undefined;
  return (object as Record<string, unknown>)[key];
}

function string(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT) : null;
}

/** Docker's names begin with "/". */
function unslashed(name: string | null): string | null {
  return name === null ? null : string(name.replace(/^\//, ''));
}
