/**
 * The report and its events as plain data, key for key as the JSON has them (schema version 1).
 *
 * Renderers know only this. A key never changes its meaning within a schema version; `null` says unknown.
 */

import type { Match, MissingReason } from '../attribute/process.js';
import type { KernelPath } from '../conversation/kernel-facts.js';
import type { ConnState, Stage } from '../conversation/course.js';
import type { Cause, Confidence, Direction, Origin, Pattern, ResetBy } from '../conversation/verdict.js';
import type { Encapsulation } from '../decode/walk.js';
import type { AlertRow, KernelReport } from './kernel-types.js';

export const SCHEMA_VERSION = 1;

export {
  CAUSES,
  DIRECTIONS,
  PATTERNS,
  type Cause,
  type Confidence,
  type Direction,
  type Origin,
  type Pattern,
  type ResetBy,
} from '../conversation/verdict.js';
export type { Match, MissingReason } from '../attribute/process.js';
export type {
  AbortRow,
  AlertRow,
  AlertState,
  CounterRow,
  Difference,
  HealthDocument,
  HealthNamespaceRow,
  KernelNamespaceRow,
  KernelReport,
  ListenQueueRow,
  ReceivedResets,
  Reconciliation,
  SysctlRow,
} from './kernel-types.js';
export type { KernelPath } from '../conversation/kernel-facts.js';

export interface Outer {
  readonly encapsulation: Encapsulation;
  readonly src_ip: string | null;
  readonly dest_ip: string | null;
  readonly id: number | null;
}

export interface Translation {
  readonly src_ip: string;
  readonly src_port: number;
  readonly dest_ip: string;
  readonly dest_port: number;
  readonly interface: string | null;
}

export interface Container {
  readonly id: string;
  readonly runtime: string | null;
  readonly name: string | null;
  readonly pod: string | null;
  readonly pod_namespace: string | null;
}

export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number | null;
  readonly parent: string | null;
  readonly name: string | null;
  readonly exe: string | null;
  readonly command: string | null;
  readonly user: string | null;
  readonly unit: string | null;
  readonly container: Container | null;
  readonly netns: number | null;
  readonly started: string | null;
  readonly match: Match;
}

/** One reset, counted once however often it was captured. */
export interface ResetEvent {
  readonly type: 'reset';
  readonly id: string;
  readonly timestamp: string | null;
  readonly epoch: number | null;
  readonly src_ip: string;
  readonly src_port: number;
  readonly dest_ip: string;
  readonly dest_port: number;
  readonly ip_version: number;
  readonly src_mac: string | null;
  readonly dest_mac: string | null;
  readonly tcp_flags: string;
  readonly seq: number;
  readonly ack: number | null;
  readonly window: number | null;
  readonly ttl: number;
  readonly ip_id: number | null;
  readonly payload_length: number;
  readonly payload_text: string | null;
  readonly vlan: readonly number[];
  readonly outer: readonly Outer[];
  readonly file: string | null;
  readonly frame: number | null;
  readonly frames: readonly number[];
  readonly interface: string | null;
  readonly interfaces: readonly string[];
  readonly copies: number;
  readonly translations: readonly Translation[];
  readonly netns: number | null;
  readonly direction: Direction;
  readonly service_port: number | null;
  readonly reset_by: ResetBy;
  readonly conn_state: ConnState | null;
  readonly stage: Stage;
  readonly idle_seconds: number | null;
  readonly bytes_to_server: number | null;
  readonly bytes_to_client: number | null;
  readonly cause: Cause;
  readonly confidence: Confidence;
  readonly origin: Origin;
  readonly pattern: Pattern | null;
  readonly evidence: readonly string[];
  readonly kernel_reason: string | null;
  readonly kernel_path: KernelPath | null;
  readonly sender: ProcessInfo | null;
  readonly receiver: ProcessInfo | null;
  readonly sender_reason: MissingReason | null;
  readonly receiver_reason: MissingReason | null;
  readonly community_id: string;
}

