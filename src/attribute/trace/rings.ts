/**
 * The rings of a tracing instance, one a CPU, read without waiting and put in the order of time.
 *
 * A blocking read would hang the program through its own exit. Knows no sockets and no processes.
 */

import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { CLOSE, Decoders, SYN_SENT, type TraceEvent } from './events.js';
import type { InstanceFacts } from './instance.js';
import { readPage } from './page.js';

/** A page of the largest machines; a ring with larger sub-buffers is not asked for. */
const PAGE = 65536;
/** Pages of one ring in one go: whoever writes faster than we read must not keep us for ever. */
const MOST_PAGES = 1024;
/** By then the stack of an event has followed it, if one does. */
const STACK_NS = 2e6;

export interface Seen {
  readonly event: TraceEvent;
  /** What follows it on its CPU. */
  stack: readonly number[] | null;
}

interface Ring {
  readonly fd: number;
  last: Seen | null;
}

export interface Drained {
  /** In the order of time; nothing older comes any more. */
  readonly seen: readonly Seen[];
  /** Everything until then was read, nanoseconds of the ring's clock. */
  readonly until: number;
  readonly lost: number;
}

export class Rings {
  private readonly rings: readonly Ring[];
  private readonly decoders: Decoders;
  private readonly facts: InstanceFacts;
  private readonly page = new Uint8Array(PAGE);
  /** Read, and maybe not yet everything that happened before. */
  private waiting: Seen[] = [];

  /** Throws where the rings can't be opened. */
  constructor(facts: InstanceFacts) {
    this.facts = facts;
    this.decoders = new Decoders(facts.formats);
    const folder = join(facts.folder, 'per_cpu');
    const opened: Ring[] = [];
    this.rings = opened;
    try {
      for (const name of readdirSync(folder)) {
        const fd = openSync(join(folder, name, 'trace_pipe_raw'), constants.O_RDONLY | constants.O_NONBLOCK);
        opened.push({ fd, last: null });
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get count(): number {
    return this.rings.length;
  }

  /** `now`: the ring's clock, read just before. */
  drain(now: number): Drained {
    let until = now;
    let lost = 0;
    for (const ring of this.rings) {
      for (let pages = 0; ; pages++) {
        if (pages === MOST_PAGES) {
          // What lies behind in this ring is younger than its last event that was read.
          until = Math.min(until, ring.last?.event.time ?? 0);
          break;
        }
        const got = this.read(ring.fd);
        if (got <= 0) break;
        const word = readPage(this.page, got, this.facts.page, (page, at, size, time) => {
          this.record(ring, page, at, size, time);
        });
        lost += word.missed + (word.missedUncounted || word.broken ? 1 : 0);
      }
      const { last } = ring;
      // Its stack is being written at this moment: timers of both processors run at the same time as ours.
      if (last !== null && this.wantsStack(last) && now - last.event.time < STACK_NS) {
        until = Math.min(until, last.event.time);
      }
    }
    this.waiting.sort((a, b) => a.event.time - b.event.time);
    let ready = 0;
    while (ready < this.waiting.length && (this.waiting[ready]?.event.time ?? Infinity) < until) ready++;
    return { seen: this.waiting.splice(0, ready), until, lost };
  }

  close(): void {
    for (const { fd } of this.rings) closeSync(fd);
  }

  /** Bytes of the next page. */
  private read(fd: number): number {
    try {
      return readSync(fd, this.page, 0, PAGE, null);
    } catch {
      // EAGAIN: there is nothing.
      return 0;
    }
  }

  private record(ring: Ring, page: Uint8Array, at: number, length: number, time: number): void {
    const event = this.decoders.decode(page, at, length, time);
    if (event === null) return;
    if (event.kind === 'stack') {
      if (ring.last?.event.task === event.task && ring.last.stack === null) ring.last.stack = event.callers;
      return;
    }
    const seen: Seen = { event, stack: null };
    ring.last = seen;
    this.waiting.push(seen);
  }

  private wantsStack({ event, stack }: Seen): boolean {
    if (!this.facts.stacks || stack !== null) return false;
    if (event.kind === 'send-reset') return event.active;
    return event.kind === 'state' && event.from === SYN_SENT && event.to === CLOSE;
  }
}
