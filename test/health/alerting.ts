/** Seconds of counters for the alerts, and what they say of them. */
import { AlertWatch, NO_LIMITS, type Limits } from '../../src/health/alert-watch.js';
import type { AlertRow } from '../../src/report/types.js';

/** Seconds of the clock at the first reading: no round number. */
export const BEGIN = 7311.25;
/** Of the host, then: long enough for Netdata. */
export const UPTIME = 90_000;
/** Of the wall clock, then: 2026-03-01T12:00:00Z. */
const WALL = 1_772_366_400_000;

/** The wall clock so many seconds after the first reading. */
export function timeAt(seconds: number): string {
  return new Date(WALL + seconds * 1000).toISOString();
}

export class Run {
  readonly watch: AlertWatch;
  /** Seconds since the first reading. */
  seconds = 0;
  private readonly uptime: (seconds: number) => number | null;

  constructor(limits: Partial<Limits> = {}, uptime: (seconds: number) => number | null = (s) => UPTIME + s) {
    this.watch = new AlertWatch({ ...NO_LIMITS, ...limits }, "the host's network namespace");
    this.uptime = uptime;
    this.read(0, 0, 0);
  }

  /** One reading, `after` seconds after the last one. */
  read(after: number, sent: number, failed = 0): this {
    this.seconds += after;
    const rose = new Map([
      ['OutRsts', sent],
      ['AttemptFails', failed],
      ['TCPAbortOnClose', 77],
    ]);
    const tick = { at: BEGIN + this.seconds, uptime: this.uptime(this.seconds), time: timeAt(this.seconds) };
    this.watch.add(tick, rose);
    return this;
  }

  /** So many seconds, a reading each. */
  each(seconds: number, sent: number, failed = 0): this {
    for (let i = 0; i < seconds; i++) this.read(1, sent, failed);
    return this;
  }

  row(id: string): AlertRow {
    const row = this.watch.rows.find((one) => one.id === id);
    if (row === undefined) throw new Error(`there is no row of ${id}`);
    return row;
  }

  get sent(): AlertRow {
    return this.row('netdata_resets_sent');
  }

  get failed(): AlertRow {
    return this.row('netdata_resets_received');
  }
}
