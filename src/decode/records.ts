/**
 * TCP segments as the following of connections takes them: one record of words for each, in the order of the frames.
 *
 * Knows the layout of a record (record-layout.ts) and nothing of what it means. The sieve fills records straight from the frames; a row of
 * the walk becomes one by `recordOf`. A record of IPv6 takes two places, the upper words of the addresses in the second.
 */

import { num, word } from '../base/bytes.js';
import {
  DONT_FRAGMENT,
  HAS_SCALE,
  HAS_TIMESTAMP,
  IPV4_TENANT,
  IPV6_TENANT,
  IS_IPV6,
  MAX_SCALE,
  NO_TIME,
  NO_WINDOW,
  RECORD_WORDS,
  R_ACK,
  R_DESTINATION,
  R_DESTINATION_UPPER,
  R_FLAGS,
  R_HASH,
  R_LENGTH,
  R_NANOS,
  R_NUMBER,
  R_PORTS,
  R_SECONDS,
  R_SEQ,
  R_SOURCE,
  R_SOURCE_UPPER,
  R_TENANT,
  R_TIMESTAMP,
  R_WINDOW_ID,
  SCALE_SHIFT,
  SOURCE_IS_LOWER,
  TTL_SHIFT,
} from './record-layout.js';
import type { SegmentBatch } from './segment-batch.js';

/** Places that are filled in order. */
export class Records {
  /** Places taken. */
  count = 0;
  readonly capacity: number;
  words: Uint32Array;

  constructor(capacity: number, words: Uint32Array = new Uint32Array(capacity * RECORD_WORDS)) {
    this.capacity = capacity;
    this.words = words;
  }

  /** Goes on in another place of the same size, which holds `count` records. */
  moveTo(words: Uint32Array, count: number): void {
    this.words = words;
    this.count = count;
  }

  clear(): void {
    this.count = 0;
  }
}

/** The tenant's word of untagged traffic. */
export function untagged(version: 4 | 6): number {
  return version === 4 ? IPV4_TENANT : IPV6_TENANT;
}

/** Row `i` of the walk's rows as a record at the beginning of `into`, which has two places. */
export function recordOf(s: SegmentBatch, i: number, into: Uint32Array): void {
  const at = i * 4;
  const isSix = num(s.ipVersion, i) === 6;
  const seconds = num(s.seconds, i);
  const timestamp = num(s.timestamp, i);
  const window = num(s.window, i);
  const scale = num(s.windowScale, i);
  let flags = num(s.flags, i) | (num(s.ttl, i) << TTL_SHIFT);
  if (timestamp >= 0) flags |= HAS_TIMESTAMP;
  if (isSix) flags |= IS_IPV6;
  if (num(s.dontFragment, i) !== 0) flags |= DONT_FRAGMENT;
  if (Number.isNaN(seconds)) flags |= NO_TIME;
  if (window < 0) flags |= NO_WINDOW;
  if (scale <= MAX_SCALE) flags |= HAS_SCALE | (scale << SCALE_SHIFT);
  into[R_SOURCE] = word(s.source, at + 3);
  into[R_DESTINATION] = word(s.destination, at + 3);
  into[R_PORTS] = (num(s.sourcePort, i) << 16) | num(s.destinationPort, i);
  into[R_TENANT] = word(s.tenant, i) ^ (isSix ? IPV6_TENANT : IPV4_TENANT);
  into[R_SEQ] = num(s.seq, i);
  into[R_ACK] = num(s.ack, i);
  into[R_FLAGS] = flags;
  into[R_WINDOW_ID] = (Math.max(window, 0) << 16) | (num(s.ipId, i) & 0xffff);
  into[R_LENGTH] = num(s.payloadLength, i);
  into[R_TIMESTAMP] = timestamp;
  into[R_SECONDS] = seconds;
  into[R_NANOS] = num(s.nanos, i);
  into[R_NUMBER] = num(s.number, i);
  if (!isSix) {
    sealFour(into, 0);
    return;
  }
  for (let w = 0; w < 3; w++) {
    into[R_SOURCE_UPPER + w] = word(s.source, at + w);
    into[R_DESTINATION_UPPER + w] = word(s.destination, at + w);
  }
  sealSix(into, 0);
}

/** Puts order and hash of the ends into a record of IPv4 that is whole else. */
export function sealFour(words: Uint32Array, at: number): void {
  const source = word(words, at + R_SOURCE);
  const destination = word(words, at + R_DESTINATION);
  const ports = word(words, at + R_PORTS);
  const swapped = (ports << 16) | (ports >>> 16);
  const areTwo = bitsOf(source ^ destination);
  const isLower = (below(source, destination) & areTwo) | ~(below(swapped, ports) | areTwo);
  const crossed = (source ^ destination) & isLower;
  words[at + R_FLAGS] = word(words, at + R_FLAGS) | (isLower & SOURCE_IS_LOWER);
  const own = swapped ^ ((ports ^ swapped) & isLower);
  words[at + R_HASH] = mix(destination ^ crossed, source ^ crossed, own, word(words, at + R_TENANT));
}

/** The same of IPv6. */
export function sealSix(words: Uint32Array, at: number): void {
  const ports = word(words, at + R_PORTS);
  const swapped = (ports << 16) | (ports >>> 16);
  // The last word that differs in this order decides.
  let isLower = ~below(swapped, ports);
  isLower = decide(isLower, word(words, at + R_SOURCE), word(words, at + R_DESTINATION));
  for (let w = 2; w >= 0; w--) {
    isLower = decide(isLower, word(words, at + R_SOURCE_UPPER + w), word(words, at + R_DESTINATION_UPPER + w));
  }
  words[at + R_FLAGS] = word(words, at + R_FLAGS) | (isLower & SOURCE_IS_LOWER);
  let h = 0;
  for (let w = 0; w < 3; w++) {
    const source = word(words, at + R_SOURCE_UPPER + w);
    const destination = word(words, at + R_DESTINATION_UPPER + w);
    const crossed = (source ^ destination) & isLower;
    h = Math.imul(h ^ destination ^ crossed, 0x85ebca6b) ^ Math.imul(source ^ crossed, 0xc2b2ae35);
    h ^= h >>> 15;
  }
  const source = word(words, at + R_SOURCE);
  const destination = word(words, at + R_DESTINATION);
  const crossed = (source ^ destination) & isLower;
  const own = swapped ^ ((ports ^ swapped) & isLower);
  words[at + R_HASH] = mix(destination ^ crossed ^ h, source ^ crossed, own, word(words, at + R_TENANT));
}

/** `before` where `a` and `b` are equal, else whether `a` is below `b`. */
function decide(before: number, a: number, b: number): number {
  const areTwo = bitsOf(a ^ b);
  return (before & ~areTwo) | (below(a, b) & areTwo);
}

/*
 * Which end is the lower one changes from frame to frame, so that a processor guesses every other branch on it wrong:
 * the following say yes by all bits and no by none.
 */

/** Whether `a` is below `b`, as unsigned words. */
export function below(a: number, b: number): number {
  return ((~a & b) | ((~a | b) & (a - b))) >> 31;
}

/** Whether any bit is set. */
export function bitsOf(a: number): number {
  return (a | (0 - a)) >> 31;
}

/** A hash of four words. */
export function mix(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ b, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15) ^ c, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ d, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
