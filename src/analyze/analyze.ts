/**
 * The pipeline: batches of frames → segments → resets → report. The one way from a capture to an answer, for saved
 * captures and for growing ones.
 *
 * Prints nothing and opens nothing: sources, sinks, names and clocks are handed in.
 */

import type { Attributor } from '../attribute/attributor.js';
import { attributionComment } from '../attribute/comment.js';
import type { Attribution } from '../attribute/process.js';
import type { AddressTest } from '../base/address.js';
import { UserError } from '../base/errors.js';
import type { Moment } from '../base/time.js';
import type { CaptureFile } from '../capture/story.js';
import { factsOf, judge } from '../conversation/judge.js';
import { openedBy, type Reset } from '../conversation/reset.js';
import { asPartOf, type Pattern } from '../conversation/verdict.js';
import { Tracker, WANTED_FLAGS, type FrameListener } from '../conversation/tracker.js';
import { KEEP_ANY } from '../decode/net/tcp-layout.js';
import type * as announcementModule from '../report/announcement.js';
import type { Announcement } from '../report/announcement.js';
import { buildReport } from '../report/build.js';
import {
  asksForPattern,
  asksForVerdict,
  KEEP_ALL,
  keepsHeader,
  keepsVerdict,
  type FilterOptions,
} from '../report/filter.js';
import { Tally, type ConnectionCounts } from '../report/tally.js';
import type { AlertRow, Context, Incomplete, KernelReport, Report, ResetEvent, Source, Tool } from '../report/types.js';
import { byPlace, Casebook } from '../findings/casebook.js';
import { findAll } from '../findings/find.js';
import { PatternBook } from '../patterns/book.js';
import type { Cell } from '../patterns/cell.js';
import { PatternDesk, type Known } from '../patterns/desk.js';
import { LateNews } from '../patterns/late-news.js';
import { episodesOf, patternRows } from '../patterns/rows.js';
import { startScan, type Rows, type Scan } from '../scan/scan.js';
import { HeldFrames, type FrameSaver } from './held-frames.js';
import { Naming } from './naming.js';
import { notRead, sumDropped } from './not-read.js';
import { OtherFrames } from './other-frames.js';
import { Rewind, type RewindOrder } from './rewind.js';
import { sourceOf, windowOf } from './source.js';

export type { FrameSaver } from './held-frames.js';

/** The making of events, loaded only where events are wanted. */
type EventMaker = typeof announcementModule;

export interface AnalyzeOptions {
  readonly tool: Tool;
  readonly context: Context;
  readonly fold: boolean;
  readonly local: AddressTest | null;
  readonly filter: FilterOptions;
  /** Registered name of a TCP port. */
  readonly service: (port: number) => string | null;
  /** Finds out who is at the ends of the resets. */
  readonly attributor: Attributor;
  /** Whole command lines in what is saved. */
  readonly fullCommand: boolean;
  /** Fill `events` of the report. */
  readonly keepEvents: boolean;
  /** Takes each event as it settles, of a capture that was made before. */
  readonly onEvent: ((event: ResetEvent) => void) | null;
  /** Hears of each reset that is counted, with its facts and its verdict; `pattern` tells all at the end of the run. */
  readonly onReset?: (reset: Reset, who: Attribution, pattern: () => Pattern | null) => void;
  /** Saves the frames of the resets that the filter keeps; of a growing capture, all frames. */
  readonly writer: FrameSaver | null;
  /** What of a reset's connection is saved with it: of a growing capture that, and nothing else. Null: nothing. */
  readonly rewind?: RewindOrder | null;
  /** Hears how far the reading is, between batches; what it returns is awaited (a slow reader of our output). */
  readonly onProgress: ((progress: Progress) => Promise<void> | void) | null;
  /** Looks at all rows beside the tracker, behind it. */
  readonly onRows?: (rows: Rows) => void;
  /** Ends the input: what was read so far is reported. */
  readonly signal: AbortSignal;
  /** The capture grows while it is read; null: it was made before. */
  readonly growing: Growing | null;
}

