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

/** Of each kind; a reset that found its counterpart takes no room. */
const MAX_PENDING = 200_000;

export class SendMatch {
  /** More were without a counterpart at one time than could be kept. */
  overflowed = false;
  matched = 0;
  private readonly byNetns = new Map<number | null, number>();
  private readonly traced = new Shelf<TracedSend>();
  private readonly captured = new Shelf<CapturedSend>();
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
    return this.captured.all;
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
    const found = this.captured.nearest(key, around);
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
    this.overflowed = !this.captured.put(send, keys) || this.overflowed;
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

/** What waits for its counterpart, by every key that it may be found under. */
class Shelf<T extends Timed> {
  /** Of most keys there is one. */
  private readonly byKey = new Map<string, T | T[]>();
  private readonly keys = new Map<T, readonly string[]>();

  get all(): readonly T[] {
    return [...this.keys.keys()];
  }

  /** @returns whether there was room without losing another one. */
  put(one: T, keys: readonly string[]): boolean {
    this.keys.set(one, keys);
    for (const key of keys) {
      const there = this.byKey.get(key);
      if (there === undefined) this.byKey.set(key, one);
      else if (Array.isArray(there)) there.push(one);
      else this.byKey.set(key, [there, one]);
    }
    if (this.keys.size <= MAX_PENDING) return true;
    const [oldest] = this.keys.keys();
    if (oldest !== undefined) this.remove(oldest);
    return false;
  }

  /** Takes away the one under the key that lies nearest. */
  nearest(key: string, around: Around): T | null {
    const there = this.byKey.get(key);
    if (there === undefined) return null;
    const best = Array.isArray(there) ? nearestOf(there, around) : isWithin(there, around) ? there : null;
    if (best !== null) this.remove(best);
    return best;
  }

  private remove(one: T): void {
    for (const key of this.keys.get(one) ?? []) {
      const there = this.byKey.get(key);
      if (!Array.isArray(there)) {
        this.byKey.delete(key);
        continue;
      }
      // A list may be long where a listener answers a flood: those that leave are mostly its first.
      there.splice(there.indexOf(one), 1);
      if (there.length === 0) this.byKey.delete(key);
    }
    this.keys.delete(one);
  }
}

function isWithin(one: Timed, { at, before, behind }: Around): boolean {
  return one.at >= at - before && one.at <= at + behind;
}

/** Looks only where it can lie: what waits in vain must not slow down what comes later. */
function nearestOf<T extends Timed>(list: readonly T[], around: Around): T | null {
  const { at, before, behind } = around;
  let best: T | null = null;
  let least = Infinity;
  for (let i = firstFrom(list, at - before - DISORDER); i < list.length; i++) {
    const one = list[i];
    if (one === undefined || one.at > at + Math.min(behind, least) + DISORDER) break;
    const away = Math.abs(one.at - at);
    if (!isWithin(one, around) || away >= least) continue;
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
