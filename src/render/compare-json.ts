/** A comparison as one JSON document, a line for each element of a list. */

import type {
  CauseChange,
  ComparedCapture,
  ComparedClock,
  ComparedReport,
  Comparison,
  NotComparableRow,
  PortChange,
  VerdictRow,
} from '../report/comparison-types.js';
import type { Incomplete } from '../report/types.js';
import { eventFields } from './event-fields.js';
import { jsonText } from './json-text.js';
import { toolFields } from './report-fields.js';

/** Ends in a line break; in parts of a line each, for a hundred thousand events are too many for one string. */
export function* compareJson(comparison: Comparison): Generator<string> {
  let before = '{\n';
  for (const [key, value] of Object.entries(comparisonFields(comparison))) {
    const rows: readonly unknown[] | null = Array.isArray(value) && typeof value[0] === 'object' ? value : null;
    if (rows === null) yield `${before}  ${jsonText(key)}: ${jsonText(value)}`;
    else {
      yield `${before}  ${jsonText(key)}: [`;
      for (const [i, row] of rows.entries()) yield `${i === 0 ? '' : ','}\n    ${jsonText(row)}`;
      yield '\n  ]';
    }
    before = ',\n';
  }
  yield '\n}\n';
}

function comparisonFields(comparison: Comparison): Comparison {
  const { captures, reports, clock } = comparison;
  return {
    type: comparison.type,
    schema_version: comparison.schema_version,
    tool: toolFields(comparison.tool),
    summary: comparison.summary,
    both: comparison.both,
    only_client: comparison.only_client.map(eventFields),
    only_server: comparison.only_server.map(eventFields),
    clock_offset_seconds: comparison.clock_offset_seconds,
    matched_connections: comparison.matched_connections,
    verdicts: comparison.verdicts.map(verdictFields),
    not_comparable: comparison.not_comparable.map(notComparableFields),
    clock: clock === null ? null : clockFields(clock),
    captures:
      captures === null ? null : { client: captureFields(captures.client), server: captureFields(captures.server) },
    filtered_out: comparison.filtered_out,
    ports: comparison.ports.map(portFields),
    causes: comparison.causes.map(causeFields),
    reports: reports === null ? null : { before: reportFields(reports.before), after: reportFields(reports.after) },
    incomplete: comparison.incomplete.map(incompleteFields),
  };
}

function verdictFields(row: VerdictRow): VerdictRow {
  return { seen: row.seen, id: row.id, sent_as: row.sent_as, verdict: row.verdict, because: row.because };
}

function notComparableFields({ seen, reason, resets, message, example }: NotComparableRow): NotComparableRow {
  const { id, file, frame, timestamp, src_ip, src_port, dest_ip, dest_port } = example;
  return {
    seen,
    reason,
    resets,
    message,
    example: { id, file, frame, timestamp, src_ip, src_port, dest_ip, dest_port },
  };
}

function clockFields(clock: ComparedClock): ComparedClock {
  return {
    basis: clock.basis,
    connections: clock.connections,
    segments: clock.segments,
    one_way_seconds: clock.one_way_seconds,
    spread_seconds: clock.spread_seconds,
  };
}

function captureFields(capture: ComparedCapture): ComparedCapture {
  return {
    files: capture.files,
    start: capture.start,
    end: capture.end,
    seconds: capture.seconds,
    context: capture.context,
    resets: capture.resets,
    connections: capture.connections,
    unmatched: capture.unmatched,
    segments_omitted: capture.segments_omitted,
    dropped: capture.dropped,
    checked: capture.checked,
    lacking: capture.lacking,
  };
}

function portFields(row: PortChange): PortChange {
  return {
    port: row.port,
    service: row.service,
    before: row.before,
    after: row.after,
    rate_before: row.rate_before,
    rate_after: row.rate_after,
  };
}

function causeFields(row: CauseChange): CauseChange {
  return {
    cause: row.cause,
    before: row.before,
    after: row.after,
    rate_before: row.rate_before,
    rate_after: row.rate_after,
  };
}

function reportFields(report: ComparedReport): ComparedReport {
  return {
    file: report.file,
    tool: toolFields(report.tool),
    kind: report.kind,
    context: report.context,
    start: report.start,
    seconds: report.seconds,
    resets: report.resets,
    filtered_out: report.filtered_out,
    incomplete: report.incomplete,
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
