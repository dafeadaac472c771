/**
 * What a pcapng packet's options say beside its bytes: rstscope's own comments, direction, packets lost before it.
 */

import { u16, u16le, u32, u32le } from '../base/bytes.js';
import { utf8 } from '../base/text.js';
import type { FrameBatch, FrameNote } from './frame-batch.js';
import { isOwnComment, MAX_PACKET_COMMENT } from './packet-note.js';
import { countDrops, unsigned64, type Reading } from './pcapng-interface.js';
import { EPB_DROPCOUNT, EPB_FLAGS, OPT_COMMENT, OPT_END } from './pcapng-options.js';

const HEADER = 4;
const MAX_COMMENTS = 4;

const INBOUND: FrameNote = { comments: [], direction: 'inbound' };
const OUTBOUND: FrameNote = { comments: [], direction: 'outbound' };

/**
 * Takes the options from `from` to `to` of frame `n` of the batch. As `eachOption`, but some captures have options with
 * every frame: nothing is made for one that only states its direction.
 */
export function takeNotes(
  batch: FrameBatch,
  n: number,
  reading: Reading,
  bytes: Uint8Array,
  from: number,
  to: number,
  littleEndian: boolean,
): void {
  let comments: string[] | null = null;
  let way = 0;
  for (let at = from; to - at >= HEADER;) {
    const code = littleEndian ? u16le(bytes, at) : u16(bytes, at);
    const length = littleEndian ? u16le(bytes, at + 2) : u16(bytes, at + 2);
    const value = at + HEADER;
    if (code === OPT_END || length > to - value) break;
    if (code === OPT_COMMENT) {
      if (isOwnComment(bytes, value, value + length)) comments = withOne(comments, bytes, value, length);
    } else if (code === EPB_FLAGS && length >= 4) {
      way = (littleEndian ? u32le(bytes, value) : u32(bytes, value)) & 3;
    } else if (code === EPB_DROPCOUNT && length >= 8) {
      countDrops(reading, unsigned64(bytes, value, littleEndian));
    }
    at = value + ((length + 3) & ~3);
  }
  const plain = way === 1 ? INBOUND : way === 2 ? OUTBOUND : null;
  if (comments !== null) batch.notes.set(n, { comments, direction: plain?.direction ?? null });
  else if (plain !== null) batch.notes.set(n, plain);
}

function withOne(before: string[] | null, bytes: Uint8Array, at: number, length: number): string[] {
  const comments = before ?? [];
  if (comments.length >= MAX_COMMENTS) return comments;
  comments.push(utf8(bytes.subarray(at, at + Math.min(length, MAX_PACKET_COMMENT))));
  return comments;
}
