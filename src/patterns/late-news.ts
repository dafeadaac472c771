/**
 * Events that somebody got before it was known what they are part of: they hear of it when it shows.
 *
 * Bounded: a pattern shows after few resets, or not soon.
 */

import type { Patterned } from '../conversation/verdict.js';
import type { ResetEvent } from '../report/types.js';

const MOST_EVENTS = 5000;

export class LateNews {
  private readonly waiting = new Map<Patterned, ResetEvent[]>();
  private size = 0;
  private readonly tell: (before: ResetEvent, after: ResetEvent) => void;

  constructor(tell: LateNews['tell']) {
    this.tell = tell;
  }

  /** Somebody got `event`, without a pattern. */
  wait(group: Patterned, event: ResetEvent): void {
    if (this.size >= MOST_EVENTS) return;
    this.size++;
    const events = this.waiting.get(group);
    if (events === undefined) this.waiting.set(group, [event]);
    else events.push(event);
  }

  /** Tells those whose pattern shows by now. */
  look(): void {
    for (const [group, events] of this.waiting) {
      const { pattern } = group;
      if (pattern === null) continue;
      this.waiting.delete(group);
      this.size -= events.length;
      for (const event of events) this.tell(event, { ...event, pattern });
    }
  }
}
