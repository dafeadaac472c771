/**
 * Kernel tracing as the main thread sees it: begun before anything is captured, asked for each reset who was at its ends,
 * and gone at the end.
 *
 * Without it (not root, no tracefs …) there is a sentence that says why, and names come from the socket tables only.
 */

import { startThread, type Thread } from '../../base/spawn.js';
import { printable } from '../../base/text.js';
import type { FailedConnects } from '../process.js';
import { tupleText } from './ends.js';
import { Failures } from './failures.js';
import { Instance, NoTrace } from './instance.js';
import {
  SHARED_BYTES,
  UNTIL,
  WORDS,
  type PastListener,
  type StartedListener,
  type TraceCommand,
  type TracedReset,
  type TraceOrder,
  type TraceWord,
} from './protocol.js';

/** It keeps little; collected early, its garbage takes little memory. */
const LIMITS = { maxYoungGenerationSizeMb: 4 };
const READY_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 3000;
/** Resets are asked for within a second; in a flood the oldest go. */
const KEPT_SECONDS = 20;
const MAX_KEPT = 200_000;
const FORGOTTEN_AT_ONCE = 1024;
/** Of one tuple at one time; more can't be told apart anyway. */
const MAX_NEAR = 64;
const MAX_PAST_LISTENERS = 1000;

/** More may be learnt of it. */
interface Kept {
  reset: TracedReset;
}

export class KernelTrace {
  private readonly instance: Instance;
  private readonly thread: Thread;
  private readonly shared: BigInt64Array;
  private heard = 0n;
  /** By the last word. */
  private until = 0;
  /** By tuple, in the order of their times. */
  private readonly byTuple = new Map<string, Kept[]>();
  private readonly bySerial = new Map<number, Kept>();
  private queue: Kept[] = [];
  private readonly failures = new Failures();
  private readonly listenerStarts: StartedListener[] = [];
  private readonly listenerEnds: PastListener[] = [];
  /** Seconds since 1970. */
  private readonly began: number;
  private lostEvents = 0;
  private failure: string | null = null;
  private stopping = false;
  private onClosed: () => void = () => undefined;
  /** Hears of each reset once, as it is told first. */
  onTold: (reset: TracedReset) => void = () => undefined;

  private constructor(instance: Instance, thread: Thread, shared: SharedArrayBuffer) {
    this.instance = instance;
    this.thread = thread;
    this.shared = new BigInt64Array(shared);
    this.began = Date.now() / 1000;
  }

  /** When it resolves every reset is traced. Throws a NoTrace. */
  static async start(): Promise<KernelTrace> {
    const instance = await Instance.make();
    let thread: Thread | null = null;
    try {
      const shared = new SharedArrayBuffer(SHARED_BYTES);
      thread = startThread('trace-thread', { facts: instance.facts, shared } satisfies TraceOrder, LIMITS);
      if (thread === null) throw new NoTrace('rstscope was not built');
      const trace = new KernelTrace(instance, thread, shared);
      await trace.ready();
      return trace;
    } catch (error) {
      // What it has open would keep the instance.
      await thread?.terminate();
      await instance.remove();
      throw error;
    }
  }

  /** "on", or what went wrong on the way. */
  get state(): string {
    return this.failure ?? 'on';
  }

  /** Events that the kernel had to overwrite. */
  get lost(): number {
    return this.lostEvents;
  }

  get failedConnects(): FailedConnects[] {
    return this.failures.list();
  }

  /** Everything that happened until then has been told; seconds since 1970, by `now`, milliseconds since 1970. */
  knownUntil(now: number): number {
    if (this.failure !== null) return -Infinity;
    // A word that is still on its way may tell of what happened since the last one that was heard. Words are looked at
    // second, for the thread counts them first: a word between the two looks would be taken for heard.
    const readUntil = Number(Atomics.load(this.shared, UNTIL));
    const isAll = Atomics.load(this.shared, WORDS) === this.heard;
    const until = isAll ? readUntil : this.until;
    return now / 1000 - (Number(process.hrtime.bigint()) - until) / 1e9;
  }

  /** The resets that a socket of this tuple (`tupleText`, local end first) sent or took within `within` seconds of `at`. */
  near(kind: TracedReset['kind'], tuple: string, at: number, within: number): TracedReset[] {
    const all = this.byTuple.get(tuple) ?? [];
    const found: TracedReset[] = [];
    // The last ones are asked for, of many that a listener answered.
    for (let i = all.length - 1; i >= 0; i--) {
      const reset = all[i]?.reset;
      if (reset === undefined || reset.at < at - within || found.length >= MAX_NEAR) break;
      if (reset.kind === kind && reset.at <= at + within) found.push(reset);
    }
    return found.reverse();
  }

  /** The same of what was answered for a listener: it bears the listener's own addresses, and nobody's at the other end. */
  nearListener(ip: string, port: number, at: number, within: number): TracedReset[] {
    const bound = [tupleText(ip, port, '0.0.0.0', 0), tupleText(ip, port, '::', 0)];
    const any = [tupleText('0.0.0.0', port, '0.0.0.0', 0), tupleText('::', port, '::', 0)];
    return [...bound, ...any].flatMap((tuple) => this.near('send', tuple, at, within));
  }

