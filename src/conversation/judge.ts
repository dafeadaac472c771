/**
 * The verdict on a reset: the first rule that says yes, or what little can be said without one.
 *
 * Takes facts, gives words; asks nobody and changes nothing.
 */

import type { ResetDiagnostic } from '../decode/net/reset-diagnostic.js';
import { type Facts, type ResetFacts } from './facts.js';
import { NO_KERNEL_FACTS, type KernelFacts } from './kernel-facts.js';
import type { Reset } from './reset.js';
import { words } from './rules/kernel.js';
import type { Answer, Rule } from './rules/rule.js';
import { RULES } from './rules/rules.js';
import { isAlone, isBare, isRefusal, isSilent, looksPassive, seconds, sentOf } from './rules/shape.js';
import type { Origin, Verdict } from './verdict.js';

/** What Linux and others begin to count a TTL down from. */
const FIRST_TTLS: ReadonlySet<number> = new Set([64, 128, 255]);

/** Everything that is known of the reset, with what the system knows of it. */
export function factsOf(reset: Reset, kernel: KernelFacts = NO_KERNEL_FACTS): Facts {
  return { reset: headerOf(reset), conversation: reset.conversation, host: reset.host, kernel: trusted(reset, kernel) };
}

/**
 * What was forwarded before it was captured may bear other addresses than its socket's (a container's, masqueraded): the
 * kernel told of it under those, and its silence here says nothing.
 */
function trusted({ ttl }: Reset, kernel: KernelFacts): KernelFacts {
  return kernel.sent === 'silent' && !FIRST_TTLS.has(ttl) ? { ...kernel, sent: null } : kernel;
}

export function judge(facts: Facts): Verdict {
  for (const { test } of RULES) {
    const answer = test(facts);
    if (answer.yes) return new Judged(answer.cause, answer.confidence, answer.origin, facts, answer.evidence);
  }
  const [origin, evidence] = leftover(facts);
  return new Judged('unknown', 'unknown', origin, facts, evidence);
}

/** A rule that was asked, and what it said. */
export interface Tried {
  readonly rule: Rule;
  /** Null: it was not asked, since one before it had said yes. */
  readonly answer: Answer | null;
}

/** What `judge` does with the same facts, rule by rule. */
export function tried(facts: Facts): readonly Tried[] {
  let isTold = false;
  return RULES.map((rule) => {
    const answer = isTold ? null : rule.test(facts);
    isTold ||= answer?.yes === true;
    return { rule, answer };
  });
}

/** A verdict whose sentences are made when they are read. */
class Judged implements Verdict {
  readonly cause: Verdict['cause'];
  readonly confidence: Verdict['confidence'];
  readonly origin: Verdict['origin'];
  readonly pattern = null;
  private readonly facts: Facts;
  private readonly sentences: () => readonly string[];

  constructor(
    cause: Verdict['cause'],
    confidence: Verdict['confidence'],
    origin: Verdict['origin'],
    facts: Facts,
    sentences: () => readonly string[],
  ) {
    this.cause = cause;
    this.confidence = confidence;
    this.origin = origin;
    this.facts = facts;
    this.sentences = sentences;
  }

  get evidence(): readonly string[] {
    const { payloadText, diagnostic } = this.facts.reset;
    const said = [...this.sentences()];
    if (payloadText !== null) said.push(`it says of itself: "${payloadText}"`);
    if (diagnostic !== null) said.push(diagnosticWords(diagnostic));
    return said;
  }
}

/** No rule has said yes: what the header allows to be said, and what is missing. */
function leftover(facts: Facts): [Origin, () => readonly string[]] {
  const sent = sentOf(facts);
  if (sent !== null) return ['kernel', () => [...words(sent), ...notTaken(facts)]];
  if (isSilent(facts)) {
    return [
      'unknown',
      () => ["the kernel's TCP did not send it: a packet filter, a raw socket or a device on the path did"],
    ];
  }
  const { last } = facts.conversation.receiver;
  const missing = isAlone(facts)
    ? 'nothing else of its connection was captured'
    : `no segment was captured that it answers${last === null ? '' : `: its receiver's last came ${seconds(facts.reset.at - last.at)} before`}`;
  if (isRefusal(facts)) {
    return ['unknown', () => [`it answers a segment without ACK, as a SYN is, which was not captured`, missing]];
  }
  if (isBare(facts)) {
    return [
      looksPassive(facts) ? 'kernel' : 'unknown',
      () => [
        isAlone(facts)
          ? 'it answers a segment that its sender could not take; which, was not captured'
          : 'it has no acknowledgement',
        missing,
      ],
    ];
  }
  return ['unknown', () => [missing]];
}

/** A number of the list that draft-ietf-tcpm-rst-diagnostic-payload asks for, or of an enterprise's own. */
function diagnosticWords({ reason, enterprise }: ResetDiagnostic): string {
  const list = enterprise === 0 ? "of the IETF's list" : `of enterprise ${String(enterprise)}'s list`;
  return `its diagnostic payload gives reason ${String(reason)} ${list}`;
}

function notTaken({ kernel }: Facts): string[] {
  return kernel.received === false ? ["its receiver's kernel had no socket that took it"] : [];
}

function headerOf(reset: Reset): ResetFacts {
  return {
    flags: reset.flags,
    seq: reset.seq,
    ack: reset.ack,
    window: reset.window < 0 ? null : reset.window,
    ttl: reset.ttl,
    ipId: reset.ipId < 0 ? null : reset.ipId,
    dontFragment: reset.ipVersion === 4 ? reset.dontFragment : null,
    payloadLength: reset.payloadLength,
    payloadText: reset.payloadText,
    diagnostic: reset.diagnostic,
    timestamp: reset.timestamp < 0 ? null : reset.timestamp,
    at: reset.timed ? reset.seconds + reset.nanos / 1e9 : NaN,
    ownFilter: reset.ownFilter,
  };
}
