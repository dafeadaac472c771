/**
 * The resets that may still get copies, in order of arrival, found by their hash.
 *
 * Bounded, and so is the time of a search: a flood's older resets are closed early, and of many that are alike (a
 * scanner's constant numbers) only the latest are compared.
 */

import { link } from '../base/bytes.js';
import type { Candidate } from './candidate.js';

const CAPACITY = 2_048;
const SLOTS = 2 * CAPACITY;
/** Resets of one slot that are looked at. */
const MAX_LOOKED_AT = 64;
const NONE = -1;

export class OpenResets {
  private readonly ring = new Array<Candidate | null>(CAPACITY).fill(null);
  private head = 0;
  private size = 0;
  /** By hash: the newest reset of the slot. */
  private readonly newest = new Int32Array(SLOTS).fill(NONE);
  /** The next older and newer one of the same slot. */
  private readonly older = new Int32Array(CAPACITY);
  private readonly newer = new Int32Array(CAPACITY);

  get full(): boolean {
    return this.size === CAPACITY;
  }

  get oldest(): Candidate | null {
    return this.size === 0 ? null : (this.ring[this.head] ?? null);
  }

  /** The earliest reset with the hash of `frame` that `fits`, among the latest that are alike. */
  earliest(frame: Candidate, fits: (known: Candidate, frame: Candidate) => boolean): Candidate | null {
    const { ring, older } = this;
    let found: Candidate | null = null;
    let at = link(this.newest, slotOf(frame));
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
    const at = (this.head + this.size) & (CAPACITY - 1);
    const slot = slotOf(reset);
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
    if (after === NONE) this.newest[slotOf(oldest)] = NONE;
    else this.older[after] = NONE;
    this.ring[head] = null;
    this.head = (head + 1) & (CAPACITY - 1);
    this.size--;
    return oldest;
  }
}

function slotOf({ hash }: Candidate): number {
  return hash & (SLOTS - 1);
}
