/**
 * A bounded hash table over fixed-size keys of 32-bit words, in typed arrays.
 *
 * Rows lie in order of arrival and the oldest makes room when the table is full, so that a hostile capture can make it
 * forget but never grow. Keys are compared word for word: two connections are never taken for one.
 */

import { link, word } from '../base/bytes.js';

const FIRST_CAPACITY = 1024;
const NONE = -1;
/**
 * Keys of one slot that are looked at. Chance never fills a slot so (it holds half a key on average); keys made to
 * collide are forgotten instead of slowing everything down.
 */
const MAX_CHAIN = 64;

export class WordTable {
  /** Fill this with a key before `find` or `put`. */
  readonly key: Uint32Array;
  /** Rows that made room for others. */
  evicted = 0;
  /** Whether the last `put` made its row. */
  fresh = false;
  private readonly width: number;
  private readonly limit: number;
  private capacity = 0;
  private used = 0;
  private oldest = 0;
  private words = new Uint32Array(0);
  private hashes = new Uint32Array(0);
  /** The rows of one slot, doubly linked, the newest first. */
  private next = new Int32Array(0);
  private previous = new Int32Array(0);
  private heads = new Int32Array(0);
  private mask = 0;

  /** `width` words a key; at most `limit` rows (a power of two). */
  constructor(width: number, limit: number) {
    this.width = width;
    this.limit = limit;
    this.key = new Uint32Array(width);
    this.resize(Math.min(FIRST_CAPACITY, limit));
  }

  /** Rows that exist; row numbers are below it. Columns that a user keeps beside the table grow with `rows`. */
  get rows(): number {
    return this.capacity;
  }

  /** Rows that hold a key. */
  get size(): number {
    return this.used;
  }

  /** The next new key will push the oldest out. */
  get full(): boolean {
    return this.used === this.limit;
  }

  /** The key's row, −1 where there is none. */
  find(): number {
    return this.search(this.hash());
  }

  /** The key's row; a new one (`fresh` tells) where there was none. */
  put(): number {
    const hash = this.hash();
    const row = this.search(hash);
    this.fresh = row < 0;
    return row < 0 ? this.insert(hash) : row;
  }

  /** A number that stays the row's key's own, also when the row has made room for another: see `rowOf`. */
  serial(row: number): number {
    const last = this.used + this.evicted - 1;
    return last - ((last - row) % this.limit);
  }

  /** The row of a serial number, −1 when its key was pushed out. */
  rowOf(serial: number): number {
    return serial < this.evicted ? -1 : serial % this.limit;
  }

  private hash(): number {
    const { key, width } = this;
    let h = 0x9e3779b9;
    for (let i = 0; i < width; i++) {
      h = Math.imul(h ^ word(key, i), 0x85ebca6b);
      h ^= h >>> 13;
    }
    h = Math.imul(h, 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  }

  private search(hash: number): number {
    const { key, width, words, next, hashes } = this;
    let steps = 0;
    for (let row = link(this.heads, hash & this.mask); row !== NONE; row = link(next, row)) {
      if (hashes[row] === hash) {
        const at = row * width;
        let i = 0;
        while (i < width && words[at + i] === key[i]) i++;
        if (i === width) return row;
      }
      if (++steps === MAX_CHAIN) return NONE;
    }
    return NONE;
  }

  private insert(hash: number): number {
    if (this.used === this.capacity && this.capacity < this.limit) this.resize(Math.min(this.capacity * 4, this.limit));
    const row = this.used < this.capacity ? this.used++ : this.evict();
    const { words, width, key } = this;
    for (let i = 0; i < width; i++) words[row * width + i] = word(key, i);
    this.hashes[row] = hash;
    this.attach(row, hash & this.mask);
    return row;
  }

  private attach(row: number, slot: number): void {
    const { heads, next, previous } = this;
    const after = link(heads, slot);
    next[row] = after;
    previous[row] = NONE;
    if (after !== NONE) previous[after] = row;
    heads[slot] = row;
  }

  private evict(): number {
    const row = this.oldest;
    this.oldest = (row + 1) % this.capacity;
    this.evicted++;
    // The oldest of all rows is the last of its slot.
    const before = link(this.previous, row);
    if (before === NONE) this.heads[word(this.hashes, row) & this.mask] = NONE;
    else this.next[before] = NONE;
    return row;
  }

  private resize(capacity: number): void {
    this.capacity = capacity;
    this.words = grown(this.words, new Uint32Array(capacity * this.width));
    this.hashes = grown(this.hashes, new Uint32Array(capacity));
    this.next = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.heads = new Int32Array(capacity * 2).fill(NONE);
    this.mask = capacity * 2 - 1;
    for (let row = 0; row < this.used; row++) this.attach(row, word(this.hashes, row) & this.mask);
  }
}

/** `old` at the beginning of `larger`. */
export function grown<T extends Uint8Array | Uint32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
