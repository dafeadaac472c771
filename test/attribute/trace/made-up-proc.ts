/** A /proc of tasks as a test wants it, for what looks processes up. */
import type { Process } from '../../../src/attribute/process.js';
import { Programs, type ProcessSource } from '../../../src/attribute/trace/programs.js';
import { someProcess } from '../sockets/made-up.js';

export const SECOND = 1e9;
export const T0 = 1000 * SECOND;

interface Entry {
  process: Process | 'permission';
  /** Nanoseconds since boot. */
  started: number;
}

export class MadeUp implements ProcessSource {
  readonly tasks = new Map<number, Entry>();
  reads = 0;
  time = T0;
  /** What the clocks are apart. */
  slept = 0;

  read(task: number): Process | 'gone' | 'permission' {
    this.reads++;
    return this.tasks.get(task)?.process ?? 'gone';
  }

  startTicks(task: number): number | null {
    const entry = this.tasks.get(task);
    return entry === undefined ? null : Math.floor(entry.started / 1e7);
  }

  netns(pid: number): number | null {
    const entry = this.tasks.get(pid);
    return entry === undefined || entry.process === 'permission' ? null : entry.process.netns;
  }

  now(): number {
    return this.time;
  }

  epoch(ns: number): number {
    return 1_700_000_000 + ns / 1e9;
  }

  sinceBoot(ns: number): number {
    return ns + this.slept;
  }

  put(task: number, more: Partial<Process> = {}, started = T0): this {
    this.tasks.set(task, { process: someProcess(task, more), started });
    return this;
  }

  /** A process that has ended and was not waited for. */
  zombie(task: number, name: string, started = T0): this {
    return this.put(task, { name, exe: null, command: null, user: null, netns: null }, started);
  }
}

/** What is asked at a time is read at that time. */
class Timed extends Programs {
  private readonly madeUp: MadeUp;

  constructor(source: MadeUp) {
    super(source);
    this.madeUp = source;
  }

  override readYoung(now: number, more: () => boolean): void {
    this.madeUp.time = now;
    super.readYoung(now, more);
  }

  override who(task: number, at: number, now: number): Process | null {
    this.madeUp.time = now;
    return super.who(task, at, now);
  }
}

export function made(source = new MadeUp()): { source: MadeUp; programs: Programs } {
  return { source, programs: new Timed(source) };
}
