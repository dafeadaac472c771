/**
 * What trace events tell together: which task was at which end of a reset, which connects failed, which listeners ended.
 *
 * Takes events in the order of their times. Knows no clock, no processes (a task is a number at a time) and no names.
 */

import type { KernelPath } from '../../conversation/kernel-facts.js';
import { endsKey, sameWords, wordsText, type Ends, type Words } from './ends.js';
import {
  CLOSE,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT1,
  FIN_WAIT2,
  LAST_ACK,
  LISTEN,
  SYN_SENT,
  TIME_WAIT,
  type TraceEvent,
} from './events.js';
import { connectEndOf, pathOf, type ConnectEnd, type Symbol } from './stacks.js';

/** How a task was found to be the owner of a socket; the surest first. */
export type How = 'self' | 'call' | 'close' | 'connect' | 'destroy' | 'backlog';

export interface Owner {
  readonly task: number;
  /** When it acted, nanoseconds of the ring's clock. */
  readonly at: number;
  readonly how: How;
}

/** A reset that the kernel sent, or that a socket of it took. */
export interface Traced {
  readonly serial: number;
  readonly kind: 'send' | 'receive';
  readonly at: number;
  /** Local end first, as `tupleText` writes it. */
  readonly tuple: string;
  /** Sent by a socket by itself; null of received ones. */
  readonly active: boolean | null;
  readonly reason: string | null;
  readonly path: KernelPath | null;
  /** There was no socket: no process has anything to do with it. */
  readonly socketless: boolean;
  /** It was answered for a listener. */
  readonly listening: boolean;
  /** Its socket was seen to connect; false: it was not, which may have been before. */
  readonly connected: boolean;
  /** Who had the socket destroyed from outside (`ss -K`). */
  readonly destroyer: Owner | null;
  owner: Owner | null;
  /** More may be learnt of the owner. */
  open: boolean;
}

export interface FailedConnect {
  readonly owner: Owner | null;
  readonly ip: string;
  readonly port: number;
  readonly at: number;
  readonly how: 'refused' | ConnectEnd;
}

export interface ListenerEnd {
  readonly ip: string;
  readonly port: number;
  readonly at: number;
  /** Who called listen(), null where that was before tracing. */
  readonly owner: Owner | null;
  /** Who closed it. */
  readonly closer: Owner | null;
}

export interface ListenerStart {
  readonly ip: string;
  readonly port: number;
  readonly at: number;
  readonly owner: Owner | null;
}

export interface News {
  readonly resets: Traced[];
  /** Told before; their owner is known now, or known better. */
  readonly amended: Set<Traced>;
  readonly failed: FailedConnect[];
  readonly listenerStarts: ListenerStart[];
  readonly listenerEnds: ListenerEnd[];
}

interface Sock {
  ends: Ends;
  owner: Owner | null;
  /** Who listens; then it is no connection. */
  listener: boolean;
  /** It was seen to connect. */
  connected: boolean;
  /** The reset that it took. */
  taken: Traced | null;
  /** Task that ran when it came, whosever that was. */
  takenIn: number;
  /** The reset that it sent, where it is not known yet whose it was. */
  sent: Traced | null;
}

/** Who closed a connection, and whether that end had opened it. */
interface Closer {
  readonly owner: Owner;
  readonly connected: boolean;
}

const RANK: Readonly<Record<How, number>> = { self: 6, call: 5, close: 4, connect: 3, destroy: 2, backlog: 1 };
/** A program has closed its side. */
const CLOSED: ReadonlySet<number> = new Set([FIN_WAIT1, FIN_WAIT2, TIME_WAIT, LAST_ACK, CLOSING]);
/** Sockets that were connected to or closed and whose end was not seen (it comes in an interrupt). */
const MAX_SOCKS = 1 << 17;
const MAX_CLOSERS = 1 << 16;
/** Longer than what is left of a closed connection answers: TCP_TIMEWAIT_LEN and TCP_FIN_TIMEOUT are 60 s each. */
const REMEMBERED_NS = 180e9;
const DELIVERY_NS = 20e3;
/** A connect's end and its error are told in one call. */
const ERROR_NS = 2e6;
const MAX_OPEN_FAILURES = 1024;

