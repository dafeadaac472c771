/**
 * One page of the kernel's trace ring, as trace_pipe_raw gives it, cut into records.
 *
 * Source: Linux include/linux/ring_buffer.h, kernel/trace/ring_buffer.c. Little-endian, as all machines are that Node
 * runs on beside s390x, which is refused before.
 */

import { u32le } from '../../base/bytes.js';
import type { PageFormat } from './format.js';

const PADDING = 29;
const TIME_EXTEND = 30;
const TIME_STAMP = 31;
/** rb_data_page.commit: bits above the length. */
const COMMIT_MASK = 0x0fffffff;
const MISSED_STORED = 2 ** 30;
const MISSED_EVENTS = 2 ** 31;
const TWO_TO_27 = 2 ** 27;
const TWO_TO_32 = 2 ** 32;
/** An absolute stamp holds 59 bits. */
const STAMP_HIGH = 2 ** 27;

/** `time`: nanoseconds of the ring's clock. The event is in `page` from `at` on, `length` bytes. */
export type OnRecord = (page: Uint8Array, at: number, length: number, time: number) => void;

/** What a page says of events before it that were overwritten. */
export interface PageWord {
  /** The time of its last record; that of the page itself without one. */
  readonly last: number;
  readonly missed: number;
  /** Events were missed and the page has no room to say how many. */
  readonly missedUncounted: boolean;
  /** What follows a record that can't be is not looked at. */
  readonly broken: boolean;
}

const NOTHING: PageWord = { last: 0, missed: 0, missedUncounted: false, broken: true };

export function readPage(page: Uint8Array, length: number, format: PageFormat, onRecord: OnRecord): PageWord {
  const { data } = format;
  if (length < data || length < format.commit + 4) return NOTHING;
  let time = u32le(page, 0) + u32le(page, 4) * TWO_TO_32;
  const commit = u32le(page, format.commit);
  const end = data + (commit & COMMIT_MASK);
  if (end > length) return { ...NOTHING, last: time };
  let missed = 0;
  const hasMissed = (commit & MISSED_EVENTS) !== 0;
  const isStored = (commit & MISSED_STORED) !== 0 && end + 8 <= length;
  if (hasMissed && isStored) missed = u32le(page, end) + u32le(page, end + 4) * TWO_TO_32;
  const word = (broken: boolean): PageWord => ({
    last: time,
    missed,
    missedUncounted: hasMissed && !isStored,
    broken,
  });
  let at = data;
  while (at + 4 <= end) {
    const head = u32le(page, at);
    const type = head & 31;
    const delta = head >>> 5;
    if (type === PADDING && delta === 0) break;
    // An extended delta, an absolute stamp, padding with a length and a long record have a second word.
    if ((type === 0 || type >= PADDING) && at + 8 > end) return word(true);
    if (type === TIME_EXTEND) {
      time += delta + u32le(page, at + 4) * TWO_TO_27;
      at += 8;
      continue;
    }
    if (type === TIME_STAMP) {
      // The 59 bits that a stamp has; the rest is as it was.
      const high = Math.floor(time / (STAMP_HIGH * TWO_TO_32)) * (STAMP_HIGH * TWO_TO_32);
      time = high + delta + u32le(page, at + 4) * TWO_TO_27;
      at += 8;
      continue;
    }
    time += delta;
    if (type === PADDING) {
      at += 4 + u32le(page, at + 4);
      continue;
    }
    const body = type === 0 ? at + 8 : at + 4;
    const size = type === 0 ? u32le(page, at + 4) - 4 : type * 4;
    if (size < 0 || body + size > end) return word(true);
    onRecord(page, body, size, time);
    at = body + size + (type === 0 ? (4 - (size & 3)) & 3 : 0);
  }
  return word(false);
}
