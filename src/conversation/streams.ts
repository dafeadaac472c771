/**
 * One side's stream of bytes as a ladder shows it: numbers counted from its beginning, what was said again, what came
 * late, and what was never captured.
 *
 * Says only what is certain: below the first number that was seen nothing is known, and where too many pieces are
 * missing to be remembered nothing is called a repetition any more.
 */

import { seqDiff } from './facts.js';

/** Pieces that are missing at once; of those beyond it is forgotten whether they came later. */
const MOST_HOLES = 64;
/** What is further off than a window can be (RFC 7323 2.3) is of something else: its distance says nothing. */
const MOST_AHEAD = 2 ** 30;

/** Bytes that were passed over, by the side itself or by an acknowledgement of the other. */
export interface Hole {
  from: number;
  to: number;
  /** Of them, those that have not come since, and that no other hole tells of. */
  left: number;
}

/** Said before; behind what follows it; a probe (keep-alive or zero window: one octet or none, just below the next). */
export type Repeat = 'again' | 'late' | 'probe';

export interface Placed {
  readonly repeat: Repeat | null;
  readonly hole: Hole | null;
}

const IN_ORDER: Placed = { repeat: null, hole: null };

export class Stream {
  /** A number on the wire, and the same counted from the beginning. */
  private anchor: { readonly seq: number; readonly at: number } | null = null;
  /** Sequence number of its SYN; null: not seen. */
  private isn: number | null = null;
  private first = 0;
  private next = 0;
  /** What the other side has acknowledged. */
  private acked = 0;
  private holes: Hole[] = [];
  /** What the other side has acknowledged and nobody saw. */
  private unseen: Hole[] = [];
  private isSure = true;
  private hasFin = false;
  private hasSpoken = false;

  /**
   * Counted from the SYN, which is 0; without it, from the first number that was seen, which is 1. Null: none was, or
   * it is too far off to be of this stream.
   */
  place(seq: number): number | null {
    if (this.anchor === null) return null;
    const ahead = seqDiff(seq, this.anchor.seq);
    return Math.abs(ahead) > MOST_AHEAD ? null : this.anchor.at + ahead;
  }

  /** Its SYN. @returns whether it had spoken before, in another connection. */
  syn(seq: number): boolean {
    if (this.isn === seq) return false;
    const isAnew = this.hasSpoken;
    this.begin(seq, 0);
    this.isn = seq;
    return isAnew;
  }

  /** A segment of it, `length` with what SYN and FIN take. */
  see(seq: number, length: number, isSyn: boolean, isFin: boolean): Placed {
    if (this.anchor === null) this.begin(seq, 1);
    this.hasSpoken = true;
    const from = this.place(seq);
    if (from === null) return IN_ORDER;
    const to = from + length;
    const { next } = this;
    if (to >= next && isFin) this.hasFin = true;
    this.show(from, to);
    if (from >= next) {
      this.go(seq, length, to);
      return from === next ? IN_ORDER : { repeat: null, hole: this.open(next, from) };
    }
    const isLate = this.fill(from, to);
    if (to > next) this.go(seq, length, to);
    if (isLate) return { repeat: 'late', hole: null };
    if (!this.isSure || from < this.first || to > next) return IN_ORDER;
    if (!isSyn && !isFin && !this.hasFin && length <= 1 && from === next - 1) return { repeat: 'probe', hole: null };
    return length > 0 ? { repeat: 'again', hole: null } : IN_ORDER;
  }

  /** The other side has everything before `seq`, as it says. @returns what of that was not seen; null: nothing. */
  acknowledged(seq: number): Hole | null {
    if (this.anchor === null) this.begin(seq, 1);
    const to = this.place(seq);
    const from = Math.max(this.next, this.acked);
    if (to === null || to <= from) return null;
    this.acked = to;
    const hole = { from, to, left: to - from };
    if (this.unseen.length >= MOST_HOLES) this.unseen.shift();
    this.unseen.push(hole);
    return hole;
  }

  private begin(seq: number, at: number): void {
    this.anchor = { seq, at };
    this.isn = null;
    this.first = at;
    this.next = at;
    this.acked = at;
    this.holes = [];
    this.unseen = [];
    this.isSure = true;
    this.hasFin = false;
  }

  /** Numbers wrap: what is counted from is never far behind. */
  private go(seq: number, length: number, to: number): void {
    this.anchor = { seq: (seq + length) >>> 0, at: to };
    this.next = to;
  }

  private open(from: number, to: number): Hole {
    const hole = { from, to, left: Math.max(0, to - Math.max(from, this.acked)) };
    if (this.holes.length >= MOST_HOLES) {
      this.holes.shift();
      this.isSure = false;
    }
    this.holes.push(hole);
    return hole;
  }

  /** What was acknowledged before it was seen has come. */
  private show(from: number, to: number): void {
    for (const hole of this.unseen) {
      const shown = Math.min(to, hole.to) - Math.max(from, hole.from);
      if (shown > 0) hole.left = Math.max(0, hole.left - shown);
    }
  }

  /** @returns whether anything of it had been missing. */
  private fill(from: number, to: number): boolean {
    let isFilled = false;
    for (const hole of this.holes) {
      const low = Math.max(from, hole.from);
      const high = Math.min(to, hole.to);
      if (low >= high) continue;
      isFilled = true;
      hole.left = Math.max(0, hole.left - (high - low));
      if (low === hole.from) hole.from = high;
      else if (high === hole.to) hole.to = low;
      // A piece out of its middle: what comes to that place again can't be told from what fills the rest.
      else this.isSure = false;
    }
    if (isFilled) this.holes = this.holes.filter((hole) => hole.from < hole.to);
    return isFilled;
  }
}