export class Story {
  private readonly socks = new Map<number, Sock>();
  /** Who closed a connection, by its tuple: what answers for it in TIME-WAIT is another socket. */
  private readonly closers = new Map<string, Closer>();
  /** Connects that failed, and it is not known how; errors that are not known to be of any. */
  private readonly openFailures = new Map<string, Omit<FailedConnect, 'how'>>();
  private readonly errors = new Map<string, { readonly error: number; readonly at: number }>();
  private serial = 0;
  private news: News = empty();

  /** What was learnt since the last time. */
  take(): News {
    const { news } = this;
    this.news = empty();
    return news;
  }

  /** Events were lost: a socket may by now be another one, which shows only where its ends are known and told again. */
  lost(): void {
    for (const [sk, sock] of this.socks) {
      if (!sock.listener && sock.ends.localPort === 0) this.socks.delete(sk);
      sock.taken = null;
      sock.sent = null;
    }
  }

  /** `stack`: the functions that led to the event, null where the kernel did not say. */
  see(event: TraceEvent, stack: ReadonlySet<Symbol> | null): void {
    switch (event.kind) {
      case 'send-reset':
        this.sent(event, stack);
        break;
      case 'receive-reset': {
        const sock = this.sockOf(event.sk, event.ends);
        const { inTask, mayDeliver } = event;
        // Outside an interrupt it comes from the socket's backlog, in a call of whoever holds it.
        if (inTask && !mayDeliver) own(sock, { task: event.task, at: event.time, how: 'backlog' });
        const { owner, connected } = sock;
        const traced = this.traced('receive', event.time, event.ends, { owner, connected, open: true });
        sock.taken = traced;
        sock.takenIn = event.task;
        break;
      }
      case 'state':
        this.state(event, stack);
        break;
      case 'error':
        this.failsWith(event);
        break;
      case 'failed-call': {
        const sock = this.socks.get(event.sk);
        if (sock === undefined || sock.taken === null) break;
        // Others that write do it with another socket that has the address by now, for this one has a side closed.
        const { owner } = sock;
        if (event.reading || owner?.how !== 'close' || owner.task === event.task) this.learn(sock, event, 'call');
        break;
      }
      case 'destroy':
        this.destroyed(event);
        break;
      default:
        break;
    }
  }

  private sent(event: Extract<TraceEvent, { kind: 'send-reset' }>, stack: ReadonlySet<Symbol> | null): void {
    const { active, sk, ends, state, reason, time, task, inTask } = event;
    const path = active && stack !== null ? pathOf(stack) : null;
    const actor: Owner | null = inTask ? { task, at: time, how: 'self' } : null;
    if (!active) {
      // The socket, if there is one, may be a listener, or a small one that stands for a connection in TIME-WAIT.
      const sock = this.socks.get(sk);
      const listening = state === LISTEN;
      const same = !listening && sock !== undefined && !sock.listener && equal(sock.ends, ends);
      const closer = CLOSED.has(state) ? this.closerOf(ends, time) : null;
      const owner = sk === 0 || listening ? null : ((same ? sock.owner : null) ?? closer?.owner ?? null);
      const connected = sk !== 0 && !listening && (same ? sock.connected : closer?.connected === true);
      this.traced('send', time, ends, { active, reason, path, owner, socketless: sk === 0, listening, connected });
      return;
    }
    // A program's own abort has closed its socket by now; one that is in full flow is destroyed from outside.
    const fromOutside = path === 'sock-destroy' || (stack === null && state === ESTABLISHED);
    const sock = this.sockOf(sk, ends);
    const isOwn = actor !== null && !fromOutside;
    const owner = isOwn ? actor : sock.owner;
    const destroyer = fromOutside ? actor : null;
    // Its owner will close what is left of the socket.
    const { connected } = sock;
    const traced = this.traced('send', time, ends, { active, reason, path, owner, destroyer, connected, open: !isOwn });
    if (!isOwn) sock.sent = traced;
  }

