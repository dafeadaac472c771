/**
 * Who owns a TCP port: the sockets that have it, at this end or the other, in every network namespace, and the process
 * behind each.
 *
 * A socket may have many holders (prefork, a connection kept by parent and child): the one that all the others descend
 * from is named, else nobody. Knows nothing of output.
 */

import { INITIAL_PID_NAMESPACE, pidNamespace } from '../base/spawn.js';
import { found, missing, type End, type Match, type Process } from './process.js';
import type { Holders } from './sockets/descriptors.js';
import { firstOfFamily } from './sockets/family.js';
import type { Place } from './sockets/places.js';
import type { SocketRow } from './sockets/table.js';
import type { View } from './sockets/view.js';

export interface PortQuery {
  readonly port: number;
  /** Only sockets with the port at this address; null: at any. */
  readonly ip: string | null;
}

export interface OwnedSocket {
  readonly row: SocketRow;
  /** Inode number of its network namespace. */
  readonly netns: number | null;
  readonly end: End;
  /** PIDs of all that hold it, ascending. */
  readonly holders: readonly number[];
  /** Of a listener: connections that may wait to be accepted; null where nobody says. */
  readonly backlogMax: number | null;
}

export interface PortOwners {
  readonly query: PortQuery;
  readonly listeners: readonly OwnedSocket[];
  readonly connections: readonly OwnedSocket[];
  /** Whether anybody holds one of the sockets, or may: what is not to be seen may have an owner. */
  readonly owned: boolean;
}

export interface WhoAnswer {
  readonly ports: readonly PortOwners[];
  /** Labels of the network namespaces that were looked into. */
  readonly namespaces: readonly string[];
  /** Labels of those that may not be looked into. */
  readonly closed: readonly string[];
  /** Processes whose descriptors may not be looked at; null where nobody looked. */
  readonly unreadable: number | null;
}

/** What `whoOwns` asks the system for. */
export interface WhoSources {
  readonly proc: string;
  readonly places: (ports: readonly number[]) => readonly Place[];
  readonly holders: (inodes: ReadonlySet<number>) => Promise<Holders>;
  readonly process: (pid: number) => Process | 'gone' | 'permission';
  /** Whether everything can be seen that is there. */
  readonly root: boolean;
}

/** A socket, where it was seen. */
interface Sighting {
  readonly row: SocketRow;
  readonly netns: number | null;
  readonly view: View;
}

export async function whoOwns(queries: readonly PortQuery[], sources: WhoSources): Promise<WhoAnswer> {
  const seen = queries.map((): Sighting[] => []);
  const namespaces: string[] = [];
  const closed: string[] = [];
  const places = sources.places([...new Set(queries.map(({ port }) => port))]);
  const views = await Promise.all(places.map(({ view }) => view()));
  for (const [i, { label, inode: netns }] of places.entries()) {
    const view = views[i] ?? 'gone';
    if (view === 'permission') closed.push(label);
    if (view === 'gone' || view === 'permission') continue;
    namespaces.push(label);
    for (const [k, query] of queries.entries()) {
      const rows = view.touching(query.port).filter((row) => answers(row, query));
      for (const row of rows) seen[k]?.push({ row, netns, view });
    }
  }
  const owners = new Owners(sources);
  await owners.learn(seen.flat());
  const ports = queries.map((query, i) => {
    const sockets = (seen[i] ?? []).map((sighting) => owners.of(sighting));
    return portOwners(query, sockets.sort(byEnds(query.port)));
  });
  return { ports, namespaces, closed, unreadable: owners.unreadable };
}

export function portOwners(query: PortQuery, sockets: readonly OwnedSocket[]): PortOwners {
  return {
    query,
    listeners: sockets.filter(({ row }) => row.state === 'LISTEN'),
    connections: sockets.filter(({ row }) => row.state !== 'LISTEN'),
    owned: sockets.some(({ end }) => end.reason !== 'gone' && end.reason !== 'no-listener'),
  };
}

function answers(row: SocketRow, { port, ip }: PortQuery): boolean {
  if (ip === null) return true;
  if (row.localPort === port && (row.localIp === ip || takesAll(row, ip))) return true;
  return row.remotePort === port && row.remoteIp === ip;
}

/** A listener on every address; one on "::" mostly takes IPv4 as well. */
function takesAll({ state, localIp }: SocketRow, ip: string): boolean {
  return state === 'LISTEN' && (localIp === '::' || (localIp === '0.0.0.0' && !ip.includes(':')));
}

