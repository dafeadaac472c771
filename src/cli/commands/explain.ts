/**
 * `rstscope explain [CAUSE]`: what a cause means and what to do about it; without one, the causes there are. With a file
 * and a frame, one reset (explain-reset.ts).
 */

import { existsSync } from 'node:fs';
import { UserError } from '../../base/errors.js';
import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { printable } from '../../base/text.js';
import { shellQuote } from '../../capture/refusal.js';
import { causesJson, explanationJson, sharedJson } from '../../render/explain-json.js';
import { renderCauses, renderExplanation, renderShared } from '../../render/explain-page.js';
import { colorLevel, supportsUnicode, type Style } from '../../render/style.js';
import { find, GROUPS } from '../../report/explanations/find.js';
import { EXIT_OK } from '../exit-codes.js';
import type { Io } from '../io.js';
import { colorOf } from '../plan.js';
import type { ExplainValues } from '../program.js';
import { looksLikeWhich } from '../which.js';
import { width } from '../width.js';

const DEFAULT_WIDTH = 80;
const LONGEST_SHOWN = 80;

export async function explain(words: readonly string[], values: ExplainValues, io: Io): Promise<number> {
  const style = styleOf(values, io);
  const [typed] = words.slice(-1);
  if (typed !== undefined && isAboutReset(words, typed)) {
    const { explainReset } = await import('./explain-reset.js');
    return explainReset(words.slice(0, -1), typed, values, style, io);
  }
  await io.stdout.write(answer(words, values.json === true, style));
  return EXIT_OK;
}

/** What is known by its words is no file; else a file, or what looks as if it belonged to one, tells it. */
function isAboutReset(words: readonly string[], last: string): boolean {
  const [first = ''] = words;
  if (words.length < 2) return false;
  const isFile = first === '-' || existsSync(first);
  if (isFile && looksLikeWhich(last)) return true;
  return (isFile || looksLikeWhich(last)) && find(words.join(' ')).kind === 'none';
}

function answer(words: readonly string[], json: boolean, style: Style): string {
  const tool = { name: TOOL_NAME, version: toolVersion() };
  const [word] = words;
  if (word === undefined) return json ? causesJson(GROUPS, tool) : renderCauses(GROUPS, style);
  if (words.length > 1) throw severalWords(words);
  const found = find(word);
  switch (found.kind) {
    case 'one':
      return json ? explanationJson(found.explanation, tool) : renderExplanation(found.explanation, style);
    case 'several':
      return json ? sharedJson(word, found.shared, GROUPS, tool) : renderShared(word, found.shared, style);
    case 'none':
      throw existsSync(word) ? fileAlone(word) : unknownWord(word, found.near);
  }
}

/** The hint is what was meant, if the words together are known. */
function severalWords(words: readonly string[]): UserError {
  const together = words.join(' ');
  const known = find(together).kind !== 'none';
  return new UserError(
    'usage',
    `explain takes one CAUSE, in quotes where it has several words, and got ${words.length}`,
    known ? `rstscope explain "${printable(together, LONGEST_SHOWN)}"` : 'rstscope explain --help',
  );
}

function fileAlone(word: string): UserError {
  const what = `${printable(word, LONGEST_SHOWN)} is a file: explain takes the frame of a reset, or an event's id, with it`;
  return new UserError('usage', what, `rstscope read --ndjson ${shellQuote(word)}`);
}

function unknownWord(word: string, near: readonly string[]): UserError {
  const like = near.length === 0 ? 'rstscope explain lists them' : `did you mean ${inWords(near)}?`;
  return new UserError('usage', `no cause is called "${printable(word, LONGEST_SHOWN)}": ${like}`, 'rstscope explain');
}

/** "a, b or c". */
function inWords(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`;
}

function styleOf(values: ExplainValues, io: Io): Style {
  const { isTTY, colorDepth } = io.stdout;
  return {
    color: colorLevel({ option: colorOf(values.color), env: io.env, isTTY, colorDepth }),
    width: width(io) ?? DEFAULT_WIDTH,
    utc: values.utc === true,
    unicode: supportsUnicode(io.env),
  };
}
