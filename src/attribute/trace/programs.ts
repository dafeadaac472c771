/**
 * Which process a task was at a time: by /proc while it lives, by what the trace told of its birth when it has gone,
 * which with programs that connect once is the rule.
 *
 * Knows no sockets.
 */

import type { Process } from '../process.js';

/** Where processes are looked up. */
export interface ProcessSource {
  /** Of a task that is a thread, the process it belongs to. */
  read(task: number): Process | 'gone' | 'permission';
  /** Network namespace that it is in now; null: it can't be told. */
  netns(pid: number): number | null;
  /** When the task itself started, in the kernel's ticks since boot; null: there is none. */
  startTicks(task: number): number | null;
  /** The ring's clock. */
  now(): number;
  /** Seconds since 1970 of a time on the ring's clock. */
  epoch(ns: number): number;
  /** Nanoseconds since boot of a time on the ring's clock, which stands still while the machine sleeps. */
  sinceBoot(ns: number): number;
}

/** As the trace told it. */
interface Birth {
  readonly at: number;
  readonly parent: number;
  /** A thread of the process that its parent is a task of. */
  readonly isThread: boolean;
}

interface Program {
  readonly task: number;
  /** Null: it was there before. */
  readonly birth: Birth | null;
  /** By the trace; null: it did not say. */
  name: string | null;
  /** What it executed last, and when. */
  exec: { readonly at: number; readonly file: string | null } | null;
  /** As it was read last, between two times. */
  read: { readonly from: number; readonly at: number; readonly process: Process } | null;
  /** It was looked for and not found: the task has ended. */
  gone: boolean;
  /** The task that had this number before. */
  readonly before: Program | null;
}

const MAX_PROGRAMS = 16_384;
const TICKS_A_SECOND = 100;
/** A tick, and what the two clocks may be apart. */
const START_SLACK_NS = 30e6;
/** A process may have become another user's, or its parent have ended, after a while. */
const FRESH_NS = 5e9;
/** Until then it may be getting ready for what it will be. */
const YOUNG_NS = 1e9;
const MAX_DEPTH = 4;
const MAX_CHILDREN = 32;
const MAX_PARENTS = 4096;

export class Programs {
  private readonly byTask = new Map<number, Program>();
  private readonly source: ProcessSource;
  /** The youngest children of each process that made any, by its own number. */
  private readonly children = new Map<number, number[]>();
  /** Tasks that were born or have executed something, and were not read since. */
  private fresh = new Set<number>();

  constructor(source: ProcessSource) {
    this.source = source;
  }

  born(task: number, parent: number, name: string, isThread: boolean, at: number): void {
    const known = this.byTask.get(task) ?? null;
    // What was read after its number had been given away is not of it.
    const isOther = (known?.read?.at ?? -Infinity) >= at;
    const before = known === null ? null : { ...known, read: isOther ? null : known.read, gone: true, before: null };
    this.put({ task, birth: { at, parent, isThread }, name, exec: null, read: null, gone: false, before });
    if (isThread) return;
    this.fresh.add(task);
    const maker = this.processOf(parent);
    const all = this.children.get(maker) ?? [];
    if (all.length >= MAX_CHILDREN) all.shift();
    all.push(task);
    this.children.delete(maker);
    this.children.set(maker, all);
    if (this.children.size <= MAX_PARENTS) return;
    const [oldest] = this.children.keys();
    if (oldest !== undefined) this.children.delete(oldest);
  }

  /**
   * The threads of a process that were there before the trace: any of them may be the last to end, and close what the
   * process had open. The process is read, for it will be gone by then.
   */
  adopt(pid: number, threads: readonly number[], at: number): void {
    for (const task of threads) {
      if (task === pid || this.byTask.has(task)) continue;
      const birth = { at, parent: pid, isThread: true };
      this.put({ task, birth, name: null, exec: null, read: null, gone: false, before: null });
    }
    this.who(pid, at, at);
  }

  /**
   * What the task had open then, a child of its process may have too: it made one since, which has not executed another
   * program (those mostly let go of what they were not given), or itself has ended and left some behind.
   */
  mayHaveShared(task: number, at: number): boolean {
    const maker = this.processOf(task);
    const since = (this.children.get(maker) ?? []).filter((child) => (this.byTask.get(child)?.birth?.at ?? 0) > at);
    if (since.length === 0) return false;
    return this.byTask.get(maker)?.gone === true || since.some((child) => this.byTask.get(child)?.exec === null);
  }

