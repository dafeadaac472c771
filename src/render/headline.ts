/**
 * The first lines of the report: how many resets, in what, read how.
 *
 * Sentences only; the tables below them are made elsewhere.
 */

import { grouped, plural } from '../base/text.js';
import type { Packets, Report, Source } from '../report/types.js';
import { decimal, duration } from './figures.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { clipStart, wrap } from './text-width.js';

/** Resets that the report is about: those that the user's options left in it. */
export function shownResets(packets: Packets): number {
  return packets.unique - packets.filtered_out;
}

export function headline(report: Report, style: Style): string {
  const { packets, window } = report;
  const shown = shownResets(packets);
  const paint = painter(style);
  const span = window.seconds === null || window.seconds <= 0 ? '' : ` in ${duration(window.seconds)}`;
  if (shown === 0)
    return wrap(`${paint.good('No resets')}${noResets(packets, span)}, ${origin(report, style)}`, style.width, '  ');

  const folded = packets.copies === 0 ? '' : ` (${plural(packets.copies, 'copy', 'copies')} folded)`;
  const rate = span === '' || window.seconds === null ? '' : ` (${decimal(shown / window.seconds)}/s)`;
  const text = `${paint.resets(plural(shown, 'reset'))}${folded}${span}${rate}, ${plural(packets.seen, 'packet')}`;
  return wrap(`${text}, ${origin(report, style)}`, style.width, '  ');
}

function noResets(packets: Packets, span: string): string {
  if (packets.unique > 0) {
    const one = packets.unique === 1;
    const left = one ? 'the only one was' : `all ${plural(packets.unique, 'reset')} were`;
    return ` to show${span}: ${left} left out by the options given; ${plural(packets.seen, 'packet')}`;
  }
  if (packets.seen === 0) return `${span}: there was no packet at all`;
  return `${span}: ${plural(packets.seen, 'packet')}, ${packets.tcp === 0 ? 'none' : grouped(packets.tcp)} of them TCP`;
}

/** The file's name, or what was listened to. */
function origin(report: Report, style: Style): string {
  const { source } = report;
  if (source.kind === 'live') return `live on ${safe(listOf(source.interfaces, 'interface'), style)}`;
  return clipStart(safe(listOf(source.files, 'file'), style), style.width - 2, glyphs(style).ellipsis);
}

const LISTED = 3;

function listOf(names: readonly string[], noun: string): string {
  if (names.length === 0) return `no ${noun}`;
  return names.length <= LISTED ? names.join(', ') : plural(names.length, noun);
}

/** What was read and what that allows to say. */
export function sourceLine(report: Report, style: Style): string {
  const { source } = report;
  const parts = [
    ...(source.link_types.length === 0 ? [] : [`link type ${source.link_types.join(', ')}`]),
    ...(source.kind === 'file' && source.interfaces.length > 0 ? [interfacesText(source)] : []),
    ...(source.filter === null ? [] : [`filter "${source.filter}"`]),
    ...(source.backend === null ? [] : [`by ${source.backend}`]),
    ...(source.timestamps === 'arrival' ? ['timestamps of arrival'] : []),
    ...(report.packets.seen === 0 ? [] : [contextText(source)]),
  ];
  return wrap(parts.map((part) => safe(part, style)).join('; '), style.width, '  ');
}

function interfacesText({ interfaces }: Source): string {
  return interfaces.length === 1
    ? `interface ${listOf(interfaces, 'interface')}`
    : `on ${listOf(interfaces, 'interface')}`;
}

function contextText({ context, kind }: Source): string {
  switch (context) {
    case 'full':
      return 'all TCP headers';
    case 'control':
      return 'only SYN, FIN and RST were looked at: how connections began and ended is seen, what they carried is not';
    case 'resets':
      return `only resets ${kind === 'file' ? 'were looked at' : 'are captured'}: what led to them is not seen, so which side serves is told by ports alone and most causes stay unknown`;
  }
}
