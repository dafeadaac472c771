/** Captures that are read and decoded in this thread: small ones, pipes, several at once. */

import { BATCH_FRAMES, type Damage, type FrameBatch } from '../capture/frame-batch.js';
import type { OpenCapture } from '../capture/open.js';
import { inTimeOrder, type CaptureFile, type Passage } from '../capture/story.js';
import { Decoder, type PacketCounts } from '../decode/decoder.js';
import { Records } from '../decode/records.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import { NO_COMMENTS, takeComments, type RowComments } from './comments.js';
import { PickingSieve } from './picking-sieve.js';
import type { KnownCapture, Rows, Scan, Unopened, WantedFrames } from './scan.js';

/** What closing a source in the middle looks like to its reader. */
const ENDED_BY_US: ReadonlySet<string> = new Set(['read-error', 'cut-off']);
/** Bytes between two turns of the event loop: signals and progress get their turn, some milliseconds apart. */
const TURN_BYTES = 8 * 1024 * 1024;

/** What a reader's window holds of the shortest frames; what finds no place goes by the walk. */
const PLAIN_PLACES = 8192;

export class LocalScan implements Scan {
  readonly unopened: Unopened[] = [];
  endedEarly = false;
  private readonly decoder: Decoder;
  private readonly plain: Records;
  private readonly passages: AsyncGenerator<Passage, void, undefined>;
  private readonly files: number;
  /** By file number. */
  private readonly opened = new Map<number, OpenCapture>();
  /** How much damage each capture had when the input was ended: what comes after it is of our own making. */
  private readonly damageBefore = new Map<OpenCapture, number>();
  private stopped = false;
  private lastTurn = 0;

  constructor(files: readonly CaptureFile[], keep: number, frames: WantedFrames) {
    this.files = files.length;
    // Files that are merged frame by frame have rows alone: a row's place in the order is told by its frame.
    this.plain = new Records(files.length === 1 ? PLAIN_PLACES : 0);
    this.decoder = new Decoder(keep, BATCH_FRAMES, files.length === 1 ? this.plain : null);
    this.passages = inTimeOrder(
      files,
      (file, error) => {
        this.unopened.push({ file, error });
      },
      (file, capture) => {
        this.opened.set(file, capture);
        // The sieve takes frames that have no row then.
        if (frames === 'all') return;
        const { sieve } = this.decoder;
        capture.reader.sieve = typeof frames === 'function' ? new PickingSieve(sieve, this.plain, frames) : sieve;
      },
    );
  }

  async next(): Promise<Rows | null> {
    if (this.stopped) return this.endEarly();
    this.plain.clear();
    const answer = await this.passages.next();
    if (this.wasStopped()) return this.endEarly();
    if (answer.done === true) return null;
    const { file, capture, batch, from, to } = answer.value;
    const { interfaces } = capture.reader;
    const segments = this.decoder.decode(batch, from, to, interfaces);
    const bytes = capture.bytesRead();
    if (Math.abs(bytes - this.lastTurn) >= TURN_BYTES || capture.size === null) {
      this.lastTurn = bytes;
      await turn();
    }
    return { file, segments, plain: this.plain, interfaces, comments: commentsOf(batch, segments), frames: batch };
  }

  private endEarly(): null {
    this.endedEarly = true;
    return null;
  }

  /** Asked again after waiting: meanwhile it may have become true. */
  private wasStopped(): boolean {
    return this.stopped;
  }

  get counts(): PacketCounts {
    return this.decoder.counts;
  }

  get linkTypes(): ReadonlyMap<number, number> {
    return this.decoder.linkTypes;
  }

  get captures(): readonly KnownCapture[] {
    return [...this.opened].map(([file, capture]) => {
      const { interfaces, dropped, times } = capture.reader;
      return { file, interfaces, dropped, times, damage: this.damageOf(capture), hasEnd: capture.size !== null };
    });
  }

  private damageOf(capture: OpenCapture): readonly Damage[] {
    const before = this.damageBefore.get(capture) ?? Infinity;
    return capture.reader.damage.filter(({ reason }, i) => i < before || !ENDED_BY_US.has(reason));
  }

  get progress(): { bytes: number; total: number | null } {
    let bytes = 0;
    let total: number | null = 0;
    for (const capture of this.opened.values()) {
      bytes += capture.bytesRead();
      total = total === null || capture.size === null ? null : total + capture.size;
    }
    return { bytes, total: this.opened.size < this.files ? null : total };
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    for (const capture of this.opened.values()) {
      this.damageBefore.set(capture, capture.reader.damage.length);
      capture.close();
    }
  }

  async close(): Promise<void> {
    await this.passages.return(undefined);
    for (const capture of this.opened.values()) capture.close();
  }
}

function commentsOf(batch: FrameBatch, segments: SegmentBatch): RowComments {
  if (batch.notes.size === 0) return NO_COMMENTS;
  const comments = new Map<number, string>();
  takeComments(batch, segments, 0, comments);
  return comments;
}

/** One turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
