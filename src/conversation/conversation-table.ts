/**
 * The connections of one IP version, found by their exact key: both ends and the tenant. A bounded table over typed
 * arrays; when it is full, the least useful of some makes room, and is counted.
 *
 * Knows how a connection is found and what it is worth keeping, not what its state means: see state.ts.
 */

import { link, value, word } from '../base/bytes.js';
import { R_DESTINATION, R_DESTINATION_UPPER, R_PORTS, R_SOURCE, R_SOURCE_UPPER, R_TENANT } from '../decode/records.js';
import { LAST_AT, STATE_TIMES, STATE_WORDS, useOf } from './state.js';

const FIRST_CAPACITY = 1024;
const NONE = -1;
/** Looked at for one that makes room. */
const CANDIDATES = 4;
/** Keys of one slot that are looked at; keys made to collide are forgotten instead of slowing everything down. */
const MAX_CHAIN = 64;

export type Version = 4 | 6;

export class ConversationTable {
  /** STATE_WORDS a row. */
  words = new Uint32Array(0);
  /** The same memory: STATE_TIMES a row. */
  times = new Float64Array(0);
  /** Rows that made room for others. */
  evicted = 0;
  /** Of what `find` and `put` looked for: the source is the lower end of the key. */
  sourceIsLower = false;
  /** Whether the last `put` made its row. */
  fresh = false;
  private readonly limit: number;
  private readonly isSix: boolean;
  private readonly keyWords: number;
  private readonly forgotten: (row: number) => void;
  private capacity = 0;
  private used = 0;
  private hand = 0;
  private keys = new Uint32Array(0);
  private hashes = new Uint32Array(0);
  private next = new Int32Array(0);
  private heads = new Int32Array(0);
  private mask = 0;
  /** The key that is looked for. */
  private k0 = 0;
  private k1 = 0;
  private k2 = 0;
  private k3 = 0;
  private readonly upper = new Uint32Array(6);

  /** At most `limit` rows, a power of two. `forgotten` hears of each row that makes room. */
  constructor(version: Version, limit: number, forgotten: (row: number) => void) {
    this.isSix = version === 6;
    this.keyWords = version === 6 ? 10 : 4;
    this.limit = limit;
    this.forgotten = forgotten;
  }

  get size(): number {
    return this.used;
  }

  /** The row of the segment's connection, a new one (`fresh` tells), its state all zeros, where there was none. */
  put(words: Uint32Array, at: number): number {
    const hash = this.isSix ? this.keySix(words, at) : this.keyFour(words, at);
    const row = this.search(hash);
    this.fresh = row < 0;
    return row < 0 ? this.insert(hash) : row;
  }

  private keyFour(words: Uint32Array, at: number): number {
    const source = word(words, at + R_SOURCE);
    const destination = word(words, at + R_DESTINATION);
    const ports = word(words, at + R_PORTS);
    const swapped = ((ports << 16) | (ports >>> 16)) >>> 0;
    const isLower = source < destination || (source === destination && ports <= swapped);
    this.sourceIsLower = isLower;
    this.k0 = isLower ? source : destination;
    this.k1 = isLower ? destination : source;
    this.k2 = isLower ? ports : swapped;
    this.k3 = word(words, at + R_TENANT);
    return mix(this.k0, this.k1, this.k2, this.k3);
  }

  private keySix(words: Uint32Array, at: number): number {
    const ports = word(words, at + R_PORTS);
    const swapped = ((ports << 16) | (ports >>> 16)) >>> 0;
    let order = 0;
    for (let w = 0; w < 3 && order === 0; w++) {
      order = word(words, at + R_SOURCE_UPPER + w) - word(words, at + R_DESTINATION_UPPER + w);
    }
    if (order === 0) order = word(words, at + R_SOURCE) - word(words, at + R_DESTINATION);
    if (order === 0) order = ports - swapped;
    const isLower = order <= 0;
    this.sourceIsLower = isLower;
    const { upper } = this;
    const lower = at + (isLower ? R_SOURCE_UPPER : R_DESTINATION_UPPER);
    const higher = at + (isLower ? R_DESTINATION_UPPER : R_SOURCE_UPPER);
    let h = 0;
    for (let w = 0; w < 3; w++) {
      upper[w] = word(words, lower + w);
      upper[3 + w] = word(words, higher + w);
      h = Math.imul(h ^ word(words, lower + w), 0x85ebca6b) ^ Math.imul(word(words, higher + w), 0xc2b2ae35);
      h ^= h >>> 15;
    }
    this.k0 = word(words, at + (isLower ? R_SOURCE : R_DESTINATION));
    this.k1 = word(words, at + (isLower ? R_DESTINATION : R_SOURCE));
    this.k2 = isLower ? ports : swapped;
    this.k3 = word(words, at + R_TENANT);
    return mix(this.k0 ^ h, this.k1, this.k2, this.k3);
  }

