/**
 * The alerts over a run: fed with the increase of the counters they look at, evaluated every ten seconds as Netdata does,
 * those with a limit of the user's at every reading. Knows no clock: times are handed in.
 */

import type { AlertRow, AlertState } from '../report/types.js';
import { EVALUATED_EVERY, fixedRule, netdataRule, type Moment, type Rule, type Verdict } from './alerts.js';
import { Series } from './series.js';

export interface Limits {
  /** Resets sent per second. */
  readonly sent: number | null;
  /** Failed connections per second. */
  readonly failed: number | null;
}

export const NO_LIMITS: Limits = { sent: null, failed: null };

/** A reading: seconds of a clock that only goes forward, and the wall clock's word for it (ISO 8601). */
export interface Tick extends Moment {
  readonly time: string;
}

interface Watched {
  readonly rule: Rule;
  /** Evaluated every ten seconds, else at each reading. */
  readonly seldom: boolean;
  state: AlertState;
  since: string | null;
  verdict: Verdict | null;
}

/** Due moments and readings are sums of a clock's seconds. */
const NEAR = 1e-6;

export class AlertWatch {
  private readonly series = new Map<string, Series>();
  private readonly watched: readonly Watched[];
  /** What each counter counts, in words. */
  private readonly counts: ReadonlyMap<string, string>;
  private due: number | null = null;
  private start: string | null = null;

  /** `place`: which namespace's counters these are, for people: "the host's network namespace". */
  constructor(limits: Limits, place: string) {
    this.counts = new Map([
      [
        'OutRsts',
        `resets that TCP sends in ${place}, IPv4 and IPv6: not those of other network namespaces, nor a packet filter's`,
      ],
      ['AttemptFails', `connections that end in their handshake in ${place}: not resets received`],
    ]);
    const watch = (rule: Rule, seldom: boolean): Watched => {
      return { rule, seldom, state: 'undefined', since: null, verdict: null };
    };
    this.watched = [
      watch(netdataRule('netdata_resets_sent', 'OutRsts'), true),
      watch(netdataRule('netdata_resets_received', 'AttemptFails'), true),
      watch(fixedRule('logicmonitor_failed_connections', 'AttemptFails', limits.failed, '--warn-failed'), false),
      ...(limits.sent === null ? [] : [watch(fixedRule('resets_sent', 'OutRsts', limits.sent, '--warn-sent'), false)]),
    ];
    for (const { rule } of this.watched) this.series.set(rule.counter, new Series());
  }

  /** `rose`: increase of each counter since the last reading. A counter that this kernel lacks stays without a value. */
  add(tick: Tick, rose: ReadonlyMap<string, number>): void {
    const { at, uptime, time } = tick;
    for (const [name, series] of this.series) {
      const by = rose.get(name);
      if (by !== undefined) series.add(at, by);
    }
    this.start ??= time;
    this.due ??= at + EVALUATED_EVERY;
    for (; this.due <= at + NEAR; this.due += EVALUATED_EVERY) {
      const ago = at - this.due;
      this.judge({ at: this.due, uptime: uptime === null ? null : uptime - ago }, time, true);
    }
    this.judge({ at, uptime }, time, false);
    // What cannot be told yet tells how far it is.
    for (const one of this.watched) {
      if (one.seldom && one.state === 'undefined') one.verdict = this.verdictOf(one, { at, uptime });
    }
  }

  get rows(): AlertRow[] {
    return this.watched.map(({ rule, state, since, verdict }) => ({
      id: rule.id,
      state,
      value: rounded(verdict?.value ?? null),
      threshold: rounded(verdict?.threshold ?? null),
      since: since ?? this.start,
      reason: verdict?.reason ?? null,
      counter: rule.counter,
      counts: this.counts.get(rule.counter) ?? '',
    }));
  }

  private judge(moment: Moment, time: string, seldom: boolean): void {
    for (const one of this.watched) {
      if (one.seldom !== seldom) continue;
      const verdict = this.verdictOf(one, moment);
      one.verdict = verdict;
      if (verdict.state === one.state) continue;
      one.state = verdict.state;
      one.since = time;
    }
  }

  private verdictOf({ rule, state }: Watched, moment: Moment): Verdict {
    return rule.judge(this.series.get(rule.counter) ?? new Series(), moment, state);
  }
}

/** To a thousandth. */
function rounded(n: number | null): number | null {
  return n === null ? null : Number(n.toFixed(3));
}
