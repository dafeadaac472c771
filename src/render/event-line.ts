/**
 * One reset as one line for people: when, which way, from where to where, who is at both ends, and what is known of it.
 */

import type { Direction, ResetEvent } from '../report/types.js';
import { preciseTime } from './clock-text.js';
import { endpoint } from './figures.js';
import { endsTexts } from './process-text.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { clip, columnsOf } from './text-width.js';

const WAYS: Readonly<Record<Direction, readonly [unicode: string, ascii: string]>> = {
  sent: ['↑', '>'],
  received: ['↓', '<'],
  local: ['↻', '='],
  forwarded: ['⇄', '~'],
  unknown: [' ', ' '],
};

/** "[2001:db8:1111:2222:3333:4444:5555:6666]:65535", the longest address and port. */
const MOST_COLUMNS = 47;
/** "255.255.255.255:65535": there is always room for two of these. */
const LEAST_COLUMNS = 21;
const GAP = 2;
/** Time, way, arrow, flags, and "closed-port (likely), by the server" of what is known. */
const OTHER_COLUMNS = 62;

/**
 * A writer of lines without line break, at most as wide as the style says unless the addresses alone are wider. Its
 * lines stand one below the other: columns are as wide as the widest entry so far and never shrink.
 */
export function eventLineWriter(style: Style): (event: ResetEvent) => string {
  const time = preciseTime(style);
  const paint = painter(style);
  const { arrow } = glyphs(style);
  // On a narrow page one long address must not push what is known of all others over the edge.
  const most = Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, Math.floor((style.width - OTHER_COLUMNS) / 2)));
  const whenColumn = new GrowingColumn(most);
  const whoColumn = new GrowingColumn(most);
  const whomColumn = new GrowingColumn(most);
  return (event) => {
    const way = WAYS[event.direction][style.unicode ? 0 : 1];
    const when = whenColumn.fill(time(event.timestamp));
    const who = safe(endpoint(event.src_ip, event.src_port), style);
    const gap = whoColumn.fill(who).slice(who.length);
    const whom = whomColumn.fill(safe(endpoint(event.dest_ip, event.dest_port), style));
    const tail = `${gap} ${arrow} ${whom}  ${safe(event.tcp_flags, style).padEnd(2)}`;
    const room = style.width - columnsOf(`${when} ${way} ${who}${tail}`) - GAP;
    const { ends, what } = fit(endsTexts(event, style), causeText(event), restText(event), room, style);
    const known = [ends, ...(what === '' ? [] : [paint.quiet(what)])].filter((text) => text !== '').join('  ');
    return `${when} ${way} ${paint.resets(who)}${tail}${known === '' ? '' : `  ${known}`}`.trimEnd();
  };
}

/** Of ASCII text: a character is a column. */
class GrowingColumn {
  private width = 0;
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  /** What is wider than a column may become stands out of it and widens nothing. */
  fill(text: string): string {
    if (text.length <= this.most) this.width = Math.max(this.width, text.length);
    return text.padEnd(this.width);
  }
}

function causeText(event: ResetEvent): string {
  return event.cause === 'unknown' ? '' : `${event.cause} (${event.confidence})`;
}

function restText(event: ResetEvent): string {
  const parts = [
    event.reset_by === 'unknown' ? '' : `by the ${event.reset_by}`,
    event.pattern ?? '',
    event.copies > 1 ? `${event.copies} copies` : '',
  ];
  return joined(parts);
}

/**
 * Who, as fully as the cause still has room; then what. Where there is no room for both, who it is matters more: the
 * causes of all resets are summed up in the report.
 */
function fit(
  ends: readonly string[],
  cause: string,
  rest: string,
  room: number,
  style: Style,
): { ends: string; what: string } {
  const { ellipsis } = glyphs(style);
  const what = safe(joined([cause, rest]), style);
  const cut = (text: string, columns: number): string =>
    columns < ellipsis.length + 1 ? '' : clip(text, columns, ellipsis);
  const [full, compact] = ends;
  if (full === undefined) return { ends: '', what: cut(what, room) };
  const beside = (text: string): number => room - columnsOf(text) - GAP;
  if (beside(full) >= columnsOf(what)) return { ends: full, what };
  const withCause = ends.slice(1).find((text) => beside(text) >= columnsOf(cause));
  if (withCause !== undefined) {
    const left = beside(withCause);
    // Half of "by the server" says nothing.
    return { ends: withCause, what: left < columnsOf(what) ? safe(cause, style) : what };
  }
  const alone = ends.slice(1).find((text) => columnsOf(text) <= room);
  return { ends: alone ?? cut(compact ?? full, room), what: '' };
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}
