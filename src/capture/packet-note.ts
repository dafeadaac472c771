/**
 * Which of a packet's comments are rstscope's own: those that `-w` writes on the frames of resets.
 *
 * The others are of no use here and are never kept, however many a capture has. Knows nothing of what a comment says.
 */

import { u8 } from '../base/bytes.js';

/** Every packet comment of ours begins with it. */
export const PACKET_MARK = 'rstscope:';

/** Bytes of a comment that are kept; what `-w` writes is shorter. */
export const MAX_PACKET_COMMENT = 16 * 1024;

const MARK = new TextEncoder().encode(PACKET_MARK);

/** Whether the comment from `at` to `end` is one of ours, by its first bytes alone. */
export function isOwnComment(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at >= MARK.length && MARK.every((byte, i) => u8(bytes, at + i) === byte);
}
