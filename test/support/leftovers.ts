/**
 * What a capture could leave behind in the system, looked at before and after: packet sockets, tracing instances and
 * mounts, programs, temporary files. What other tests do at the same time is kept out as far as can be seen: of the
 * test's own network namespace only programs that descend from this process or have lost their parent are looked at,
 * of the given namespaces all.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace } from './lab.js';

const POLL_MS = 50;
/** On a busy machine a look takes long, and so does whatever else is to be done. */
const LEAST_LOOKS = 10;
const TRACEFS = '/sys/kernel/tracing';
/** Programs that a capture starts, by their command line. */
const COMMANDS = /rstscope|cap-child|\btcpdump\b|(^|\/)ip\0([^\0]*\0)*mon/;
/** Variables that rstscope would give its children; those that tests are told by are not among them. */
const VARIABLES = /(^|\0)RSTSCOPE_(?!(REQUIRE_ALL|PCAPS|FUZZ_SECONDS)=)/;
/** What rstscope makes in the folder for temporary files; `rstscope-test-` are folders of the tests. */
const TEMPORARY = /^rstscope-(?!test-)/;

export interface SnapshotOptions {
  namespaces?: readonly Namespace[];
  /** Where temporary files are looked for: what TMPDIR the program was given; the system's if not given. */
  tmp?: string;
  /** Pids that are not told of, with what descends from them. */
  except?: readonly number[];
}

/** Each list: what is there by its key, with a sentence's subject that names it. */
export interface Snapshot {
  readonly options: SnapshotOptions;
  readonly sockets: ReadonlyMap<string, string>;
  readonly traces: ReadonlyMap<string, string>;
  readonly processes: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, string>;
}

export function snapshot(options: SnapshotOptions = {}): Snapshot {
  const { namespaces = [], tmp = tmpdir() } = options;
  const processes = allProcesses();
  return {
    options,
    sockets: packetSockets(namespaces, processes),
    traces: traces(processes),
    processes: programs(processes, namespaces, options.except ?? []),
    files: temporaryFiles(tmp),
  };
}

/** A sentence for each thing that is there now and was not before; none when all is clean. */
export function difference(before: Snapshot, after: Snapshot): string[] {
  const kinds = [
    ['packet socket', before.sockets, after.sockets],
    ['tracing', before.traces, after.traces],
    ['process', before.processes, after.processes],
    ['temporary file', before.files, after.files],
  ] as const;
  return kinds.flatMap(([kind, was, is]) =>
    [...is].filter(([key]) => !was.has(key)).map(([, what]) => `${kind} left behind: ${what}`),
  );
}

/** Looks again until nothing is left behind or the time is over, some times at least; what is left then. */
export async function settled(before: Snapshot, ms: number): Promise<string[]> {
  const end = performance.now() + ms;
  for (let looks = 1; ; looks++) {
    const left = difference(before, snapshot(before.options));
    if (left.length === 0 || (performance.now() >= end && looks >= LEAST_LOOKS)) return left;
    await sleep(POLL_MS);
  }
}

interface Running {
  pid: number;
  parent: number;
  startTime: string;
  /** With NUL between the words. */
  command: string;
}

function allProcesses(): Map<number, Running> {
  const running = new Map<number, Running>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = read(`/proc/${pid}/stat`);
    // The program's name is in parentheses, and may hold any characters.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, parent, startTime] = [fields[0] ?? '', Number(fields[1]), fields[19] ?? ''];
    // A zombie holds nothing any more; its parent is about to hear of it.
    if (stat === '' || state === 'Z' || state === 'X') continue;
    running.set(pid, { pid, parent, startTime, command: read(`/proc/${pid}/cmdline`) });
  }
  return running;
}

function programs(
  all: ReadonlyMap<number, Running>,
  namespaces: readonly Namespace[],
  except: readonly number[],
): Map<string, string> {
  const own = networkOf(process.pid);
  const given = new Map(namespaces.map((ns) => [ns.inode, ns.label]));
  const found = new Map<string, string>();
  for (const one of all.values()) {
    // A kernel thread has no command.
    if (one.pid === process.pid || one.command === '' || except.some((pid) => descends(all, one.pid, pid))) continue;
    const network = networkOf(one.pid);
    const mine = descends(all, one.pid, process.pid) || one.parent === 1;
    if (!given.has(network) && !(network === own && mine)) continue;
    if (!COMMANDS.test(one.command) && !VARIABLES.test(read(`/proc/${one.pid}/environ`))) continue;
    const where = given.get(network);
    const words = one.command.split('\0').join(' ').trim();
    found.set(`${one.pid} ${one.startTime}`, `${one.pid} ${words}${where === undefined ? '' : ` (in ${where})`}`);
  }
  return found;
}

