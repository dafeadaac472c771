/**
 * Makes the looks: reads the tables of all network namespaces and, when there are sockets whose holders are not known,
 * the descriptors of all processes. Synchronous; a thread of its own does it (socket-thread.ts).
 */

import { holdersOf, netNamespaceOf, netNamespaces } from './descriptors.js';
import { SocketHistory, type ReadProcess } from './looks.js';
import { Budget, isScanDue, pauseAfter } from './pace.js';
import { readTables } from './table.js';
import type { Effort, Query } from './watch-protocol.js';

/** Milliseconds are what the system's clock is asked for: an end is one later, so as never to be too early. */
const TICK = 0.001;

export interface LookerOptions {
  readonly proc: string;
  readonly read: ReadProcess;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Seconds of a clock that is never set. */
  readonly stopwatch: () => number;
  /** Seconds that this thread has worked. */
  readonly worked: () => number;
}

export class Looker {
  readonly history = new SocketHistory();
  private readonly options: LookerOptions;
  private readonly budget = new Budget();
  private looks = 0;
  private scans = 0;
  private namespaces = 0;
  private seconds = 0;
  private began = 0;
  /** A process in each namespace. */
  private readonly members = new Map<number, number>();
  /** What the last look at each namespace took. */
  private readonly costs = new Map<number, number>();
  private lastTables = 0;
  private lastScan = 0;
  private scanned = -Infinity;

  constructor(options: LookerOptions) {
    this.options = options;
  }

  /** @returns seconds until the next one. */
  look(): number {
    const tables = this.lookAtTables();
    // What the first scan takes, later looks do not: they scan where something is new.
    if (this.scans === 0) {
      this.scan();
      return pauseAfter(tables);
    }
    const due = isScanDue(this.options.stopwatch(), this.scanned, this.lastScan);
    const scan = this.history.hasFresh || due ? this.scan() : 0;
    return pauseAfter(tables + scan);
  }

  /** There is time for a look between two others, at all that is asked about. */
  hasTime(queries: readonly Query[]): boolean {
    const only = askedFor(queries);
    let cost = this.lastTables;
    if (only !== null) cost = [...only].reduce((sum, netns) => sum + (this.costs.get(netns) ?? 0), 0);
    return this.budget.allows(this.options.stopwatch(), cost);
  }

  /** A look for questions about what has happened since the last one. */
  lookAgain(queries: readonly Query[]): void {
    const only = askedFor(queries);
    this.pay(only === null ? this.lookAtTables() : this.lookAtSome(only));
    // Processes that fork pass on what they listen on: who holds it is asked anew. A scan must leave time for looks.
    if (this.budget.allows(this.options.stopwatch(), this.lastScan * 2)) this.pay(this.scan());
  }

  private pay(seconds: number): void {
    this.budget.spend(this.options.stopwatch(), seconds);
  }

  /** The newest look at what is asked about began before the moment that is meant. */
  isBehind({ netns, at }: Query): boolean {
    if (netns === null) return this.began <= at;
    return this.members.has(netns) && (this.history.looksAt(netns)[0]?.newest?.began ?? this.began) <= at;
  }

  get effort(): Effort {
    const { looks, scans, namespaces, seconds } = this;
    return { looks, scans, namespaces, sockets: this.history.size, seconds };
  }

  private lookAtTables(): number {
    const { proc, now } = this.options;
    const start = this.options.worked();
    const began = now();
    const present = new Set<number>();
    this.members.clear();
    this.costs.clear();
    for (const { inode, pid } of netNamespaces(proc)) {
      this.members.set(inode, pid);
      if (this.lookAt(inode, pid)) present.add(inode);
    }
    this.history.settle(present, began, now() + TICK);
    this.namespaces = present.size;
    this.began = began;
    this.looks++;
    this.lastTables = this.spend(start);
    return this.lastTables;
  }

  private lookAtSome(only: ReadonlySet<number>): number {
    const start = this.options.worked();
    for (const netns of only) {
      const pid = this.members.get(netns);
      // It may have ended, and its PID be another's: who else is in there is found by looking at all.
      const isThere = pid !== undefined && netNamespaceOf(this.options.proc, pid) === netns && this.lookAt(netns, pid);
      if (!isThere) return this.lookAtTables();
    }
    this.looks++;
    return this.spend(start);
  }

  private lookAt(netns: number, pid: number): boolean {
    const { proc, now, worked } = this.options;
    const start = worked();
    const from = now();
    const tables = readTables(proc, pid);
    if (tables === 'gone') return false;
    this.history.look(netns, tables, from, now() + TICK);
    this.costs.set(netns, worked() - start);
    return true;
  }

  private scan(): number {
    const start = this.options.worked();
    const inodes = this.history.inodes();
    const holders =
      inodes.size === 0
        ? { byInode: new Map<number, number[]>(), unreadable: 0 }
        : holdersOf(this.options.proc, inodes);
    this.history.resolve(holders, this.options.read);
    this.scanned = this.options.stopwatch();
    this.scans++;
    this.lastScan = this.spend(start);
    return this.lastScan;
  }

  private spend(start: number): number {
    const cost = this.options.worked() - start;
    this.seconds += cost;
    return cost;
  }
}

/** Namespaces that are asked about; null: all. */
function askedFor(queries: readonly Query[]): Set<number> | null {
  const only = new Set<number>();
  for (const { netns } of queries) {
    if (netns === null) return null;
    only.add(netns);
  }
  return only;
}
