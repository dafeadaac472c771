/**
 * `rstscope compare CLIENT SERVER`: two captures of the same connections; `rstscope compare --reports BEFORE AFTER`: two
 * saved reports.
 */

import { nobody } from '../../attribute/attributor.js';
import { readServices, SERVICES_FILE } from '../../attribute/services.js';
import { UserError } from '../../base/errors.js';
import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { printable } from '../../base/text.js';
import { shellQuote } from '../../capture/refusal.js';
import type { CaptureFile } from '../../capture/story.js';
import { compare as compareCaptures } from '../../compare/compare.js';
import { compareJson } from '../../render/compare-json.js';
import { colorLevel, supportsUnicode, type Style } from '../../render/style.js';
import type { Comparison } from '../../report/comparison-types.js';
import { deliverText } from '../answer.js';
import { EXIT_INCOMPLETE, EXIT_OK } from '../exit-codes.js';
import { expandInputs, sameFile, STANDARD_INPUT } from '../inputs.js';
import type { Io } from '../io.js';
import { colorOf } from '../plan.js';
import type { CompareValues } from '../program.js';
import { ProgressBar } from '../progress-bar.js';
import { talker, type Talk } from '../talk.js';
import { hostTest, portTest, wholeNumber } from '../values.js';
import { width } from '../width.js';

const DEFAULT_WIDTH = 80;
const DEFAULT_TOP = 20;

export async function compare(typed: readonly string[], values: CompareValues, io: Io): Promise<number> {
  const [first, second] = twoOf(typed, values);
  const top = values.top === undefined ? DEFAULT_TOP : wholeNumber('--top', values.top, 1);
  const style = styleOf(values, io);
  const talk = talker(io, values.quiet === true);
  if (values.reports === true) {
    refuseChoice(values);
    const comparison = await ofReports(first, second, io);
    const { renderReports } = await import('../../render/compare-reports.js');
    return tell(comparison, values, () => renderReports(comparison, style, top), io, talk);
  }
  const comparison = await ofCaptures(first, second, values, io, talk);
  const { renderComparison } = await import('../../render/compare-table.js');
  return tell(comparison, values, () => renderComparison(comparison, style, top, shellQuote), io, talk);
}

function twoOf(typed: readonly string[], values: CompareValues): [string, string] {
  const [first, second] = typed;
  if (first === undefined || second === undefined || typed.length > 2) {
    const what = values.reports === true ? 'two reports: BEFORE and AFTER' : 'two captures: CLIENT and SERVER';
    throw new UserError('usage', `compare takes ${what}, and got ${String(typed.length)}`, 'rstscope compare --help');
  }
  if (first === STANDARD_INPUT && second === STANDARD_INPUT) {
    throw new UserError('usage', 'standard input (-) can be read once only');
  }
  return [first, second];
}

/** Ports and hosts are those of resets: a report has only sums. */
function refuseChoice(values: CompareValues): void {
  const named = values.port !== undefined ? '--port' : values.host !== undefined ? '--host' : null;
  if (named === null) return;
  throw new UserError(
    'usage',
    `${named} chooses among resets of captures: with --reports, make the two reports with it`,
    `rstscope read --json ${named} … output.pcap > before.json`,
  );
}

async function ofReports(before: string, after: string, io: Io): Promise<Comparison> {
  const [{ savedText }, { savedReport }, { compareReports }] = await Promise.all([
    import('../saved-text.js'),
    import('../../report/saved-report.js'),
    import('../../report/report-changes.js'),
  ]);
  const one = savedReport(await savedText(before, io), before);
  const other = savedReport(await savedText(after, io), after);
  return compareReports(one, other, { name: TOOL_NAME, version: toolVersion() });
}

async function ofCaptures(
  client: string,
  server: string,
  values: CompareValues,
  io: Io,
  talk: Talk,
): Promise<Comparison> {
  const filter = {
    port: values.port === undefined ? null : portTest('--port', values.port),
    host: values.host === undefined ? null : hostTest('--host', values.host),
  };
  const inputs: (readonly CaptureFile[])[] = [];
  for (const name of [client, server]) {
    const { files, skipped } = await expandInputs([name], io);
    for (const sentence of skipped) await talk(sentence);
    inputs.push(files);
  }
  if (sameFile(client, server)) await talk('CLIENT and SERVER are the same file: all of it is in both');
  const stop = new AbortController();
  const end = (): void => {
    stop.abort();
  };
  if (io.interrupt.aborted) end();
  io.interrupt.addEventListener('abort', end);
  io.stdout.onClosed = end;
  const bar = io.stderr.isTTY && values.quiet !== true ? new ProgressBar(io) : null;
  const services = readServices(io.env['RSTSCOPE_SERVICES'] ?? SERVICES_FILE);
  try {
    return await compareCaptures(inputs[0] ?? [], inputs[1] ?? [], {
      tool: { name: TOOL_NAME, version: toolVersion() },
      service: (port) => services.get(port) ?? null,
      attributor: nobody('offline'),
      filter,
      signal: stop.signal,
      onProgress: (progress) => bar?.show(progress),
    });
  } catch (error) {
    throw reportsMeant(error, client, server);
  } finally {
    await bar?.erase();
  }
}

/** Two saved reports are easily taken for what `compare` compares. */
function reportsMeant(error: unknown, client: string, server: string): unknown {
  const isOne = error instanceof UserError && error.code === 'not-a-capture';
  if (!isOne || !/\.(nd)?json$/.test(client) || !/\.(nd)?json$/.test(server)) return error;
  const message = `${printable(client)} is no capture; reports are compared with --reports`;
  return new UserError('usage', message, `rstscope compare --reports ${shellQuote(client)} ${shellQuote(server)}`);
}

async function tell(
  comparison: Comparison,
  values: CompareValues,
  page: () => string,
  io: Io,
  talk: Talk,
): Promise<number> {
  const text = values.json === true ? (): Iterable<string> => compareJson(comparison) : (): string[] => [page()];
  const undelivered = await deliverText(text, io, talk);
  const told = comparison.incomplete.filter(({ reason }) => reason !== 'interrupted' || io.interrupt.aborted);
  for (const { file, message } of told) {
    await talk(file === null || message.includes(file) ? message : `${printable(file)}: ${message}`);
  }
  return undelivered || told.length > 0 ? EXIT_INCOMPLETE : EXIT_OK;
}

function styleOf(values: CompareValues, io: Io): Style {
  const { isTTY, colorDepth } = io.stdout;
  return {
    color: colorLevel({ option: colorOf(values.color), env: io.env, isTTY, colorDepth }),
    width: width(io) ?? DEFAULT_WIDTH,
    utc: values.utc === true,
    unicode: supportsUnicode(io.env),
  };
}
