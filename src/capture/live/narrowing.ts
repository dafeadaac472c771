/** Which streams are being replaced by leaner ones, and how far that is. */

import type { FrameBatch } from '../frame-batch.js';
import type { OpenCapture } from '../open.js';
import type { Handover } from './handover.js';

interface Replaced {
  readonly handover: Handover;
  /** When its successor listened for sure, in seconds since 1970; before that it may have, or not. */
  since: number;
  /** Lets the successor's stream join, once there is one. */
  join: (() => void) | null;
}

export class Narrowing {
  isOn = false;
  /** Streams that have been replaced. */
  done = 0;
  private readonly replaced = new Map<OpenCapture, Replaced>();
  private readonly ended = new WeakSet<OpenCapture>();

  /** A successor is about to be started: from now on it may see what `stream` brings. */
  begin(stream: OpenCapture, handover: Handover): void {
    this.replaced.set(stream, { handover, since: Infinity, join: null });
  }

  /** The successor listens; its own stream joins when the other one was read to its end. */
  opened(stream: OpenCapture, since: number, join: () => void): void {
    const replaced = this.replaced.get(stream);
    if (replaced === undefined || this.ended.has(stream)) {
      this.replaced.delete(stream);
      this.done++;
      join();
      return;
    }
    replaced.since = since;
    replaced.join = join;
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
    if (replaced === undefined || replaced.join === null) return;
    this.replaced.delete(stream);
    this.done++;
    replaced.join();
  }

  forget(stream: OpenCapture): void {
    this.replaced.delete(stream);
  }
}
