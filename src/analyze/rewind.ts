/**
 * Saves the connections that died: the frames of each reset that is kept, with the last segments of its connection and
 * those of the two seconds behind it. Every frame once, in the order in which they came: a frame is written when it
 * leaves the ring, and until then a reset may ask for it.
 *
 * Knows no file and no filter: whether a reset is kept is said to it.
 */

import type { CaptureWriter } from '../capture/writer.js';
import type { Reset } from '../conversation/reset.js';
import type { Rows } from '../scan/scan.js';
import { Claims, type Claim } from './claims.js';
import { AFTER_FRAMES, ConnectionWatch } from './connection-watch.js';
import { FrameRing, type Admission } from './frame-ring.js';
import { SavedInterfaces } from './held-frames.js';
import {
  E_CAPTURED,
  E_FILE,
  E_FRAME,
  E_HASH,
  E_HIGHER,
  E_INTERFACE,
  E_LOWER,
  E_MARK,
  E_NANOS,
  E_ORIGINAL,
  E_PORTS,
  E_SECONDS,
  E_SEGMENT,
  E_TIMED,
  IS_CLAIMED,
  IS_RESET,
} from './ring-layout.js';

/** What shall be saved of a reset's connection. */
export interface RewindOrder {
  /** Segments before the reset, each counted once however many interfaces it passed. */
  readonly segments: number;
  /** How long a frame is held, and how many bytes of frames. */
  readonly seconds: number;
  readonly bytes: number;
  /** Frames that are held at once; as many as there may be where nothing is said. */
  readonly entries?: number;
  /** Whose frames are held. */
  readonly admits: Admission;
  /** Hears, at the end, of how many saved resets some of the lead-up was no longer held. */
  readonly onShort: (resets: number) => void;
}

/** What is held of a capture that grows, whichever is less. */
export const RING_SECONDS = 60;
export const RING_BYTES = 64 * 1024 * 1024;

/** Seconds behind a reset. */
const AFTER_SECONDS = 2;
/** Frames of several interfaces come in turn. */
const DISORDER_SECONDS = 1;
/** Sights of one segment at different interfaces. */
const MOST_SIGHTS = 8;
/** Resets that ask for one frame: of a connection with more, these decide. */
const MOST_ASKING = 64;
/** Frames of other connections in the same bucket that are passed by on the way back. */
const MOST_STEPS = 4096;
/** Bytes of frames that have left the ring before their reset was decided. */
const MOST_OPEN_BYTES = 64 * 1024 * 1024;

export class Rewind {
  private readonly ring: FrameRing;
  private readonly claims = new Claims();
  private readonly watch = new ConnectionWatch();
  private readonly interfaces = new SavedInterfaces();
  /** Of frames in the ring: who shows a reset, and who asks for a frame. */
  private readonly shown = new Map<number, Claim>();
  private readonly asked = new Map<number, Claim[]>();
  private readonly seen = new Set<number>();
  /** The first frame of the batch that is followed, and the one that was looked for last. */
  private first = 0;
  private cursor = 0;
  /** Time of the latest frame that nobody asked for and that was let go. */
  private forgottenUntil = -Infinity;
  /** Of frames that have left the ring before their resets were decided. */
  private readonly open = { bytes: 0 };
  private short = 0;
  private readonly order: RewindOrder;
  private readonly writer: Pick<CaptureWriter, 'hold' | 'flush'>;

  constructor(writer: Pick<CaptureWriter, 'hold' | 'flush'>, order: RewindOrder) {
    this.writer = writer;
    this.order = order;
    const leave = (frame: number): void => {
      this.leave(frame);
    };
    this.ring = new FrameRing(order.bytes, order.admits, leave, order.entries);
  }

  /** Takes a batch, before its segments are followed. */
  take(rows: Rows): void {
    const { ring, watch } = this;
    const { frames, segments } = rows;
    if (frames === null) return;
    this.first = ring.next;
    this.cursor = ring.next;
    if (segments.count === 0) return;
    this.interfaces.note(rows);
    ring.add(segments, frames, rows.file);
    if (watch.size > 0) this.claimLater();
    watch.endOlder(ring.time - DISORDER_SECONDS);
    ring.expire(ring.time - this.order.seconds);
  }

  /** Frames of connections that were reset in a batch before. */
  private claimLater(): void {
    const { ring, watch } = this;
    for (let frame = Math.max(this.first, ring.oldest); frame < ring.next; frame++) {
      if (!watch.mayBe(ring.read(frame, E_HASH)) || (ring.read(frame, E_MARK) & IS_RESET) !== 0) continue;
      for (const claim of this.askersOf(frame)) this.claim(frame, claim);
    }
  }

  private askersOf(frame: number): Claim[] {
    const { ring } = this;
    const key = [ring.read(frame, E_LOWER), ring.read(frame, E_HIGHER), ring.read(frame, E_PORTS)] as const;
    return this.watch.askers(ring.read(frame, E_HASH), ...key, ring.timeOf(frame));
  }

