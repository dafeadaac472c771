/**
 * The pipeline: batches of frames → segments → resets → report. The one way from a capture to an answer, for saved
 * captures and for growing ones.
 *
 * Prints nothing and opens nothing: sources, sinks and names are handed in.
 */

import type { AddressTest } from './base/address.js';
import { UserError } from './base/errors.js';
import { plural, printable } from './base/text.js';
import type { Damage } from './capture/frame-batch.js';
import { shellQuote } from './capture/refusal.js';
import type { CaptureFile } from './capture/story.js';
import type { CaptureWriter, HeldFrame } from './capture/writer.js';
import { linkTypeName } from './decode/link-types.js';
import { RST } from './decode/net/tcp.js';
import type { Reset } from './conversation/reset.js';
import { Tracker, WANTED_FLAGS } from './conversation/tracker.js';
import { buildReport, contextOf } from './report/build.js';
import type * as eventModule from './report/event.js';
import { keeps, type FilterOptions } from './report/filter.js';
import { Tally } from './report/tally.js';
import type { Context, Incomplete, Report, ResetEvent, Source, Tool } from './report/types.js';
import { WindowTally } from './report/window.js';
import { startScan, type Rows, type Scan } from './scan/scan.js';

/** What frames are handed to that shall be saved. */
export type FrameSaver = Pick<CaptureWriter, 'hold' | 'flush'>;

/** The making of events, loaded only where events are wanted. */
type EventMaker = typeof eventModule;

export interface AnalyzeOptions {
  readonly tool: Tool;
  readonly context: Context;
  readonly fold: boolean;
  readonly local: AddressTest | null;
  readonly filter: FilterOptions;
  /** Registered name of a TCP port. */
  readonly service: (port: number) => string | null;
  /** Fill `events` of the report. */
  readonly keepEvents: boolean;
  /** Takes each event as it settles. */
  readonly onEvent: ((event: ResetEvent) => void) | null;
  /** Saves the frames of the resets that the filter keeps. */
  readonly writer: FrameSaver | null;
  /** Hears how far the reading is, between batches; what it returns is awaited (a slow reader of our output). */
  readonly onProgress: ((progress: Progress) => Promise<void> | void) | null;
  /** Ends the input: what was read so far is reported. */
  readonly signal: AbortSignal;
}

/** Bytes as stored. */
export interface Progress {
  readonly bytes: number;
  readonly total: number | null;
  readonly resets: number;
}

/** Events kept for `events`; each takes about a kilobyte. */
const MAX_EVENTS = 200_000;

/** Reads all `files` and reports. Throws a UserError when nothing could be read. */
export async function analyze(files: readonly CaptureFile[], options: AnalyzeOptions): Promise<Report> {
  const { onEvent, keepEvents, writer } = options;
  const wanted = onEvent !== null || keepEvents || writer !== null;
  const run = new Run(files, options, wanted ? await import('./report/event.js') : null);
  await run.read();
  return run.report();
}

class Run {
  private readonly tracker: Tracker;
  private readonly tally = new Tally();
  private readonly window = new WindowTally();
  private readonly events: ResetEvent[] = [];
  private readonly incomplete: Incomplete[] = [];
  private readonly scan: Scan;
  /** What is being followed. */
  private rows: Rows | null = null;
  private readonly names: readonly string[];
  private readonly held = new Map<Reset, HeldFrame[]>();
  private eventsOmitted = 0;
  private filteredOut = 0;
  private readonly files: readonly CaptureFile[];
  private readonly options: AnalyzeOptions;
  private readonly maker: EventMaker | null;

  constructor(files: readonly CaptureFile[], options: AnalyzeOptions, maker: EventMaker | null) {
    this.files = files;
    this.options = options;
    this.maker = maker;
    this.names = files.map(({ name }) => name);
    const { fold, local, service, writer } = options;
    this.scan = startScan(files, options.context === 'resets' ? RST : WANTED_FLAGS, writer !== null);
    this.tracker = new Tracker(
      { fold, local, registered: (port) => service(port) !== null },
      (reset) => {
        this.settle(reset);
      },
      writer === null
        ? null
        : (reset, row) => {
            this.hold(writer, reset, row);
          },
    );
  }

