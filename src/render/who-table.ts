/**
 * Who owns TCP ports, as tables.
 *
 * How it was found out is not known here; names of processes are strangers' text all the same.
 */

import { grouped, plural } from '../base/text.js';
import { containerName, isNamedUnit } from '../report/process-group.js';
import type { MissingReason, ProcessInfo } from '../report/types.js';
import { endpoint, NOTHING } from './figures.js';
import { glyphs, painter, type Style } from './style.js';
import { listText, tableLines, type Column } from './table.js';
import { wrap } from './text-width.js';
import type { WhoConnectionRow, WhoListenerRow, WhoPortRow } from './who-json.js';

/** A port as it was asked for, and whether anybody owns it. */
export interface WhoPortTable extends WhoPortRow {
  /** "7211", "10.0.0.1:7211". */
  readonly asked: string;
  readonly owned: boolean;
}

/** Ends in a line break; at most `top` rows a table. */
export function renderWho(
  ports: readonly WhoPortTable[],
  namespaces: readonly string[],
  style: Style,
  top: number,
): string {
  const parts = ports.map((port) => portLines(port, namespaces, style, top).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function portLines(port: WhoPortTable, namespaces: readonly string[], style: Style, top: number): string[] {
  const { listeners, connections } = port;
  const names = namesOf([...listeners, ...connections]);
  const head = port.owned
    ? painter(style).title(`Port ${port.asked}`)
    : wrap(painter(style).title(nobody(port, namespaces.length)), style.width, '  ');
  return [
    head,
    ...section('Listeners', listenerColumns(names), listeners, style, top),
    ...section(`Connections${statesOf(connections)}`, connectionColumns(names), connections, style, top),
  ];
}

/** "nobody owns port 7211: no listener, no connection, in 3 network namespaces". */
function nobody({ asked, connections }: WhoPortTable, namespaces: number): string {
  const rest = connections.length === 0 ? 'no connection' : plural(connections.length, 'closed connection');
  return `nobody owns port ${asked}: no listener, ${rest}, in ${plural(namespaces, 'network namespace')}`;
}

function section<Row>(
  title: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: Style,
  top: number,
): string[] {
  if (rows.length === 0) return [];
  const paint = painter(style);
  const lines = [paint.title(title), ...tableLines(columns, rows.slice(0, top), style)];
  const more = rows.length - top;
  if (more <= 0) return lines;
  const text = `  ${glyphs(style).ellipsis} and ${grouped(more)} more (--top ${String(rows.length)} shows all)`;
  return [...lines, paint.quiet(wrap(text, style.width, '    '))];
}

/** ": 10,000 ESTABLISHED, 3 TIME_WAIT", the most first. */
function statesOf(connections: readonly WhoConnectionRow[]): string {
  const counts = new Map<string, number>();
  for (const { state } of connections) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].sort(([, a], [, b]) => b - a).map(([state, count]) => `${grouped(count)} ${state}`);
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}

interface Owned {
  readonly process: ProcessInfo | null;
  readonly reason: MissingReason | null;
  readonly holders: readonly number[];
  readonly netns: number | null;
}

/** Narrowing leaves out, in this order: command, namespace, service, user. */
function listenerColumns(manyPlaces: boolean): Column<WhoListenerRow>[] {
  return [
    { head: 'address', cell: (row) => endpoint(row.ip, row.port), least: 21 },
    { head: 'backlog', cell: backlogText, right: true, rank: 35 },
    ...ownerColumns<WhoListenerRow>(manyPlaces),
  ];
}

/** Narrowing leaves out, in this order: command, namespace, service, user, queues. */
function connectionColumns(manyPlaces: boolean): Column<WhoConnectionRow>[] {
  return [
    { head: 'local', cell: (row) => endpoint(row.local_ip, row.local_port), least: 21 },
    { head: 'remote', cell: (row) => endpoint(row.remote_ip, row.remote_port), least: 21 },
    { head: 'state', cell: (row) => row.state },
    { head: 'recv', cell: (row) => String(row.recv_queue ?? NOTHING), right: true, rank: 35 },
    { head: 'send', cell: (row) => String(row.send_queue ?? NOTHING), right: true, rank: 35 },
    ...ownerColumns<WhoConnectionRow>(manyPlaces),
  ];
}

function ownerColumns<Row extends Owned>(manyPlaces: boolean): Column<Row>[] {
  const netns: Column<Row> = { head: 'netns', cell: (row) => String(row.netns ?? NOTHING), right: true, rank: 15 };
  return [
    { head: 'process', cell: ownerText, least: 16 },
    { head: 'user', cell: ({ process }) => process?.user ?? NOTHING, rank: 30 },
    { head: 'service', cell: ({ process }) => serviceText(process), rank: 20 },
    ...(manyPlaces ? [netns] : []),
    { head: 'command', cell: ({ process }) => process?.command ?? process?.exe ?? NOTHING, rank: 10, least: 12 },
  ];
}

/** Whether the sockets lie in more than one namespace. */
function namesOf(rows: readonly Owned[]): boolean {
  return new Set(rows.map(({ netns }) => netns)).size > 1;
}

function backlogText({ backlog, backlog_max: most }: WhoListenerRow): string {
  if (backlog === null) return NOTHING;
  return most === null ? grouped(backlog) : `${grouped(backlog)}/${grouped(most)}`;
}

/** "nginx (1234)", "nginx (1234) +4" where four more hold the same socket, or why nobody is named. */
function ownerText({ process, reason, holders }: Owned, room: number): string {
  if (process === null) {
    if (reason === 'ambiguous' && holders.length > 0) return `one of ${listText(holders.map(String), room - 7)}`;
    return WHY_NOBODY[reason ?? 'unknown'] ?? NOTHING;
  }
  const others = holders.filter((pid) => pid !== process.pid).length;
  return `${process.name ?? '?'} (${String(process.pid)})${others === 0 ? '' : ` +${String(others)}`}`;
}

const WHY_NOBODY: Readonly<Partial<Record<MissingReason, string>>> = {
  permission: '? (takes root)',
  gone: 'nobody: closed',
  'no-listener': 'nobody: closed',
  ambiguous: 'one of several',
  'pid-namespace': 'outside of here',
  unknown: 'no process',
};

function serviceText(process: ProcessInfo | null): string {
  if (process === null) return NOTHING;
  const { container, unit } = process;
  if (unit !== null && isNamedUnit(unit)) return unit;
  if (container === null) return NOTHING;
  const { id, name, pod, pod_namespace: podNamespace } = container;
  return containerName({ id, name, pod, podNamespace });
}
