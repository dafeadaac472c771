/**
 * Who is at the ends of a reset that was captured just now: asks the kernel's trace, and the socket tables where the
 * trace has no answer. Prints nothing; opens nothing itself.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { isLoopback } from '../base/address.js';
import { twinsOf, type Reset, type Tuple } from '../conversation/reset.js';
import { settled, type Attributor, type Inquiry } from './attributor.js';
import { Claims } from './claims.js';
import { LiveInquiry, type House, type LiveSources, type Side, type Tell } from './live-inquiry.js';
import type { OwnTuple } from './live-trace.js';
import { unattributed, type FailedConnects } from './process.js';
import type { Query, SocketAnswer } from './sockets/watch-protocol.js';

/** So many are asked for in so many milliseconds; where more came, none in the next. */
const WINDOW_MS = 100;
const FLOOD = 2500;
/** In a flood, the later ones go without. */
const MAX_ASKED = 2000;
const FINISH_POLL_MS = 10;
const FINISH_POLLS = 800;
const PORT_SECONDS = 5;
const MAX_PORTS = 4096;
const MAX_LAST = 32_768;
/** Seconds. */
const ONE_CONNECTION = 0.05;

const REMOTE = unattributed('remote');
const GO_WITHOUT = settled(unattributed('not-tried'));

/** What the tables said of a port. */
interface OfPort {
  readonly at: number;
  answer: SocketAnswer | null;
  /** Null: it has been answered. */
  waiting: Tell[] | null;
}

export class LiveAttributor implements Attributor {
  private readonly sources: LiveSources;
  private queries: { readonly query: Query; readonly tell: Tell }[] = [];
  private asked = 0;
  private window = 0;
  private inWindow = 0;
  private isFlooded = false;
  private readonly claims = new Claims();
  private readonly last = new Map<string, { readonly at: number; readonly previous: number | null }>();
  private readonly ofPort = new Map<string, OfPort>();
  private readonly open = new Set<LiveInquiry>();

  constructor(sources: LiveSources) {
    this.sources = sources;
  }

  get failedConnects(): readonly FailedConnects[] {
    const { trace, namespaces } = this.sources;
    // The trace tells of all namespaces; what is captured is what was asked for.
    const isHere = (netns: number | null): boolean => netns === null || namespaces === null || namespaces.has(netns);
    return (trace?.failedConnects ?? []).filter(({ process }) => isHere(process.netns));
  }

  inquire(reset: Reset): Inquiry {
    if (this.isFlood()) return GO_WITHOUT;
    const sender = this.ownTuples(reset, 'sender');
    const receiver = this.ownTuples(reset, 'receiver');
    if (sender.length + receiver.length === 0) return settled(REMOTE);
    const house: House = {
      ask: (query, tell) => {
        this.ask(query, tell);
      },
      askOfPort: (query, tell) => {
        this.askOfPort(query, tell);
      },
      claims: this.claims,
      ended: () => {
        this.open.delete(inquiry);
      },
    };
    const inquiry = new LiveInquiry(reset, sender, receiver, this.sources, house, this.previousOf(reset));
    this.open.add(inquiry);
    return inquiry;
  }

  /** More come than can be asked for: taking them is what the time is needed for. */
  private isFlood(): boolean {
    const now = this.sources.now();
    const window = Math.floor(now / WINDOW_MS);
    if (window !== this.window) {
      this.isFlooded = this.inWindow > FLOOD;
      this.window = window;
      this.inWindow = 0;
    }
    this.inWindow++;
    return this.isFlooded || this.inWindow > FLOOD;
  }

  /** Every inquiry ends by itself, after its patience at the latest; if the clock is set back, when that of this is over. */
  async finish(): Promise<void> {
    for (let i = 0; i < FINISH_POLLS && [...this.open].some(({ final }) => !final); i++) await sleep(FINISH_POLL_MS);
    await this.sources.trace?.stop();
  }

  /** The reset as the end saw it, under all addresses that are this host's. */
  private ownTuples(reset: Reset, side: Side): OwnTuple[] {
    const { local } = this.sources;
    return [reset, ...twinsOf(reset)]
      .map((tuple) => ownFirst(tuple, side))
      .filter(({ localIp }) => isLoopback(localIp) || local(localIp));
  }

  /**
   * When an earlier connection of the two ends met its end, seconds since 1970; null: none did. Resets that follow each
   * other at once, of both sides or by several interfaces, are of one connection.
   */
  private previousOf({ srcIp, srcPort, destIp, destPort, seconds, nanos }: Reset): number | null {
    const [a, b] = [`${srcIp} ${String(srcPort)}`, `${destIp} ${String(destPort)}`];
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    const at = seconds + nanos / 1e9;
    const last = this.last.get(key);
    const previous = last === undefined ? null : at - last.at < ONE_CONNECTION ? last.previous : last.at;
    this.last.delete(key);
    this.last.set(key, { at, previous });
    if (this.last.size > MAX_LAST) {
      const [oldest] = this.last.keys();
      if (oldest !== undefined) this.last.delete(oldest);
    }
    return previous;
  }

  private askOfPort(query: Query, tell: Tell): void {
    const key = `${query.localIp} ${String(query.localPort)} ${String(query.netns)}`;
    const known = this.ofPort.get(key);
    if (known !== undefined && Math.abs(query.at - known.at) < PORT_SECONDS) {
      if (known.waiting === null) tell(known.answer);
      else known.waiting.push(tell);
      return;
    }
    const asked: OfPort = { at: query.at, answer: null, waiting: [tell] };
    if (this.ofPort.size >= MAX_PORTS) this.ofPort.clear();
    this.ofPort.set(key, asked);
    this.ask(query, (answer) => {
      const { waiting } = asked;
      asked.answer = answer;
      asked.waiting = null;
      for (const one of waiting ?? []) one(answer);
    });
  }

  /** Questions of one turn go together. */
  private ask(query: Query, tell: Tell): void {
    const { sockets } = this.sources;
    if (sockets === null || this.asked >= MAX_ASKED) {
      tell(null);
      return;
    }
    this.asked++;
    this.queries.push({ query, tell });
    if (this.queries.length > 1) return;
    queueMicrotask(() => {
      const asking = this.queries;
      this.queries = [];
      void sockets.ask(asking.map((one) => one.query)).then((answers) => {
        this.asked -= asking.length;
        asking.forEach((one, i) => {
          one.tell(answers[i] ?? null);
        });
      });
    });
  }
}

function ownFirst({ srcIp, srcPort, destIp, destPort }: Tuple, side: Side): OwnTuple {
  return side === 'sender'
    ? { localIp: srcIp, localPort: srcPort, remoteIp: destIp, remotePort: destPort }
    : { localIp: destIp, localPort: destPort, remoteIp: srcIp, remotePort: srcPort };
}
