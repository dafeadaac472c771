/** A trace, tables and a clock as tests of the live attributor want them. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Inquiry } from '../../src/attribute/attributor.js';
import { LiveAttributor } from '../../src/attribute/live-attributor.js';
import type { LiveSources } from '../../src/attribute/live-inquiry.js';
import type { Process } from '../../src/attribute/process.js';
import { NOT_LOOKED, type Query, type SocketAnswer } from '../../src/attribute/sockets/watch-protocol.js';
import type { SocketWatch } from '../../src/attribute/sockets/watch.js';
import type { KernelTrace } from '../../src/attribute/trace/kernel-trace.js';
import type { TracedReset } from '../../src/attribute/trace/protocol.js';
import type { Reset } from '../../src/conversation/reset.js';
import { resetOf } from '../report/attributing.js';
import { someProcess } from './sockets/made-up.js';

/** When the reset is captured. */
export const AT = 1_700_000_000;
export const HERE = '10.0.0.1';
export const THERE = '192.0.2.9';
export const T = `${HERE} 80 ${THERE} 40000`;
export const nginx = someProcess(100, { name: 'nginx' });
export const redis = someProcess(200, { name: 'redis' });

/** The trace as this test wants it. */
export class Trace {
  readonly resets: TracedReset[] = [];
  readonly failedConnects = [];
  /** Seconds that it is behind; Infinity: it has failed. */
  behind = 0.01;
  tellsAll = true;
  tellsTaken = true;
  stopped = 0;

  get state(): string {
    return this.behind === Infinity ? 'stopped: it broke' : 'on';
  }

  knownUntil(now: number): number {
    return now / 1000 - this.behind;
  }

  near(kind: TracedReset['kind'], tuple: string, at: number, within: number): TracedReset[] {
    return this.resets.filter((one) => one.kind === kind && one.tuple === tuple && Math.abs(one.at - at) <= within);
  }

  nearListener(): TracedReset[] {
    return [];
  }

  toldAllSent(): boolean {
    return this.tellsAll;
  }

  toldAllReceived(): boolean {
    return this.tellsTaken;
  }

  pastListener(): null {
    return null;
  }

  hasListenedSince(): boolean {
    return false;
  }

  stop(): Promise<void> {
    this.stopped++;
    return Promise.resolve();
  }

  tell(process: Process | null | undefined, more: Partial<TracedReset> = {}): TracedReset {
    const one: TracedReset = {
      serial: this.resets.length,
      kind: 'send',
      at: AT,
      mono: 1e12,
      tuple: T,
      active: true,
      reason: 'TCP_STATE',
      path: 'linger',
      socketless: false,
      listening: false,
      connected: false,
      owner: process === undefined ? null : { process, task: process?.pid ?? 7, how: 'self', shared: false },
      destroyer: null,
      open: false,
      ...more,
    };
    this.resets.push(one);
    return one;
  }
}

export class Tables {
  readonly queries: Query[] = [];
  answer: SocketAnswer = { ...NOT_LOOKED, exact: 'one', holders: [redis], alive: true, lookedAt: AT };
  hold = false;
  private readonly waiting: (() => void)[] = [];

  ask(queries: readonly Query[]): Promise<SocketAnswer[]> {
    this.queries.push(...queries);
    const answers = queries.map(() => this.answer);
    return new Promise((resolve) => {
      if (this.hold) this.waiting.push(() => resolve(answers));
      else resolve(answers);
    });
  }

  release(): void {
    this.hold = false;
    for (const go of this.waiting.splice(0)) go();
  }
}

export interface Made {
  readonly attributor: LiveAttributor;
  readonly trace: Trace;
  readonly tables: Tables;
  /** Seconds after the reset. */
  at: (seconds: number) => void;
}

export function made(more: Partial<Record<keyof LiveSources, unknown>> = {}): Made {
  let now = AT * 1000 + 20;
  const trace = new Trace();
  const tables = new Tables();
  const sources = {
    trace,
    sockets: tables,
    local: (ip: string) => ip.startsWith('10.'),
    now: () => now,
    otherPids: false,
    netnsOf: () => null,
    namespaces: null,
    timestamps: 'kernel',
    ...more,
  } as unknown as LiveSources & { trace: KernelTrace; sockets: SocketWatch };
  return {
    attributor: new LiveAttributor(sources),
    trace,
    tables,
    at: (seconds) => {
      now = (AT + seconds) * 1000;
    },
  };
}

export function reset(more: Partial<Reset> = {}): Reset {
  return resetOf({ srcIp: HERE, srcPort: 80, destIp: THERE, destPort: 40000, seconds: AT, nanos: 0, seq: 5, ...more });
}

/** "match pid", or why not, of the sender and of the receiver. */
export function said({ known }: Inquiry): string[] {
  return [known.sender, known.receiver].map(({ process, match, reason }) =>
    process === null ? reason : `${match} ${process.pid}`,
  );
}

/** Lets answers come. */
export async function later(inquiry: Inquiry): Promise<boolean> {
  // Asked once, it asks what it has to ask.
  if (inquiry.final) return true;
  await turn();
  return inquiry.final;
}
