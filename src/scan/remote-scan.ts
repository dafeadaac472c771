/**
 * A capture that is read and decoded in a thread of its own. Its starter gets the same rows in the same order as it
 * would have made itself.
 */

import { UserError, type ErrorCode } from '../base/errors.js';
import { startThread, type Thread } from '../base/spawn.js';
import { TimeSpan, type CaptureInterface } from '../capture/frame-batch.js';
import { noCounts, type PacketCounts } from '../decode/decoder.js';
import { RECORD_WORDS } from '../decode/record-layout.js';
import { Records } from '../decode/records.js';
import { SegmentBatch } from '../decode/segment-batch.js';
import { NO_COMMENTS } from './comments.js';
import {
  AWAITED,
  PLACES,
  ROWS,
  SHARED_WORDS,
  slotOf,
  SLOTS,
  STOP,
  TAKEN,
  unpack,
  type ScanMessage,
  type ScanOrder,
  type ScanState,
} from './protocol.js';
import type { KnownCapture, Rows, Scan, Unopened } from './scan.js';

/** A smaller file is read before a thread has started. */
export const MIN_REMOTE_BYTES = 24 * 1024 * 1024;

const NOTHING_YET: ScanState = {
  fresh: [],
  damage: [],
  dropped: null,
  times: new TimeSpan(),
  counts: noCounts(),
  linkTypes: new Map(),
  bytesRead: 0,
  endedEarly: false,
};

export class RemoteScan implements Scan {
  readonly unopened: Unopened[] = [];
  private state: ScanState = NOTHING_YET;
  private readonly interfaces: CaptureInterface[] = [];
  private readonly size: number;
  private readonly worker: Thread;
  private readonly shared: Int32Array;
  private readonly records: Uint32Array;
  private readonly segments = new SegmentBatch(ROWS);
  private readonly plain: Records;
  private taken = 0;
  /** The caller has the rows of a message. */
  private isLent = false;
  private readonly messages: ScanMessage[] = [];
  private fault: Error | null = null;
  private over = false;
  private wake: () => void = () => undefined;

  private constructor(worker: Thread, shared: Int32Array, records: Uint32Array, size: number) {
    this.size = size;
    this.worker = worker;
    this.shared = shared;
    this.records = records;
    this.plain = new Records(PLACES, slotOf(records, 0));
    worker.on('message', (message: ScanMessage) => {
      this.messages.push(message);
      this.wake();
    });
    worker.on('error', (error) => {
      this.fault ??= error;
      this.wake();
    });
    worker.on('exit', () => {
      this.over = true;
      this.wake();
    });
  }

  /** Starts reading `path`; null where threads are not to be had. */
  static start(path: string, size: number, keep: number): RemoteScan | null {
    const shared = new Int32Array(new SharedArrayBuffer(SHARED_WORDS * 4));
    const records = new Uint32Array(new SharedArrayBuffer(SLOTS * PLACES * RECORD_WORDS * 4));
    const order: ScanOrder = { path, keep, shared, records };
    const worker = startThread('scan-worker', order);
    return worker === null ? null : new RemoteScan(worker, shared, records, size);
  }

  async next(): Promise<Rows | null> {
    this.giveBack();
    // Messages may come a thousand at a time, all within one turn of the event loop: signals must get theirs.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      const message = this.messages.shift();
      if (message !== undefined) {
        const { kind } = message;
        if (kind === 'refused') {
          const error = new UserError(message.code as ErrorCode, message.message, message.hint);
          this.unopened.push({ file: 0, error });
          return null;
        }
        this.state = message.state;
        for (const each of message.state.fresh) this.interfaces.push(each);
        if (kind === 'end') return null;
        let comments = NO_COMMENTS;
        this.plain.clear();
        if (kind === 'progress') this.segments.clear();
        else {
          unpack(message.segments, this.segments);
          this.plain.moveTo(slotOf(this.records, this.taken), message.plain);
          this.isLent = true;
          ({ comments } = message);
        }
        return {
          file: 0,
          segments: this.segments,
          plain: this.plain,
          interfaces: this.interfaces,
          comments,
          frames: null,
        };
      }
      if (this.fault !== null) throw this.fault;
      if (this.over) throw new Error('the reading thread ended without a word');
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** The rows that were lent have been dealt with: their slot may be filled again. */
  private giveBack(): void {
    if (!this.isLent) return;
    this.isLent = false;
    this.taken++;
    Atomics.store(this.shared, TAKEN, this.taken);
    // To wake a thread takes a tenth of a millisecond and more.
    if (Atomics.load(this.shared, AWAITED) === this.taken) Atomics.notify(this.shared, TAKEN);
  }

  get counts(): PacketCounts {
    return this.state.counts;
  }

  get linkTypes(): ReadonlyMap<number, number> {
    return this.state.linkTypes;
  }

  get captures(): readonly KnownCapture[] {
    if (this.state === NOTHING_YET) return [];
    const { interfaces } = this;
    const { damage, dropped, times } = this.state;
    return [{ file: 0, interfaces, damage, dropped, times, hasEnd: true }];
  }

  get endedEarly(): boolean {
    return this.state.endedEarly;
  }

  get progress(): { bytes: number; total: number } {
    return { bytes: this.state.bytesRead, total: this.size };
  }

  /** What was read so far still comes. */
  stop(): void {
    Atomics.store(this.shared, STOP, 1);
    Atomics.notify(this.shared, TAKEN);
  }

  async close(): Promise<void> {
    this.stop();
    await this.worker.terminate();
  }
}
