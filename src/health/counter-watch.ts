/**
 * The counters of network namespaces over a run: what each has risen by, from a first reading to a last one, with
 * readings between them so that a namespace which goes away, or begins anew, is noticed.
 *
 * Knows no packets.
 */

import { allNamespaces, type Namespace } from '../capture/live/namespaces.js';
import { CounterReader, isStillThere, type CounterReading } from './counter-reader.js';
import type { Counters } from './counter-text.js';
import { increaseOf } from './increase.js';
import { KNOWN_NAMES } from './known-counters.js';

/** Namespaces; what others send is told by the trace only. */
const MOST = 512;
/** Of these, those that no process is in by which they could be read: each takes a program that is started in it. */
const MAX_ENTERED = 32;
const AT_ONCE = 4;

/** Of one namespace. */
export interface Account {
  readonly namespace: Namespace;
  /** It was asked for. */
  readonly asked: boolean;
  /** Increase of each counter since the first reading; null: it could not be read. */
  readonly rose: ReadonlyMap<string, number> | null;
  /** By the last reading. */
  readonly totals: Counters;
  /** It went away, or another one took its place: what was counted after the last reading is not known. */
  readonly broken: boolean;
  /** It could not be read the last time. */
  readonly gone: boolean;
  /** When the first reading was, and the last one: nanoseconds of CLOCK_MONOTONIC. */
  readonly first: Span | null;
  readonly last: Span | null;
}

export type Span = Pick<CounterReading, 'from' | 'to'>;

class Watched implements Account {
  readonly namespace: Namespace;
  readonly asked: boolean;
  rose: Map<string, number> | null = null;
  totals: Counters = new Map();
  broken = false;
  gone = false;
  first: Span | null = null;
  last: Span | null = null;
  private tried = false;

  constructor(namespace: Namespace, asked: boolean) {
    this.namespace = namespace;
    this.asked = asked;
  }

  get hasSentNothing(): boolean {
    return (this.rose?.get('OutRsts') ?? 0) === 0;
  }

  /** `late`: the others were read first before; one that is met only now was made since, and counted from 0. */
  take(reading: CounterReading | null, late: boolean): void {
    const fresh = late && !this.tried;
    this.tried = true;
    this.gone = reading === null;
    if (reading === null) {
      if (this.rose !== null) this.broken = true;
      return;
    }
    const { counters } = reading;
    const before = this.totals;
    if (this.rose === null) {
      this.rose = new Map([...counters].map(([name, value]) => [name, fresh ? value : 0]));
      this.first = reading;
    } else {
      const risen = [...counters].map(([name, value]) => [name, increaseOf(before.get(name) ?? 0, value)] as const);
      // The number of a namespace that is gone is given to the next one that is made.
      const anew = risen.some(([name, { anew: fell }]) => fell && KNOWN_NAMES.has(name));
      if (anew) this.broken = true;
      add(this.rose, anew ? counters : new Map(risen.map(([name, { by }]) => [name, by])));
    }
    this.totals = counters;
    this.last = reading;
  }
}

function add(sums: Map<string, number>, more: Counters): void {
  for (const [name, by] of more) sums.set(name, (sums.get(name) ?? 0) + by);
}

export class CounterWatch {
  private readonly reader = new CounterReader();
  private readonly watched = new Map<string, Watched>();
  private begun = false;
  private readonly others: boolean;

  /** `asked`: their order is that of `accounts`. `others`: all other namespaces of this machine as well. */
  constructor(asked: readonly Namespace[], others: boolean) {
    for (const namespace of asked) this.watched.set(keyOf(namespace), new Watched(namespace, true));
    this.others = others;
  }

  get accounts(): readonly Account[] {
    return [...this.watched.values()];
  }

  /** Reads all; those that were asked for last, so that the moment is theirs. */
  async readFirst(): Promise<void> {
    this.findOthers();
    const all = [...this.watched.values()];
    await this.readAll(all.filter(({ asked }) => !asked));
    await this.readAll(all.filter(({ asked }) => asked));
    this.begun = true;
  }

  /** Reads those that were asked for first, then all others, also those that are new. */
  async readLast(): Promise<void> {
    await this.readAll([...this.watched.values()].filter(({ asked }) => asked));
    this.findOthers();
    await this.readAll([...this.watched.values()].filter(({ asked }) => !asked));
  }

  /** Reads what can be read at once: of those that were asked for, or of all, also those that are new. */
  readNow(all: boolean): void {
    this.reader.nextRound();
    if (all) this.findOthers();
    for (const one of this.watched.values()) {
      if (!one.asked && !all) continue;
      const reading = this.reader.readNow(one.namespace);
      // Nobody in there by whom it could be read is no sign that it is gone.
      if (reading !== null) one.take(reading, this.begun);
    }
  }

  private findOthers(): void {
    if (!this.others) return;
    const found = allNamespaces();
    const there = new Set(found.map(keyOf));
    for (const [key, one] of this.watched) {
      // Nothing of it is left to be told. The process by which it was found may have ended, and others live in it.
      if (!one.asked && one.hasSentNothing && !there.has(key)) this.watched.delete(key);
    }
    for (const namespace of found) {
      const key = keyOf(namespace);
      if (this.watched.size >= MOST) return;
      if (!this.watched.has(key)) this.watched.set(key, new Watched(namespace, false));
    }
  }

  private async readAll(all: readonly Watched[]): Promise<void> {
    this.reader.nextRound();
    const late = this.begun;
    const waiting: Watched[] = [];
    let entered = 0;
    for (const one of all) {
      const reading = this.reader.readNow(one.namespace);
      if (reading !== null) one.take(reading, late);
      else if (!isStillThere(one.namespace)) one.take(null, late);
      else if (one.asked || entered++ < MAX_ENTERED) waiting.push(one);
      else one.take(null, late);
    }
    const next = async (): Promise<void> => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        one.take(await this.reader.enter(one.namespace), late);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  }
}

function keyOf({ inode, path }: Namespace): string {
  return inode === null ? (path ?? 'own') : String(inode);
}
