/**
 * The kernel's counters for people: totals at once, then a line for each interval, and at the end rates, alerts and what
 * explains them. How they were read is not known here.
 */

import { grouped, plural } from '../base/text.js';
import type { AlertRow, CounterRow, HealthDocument, HealthNamespaceRow } from '../report/types.js';
import { clockText } from './clock-text.js';
import { count, decimal, duration, NOTHING } from './figures.js';
import { alertText, queueLines } from './kernel-block.js';
import { mergeBuckets, sparkline } from './sparkline.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { tableLines, type Column } from './table.js';
import { clip, wrap } from './text-width.js';

const CHART_COLUMNS = 20;
/** In an interval of less than that whole seconds would look alike. */
const SHORT_SECONDS = 0.9;

type History = ReadonlyMap<string, readonly number[]>;

export interface HealthView {
  /** Counters that did not move, too. */
  readonly all: boolean;
  /** Rates of this namespace's counters from reading to reading. */
  readonly history: History;
}

/** What was counted since the host was started: told before there are rates. Ends in a line break. */
export function renderTotals(
  document: Pick<HealthDocument, 'boot_seconds' | 'counters' | 'namespaces'>,
  style: Style,
  all: boolean,
): string {
  const { boot_seconds: boot, counters, namespaces } = document;
  const { ellipsis } = glyphs(style);
  const since = boot === null ? 'Totals so far' : `Totals so far (the host is up for ${duration(boot)})`;
  const columns: Column<CounterRow>[] = [
    { head: 'counter', cell: ({ name }) => name },
    { head: 'total', cell: ({ total }) => count(total), right: true },
    { head: 'what it counts', cell: ({ meaning }, room) => clip(meaning, room, ellipsis), least: 24, rank: 10 },
  ];
  const block = (title: string, rows: readonly CounterRow[]): string[] => {
    if (areUnread(rows)) return [title, UNREAD];
    const shown = rows.filter(({ total }) => all || (total ?? 0) > 0);
    const nothing = wrap(
      `  none of the ${plural(rows.length, 'counter')} of resets has ever moved (--all shows them)`,
      style.width,
      '    ',
    );
    return [title, ...(shown.length === 0 ? [nothing] : tableLines(columns, shown, style))];
  };
  return text(blocksOf(since, counters, namespaces, block, style));
}

/** "15:02:10 OutRsts 100/s, AttemptFails 100/s": what moved in one interval. */
export function renderInterval(document: HealthDocument, style: Style): string {
  const { window, counters, namespaces } = document;
  const isShort = (window.seconds ?? 0) < SHORT_SECONDS;
  const start = isShort ? window.start_epoch : null;
  const lead = clockOf(clockText({ start_epoch: start, end_epoch: window.end_epoch }, style).time(window.end));
  const line = (label: string, rows: readonly CounterRow[]): string => {
    if (areUnread(rows)) return wrap(`${lead}${label}${UNREAD}`, style.width, ' '.repeat(lead.length + 2));
    const moved = rows.filter(({ delta }) => (delta ?? 0) !== 0);
    const told = moved.map(({ name, rate }) => `${name} ${decimal(rate)}/s`);
    const what = told.length === 0 ? 'nothing moved' : told.join(', ');
    return wrap(`${lead}${label}  ${what}`, style.width, ' '.repeat(lead.length + 2));
  };
  const lines = [line('', counters), ...namespaces.map((one) => line(` ${safe(nameOf(one), style)}`, one.counters))];
  return `${lines.join('\n')}\n`;
}

/** A state that an alert has come to. */
export function renderChange(alert: AlertRow, time: string, style: Style): string {
  const clock = clockText({ start_epoch: null, end_epoch: null }, style);
  const paint = painter(style);
  const tint = alert.state === 'warning' ? paint.warning : paint.good;
  const lead = clockOf(clock.time(time));
  return `${tint(wrap(`${lead}  ${safe(alertText(alert), style)}`, style.width, ' '.repeat(lead.length + 2)))}\n`;
}

/** Without the date that a window of no span brings. */
function clockOf(time: string): string {
  return time.split(' ').at(-1) ?? time;
}

