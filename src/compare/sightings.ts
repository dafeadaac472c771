/**
 * The resets of both captures: where each belongs, which lines they join that nothing else joined, and which of them
 * are one, seen at both ends.
 */

import type { End } from '../report/comparison-types.js';
import type { ResetEvent } from '../report/types.js';
import type { Connection, Side } from './connection.js';
import type { Footprints } from './footprints.js';
import { pairAlike, type Joined } from './join.js';
import { sideInLine, type Line } from './lines.js';

/** A reset as one capture has it. */
export interface Sighting {
  readonly event: ResetEvent;
  readonly seen: End;
  /** Null: its connection found no place. */
  readonly connection: Connection | null;
  readonly fromLower: boolean;
  /** Seconds since 1970; NaN: the capture gave it no time. */
  readonly at: number;
  line: Line | null;
  /** The end whose address it bears, as the line names it. */
  side: Side;
  /** The same reset in the other capture. */
  partner: Sighting | null;
  /** Resets with its very numbers were paired, and it was left over. */
  repeated: boolean;
}

/** Of one connection, resets with the same numbers that are compared one with another; more are paired in their order. */
const MOST_COMPARED = 1 << 16;

/** The resets of a capture, in their places. Copies under other addresses join the connections that they are of. */
export function sightingsOf(
  events: readonly ResetEvent[],
  files: readonly string[],
  seen: End,
  footprints: Footprints,
  { lines }: Joined,
): Sighting[] {
  const numbers = new Map(files.map((name, i) => [name, i]));
  const ofServer = seen === 'server';
  return events.map((event): Sighting => {
    const file = numbers.get(event.file ?? '') ?? 0;
    const place = event.frame === null ? null : footprints.placeOf(file, event.frame);
    if (place !== null && event.translations.length > 0) {
      for (const frame of event.frames) {
        const other = footprints.placeOf(file, frame);
        if (other === null || other.connection === place.connection) continue;
        lines.join(
          lines.numberOf(place.connection, ofServer),
          lines.numberOf(other.connection, ofServer),
          place.fromLower !== other.fromLower,
        );
      }
    }
    return {
      event,
      seen,
      connection: place?.connection ?? null,
      fromLower: place?.fromLower ?? false,
      at: event.epoch ?? NaN,
      line: null,
      side: 'lower',
      partner: null,
      repeated: false,
    };
  });
}

/** What a NAT leaves as it is. */
function numbersOf({ tcp_flags: flags, seq, ack }: ResetEvent): string {
  // Congestion marks are changed on the way.
  return `${flags.replace(/[EWe]/g, '')} ${String(seq)} ${String(ack ?? '')}`;
}

/** 64 bits that are nobody else's. */
function isStrong({ seq, ack }: ResetEvent): boolean {
  return seq !== 0 && ack !== null && ack !== 0;
}

/** Joins connections that nothing but a reset of theirs tells of, in one capture at least. */
export function joinByResets(ours: readonly Sighting[], theirs: readonly Sighting[], joined: Joined): void {
  const { lines, ambiguous } = joined;
  const groups = lines.groups();
  const open = (sightings: readonly Sighting[], ofServer: boolean): Map<string, Map<number, Sighting>> => {
    const found = new Map<string, Map<number, Sighting>>();
    for (const sighting of sightings) {
      if (sighting.connection === null) continue;
      const root = lines.rootOf(lines.numberOf(sighting.connection, ofServer));
      const line = groups.get(root);
      if (line === undefined || (line.client.length > 0 && line.server.length > 0)) continue;
      const key = numbersOf(sighting.event);
      const same = found.get(key) ?? new Map<number, Sighting>();
      found.set(key, same);
      if (!same.has(root)) same.set(root, sighting);
    }
    return found;
  };
  const right = open(theirs, true);
  for (const [key, left] of open(ours, false)) {
    const others = right.get(key);
    if (others === undefined) continue;
    const place = new Map<Connection, Sighting>();
    for (const one of [...left.values(), ...others.values()])
      if (one.connection !== null) place.set(one.connection, one);
    const { pairs, unclear } = pairAlike(connections(left), connections(others), (a, b) => {
      const [one, other] = [place.get(a), place.get(b)];
      if (one === undefined || other === undefined || !canBeOne(a, b)) return 'no';
      return isStrong(one.event) || agree(one, other) ? 'yes' : 'perhaps';
    });
    for (const [a, b] of pairs) {
      const turned = place.get(a)?.fromLower !== place.get(b)?.fromLower;
      lines.join(lines.numberOf(a, false), lines.numberOf(b, true), turned);
    }
    for (const one of unclear[0]) ambiguous.add(lines.numberOf(one, false));
    for (const one of unclear[1]) ambiguous.add(lines.numberOf(one, true));
  }
}

