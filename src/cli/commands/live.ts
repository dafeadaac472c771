/**
 * `rstscope live`: captures on this host and reports. Turns what was typed into what it means, starts the capture, runs
 * the pipeline on it as it grows, and sees to every ending.
 */

import { Analysis, type AnalyzeOptions, type GrowingFacts } from '../../analyze/analyze.js';
import { growingLeadUp, shortSentence } from '../../analyze/lead-up.js';
import type { AddressTest } from '../../base/address.js';
import { UserError } from '../../base/errors.js';
import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { grouped, plural } from '../../base/text.js';
import type { Moment } from '../../base/time.js';
import { LiveNames } from '../../attribute/live-names.js';
import { readServices, SERVICES_FILE } from '../../attribute/services.js';
import { ignoresIpv6, userFilter } from '../../capture/live/filter.js';
import { findNamespaces, type Namespace } from '../../capture/live/namespaces.js';
import { ANY, type LiveOrder } from '../../capture/live/order.js';
import { LiveCapture } from '../../capture/live/session.js';
import type { Hindrances } from '../../health/hindrances.js';
import { LiveHealth } from '../../health/live-health.js';
import { linkTypeName } from '../../decode/link-types.js';
import { colorLevel, supportsUnicode, type Style } from '../../render/style.js';
import type { Report, Source } from '../../report/types.js';
import { debugTalk, deliver, exitCode, finishSaving, formatOf, tellIncomplete } from '../answer.js';
import { EXIT_CANNOT, EXIT_INCOMPLETE } from '../exit-codes.js';
import { tables, type Format } from '../formats.js';
import { STANDARD_INPUT } from '../inputs.js';
import type { Io, Output } from '../io.js';
import { LiveScreen } from '../live-screen.js';
import { planOf, type Plan } from '../plan.js';
import type { LiveValues } from '../program.js';
import type { Saving } from '../save.js';
import { withSudo } from '../sudo.js';
import { talker, type Talk } from '../talk.js';
import { tell } from '../tell.js';
import { duration, oneOf, wholeNumber } from '../values.js';
import { width } from '../width.js';

const BACKENDS = ['auto', 'cap', 'tcpdump'] as const;
const DEFAULT_SECONDS = 60;
/** Of a packet: a reset with its payload, if it has one; of the others, the headers. */
const SNAPLEN = 512;
const HEADERS_SNAPLEN = 128;
const MOST_REWIND = 1000;
/**
 * Packets a second that can be followed by about one core, all processes together (docs/speed.md). Above it `--rewind` goes on with beginnings and
 * ends of connections.
 */
const MOST_PACKETS = 120_000;
const MOST_SNAPLEN = 65_535;
const LEAST_SNAPLEN = 64;
const DEFAULT_WIDTH = 80;
const LONGEST_TIMER_MS = 2_147_483_647;
/** How far behind the clock a frame may be that is still on its way. */
const SLACK_SECONDS = 0.1;

