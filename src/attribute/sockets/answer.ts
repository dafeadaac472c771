/**
 * Answers a question about one moment from the history of looks. What the looks can't tell is left open: two sockets
 * that both may be meant are both named, and an absence counts only between two looks.
 */

import { isIP } from 'node:net';
import type { Process } from '../process.js';
import { commonParent, together, type HolderSet } from './holders.js';
import type { SocketHistory } from './looks.js';
import type { NamespaceLooks } from './namespace-looks.js';
import { seenAt, sightingsFor, type ConnectionSighting, type ListenerSighting, type Seen } from './sighting.js';
import { tupleKey } from './table.js';
import type { Listener, Query, SocketAnswer } from './watch-protocol.js';

export function answer(history: SocketHistory, query: Query): SocketAnswer {
  const everywhere = history.looksAt(query.netns);
  const found = exactly(everywhere, query);
  const listeners = everywhere.flatMap((looks) => listenersAt(looks, query));
  listeners.sort((a, b) => rank(a.ip, query.localIp) - rank(b.ip, query.localIp));
  const present = everywhere.filter(({ netns }) => history.isPresent(netns));
  const denied = everywhere.some((looks) => looks.denied);
  const ends = (present.length === 0 ? everywhere : present).map(({ newest }) => newest?.ended ?? 0);
  return {
    ...found,
    exact: found.exact === 'none' && denied && found.seenAt === null ? 'permission' : found.exact,
    listeners,
    noListener: present.length > 0 && everywhere.every((looks) => hadNoListener(looks, query, history)),
    past: everywhere.some((looks) => someoneListens(looks, query)) ? null : lastListener(everywhere, query),
    lookedAt: ends.length === 0 ? 0 : Math.min(...ends),
  };
}

type Exact = Pick<SocketAnswer, 'holders' | 'common' | 'alive' | 'seenAt' | 'exact'>;

function exactly(everywhere: readonly NamespaceLooks[], query: Query): Exact {
  const { localIp, localPort, remoteIp, remotePort, at, opened = null } = query;
  const sightings: ConnectionSighting[] = [];
  for (const key of tupleKey(localIp, localPort, remoteIp, remotePort)) {
    for (const looks of everywhere) {
      const newest = looks.connectionOf(key);
      if (newest !== null) sightings.push(...sightingsFor(newest, at, opened));
    }
  }
  const alive = sightings.some(({ last, closing }) => last.began > at && !closing);
  const seen = sightings.length === 0 ? null : Math.max(...sightings.map(({ last }) => last.began));
  const nobody: Exact = { holders: [], common: null, alive, seenAt: seen, exact: 'none' };
  if (sightings.length === 0) return nobody;
  const { processes, complete, family } = together(sightings.map(({ holders }) => holders));
  if (processes.length === 0 || !complete) {
    // Of several sockets or holders, whoever is known may be the wrong one.
    const denied = sightings.some((each) => each.inode !== 0 && each.denied && each.holders?.complete !== true);
    return denied ? { ...nobody, exact: 'permission' } : nobody;
  }
  const exact = processes.length === 1 ? 'one' : 'shared';
  return { holders: processes, common: commonParent(processes, family), alive, seenAt: seen, exact };
}

/** Place of a bound address among those that take a connection to `ip`; -1: it takes none. */
function rank(bound: string, ip: string): number {
  if (bound === ip) return 0;
  if (bound === '0.0.0.0' && isIP(ip) === 4) return 1;
  return bound === '::' ? 2 : -1;
}

function* listenersFor(looks: NamespaceLooks, { localIp, localPort }: Query): Generator<ListenerSighting> {
  for (const each of looks.listenersOn(localPort)) if (rank(each.ip, localIp) >= 0) yield each;
}

/** From what is best known to what is known least. */
const BY_CERTAINTY: readonly Seen[] = ['around', 'before', 'ended', 'begun'];

/** Sockets that are bound alike are one group (SO_REUSEPORT), as is a listener and the one that took its place. */
function listenersAt(looks: NamespaceLooks, query: Query): Listener[] {
  const groups = new Map<string, { holders: (HolderSet | null)[]; certainty: number }>();
  for (const each of listenersFor(looks, query)) {
    const seen = seenAt(each, query.at);
    if (seen === 'past' || seen === 'future') continue;
    let group = groups.get(each.ip);
    if (group === undefined) groups.set(each.ip, (group = { holders: [], certainty: BY_CERTAINTY.length - 1 }));
    if (!group.holders.includes(each.holders)) group.holders.push(each.holders);
    group.certainty = Math.min(group.certainty, BY_CERTAINTY.indexOf(seen));
  }
  return [...groups].map(([ip, { holders, certainty }]) => {
    const { processes, complete, family } = together(holders);
    return {
      ip,
      netns: looks.netns,
      processes,
      complete,
      group: complete ? commonParent(processes, family) : null,
      single: complete && processes.length === 1,
      seen: BY_CERTAINTY[certainty] ?? 'begun',
    };
  });
}

/** The looks next to the moment, one wholly before and one wholly after it, and all between them saw none. */
function hadNoListener(looks: NamespaceLooks, query: Query, history: SocketHistory): boolean {
  const { at } = query;
  const before = looks.looks.filter(({ ended }) => ended <= at).at(-1);
  const after = looks.looks.find(({ began }) => began > at);
  const covered = before !== undefined && after !== undefined && !looks.denied;
  // Where no process is any more, nobody listens, unless somebody was seen to.
  if (!covered && history.isPresent(looks.netns)) return false;
  const from = before?.began ?? at;
  const to = after?.began ?? at;
  for (const { first, last } of listenersFor(looks, query)) {
    if (first.began <= to && last.began >= from) return false;
  }
  return true;
}

function someoneListens(looks: NamespaceLooks, query: Query): boolean {
  for (const { gone } of listenersFor(looks, query)) if (gone === null) return true;
  return false;
}

function lastListener(everywhere: readonly NamespaceLooks[], query: Query): SocketAnswer['past'] {
  let last: ListenerSighting[] = [];
  let seen = -Infinity;
  for (const looks of everywhere) {
    for (const each of listenersFor(looks, query)) {
      if (each.gone === null || each.first.began > query.at || each.last.began < seen) continue;
      if (each.last.began > seen) last = [];
      seen = each.last.began;
      last.push(each);
    }
  }
  const owner = ownerOf(last);
  return owner === null ? null : { process: owner, lastSeen: seen };
}

function ownerOf(sockets: readonly ListenerSighting[]): Process | null {
  if (sockets.length === 0) return null;
  const { processes, complete, family } = together([...new Set(sockets.map(({ holders }) => holders))]);
  return complete ? commonParent(processes, family) : null;
}
