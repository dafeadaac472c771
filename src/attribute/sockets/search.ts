/**
 * The search for the holders of sockets by two threads: the links of /proc/PID/fd are most of what `who` costs.
 *
 * Both take the next process from one shared list, so that neither waits for the other for long. Each notes every socket
 * it sees: the thread can begin before anybody knows which ones are wanted. All processes are looked at, since any of
 * them may hold the same socket.
 */

import { statSync } from 'node:fs';
import { startThread, type Thread } from '../../base/spawn.js';
import { holdersOf, processIds, socketsOf, type Holders } from './descriptors.js';

/** What the thread is given. */
export interface SearchOrder {
  readonly proc: string;
  readonly pids: readonly number[];
  /** At NEXT the first process of the list that nobody took, at BEGUN whether the thread takes any. */
  readonly shared: Int32Array;
}

/** What it sends. */
export interface SearchShare {
  /** Inode number and PID in turn. */
  readonly pairs: Float64Array<ArrayBuffer>;
  readonly unreadable: number;
}

const NEXT = 0;
const BEGUN = 1;

/** A thread takes as long to start as one needs to look at so many descriptors. */
const WORTH_A_THREAD = 12_000;
/** Where the kernel does not tell how many descriptors a process has (before 6.2). */
const USUAL_DESCRIPTORS = 60;

export class HolderSearch {
  private readonly proc: string;
  private readonly pids: readonly number[];
  private readonly shared = new Int32Array(new SharedArrayBuffer(8));
  private readonly thread: Thread | null;
  private readonly theirs: Promise<SearchShare | null>;
  /** What was found ahead. */
  private ours: SearchShare | null = null;

  /** A thread begins at once where there is much to look at. */
  constructor(proc: string) {
    this.proc = proc;
    this.pids = processIds(proc);
    const order: SearchOrder = { proc, pids: this.pids, shared: this.shared };
    this.thread = isMuch(proc, this.pids) ? startThread('descriptor-thread', order) : null;
    this.theirs = this.thread === null ? Promise.resolve(null) : shareOf(this.thread);
  }

  /**
   * Looks around before anybody knows what for, where that takes long and somebody else has to be waited for anyway.
   * This thread stands still meanwhile, as it does in `find`.
   */
  lookAhead(): void {
    if (this.thread !== null) this.ours = takeShare(this.proc, this.pids, this.shared, null);
  }

  /** Who holds the sockets of `inodes`. To be asked once. */
  async find(inodes: ReadonlySet<number>): Promise<Holders> {
    if (inodes.size === 0) {
      await this.stop();
      return { byInode: new Map(), unreadable: 0 };
    }
    const ours = this.ours ?? takeShare(this.proc, this.pids, this.shared, inodes);
    // What was not begun by now finds nothing left to take.
    const alone = this.thread === null || Atomics.load(this.shared, BEGUN) === 0;
    const theirs = alone ? null : await this.theirs;
    if (alone) await this.stop();
    // Where the thread broke down, what it had taken is lost.
    if (!alone && theirs === null) return holdersOf(this.proc, inodes);
    return this.withLate(joined(theirs === null ? [ours] : [ours, theirs], inodes), inodes);
  }

  /** Sockets that were opened after their process was looked at. */
  private withLate(holders: Holders, inodes: ReadonlySet<number>): Holders {
    const late = new Set([...inodes].filter((inode) => !holders.byInode.has(inode)));
    if (this.ours === null || late.size === 0 || holders.unreadable > 0) return holders;
    return { ...holders, byInode: new Map([...holders.byInode, ...holdersOf(this.proc, late).byInode]) };
  }

  async stop(): Promise<void> {
    await this.thread?.terminate();
  }
}

/** In the thread: its share of the work. */
export function searchShare({ proc, pids, shared }: SearchOrder): SearchShare {
  Atomics.store(shared, BEGUN, 1);
  return takeShare(proc, pids, shared, null);
}

function takeShare(
  proc: string,
  pids: readonly number[],
  shared: Int32Array,
  wanted: ReadonlySet<number> | null,
): SearchShare {
  const pairs: number[] = [];
  let unreadable = 0;
  for (;;) {
    const pid = pids[Atomics.add(shared, NEXT, 1)];
    if (pid === undefined) return { pairs: Float64Array.from(pairs), unreadable };
    const note = (inode: number): void => {
      if (wanted === null || wanted.has(inode)) pairs.push(inode, pid);
    };
    if (!socketsOf(proc, pid, note)) unreadable++;
  }
}

/** Null where it ended without an answer. */
function shareOf(thread: Thread): Promise<SearchShare | null> {
  return new Promise((resolve) => {
    thread.once('message', resolve);
    thread.once('error', () => {
      resolve(null);
    });
    thread.once('exit', () => {
      resolve(null);
    });
  });
}

function joined(shares: readonly SearchShare[], inodes: ReadonlySet<number>): Holders {
  const found = new Map<number, Set<number>>();
  let unreadable = 0;
  for (const share of shares) {
    unreadable += share.unreadable;
    const { pairs } = share;
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const inode = pairs[i] ?? 0;
      if (!inodes.has(inode)) continue;
      const pids = found.get(inode) ?? new Set();
      found.set(inode, pids.add(pairs[i + 1] ?? 0));
    }
  }
  const byInode = [...found].map(([inode, pids]) => [inode, [...pids].sort((a, b) => a - b)] as const);
  return { byInode: new Map(byInode), unreadable };
}

/** Looks no further than it must. */
function isMuch(proc: string, pids: readonly number[]): boolean {
  let sum = 0;
  for (const pid of pids) {
    try {
      const { size } = statSync(`${proc}/${String(pid)}/fd`);
      sum += size === 0 ? USUAL_DESCRIPTORS : size;
    } catch {
      // It has ended.
    }
    if (sum >= WORTH_A_THREAD) return true;
  }
  return false;
}
