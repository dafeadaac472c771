/**
 * The tables of why: causes and patterns.
 *
 * Each states its columns and, by rank, which go first when the page is narrow.
 */

import type { CauseRow, PatternRow, Report } from '../report/types.js';
import { plural } from '../base/text.js';
import { count, endpoint } from './figures.js';
import { glyphs, safe } from './style.js';
import type { Column } from './table.js';
import { clip, wrap } from './text-width.js';
import { unlessNone, type TableContext } from './traffic-tables.js';

/** Narrowing leaves out, in this order: origin, unknown, possible, likely, certain. */
export function causeColumns({ paint }: TableContext): Column<CauseRow>[] {
  return [
    { head: 'cause', cell: (row) => row.cause },
    { head: 'resets', cell: (row) => count(row.resets), right: true, paint: unlessNone(paint) },
    { head: 'certain', cell: (row) => count(row.certain), right: true, rank: 50 },
    { head: 'likely', cell: (row) => count(row.likely), right: true, rank: 40 },
    { head: 'possible', cell: (row) => count(row.possible), right: true, rank: 30 },
    { head: 'unsure', cell: (row) => count(row.unknown), right: true, rank: 20 },
    { head: 'origin', cell: (row) => row.origin, rank: 10 },
  ];
}

/** Where most of what was seen stays unknown or uncertain, what a fuller capture would tell. */
export function contextNote({ source, causes }: Report): string | null {
  const vague = causes.reduce((sum, row) => sum + row.unknown + row.possible, 0);
  if (vague === 0 || source.context === 'full') return null;
  const what = source.context === 'resets' ? 'resets only' : 'no segments but SYN, FIN and RST';
  const how = source.kind === 'live' ? '--context full adds' : 'a capture of all TCP (tcpdump -s 128 tcp) holds';
  return `${what} in this capture: ${how} what each reset answers and what went on before and after it`;
}

/** What memory did not suffice for, and what that means. */
export function forgottenNote({ connections_forgotten: forgotten }: Report): string | null {
  if (forgotten === 0) return null;
  const were = forgotten === 1 ? 'was' : 'were';
  return `${plural(forgotten, 'connection')} ${were} forgotten for memory: what came of ${forgotten === 1 ? 'it' : 'them'} later is judged without what came before`;
}

/** One reset of each cause, with what it was known by. */
export function exampleLines(rows: readonly CauseRow[], { style, paint }: TableContext): string[] {
  const { arrow } = glyphs(style);
  return rows
    .filter(({ example }) => example.evidence.length > 0)
    .flatMap(({ cause, example }) => {
      const from = endpoint(example.src_ip, example.src_port);
      const to = endpoint(example.dest_ip, example.dest_port);
      const text = safe(`${from} ${arrow} ${to}: ${example.evidence.join('; ')}`, style);
      // "µs" is the only letter of ours that not every terminal knows.
      const plain = style.unicode ? text : text.replaceAll('µ', 'u');
      return [wrap(`  ${paint.resets(safe(cause, style))} ${paint.quiet(plain)}`, style.width, '    ')];
    });
}

export function patternColumns({ style, paint }: TableContext): Column<PatternRow>[] {
  return [
    { head: 'pattern', cell: (row) => row.pattern },
    { head: 'resets', cell: (row) => count(row.resets), right: true, paint: unlessNone(paint) },
    {
      head: 'what was seen',
      cell: (row, room) => clip(safe(row.summary, style), room, glyphs(style).ellipsis),
      least: 20,
      rank: 10,
    },
  ];
}
