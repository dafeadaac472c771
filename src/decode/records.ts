/**
 * TCP segments as the following of connections takes them: one record of words for each, in the order of the frames.
 *
 * Knows the layout of a record and nothing of what it means. The sieve fills records straight from the frames; a row of
 * the walk becomes one by `recordOf`. A record of IPv6 takes two places, the upper words of the addresses in the second.
 */

import { num, word } from '../base/bytes.js';
import type { SegmentBatch } from './segment-batch.js';

/** Words a place: a cache line. */
export const RECORD_WORDS = 16;

/** IPv4 address, or the last word of an IPv6 one. */
export const R_SOURCE = 0;
export const R_DESTINATION = 1;
/** Source port in the upper half, destination port in the lower. */
export const R_PORTS = 2;
/** Number of the tenant; the IP version in the upper byte keeps an IPv4-mapped IPv6 address apart from the IPv4 one. */
export const R_TENANT = 3;
export const R_SEQ = 4;
export const R_ACK = 5;
/** TCP flags in the lower twelve bits, and the bits below. */
export const R_FLAGS = 6;
/** Window in the upper half, IP ID in the lower. */
export const R_WINDOW_ID = 7;
export const R_LENGTH = 8;
/** TSval; meaningless without HAS_TIMESTAMP. */
export const R_TIMESTAMP = 9;
/** Seconds since 1970 and nanoseconds; meaningless with NO_TIME. */
export const R_SECONDS = 10;
export const R_NANOS = 11;
/** The frame's number, its lower 32 bits. */
export const R_NUMBER = 12;
/** A hash of both ends and the tenant, the same for both directions. */
export const R_HASH = 13;
/** In the second place of IPv6: the first three words of the source, and of the destination. */
export const R_SOURCE_UPPER = 16;
export const R_DESTINATION_UPPER = 19;

export const FLAGS_MASK = 0xfff;
export const TTL_SHIFT = 12;
export const HAS_TIMESTAMP = 1 << 20;
export const IS_IPV6 = 1 << 21;
export const DONT_FRAGMENT = 1 << 22;
export const NO_TIME = 1 << 23;
/** The capture cut the window off. */
export const NO_WINDOW = 1 << 24;
export const HAS_SCALE = 1 << 25;
export const SCALE_SHIFT = 26;
/** The source is the lower end of both: by address, then by port. */
export const SOURCE_IS_LOWER = 1 << 30;

/** In the tenant's word: the IP version. */
export const IPV4_TENANT = 4 << 24;
export const IPV6_TENANT = 6 << 24;
/** A window's scale is at most 14 (RFC 7323 2.3). */
export const MAX_SCALE = 14;

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
