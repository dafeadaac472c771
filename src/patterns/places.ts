/** Ends at which many habits meet: a server that is flooded or closes idle connections, one whose answers nobody asked for. */

import { Peak } from '../report/peak.js';
import { median } from './cell.js';

/** Resets in ten seconds. Netdata's alert is raised at half of that on a quiet host. */
const LEAST_FLOOD = 1000;
const MOST_IDLES = 256;
const LEAST_RACES = 2;
/** A timer fires within a tenth of its time, or within this many seconds. */
const TIMER_SLACK = 0.25;
const LEAST_ANSWERS = 10;
const LEAST_STRANGERS = 5;
const MOST_CLIENTS = 64;
/** So many are told apart; more is "more than". */
export const MOST_STRANGERS = 1024;

/** One serving address and port. */
export class Endpoint {
  readonly ip: string;
  readonly port: number;
  /** Clients that were refused, or said nothing, as far as they are told apart. */
  readonly clients = new Set<string>();
  private readonly peak = new Peak();
  private readonly idles: number[] = [];

  constructor(ip: string, port: number) {
    this.ip = ip;
    this.port = port;
  }

  /** A reset of a connection in which nothing was said. */
  add(client: string, seconds: number, nanos: number): void {
    if (this.clients.size < MOST_CLIENTS) this.clients.add(client);
    if (!Number.isNaN(seconds)) this.peak.add(seconds, nanos);
  }

  /** A request met its FIN, which came after `idle` seconds. */
  addRace(idle: number): void {
    if (this.idles.length < MOST_IDLES) this.idles.push(idle);
  }

  get isFlood(): boolean {
    return this.peak.most >= LEAST_FLOOD;
  }

  get mostInTenSeconds(): number {
    return this.peak.most;
  }

  /** Seconds after which it closes idle connections, as most of the races tell; null: they don't agree, or are too few. */
  get idleTimer(): number | null {
    const { idles } = this;
    if (idles.length < LEAST_RACES) return null;
    const middle = median(idles);
    const near = idles.filter((idle) => Math.abs(idle - middle) <= Math.max(middle / 10, TIMER_SLACK));
    return near.length >= LEAST_RACES && near.length * 3 >= idles.length * 2 ? middle : null;
  }
}

/** SYN-ACKs that nobody asked for, of one server or to one host, and how many strangers were at their other ends. */
export class Reflection {
  readonly strangers = new Set<string>();
  private answers = 0;

  add(stranger: string): void {
    this.answers++;
    if (this.strangers.size < MOST_STRANGERS) this.strangers.add(stranger);
  }

  get isBackscatter(): boolean {
    return this.answers >= LEAST_ANSWERS && this.strangers.size >= LEAST_STRANGERS;
  }
}
