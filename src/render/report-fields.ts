/**
 * The report for JSON, written field by field: its keys are those of the types, in their order, and no others.
 *
 * The long lists are left to the caller, row by row: there may be very many.
 */

import type {
  CauseCount,
  CauseExample,
  CauseRow,
  EndpointRow,
  FailedConnectRow,
  Finding,
  HostRow,
  Incomplete,
  Packets,
  PatternRow,
  PortRow,
  ProcessRow,
  Report,
  Source,
  Timeline,
  Tool,
  UnnamedRow,
  Window,
} from '../report/types.js';
import { eventFields, processFields } from './event-fields.js';
import { alertFields, kernelFields } from './kernel-fields.js';

/** The long lists, and how a row of each is written. */
export const ROW_FIELDS = {
  endpoints: endpointFields,
  ports: portFields,
  hosts: hostFields,
  events: eventFields,
} as const;

/** With the long lists empty, in their places among the keys. */
export function reportFields(report: Report): Report {
  return {
    type: report.type,
    schema_version: report.schema_version,
    tool: toolFields(report.tool),
    source: sourceFields(report.source),
    window: windowFields(report.window),
    packets: packetFields(report.packets),
    endpoints: [],
    ports: [],
    hosts: [],
    processes: report.processes.map(processRowFields),
    causes: report.causes.map(causeRowFields),
    patterns: report.patterns.map(patternFields),
    timeline: timelineFields(report.timeline),
    findings: report.findings.map(findingFields),
    failed_connects: report.failed_connects.map(failedConnectFields),
    kernel: report.kernel === null ? null : kernelFields(report.kernel),
    alerts: report.alerts.map(alertFields),
    incomplete: report.incomplete.map(incompleteFields),
    events: [],
    events_omitted: report.events_omitted,
    endpoints_omitted: report.endpoints_omitted,
    hosts_omitted: report.hosts_omitted,
    processes_omitted: report.processes_omitted,
    unnamed: report.unnamed.map(unnamedFields),
    connections_forgotten: report.connections_forgotten,
  };
}

export function toolFields(tool: Tool): Tool {
  return {
    name: tool.name,
    version: tool.version,
  };
}

export function sourceFields(source: Source): Source {
  return {
    kind: source.kind,
    interfaces: source.interfaces,
    files: source.files,
    filter: source.filter,
    backend: source.backend,
    link_types: source.link_types,
    context: source.context,
    timestamps: source.timestamps,
    trace: source.trace,
    namespaces: source.namespaces,
  };
}

export function windowFields(window: Window): Window {
  return {
    start: window.start,
    start_epoch: window.start_epoch,
    end: window.end,
    end_epoch: window.end_epoch,
    seconds: window.seconds,
  };
}

function packetFields(packets: Packets): Packets {
  return {
    seen: packets.seen,
    tcp: packets.tcp,
    not_tcp: packets.not_tcp,
    fragments: packets.fragments,
    cut: packets.cut,
    malformed: packets.malformed,
    unknown_link: packets.unknown_link,
    resets: packets.resets,
    copies: packets.copies,
    unique: packets.unique,
    filtered_out: packets.filtered_out,
    dropped: packets.dropped,
  };
}

function endpointFields(row: EndpointRow): EndpointRow {
  return {
    ip: row.ip,
    port: row.port,
    service: row.service,
    resets: row.resets,
    by_server: row.by_server,
    by_client: row.by_client,
    connections: row.connections,
    reset_ratio: row.reset_ratio,
    clients: row.clients,
    rate: row.rate,
    peak_10s: row.peak_10s,
    causes: row.causes.map(causeCountFields),
    pattern: row.pattern,
    first: row.first,
    last: row.last,
  };
}

function portFields(row: PortRow): PortRow {
  return {
    port: row.port,
    service: row.service,
    resets: row.resets,
    by_server: row.by_server,
    by_client: row.by_client,
    sent: row.sent,
    received: row.received,
    connections: row.connections,
    reset_ratio: row.reset_ratio,
    rate: row.rate,
    peak_10s: row.peak_10s,
    peers: row.peers,
    causes: row.causes.map(causeCountFields),
    pattern: row.pattern,
    processes: row.processes,
    first: row.first,
    last: row.last,
  };
}

function hostFields(row: HostRow): HostRow {
  return {
    ip: row.ip,
    resets_from: row.resets_from,
    resets_to: row.resets_to,
    ports: row.ports,
    causes: row.causes.map(causeCountFields),
    pattern: row.pattern,
  };
}

function processRowFields(row: ProcessRow): ProcessRow {
  return {
    key: row.key,
    name: row.name,
    pids: row.pids,
    resets_sent: row.resets_sent,
    resets_received: row.resets_received,
    by_group: row.by_group,
    ports: row.ports,
    causes: row.causes.map(causeCountFields),
    sample: processFields(row.sample),
  };
}

function causeCountFields(count: CauseCount): CauseCount {
  return {
    cause: count.cause,
    resets: count.resets,
  };
}

function causeRowFields(row: CauseRow): CauseRow {
  return {
    cause: row.cause,
    resets: row.resets,
    certain: row.certain,
    likely: row.likely,
    possible: row.possible,
    unknown: row.unknown,
    origin: row.origin,
    example: exampleFields(row.example),
  };
}

function exampleFields(example: CauseExample): CauseExample {
  return {
    timestamp: example.timestamp,
    src_ip: example.src_ip,
    src_port: example.src_port,
    dest_ip: example.dest_ip,
    dest_port: example.dest_port,
    confidence: example.confidence,
    evidence: example.evidence,
  };
}

function patternFields(row: PatternRow): PatternRow {
  return {
    pattern: row.pattern,
    resets: row.resets,
    summary: row.summary,
    client: row.client,
    server: row.server,
    port: row.port,
    interval_seconds: row.interval_seconds,
  };
}

function timelineFields(timeline: Timeline): Timeline {
  return {
    bucket_seconds: timeline.bucket_seconds,
    start: timeline.start,
    start_epoch: timeline.start_epoch,
    counts: timeline.counts,
  };
}

function findingFields(finding: Finding): Finding {
  return {
    id: finding.id,
    severity: finding.severity,
    summary: finding.summary,
    evidence: finding.evidence,
    next_steps: finding.next_steps,
    ports: finding.ports,
    hosts: finding.hosts,
    resets: finding.resets,
  };
}

function failedConnectFields(row: FailedConnectRow): FailedConnectRow {
  return {
    process: processFields(row.process),
    pids: row.pids,
    ip: row.ip,
    port: row.port,
    attempts: row.attempts,
    refused: row.refused,
    icmp: row.icmp,
    timed_out: row.timed_out,
    abandoned: row.abandoned,
  };
}

function unnamedFields(row: UnnamedRow): UnnamedRow {
  return {
    reason: row.reason,
    senders: row.senders,
    receivers: row.receivers,
  };
}

function incompleteFields(entry: Incomplete): Incomplete {
  return {
    reason: entry.reason,
    interface: entry.interface,
    gap_seconds: entry.gap_seconds,
    file: entry.file,
    byte: entry.byte,
    message: entry.message,
  };
}
