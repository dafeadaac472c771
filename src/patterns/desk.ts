/**
 * Resets that wait until it is known what they are part of, in their order: that shows when there are enough of them.
 *
 * Bounded; when there are too many, the oldest go with what is known by then.
 */

import type { Attribution } from '../attribute/process.js';
import type { Reset } from '../conversation/reset.js';
import type { Cell } from './cell.js';

export interface Known {
  readonly reset: Reset;
  readonly who: Attribution;
  /** Null: it is part of nothing. */
  readonly cell: Cell | null;
}

export class PatternDesk {
  private readonly most: number;
  private readonly ready: (known: Known) => void;
  private waiting: Known[] = [];
  private head = 0;

  /** At most `most` wait; with 0, none does. */
  constructor(most: number, ready: PatternDesk['ready']) {
    this.most = most;
    this.ready = ready;
  }

  take(known: Known): void {
    if (this.most === 0) {
      this.ready(known);
      return;
    }
    this.waiting.push(known);
    if (this.waiting.length - this.head > this.most) this.next();
  }

  finish(): void {
    while (this.head < this.waiting.length) this.next();
  }

  private next(): void {
    const first = this.waiting[this.head];
    this.head++;
    if (this.head === this.most) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
    if (first !== undefined) this.ready(first);
  }
}
