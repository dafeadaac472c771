/**
 * What is said of the kernel's own counters as plain data, key for key as the JSON has it: in the report of a live capture,
 * and by `rstscope health`.
 */

import type { Cause } from '../conversation/verdict.js';
import type { Tool, Window } from './types.js';

/** The kernel's counters over the capture, and how they agree with what was captured. */
export interface KernelReport {
  /** Increase over the capture, by the kernel's own names, of the namespaces that were captured in together. */
  readonly counters: Readonly<Record<string, number>>;
  readonly namespaces: readonly KernelNamespaceRow[];
  readonly reconciliation: Reconciliation;
  readonly received: ReceivedResets;
  readonly aborts: readonly AbortRow[];
  readonly listeners: readonly ListenQueueRow[];
  readonly sysctls: readonly SysctlRow[];
}

export interface KernelNamespaceRow {
  readonly netns: number | null;
  readonly name: string | null;
  /** It was captured in. What others send may be seen as well, on its way through. */
  readonly captured: boolean;
  readonly out_rsts: number;
  /** Captured resets with a source address of this namespace. */
  readonly captured_sent: number;
  /** Of these, those that its TCP did not send. */
  readonly not_by_tcp: number;
  /** null: the kernel was not traced, or does not tell all of them. */
  readonly traced: number | null;
  /** Those that moved. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Of resets sent; copies that were not folded are in none of these. kernel_counted = captured_sent - not_by_tcp + not_captured + edge + unexplained. */
export interface Reconciliation {
  readonly captured_sent: number;
  readonly traced: number | null;
  /** OutRsts of all namespaces in `namespaces`. */
  readonly kernel_counted: number;
  readonly not_by_tcp: number;
  readonly not_captured: number;
  readonly edge: number;
  readonly unexplained: number;
  /** Each reset that was captured was compared with those that the kernel says it sent; else only the sums were. */
  readonly exact: boolean;
  /** Every reset that the kernel counted while all was listened to was captured, one by one. */
  readonly nothing_missed: boolean;
  /** Why it is not exact. */
  readonly because: string | null;
  readonly differences: readonly Difference[];
}

export interface Difference {
  /** Of 'copy' and 'doubtful' nothing is in the sums. */
  readonly what: 'not_by_tcp' | 'not_captured' | 'copy' | 'doubtful' | 'edge' | 'unexplained';
  readonly resets: number;
  readonly netns: number | null;
  readonly name: string | null;
  readonly message: string;
  readonly next_step: string | null;
}

/** Of resets received no kernel counter counts all: nothing of this is expected to be equal. */
export interface ReceivedResets {
  readonly captured: number;
  /** That a socket of this machine took; null: not known. */
  readonly taken: number | null;
}

/** A counter of aborts against the causes that raise it. */
export interface AbortRow {
  readonly counter: string;
  readonly delta: number;
  readonly causes: readonly Cause[];
  /** Sent by this host, of these causes. */
  readonly resets: number;
  readonly agrees: boolean;
  readonly message: string;
}

/** A listening socket that resets had to do with, at the end. */
export interface ListenQueueRow {
  readonly ip: string;
  readonly port: number;
  readonly netns: number | null;
  /** Connections that wait to be accepted, and how many may. */
  readonly backlog: number;
  readonly backlog_max: number | null;
}

/** A setting of the kernel that explains something of what was seen. */
export interface SysctlRow {
  readonly name: string;
  readonly value: string;
  readonly netns: number | null;
  readonly message: string;
}

export type AlertState = 'undefined' | 'clear' | 'warning';

export interface AlertRow {
  readonly id: string;
  readonly state: AlertState;
  /** Per second. */
  readonly value: number | null;
  readonly threshold: number | null;
  readonly since: string | null;
  readonly reason: string | null;
  /** The kernel's counter that it looks at, and what that counts. */
  readonly counter: string;
  readonly counts: string;
}

export interface CounterRow {
  /** The kernel's own name. */
  readonly name: string;
  /** null: this kernel lacks it. */
  readonly total: number | null;
  readonly delta: number | null;
  readonly rate: number | null;
  readonly meaning: string;
  readonly cause: Cause | null;
}

export interface HealthNamespaceRow {
  readonly netns: number | null;
  readonly name: string | null;
  readonly counters: readonly CounterRow[];
}

/** What `rstscope health` says. */
export interface HealthDocument {
  readonly type: 'health';
  readonly schema_version: 1;
  readonly tool: Tool;
  readonly window: Window;
  readonly boot_seconds: number | null;
  readonly counters: readonly CounterRow[];
  readonly namespaces: readonly HealthNamespaceRow[];
  readonly alerts: readonly AlertRow[];
  readonly listeners: readonly ListenQueueRow[];
  readonly sysctls: readonly SysctlRow[];
}
