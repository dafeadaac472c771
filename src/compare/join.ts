/**
 * Finds the connections of one capture in the other, by their segments: sequence numbers and acknowledgements, which no
 * NAT changes, where they are nobody else's.
 *
 * What several connections share is used where their addresses or ports tell which is which, and never guessed at.
 */

import { otherSide, portOf, tupleOf, type Connection, type Side } from './connection.js';
import type { Footprints } from './footprints.js';
import { Lines } from './lines.js';
import { isStrong, type Mark } from './marks.js';

/** Connections of one capture that may have a segment in common: a NAT's two sides, a tunnel's. More share a constant. */
const MOST_ALIKE = 4;
/** The same segment on both sides of a NAT or tunnel is not further apart. */
const ALIKE_SECONDS = 1;
const TWO_21 = 1 << 21;

interface Held {
  readonly connection: Connection;
  readonly ofServer: boolean;
  readonly mark: Mark;
}

export interface Joined {
  readonly lines: Lines;
  /** Numbers of connections that may be one of several in the other capture. */
  readonly ambiguous: Set<number>;
}

export function join(client: Footprints, server: Footprints): Joined {
  const lines = new Lines(client.connections, server.connections);
  const ambiguous = new Set<number>();
  joinBySegments(client, server, lines);
  joinBySyn(client, server, lines, ambiguous);
  return { lines, ambiguous };
}

/** Segments with 64 bits of their own. */
function joinBySegments(client: Footprints, server: Footprints, lines: Lines): void {
  const held = new Map<number, Held[]>();
  for (const [{ connections }, ofServer] of [[client, false] as const, [server, true] as const]) {
    for (const connection of connections) {
      for (const mark of connection.marks.list) {
        if (!isStrong(mark)) continue;
        const key = keyOf(mark);
        const before = held.get(key);
        // What a thousand have is a constant, and told by the fifth.
        if (before === undefined) held.set(key, [{ connection, ofServer, mark }]);
        else if (before.length <= 2 * MOST_ALIKE) before.push({ connection, ofServer, mark });
      }
    }
  }
  for (const holders of held.values()) {
    const [first] = holders;
    if (first === undefined || holders.length < 2) continue;
    const same = holders.filter(({ mark }) => isSame(mark, first.mark));
    if (isConstant(same)) continue;
    for (const other of same) {
      if (other === first) continue;
      lines.join(
        lines.numberOf(first.connection, first.ofServer),
        lines.numberOf(other.connection, other.ofServer),
        first.mark.fromLower !== other.mark.fromLower,
      );
    }
  }
}

function keyOf({ seq, ack, kind }: Mark): number {
  return seq * TWO_21 + ((Math.imul(ack, 5) + kind) & (TWO_21 - 1));
}

function isSame(a: Mark, b: Mark): boolean {
  return a.seq === b.seq && a.ack === b.ack && a.kind === b.kind;
}

/** Too many have it in one capture, or at other times. */
function isConstant(holders: readonly Held[]): boolean {
  for (const ofServer of [false, true]) {
    const own = holders.filter((one) => one.ofServer === ofServer);
    if (own.length > MOST_ALIKE) return true;
    const times = own.map(({ mark }) => mark.at);
    if (Math.max(...times) - Math.min(...times) > ALIKE_SECONDS) return true;
  }
  return false;
}

/** A connection of which one capture, or both, saw no more than the SYN and what answered it. */
function joinBySyn(client: Footprints, server: Footprints, lines: Lines, ambiguous: Set<number>): void {
  const groups = lines.groups();
  const isWhole = (number: number): boolean => {
    const line = groups.get(lines.rootOf(number));
    return line !== undefined && line.client.length > 0 && line.server.length > 0;
  };
  const bySeq = new Map<number, [Connection[], Connection[]]>();
  for (const [{ connections }, ofServer] of [[client, false] as const, [server, true] as const]) {
    for (const connection of connections) {
      const { openerIsn } = connection;
      if (openerIsn === null || isWhole(lines.numberOf(connection, ofServer))) continue;
      const both = bySeq.get(openerIsn) ?? [[], []];
      bySeq.set(openerIsn, both);
      both[ofServer ? 1 : 0].push(connection);
    }
  }
  for (const [ours, theirs] of bySeq.values()) {
    if (ours.length === 0 || theirs.length === 0) continue;
    const { pairs, unclear } = pairAlike(ours, theirs, (a, b) =>
      canBeOne(a, b) ? (agreeSomewhere(a, b) ? 'yes' : 'perhaps') : 'no',
    );
    for (const [a, b] of pairs) {
      lines.join(lines.numberOf(a, false), lines.numberOf(b, true), a.opener !== b.opener);
    }
    for (const one of unclear[0]) ambiguous.add(lines.numberOf(one, false));
    for (const one of unclear[1]) ambiguous.add(lines.numberOf(one, true));
  }
}