function descends(all: ReadonlyMap<number, Running>, pid: number, ancestor: number): boolean {
  for (let one = all.get(pid); one !== undefined; one = all.get(one.parent)) if (one.pid === ancestor) return true;
  return false;
}

/** Inode of a process's network namespace; 0 when it has gone, or is not ours to look at. */
function networkOf(pid: number): number {
  try {
    return Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0]);
  } catch {
    return 0;
  }
}

function packetSockets(namespaces: readonly Namespace[], all: ReadonlyMap<number, Running>): Map<string, string> {
  const tables: [where: string, table: string][] = [['the own namespace', read('/proc/self/net/packet')]];
  for (const ns of namespaces) {
    tables.push([ns.label, output(ns.command(['cat', '/proc/self/net/packet'], 'nsenter'))]);
  }
  const found = new Map<string, string>();
  for (const [where, table] of tables) {
    for (const line of table.split('\n').slice(1).filter(Boolean)) {
      const [, , , protocol = '', device = ''] = line.trim().split(/\s+/);
      const inode = line.trim().split(/\s+/).at(-1) ?? '';
      const holder = holderOf(inode, all);
      // In the own namespace another test may be capturing: its socket has a holder that is not ours.
      if (where === 'the own namespace' && holder !== null && !descends(all, holder.pid, process.pid)) {
        if (holder.parent !== 1) continue;
      }
      const by = holder === null ? 'no process' : `${holder.pid} ${holder.command.split('\0').join(' ').trim()}`;
      found.set(`${where} ${inode}`, `inode ${inode} on device ${device}, protocol ${protocol}, in ${where}, of ${by}`);
    }
  }
  return found;
}

function holderOf(inode: string, all: ReadonlyMap<number, Running>): Running | null {
  for (const one of all.values()) {
    for (const descriptor of list(`/proc/${one.pid}/fd`)) {
      try {
        if (readlinkSync(`/proc/${one.pid}/fd/${descriptor}`) === `socket:[${inode}]`) return one;
      } catch {
        // Closed just now.
      }
    }
  }
  return null;
}

/** Instances, and where tracefs is mounted: a mount that was made for the capture should go with it. */
function traces(all: ReadonlyMap<number, Running>): Map<string, string> {
  const found = new Map<string, string>();
  const mounts = read('/proc/self/mounts').split('\n');
  const points = mounts.map((line) => line.split(' ')).filter(([, , type]) => type === 'tracefs');
  for (const [, point = ''] of points) {
    found.set(`mount ${point}`, `tracefs mounted at ${point}`);
    for (const name of list(path.join(point, 'instances'))) {
      if (!isOthers(name, all)) found.set(`instance ${name}`, `instance ${name}`);
    }
  }
  if (points.length === 0) {
    // There is one tracefs for all: a mount that only this shell sees shows the instances and leaves nothing.
    const script = `mount -t tracefs tracefs ${TRACEFS} && ls ${TRACEFS}/instances`;
    const names = output(['unshare', '--mount', 'sh', '-c', script]).split('\n').filter(Boolean);
    for (const name of names) if (!isOthers(name, all)) found.set(`instance ${name}`, `instance ${name}`);
  }
  return found;
}

/** An instance of a program that another test runs, or whose keeper is about to remove it. */
function isOthers(name: string, all: ReadonlyMap<number, Running>): boolean {
  const maker = all.get(Number(/^rstscope-(\d+)-/.exec(name)?.[1]));
  if (maker !== undefined) return !descends(all, maker.pid, process.pid);
  return [...all.values()].some(({ pid, command }) => command.includes(name) && !descends(all, pid, process.pid));
}

function temporaryFiles(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of list(folder).filter((entry) => TEMPORARY.test(entry))) {
    const file = path.join(folder, name);
    const made = existsSync(file) ? statSync(file).ino : 0;
    found.set(`${made} ${name}`, file);
  }
  return found;
}

/** Empty where there is nothing, or nothing to be read. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** What a program prints; empty where it fails, or its namespace has gone. */
function output([program, ...args]: [string, ...string[]]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
