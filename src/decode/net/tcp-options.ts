/**
 * TCP options (RFC 9293 3.1, RFC 7323): the timestamps, which tell one segment from its retransmission and its sender
 * from somebody else, and a SYN's window scale.
 *
 * A list that claims more than the header holds ends there; nothing is guessed.
 */

import { u32, u8 } from '../../base/bytes.js';

const END = 0;
const NO_OPERATION = 1;
const WINDOW_SCALE = 3;
const WINDOW_SCALE_LENGTH = 3;
const TIMESTAMPS = 8;
const TIMESTAMPS_LENGTH = 10;

/** Offset of TSval in the options from `from` to `to`; −1 where there is none. */
export function timestampsAt(bytes: Uint8Array, from: number, to: number): number {
  return valueAt(bytes, from, to, TIMESTAMPS, TIMESTAMPS_LENGTH);
}

/** Shift count of the window scale in the options from `from` to `to`; −1 where there is none. */
export function windowScale(bytes: Uint8Array, from: number, to: number): number {
  const at = valueAt(bytes, from, to, WINDOW_SCALE, WINDOW_SCALE_LENGTH);
  return at < 0 ? -1 : u8(bytes, at);
}

/** Offset of the value of the first option of that kind and length; −1 where there is none. */
function valueAt(bytes: Uint8Array, from: number, to: number, wanted: number, itsLength: number): number {
  let at = from;
  while (at < to) {
    const kind = u8(bytes, at);
    if (kind === END) return -1;
    if (kind === NO_OPERATION) {
      at += 1;
      continue;
    }
    if (to - at < 2) return -1;
    const length = u8(bytes, at + 1);
    if (length < 2 || length > to - at) return -1;
    if (kind === wanted && length === itsLength) return at + 2;
    at += length;
  }
  return -1;
}

/** TSval of the options from `from` to `to`, −1 where there is none. */
export function timestampValue(bytes: Uint8Array, from: number, to: number): number {
  const at = timestampsAt(bytes, from, to);
  return at < 0 ? -1 : u32(bytes, at);
}
