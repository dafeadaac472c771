/**
 * Rows of a table that are one thing: a scan's thousand ports, told in one line; and the one server of several that
 * resets more than the others.
 *
 * Knows rows of the report, not how they are laid out.
 */

import { grouped, plural } from '../base/text.js';
import type { EndpointRow, HostRow, Pattern, PortRow, Report } from '../report/types.js';
import { endpoint, percent } from './figures.js';

/** Fewer rows of one pattern are shown: they are what the reader came for. */
const LEAST_FOLDED = 3;

export interface Folded<Row> {
  readonly rows: readonly Row[];
  /** What was folded, a sentence a pattern. */
  readonly notes: readonly string[];
}

/** `all`: nothing is folded. */
export function foldPatterns<Row extends EndpointRow | PortRow | HostRow>(
  rows: readonly Row[],
  noun: string,
  all: boolean,
): Folded<Row> {
  const groups = new Map<Pattern, Row[]>();
  for (const row of rows) {
    if (row.pattern === null) continue;
    const known = groups.get(row.pattern);
    if (known === undefined) groups.set(row.pattern, [row]);
    else known.push(row);
  }
  const folded = [...groups].filter(([, own]) => own.length >= LEAST_FOLDED);
  if (all || folded.length === 0) return { rows, notes: [] };
  const names = new Set<Pattern | null>(folded.map(([pattern]) => pattern));
  return {
    rows: rows.filter(({ pattern }) => !names.has(pattern)),
    notes: folded.map(([pattern, own]) => {
      const resets = own.reduce((sum, row) => sum + resetsOf(row), 0);
      return `${pattern}: ${plural(own.length, noun)}, ${plural(resets, 'reset')} (--all shows them row by row)`;
    }),
  };
}

/** Of a host, those from it and to it. */
function resetsOf(row: EndpointRow | PortRow | HostRow): number {
  return 'resets' in row ? row.resets : row.resets_from + row.resets_to;
}

const LEAST_RESETS = 5;
/** So many times as often as the others. */
const MUCH_MORE = 3;
const MOST_NOTES = 3;

/** Of servers that share a port, those that reset a much larger part of their connections than the others together. */
export function backendNotes({ endpoints, ports }: Report): string[] {
  const notes: string[] = [];
  for (const row of endpoints) {
    const whole = ports.find(({ port }) => port === row.port);
    if (whole === undefined || row.connections === null || row.reset_ratio === null) continue;
    const others = (whole.connections ?? 0) - row.connections;
    if (others <= 0 || row.resets < LEAST_RESETS || row.pattern !== null) continue;
    const reset = Math.max(0, resetOf(whole) - resetOf(row)) / others;
    if (row.reset_ratio === 0 || row.reset_ratio < MUCH_MORE * reset - 1e-9) continue;
    notes.push(
      `${endpoint(row.ip, row.port)}: ${percent(row.reset_ratio)} of ${plural(row.connections, 'connection')} reset; ` +
        `of the ${grouped(others)} to other servers on port ${String(row.port)} ${percent(reset)}`,
    );
    if (notes.length === MOST_NOTES) break;
  }
  return notes;
}

function resetOf({ connections, reset_ratio: ratio }: Pick<EndpointRow, 'connections' | 'reset_ratio'>): number {
  return Math.round((connections ?? 0) * (ratio ?? 0));
}
