/**
 * `rstscope read`: the report from saved captures. Turns what was typed into what it means, runs the pipeline, writes
 * the answer.
 */

import { analyze, type AnalyzeOptions } from '../../analyze/analyze.js';
import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { SavedAttributor, type Here } from '../../attribute/saved-attributor.js';
import { readServices, SERVICES_FILE } from '../../attribute/services.js';
import type { CaptureFile } from '../../capture/story.js';
import type { Context, Report, Source } from '../../report/types.js';
import { debugTalk, deliver, exitCode, finishSaving, formatOf, tellIncomplete } from '../answer.js';
import { EXIT_CANNOT, EXIT_INCOMPLETE } from '../exit-codes.js';
import { expandInputs } from '../inputs.js';
import type { Io } from '../io.js';
import { timeWindow } from '../moments.js';
import { planOf } from '../plan.js';
import type { ReadValues } from '../program.js';
import { ProgressBar } from '../progress-bar.js';
import type { Saving } from '../save.js';
import { talker, type Talk } from '../talk.js';
import { typedTime } from '../values.js';

export async function read(typed: readonly string[], values: ReadValues, io: Io): Promise<number> {
  const plan = planOf(values, 'read');
  const utc = values.utc === true;
  const after = values.after === undefined ? null : typedTime('--after', values.after, utc);
  const before = values.before === undefined ? null : typedTime('--before', values.before, utc);
  const talk = talker(io, values.quiet === true);

  const { files: found, skipped } = await expandInputs([...(values.r ?? []), ...typed], io);
  for (const sentence of skipped) await talk(sentence);
  const window = await timeWindow(found, after, before, utc, io.interrupt);
  const { files } = window;
  const saving = values.write === undefined ? null : await startSaving(values.write, files, io, talk);
  const format = await formatOf(plan, utc, () => sourceOf(plan.context, files), io);
  const stop = new AbortController();
  const end = (): void => {
    stop.abort();
  };
  if (io.interrupt.aborted) end();
  io.interrupt.addEventListener('abort', end);
  io.stdout.onClosed = end;
  const bar = io.stderr.isTTY && values.quiet !== true ? new ProgressBar(io) : null;
  const services = readServices(io.env['RSTSCOPE_SERVICES'] ?? SERVICES_FILE);
  const here = values.here === true ? await thisHost(io) : null;
  const options: AnalyzeOptions = {
    tool: { name: TOOL_NAME, version: toolVersion() },
    context: plan.context,
    fold: values.fold,
    local: here === null ? plan.local : (ip) => here.local(ip) || plan.local?.(ip) === true,
    filter: { ...plan.filter, after: window.after, before: window.before },
    service: (port) => services.get(port) ?? null,
    attributor: new SavedAttributor(here),
    fullCommand: values.fullCommand === true,
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
  const stages = { begun, read: io.now() };
  const saved = await finishSaving(saving, values, io, talk);
  const undelivered = await deliver(format, report, io, talk);
  if (values.debug === true) await debugTalk(io, stages, report);
  if (plan.format !== 'tables') await tellIncomplete(report, io, talk);
  if (undelivered) return EXIT_INCOMPLETE;
  return saved ? exitCode(report, plan.maxResets, io) : EXIT_CANNOT;
}

/** Addresses and listeners of now. */
export async function thisHost(io: Io): Promise<Here> {
  const [{ ListenersNow }, { HostAddresses }] = await Promise.all([
    import('../../attribute/listeners-now.js'),
    import('../../capture/live/host-addresses.js'),
  ]);
  const addresses = new HostAddresses([], []);
  await addresses.start();
  addresses.stop();
  const list = new Set(addresses.list);
  return {
    listeners: new ListenersNow(io.wallClock()),
    local: (ip) => list.has(ip),
    netnsOf: (ip) => addresses.netnsOf(ip),
  };
}

/** The source as known before anything was read: what only the frames can tell is still empty. */
function sourceOf(context: Context, files: readonly CaptureFile[]): Source {
  return {
    kind: 'file',
    interfaces: [],
    files: files.map(({ name }) => name),
    filter: null,
    backend: null,
    link_types: [],
    context,
    timestamps: null,
    trace: 'off',
    namespaces: [],
  };
}

async function startSaving(target: string, files: readonly CaptureFile[], io: Io, talk: Talk): Promise<Saving> {
  const { linkTypesOf, openSaving, refuseOverwriting, refuseTarget, saveFormat, tellFormat } =
    await import('../save.js');
  refuseTarget(target, io);
  refuseOverwriting(target, files);
  const linkTypes = saveFormat(target) === 'pcap' ? await linkTypesOf(files, io.interrupt) : [];
  const saving = openSaving(target, linkTypes, `${TOOL_NAME} ${toolVersion()}`, io);
  await tellFormat(target, talk);
  return saving;
}
