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
  const span = window.seconds === null || window.seconds <= 0 ? '' : ` in ${spanText(window.seconds, report.source)}`;
  if (shown === 0)
    return wrap(`${paint.good('No resets')}${noResets(report, span)}, ${origin(report, style)}`, style.width, '  ');

  const folded = packets.copies === 0 ? '' : ` (${plural(packets.copies, 'copy', 'copies')} folded)`;
  const rate = span === '' || window.seconds === null ? '' : ` (${decimal(shown / window.seconds)}/s)`;
  const seen = onlyResetsCaptured(report.source) ? '' : `, ${plural(packets.seen, 'packet')}`;
  const text = `${paint.resets(plural(shown, 'reset'))}${folded}${span}${rate}${seen}`;
  return wrap(`${text}, ${origin(report, style)}`, style.width, '  ');
}

/** How long one listened was chosen in whole seconds; tenths would be those of stopping. */
function spanText(seconds: number, { kind }: Source): string {
  return kind === 'live' && seconds >= 10 && seconds < 120 ? `${Math.round(seconds)} s` : duration(seconds);
}

/** Where nothing but resets comes through the capture, a count of packets says nothing more. */
function onlyResetsCaptured({ kind, context }: Source): boolean {
  return kind === 'live' && context === 'resets';
}

function noResets({ packets, source }: Report, span: string): string {
  if (packets.unique > 0) {
    const one = packets.unique === 1;
    const left = one ? 'the only one was' : `all ${plural(packets.unique, 'reset')} were`;
    const seen = onlyResetsCaptured(source) ? '' : `; ${plural(packets.seen, 'packet')}`;
    return ` to show${span}: ${left} left out by the options given${seen}`;
  }
  if (packets.seen === 0) {
    if (source.kind === 'file') return `${span}: there was no packet at all`;
    return onlyResetsCaptured(source) ? span : `${span}: no packet at all was captured`;
  }
  return `${span}: ${plural(packets.seen, 'packet')}, ${packets.tcp === 0 ? 'none' : grouped(packets.tcp)} of them TCP`;
}

/** The file's name, or what was listened to. */
function origin(report: Report, style: Style): string {
  const { source } = report;
  if (source.kind === 'live') {
    const places = source.namespaces.length;
    const where = places > 1 ? ` in ${plural(places, 'network namespace')}` : '';
    return `live on ${safe(listOf(source.interfaces, 'interface'), style)}${where}`;
  }
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
    ...(source.backend === null ? [] : [`captured by ${source.backend}`]),
    ...(source.timestamps === 'arrival' ? ["times are those of arrival here, not the kernel's"] : []),
    ...(report.packets.seen === 0 ? [] : [contextText(source)]),
  ];
  return parts.map((part) => safe(part, style)).join('; ');
}

/** Why the kernel was not asked who it is; '' where it was, or was not to be. */
export function traceLine({ source }: Report, style: Style): string {
  if (source.kind === 'file' || source.trace === 'on' || source.trace === 'off') return '';
  return `names by socket tables only: ${safe(source.trace, style)}`;
}

function interfacesText({ interfaces }: Source): string {
  return interfaces.length === 1
    ? `interface ${listOf(interfaces, 'interface')}`
    : `on ${listOf(interfaces, 'interface')}`;
}

function contextText({ context, kind }: Source): string {
  const were = kind === 'file' ? 'were looked at' : 'were captured';
  switch (context) {
    case 'full':
      return 'all TCP headers';
    case 'control':
      return `only SYN, FIN and RST ${were}: how connections began and ended is seen, what they carried is not`;
    case 'resets':
      return `only resets ${were}: what led to them is not seen`;
  }
}
