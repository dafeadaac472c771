/**
 * The thread that reads the kernel's trace: often, for a process that connects once is gone within milliseconds, and in
 * a thread of its own, for the main thread may be busy when that happens.
 *
 * Tells who was at which end of which reset. Knows no packets.
 */

import { createReadStream, readlinkSync } from 'node:fs';
import { setPriority, uptime } from 'node:os';
import { startTime, thread } from '../../base/spawn.js';
import { netNamespaceOf } from '../sockets/descriptors.js';
import { listFolder } from '../proc/files.js';
import { ProcessReader } from '../proc/reader.js';
import { Programs, type ProcessSource } from './programs.js';
import {
  UNTIL,
  WORDS,
  type PastListener,
  type TracedFailure,
  type TracedOwner,
  type TracedReset,
  type TraceOrder,
  type TraceWord,
} from './protocol.js';
import { RingClock } from './ring-clock.js';
import { Rings, type Drained } from './rings.js';
import { Symbols } from './stacks.js';
import { Story, type FailedConnect, type News, type Owner, type Traced } from './story.js';

/** A poll of an empty ring costs 5 µs: of many CPUs' rings, more rarely. */
const QUIET_POLL_MS = 10;
/** Where programs come and go, those that live for a few milliseconds are to be met alive. */
const BUSY_POLL_MS = 4;
const BUSY_NS = 2e9;
const POLL_MS_A_CPU = 0.4;
/** Who reads late reads of processes that are gone; of a busy machine's time it takes little. */
const NICE = -15;
/** Of the time, this part at most goes into reading programs that may never matter. */
const YOUNG_SHARE = 0.03;
const MOST_YOUNG_NS = 5e6;
/** Of a poll, for finding the threads that were there before. */
const MOST_FINDING_NS = 3e6;
const MOST_PROCESSES = 65_536;
const MOST_THREADS_OF_ONE = 256;
/** Half of what is remembered. */
const MOST_THREADS = 8192;
/** After events were lost all are looked for anew, but not all the time. */
const FIND_AGAIN_NS = 5e9;

function mono(): number {
  return Number(process.hrtime.bigint());
}

function sourceOf(clock: RingClock): ProcessSource {
  const reader = new ProcessReader();
  // The machine's sleep counts for the start of a process, and not for the ring.
  const slept = uptime() * 1e9 - mono();
  return {
    read: (task) => reader.read(task),
    now: mono,
    netns: (pid) => netNamespaceOf('/proc', pid),
    startTicks: (task) => {
      const ticks = startTime(task);
      return ticks === null ? null : Number(ticks);
    },
    epoch: (ns) => clock.epoch(ns),
    sinceBoot: (ns) => ns + slept,
  };
}

class Reader {
  private readonly rings: Rings;
  private readonly story = new Story();
  private readonly symbols = new Symbols();
  private readonly clock = new RingClock();
  private readonly programs: Programs;
  private readonly shared: BigInt64Array;
  private readonly send: (word: TraceWord) => void;
  private readonly hasStacks: boolean;
  private lastBirth = -Infinity;
  private said = 0n;
  private stopped = false;
  /** Nanoseconds that may be spent on young programs. */
  private credit = 0;
  private last = mono();
  /** Processes whose threads have not been found yet; null: they have to be listed. */
  private unseen: string[] | null = null;
  private found = 0;
  private listedAt = -Infinity;

  constructor({ facts, shared }: TraceOrder, send: (word: TraceWord) => void) {
    this.rings = new Rings(facts);
    this.shared = new BigInt64Array(shared);
    this.send = send;
    for (let i = 0; i < 20; i++) this.look();
    this.programs = new Programs(sourceOf(this.clock));
    this.hasStacks = facts.stacks;
  }

  /** What can be told is told from then on; events wait in the rings. */
  async begin(): Promise<void> {
    if (this.hasStacks) await this.readSymbols();
    const { count } = this.rings;
    const quiet = Math.max(QUIET_POLL_MS, count * POLL_MS_A_CPU);
    const busy = Math.max(BUSY_POLL_MS, (count * POLL_MS_A_CPU) / 2);
    const poll = (): void => {
      if (this.stopped) return;
      this.poll();
      setTimeout(poll, mono() - this.lastBirth < BUSY_NS ? busy : quiet);
    };
    poll();
  }

  stop(): void {
    this.poll();
    this.stopped = true;
    this.rings.close();
    this.send({ kind: 'closed' });
  }

  private look(): void {
    const wall = Date.now();
    this.clock.look(wall, mono());
  }

  /**
   * What happened is told only when the births until after the owners were read are known: a number that was given away
   * meanwhile would be another's name.
   */
  private poll(): void {
    this.look();
    const now = mono();
    const first = this.rings.drain(now);
    this.see(first);
    const news = this.story.take();
    let { lost } = first;
    if (this.readOwners(news, now)) {
      const second = this.rings.drain(mono());
      this.see(second);
      lost += second.lost;
    }
    const word = this.wordOf(news, first.until, lost, now);
    if (word !== null) {
      this.send(word);
      this.said++;
      Atomics.store(this.shared, WORDS, this.said);
    }
    Atomics.store(this.shared, UNTIL, BigInt(Math.floor(first.until)));
    this.readYoung(now);
    this.findThreads(now);
  }