  /** Of a thread, its process: the first task of it, as far as births were told. */
  private processOf(task: number): number {
    let one = task;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const birth = this.byTask.get(one)?.birth ?? null;
      if (birth?.isThread !== true) return one;
      one = birth.parent;
    }
    return one;
  }

  executed(task: number, file: string | null, at: number): void {
    this.programOf(task).exec = { at, file };
    this.fresh.delete(task);
    this.fresh.add(task);
  }

  renamed(task: number, name: string): void {
    const program = this.byTask.get(task);
    if (program === undefined) return;
    program.name = name;
    const { read } = program;
    if (read?.process.pid === task) program.read = { ...read, process: { ...read.process, name } };
  }

  /** Events were lost: births may be among them. */
  lost(): void {
    this.byTask.clear();
    this.children.clear();
    this.fresh.clear();
  }

  /**
   * Reads the youngest programs before they are gone, while `more` says so. Without it a program that lives for less than
   * a poll would have no command line.
   */
  readYoung(now: number, more: () => boolean): void {
    if (this.fresh.size === 0) return;
    const young = [...this.fresh].reverse();
    this.fresh.clear();
    for (const task of young) {
      if (!more()) return;
      const program = this.byTask.get(task);
      if (program !== undefined && needsReading(program, now)) this.readNow(program, now);
    }
  }

  /** Null: nothing certain is known of it. `now`: on the ring's clock. */
  who(task: number, at: number, now: number): Process | null {
    return this.ask(task, at, now, 0);
  }

  private ask(task: number, at: number, now: number, depth: number): Process | null {
    if (depth > MAX_DEPTH) return null;
    let program: Program | null = this.programOf(task);
    while ((program?.birth?.at ?? -Infinity) > at) program = program?.before ?? null;
    if (program === null) return null;
    // A thread is its process, which mostly outlives it.
    if (program.birth?.isThread === true) return this.ask(program.birth.parent, at, now, depth + 1);
    if (program === this.byTask.get(task) && needsReading(program, now)) this.readNow(program, at);
    const { read, exec } = program;
    const isRead = read !== null && (exec === null || exec.at <= read.from || exec.at > at);
    const process = isRead ? this.grownUp(program, at) : this.fromTrace(program, now, depth);
    return process === null ? null : this.withParent(process, program, now, depth);
  }

  /** The parent's name as the trace has it: what /proc has under its number may be another one by now. */
  private withParent(process: Process, { birth }: Program, now: number, depth: number): Process {
    if (birth === null || process.ppid === null || depth > 0) return process;
    const parent = this.ask(birth.parent, birth.at, now, depth + 1);
    return parent?.pid === process.ppid ? { ...process, parent: parent.name } : process;
  }

  /** A program that was read when it was young may have another parent since, and be in another network namespace. */
  private grownUp(program: Program, at: number): Process | null {
    const { read, birth } = program;
    if (read === null) return null;
    if (birth === null || read.at >= at || read.at > birth.at + YOUNG_NS) return read.process;
    if (!program.gone) this.readNow(program, at);
    const { process } = program.read ?? read;
    const netns = program.gone ? null : this.source.netns(process.pid);
    // Its number may have been given away while that was asked.
    const isItself = netns === null || this.source.startTicks(program.task) !== null;
    const there = { ...process, netns: isItself ? netns : null };
    const last = program.read ?? read;
    program.read = { from: last.from, at: Math.max(last.at, at), process: there };
    return there;
  }

  private programOf(task: number): Program {
    const known = this.byTask.get(task);
    if (known !== undefined) return known;
    const program = { task, birth: null, name: null, exec: null, read: null, gone: false, before: null };
    return this.put(program);
  }

  private readNow(program: Program, at: number): void {
    const { source } = this;
    const ticks = source.startTicks(program.task);
    if (ticks === null) {
      program.gone = true;
      return;
    }
    // Another task has the number by now.
    if ((ticks / TICKS_A_SECOND) * 1e9 > source.sinceBoot(program.birth?.at ?? at) + START_SLACK_NS) {
      program.gone = true;
      return;
    }
    const from = source.now();
    const process = source.read(program.task);
    if (typeof process === 'string' || source.startTicks(program.task) !== ticks) return;
    const { exec } = program;
    // As it was before it executed something else it is no more.
    const isCurrent = exec === null || exec.at <= (program.read?.from ?? -Infinity);
    const known = isCurrent ? program.read?.process : undefined;
    // A process that is ending has let go of its memory: what was known of it before is still true.
    const isEnding = process.exe === null && process.command === null;
    if (isEnding && known?.pid === process.pid) program.read = { from, at: source.now(), process: known };
    else if (!isEnding || (program.birth === null && exec === null)) program.read = { from, at: source.now(), process };
  }

  /** Of a program that has gone unread, or was read when it had nothing left to tell. */
  private fromTrace(program: Program, now: number, depth: number): Process | null {
    const { task, birth, exec } = program;
    // It may have been a thread, and a thread's number is no PID.
    if (birth === null && exec === null) return null;
    const parent = birth === null ? null : this.ask(birth.parent, birth.at, now, depth + 1);
    const file = exec?.file ?? null;
    // Without an exec of its own it is what its parent was.
    const inherited = exec === null ? parent : null;
    return {
      pid: task,
      ppid: parent?.pid ?? null,
      parent: parent?.name ?? null,
      name: program.name ?? (file === null ? null : baseName(file)),
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

function needsReading({ read, exec, gone }: Program, now: number): boolean {
  if (gone) return false;
  return read === null || now - read.at >= FRESH_NS || (exec !== null && exec.at > read.from);
}

/** What the kernel makes a command's name of. */
function baseName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).slice(0, 15);
}
