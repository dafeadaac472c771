/**
 * Real networks for tests: namespaces with veth pairs, bridges and nftables rules in them, made by the test and removed
 * with everything that runs in them. Nothing leaves the namespaces. Root is needed (`labProblem` says when it can't be).
 *
 * A namespace's name holds the pid of its maker: what a killed test left behind is removed by the next lab.
 */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bareEnvironment } from './run.js';
import { hasTool } from './tools.js';

const NAMES = '/run/netns';
const EXEC_TIMEOUT_MS = 15_000;
/** For a machine that is busy with other things. */
const LINK_TIMEOUT_MS = 15_000;
const POLL_MS = 10;
const END_TIMEOUT_MS = 3_000;
const OURS = /^rsct(\d+)x/;
/** What tcpdump says when it is asked. */
const COUNTS = /\d+ packets? captured, \d+ packets? received by filter, \d+ packets? dropped by kernel/;
const CAP_NET_ADMIN = 12n;
const CAP_NET_RAW = 13n;
const CAP_SYS_ADMIN = 21n;
/** Address detection would keep an IPv6 address from use for a second or two, that of the link included. */
const NO_DAD = ['net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0'];

export interface ExecOptions {
  timeoutMs?: number;
  cwd?: string;
  /** Added to the bare environment. */
  env?: Readonly<Record<string, string>>;
  /**
   * 'ip' (as a user would): `ip netns exec`, whose /sys is of the namespace and holds no tracefs. 'nsenter': the network
   * alone is the namespace's, /sys stays as it is. 'tracefs': as 'ip', and tracefs is mounted for this program alone.
   */
  via?: 'ip' | 'nsenter' | 'tracefs';
}

export interface ExecResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A device's address with its prefix length, as 10.0.0.1/24; several when a link has both families. */
export type Addresses = string | readonly string[];

export type Hook = 'input' | 'output' | 'forward';

/** What tcpdump saw, line by line (-nn -tt -S), and what it said of itself at its end. */
export interface Verdict {
  lines: string[];
  stderr: string;
  dropped: number | null;
}

export interface Judge {
  readonly lines: readonly string[];
  /** Waits until so many lines are there; throws when they don't come. */
  until(count: number, timeoutMs?: number): Promise<void>;
  /** Ends tcpdump after `quietMs` more, and when it has read all that the kernel had for it. */
  stop(quietMs?: number): Promise<Verdict>;
}

const labs = new Set<Lab>();
let labCount = 0;
let swept = false;

