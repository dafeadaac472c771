/** The first and last moment of a capture, over all its frames. */

import { epochNumber, isoTime, secondsBetween, type Moment } from '../base/time.js';
import type { Window } from './types.js';

export class WindowTally {
  private first: Moment | null = null;
  private last: Moment | null = null;
  private digits = 0;

  /** Times of a batch's frames, as columns; NaN where a frame has none. `digits` are the source's. */
  add(seconds: Float64Array, nanos: Float64Array, from: number, to: number, digits: number): void {
    let least = Infinity;
    let most = -Infinity;
    let leastAt = -1;
    let mostAt = -1;
    for (let i = from; i < to; i++) {
      const s = seconds[i] ?? NaN;
      if (s < least || (s === least && (nanos[i] ?? 0) < (nanos[leastAt] ?? 0))) {
        least = s;
        leastAt = i;
      }
      if (s > most || (s === most && (nanos[i] ?? 0) > (nanos[mostAt] ?? 0))) {
        most = s;
        mostAt = i;
      }
    }
    if (leastAt < 0) return;
    this.digits = Math.max(this.digits, digits);
    const first = { seconds: least, nanos: nanos[leastAt] ?? 0 };
    const last = { seconds: most, nanos: nanos[mostAt] ?? 0 };
    if (this.first === null || secondsBetween(first, this.first) > 0) this.first = first;
    if (this.last === null || secondsBetween(this.last, last) > 0) this.last = last;
  }

  get start(): Moment | null {
    return this.first;
  }

  get end(): Moment | null {
    return this.last;
  }

  /** The part of it between `after` and `before`, where the user asked for one. */
  result(after: Moment | null, before: Moment | null): Window {
    const { first, last, digits } = this;
    if (first === null || last === null) {
      return { start: null, start_epoch: null, end: null, end_epoch: null, seconds: null };
    }
    const start = after !== null && secondsBetween(first, after) > 0 ? after : first;
    const end = before !== null && secondsBetween(before, last) > 0 ? before : last;
    return {
      start: isoTime(start.seconds, start.nanos, digits),
      start_epoch: epochNumber(start.seconds, start.nanos),
      end: isoTime(end.seconds, end.nanos, digits),
      end_epoch: epochNumber(end.seconds, end.nanos),
      seconds: Math.max(0, Number(secondsBetween(start, end).toFixed(9))),
    };
  }
}
