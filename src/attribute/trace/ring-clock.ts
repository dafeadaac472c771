/**
 * The ring's clock (CLOCK_MONOTONIC) against the wall clock of the captures and the clock that runs since boot.
 *
 * The wall clock is told in milliseconds, cut: the offset is at least what one look says, and the largest of many looks
 * is right within microseconds. When the wall clock is set, the looks of before count no more.
 */

/** What one look may say less than the truth: a millisecond cut, and what lies between two clocks being asked. */
const MOST_SHORT_NS = 2e6;
/** The clock is slewed: what was true a while ago is not for ever. */
const LOOKS_NS = 2e9;

export class RingClock {
  private best = -Infinity;
  private next = -Infinity;
  private since = -Infinity;

  /** `mono`: nanoseconds; `wall`: whole milliseconds since 1970; asked one after the other. */
  look(mono: number, wall: number): void {
    const offset = wall * 1e6 - mono;
    if (offset < this.best - MOST_SHORT_NS || offset > this.best + MOST_SHORT_NS) {
      this.best = offset;
      this.next = offset;
      this.since = mono;
      return;
    }
    this.best = Math.max(this.best, offset);
    this.next = Math.max(this.next, offset);
    if (mono - this.since < LOOKS_NS) return;
    this.best = this.next;
    this.next = -Infinity;
    this.since = mono;
  }

  /** Seconds since 1970. */
  epoch(mono: number): number {
    return (mono + this.best) / 1e9;
  }

  /** The ring's time at a time of the wall clock in seconds. */
  mono(epoch: number): number {
    return epoch * 1e9 - this.best;
  }
}
