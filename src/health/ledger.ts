/** What the reconciliation holds against each other: plain data of a capture that is over. */

import type { Hindrances } from './hindrances.js';
import type { Doubts } from './send-match.js';

/** One network namespace. */
export interface Ground {
  readonly netns: number | null;
  readonly name: string | null;
  /** How it is named on the command line: a name, or a PID in it; null: it is the own one, or nothing leads there. */
  readonly key: string | null;
  /** It was captured in. */
  readonly captured: boolean;
  /** Its counter was not read at the end: it had gone, or another one had taken its place. */
  readonly broken: boolean;
  /** OutRsts, from before the capture opened until after it closed, and while all was listened to (null: not read then). */
  readonly counted: number;
  readonly countedInside: number | null;
  /** TCPAbortFailed: counted, and not sent. */
  readonly failed: number;
  /** Captured with one of its addresses as the source. */
  readonly sent: number;
  /** Of these, those that the trace tells of. */
  readonly matched: number;
}

/** The trace tells of it, and no frame was captured. */
export interface Unseen {
  readonly netns: number | null;
  /** It fell while the capture opened or closed. */
  readonly edge: boolean;
  readonly tuple: string;
}

/** A reset that was captured and that TCP did not send. */
export interface Foreign {
  readonly netns: number | null;
  /** "10.0.0.1:8080". */
  readonly source: string;
}

export interface Ledger {
  readonly grounds: readonly Ground[];
  /** Captured as sent, and it is not known which namespace has the address. */
  readonly strays: number;
  /** Captured once more than was sent: the same segment at another place, too late to be folded. In no other count. */
  readonly copies: number;
  /** Of those that are matched, those that may be others. */
  readonly doubts: Doubts;
  /** Captured, and told by the trace. */
  readonly matched: number;
  /** Why captured and traced resets could not be compared one by one; null: they were. */
  readonly inexact: string | null;
  /** Copies were counted as resets: what was captured beyond what was counted need not be of somebody else. */
  readonly withCopies: boolean;
  /** Of an exact comparison. */
  readonly unseen: readonly Unseen[];
  readonly foreign: readonly Foreign[];
  readonly hindrances: Hindrances;
}
