/**
 * A conversation as a ladder diagram: time runs down, the client's line at the left, the server's at the right, an arrow
 * for each segment. Where there is no room for two lines, a list.
 *
 * Shows what the ladder holds; judges nothing.
 */

import { plural } from '../base/text.js';
import type { Explained, Rung } from '../report/explained.js';
import { duration, endpoint } from './figures.js';
import { ladderGlyphs } from './ladder-glyphs.js';
import { missingWords, rawWords, rungLabels, translationWords } from './ladder-labels.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { clip, columnsOf, wrap } from './text-width.js';

const INDENT = '  ';
/** Arrows longer than that are hard to follow. */
const WIDEST = 120;
/** Between the two lines at least, to be a diagram. */
const LEAST_ROOM = 36;
/** Of an arrow. */
const LEAST_SHAFT = 2;
/** Seconds: a silence that is worth a line. */
const SILENCE = 0.5;
/** Digits of the time column. */
const DIGITS = 6;

interface Side {
  readonly name: string;
  readonly role: string;
}

/** Lines without line breaks. */
export function ladderLines(explained: Explained, style: Style): string[] {
  const width = Math.min(style.width, WIDEST);
  const rows = rowsOf(explained);
  const numbers = Math.max(5, ...explained.ladder.map(({ frame }) => String(frame).length));
  const times = Math.max(4, ...explained.ladder.map((rung) => timeOf(rung).length));
  const gutter = INDENT.length + numbers + 2 + times + 2;
  const room = width - gutter - 2;
  const lines =
    room < Math.max(LEAST_ROOM, ...sidesOf(explained, style).map(({ name }) => columnsOf(name) - 2))
      ? listLines(explained, rows, style)
      : diagramLines(explained, rows, { numbers, times, gutter, room }, style);
  const { ellipsis } = glyphs(style);
  const { earlier, later } = explained;
  const note = (text: string): string =>
    painter(style).quiet(wrap(`${INDENT}${ellipsis} ${text}`, width, INDENT.repeat(2)));
  return [
    ...(earlier > 0 ? [note(`${plural(earlier, 'segment')} before these`)] : []),
    ...lines,
    ...(later > 0 ? [note(`${plural(later, 'more segment')} within 5 s behind the reset`)] : []),
  ];
}

/** What stands one below the other. */
type Row =
  { readonly kind: 'rung'; readonly rung: Rung } | { readonly kind: 'between' | 'below'; readonly text: string };

function rowsOf({ ladder, event }: Explained): Row[] {
  const rows: Row[] = [];
  let before: Rung | null = null;
  for (const rung of ladder) {
    const gap = (rung.seconds ?? NaN) - (before?.seconds ?? NaN);
    const isFirstBehind = rung.after && before?.after !== true;
    const silence =
      gap >= SILENCE ? [`${duration(gap)} later`] : gap < 0 ? [`${duration(-gap)} earlier, in the file behind it`] : [];
    for (const text of [...(isFirstBehind ? ['behind the reset'] : []), ...silence, ...missingWords(rung)])
      rows.push({ kind: 'between', text });
    rows.push({ kind: 'rung', rung });
    if (rung.asked)
      rows.push(...rawWords(rung, event.ttl, event.ip_id).map((text) => ({ kind: 'below', text }) as const));
    before = rung;
  }
  return rows;
}

interface Layout {
  readonly numbers: number;
  readonly times: number;
  readonly gutter: number;
  readonly room: number;
}

function diagramLines(explained: Explained, rows: readonly Row[], layout: Layout, style: Style): string[] {
  const { numbers, times, gutter, room } = layout;
  const paint = painter(style);
  const { line, broken } = ladderGlyphs(style);
  const blank = ' '.repeat(gutter);
  const centred = (text: string, edge: string): string[] =>
    wrap(text, room - 2)
      .split('\n')
      .map((part) => {
        const left = Math.floor((room - columnsOf(part)) / 2);
        const right = room - left - columnsOf(part);
        return `${blank}${paint.quiet(`${edge}${' '.repeat(left)}${part}${' '.repeat(right)}${edge}`)}`;
      });
  const body = rows.flatMap((row) => {
    if (row.kind !== 'rung') return centred(row.text, row.kind === 'between' ? broken : line);
    const { rung } = row;
    const lead = `${INDENT}${String(rung.frame).padStart(numbers)}  ${timeOf(rung).padStart(times)}  `;
    const nat = translationWords(rung, style);
    return [
      `${lead}${paint.quiet(line)}${arrowOf(rung, explained, room, style)}${paint.quiet(line)}`,
      ...(nat === null ? [] : centred(nat, line)),
    ];
  });
  const [left, right] = sidesOf(explained, style);
  const heads = `${INDENT}${'frame'.padStart(numbers)}  ${'time'.padStart(times)}`;
  return [
    ...endsLines(paint.head(heads) + ' '.repeat(Math.max(0, gutter - heads.length)), left.name, right.name, layout),
    ...endsLines(blank, left.role, right.role, layout).map((text) => paint.quiet(text)),
    ...body,
  ];
}

