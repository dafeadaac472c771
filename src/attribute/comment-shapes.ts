/** Shapes that JSON from anybody is checked for; nothing else. */

import { printable } from '../base/text.js';

export type Json = Readonly<Record<string, unknown>>;

/** Characters of a sentence. */
const MAX_SENTENCE = 256;

export function objectOf(json: unknown): Json | null {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : null;
}

export function isOneOf<Word extends string>(words: Readonly<Record<Word, true>>, said: unknown): said is Word {
  return typeof said === 'string' && Object.hasOwn(words, said);
}

/** Null: nothing was said. Undefined: something else. */
export function booleanOf(said: unknown): boolean | null | undefined {
  if (said === undefined || said === null) return null;
  return typeof said === 'boolean' ? said : undefined;
}

/** Safe to show, and of bounded length. */
export function sentence(text: string): string {
  return printable(text, MAX_SENTENCE);
}
