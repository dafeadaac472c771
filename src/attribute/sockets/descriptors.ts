/**
 * Which processes hold which sockets, and which network namespaces there are: what the links of /proc/PID/fd and
 * /proc/PID/ns say.
 *
 * All of it is synchronous: through promises the same costs ten times as much. Whoever has something else to do
 * meanwhile asks in a thread.
 */

import { readdirSync, readlinkSync } from 'node:fs';

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

/** Tells the inode number of each socket that the process holds; false where its descriptors may not be looked at. */
export function socketsOf(proc: string, pid: number, tell: (inode: number) => void): boolean {
  const folder = `${proc}/${String(pid)}/fd`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM'));
  }
  for (const name of names) {
    let link: string;
    try {
      link = readlinkSync(`${folder}/${name}`);
    } catch {
      // Closed meanwhile.
      continue;
    }
    if (!link.startsWith(SOCKET)) continue;
    const inode = Number(link.slice(SOCKET.length, -1));
    if (inode > 0) tell(inode);
  }
  return true;
}