/** What a line that stands for many resets is made of. */
export type Glimpse = Pick<
  ResetEvent,
  'src_ip' | 'src_port' | 'dest_ip' | 'dest_port' | 'service_port' | 'reset_by'
> & { readonly sender: Named | null; readonly receiver: Named | null };

/** What a process is called by. */
export type Named = Pick<ProcessInfo, 'pid' | 'name' | 'exe'>;

export interface Tool {
  readonly name: string;
  readonly version: string;
}

export type Context = 'resets' | 'control' | 'full';

export interface Source {
  readonly kind: 'live' | 'file';
  readonly interfaces: readonly string[];
  readonly files: readonly string[];
  readonly filter: string | null;
  readonly backend: string | null;
  readonly link_types: readonly string[];
  readonly context: Context;
  readonly timestamps: 'kernel' | 'arrival' | null;
  /** "on", "off", or in words why the kernel could not be traced. */
  readonly trace: string;
  readonly namespaces: readonly string[];
}

export interface Window {
  readonly start: string | null;
  readonly start_epoch: number | null;
  readonly end: string | null;
  readonly end_epoch: number | null;
  readonly seconds: number | null;
}

export interface Packets {
  readonly seen: number;
  readonly tcp: number;
  readonly not_tcp: number;
  readonly fragments: number;
  readonly cut: number;
  readonly malformed: number;
  readonly unknown_link: number;
  readonly resets: number;
  readonly copies: number;
  readonly unique: number;
  readonly filtered_out: number;
  readonly dropped: number | null;
}

export interface CauseCount {
  readonly cause: Cause;
  readonly resets: number;
}

/** One serving address and port. */
export interface EndpointRow {
  readonly ip: string;
  readonly port: number;
  /** Registered name of the port. */
  readonly service: string | null;
  readonly resets: number;
  readonly by_server: number;
  readonly by_client: number;
  /** Connections whose SYN was seen; null where that is not counted. */
  readonly connections: number | null;
  readonly reset_ratio: number | null;
  readonly clients: number | null;
  /** Per second over the window; null where the window has no length. */
  readonly rate: number | null;
  /** Most resets in any sliding ten seconds. */
  readonly peak_10s: number;
  readonly causes: readonly CauseCount[];
  /** What all of its resets are part of; null: nothing, or several things. */
  readonly pattern: Pattern | null;
  readonly first: string | null;
  readonly last: string | null;
}

/** One service port over all hosts; null: the serving side is not known. */
export interface PortRow {
  readonly port: number | null;
  readonly service: string | null;
  readonly resets: number;
  readonly by_server: number;
  readonly by_client: number;
  readonly sent: number;
  readonly received: number;
  readonly connections: number | null;
  readonly reset_ratio: number | null;
  readonly rate: number | null;
  readonly peak_10s: number;
  readonly peers: number | null;
  readonly causes: readonly CauseCount[];
  readonly pattern: Pattern | null;
  readonly processes: readonly string[];
  readonly first: string | null;
  readonly last: string | null;
}

export interface HostRow {
  readonly ip: string;
  readonly resets_from: number;
  readonly resets_to: number;
  readonly ports: readonly number[];
  readonly causes: readonly CauseCount[];
  readonly pattern: Pattern | null;
}

/** One unit, container or executable of this host; a reset between two of its processes counts as sent and as received. */
export interface ProcessRow {
  readonly key: 'unit' | 'container' | 'exe';
  readonly name: string;
  /** Distinct; null once there were too many to tell. */
  readonly pids: number | null;
  readonly resets_sent: number;
  readonly resets_received: number;
  /** Of these resets, those that only a group of listeners answers for: which of its processes is not known. */
  readonly by_group: number;
  readonly ports: readonly number[];
  readonly causes: readonly CauseCount[];
  readonly sample: ProcessInfo;
}