  /** What ended the connect is told by its error, which came just before, or follows. */
  private openFailure(tuple: string, failed: Omit<FailedConnect, 'how'>): void {
    const known = this.errors.get(tuple);
    this.errors.delete(tuple);
    if (known !== undefined && failed.at - known.at < ERROR_NS) {
      this.news.failed.push({ ...failed, how: endOf(known.error) });
      return;
    }
    this.openFailures.set(tuple, failed);
    trim(this.openFailures, MAX_OPEN_FAILURES);
  }

  private failsWith({ ends, error, time }: Extract<TraceEvent, { kind: 'error' }>): void {
    const tuple = endsKey(ends);
    const failed = this.openFailures.get(tuple);
    this.openFailures.delete(tuple);
    if (failed !== undefined && time - failed.at < ERROR_NS) {
      this.news.failed.push({ ...failed, how: endOf(error) });
      return;
    }
    this.errors.set(tuple, { error, at: time });
    trim(this.errors, MAX_OPEN_FAILURES);
  }

  private closerOf(ends: Ends, time: number): Closer | null {
    const closer = this.closers.get(endsKey(ends));
    return closer !== undefined && time - closer.owner.at < REMEMBERED_NS ? closer : null;
  }

  private state(event: Extract<TraceEvent, { kind: 'state' }>, stack: ReadonlySet<Symbol> | null): void {
    const { sk, from, to, ends, time, task, inTask } = event;
    const actor: Owner | null = inTask ? { task, at: time, how: 'connect' } : null;
    if (to === LISTEN) {
      this.put(sk, { ...newSock(ends, actor), listener: true });
      this.news.listenerStarts.push({ ip: wordsText(ends.local), port: ends.localPort, at: time, owner: actor });
      return;
    }
    if (from === LISTEN && to === CLOSE) {
      this.listenerEnds(sk, ends, actor, time);
      return;
    }
    if (to === SYN_SENT) {
      // The local port, and of a mapped address even the address, come later.
      this.put(sk, { ...newSock(ends, actor), connected: true });
      return;
    }
    const sock = this.sockOf(sk, ends);
    if (from === SYN_SENT) {
      if (to !== CLOSE) return;
      const { remote, remotePort } = ends;
      const failed = { owner: sock.owner, ip: wordsText(remote), port: remotePort, at: time };
      const how = sock.taken !== null ? 'refused' : stack === null ? guess(inTask) : connectEndOf(stack);
      if (how !== null) this.news.failed.push({ ...failed, how });
      else this.openFailure(endsKey(ends), failed);
      return;
    }
    if (inTask && (to === FIN_WAIT1 || to === LAST_ACK)) {
      const closer: Owner = { task, at: time, how: 'close' };
      own(sock, closer);
      const key = endsKey(ends);
      this.closers.delete(key);
      this.closers.set(key, { owner: closer, connected: sock.connected });
      trim(this.closers, MAX_CLOSERS);
    }
  }

  private destroyed(event: Extract<TraceEvent, { kind: 'destroy' }>): void {
    const { sk, time, task, inTask, ends } = event;
    const sock = this.socks.get(sk);
    if (sock === undefined) return;
    if (contradicts(sock.ends, ends)) {
      this.socks.delete(sk);
      return;
    }
    if (sock.listener) {
      this.listenerEnds(sk, ends, inTask ? { task, at: time, how: 'close' } : null, time);
      return;
    }
    // Within the call that brought the reset nobody has closed anything: an orphan's end.
    const isDelivery = sock.taken !== null && sock.takenIn === task && time - sock.taken.at < DELIVERY_NS;
    if (inTask && !isDelivery) this.learn(sock, event, 'destroy');
    for (const traced of [sock.taken, sock.sent]) {
      if (traced === null) continue;
      traced.open = false;
      this.news.amended.add(traced);
    }
    this.socks.delete(sk);
  }

  private listenerEnds(sk: number, ends: Ends, closer: Owner | null, at: number): void {
    const sock = this.socks.get(sk);
    const known = sock?.listener === true ? sock : null;
    this.socks.delete(sk);
    const { local, localPort } = known?.ends ?? ends;
    if (localPort === 0) return;
    this.news.listenerEnds.push({ ip: wordsText(local), port: localPort, at, owner: known?.owner ?? null, closer });
  }

