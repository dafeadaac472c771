/**
 * The history of the looks at the sockets of all network namespaces: what is there, what was there and is gone, and
 * who held it.
 *
 * Pure: tables, holders and processes are handed in. Everything in it is bounded, since sockets are made by strangers.
 */

import type { Process } from '../process.js';
import type { Holders } from './descriptors.js';
import { MAX_HOLDERS, withoutManagers, type HolderSet } from './holders.js';
import { NamespaceLooks, type Keeper } from './namespace-looks.js';
import type { ConnectionSighting, ListenerSighting, Sighting } from './sighting.js';
import type { NetTables } from './table.js';

export interface Limits {
  /** Sockets that are there, of all namespaces together. */
  readonly live: number;
  readonly goneConnections: number;
  readonly goneSeconds: number;
  /** Kept for the whole run. */
  readonly goneListeners: number;
  readonly namespaces: number;
}

const LIMITS: Limits = {
  live: 200_000,
  goneConnections: 50_000,
  goneSeconds: 120,
  goneListeners: 10_000,
  namespaces: 1024,
};

/** A socket may be one of the kernel's own, or pass between processes just then. */
const MAX_TRIES = 3;
const MAX_ANCESTORS = 8;

/** Reads a process as it is now. */
export type ReadProcess = (pid: number) => Process | 'gone' | 'permission';

interface Gone<T> {
  readonly of: NamespaceLooks;
  readonly sighting: T;
}