/** The end of a run. */
export function renderHealth(document: HealthDocument, style: Style, view: HealthView): string {
  const { window, counters, namespaces, alerts, listeners, sysctls } = document;
  const { bullet } = glyphs(style);
  const paint = painter(style);
  const span = `In ${duration(window.seconds ?? 0)}`;
  const block = (title: string, rows: readonly CounterRow[], history: History): string[] => {
    if (areUnread(rows)) return [title, UNREAD];
    const shown = rows.filter(({ delta }) => view.all || (delta ?? 0) !== 0);
    const nothing = wrap(
      `  none of the ${plural(rows.length, 'counter')} of resets moved (--all shows them)`,
      style.width,
      '    ',
    );
    if (shown.length === 0) return [title, nothing];
    const meanings = shown.map(({ name, meaning }) => wrap(`  ${name}: ${meaning}`, style.width, '    '));
    return [
      title,
      ...tableLines(rateColumns(history, style), shown, style),
      ...meanings.map((line) => paint.quiet(line)),
    ];
  };
  const none: History = new Map();
  const tables = blocksOf(
    span,
    counters,
    namespaces,
    (title, rows) => block(title, rows, rows === counters ? view.history : none),
    style,
  );
  const said = [
    ...queueLines(listeners),
    ...sysctls.map(({ name, value, message }) => `${name} = ${value}: ${message}`),
  ].map((line) => wrap(`  ${bullet} ${safe(line, style)}`, style.width, '    '));
  const queues = said.length === 0 ? [] : [[paint.title('Listen queues and settings'), ...said]];
  return text([...tables, ...queues, alertLines(alerts, style)]);
}

function alertLines(alerts: readonly AlertRow[], style: Style): string[] {
  const paint = painter(style);
  const counts = new Map(alerts.map(({ counter, counts: what }) => [counter, what]));
  const tint = { warning: paint.warning, clear: paint.good, undefined: paint.quiet };
  return [
    paint.title('Alerts'),
    ...alerts.flatMap(({ id, state, value, reason, counter }) => [
      wrap(
        `  ${safe(id, style)}: ${tint[state](state)}${value === null ? '' : `, ${decimal(value)}/s`} (${safe(counter, style)})`,
        style.width,
        '    ',
      ),
      ...(reason === null ? [] : [wrap(`    ${safe(reason, style)}`, style.width, '    ')]),
    ]),
    ...[...counts].map(([counter, what]) =>
      paint.quiet(wrap(`  ${safe(counter, style)} counts ${safe(what, style)}`, style.width, '    ')),
    ),
  ];
}

/** This namespace's, then the others', each under its name. */
function blocksOf(
  title: string,
  counters: readonly CounterRow[],
  namespaces: readonly HealthNamespaceRow[],
  block: (title: string, rows: readonly CounterRow[]) => string[],
  style: Style,
): string[][] {
  const paint = painter(style);
  return [
    block(paint.title(wrap(title, style.width, '  ')), counters),
    ...namespaces.map((one) =>
      block(paint.title(wrap(`Network namespace ${safe(nameOf(one), style)}`, style.width, '  ')), one.counters),
    ),
  ];
}

function rateColumns(history: History, style: Style): Column<CounterRow>[] {
  const { bars } = glyphs(style);
  const chart: Column<CounterRow> = {
    head: 'course',
    cell: ({ name }) => sparkline(means(history.get(name) ?? [], CHART_COLUMNS), bars),
    rank: 20,
    paint: painter(style).chart,
  };
  return [
    { head: 'counter', cell: ({ name }) => name },
    { head: 'more', cell: ({ delta }) => (delta === null ? NOTHING : `+${grouped(delta)}`), right: true },
    { head: 'rate/s', cell: ({ rate }) => decimal(rate), right: true },
    ...(history.size === 0 ? [] : [chart]),
    { head: 'total', cell: ({ total }) => count(total), right: true, rank: 10 },
    { head: 'points to', cell: ({ cause }) => cause ?? NOTHING, rank: 30 },
  ];
}

/** Neighbours made one until no more than `room` are left; the last one may be of fewer. */
function means(rates: readonly number[], room: number): number[] {
  const { counts, merged } = mergeBuckets(rates, room);
  return counts.map((sum, i) => sum / Math.min(merged, rates.length - i * merged));
}

const UNREAD = '  could not be read';

/** No kernel lacks all of them. */
function areUnread(rows: readonly CounterRow[]): boolean {
  return rows.every(({ total }) => total === null);
}

function nameOf({ name, netns }: HealthNamespaceRow): string {
  return name ?? String(netns ?? 'unknown');
}

function text(blocks: readonly (readonly string[])[]): string {
  return blocks.map((lines) => `${lines.join('\n')}\n`).join('\n');
}
