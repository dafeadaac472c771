/**
 * Sequence numbers that one end says to many others: a scanner's constant, which identifies nothing.
 *
 * Bounded, the oldest forgotten first. Ends are known by a hash: taking two for one only makes folding more careful.
 */

import { num } from '../base/bytes.js';
import { grown, WordTable } from './word-table.js';

const KEY_WORDS = 3;
const LIMIT = 1 << 15;

const ONE = 1;
const TWO = 2;
/** A NAT makes two of one peer; a third is another connection. */
const MANY = 3;

export class Constants {
  private readonly table = new WordTable(KEY_WORDS, LIMIT);
  private count = new Uint8Array(this.table.rows);
  private first = new Uint32Array(this.table.rows);
  private second = new Uint32Array(this.table.rows);

  /** The end `mark` and its peer exchanged a reset with these numbers. */
  see(mark: number, peer: number, seq: number, ack: number): void {
    const { table } = this;
    this.setKey(mark, seq, ack);
    const row = table.put();
    if (this.count.length < table.rows) this.grow();
    if (table.fresh) {
      this.count[row] = ONE;
      this.first[row] = peer;
    } else if (this.first[row] !== peer) {
      const count = num(this.count, row);
      if (count === ONE) {
        this.count[row] = TWO;
        this.second[row] = peer;
      } else if (count === TWO && this.second[row] !== peer) this.count[row] = MANY;
    }
  }

  /** Whether `mark` has said these numbers to many peers. */
  has(mark: number, seq: number, ack: number): boolean {
    this.setKey(mark, seq, ack);
    const row = this.table.find();
    return row >= 0 && num(this.count, row) === MANY;
  }

  private setKey(mark: number, seq: number, ack: number): void {
    const { key } = this.table;
    key[0] = mark;
    key[1] = seq;
    key[2] = ack;
  }

  private grow(): void {
    const { rows } = this.table;
    this.count = grown(this.count, new Uint8Array(rows));
    this.first = grown(this.first, new Uint32Array(rows));
    this.second = grown(this.second, new Uint32Array(rows));
  }
}
