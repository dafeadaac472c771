/**
 * The kernel's counters beside a live capture: read just before it opens and just after it has closed, and now and then
 * between; every reset that is captured or traced meanwhile is held against them.
 *
 * Knows no frames and prints nothing. What it says is said when the capture is over.
 */

import { kernelReasonOf, type Attribution } from '../attribute/process.js';
import type { TracedReset } from '../attribute/trace/protocol.js';
import type { Namespace } from '../capture/live/namespaces.js';
import type { Reset } from '../conversation/reset.js';
import type { AlertRow, Cause, KernelReport, ListenQueueRow, Reconciliation, SysctlRow } from '../report/types.js';
import { abortRows, type CauseCount } from './abort-notes.js';
import { AlertWatch, NO_LIMITS } from './alert-watch.js';
import { mono } from './counter-reader.js';
import { CounterWatch, type Account } from './counter-watch.js';
import type { Hindrances } from './hindrances.js';
import { hostUptime, whichNamespace } from './host.js';
import { kernelReport, type Boundaries } from './kernel-report.js';
import { LiveLedger, type Places } from './live-ledger.js';
import { listenQueues, settingsOf } from './queues.js';
import { settingRows } from './settings.js';

/** What the trace of the same run says of itself. */
export interface TraceWord {
  /** Why it does not tell of every reset that TCP sent; null: it does. */
  readonly untold: string | null;
  /** It tells of every reset that a socket took. */
  readonly tellsTaken: boolean;
}

export interface HealthOrder {
  /** Those that are captured in, the own one first. */
  readonly namespaces: readonly Namespace[];
  readonly trace: () => TraceWord;
  /** Copies are counted each as its own. */
  readonly unfolded: boolean;
  /** The wall clock, milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** What the capture knows once it is open. */
export interface Opened extends Omit<Places, 'own'> {
  readonly timestamps: 'kernel' | 'arrival';
}

const EVERY_MS = 1000;
/** All namespaces of the machine are read every so many times. */
const ALL_EVERY = 5;
/**
 * Seconds that a frame may be stamped before and behind the trace's event and be its frame without a doubt. A queue of the
 * interface, or a busy capturing program, may hold it longer: see `SendMatch.settle`.
 */
const TOLERANCE = {
  kernel: { early: 0.005, late: 0.02, listener: 0.0005 },
  arrival: { early: 0.05, late: 0.3, listener: 0 },
} as const;
/** Told before the capture is open. */
const MAX_EARLY = 100_000;
/** A step of the wall clock by so much parts the times of frames from those of the trace. */
const CLOCK_STEP_MS = 500;

export class LiveHealth {
  private readonly order: HealthOrder;
  private readonly watch: CounterWatch;
  private readonly alertWatch = new AlertWatch(NO_LIMITS, whichNamespace());
  private ledger: LiveLedger | null = null;
  private early: TracedReset[] = [];
  private earlyLost = false;
  private readonly causes = new Map<string, CauseCount & { resets: number }>();
  private seenCauses = new Set<Cause>();
  private reported = 0;
  /** Of these, those of which it is not known which namespace sent them. */
  private unplaced = 0;
  private boundaries: Boundaries = {
    opened: Infinity,
    closing: Infinity,
    insideStart: new Map(),
    insideEnd: new Map(),
  };
  private timer: NodeJS.Timeout | null = null;
  private readings = 0;
  private lastSums = new Map<string, number>();
  private over = false;
  private onOver: () => void = () => undefined;
  private readonly isOver = new Promise<void>((resolve) => {
    this.onOver = resolve;
  });
  private queues: readonly ListenQueueRow[] = [];
  private settings: ReadonlyMap<Namespace, readonly string[]> = new Map();
  /** Of the wall clock against the monotonic one, milliseconds. */
  private offset: number | null = null;
  private clockWasSet = false;

  constructor(order: HealthOrder) {
    this.order = order;
    this.watch = new CounterWatch(order.namespaces, true);
  }

  /** Just before anything is captured. */
  async begin(): Promise<void> {
    await this.watch.readFirst();
    this.tick();
    this.timer = setInterval(() => {
      this.watch.readNow(++this.readings % ALL_EVERY === 0);
      this.tick();
    }, EVERY_MS).unref();
  }

  /** Everything is listened to. */
  opened({ timestamps, local, netnsOf }: Opened): void {
    const opened = mono();
    this.watch.readNow(false);
    this.boundaries = { ...this.boundaries, opened, insideStart: this.sentByNow() };
    const own = this.order.namespaces[0]?.inode ?? null;
    this.ledger = new LiveLedger({ local, netnsOf, own }, TOLERANCE[timestamps]);
    for (const traced of this.early.splice(0)) if (traced.kind === 'send') this.ledger.traced(traced);
  }

  /** The kernel sent a reset, or a socket took one. */
  readonly traced = (reset: TracedReset): void => {
    if (this.ledger !== null) this.ledger.traced(reset);
    else if (this.early.length < MAX_EARLY) this.early.push(reset);
    else this.earlyLost = true;
  };

  captured(view: Reset): void {
    this.ledger?.captured(view);
  }

