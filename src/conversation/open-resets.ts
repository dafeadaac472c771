/**
 * The resets that may still get copies, in order of arrival, found by their hash.
 *
 * Bounded, and so is the time of a search: a flood's older resets are closed early, and of many that are alike (a
 * scanner's constant numbers) only the latest are compared.
 */

import { link } from '../base/bytes.js';
import type { Candidate } from './candidate.js';

/** Resets of one slot that are looked at. */
const MAX_LOOKED_AT = 64;
const NONE = -1;

export class OpenResets {
  private readonly ring: (Candidate | null)[];
  private head = 0;
  private size = 0;
  /** By hash: the newest reset of the slot. */
  private readonly newest: Int32Array;
  /** The next older and newer one of the same slot. */
  private readonly older: Int32Array;
  private readonly newer: Int32Array;
  /** One less than the capacity, and than the slots: powers of two both. */
  private readonly mask: number;
  private readonly slots: number;

  /** `capacity`: a power of two. */
  constructor(capacity: number) {
    this.ring = new Array<Candidate | null>(capacity).fill(null);
    this.newest = new Int32Array(2 * capacity).fill(NONE);
    this.older = new Int32Array(capacity);
    this.newer = new Int32Array(capacity);
    this.mask = capacity - 1;
    this.slots = 2 * capacity - 1;
  }

  get full(): boolean {
    return this.size > this.mask;
  }

  get oldest(): Candidate | null {
    return this.size === 0 ? null : (this.ring[this.head] ?? null);
  }

  /** The earliest reset with the hash of `frame` that `fits`, among the latest that are alike. */
  earliest(frame: Candidate, fits: (known: Candidate, frame: Candidate) => boolean): Candidate | null {
    const { ring, older } = this;
    let found: Candidate | null = null;
    let at = link(this.newest, frame.hash & this.slots);
    for (let looked = 0; at !== NONE && looked < MAX_LOOKED_AT; looked++) {
      const known = ring[at] ?? null;
      if (known !== null && known.hash === frame.hash && fits(known, frame)) found = known;
      at = link(older, at);
    }
    return found;
  }

  /** Not when `full`. */
  push(reset: Candidate): void {
    const { newest } = this;
    const at = (this.head + this.size) & this.mask;
    const slot = reset.hash & this.slots;
    const before = link(newest, slot);
    this.ring[at] = reset;
    this.older[at] = before;
    this.newer[at] = NONE;
    if (before !== NONE) this.newer[before] = at;
    newest[slot] = at;
    this.size++;
  }

  /** Takes the oldest out: it is also the oldest of its slot. */
  shift(): Candidate | null {
    const { oldest, head } = this;
    if (oldest === null) return null;
    const after = link(this.newer, head);
    if (after === NONE) this.newest[oldest.hash & this.slots] = NONE;
    else this.older[after] = NONE;
    this.ring[head] = null;
    this.head = (head + 1) & this.mask;
    this.size--;
    return oldest;
  }
}
