/**
 * Several captures as one story: their frames in time order, each file told apart.
 *
 * Knows no file format. A file is opened only when the story reaches its first frame, so that a directory of hundreds
 * does not hold hundreds of buffers; files that overlap in time are merged frame by frame.
 */

import { num } from '../base/bytes.js';
import type { OpenCapture } from './open.js';
import type { FrameBatch } from './frame-batch.js';

/** A capture that can be opened; `open` may be called again after its result was closed, unless `once`. */
export interface CaptureFile {
  readonly name: string;
  /** It can be read only once: standard input, a pipe. */
  readonly once: boolean;
  /** A regular file: where it lies, and its bytes. */
  readonly stored?: { readonly path: string; readonly size: number };
  open(): Promise<OpenCapture>;
}

/** A run of frames of one file: `batch` from `from` up to, not including, `to`. */
export interface Passage {
  readonly file: number;
  readonly capture: OpenCapture;
  readonly batch: FrameBatch;
  readonly from: number;
  readonly to: number;
}

/** A file of the story that could not be opened. */
export type OpenFailure = (file: number, error: unknown) => void;

interface Voice {
  readonly file: number;
  readonly capture: OpenCapture;
  batch: FrameBatch | null;
  at: number;
}

/** All frames of all files in time order. `opened` hears of each capture as it is opened for good. */
export async function* inTimeOrder(
  files: readonly CaptureFile[],
  failed: OpenFailure,
  opened: (file: number, capture: OpenCapture) => void,
): AsyncGenerator<Passage, void, undefined> {
  const [only] = files;
  if (files.length === 1 && only !== undefined) {
    yield* alone(only, failed, opened);
    return;
  }
  const waiting = await byFirstTime(files, failed);
  const active: Voice[] = [];
  try {
    for (;;) {
      await admit(waiting, active, failed, opened);
      const voice = earliest(active);
      if (voice === null) {
        if (waiting.length === 0) return;
        continue;
      }
      const { batch } = voice;
      if (batch === null) continue;
      const until = Math.min(nextOf(active, voice), waiting[0]?.first ?? Infinity);
      const to = runEnd(batch, voice.at, until);
      yield { file: voice.file, capture: voice.capture, batch, from: voice.at, to };
      voice.at = to;
      if (to >= batch.count) await advance(voice, active);
    }
  } finally {
    for (const voice of active) voice.capture.close();
    for (const late of waiting) late.held?.capture.close();
  }
}

async function* alone(
  file: CaptureFile,
  failed: OpenFailure,
  opened: (file: number, capture: OpenCapture) => void,
): AsyncGenerator<Passage, void, undefined> {
  let capture: OpenCapture;
  try {
    capture = await file.open();
  } catch (error) {
    failed(0, error);
    return;
  }
  opened(0, capture);
  try {
    for (let batch = await capture.reader.next(); batch !== null; batch = await capture.reader.next()) {
      yield { file: 0, capture, batch, from: 0, to: batch.count };
    }
  } finally {
    capture.close();
  }
}

interface Waiting {
  readonly file: number;
  readonly source: CaptureFile;
  readonly first: number;
  /** What can be read only once is kept open with its first batch. */
  readonly held: Voice | null;
}

/** Looks at each file's first frame; those without a frame come first, so that their damage is told. */
async function byFirstTime(files: readonly CaptureFile[], failed: OpenFailure): Promise<Waiting[]> {
  const waiting: Waiting[] = [];
  for (const [file, source] of files.entries()) {
    try {
      const capture = await source.open();
      const batch = await capture.reader.next();
      const first = batch === null ? -Infinity : timeAt(batch, 0);
      if (!source.once) capture.close();
      const held = source.once ? { file, capture, batch, at: 0 } : null;
      waiting.push({ file, source, first: Number.isNaN(first) ? -Infinity : first, held });
    } catch (error) {
      failed(file, error);
    }
  }
  return waiting.sort((a, b) => a.first - b.first || a.file - b.file);
}

/** Opens the files whose first frame is due. */
async function admit(
  waiting: Waiting[],
  active: Voice[],
  failed: OpenFailure,
  opened: (file: number, capture: OpenCapture) => void,
): Promise<void> {
  for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
    const now = active.reduce((least, voice) => Math.min(least, timeOf(voice)), Infinity);
    if (next.first > now) return;
    waiting.shift();
    const voice = next.held ?? (await reopen(next, failed));
    if (voice === null) continue;
    opened(voice.file, voice.capture);
    if (voice.batch === null) await advance(voice, null);
    if (voice.batch === null) voice.capture.close();
    else active.push(voice);
  }
}

async function reopen(next: Waiting, failed: OpenFailure): Promise<Voice | null> {
  try {
    return { file: next.file, capture: await next.source.open(), batch: null, at: 0 };
  } catch (error) {
    failed(next.file, error);
    return null;
  }
}

async function advance(voice: Voice, active: Voice[] | null): Promise<void> {
  // A batch without rows has no time of its own to be merged by.
  do voice.batch = await voice.capture.reader.next();
  while (voice.batch?.count === 0);
  voice.at = 0;
  if (voice.batch === null && active !== null) {
    active.splice(active.indexOf(voice), 1);
    voice.capture.close();
  }
}

function timeAt(batch: FrameBatch, i: number): number {
  return num(batch.seconds, i) + num(batch.nanos, i) / 1e9;
}

function timeOf(voice: Voice): number {
  if (voice.batch === null) return Infinity;
  const time = timeAt(voice.batch, voice.at);
  return Number.isNaN(time) ? -Infinity : time;
}

function earliest(active: readonly Voice[]): Voice | null {
  let best: Voice | null = null;
  for (const voice of active) if (best === null || timeOf(voice) < timeOf(best)) best = voice;
  return best;
}

function nextOf(active: readonly Voice[], except: Voice): number {
  return active.reduce((least, voice) => (voice === except ? least : Math.min(least, timeOf(voice))), Infinity);
}

/** End of the run from `from` whose times do not pass `until`; at least one frame. */
function runEnd(batch: FrameBatch, from: number, until: number): number {
  if (until === Infinity) return batch.count;
  let to = from + 1;
  while (to < batch.count && !(timeAt(batch, to) > until)) to++;
  return to;
}
