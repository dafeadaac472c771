/**
 * What is said around the tables: findings, what became of the packets, and what was not read.
 */

import { grouped, plural } from '../base/text.js';
import type { Finding, Incomplete, Packets, Report } from '../report/types.js';
import { duration } from './figures.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { wrap } from './text-width.js';

export function findingLines(finding: Finding, style: Style): string[] {
  const paint = painter(style);
  const { arrow, bullet } = glyphs(style);
  const tint = finding.severity === 'warning' ? paint.warning : paint.notice;
  const say = (lead: string, text: string): string => wrap(`${lead} ${safe(text, style)}`, style.width, '    ');
  return [
    wrap(`${tint(`${safe(finding.severity, style)}:`)} ${safe(finding.summary, style)}`, style.width, '  '),
    ...finding.evidence.map((text) => say(`  ${bullet}`, text)),
    // A command stays on its line: whoever copies it gets it whole.
    ...finding.next_steps.map((text) => `  ${arrow} ${safe(text, style)}`),
  ];
}

/** Parts that are nothing are not told; the whole always is. */
export function packetLine({ packets, source }: Pick<Report, 'packets' | 'source'>, style: Style): string {
  const parts: [number, string][] = [
    [packets.tcp, 'TCP'],
    [packets.not_tcp, 'not TCP'],
    [packets.fragments, packets.fragments === 1 ? 'fragment' : 'fragments'],
    [packets.cut, 'cut short'],
    [packets.malformed, 'malformed'],
    [packets.unknown_link, 'of an unknown link type'],
  ];
  const told = parts.filter(([n], i) => n > 0 || i === 0).map(([n, what]) => `${grouped(n)} ${what}`);
  const live = source.kind === 'live';
  const seen = `${plural(packets.seen, 'packet')} ${live ? 'captured' : 'seen'}`;
  const dropped = droppedText(packets, live, style);
  const out = packets.filtered_out;
  const left = out === 0 ? '' : `; ${plural(out, 'reset')} left out by the options given`;
  return wrap(`${packets.seen === 0 ? seen : `${seen}: ${told.join(', ')}`}${dropped}${left}`, style.width, '  ');
}

/** Who listens wants to hear that nothing was lost, or that nobody knows; a file has its losses behind it. */
function droppedText({ dropped }: Packets, live: boolean, style: Style): string {
  if (dropped === null) return live ? '; how many were dropped is not known' : '';
  if (dropped === 0) return live ? '; none dropped' : '';
  const more = `${grouped(dropped)} more dropped`;
  return `; ${live ? painter(style).warning(more) : more}`;
}

export function incompleteLine(entry: Incomplete, { source }: Report, style: Style): string {
  const where = [
    // With one file only, which one is plain.
    ...(entry.file === null || (source.files.length <= 1 && entry.message !== '') ? [] : [entry.file]),
    ...(entry.interface === null ? [] : [entry.interface]),
  ].filter((name) => !mentions(entry.message, name));
  const gap = entry.gap_seconds === null || entry.gap_seconds === 0 ? '' : ` (${duration(entry.gap_seconds)} missing)`;
  const text = [...where, `${entry.message || entry.reason}${gap}`].map((part) => safe(part, style)).join(': ');
  return wrap(`${painter(style).warning('incomplete:')} ${text}`, style.width, '  ');
}

/** As a word of its own: "lo" is not in "slow", "any" not in "many". No name at all tells nothing anyway. */
function mentions(message: string, name: string): boolean {
  if (name === '') return true;
  const isWord = (char: string | undefined): boolean => char !== undefined && /\w/.test(char);
  for (let at = message.indexOf(name); at >= 0; at = message.indexOf(name, at + 1)) {
    if (!isWord(message[at - 1]) && !isWord(message[at + name.length])) return true;
  }
  return false;
}
