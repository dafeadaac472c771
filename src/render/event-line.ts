/**
 * One reset as one line for people: when, which way, who to whom, and what is known of it.
 */

import type { Direction, ResetEvent } from '../report/types.js';
import { preciseTime } from './clock-text.js';
import { endpoint } from './figures.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { clip, columnsOf } from './text-width.js';

const WAYS: Readonly<Record<Direction, readonly [unicode: string, ascii: string]>> = {
  sent: ['↑', '>'],
  received: ['↓', '<'],
  local: ['↻', '='],
  forwarded: ['⇄', '~'],
  unknown: [' ', ' '],
};

/** A writer of lines without line break, at most as wide as the style says unless the addresses alone are wider. */
export function eventLineWriter(style: Style): (event: ResetEvent) => string {
  const time = preciseTime(style);
  const paint = painter(style);
  const { arrow, ellipsis } = glyphs(style);
  return (event) => {
    const way = WAYS[event.direction][style.unicode ? 0 : 1];
    const who = safe(endpoint(event.src_ip, event.src_port), style);
    const whom = safe(endpoint(event.dest_ip, event.dest_port), style);
    const flags = safe(event.tcp_flags, style);
    const head = `${time(event.timestamp)} ${way} ${who} ${arrow} ${whom}  ${flags.padEnd(2)}`;
    const room = style.width - columnsOf(head) - 2;
    const what = room < ellipsis.length + 1 ? '' : `  ${paint.quiet(clip(whatText(event, style), room, ellipsis))}`;
    return `${time(event.timestamp)} ${way} ${paint.resets(who)} ${arrow} ${whom}  ${flags.padEnd(2)}${what}`.trimEnd();
  };
}

function whatText(event: ResetEvent, style: Style): string {
  const parts = [
    event.cause === 'unknown' ? '' : `${event.cause} (${event.confidence})`,
    event.reset_by === 'unknown' ? '' : `by the ${event.reset_by}`,
    event.pattern ?? '',
    event.sender?.name ?? '',
    event.copies > 1 ? `${event.copies} copies` : '',
  ];
  return safe(parts.filter((part) => part !== '').join(', '), style);
}
