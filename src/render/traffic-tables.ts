/**
 * The tables of who: serving endpoints, ports and hosts.
 *
 * Each states its columns and, by rank, which go first when the page is narrow.
 */

import type { CauseCount, EndpointRow, HostRow, PortRow, Report } from '../report/types.js';
import type { ClockText } from './clock-text.js';
import { count, decimal, endpoint, NOTHING, percent } from './figures.js';
import { safe, type Paint, type Style } from './style.js';
import { listText, type Column } from './table.js';

/** Names that the ports' table lists. */
const WHO_LISTED = 8;

export interface TableContext {
  readonly style: Style;
  readonly paint: Paint;
  readonly clock: ClockText;
}

/** Narrowing leaves out, in this order: first, ratio, connections, last, peak, clients, rate, cause, service, by client, by server. */
export function endpointColumns({ endpoints }: Report, context: TableContext): Column<EndpointRow>[] {
  return [
    { head: 'server', cell: (row) => endpoint(row.ip, row.port) },
    { head: 'service', cell: (row) => row.service ?? NOTHING, rank: 90 },
    resetsColumn(context),
    { head: 'by server', cell: (row) => count(row.by_server), right: true, rank: 110 },
    { head: 'by client', cell: (row) => count(row.by_client), right: true, rank: 100 },
    ...shown(
      endpoints.some((row) => row.connections !== null),
      connectionColumns<EndpointRow>(),
    ),
    { head: 'clients', cell: (row) => count(row.clients), right: true, rank: 60 },
    ...timeColumns<EndpointRow>(context),
    ...shown(endpoints.some(hasCause), [causeColumn<EndpointRow>()]),
  ];
}

/** Narrowing leaves out, in this order: first, ratio, connections, last, peak, peers, rate, cause, service, who, received, sent, by client, by server. */
export function portColumns({ ports }: Report, context: TableContext): Column<PortRow>[] {
  const { style } = context;
  return [
    { head: 'port', cell: (row) => (row.port === null ? NOTHING : String(row.port)), right: true },
    { head: 'service', cell: (row) => row.service ?? NOTHING, rank: 80 },
    resetsColumn(context),
    { head: 'by server', cell: (row) => count(row.by_server), right: true, rank: 110 },
    { head: 'by client', cell: (row) => count(row.by_client), right: true, rank: 100 },
    // Only where addresses of this host are known is anything sent or received.
    ...shown<Column<PortRow>>(
      ports.some((row) => row.sent > 0 || row.received > 0),
      [
        { head: 'sent', cell: (row) => count(row.sent), right: true, rank: 95 },
        { head: 'received', cell: (row) => count(row.received), right: true, rank: 90 },
      ],
    ),
    ...shown<Column<PortRow>>(
      ports.some((row) => row.connections !== null),
      connectionColumns<PortRow>(),
    ),
    { head: 'peers', cell: (row) => count(row.peers), right: true, rank: 60 },
    ...timeColumns<PortRow>(context),
    ...shown(ports.some(hasCause), [causeColumn<PortRow>()]),
    ...shown<Column<PortRow>>(
      ports.some((row) => row.processes.length > 0),
      [
        {
          head: 'who',
          cell: (row, room) =>
            listText(
              row.processes.slice(0, WHO_LISTED).map((name) => safe(name, style)),
              room,
              row.processes.length,
            ),
          least: 12,
          rank: 85,
        },
      ],
    ),
  ];
}

/** Narrowing leaves out, in this order: cause, ports. */
export function hostColumns({ hosts }: Report, { paint }: TableContext): Column<HostRow>[] {
  return [
    { head: 'host', cell: (row) => row.ip },
    { head: 'resets from', cell: (row) => count(row.resets_from), right: true, paint: unlessNone(paint) },
    { head: 'resets to', cell: (row) => count(row.resets_to), right: true },
    { head: 'ports', cell: (row, room) => listText(row.ports.map(String), room), least: 12, rank: 20 },
    ...shown(hosts.some(hasCause), [causeColumn<HostRow>(10)]),
  ];
}

/** The commonest cause of a row, with what stays unknown passed over: that says nothing. */
export function causeColumn<Row extends { readonly causes: readonly CauseCount[] }>(rank = 75): Column<Row> {
  return { head: 'main cause', cell: (row) => mainCause(row)?.cause ?? NOTHING, rank };
}

function mainCause(row: { readonly causes: readonly CauseCount[] }): CauseCount | undefined {
  return row.causes
    .filter(({ cause }) => cause !== 'unknown')
    .reduce<CauseCount | undefined>((most, own) => (own.resets > (most?.resets ?? 0) ? own : most), undefined);
}

export function hasCause(row: { readonly causes: readonly CauseCount[] }): boolean {
  return mainCause(row) !== undefined;
}

export function shown<T>(condition: boolean, columns: readonly T[]): readonly T[] {
  return condition ? columns : [];
}

/** A count of resets stands out where there are any. */
export function unlessNone(paint: Paint): (text: string) => string {
  return (text) => (text === '0' ? text : paint.resets(text));
}

function resetsColumn<Row extends { readonly resets: number }>({ paint }: TableContext): Column<Row> {
  return { head: 'resets', cell: (row) => count(row.resets), right: true, paint: unlessNone(paint) };
}

interface ConnectionFigures {
  readonly connections: number | null;
  readonly reset_ratio: number | null;
}

function connectionColumns<Row extends ConnectionFigures>(): Column<Row>[] {
  return [
    { head: 'conns', cell: (row) => count(row.connections), right: true, rank: 30 },
    { head: 'reset', cell: (row) => percent(row.reset_ratio), right: true, rank: 20 },
  ];
}

interface TimeFigures {
  readonly rate: number | null;
  readonly peak_10s: number;
  readonly first: string | null;
  readonly last: string | null;
}

function timeColumns<Row extends TimeFigures>({ clock }: TableContext): Column<Row>[] {
  return [
    { head: 'rate/s', cell: (row) => decimal(row.rate), right: true, rank: 70 },
    { head: 'peak 10 s', cell: (row) => count(row.peak_10s), right: true, rank: 50 },
    { head: 'first', cell: (row) => clock.time(row.first), rank: 10 },
    { head: 'last', cell: (row) => clock.time(row.last), rank: 40 },
  ];
}
