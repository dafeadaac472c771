/**
 * Counts over time as one line of characters, one a bucket.
 *
 * Knows no times: which bucket is when, the caller says.
 */

/** No count has the first character of `bars` to itself, so that a single reset among thousands still shows. */
export function sparkline(counts: readonly number[], bars: string): string {
  const chars = Array.from(bars);
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const steps = chars.length - 1;
  return counts.map((n) => chars[n <= 0 ? 0 : Math.max(1, Math.ceil((n / most) * steps))] ?? '').join('');
}

export interface Buckets {
  readonly counts: readonly number[];
  /** How many of the original buckets make one. */
  readonly merged: number;
}

/** Neighbours added up until no more than `room` are left. */
export function mergeBuckets(counts: readonly number[], room: number): Buckets {
  const merged = Math.max(1, Math.ceil(counts.length / Math.max(room, 1)));
  if (merged === 1) return { counts, merged };
  const sums = new Array<number>(Math.ceil(counts.length / merged)).fill(0);
  counts.forEach((n, i) => {
    const at = Math.floor(i / merged);
    sums[at] = (sums[at] ?? 0) + n;
  });
  return { counts: sums, merged };
}
