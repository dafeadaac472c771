/** What the thread that reads the trace and its starter say to each other. */

import type { KernelPath } from '../../conversation/kernel-facts.js';
import type { Process } from '../process.js';
import type { InstanceFacts } from './instance.js';
import type { FailedConnect, How } from './story.js';

export interface TraceOrder {
  readonly facts: InstanceFacts;
  readonly shared: SharedArrayBuffer;
}

/**
 * Shared: how far the thread has read, and how many words it has said. Who has heard all of them knows everything that
 * happened until then.
 */
export const SHARED_BYTES = 16;
/** Nanoseconds of the ring's clock. */
export const UNTIL = 0;
export const WORDS = 1;

/** Who was at an end. */
export interface TracedOwner {
  /** Null: nothing certain is known of it but its number. */
  readonly process: Process | null;
  readonly task: number;
  readonly how: How;
  /** It opened the connection, and a child that it made since may be the one that has it. */
  readonly shared: boolean;
}

export interface TracedReset {
  readonly serial: number;
  readonly kind: 'send' | 'receive';
  /** Seconds since 1970. */
  readonly at: number;
  /** The same moment, nanoseconds of CLOCK_MONOTONIC. */
  readonly mono: number;
  /** Local end first, as `tupleText` writes it. */
  readonly tuple: string;
  readonly active: boolean | null;
  readonly reason: string | null;
  readonly path: KernelPath | null;
  readonly socketless: boolean;
  readonly listening: boolean;
  /** Its socket was seen to connect; false: it was not, which may have been before. */
  readonly connected: boolean;
  readonly owner: TracedOwner | null;
  readonly destroyer: TracedOwner | null;
  /** More may be learnt of the owner. */
  readonly open: boolean;
}

export interface TracedFailure {
  /** Null: nothing certain is known of it. */
  readonly process: Process | null;
  readonly ip: string;
  readonly port: number;
  readonly how: FailedConnect['how'];
}

export interface StartedListener {
  readonly ip: string;
  readonly port: number;
  /** Seconds since 1970. */
  readonly at: number;
}

export interface PastListener {
  readonly ip: string;
  readonly port: number;
  /** Seconds since 1970. */
  readonly at: number;
  readonly process: Process | null;
  readonly closer: Process | null;
}

export type TraceWord =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'news';
      /** New ones, and those of before of which more is known. */
      readonly resets: readonly TracedReset[];
      readonly failed: readonly TracedFailure[];
      readonly listenerStarts: readonly StartedListener[];
      readonly listenerEnds: readonly PastListener[];
      /** Everything until then has been told with this word; nanoseconds of the ring's clock. */
      readonly until: number;
      /** Events lost since the last time. */
      readonly lost: number;
    }
  /** Nothing of the instance is open any more. */
  | { readonly kind: 'closed' };

export type TraceCommand = 'stop';
