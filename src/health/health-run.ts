/**
 * `rstscope health`: the counters of some network namespaces, read again and again, and what they say of a span of time.
 *
 * Whoever runs it decides when; nothing is printed here.
 */

import type { Namespace } from '../capture/live/namespaces.js';
import type { AlertRow, CounterRow, HealthDocument, ListenQueueRow, SysctlRow } from '../report/types.js';
import { AlertWatch, type Limits } from './alert-watch.js';
import { mono } from './counter-reader.js';
import { CounterWatch, type Account } from './counter-watch.js';
import { hostUptime, whichNamespace } from './host.js';
import { KNOWN_COUNTERS } from './known-counters.js';
import { listenQueues, settingsOf } from './queues.js';
import { settingRows } from './settings.js';

/** What the counters were at a moment. */
export interface Mark {
  /** Milliseconds since 1970. */
  readonly wall: number;
  /** Seconds of CLOCK_MONOTONIC. */
  readonly at: number;
  /** Increase since the beginning, by namespace. */
  readonly rose: ReadonlyMap<Account, ReadonlyMap<string, number>>;
}

/** What was counted between two moments. */
export type Sample = Pick<HealthDocument, 'boot_seconds' | 'counters' | 'namespaces' | 'alerts'> & {
  readonly seconds: number;
};

const NANOS = 1e9;
/** Of each counter, for its sparkline. */
const MAX_HISTORY = 600;

export class HealthRun {
  private readonly watch: CounterWatch;
  private readonly alertWatch: AlertWatch;
  private readonly namespaces: readonly Namespace[];
  private readonly wallClock: () => number;
  private readonly rates = new Map<Account, Map<string, number[]>>();
  private last: Mark | null = null;

  /** `namespaces`: the own one first. `wallClock`: milliseconds since 1970. */
  constructor(namespaces: readonly Namespace[], limits: Limits, wallClock: () => number) {
    this.namespaces = namespaces;
    this.watch = new CounterWatch(namespaces, false);
    this.alertWatch = new AlertWatch(limits, whichNamespace());
    this.wallClock = wallClock;
  }

  /** Null: the counters of this namespace can't be read. */
  async begin(): Promise<Mark | null> {
    await this.watch.readFirst();
    return this.watch.accounts[0]?.rose === null ? null : this.mark();
  }

  /** A reading of what can be read at once. */
  tick(): Mark {
    this.watch.readNow(false);
    return this.mark();
  }

  /** A reading of all. */
  async read(): Promise<Mark> {
    await this.watch.readLast();
    return this.mark();
  }

  /** `from`: null: since the host was started, without rates. */
  sample(from: Mark | null, to: Mark): Sample {
    const seconds = from === null ? 0 : to.at - from.at;
    const [own, ...others] = this.watch.accounts;
    const rowsOf = (account: Account): CounterRow[] => counterRows(account, from, to, seconds);
    return {
      seconds,
      boot_seconds: hostUptime(),
      counters: own === undefined ? [] : rowsOf(own),
      namespaces: others.map((account) => ({
        netns: account.namespace.inode,
        name: account.namespace.name,
        counters: rowsOf(account),
      })),
      alerts: this.alertWatch.rows,
    };
  }

  get alerts(): AlertRow[] {
    return this.alertWatch.rows;
  }

  /** Rates of the counters of this namespace from reading to reading, the last ones. */
  get history(): ReadonlyMap<string, readonly number[]> {
    const [own] = this.watch.accounts;
    return (own === undefined ? undefined : this.rates.get(own)) ?? new Map<string, number[]>();
  }

  /** Listeners with somebody waiting, as they are now. */
  async queues(): Promise<ListenQueueRow[]> {
    const all = await Promise.all(this.namespaces.map((one) => listenQueues(one, ({ backlog }) => backlog > 0)));
    return all.flat();
  }

  /** What explains how the counters have moved. */
  async settings(queues: readonly ListenQueueRow[]): Promise<SysctlRow[]> {
    const rows = this.watch.accounts.map(async ({ namespace, rose }) => {
      const own = queues.filter(({ netns }) => netns === namespace.inode);
      const seen = { rose: rose ?? new Map<string, number>(), causes: new Set<never>(), queues: own };
      return settingRows(await settingsOf(namespace), namespace.inode, seen);
    });
    return (await Promise.all(rows)).flat();
  }

  private mark(): Mark {
    const wall = this.wallClock();
    const at = mono() / NANOS;
    const rose = new Map(this.watch.accounts.map((account) => [account, new Map(account.rose ?? [])]));
    const mark: Mark = { wall, at, rose };
    const [own] = this.watch.accounts;
    const { last } = this;
    const before = own === undefined ? undefined : last?.rose.get(own);
    const risen = new Map([...(own?.rose ?? [])].map(([name, sum]) => [name, sum - (before?.get(name) ?? 0)] as const));
    this.alertWatch.add({ at, uptime: hostUptime(), time: new Date(wall).toISOString() }, risen);
    if (own !== undefined && last !== null) this.remember(own, risen, at - last.at);
    this.last = mark;
    return mark;
  }

  private remember(account: Account, risen: ReadonlyMap<string, number>, seconds: number): void {
    if (seconds <= 0) return;
    const all = this.rates.get(account) ?? new Map<string, number[]>();
    this.rates.set(account, all);
    for (const { name } of KNOWN_COUNTERS) {
      const list = all.get(name) ?? [];
      list.push((risen.get(name) ?? 0) / seconds);
      if (list.length > MAX_HISTORY) list.shift();
      all.set(name, list);
    }
  }
}

/** Every counter that speaks of resets; what this kernel lacks is null. */
function counterRows(account: Account, from: Mark | null, to: Mark, seconds: number): CounterRow[] {
  return KNOWN_COUNTERS.map(({ name, meaning, cause }) => {
    // Of a namespace that is gone nothing is known of this span.
    const total = account.gone ? null : (account.totals.get(name) ?? null);
    const sum = account.gone ? undefined : to.rose.get(account)?.get(name);
    const delta = from === null || sum === undefined ? null : sum - (from.rose.get(account)?.get(name) ?? 0);
    const rate = delta === null || seconds <= 0 ? null : Number((delta / seconds).toFixed(6));
    return { name, total, delta, rate, meaning, cause };
  });
}