function connections(sightings: ReadonlyMap<number, Sighting>): Connection[] {
  return [...sightings.values()].flatMap(({ connection }) => (connection === null ? [] : [connection]));
}

function canBeOne(a: Connection, b: Connection): boolean {
  return a.openerIsn === null || b.openerIsn === null || a.openerIsn === b.openerIsn;
}

/** 32 bits are not enough: one of both ports must be the same, too. */
function agree(a: Sighting, b: Sighting): boolean {
  return a.event.src_port === b.event.src_port || a.event.dest_port === b.event.dest_port;
}

/** Says of each reset to which line it belongs. */
export function placeInLines(
  sightings: readonly Sighting[],
  groups: ReadonlyMap<number, Line>,
  { lines }: Joined,
): void {
  for (const sighting of sightings) {
    const { connection, seen, fromLower } = sighting;
    if (connection === null) continue;
    const number = lines.numberOf(connection, seen === 'server');
    sighting.line = groups.get(lines.rootOf(number)) ?? null;
    sighting.side = sideInLine(fromLower ? 'lower' : 'higher', lines.isTurned(number));
  }
}

/**
 * Pairs the resets of one line that say the same. `ahead`: seconds that the server's capture is ahead, as far as that is
 * known by now. Of those that were said several times, the ones nearest in time are one.
 */
export function pairResets(ours: readonly Sighting[], theirs: readonly Sighting[], ahead: number): void {
  const right = byNumbers(theirs);
  for (const [line, groups] of byNumbers(ours)) {
    for (const [key, left] of groups) {
      const others = right.get(line)?.get(key);
      if (others === undefined) continue;
      pairNearest(left, others, ahead);
      for (const one of [...left, ...others]) one.repeated = one.partner === null;
    }
  }
}

/** Of lines that both captures have, and that don't contradict themselves. */
function byNumbers(sightings: readonly Sighting[]): Map<Line, Map<string, Sighting[]>> {
  const found = new Map<Line, Map<string, Sighting[]>>();
  for (const sighting of sightings) {
    const { line, event, side } = sighting;
    if (line === null || line.torn || line.client.length === 0 || line.server.length === 0) continue;
    const groups = found.get(line) ?? new Map<string, Sighting[]>();
    found.set(line, groups);
    const key = `${side} ${numbersOf(event)}`;
    const same = groups.get(key);
    if (same === undefined) groups.set(key, [sighting]);
    else same.push(sighting);
  }
  return found;
}

function pairNearest(left: readonly Sighting[], right: readonly Sighting[], ahead: number): void {
  if (left.length === right.length || left.length * right.length > MOST_COMPARED) {
    left.forEach((one, i) => {
      couple(one, right[i]);
    });
    return;
  }
  const apart = (a: Sighting, b: Sighting): number => {
    const seconds = Math.abs(b.at - a.at - ahead);
    return Number.isNaN(seconds) ? Infinity : seconds;
  };
  const all = left.flatMap((a) => right.map((b) => ({ a, b, apart: apart(a, b) })));
  for (const { a, b } of all.sort((x, y) => (x.apart === y.apart ? 0 : x.apart - y.apart))) {
    if (a.partner === null && b.partner === null) couple(a, b);
  }
}

function couple(a: Sighting, b: Sighting | undefined): void {
  if (b === undefined) return;
  a.partner = b;
  b.partner = a;
}