/** What only the clock and the host can tell of a capture that grows. */
export interface Growing {
  /** Seconds that the frames of one reset may lie apart in the order in which they come. */
  readonly patience: number;
  /** Everything older than this, in seconds since 1970, has come; null while that can't be told. */
  readonly settledUntil: () => number | null;
  /** How often it has become less that is captured: beginnings and ends of connections alone. */
  readonly narrowed?: () => number;
  /** Resets to report; what comes after them is left out. Null: all. */
  readonly count: number | null;
  /** Hears that there are so many. */
  readonly onEnough: () => void;
  /** Takes each reset as soon as no copy of it can come any more. */
  readonly onReset: ((announcement: Announcement) => void) | null;
  /** Takes what was learnt of an event after `onReset` had it. */
  readonly onRevision: ((before: ResetEvent, after: ResetEvent) => void) | null;
  readonly facts: () => GrowingFacts;
  /** Compares what is captured with what the kernel counts. */
  readonly witness: Witness | null;
}

/** Hears of every reset of a growing capture, whatever the user's options leave out of the report. */
export interface Witness {
  /** It was captured: `view` as it is when no copy of it can come any more. */
  captured(view: Reset): void;
  /** It is in the report, with its verdict. */
  counted(reset: Reset, who: Attribution): void;
  /** Nothing more is captured; those that wait to be counted are counted after it. */
  finish(): Promise<void>;
}

export interface GrowingFacts {
  readonly source: Omit<Source, 'kind' | 'link_types' | 'files'>;
  /** Of the capturing, by the clock. */
  readonly start: Moment;
  readonly end: Moment;
  readonly incomplete: readonly Incomplete[];
  /** Packets lost, null where nobody says. */
  readonly dropped: number | null;
  /** Null while the capture goes on. */
  readonly kernel: KernelReport | null;
  readonly alerts: readonly AlertRow[];
}

/** Bytes as stored. */
export interface Progress {
  readonly bytes: number;
  readonly total: number | null;
  readonly resets: number;
  /** Frames folded into them. */
  readonly copies: number;
}

/** Events kept for `events`; each takes about a kilobyte. */
const MAX_EVENTS = 200_000;
/** Resets that wait until their pattern shows, where somebody asks for it: each takes a few kilobytes. */
const MOST_WAITING = 20_000;
const NOT_COUNTED: ConnectionCounts = { connectionsOf: () => null, connectionsOfPort: () => null };

/** Reads all `files` and reports. Throws a UserError when nothing could be read. */
export async function analyze(files: readonly CaptureFile[], options: AnalyzeOptions): Promise<Report> {
  return (await Analysis.start(files, options)).run();
}

/** One run of the pipeline. */
export class Analysis {
  private readonly tracker: Tracker;
  private readonly tally = new Tally();
  private readonly events: { readonly event: ResetEvent; readonly cell: Cell | null }[] = [];
  private readonly patterns = new PatternBook();
  private readonly casebook = new Casebook();
  private readonly desk: PatternDesk;
  private readonly news: LateNews | null;
  private readonly scan: Scan;
  /** What is being followed. */
  private rows: Rows | null = null;
  private readonly names: readonly string[];
  private readonly held: HeldFrames | null;
  private readonly others: OtherFrames | null;
  private readonly rewind: Rewind | null;
  private readonly naming: Naming;
  /** Of those that wait: they were of a pattern that is asked for when no copy of them could come any more. */
  private readonly foreseen = new Set<Reset>();
  /** What was said of resets that have not settled yet. */
  private readonly said = new Map<Reset, Announcement>();
  private announced = 0;
  private settled = 0;
  /** Of those that settled, how many are in the tally. */
  private counted = 0;
  /** Copies of what is in the tally or was filtered out. */
  private countedCopies = 0;
  private eventsOmitted = 0;
  private narrowed = 0;
  private filteredOut = 0;
  private readonly files: readonly CaptureFile[];
  private readonly options: AnalyzeOptions;
  private readonly maker: EventMaker | null;
  /** Asked for a report before the end. */
  private readonly askers: ((report: Report) => void)[] = [];

