/**
 * Finds the next place, after damage in a pcapng file, where blocks can be read again.
 *
 * Believes in a block of a known type whose two lengths agree and behind which another one begins, or the file ends.
 */

import { num, u32, u32le } from '../base/bytes.js';
import type { ByteWindow } from './byte-window.js';

export const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Type, total length, total length again. */
export const BLOCK_FRAME = 12;
/** libpcap's INITIAL_MAX_BLOCKSIZE: a longer block is damage. */
export const MAX_BLOCK = 16 * 1024 * 1024;
/** After damage a block is believed only where it is at most this long: each guess needs the whole block at hand. */
const MAX_BELIEVED = 1024 * 1024;
const SECTION_MIN = 28;
/** The least length of the block types 1 to 6: interface, obsolete and simple packet, names, statistics, packet. */
const LEAST_LENGTH = Float64Array.of(Infinity, 20, 32, 16, 12, 24, 32);

/** Whether a section header at `at` is little-endian; null where it states no byte order. Reads twelve bytes. */
export function sectionOrder(bytes: Uint8Array, at: number): boolean | null {
  if (u32le(bytes, at + 8) === BYTE_ORDER_MAGIC) return true;
  return u32(bytes, at + 8) === BYTE_ORDER_MAGIC ? false : null;
}

/** The byte order of the section that the search is in; null: not known, so that only another section can be found. */
type Order = boolean | null;

/** Moves the window to the next believable block behind its position; false, and at the end, when there is none. */
export async function nextBlock(window: ByteWindow, littleEndian: Order): Promise<boolean> {
  window.at += 1;
  for (;;) {
    if (scan(window, littleEndian)) {
      if (await believable(window, littleEndian)) return true;
      window.at += 1;
    } else if (!(await window.fill(BLOCK_FRAME))) {
      return false;
    }
  }
}

/** Moves to the next block head within the window; false when it is used up. */
function scan(window: ByteWindow, littleEndian: Order): boolean {
  const { bytes } = window;
  const last = window.end - BLOCK_FRAME;
  let at = window.at;
  while (at <= last && headLength(bytes, at, littleEndian) === 0) at++;
  window.at = at;
  return at <= last;
}

/** The total length that a block head of a known type claims at `at`; 0 where there is none. */
function headLength(bytes: Uint8Array, at: number, littleEndian: Order): number {
  if (u32le(bytes, at) === SECTION_HEADER) {
    const order = sectionOrder(bytes, at);
    return order === null ? 0 : believed(order ? u32le(bytes, at + 4) : u32(bytes, at + 4), SECTION_MIN);
  }
  if (littleEndian === null) return 0;
  const type = littleEndian ? u32le(bytes, at) : u32(bytes, at);
  if (type >= LEAST_LENGTH.length) return 0;
  return believed(littleEndian ? u32le(bytes, at + 4) : u32(bytes, at + 4), num(LEAST_LENGTH, type));
}

function believed(total: number, least: number): number {
  return total >= least && total <= MAX_BELIEVED && total % 4 === 0 ? total : 0;
}

async function believable(window: ByteWindow, littleEndian: Order): Promise<boolean> {
  const total = headLength(window.bytes, window.at, littleEndian);
  if (window.available < total && !(await window.fill(total))) return false;
  const isSection = u32le(window.bytes, window.at) === SECTION_HEADER;
  const word = (isSection ? sectionOrder(window.bytes, window.at) : littleEndian) === true ? u32le : u32;
  if (word(window.bytes, window.at + total - 4) !== total) return false;
  // Any type may follow: only its length is looked at, and behind the last block nothing is.
  const following = total + BLOCK_FRAME;
  if (window.available < following && !(await window.fill(following))) return true;
  const next = window.at + total;
  if (u32le(window.bytes, next) === SECTION_HEADER) return sectionOrder(window.bytes, next) !== null;
  const length = word(window.bytes, next + 4);
  return length >= BLOCK_FRAME && length <= MAX_BLOCK;
}