  private learn(sock: Sock, { task, time }: TraceEvent, how: How): void {
    const owner: Owner = { task, at: time, how };
    own(sock, owner);
    for (const traced of [sock.taken, sock.sent]) {
      if (traced === null || traced.owner?.task === sock.owner?.task) continue;
      traced.owner = sock.owner;
      this.news.amended.add(traced);
    }
  }

  private traced(kind: Traced['kind'], at: number, ends: Ends, more: Partial<Traced>): Traced {
    const traced: Traced = {
      serial: this.serial++,
      kind,
      at,
      tuple: endsKey(ends),
      active: null,
      reason: null,
      path: null,
      socketless: false,
      listening: false,
      connected: false,
      destroyer: null,
      owner: null,
      open: false,
      ...more,
    };
    this.news.resets.push(traced);
    return traced;
  }

  /**
   * The socket at this address, which is used again for another one within microseconds: with another tuple than the one
   * that is known it is another socket.
   */
  private sockOf(sk: number, ends: Ends): Sock {
    const known = this.socks.get(sk);
    if (known !== undefined && !known.listener) {
      if (equal(known.ends, ends)) return known;
      if (completes(known.ends, ends)) {
        known.ends = ends;
        return known;
      }
    }
    return this.put(sk, newSock(ends, null));
  }

  private put(sk: number, sock: Sock): Sock {
    // Deleted first: the oldest ones are those that go.
    this.socks.delete(sk);
    this.socks.set(sk, sock);
    trim(this.socks, MAX_SOCKS);
    return sock;
  }
}

function newSock(ends: Ends, owner: Owner | null): Sock {
  return { ends, owner, listener: false, connected: false, taken: null, takenIn: 0, sent: null };
}

/** Takes better knowledge of the owner. */
function own(sock: Sock, owner: Owner): void {
  if (sock.owner === null || RANK[owner.how] > RANK[sock.owner.how]) sock.owner = owner;
}

function equal(a: Ends, b: Ends): boolean {
  return (
    a.localPort === b.localPort &&
    a.remotePort === b.remotePort &&
    sameWords(a.remote, b.remote) &&
    sameWords(a.local, b.local)
  );
}

/** What was not known of `a` when it began to connect is known now: its port, its address where that was any. */
function completes(a: Ends, b: Ends): boolean {
  if (a.remotePort !== b.remotePort || !sameRemote(a.remote, b.remote)) return false;
  if (a.localPort === 0) return true;
  return a.localPort === b.localPort && (isAny(a.local) || sameWords(a.local, b.local));
}

/** An IPv6 socket that connects to an IPv4 address bears the mapped one only later. */
function sameRemote(a: Words, b: Words): boolean {
  return sameWords(a, b) || (isMapped(b) && a[3] === b[3] && a[0] === 0 && a[1] === 0);
}

function isMapped(words: Words): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

function isAny(words: Words): boolean {
  return words[3] === 0 && (isMapped(words) || (words[0] === 0 && words[1] === 0 && words[2] === 0));
}

/** Ports that both are known and are not the same: it is another socket. */
function contradicts(a: Ends, b: Ends): boolean {
  const differ = (one: number, other: number): boolean => one !== 0 && other !== 0 && one !== other;
  return differ(a.localPort, b.localPort) || differ(a.remotePort, b.remotePort);
}

const ETIMEDOUT = 110;

function endOf(error: number): ConnectEnd {
  return error === ETIMEDOUT ? 'timed-out' : 'icmp';
}

/** Without a stack: an interrupt ended it, and by which of two ways is not known. */
function guess(inTask: boolean): ConnectEnd | null {
  return inTask ? 'abandoned' : null;
}

function trim(map: Map<unknown, unknown>, most: number): void {
  if (map.size <= most) return;
  const [oldest] = map.keys();
  map.delete(oldest);
}

function empty(): News {
  return { resets: [], amended: new Set(), failed: [], listenerStarts: [], listenerEnds: [] };
}
