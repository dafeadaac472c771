/**
 * The shapes that standard output can have: tables, one JSON document, JSON lines, CSV, or nothing.
 *
 * Streaming ones gather text and give it away between batches, so that a slow reader slows the reading.
 */

import type { Report, ResetEvent, StartLine } from '../report/types.js';
import { csvHeader, csvRow } from '../render/csv.js';
import { jsonChunks } from '../render/json.js';
import { eventLine, startLine, summaryLine } from '../render/ndjson.js';
import type { Style } from '../render/style.js';
import { renderReport } from '../render/table-report.js';

export interface Format {
  /** Takes each event as it settles; null where single events are not shown. */
  readonly onEvent: ((event: ResetEvent) => void) | null;
  /** Text that is ready to be written. */
  drain(): string;
  /** The end. */
  report(report: Report): Iterable<string>;
}

export function tables(style: Style, top: number): Format {
  return { onEvent: null, drain: () => '', report: (report) => [renderReport(report, style, top)] };
}

export function json(): Format {
  return { onEvent: null, drain: () => '', report: (report) => jsonChunks(report) };
}

export function ndjson(start: StartLine): Format {
  return streaming(startLine(start), eventLine, (report) => [summaryLine(report)]);
}

export function csv(): Format {
  return streaming(csvHeader(), csvRow, () => []);
}

/** Standard output carries a saved capture. */
export function silent(): Format {
  return { onEvent: null, drain: () => '', report: () => [] };
}

function streaming(head: string, line: (event: ResetEvent) => string, end: (report: Report) => string[]): Format {
  let ready = [head];
  const drain = (): string => {
    const text = ready.join('');
    ready = [];
    return text;
  };
  return {
    onEvent: (event) => {
      ready.push(line(event));
    },
    drain,
    report: (report) => [drain(), ...end(report)],
  };
}
