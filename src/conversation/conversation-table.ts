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
} from '../decode/record-layout.js';
import { HASH, HIGHER, KEY, LOWER, NEXT_ROW, SEEN, STATE_WORDS, S_BITS, S_NEXT } from './state-layout.js';
import { ownOf, useOf } from './state.js';
import { CANDIDATES, MAX_CHAIN, NONE, UPPER_WORDS } from './table-layout.js';

const FIRST_CAPACITY = 1024;
/** Room that is not used yet costs nothing, copying what is there does. */
const GROWTH = 16;
const SLOTS_GROWTH = 8;
/** Octets of a line of the cache. */
const LINE = 64;
/** Where the rows begin, so that each is four lines and no more: a system hands out memory 16 octets behind a line. */
const OFF_LINE = 48;

/** Octets: what is acknowledged lies this near below what was said last. */
const NEARBY = 1 << 20;

export type Version = 4 | 6;

export class ConversationTable {
  /** STATE_WORDS a row. */
  words = new Uint32Array(0);
  /** The same memory: STATE_TIMES a row. */
  times = new Float64Array(0);
  /** Rows that made room for others. */
  evicted = 0;
  /** The row that made room last. */
  victim = -1;
  /** Of what `put` looked for: the source is the lower end of the key. */
  sourceIsLower = false;
  /** Of what `anotherOf` found: the end is the lower one of that key. */
  foundLower = false;
  private readonly limit: number;
  private readonly isSix: boolean;
  private readonly forgotten: (row: number) => void;
  private capacity = 0;
  private used = 0;
  private hand = 0;
  /** Whatever was read only to be near. */
  protected near = 0;
  private uppers = new Uint32Array(0);
  /** By the lowest bits of the hash: the newest row with it, from 1; each row knows the next one. */
  private heads = new Uint32Array(1);
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

  /** The row where looking for a key of this hash begins; -1: there is no such key. */
  first(hash: number): number {
    return (word(this.heads, hash & this.mask) | 0) - 1;
  }

  /** The row of the record's connection, `from` being the first to be looked at; -1 where there is none. */
  findFrom(from: number, records: Uint32Array, at: number): number {
    const { words } = this;
    const hash = word(records, at + R_HASH);
    const source = word(records, at + R_SOURCE);
    const destination = word(records, at + R_DESTINATION);
    const ports = word(records, at + R_PORTS);
    const tenant = word(records, at + R_TENANT);
    // All bits where the source is the lower end, else none.
    const isLower = (word(records, at + R_FLAGS) << 1) >> 31;
    const crossed = (source ^ destination) & isLower;
    const swapped = (ports << 16) | (ports >>> 16);
    const own = swapped ^ ((ports ^ swapped) & isLower);
    let row = from;
    while (row >= 0) {
      const base = row * STATE_WORDS;
      const unlike =
        (word(words, base + HASH) ^ hash) |
        (word(words, base + KEY) ^ destination ^ crossed) |
        (word(words, base + KEY + 1) ^ source ^ crossed) |
        (word(words, base + KEY + 2) ^ own) |
        (word(words, base + KEY + 3) ^ tenant);
      if (unlike === 0 && (!this.isSix || this.hasUpper(row, records, at, isLower))) return row;
      row = (word(words, base + NEXT_ROW) | 0) - 1;
    }
    return -1;
  }

  /**
   * The rows of `count` records of IPv4 that begin at `begins`, -1 where there is none. Step by step over all of them,
   * each step without branches on what it has just read: so a processor waits for many places in memory at once, instead
   * of for one after the other. The newest row of a slot is the one, mostly: `findFrom` looks at the others.
   */
  findAll(records: Uint32Array, begins: Int32Array, rows: Int32Array, count: number): void {
    if (this.used === 0) {
      rows.fill(-1, 0, count);
      return;
    }
    const { words, heads, mask } = this;
    for (let i = 0; i < count; i++) {
      rows[i] = (word(heads, word(records, link(begins, i) + R_HASH) & mask) | 0) - 1;
    }
    let near = 0;
    for (let i = 0; i < count; i++) {
      const row = link(rows, i);
      near ^= word(words, (row & ~(row >> 31)) * STATE_WORDS);
    }
    for (let i = 0; i < count; i++) {
      const at = link(begins, i);
      const flagsWord = word(records, at + R_FLAGS);
      const source = word(records, at + R_SOURCE);
      const destination = word(records, at + R_DESTINATION);
      const ports = word(records, at + R_PORTS);
      const isLower = (flagsWord << 1) >> 31;
      const crossed = (source ^ destination) & isLower;
      const swapped = (ports << 16) | (ports >>> 16);
      let row = link(rows, i);
      const base = (row & ~(row >> 31)) * STATE_WORDS;
      const unlike =
        (word(words, base + KEY) ^ destination ^ crossed) |
        (word(words, base + KEY + 1) ^ source ^ crossed) |
        (word(words, base + KEY + 2) ^ swapped ^ ((ports ^ swapped) & isLower)) |
        (word(words, base + KEY + 3) ^ word(records, at + R_TENANT)) |
        (row >> 31);
      if (unlike !== 0) row = this.findFrom(row, records, at);
      rows[i] = row;
      near ^= word(words, ownOf((row & ~(row >> 31)) * STATE_WORDS, flagsWord));
    }
    this.near = near;
  }

