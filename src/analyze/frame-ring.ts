/**
 * The last TCP frames, their bytes and whose connection they are of: a ring that is bounded in bytes and in frames.
 *
 * Nothing is allocated for a frame: bytes lie in slabs, what is noted of each in one array of words. Knows batches and
 * no files, nothing of resets and of what becomes of a frame that leaves.
 */

import { value, word } from '../base/bytes.js';
import type { FrameBatch } from '../capture/frame-batch.js';
import {
  FLAGS_MASK,
  R_ACK,
  R_DESTINATION,
  R_FLAGS,
  R_HASH,
  R_LENGTH,
  R_PORTS,
  R_SEQ,
  R_SOURCE,
  R_WINDOW_ID,
  RECORD_WORDS,
  SOURCE_IS_LOWER,
} from '../decode/record-layout.js';
import { mix, recordOf } from '../decode/records.js';
import { RST } from '../decode/net/tcp-layout.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import {
  BUCKETS,
  E_AT,
  E_BEFORE,
  E_CAPTURED,
  E_FILE,
  E_FRAME,
  E_HASH,
  E_HIGHER,
  E_INTERFACE,
  E_LOWER,
  E_MARK,
  E_NANOS,
  E_ORIGINAL,
  E_PORTS,
  E_SECONDS,
  E_SEGMENT,
  E_TIMED,
  ENTRY_WORDS,
  GAP,
  IS_RESET,
  IS_TIMED,
  LEAST_SLABS,
  MOST_ENTRIES,
  SLAB,
} from './ring-layout.js';

/** Which connections' frames are held; null: all. */
export type Admission = ((hash: number) => boolean) | null;

export class FrameRing {
  /** Numbers of the frames that are held: from `oldest` up to, not including, `next`. */
  oldest = 0;
  next = 0;
  /** ENTRY_WORDS a frame. Memory that was never written takes none. */
  private readonly words: Uint32Array;
  private readonly mask: number;
  private readonly mostSlabs: number;
  private readonly slabs: Uint8Array[] = [];
  /** Slabs without frames, and those with, the oldest first. */
  private readonly free: number[] = [];
  private readonly used: number[] = [];
  /** What is used of the newest slab. */
  private filled = SLAB;
  /** By the lowest bits of the hash: the newest frame that is no reset; −1: there was none. */
  private readonly heads = new Float64Array(BUCKETS).fill(-1);
  private readonly record = new Uint32Array(2 * RECORD_WORDS);
  private readonly admits: Admission;
  private readonly leaves: (frame: number) => void;
  private seconds = 0;
  private nanos = 0;

  /** At most so many bytes of frames, two slabs at least, and so many frames, a power of two. `leaves` hears of each frame while it is still there. */
  constructor(bytes: number, admits: Admission, leaves: (frame: number) => void, entries = MOST_ENTRIES) {
    this.mostSlabs = Math.max(LEAST_SLABS, Math.floor(bytes / SLAB));
    this.words = new Uint32Array(entries * ENTRY_WORDS);
    this.mask = entries - 1;
    this.admits = admits;
    this.leaves = leaves;
  }

  /** Time of the newest frame. */
  get time(): number {
    return this.seconds + this.nanos * 1e-9;
  }

  /** Takes the frames of a batch that have segments. */
  add(s: SegmentBatch, frames: FrameBatch, file: number): void {
    let i = 0;
    while (i < s.count) {
      if (!this.isWanted(s, i)) {
        i++;
        continue;
      }
      i = this.addRun(s, i, frames, file);
    }
  }

  /** Leaves the record of row `i` behind. */
  private isWanted(s: SegmentBatch, i: number): boolean {
    recordOf(s, i, this.record);
    return this.admits === null || this.admits(word(this.record, R_HASH));
  }

  /** Copies, in one go, the frames from row `from` on that lie beside each other. @returns the row behind them. */
  private addRun(s: SegmentBatch, from: number, frames: FrameBatch, file: number): number {
    const begin = word(frames.start, word(s.frame, from));
    let end = begin + word(frames.captured, word(s.frame, from));
    let to = from + 1;
    while (to < s.count) {
      const at = word(frames.start, word(s.frame, to));
      const after = at + word(frames.captured, word(s.frame, to));
      if (at < end || at - end > GAP || after - begin > SLAB || !this.isWanted(s, to)) break;
      end = after;
      to++;
    }
    // What does not fit into a slab is no frame of TCP headers.
    const length = Math.min(end - begin, SLAB);
    const base = this.roomFor(length);
    const slab = base >>> 20;
    (this.slabs[slab] ?? new Uint8Array(SLAB)).set(frames.bytes.subarray(begin, begin + length), base & (SLAB - 1));
    for (let i = from; i < to; i++) {
      recordOf(s, i, this.record);
      this.note(s, i, frames, file, base - begin);
    }
    return to;
  }

