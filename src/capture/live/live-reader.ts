/**
 * Several growing streams as one capture: their batches in the order in which they come, each frame with the interface
 * it came by.
 *
 * Never waits for one of them alone: where nothing comes it gives an empty batch some times a second, so that whoever
 * reads can look at the clock. Knows no programs; streams join and leave while it is read.
 */

import { FrameBatch, TimeSpan, type CaptureReader, type Damage, type Sieve } from '../frame-batch.js';
import type { OpenCapture } from '../open.js';
import { InterfaceTable, Relabel, type Surroundings } from './relabel.js';

/** How long to wait for frames before an empty batch is given: while the last ones may still be worked on, and later. */
const TICK_MS = 50;
const QUIET_TICK_MS = 250;
/** Empty batches after the last frames until it is quiet. */
const BUSY_TICKS = 60;

/** What a program that was killed leaves behind is no damage: that it went is told by who lost it. */
const ENDINGS: ReadonlySet<string> = new Set(['cut-off', 'read-error']);

interface Voice {
  readonly capture: OpenCapture;
  readonly relabel: Relabel;
  readonly around: () => Surroundings;
  readonly left: () => void;
  /** Changes each batch before anybody sees it. */
  readonly sift: ((batch: FrameBatch) => void) | null;
  batch: FrameBatch | null;
}

export class LiveReader implements CaptureReader {
  readonly dropped = null;
  /** Not asked: every frame gets its row, since every frame may be saved. */
  sieve: Sieve | null = null;
  /** The last batch was empty: everything that has come has been read. */
  idle = false;
  /** Hears of each batch and whose it is, before anybody else. */
  heard: ((capture: OpenCapture, batch: FrameBatch) => void) | null = null;
  private readonly table = new InterfaceTable();
  private readonly voices = new Set<Voice>();
  private readonly ready: Voice[] = [];
  private readonly noted: Damage[] = [];
  private readonly spans = new Set<TimeSpan>();
  /** Of the streams that have left. */
  private past = new TimeSpan();
  private given: Voice | null = null;
  private over = false;
  /** Empty batches since the last frames. */
  private ticks = 0;
  private fault: Error | null = null;
  private wake: () => void = () => undefined;
  private readonly nothing = new FrameBatch();

  get interfaces(): InterfaceTable['all'] {
    return this.table.all;
  }

  /** Of all frames of all streams so far. */
  get times(): TimeSpan {
    const all = new TimeSpan();
    for (const { firstSeconds, firstNanos, lastSeconds, lastNanos } of [this.past, ...this.spans]) {
      if (firstSeconds > lastSeconds) continue;
      all.add(firstSeconds, firstNanos);
      all.add(lastSeconds, lastNanos);
    }
    return all;
  }

  get damage(): readonly Damage[] {
    return this.noted;
  }

  /**
   * A stream joins. `device`: its one interface; null: any. `around` is asked for each batch, `left` hears of its end,
   * `sift` may take frames out of a batch.
   */
  join(
    capture: OpenCapture,
    device: string | null,
    around: () => Surroundings,
    left: () => void = () => undefined,
    sift: Voice['sift'] = null,
  ): void {
    const voice: Voice = { capture, relabel: new Relabel(this.table, device), around, left, sift, batch: null };
    this.voices.add(voice);
    this.spans.add(capture.reader.times);
    this.listen(voice);
  }

  /** No stream will join any more: once those that are there have ended, so does the reading. */
  end(): void {
    this.over = true;
    this.wake();
  }

  async next(): Promise<FrameBatch | null> {
    const { given } = this;
    this.given = null;
    if (given !== null) this.listen(given);
    for (;;) {
      if (this.fault !== null) throw this.fault;
      const voice = this.ready.shift();
      if (voice !== undefined && voice.batch !== null) {
        this.given = voice;
        this.idle = false;
        this.ticks = 0;
        voice.sift?.(voice.batch);
        this.heard?.(voice.capture, voice.batch);
        voice.relabel.apply(voice.batch, voice.capture.reader.interfaces, voice.around());
        return voice.batch;
      }
      if (this.over && this.voices.size === 0) return null;
      if (!(await this.stirred())) {
        this.idle = true;
        this.ticks++;
        return this.nothing;
      }
    }
  }

  /** Waits a while for a batch or an end; false: there was none. */
  private stirred(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => {
          this.wake = () => undefined;
          resolve(false);
        },
        this.ticks < BUSY_TICKS ? TICK_MS : QUIET_TICK_MS,
      );
      this.wake = () => {
        this.wake = () => undefined;
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  private listen(voice: Voice): void {
    voice.capture.reader.next().then(
      (batch) => {
        voice.batch = batch;
        if (batch === null) this.leave(voice);
        else this.ready.push(voice);
        this.wake();
      },
      (error: unknown) => {
        this.fault ??= error instanceof Error ? error : new Error(String(error));
        this.wake();
      },
    );
  }

  private leave(voice: Voice): void {
    this.voices.delete(voice);
    for (const damage of voice.capture.reader.damage) if (!ENDINGS.has(damage.reason)) this.noted.push(damage);
    this.past = this.times;
    this.spans.delete(voice.capture.reader.times);
    voice.capture.close();
    voice.left();
  }
}