  /** The row of the record's connection; a new one, its state all zeros, where there was none. */
  put(records: Uint32Array, at: number): number {
    this.sourceIsLower = (word(records, at + R_FLAGS) & SOURCE_IS_LOWER) !== 0;
    const row = this.findFrom(this.first(word(records, at + R_HASH)), records, at);
    return row < 0 ? this.insert(records, at) : row;
  }

  /**
   * A connection of one end of `row`, with another peer, in which that end has just said what comes before `seq`; -1:
   * none. Looks at all rows: for what is rare.
   */
  anotherOf(row: number, endIsLower: boolean, seq: number): number {
    const { words } = this;
    const base = row * STATE_WORDS;
    const ip = word(words, base + KEY + (endIsLower ? 0 : 1));
    const ports = word(words, base + KEY + 2);
    const port = endIsLower ? ports >>> 16 : ports & 0xffff;
    for (let other = 0; other < this.used; other++) {
      const at = other * STATE_WORDS + KEY;
      const theirs = word(words, at + 2);
      const isLower = theirs >>> 16 === port && word(words, at) === ip;
      const isHigher = (theirs & 0xffff) === port && word(words, at + 1) === ip;
      if ((!isLower && !isHigher) || other === row) continue;
      if (isLower && this.hasSaid(row, endIsLower, other, true, seq)) return this.found(other, true);
      if (isHigher && this.hasSaid(row, endIsLower, other, false, seq)) return this.found(other, false);
    }
    return -1;
  }

  private found(other: number, lower: boolean): number {
    this.foundLower = lower;
    return other;
  }

  /** The end has said in `other` what comes just before `seq`. */
  private hasSaid(row: number, endIsLower: boolean, other: number, lower: boolean, seq: number): boolean {
    const { words } = this;
    const side = other * STATE_WORDS + (lower ? LOWER : HIGHER);
    if ((word(words, side + S_BITS) & SEEN) === 0) return false;
    const behind = (word(words, side + S_NEXT) - seq) | 0;
    return behind >= 0 && behind <= NEARBY && this.sameUpper(row, endIsLower, other, lower);
  }

  /** The peer in a row: the words of its address, the highest first, and its port. */
  peerOf(row: number, endIsLower: boolean): { readonly words: readonly number[]; readonly port: number } {
    const base = row * STATE_WORDS;
    const ports = word(this.words, base + KEY + 2);
    const lowest = word(this.words, base + KEY + (endIsLower ? 1 : 0));
    const own = row * UPPER_WORDS + (endIsLower ? 3 : 0);
    const uppers = this.isSix ? [0, 1, 2].map((w) => word(this.uppers, own + w)) : [];
    return { words: [...uppers, lowest], port: endIsLower ? ports & 0xffff : ports >>> 16 };
  }

  private sameUpper(row: number, isLower: boolean, other: number, otherIsLower: boolean): boolean {
    if (!this.isSix) return true;
    const a = row * UPPER_WORDS + (isLower ? 0 : 3);
    const b = other * UPPER_WORDS + (otherIsLower ? 0 : 3);
    return [0, 1, 2].every((w) => word(this.uppers, a + w) === word(this.uppers, b + w));
  }

  private hasUpper(row: number, records: Uint32Array, at: number, isLower: number): boolean {
    const { uppers } = this;
    const own = row * UPPER_WORDS;
    let unlike = 0;
    for (let w = 0; w < 3; w++) {
      const source = word(records, at + R_SOURCE_UPPER + w);
      const destination = word(records, at + R_DESTINATION_UPPER + w);
      const crossed = (source ^ destination) & isLower;
      unlike |= word(uppers, own + w) ^ destination ^ crossed;
      unlike |= word(uppers, own + 3 + w) ^ source ^ crossed;
    }
    return unlike === 0;
  }