/** Why no lab can be made here, or the empty string. The tools beyond ip, nft and nsenter are the test's own. */
export function labProblem(...tools: readonly string[]): string {
  if (process.platform !== 'linux') return 'needs Linux';
  const absent = ['ip', 'nft', 'nsenter', ...tools].filter((tool) => !hasTool(tool));
  if (absent.length > 0) return `needs ${absent.join(', ')}`;
  const effective = BigInt(
    `0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  const all = [CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN].every((bit) => ((effective >> bit) & 1n) === 1n);
  return all ? '' : 'needs root (CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN)';
}

/** One network namespace. */
export class Namespace {
  readonly name: string;
  readonly label: string;
  readonly file: string;
  /** What `readlink /proc/PID/ns/net` shows of a process in it. */
  readonly inode: number;

  constructor(name: string, label: string) {
    this.name = name;
    this.label = label;
    this.file = path.join(NAMES, name);
    this.inode = statSync(this.file).ino;
  }

  /** The command that runs `args` in here. The pid of the started process is that of the program itself. */
  command(args: readonly string[], via: ExecOptions['via'] = 'ip'): [string, ...string[]] {
    if (via === 'nsenter') return ['nsenter', `--net=${this.file}`, ...args];
    const inside: [string, ...string[]] = ['ip', 'netns', 'exec', this.name];
    if (via === 'ip') return [...inside, ...args];
    const script = 'mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"';
    return [...inside, 'sh', '-c', script, 'sh', ...args];
  }

  /** Runs a program to its end; it is killed when it takes too long, and that is an error. */
  exec(args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return execute(this.command(args, options.via), options);
  }

  /** Starts a program; what still runs is killed with the lab. */
  start(args: readonly string[], options: ExecOptions = {}): ChildProcessWithoutNullStreams {
    return begin(this.command(args, options.via), options);
  }

  /** Runs `ip` on this namespace; throws when it fails. */
  async ip(...args: readonly string[]): Promise<string> {
    return must(['ip', '-n', this.name, ...args]);
  }

  /** Sets kernel parameters, as `net.ipv4.ip_forward=1`; one that this kernel lacks is passed over. */
  async sysctl(...settings: readonly string[]): Promise<void> {
    await must(this.command(['sysctl', '-e', '-q', '-w', ...settings]));
  }

  /** The pids of what runs in here. */
  pids(): number[] {
    return pidsIn(this.name);
  }

  /** Starts tcpdump and waits until it listens. `filter` is one word of its language; resets if not given. */
  async tcpdump(device: string, filter = RESETS, extra: readonly string[] = []): Promise<Judge> {
    // It gives up root unless told to keep it, and then may not write where a test wants it to. In immediate mode a frame
    // takes a whole snapshot of its ring: with the usual sizes eight at once are all, and the ninth is dropped.
    const fixed = ['-Z', 'root', '-l', '--immediate-mode', '-s', '2048', '-B', '8192', '-nn', '-tt', '-S'];
    const child = this.start(['tcpdump', ...fixed, '-i', device, ...extra, filter], { via: 'nsenter' });
    const lines: string[] = [];
    let rest = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      // It ends the line of a ^C that is not there.
      lines.push(...parts.filter(Boolean));
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const ended = once(child, 'close');
    await poll(() => stderr.includes('listening on') || child.exitCode !== null, LINK_TIMEOUT_MS, 'tcpdump to listen');
    if (child.exitCode !== null) throw new Error(`tcpdump ended: ${stderr}`);
    const until = (count: number, timeoutMs = LINK_TIMEOUT_MS) =>
      poll(() => lines.length >= count, timeoutMs, `${count} lines of tcpdump`);
    // The signal that ends it leaves unread what is in its ring; this one has it say how far it is.
    const counts = async (): Promise<string> => {
      const from = stderr.length;
      const said = (): string => COUNTS.exec(stderr.slice(from))?.[0] ?? '';
      child.kill('SIGUSR1');
      await poll(() => said() !== '' || child.exitCode !== null, LINK_TIMEOUT_MS, 'the counts of tcpdump');
      return said();
    };
    const stop = async (quietMs = 150): Promise<Verdict> => {
      await sleep(quietMs);
      for (let before = '', now = await counts(); now !== before;) {
        await sleep(2 * POLL_MS);
        [before, now] = [now, await counts()];
      }
      child.kill('SIGINT');
      await ended;
      const [, dropped] = [...stderr.matchAll(/(\d+) packets? dropped by kernel/g)].at(-1) ?? [];
      return { lines, stderr, dropped: dropped === undefined ? null : Number(dropped) };
    };
    return { lines, until, stop };
  }
}

/** Every reset of IPv4, and of IPv6 without extension headers. */
export const RESETS = '(tcp[tcpflags] & tcp-rst != 0) or (ip6 and ip6[6] == 6 and ip6[53] & 4 != 0)';

/** One end of a veth pair. */
export interface End {
  ns: Namespace;
  name: string;
  addresses?: Addresses;
}

/** Namespaces that belong together and go together. */
export class Lab {
  readonly namespaces: Namespace[] = [];
  readonly #prefix: string;

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  static async create(): Promise<Lab> {
    const problem = labProblem();
    if (problem !== '') throw new Error(`no lab can be made: ${problem}`);
    if (!swept) {
      swept = true;
      sweep();
    }
    labCount += 1;
    const lab = new Lab(`rsct${process.pid}x${labCount}`);
    labs.add(lab);
    return Promise.resolve(lab);
  }

  /** Makes a namespace with lo up. */
  async namespace(label: string): Promise<Namespace> {
    if (!/^[a-z][a-z0-9]*$/.test(label)) throw new Error(`a namespace's label is letters and digits, not ${label}`);
    const name = `${this.#prefix}${label}`;
    await must(['ip', 'netns', 'add', name]);
    const ns = new Namespace(name, label);
    this.namespaces.push(ns);
    await ns.sysctl('net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.default.disable_ipv6=0', ...NO_DAD);
    await ns.ip('link', 'set', 'lo', 'up');
    return ns;
  }

  /** Joins two namespaces by a veth pair, both ends up and usable. */
  async veth(a: End, b: End): Promise<void> {
    await a.ns.ip('link', 'add', a.name, 'type', 'veth', 'peer', 'name', b.name, 'netns', b.ns.name);
    for (const end of [a, b]) await end.ns.ip('link', 'set', end.name, 'up');
    for (const end of [a, b]) {
      await linkUp(end.ns, end.name);
      await this.address(end.ns, end.name, end.addresses ?? []);
    }
  }

  /** Makes a bridge; an end of a veth pair is put into it by `attach`. It has no carrier before. */
  async bridge(ns: Namespace, name: string, addresses: Addresses | null = null): Promise<void> {
    await ns.ip('link', 'add', name, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0');
    // Where br_netfilter is loaded, bridged frames would pass through this namespace's rules as well.
    await ns.sysctl('net.bridge.bridge-nf-call-iptables=0', 'net.bridge.bridge-nf-call-ip6tables=0');
    await ns.ip('link', 'set', name, 'up');
    await this.address(ns, name, addresses ?? []);
  }

  async attach(ns: Namespace, bridge: string, device: string): Promise<void> {
    await ns.ip('link', 'set', device, 'master', bridge);
    await linkUp(ns, device);
    await linkUp(ns, bridge);
  }

  async address(ns: Namespace, device: string, addresses: Addresses): Promise<void> {
    for (const address of typeof addresses === 'string' ? [addresses] : addresses) {
      await ns.ip('addr', 'add', address, 'dev', device, ...(address.includes(':') ? ['nodad'] : []));
    }
  }

  /** `to` is a prefix, or 'default'. */
  async route(ns: Namespace, to: string, via: string): Promise<void> {
    await ns.ip(via.includes(':') ? '-6' : '-4', 'route', 'add', to, 'via', via);
  }

  async forwarding(ns: Namespace): Promise<void> {
    await ns.sysctl('net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  }

  /** Connections to ip:port that come into the namespace go to toIp:toPort. */
  async dnat(ns: Namespace, ip: string, port: number, toIp: string, toPort: number): Promise<void> {
    const family = ip.includes(':') ? 'ip6' : 'ip';
    const target = family === 'ip6' ? `[${toIp}]:${toPort}` : `${toIp}:${toPort}`;
    await this.nft(
      ns,
      `add table ${family} rsct_nat`,
      `add chain ${family} rsct_nat in { type nat hook prerouting priority -100; }`,
      `add rule ${family} rsct_nat in ${family} daddr ${ip} tcp dport ${port} counter dnat to ${target}`,
    );
  }

  /** Segments to that port are answered by a reset of nftables' making. */
  async reject(ns: Namespace, hook: Hook, port: number): Promise<void> {
    await this.nft(
      ns,
      'add table inet rsct_reject',
      `add chain inet rsct_reject ${hook} { type filter hook ${hook} priority 0; }`,
      `add rule inet rsct_reject ${hook} tcp dport ${port} counter reject with tcp reset`,
    );
  }

  async nft(ns: Namespace, ...commands: readonly string[]): Promise<void> {
    await must(ns.command(['nft', commands.join('\n')], 'nsenter'));
  }

  /** Kills what runs in the namespaces and removes them. A second call does nothing. */
  async destroy(): Promise<void> {
    const end = performance.now() + END_TIMEOUT_MS;
    // What is killed may have just started another.
    while (this.namespaces.some((ns) => killIn(ns.name) > 0) && performance.now() < end) await sleep(POLL_MS);
    this.destroyNow();
  }

  /** The same without waiting, for a process that ends. */
  destroyNow(): void {
    for (const { name } of this.namespaces.splice(0)) remove(name);
    labs.delete(this);
  }
}

export interface TwoHosts {
  lab: Lab;
  /** eth0 10.99.0.1, fd00:99::1 */
  a: Namespace;
  /** eth0 10.99.0.2, fd00:99::2 */
  b: Namespace;
}

/** Two hosts on one wire. */
export function twoHosts(): Promise<TwoHosts> {
  return made(async (lab) => {
    const a = await lab.namespace('a');
    const b = await lab.namespace('b');
    await lab.veth(
      { ns: a, name: 'eth0', addresses: ['10.99.0.1/24', 'fd00:99::1/64'] },
      { ns: b, name: 'eth0', addresses: ['10.99.0.2/24', 'fd00:99::2/64'] },
    );
    return { lab, a, b };
  });
}

export interface Bridged {
  lab: Lab;
  /** br0 10.88.0.1, fd00:88::1 over vetha and vethb */
  host: Namespace;
  /** eth0 10.88.0.10, fd00:88::10 */
  a: Namespace;
  /** eth0 10.88.0.20, fd00:88::20 */
  b: Namespace;
}

/** Two containers on one bridge of a host. */
export function bridged(): Promise<Bridged> {
  return made(async (lab) => {
    const host = await lab.namespace('host');
    const a = await lab.namespace('a');
    const b = await lab.namespace('b');
    await lab.bridge(host, 'br0', ['10.88.0.1/24', 'fd00:88::1/64']);
    for (const [ns, device, last] of [
      [a, 'vetha', '10'],
      [b, 'vethb', '20'],
    ] as const) {
      await lab.veth(
        { ns: host, name: device },
        { ns, name: 'eth0', addresses: [`10.88.0.${last}/24`, `fd00:88::${last}/64`] },
      );
      await lab.attach(host, 'br0', device);
      await lab.route(ns, 'default', '10.88.0.1');
      await lab.route(ns, 'default', 'fd00:88::1');
    }
    return { lab, host, a, b };
  });
}

export interface Routed {
  lab: Lab;
  /** A container: eth0 10.77.0.10, fd00:77::10, on veth1 of the host. */
  app: Namespace;
  /** br0 10.77.0.1, fd00:77::1 over veth1; eth0 192.0.2.1, fd00:2::1; it forwards. */
  host: Namespace;
  /** eth0 192.0.2.50, fd00:2::50 */
  far: Namespace;
}

/** A container behind a bridge, a host, and a client behind the host's card. */
export function routed(): Promise<Routed> {
  return made(makeRouted);
}

/** As `routed`, and what far sends to 192.0.2.1:443 or [fd00:2::1]:443 goes to port 8443 of app. */
export function natted(): Promise<Routed> {
  return made(async (lab) => {
    const shape = await makeRouted(lab);
    await lab.dnat(shape.host, '192.0.2.1', 443, '10.77.0.10', 8443);
    await lab.dnat(shape.host, 'fd00:2::1', 443, 'fd00:77::10', 8443);
    return shape;
  });
}

async function makeRouted(lab: Lab): Promise<Routed> {
  const host = await lab.namespace('host');
  const app = await lab.namespace('app');
  const far = await lab.namespace('far');
  await lab.bridge(host, 'br0', ['10.77.0.1/24', 'fd00:77::1/64']);
  await lab.veth(
    { ns: host, name: 'veth1' },
    { ns: app, name: 'eth0', addresses: ['10.77.0.10/24', 'fd00:77::10/64'] },
  );
  await lab.attach(host, 'br0', 'veth1');
  await lab.veth(
    { ns: host, name: 'eth0', addresses: ['192.0.2.1/24', 'fd00:2::1/64'] },
    { ns: far, name: 'eth0', addresses: ['192.0.2.50/24', 'fd00:2::50/64'] },
  );
  for (const via of ['10.77.0.1', 'fd00:77::1']) await lab.route(app, 'default', via);
  for (const via of ['192.0.2.1', 'fd00:2::1']) await lab.route(far, 'default', via);
  await lab.forwarding(host);
  return { lab, app, host, far };
}

async function made<Shape>(make: (lab: Lab) => Promise<Shape>): Promise<Shape> {
  const lab = await Lab.create();
  try {
    return await make(lab);
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}

/** Waits until it is so; `what` names it in the error. */
export async function poll(done: () => boolean | Promise<boolean>, timeoutMs: number, what: string): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await done())) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(POLL_MS);
  }
}

