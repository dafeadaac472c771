/**
 * The thread that reads and decodes a large capture, while its starter follows the connections.
 *
 * Runs the very reader and decoder that the starter would run itself, and sends their rows.
 */

import { UserError } from '../base/errors.js';
import { thread } from '../base/spawn.js';
import { openPath } from '../capture/byte-source.js';
import { BATCH_FRAMES, type CaptureInterface } from '../capture/frame-batch.js';
import { openCapture, type OpenCapture } from '../capture/open.js';
import { Decoder } from '../decode/decoder.js';
import { Records } from '../decode/records.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import { takeComments } from './comments.js';
import {
  AWAITED,
  COMMENT_CHARACTERS,
  FEW_AHEAD,
  MAX_AHEAD,
  pack,
  PLACES,
  ROWS,
  slotOf,
  STOP,
  TAKEN,
  type ScanMessage,
  type ScanOrder,
  type ScanState,
} from './protocol.js';

/** Bytes between two words of how far it is. */
const PROGRESS_BYTES = 32 * 1024 * 1024;

/** Records of the first message. */
const FIRST_PLACES = 512;

async function scan({ path, keep, shared, records }: ScanOrder, send: (message: ScanMessage) => void): Promise<void> {
  const capture = await openCapture(path, openPath(path));
  const slot = (message: number): Uint32Array => slotOf(records, message);
  const plain = new Records(PLACES, slot(0));
  const decoder = new Decoder(keep, ROWS, plain);
  const { reader } = capture;
  reader.sieve = decoder.sieve;
  let segments: SegmentBatch | null = null;
  const comments = new Map<number, string>();
  let characters = 0;
  /** Records that are sent at once: few at first, so that the starter's code gets warm while this thread's does. */
  let places = FIRST_PLACES;
  let sent = 0;
  let told = 0;
  let stopped = false;
  let described = 0;
  const state = (): ScanState => {
    const fresh = reader.interfaces.slice(described);
    described += fresh.length;
    return stateOf(capture, decoder, fresh);
  };
  const flush = (): void => {
    if (segments === null || segments.count + plain.count === 0) return;
    send({ kind: 'segments', segments: pack(segments), plain: plain.count, comments, state: state() });
    sent++;
    segments.clear();
    comments.clear();
    characters = 0;
    places = Math.min(2 * places, PLACES / 2);
    // The next slot is free once the message that had it has been dealt with.
    if (sent - Atomics.load(shared, TAKEN) >= MAX_AHEAD) waitFor(shared, sent - FEW_AHEAD);
    plain.moveTo(slot(sent), 0);
  };
  for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
    const from: number = segments?.count ?? 0;
    segments = decoder.append(batch, 0, batch.count, reader.interfaces);
    characters += takeComments(batch, segments, from, comments);
    const isFull = segments.count > ROWS - BATCH_FRAMES || plain.count >= places;
    if (isFull || characters > COMMENT_CHARACTERS) flush();
    if (capture.bytesRead() - told >= PROGRESS_BYTES) {
      told = capture.bytesRead();
      send({ kind: 'progress', state: state() });
    }
    if (Atomics.load(shared, STOP) !== 0) {
      stopped = true;
      break;
    }
  }
  flush();
  send({ kind: 'end', state: { ...state(), endedEarly: stopped } });
  capture.close();
}

/** Waits until that many messages have been dealt with. */
function waitFor(shared: Int32Array, awaited: number): void {
  Atomics.store(shared, AWAITED, awaited);
  for (let taken = Atomics.load(shared, TAKEN); taken < awaited; taken = Atomics.load(shared, TAKEN)) {
    if (Atomics.load(shared, STOP) !== 0) return;
    Atomics.wait(shared, TAKEN, taken);
  }
}

function stateOf(capture: OpenCapture, decoder: Decoder, fresh: readonly CaptureInterface[]): ScanState {
  const { reader } = capture;
  return {
    // Field by field: a reader's own interfaces hold more than may cross.
    fresh: fresh.map(({ linkType, name, snaplen, fractionDigits, host }) => ({
      linkType,
      name,
      snaplen,
      fractionDigits,
      host,
    })),
    damage: reader.damage,
    dropped: reader.dropped,
    times: reader.times,
    counts: decoder.counts,
    linkTypes: decoder.linkTypes,
    bytesRead: capture.bytesRead(),
    endedEarly: false,
  };
}

const own = thread();
if (own !== null) {
  scan(own.order as ScanOrder, own.send).catch((error: unknown) => {
    // A fault goes on to the starter as the thread's error.
    if (!(error instanceof UserError)) throw error;
    own.send({ kind: 'refused', code: error.code, message: error.message, hint: error.hint } satisfies ScanMessage);
  });
}
