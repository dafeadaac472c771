/**
 * Which processes hold which sockets, and which network namespaces there are: what the links of /proc/PID/fd and
 * /proc/PID/ns say.
 *
 * All of it is synchronous: through promises the same costs ten times as much. Whoever has something else to do
 * meanwhile asks in a thread.
 */

import { readdirSync, readlinkSync, statSync } from 'node:fs';

export interface NetNamespace {
  readonly inode: number;
  /** The lowest PID in it, to read its tables by. */
  readonly pid: number;
}

export interface Holders {
  /** PIDs, ascending, by the socket's inode number. */
  readonly byInode: ReadonlyMap<number, readonly number[]>;
  /** Processes whose descriptors may not be looked at. */
  readonly unreadable: number;
}

/** PIDs of all processes, ascending. */
export function processIds(proc: string): number[] {
  try {
    return readdirSync(proc)
      .filter((name) => /^[1-9]\d*$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

/** The network namespaces that processes are in, as far as their links may be read. */
export function netNamespaces(proc: string): NetNamespace[] {
  const found = new Map<number, number>();
  for (const pid of processIds(proc)) {
    const inode = netNamespaceOf(proc, pid);
    if (inode !== null && !found.has(inode)) found.set(inode, pid);
  }
  return [...found].map(([inode, pid]) => ({ inode, pid }));
}

/** Null: it has ended, or is not ours to look at. */
export function netNamespaceOf(proc: string, pid: number | 'self'): number | null {
  try {
    const inode = /^net:\[(\d+)\]$/.exec(readlinkSync(`${proc}/${String(pid)}/ns/net`))?.[1];
    return inode === undefined ? null : Number(inode);
  } catch {
    return null;
  }
}

/** Who holds the sockets of `inodes`; null: all sockets. */
export function holdersOf(proc: string, inodes: ReadonlySet<number> | null): Holders {
  const found = new Map<number, number[]>();
  let unreadable = 0;
  for (const pid of processIds(proc)) {
    const readable = socketsOf(proc, pid, (inode) => {
      if (inodes !== null && !inodes.has(inode)) return;
      const pids = found.get(inode);
      if (pids === undefined) found.set(inode, [pid]);
      // A process may hold one socket by several descriptors.
      else if (pids.at(-1) !== pid) pids.push(pid);
    });
    if (!readable) unreadable++;
  }
  return { byInode: found, unreadable };
}

const SOCKET = 'socket:[';

/** From so many descriptors on it pays to count instead of listing them: they are mostly 0, 1, 2 … without a gap. */
const WORTH_COUNTING = 32;
/** A number that is not in use costs as much as looking at some that are. */
const MAX_GAPS = 4;

/** Tells the inode number of each socket that the process holds; false where its descriptors may not be looked at. */
export function socketsOf(proc: string, pid: number, tell: (inode: number) => void): boolean {
  const folder = `${proc}/${String(pid)}/fd`;
  try {
    const first = tellCounted(folder, tell);
    for (const name of first === ALL ? [] : readdirSync(folder)) {
      if (Number(name) < first) continue;
      try {
        tellSocket(readlinkSync(`${folder}/${name}`), tell);
      } catch {
        // Closed meanwhile.
      }
    }
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM'));
  }
}

const ALL = Infinity;

/** Goes up from descriptor 0, which saves listing them. @returns the first that it did not look at. */
function tellCounted(folder: string, tell: (inode: number) => void): number {
  // How many there are; 0 before Linux 6.2, and anything where this is no /proc.
  const { size } = statSync(folder);
  if (size < WORTH_COUNTING) return 0;
  let gaps = 0;
  for (let next = 0; ; next++) {
    if (next - gaps >= size) return ALL;
    try {
      tellSocket(readlinkSync(`${folder}/${String(next)}`), tell);
    } catch {
      gaps++;
      if (gaps > MAX_GAPS) return next + 1;
    }
  }
}

function tellSocket(link: string, tell: (inode: number) => void): void {
  if (!link.startsWith(SOCKET)) return;
  const inode = Number(link.slice(SOCKET.length, -1));
  if (inode > 0) tell(inode);
}