/** Resets whose sender, and whose receiver, has no process for one reason. */
export interface UnnamedRow {
  readonly reason: MissingReason;
  readonly senders: number;
  readonly receivers: number;
}

export interface CauseRow {
  readonly cause: Cause;
  readonly resets: number;
  readonly certain: number;
  readonly likely: number;
  readonly possible: number;
  readonly unknown: number;
  readonly origin: Origin;
  /** The first of the surest. */
  readonly example: CauseExample;
}

export type CauseExample = Pick<
  ResetEvent,
  'timestamp' | 'src_ip' | 'src_port' | 'dest_ip' | 'dest_port' | 'confidence' | 'evidence'
>;

/** One scan, check, loop, flood or race. */
export interface PatternRow {
  readonly pattern: Pattern;
  readonly resets: number;
  readonly summary: string;
  /** Null: several, or not known. */
  readonly client: string | null;
  readonly server: string | null;
  readonly port: number | null;
  /** Seconds from one to the next, as most are; null where there is no interval. */
  readonly interval_seconds: number | null;
}

export interface Timeline {
  readonly bucket_seconds: number;
  readonly start: string | null;
  readonly start_epoch: number | null;
  readonly counts: readonly number[];
}

export interface Finding {
  readonly id: string;
  readonly severity: 'info' | 'notice' | 'warning';
  readonly summary: string;
  readonly evidence: readonly string[];
  readonly next_steps: readonly string[];
  readonly ports: readonly number[];
  readonly hosts: readonly string[];
  readonly resets: number;
}

/** Connects of one program to one place that failed, also those that no packet shows. */
export interface FailedConnectRow {
  readonly process: ProcessInfo;
  readonly pids: number;
  readonly ip: string;
  readonly port: number;
  readonly attempts: number;
  readonly refused: number;
  readonly icmp: number;
  readonly timed_out: number;
  readonly abandoned: number;
}

/** Something that was not read, or not whole. */
export interface Incomplete {
  readonly reason: string;
  readonly interface: string | null;
  readonly gap_seconds: number | null;
  readonly file: string | null;
  readonly byte: number | null;
  readonly message: string;
}

export interface Report {
  readonly type: 'report';
  readonly schema_version: typeof SCHEMA_VERSION;
  readonly tool: Tool;
  readonly source: Source;
  readonly window: Window;
  readonly packets: Packets;
  readonly endpoints: readonly EndpointRow[];
  readonly ports: readonly PortRow[];
  readonly hosts: readonly HostRow[];
  readonly processes: readonly ProcessRow[];
  readonly causes: readonly CauseRow[];
  readonly patterns: readonly PatternRow[];
  readonly timeline: Timeline;
  readonly findings: readonly Finding[];
  readonly failed_connects: readonly FailedConnectRow[];
  /** The kernel's own counters over a live capture; null of saved captures. */
  readonly kernel: KernelReport | null;
  readonly alerts: readonly AlertRow[];
  readonly incomplete: readonly Incomplete[];
  readonly events: readonly ResetEvent[];
  /** Events left out of `events` for memory. */
  readonly events_omitted: number;
  /** Rows left out of `endpoints` and `hosts` for memory; their resets are in all other counts. */
  readonly endpoints_omitted: number;
  readonly hosts_omitted: number;
  /** Times that a process at one end of a reset had no row in `processes`, for memory. */
  readonly processes_omitted: number;
  readonly unnamed: readonly UnnamedRow[];
  /** Connections that were forgotten for memory: what came of them later is judged without what came before. */
  readonly connections_forgotten: number;
}

/** The first line of `--ndjson`. */
export interface StartLine {
  readonly type: 'start';
  readonly schema_version: typeof SCHEMA_VERSION;
  readonly tool: Tool;
  readonly timestamp: string;
  readonly epoch: number;
  readonly source: Source;
}
