/** The progress line on a terminal: drawn after half a second, a few times a second, gone before the report. */

import type { Progress } from '../analyze/analyze.js';
import type { Io } from './io.js';

const FIRST_MS = 500;
const EVERY_MS = 200;
const ERASE_LINE = '\r\u001b[2K';

export class ProgressBar {
  private readonly io: Io;
  private readonly begun: number;
  private drawn = -Infinity;
  private visible = false;

  constructor(io: Io) {
    this.io = io;
    this.begun = io.now();
  }

  async show({ bytes, total, resets }: Progress): Promise<void> {
    const now = this.io.now();
    if (now - this.begun < FIRST_MS || now - this.drawn < EVERY_MS) return;
    this.drawn = now;
    this.visible = true;
    // Most runs are over before there is a line to draw.
    const { progressLine } = await import('../render/progress.js');
    const line = progressLine(
      { bytes, total, resets, elapsedSeconds: (now - this.begun) / 1000 },
      this.io.stderr.columns ?? 80,
    );
    await this.io.stderr.write(`${ERASE_LINE}${line}`);
  }

  async erase(): Promise<void> {
    if (this.visible) await this.io.stderr.write(ERASE_LINE);
    this.visible = false;
  }
}