export async function live(
  words: readonly string[],
  values: LiveValues,
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { plan, rewind } = rewound(planOf(values, 'live'), values);
  const seconds = values.duration === undefined ? DEFAULT_SECONDS : duration('--duration', values.duration);
  const count = values.count === undefined ? null : wholeNumber('--count', values.count, 1);
  const talk = talker(io, values.quiet === true);
  const order = await orderOf(plan, words, values, talk, io);
  const saver = values.write === undefined ? null : { target: values.write, ...(await import('../save.js')) };
  saver?.refuseTarget(saver.target, io);
  if (saver !== null && !saver.target.startsWith('/') && saver.target !== STANDARD_INPUT) mustHaveFolder(saver.target);

  // Names are looked for before anything is captured: what dies meanwhile has been seen alive.
  const names = await LiveNames.start({ processes: values.process, trace: values.trace, now: io.wallClock });
  const health = new LiveHealth({
    namespaces: order.namespaces,
    trace: () => names,
    unfolded: !values.fold,
    wallClock: io.wallClock,
  });
  names.listen(health.traced);
  let capture: LiveCapture | null = null;
  let saving: Saving | null = null;
  try {
    await health.begin();
    capture = await startCapture(order, args, io);
    health.opened({ timestamps: capture.timestamps, local: capture.isLocal, netnsOf: capture.netnsOf });
    if (saver !== null) {
      const linkTypes = [...capture.linkTypes];
      saving = saver.openSaving(saver.target, linkTypes, `${TOOL_NAME} ${toolVersion()}`, io);
      await saver.tellFormat(saver.target, talk);
    }
    const span = seconds === 0 ? null : seconds;
    return await run({ plan, rewind, seconds: span, count, talk, capture, names, health, saving, values, io });
  } catch (error) {
    saving?.abandon();
    throw error;
  } finally {
    health.stop();
    await Promise.all([capture?.close(), names.close()]);
  }
}

/** `--rewind` takes every TCP header; null: it was not asked for. */
function rewound(plan: Plan, values: LiveValues): { plan: Plan; rewind: number | null } {
  if (values.rewind === undefined) return { plan, rewind: null };
  const rewind = wholeNumber('--rewind', values.rewind, 1);
  if (rewind > MOST_REWIND) {
    const message = `--rewind takes 1 to ${String(MOST_REWIND)} segments, not "${values.rewind}"`;
    throw new UserError('usage', message, 'rstscope live --help');
  }
  if (values.context !== undefined && values.context !== 'full') {
    const message = `--rewind takes every TCP header, --context ${values.context} does not`;
    throw new UserError('usage', message, 'rstscope live --help');
  }
  return { plan: { ...plan, context: 'full' }, rewind };
}

/** What can have kept resets from being captured. */
function hindrancesOf(capture: LiveCapture): Hindrances {
  const { order, losses, knownLost } = capture;
  return {
    filter: order.filter,
    interfaces: order.interfaces.includes(ANY) ? null : order.interfaces,
    dropped: knownLost,
    lost: losses.some(({ reason }) => reason === 'interface-lost'),
  };
}

/** What is started may have to leave a working directory that was removed; a name that is meant from there leads nowhere. */
function mustHaveFolder(target: string): void {
  try {
    process.cwd();
  } catch (error) {
    throw new UserError('write-failed', `cannot write ${target}: the working directory is gone`, null, error);
  }
}

async function orderOf(
  plan: Plan,
  words: readonly string[],
  values: LiveValues,
  talk: Talk,
  io: Io,
): Promise<LiveOrder> {
  if (values.filter !== undefined && words.length > 0) {
    throw new UserError(
      'usage',
      `a filter was given twice: by -f "${values.filter}" and as "${words.join(' ')}"`,
      'rstscope live --help',
    );
  }
  const { expression, notes } = userFilter(values.filter ?? (words.length === 0 ? null : words.join(' ')));
  for (const note of notes) await talk(note);
  const named = (values.interface ?? [ANY]).flatMap((list) => list.split(',')).map((name) => name.trim());
  const interfaces = named.includes(ANY) ? [ANY] : [...new Set(named)];
  if (interfaces.includes('')) throw new UserError('usage', "an interface's name is empty", 'rstscope devices');
  const asked = (values.netns ?? []).flatMap((list) => list.split(',')).map((name) => name.trim());
  const usual = plan.context === 'full' ? HEADERS_SNAPLEN : SNAPLEN;
  const typed = values.s === undefined ? usual : wholeNumber('-s', values.s, 0);
  return {
    interfaces,
    namespaces: findNamespaces(asked),
    backend: oneOf('--backend', values.backend ?? 'auto', BACKENDS),
    wanted: plan.context,
    filter: expression,
    // tcpdump's 0 is everything.
    snaplen: typed === 0 ? MOST_SNAPLEN : Math.min(Math.max(typed, LEAST_SNAPLEN), MOST_SNAPLEN),
    promiscuous: values.p !== true,
    narrowAbove: values.rewind === undefined ? null : mostPackets(io),
    lenient: asked.includes('all'),
  };
}

