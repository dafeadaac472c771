/**
 * One reset explained, as a page: what it was, the conversation that led to it, each rule that was asked, what to do.
 *
 * The rules' own words, in the order in which they were asked.
 */

import { plural } from '../base/text.js';
import type { Explained, RuleRow } from '../report/explained.js';
import type { Explanation } from '../report/explanations/explanation.js';
import type { MissingReason, ProcessInfo } from '../report/types.js';
import { clockText } from './clock-text.js';
import { pageOf, stepLines, widthOf } from './explain-page.js';
import { endpoint } from './figures.js';
import { ladderLines } from './ladder-lines.js';
import { stepsFor } from './next-steps.js';
import { endName, placeName, reasonText } from './process-text.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { wrap } from './text-width.js';

const INDENT = '  ';
const HANG = '       ';

/** `file` is the capture's name as a shell takes it. Ends in a line break. */
export function renderExplained(explained: Explained, explanation: Explanation, style: Style, file: string): string {
  const paint = painter(style);
  const steps = stepsFor(explanation.next_steps, explained.event.service_port, file);
  return pageOf([
    headLines(explained, explanation, style),
    [paint.title('The conversation'), ...ladderLines(explained, style)],
    [paint.title('What was seen'), ...seenLines(explained, style)],
    [paint.title('The rules: the first yes decides'), ...ruleLines(explained, style)],
    [paint.title('What to do'), ...steps.flatMap((step, i) => stepLines(step, i + 1, style))],
    moreLines(explained, style, file),
  ]);
}

function headLines({ asked, event }: Explained, { title }: Explanation, style: Style): string[] {
  const paint = painter(style);
  const width = widthOf(style);
  const { cause, confidence, frame, frames, reset_by: by } = event;
  const sure = cause === 'unknown' ? '' : ` (${confidence})`;
  const source = safe(endpoint(event.src_ip, event.src_port), style);
  const target = safe(endpoint(event.dest_ip, event.dest_port), style);
  const file = safe(event.file ?? '', style);
  const ends = by === 'unknown' ? `${source} resets ${target}` : `the ${by} ${source} resets ${target}`;
  const other =
    /^\d+$/.test(asked) && Number(asked) !== frame
      ? [`Frame ${safe(asked, style)}, which was asked for, is another frame of the same reset.`]
      : [];
  const copies = frames.length > 1 ? ` (one reset in ${plural(frames.length, 'frame')}: ${numbersOf(frames)})` : '';
  return [
    wrap(`${paint.title(cause)}${sure}: ${title}`, width, INDENT),
    ...[`Frame ${String(frame)} of ${file}${copies}, ${whenOf(event.epoch, style)}: ${ends}.`, ...other].map((text) =>
      wrap(INDENT + text, width, INDENT),
    ),
  ];
}

const MOST_NUMBERS = 8;

function numbersOf(frames: readonly number[]): string {
  const shown = frames.slice(0, MOST_NUMBERS).map(String).join(', ');
  return frames.length > MOST_NUMBERS ? `${shown} and others` : shown;
}

function whenOf(epoch: number | null, style: Style): string {
  // One moment: to the millisecond, with its date and zone.
  return epoch === null ? 'without a time' : clockText({ start_epoch: epoch, end_epoch: epoch }, style).full(epoch);
}

function seenLines({ event, context }: Explained, style: Style): string[] {
  const { bullet } = glyphs(style);
  const end = (what: string, process: ProcessInfo | null, reason: MissingReason | null): string[] => {
    if (process === null) {
      const why = reason === null ? null : reasonText(reason);
      return why === null ? [] : [`${what}: ${why}`];
    }
    const place = placeName(process, style);
    return [`${what}: ${endName(process, style)}${place === '' ? '' : ` (${place})`}`];
  };
  const texts = [
    ...event.evidence.map((text) => safe(text, style, Infinity)),
    ...end('its sender', event.sender, event.sender_reason),
    ...end('its receiver', event.receiver, event.receiver_reason),
    ...contextWords(context),
  ];
  return texts.map((text) => wrap(`${INDENT}${bullet} ${text}`, widthOf(style), INDENT.repeat(2)));
}

function contextWords(context: Explained['context']): string[] {
  if (context === 'full') return [];
  const what = context === 'resets' ? 'resets alone' : 'the beginnings and ends of connections alone (SYN, FIN, RST)';
  return [`it was judged by ${what}: nothing else was captured, or asked for`];
}

function ruleLines({ rules, event }: Explained, style: Style): string[] {
  const paint = painter(style);
  const width = widthOf(style);
  const asked = rules.filter(({ verdict }) => verdict !== 'not-tried');
  const left = rules.filter(({ verdict }) => verdict === 'not-tried');
  const line = (mark: string, text: string): string => wrap(`${INDENT}${mark.padEnd(3)}  ${text}`, width, HANG);
  const isTold = asked.some(({ verdict }) => verdict === 'yes');
  const causes = [...new Set(left.map(({ cause }) => cause))].join(', ');
  return [
    ...asked.flatMap((rule) => (rule.verdict === 'yes' ? yesLines(rule, style) : [noLine(rule, line)])),
    ...(left.length === 0 ? [] : [paint.quiet(line('', `not tried, since that one said yes: ${causes}`))]),
    ...(isTold ? [] : [paint.notice(line('', `none said yes: ${event.cause}`))]),
  ];
}

function noLine({ cause, name, because }: RuleRow, line: (mark: string, text: string) => string): string {
  return line('no', `${cause} (${name}): ${because}`);
}

function yesLines({ cause, name, evidence, source }: RuleRow, style: Style): string[] {
  const paint = painter(style);
  const width = widthOf(style);
  const { bullet } = glyphs(style);
  return [
    wrap(`${INDENT}${paint.good('yes')}  ${paint.title(cause)} (${name}):`, width, HANG),
    ...evidence.map((text) => wrap(`${HANG}${bullet} ${safe(text, style, Infinity)}`, width, `${HANG}${INDENT}`)),
    paint.quiet(wrap(`${HANG}by ${source}`, width, HANG)),
  ];
}

function moreLines({ event }: Explained, style: Style, file: string): string[] {
  const { src_ip: from, dest_ip: to, src_port: fromPort, dest_port: toPort, ip_version: version } = event;
  const ip = version === 6 ? 'ipv6' : 'ip';
  const filter = `${ip}.addr == ${from} && ${ip}.addr == ${to} && tcp.port == ${String(fromPort)} && tcp.port == ${String(toPort)}`;
  const paint = painter(style);
  return [
    wrap('The whole conversation, and all about the cause', widthOf(style)),
    `${INDENT}${paint.notice(`tshark -r ${safe(file, style, Infinity)} -Y '${filter}'`)}`,
    `${INDENT}${paint.notice(`rstscope explain ${event.cause}`)}`,
  ];
}
