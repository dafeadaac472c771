/**
 * The TTLs that each address sends with, resets apart: one of them off the others came from somebody else, or by another
 * way. Bounded, the oldest forgotten first.
 */

import { u8, word } from '../base/bytes.js';
import { IS_IPV6, R_FLAGS, R_SOURCE, R_SOURCE_UPPER, R_TENANT, TTL_SHIFT } from '../decode/record-layout.js';
import { grown, WordTable } from './word-table.js';

const KEY_WORDS = 5;
const LIMIT = 1 << 16;

export interface Ttls {
  readonly least: number;
  readonly most: number;
}

export class Hosts {
  private readonly table = new WordTable(KEY_WORDS, LIMIT);
  private least = new Uint8Array(this.table.rows);
  private most = new Uint8Array(this.table.rows);

  /** The record at `at` was sent by its source. */
  see(words: Uint32Array, at: number): void {
    this.setKey(words, at);
    const row = this.table.put();
    if (this.least.length < this.table.rows) {
      this.least = grown(this.least, new Uint8Array(this.table.rows));
      this.most = grown(this.most, new Uint8Array(this.table.rows));
    }
    const ttl = (word(words, at + R_FLAGS) >>> TTL_SHIFT) & 0xff;
    if (this.table.fresh) {
      this.least[row] = ttl;
      this.most[row] = ttl;
      return;
    }
    if (ttl < u8(this.least, row)) this.least[row] = ttl;
    if (ttl > u8(this.most, row)) this.most[row] = ttl;
  }

  /** Of the source of the record at `at`; null: nothing was seen of it. */
  of(words: Uint32Array, at: number): Ttls | null {
    this.setKey(words, at);
    const row = this.table.find();
    return row < 0 ? null : { least: u8(this.least, row), most: u8(this.most, row) };
  }

  private setKey(words: Uint32Array, at: number): void {
    const { key } = this.table;
    const isSix = (word(words, at + R_FLAGS) & IS_IPV6) !== 0;
    for (let w = 0; w < 3; w++) key[w] = isSix ? word(words, at + R_SOURCE_UPPER + w) : 0;
    key[3] = word(words, at + R_SOURCE);
    key[4] = word(words, at + R_TENANT);
  }
}
