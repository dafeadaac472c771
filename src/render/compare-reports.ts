/** Two reports compared, as a page: what changed most, then every port and cause. */

import { grouped, plural } from '../base/text.js';
import type { CauseChange, ComparedReport, Comparison, PortChange } from '../report/comparison-types.js';
import { decimal, duration, NOTHING } from './figures.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { tableLines, type Column } from './table.js';
import { wrap } from './text-width.js';

type Change = Omit<PortChange, 'port' | 'service'>;

/** Ends in a line break; at most `top` rows a table. */
export function renderReports(comparison: Comparison, style: Style, top: number): string {
  const { reports, ports, causes } = comparison;
  if (reports === null) return '';
  const { title } = painter(style);
  const say = (text: string): string => safe(withGlyphs(capital(text), style), style, LONGEST);
  const [answer = '', ...more] = comparison.summary;
  const service: Column<PortChange> = { head: 'service', cell: (row) => row.service ?? NOTHING, rank: 10 };
  const parts = [
    [wrap(title(say(answer)), style.width, '  '), ...more.map((text) => wrap(say(text), style.width, '  '))],
    [reportLine('before', reports.before, style), reportLine('after ', reports.after, style)],
    section('Ports', [portColumn, service, ...changeColumns<PortChange>(style)], ports, style, top),
    section('Causes', [causeColumn, ...changeColumns<CauseChange>(style)], causes, style, top),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const LONGEST = 2000;

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function withGlyphs(text: string, style: Style): string {
  return style.unicode ? text : text.replaceAll('→', glyphs(style).arrow);
}

function reportLine(when: string, { file, resets, seconds, start }: ComparedReport, style: Style): string {
  const told = [
    plural(resets, 'reset'),
    ...(seconds === null ? [] : [`in ${duration(seconds)}`]),
    ...(start === null ? [] : [`from ${start}`]),
  ];
  return wrap(`  ${when}  ${safe(file, style)}: ${safe(told.join(' '), style)}`, style.width, '          ');
}

const portColumn: Column<PortChange> = {
  head: 'port',
  cell: ({ port }) => (port === null ? 'unknown' : String(port)),
  right: true,
};
const causeColumn: Column<CauseChange> = { head: 'cause', cell: ({ cause }) => cause };

function changeColumns<Row extends Change>(style: Style): Column<Row>[] {
  return [
    { head: 'before', cell: ({ before }) => grouped(before), right: true },
    { head: '', cell: () => glyphs(style).arrow, rank: 20 },
    { head: 'after', cell: ({ after }) => grouped(after), right: true },
    { head: 'change', cell: ({ before, after }) => signed(after - before), right: true, rank: 30 },
    { head: 'before/s', cell: (row) => decimal(row.rate_before), right: true, rank: 25 },
    { head: 'after/s', cell: (row) => decimal(row.rate_after), right: true, rank: 25 },
    { head: '', cell: wordOf, rank: 15 },
  ];
}

function signed(n: number): string {
  return n > 0 ? `+${grouped(n)}` : n < 0 ? `-${grouped(-n)}` : '0';
}

function wordOf({ before, after }: Change): string {
  if (before === 0 && after > 0) return 'came';
  return before > 0 && after === 0 ? 'went' : '';
}

function section<Row>(
  name: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: Style,
  top: number,
): string[] {
  if (rows.length === 0) return [];
  const paint = painter(style);
  const lines = [paint.title(name), ...tableLines(columns, rows.slice(0, top), style)];
  const more = rows.length - top;
  if (more <= 0) return lines;
  const text = `  ${glyphs(style).ellipsis} and ${grouped(more)} more (--top ${String(rows.length)} shows all)`;
  return [...lines, paint.quiet(wrap(text, style.width, '    '))];
}
