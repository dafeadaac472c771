/**
 * Points in time as the captures have them: whole seconds and nanoseconds since 1970, and how they are written.
 *
 * Knows no clock: every time comes from a frame or from the caller.
 */

/** `nanos` may have a fraction where the source counts finer than nanoseconds. */
export interface Moment {
  readonly seconds: number;
  readonly nanos: number;
}

/** The last second that ISO 8601 with a four-digit year can say (9999-12-31T23:59:59Z) and the first. */
const MAX_SECONDS = 253402300799;
const MIN_SECONDS = -62135596800;
const MAX_NANOS = 999_999_999;

let lastSecond = NaN;
let lastHead = '';

/** "2026-03-01T12:00:00.123456Z" with `digits` (0 to 12) digits after the seconds. */
export function isoTime(seconds: number, nanos: number, digits: number): string {
  const s = Math.min(Math.max(Math.floor(seconds), MIN_SECONDS), MAX_SECONDS);
  // Times come in order: of many, most are of the second before.
  if (s !== lastSecond) {
    lastHead = new Date(s * 1000).toISOString().slice(0, 19);
    lastSecond = s;
  }
  const head = lastHead;
  return digits === 0 ? `${head}Z` : `${head}.${fraction(nanos, digits)}Z`;
}

/** The digits after the seconds, cut (never rounded up into the next second). */
export function fraction(nanos: number, digits: number): string {
  const whole = Math.min(Math.max(Math.floor(nanos), 0), MAX_NANOS);
  const nine = whole.toString().padStart(9, '0');
  if (digits <= 9) return nine.slice(0, digits);
  const unit = 10 ** (digits - 9);
  const finer = Math.min(Math.max(Math.round((nanos - whole) * unit), 0), unit - 1);
  return nine + finer.toString().padStart(digits - 9, '0');
}

/** Seconds as a number for arithmetic, to the microsecond. */
export function epochNumber(seconds: number, nanos: number): number {
  // One division of whole microseconds: the double nearest to the decimal number, before 1970 too.
  return (Math.floor(seconds) * 1e6 + Math.floor(nanos / 1000)) / 1e6;
}

/** Seconds from `a` to `b`, to the nanosecond where doubles allow. */
export function secondsBetween(a: Moment, b: Moment): number {
  return b.seconds - a.seconds + (b.nanos - a.nanos) / 1e9;
}
