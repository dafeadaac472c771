/**
 * A second reading of a capture, for one conversation: the ladder of a reset, or what a frame is that shows none.
 *
 * Takes the same rows as the pipeline, in the same order. Ends as soon as nothing more can belong to it.
 */

import { num, value, word } from '../base/bytes.js';
import type { CaptureFile } from '../capture/story.js';
import { LadderKeeper, type Ladder, type Sighting } from '../conversation/ladder.js';
import type { Reset } from '../conversation/reset.js';
import { WANTED_FLAGS } from '../conversation/tracker.js';
import { RST } from '../decode/net/tcp-layout.js';
import {
  FLAGS_MASK,
  IS_IPV6,
  NO_TIME,
  R_FLAGS,
  R_NANOS,
  R_NUMBER,
  R_SECONDS,
  RECORD_WORDS,
} from '../decode/record-layout.js';
import { recordOf, type Records } from '../decode/records.js';
import type { Context } from '../report/types.js';
import { startScan, type Rows } from '../scan/scan.js';
import { conversationOf, isSameConversation } from './conversation-key.js';

/** Takes a record, which is overwritten afterwards. @returns whether it has seen enough. */
type Taker = (words: Uint32Array, at: number, seen: Sighting) => boolean;

/** The segments around `reset`, as much of them as `context` lets the rules see. `fold`: copies of resets are one. */
export async function ladderOf(
  files: readonly CaptureFile[],
  reset: Reset,
  { context, fold, signal }: { context: Context; fold: boolean; signal: AbortSignal },
): Promise<Ladder> {
  const keeper = new LadderKeeper(reset, fold);
  await pass(files, context, signal, (words, at, seen) => {
    keeper.take(words, at, seen);
    return keeper.done;
  });
  return keeper.ladder;
}

/** A frame that shows no reset. */
export interface OtherFrame {
  readonly flags: number;
  /** Frame of the next reset of its conversation, in the same file; null: none comes. */
  readonly resetFrame: number | null;
}

/** What frame `frame` of file number `file` is; null: there is no TCP header in it that could be decoded. */
export async function frameAt(
  files: readonly CaptureFile[],
  file: number,
  frame: number,
  signal: AbortSignal,
): Promise<OtherFrame | null> {
  const found: { flags: number | null; resetFrame: number | null } = { flags: null, resetFrame: null };
  let conversation: readonly number[] = [];
  await pass(files, 'full', signal, (words, at, seen) => {
    if (seen.file !== file) return false;
    if (found.flags === null) {
      if (seen.frame === frame) {
        found.flags = word(words, at + R_FLAGS) & FLAGS_MASK;
        conversation = conversationOf(words, at);
      }
      return seen.frame > frame;
    }
    if ((word(words, at + R_FLAGS) & RST) === 0 || !isSameConversation(conversation, words, at)) return false;
    found.resetFrame = seen.frame;
    return true;
  });
  const { flags, resetFrame } = found;
  return flags === null ? null : { flags, resetFrame };
}

async function pass(files: readonly CaptureFile[], context: Context, signal: AbortSignal, taker: Taker): Promise<void> {
  const scan = startScan(files, WANTED_FLAGS[context], 'none');
  const scratch = new Uint32Array(2 * RECORD_WORDS);
  try {
    for (let rows = await scan.next(); rows !== null; rows = await scan.next()) {
      if (signal.aborted || takeRows(rows, scratch, taker)) return;
    }
  } finally {
    await scan.close();
  }
}

/** @returns whether the taker has seen enough. */
function takeRows(rows: Rows, scratch: Uint32Array, taker: Taker): boolean {
  const { file, segments } = rows;
  let place = 0;
  for (let i = 0; i < segments.count; i++) {
    const frame = num(segments.number, i);
    place = takePlain(rows, place, frame, taker);
    if (place === ENOUGH) return true;
    recordOf(segments, i, scratch);
    const seconds = value(segments.seconds, i);
    const seen = {
      file,
      frame,
      seconds,
      nanos: num(segments.nanos, i),
      timed: !Number.isNaN(seconds),
      iface: num(segments.iface, i),
    };
    if (taker(scratch, 0, seen)) return true;
  }
  return takePlain(rows, place, Infinity, taker) === ENOUGH;
}

/** In the place of a place: no more is wanted. */
const ENOUGH = -1;

/** The records of the sieve from `from` whose frames come before `before`. @returns the place behind them, or ENOUGH. */
function takePlain({ file, plain }: Rows, from: number, before: number, taker: Taker): number {
  let place = from;
  while (place < plain.count && numberAt(plain, place) < before) {
    const at = place * RECORD_WORDS;
    place += (word(plain.words, at + R_FLAGS) & IS_IPV6) === 0 ? 1 : 2;
    if (taker(plain.words, at, sightingAt(plain.words, at, file))) return ENOUGH;
  }
  return place;
}

function numberAt({ words }: Records, place: number): number {
  return word(words, place * RECORD_WORDS + R_NUMBER);
}

function sightingAt(words: Uint32Array, at: number, file: number): Sighting {
  return {
    file,
    frame: word(words, at + R_NUMBER),
    seconds: word(words, at + R_SECONDS),
    nanos: word(words, at + R_NANOS),
    timed: (word(words, at + R_FLAGS) & NO_TIME) === 0,
    iface: null,
  };
}
