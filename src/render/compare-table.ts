/**
 * Two captures compared, as a page: the answer in sentences, then the resets that one capture alone has, with what they
 * mean, what could not be compared, and what to type next.
 */

import { grouped, plural } from '../base/text.js';
import type { ComparedCapture, Comparison, End, NotComparableRow, VerdictRow } from '../report/comparison-types.js';
import type { ResetEvent } from '../report/types.js';
import { preciseTime } from './clock-text.js';
import { duration, endpoint, NOTHING } from './figures.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { tableLines, type Column } from './table.js';
import { wrap } from './text-width.js';

/** A row of a table: the reset and what it means. */
interface Row {
  readonly event: ResetEvent;
  readonly verdict: VerdictRow;
}

const MEANING = { middlebox: 'a device between', lost: 'dropped on the way', repeated: 'repeated', unsure: 'not sure' };

/** Ends in a line break; at most `top` rows a table. `quote` makes a word of a shell of a file's name. */
export function renderComparison(
  comparison: Comparison,
  style: Style,
  top: number,
  quote: (name: string) => string,
): string {
  const { captures } = comparison;
  if (captures === null) return '';
  const paint = painter(style);
  const [answer = '', ...more] = comparison.summary;
  const parts = [
    [
      wrap(paint.title(safe(capital(answer), style, LONGEST)), style.width, '  '),
      ...more.map((text) => wrap(safe(capital(text), style, LONGEST), style.width, '  ')),
    ],
    ['client', 'server'].map((end) => captureLine(end === 'client' ? 'client' : 'server', captures, style)),
    [...inCommon(comparison, style)],
    ...(['client', 'server'] as const).map((end) => section(end, comparison, style, top)),
    notComparable(comparison.not_comparable, style),
    nextSteps(comparison, style, quote),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** Characters of a sentence: it may name files. */
const LONGEST = 2000;

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function captureLine(end: End, captures: Readonly<Record<End, ComparedCapture>>, style: Style): string {
  const { files, context, resets, connections, unmatched, seconds, dropped } = captures[end];
  const holds = { resets: 'resets alone', control: 'SYN, FIN and RST', full: 'all TCP' }[context];
  const told = [
    ...(seconds === null ? [] : [duration(seconds)]),
    holds,
    plural(resets, 'reset'),
    `${plural(connections, 'connection')}${unmatched === 0 ? '' : `, ${grouped(unmatched)} of them not in the other`}`,
    ...(dropped === null || dropped === 0 ? [] : [`${plural(dropped, 'packet')} dropped`]),
  ];
  const name = files.length === 1 ? (files[0] ?? '') : `${files[0] ?? ''} and ${String(files.length - 1)} more`;
  return wrap(`  ${end}  ${safe(name, style)}: ${told.join(', ')}`, style.width, '          ');
}

function inCommon(
  { both, matched_connections: matched, clock_offset_seconds: offset, clock }: Comparison,
  style: Style,
) {
  const lines = [`${plural(both, 'reset')} seen at both ends; ${plural(matched, 'connection')} in both`];
  if (offset !== null && clock !== null) {
    const way = clock.one_way_seconds;
    const clocks =
      Math.abs(offset) < 1e-6
        ? 'the clocks agree'
        : `the server's clock is ${offsetText(Math.abs(offset))} ${offset > 0 ? 'ahead' : 'behind'}`;
    const by = `by ${plural(clock.segments, 'segment')} of ${plural(clock.connections, 'connection')}`;
    const which =
      way === null ? ', one direction only: the way is in it' : way === 0 ? '' : `; ${offsetText(way)} one way`;
    lines.push(`${clocks} (${by}${which})`);
  }
  return lines.map((text) => wrap(`  ${text}`, style.width, '    '));
}

/** "3,723.500 s", "12.3 ms", "40 µs": to the millisecond at least, for frames are looked up by it. */
function offsetText(seconds: number): string {
  if (seconds >= 1) return `${grouped(Math.trunc(seconds))}${(seconds % 1).toFixed(3).slice(1)} s`;
  return seconds >= 0.001 ? `${(seconds * 1e3).toFixed(1)} ms` : `${(seconds * 1e6).toFixed(0)} us`;
}

function section(end: End, comparison: Comparison, style: Style, top: number): string[] {
  const events = end === 'client' ? comparison.only_client : comparison.only_server;
  if (events.length === 0) return [];
  const verdicts = comparison.verdicts.filter(({ seen }) => seen === end);
  const rows = events.flatMap((event, i): Row[] => {
    const verdict = verdicts[i];
    return verdict === undefined ? [] : [{ event, verdict }];
  });
  const paint = painter(style);
  const time = preciseTime(style);
  const arrow = glyphs(style).arrow;
  const manyFiles = new Set(rows.map(({ event }) => event.file)).size > 1;
  const file: Column<Row> = { head: 'file', cell: ({ event }) => event.file ?? NOTHING, rank: 30, least: 12 };
  const columns: Column<Row>[] = [
    ...(manyFiles ? [file] : []),
    { head: 'frame', cell: ({ event }) => String(event.frame ?? NOTHING), right: true },
    { head: 'time', cell: ({ event }) => time(event.timestamp), rank: 20 },
    { head: 'from', cell: ({ event }) => endpoint(event.src_ip, event.src_port) },
    { head: '', cell: () => arrow, rank: 10 },
    { head: 'to', cell: ({ event }) => endpoint(event.dest_ip, event.dest_port) },
    { head: 'flags', cell: ({ event }) => event.tcp_flags, rank: 15 },
    { head: 'sent as', cell: ({ verdict }) => verdict.sent_as ?? NOTHING, rank: 40 },
    { head: 'meaning', cell: ({ verdict }) => MEANING[verdict.verdict], least: 10 },
  ];
  const lines = [paint.title(`Seen at the ${end} only`), ...tableLines(columns, rows.slice(0, top), style)];
  const more = rows.length - top;
  if (more > 0) {
    const text = `  ${glyphs(style).ellipsis} and ${grouped(more)} more (--top ${String(rows.length)} shows all)`;
    lines.push(paint.quiet(wrap(text, style.width, '    ')));
  }
  return [...lines, ...reasons(rows, style)];
}

/** Why, once for each verdict: of its first reset. */
function reasons(rows: readonly Row[], style: Style): string[] {
  const seen = new Set<string>();
  const lines: string[] = [];
  for (const { event, verdict } of rows) {
    if (seen.has(verdict.verdict)) continue;
    seen.add(verdict.verdict);
    const lead = `  ${MEANING[verdict.verdict]} (frame ${String(event.frame ?? NOTHING)}): `;
    lines.push(wrap(safe(lead + verdict.because.join('; '), style, LONGEST), style.width, '    '));
  }
  return lines;
}

function notComparable(rows: readonly NotComparableRow[], style: Style): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(({ message, example }) => {
    const first = example.frame === null ? '' : ` (frame ${String(example.frame)})`;
    return wrap(`  ${safe(message, style, LONGEST)}${first}`, style.width, '    ');
  });
  return [painter(style).title('Not comparable'), ...lines];
}

function nextSteps(comparison: Comparison, style: Style, quote: (name: string) => string): string[] {
  const steps: [string, string][] = [];
  for (const end of ['client', 'server'] as const) {
    const first = comparison.verdicts.findIndex(({ seen, verdict }) => seen === end && verdict === 'middlebox');
    const id = comparison.verdicts[first]?.id;
    const event = (end === 'client' ? comparison.only_client : comparison.only_server).find((one) => one.id === id);
    if (event?.file === undefined || event.file === null || event.frame === null) continue;
    const frame = String(event.frame);
    steps.push(
      [`what is known of frame ${frame}`, `rstscope explain ${quote(event.file)} ${frame}`],
      [
        'its TTL and link address, which tell where the device stands',
        `tshark -r ${quote(event.file)} -Y 'tcp.flags.reset == 1 and frame.number == ${frame}' -T fields -e ip.ttl -e ipv6.hlim -e eth.src`,
      ],
    );
  }
  if (comparison.matched_connections === 0 && comparison.captures !== null) {
    const { client, server } = comparison.captures;
    for (const { files } of [client, server]) {
      const [file] = files;
      if (file !== undefined) steps.push(['which connections, and when', `rstscope read ${quote(file)}`]);
    }
  }
  if (steps.length === 0) return [];
  const paint = painter(style);
  return [
    paint.title('Next'),
    ...steps.flatMap(([say, type]) => [
      wrap(`  ${safe(say, style)}:`, style.width, '    '),
      `      ${paint.notice(safe(type, style, LONGEST))}`,
    ]),
  ];
}