  private note(s: SegmentBatch, i: number, frames: FrameBatch, file: number, shift: number): void {
    if (this.next - this.oldest > this.mask) this.dropOldest();
    const { record: r } = this;
    const frame = word(s.frame, i);
    const number = this.next;
    const at = (number & this.mask) * ENTRY_WORDS;
    const { words } = this;
    const hash = word(r, R_HASH);
    const flags = word(r, R_FLAGS);
    const isLower = (flags & SOURCE_IS_LOWER) !== 0;
    const ports = word(r, R_PORTS);
    const seconds = value(s.seconds, i);
    const isTimed = seconds >= 0;
    if (isTimed) {
      this.seconds = seconds;
      this.nanos = value(s.nanos, i);
    }
    const bucket = hash & (BUCKETS - 1);
    const before = value(this.heads, bucket);
    words[at + E_HASH] = hash;
    words[at + E_LOWER] = word(r, isLower ? R_SOURCE : R_DESTINATION);
    words[at + E_HIGHER] = word(r, isLower ? R_DESTINATION : R_SOURCE);
    words[at + E_PORTS] = isLower ? ports : (ports << 16) | (ports >>> 16);
    words[at + E_SEGMENT] = mix(
      word(r, R_SEQ),
      word(r, R_ACK),
      (flags & FLAGS_MASK) ^ ports,
      word(r, R_LENGTH) ^ word(r, R_WINDOW_ID),
    );
    words[at + E_AT] = word(frames.start, frame) + shift;
    words[at + E_CAPTURED] = Math.min(word(frames.captured, frame), SLAB);
    words[at + E_ORIGINAL] = word(frames.original, frame);
    words[at + E_INTERFACE] = word(frames.iface, frame);
    words[at + E_FILE] = file;
    words[at + E_FRAME] = frame;
    words[at + E_SECONDS] = this.seconds;
    words[at + E_NANOS] = this.nanos;
    words[at + E_TIMED] = isTimed ? IS_TIMED : 0;
    words[at + E_MARK] = (flags & RST) === 0 ? 0 : IS_RESET;
    words[at + E_BEFORE] = before < this.oldest ? 0 : number - before;
    this.next++;
    // A reset is never what led up to another one: whoever looks for that passes by no resets.
    if ((flags & RST) === 0) this.heads[bucket] = number;
  }

  /** Where in the slabs so many bytes find room: the slab's number and the place in it. */
  private roomFor(length: number): number {
    if (SLAB - this.filled < length) {
      this.openSlab();
      this.filled = 0;
    }
    const base = (this.used.at(-1) ?? 0) * SLAB + this.filled;
    this.filled += length;
    return base;
  }

  private openSlab(): void {
    const { free, used, slabs } = this;
    if (free.length === 0 && slabs.length >= this.mostSlabs) {
      const oldest = used[0] ?? 0;
      while (this.oldest < this.next && this.slabOf(this.oldest) === oldest) this.dropOldest();
      this.freeSlabs();
    }
    used.push(free.pop() ?? slabs.push(new Uint8Array(SLAB)) - 1);
  }

  /** Slabs before that of the oldest frame hold nothing any more. */
  private freeSlabs(): void {
    const { free, used } = this;
    const first = this.oldest < this.next ? this.slabOf(this.oldest) : -1;
    while (used.length > 0 && used[0] !== first) free.push(used.shift() ?? 0);
    if (used.length === 0) this.filled = SLAB;
  }

  private slabOf(frame: number): number {
    return this.read(frame, E_AT) >>> 20;
  }

  private dropOldest(): void {
    this.leaves(this.oldest);
    this.oldest++;
  }

  /** Lets go of the frames from before `seconds`; of all with Infinity. */
  expire(seconds: number): void {
    const before = this.oldest;
    while (this.oldest < this.next && this.timeOf(this.oldest) < seconds) this.dropOldest();
    if (this.oldest > before) this.freeSlabs();
  }

  /** A word of what is noted of a frame that is held. */
  read(frame: number, what: number): number {
    return word(this.words, (frame & this.mask) * ENTRY_WORDS + what);
  }

  mark(frame: number, bits: number): void {
    const at = (frame & this.mask) * ENTRY_WORDS + E_MARK;
    this.words[at] = word(this.words, at) | bits;
  }

  timeOf(frame: number): number {
    return this.read(frame, E_SECONDS) + this.read(frame, E_NANOS) * 1e-9;
  }

  /** A copy of its bytes. */
  bytesOf(frame: number): Uint8Array {
    const at = this.read(frame, E_AT);
    const from = at & (SLAB - 1);
    return (this.slabs[at >>> 20] ?? new Uint8Array(0)).slice(from, from + this.read(frame, E_CAPTURED));
  }

  /** The newest frame in the bucket of `frame` that is no reset; −1: none is held. */
  newestLike(frame: number): number {
    const newest = value(this.heads, this.read(frame, E_HASH) & (BUCKETS - 1));
    return newest < this.oldest ? -1 : newest;
  }

  /** The one before `frame` in its bucket; −1: none is held. */
  before(frame: number): number {
    const apart = this.read(frame, E_BEFORE);
    return apart === 0 || frame - apart < this.oldest ? -1 : frame - apart;
  }

  /** Whether both frames are of one connection. */
  areOfOne(a: number, b: number): boolean {
    const [x, y] = [(a & this.mask) * ENTRY_WORDS, (b & this.mask) * ENTRY_WORDS];
    const { words } = this;
    return (
      ((word(words, x + E_HASH) ^ word(words, y + E_HASH)) |
        (word(words, x + E_LOWER) ^ word(words, y + E_LOWER)) |
        (word(words, x + E_HIGHER) ^ word(words, y + E_HIGHER)) |
        (word(words, x + E_PORTS) ^ word(words, y + E_PORTS))) ===
      0
    );
  }
}
