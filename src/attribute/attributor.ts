/**
 * Who is at the ends of a reset: what whoever asks gets, however it is found out.
 *
 * An answer may take its time: what is known is told at any moment, and whether more may come.
 */

import type { Reset } from '../conversation/reset.js';
import { unattributed, type Attribution, type FailedConnects, type MissingReason } from './process.js';

export interface Inquiry {
  /** What is known by now. */
  readonly known: Attribution;
  /** Nothing more will be learnt. */
  readonly final: boolean;
}

export interface Attributor {
  /** `reset` as it is when no copy of it can come any more. */
  inquire(reset: Reset): Inquiry;
  /** No reset will be asked for any more: takes what there is to be learnt yet of those that were. */
  finish(): Promise<void>;
  /** Connects that failed, the most first. */
  readonly failedConnects: readonly FailedConnects[];
}

/** An answer that is whole from the start. */
export function settled(known: Attribution): Inquiry {
  return { known, final: true };
}

/** Nobody is looked for. */
export function nobody(reason: MissingReason): Attributor {
  const answer = settled(unattributed(reason));
  return { inquire: () => answer, finish: () => Promise.resolve(), failedConnects: [] };
}