  private constructor(files: readonly CaptureFile[], options: AnalyzeOptions, maker: EventMaker | null) {
    this.files = files;
    this.options = options;
    this.maker = maker;
    this.names = files.map(({ name }) => name);
    const { fold, local, service, writer, growing, filter } = options;
    this.naming = new Naming(options.attributor, (reset, who) => {
      this.count(reset, who);
    });
    this.desk = new PatternDesk(this.waitsForPatterns() ? MOST_WAITING : 0, (known) => {
      this.include(known);
    });
    const { onRevision = null } = growing ?? {};
    this.news = onRevision === null ? null : new LateNews(onRevision);
    const rewind = writer === null ? null : (options.rewind ?? null);
    this.rewind = writer === null || rewind === null ? null : new Rewind(writer, rewind);
    const savesAll = writer !== null && growing !== null && rewind === null;
    this.held = writer === null || rewind !== null ? null : new HeldFrames(writer);
    this.others = savesAll && this.held !== null ? new OtherFrames(this.held, filter) : null;
    const keep = this.others?.needsHeaders === true ? KEEP_ANY : WANTED_FLAGS[options.context];
    const needed = rewind === null ? 'segments' : (rewind.admits ?? 'all');
    const frames = writer === null ? 'none' : savesAll ? 'all' : needed;
    this.scan = startScan(files, keep, frames);
    const registered = (port: number): boolean => service(port) !== null;
    this.tracker = new Tracker(
      growing === null
        ? { fold, local, registered }
        : {
            fold,
            local,
            registered,
            patience: growing.patience,
            announced: (reset, view) => {
              this.announce(growing, reset, view);
            },
          },
      (reset) => {
        this.settle(reset);
      },
      this.rewind !== null ? this.rewinding(this.rewind) : this.held === null ? null : this.listener(this.held),
    );
  }

  static async start(files: readonly CaptureFile[], options: AnalyzeOptions): Promise<Analysis> {
    const { onEvent, keepEvents, writer, growing } = options;
    const wanted = onEvent !== null || keepEvents || writer !== null || growing !== null;
    return new Analysis(files, options, wanted ? await import('../report/announcement.js') : null);
  }

  /** Reads to the end and reports. Throws a UserError when nothing could be read. */
  async run(): Promise<Report> {
    await this.read();
    const report = this.report();
    for (const answer of this.askers.splice(0)) answer(report);
    return report;
  }

  /** The report so far, of a growing capture: of the resets that no copy can come of any more. */
  soFar(): Promise<Report> {
    return new Promise((resolve) => {
      this.askers.push(resolve);
    });
  }