async function startCapture(order: LiveOrder, args: readonly string[], io: Io): Promise<LiveCapture> {
  try {
    return await LiveCapture.start(order, io.now);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'no-permission') throw error;
    throw new UserError(error.code, error.message, withSudo(io.program, args), error);
  }
}

/** For tests: a machine that can follow less. */
function mostPackets({ env }: Io): number {
  const typed = Number(env['RSTSCOPE_MOST_PACKETS'] ?? NaN);
  return typed > 0 ? typed : MOST_PACKETS;
}

/** Null: one of them is not known. */
function inodesOf(namespaces: readonly Namespace[]): ReadonlySet<number> | null {
  const inodes = namespaces.flatMap(({ inode }) => (inode === null ? [] : [inode]));
  return inodes.length === namespaces.length ? new Set(inodes) : null;
}

/** This host's addresses, and those that the user counts as such. */
function isLocal({ local }: Plan, capture: LiveCapture): AddressTest {
  return (ip) => capture.isLocal(ip) || local?.(ip) === true;
}

interface Running {
  readonly plan: Plan;
  /** Segments that are saved before each reset; null: everything that is captured is. */
  readonly rewind: number | null;
  /** Null: until somebody ends it. */
  readonly seconds: number | null;
  readonly count: number | null;
  readonly talk: Talk;
  readonly capture: LiveCapture;
  readonly names: LiveNames;
  readonly health: LiveHealth;
  readonly saving: Saving | null;
  readonly values: LiveValues;
  readonly io: Io;
}