  /** It is in the report. */
  counted(reset: Reset, who: Attribution): void {
    const netns = this.ledger?.senderOf(reset);
    if (netns === undefined) return;
    this.reported++;
    const { cause } = reset.verdict;
    this.seenCauses.add(cause);
    if (netns === null) this.unplaced++;
    if (!this.order.namespaces.some(({ inode }) => inode === netns)) return;
    const reason = kernelReasonOf(who);
    const key = `${cause} ${reason ?? ''}`;
    const known = this.causes.get(key);
    if (known === undefined) this.causes.set(key, { cause, reason, resets: 1 });
    else known.resets++;
  }

  /** The end was asked for; the capture still runs. */
  ending(): void {
    if (this.boundaries.closing !== Infinity) return;
    this.watch.readNow(false);
    this.boundaries = { ...this.boundaries, closing: mono(), insideEnd: this.sentByNow() };
  }

  /** Nothing is captured any more. */
  async closed(): Promise<void> {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    await this.watch.readLast();
    this.tick();
    this.over = true;
    this.onOver();
  }

  /** All that was captured has been told of: reads what the namespaces' listeners and settings are by now. */
  async finish(): Promise<void> {
    await this.isOver;
    const ports = this.ledger?.ports ?? new Set();
    const { namespaces } = this.order;
    const settings = await Promise.all(namespaces.map(settingsOf));
    this.settings = new Map(namespaces.map((namespace, i) => [namespace, settings[i] ?? []]));
    const overflowed = (sumOf(this.watch.accounts.filter(({ asked }) => asked)).get('ListenOverflows') ?? 0) > 0;
    if (ports.size === 0 && !overflowed) return;
    const isInvolved = ({ port, backlog }: ListenQueueRow): boolean => ports.has(port) || (overflowed && backlog > 0);
    const queues = await Promise.all(namespaces.map((one) => listenQueues(one, isInvolved)));
    this.queues = queues.flat();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.onOver();
  }

  /** Null until the capture is over. */
  report(hindrances: Hindrances): KernelReport | null {
    const { ledger, order, over } = this;
    if (!over || ledger === null) return null;
    const { untold, tellsTaken } = order.trace();
    const accounts = this.watch.accounts;
    const counted = kernelReport({
      accounts,
      ledger,
      boundaries: this.boundaries,
      inexact: untold ?? this.whyInexact(ledger),
      hindrances,
      tellsTaken,
      unfolded: order.unfolded,
    });
    const asked = accounts.filter((account) => account.asked);
    const rose = sumOf(asked);
    return {
      ...counted,
      // Of resets that were left out of the report the cause is not known here; copies would count twice, and what NAT
      // translated was taken for somebody else's.
      aborts: this.isComparable(counted.reconciliation, ledger) ? abortRows(rose, [...this.causes.values()]) : [],
      listeners: this.queues,
      sysctls: asked.flatMap((account) => this.settingsIn(account)),
    };
  }

  get alerts(): AlertRow[] {
    return this.alertWatch.rows;
  }

  private settingsIn({ namespace, rose }: Account): SysctlRow[] {
    const { inode } = namespace;
    const queues = this.queues.filter(({ netns }) => netns === inode);
    const seen = { rose: rose ?? new Map<string, number>(), causes: this.seenCauses, queues };
    return settingRows(this.settings.get(namespace) ?? [], inode, seen);
  }

  private isComparable({ captured_sent: sent }: Reconciliation, { match }: LiveLedger): boolean {
    return this.unplaced === 0 && this.reported === sent && match.doubts.translated === 0;
  }

  private whyInexact({ match }: LiveLedger): string | null {
    if (this.order.unfolded) return 'copies were counted each as its own (--no-fold)';
    if (this.clockWasSet) return 'the clock was set meanwhile';
    return match.overflowed || this.earlyLost ? 'there were too many to compare one by one' : null;
  }

  /** OutRsts of each namespace that was asked for, since the first reading. */
  private sentByNow(): Map<Account, number> {
    const read = this.watch.accounts.filter(({ asked, rose, broken }) => asked && rose !== null && !broken);
    return new Map(read.map((account) => [account, account.rose?.get('OutRsts') ?? 0]));
  }

  /** A reading of the own namespace has been made. */
  private tick(): void {
    const wall = this.order.wallClock();
    const now = mono();
    const offset = wall - now / 1e6;
    if (this.offset !== null && Math.abs(offset - this.offset) > CLOCK_STEP_MS) this.clockWasSet = true;
    this.offset = offset;
    const sums = new Map(this.watch.accounts[0]?.rose ?? []);
    const rose = new Map([...sums].map(([name, sum]) => [name, sum - (this.lastSums.get(name) ?? 0)]));
    this.lastSums = sums;
    this.alertWatch.add({ at: now / 1e9, uptime: hostUptime(), time: new Date(wall).toISOString() }, rose);
  }
}

function sumOf(accounts: readonly Account[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { rose } of accounts) for (const [name, by] of rose ?? []) sums.set(name, (sums.get(name) ?? 0) + by);
  return sums;
}