  private insert(records: Uint32Array, at: number): number {
    if (this.used === this.capacity && this.capacity < this.limit) this.grow();
    if (this.used >= this.heads.length && this.heads.length < this.limit) this.spread();
    const hash = word(records, at + R_HASH);
    const row = this.roomIn(hash & this.mask);
    const { words, heads, sourceIsLower: isLower } = this;
    const base = row * STATE_WORDS;
    const ports = word(records, at + R_PORTS);
    words[base + HASH] = hash;
    words[base + KEY] = word(records, at + (isLower ? R_SOURCE : R_DESTINATION));
    words[base + KEY + 1] = word(records, at + (isLower ? R_DESTINATION : R_SOURCE));
    words[base + KEY + 2] = isLower ? ports : (ports << 16) | (ports >>> 16);
    words[base + KEY + 3] = word(records, at + R_TENANT);
    if (this.isSix) this.putUpper(row, records, at);
    const slot = hash & this.mask;
    words[base + NEXT_ROW] = word(heads, slot);
    heads[slot] = row + 1;
    return row;
  }

  private putUpper(row: number, records: Uint32Array, at: number): void {
    const { uppers, sourceIsLower } = this;
    const lower = at + (sourceIsLower ? R_SOURCE_UPPER : R_DESTINATION_UPPER);
    const higher = at + (sourceIsLower ? R_DESTINATION_UPPER : R_SOURCE_UPPER);
    for (let w = 0; w < 3; w++) {
      uppers[row * UPPER_WORDS + w] = word(records, lower + w);
      uppers[row * UPPER_WORDS + 3 + w] = word(records, higher + w);
    }
  }

  /** A row, all zeros, for a key of that slot. */
  private roomIn(slot: number): number {
    const crowded = this.lastOf(slot);
    if (crowded === NONE && this.used < this.capacity) return this.used++;
    const row = crowded === NONE ? this.leastUseful() : crowded - 1;
    this.evicted++;
    this.victim = row;
    this.unlink(row);
    this.forgotten(row);
    this.words.fill(0, row * STATE_WORDS, (row + 1) * STATE_WORDS);
    return row;
  }

  /** The last row of a slot that has as many as it may; NONE of others. */
  private lastOf(slot: number): number {
    let next = word(this.heads, slot);
    for (let steps = 1; next !== NONE; steps++) {
      if (steps === MAX_CHAIN) return next;
      next = word(this.words, (next - 1) * STATE_WORDS + NEXT_ROW);
    }
    return NONE;
  }

  private leastUseful(): number {
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
    return victim;
  }

  private unlink(row: number): void {
    const { heads, words } = this;
    const slot = word(words, row * STATE_WORDS + HASH) & this.mask;
    const after = word(words, row * STATE_WORDS + NEXT_ROW);
    let before = word(heads, slot);
    if (before === row + 1) {
      heads[slot] = after;
      return;
    }
    for (;;) {
      const at = (before - 1) * STATE_WORDS + NEXT_ROW;
      before = word(words, at);
      if (before !== row + 1) continue;
      words[at] = after;
      return;
    }
  }

  private grow(): void {
    const capacity = Math.min(this.capacity === 0 ? FIRST_CAPACITY : this.capacity * GROWTH, this.limit);
    this.capacity = capacity;
    const state = new ArrayBuffer(capacity * STATE_WORDS * 4 + LINE);
    const words = new Uint32Array(state, OFF_LINE, capacity * STATE_WORDS);
    words.set(this.words);
    this.words = words;
    this.times = new Float64Array(state, OFF_LINE, (capacity * STATE_WORDS) / 2);
    if (!this.isSix) return;
    const uppers = new Uint32Array(capacity * UPPER_WORDS);
    uppers.set(this.uppers);
    this.uppers = uppers;
  }

  /** More slots. The rows of one stay in their order, the newest first. */
  private spread(): void {
    const { words } = this;
    const heads = new Uint32Array(Math.min(Math.max(FIRST_CAPACITY, this.heads.length * SLOTS_GROWTH), this.limit));
    const mask = heads.length - 1;
    for (let row = 0; row < this.used; row++) {
      const base = row * STATE_WORDS;
      const slot = word(words, base + HASH) & mask;
      words[base + NEXT_ROW] = word(heads, slot);
      heads[slot] = row + 1;
    }
    this.heads = heads;
    this.mask = mask;
  }
}
