/**
 * The report for people: a headline, then when, who and why, then what was not read.
 *
 * Pure: a report and a style in, text out. Whether and where it is written is not known here.
 */

import { grouped } from '../base/text.js';
import type { PortRow, Report } from '../report/types.js';
import { causeColumns, contextNote, exampleLines, forgottenNote, patternColumns } from './cause-tables.js';
import { clockText } from './clock-text.js';
import { NOTHING } from './figures.js';
import { backendNotes, foldPatterns } from './folded-rows.js';
import { headline, shownResets, sourceLine, traceLine } from './headline.js';
import { kernelLines } from './kernel-block.js';
import { findingLines, incompleteLine, packetLine } from './notes.js';
import { nothingLines } from './nothing.js';
import { failedConnectColumns, processColumns, processNotes, whoLine } from './process-tables.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { tableLines, type Column } from './table.js';
import { wrap } from './text-width.js';
import { timelineLines } from './timeline.js';
import { endpointColumns, hostColumns, portColumns, type TableContext } from './traffic-tables.js';

/** Ends in a line break. `top` rows of each table are shown; `all`: also those that are part of one pattern, row by row. */
export function renderReport(report: Report, style: Style, top: number, all = false): string {
  const context = { style, paint: painter(style), clock: clockText(report.window, style) };
  const blocks = [
    [
      headline(report, style),
      ...[whoLine(report, shownResets(report.packets), style), sourceLine(report, style), traceLine(report, style)]
        .filter((line) => line !== '')
        .map((line) => wrap(line, style.width, '  ')),
    ],
    nothingLines(report, style),
    timelineLines(report, context.clock, style),
    ...report.findings.map((finding) => findingLines(finding, style)),
    ...(shownResets(report.packets) === 0 ? [] : tableBlocks(report, context, top, all)),
    failedConnects(report, context, top),
    kernelLines(report, style),
    [packetLine(report, style)],
    incompleteLines(report, style, top),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function tableBlocks(report: Report, context: TableContext, top: number, all: boolean): string[][] {
  const { causes } = report;
  // That every cause is unknown says the same on each row: nothing.
  const told = causes.some(({ cause }) => cause !== 'unknown') ? causes : [];
  const servers = foldPatterns(report.endpoints, 'server', all);
  const ports = foldPatterns(report.ports, 'port', all);
  const hosts = foldPatterns(report.hosts, 'host', all);
  const columnsOfServers = endpointColumns({ ...report, endpoints: servers.rows }, context);
  const notes = (texts: readonly string[]): string[] => noteLines(texts, context);
  const block = <Row>(title: string, columns: readonly Column<Row>[], rows: readonly Row[], omitted = 0): string[] =>
    section({ title, columns, rows, omitted }, context, top);
  return [
    [
      ...block('Servers', columnsOfServers, servers.rows, report.endpoints_omitted),
      ...notes([...servers.notes, ...backendNotes(report)]),
    ],
    [
      ...block('Ports', portColumns({ ...report, ports: ports.rows }, context), ports.rows),
      ...notes(ports.notes),
      ...portNote(ports.rows, context, top),
    ],
    processBlock(report, context, top),
    [
      ...block('Hosts', hostColumns({ ...report, hosts: hosts.rows }, context), hosts.rows, report.hosts_omitted),
      ...notes(hosts.notes),
    ],
    block('Causes', causeColumns(context), told),
    evidence(report, context, top),
    block('Patterns', patternColumns(context), report.patterns),
  ];
}

/** What the causes rest on, and how to learn more. */
function evidence(report: Report, context: TableContext, top: number): string[] {
  const { style, paint } = context;
  const examples = exampleLines(report.causes.slice(0, top), context);
  const said = [contextNote(report), forgottenNote(report)].filter((text) => text !== null);
  const known = report.causes.find(({ cause }) => cause !== 'unknown')?.cause;
  const more = known === undefined ? [] : [`rstscope explain ${safe(known, style)}: what it means and what to do`];
  const notes = [...said, ...more];
  const lines = [...examples, ...notes.map((text) => paint.quiet(wrap(`  ${text}`, style.width, '    ')))];
  return lines.length === 0 ? [] : [paint.title('Evidence, of one reset each'), ...lines];
}

function processBlock(report: Report, context: TableContext, top: number): string[] {
  const { processes: rows } = report;
  const { style, paint } = context;
  const notes = processNotes(report, style, top).map((text) => paint.quiet(wrap(`  ${text}`, style.width, '    ')));
  return [
    ...section({ title: 'Processes', columns: processColumns(report, context), rows, omitted: 0 }, context, top),
    ...notes,
  ];
}

/** Also where there was no reset: what times out brings none. */
function failedConnects(report: Report, context: TableContext, top: number): string[] {
  const { failed_connects: rows } = report;
  const columns = failedConnectColumns(report, context);
  return section({ title: 'Failed connects', columns, rows, omitted: 0 }, context, top);
}

/** The row without a port is explained where it is shown. */
function portNote(ports: readonly PortRow[], { style, paint }: TableContext, top: number): string[] {
  if (!ports.slice(0, top).some(({ port }) => port === null)) return [];
  return [paint.quiet(wrap(`  ${NOTHING} as port: which side serves is not known`, style.width, '    '))];
}

function noteLines(texts: readonly string[], { style, paint }: TableContext): string[] {
  return texts.map((text) => paint.quiet(wrap(`  ${safe(text, style)}`, style.width, '    ')));
}

interface Section<Row> {
  readonly title: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Rows that the report itself does not hold. */
  readonly omitted: number;
}

function section<Row>({ title, columns, rows, omitted }: Section<Row>, context: TableContext, top: number): string[] {
  if (rows.length === 0) return [];
  const { style, paint } = context;
  const first = rows.slice(0, top);
  const table = first.length === 0 ? [] : tableLines(columns, first, style);
  return [paint.title(title), ...table, ...moreLines(rows.length, first.length, omitted, context)];
}

function moreLines(all: number, shown: number, omitted: number, { style, paint }: TableContext): string[] {
  const { ellipsis } = glyphs(style);
  const cut = all > shown ? [`and ${grouped(all - shown)} more (--top ${all} shows all)`] : [];
  const left = omitted > 0 ? [`and ${grouped(omitted)} more that were not kept, for memory`] : [];
  return [...cut, ...left].map((text) => paint.quiet(wrap(`  ${ellipsis} ${text}`, style.width, '    ')));
}

function incompleteLines(report: Report, style: Style, top: number): string[] {
  const entries = report.incomplete;
  const more = entries.length - Math.min(entries.length, top);
  const rest =
    more === 0 ? [] : [`  ${glyphs(style).ellipsis} and ${grouped(more)} more (--top ${entries.length} shows all)`];
  return [...entries.slice(0, top).map((entry) => incompleteLine(entry, report, style)), ...rest];
}
