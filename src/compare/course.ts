/**
 * What the two captures show of one line: when its segments passed each of them, with which TTLs, and how whole each
 * capture is.
 *
 * A segment passes the capture at its sender's end first. So its times, and its TTL where a router lies between, say
 * which end is near which capture.
 */

import type { End } from '../report/comparison-types.js';
import { otherSide, type Connection, type Side } from './connection.js';
import { sideInLine, type Line, type Lines } from './lines.js';
import { DATA, isKept, PURE, type Mark } from './marks.js';
import type { Sighting } from './sightings.js';

/** Below that, the two directions' times are the same: files have microseconds, and copying may round them. */
const LEAST_APART = 5e-6;

/** Seconds from the client's capture to the server's, of each segment that both have, by the end that sent it. */
export type Steps = Readonly<Record<Side, number[]>>;

export interface Course {
  readonly line: Line;
  readonly steps: Steps;
  /** The end that is near the client's capture, and how that is known; null: it is not. */
  near: Side | null;
  nearBy: 'ttl' | 'times' | 'opener' | 'port' | null;
  /** Who sent the SYN. */
  readonly opener: Side | null;
  /** Both captures have more of it than resets. */
  readonly followed: boolean;
  readonly torn: boolean;
}

interface Placed {
  readonly mark: Mark;
  readonly side: Side;
}

export function courseOf(line: Line, lines: Lines): Course {
  const steps = { lower: [] as number[], higher: [] as number[] };
  const falls = { lower: 0, higher: 0 };
  const ours = placedMarks(line.client, lines, false);
  const theirs = placedMarks(line.server, lines, true);
  for (const [key, one] of ours) {
    const other = theirs.get(key);
    if (other === undefined) continue;
    falls[one.side] += Math.sign(one.mark.ttl - other.mark.ttl);
    const step = other.mark.at - one.mark.at;
    if (one.mark.again || other.mark.again || Number.isNaN(step)) continue;
    steps[one.side].push(step);
  }
  const { opener, torn } = handshakeOf(line, lines);
  const segments = (list: readonly Connection[]): number => list.reduce((sum, one) => sum + one.segments, 0);
  const course: Course = {
    line,
    steps,
    near: null,
    nearBy: null,
    opener,
    followed: segments(line.client) > 0 && segments(line.server) > 0,
    torn: line.torn || torn,
  };
  const byTtl = nearByTtl(falls);
  const byTimes = nearByTimes(steps);
  if (byTtl !== null) [course.near, course.nearBy] = [byTtl, 'ttl'];
  else if (byTimes !== null) [course.near, course.nearBy] = [byTimes, 'times'];
  else if (opener !== null) [course.near, course.nearBy] = [opener, 'opener'];
  return course;
}

/** What has only resets is near the end that opened it, where their ports or forms tell. */
export function nearByReset(course: Course, { event, side }: Sighting): void {
  if (course.near !== null || event.reset_by === 'unknown') return;
  course.near = event.reset_by === 'client' ? side : otherSide(side);
  course.nearBy = 'port';
}

/** A reset that both captures have tells the time as well. */
export function addReset(course: Course, { at, side, partner }: Sighting): void {
  const step = (partner?.at ?? NaN) - at;
  if (!Number.isNaN(step)) course.steps[side].push(step);
}

function placedMarks(connections: readonly Connection[], lines: Lines, ofServer: boolean): Map<string, Placed> {
  const placed = new Map<string, Placed>();
  for (const connection of connections) {
    const turned = lines.isTurned(lines.numberOf(connection, ofServer));
    for (const mark of connection.marks.list) {
      const side = sideInLine(mark.fromLower ? 'lower' : 'higher', turned);
      const key = keyOf(mark, side);
      const before = placed.get(key);
      // Of a NAT's two sides, the one that it passed first.
      if (before === undefined || mark.at < before.mark.at) placed.set(key, { mark, side });
    }
  }
  return placed;
}

function keyOf({ seq, ack, kind }: Mark, side: Side): string {
  return `${side} ${String(kind)} ${String(seq)} ${String(ack)}`;
}

/** Who opened it; torn: its connections have other handshakes. */
function handshakeOf(line: Line, lines: Lines): { opener: Side | null; torn: boolean } {
  let opener: Side | null = null;
  let isn: number | null = null;
  let torn = false;
  for (const ofServer of [false, true]) {
    for (const connection of ofServer ? line.server : line.client) {
      if (connection.opener === null || connection.openerIsn === null) continue;
      const side = sideInLine(connection.opener, lines.isTurned(lines.numberOf(connection, ofServer)));
      if (opener !== null && (opener !== side || isn !== connection.openerIsn)) torn = true;
      opener = side;
      isn = connection.openerIsn;
    }
  }
  return { opener, torn };
}

function nearByTtl(falls: Readonly<Record<Side, number>>): Side | null {
  if (falls.lower === 0 && falls.higher === 0) return null;
  if (falls.lower >= 0 && falls.higher <= 0) return 'lower';
  return falls.lower <= 0 && falls.higher >= 0 ? 'higher' : null;
}

/** Every segment of one direction takes longer, seemingly, than any of the other: by twice the way. */
function nearByTimes({ lower, higher }: Steps): Side | null {
  if (lower.length === 0 || higher.length === 0) return null;
  if (least(lower) - most(higher) > LEAST_APART) return 'lower';
  return least(higher) - most(lower) > LEAST_APART ? 'higher' : null;
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

/** How much of what it must have a capture has. */
export interface Wholeness {
  checked: number;
  lacking: number;
}

/**
 * Segments without data that the far end's peer got, and that the capture at the far end must have: offload cuts data
 * anew between two captures, and leaves these as they are. `isCovered`: the time in the near capture is one that the far
 * one covers; `hasMiddle`: the far one has more than the beginnings and ends of connections.
 */
export function wholenessOf(
  course: Course,
  lines: Lines,
  far: End,
  isCovered: (at: number) => boolean,
  hasMiddle: boolean,
): Wholeness {
  const { line, near } = course;
  const found: Wholeness = { checked: 0, lacking: 0 };
  if (near === null) return found;
  const farSide = far === 'server' ? otherSide(near) : near;
  const here = far === 'server' ? line.client : line.server;
  const there = far === 'server' ? line.server : line.client;
  const theirs = placedMarks(there, lines, far === 'server');
  const level = there.reduce((greatest, { marks }) => Math.max(greatest, marks.level), 0);
  for (const { mark, side } of placedMarks(here, lines, far !== 'server').values()) {
    if (side !== farSide || mark.kind === DATA || mark.again || !isCovered(mark.at)) continue;
    if (mark.kind === PURE && !hasMiddle) continue;
    if (!isKept(level, mark.seq, mark.ack, mark.kind)) continue;
    found.checked++;
    if (!theirs.has(keyOf(mark, side))) found.lacking++;
  }
  return found;
}

export interface Ttls {
  readonly least: number;
  readonly most: number;
}

/** TTLs of what that end sent, resets apart, as the capture at `seen` has them. */
export function ttlsOf({ line }: Course, lines: Lines, seen: End, end: Side): Ttls | null {
  const ofServer = seen === 'server';
  const marks = placedMarks(ofServer ? line.server : line.client, lines, ofServer).values();
  const ttls = [...marks].flatMap(({ mark, side }) => (side === end ? [mark.ttl] : []));
  return ttls.length === 0 ? null : { least: least(ttls), most: most(ttls) };
}
