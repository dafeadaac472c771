/** What is said on standard error beside the answer: one sentence a line, nothing with --quiet. */

import { TOOL_NAME } from '../base/package-info.js';
import { printable } from '../base/text.js';
import type { Io } from './io.js';

export type Talk = (sentence: string) => Promise<void>;

export function talker(io: Io, quiet: boolean): Talk {
  return async (sentence) => {
    if (!quiet) await io.stderr.write(`${TOOL_NAME}: ${printable(sentence, 8192)}\n`);
  };
}
