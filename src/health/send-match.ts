/**
 * Which reset that the kernel says it sent is which one that was captured: one by one, by addresses, ports and time.
 *
 * What is left at the end was sent and not captured, or captured and not sent by TCP. Knows no clock and no process.
 */

import { Shelf, type Around } from './shelf.js';

/** A socket sent it by itself, or it answers a segment. */
export type Manner = 'active' | 'passive';

/** A reset that TCP sent, by the kernel's trace. */
export interface TracedSend {
  readonly manner: Manner;
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
  /** What it can be by its header, if TCP sent it. */
  readonly manners: readonly Manner[];
  /** Seconds since 1970. */
  readonly at: number;
  /** Inode number of the namespace that has its source address; null: not known. */
  readonly netns: number | null;
  /** The same segment was captured a moment before, at another place. */
  readonly mayBeCopy: boolean;
  /** Its source is an address of this machine, as far as is known; if not, only the trace can say that it was sent here. */
  readonly isOwn: boolean;
}

/** Seconds that a frame may bear an earlier time than the trace's event, and a later one. */
export interface Tolerance {
  readonly early: number;
  readonly late: number;
  /** Either way, of an answer of a listener, of which only one end is told; 0: none is sure. */
  readonly listener: number;
}

/** Resets that are taken for captured, where what was captured may be another one. */
export interface Doubts {
  /** Answers of listeners, which the trace tells without their other end: by port and time only. */
  readonly listeners: number;
  /** Stamped farther from the trace's event than they should be; by so many seconds at most. */
  readonly apart: number;
  readonly apartSeconds: number;
  /** One end has another address than the trace tells: NAT on this host. */
  readonly translated: number;
}

/** Of strangers' resets most are none of ours: few are kept. */
const MAX_STRANGERS = 20_000;
/** What is left over is paired over no longer span, in seconds; what NAT has translated is stamped at once. */
const APART_SECONDS = 60;
const TRANSLATED_SECONDS = 2;

export class SendMatch {
  /** More were without a counterpart at one time than could be kept. */
  overflowed = false;
  matched = 0;
  private readonly byNetns = new Map<number | null, number>();
  private readonly traced = new Shelf<TracedSend>();
  private readonly captured = new Shelf<CapturedSend>();
  /** Those that may be copies: found only where no other is. */
  private readonly again = new Shelf<CapturedSend>();
  /** Those whose source is not known to be ours. */
  private readonly strangers = new Shelf<CapturedSend>(MAX_STRANGERS);
  private readonly tolerance: Tolerance;
  /** Answers of listeners have been traced. */
  private listenersAnswer = false;
  /** Answers of listeners that were found at once, by key. */
  private readonly sure = new Map<string, number>();
  private readonly doubt = { listeners: 0, apart: 0, apartSeconds: 0, translated: 0 };

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

  get doubts(): Doubts {
    return this.doubt;
  }

  /** How many were sent and captured, by the namespace that sent them. */
  get matchedByNetns(): ReadonlyMap<number | null, number> {
    return this.byNetns;
  }

  trace(send: TracedSend): void {
    const { early, late } = this.tolerance;
    const listener = listenerKey(send.tuple);
    if (listener !== null) this.listenersAnswer = true;
    const key = keyOf(send);
    const found = this.nearestCaptured(key, { at: send.at, before: early, behind: late });
    if (found === null) {
      this.overflowed = !this.traced.put(send, [key]) || this.overflowed;
      return;
    }
    if (listener !== null) this.noteAnswer(listener, send.at - found.at);
    this.match(send, found);
  }

