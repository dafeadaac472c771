/**
 * What a reset means that one capture alone has: whether the other one should have it, and if so, who sent it.
 *
 * "A device between sent it" is said only where everything is known that it rests on; each thing that is missing has its
 * sentence.
 */

import { grouped, plural } from '../base/text.js';
import type { End, NotComparableReason, OneSidedVerdict } from '../report/comparison-types.js';
import type { Incomplete } from '../report/types.js';
import type { Clock } from './clock.js';
import type { Side } from './connection.js';
import type { Course, Ttls, Wholeness } from './course.js';
import type { Sighting } from './sightings.js';

/** One capture, as far as the other one's resets are judged by it. */
export interface Witness {
  readonly end: End;
  /** As sentences name it. */
  readonly name: string;
  /** Seconds since 1970 of its first and last packet; null: it has no times. */
  readonly first: number | null;
  readonly last: number | null;
  readonly context: 'resets' | 'control' | 'full';
  readonly resets: number;
  readonly dropped: number | null;
  /** Segments were left out of what is remembered. */
  readonly overflowed: boolean;
  readonly incomplete: readonly Incomplete[];
  /** Over all connections: what it must have, and lacks. */
  readonly wholeness: Wholeness;
}

/** More than one of so many segments is lacking: then a lacking reset says nothing. */
const MOST_LACKING = 0.01;
/** Damage behind which nothing is missing but the end, which the window tells. */
const HARMLESS: ReadonlySet<string> = new Set(['cut-off']);

export type Judgement =
  | {
      readonly kind: 'only';
      readonly sentAs: End | null;
      readonly verdict: OneSidedVerdict;
      readonly because: string[];
    }
  | { readonly kind: 'not-comparable'; readonly reason: NotComparableReason };

/** Whether a packet at time `at` of the other capture falls into the witness's window, and how surely. */
export function placeInWindow(
  at: number,
  witness: Witness,
  { offset, slack }: Clock,
): 'before' | 'in' | 'after' | null {
  const { first, last } = witness;
  if (offset === null || first === null || last === null || Number.isNaN(at)) return null;
  const there = at + (witness.end === 'server' ? offset : -offset);
  if (there < first + slack) return 'before';
  return there > last - slack ? 'after' : 'in';
}

export interface Case {
  readonly sighting: Sighting;
  /** That of the reset's line; null where the other capture does not have it. */
  readonly course: Course | null;
  /** How much of what it must have of this line the other capture has. */
  readonly whole: Wholeness;
  /** Of the other segments that bear the same address, where the reset was seen; null: there are none. */
  readonly ttls: Ttls | null;
  /** Its connection may be one of several in the other capture. */
  readonly isAmbiguous: boolean;
}

/** `witness` is the other capture, `own` the one that has the reset. */
export function judge(one: Case, witness: Witness, own: Pick<Witness, 'context' | 'name'>, clock: Clock): Judgement {
  const { sighting, course, whole, isAmbiguous } = one;
  const not = (reason: NotComparableReason): Judgement => ({ kind: 'not-comparable', reason });
  const { line, seen, side, repeated } = sighting;
  if (line === null) return not('too-many');
  const isMatched = line.client.length > 0 && line.server.length > 0;
  if (isAmbiguous && !isMatched) return not('ambiguous');
  if (course?.torn === true) return not('ambiguous');
  if (clock.offset === null) return not('no-connection-in-common');
  const place = placeInWindow(sighting.at, witness, clock);
  if (place === null) return not('no-time');
  if (place !== 'in') return not(place === 'before' ? 'before-its-window' : 'after-its-window');
  const sentAs = sentAsOf(side, course, sighting.event.reset_by);
  const far = sentAs !== null && sentAs !== seen;
  const claim = (verdict: OneSidedVerdict, because: string[]): Judgement => ({
    kind: 'only',
    sentAs,
    verdict,
    because,
  });
  if (repeated) {
    return claim('repeated', [
      `a reset with the same numbers is in both captures: ${own.name} has it more often than ${witness.name}`,
    ]);
  }
  if (!isMatched || course === null) {
    if (witness.overflowed) return not('too-many');
    if (own.context !== 'resets' && witness.context !== 'resets') return not('no-such-connection');
    return claim('unsure', [onlyResets(own, witness)]);
  }
  const doubts = doubtsOf(course, whole, witness, own, sentAs, far);
  if (doubts.length > 0) return claim('unsure', doubts);
  return far ? claim('middlebox', proofOf(course, one, witness)) : claim('lost', lostOf(witness));
}

