/**
 * Resets over time in a bounded number of equal buckets: they grow when the capture turns out longer.
 *
 * A reset without a time (pcapng Simple Packet Block) counts where the frame before it was; the sum over all buckets is
 * always the number of resets.
 */

import { epochNumber, isoTime } from '../base/time.js';
import type { Timeline } from './types.js';

/** As many as a line of 80 columns can show. */
export const MAX_BUCKETS = 72;
/** Bucket lengths in seconds, each a multiple of the one before; past the last they grow fourfold. */
const STEPS = [1, 2, 10, 30, 60, 300, 600, 1800, 3600, 21600, 86400, 604800];

export class TimelineTally {
  private bucket = STEPS[0] ?? 1;
  private first = 0;
  private counts: number[] = [];
  private untimed = 0;

  add(seconds: number): void {
    if (Number.isNaN(seconds)) {
      this.untimed++;
      return;
    }
    let index = Math.floor(seconds / this.bucket);
    if (this.counts.length === 0) this.first = index;
    while (!this.fits(index)) {
      this.coarsen();
      index = Math.floor(seconds / this.bucket);
    }
    while (index < this.first) {
      this.counts.unshift(0);
      this.first--;
    }
    const at = index - this.first;
    while (this.counts.length <= at) this.counts.push(0);
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  private fits(index: number): boolean {
    const last = this.first + this.counts.length - 1;
    return Math.max(last, index) - Math.min(this.first, index) < MAX_BUCKETS;
  }

  private coarsen(): void {
    const larger = STEPS.find((step) => step > this.bucket) ?? this.bucket * 4;
    const merged: number[] = [];
    const first = Math.floor((this.first * this.bucket) / larger);
    for (const [i, count] of this.counts.entries()) {
      const at = Math.floor(((this.first + i) * this.bucket) / larger) - first;
      merged[at] = (merged[at] ?? 0) + count;
    }
    this.counts = Array.from(merged, (count) => count);
    this.first = first;
    this.bucket = larger;
  }

  result(): Timeline {
    const counts = this.counts.length === 0 && this.untimed > 0 ? [0] : [...this.counts];
    if (counts.length > 0) counts[0] = (counts[0] ?? 0) + this.untimed;
    const known = this.counts.length > 0;
    const start = this.first * this.bucket;
    return {
      bucket_seconds: this.bucket,
      start: known ? isoTime(start, 0, 0) : null,
      start_epoch: known ? epochNumber(start, 0) : null,
      counts,
    };
  }
}
