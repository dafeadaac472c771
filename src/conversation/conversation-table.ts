/**
 * The connections of one IP version, found by their exact key: both ends and the tenant. A bounded table over typed
 * arrays; when it is full, the least useful of some makes room, and is counted.
 *
 * Knows how a connection is found and what it is worth keeping, not what its state means: see state.ts.
 */

import { link, word } from '../base/bytes.js';
import {
  R_DESTINATION,
  R_DESTINATION_UPPER,
  R_FLAGS,
  R_HASH,
  R_PORTS,
  R_SOURCE,
  R_SOURCE_UPPER,
  R_TENANT,
  SOURCE_IS_LOWER,
} from '../decode/records.js';
import { HASH, KEY, NEXT_ROW, STATE_WORDS, useOf } from './state.js';

const FIRST_CAPACITY = 1024;
const NONE = -1;
/** Looked at for one that makes room. */
const CANDIDATES = 4;
/** Keys of one slot that are looked at; keys made to collide are forgotten instead of slowing everything down. */
const MAX_CHAIN = 64;
/** Of IPv6: the upper words of the lower end's address, and of the higher's. */
const UPPER_WORDS = 6;

export type Version = 4 | 6;

export class ConversationTable {
  /** STATE_WORDS a row. */
  words = new Uint32Array(0);
  /** The same memory: STATE_TIMES a row. */
  times = new Float64Array(0);
  /** Rows that made room for others. */
  evicted = 0;
  /** Of what `put` looked for: the source is the lower end of the key. */
  sourceIsLower = false;
  private readonly limit: number;
  private readonly isSix: boolean;
  private readonly forgotten: (row: number) => void;
  private capacity = 0;
  private used = 0;
  private hand = 0;
  private uppers = new Uint32Array(0);
  private heads = new Int32Array(0);
  private mask = 0;

  /** At most `limit` rows, a power of two. `forgotten` hears of each row that makes room. */
  constructor(version: Version, limit: number, forgotten: (row: number) => void) {
    this.isSix = version === 6;
    this.limit = limit;
    this.forgotten = forgotten;
  }

  get size(): number {
    return this.used;
  }

  /** The row of the record's connection; a new one, its state all zeros, where there was none. */
  put(records: Uint32Array, at: number): number {
    if (this.capacity === 0) this.grow();
    const { words, heads, isSix } = this;
    const hash = word(records, at + R_HASH);
    const isLower = (word(records, at + R_FLAGS) & SOURCE_IS_LOWER) !== 0;
    this.sourceIsLower = isLower;
    const low = word(records, at + (isLower ? R_SOURCE : R_DESTINATION));
    const high = word(records, at + (isLower ? R_DESTINATION : R_SOURCE));
    const sent = word(records, at + R_PORTS);
    const ports = isLower ? sent : ((sent << 16) | (sent >>> 16)) >>> 0;
    const tenant = word(records, at + R_TENANT);
    let row = link(heads, hash & this.mask);
    for (let steps = 0; row !== NONE && steps < MAX_CHAIN; steps++) {
      const base = row * STATE_WORDS;
      if (
        word(words, base + HASH) === hash &&
        word(words, base + KEY) === low &&
        word(words, base + KEY + 1) === high &&
        word(words, base + KEY + 2) === ports &&
        word(words, base + KEY + 3) === tenant &&
        (!isSix || this.hasUpper(row, records, at, isLower))
      ) {
        return row;
      }
      row = word(words, base + NEXT_ROW) | 0;
    }
    return this.insert(hash, low, high, ports, tenant, records, at);
  }

  private hasUpper(row: number, records: Uint32Array, at: number, isLower: boolean): boolean {
    const { uppers } = this;
    const lower = at + (isLower ? R_SOURCE_UPPER : R_DESTINATION_UPPER);
    const higher = at + (isLower ? R_DESTINATION_UPPER : R_SOURCE_UPPER);
    const own = row * UPPER_WORDS;
    for (let w = 0; w < 3; w++) {
      if (word(uppers, own + w) !== word(records, lower + w)) return false;
      if (word(uppers, own + 3 + w) !== word(records, higher + w)) return false;
    }
    return true;
  }

  /** A function of its own: what runs seldom must not be part of what runs for every segment. */
  private insert(
    hash: number,
    low: number,
    high: number,
    ports: number,
    tenant: number,
    records: Uint32Array,
    at: number,
  ): number {
    if (this.used === this.capacity && this.capacity < this.limit) this.grow();
    const row = this.used < this.capacity ? this.used++ : this.evict();
    const { words, heads } = this;
    const base = row * STATE_WORDS;
    words.fill(0, base, base + STATE_WORDS);
    words[base + HASH] = hash;
    words[base + KEY] = low;
    words[base + KEY + 1] = high;
    words[base + KEY + 2] = ports;
    words[base + KEY + 3] = tenant;
    if (this.isSix) {
      const { uppers, sourceIsLower } = this;
      const lower = at + (sourceIsLower ? R_SOURCE_UPPER : R_DESTINATION_UPPER);
      const higher = at + (sourceIsLower ? R_DESTINATION_UPPER : R_SOURCE_UPPER);
      for (let w = 0; w < 3; w++) {
        uppers[row * UPPER_WORDS + w] = word(records, lower + w);
        uppers[row * UPPER_WORDS + 3 + w] = word(records, higher + w);
      }
    }
    const slot = hash & this.mask;
    words[base + NEXT_ROW] = link(heads, slot);
    heads[slot] = row;
    return row;
  }

  private evict(): number {
    let victim = this.hand;
    let least = Infinity;
    for (let i = 0; i < CANDIDATES; i++) {
      const row = this.hand;
      this.hand = (row + 1) % this.capacity;
      const use = useOf(this.words, this.times, row * STATE_WORDS);
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
    const { heads, words } = this;
    const slot = word(words, row * STATE_WORDS + HASH) & this.mask;
    const after = word(words, row * STATE_WORDS + NEXT_ROW);
    let before = link(heads, slot);
    if (before === row) {
      heads[slot] = after | 0;
      return;
    }
    while (word(words, before * STATE_WORDS + NEXT_ROW) !== row) before = word(words, before * STATE_WORDS + NEXT_ROW);
    words[before * STATE_WORDS + NEXT_ROW] = after;
  }

  private grow(): void {
    const capacity =
      this.capacity === 0 ? Math.min(FIRST_CAPACITY, this.limit) : Math.min(this.capacity * 2, this.limit);
    this.capacity = capacity;
    const state = new ArrayBuffer(capacity * STATE_WORDS * 4);
    const words = new Uint32Array(state);
    words.set(this.words);
    this.words = words;
    this.times = new Float64Array(state);
    if (this.isSix) {
      const uppers = new Uint32Array(capacity * UPPER_WORDS);
      uppers.set(this.uppers);
      this.uppers = uppers;
    }
    this.heads = new Int32Array(capacity * 2).fill(NONE);
    this.mask = capacity * 2 - 1;
    for (let row = 0; row < this.used; row++) {
      const base = row * STATE_WORDS;
      const slot = word(words, base + HASH) & this.mask;
      words[base + NEXT_ROW] = link(this.heads, slot);
      this.heads[slot] = row;
    }
  }
}
