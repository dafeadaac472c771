/**
 * The ring's clock (CLOCK_MONOTONIC) against the wall clock of the captures and the clock that runs since boot.
 *
 * The wall clock is told in milliseconds, cut: the offset is at least what one look says, and the largest of many looks
 * is right within microseconds. When the wall clock is set back, it takes two seconds until that is believed.
 */

/** The clock is slewed, and may be set: what was true a while ago is not for ever. */
const BUCKET_NS = 1e9;

export class RingClock {
  /** Of this bucket of looks and of the one before. */
  private best = -Infinity;
  private before = -Infinity;
  private since = -Infinity;

  /**
   * `wall`: whole milliseconds since 1970; `mono`: nanoseconds, asked after it: however long that took, the offset is not
   * less than what the two say, and the other way round it would be.
   */
  look(wall: number, mono: number): void {
    if (mono - this.since >= BUCKET_NS) {
      this.before = this.best;
      this.best = -Infinity;
      this.since = mono;
    }
    this.best = Math.max(this.best, wall * 1e6 - mono);
  }

  /** Seconds since 1970. */
  epoch(mono: number): number {
    return (mono + this.offset) / 1e9;
  }

  private get offset(): number {
    return Math.max(this.best, this.before);
  }
}
