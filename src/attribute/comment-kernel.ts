/**
 * What the system knew of why, as the keys of a comment's JSON, and back.
 *
 * The reason and the path have keys of their own, as an event has, and are all that older comments have. As with the rest
 * of a comment, what is not of the right shape throughout is as if it were not there.
 */

import type { KernelFacts, KernelPath, KernelSent, ListenerFacts } from '../conversation/kernel-facts.js';
import { booleanOf, isOneOf, objectOf, sentence, type Json } from './comment-shapes.js';

const PATHS: Readonly<Record<KernelPath, true>> = {
  linger: true,
  'listener-closed': true,
  disconnect: true,
  killed: true,
  'sock-destroy': true,
  keepalive: true,
  close: true,
};
const OPENERS: Readonly<Record<NonNullable<KernelFacts['opener']>, true>> = { source: true, destination: true };
const KERNEL_WORD = /^[A-Z0-9_]{1,64}$/;
/** Of a reset that answers for no socket. */
const SOCKETLESS = 'NO_SOCKET';

/** Nothing is known. */
export function isBlank({ sent, received, listener, opener }: KernelFacts): boolean {
  return sent === null && received === null && opener === null && isUnseen(listener);
}

function isUnseen({ atSource, evidence }: ListenerFacts): boolean {
  return atSource === null && evidence === null;
}

/** For JSON.stringify, which leaves out what is undefined. */
export function kernelJson(kernel: KernelFacts, withEvidence: boolean): Json {
  const { sent, received, listener, opener } = kernel;
  const { reason, path } = sent === null || sent === 'silent' ? { reason: null, path: null } : sent;
  return {
    kernel_reason: reason !== null && KERNEL_WORD.test(reason) ? reason : undefined,
    kernel_path: path ?? undefined,
    kernel: isBlank(kernel)
      ? undefined
      : {
          sent: sentJson(sent),
          received: received ?? undefined,
          listener: isUnseen(listener) ? undefined : listenerJson(listener, withEvidence),
          opener: opener ?? undefined,
        },
  };
}

function sentJson(sent: KernelFacts['sent']): Json | string | undefined {
  if (sent === null || sent === 'silent') return sent ?? undefined;
  const { active, socketless, listening } = sent;
  return { active: active ?? undefined, socketless: socketless || undefined, listening: listening || undefined };
}

function listenerJson({ atSource, evidence }: ListenerFacts, withEvidence: boolean): Json {
  return {
    at_source: atSource ?? undefined,
    evidence: evidence === null || !withEvidence ? undefined : sentence(evidence),
  };
}

/** Null where anything is not as it should be. */
export function readKernel(said: Json): KernelFacts | null {
  const reason = said['kernel_reason'] ?? null;
  const path = said['kernel_path'] ?? null;
  const kernel = objectOf(said['kernel'] ?? {});
  if (kernel === null) return null;
  if (reason !== null && !(typeof reason === 'string' && KERNEL_WORD.test(reason))) return null;
  if (path !== null && !isOneOf(PATHS, path)) return null;
  const sent = sentOf(kernel['sent'], reason, path);
  const received = booleanOf(kernel['received']);
  const listener = listenerOf(kernel['listener']);
  const opener = kernel['opener'] ?? null;
  if (sent === undefined || received === undefined || listener === null) return null;
  return opener === null || isOneOf(OPENERS, opener) ? { sent, received, listener, opener } : null;
}

/** Undefined: not as it should be. */
function sentOf(said: unknown, reason: string | null, path: KernelPath | null): KernelFacts['sent'] | undefined {
  const hasWord = reason !== null || path !== null;
  // What a program sent is all that has a path.
  if (said === undefined || said === null) return hasWord ? bySign(reason, path) : null;
  if (said === 'silent') return hasWord ? undefined : said;
  const sent = objectOf(said);
  const active = booleanOf(sent?.['active']);
  const socketless = booleanOf(sent?.['socketless']);
  const listening = booleanOf(sent?.['listening']);
  if (sent === null || active === undefined || socketless === undefined || listening === undefined) return undefined;
  return { reason, path, active, socketless: socketless === true, listening: listening === true };
}

/** Of an older comment. */
function bySign(reason: string | null, path: KernelPath | null): KernelSent {
  return { reason, path, active: path === null ? null : true, socketless: reason === SOCKETLESS, listening: false };
}

function listenerOf(said: unknown): ListenerFacts | null {
  const listener = objectOf(said ?? {});
  const atSource = booleanOf(listener?.['at_source']);
  const evidence = listener?.['evidence'] ?? null;
  if (listener === null || atSource === undefined) return null;
  if (evidence !== null && typeof evidence !== 'string') return null;
  return { atSource, evidence: evidence === null ? null : sentence(evidence) };
}
