/**
 * The comments that rstscope itself wrote on the frames of resets, taken from the frames' batch, which is overwritten
 * by the next one.
 *
 * Knows nothing of what a comment says. Most captures have none: they lie beside the rows, by row.
 */

import { num, word } from '../base/bytes.js';
import type { FrameBatch } from '../capture/frame-batch.js';
import { RST } from '../decode/net/tcp-layout.js';
import type { SegmentBatch } from '../decode/segment-batch.js';

/** By row of the segments, of rows with RST. A frame may have several; the first one counts. */
export type RowComments = ReadonlyMap<number, string>;

export const NO_COMMENTS: RowComments = new Map();

/**
 * Puts the comments of the rows from `from` on into `into`; these rows are of `frames`.
 * @returns their characters.
 */
export function takeComments(
  frames: FrameBatch,
  segments: SegmentBatch,
  from: number,
  into: Map<number, string>,
): number {
  const { notes } = frames;
  let characters = 0;
  if (notes.size === 0) return characters;
  for (let row = from; row < segments.count; row++) {
    if ((num(segments.flags, row) & RST) === 0) continue;
    const comment = notes.get(word(segments.frame, row))?.comments[0];
    if (comment === undefined) continue;
    into.set(row, comment);
    characters += comment.length;
  }
  return characters;
}
