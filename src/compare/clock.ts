/**
 * How far the server's clock is ahead of the client's, by segments that both captures have.
 *
 * A segment of one direction takes the offset and the way, one of the other the offset less the way: half the sum is
 * the offset, if both ways take as long. One connection's two medians make an estimate, and the median of all
 * connections' is taken: so neither a slow path nor a wrong match moves it.
 */

import type { ComparedClock } from '../report/comparison-types.js';
import { otherSide } from './connection.js';
import type { Course } from './course.js';

/** A connection whose own offset is further off is not the same one, whatever its numbers say. */
const MOST_OFF_SECONDS = 10;
/** Of the time that a segment takes, beside what is measured: another queue, a clock that drifts. */
const LEAST_SLACK = 0.001;
const SLACK_OF_SPREAD = 4;
/** Where one direction only is known, the way is not. */
const BLIND_SLACK = 1;

export interface Clock {
  /** Seconds that the server's clock is ahead; null: nothing tells. */
  readonly offset: number | null;
  readonly told: ComparedClock;
  /** Seconds that a segment may pass earlier or later at the other capture than the offset says. */
  readonly slack: number;
}

interface Estimate {
  readonly course: Course;
  readonly offset: number;
  /** Half a round trip; null: one direction only. */
  readonly way: number | null;
  /** Which way its segments went; null: both, or it is not known. */
  readonly direction: 'there' | 'back' | null;
  readonly segments: number;
}

/** @returns the clock, and the courses that are too far off it to be what they seem. */
export function clockOf(courses: readonly Course[]): { clock: Clock; off: readonly Course[] } {
  const all = courses.flatMap(estimateOf);
  const both = all.filter(({ way }) => way !== null);
  const used = both.length > 0 ? both : all;
  const apart = both.length > 0 ? null : apartOf(all);
  const offset = apart?.offset ?? median(used.map((one) => one.offset));
  if (offset === null) return { clock: UNKNOWN, off: [] };
  const isOff = (one: Estimate): boolean => Math.abs(one.offset - offset) > MOST_OFF_SECONDS;
  const off = all.filter(isOff).map(({ course }) => course);
  const kept = used.filter((one) => !isOff(one));
  const spread = median(kept.map((one) => Math.abs(one.offset - offset))) ?? 0;
  const way = apart?.way ?? median(kept.flatMap((one) => (one.way === null ? [] : [one.way])));
  const slack = way === null ? BLIND_SLACK : Math.max(LEAST_SLACK, SLACK_OF_SPREAD * spread, way * 2);
  const told: ComparedClock = {
    basis: way === null ? 'one-direction' : 'both-directions',
    connections: kept.length,
    segments: kept.reduce((sum, { segments }) => sum + segments, 0),
    one_way_seconds: way === null ? null : micro(way),
    spread_seconds: micro(spread),
  };
  return { clock: { offset, told, slack }, off };
}

/** Of resets alone: one connection tells of one direction, another of the other. */
function apartOf(all: readonly Estimate[]): { offset: number; way: number } | null {
  const there = median(all.flatMap((one) => (one.direction === 'there' ? [one.offset] : [])));
  const back = median(all.flatMap((one) => (one.direction === 'back' ? [one.offset] : [])));
  return there === null || back === null ? null : { offset: (there + back) / 2, way: Math.abs(there - back) / 2 };
}

const UNKNOWN: Clock = {
  offset: null,
  told: { basis: null, connections: 0, segments: 0, one_way_seconds: null, spread_seconds: null },
  slack: 0,
};

function estimateOf(course: Course): Estimate[] {
  const { steps } = course;
  // A course that contradicts itself is several: nothing of it is measured.
  if (course.torn) return [];
  const near = course.near ?? 'lower';
  const there = median(steps[near]);
  const back = median(steps[otherSide(near)]);
  const segments = steps.lower.length + steps.higher.length;
  if (there !== null && back !== null) {
    return [{ course, offset: (there + back) / 2, way: Math.abs(there - back) / 2, direction: null, segments }];
  }
  const offset = there ?? back;
  if (offset === null) return [];
  const direction = course.near === null ? null : there === null ? 'back' : 'there';
  return [{ course, offset, way: null, direction, segments }];
}

/** The middle one, or between the two middle ones; null of none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2;
}

/** To the microsecond: captures have no more. */
export function micro(seconds: number): number {
  // No negative zero: JSON would have it as 0, and nothing else would agree.
  return Math.round(seconds * 1e6) / 1e6 + 0;
}
