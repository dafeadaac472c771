/**
 * The most resets in any sliding ten seconds: a window that starts with a reset and leaves out what comes ten seconds
 * later or more. Times count in milliseconds; what arrives out of order or without a time counts at the latest time seen.
 */

const WINDOW_MS = 10_000;
const NONE: number[] = [];

export class Peak {
  /** The most so far. */
  most = 0;
  private last = -Infinity;
  private inside = 0;
  /** Milliseconds before `last` in the window, and how many resets each had; empty for most. */
  private times = NONE;
  private counts = NONE;
  private head = 0;
  /** Resets at `last`. */
  private now = 0;

  add(seconds: number, nanos: number): void {
    const ms = Math.floor(seconds * 1000 + nanos / 1e6);
    if (ms > this.last) this.moveTo(ms);
    else this.now++;
    this.inside++;
    if (this.inside > this.most) this.most = this.inside;
  }

  private moveTo(ms: number): void {
    if (this.now > 0) {
      if (this.times === NONE) {
        this.times = [];
        this.counts = [];
      }
      this.times.push(this.last === -Infinity ? ms : this.last);
      this.counts.push(this.now);
    }
    this.last = ms;
    this.now = 1;
    this.leave(ms);
  }

  private leave(now: number): void {
    const { times } = this;
    for (let first = times[this.head]; first !== undefined && now - first >= WINDOW_MS; first = times[this.head]) {
      this.inside -= this.counts[this.head] ?? 0;
      this.head++;
    }
    if (this.head === times.length) {
      times.length = 0;
      this.counts.length = 0;
      this.head = 0;
    } else if (this.head > 16 && this.head * 2 > times.length) {
      this.times = times.slice(this.head);
      this.counts = this.counts.slice(this.head);
      this.head = 0;
    }
  }
}
