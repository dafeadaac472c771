/**
 * `rstscope read`: the report from saved captures. Turns what was typed into what it means, runs the pipeline, writes
 * the answer.
 */

import { analyze, type AnalyzeOptions } from '../../analyze/analyze.js';
import { UserError } from '../../base/errors.js';
import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { plural, printable } from '../../base/text.js';
import { epochNumber } from '../../base/time.js';
import { readServices, SERVICES_FILE } from '../../attribute/services.js';
import type { CaptureFile } from '../../capture/story.js';
import { KEEP_ALL, type FilterOptions } from '../../report/filter.js';
import {
  CAUSES,
  DIRECTIONS,
  PATTERNS,
  SCHEMA_VERSION,
  type Context,
  type Report,
  type StartLine,
} from '../../report/types.js';
import type { ColorOption } from '../../render/style.js';
import { EXIT_CANNOT, EXIT_FOUND, EXIT_INCOMPLETE, EXIT_OK } from '../exit-codes.js';
import { csv, json, ndjson, silent, tables, type Format } from '../formats.js';
import { expandInputs, STANDARD_INPUT } from '../inputs.js';
import type { Io } from '../io.js';
import { tell } from '../tell.js';
import { timeWindow } from '../moments.js';
import type { ReadValues } from '../program.js';
import { ProgressBar } from '../progress-bar.js';
import type { Saving } from '../save.js';
import { hostTest, oneOf, portTest, typedTime, wholeNumber, wordSet } from '../values.js';
import { width } from '../width.js';

const CONTEXTS: readonly Context[] = ['resets', 'control', 'full'];
const COLOR_OPTIONS: readonly ColorOption[] = ['always', 'never', 'auto'];
const DEFAULT_TOP = 20;
const DEFAULT_WIDTH = 80;

/** What was typed, understood. */
interface Plan {
  readonly format: 'tables' | 'json' | 'ndjson' | 'csv' | 'capture';
  readonly top: number;
  readonly color: ColorOption;
  readonly maxResets: number | null;
  readonly context: Context;
  readonly filter: Omit<FilterOptions, 'after' | 'before'>;
}

export async function read(typed: readonly string[], values: ReadValues, io: Io): Promise<number> {
  const plan = planOf(values);
  const utc = values.utc === true;
  const after = values.after === undefined ? null : typedTime('--after', values.after, utc);
  const before = values.before === undefined ? null : typedTime('--before', values.before, utc);
  const local = values.local === undefined ? null : hostTest('--local', values.local);
  const talk = talker(io, values.quiet === true);

  const { files: found, skipped } = await expandInputs([...(values.r ?? []), ...typed], io);
  for (const sentence of skipped) await talk(sentence);
  const window = await timeWindow(found, after, before, utc, io.interrupt);
  const { files } = window;
  const saving = values.write === undefined ? null : await startSaving(values.write, files, io, talk);
  const format = await formatOf(plan, values, files, io);
  const stop = new AbortController();
  const end = (): void => {
    stop.abort();
  };
  if (io.interrupt.aborted) end();
  io.interrupt.addEventListener('abort', end);
  io.stdout.onClosed = end;
  const bar = io.stderr.isTTY && values.quiet !== true ? new ProgressBar(io) : null;
  const services = readServices(io.env['RSTSCOPE_SERVICES'] ?? SERVICES_FILE);
  const options: AnalyzeOptions = {
    tool: { name: TOOL_NAME, version: toolVersion() },
    context: plan.context,
    fold: values.fold,
    local,
    filter: { ...plan.filter, after: window.after, before: window.before },
    service: (port) => services.get(port) ?? null,
    keepEvents: plan.format === 'json' && values.events === true,
    onEvent: format.onEvent,
    writer: saving?.writer ?? null,
    onProgress: async (progress) => {
      await io.stdout.write(format.drain());
      await saving?.drain();
      await bar?.show(progress);
    },
    signal: stop.signal,
    growing: null,
  };
  const begun = io.now();
  let report: Report;
  try {
    report = await analyze(files, options);
  } catch (error) {
    saving?.abandon();
    throw error;
  } finally {
    await bar?.erase();
  }
  const read = io.now();
  const saved = await finishSaving(saving, values, io, talk);
  const undelivered = await deliver(format, report, io, talk);
  if (values.debug === true) await debugTalk(io, begun, read, report);
  if (plan.format !== 'tables') await tellIncomplete(report, io, talk);
  if (undelivered) return EXIT_INCOMPLETE;
  return saved ? exitCode(report, plan.maxResets, io) : EXIT_CANNOT;
}

