/**
 * The shapes that standard output can have: tables, one JSON document, JSON lines, CSV, or nothing.
 *
 * Streaming ones gather text and give it away between batches, so that a slow reader slows the reading. Each loads only
 * what it needs itself.
 */

import type { Report, ResetEvent, StartLine } from '../report/types.js';
import type { ColorOption } from '../render/style.js';
import type { Io } from './io.js';

export interface Format {
  /** Takes each event as it settles; null where single events are not shown. */
  readonly onEvent: ((event: ResetEvent) => void) | null;
  /** Takes what was learnt of an event afterwards; null where it can't be said any more. */
  readonly onRevision: ((before: ResetEvent, after: ResetEvent) => void) | null;
  /** Text that is ready to be written. */
  readonly drain: () => string;
  /** The end; asked again, it is the same. */
  readonly report: (report: Report) => Iterable<string>;
}

export interface TableOptions {
  readonly color: ColorOption;
  readonly utc: boolean;
  readonly width: number;
  readonly top: number;
  readonly all: boolean;
}

export async function tables({ color, utc, width, top, all }: TableOptions, { env, stdout }: Io): Promise<Format> {
  const { colorLevel, supportsUnicode } = await import('../render/style.js');
  const { renderReport } = await import('../render/table-report.js');
  const { isTTY, colorDepth } = stdout;
  const style = {
    color: colorLevel({ option: color, env, isTTY, colorDepth }),
    width,
    utc,
    unicode: supportsUnicode(env),
  };
  return { ...END_ONLY, report: (report) => [renderReport(report, style, top, all)] };
}

export async function json(): Promise<Format> {
  const { jsonChunks } = await import('../render/json.js');
  return { ...END_ONLY, report: (report) => jsonChunks(report) };
}

export async function ndjson(start: StartLine): Promise<Format> {
  const { eventLine, startLine, summaryLine } = await import('../render/ndjson.js');
  const { revisionLine } = await import('../render/revision.js');
  return streaming(startLine(start), eventLine, revisionLine, (report) => [summaryLine(report)]);
}

export async function csv(): Promise<Format> {
  const { csvHeader, csvRow } = await import('../render/csv.js');
  return streaming(csvHeader(), csvRow, null, () => []);
}

/** Standard output carries a saved capture. */
export function silent(): Format {
  return { ...END_ONLY, report: () => [] };
}

const END_ONLY = { onEvent: null, onRevision: null, drain: () => '' } as const;

function streaming(
  head: string,
  line: (event: ResetEvent) => string,
  revision: ((before: ResetEvent, after: ResetEvent) => string | null) | null,
  end: (report: Report) => string[],
): Format {
  let ready = [head];
  let last: string[] | null = null;
  const drain = (): string => {
    const text = ready.join('');
    ready = [];
    return text;
  };
  return {
    onEvent: (event) => {
      ready.push(line(event));
    },
    onRevision:
      revision === null
        ? null
        : (before, after) => {
            const text = revision(before, after);
            if (text !== null) ready.push(text);
          },
    drain,
    report: (report) => (last ??= [drain(), ...end(report)]),
  };
}