  async read(): Promise<void> {
    const { scan } = this;
    const { signal, onProgress, writer } = this.options;
    const stop = (): void => {
      scan.stop();
    };
    signal.addEventListener('abort', stop);
    // A signal that came before there was anybody to hear it.
    if (signal.aborted) stop();
    try {
      for (let rows = await scan.next(); rows !== null; rows = await scan.next()) {
        this.rows = rows;
        this.tracker.follow(rows.segments, rows);
        writer?.flush();
        if (onProgress !== null) await onProgress({ ...scan.progress, resets: this.tracker.unique });
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await scan.close();
    }
    this.tracker.finish();
    this.finish();
  }

  private settle(reset: Reset): void {
    const { filter, onEvent, keepEvents } = this.options;
    const { maker } = this;
    const kept = keeps(filter, reset);
    this.release(reset, kept);
    if (!kept) {
      this.filteredOut++;
      return;
    }
    this.tally.add(reset);
    if (maker === null || (onEvent === null && !keepEvents)) return;
    const event = maker.eventOf(reset, this.names);
    onEvent?.(event);
    if (!keepEvents) return;
    if (this.events.length < MAX_EVENTS) this.events.push(event);
    else this.eventsOmitted++;
  }

  private hold(writer: FrameSaver, reset: Reset, i: number): void {
    const frames = this.rows?.frames ?? null;
    if (frames === null) return;
    const start = frames.start[i] ?? 0;
    const described = this.rows?.interfaces[frames.iface[i] ?? 0];
    const frame = writer.hold({
      bytes: frames.bytes.slice(start, start + (frames.captured[i] ?? 0)),
      original: frames.original[i] ?? 0,
      seconds: frames.seconds[i] ?? NaN,
      nanos: frames.nanos[i] ?? 0,
      from: {
        key: `${String(reset.file)}/${String(frames.iface[i] ?? 0)}`,
        linkType: described?.linkType ?? 0,
        name: described?.name ?? null,
        snaplen: described?.snaplen ?? 0,
        digits: described?.fractionDigits ?? 6,
      },
    });
    const all = this.held.get(reset);
    if (all === undefined) this.held.set(reset, [frame]);
    else all.push(frame);
  }

  private release(reset: Reset, kept: boolean): void {
    const all = this.held.get(reset);
    if (all === undefined || this.maker === null) return;
    this.held.delete(reset);
    const { cause, confidence } = reset.verdict;
    const comment = `rstscope: cause=${cause} confidence=${confidence} id=${this.maker.eventId(reset)}`;
    for (const frame of all) {
      frame.fate = kept ? 'kept' : 'dropped';
      frame.comment = comment;
    }
  }

  private note(file: number | null, damage: Damage): void {
    this.incomplete.push({
      reason: damage.reason,
      interface: damage.interface,
      gap_seconds: null,
      file: file === null ? null : (this.names[file] ?? null),
      byte: damage.byte,
      message: damage.message,
    });
  }

  /** What the readers and the decoder could not read. */
  private finish(): void {
    const { captures, unopened, counts, linkTypes } = this.scan;
    for (const { file, error } of unopened) {
      if (!(error instanceof UserError)) throw error;
      this.note(file, { reason: 'file-missing', interface: null, byte: null, message: error.message });
    }
    const [first] = unopened;
    if (captures.length === 0 && first !== undefined) throw this.nothingOpened(first.error);
    for (const { file, interfaces, times, damage } of captures) {
      this.window.add(times, Math.max(0, ...new Set(interfaces.map(({ fractionDigits }) => fractionDigits))));
      for (const each of damage) this.note(file, each);
    }
    const { seen, unknownLink } = counts;
    const unknown = [...linkTypes].filter(([, frames]) => frames > 0);
    const types = unknown.map(([type]) => linkTypeName(type)).join(', ');
    if (unknownLink > 0 && unknownLink === seen) {
      throw new UserError(
        'undecodable',
        `nothing in ${this.names.map((name) => printable(name)).join(', ')} can be decoded: ${plural(seen, 'frame')} of link type ${types}, which rstscope does not know`,
        `tshark -r ${shellQuote(this.names[0] ?? 'FILE')}`,
      );
    }
    for (const [type, frames] of unknown) {
      this.note(null, {
        reason: 'undecodable-link-type',
        interface: null,
        byte: null,
        message: `${plural(frames, 'frame')} of ${plural(seen, 'frame')} could not be decoded: link type ${linkTypeName(type)}`,
      });
    }
    const dropped = this.dropped();
    if (dropped !== null && dropped > 0) {
      this.note(null, {
        reason: 'packets-dropped',
        interface: null,
        byte: null,
        message: `${plural(dropped, 'packet')} dropped while capturing, by the file's own statistics: counts are too low`,
      });
    }
    // A pipe that is interrupted has had its natural end; of a file, the rest was there and was not read.
    if (this.scan.endedEarly && (captures.length === 0 || captures.some(({ hasEnd }) => hasEnd))) {
      this.note(null, { reason: 'interrupted', interface: null, byte: null, message: 'reading was interrupted' });
    }
  }

  private nothingOpened(first: unknown): UserError {
    if (first instanceof UserError && this.files.length === 1) return first;
    return new UserError(
      'no-captures',
      `none of ${plural(this.files.length, 'file')} could be read; the first: ${first instanceof Error ? first.message : String(first)}`,
    );
  }

  private dropped(): number | null {
    let sum: number | null = null;
    for (const { dropped } of this.scan.captures) if (dropped !== null) sum = (sum ?? 0) + dropped;
    return sum;
  }

  report(): Report {
    const { options, scan, tracker } = this;
    return buildReport({
      tool: options.tool,
      source: this.source(),
      window: this.window,
      after: options.filter.after,
      before: options.filter.before,
      counts: scan.counts,
      copies: tracker.copies,
      unique: tracker.unique,
      filteredOut: this.filteredOut,
      dropped: this.dropped(),
      tally: this.tally,
      incomplete: this.incomplete,
      events: this.events,
      eventsOmitted: this.eventsOmitted,
      service: options.service,
    });
  }

  private source(): Source {
    const interfaces = new Set<string>();
    for (const capture of this.scan.captures)
      for (const { name } of capture.interfaces) if (name !== null) interfaces.add(name);
    return {
      kind: 'file',
      interfaces: [...interfaces],
      files: this.names,
      filter: null,
      backend: null,
      link_types: [...this.scan.linkTypes.keys()].map(linkTypeName),
      context: leaner(contextOf(this.scan.counts), this.options.context),
      timestamps: null,
      trace: 'off',
      namespaces: [],
    };
  }
}

const ORDER: readonly Context[] = ['resets', 'control', 'full'];

/** What was both there and asked for. */
function leaner(a: Context, b: Context): Context {
  return ORDER.indexOf(a) < ORDER.indexOf(b) ? a : b;
}
