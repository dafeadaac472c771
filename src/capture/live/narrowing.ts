/** Which streams are being replaced by leaner ones, and how far that is. */

import type { FrameBatch } from '../frame-batch.js';
import type { OpenCapture } from '../open.js';
import type { Handover } from './handover.js';

interface Replaced {
  readonly handover: Handover;
  /** When its successor began to listen, in seconds since 1970. */
  readonly since: number;
  /** Lets the successor's stream join. */
  readonly join: () => void;
}

export class Narrowing {
  isOn = false;
  /** Streams that have been replaced. */
  done = 0;
  private readonly ended = new WeakSet<OpenCapture>();
  private readonly replaced = new Map<OpenCapture, Replaced>();

  begin(stream: OpenCapture, handover: Handover, since: number, join: () => void): void {
    if (this.ended.has(stream)) {
      this.done++;
      queueMicrotask(join);
      return;
    }
    this.replaced.set(stream, { handover, since, join });
  }

  /** A batch of some stream was read. */
  note(stream: OpenCapture, batch: FrameBatch): void {
    this.replaced.get(stream)?.handover.note(batch);
  }

  /** All that came before its successor listened has been read. */
  hasReached(stream: OpenCapture): boolean {
    const replaced = this.replaced.get(stream);
    return replaced === undefined || replaced.handover.reached >= replaced.since;
  }

  /** A stream was read to its end. */
  left(stream: OpenCapture): void {
    this.ended.add(stream);
    const replaced = this.replaced.get(stream);
    if (replaced === undefined) return;
    this.replaced.delete(stream);
    this.done++;
    replaced.join();
  }

  forget(stream: OpenCapture): void {
    this.replaced.delete(stream);
  }
}
