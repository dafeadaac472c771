/** Which resets the report is about: everything that a user's options leave out counts as `filtered_out`. */

import type { AddressTest } from '../base/address.js';
import type { Moment } from '../base/time.js';
import { twinsOf, type Reset } from '../conversation/reset.js';
import type { Cause, Direction, Pattern, Verdict } from '../conversation/verdict.js';

/** Every condition that is not null must hold. */
export interface FilterOptions {
  /** Either end's port. */
  readonly port: ((port: number) => boolean) | null;
  /** Either end's address. */
  readonly host: AddressTest | null;
  readonly directions: ReadonlySet<Direction> | null;
  readonly causes: ReadonlySet<Cause> | null;
  readonly patterns: ReadonlySet<Pattern> | null;
  readonly excludedPatterns: ReadonlySet<Pattern> | null;
  readonly after: Moment | null;
  readonly before: Moment | null;
}

export const KEEP_ALL: FilterOptions = {
  port: null,
  host: null,
  directions: null,
  causes: null,
  patterns: null,
  excludedPatterns: null,
  after: null,
  before: null,
};

/** What the header, its time and its interface tell. */
export function keepsHeader(options: FilterOptions, reset: Reset): boolean {
  const { port, host, directions, after, before } = options;
  return (
    (port === null || eitherEnd(reset, (_, p) => port(p))) &&
    (host === null || eitherEnd(reset, (ip) => host(ip))) &&
    (directions === null || directions.has(reset.direction)) &&
    (after === null || compareMoments(reset, after) >= 0) &&
    (before === null || compareMoments(reset, before) <= 0)
  );
}

/** What is known once the reset has been judged. */
export function keepsVerdict(
  { causes, patterns, excludedPatterns }: FilterOptions,
  { cause, pattern }: Verdict,
): boolean {
  return (
    (causes === null || causes.has(cause)) &&
    (patterns === null || (pattern !== null && patterns.has(pattern))) &&
    (excludedPatterns === null || pattern === null || !excludedPatterns.has(pattern))
  );
}

/** Whether a reset may be left out for what it is part of. */
export function asksForPattern({ patterns, excludedPatterns }: FilterOptions): boolean {
  return patterns !== null || excludedPatterns !== null;
}

/** Whether `keepsVerdict` may say no. */
export function asksForVerdict({ causes, patterns, excludedPatterns }: FilterOptions): boolean {
  return causes !== null || patterns !== null || excludedPatterns !== null;
}

/** The ends as captured, and as a NAT made them. */
function eitherEnd(reset: Reset, test: (ip: string, port: number) => boolean): boolean {
  return (
    test(reset.srcIp, reset.srcPort) ||
    test(reset.destIp, reset.destPort) ||
    twinsOf(reset).some((t) => test(t.srcIp, t.srcPort) || test(t.destIp, t.destPort))
  );
}

/** A reset without a time (NaN) is neither before nor after: it is kept. */
function compareMoments(reset: Reset, moment: Moment): number {
  const apart = reset.seconds - moment.seconds;
  if (Number.isNaN(apart)) return 0;
  return apart === 0 ? reset.nanos - moment.nanos : apart;
}