  private claim(frame: number, claim: Claim): void {
    this.ring.mark(frame, IS_CLAIMED);
    const claims = this.asked.get(frame);
    if (claims === undefined) this.asked.set(frame, [claim]);
    else if (claims.length < MOST_ASKING && !claims.includes(claim)) claims.push(claim);
  }

  /** Row `row` of the frame batch shows `reset`: its connection's frames are asked for. */
  showsReset(row: number, reset: Reset): void {
    const { ring } = this;
    let frame = Math.max(this.cursor, ring.oldest);
    while (frame < ring.next && ring.read(frame, E_FRAME) !== row) frame++;
    if (frame >= ring.next) return;
    this.cursor = frame;
    const claim = this.claims.of(reset);
    this.shown.set(frame, claim);
    if (!this.claimBefore(frame, claim)) {
      const { firstAt } = reset.conversation;
      claim.isShort ||= firstAt !== null && firstAt <= this.forgottenUntil;
    }
    const until = ring.timeOf(frame) + AFTER_SECONDS;
    const after = this.claimAfter(frame, claim, until);
    const key = [ring.read(frame, E_LOWER), ring.read(frame, E_HIGHER), ring.read(frame, E_PORTS)] as const;
    this.watch.begin(ring.read(frame, E_HASH), key, until, claim, after);
  }

  /** @returns whether there were as many segments as are wanted. */
  private claimBefore(reset: number, claim: Claim): boolean {
    const { ring, seen, order } = this;
    seen.clear();
    let frames = 0;
    let steps = 0;
    for (let frame = ring.before(reset); frame >= 0; frame = ring.before(frame)) {
      if (++steps > MOST_STEPS) return false;
      if (!ring.areOfOne(frame, reset)) continue;
      const segment = ring.read(frame, E_SEGMENT);
      if (!seen.has(segment)) {
        if (seen.size >= order.segments) return true;
        seen.add(segment);
      }
      if (++frames > order.segments * MOST_SIGHTS) return true;
      this.claim(frame, claim);
    }
    return seen.size >= order.segments;
  }

  /** Those that came in the same batch. */
  private claimAfter(reset: number, claim: Claim, until: number): number {
    const { ring } = this;
    const found: number[] = [];
    let steps = 0;
    for (let frame = ring.newestLike(reset); frame > reset; frame = ring.before(frame)) {
      if (++steps > MOST_STEPS) break;
      if (ring.areOfOne(frame, reset) && ring.timeOf(frame) <= until) found.push(frame);
    }
    const first = found.slice(-AFTER_FRAMES);
    for (const frame of first) this.claim(frame, claim);
    return first.length;
  }

  join(root: Reset, twin: Reset): void {
    this.claims.join(root, twin);
  }

  /** What becomes of the frames of `reset`; `comment` is written with those that show it. */
  release(reset: Reset, kept: boolean, comment: string): void {
    const claim = this.claims.decide(reset, kept ? 'kept' : 'dropped', kept ? comment : null);
    if (kept && claim?.isShort === true) this.short++;
  }

  /** By the clock: older frames will not be asked for. */
  expire(seconds: number): void {
    this.ring.expire(seconds - this.order.seconds);
  }

  flush(): void {
    this.writer.flush();
  }

  /** Nothing comes any more, and every reset is decided. */
  end(): void {
    this.claims.dropOpen();
    this.ring.expire(Infinity);
    this.writer.flush();
    this.order.onShort(this.short);
  }

  private leave(frame: number): void {
    const { ring } = this;
    const mark = ring.read(frame, E_MARK);
    if (mark === 0) {
      this.forgottenUntil = Math.max(this.forgottenUntil, ring.timeOf(frame));
      return;
    }
    if ((mark & IS_RESET) !== 0) {
      const claim = this.shown.get(frame)?.root;
      this.shown.delete(frame);
      if (claim !== undefined && claim.fate !== 'dropped') claim.show(this.hold(frame));
      return;
    }
    const claims = new Set((this.asked.get(frame) ?? []).map(({ root }) => root));
    this.asked.delete(frame);
    const fates = new Set([...claims].map(({ fate }) => fate));
    if (fates.has('kept')) {
      this.hold(frame).fate = 'kept';
      return;
    }
    if (!fates.has('open')) return;
    const open = [...claims].filter(({ fate }) => fate === 'open');
    if (this.open.bytes > MOST_OPEN_BYTES) {
      for (const claim of open) claim.isShort = true;
      return;
    }
    this.open.bytes += ring.read(frame, E_CAPTURED);
    const asked = { frame: this.hold(frame), open: open.length, budget: this.open };
    for (const claim of open) claim.ask(asked);
  }

  private hold(frame: number): ReturnType<CaptureWriter['hold']> {
    const { ring } = this;
    const isTimed = ring.read(frame, E_TIMED) !== 0;
    return this.writer.hold({
      bytes: ring.bytesOf(frame),
      original: ring.read(frame, E_ORIGINAL),
      seconds: isTimed ? ring.read(frame, E_SECONDS) : NaN,
      nanos: isTimed ? ring.read(frame, E_NANOS) : 0,
      from: this.interfaces.of(ring.read(frame, E_FILE), ring.read(frame, E_INTERFACE)),
    });
  }
}
