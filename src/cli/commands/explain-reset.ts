/**
 * `rstscope explain FILE FRAME|ID`: one reset of a capture, with the segments around it and each rule that was asked.
 *
 * Runs the pipeline of `read` over the whole capture, so that the facts are those that `read` goes by; then reads it once
 * more for the one conversation.
 */

import { analyze, type AnalyzeOptions } from '../../analyze/analyze.js';
import { frameAt, ladderOf } from '../../analyze/ladder-pass.js';
import type { Attribution } from '../../attribute/process.js';
import { SavedAttributor } from '../../attribute/saved-attributor.js';
import { readServices, SERVICES_FILE } from '../../attribute/services.js';
import { UserError } from '../../base/errors.js';
import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { plural, printable } from '../../base/text.js';
import { shellQuote } from '../../capture/refusal.js';
import type { CaptureFile } from '../../capture/story.js';
import { factsOf, tried, type Tried } from '../../conversation/judge.js';
import type { Reset } from '../../conversation/reset.js';
import { flagsText } from '../../decode/net/tcp.js';
import { explainedOf, type Explained } from '../../report/explained.js';
import { explanationOf } from '../../report/explanations/find.js';
import { KEEP_ALL } from '../../report/filter.js';
import type { Pattern, Report } from '../../report/types.js';
import type { Style } from '../../render/style.js';
import { deliverText, exitCode, tellIncomplete } from '../answer.js';
import { EXIT_INCOMPLETE } from '../exit-codes.js';
import { expandInputs } from '../inputs.js';
import type { Io } from '../io.js';
import { planOf } from '../plan.js';
import type { ExplainValues } from '../program.js';
import { ProgressBar } from '../progress-bar.js';
import { talker } from '../talk.js';
import { noSuchReset, ResetFinder, type Near } from '../which-reset.js';
import { notWhich, whichOf, type Which } from '../which.js';
import { thisHost } from './read.js';

/** What was found in the first reading. */
interface Found {
  readonly reset: Reset;
  readonly who: Attribution;
  readonly tried: readonly Tried[];
  readonly pattern: () => Pattern | null;
}

export async function explainReset(
  names: readonly string[],
  typed: string,
  values: ExplainValues,
  style: Style,
  io: Io,
): Promise<number> {
  const plan = planOf({ fold: values.fold, ...pick(values) }, 'read');
  const talk = talker(io, values.quiet === true);
  const which = whichOf(typed);
  if (which === null) throw notWhich(typed, `rstscope read --ndjson ${names.map(shellQuote).join(' ')}`);
  const { files, skipped } = await expandInputs(names, io);
  refuseOnce(files, names);
  if (which.kind === 'frame' && files.length > 1) throw ofWhichFile(which, files, names);
  for (const sentence of skipped) await talk(sentence);

  const finder = new ResetFinder(which);
  // Of an id that two resets may bear, the one that is meant is known at the end.
  const heard: Found[] = [];
  const here = values.here === true ? await thisHost(io) : null;
  const services = readServices(io.env['RSTSCOPE_SERVICES'] ?? SERVICES_FILE);
  const bar = io.stderr.isTTY && values.quiet !== true ? new ProgressBar(io) : null;
  const { context } = plan;
  const options: AnalyzeOptions = {
    tool: { name: TOOL_NAME, version: toolVersion() },
    context,
    fold: values.fold,
    local: here === null ? plan.local : (ip) => here.local(ip) || plan.local?.(ip) === true,
    filter: { ...KEEP_ALL, after: null, before: null },
    service: (port) => services.get(port) ?? null,
    attributor: new SavedAttributor(here),
    fullCommand: false,
    keepEvents: false,
    onEvent: null,
    onReset: (reset, who, pattern) => {
      if (finder.hear(reset)) heard.push({ reset, who, pattern, tried: tried(factsOf(reset, who.kernel)) });
    },
    writer: null,
    onProgress: async (progress) => {
      await bar?.show(progress);
    },
    signal: io.interrupt,
    growing: null,
  };
  let report: Report;
  try {
    report = await analyze(files, options);
  } finally {
    await bar?.erase();
  }
  refuseHalf(io);
  const found = heard.find(({ reset }) => reset === finder.found);
  if (found === undefined) throw await missed(which, finder, files, names, report, io);
  const ladder = await ladderOf(files, found.reset, { context, fold: values.fold, signal: io.interrupt });
  refuseHalf(io);
  if (!ladder.rungs.some(({ isAsked }) => isAsked)) {
    const name = printable(files[found.reset.file]?.name ?? '');
    throw new UserError(
      'unreadable',
      `${name} changed while it was read: frame ${String(found.reset.frame)} is another now`,
    );
  }
  const explained = explainedOf({
    asked: typed,
    ...found,
    ladder,
    files: files.map(({ name }) => name),
    context: report.source.context,
  });
  const text = await textOf(explained, values.json === true, style, files);
  const undelivered = await deliverText(() => [text], io, talk);
  await tellIncomplete(report, io, talk);
  return undelivered ? EXIT_INCOMPLETE : exitCode(report, null, io);
}

