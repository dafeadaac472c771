/** The end of a run that reports: saving is finished, the report is written, the exit code is found. */

import { plural, printable } from '../base/text.js';
import { TOOL_NAME, toolVersion } from '../base/package-info.js';
import { epochNumber } from '../base/time.js';
import { SCHEMA_VERSION, type Report, type Source, type StartLine } from '../report/types.js';
import { EXIT_FOUND, EXIT_INCOMPLETE, EXIT_OK } from './exit-codes.js';
import { csv, json, ndjson, silent, tables, type Format } from './formats.js';
import { STANDARD_INPUT } from './inputs.js';
import type { Io } from './io.js';
import type { Plan } from './plan.js';
import type { CommonValues } from './program.js';
import type { Saving } from './save.js';
import type { Talk } from './talk.js';
import { tell } from './tell.js';
import { width } from './width.js';

const DEFAULT_WIDTH = 80;

/** The shape of standard output. `source` as it is known at the start. */
export async function formatOf(plan: Plan, utc: boolean, source: () => Source, io: Io): Promise<Format> {
  switch (plan.format) {
    case 'json':
      return json();
    case 'ndjson':
      return ndjson(startOf(source(), io));
    case 'csv':
      return csv();
    case 'capture':
      return silent();
    case 'tables':
      return tables({ ...plan, utc, width: width(io) ?? DEFAULT_WIDTH }, io);
  }
}

function startOf(source: Source, io: Io): StartLine {
  const now = io.wallClock();
  return {
    type: 'start',
    schema_version: SCHEMA_VERSION,
    tool: { name: TOOL_NAME, version: toolVersion() },
    timestamp: new Date(now).toISOString(),
    epoch: epochNumber(Math.floor(now / 1000), (now % 1000) * 1e6),
    source,
  };
}

/** @returns whether all that should be saved is saved. */
export async function finishSaving(saving: Saving | null, values: CommonValues, io: Io, talk: Talk): Promise<boolean> {
  if (saving === null) return true;
  try {
    const written = await saving.finish();
    if (values.write !== STANDARD_INPUT)
      await talk(`${plural(written, 'frame')} saved in ${printable(values.write ?? '')}`);
    return true;
  } catch (error) {
    await tell(error, values.debug === true, io);
    return false;
  }
}

/** Writes the report. @returns whether nobody took it and it was saved instead. */
export function deliver(format: Format, report: Report, io: Io, talk: Talk): Promise<boolean> {
  return deliverText(() => format.report(report), io, talk);
}

/** The same of any text; `text` may be asked for twice. */
export async function deliverText(text: () => Iterable<string>, io: Io, talk: Talk): Promise<boolean> {
  const { taken } = io.stdout;
  for (const part of text()) await io.stdout.write(part);
  if (!io.stdout.closed || io.stdout.taken > taken || !io.interrupt.aborted) return false;
  const { saveUndelivered } = await import('./undelivered.js');
  const file = saveUndelivered(text(), io.env);
  await talk(`nobody took the report: it is saved in ${file}`);
  return true;
}

export async function tellIncomplete(report: Report, io: Io, talk: Talk): Promise<void> {
  for (const { reason, file, message } of report.incomplete) {
    if (reason === 'interrupted' && !io.interrupt.aborted) continue;
    await talk(file === null || message.includes(file) ? message : `${printable(file)}: ${message}`);
  }
}

/** The clock's readings as the run went on. */
export interface Stages {
  readonly begun: number;
  readonly read: number;
}

export async function debugTalk(io: Io, { begun, read }: Stages, report: Report): Promise<void> {
  const ms = (from: number, to: number): string => `${(to - from).toFixed(1)} ms`;
  const { rss, heapTotal, external } = process.memoryUsage();
  const mib = (bytes: number): string => String(Math.round(bytes / 1048576));
  await io.stderr.write(
    `${TOOL_NAME}: start-up ${ms(0, begun)}, reading ${ms(begun, read)}, writing ${ms(read, io.now())}, ` +
      `${plural(report.packets.seen, 'packet')}, ${mib(rss)} MiB resident (heap ${mib(heapTotal)}, external ${mib(external)})\n`,
  );
}

export function exitCode(report: Report, maxResets: number | null, io: Io): number {
  const { unique, filtered_out: filteredOut } = report.packets;
  // A reader that left ended the run too: that is no error.
  if (report.incomplete.some(({ reason }) => reason !== 'interrupted' || io.interrupt.aborted)) return EXIT_INCOMPLETE;
  return maxResets !== null && unique - filteredOut > maxResets ? EXIT_FOUND : EXIT_OK;
}