/** Both on one line, or one below the other where they are too long. */
function endsLines(lead: string, left: string, right: string, { gutter, room }: Layout): string[] {
  const gap = room + 2 - columnsOf(left) - columnsOf(right);
  if (gap >= 2) return [`${lead}${left}${' '.repeat(gap)}${right}`];
  const alone = (text: string): string => ' '.repeat(Math.max(0, gutter + room + 2 - columnsOf(text))) + text;
  return [`${lead}${left}`, alone(right)];
}

function arrowOf(rung: Rung, explained: Explained, room: number, style: Style): string {
  const { shaft, thick, toLeft, toRight } = ladderGlyphs(style);
  const paint = painter(style);
  const labels = rungLabels(rung, style);
  // A space at both ends of the label, and the arrow's head.
  const most = room - LEAST_SHAFT - 3;
  const label =
    labels.find((text) => columnsOf(text) <= most) ?? clip(labels.at(-1) ?? '', most, glyphs(style).ellipsis);
  const stroke = (rung.asked ? thick : shaft).repeat(room - 3 - columnsOf(label));
  const isRight = goesRight(rung, explained);
  const text = isRight ? ` ${label} ${stroke}${toRight}` : `${toLeft}${stroke} ${label} `;
  return rung.asked ? paint.resets(text) : text;
}

/** The client's line is at the left; where nothing says who serves, that of the reset's receiver. */
function goesRight({ from, side }: Rung, explained: Explained): boolean {
  return explained.event.reset_by === 'unknown' ? side === 'receiver' : from === 'client';
}

function sidesOf({ event }: Explained, style: Style): readonly [Side, Side] {
  const { reset_by: by } = event;
  const sender = safe(endpoint(event.src_ip, event.src_port), style);
  const receiver = safe(endpoint(event.dest_ip, event.dest_port), style);
  const side = (name: string, role: 'sender' | 'receiver'): Side => {
    const does = role === 'sender' ? 'sends the reset' : 'gets the reset';
    if (by === 'unknown') return { name, role: does };
    const serves = (by === 'server') === (role === 'sender');
    return { name, role: `${serves ? 'server' : 'client'}, ${does}` };
  };
  const [from, to] = [side(sender, 'sender'), side(receiver, 'receiver')];
  return by === 'client' ? [from, to] : [to, from];
}

function listLines(explained: Explained, rows: readonly Row[], style: Style): string[] {
  const paint = painter(style);
  const { arrow } = glyphs(style);
  const hang = INDENT.repeat(2);
  const lines = (text: string): string => wrap(INDENT + text, style.width, hang);
  const [left, right] = sidesOf(explained, style);
  return [
    ...[left, right].map(({ name, role }) => lines(`${name}: ${role}`)),
    ...rows.flatMap((row) => {
      if (row.kind !== 'rung') return [paint.quiet(lines(row.text))];
      const { rung } = row;
      const ways = goesRight(rung, explained) ? [left, right] : [right, left];
      const who = ways.map(({ role }) => role.replace(/, .*$| the reset$/, '')).join(` ${arrow} `);
      const [label = ''] = rungLabels(rung, style);
      const text = lines(`${String(rung.frame)}  ${timeOf(rung)}  ${who}  ${label}`);
      const nat = translationWords(rung, style);
      return [rung.asked ? paint.resets(text) : text, ...(nat === null ? [] : [paint.quiet(lines(nat))])];
    }),
  ];
}

function timeOf({ seconds }: Rung): string {
  return seconds === null ? '-' : seconds.toFixed(DIGITS);
}