/** Until a link is operational the kernel drops what is sent through it. */
async function linkUp(ns: Namespace, device: string): Promise<void> {
  await poll(
    async () => / state (UP|UNKNOWN) /.test(await ns.ip('-o', 'link', 'show', 'dev', device)),
    LINK_TIMEOUT_MS,
    `${device} in ${ns.label} to come up`,
  );
}

function begin([program, ...args]: [string, ...string[]], options: ExecOptions): ChildProcessWithoutNullStreams {
  return spawn(program, args, {
    env: bareEnvironment(options.env),
    cwd: options.cwd ?? process.cwd(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

async function execute(command: [string, ...string[]], options: ExecOptions = {}): Promise<ExecResult> {
  const { timeoutMs = EXEC_TIMEOUT_MS } = options;
  const child = begin(command, options);
  child.stdin.on('error', () => undefined).end();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
    child.kill('SIGKILL');
    // What it started may hold on to the pipes.
    for (const pipe of [child.stdout, child.stderr]) pipe.destroy();
  }, timeoutMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (late.signal.aborted) throw new Error(`${command.join(' ')} took longer than ${timeoutMs} ms: ${stderr}`);
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

async function must(command: [string, ...string[]]): Promise<string> {
  const { code, stdout, stderr } = await execute(command);
  if (code !== 0) throw new Error(`${command.join(' ')}: ${stderr.trim() || `exit ${code}`}`);
  return stdout;
}

function pidsIn(name: string): number[] {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
}

/** The number of those that were still there. */
function killIn(name: string): number {
  if (!existsSync(path.join(NAMES, name))) return 0;
  const pids = pidsIn(name).filter((pid) => pid !== process.pid);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself just now.
    }
  }
  return pids.length;
}

function remove(name: string): void {
  killIn(name);
  if (existsSync(path.join(NAMES, name))) spawnSync('ip', ['netns', 'del', name]);
}

/** Removes the namespaces of test processes that are no more; gives back their names. */
export function sweep(): string[] {
  const names = existsSync(NAMES) ? readdirSync(NAMES) : [];
  const orphans = names.filter((name) => {
    const pid = OURS.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
  for (const name of orphans) remove(name);
  return orphans;
}

function destroyAll(): void {
  for (const lab of labs) lab.destroyNow();
}

// Under jest `process` is a copy that hears no exit; its files end with afterAll, failing ones too.
const { afterAll } = globalThis as { afterAll?: (hook: () => void) => void };
if (afterAll === undefined) process.once('exit', destroyAll);
else afterAll(destroyAll);
