/**
 * Resets whose ends are being looked for: what is known of each, and the order in which they may be counted. Where nobody
 * looks, every reset is known at once to have nobody.
 *
 * Knows no clock; whoever uses it comes by now and then.
 */

import { settled, type Attributor, type Inquiry } from '../attribute/attributor.js';
import { unattributed, type Attribution } from '../attribute/process.js';
import type { Reset } from '../conversation/reset.js';

/** In a flood, those that come when so many are being looked for go without, and those that wait for others don't. */
const MAX_OPEN = 20_000;

const GO_WITHOUT: Inquiry = settled(unattributed('not-tried'));

interface Open {
  readonly reset: Reset;
  readonly inquiry: Inquiry;
  /** Hears once that nothing more will be learnt. */
  readonly onFinal: ((who: Attribution) => void) | null;
}

export class Naming {
  private readonly attributor: Attributor;
  private readonly known = new Map<Reset, Inquiry>();
  private readonly open = new Set<Open>();
  /** Settled, and waiting for those before them. */
  private readonly queue: Reset[] = [];
  private readonly onCounted: (reset: Reset, who: Attribution) => void;

  /** `onCounted` gets each reset that was given to `settle`, in that order, when its ends are known. */
  constructor(attributor: Attributor, onCounted: Naming['onCounted']) {
    this.attributor = attributor;
    this.onCounted = onCounted;
  }

  /** Begins to look. `view` is the reset as it is known now. @returns what is known at once. */
  begin(reset: Reset, view: Reset, onFinal: Open['onFinal']): Attribution {
    const inquiry = this.open.size >= MAX_OPEN ? GO_WITHOUT : this.attributor.inquire(view);
    this.known.set(reset, inquiry);
    const { known } = inquiry;
    if (inquiry.final) onFinal?.(known);
    else this.open.add({ reset, inquiry, onFinal });
    return known;
  }

  /** The reset shall be counted. */
  settle(reset: Reset): void {
    if (!this.known.has(reset)) this.known.set(reset, this.attributor.inquire(reset));
    this.queue.push(reset);
    this.count();
  }

  /** The reset shall not be counted. */
  drop(reset: Reset): void {
    this.known.delete(reset);
  }

  /** Looks which of them are known by now. */
  look(): void {
    for (const one of this.open) {
      if (!one.inquiry.final) continue;
      this.open.delete(one);
      one.onFinal?.(one.inquiry.known);
    }
    this.count();
  }

  /** Nothing more will be learnt. */
  async finish(): Promise<void> {
    await this.attributor.finish();
    for (const one of this.open) one.onFinal?.(one.inquiry.known);
    this.open.clear();
    for (const reset of this.queue.splice(0)) this.hand(reset);
  }

  private count(): void {
    let ready = 0;
    for (const reset of this.queue) {
      const hasTime = this.queue.length - ready <= MAX_OPEN;
      if (hasTime && this.known.get(reset)?.final === false) break;
      ready++;
      this.hand(reset);
    }
    if (ready > 0) this.queue.splice(0, ready);
  }

  private hand(reset: Reset): void {
    const inquiry = this.known.get(reset) ?? GO_WITHOUT;
    this.known.delete(reset);
    this.onCounted(reset, inquiry.known);
  }
}
