/**
 * Sequence numbers that one end says to many others: a scanner's constant, which identifies nothing.
 *
 * A fixed number of places, each taken over by whoever comes next: what is forgotten was not said for long. Ends are
 * known by a hash; taking two for one only makes folding more careful.
 */

import { word } from '../base/bytes.js';

const BITS = 15;
const PLACES = 1 << BITS;
/** Words a place: end, sequence, acknowledgement, how many peers, the first and the second of them. */
const WIDTH = 6;
const COUNT = 3;
const FIRST = 4;
const SECOND = 5;
/** A NAT makes two of one peer; a third is another connection. */
const MANY = 3;

export class Constants {
  private readonly words = new Uint32Array(PLACES * WIDTH);

  /** The end `mark` and its peer exchanged a reset with these numbers. */
  see(mark: number, peer: number, seq: number, ack: number): void {
    const { words } = this;
    const at = place(mark, seq, ack);
    const other = peer >>> 0;
    if (!this.holds(at, mark, seq, ack)) {
      words[at] = mark;
      words[at + 1] = seq;
      words[at + 2] = ack;
      words[at + COUNT] = 1;
      words[at + FIRST] = other;
    } else if (words[at + FIRST] !== other) {
      const count = word(words, at + COUNT);
      if (count === 1) words[at + SECOND] = other;
      if (count === 1 || words[at + SECOND] !== other) words[at + COUNT] = Math.min(count + 1, MANY);
    }
  }

  /** Whether `mark` has said these numbers to many peers. */
  has(mark: number, seq: number, ack: number): boolean {
    const at = place(mark, seq, ack);
    return this.holds(at, mark, seq, ack) && this.words[at + COUNT] === MANY;
  }

  private holds(at: number, mark: number, seq: number, ack: number): boolean {
    const { words } = this;
    return words[at] === mark >>> 0 && words[at + 1] === seq && words[at + 2] === ack && word(words, at + COUNT) > 0;
  }
}

function place(mark: number, seq: number, ack: number): number {
  let h = Math.imul(mark ^ Math.imul(seq ^ Math.imul(ack, 0xc2b2ae35), 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 13;
  return (Math.imul(h, 0xc2b2ae35) >>> (32 - BITS)) * WIDTH;
}
