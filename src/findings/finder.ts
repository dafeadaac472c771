/**
 * What a finder takes and gives. Each says one thing that resets have in common, with the facts that it rests on and what
 * to type next; what it needs at least is in docs/findings.md.
 */

import type { ServerFacts } from '../conversation/roles.js';
import type { Episode } from '../patterns/rows.js';
import type { Finding } from '../report/types.js';
import type { Case } from './case.js';

/** Everything that findings are made of. */
export interface Evidence {
  readonly cases: readonly Case[];
  /** Those at one port. */
  readonly at: (ip: string, port: number | null) => readonly Case[];
  readonly episodes: readonly Episode[];
  /** By a server's number; null: not known any more. */
  readonly serverFacts: (server: number) => ServerFacts | null;
  /** Resets in the report. */
  readonly resets: number;
  readonly live: boolean;
  /** Names of the files that were read, by their number. */
  readonly files: readonly string[];
}

export type FindingId =
  | 'service-down'
  | 'service-restarted'
  | 'knocking-client'
  | 'keepalive-race'
  | 'idle-timer'
  | 'application-aborting'
  | 'listen-queue-full'
  | 'firewall-rejecting'
  | 'injection'
  | 'nat-bypass'
  | 'scan'
  | 'flood'
  | 'stuck-flow'
  | 'no-action';

export interface Finder {
  readonly id: FindingId;
  readonly find: (evidence: Evidence) => readonly Found[];
}

export type Found = Omit<Finding, 'id'>;
