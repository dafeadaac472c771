/**
 * The patterns of a finished run, one row for each scan, check, loop, flood or race, with a sentence that says it.
 *
 * Rows count the resets that are in the report; those that the user's options left out are in none.
 */

import { grouped, plural } from '../base/text.js';
import type { Pattern } from '../conversation/verdict.js';
import { groupOf } from '../report/process-group.js';
import { listWords, placeWords, programWords, spanWords } from '../report/sentence-words.js';
import type { PatternRow } from '../report/types.js';
import type { Cell } from './cell.js';
import { MOST_STRANGERS } from './places.js';

/** Rows in the report; those with the most resets. What is beyond is summed up, a row for each pattern. */
const MOST_ROWS = 200;

/** Resets that belong together. */
export interface Episode {
  readonly pattern: Pattern;
  readonly cells: readonly Cell[];
  readonly resets: number;
}

/** By how many resets they have, the most first. */
export function episodesOf(cells: Iterable<Cell>): Episode[] {
  const groups = new Map<string, { pattern: Pattern; cells: Cell[]; resets: number }>();
  for (const cell of cells) {
    const { pattern } = cell;
    if (pattern === null || cell.reported === 0) continue;
    const key = groupKey(pattern, cell);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { pattern, cells: [cell], resets: cell.reported });
    else {
      group.cells.push(cell);
      group.resets += cell.reported;
    }
  }
  return [...groups.values()].sort((a, b) => b.resets - a.resets);
}

function groupKey(pattern: Pattern, { client, habit: { server, port }, program, isOfServer }: Cell): string {
  const place = `${server}|${String(port)}`;
  switch (pattern) {
    case 'scan':
      return `${pattern}|${client ?? ''}`;
    case 'backscatter':
      return `${pattern}|${isOfServer ? place : (client ?? '')}`;
    case 'flood':
    case 'keepalive-race':
      return `${pattern}|${place}`;
    case 'health-check':
    case 'retry-loop':
      return `${pattern}|${client ?? ''}|${place}|${program === null ? '' : groupOf(program).identity}`;
  }
}

export function patternRows(episodes: readonly Episode[]): PatternRow[] {
  const rows = episodes.slice(0, MOST_ROWS).map(rowOf);
  const rest = new Map<Pattern, { resets: number; episodes: number }>();
  for (const { pattern, resets } of episodes.slice(MOST_ROWS)) {
    const sum = rest.get(pattern) ?? { resets: 0, episodes: 0 };
    rest.set(pattern, { resets: sum.resets + resets, episodes: sum.episodes + 1 });
  }
  for (const [pattern, sum] of rest) {
    const summary = `${grouped(sum.episodes)} more of the kind`;
    rows.push({ pattern, resets: sum.resets, summary, client: null, server: null, port: null, interval_seconds: null });
  }
  return rows;
}

function rowOf(episode: Episode): PatternRow {
  const { pattern, cells, resets } = episode;
  const single = pattern === 'health-check' || pattern === 'retry-loop' ? (cells[0] ?? null) : null;
  const interval = single?.isRhythm === true ? single.interval : null;
  return {
    pattern,
    resets,
    summary: summaryOf(episode),
    client: sameOf(cells, ({ client }) => client),
    server: sameOf(cells, ({ habit, scattered }) => (scattered ? null : habit.server)),
    port: sameOf(cells, ({ habit, scattered }) => (scattered ? null : habit.port)),
    interval_seconds: interval === null ? null : Number(interval.toFixed(6)),
  };
}

/** Null: they differ. */
export function sameOf<T>(cells: readonly Cell[], of: (cell: Cell) => T | null): T | null {
  const [first] = cells;
  const value = first === undefined ? null : of(first);
  return cells.every((cell) => of(cell) === value) ? value : null;
}

export function summaryOf({ pattern, cells, resets }: Episode): string {
  const [cell] = cells;
  if (cell === undefined) return '';
  const { habit } = cell;
  const place = placeWords(habit.server, habit.port);
  const who = clientWords(cell);
  switch (pattern) {
    case 'scan':
      return `${who} tried ${targetsOf(cells)}${withinWords(cells)}`;
    case 'health-check':
      return `${who} opens a connection to ${place} and resets it without a word, ${rhythm(cell)}`;
    case 'retry-loop':
      return `${who} tries ${place} ${rhythm(cell)} and is refused`;
    case 'flood': {
      const clients = new Set(cells.map(({ client }) => client));
      const many = plural(clients.size - (clients.has(null) ? 1 : 0), 'address', 'addresses');
      const from = clients.has(null) ? `more than ${many}` : many;
      return `${place} met up to ${grouped(cell.endpoint.mostInTenSeconds)} attempts in 10 s from ${from}`;
    }
    case 'keepalive-race': {
      const timer = cell.endpoint.idleTimer;
      return `${plural(resets, 'request')} met the FIN of ${place}, which closes connections that are idle for ${timer === null ? 'a while' : spanWords(timer)}`;
    }
    case 'backscatter':
      return `${backscatterOf(cell)}${cells.some(({ habit: { answered } }) => answered) ? '' : ', or the capture holds one direction only'}`;
  }
}

function backscatterOf({ isOfServer, client, fromServer, toClient, habit: { server, port } }: Cell): string {
  if (isOfServer) {
    const many = strangersOf(fromServer, 'address', 'addresses');
    return `${placeWords(server, port)} answers SYNs of ${many} that did not send any: somebody floods it in their names`;
  }
  return `${strangersOf(toClient, 'host')} answer SYNs of ${client ?? 'a host'} that it did not send: somebody uses its address`;
}

function strangersOf({ strangers }: Cell['fromServer'], one: string, many?: string): string {
  const words = plural(strangers.size, one, many);
  return strangers.size < MOST_STRANGERS ? words : `at least ${words}`;
}

export function clientWords({ client, program }: Cell): string {
  if (program !== null) return programWords(program);
  return client ?? 'somebody';
}

/** "every 0.5 s", "about every 3 s"; "12 times within 2.1 h" where it comes in bursts. */
export function rhythm(cell: Cell): string {
  const { interval, count, first, last } = cell;
  if (interval !== null && cell.isRhythm) return `${cell.isSteady ? 'every' : 'about every'} ${spanWords(interval)}`;
  return last > first ? `${plural(count, 'time')} within ${spanWords(last - first)}` : plural(count, 'time');
}

/** "998 ports of 10.0.0.2", "port 22 of 254 hosts". */
export function targetsOf(cells: readonly Cell[]): string {
  const known = cells.filter(({ scattered }) => !scattered);
  const servers = [...new Set(known.map(({ habit: { server } }) => server))];
  const ports = [...new Set(known.map(({ habit: { port } }) => port))];
  const more = cells.some(({ scanner: { overflow } }) => overflow !== null) ? 'more than ' : '';
  if (servers.length === 1) return `${more}${plural(ports.length, 'port')} of ${servers[0] ?? ''}`;
  if (ports.length === 1) return `port ${String(ports[0])} of ${more}${plural(servers.length, 'host')}`;
  return `${more}${plural(ports.length, 'port')} of ${plural(servers.length, 'host')} (${listWords(servers)})`;
}

function withinWords(cells: readonly Cell[]): string {
  const first = cells.reduce((least, cell) => Math.min(least, cell.first), Infinity);
  const last = cells.reduce((most, cell) => Math.max(most, cell.last), -Infinity);
  return last > first ? ` within ${spanWords(last - first)}` : '';
}
