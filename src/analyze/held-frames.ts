/**
 * The frames that shall be saved, on their way from a batch to the writer: each waits until it is known whether its
 * reset is kept and what is said of it.
 *
 * Knows no file; the order of frames is kept by the writer.
 */

import type { FrameBatch } from '../capture/frame-batch.js';
import type { CaptureWriter, HeldFrame } from '../capture/writer.js';
import type { Reset } from '../conversation/reset.js';
import type { Rows } from '../scan/scan.js';

/** What frames are handed to that shall be saved. */
export type FrameSaver = Pick<CaptureWriter, 'hold' | 'flush'>;

export class HeldFrames {
  private readonly byReset = new Map<Reset, HeldFrame[]>();
  private readonly writer: FrameSaver;

  constructor(writer: FrameSaver) {
    this.writer = writer;
  }

  /** Row `i` of the frame batch showed `reset`. */
  ofReset(rows: Rows, frames: FrameBatch, i: number, reset: Reset): void {
    const frame = this.take(rows, frames, i);
    const all = this.byReset.get(reset);
    if (all === undefined) this.byReset.set(reset, [frame]);
    else all.push(frame);
  }

  /** Row `i` of the frame batch is saved for its own sake. */
  other(rows: Rows, frames: FrameBatch, i: number): void {
    this.take(rows, frames, i).fate = 'kept';
  }

  /** The fate of all frames of `reset` so far; `comment` is written with each. */
  release(reset: Reset, kept: boolean, comment: () => string): void {
    const all = this.byReset.get(reset);
    if (all === undefined) return;
    this.byReset.delete(reset);
    const text = comment();
    for (const frame of all) {
      frame.fate = kept ? 'kept' : 'dropped';
      frame.comment = text;
    }
  }

  /** `twin` turned out to be another sight of `root`. */
  join(root: Reset, twin: Reset): void {
    const frames = this.byReset.get(twin);
    if (frames === undefined) return;
    this.byReset.delete(twin);
    const all = this.byReset.get(root);
    if (all === undefined) this.byReset.set(root, frames);
    else all.push(...frames);
  }

  flush(): void {
    this.writer.flush();
  }

  private take({ file, interfaces }: Rows, frames: FrameBatch, i: number): HeldFrame {
    const start = frames.start[i] ?? 0;
    const iface = frames.iface[i] ?? 0;
    const described = interfaces[iface];
    return this.writer.hold({
      bytes: frames.bytes.slice(start, start + (frames.captured[i] ?? 0)),
      original: frames.original[i] ?? 0,
      seconds: frames.seconds[i] ?? NaN,
      nanos: frames.nanos[i] ?? 0,
      from: {
        key: `${String(file)}/${String(iface)}`,
        linkType: described?.linkType ?? 0,
        name: described?.name ?? null,
        snaplen: described?.snaplen ?? 0,
        digits: described?.fractionDigits ?? 6,
        host: described?.host ?? null,
      },
    });
  }
}
