/** What endpoints and ports are counted by alike. */

import type { Reset } from '../conversation/reset.js';
import type { Cause, Pattern, Patterned } from '../conversation/verdict.js';
import { CommonPattern } from './common-pattern.js';
import { FewCounts } from './few-counts.js';
import { Peak } from './peak.js';
import { Span } from './span.js';
import type { CauseCount } from './types.js';

export class Traffic {
  resets = 0;
  byServer = 0;
  byClient = 0;
  /** Distinct peers; null once there were too many to tell. */
  peers: number | null = 0;
  readonly span = new Span();
  readonly peak = new Peak();
  private readonly causes: FewCounts<Cause>;
  private readonly patterns: CommonPattern;
  /** Its number among all that count peers. */
  readonly number: number;

  constructor(number: number, { verdict }: Reset, group: Patterned | null) {
    this.number = number;
    this.causes = new FewCounts(verdict.cause);
    this.patterns = new CommonPattern(group);
  }

  get pattern(): Pattern | null {
    return this.patterns.pattern;
  }

  add(reset: Reset, group: Patterned | null): void {
    this.patterns.add(group);
    this.resets++;
    if (reset.resetBy === 'server') this.byServer++;
    else if (reset.resetBy === 'client') this.byClient++;
    this.peak.add(reset.seconds, reset.nanos);
    this.causes.add(reset.verdict.cause);
    this.span.add(reset);
  }

  causeCounts(): CauseCount[] {
    return causeCounts(this.causes);
  }
}

/** Most frequent first. */
export function causeCounts(causes: FewCounts<Cause>): CauseCount[] {
  return causes
    .entries()
    .map(([cause, resets]) => ({ cause, resets }))
    .sort((a, b) => b.resets - a.resets || compare(a.cause, b.cause));
}

/** Per second, to six decimals; null where the window has no length. */
export function rate(count: number, seconds: number | null): number | null {
  return seconds === null || seconds <= 0 ? null : Number((count / seconds).toFixed(6));
}

/** By code units, the same in every language. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
