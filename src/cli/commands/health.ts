/** `rstscope health`: the kernel's own counters of resets, as rates, and the alerts that watch them. */

import { UserError } from '../../base/errors.js';
import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { epochNumber, isoTime } from '../../base/time.js';
import { plural } from '../../base/text.js';
import { findNamespaces, namespaceLabel, type Namespace } from '../../capture/live/namespaces.js';
import { HealthRun, type Mark, type Sample } from '../../health/health-run.js';
import { healthJson, healthLine } from '../../render/health-json.js';
import { colorLevel, supportsUnicode, type Style } from '../../render/style.js';
import { SCHEMA_VERSION, type AlertRow, type HealthDocument, type Window } from '../../report/types.js';
import { deliverText } from '../answer.js';
import { EXIT_INCOMPLETE, EXIT_OK } from '../exit-codes.js';
import type { Io } from '../io.js';
import { colorOf } from '../plan.js';
import type { HealthValues } from '../program.js';
import { withSudo } from '../sudo.js';
import { talker, type Talk } from '../talk.js';
import { duration, perSecond } from '../values.js';
import { width } from '../width.js';

const DEFAULT_SECONDS = 10;
const LEAST_INTERVAL = 0.1;
/** Between two readings, for the alerts and for the course of the rates. */
const TICK_SECONDS = 1;
const DEFAULT_WIDTH = 80;
const CLOCK_DIGITS = 3;
/** Two moments that close are one. */
const NEAR_SECONDS = 0.02;

interface Times {
  /** Null: until Ctrl-C. */
  readonly seconds: number | null;
  readonly interval: number;
}

/** What is shown, and when. */
interface Screen {
  /** Each interval is told whole, also what takes programs to find out. */
  readonly wholeIntervals: boolean;
  /** The counters as they were found. */
  begin(found: Sample): Promise<void>;
  interval(document: HealthDocument, isOnly: boolean): Promise<void>;
  /** The text of the end. */
  end(document: HealthDocument): string;
}

export async function health(values: HealthValues, args: readonly string[], io: Io): Promise<number> {
  if (values.json === true && values.ndjson === true) {
    const sentence = 'standard output can carry one of --json and --ndjson, not both';
    throw new UserError('usage', sentence, 'rstscope health --help');
  }
  const times = timesOf(values);
  const talk = talker(io, values.quiet === true);
  const namespaces = findNamespaces((values.netns ?? []).flatMap((list) => list.split(',')).map((name) => name.trim()));
  const limits = {
    sent: values.warnSent === undefined ? null : perSecond('--warn-sent', values.warnSent),
    failed: values.warnFailed === undefined ? null : perSecond('--warn-failed', values.warnFailed),
  };
  const run = new HealthRun(namespaces, limits, io.wallClock);
  const begun = await run.begin();
  if (begun === null) {
    const sentence = "this system has no /proc/net/snmp that can be read: health reads Linux's own counters";
    throw new UserError('unsupported', sentence, 'nstat -az');
  }
  await sayWhatIsHidden(run.sample(null, begun), namespaces, talk, withSudo(io.program, args));
  const screen = await screenOf(values, run, io);
  await screen.begin(run.sample(null, begun));
  await talk(
    `reading the kernel's counters ${times.seconds === null ? 'until Ctrl-C' : `for ${String(times.seconds)} s (Ctrl-C ends it)`}`,
  );
  const text = await follow(run, begun, times, screen, io);
  return (await deliverText(() => [text], io, talk)) ? EXIT_INCOMPLETE : EXIT_OK;
}

function timesOf({ interval, duration: typed }: HealthValues): Times {
  const asked = typed === undefined ? DEFAULT_SECONDS : duration('-d', typed);
  if (asked !== 0 && asked < LEAST_INTERVAL) {
    const sentence = `-d is ${String(asked)} s, it takes at least ${String(LEAST_INTERVAL)} s, or 0 until Ctrl-C`;
    throw new UserError('usage', sentence, 'rstscope health --help');
  }
  const seconds = asked === 0 ? null : asked;
  const usual = seconds === null ? DEFAULT_SECONDS : Math.min(DEFAULT_SECONDS, seconds);
  const every = interval === undefined ? usual : duration('--interval', interval);
  if (every < LEAST_INTERVAL) {
    const sentence = `--interval is ${String(every)} s, it takes at least ${String(LEAST_INTERVAL)} s`;
    throw new UserError('usage', sentence, 'rstscope health --help');
  }
  return { seconds, interval: seconds === null ? every : Math.min(every, seconds) };
}

