/**
 * pcapng options: a list of code, length and value, padded to four bytes (draft-ietf-opsawg-pcapng 3.5).
 *
 * Knows the codes that rstscope uses. An option that claims more than its block holds ends the list.
 */

import { u16, u16le } from '../base/bytes.js';

export const OPT_END = 0;
export const OPT_COMMENT = 1;
export const IF_NAME = 2;
export const IF_TSRESOL = 9;
export const IF_TSOFFSET = 14;
export const EPB_FLAGS = 2;
export const EPB_DROPCOUNT = 4;
export const ISB_IFDROP = 5;
export const ISB_OSDROP = 7;

const HEADER = 4;

/** Calls `visit` with each option's code and the bounds of its value. */
export function eachOption(
  bytes: Uint8Array,
  from: number,
  to: number,
  littleEndian: boolean,
  visit: (code: number, at: number, end: number) => void,
): void {
  const half = littleEndian ? u16le : u16;
  let at = from;
  while (to - at >= HEADER) {
    const code = half(bytes, at);
    const length = half(bytes, at + 2);
    if (code === OPT_END || length > to - at - HEADER) return;
    visit(code, at + HEADER, at + HEADER + length);
    at += HEADER + ((length + 3) & ~3);
  }
}
