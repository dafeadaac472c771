/** What the state of a connection (state-layout.ts) says to whoever finds and keeps connections. */

import { value, word } from '../base/bytes.js';
import { SOURCE_IS_LOWER } from '../decode/record-layout.js';
import {
  BITS,
  BOTH_FINS,
  ESTABLISHED,
  FIRST_AT,
  HIGHER,
  LOWER,
  LOWER_SHIFT,
  RESET_SEEN,
  SYN_ACK_SEEN,
  SYN_SEEN,
  S_LAST_AT,
  WATCHED,
} from './state-layout.js';

/** Far beyond every time since 1970. */
const CLASS = 1e12;

/** What a connection is worth keeping: one that has ended the least, then a handshake, then the longest idle. */
export function useOf(words: Uint32Array, times: Float64Array, row: number): number {
  const lastAt = lastOf(times, row);
  const bits = word(words, row + BITS);
  if ((bits & WATCHED) !== 0) return 3 * CLASS + lastAt;
  const ended = (bits & RESET_SEEN) !== 0 || (bits & BOTH_FINS) === BOTH_FINS;
  if (ended) return lastAt;
  const beyond = (bits & ESTABLISHED) !== 0 || (bits & (SYN_SEEN | SYN_ACK_SEEN)) === 0;
  return (beyond ? 2 * CLASS : CLASS) + lastAt;
}

/** Time of the last segment of either side (or of the first reset); `row` is the place of the row's first word. */
export function lastOf(times: Float64Array, row: number): number {
  return Math.max(
    value(times, (row + LOWER) / 2 + S_LAST_AT),
    value(times, (row + HIGHER) / 2 + S_LAST_AT),
    value(times, row / 2 + FIRST_AT),
  );
}

/** Where the words of the sender's side begin in the row that begins at `base`. */
export function ownOf(base: number, flagsWord: number): number {
  return base + HIGHER - ((flagsWord & SOURCE_IS_LOWER) >>> LOWER_SHIFT);
}