async function run(running: Running): Promise<number> {
  const { plan, rewind, seconds, count, talk, capture, names, health, saving, values, io } = running;
  const utc = values.utc === true;
  const start = momentOf(io.wallClock());
  let end: Moment | null = null;
  const facts = (): GrowingFacts => ({
    source: sourceFacts(capture, names),
    ...spanOf(capture, start, end ?? momentOf(io.wallClock())),
    incomplete: capture.losses.map(({ reason, interface: name, gapSeconds, message }) => ({
      reason,
      interface: name,
      gap_seconds: gapSeconds,
      file: null,
      byte: null,
      message,
    })),
    dropped: capture.dropped,
    kernel: health.report(hindrancesOf(capture)),
    alerts: health.alerts,
  });
  const format = await formatOf(plan, utc, () => startSource(capture, names), io);
  const screen = new LiveScreen(io, {
    ...linesOf(plan, values, io),
    seconds,
    lost: () => capture.dropped,
  });
  const services = readServices(io.env['RSTSCOPE_SERVICES'] ?? SERVICES_FILE);

  const finish = (): void => {
    end ??= momentOf(io.wallClock());
    health.ending();
    const closed = (): Promise<void> => health.closed();
    void capture.finish().then(closed, closed);
  };
  let short = 0;
  const options: AnalyzeOptions = {
    tool: { name: TOOL_NAME, version: toolVersion() },
    context: plan.context,
    fold: values.fold,
    local: plan.local,
    filter: { ...plan.filter, after: null, before: null },
    service: (port) => services.get(port) ?? null,
    attributor: names.attributor({
      local: isLocal(plan, capture),
      namespaces: inodesOf(capture.order.namespaces),
      netnsOf: capture.netnsOf,
      timestamps: capture.timestamps,
    }),
    fullCommand: values.fullCommand === true,
    keepEvents: plan.format === 'json' && values.events === true,
    onEvent: null,
    writer: saving?.writer ?? null,
    rewind: rewind === null ? null : growingLeadUp(rewind, (resets) => (short = resets)),
    onProgress: async (progress) => {
      await io.stdout.write(format.drain());
      await saving?.drain();
      await screen.show(progress);
      await tellSaving();
      await tellNarrowing();
    },
    signal: new AbortController().signal,
    growing: {
      patience: capture.patience,
      settledUntil: () => (capture.idle ? io.wallClock() / 1000 - capture.patience - SLACK_SECONDS : null),
      count,
      onEnough: finish,
      onReset:
        format.onEvent === null && !screen.listens
          ? null
          : (announcement) => {
              screen.announce(announcement);
              format.onEvent?.(announcement.event());
            },
      onRevision: format.onRevision,
      facts,
      narrowed: () => capture.narrowed,
      witness: health,
    },
  };
  let savingFailed = false;
  const tellSaving = async (): Promise<void> => {
    const failure = saving?.failure ?? null;
    if (savingFailed || failure === null) return;
    savingFailed = true;
    await screen.erase();
    await tell(failure, false, io);
  };

  let narrowingTold = false;
  const tellNarrowing = async (): Promise<void> => {
    const { tooMany } = capture;
    if (narrowingTold || tooMany === null) return;
    narrowingTold = true;
    await screen.erase();
    await talk(narrowingSentence(tooMany, capture.order.narrowAbove));
  };

  await talk(listening(capture, plan, seconds));
  const analysis = await Analysis.start([capture.file], options);
  const endings = new Endings(io, finish, seconds);
  const stopAsking = io.onAsked(() => {
    analysis.soFar().then(
      (report) => showSoFar(report, running, screen),
      () => undefined,
    );
  });
  const begun = io.now();
  let report: Report;
  try {
    report = await analysis.run();
  } finally {
    endings.clear();
    stopAsking();
    finish();
    await screen.end();
  }
  for (const note of [...capture.notes, ...names.notes]) await talk(note);
  const stages = { begun, read: io.now() };
  const saved = await finishSaving(saving, values, io, talk);
  if (short > 0) await talk(shortSentence(short));
  const undelivered = await deliver(separated(format, plan), report, io, talk);
  if (values.debug === true) await debugTalk(io, stages, report);
  if (plan.format !== 'tables') await tellIncomplete(report, io, talk);
  if (undelivered) return EXIT_INCOMPLETE;
  return saved ? exitCode(report, plan.maxResets, io) : EXIT_CANNOT;
}

/** Everything that ends the capturing from outside. */
class Endings {
  private readonly io: Io;
  private readonly finish: () => void;
  private timer: NodeJS.Timeout | null = null;

  constructor(io: Io, finish: () => void, seconds: number | null) {
    this.io = io;
    this.finish = finish;
    if (io.interrupt.aborted || io.stdout.closed) finish();
    io.interrupt.addEventListener('abort', finish);
    io.stdout.onClosed = finish;
    if (seconds !== null) this.endIn(seconds * 1000);
  }

  /** A timer holds no more than 24 days. */
  private endIn(ms: number): void {
    const now = Math.min(ms, LONGEST_TIMER_MS);
    this.timer = setTimeout(() => {
      if (ms > now) this.endIn(ms - now);
      else this.finish();
    }, now);
  }

  clear(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.io.interrupt.removeEventListener('abort', this.finish);
    this.io.stdout.onClosed = () => undefined;
  }
}

function momentOf(ms: number): Moment {
  return { seconds: Math.floor(ms / 1000), nanos: Math.floor((ms % 1000) * 1e6) };
}

/** From when everything was listened to until it was ended; what was captured a moment before or after widens it. */
function spanOf(capture: LiveCapture, start: Moment, end: Moment): { start: Moment; end: Moment } {
  const { firstSeconds, firstNanos, lastSeconds, lastNanos } = capture.times;
  const first = { seconds: firstSeconds, nanos: firstNanos };
  const last = { seconds: lastSeconds, nanos: lastNanos };
  return { start: isBefore(first, start) ? first : start, end: isBefore(end, last) ? last : end };
}

