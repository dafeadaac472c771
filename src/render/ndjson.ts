/**
 * The lines of `--ndjson`: a start, a line for each reset, a summary. Each ends in a line break.
 */

import type { Report, ResetEvent, StartLine } from '../report/types.js';
import { eventFields } from './event-fields.js';
import { jsonText } from './json-text.js';
import { reportFields, ROW_FIELDS, sourceFields, toolFields } from './report-fields.js';

export function startLine(start: StartLine): string {
  const line: StartLine = {
    type: start.type,
    schema_version: start.schema_version,
    tool: toolFields(start.tool),
    timestamp: start.timestamp,
    epoch: start.epoch,
    source: sourceFields(start.source),
  };
  return `${jsonText(line)}\n`;
}

export function eventLine(event: ResetEvent): string {
  return `${jsonText(eventFields(event))}\n`;
}

/** The report without its events: they have had their lines. */
export function summaryLine(report: Report): string {
  const { events: _events, ...fields } = reportFields(report);
  const line: Omit<Report, 'type' | 'events'> & { type: 'summary' } = {
    ...fields,
    endpoints: report.endpoints.map(ROW_FIELDS.endpoints),
    ports: report.ports.map(ROW_FIELDS.ports),
    hosts: report.hosts.map(ROW_FIELDS.hosts),
    type: 'summary',
  };
  return `${jsonText(line)}\n`;
}
