/**
 * Which reset that the kernel says it sent is which one that was captured: one by one, by addresses, ports and time.
 *
 * What is left at the end was sent and not captured, or captured and not sent by TCP. Knows no clock and no process.
 */

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
  /** Every tuple that the trace may have for it, the likeliest first. */
  readonly tuples: readonly string[];
  /** Seconds since 1970. */
  readonly at: number;
  /** Inode number of the namespace that has its source address; null: not known. */
  readonly netns: number | null;
}

/** Seconds that a frame may bear an earlier time than the trace's event, and a later one. */
export interface Tolerance {
  readonly early: number;
  readonly late: number;
}

/** Each kind; a reset that found its counterpart takes no room. */
const MAX_PENDING = 200_000;

export class SendMatch {
  /** More were without a counterpart at one time than could be kept. */
  overflowed = false;
  matched = 0;
  private readonly byNetns = new Map<number | null, number>();
  private readonly traced = new Shelf<TracedSend>();
  private readonly captured = new Shelf<CapturedSend>();
  private readonly tolerance: Tolerance;

  constructor(tolerance: Tolerance) {
    this.tolerance = tolerance;
  }

  /** Sent, and not captured. */
  get unseen(): readonly TracedSend[] {
    return this.traced.all;
  }

  /** Captured, and not sent by TCP. */
  get unsent(): readonly CapturedSend[] {
    return this.captured.all;
  }

  /** How many were sent and captured, by the namespace of their source. */
  get matchedByNetns(): ReadonlyMap<number | null, number> {
    return this.byNetns;
  }

  trace(send: TracedSend): void {
    const { early, late } = this.tolerance;
    const found = this.captured.nearest([send.tuple], { at: send.at, before: early, behind: late });
    if (found === null) this.overflowed = !this.traced.put(send, [send.tuple]) || this.overflowed;
    else this.match(found);
  }

  capture(send: CapturedSend): void {
    const { early, late } = this.tolerance;
    const found = this.traced.nearest(send.tuples, { at: send.at, before: late, behind: early });
    if (found === null) this.overflowed = !this.captured.put(send, send.tuples) || this.overflowed;
    else this.match(send);
  }

  private match({ netns }: CapturedSend): void {
    this.matched++;
    this.byNetns.set(netns, (this.byNetns.get(netns) ?? 0) + 1);
  }
}

/** A moment, and how far before and behind it something may lie. Seconds. */
interface Around {
  readonly at: number;
  readonly before: number;
  readonly behind: number;
}

interface Timed {
  readonly at: number;
}

/** Things come nearly in the order of their times: not further out of it than this, in seconds. */
const DISORDER = 0.5;

/** What waits for its counterpart, by every tuple that it may be found under. */
class Shelf<T extends Timed> {
  private readonly byTuple = new Map<string, T[]>();
  private readonly tuples = new Map<T, readonly string[]>();

  get all(): readonly T[] {
    return [...this.tuples.keys()];
  }

  /** @returns whether there was room without losing another one. */
  put(one: T, tuples: readonly string[]): boolean {
    this.tuples.set(one, tuples);
    for (const tuple of tuples) {
      const there = this.byTuple.get(tuple);
      if (there === undefined) this.byTuple.set(tuple, [one]);
      else there.push(one);
    }
    if (this.tuples.size <= MAX_PENDING) return true;
    const [oldest] = this.tuples.keys();
    if (oldest !== undefined) this.remove(oldest);
    return false;
  }

  /** Takes away the one that lies nearest, of those under the first of the tuples that has any. */
  nearest(tuples: readonly string[], around: Around): T | null {
    for (const tuple of tuples) {
      const best = nearestOf(this.byTuple.get(tuple) ?? NONE, around);
      if (best === null) continue;
      this.remove(best);
      return best;
    }
    return null;
  }

  private remove(one: T): void {
    for (const tuple of this.tuples.get(one) ?? []) {
      const there = this.byTuple.get(tuple) ?? [];
      // A list may be long where a listener answers a flood: those that leave are mostly its first.
      there.splice(there.indexOf(one), 1);
      if (there.length === 0) this.byTuple.delete(tuple);
    }
    this.tuples.delete(one);
  }
}

const NONE: readonly never[] = [];

/** Looks only where it can lie: what waits in vain must not slow down what comes later. */
function nearestOf<T extends Timed>(list: readonly T[], { at, before, behind }: Around): T | null {
  let best: T | null = null;
  let least = Infinity;
  for (let i = firstFrom(list, at - before - DISORDER); i < list.length; i++) {
    const one = list[i];
    if (one === undefined || one.at > at + Math.min(behind, least) + DISORDER) break;
    const away = Math.abs(one.at - at);
    if (one.at < at - before || one.at > at + behind || away >= least) continue;
    best = one;
    least = away;
  }
  return best;
}

/** Place of the first that is not before `at`, in a list that is in order. */
function firstFrom(list: readonly Timed[], at: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.at ?? Infinity) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
