/** What `rstscope compare` says, as plain data, key for key as the JSON has it. */

import type { Cause, Context, Incomplete, ResetEvent, SCHEMA_VERSION, Tool } from './types.js';

/** One of the two captures, by the end at which it was made. */
export type End = 'client' | 'server';

/**
 * What a reset means that one capture alone has. `middlebox`: it bears the far end's address, and the far end's capture
 * would have it if the far end had sent it. `lost`: the near end sent it, and it did not come to the other capture.
 * `repeated`: the same was said more often here than there. `unsure`: one of the things that the others rest on is not
 * known.
 */
export const ONE_SIDED_VERDICTS = ['middlebox', 'lost', 'repeated', 'unsure'] as const;
export type OneSidedVerdict = (typeof ONE_SIDED_VERDICTS)[number];

/** Why it can't be told whether the other capture should have a reset. */
export const NOT_COMPARABLE_REASONS = [
  'before-its-window',
  'after-its-window',
  'no-such-connection',
  'no-connection-in-common',
  'no-time',
  'ambiguous',
  'too-many',
] as const;
export type NotComparableReason = (typeof NOT_COMPARABLE_REASONS)[number];

/** One reset of `only_client` or `only_server`, and what it means. */
export interface VerdictRow {
  readonly seen: End;
  /** Its event, in the list of its end. */
  readonly id: string;
  /** The end whose address it bears; null: which of both is near is not known. */
  readonly sent_as: End | null;
  readonly verdict: OneSidedVerdict;
  readonly because: readonly string[];
}

/** Resets of one capture that the other one can't be asked about. */
export interface NotComparableRow {
  readonly seen: End;
  readonly reason: NotComparableReason;
  readonly resets: number;
  readonly message: string;
  /** One of them. */
  readonly example: ComparedReset;
}

export type ComparedReset = Pick<
  ResetEvent,
  'id' | 'file' | 'frame' | 'timestamp' | 'src_ip' | 'src_port' | 'dest_ip' | 'dest_port'
>;

export interface ComparedCapture {
  readonly files: readonly string[];
  readonly start: string | null;
  readonly end: string | null;
  readonly seconds: number | null;
  readonly context: Context;
  readonly resets: number;
  readonly connections: number;
  /** Of these, those that the other capture does not have. */
  readonly unmatched: number;
  /** Segments of connections that found no place: their resets can't be compared. */
  readonly segments_omitted: number;
  readonly dropped: number | null;
  /**
   * Segments without data that the other capture got from this end, and that this one must have; and how many of them
   * it lacks.
   */
  readonly checked: number;
  readonly lacking: number;
}

export interface ComparedClock {
  /** What the offset rests on. */
  readonly basis: 'both-directions' | 'one-direction' | null;
  readonly connections: number;
  readonly segments: number;
  /** Half of a round trip between the two captures, median; null without both directions. */
  readonly one_way_seconds: number | null;
  /** How far connections differ from the offset, the middle half of them at most. */
  readonly spread_seconds: number | null;
}

export interface PortChange {
  readonly port: number | null;
  readonly service: string | null;
  readonly before: number;
  readonly after: number;
  readonly rate_before: number | null;
  readonly rate_after: number | null;
}

export interface CauseChange {
  readonly cause: Cause;
  readonly before: number;
  readonly after: number;
  readonly rate_before: number | null;
  readonly rate_after: number | null;
}

/** One of two reports that are compared. */
export interface ComparedReport {
  readonly file: string;
  readonly tool: Tool;
  readonly kind: 'live' | 'file';
  readonly context: Context;
  readonly start: string | null;
  readonly seconds: number | null;
  readonly resets: number;
  /** Resets that the options of that run left out. */
  readonly filtered_out: number;
  readonly incomplete: number;
}

/** Two captures of the same connections, or two reports; the keys of the other kind are empty. */
export interface Comparison {
  readonly type: 'compare';
  readonly schema_version: typeof SCHEMA_VERSION;
  readonly tool: Tool;
  /** What it comes to, in sentences. */
  readonly summary: readonly string[];
  readonly both: number;
  readonly only_client: readonly ResetEvent[];
  readonly only_server: readonly ResetEvent[];
  readonly clock_offset_seconds: number | null;
  readonly matched_connections: number;
  readonly verdicts: readonly VerdictRow[];
  readonly not_comparable: readonly NotComparableRow[];
  readonly clock: ComparedClock | null;
  readonly captures: { readonly client: ComparedCapture; readonly server: ComparedCapture } | null;
  /** Resets that the options given left out of all counts. */
  readonly filtered_out: number;
  readonly ports: readonly PortChange[];
  readonly causes: readonly CauseChange[];
  readonly reports: { readonly before: ComparedReport; readonly after: ComparedReport } | null;
  readonly incomplete: readonly Incomplete[];
}
