/**
 * Which reset that the kernel says it sent is which one that was captured: one by one, by addresses, ports and time.
 *
 * What is left at the end was sent and not captured, or captured and not sent by TCP. Knows no clock and no process.
 */

import { Shelf, type Around } from './shelf.js';

/** A reset that TCP sent, by the kernel's trace. */
export interface TracedSend {
  /** Local end first, as the trace writes it; of a listener's answer the other end is 0.0.0.0 or ::, port 0. */
  readonly tuple: string;
  /** Seconds since 1970. */
  readonly at: number;
  /** The same moment, nanoseconds of CLOCK_MONOTONIC. */
  readonly mono: number;
  /** Inode number of the namespace of the process that owned its socket; null: there was none. */
  readonly netns: number | null;
}

/** A reset that was captured as sent by this host, once however many interfaces showed it. */
export interface CapturedSend {
  /** Its tuple and, behind a NAT, those that it became, the source first. */
  readonly tuples: readonly string[];
  /** Seconds since 1970. */
  readonly at: number;
  /** Inode number of the namespace that has its source address; null: not known. */
  readonly netns: number | null;
  /** The same segment was captured a moment before, at another place. */
  readonly mayBeCopy: boolean;
}

/** Seconds that a frame may bear an earlier time than the trace's event, and a later one. */
export interface Tolerance {
  readonly early: number;
  readonly late: number;
}

export class SendMatch {
  /** More were without a counterpart at one time than could be kept. */
  overflowed = false;
  matched = 0;
  private readonly byNetns = new Map<number | null, number>();
  private readonly traced = new Shelf<TracedSend>();
  private readonly captured = new Shelf<CapturedSend>();
  /** Those that may be copies: found only where no other is. */
  private readonly again = new Shelf<CapturedSend>();
  private readonly tolerance: Tolerance;
  /** Answers of listeners have been traced. */
  private listenersAnswer = false;

  constructor(tolerance: Tolerance) {
    this.tolerance = tolerance;
  }

  /** Sent, and not captured. */
  get unseen(): readonly TracedSend[] {
    return this.traced.all;
  }

  /** Captured, and not sent by TCP. */
  get unsent(): readonly CapturedSend[] {
    return [...this.captured.all, ...this.again.all];
  }

  /**
   * Answers of one listener are told by their times alone. Where some were sent and not captured, and some captured and
   * not sent, a shift of their times would look the same.
   */
  get isBlurred(): boolean {
    if (!this.listenersAnswer) return false;
    const unseen = new Set(this.unseen.map(({ tuple }) => listenerKey(tuple)));
    return this.unsent.some(({ tuples }) => tuples.flatMap(asListener).some((key) => unseen.has(key)));
  }

  /** How many were sent and captured, by the namespace of their source. */
  get matchedByNetns(): ReadonlyMap<number | null, number> {
    return this.byNetns;
  }

  trace(send: TracedSend): void {
    const { early, late } = this.tolerance;
    const around = { at: send.at, before: early, behind: late };
    const listener = listenerKey(send.tuple);
    if (listener !== null) this.listenersAnswer = true;
    const key = listener ?? send.tuple;
    const found = this.captured.nearest(key, around) ?? this.again.nearest(key, around);
    if (found === null) this.overflowed = !this.traced.put(send, [key]) || this.overflowed;
    else this.match(found);
  }

  capture(send: CapturedSend): void {
    const { early, late } = this.tolerance;
    const around = { at: send.at, before: late, behind: early };
    const found =
      this.nearestOf(send.tuples, around) ??
      (this.listenersAnswer ? this.nearestOf(send.tuples.flatMap(asListener), around) : null);
    if (found !== null) {
      this.match(send);
      return;
    }
    const keys = [...send.tuples, ...send.tuples.flatMap(asListener)];
    this.overflowed = !(send.mayBeCopy ? this.again : this.captured).put(send, keys) || this.overflowed;
  }

  private nearestOf(keys: readonly string[], around: Around): TracedSend | null {
    for (const key of keys) {
      const found = this.traced.nearest(key, around);
      if (found !== null) return found;
    }
    return null;
  }

  private match({ netns }: CapturedSend): void {
    this.matched++;
    this.byNetns.set(netns, (this.byNetns.get(netns) ?? 0) + 1);
  }
}

/** "0.0.0.0", or "::" of a socket of both families: a listener on every address. */
const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Of a listener's answer, the end that is known: "10.0.0.1 80", "* 80"; null: the tuple has two ends. */
function listenerKey(tuple: string): string | null {
  if (!tuple.endsWith(' 0')) return null;
  const [ip = '', port = ''] = tuple.split(' ', 2);
  return `${ANY.has(ip) ? '*' : ip} ${port}`;
}

/** The keys that it has if a listener answered. */
function asListener(tuple: string): string[] {
  const [ip = '', port = ''] = tuple.split(' ', 2);
  return [`${ip} ${port}`, `* ${port}`];
}
