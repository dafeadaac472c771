/**
 * The alerts that send people here, by their makers' formulas, and limits of the user's own.
 *
 * Netdata (health.d/tcp_resets.conf): base = mean of the minute that ended ten seconds ago, at least 5; a warning while
 * the mean of the last ten seconds is above base × 10, or above base × 1 once it warns, and the agent is up for more than
 * a minute. Every ten seconds. LogicMonitor has a figure and no published threshold. Pure: time and counters are handed in.
 */

import { grouped } from '../base/text.js';
import type { AlertState } from '../report/types.js';
import type { Series } from './series.js';

/** Seconds between two evaluations. */
export const EVALUATED_EVERY = 10;

const RECENT_SECONDS = 10;
const BASE_SECONDS = 60;
const NEEDED_SECONDS = RECENT_SECONDS + BASE_SECONDS;
const FLOOR = 5;
/** A warning begins at so many times the base, and lasts until it is no more than the base. */
const FACTOR_UP = 10;
const FACTOR_DOWN = 1;
const UPTIME_SECONDS = 60;
/** Of less a single reset would be many a second. */
const LEAST_SECONDS = 1;
/** Moments are sums of seconds. */
const NEAR = 0.02;

export type AlertId =
  'netdata_resets_sent' | 'netdata_resets_received' | 'logicmonitor_failed_connections' | 'resets_sent';

export interface Verdict {
  readonly state: AlertState;
  /** Per second. */
  readonly value: number | null;
  readonly threshold: number | null;
  readonly reason: string;
}

export interface Moment {
  /** Seconds of the clock of the series. */
  readonly at: number;
  /** Seconds since the host was started; null: not known. */
  readonly uptime: number | null;
}

/** One alert: what it says of a counter now, by what it said before. */
export interface Rule {
  readonly id: AlertId;
  /** Name of the counter that it looks at. */
  readonly counter: string;
  judge(series: Series, moment: Moment, before: AlertState): Verdict;
}

export function netdataRule(id: AlertId, counter: string): Rule {
  return {
    id,
    counter,
    judge: (series, { at, uptime }, before) => {
      const recent = series.mean(at - RECENT_SECONDS, at);
      const minute = series.mean(at - NEEDED_SECONDS, at - RECENT_SECONDS);
      if (recent === null || minute === null) {
        const has = Math.floor(at - (series.start ?? at) + NEAR);
        const reason = `needs ${String(NEEDED_SECONDS)} s, has ${String(has)}`;
        return { state: 'undefined', value: sofar(series, at), threshold: null, reason };
      }
      const base = Math.max(minute, FLOOR);
      const factor = before === 'warning' ? FACTOR_DOWN : FACTOR_UP;
      const threshold = base * factor;
      // The agent's uptime is Netdata's guard; the host's is what can be seen from here.
      const isUp = uptime === null || uptime > UPTIME_SECONDS;
      const above = recent > threshold;
      const floor = minute < FLOOR ? `${rate(minute)}/s, taken as ${String(FLOOR)}` : `${rate(minute)}/s`;
      const [is, limit] = apart(recent, threshold);
      const comparison = `${is}/s in the last ${String(RECENT_SECONDS)} s, ${above ? 'above' : 'not above'} ${limit}/s: ${String(factor)} times the minute before (${floor})`;
      const guard = isUp
        ? "the host's uptime stands for the agent's"
        : `no warning in the host's first minute (up ${String(Math.floor(uptime))} s; the host's uptime stands for the agent's)`;
      return {
        state: above && isUp ? 'warning' : 'clear',
        value: recent,
        threshold,
        reason: `${comparison}; ${guard}`,
      };
    },
  };
}

/** A mean of ten seconds against a limit of the user's; without one it only tells its figure. */
export function fixedRule(id: AlertId, counter: string, limit: number | null, option: string): Rule {
  return {
    id,
    counter,
    judge: (series, { at }) => {
      const value = sofar(series, at);
      const has = at - (series.start ?? at);
      if (limit === null) {
        const reason = `no published threshold: ${option} N sets one`;
        return { state: 'undefined', value, threshold: null, reason };
      }
      if (value === null || has < LEAST_SECONDS - NEAR) {
        const reason = `needs ${String(LEAST_SECONDS)} s, has ${String(Number(has.toFixed(1)))}`;
        return { state: 'undefined', value, threshold: limit, reason };
      }
      const above = value > limit;
      const [is, most] = apart(value, limit);
      const reason = `${is}/s, ${above ? 'above' : 'not above'} ${most}/s (${option})`;
      return { state: above ? 'warning' : 'clear', value, threshold: limit, reason };
    },
  };
}

/** The mean of the last ten seconds, or of what there is of them. */
function sofar(series: Series, at: number): number | null {
  const { start } = series;
  return start === null ? null : series.mean(Math.max(start, at - RECENT_SECONDS), at);
}

const MOST_DIGITS = 6;

/** Two figures with as many digits as it takes to see that they differ. */
function apart(a: number, b: number): [string, string] {
  const texts: [string, string] = [rate(a), rate(b)];
  for (let digits = 2; texts[0] === texts[1] && a !== b && digits <= MOST_DIGITS; digits++) {
    texts[0] = String(Number(a.toFixed(digits)));
    texts[1] = String(Number(b.toFixed(digits)));
  }
  return texts;
}

/** "100", "12.3", "0.05". */
function rate(n: number): string {
  if (n >= 100) return grouped(Math.round(n));
  return String(Number(n.toFixed(n >= 10 ? 1 : 2)));
}
