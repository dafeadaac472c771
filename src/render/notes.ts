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
    ...finding.next_steps.map((text) => say(`  ${arrow}`, text)),
  ];
}

/** Parts that are nothing are not told; the whole always is. */
export function packetLine(packets: Packets, style: Style): string {
  const parts: [number, string][] = [
    [packets.tcp, 'TCP'],
    [packets.not_tcp, 'not TCP'],
    [packets.fragments, packets.fragments === 1 ? 'fragment' : 'fragments'],
    [packets.cut, 'cut short'],
    [packets.malformed, 'malformed'],
    [packets.unknown_link, 'of an unknown link type'],
  ];
  const told = parts.filter(([n], i) => n > 0 || i === 0).map(([n, what]) => `${grouped(n)} ${what}`);
  const seen = `${plural(packets.seen, 'packet')} seen`;
  const dropped = packets.dropped !== null && packets.dropped > 0 ? `; ${grouped(packets.dropped)} more dropped` : '';
  const out = packets.filtered_out;
  const left = out === 0 ? '' : `; ${plural(out, 'reset')} left out by the options given`;
  return wrap(`${packets.seen === 0 ? seen : `${seen}: ${told.join(', ')}`}${dropped}${left}`, style.width, '  ');
}

export function incompleteLine(entry: Incomplete, { source }: Report, style: Style): string {
  const where = [
    // With one file only, which one is plain.
    ...(entry.file === null || (source.files.length <= 1 && entry.message !== '') ? [] : [entry.file]),
    ...(entry.interface === null ? [] : [entry.interface]),
  ].filter((name) => !entry.message.includes(name));
  const gap = entry.gap_seconds === null ? '' : ` (${duration(entry.gap_seconds)} missing)`;
  const text = [...where, `${entry.message || entry.reason}${gap}`].map((part) => safe(part, style)).join(': ');
  return wrap(`${painter(style).warning('incomplete:')} ${text}`, style.width, '  ');
}
