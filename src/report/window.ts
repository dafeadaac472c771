/** The first and last moment of a capture, over all its frames. */

import { epochNumber, isoTime, secondsBetween, type Moment } from '../base/time.js';
import type { TimeSpan } from '../capture/frame-batch.js';
import type { Window } from './types.js';

export class WindowTally {
  private first: Moment | null = null;
  private last: Moment | null = null;
  private digits = 0;

  /** The times of one capture, which may be added again as they grow. `digits` are the source's. */
  add({ firstSeconds, firstNanos, lastSeconds, lastNanos }: Omit<TimeSpan, 'add'>, digits: number): void {
    if (firstSeconds > lastSeconds) return;
    this.digits = Math.max(this.digits, digits);
    const first = { seconds: firstSeconds, nanos: firstNanos };
    const last = { seconds: lastSeconds, nanos: lastNanos };
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
    const start = after === null ? first : earlier(later(first, after), last);
    const end = before === null ? last : later(earlier(last, before), start);
    return {
      start: isoTime(start.seconds, start.nanos, digits),
      start_epoch: epochNumber(start.seconds, start.nanos),
      end: isoTime(end.seconds, end.nanos, digits),
      end_epoch: epochNumber(end.seconds, end.nanos),
      seconds: Math.max(0, Number(secondsBetween(start, end).toFixed(9))),
    };
  }
}

function earlier(a: Moment, b: Moment): Moment {
  return secondsBetween(a, b) < 0 ? b : a;
}

function later(a: Moment, b: Moment): Moment {
  return secondsBetween(a, b) > 0 ? b : a;
}
