/**
 * Gathers the resets of the report into cases, as they are counted. Bounded: what is of further cases is counted, and no
 * finding rests on it.
 */

import type { Attribution } from '../attribute/process.js';
import { serverIp, type Reset } from '../conversation/reset.js';
import type { Patterned } from '../conversation/verdict.js';
import { Case } from './case.js';

const MOST_CASES = 8192;

export class Casebook {
  /** Resets that belong to no case, for want of room. */
  omitted = 0;
  private readonly byKey = new Map<string, Case>();

  get cases(): readonly Case[] {
    return [...this.byKey.values()];
  }

  add(reset: Reset, who: Attribution, group: Patterned | null): void {
    const { servicePort, resetBy, verdict } = reset;
    const key = `${serverIp(reset) ?? reset.srcIp}|${String(servicePort)}|${resetBy}|${verdict.cause}`;
    let known = this.byKey.get(key);
    if (known === undefined) {
      if (this.byKey.size >= MOST_CASES) {
        this.omitted++;
        return;
      }
      known = new Case(reset);
      this.byKey.set(key, known);
    }
    known.add(reset, who, group);
  }
}
