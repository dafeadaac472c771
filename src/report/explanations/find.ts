/** Finds the explanation that a word asks for: a cause, one of its other names, a word that several causes share. */

import { CAUSES, type Cause } from '../types.js';
import { ABORTED } from './aborted.js';
import { ANSWERED } from './answered.js';
import type { Explanation, SharedWord } from './explanation.js';
import { nearest } from './nearest.js';
import { ON_THE_WAY } from './on-the-way.js';
import { REFUSED } from './refused.js';
import { RESOURCES } from './resources.js';
import { SHARED_NAMES } from './shared-names.js';
import { SHARED_WORDS } from './shared-words.js';

export interface Group {
  readonly title: string;
  readonly explanations: readonly Explanation[];
}

/** All causes, in the order in which they are listed. */
export const GROUPS: readonly Group[] = [
  { title: 'Refused: the connection never began', explanations: REFUSED },
  { title: 'Ended by a program', explanations: ABORTED },
  { title: 'Ended by a limit of the kernel', explanations: RESOURCES },
  { title: 'Answers to what fits no connection any more', explanations: ANSWERED },
  { title: 'Made on the way, forged, or not known', explanations: ON_THE_WAY },
];

export const EXPLANATIONS: readonly Explanation[] = GROUPS.flatMap(({ explanations }) => explanations);
export const SHARED: readonly SharedWord[] = [...SHARED_WORDS, ...SHARED_NAMES];

export type Found =
  | { readonly kind: 'one'; readonly explanation: Explanation }
  | { readonly kind: 'several'; readonly shared: SharedWord }
  | { readonly kind: 'none'; readonly near: readonly string[] };

const MOST_NEAR = 3;

export function find(word: string): Found {
  const key = normalised(word);
  const explanation = EXPLANATIONS.find((one) => [one.cause, ...one.aliases].some((name) => normalised(name) === key));
  if (explanation !== undefined) return { kind: 'one', explanation };
  const shared = SHARED.find(({ words }) => words.some((name) => normalised(name) === key));
  if (shared !== undefined) return { kind: 'several', shared };
  return { kind: 'none', near: near(key) };
}

export function explanationOf(cause: Cause): Explanation | undefined {
  return EXPLANATIONS.find((one) => one.cause === cause);
}

/** What says nothing: articles, and the prefixes of the kernel's reasons and of nstat's counters. */
const PREFIX = /^an? +|^the +|^SK_RST_REASON_|^TcpExt(?=[A-Z])|^Tcp(?=OutRsts|AttemptFails|EstabResets)/i;

/** Words are the same whatever their case, blanks and hyphens: "listen queue full", "Listen_Queue-Full". */
export function normalised(word: string): string {
  const bare = word.trim().replace(PREFIX, '');
  // tcpdump's flags, where the dot is the ACK.
  if (/^\[?R\.\]?$/i.test(bare)) return 'rstack';
  const key = bare.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  return key === 'r' ? 'rst' : key;
}

/** Names like it, causes first, one for each page. */
function near(key: string): string[] {
  const names = [
    ...CAUSES.map((cause) => [cause, cause] as const),
    ...EXPLANATIONS.flatMap(({ cause, aliases }) => aliases.map((alias) => [alias, cause] as const)),
    ...SHARED.flatMap(({ words }) => words.map((word) => [word, words[0]] as const)),
  ].map(([name, page]) => ({ name, page, key: normalised(name) }));
  const pages = new Map<string | undefined, string>();
  for (const { name, page } of nearest(key, names)) if (!pages.has(page)) pages.set(page, name);
  return [...pages.values()].slice(0, MOST_NEAR);
}
