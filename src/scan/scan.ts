/**
 * From captures to segments: reading and decoding as one step, in this thread or in another.
 *
 * Knows no connections. Whoever follows them cannot tell where the rows were made.
 */

import type { CaptureInterface, Damage, FrameBatch, TimeSpan } from '../capture/frame-batch.js';
import type { CaptureFile } from '../capture/story.js';
import type { PacketCounts } from '../decode/decoder.js';
import type { Records } from '../decode/records.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import type { RowComments } from './comments.js';
import { LocalScan } from './local-scan.js';
import { MIN_REMOTE_BYTES, RemoteScan } from './remote-scan.js';

/** Rows of one file. */
export interface Rows {
  readonly file: number;
  /** Segments that the walk found, among them every reset. */
  readonly segments: SegmentBatch;
  /** Those that the sieve took; by their frames' numbers they lie between the others. */
  readonly plain: Records;
  readonly interfaces: readonly CaptureInterface[];
  readonly comments: RowComments;
  /** The batch that the segments' `frame` points into; null where it is in another thread. */
  readonly frames: FrameBatch | null;
}

/** What a capture said of itself. */
export interface KnownCapture {
  readonly file: number;
  readonly interfaces: readonly CaptureInterface[];
  readonly damage: readonly Damage[];
  readonly dropped: number | null;
  readonly times: TimeSpan;
  /** A regular file: its end is known, and stopping before it leaves something unread. */
  readonly hasEnd: boolean;
}

/** A file that could not be opened, and the UserError that says why. */
export interface Unopened {
  readonly file: number;
  readonly error: unknown;
}

export interface Scan {
  /** The next rows in time order, perhaps none, valid until the next call; null at the end. */
  next(): Promise<Rows | null>;
  /** What is known so far; complete once `next` has given null. */
  readonly counts: PacketCounts;
  readonly linkTypes: ReadonlyMap<number, number>;
  readonly captures: readonly KnownCapture[];
  readonly unopened: readonly Unopened[];
  /** Bytes read as stored, and in all where that is known. */
  readonly progress: { readonly bytes: number; readonly total: number | null };
  /** Ends the input; `next` then comes to its end. */
  stop(): void;
  /** Something was left unread because of `stop`; told once `next` has given null. */
  readonly endedEarly: boolean;
  /** Lets go of everything. */
  close(): Promise<void>;
}

/**
 * Whose bytes are wanted beside the segments: nobody's, those of the rows of segments, every frame's, or those of the
 * connections whose hashes it says yes to, and perhaps of others.
 */
export type WantedFrames = 'none' | 'segments' | 'all' | ((hash: number) => boolean);

/**
 * Scans `files` for TCP headers with any of the flags in `keep`. A single large file is read in a thread of its own,
 * unless the frames' bytes are wanted too.
 */
export function startScan(files: readonly CaptureFile[], keep: number, frames: WantedFrames): Scan {
  const [only] = files;
  if (files.length === 1 && only?.stored !== undefined && only.stored.size >= MIN_REMOTE_BYTES && frames === 'none') {
    const remote = RemoteScan.start(only.stored.path, only.stored.size, keep);
    if (remote !== null) return remote;
  }
  return new LocalScan(files, keep, frames);
}
