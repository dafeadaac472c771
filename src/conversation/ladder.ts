/**
 * The segments around one reset, in the order of the capture: the last ones of its conversation before it, and the few
 * that came behind it. Takes records of a second reading of the same capture, in bounded memory.
 *
 * Shows what was captured and adds nothing: what a number passes over is said to be missing.
 */

import { word } from '../base/bytes.js';
import { ACK, FIN, RST, SYN } from '../decode/net/tcp-layout.js';
import {
  FLAGS_MASK,
  NO_WINDOW,
  R_ACK,
  R_FLAGS,
  R_LENGTH,
  R_SEQ,
  R_WINDOW_ID,
  TTL_SHIFT,
} from '../decode/record-layout.js';
import { AFTER_SECONDS } from './facts.js';
import { COPY_SECONDS } from './following-layout.js';
import { Few } from './few.js';
import { framesOf, type Reset, type Tuple } from './reset.js';
import { Stream, type Hole, type Repeat } from './streams.js';
import { waysOf, type Side, type Way } from './ways.js';

/** With the reset. */
export const RUNGS_BEFORE = 12;
export const RUNGS_BEHIND = 6;
/** A file that is out of order (dumpcap writes its interfaces in bursts) has what came behind it up to this later. */
const OUT_OF_ORDER_SECONDS = 2;
/** Segments that a frame may be a copy of. */
const MOST_RECENT = 32;
/** Numbers of frames that are kept of one segment. */
const MOST_FRAMES = 64;

/** Where and when a record was captured. */
export interface Sighting {
  readonly file: number;
  readonly frame: number;
  readonly seconds: number;
  readonly nanos: number;
  /** The capture gave the frame a time. */
  readonly timed: boolean;
  /** Number of its interface; null: not known. */
  readonly iface: number | null;
}

export interface Rung extends Sighting {
  readonly side: Side;
  readonly frames: number[];
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  /** Null: cut off by the capture. */
  readonly window: number | null;
  readonly length: number;
  /** Counted from the side's SYN, or from the first number that was seen of it; null: nothing to count from. */
  readonly relativeSeq: number | null;
  readonly relativeAck: number | null;
  /** It is the reset that was asked for. */
  readonly isAsked: boolean;
  readonly isBehind: boolean;
  /** A SYN of another connection than the segments before it. */
  readonly isAnew: boolean;
  readonly repeat: Repeat | null;
  /** What it passes over of its own side, and what it acknowledges of the other; null: nothing. */
  readonly missing: Hole | null;
  readonly unseen: Hole | null;
  /** Other addresses than the reset's: those behind a NAT. */
  readonly translation: Tuple | null;
}

export interface Ladder {
  readonly rungs: readonly Rung[];
  /** Segments of the conversation before these, and others within AFTER_SECONDS behind the reset. */
  readonly earlier: number;
  readonly later: number;
}

interface Recent {
  readonly rung: Rung;
  readonly windowId: number;
  readonly ttls: Few<number>;
  readonly ifaces: Few<number>;
  at: number;
}

export class LadderKeeper {
  /** Everything that belongs to it has come. */
  done = false;
  private readonly reset: Reset;
  private readonly frames: ReadonlySet<number>;
  private readonly fold: boolean;
  /** Frames that the facts name: they are shown, however many came before them. */
  private readonly named: ReadonlySet<number>;
  private readonly ways: readonly Way[];
  private readonly streams: Readonly<Record<Side, Stream>> = { sender: new Stream(), receiver: new Stream() };
  private readonly before: Rung[] = [];
  private readonly behind: Rung[] = [];
  private readonly recent: Recent[] = [];
  private asked: Rung | null = null;
  private earlier = 0;
  private later = 0;
  private clock = 0;

  /** `fold`: copies of resets are one. */
  constructor(reset: Reset, fold: boolean) {
    this.reset = reset;
    this.fold = fold;
    this.frames = new Set(framesOf(reset));
    const { senderWentOn, receiverWentOn, synAck } = reset.conversation.after;
    this.named = new Set(
      [senderWentOn, receiverWentOn, synAck].flatMap((segment) => (segment === null ? [] : [segment.frame])),
    );
    this.ways = waysOf(reset);
  }

  get ladder(): Ladder {
    const { before, behind, earlier, later, asked } = this;
    return { rungs: [...before, ...(asked === null ? [] : [asked]), ...behind], earlier, later };
  }

