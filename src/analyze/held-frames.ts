/**
 * The frames that shall be saved, on their way from a batch to the writer: each waits until it is known whether its
 * reset is kept and what is said of it.
 *
 * Knows no file; the order of frames is kept by the writer.
 */

import type { CaptureInterface, FrameBatch } from '../capture/frame-batch.js';
import type { CaptureWriter, HeldFrame, SavedInterface } from '../capture/writer.js';
import type { Reset } from '../conversation/reset.js';
import type { Rows } from '../scan/scan.js';

/** What frames are handed to that shall be saved. */
export type FrameSaver = Pick<CaptureWriter, 'hold' | 'flush'>;

export class HeldFrames {
  private readonly byReset = new Map<Reset, HeldFrame[]>();
  /** While a batch is followed, its frames have not been handed over yet: what became of their resets meanwhile. */
  private readonly decided = new Map<Reset, Pick<HeldFrame, 'fate' | 'comment'>>();
  private readonly joined = new Map<Reset, Reset>();
  private readonly interfaces = new SavedInterfaces();
  private readonly writer: FrameSaver;

  constructor(writer: FrameSaver) {
    this.writer = writer;
  }

  /** Row `i` of the frame batch showed `reset`. */
  ofReset(rows: Rows, frames: FrameBatch, i: number, reset: Reset): void {
    const frame = this.take(rows, frames, i);
    let root = reset;
    for (let next = this.joined.get(root); next !== undefined; next = this.joined.get(root)) root = next;
    const decided = this.decided.get(root);
    if (decided !== undefined) {
      Object.assign(frame, decided);
      return;
    }
    const all = this.byReset.get(root);
    if (all === undefined) this.byReset.set(root, [frame]);
    else all.push(frame);
  }

  /** Row `i` of the frame batch is saved for its own sake. */
  other(rows: Rows, frames: FrameBatch, i: number): void {
    this.take(rows, frames, i).fate = 'kept';
  }

  /** The fate of all frames of `reset` so far; `comment` is written with each. */
  release(reset: Reset, kept: boolean, comment: () => string): void {
    const decided = { fate: kept ? 'kept' : 'dropped', comment: comment() } as const;
    this.decided.set(reset, decided);
    for (const frame of this.byReset.get(reset) ?? []) Object.assign(frame, decided);
    this.byReset.delete(reset);
  }

  /** `twin` turned out to be another sight of `root`. */
  join(root: Reset, twin: Reset): void {
    this.joined.set(twin, root);
    const frames = this.byReset.get(twin);
    if (frames === undefined) return;
    this.byReset.delete(twin);
    const all = this.byReset.get(root);
    if (all === undefined) this.byReset.set(root, frames);
    else all.push(...frames);
  }

  /** The batch has been handed over. */
  flush(): void {
    this.decided.clear();
    this.joined.clear();
    this.writer.flush();
  }

  private take(rows: Rows, frames: FrameBatch, i: number): HeldFrame {
    this.interfaces.note(rows);
    const start = frames.start[i] ?? 0;
    return this.writer.hold({
      bytes: frames.bytes.slice(start, start + (frames.captured[i] ?? 0)),
      original: frames.original[i] ?? 0,
      seconds: frames.seconds[i] ?? NaN,
      nanos: frames.nanos[i] ?? 0,
      from: this.interfaces.of(rows.file, frames.iface[i] ?? 0),
    });
  }
}

/** The interfaces of what is saved, one of each. */
export class SavedInterfaces {
  /** By file. */
  private readonly described: (readonly CaptureInterface[])[] = [];
  private readonly known: (SavedInterface | undefined)[][] = [];

  /** The interfaces of a file as they are by now: they only grow. */
  note({ file, interfaces }: Pick<Rows, 'file' | 'interfaces'>): void {
    this.described[file] = interfaces;
  }

  of(file: number, iface: number): SavedInterface {
    const ofFile = (this.known[file] ??= []);
    const known = ofFile[iface];
    if (known !== undefined) return known;
    const described = this.described[file]?.[iface];
    const saved = {
      key: `${String(file)}/${String(iface)}`,
      linkType: described?.linkType ?? 0,
      name: described?.name ?? null,
      snaplen: described?.snaplen ?? 0,
      digits: described?.fractionDigits ?? 6,
      host: described?.host ?? null,
    };
    // One that was not described yet may be later.
    if (described !== undefined) ofFile[iface] = saved;
    return saved;
  }
}