function isBefore(a: Moment, b: Moment): boolean {
  return a.seconds < b.seconds || (a.seconds === b.seconds && a.nanos < b.nanos);
}

function sourceFacts(capture: LiveCapture, names: LiveNames): GrowingFacts['source'] {
  const { order, backend, timestamps } = capture;
  return {
    interfaces: order.interfaces,
    filter: order.filter,
    backend,
    context: capture.wanted,
    timestamps,
    trace: names.trace,
    namespaces: order.namespaces.map(({ name, inode }) => name ?? String(inode ?? 'own')),
  };
}

function startSource(capture: LiveCapture, names: LiveNames): Source {
  const linkTypes = [...capture.linkTypes].map(linkTypeName);
  return { kind: 'live', files: [], link_types: linkTypes, ...sourceFacts(capture, names) };
}

function narrowingSentence(rate: number, most: number | null): string {
  return `${grouped(rate)} packets a second, ${grouped(most ?? 0)} can be followed: from now on only SYN, FIN and RST are captured (context control)`;
}

/** What is listened to, in one sentence. */
function listening(capture: LiveCapture, plan: Plan, seconds: number | null): string {
  const { order, backend, promiscuous } = capture;
  const others = order.namespaces.length - 1;
  const where = order.interfaces.includes(ANY) ? 'any (every interface)' : order.interfaces.join(', ');
  const namespaces = others === 0 ? '' : ` in this and ${plural(others, 'other network namespace')}`;
  const what = { resets: 'TCP resets', control: 'SYN, FIN and RST', full: 'every TCP header' }[plan.context];
  const filter = order.filter === null ? '' : ` that match "${order.filter}"`;
  const mode = promiscuous.length === 0 ? '' : `; ${promiscuous.join(', ')} made promiscuous`;
  const span = seconds === null ? 'until Ctrl-C' : `for ${String(seconds)} s (Ctrl-C ends it)`;
  const versions = order.filter !== null && ignoresIpv6(order.filter) ? 'IPv4 only' : 'IPv4 and IPv6';
  return `listening on ${where}${namespaces} for ${what}${filter}, ${versions}, not inside tunnels, by ${backend}${mode}; ${span}`;
}

/** Where reset lines go, and whether there is a status line. */
function linesOf(
  plan: Plan,
  values: LiveValues,
  io: Io,
): { lines: Output | null; style: Style; statusStyle: Style | null } {
  const quiet = values.quiet === true;
  const talks = io.stderr.isTTY && !quiet;
  const lines = plan.format === 'tables' ? io.stdout : talks && plan.format !== 'capture' ? io.stderr : null;
  const styleFor = ({ isTTY, colorDepth, columns }: Output): Style => ({
    color: colorLevel({ option: plan.color, env: io.env, isTTY, colorDepth }),
    width: columns ?? width(io) ?? DEFAULT_WIDTH,
    utc: values.utc === true,
    unicode: supportsUnicode(io.env),
  });
  return {
    lines,
    style: styleFor(lines ?? io.stderr),
    statusStyle: talks && io.env['TERM'] !== 'dumb' ? styleFor(io.stderr) : null,
  };
}

/** The report of tables stands apart from the lines before it. */
function separated(format: Format, plan: Plan): Format {
  if (plan.format !== 'tables') return format;
  return { ...format, report: (report) => ['\n', ...format.report(report)] };
}

async function showSoFar(report: Report, { plan, values, io }: Running, screen: LiveScreen): Promise<void> {
  await screen.erase();
  // Dressed for standard error, whatever standard output carries.
  const asked = { ...plan, utc: values.utc === true, width: io.stderr.columns ?? width(io) ?? DEFAULT_WIDTH };
  const { report: render } = await tables(asked, { ...io, stdout: io.stderr });
  for (const text of render(report)) await io.stderr.write(text);
}
