/** A reset that can still get copies: what folding needs to know of it. */

import type { Reset } from './reset.js';

export interface Candidate extends Reset {
  readonly hash: number;
  /** Interface and packet type as one number: where its first frame was seen. */
  readonly place: number;
  /** Place and TTL as one number: frames that agree in it are never copies of one another. */
  readonly sighting: number;
  /** Hashes of address and port. */
  readonly srcMark: number;
  readonly destMark: number;
  /** Its time is that of its arrival in a program, which may have been kept waiting. */
  readonly coarse: boolean;
  /** It may have passed several interfaces that the capture does not tell apart. */
  readonly blind: boolean;
  /** When it was last seen, for each sighting of a blind frame; null: there was none. */
  blindTimes: Map<number, number> | null;
  /** No frame can fold into it any more; twins may still join it. */
  closed: boolean;
  /** It was a twin and is part of another reset now. */
  absorbed: boolean;
  /** What it may be a twin of. */
  suspect: Suspect | null;
  /** What may be its twins; null: nothing. */
  suspects: Candidate[] | null;
}

/** Why a reset may be a twin. */
export interface Suspect {
  /** The first of all. */
  readonly root: Candidate;
  /** Where the likeness was found: `root`, or another twin of it. */
  readonly via: Candidate;
  /** Mark of the end that the NAT left alone. */
  readonly kept: number;
}

/** A hash over what copies and twins agree in. */
export function foldHash(flags: number, seq: number, ack: number): number {
  const h = Math.imul(seq ^ Math.imul(ack, 0x9e3779b1) ^ flags, 0x85ebca6b);
  return h ^ (h >>> 15);
}