  /** A record of any conversation; it is overwritten afterwards. */
  take(words: Uint32Array, at: number, seen: Sighting): void {
    if (seen.timed) this.clock = seen.seconds + seen.nanos / 1e9;
    const { asked, clock } = this;
    const behindBy = asked === null ? 0 : clock - this.atOf(asked);
    if (asked !== null && behindBy > AFTER_SECONDS) {
      if (behindBy > AFTER_SECONDS + OUT_OF_ORDER_SECONDS) this.done = true;
      return;
    }
    const way = this.ways.find((one) => one.matches(words, at));
    if (way === undefined || this.isCopy(words, at, way, seen)) return;
    const isAsked = asked === null && seen.file === this.reset.file && seen.frame === this.reset.frame;
    const rung = this.rungOf(words, at, way, seen, isAsked);
    this.remember(rung, words, at);
    if (isAsked) this.asked = rung;
    else if (this.asked === null) {
      this.before.push(rung);
      if (this.before.length >= RUNGS_BEFORE) {
        this.before.shift();
        this.earlier++;
      }
    } else if (this.behind.length < RUNGS_BEHIND || this.named.has(seen.frame)) this.behind.push(rung);
    else this.later++;
  }

  private atOf({ seconds, nanos, timed }: Rung): number {
    return timed ? seconds + nanos / 1e9 : this.reset.seconds + this.reset.nanos / 1e9;
  }

  /** A further frame of a segment that is there already, as the state of the connection takes it. */
  private isCopy(words: Uint32Array, at: number, way: Way, seen: Sighting): boolean {
    const flags = word(words, at + R_FLAGS) & FLAGS_MASK;
    const ttl = (word(words, at + R_FLAGS) >>> TTL_SHIFT) & 0xff;
    const { asked, clock } = this;
    if (asked !== null && seen.file === this.reset.file && this.frames.has(seen.frame)) {
      note(asked, seen.frame);
      return true;
    }
    const isReset = (flags & RST) !== 0;
    if (isReset && !this.fold) return false;
    const known = this.recent.find(
      ({ rung, windowId, ttls, ifaces, at: last }) =>
        rung.side === way.side &&
        rung.file === seen.file &&
        rung.flags === flags &&
        rung.seq === word(words, at + R_SEQ) &&
        rung.ack === word(words, at + R_ACK) &&
        rung.length === word(words, at + R_LENGTH) &&
        windowId === word(words, at + R_WINDOW_ID) &&
        Math.abs(clock - last) < COPY_SECONDS &&
        // Who says a reset twice in the same place has said it twice.
        (!isReset || !ttls.has(ttl) || !ifaces.has(seen.iface ?? -1)) &&
        !(isReset && rung.isAsked),
    );
    if (known === undefined) return false;
    note(known.rung, seen.frame);
    known.ttls.add(ttl);
    known.ifaces.add(seen.iface ?? -1);
    return true;
  }

  private remember(rung: Rung, words: Uint32Array, at: number): void {
    const ttls = new Few<number>();
    const ifaces = new Few<number>();
    ttls.add((word(words, at + R_FLAGS) >>> TTL_SHIFT) & 0xff);
    ifaces.add(rung.iface ?? -1);
    this.recent.push({ rung, windowId: word(words, at + R_WINDOW_ID), ttls, ifaces, at: this.clock });
    if (this.recent.length > MOST_RECENT) this.recent.shift();
  }

  private rungOf(words: Uint32Array, at: number, way: Way, seen: Sighting, isAsked: boolean): Rung {
    const bits = word(words, at + R_FLAGS);
    const flags = bits & FLAGS_MASK;
    const seq = word(words, at + R_SEQ);
    const ack = word(words, at + R_ACK);
    const length = word(words, at + R_LENGTH);
    const { side, translation } = way;
    const own = this.streams[side];
    const other = this.streams[side === 'sender' ? 'receiver' : 'sender'];
    let isAnew = false;
    let repeat: Repeat | null = null;
    let missing: Hole | null = null;
    let unseen: Hole | null = null;
    // A reset has no place in the stream that could be relied on; and a NAT's other side is the same stream again.
    if ((flags & RST) === 0 && translation === null) {
      if ((flags & SYN) !== 0) isAnew = own.syn(seq) && (flags & ACK) === 0;
      const taken = length + ((flags & SYN) === 0 ? 0 : 1) + ((flags & FIN) === 0 ? 0 : 1);
      ({ repeat, hole: missing } = own.see(seq, taken, (flags & SYN) !== 0, (flags & FIN) !== 0));
      if ((flags & ACK) !== 0) unseen = other.acknowledged(ack);
    }
    return {
      ...seen,
      side,
      frames: [seen.frame],
      flags,
      seq,
      ack,
      window: (bits & NO_WINDOW) === 0 ? word(words, at + R_WINDOW_ID) >>> 16 : null,
      length,
      relativeSeq: own.place(seq),
      relativeAck: (flags & ACK) === 0 ? null : other.place(ack),
      isAsked,
      isBehind: this.asked !== null,
      isAnew,
      repeat,
      missing,
      unseen,
      translation,
    };
  }
}

function note({ frames }: Rung, frame: number): void {
  if (frames.length < MOST_FRAMES) frames.push(frame);
}