/** Reads until the end, and shows each interval. @returns what is to be shown then. */
async function follow(run: HealthRun, begun: Mark, times: Times, screen: Screen, io: Io): Promise<string> {
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
  };
  const whole = screen.wholeIntervals && times.interval >= TICK_SECONDS;
  const isEnding = (): boolean => ending.signal.aborted;
  if (io.interrupt.aborted || io.stdout.closed) end();
  io.interrupt.addEventListener('abort', end);
  io.stdout.onClosed = end;
  try {
    const tick = Math.min(TICK_SECONDS, times.interval);
    let last = begun;
    let shown = begun;
    // By the clock, not by the sum of waits: readings take their time.
    let intervals = 1;
    for (let n = 1; !isEnding() && !isOver(last, begun, times); n++) {
      const intervalEnd = Math.min(begun.at + intervals * times.interval, begun.at + (times.seconds ?? Infinity));
      const due = Math.min(begun.at + n * tick, intervalEnd);
      if (due <= last.at) continue;
      await waitFor(due - last.at, ending.signal);
      const isDue = due >= intervalEnd - NEAR_SECONDS;
      last = isDue || isEnding() ? await run.read() : run.tick();
      if (!isDue || isEnding()) continue;
      // Readings that took longer than an interval leave out those that they missed.
      intervals = Math.max(intervals + 1, Math.ceil((last.at - begun.at + NEAR_SECONDS) / times.interval));
      const isOnly = shown === begun && isOver(last, begun, times);
      await screen.interval(await documentOf(run, shown, last, whole), isOnly);
      shown = last;
    }
    if (shown !== last) await screen.interval(await documentOf(run, shown, last, whole), shown === begun);
    return screen.end(await documentOf(run, begun, last, true));
  } finally {
    io.interrupt.removeEventListener('abort', end);
    io.stdout.onClosed = () => undefined;
  }
}

function isOver(last: Mark, begun: Mark, { seconds }: Times): boolean {
  return seconds !== null && last.at - begun.at >= seconds - NEAR_SECONDS;
}

function waitFor(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, seconds * 1000));
    signal.addEventListener('abort', done);
  });
}

/** `whole`: with what takes programs to find out. */
async function documentOf(run: HealthRun, from: Mark, to: Mark, whole: boolean): Promise<HealthDocument> {
  const { seconds, ...sample } = run.sample(from, to);
  const listeners = whole ? await run.queues() : [];
  return {
    type: 'health',
    schema_version: SCHEMA_VERSION,
    tool: { name: TOOL_NAME, version: toolVersion() },
    window: windowOf(from, to, seconds),
    ...sample,
    listeners,
    sysctls: whole ? await run.settings(listeners) : [],
  };
}

function windowOf(from: Mark, to: Mark, seconds: number): Window {
  const [start, end] = [from.wall, to.wall].map((ms) => [Math.floor(ms / 1000), (ms % 1000) * 1e6] as const);
  const text = (moment: readonly [number, number] | undefined): string | null =>
    moment === undefined ? null : isoTime(...moment, CLOCK_DIGITS);
  const epoch = (moment: readonly [number, number] | undefined): number | null =>
    moment === undefined ? null : epochNumber(...moment);
  return {
    start: text(start),
    start_epoch: epoch(start),
    end: text(end),
    end_epoch: epoch(end),
    seconds: Number(seconds.toFixed(6)),
  };
}

async function screenOf(values: HealthValues, run: HealthRun, io: Io): Promise<Screen> {
  const write = (text: string): Promise<void> => io.stdout.write(text);
  const nothing = (): Promise<void> => Promise.resolve();
  const wholeIntervals = values.ndjson === true;
  if (values.json === true) {
    return { wholeIntervals, begin: nothing, interval: nothing, end: healthJson };
  }
  if (wholeIntervals) {
    return { wholeIntervals, begin: nothing, interval: (one) => write(healthLine(one)), end: () => '' };
  }
  const { renderChange, renderHealth, renderInterval, renderTotals } = await import('../../render/health-table.js');
  const { isTTY, colorDepth } = io.stdout;
  const style: Style = {
    color: colorLevel({ option: colorOf(values.color), env: io.env, isTTY, colorDepth }),
    width: width(io) ?? DEFAULT_WIDTH,
    utc: values.utc === true,
    unicode: supportsUnicode(io.env),
  };
  const all = values.all === true;
  let before: readonly AlertRow[] = [];
  let lines = 0;
  return {
    wholeIntervals,
    begin: (found) => write(`${renderTotals(found, style, all)}\n`),
    interval: async (one, isOnly) => {
      const changed = one.alerts.filter(({ id, state }) => (stateOf(before, id) ?? 'undefined') !== state);
      before = one.alerts;
      if (isOnly) return;
      lines++;
      await write(renderInterval(one, style));
      for (const alert of changed) await write(renderChange(alert, alert.since ?? one.window.end ?? '', style));
    },
    end: (whole) => `${lines > 0 ? '\n' : ''}${renderHealth(whole, style, { all, history: run.history })}`,
  };
}

function stateOf(alerts: readonly AlertRow[], id: string): AlertRow['state'] | undefined {
  return alerts.find((alert) => alert.id === id)?.state;
}

async function sayWhatIsHidden(
  { namespaces: rows }: Sample,
  namespaces: readonly Namespace[],
  talk: Talk,
  asRoot: string,
): Promise<void> {
  const hidden = namespaces.slice(1).filter((_, i) => rows[i]?.counters.every(({ total }) => total === null) === true);
  if (hidden.length === 0) return;
  const names = hidden.slice(0, 8).map(namespaceLabel).join(', ');
  await talk(
    `the counters of ${plural(hidden.length, 'network namespace')} can't be read: ${names}; as root: ${asRoot}`,
  );
}
