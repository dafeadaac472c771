/**
 * One counter over the last minutes: its increase so far at moments, and means over spans of time between them.
 *
 * Times are seconds of a clock that only goes forward. Between two readings a counter is taken to rise evenly, as
 * Netdata does when it makes values of whole seconds of its readings. Knows no clock.
 */

interface Reading {
  readonly at: number;
  /** Increase since the first reading. */
  readonly sum: number;
}

/** Longer than any alert looks back. */
const KEPT_SECONDS = 120;

export class Series {
  private readonly readings: Reading[] = [];

  /** The counter rose by `by` since the last time; of the first, that does not count. Not before the last one. */
  add(at: number, by: number): void {
    const last = this.readings.at(-1);
    if (last !== undefined && at <= last.at) return;
    this.readings.push({ at, sum: last === undefined ? 0 : last.sum + by });
    while ((this.readings[1]?.at ?? Infinity) < (last?.at ?? at) - KEPT_SECONDS) this.readings.shift();
  }

  /** Of the first reading; null: there is none. */
  get start(): number | null {
    return this.readings[0]?.at ?? null;
  }

  get end(): number | null {
    return this.readings.at(-1)?.at ?? null;
  }

  /** Increase per second between two moments, both within what was read; null where they are not. */
  mean(from: number, to: number): number | null {
    const before = this.sumAt(from);
    const after = this.sumAt(to);
    return before === null || after === null || to <= from ? null : (after - before) / (to - from);
  }

  private sumAt(at: number): number | null {
    const { readings } = this;
    const next = readings.findIndex((reading) => reading.at >= at - NEAR);
    const after = readings[next];
    if (after === undefined) return null;
    const before = readings[next - 1];
    if (before === undefined) return after.at <= at + NEAR ? after.sum : null;
    const share = Math.min(1, (at - before.at) / (after.at - before.at));
    return before.sum + share * (after.sum - before.sum);
  }
}

/** Two moments that close are one: clocks are read to the microsecond, and sums of them round. */
const NEAR = 1e-6;
