/**
 * What is going on while listening, as one line of text, and the counts of the last minute that it draws.
 *
 * Knows neither the terminal nor the clock: width and times are handed in.
 */

import { grouped, plural } from '../base/text.js';
import { decimal } from './figures.js';
import { sparkline } from './sparkline.js';
import { glyphs, painter, type Style } from './style.js';
import { columnsOf } from './text-width.js';

export interface LiveStatus {
  readonly elapsedSeconds: number;
  /** Null: until Ctrl-C. */
  readonly leftSeconds: number | null;
  readonly resets: number;
  /** Per second over the last ten seconds, or since the start. */
  readonly rate: number;
  /** Resets of each of the last 60 seconds, oldest first. */
  readonly lastMinute: readonly number[];
  readonly copies: number;
  /** Null where it can't be told. */
  readonly lost: number | null;
}

const GAP = '  ';
/** A sparkline of fewer columns shows nothing that the rate doesn't. */
const LEAST_BARS = 8;

interface Part {
  /** Where in the line it stands. */
  readonly place: number;
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** At most `width` − 1 columns: in the last one some terminals would begin a new line. Parts that don't fit are left out. */
export function statusLine(status: LiveStatus, width: number, style: Style): string {
  const { resets, rate, copies, lost } = status;
  const paint = painter(style);
  const loss: Part[] =
    lost === null ? [] : [{ place: 4, text: `${grouped(lost)} lost`, ...(lost > 0 ? { paint: paint.warning } : {}) }];
  // What matters most first in this list. Loss does when there is some: all other numbers are too low then.
  const parts: Part[] = [
    { place: 1, text: plural(resets, 'reset'), ...(resets > 0 ? { paint: paint.resets } : {}) },
    ...(lost === null || lost === 0 ? [] : loss),
    { place: 0, text: timeText(status) },
    { place: 2, text: `${decimal(rate)}/s` },
    ...(lost === 0 ? loss : []),
    ...(copies === 0 ? [] : [{ place: 3, text: `${plural(copies, 'copy', 'copies')} folded` }]),
  ];
  const kept: Part[] = [];
  let used = 0;
  for (const part of parts) {
    const more = columnsOf(part.text) + (kept.length === 0 ? 0 : GAP.length);
    if (used + more > width - 1) break;
    used += more;
    kept.push(part);
  }
  // It grows with the seconds, so it comes last, where it moves nothing else, and takes what room is left.
  const bars = kept.length < parts.length ? '' : barsText(status, width - 1 - used - GAP.length, style);
  if (bars !== '') kept.push({ place: 5, text: bars, paint: paint.chart });
  return kept
    .sort((a, b) => a.place - b.place)
    .map(({ text, paint: dress }) => (dress === undefined ? text : dress(text)))
    .join(GAP);
}

/** "0:12 of 1:00" */
function timeText({ elapsedSeconds, leftSeconds }: LiveStatus): string {
  const elapsed = clock(Math.floor(elapsedSeconds));
  return leftSeconds === null ? elapsed : `${elapsed} of ${clock(Math.round(elapsedSeconds + leftSeconds))}`;
}

/** "1:05", "1:02:03" */
function clock(seconds: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `${hours === 0 ? minutes : `${hours}:${two(minutes)}`}:${two(seconds % 60)}`;
}

/** The latest seconds that fit; none from before the start, when nobody listened. */
function barsText({ lastMinute, elapsedSeconds }: LiveStatus, room: number, style: Style): string {
  if (room < LEAST_BARS) return '';
  const seconds = Math.min(lastMinute.length, Math.floor(elapsedSeconds) + 1, room);
  const counts = lastMinute.slice(lastMinute.length - seconds);
  return counts.some((n) => n > 0) ? sparkline(counts, glyphs(style).bars) : '';
}

const BUCKETS = 60;
const BUCKET_MS = 1000;
const RATE_BUCKETS = 10;

/** Counts of the last minute by the second, in a ring. Seconds are counted from the start. */
export class Minute {
  private readonly start: number;
  private readonly ring = new Array<number>(BUCKETS).fill(0);
  /** The second that was counted last. */
  private latest = 0;

  constructor(startMs: number) {
    this.start = startMs;
  }

  add(nowMs: number, resets: number): void {
    this.advance(nowMs);
    const at = this.latest % BUCKETS;
    this.ring[at] = (this.ring[at] ?? 0) + resets;
  }

  /** Of each of the last 60 seconds, oldest first; the last one is the second that has begun. */
  counts(nowMs: number): number[] {
    this.advance(nowMs);
    const oldest = (this.latest + 1) % BUCKETS;
    return [...this.ring.slice(oldest), ...this.ring.slice(0, oldest)];
  }

  /** Per second over the last ten, or since the start. */
  rate(nowMs: number): number {
    const recent = this.counts(nowMs).slice(-RATE_BUCKETS);
    const begun = Math.max(nowMs - this.start - this.latest * BUCKET_MS, 0);
    const span = Math.min(this.latest, RATE_BUCKETS - 1) * BUCKET_MS + begun;
    // In the first moments one reset would be a thousand a second.
    return recent.reduce((sum, n) => sum + n, 0) / (Math.max(span, BUCKET_MS) / BUCKET_MS);
  }

  /** Empties the seconds that have come since. A time before the latest counts as the latest. */
  private advance(nowMs: number): void {
    const second = Math.floor((nowMs - this.start) / BUCKET_MS);
    if (second - this.latest >= BUCKETS) this.ring.fill(0);
    else for (let s = this.latest + 1; s <= second; s++) this.ring[s % BUCKETS] = 0;
    this.latest = Math.max(second, this.latest);
  }
}
