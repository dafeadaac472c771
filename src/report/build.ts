/** Puts the counts of a finished run together as the report. */

import type { FailedConnects } from '../attribute/process.js';
import type { Moment } from '../base/time.js';
import type { PacketCounts } from '../decode/decoder.js';
import {
  SCHEMA_VERSION,
  type AlertRow,
  type Context,
  type Finding,
  type Incomplete,
  type KernelReport,
  type PatternRow,
  type Report,
  type ResetEvent,
  type Source,
  type Tool,
} from './types.js';
import { failedConnectRows } from './process-info.js';
import type { ConnectionCounts, Tally } from './tally.js';
import type { WindowTally } from './window.js';

/** Everything that a run found out. */
export interface Findings {
  readonly tool: Tool;
  readonly source: Source;
  readonly window: WindowTally;
  readonly after: Moment | null;
  readonly before: Moment | null;
  readonly counts: PacketCounts;
  readonly copies: number;
  readonly unique: number;
  readonly filteredOut: number;
  readonly dropped: number | null;
  readonly tally: Tally;
  readonly connections: ConnectionCounts;
  /** Connections that were forgotten because there were too many. */
  readonly forgotten: number;
  readonly failedConnects: readonly FailedConnects[];
  readonly kernel: KernelReport | null;
  readonly alerts: readonly AlertRow[];
  readonly incomplete: readonly Incomplete[];
  readonly patterns: readonly PatternRow[];
  readonly findings: readonly Finding[];
  readonly events: readonly ResetEvent[];
  readonly eventsOmitted: number;
  readonly service: (port: number) => string | null;
}

export function buildReport(found: Findings): Report {
  const { counts, tally } = found;
  const window = found.window.result(found.after, found.before);
  const context = { seconds: window.seconds, service: found.service, connections: found.connections };
  return {
    type: 'report',
    schema_version: SCHEMA_VERSION,
    tool: found.tool,
    source: found.source,
    window,
    packets: {
      seen: counts.seen,
      tcp: counts.tcp,
      not_tcp: counts.notTcp,
      fragments: counts.fragments,
      cut: counts.cut,
      malformed: counts.malformed,
      unknown_link: counts.unknownLink,
      resets: counts.resets,
      copies: found.copies,
      unique: found.unique,
      filtered_out: found.filteredOut,
      dropped: found.dropped,
    },
    endpoints: tally.endpointRows(context),
    ports: tally.portRows(context),
    hosts: tally.hostRows(),
    processes: tally.processRows(),
    causes: tally.causeRows(),
    patterns: found.patterns,
    timeline: tally.timelineResult(),
    findings: found.findings,
    failed_connects: failedConnectRows(found.failedConnects),
    kernel: found.kernel,
    alerts: found.alerts,
    incomplete: found.incomplete,
    events: found.events,
    events_omitted: found.eventsOmitted,
    endpoints_omitted: tally.endpointsOmitted,
    hosts_omitted: tally.hostsOmitted,
    processes_omitted: tally.processesOmitted,
    unnamed: tally.unnamedRows(),
    connections_forgotten: found.forgotten,
  };
}

/** What a capture holds of its connections: told by the flags of its TCP segments. */
export function contextOf({ tcp, control, resets }: PacketCounts): Context {
  if (tcp === 0) return 'full';
  if (tcp === resets) return 'resets';
  return tcp === control ? 'control' : 'full';
}