function onlyResets(own: Pick<Witness, 'context' | 'name'>, witness: Witness): string {
  const name = witness.context === 'resets' ? witness.name : own.name;
  return `${name} holds resets alone: no other segment shows that ${witness.name} would have had this one`;
}

function sentAsOf(side: Side, course: Course | null, resetBy: Sighting['event']['reset_by']): End | null {
  if (course !== null) return course.near === null ? null : side === course.near ? 'client' : 'server';
  // Of what one capture alone has, nothing tells but that clients open connections.
  return resetBy === 'unknown' ? null : resetBy;
}

function doubtsOf(
  course: Course,
  whole: Wholeness,
  witness: Witness,
  own: Pick<Witness, 'context' | 'name'>,
  sentAs: End | null,
  far: boolean,
): string[] {
  const doubts: string[] = [];
  const { name, dropped, incomplete, context, resets, wholeness } = witness;
  if (!course.followed) doubts.push(onlyResets(own, witness));
  else if (sentAs === null) doubts.push('which end of the connection is near which capture is not known');
  if (dropped !== null && dropped > 0) doubts.push(`${name} says that ${plural(dropped, 'packet')} were dropped`);
  if (incomplete.some(({ reason }) => !HARMLESS.has(reason) && reason !== 'packets-dropped')) {
    const isCut = incomplete.some(({ reason }) => reason === 'interrupted');
    doubts.push(`${name} ${isCut ? 'was not read to its end' : 'is damaged'}: what is missing may be this one`);
  }
  if (resets === 0 && context !== 'full') doubts.push(`${name} holds no reset at all: its filter may leave them out`);
  if (!far) return doubts;
  if (whole.lacking > 0) {
    doubts.push(`${name} lacks ${lackingText(whole)} that the same end sent in this connection`);
  } else if (wholeness.lacking > wholeness.checked * MOST_LACKING) {
    doubts.push(`${name} lacks ${lackingText(wholeness)} that it must have: it is not whole`);
  }
  return doubts;
}

function lackingText({ lacking, checked }: Wholeness): string {
  return `${grouped(lacking)} of ${plural(checked, 'segment')}`;
}

function proofOf(
  course: Course,
  { sighting, whole, ttls }: Case,
  { name, dropped, wholeness, end }: Witness,
): string[] {
  const sayers = end === 'server' ? 'server' : 'client';
  const { ttl } = sighting.event;
  const proof: string[] = [
    `it bears the ${sayers}'s address, and ${name}, which was made at that end and covers that time, does not have it`,
  ];
  if (whole.checked > 0) {
    proof.push(`${name} has the ${plural(whole.checked, 'other segment')} of that end that could be checked here`);
  } else if (wholeness.checked > 0) {
    proof.push(
      `${name} has ${grouped(wholeness.checked - wholeness.lacking)} of ${plural(wholeness.checked, 'segment')} that it must have, over all connections`,
    );
  }
  if (ttls !== null && (ttl < ttls.least || ttl > ttls.most)) {
    const others = ttls.least === ttls.most ? String(ttls.least) : `${String(ttls.least)} to ${String(ttls.most)}`;
    proof.push(`its TTL is ${String(ttl)} where the other segments of that address have ${others}`);
  }
  if (dropped === null) proof.push(`whether packets were dropped, ${name} does not say`);
  if (course.nearBy === 'opener') proof.push('the opener of the connection is taken for the client');
  return proof;
}

function lostOf({ name, end }: Witness): string[] {
  const from = end === 'server' ? 'client' : 'server';
  return [
    `it bears the ${from}'s address and was captured at that end: it left, and ${name} does not have it`,
    `lost or dropped on the way, or not captured there`,
  ];
}
