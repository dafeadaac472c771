/**
 * One answer against one truth. What the packets leave open may be answered in any of the ways that truth.tsv lists;
 * where the kernel could be asked, only what happened is right. Knows nothing of files and programs.
 */
import type { Cause } from '../../../src/conversation/verdict.js';
import type { Truth } from '../truth.js';
import type { Answer } from './answers.js';

export const MODES = ['full', 'control', 'resets', 'live', 'live-resets'] as const;
export type Mode = (typeof MODES)[number];

/** Here the kernel's own word can be had. */
const TRACED: readonly Mode[] = ['live', 'live-resets'];

/** `less specific` is true, but says less than the truth. */
export const JUDGEMENTS = ['right', 'less specific', 'wrong', 'missing'] as const;
export type Judgement = (typeof JUDGEMENTS)[number];

/** Under what the reset was made and seen. */
export interface Circumstances {
  readonly mode: Mode;
  readonly seed: number;
  readonly timestamps: number;
  /** How it was captured: the file's name, or the backend. */
  readonly source: string;
}

export interface Scored extends Circumstances {
  readonly truth: Truth;
  readonly answer: Answer | null;
  readonly judgement: Judgement;
}

/** Answers that no truth asked for are resets that never were. */
export interface Score {
  readonly scored: Scored[];
  readonly invented: (Circumstances & { readonly answer: Answer })[];
}

/** What is said when it is not known which of these it was. */
const LESS_SPECIFIC: Readonly<Partial<Record<Cause, readonly string[]>>> = {
  abort: [
    'abort-unread-data',
    'abort-linger',
    'abort-disconnect',
    'abort-admin',
    'abort-timeout',
    'abort-memory',
    'listener-closed',
  ],
  // No socket (NO_SOCKET) is several mechanisms: which, only the connection tells.
  'half-open': ['client-gave-up', 'port-reuse', 'time-wait-assassination', 'close-reset'],
  // An unacceptable acknowledgement in a handshake: of an older connection, where that was seen.
  'handshake-mismatch': ['port-reuse'],
};

export function judge(mode: Mode, truth: Truth, answer: Answer | null): Judgement {
  if (answer === null) return 'missing';
  const { cause } = answer;
  if (cause === truth.cause) return 'right';
  if (!TRACED.includes(mode) && truth.packets.includes(cause)) return 'right';
  if (cause === 'unknown' || LESS_SPECIFIC[cause]?.includes(truth.cause) === true) return 'less specific';
  return 'wrong';
}

/** Each truth gets the answer of its tuple and numbers that is nearest in time, each answer is used once. */
export function score(circumstances: Circumstances, truths: readonly Truth[], answers: readonly Answer[]): Score {
  const waiting = new Map<string, Answer[]>();
  for (const answer of answers) {
    const key = [answer.src_ip, answer.src_port, answer.dest_ip, answer.dest_port, answer.seq, answer.ack].join(' ');
    waiting.set(key, [...(waiting.get(key) ?? []), answer]);
  }
  const scored = truths.map((truth) => {
    const key = [truth.src, truth.sport, truth.dst, truth.dport, truth.seq, truth.ack].join(' ');
    const [answer = null, ...others] = nearest(waiting.get(key) ?? [], truth.time);
    waiting.set(key, others);
    return { ...circumstances, truth, answer, judgement: judge(circumstances.mode, truth, answer) };
  });
  const left = [...waiting.values()].flat();
  return { scored, invented: left.map((answer) => ({ ...circumstances, answer })) };
}

function nearest(answers: readonly Answer[], time: number): Answer[] {
  return [...answers].sort((a, b) => Math.abs(a.epoch - time) - Math.abs(b.epoch - time));
}
