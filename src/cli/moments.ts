/**
 * The time window of a run: typed times made into moments, with a look at the captures where that takes one.
 */

import { UserError } from '../base/errors.js';
import { secondsBetween, type Moment } from '../base/time.js';
import type { CaptureReader, FrameBatch } from '../capture/frame-batch.js';
import type { OpenCapture } from '../capture/open.js';
import { inTimeOrder, type CaptureFile } from '../capture/story.js';
import { WindowTally } from '../report/window.js';
import { resolveTime, type TypedTime } from './values.js';

export interface TimeWindow {
  readonly after: Moment | null;
  readonly before: Moment | null;
  /** The captures, which may have been looked at. */
  readonly files: readonly CaptureFile[];
}

export async function timeWindow(
  files: readonly CaptureFile[],
  after: TypedTime | null,
  before: TypedTime | null,
  utc: boolean,
  interrupt: AbortSignal,
): Promise<TimeWindow> {
  const typed = [after, before];
  let first: Moment | null = null;
  let last: Moment | null = null;
  let looked = files;
  if (typed.some((time) => time?.kind === 'before-end')) {
    if (files.some(({ once }) => once)) {
      throw new UserError(
        'usage',
        'a time from the end (-10m) needs a file that can be read twice, not a pipe',
        'save it first: cat > saved.pcap, then rstscope read --after -10m saved.pcap',
      );
    }
    const window = await wholeWindow(files, interrupt);
    if (interrupt.aborted) {
      throw new UserError('interrupted', 'interrupted before the end was found, which a time such as -10m counts from');
    }
    first = window.start;
    last = window.end;
  } else if (typed.some((time) => time?.kind === 'of-day')) {
    const peeked: CaptureFile[] = [];
    for (const each of files) {
      const { file, moment } = await peek(each, interrupt);
      peeked.push(file);
      if (moment !== null && (first === null || moment.seconds < first.seconds)) first = moment;
    }
    looked = peeked;
  }
  const resolve = (time: TypedTime | null): Moment | null =>
    time === null ? null : resolveTime(time, first, last, utc);
  const [from, to] = [resolve(after), resolve(before)];
  if (from !== null && to !== null && secondsBetween(from, to) < 0) {
    throw new UserError('usage', '--after is later than --before: nothing lies between them');
  }
  return { after: from, before: to, files: looked };
}

/** Enough for any source's times. */
const MAX_DIGITS = 12;

async function wholeWindow(files: readonly CaptureFile[], interrupt: AbortSignal): Promise<WindowTally> {
  const window = new WindowTally();
  const captures = new Set<OpenCapture>();
  const passages = inTimeOrder(
    files,
    () => undefined,
    () => undefined,
  );
  for await (const { capture } of passages) {
    captures.add(capture);
    if (interrupt.aborted) break;
  }
  for (const { reader } of captures) window.add(reader.times, MAX_DIGITS);
  return window;
}

/** The first frame's time. What can be read once only is opened for good, and its first batch is given again. */
async function peek(file: CaptureFile, interrupt: AbortSignal): Promise<{ file: CaptureFile; moment: Moment | null }> {
  let capture: OpenCapture;
  try {
    capture = await file.open();
  } catch (error) {
    // Of a file that cannot be opened the run itself tells; an interruption ends everything here.
    if (interrupt.aborted) throw error;
    return { file: { ...file, open: () => failing(error) }, moment: null };
  }
  const batch = await capture.reader.next();
  const { firstSeconds, firstNanos } = capture.reader.times;
  const moment = Number.isFinite(firstSeconds) ? { seconds: firstSeconds, nanos: firstNanos } : null;
  if (!file.once) {
    capture.close();
    return { file, moment };
  }
  const replayed = { ...capture, reader: new ReplayedReader(capture.reader, batch) };
  return { file: { ...file, open: () => Promise.resolve(replayed) }, moment };
}

function failing(error: unknown): Promise<never> {
  return Promise.reject(error instanceof Error ? error : new Error(String(error)));
}

class ReplayedReader implements CaptureReader {
  private readonly inner: CaptureReader;
  private pending: FrameBatch | null;

  constructor(inner: CaptureReader, first: FrameBatch | null) {
    this.inner = inner;
    this.pending = first;
  }

  get interfaces(): CaptureReader['interfaces'] {
    return this.inner.interfaces;
  }

  get damage(): CaptureReader['damage'] {
    return this.inner.damage;
  }

  get dropped(): number | null {
    return this.inner.dropped;
  }

  get times(): CaptureReader['times'] {
    return this.inner.times;
  }

  get sieve(): CaptureReader['sieve'] {
    return this.inner.sieve;
  }

  set sieve(sieve: CaptureReader['sieve']) {
    this.inner.sieve = sieve;
  }

  next(): Promise<FrameBatch | null> {
    const { pending } = this;
    this.pending = null;
    return pending === null ? this.inner.next() : Promise.resolve(pending);
  }
}