  private see({ seen, lost }: Drained): void {
    const { programs, story } = this;
    if (lost > 0) {
      programs.lost();
      story.lost();
      this.unseen = null;
    }
    for (const { event, stack } of seen) {
      if (event.kind === 'birth') {
        programs.born(event.child, event.task, event.name, event.isThread, event.time);
        this.lastBirth = event.time;
      } else if (event.kind === 'rename') programs.renamed(event.pid, event.name);
      else if (event.kind === 'exec') programs.executed(event.pid, event.file, event.time);
      else story.see(event, stack === null || !this.symbols.any ? null : this.symbols.in(stack));
    }
  }

  /** @returns whether there were any. */
  private readOwners({ resets, amended, failed, listenerEnds }: News, now: number): boolean {
    let any = false;
    const read = (owner: Owner | null): void => {
      if (owner === null) return;
      any = true;
      this.programs.who(owner.task, owner.at, now);
    };
    for (const { owner, destroyer } of [...resets, ...amended]) {
      read(owner);
      read(destroyer);
    }
    for (const { owner } of failed) read(owner);
    for (const { owner, closer } of listenerEnds) {
      read(owner);
      read(closer);
    }
    return any;
  }

  private wordOf(news: News, until: number, lost: number, now: number): TraceWord | null {
    const { resets, amended, failed, listenerStarts, listenerEnds } = news;
    for (const traced of resets) amended.delete(traced);
    const listeners = listenerStarts.length + listenerEnds.length;
    if (resets.length + amended.size + failed.length + listeners + lost === 0) return null;
    return {
      kind: 'news',
      resets: [...resets, ...amended].map((traced) => this.told(traced, now)),
      failed: this.failures(failed, now),
      listenerStarts: listenerStarts.map(({ ip, port, at }) => ({ ip, port, at: this.clock.epoch(at) })),
      listenerEnds: listenerEnds.map(({ ip, port, at, owner, closer }): PastListener => ({
        ip,
        port,
        at: this.clock.epoch(at),
        process: this.ownerOf(owner, now)?.process ?? null,
        closer: this.ownerOf(closer, now)?.process ?? null,
      })),
      until,
      lost,
    };
  }

  private told(traced: Traced, now: number): TracedReset {
    return {
      ...traced,
      at: this.clock.epoch(traced.at),
      mono: traced.at,
      owner: this.ownerOf(traced.owner, now),
      destroyer: this.ownerOf(traced.destroyer, now),
    };
  }

  private ownerOf(owner: Owner | null, now: number): TracedOwner | null {
    if (owner === null) return null;
    const { task, at, how } = owner;
    const process = this.programs.who(task, at, now);
    return { process, task, how, shared: how === 'connect' && this.programs.mayHaveShared(task, at) };
  }

  private failures(failed: readonly FailedConnect[], now: number): TracedFailure[] {
    return failed.map(({ owner, ip, port, how }) => ({
      process: this.ownerOf(owner, now)?.process ?? null,
      ip,
      port,
      how,
    }));
  }

  private readYoung(now: number): void {
    this.credit = Math.min(MOST_YOUNG_NS, this.credit + (now - this.last) * YOUNG_SHARE);
    this.last = now;
    const start = mono();
    this.programs.readYoung(now, () => mono() - start < this.credit);
    this.credit -= mono() - start;
  }

  /** A little at a time: the rings do not wait. */
  private findThreads(now: number): void {
    if (this.unseen === null) {
      if (now - this.listedAt < FIND_AGAIN_NS) return;
      this.listedAt = now;
      this.found = 0;
      this.unseen = listFolder('/proc', MOST_PROCESSES).filter((name) => /^\d+$/.test(name));
    }
    const start = mono();
    while (this.found < MOST_THREADS && mono() - start < MOST_FINDING_NS) {
      const pid = this.unseen.pop();
      if (pid === undefined) return;
      const threads = listFolder(`/proc/${pid}/task`, MOST_THREADS_OF_ONE);
      if (threads.length < 2) continue;
      this.found += threads.length;
      this.programs.adopt(Number(pid), threads.map(Number), mono());
    }
  }

  /** In pieces: all at once the kernel takes a tenth of a second to write it. */
  private async readSymbols(): Promise<void> {
    try {
      let rest = '';
      for await (const chunk of createReadStream('/proc/kallsyms', { encoding: 'latin1', highWaterMark: 65536 })) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.symbols.line(line);
      }
    } catch {
      // Then stacks say nothing.
    }
  }
}

/** Of this thread alone. */
function hurry(): void {
  try {
    setPriority(Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0]), NICE);
  } catch {
    // Then it waits its turn.
  }
}

const own = thread();
if (own !== null) {
  hurry();
  // An empty ring is told by an error, a hundred times a second: without its stack it costs a third.
  Error.stackTraceLimit = 0;
  const reader = new Reader(own.order as TraceOrder, (word) => {
    own.send(word);
  });
  // There is one command.
  own.listen(() => {
    reader.stop();
  });
  await reader.begin();
  own.send({ kind: 'ready' } satisfies TraceWord);
}
