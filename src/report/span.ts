/** The first and the last of many moments, in whatever order they come; what has no time is passed over. */

import { timeText, type Seen } from './time-text.js';

export class Span {
  private firstSeconds = NaN;
  private firstNanos = 0;
  private firstDigits = 0;
  private lastSeconds = NaN;
  private lastNanos = 0;
  private lastDigits = 0;

  add({ seconds, nanos, digits, timed }: Seen): void {
    if (!timed) return;
    // Written so that the first moment is before and after what is not a number.
    if (!(seconds > this.firstSeconds || (seconds === this.firstSeconds && nanos >= this.firstNanos))) {
      this.firstSeconds = seconds;
      this.firstNanos = nanos;
      this.firstDigits = digits;
    }
    if (!(seconds < this.lastSeconds || (seconds === this.lastSeconds && nanos <= this.lastNanos))) {
      this.lastSeconds = seconds;
      this.lastNanos = nanos;
      this.lastDigits = digits;
    }
  }

  get first(): string | null {
    return this.text(this.firstSeconds, this.firstNanos, this.firstDigits);
  }

  get last(): string | null {
    return this.text(this.lastSeconds, this.lastNanos, this.lastDigits);
  }

  private text(seconds: number, nanos: number, digits: number): string | null {
    return timeText({ seconds, nanos, digits, timed: !Number.isNaN(seconds) });
  }
}