  private search(hash: number): number {
    if (this.used === 0) return NONE;
    const { keys, keyWords, next, hashes, k0, k1, k2, k3 } = this;
    let steps = 0;
    for (let row = link(this.heads, hash & this.mask); row !== NONE; row = link(next, row)) {
      if (word(hashes, row) === hash) {
        const at = row * keyWords;
        if (
          word(keys, at) === k0 &&
          word(keys, at + 1) === k1 &&
          word(keys, at + 2) === k2 &&
          word(keys, at + 3) === k3 &&
          (keyWords === 4 || this.hasUpper(at))
        ) {
          return row;
        }
      }
      if (++steps === MAX_CHAIN) return NONE;
    }
    return NONE;
  }

  private hasUpper(at: number): boolean {
    for (let w = 0; w < 6; w++) if (this.keys[at + 4 + w] !== this.upper[w]) return false;
    return true;
  }

  private insert(hash: number): number {
    if (this.used === this.capacity && this.capacity < this.limit) this.grow();
    const row = this.used < this.capacity ? this.used++ : this.evict();
    const { keys, keyWords, heads, next } = this;
    const at = row * keyWords;
    keys[at] = this.k0;
    keys[at + 1] = this.k1;
    keys[at + 2] = this.k2;
    keys[at + 3] = this.k3;
    for (let w = 4; w < keyWords; w++) keys[at + w] = word(this.upper, w - 4);
    this.hashes[row] = hash;
    const slot = hash & this.mask;
    next[row] = link(heads, slot);
    heads[slot] = row;
    this.words.fill(0, row * STATE_WORDS, (row + 1) * STATE_WORDS);
    return row;
  }

  private evict(): number {
    let victim = this.hand;
    let least = Infinity;
    for (let i = 0; i < CANDIDATES; i++) {
      const row = this.hand;
      this.hand = (row + 1) % this.capacity;
      const use = useOf(this.words, row * STATE_WORDS, value(this.times, row * STATE_TIMES + LAST_AT));
      if (use >= least) continue;
      least = use;
      victim = row;
    }
    this.evicted++;
    this.unlink(victim);
    this.forgotten(victim);
    return victim;
  }

  private unlink(row: number): void {
    const { heads, next } = this;
    const slot = word(this.hashes, row) & this.mask;
    const after = link(next, row);
    let before = link(heads, slot);
    if (before === row) {
      heads[slot] = after;
      return;
    }
    while (link(next, before) !== row) before = link(next, before);
    next[before] = after;
  }

  /** A function of its own: code that runs once must not be part of what runs for every segment. */
  private grow(): void {
    const capacity = this.capacity === 0 ? FIRST_CAPACITY : Math.min(this.capacity * 2, this.limit);
    this.capacity = capacity;
    const state = new ArrayBuffer(capacity * STATE_WORDS * 4);
    const words = new Uint32Array(state);
    words.set(this.words);
    this.words = words;
    this.times = new Float64Array(state);
    const keys = new Uint32Array(capacity * this.keyWords);
    keys.set(this.keys);
    this.keys = keys;
    const hashes = new Uint32Array(capacity);
    hashes.set(this.hashes);
    this.hashes = hashes;
    this.next = new Int32Array(capacity);
    this.heads = new Int32Array(capacity * 2).fill(NONE);
    this.mask = capacity * 2 - 1;
    for (let row = 0; row < this.used; row++) {
      const slot = word(hashes, row) & this.mask;
      this.next[row] = link(this.heads, slot);
      this.heads[slot] = row;
    }
  }
}

function mix(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ b, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15) ^ c, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ d, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
