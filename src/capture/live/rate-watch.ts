/** Tells when more packets come than can be followed: by the packets' own times, whenever they are read. */

import { value } from '../../base/bytes.js';
import type { FrameBatch } from '../frame-batch.js';

/** Seconds of a look, and looks in a row that must say so: a burst is no reason. */
const LOOK_SECONDS = 0.5;
const LOOKS = 2;
/**
 * So far behind the clock, at a small part of the rate: this machine is slower, or has other things to do. What is
 * dropped meanwhile is not among the packets that are counted here.
 */
const LAG_SECONDS = 0.8;
const LAGGING_SHARE = 1 / 24;

export class RateWatch {
  /** Packets a second when there were too many; null: there never were. */
  exceeded: number | null = null;
  private begun = NaN;
  private packets = 0;
  private looks = 0;
  private readonly most: number;
  private readonly wallClock: () => number;

  /** `most` packets a second; `wallClock`: milliseconds since 1970. */
  constructor(most: number, wallClock: () => number) {
    this.most = most;
    this.wallClock = wallClock;
  }

  note({ count, seconds, nanos }: FrameBatch): void {
    if (count === 0 || this.exceeded !== null) return;
    const time = value(seconds, count - 1) + value(nanos, count - 1) * 1e-9;
    this.packets += count;
    const passed = time - this.begun;
    // Several streams are read in turn, and a clock may be set.
    if (passed >= 0 && passed < LOOK_SECONDS) return;
    if (passed >= LOOK_SECONDS) this.look(this.packets / passed, this.wallClock() / 1000 - time);
    this.begun = time;
    this.packets = 0;
  }

  private look(rate: number, lag: number): void {
    const isTooMuch = rate > this.most || (lag > LAG_SECONDS && rate > this.most * LAGGING_SHARE);
    this.looks = isTooMuch ? this.looks + 1 : 0;
    if (this.looks >= LOOKS) this.exceeded = Math.round(rate);
  }
}