export class SocketHistory {
  private readonly limits: Limits;
  private readonly namespaces = new Map<number, NamespaceLooks>();
  private readonly present = new Set<number>();
  private live = 0;
  /** Oldest first. */
  private goneConnections: Gone<ConnectionSighting>[] = [];
  private goneListeners: Gone<ListenerSighting>[] = [];
  private readonly open = new Set<Sighting>();
  private sets = new Map<string, HolderSet>();
  /** Of the last scan. */
  private processes: ReadonlyMap<number, Process> = new Map();
  private readonly keeper: Keeper = {
    admit: () => {
      if (this.live >= this.limits.live) return false;
      this.live++;
      return true;
    },
    fresh: (sighting) => this.open.add(sighting),
    connectionGone: (sighting, of) => {
      this.live--;
      this.goneConnections.push({ of, sighting });
    },
    listenerGone: (sighting, of) => {
      this.live--;
      this.goneListeners.push({ of, sighting });
    },
  };

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...LIMITS, ...limits };
  }

  /** Sockets that are there. */
  get size(): number {
    return this.live;
  }

  /** There are sockets whose holders nobody has looked for. */
  get hasFresh(): boolean {
    for (const { tries, inode } of this.open) if (tries === 0 && inode !== 0) return true;
    return false;
  }

  /** A look at one namespace; times are seconds since 1970. */
  look(netns: number, tables: NetTables | 'permission', began: number, ended: number): void {
    const looks = this.namespace(netns);
    if (looks === null) return;
    if (tables === 'permission') looks.denied = true;
    else looks.take(tables, began, ended);
  }

  /** After a look at all of them: those that processes are in. */
  settle(present: ReadonlySet<number>, began: number, ended: number): void {
    for (const [netns, looks] of this.namespaces) {
      if (present.has(netns) || !this.present.delete(netns)) continue;
      looks.vanish(began, ended);
    }
    this.expire(ended);
  }

  private namespace(netns: number): NamespaceLooks | null {
    let looks = this.namespaces.get(netns);
    if (looks === undefined) {
      if (this.namespaces.size >= this.limits.namespaces && !this.forgetNamespace()) return null;
      looks = new NamespaceLooks(netns, this.keeper);
      this.namespaces.set(netns, looks);
    }
    this.present.add(netns);
    return looks;
  }

  /** The one that was first seen of those that nobody is in any more. */
  private forgetNamespace(): boolean {
    for (const netns of this.namespaces.keys()) {
      if (this.present.has(netns)) continue;
      this.namespaces.delete(netns);
      return true;
    }
    return false;
  }

  private expire(now: number): void {
    const { goneConnections: most, goneSeconds, goneListeners } = this.limits;
    let count = Math.max(0, this.goneConnections.length - most);
    while ((this.goneConnections[count]?.sighting.gone?.ended ?? Infinity) < now - goneSeconds) count++;
    for (const { of, sighting } of this.goneConnections.splice(0, count)) of.forgetConnection(sighting);
    const excess = Math.max(0, this.goneListeners.length - goneListeners);
    for (const { of, sighting } of this.goneListeners.splice(0, excess)) of.forgetListener(sighting);
  }

  /** Numbers of the sockets whose holders are to be looked for: looking for one takes as long as for all. */
  inodes(): Set<number> {
    const found = new Set<number>();
    for (const looks of this.namespaces.values()) for (const { inode } of looks.live()) found.add(inode);
    // A socket that was reset has left the table, and its program may hold it still.
    for (const { inode } of this.open) found.add(inode);
    found.delete(0);
    return found;
  }

  /** What a scan of all descriptors has found. Processes are read at once: they may have ended when they are asked for. */
  resolve(holders: Holders, read: ReadProcess): void {
    const family = new Map<number, Process>();
    const tried = new Map<number, Process | 'gone' | 'permission'>();
    const readOnce = (pid: number): Process | 'gone' | 'permission' => {
      const known = tried.get(pid);
      if (known !== undefined) return known;
      const now = read(pid);
      const before = this.processes.get(pid);
      const process = typeof now !== 'string' && before !== undefined && isSame(before, now) ? before : now;
      tried.set(pid, process);
      if (typeof process !== 'string') family.set(pid, process);
      return process;
    };
    const sets = new Map<string, HolderSet>();
    const assign = (sighting: Sighting): void => {
      const pids = holders.byInode.get(sighting.inode);
      const set = pids === undefined ? null : this.setOf(pids, sets, family, readOnce);
      sighting.denied = holders.unreadable > 0;
      if (set !== null) {
        sighting.holders = set;
        this.open.delete(sighting);
      } else if (sighting.holders !== null || ++sighting.tries >= MAX_TRIES) this.open.delete(sighting);
    };
    for (const looks of this.namespaces.values()) {
      for (const sighting of looks.live()) if (sighting.inode !== 0) assign(sighting);
    }
    for (const sighting of [...this.open]) if (sighting.gone !== null) assign(sighting);
    for (const sighting of this.open) if (sighting.inode === 0) this.open.delete(sighting);
    this.sets = sets;
    this.processes = family;
  }

  /** One object for all sockets that the same processes hold; null: all of them have ended meanwhile. */
  private setOf(
    pids: readonly number[],
    sets: Map<string, HolderSet>,
    family: Map<number, Process>,
    read: ReadProcess,
  ): HolderSet | null {
    const key = pids.length === 1 ? String(pids[0]) : pids.slice(0, MAX_HOLDERS).join(' ');
    const made = sets.get(key);
    if (made !== undefined) return made;
    let complete = pids.length <= MAX_HOLDERS;
    const processes: Process[] = [];
    for (const pid of pids.slice(0, MAX_HOLDERS)) {
      const process = read(pid);
      if (process === 'permission') complete = false;
      else if (process !== 'gone') {
        processes.push(process);
        readAncestors(process, read);
      }
    }
    if (processes.length === 0 && complete) return null;
    const held = withoutManagers(processes);
    const before = this.sets.get(key);
    const same = before?.complete === complete && sameProcesses(before.processes, held);
    const set = same ? before : { processes: held, complete, family };
    sets.set(key, set);
    return set;
  }

  /** Of one namespace, or of all. */
  looksAt(netns: number | null): readonly NamespaceLooks[] {
    if (netns === null) return [...this.namespaces.values()];
    const looks = this.namespaces.get(netns);
    return looks === undefined ? [] : [looks];
  }

  /** Processes are in it, as far as is known. */
  isPresent(netns: number): boolean {
    return this.present.has(netns);
  }
}

/** Into the family of this scan. */
function readAncestors(process: Process, read: ReadProcess): void {
  let child = process;
  for (let depth = 0; depth < MAX_ANCESTORS && child.ppid !== null && child.ppid > 1; depth++) {
    const parent = read(child.ppid);
    if (typeof parent === 'string') return;
    child = parent;
  }
}

/** Nothing that changes in a process's life has: one object is kept for it, however often it is read. */
function isSame(a: Process, b: Process): boolean {
  return (
    a.started === b.started &&
    a.ppid === b.ppid &&
    a.name === b.name &&
    a.exe === b.exe &&
    a.command === b.command &&
    a.user === b.user &&
    a.unit === b.unit &&
    a.netns === b.netns &&
    a.container?.name === b.container?.name
  );
}

function sameProcesses(a: readonly Process[], b: readonly Process[]): boolean {
  return a.length === b.length && a.every((process, i) => process === b[i]);
}
