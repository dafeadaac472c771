/** Whether two records are of one conversation, whichever way they go. */

import { word } from '../base/bytes.js';
import {
  IS_IPV6,
  R_DESTINATION,
  R_DESTINATION_UPPER,
  R_FLAGS,
  R_PORTS,
  R_SOURCE,
  R_SOURCE_UPPER,
  R_TENANT,
} from '../decode/record-layout.js';

const UPPER_WORDS = [0, 1, 2];

/** The tenant, and both ends in the order of the record. */
export function conversationOf(words: Uint32Array, at: number): readonly number[] {
  const ports = word(words, at + R_PORTS);
  return [
    word(words, at + R_TENANT),
    ...endOf(words, at, R_SOURCE, R_SOURCE_UPPER, ports >>> 16),
    ...endOf(words, at, R_DESTINATION, R_DESTINATION_UPPER, ports & 0xffff),
  ];
}

export function isSameConversation(one: readonly number[], words: Uint32Array, at: number): boolean {
  const other = conversationOf(words, at);
  const [tenant, ...ends] = other;
  const half = ends.length / 2;
  const turned = [tenant, ...ends.slice(half), ...ends.slice(0, half)];
  const agrees = (key: readonly (number | undefined)[]): boolean =>
    key.length === one.length && key.every((part, i) => part === one[i]);
  return agrees(other) || agrees(turned);
}

function endOf(words: Uint32Array, at: number, lower: number, upper: number, port: number): number[] {
  const isSix = (word(words, at + R_FLAGS) & IS_IPV6) !== 0;
  return [...(isSix ? UPPER_WORDS.map((w) => word(words, at + upper + w)) : []), word(words, at + lower), port];
}