  private async read(): Promise<void> {
    const { scan } = this;
    const { signal, onProgress, growing } = this.options;
    const stop = (): void => {
      scan.stop();
    };
    signal.addEventListener('abort', stop);
    // A signal that came before there was anybody to hear it.
    if (signal.aborted) stop();
    try {
      for (let rows = await scan.next(); rows !== null; rows = await scan.next()) {
        this.rows = rows;
        this.rewind?.take(rows);
        this.tracker.follow(rows.segments, rows.plain, rows);
        this.others?.take(rows);
        this.options.onRows?.(rows);
        if (growing !== null) this.tick(growing);
        this.held?.flush();
        this.rewind?.flush();
        const { unique, copies } = this.tracker;
        if (onProgress !== null) await onProgress({ ...scan.progress, resets: unique, copies });
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await scan.close();
    }
    this.tracker.finish();
    // While the kernel is still traced: what it counts until then is told.
    await growing?.witness?.finish();
    await this.naming.finish();
    this.desk.finish();
    this.news?.look();
    this.held?.flush();
    this.rewind?.end();
  }

  /** Whoever streams events of a file can't take them back; what comes through a pipe is told as it happens. */
  private waitsForPatterns(): boolean {
    const { filter, growing, onEvent } = this.options;
    if (asksForPattern(filter)) return true;
    return growing === null && onEvent !== null && !this.files.some(({ once }) => once);
  }

  private tick(growing: Growing): void {
    const { tracker } = this;
    const narrowed = growing.narrowed?.() ?? 0;
    if (narrowed > this.narrowed) tracker.narrow();
    this.narrowed = narrowed;
    const until = growing.settledUntil();
    if (until !== null) {
      tracker.closeOlder(until);
      this.rewind?.expire(until);
    }
    this.naming.look();
    this.news?.look();
    if (this.askers.length === 0) return;
    // What may still get copies is in the next report: resets that keep coming keep no asker waiting.
    tracker.handOnWhole();
    const unique = this.counted + this.filteredOut;
    try {
      const report = this.report({ unique, copies: this.countedCopies });
      for (const answer of this.askers.splice(0)) answer(report);
    } catch (error) {
      // There is nothing to report yet; the asker hears of it at the end, with everybody else.
      if (!(error instanceof UserError)) throw error;
    }
  }

  private listener(held: HeldFrames): FrameListener {
    return {
      taken: (reset, row) => {
        const { rows } = this;
        const frames = rows?.frames ?? null;
        if (rows === null || frames === null) return;
        if (this.others !== null) this.others.showsReset(row, reset);
        else held.ofReset(rows, frames, row, reset);
      },
      joined: (root, twin) => {
        held.join(root, twin);
      },
    };
  }

  private rewinding(rewind: Rewind): FrameListener {
    return {
      taken: (reset, row) => {
        rewind.showsReset(row, reset);
      },
      joined: (root, twin) => {
        rewind.join(root, twin);
      },
    };
  }

  /** The fate of the frames that show the reset, and of those that are saved with them. */
  private release(reset: Reset, kept: boolean, comment: () => string): void {
    this.held?.release(reset, kept, comment);
    this.rewind?.release(reset, kept, comment());
  }

  /** No copy of the reset can come any more: whoever listens hears of it as it is known now. */
  private announce(growing: Growing, reset: Reset, view: Reset): void {
    const { filter, fullCommand } = this.options;
    const { maker } = this;
    growing.witness?.captured(view);
    const kept = keepsHeader(filter, view);
    const { port, host } = filter;
    const saved = this.options.writer !== null && keepsHeader({ ...KEEP_ALL, port, host }, view);
    if (!kept && !saved) {
      this.release(reset, false, () => '');
      return;
    }
    let announcement: Announcement | null = null;
    const who = this.naming.begin(reset, view, (known) => {
      this.learn(reset, view, known);
      if (maker !== null) this.release(reset, saved, () => commentOn(maker, view, true, known, fullCommand));
      // Whether it is one of those that are asked for is not known before.
      if (kept && asksForVerdict(filter)) announcement = this.tell(growing, reset, view, known);
      const revision = announcement?.revise(known, { ...view }) ?? null;
      if (revision !== null) growing.onRevision?.(revision.before, revision.after);
    });
    this.learn(reset, view, who);
    if (kept && !asksForVerdict(filter)) announcement = this.tell(growing, reset, view, who);
  }

  /** What the system knows goes into the verdict, and says who serves where nothing else does. */
  private learn(reset: Reset, view: Reset, { kernel }: Attribution): void {
    if (kernel.opener !== null && view.resetBy === 'unknown') {
      openedBy(view, kernel.opener);
      openedBy(reset, kernel.opener);
    }
    view.verdict = judge(factsOf(view, kernel));
  }

  private tell(growing: Growing, reset: Reset, view: Reset, who: Attribution): Announcement | null {
    const { maker } = this;
    // What those like it are part of so far: a filter for patterns goes by that, as far as it can.
    const pattern = view.verdict.pattern ?? this.patterns.peek(view, who);
    if (!keepsVerdict(this.options.filter, asPartOf(view.verdict, pattern))) return null;
    if (this.options.filter.patterns !== null) this.foreseen.add(reset);
    this.announced++;
    if (growing.count !== null && this.announced >= growing.count) growing.onEnough();
    if (maker === null || growing.onReset === null || this.announced > (growing.count ?? Infinity)) return null;
    const announcement = new maker.Announcement({ ...view }, who);
    this.said.set(reset, announcement);
    growing.onReset(announcement);
    return announcement;
  }

  private settle(reset: Reset): void {
    const { filter, growing } = this.options;
    const kept = keepsHeader(filter, reset) && (asksForVerdict(filter) || this.settled < (growing?.count ?? Infinity));
    if (!kept) {
      this.naming.drop(reset);
      this.leaveOut(reset);
      return;
    }
    this.settled++;
    this.naming.settle(reset);
  }

  private leaveOut(reset: Reset): void {
    this.filteredOut++;
    this.countedCopies += copiesOf(reset);
    if (this.options.growing === null) this.release(reset, false, () => '');
    this.foreseen.delete(reset);
    this.said.delete(reset);
  }

  /** The reset is known in every respect but what it is part of. */
  private count(reset: Reset, who: Attribution): void {
    this.learn(reset, reset, who);
    this.desk.take({ reset, who, cell: this.patterns.add(reset, who) });
  }

  /** What the reset is part of is known as far as it may be waited for. */
  private include({ reset, who, cell }: Known): void {
    const { filter, onEvent, keepEvents, growing, fullCommand } = this.options;
    const { maker } = this;
    if (cell !== null) reset.verdict = asPartOf(reset.verdict, cell.pattern);
    if (!keepsVerdict(filter, reset.verdict) || this.counted >= (growing?.count ?? Infinity)) {
      // Whoever was told of it hears why the report leaves it out.
      const late = this.said.get(reset)?.revise(who, reset) ?? null;
      if (late !== null) growing?.onRevision?.(late.before, late.after);
      this.leaveOut(reset);
      return;
    }
    if (growing === null && maker !== null) {
      this.release(reset, true, () => commentOn(maker, reset, false, who, fullCommand));
    }
    // Nobody was told of it before it was known to be of a pattern that is asked for.
    if (growing !== null && filter.patterns !== null && !this.foreseen.has(reset))
      this.tell(growing, reset, { ...reset }, who);
    this.foreseen.delete(reset);
    const said = this.said.get(reset) ?? null;
    const revision = said?.revise(who, reset) ?? null;
    this.said.delete(reset);
    this.counted++;
    this.countedCopies += copiesOf(reset);
    if (cell !== null) cell.reported++;
    this.tally.add(reset, who, cell);
    this.casebook.add(reset, who, cell);
    const told = said?.told ?? null;
    if (cell !== null && told !== null && cell.pattern === null) this.news?.wait(cell, revision?.after ?? told);
    this.options.onReset?.(reset, who, () => cell?.pattern ?? null);
    growing?.witness?.counted(reset, who);
    if (maker === null || (onEvent === null && !keepEvents && revision === null)) return;
    const event = revision?.after ?? maker.eventOf(reset, growing === null ? this.names : null, who);
    onEvent?.(event);
    if (revision !== null) growing?.onRevision?.(revision.before, event);
    if (!keepEvents) return;
    if (this.events.length < MAX_EVENTS) this.events.push({ event, cell });
    else this.eventsOmitted++;
  }

  /** Of so many resets, which have settled. */
  private report({ unique, copies }: { unique: number; copies: number } = this.tracker): Report {
    const { options, scan, names } = this;
    const growing = options.growing?.facts() ?? null;
    const incomplete = [...notRead(scan, this.files, names, growing !== null), ...(growing?.incomplete ?? [])];
    const { after, before } = options.filter;
    const episodes = episodesOf(this.patterns.cells);
    const { cases } = this.casebook;
    return buildReport({
      tool: options.tool,
      source: sourceOf(scan, names, options.context, growing),
      window: windowOf(scan, growing),
      after,
      before,
      counts: { ...scan.counts, resets: unique + copies },
      copies,
      unique,
      filteredOut: this.filteredOut,
      dropped: growing === null ? sumDropped(scan) : growing.dropped,
      tally: this.tally,
      // Those that were opened outside of the window are among them.
      connections: after === null && before === null ? this.tracker : NOT_COUNTED,
      forgotten: this.tracker.forgotten,
      failedConnects: options.attributor.failedConnects,
      kernel: growing?.kernel ?? null,
      alerts: growing?.alerts ?? [],
      incomplete,
      patterns: patternRows(episodes),
      findings: findAll({
        cases,
        at: byPlace(cases),
        episodes,
        serverFacts: (server) => this.tracker.serverFacts(server),
        resets: this.counted,
        live: growing !== null,
        files: names,
      }),
      events: this.events.map(({ event, cell }) => {
        const pattern = cell?.pattern ?? null;
        return event.pattern === pattern ? event : { ...event, pattern };
      }),
      eventsOmitted: this.eventsOmitted,
      service: options.service,
    });
  }
}

function commentOn(maker: EventMaker, reset: Reset, live: boolean, who: Attribution, fullCommand: boolean): string {
  const { cause, confidence } = reset.verdict;
  return attributionComment(maker.eventId(reset, live), cause, confidence, who, fullCommand);
}

function copiesOf({ copies }: Reset): number {
  return copies?.frames.length ?? 0;
}
