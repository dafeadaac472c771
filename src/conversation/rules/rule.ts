/**
 * What a rule is: a small test of the facts that says yes or no, and why. The first that says yes names the cause.
 *
 * Sentences are made when somebody reads them: of a million resets, few are.
 */

import type { Facts } from '../facts.js';
import type { Cause, Confidence, Origin } from '../verdict.js';

export interface Yes {
  readonly yes: true;
  readonly cause: Cause;
  readonly confidence: Confidence;
  readonly origin: Origin;
  /** Sentences, each a fact that was observed. */
  readonly evidence: () => readonly string[];
}

export interface No {
  readonly yes: false;
  /** The fact that decided it. */
  readonly because: () => string;
}

export type Answer = Yes | No;

export interface Rule {
  readonly name: string;
  /** The cause that it names, or the one that it names most often. */
  readonly cause: Cause;
  /** Where it comes from: an RFC's section, a kernel's file, a paper. */
  readonly source: string;
  readonly test: (facts: Facts) => Answer;
}

/** A mechanism of the host whose address the reset bears: none of it where that host's TCP sent nothing. */
export function ofHost(rule: Rule): Rule {
  return {
    ...rule,
    test: (facts) => (facts.kernel.sent === 'silent' ? no("the kernel's TCP did not send it") : rule.test(facts)),
  };
}

export function yes(cause: Cause, confidence: Confidence, origin: Origin, evidence: Yes['evidence']): Yes {
  return { yes: true, cause, confidence, origin, evidence };
}

export function no(because: string | (() => string)): No {
  return { yes: false, because: typeof because === 'string' ? () => because : because };
}
