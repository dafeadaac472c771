/**
 * What a record header of classic pcap claims, and whether to believe it.
 *
 * Used where the plain reading stops: a header alone proves little, so what follows the record is looked at too.
 */

import { u32, u32le } from '../base/bytes.js';
import type { ByteWindow } from './byte-window.js';
import type { ClassicHeader } from './classic-format.js';

/** A record's two lengths and time as its header claims them. */
export interface Claim {
  captured: number;
  original: number;
  seconds: number;
  /** Of the second, in nanoseconds. */
  nanos: number;
}

/** Records that must follow one another before a place after damage is believed. */
const CHAIN = 3;
/** Fewer do at the file's end. */
const CHAIN_AT_END = 2;
/** Neighbours that lie further apart in time are odd. */
export const PLAUSIBLE_SECONDS = 366 * 86400;
/** A smaller snapshot length than this is not believed when looking for records. */
const MIN_PLAUSIBLE_SNAPLEN = 64;

export function readClaim(bytes: Uint8Array, at: number, header: ClassicHeader): Claim {
  const word = header.littleEndian ? u32le : u32;
  const first = word(bytes, at + 8);
  const second = word(bytes, at + 12);
  const swap = header.order === 'original-first' || (header.order === 'either' && first > second);
  return {
    captured: swap ? second : first,
    original: swap ? first : second,
    seconds: word(bytes, at),
    nanos: word(bytes, at + 4) * header.nanosPerFraction,
  };
}

/** Odd records are damage, or a writer's habit: what follows them tells. `last` is the time before it, or -1. */
export function isOdd(claim: Claim, header: ClassicHeader, last: number): boolean {
  const { captured, original, seconds } = claim;
  return captured > original || captured > header.ordinary || captured === 0 || (last >= 0 && !near(seconds, last));
}

/**
 * Whether an odd record is a record all the same, by the header at `next` behind it; null: the file ends behind it.
 * `last` is the time of the record before, or -1.
 */
export function isSound(
  claim: Claim,
  bytes: Uint8Array,
  next: number | null,
  header: ClassicHeader,
  last: number,
): boolean {
  if (claim.captured > header.limit || (isBlank(claim) && last > 0)) return false;
  if (next === null) return true;
  const follower = readClaim(bytes, next, header);
  const { captured, original, seconds, nanos } = follower;
  if (captured > header.limit || nanos >= 1e9 || (isBlank(follower) && !isBlank(claim))) return false;
  return (captured > 0 && captured <= original) || near(seconds, claim.seconds) || near(seconds, last);
}

/** All zeros: what a crash leaves where a file was made longer and never written. */
function isBlank({ captured, original, seconds, nanos }: Claim): boolean {
  return captured === 0 && original === 0 && seconds === 0 && nanos === 0;
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= PLAUSIBLE_SECONDS;
}

/**
 * Moves the window to the next place behind its position where records follow one another, or a few end with the file;
 * false, and at the end, when there is none. `last` is the time of the last good record, or -1.
 */
export async function nextRecord(window: ByteWindow, header: ClassicHeader, last: number): Promise<boolean> {
  const longest = Math.max(header.ordinary, MIN_PLAUSIBLE_SNAPLEN);
  window.at += 1;
  for (;;) {
    if (scan(window, header, longest)) {
      if (await chainAt(window, header, longest, last)) return true;
      window.at += 1;
    } else if (!(await window.fill(header.recordHeader))) {
      return false;
    }
  }
}

/** Moves to the next header within the window whose lengths are possible; false when it is used up. */
function scan(window: ByteWindow, header: ClassicHeader, longest: number): boolean {
  const { bytes } = window;
  const { littleEndian, order, limit } = header;
  const end = window.end - header.recordHeader;
  let at = window.at;
  for (; at <= end; at++) {
    const first = littleEndian ? u32le(bytes, at + 8) : u32(bytes, at + 8);
    const second = littleEndian ? u32le(bytes, at + 12) : u32(bytes, at + 12);
    if (first > limit || second > limit) continue;
    const swap = order === 'original-first' || (order === 'either' && first > second);
    const captured = swap ? second : first;
    if (captured > 0 && captured <= longest && captured <= (swap ? first : second)) break;
  }
  window.at = at;
  return at <= end;
}

async function chainAt(window: ByteWindow, header: ClassicHeader, longest: number, last: number): Promise<boolean> {
  const { recordHeader } = header;
  let ahead = 0;
  let before = last;
  for (let i = 0; i < CHAIN; i++) {
    const need = ahead + recordHeader;
    if (window.available < need && !(await window.fill(need))) {
      return window.available >= ahead && (i >= CHAIN_AT_END || (i > 0 && window.available === ahead));
    }
    const claim = readClaim(window.bytes, window.at + ahead, header);
    const { captured, original, seconds, nanos } = claim;
    if (captured === 0 || captured > longest || captured > original || original > header.limit) return false;
    if (nanos >= 1e9 || (before >= 0 && !near(seconds, before))) return false;
    before = seconds;
    ahead += recordHeader + captured;
  }
  return true;
}
