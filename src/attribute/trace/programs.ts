/**
 * Which process a task was at a time: by /proc while it lives, by what the trace told of its birth and the kernel still
 * remembers when it has gone, which with programs that connect once is the rule.
 *
 * Knows no sockets.
 */

import type { Process } from '../process.js';

/** Where processes are looked up. */
export interface ProcessSource {
  /** Of a task that is a thread, the process it belongs to. */
  read(task: number): Process | 'gone' | 'permission';
  /** When the task itself started, in the kernel's ticks since boot; null: there is none. */
  startTicks(task: number): number | null;
  /** What the kernel remembers of tasks that have gone. Dear: a millisecond for all. */
  remembered(): { readonly names: ReadonlyMap<number, string>; readonly processes: ReadonlyMap<number, number> };
  /** Seconds since 1970 of a time on the ring's clock. */
  epoch(ns: number): number;
  /** Nanoseconds since boot of a time on the ring's clock, which stands still while the machine sleeps. */
  sinceBoot(ns: number): number;
}

interface Birth {
  readonly at: number;
  readonly parent: number;
  readonly name: string | null;
}

interface Program {
  readonly task: number;
  /** Null: it was there before. */
  readonly birth: Birth | null;
  /** What it executed last, and when. */
  exec: { readonly at: number; readonly file: string | null } | null;
  /** As it was read last. */
  read: { readonly at: number; readonly process: Process } | null;
  /** The task that had this number before. */
  readonly before: Program | null;
}

const MAX_PROGRAMS = 16_384;
const TICKS_A_SECOND = 100;
/** A tick, and what the two clocks may be apart. */
const START_SLACK_NS = 30e6;
/** A process may be another user's, or have moved, after a while. */
const FRESH_NS = 5e9;
const MAX_DEPTH = 4;

export class Programs {
  private readonly byTask = new Map<number, Program>();
  private readonly source: ProcessSource;
  private memory: ReturnType<ProcessSource['remembered']> | null = null;
  /** Tasks that were born or have executed something, and were not read since. */
  private fresh = new Set<number>();

  constructor(source: ProcessSource) {
    this.source = source;
  }

  forked(task: number, parent: number, name: string | null, at: number): void {
    const known = this.byTask.get(task) ?? null;
    const before = known === null ? null : { ...known, before: null };
    this.put({ task, birth: { at, parent, name }, exec: null, read: null, before });
  }

  executed(task: number, file: string | null, at: number): void {
    const program = this.programOf(task);
    program.exec = { at, file };
    this.fresh.delete(task);
    this.fresh.add(task);
  }

  /** Events were lost: births may be among them. */
  lost(): void {
    this.byTask.clear();
    this.fresh.clear();
  }

  /** A new round: what the kernel remembers is asked anew. */
  begin(): void {
    this.memory = null;
  }

  /**
   * Reads the youngest programs before they are gone, while `more` says so. Without it a program that lives for less than
   * a poll would have no command line.
   */
  readYoung(now: number, more: () => boolean): void {
    const young = [...this.fresh].reverse();
    this.fresh.clear();
    for (const task of young) {
      if (!more()) return;
      const program = this.byTask.get(task);
      if (program !== undefined) this.readNow(program, now);
    }
  }

  /** Null: nothing certain is known of it. `now`: on the ring's clock. */
  who(task: number, at: number, now: number): Process | null {
    return this.ask(task, at, now, 0);
  }

  private ask(task: number, at: number, now: number, depth: number): Process | null {
    let program: Program | null = this.programOf(task);
    while (program !== null && program.birth !== null && program.birth.at > at) program = program.before;
    if (program === null) return null;
    const { read, exec } = program;
    const isFresh = read !== null && now - read.at < FRESH_NS && (exec === null || exec.at <= read.at);
    if (!isFresh && program === this.byTask.get(task)) this.readNow(program, now, at);
    return program.read !== null && (exec === null || exec.at <= program.read.at || exec.at > at)
      ? program.read.process
      : this.fromMemory(program, now, depth);
  }

  private programOf(task: number): Program {
    const known = this.byTask.get(task);
    if (known !== undefined) return known;
    return this.put({ task, birth: null, exec: null, read: null, before: null });
  }

  private readNow(program: Program, now: number, at = program.birth?.at ?? now): void {
    const { source } = this;
    const ticks = source.startTicks(program.task);
    // Another task has the number by now.
    if (ticks === null || (ticks / TICKS_A_SECOND) * 1e9 > source.sinceBoot(at) + START_SLACK_NS) return;
    const process = source.read(program.task);
    if (typeof process === 'string' || source.startTicks(program.task) !== ticks) return;
    const known = program.read?.process;
    // A process that is ending has let go of its memory: what was known of it before is still true.
    const ending = process.command === null && known !== undefined && known.pid === process.pid;
    program.read = { at: now, process: ending ? { ...known, ppid: process.ppid, parent: process.parent } : process };
  }

  /** Of a program that has gone unread. */
  private fromMemory(program: Program, now: number, depth: number): Process | null {
    const { task, birth, exec } = program;
    this.memory ??= this.source.remembered();
    const pid = this.memory.processes.get(task) ?? null;
    // A thread is its process, which mostly outlives it.
    if (pid !== null && pid !== task && depth < MAX_DEPTH) return this.ask(pid, now, now, depth + 1);
    // Whether it was a thread or a process is not known, and a thread's number is no PID.
    if (pid === null && exec === null) return null;
    const parent = birth === null || depth >= MAX_DEPTH ? null : this.ask(birth.parent, birth.at, now, depth + 1);
    const file = exec?.file ?? null;
    const name = this.memory.names.get(task) ?? (file === null ? null : baseName(file)) ?? birth?.name ?? null;
    // Without an exec of its own it is what its parent was.
    const inherited = exec === null ? parent : null;
    return {
      pid: task,
      ppid: parent?.pid ?? null,
      parent: parent?.name ?? null,
      name,
      exe: file === null ? (inherited?.exe ?? null) : file.startsWith('/') ? file : null,
      command: inherited?.command ?? null,
      user: null,
      unit: null,
      container: null,
      netns: null,
      started: birth === null ? null : Math.round(this.source.epoch(birth.at) * TICKS_A_SECOND) / TICKS_A_SECOND,
    };
  }

  private put(program: Program): Program {
    const { task } = program;
    this.byTask.delete(task);
    this.byTask.set(task, program);
    this.fresh.delete(task);
    this.fresh.add(task);
    if (this.byTask.size > MAX_PROGRAMS) {
      const [oldest] = this.byTask.keys();
      if (oldest !== undefined) {
        this.byTask.delete(oldest);
        this.fresh.delete(oldest);
      }
    }
    return program;
  }
}

/** What the kernel makes a command's name of. */
function baseName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).slice(0, 15);
}
