/**
 * What the program said of each reset, read back from its JSON lines: the line of the reset, and then every revision of
 * it. Knows nothing of the truth.
 */
import type { Cause, Confidence } from '../../../src/conversation/verdict.js';

/** The keys of an event that are looked at. */
export interface Answer {
  readonly id: string;
  readonly epoch: number;
  readonly src_ip: string;
  readonly src_port: number;
  readonly dest_ip: string;
  readonly dest_port: number;
  readonly seq: number;
  readonly ack: number | null;
  readonly cause: Cause;
  readonly confidence: Confidence;
  readonly evidence: readonly string[];
  readonly kernel_reason: string | null;
  readonly kernel_path: string | null;
}

/** In the order in which they were first said. Throws when a revision is of something that was never said. */
export function answersOf(ndjson: string): Answer[] {
  const answers = new Map<string, Answer>();
  for (const line of ndjson.split('\n')) {
    if (line === '') continue;
    const { type, ...rest } = JSON.parse(line) as Answer & { type: string };
    if (type === 'reset') answers.set(rest.id, rest);
    if (type !== 'revision') continue;
    const before = answers.get(rest.id);
    if (before === undefined) throw new Error(`a revision of ${rest.id}, which was never said`);
    answers.set(rest.id, { ...before, ...rest });
  }
  return [...answers.values()];
}
