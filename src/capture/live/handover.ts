/**
 * From one capturing program to another on the same interface, without a gap and without a frame twice: for a moment
 * both listen, and what the second saw that the first had handed over is left out.
 *
 * Knows a frame by its bytes and its time, not by what it is.
 */

import { num, value, word } from '../../base/bytes.js';
import type { FrameBatch } from '../frame-batch.js';

/** Frames that are remembered: some seconds of what is too much to be followed. */
const MOST_NOTED = 1 << 20;

export class Handover {
  /** Time of the latest frame of the first program, in seconds since 1970. */
  reached = -Infinity;
  /** By a hash of the bytes: the times of the frames that the first program handed over. */
  private readonly noted = new Map<number, number[]>();
  private size = 0;
  private readonly since: number;
  private readonly tolerance: number;

  /** From `since` on both listen. Their times of one frame lie no further apart than `tolerance`, in seconds. */
  constructor(since: number, tolerance: number) {
    this.since = since - tolerance;
    this.tolerance = tolerance;
  }

  /** What the first program hands over. */
  note(batch: FrameBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const time = timeOf(batch, i);
      if (time > this.reached) this.reached = time;
      if (time < this.since || this.size >= MOST_NOTED) continue;
      this.size++;
      const hash = hashOf(batch, i);
      const times = this.noted.get(hash);
      if (times === undefined) this.noted.set(hash, [time]);
      else times.push(time);
    }
  }

  /** Takes out of a batch of the second program what was noted. */
  sift(batch: FrameBatch): void {
    const { reached, tolerance } = this;
    let to = 0;
    for (let i = 0; i < batch.count; i++) {
      const time = timeOf(batch, i);
      if (time <= reached + tolerance && this.wasNoted(hashOf(batch, i), time)) continue;
      if (to !== i) move(batch, i, to);
      to++;
    }
    batch.count = to;
    // Far behind the first one's last frame nothing is a repetition.
    if (to > 0 && timeOf(batch, to - 1) > reached + 1 + tolerance) this.noted.clear();
  }

  private wasNoted(hash: number, time: number): boolean {
    const times = this.noted.get(hash);
    const at = times?.findIndex((noted) => Math.abs(noted - time) <= this.tolerance) ?? -1;
    if (times === undefined || at < 0) return false;
    times.splice(at, 1);
    return true;
  }
}

function timeOf(batch: FrameBatch, i: number): number {
  return value(batch.seconds, i) + value(batch.nanos, i) * 1e-9;
}

/** Of 53 bits, in two halves. */
function hashOf({ bytes, start, captured, original }: FrameBatch, i: number): number {
  const from = word(start, i);
  const to = from + word(captured, i);
  let a = word(original, i) | 0;
  let b = 0x9e3779b9 | 0;
  for (let at = from; at < to; at++) {
    a = Math.imul(a ^ num(bytes, at), 0x01000193);
    b = Math.imul(b ^ a, 0x85ebca6b) ^ (b >>> 15);
  }
  return (a >>> 0) * 0x200000 + ((b >>> 0) & 0x1fffff);
}

function move(batch: FrameBatch, from: number, to: number): void {
  const { number, start, captured, original, seconds, nanos, iface } = batch;
  for (const column of [number, start, captured, original, seconds, nanos, iface]) column[to] = num(column, from);
}
