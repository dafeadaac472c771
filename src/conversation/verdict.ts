/**
 * What is said of a reset: the words of the schema, shared by the rules that choose them and the report that shows
 * them.
 */

export const CAUSES = [
  'closed-port',
  'firewall-reject',
  'listen-queue-full',
  'listener-closed',
  'abort-unread-data',
  'abort-linger',
  'abort-disconnect',
  'abort-admin',
  'abort-timeout',
  'abort-memory',
  'abort',
  'late-data',
  'half-open',
  'time-wait-assassination',
  'handshake-mismatch',
  'port-reuse',
  'client-gave-up',
  'close-reset',
  'middlebox-reset',
  'injected',
  'out-of-window',
  'unknown',
] as const;
export type Cause = (typeof CAUSES)[number];

export const PATTERNS = ['scan', 'health-check', 'retry-loop', 'flood', 'keepalive-race', 'backscatter'] as const;
export type Pattern = (typeof PATTERNS)[number];

export const DIRECTIONS = ['sent', 'received', 'local', 'forwarded', 'unknown'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export type Confidence = 'certain' | 'likely' | 'possible' | 'unknown';
export type Origin = 'kernel' | 'application' | 'firewall' | 'middlebox' | 'unknown';
export type ResetBy = 'server' | 'client' | 'unknown';

/** The cause of one reset, how sure it is, and the facts it rests on. */
export interface Verdict {
  readonly cause: Cause;
  readonly confidence: Confidence;
  readonly origin: Origin;
  readonly pattern: Pattern | null;
  readonly evidence: readonly string[];
}

/** Not judged yet. */
export const UNKNOWN_VERDICT: Verdict = {
  cause: 'unknown',
  confidence: 'unknown',
  origin: 'unknown',
  pattern: null,
  evidence: [],
};

/** What a reset is part of, together with others; which pattern they make may show later. */
export interface Patterned {
  readonly pattern: Pattern | null;
}

/** The same verdict, as one of many. */
export function asPartOf(verdict: Verdict, pattern: Pattern | null): Verdict {
  return verdict.pattern === pattern ? verdict : new PartVerdict(verdict, pattern);
}

/** Its sentences are made when they are read, as the other's are. */
class PartVerdict implements Verdict {
  readonly cause: Cause;
  readonly confidence: Confidence;
  readonly origin: Origin;
  readonly pattern: Pattern | null;
  private readonly verdict: Verdict;

  constructor(verdict: Verdict, pattern: Pattern | null) {
    this.cause = verdict.cause;
    this.confidence = verdict.confidence;
    this.origin = verdict.origin;
    this.pattern = pattern;
    this.verdict = verdict;
  }

  get evidence(): readonly string[] {
    return this.verdict.evidence;
  }
}