/** Finds the owners of many sockets in one search. */
class Owners {
  /** Null: nobody looked. */
  unreadable: number | null = null;
  private holders: Holders = { byInode: new Map(), unreadable: 0 };
  private readonly sources: WhoSources;
  private readonly processes = new Map<number, Process | 'gone' | 'permission'>();
  private readonly ends = new Map<string, End>();
  private readonly firsts = new Map<string, number | null>();

  constructor(sources: WhoSources) {
    this.sources = sources;
  }

  async learn(sightings: readonly Sighting[]): Promise<void> {
    const inodes = new Set<number>();
    for (const sighting of sightings) {
      const rows = sighting.row.inode === 0 ? this.listenersFor(sighting) : [sighting.row];
      for (const { inode } of rows) if (inode !== 0) inodes.add(inode);
    }
    if (inodes.size === 0) return;
    this.holders = await this.sources.holders(inodes);
    this.unreadable = this.holders.unreadable;
  }

  of(sighting: Sighting): OwnedSocket {
    const { row, netns, view } = sighting;
    const listens = row.state === 'LISTEN';
    const known = { row, netns, backlogMax: listens ? view.backlogMax(row) : null };
    if (row.inode !== 0) return { ...known, ...this.ofInode(row.inode, listens ? 'listener' : 'socket') };
    return { ...known, holders: [], end: isWaiting(row) ? this.ofWaiting(sighting) : missing('gone') };
  }

  private ofInode(inode: number, match: Match): Pick<OwnedSocket, 'end' | 'holders'> {
    const holders = this.holders.byInode.get(inode) ?? [];
    if (holders.length === 0) return { holders, end: missing(this.whyNobody()) };
    const first = this.firstOf(holders);
    if (first === null) return { holders, end: missing('ambiguous') };
    const process = this.processOf(first);
    if (typeof process === 'string') return { holders, end: missing(process) };
    return { holders, end: this.endOf(process, match === 'listener' && holders.length > 1 ? 'listener-group' : match) };
  }

  /** A connection that no program has accepted yet is its listener's. */
  private ofWaiting(sighting: Sighting): End {
    const ends = this.listenersFor(sighting).map(({ inode }) => this.ofInode(inode, 'listener').end);
    const [first] = ends;
    if (first === undefined) return missing('no-listener');
    return ends.every(({ process }) => process?.pid === first.process?.pid) ? first : missing('ambiguous');
  }

  /** The listeners that such a connection may have come by: those on its address before those on every address. */
  private listenersFor({ row, view }: Sighting): readonly SocketRow[] {
    if (!isWaiting(row)) return [];
    const all = view.listeners(row.localPort);
    const own = all.filter(({ localIp }) => localIp === row.localIp);
    return own.length > 0 ? own : all.filter((listener) => takesAll(listener, row.localIp));
  }

  private whyNobody(): 'permission' | 'pid-namespace' | 'unknown' {
    if (this.holders.unreadable > 0 || !this.sources.root) return 'permission';
    // From a container only its own processes are to be seen, but with the host's network all its sockets.
    return pidNamespace() === INITIAL_PID_NAMESPACE ? 'unknown' : 'pid-namespace';
  }

  private firstOf(holders: readonly number[]): number | null {
    const key = holders.join();
    const before = this.firsts.get(key);
    if (before !== undefined) return before;
    const first = firstOfFamily(this.sources.proc, holders);
    this.firsts.set(key, first);
    return first;
  }

  /** One for all sockets of a process: there may be very many. */
  private endOf(process: Process, match: Match): End {
    const key = `${String(process.pid)} ${match}`;
    const end = this.ends.get(key) ?? found(process, match);
    this.ends.set(key, end);
    return end;
  }

  private processOf(pid: number): Process | 'gone' | 'permission' {
    const before = this.processes.get(pid);
    if (before !== undefined) return before;
    const process = this.sources.process(pid);
    this.processes.set(pid, process);
    return process;
  }
}

/** Without an owner of its own since nobody has accepted it yet, and not since its owner has closed it. */
function isWaiting({ inode, state }: SocketRow): boolean {
  return inode === 0 && WAITING.has(state);
}

const WAITING: ReadonlySet<string> = new Set(['ESTABLISHED', 'CLOSE_WAIT', 'SYN_RECV', 'NEW_SYN_RECV']);

/** Those that have the port here before those that have it there. */
function byEnds(port: number): (a: OwnedSocket, b: OwnedSocket) => number {
  const side = ({ localPort }: SocketRow): number => (localPort === port ? 0 : 1);
  return ({ row: a }, { row: b }) =>
    side(a) - side(b) ||
    compare(a.localIp, b.localIp) ||
    compare(a.remoteIp, b.remoteIp) ||
    a.localPort - b.localPort ||
    a.remotePort - b.remotePort ||
    a.inode - b.inode;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