  capture(send: CapturedSend): void {
    const { early, late } = this.tolerance;
    const around = { at: send.at, before: late, behind: early };
    const found = this.nearestTraced(keysOf(send, send.tuples), around);
    if (found !== null) {
      this.match(found, send);
      return;
    }
    const asAnswer = keysOf(send, send.tuples.flatMap(asListener));
    const answer = this.listenersAnswer ? this.nearestTraced(asAnswer, around) : null;
    if (answer !== null) {
      this.noteAnswer(listenerKey(answer.tuple) ?? '', send.at - answer.at);
      this.match(answer, send);
      return;
    }
    const keys = [...keysOf(send, send.tuples), ...asAnswer];
    if (!send.isOwn) this.strangers.put(send, keys);
    else this.overflowed = !(send.mayBeCopy ? this.again : this.captured).put(send, keys) || this.overflowed;
  }

  /** Nothing more will come: pairs what is left over and can belong together, which is in doubt then. */
  settle(): void {
    for (const send of this.unseen) {
      const found = this.nearestCaptured(keyOf(send), { at: send.at, before: APART_SECONDS, behind: APART_SECONDS });
      if (found === null) continue;
      this.doubt.apart++;
      this.doubt.apartSeconds = Math.max(this.doubt.apartSeconds, Math.abs(found.at - send.at));
      this.traced.take(send);
      this.match(send, found);
    }
    // Somebody else answers for the same port: his may have been taken for the listener's.
    for (const key of new Set(this.captured.all.flatMap(({ tuples }) => tuples.flatMap(asListener)))) {
      this.doubt.listeners += this.sure.get(key) ?? 0;
      this.sure.delete(key);
    }
    const byEnd = new Shelf<CapturedSend>();
    for (const one of this.captured.all) byEnd.put(one, endsOf(one.tuples[0] ?? ''));
    for (const send of this.unseen) {
      const around = { at: send.at, before: TRANSLATED_SECONDS, behind: TRANSLATED_SECONDS };
      const found = endsOf(send.tuple).reduce<CapturedSend | null>(
        (one, end) => one ?? byEnd.nearest(end, around),
        null,
      );
      // With the same ends it is a reset of another form: somebody else's.
      if (found === null || found.tuples.includes(send.tuple)) continue;
      this.doubt.translated++;
      this.captured.take(found);
      this.traced.take(send);
      this.match(send, found);
    }
  }

  private noteAnswer(listener: string, apart: number): void {
    if (Math.abs(apart) > this.tolerance.listener || this.tolerance.listener === 0) this.doubt.listeners++;
    else this.sure.set(listener, (this.sure.get(listener) ?? 0) + 1);
  }

  private nearestCaptured(key: string, around: Around): CapturedSend | null {
    return this.captured.nearest(key, around) ?? this.strangers.nearest(key, around) ?? this.again.nearest(key, around);
  }

  private nearestTraced(keys: readonly string[], around: Around): TracedSend | null {
    for (const key of keys) {
      const found = this.traced.nearest(key, around);
      if (found !== null) return found;
    }
    return null;
  }

  /** Of what NAT has translated the trace knows which address was the sender's; else the address says more than a process. */
  private match(traced: TracedSend, captured: CapturedSend): void {
    const isTranslated = captured.tuples.length > 1;
    const netns = isTranslated ? (traced.netns ?? captured.netns) : (captured.netns ?? traced.netns);
    this.matched++;
    this.byNetns.set(netns, (this.byNetns.get(netns) ?? 0) + 1);
  }
}

function keyOf({ tuple, manner }: TracedSend): string {
  return `${manner} ${listenerKey(tuple) ?? tuple}`;
}

function keysOf({ manners }: CapturedSend, ends: readonly string[]): string[] {
  return ends.flatMap((end) => manners.map((manner) => `${manner} ${end}`));
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

/** Each end by itself, the remote one first: a client's port tells more than a server's. Of a listener's answer none. */
function endsOf(tuple: string): string[] {
  if (listenerKey(tuple) !== null) return [];
  const [localIp = '', localPort = '', remoteIp = '', remotePort = ''] = tuple.split(' ');
  return [`to ${remoteIp} ${remotePort}`, `from ${localIp} ${localPort}`];
}
