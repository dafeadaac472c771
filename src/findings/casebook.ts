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

/** Finds cases by their port: of very many. */
export function byPlace(cases: readonly Case[]): (ip: string, port: number | null) => readonly Case[] {
  const places = new Map<string, Case[]>();
  const key = (ip: string, port: number | null): string => `${ip}|${String(port)}`;
  for (const one of cases) {
    const known = places.get(key(one.ip, one.port));
    if (known === undefined) places.set(key(one.ip, one.port), [one]);
    else known.push(one);
  }
  return (ip, port) => places.get(key(ip, port)) ?? [];
}
