/**
 * What is shown while a live capture runs: a line for each reset and, on a terminal, a status line at the foot that
 * stays put.
 *
 * The lines go to standard output where it shows tables, else to standard error if that is a terminal.
 */

import type { Progress } from '../analyze/analyze.js';
import { LiveLines } from '../render/live-lines.js';
import { Minute, statusLine } from '../render/live-status.js';
import type { Style } from '../render/style.js';
import type { Announcement } from '../report/announcement.js';
import type { Io, Output } from './io.js';

/** The status line is drawn at most five times a second. */
const REPAINT_MS = 200;
const ERASE_LINE = '\r\u001b[2K';

export interface ScreenOptions {
  /** Where lines go; null: nowhere. */
  readonly lines: Output | null;
  readonly style: Style;
  /** Of the status line; null: there is none. */
  readonly statusStyle: Style | null;
  /** Null: until somebody ends it. */
  readonly seconds: number | null;
  /** Packets known to be lost. */
  readonly lost: () => number | null;
}

export class LiveScreen {
  private readonly io: Io;
  private readonly options: ScreenOptions;
  private readonly lines: LiveLines | null;
  private readonly minute: Minute;
  private readonly begun: number;
  private pending = '';
  private resets = 0;
  private drawn = -Infinity;
  private visible = false;

  constructor(io: Io, options: ScreenOptions) {
    this.io = io;
    this.options = options;
    this.begun = io.now();
    this.minute = new Minute(this.begun);
    this.lines = options.lines === null ? null : new LiveLines(options.style, options.lines.isTTY);
  }

  /** Somebody looks on. */
  get listens(): boolean {
    return this.lines !== null || this.options.statusStyle !== null;
  }

  readonly announce = (seen: Announcement): void => {
    const now = this.io.now();
    this.resets++;
    this.minute.add(now, 1);
    if (this.lines !== null) this.pending += this.lines.add(seen, () => seen.event(), now);
  };

  /** Writes what is due. */
  async show({ copies }: Progress): Promise<void> {
    const now = this.io.now();
    if (this.lines !== null) this.pending += this.lines.tick(now, false);
    const { statusStyle, seconds, lost } = this.options;
    // Lines wait as well: for them the status line would have to go and to be drawn anew.
    if (statusStyle !== null && now - this.drawn < REPAINT_MS) return;
    await this.writeLines();
    if (statusStyle === null) return;
    this.drawn = now;
    const elapsedSeconds = (now - this.begun) / 1000;
    const line = statusLine(
      {
        elapsedSeconds,
        leftSeconds: seconds === null ? null : Math.max(0, seconds - elapsedSeconds),
        resets: this.resets,
        rate: this.minute.rate(now),
        lastMinute: this.minute.counts(now),
        copies,
        lost: lost(),
      },
      this.io.stderr.columns ?? statusStyle.width,
      statusStyle,
    );
    this.visible = true;
    await this.io.stderr.write(`${ERASE_LINE}${line}`);
  }

  /** The last lines; the status line goes. */
  async end(): Promise<void> {
    if (this.lines !== null) this.pending += this.lines.tick(this.io.now(), true);
    await this.writeLines();
    await this.erase();
  }

  /** Makes room for other text on the terminal. */
  async erase(): Promise<void> {
    if (this.visible) await this.io.stderr.write(ERASE_LINE);
    this.visible = false;
  }

  private async writeLines(): Promise<void> {
    const text = this.pending;
    if (text === '') return;
    this.pending = '';
    await this.erase();
    await this.options.lines?.write(text);
  }
}
