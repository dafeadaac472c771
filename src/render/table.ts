/**
 * A table without lines that fits its width: columns that matter less go first, flexible ones shrink, nothing wraps.
 *
 * Knows columns and rows, not what they are about; whatever a cell holds, it is made safe to show here.
 */

import Table from 'cli-table3';
import { painter, safe, type Style } from './style.js';
import { columnsOf } from './text-width.js';

export interface Column<Row> {
  readonly head: string;
  /** The text of a cell; a flexible column is told how much room it has. */
  readonly cell: (row: Row, room: number) => string;
  /** Columns of a lower rank are left out first when the table is too wide; one without a rank always stays. */
  readonly rank?: number;
  readonly right?: boolean;
  /** The least room of a column that may shrink. */
  readonly least?: number;
  readonly paint?: (text: string) => string;
}

const INDENT = '  ';
const GAP = '  ';
/** The table library's work grows with the square of the rows: long tables are made in parts of equal columns. */
const ROWS_AT_ONCE = 20;

/** Lines of the table, head first, each without trailing blanks. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], style: Style): string[] {
  const paint = painter(style);
  const fitted = fit(columns, rows, style);
  const lines: string[] = [];
  for (let from = 0; from < Math.max(rows.length, 1); from += ROWS_AT_ONCE) {
    const table = new Table({
      head: from === 0 ? fitted.map(({ column }) => paint.head(column.head)) : [],
      colWidths: fitted.map(({ room }) => room),
      colAligns: fitted.map(({ column }) => (column.right === true ? 'right' : 'left')),
      chars: { ...NO_LINES, middle: GAP },
      style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
    });
    for (const row of rows.slice(from, from + ROWS_AT_ONCE)) {
      table.push(fitted.map(({ column, room }) => paintedCell(column, row, room, style)));
    }
    lines.push(...table.toString().split('\n'));
  }
  return lines.map((line) => INDENT + line.trimEnd());
}

function cellText<Row>(column: Column<Row>, row: Row, room: number, style: Style): string {
  return safe(column.cell(row, room), style);
}

function paintedCell<Row>(column: Column<Row>, row: Row, room: number, style: Style): string {
  const text = cellText(column, row, room, style);
  return column.paint === undefined ? text : column.paint(text);
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
} as const;

interface Fitted<Row> {
  readonly column: Column<Row>;
  /** What it would take with all the room there is. */
  readonly natural: number;
  readonly room: number;
}

function fit<Row>(columns: readonly Column<Row>[], rows: readonly Row[], style: Style): Fitted<Row>[] {
  let kept = columns.map((column): Fitted<Row> => {
    const cells = rows.map((row) => columnsOf(cellText(column, row, Infinity, style)));
    const natural = cells.reduce((most, own) => Math.max(most, own), columnsOf(column.head));
    const room = column.least === undefined ? natural : Math.min(natural, Math.max(column.least, column.head.length));
    return { column, natural, room };
  });
  while (tableWidth(kept) > style.width) {
    const least = kept.reduce((rank, { column }) => Math.min(rank, column.rank ?? Infinity), Infinity);
    if (least === Infinity) break;
    kept = kept.filter(({ column }) => column.rank !== least);
  }
  let spare = Math.max(style.width - tableWidth(kept), 0);
  return kept.map((one) => {
    const more = Math.min(one.natural - one.room, spare);
    spare -= more;
    return { ...one, room: one.room + more };
  });
}

function tableWidth<Row>(fitted: readonly Fitted<Row>[]): number {
  return fitted.reduce((sum, { room }) => sum + room, INDENT.length + GAP.length * (fitted.length - 1));
}

const MOST_LIST_COLUMNS = 200;

/**
 * As many whole items as fit, then how many are missing of `all`: a list of ports that is cut in a number would name a
 * wrong one.
 */
export function listText(items: readonly string[], room: number, all = items.length): string {
  if (items.length === 0) return '-';
  const most = Math.min(room, MOST_LIST_COLUMNS);
  let best = '';
  let text = '';
  for (let shown = 1; shown <= items.length && columnsOf(text) <= most; shown++) {
    text += `${shown === 1 ? '' : ', '}${items[shown - 1] ?? ''}`;
    const whole = shown === all ? text : `${text} +${all - shown}`;
    if (columnsOf(whole) <= most) best = whole;
  }
  return best || String(all);
}