  /** A reset of then that it does not tell of was not sent by the kernel's TCP. */
  toldAllSent(at: number): boolean {
    return this.tellsAnswers && this.missedNothing(at);
  }

  /** A reset of then that it does not tell of was taken by no socket: see `KernelFacts.received`. */
  toldAllReceived(at: number): boolean {
    return this.tellsTaken && this.missedNothing(at);
  }

  /** Before Linux 6.10, which gave a reason to it, the event was for resets of live connections only. */
  get tellsAnswers(): boolean {
    return this.instance.facts.formats.get('tcp/tcp_send_reset')?.fields.has('reason') === true;
  }

  get tellsTaken(): boolean {
    return this.instance.facts.formats.get('tcp/tcp_receive_reset')?.fields.has('skaddr') === true;
  }

  /** Who listened on the port of the address and was seen to end, the last one. */
  pastListener(ip: string, port: number): PastListener | null {
    const fits = (one: PastListener): boolean => one.port === port && (one.ip === ip || isAny(one.ip));
    return [...this.listenerEnds].reverse().find(fits) ?? null;
  }

  /** Somebody began to listen there before that time, in whatever namespace, and none that did has ended since. */
  hasListenedSince(ip: string, port: number, at: number): boolean {
    if (this.failure !== null || this.lostEvents > 0) return false;
    const isThere = (one: StartedListener): boolean => one.port === port && (one.ip === ip || isAny(one.ip));
    const started = this.listenerStarts.find((one) => isThere(one) && one.at <= at);
    return started !== undefined && !this.listenerEnds.some((one) => isThere(one) && one.at >= started.at);
  }

  /** Reads what is left, and removes the instance. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.failure === null) {
      const closed = new Promise<void>((resolve) => {
        this.onClosed = resolve;
        setTimeout(resolve, CLOSE_TIMEOUT_MS).unref();
      });
      this.thread.postMessage('stop' satisfies TraceCommand);
      await closed;
    }
  }

  /** Lets go of everything. */
  async close(): Promise<void> {
    this.stopping = true;
    await this.thread.terminate();
    await this.instance.remove();
  }

  private missedNothing(at: number): boolean {
    return this.failure === null && this.lostEvents === 0 && at > this.began;
  }

  private ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new NoTrace('its thread did not begin'));
      }, READY_TIMEOUT_MS);
      this.thread.on('message', (word: TraceWord) => {
        clearTimeout(late);
        if (word.kind === 'ready') resolve();
        else this.hear(word);
      });
      this.thread.on('error', (error) => {
        clearTimeout(late);
        this.fail(error.message);
        reject(new NoTrace(error.message));
      });
      this.thread.on('exit', () => {
        if (!this.stopping) this.fail('its thread has ended');
        this.onClosed();
        clearTimeout(late);
        reject(new NoTrace('its thread has ended'));
      });
    });
  }

  private fail(why: string): void {
    this.failure ??= `stopped: ${printable(why, 200)}`;
    this.onClosed();
  }

  private hear(word: Exclude<TraceWord, { kind: 'ready' }>): void {
    if (word.kind === 'closed') {
      this.onClosed();
      return;
    }
    this.heard++;
    this.until = word.until;
    this.lostEvents += word.lost;
    for (const reset of word.resets) this.keep(reset);
    for (const { process, ip, port, how } of word.failed) {
      if (process !== null) this.failures.add(process, ip, port, how);
    }
    keepLast(this.listenerStarts, word.listenerStarts);
    keepLast(this.listenerEnds, word.listenerEnds);
  }

  private keep(reset: TracedReset): void {
    const known = this.bySerial.get(reset.serial);
    if (known !== undefined) {
      known.reset = reset;
      return;
    }
    this.onTold(reset);
    const kept: Kept = { reset };
    this.bySerial.set(reset.serial, kept);
    const all = this.byTuple.get(reset.tuple);
    if (all === undefined) this.byTuple.set(reset.tuple, [kept]);
    else all.push(kept);
    this.queue.push(kept);
    this.forget(reset.at - KEPT_SECONDS);
  }

  /** What is older than that, and what is too much. Seldom and many at once: the queue is an array. */
  private forget(until: number): void {
    const { queue } = this;
    let old = 0;
    if (queue.length > MAX_KEPT + FORGOTTEN_AT_ONCE) old = queue.length - MAX_KEPT;
    else if ((queue[FORGOTTEN_AT_ONCE]?.reset.at ?? Infinity) >= until) return;
    while (old < queue.length && (queue[old]?.reset.at ?? Infinity) < until) old++;
    const tuples = new Set<string>();
    for (const { reset } of queue.slice(0, old)) {
      this.bySerial.delete(reset.serial);
      tuples.add(reset.tuple);
    }
    this.queue = queue.slice(old);
    for (const tuple of tuples) {
      const left = (this.byTuple.get(tuple) ?? []).filter(({ reset }) => this.bySerial.has(reset.serial));
      if (left.length === 0) this.byTuple.delete(tuple);
      else this.byTuple.set(tuple, left);
    }
  }
}

function keepLast<T>(all: T[], more: readonly T[]): void {
  all.push(...more);
  if (all.length > MAX_PAST_LISTENERS) all.splice(0, all.length - MAX_PAST_LISTENERS);
}

function isAny(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::';
}
