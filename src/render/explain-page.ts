/**
 * The explanation of a cause as a page, the list of all causes, and what a word stands for that several causes share.
 *
 * Knows the data of explanations, not how one is found.
 */

import type { Explanation, NextStep, SharedWord } from '../report/explanations/explanation.js';
import type { Group } from '../report/explanations/find.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { columnsOf, wrap } from './text-width.js';

/** Lines of prose longer than that are hard to read. */
const WIDEST = 100;
const INDENT = '  ';
/** What is typed is never broken into lines: it is there to be copied. */
const COMMAND_INDENT = '      ';

interface Entry {
  readonly name: string;
  readonly says: string;
}

/** One cause; ends in a line break. */
export function renderExplanation(explanation: Explanation, style: Style): string {
  const { cause, title, meaning, certainty, aliases } = explanation;
  const paint = painter(style);
  const width = widthOf(style);
  const paragraph = (text: string): string => wrap(INDENT + text, width, INDENT);
  const parts = [
    [wrap(`${paint.title(cause)}: ${title}`, width, INDENT)],
    [paragraph(meaning)],
    [paint.title('How it is recognised'), ...bullets(explanation.recognised_by, style)],
    [paint.title('How sure that is'), paragraph(certainty)],
    [paint.title('What to do'), ...explanation.next_steps.flatMap((step, i) => stepLines(step, i + 1, style))],
    section("The kernel's counters (nstat)", explanation.counters, style),
    section('Settings (sysctl)', explanation.sysctls, style),
    [paint.quiet(wrap(`Also found as: ${aliases.join(', ')}`, width, INDENT))],
  ];
  return pageOf(parts);
}

/** Every cause in a line, with its other names left out; ends in a line break. */
export function renderCauses(groups: readonly Group[], style: Style): string {
  const paint = painter(style);
  const names = groups.flatMap(({ explanations }) => explanations.map(({ cause }) => cause));
  const room = longest(names);
  const parts = groups.map(({ title, explanations }) => [
    wrap(paint.title(title), widthOf(style), INDENT),
    ...explanations.flatMap((one) => entryLines({ name: one.cause, says: one.title }, room, style)),
  ]);
  const how =
    'rstscope explain CAUSE tells of one; other words lead there too: "listen queue full", ECONNRESET, ' +
    'TCPAbortOnClose, NO_SOCKET, REJ.';
  return pageOf([...parts, [paint.quiet(wrap(how, widthOf(style), INDENT))]]);
}

/** A word that stands for several causes, as it was typed; ends in a line break. */
export function renderShared(typed: string, { says, causes }: SharedWord, style: Style): string {
  const paint = painter(style);
  const width = widthOf(style);
  const room = longest(causes.map(({ cause }) => cause));
  return pageOf([
    [wrap(`${paint.title(safe(typed, style))} can be one of several causes`, width, INDENT)],
    [wrap(INDENT + says, width, INDENT)],
    [
      paint.title('Which is which'),
      ...causes.flatMap(({ cause, when }) => entryLines({ name: cause, says: when }, room, style)),
    ],
    [paint.quiet(wrap(`rstscope explain ${causes[0]?.cause ?? 'CAUSE'} tells all of one.`, width, INDENT))],
  ]);
}

export function widthOf({ width }: Style): number {
  return Math.min(width, WIDEST);
}

export function pageOf(parts: readonly (readonly string[])[]): string {
  const shown = parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${shown.join('\n\n')}\n`;
}

function bullets(texts: readonly string[], style: Style): string[] {
  const lead = `${INDENT}${glyphs(style).bullet} `;
  return texts.map((text) => wrap(lead + text, widthOf(style), ' '.repeat(lead.length)));
}

export function stepLines({ say, type }: NextStep, number: number, style: Style): string[] {
  const said = wrap(`${INDENT}${number}. ${say}`, widthOf(style), `${INDENT}   `);
  return type === undefined ? [said] : [said, COMMAND_INDENT + painter(style).notice(type)];
}

function section(title: string, entries: readonly Entry[], style: Style): string[] {
  if (entries.length === 0) return [];
  const room = longest(entries.map(({ name }) => name));
  return [painter(style).title(title), ...entries.flatMap((entry) => entryLines(entry, room, style))];
}

/** Beside its name where that leaves room for a sentence, else below it. */
function entryLines({ name, says }: Entry, room: number, style: Style): string[] {
  const width = widthOf(style);
  const start = INDENT.length + room + 2;
  if (width - start < width / 2) return [INDENT + name, wrap(COMMAND_INDENT + says, width, COMMAND_INDENT)];
  return [wrap(`${' '.repeat(start)}${says}`, width, ' '.repeat(start)).replace(/^ +/, (INDENT + name).padEnd(start))];
}

function longest(names: readonly string[]): number {
  return names.reduce((most, name) => Math.max(most, columnsOf(name)), 0);
}
