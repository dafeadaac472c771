/** The pattern that all resets of a row are part of, as far as that can be told: asked for at the end, when it shows. */

import type { Pattern, Patterned } from '../conversation/verdict.js';

/** Groups of a row that are told apart; a row of more is of none. */
const MOST_GROUPS = 64;

export class CommonPattern {
  private readonly first: Patterned | null;
  private others: Set<Patterned> | null = null;
  /** One of them is part of nothing, or there are too many groups. */
  private none: boolean;

  /** `first` is that of the first reset, which is to be added too. */
  constructor(first: Patterned | null) {
    this.first = first;
    this.none = first === null;
  }

  add(group: Patterned | null): void {
    if (this.none || group === this.first) return;
    if (group !== null && this.others?.has(group) === true) return;
    if (group === null || this.others?.size === MOST_GROUPS) {
      this.none = true;
      this.others = null;
      return;
    }
    this.others ??= new Set();
    this.others.add(group);
  }

  get pattern(): Pattern | null {
    if (this.none || this.first === null) return null;
    const { pattern } = this.first;
    for (const other of this.others ?? []) if (other.pattern !== pattern) return null;
    return pattern;
  }
}