/** Only what was typed: what is absent has its own meaning. */
function pick({ context, local, color }: ExplainValues): Pick<ExplainValues, 'context' | 'local' | 'color'> {
  return {
    ...(context === undefined ? {} : { context }),
    ...(local === undefined ? {} : { local }),
    ...(color === undefined ? {} : { color }),
  };
}

async function textOf(
  explained: Explained,
  json: boolean,
  style: Style,
  files: readonly CaptureFile[],
): Promise<string> {
  const { cause, file } = explained.event;
  const explanation = explanationOf(cause);
  if (explanation === undefined) throw new Error(`no explanation of ${cause}`);
  const quoted = shellQuote(file ?? files[0]?.name ?? 'FILE');
  if (json) {
    const { explainedJson } = await import('../../render/explain-json.js');
    return explainedJson(explained, explanation, { name: TOOL_NAME, version: toolVersion() }, quoted);
  }
  const { renderExplained } = await import('../../render/ladder-page.js');
  return renderExplained(explained, explanation, style, quoted);
}

/** What can be read once can't be read again for the ladder. */
function refuseOnce(files: readonly CaptureFile[], names: readonly string[]): void {
  const once = files.find((file) => file.once);
  if (once === undefined) return;
  throw new UserError(
    'usage',
    `explain reads the capture twice, and ${printable(once.name)} can be read once only: save it in a file first`,
    names[0] === '-' ? 'rstscope explain capture.pcap FRAME' : `cat ${shellQuote(once.name)} > capture.pcap`,
  );
}

/** An interrupted reading knows not all that `read` goes by. */
function refuseHalf({ interrupt }: Io): void {
  if (interrupt.aborted) throw new UserError('interrupted', 'interrupted before the capture was read to its end');
}

function ofWhichFile({ typed }: Which, files: readonly CaptureFile[], names: readonly string[]): UserError {
  const example = commandFor(names)(`f1-${typed}`);
  return new UserError(
    'usage',
    `there are ${plural(files.length, 'capture')}, and frame ${typed} is one of each: name one file, or the id of the event`,
    example,
  );
}

async function missed(
  which: Which,
  finder: ResetFinder,
  files: readonly CaptureFile[],
  names: readonly string[],
  report: Report,
  { interrupt }: Io,
): Promise<UserError> {
  const [only] = files;
  const isOne = files.length === 1 && only !== undefined;
  const frames = isOne ? report.packets.seen : null;
  const file = which.kind === 'file' ? which.file : 0;
  const isThere = which.kind !== 'live' && which.frame >= 1 && which.frame <= report.packets.seen;
  const other = isThere && file < files.length ? await frameAt(files, file, which.frame, interrupt) : null;
  const near = commandFor(names);
  return noSuchReset({
    which,
    finder,
    name: isOne ? printable(only.name) : plural(files.length, 'capture'),
    files: files.length,
    frames,
    other: other === null ? null : { flags: flagsText(other.flags), resetFrame: other.resetFrame },
    command: ({ file: at, frame }: Near) =>
      near(files.length > 1 ? `f${String(at + 1)}-${String(frame)}` : String(frame)),
    without: `rstscope read ${names.map(shellQuote).join(' ')}`,
  });
}

/** The same command for something else. */
function commandFor(names: readonly string[]): (word: string) => string {
  return (word) => ['rstscope explain', ...names.map(shellQuote), word].join(' ');
}