function planOf(values: ReadValues): Plan {
  const chosen = (['json', 'ndjson', 'csv'] as const).filter((name) => values[name] === true);
  const capture = values.write === STANDARD_INPUT;
  if (chosen.length > 1 || (chosen.length === 1 && capture)) {
    const names = [...chosen.map((name) => `--${name}`), ...(capture ? ['-w -'] : [])];
    throw new UserError(
      'usage',
      `standard output can carry one of ${names.join(' and ')}, not both`,
      'rstscope read --help',
    );
  }
  const context = values.context === undefined ? 'full' : oneOf('--context', values.context, CONTEXTS);
  return {
    format: capture ? 'capture' : (chosen[0] ?? 'tables'),
    top: values.top === undefined ? DEFAULT_TOP : wholeNumber('--top', values.top, 1),
    maxResets: values.maxResets === undefined ? null : wholeNumber('--max-resets', values.maxResets, 0),
    color: values.color === false ? 'never' : oneOf('--color', values.color ?? 'auto', COLOR_OPTIONS),
    context,
    filter: {
      ...KEEP_ALL,
      port: values.port === undefined ? null : portTest('--port', values.port),
      host: values.host === undefined ? null : hostTest('--host', values.host),
      directions: values.direction === undefined ? null : wordSet('--direction', values.direction, DIRECTIONS),
      causes: values.cause === undefined ? null : wordSet('--cause', values.cause, CAUSES),
      patterns: values.pattern === undefined ? null : wordSet('--pattern', values.pattern, PATTERNS),
      excludedPatterns:
        values.excludePattern === undefined ? null : wordSet('--exclude-pattern', values.excludePattern, PATTERNS),
    },
  };
}

async function formatOf(plan: Plan, values: ReadValues, files: readonly CaptureFile[], io: Io): Promise<Format> {
  switch (plan.format) {
    case 'json':
      return json();
    case 'ndjson':
      return ndjson(startOf(plan, files, io));
    case 'csv':
      return csv();
    case 'capture':
      return silent();
    case 'tables':
      return tables({ ...plan, utc: values.utc === true, width: width(io) ?? DEFAULT_WIDTH }, io);
  }
}

/** The source as known before anything was read: what only the frames can tell is still empty. */
function startOf(plan: Plan, files: readonly CaptureFile[], io: Io): StartLine {
  const now = io.wallClock();
  return {
    type: 'start',
    schema_version: SCHEMA_VERSION,
    tool: { name: TOOL_NAME, version: toolVersion() },
    timestamp: new Date(now).toISOString(),
    epoch: epochNumber(Math.floor(now / 1000), (now % 1000) * 1e6),
    source: {
      kind: 'file',
      interfaces: [],
      files: files.map(({ name }) => name),
      filter: null,
      backend: null,
      link_types: [],
      context: plan.context,
      timestamps: null,
      trace: 'off',
      namespaces: [],
    },
  };
}

type Talk = (sentence: string) => Promise<void>;

function talker(io: Io, quiet: boolean): Talk {
  return async (sentence) => {
    if (!quiet) await io.stderr.write(`${TOOL_NAME}: ${printable(sentence, 8192)}\n`);
  };
}

async function startSaving(target: string, files: readonly CaptureFile[], io: Io, talk: Talk): Promise<Saving> {
  const { openSaving, saveFormat } = await import('../save.js');
  const saving = await openSaving(target, files, `${TOOL_NAME} ${toolVersion()}`, io);
  if (saveFormat(target) === 'pcap')
    await talk(`${printable(target)} is written as classic pcap, which holds no comments`);
  return saving;
}

/** @returns whether all that should be saved is saved. */
async function finishSaving(saving: Saving | null, values: ReadValues, io: Io, talk: Talk): Promise<boolean> {
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
async function deliver(format: Format, report: Report, io: Io, talk: Talk): Promise<boolean> {
  for (const text of format.report(report)) await io.stdout.write(text);
  if (!io.stdout.closed || io.stdout.taken > 0 || !io.interrupt.aborted) return false;
  const { saveUndelivered } = await import('../undelivered.js');
  const file = saveUndelivered(format.report(report));
  await talk(`nobody took the report: it is saved in ${file}`);
  return true;
}

async function tellIncomplete(report: Report, io: Io, talk: Talk): Promise<void> {
  for (const { reason, file, message } of report.incomplete) {
    if (reason === 'interrupted' && !io.interrupt.aborted) continue;
    await talk(file === null || message.includes(file) ? message : `${printable(file)}: ${message}`);
  }
}

async function debugTalk(io: Io, begun: number, read: number, report: Report): Promise<void> {
  const ms = (from: number, to: number): string => `${(to - from).toFixed(1)} ms`;
  const rss = Math.round(process.memoryUsage.rss() / 1048576);
  await io.stderr.write(
    `${TOOL_NAME}: start-up ${ms(0, begun)}, reading ${ms(begun, read)}, writing ${ms(read, io.now())}, ` +
      `${plural(report.packets.seen, 'packet')}, ${String(rss)} MiB resident\n`,
  );
}

function exitCode(report: Report, maxResets: number | null, io: Io): number {
  const { unique, filtered_out: filteredOut } = report.packets;
  // A reader that left ended the run too: that is no error.
  if (report.incomplete.some(({ reason }) => reason !== 'interrupted' || io.interrupt.aborted)) return EXIT_INCOMPLETE;
  return maxResets !== null && unique - filteredOut > maxResets ? EXIT_FOUND : EXIT_OK;
}
