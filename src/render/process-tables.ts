/**
 * The tables of processes: whose resets they were, and whose connects failed.
 *
 * Each states its columns and, by rank, which go first when the page is narrow.
 */

import { grouped, plural } from '../base/text.js';
import type { FailedConnectRow, ProcessRow, Report } from '../report/types.js';
import { count, endpoint, NOTHING } from './figures.js';
import { endName, placeName, programName, reasonText } from './process-text.js';
import { glyphs, safe, type Style } from './style.js';
import { listText, type Column } from './table.js';
import { clip, clipStart } from './text-width.js';
import { causeColumn, hasCause, shown, unlessNone, type TableContext } from './traffic-tables.js';

/** Narrowing leaves out, in this order: kind, pids, ports, cause, by group, name. */
export function processColumns({ processes }: Report, { style, paint }: TableContext): Column<ProcessRow>[] {
  const { ellipsis } = glyphs(style);
  return [
    { head: 'who', cell: (row, room) => clip(rowName(row, style), room, ellipsis), least: 16 },
    {
      head: 'unit, container or path',
      // Of a path the end tells more.
      cell: (row, room) => (row.key === 'exe' ? clipStart : clip)(safe(row.name, style), room, ellipsis),
      least: 18,
      rank: 60,
    },
    { head: 'kind', cell: (row) => row.key, rank: 10 },
    { head: 'pids', cell: (row) => count(row.pids), right: true, rank: 20 },
    { head: 'sent', cell: (row) => count(row.resets_sent), right: true, paint: unlessNone(paint) },
    { head: 'received', cell: (row) => count(row.resets_received), right: true, paint: unlessNone(paint) },
    ...shown<Column<ProcessRow>>(
      processes.some((row) => row.by_group > 0),
      [{ head: 'by group', cell: (row) => count(row.by_group), right: true, rank: 50 }],
    ),
    { head: 'ports', cell: (row, room) => listText(row.ports.map(String), room), least: 9, rank: 30 },
    ...shown(processes.some(hasCause), [causeColumn<ProcessRow>(40)]),
  ];
}

/** With its PID where it has only one. */
export function rowName({ pids, sample }: ProcessRow, style: Style): string {
  return pids === 1 || sample.match === 'listener-group' ? endName(sample, style) : programName(sample, style);
}

/** What the columns of processes don't say by themselves. */
export function processNotes(report: Report, style: Style, top: number): string[] {
  const { processes, processes_omitted: omitted } = report;
  const unnamed = unnamedText(report);
  return [
    ...(processes.slice(0, top).some((row) => row.by_group > 0)
      ? ['by group: only the listeners that share a port are known, not which of them it was']
      : []),
    ...(omitted === 0
      ? []
      : [`other processes, ${plural(omitted, 'time')} at an end of a reset, were not kept, for memory`]),
    ...(unnamed === null ? [] : [unnamed]),
  ].map((text) => safe(text, style));
}

/** "no process named: 110 senders (nobody listens), 3 receivers (gone …)"; null where nothing was to be named. */
function unnamedText({ unnamed }: Report): string | null {
  const parts = unnamed.flatMap(({ reason, senders, receivers }) => {
    const why = reasonText(reason);
    if (why === null) return [];
    const ends = [
      ...(senders === 0 ? [] : [plural(senders, 'sender')]),
      ...(receivers === 0 ? [] : [plural(receivers, 'receiver')]),
    ];
    return [`${ends.join(' and ')} (${why})`];
  });
  return parts.length === 0 ? null : `no process named: ${parts.join(', ')}`;
}

/** Narrowing leaves out, in this order: pids, unit, given up, ICMP, timed out, refused. What no row counts is not shown. */
export function failedConnectColumns(
  { failed_connects: rows }: Report,
  { style, paint }: TableContext,
): Column<FailedConnectRow>[] {
  const { ellipsis } = glyphs(style);
  const counted = (
    head: string,
    rank: number,
    of: (row: FailedConnectRow) => number,
  ): readonly Column<FailedConnectRow>[] =>
    shown(
      rows.some((row) => of(row) > 0),
      [{ head, cell: (row) => count(of(row)), right: true, rank }],
    );
  return [
    {
      head: 'who',
      cell: ({ process, pids }, room) =>
        clip(pids === 1 ? endName(process, style) : programName(process, style), room, ellipsis),
      least: 12,
    },
    ...shown<Column<FailedConnectRow>>(
      rows.some(({ process }) => placeName(process, style) !== ''),
      [
        {
          head: 'unit or container',
          cell: ({ process }, room) => clip(placeName(process, style) || NOTHING, room, ellipsis),
          least: 16,
          rank: 20,
        },
      ],
    ),
    ...shown<Column<FailedConnectRow>>(
      rows.some(({ pids }) => pids > 1),
      [{ head: 'pids', cell: ({ pids }) => count(pids), right: true, rank: 10 }],
    ),
    { head: 'to', cell: ({ ip, port }) => endpoint(ip, port) },
    { head: 'failed', cell: ({ attempts }) => count(attempts), right: true, paint: unlessNone(paint) },
    ...counted('refused', 60, (row) => row.refused),
    ...counted('by ICMP', 40, (row) => row.icmp),
    ...counted('timed out', 50, (row) => row.timed_out),
    ...counted('given up', 30, (row) => row.abandoned),
  ];
}

/** "120 of 121 resets go to node[9114] (collector.service)": whoever has more than half; '' where nobody has. */
export function whoLine({ processes }: Report, resets: number, style: Style): string {
  const main = (of: (row: ProcessRow) => number, [one, many]: readonly [string, string]): string[] => {
    const row = processes.find((each) => of(each) * 2 > resets);
    if (row === undefined) return [];
    return [`${share(of(row), resets)} ${of(row) === 1 ? one : many} ${rowText(row, style)}`];
  };
  return [
    ...main((row) => row.resets_sent, ['comes from', 'come from']),
    ...main((row) => row.resets_received, ['goes to', 'go to']),
  ].join('; ');
}

function share(n: number, resets: number): string {
  if (n !== resets) return `${grouped(n)} of ${plural(resets, 'reset')}`;
  return n === 1 ? 'the reset' : n === 2 ? 'both resets' : `all ${plural(n, 'reset')}`;
}

function rowText(row: ProcessRow, style: Style): string {
  const name = rowName(row, style);
  const many = row.pids === 1 || row.sample.match === 'listener-group' ? [] : [manyText(row.pids)];
  const place = row.key === 'exe' ? [] : [clip(safe(row.name, style), 60, glyphs(style).ellipsis)];
  const more = [...many, ...place].join(', ');
  return more === '' ? name : `${name} (${more})`;
}

function manyText(pids: number | null): string {
  return pids === null ? 'very many processes' : plural(pids, 'process', 'processes');
}
