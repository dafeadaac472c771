/**
 * All resets of one habit between one client and one place: how many, how fast, how evenly. The smallest thing that has
 * a pattern or has none; which one is asked of it whenever somebody wants to know, and may still become another.
 */

import type { Process } from '../attribute/process.js';
import type { Pattern } from '../conversation/verdict.js';
import type { Habit } from './habit.js';
import type { Endpoint, Reflection } from './places.js';
import type { Scanner } from './scanner.js';

/** Gaps between resets that are kept: the last ones tell the interval. */
const MOST_GAPS = 32;
/** A third look may be chance; a fourth is a habit. */
const LEAST_RETRIES = 4;
/** Clients; of fewer, each is one that tries again, however fast. */
const LEAST_FLOODING = 10;
const LEAST_CHECKS = 3;
/** Whoever comes back to a place so often within a while wants something there: no scanner does. */
const MOST_LOOKS = 3;
const AGAIN_SECONDS = 300;
const MOST_CHECKS_PER_SECOND = 5;

export class Cell {
  /** Resets in the report. */
  reported = 0;
  /** Resets seen. */
  count = 0;
  first = NaN;
  last = NaN;
  /** Null: of several clients, for want of room. */
  readonly client: string | null;
  readonly habit: Habit;
  /** The client's, where it is known. */
  readonly program: Process | null;
  readonly scanner: Scanner;
  readonly endpoint: Endpoint;
  /** Of its server, and of its client: the one with more strangers tells who is meant. */
  readonly fromServer: Reflection;
  readonly toClient: Reflection;
  /** Of several places, for want of room. */
  readonly scattered: boolean;
  private gaps: number[] | null = null;
  private again = 0;

  constructor(
    habit: Habit,
    client: string | null,
    program: Process | null,
    groups: Pick<Cell, 'scanner' | 'endpoint' | 'fromServer' | 'toClient'>,
    scattered = false,
  ) {
    this.scattered = scattered;
    this.habit = habit;
    this.client = client;
    this.program = program;
    this.scanner = groups.scanner;
    this.endpoint = groups.endpoint;
    this.fromServer = groups.fromServer;
    this.toClient = groups.toClient;
  }

  /** A reset of it, `at` in seconds since 1970. */
  add(at: number): void {
    this.count++;
    if (this.count > 1 && at >= this.last) {
      this.gaps ??= [];
      if (this.gaps.length === MOST_GAPS) this.gaps.shift();
      this.gaps.push(at - this.last);
      if (at - this.last <= AGAIN_SECONDS && ++this.again === this.mostLooks && !this.scattered) this.scanner.heavy++;
    }
    if (!(at < this.last)) this.last = at;
    if (Number.isNaN(this.first)) this.first = at;
  }

  /** Why somebody does it; null: so far nothing tells. */
  get pattern(): Pattern | null {
    const { habit, scanner, endpoint, fromServer, toClient } = this;
    if (habit.shape === 'unasked') return fromServer.isBackscatter || toClient.isBackscatter ? 'backscatter' : null;
    if (habit.shape === 'late-request') return endpoint.idleTimer === null ? null : 'keepalive-race';
    if (scanner.isScan && (this.scattered || this.again < this.mostLooks)) return 'scan';
    if (this.scattered) return null;
    if (endpoint.isFlood && (this.client === null || endpoint.clients.size >= LEAST_FLOODING)) return 'flood';
    if (this.isHealthCheck) return 'health-check';
    if (this.isRetryLoop) return 'retry-loop';
    return endpoint.isFlood && habit.shape === 'probe' ? 'flood' : null;
  }

  /** Somebody says to be many hosts, and a server answers them; else the other way round. */
  get isOfServer(): boolean {
    return this.fromServer.strangers.size >= this.toClient.strangers.size;
  }

  /** Seconds between two of its resets, as most are; null: too few. */
  get interval(): number | null {
    return this.gaps === null ? null : median(this.gaps);
  }

  /** That interval is the rhythm of the whole, and no burst's of several. */
  get isRhythm(): boolean {
    const { interval, count, first, last } = this;
    if (interval === null || !(last > first)) return false;
    const span = interval * (count - 1);
    return span >= (last - first) / 2 && span <= (last - first) * 1.5;
  }

  /** Most of its gaps lie within a fifth of the interval. */
  get isSteady(): boolean {
    const { interval, gaps } = this;
    if (interval === null || gaps === null) return false;
    const near = gaps.filter((gap) => Math.abs(gap - interval) <= interval / 5);
    return near.length * 3 >= gaps.length * 2;
  }

  /** What answered once needs no second look. */
  private get mostLooks(): number {
    return this.habit.shape === 'probe' ? 1 : MOST_LOOKS;
  }

  private get isHealthCheck(): boolean {
    if (this.habit.shape !== 'probe' || this.client === null) return false;
    // A half-open one may be of a client that had gone when the answer came, unless they come like a clock's.
    if (this.habit.halfOpen && !(this.isRhythm && this.isSteady)) return false;
    return this.count >= LEAST_CHECKS && this.perSecond <= MOST_CHECKS_PER_SECOND;
  }

  private get isRetryLoop(): boolean {
    if (this.habit.shape !== 'refusal' || this.client === null) return false;
    return this.count >= LEAST_RETRIES;
  }

  private get perSecond(): number {
    const span = this.last - this.first;
    return span > 0 ? (this.count - 1) / span : Infinity;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