/** Nothing that no NAT changes says that they are two. */
function canBeOne(a: Connection, b: Connection): boolean {
  if (a.synTimestamp >= 0 && b.synTimestamp >= 0 && a.synTimestamp !== b.synTimestamp) return false;
  return a.acceptorIsn === null || b.acceptorIsn === null || a.acceptorIsn === b.acceptorIsn;
}

/** The timestamp, or one of both ports: a NAT that changes both, and a link that strips timestamps, are rare enough. */
function agreeSomewhere(a: Connection, b: Connection): boolean {
  if (a.synTimestamp >= 0 && a.synTimestamp === b.synTimestamp) return true;
  return portAt(a, 'opener') === portAt(b, 'opener') || portAt(a, 'acceptor') === portAt(b, 'acceptor');
}

function portAt(connection: Connection, end: 'opener' | 'acceptor'): number {
  const opener: Side = connection.opener ?? 'lower';
  return portOf(connection, end === 'opener' ? opener : otherSide(opener));
}

/** Whether two connections that have something in common are one, by all else that is known. */
export type Agreement = 'yes' | 'perhaps' | 'no';

export interface Pairs {
  readonly pairs: readonly (readonly [Connection, Connection])[];
  /** Of both, those that may be one of several. */
  readonly unclear: readonly [readonly Connection[], readonly Connection[]];
}

/**
 * Pairs connections that agree in something: the only one with the only one, where `agree` says that they may be one;
 * else those whose addresses and ports, then those whose ports are the same in both and nobody else's.
 */
export function pairAlike(
  ours: readonly Connection[],
  theirs: readonly Connection[],
  agree: (a: Connection, b: Connection) => Agreement,
): Pairs {
  const [a] = ours;
  const [b] = theirs;
  if (a !== undefined && b !== undefined && ours.length === 1 && theirs.length === 1) {
    const agreement = agree(a, b);
    return { pairs: agreement === 'yes' ? [[a, b]] : [], unclear: agreement === 'perhaps' ? [[a], [b]] : [[], []] };
  }
  const pairs: [Connection, Connection][] = [];
  let [left, right] = [ours, theirs];
  for (const key of [tupleOf, portsKey]) {
    const taken = new Set<Connection>();
    const known = uniqueBy(right, key);
    for (const [text, one] of uniqueBy(left, key)) {
      const other = known.get(text);
      if (one === null || other === null || other === undefined || agree(one, other) !== 'yes') continue;
      pairs.push([one, other]);
      taken.add(one).add(other);
    }
    [left, right] = [left.filter((one) => !taken.has(one)), right.filter((one) => !taken.has(one))];
  }
  // One that is left alone has no partner; where some are left on both sides, each may be any of the others.
  return { pairs, unclear: left.length > 0 && right.length > 0 ? [left, right] : [[], []] };
}

function portsKey(connection: Connection): string {
  const ports = [portOf(connection, 'lower'), portOf(connection, 'higher')];
  const opener = connection.opener ?? 'lower';
  if (connection.opener === null) return ports.sort((x, y) => x - y).join(' ');
  return `${String(portOf(connection, opener))} ${String(portOf(connection, otherSide(opener)))}`;
}

/** Those that have their key for themselves; null: several have it. */
function uniqueBy(list: readonly Connection[], key: (one: Connection) => string): Map<string, Connection | null> {
  const known = new Map<string, Connection | null>();
  for (const one of list) {
    const text = key(one);
    known.set(text, known.has(text) ? null : one);
  }
  return known;
}
