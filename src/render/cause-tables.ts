/**
 * The tables of why: causes and patterns.
 *
 * Each states its columns and, by rank, which go first when the page is narrow.
 */

import type { CauseRow, PatternRow } from '../report/types.js';
import { count } from './figures.js';
import { glyphs, safe } from './style.js';
import type { Column } from './table.js';
import { clip } from './text-width.js';
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
