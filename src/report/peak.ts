/**
 * The most resets in any sliding ten seconds: a window that starts with a reset and leaves out what comes ten seconds
 * later or more. Times count in milliseconds; what arrives out of order counts at the latest time seen.
 */

const WINDOW_MS = 10_000;

export class Peak {
  /** The most so far. */
  most = 0;
  private times: number[] = [];
  private counts: number[] = [];
  private head = 0;
  private inside = 0;

  add(seconds: number, nanos: number): void {
    const last = this.times.at(-1);
    const ms = Math.floor(seconds * 1000 + nanos / 1e6);
    const now = last === undefined ? ms : Math.max(last, ms);
    if (Number.isNaN(now) || now === last) this.counts[this.counts.length - 1] = (this.counts.at(-1) ?? 0) + 1;
    else {
      this.times.push(now);
      this.counts.push(1);
    }
    this.inside++;
    this.leave(now);
    this.most = Math.max(this.most, this.inside);
  }

  private leave(now: number): void {
    for (
      let first = this.times[this.head];
      first !== undefined && now - first >= WINDOW_MS;
      first = this.times[this.head]
    ) {
      this.inside -= this.counts[this.head] ?? 0;
      this.head++;
    }
    if (this.head > 256 && this.head * 2 > this.times.length) {
      this.times = this.times.slice(this.head);
      this.counts = this.counts.slice(this.head);
      this.head = 0;
    }
  }
}
