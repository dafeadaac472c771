/**
 * One reset's question: who was at its two ends. What the trace says counts first, the socket tables are asked where it
 * says nothing; each end is decided once. Opens nothing and waits for nothing: whoever asks comes again.
 */

import { isLoopback, type AddressTest } from '../base/address.js';
import type { Reset } from '../conversation/reset.js';
import { ACK } from '../decode/net/tcp.js';
import type { Inquiry } from './attributor.js';
import type { Claims, Likeness } from './claims.js';
import { decide, fits, isNamedByTrace, type Decision, type EndFacts } from './live-end.js';
import { missing, type Attribution, type MissingReason } from './process.js';
import type { SocketWatch } from './sockets/watch.js';
import type { Query, SocketAnswer } from './sockets/watch-protocol.js';
import { tupleText } from './trace/ends.js';
import type { KernelTrace } from './trace/kernel-trace.js';
import type { TracedReset } from './trace/protocol.js';

export interface LiveSources {
  /** Null: not used, or it can't be. */
  readonly trace: KernelTrace | null;
  /** Null: there are no tables to look at. */
  readonly sockets: SocketWatch | null;
  /** Addresses of this host, in all its namespaces. */
  readonly local: AddressTest;
  /** The one network namespace that has the address; null: it is not known, or several have it. */
  readonly netnsOf: (ip: string) => number | null;
  /** Inode numbers of the network namespaces that are captured in; null: they are not known. */
  readonly namespaces: ReadonlySet<number> | null;
  /** The wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** PIDs that others tell mean nothing here, and theirs are not seen here. */
  readonly otherPids: boolean;
  /** Who stamps the frames: the kernel, or whoever gets them some time later. */
  readonly timestamps: 'kernel' | 'arrival';
}

/** Evidence of who a reset met comes after it: a read that fails, a socket that is closed. */
const TRACE_PATIENCE = 0.4;
/** On a busy machine the trace is read late, and read it is. */
const TRACE_LATE = 5;
/** Whatever is not known by then is not told any more. */
const PATIENCE = 1.5;
/**
 * How far the trace's time of a reset and that of its frame may lie apart, in seconds. What is sent is captured at once;
 * what is captured may wait for another processor before its socket gets it.
 */
const WITHIN = { send: { kernel: 0.002, arrival: 0.2 }, receive: { kernel: 0.05, arrival: 0.2 } };
/** What a queue of the interface holds back may be captured so long after it was sent. */
const QUEUED = 2;
const NEVER = -1;
/** Two that lie about as far away can't be told apart. */
const CLOSER = 4;
const UNSURE = { kernel: 0.0002, arrival: 0.05 };
/** An answer is traced some microseconds after the packet that it answers was captured. */
const TOLD_AFTER = 0.002;
/** What is said of a process that can't be seen. */
const HIDDEN: ReadonlySet<MissingReason> = new Set(['gone', 'permission', 'unknown', 'not-tried']);

export type Tell = (answer: SocketAnswer | null) => void;
export type Side = EndFacts['side'];
/** Of one end, its own address first. */
export type OwnTuple = Pick<Query, 'localIp' | 'localPort' | 'remoteIp' | 'remotePort'>;

/** What one end has been asked. */
interface EndState {
  readonly side: Side;
  readonly tuples: readonly OwnTuple[];
  decision: Decision;
  decided: boolean;
  asked: boolean;
  answered: boolean;
  /** Only the answer of the tables is missing. */
  onlyTables: boolean;
  answer: SocketAnswer | null;
  traced: TracedReset | null;
}

/** What the inquiries of one run have in common. */
export interface House {
  readonly ask: (query: Query, tell: Tell) => void;
  /** The answer may be some seconds old, and of another connection to the same port. */
  readonly askOfPort: (query: Query, tell: Tell) => void;
  readonly claims: Claims;
  readonly ended: () => void;
}

export class LiveInquiry implements Inquiry {
  private readonly reset: Reset;
  private readonly at: number;
  /** An earlier reset of the same two ends: the connection has begun since. */
  private readonly previous: number | null;
  private readonly deadline: number;
  private readonly sources: LiveSources;
  private readonly house: House;
  private readonly ends: readonly EndState[];
  private readonly likeness: Likeness;
  private attribution: Attribution | null = null;
  private looked = NEVER;

  constructor(
    reset: Reset,
    sender: readonly OwnTuple[],
    receiver: readonly OwnTuple[],
    sources: LiveSources,
    house: House,
    previous: number | null,
  ) {
    this.reset = reset;
    this.previous = previous;
    this.at = reset.seconds + reset.nanos / 1e9;
    this.deadline = sources.now() / 1000 + PATIENCE;
    this.sources = sources;
    this.house = house;
    this.likeness = [reset.seq, reset.ack, reset.flags, reset.window].join(' ');
    this.ends = [endState('sender', sender), endState('receiver', receiver)];
  }

  get final(): boolean {
    this.look();
    const final = this.ends.every(({ decided }) => decided);
    if (final) this.house.ended();
    return final;
  }

  get known(): Attribution {
    this.look();
    return (this.attribution ??= this.put());
  }

  /** Asked again and again: nothing is learnt within a millisecond, nor while the tables are being asked. */
  private look(): void {
    const now = this.sources.now();
    if (now === this.looked) return;
    this.looked = now;
    for (const end of this.ends) {
      if (end.decided || (end.onlyTables && !end.answered && now / 1000 <= this.deadline)) continue;
      this.follow(end, now);
      this.attribution = null;
    }
  }

  private follow(end: EndState, now: number): void {
    const { timestamps } = this.sources;
    const seconds = now / 1000;
    const isTold = this.isTold(now);
    const late = seconds > this.deadline + (isTold ? 0 : TRACE_LATE);
    // Before everything is told, what is known of it is looked at once.
    if (!isTold && !late && end.traced !== null) return;
    const traced = this.tracedOf(end);
    if (traced === 'ambiguous') {
      if (!isTold && !late) return;
      this.decide(end, { end: missing('ambiguous'), evidence: [`${end.side}: several resets of this kind at once`] });
      return;
    }
    end.traced = traced;
    if (traced !== null && isTold) this.house.claims.claim(traced.serial, this.likeness);
    const facts = this.facts(end);
    // Before everything is told, another reset of the same ends may be still nearer.
    const isSure = isTold || (traced !== null && timestamps === 'kernel' && this.away(traced) < UNSURE.kernel);
    if (isSure && isNamedByTrace(facts)) {
      this.decide(end, decide(facts));
      return;
    }
    // What is known already is told, though more may come.
    if (traced !== null) end.decision = decide(facts);
    const isOpen = traced?.open === true && (traced.owner === null || traced.owner.shared);
    const mayLearn = isOpen && seconds < this.at + TRACE_PATIENCE;
    // Before the trace has told, the tables would be asked in vain.
    if (isTold && !end.asked) this.askTables(end);
    end.onlyTables = isTold && !mayLearn;
    if ((end.onlyTables && end.answered) || late) this.decide(end, decide(this.facts(end)));
  }

  /** Everything that the trace has to say of the reset itself has been heard. */
  private isTold(now: number): boolean {
    const { trace } = this.sources;
    // One that has failed will say no more.
    if (trace?.state !== 'on') return true;
    return trace.knownUntil(now) > this.at + TOLD_AFTER;
  }

  private askTables(end: EndState): void {
    end.asked = true;
    const [tuple] = end.tuples;
    if (tuple === undefined) return;
    const query = { ...tuple, netns: this.netnsOf(tuple.localIp), at: this.at, opened: this.previous };
    const tell: Tell = (answer) => {
      end.answered = true;
      end.answer = answer;
      this.looked = NEVER;
    };
    // Where there was no socket, all that is asked for is who listened there before: the same for all.
    if (end.traced?.socketless === true) this.house.askOfPort(query, tell);
    else this.house.ask(query, tell);
  }

  private netnsOf(ip: string): number | null {
    return isLoopback(ip) ? this.reset.netns : this.sources.netnsOf(ip);
  }

  private decide(end: EndState, decision: Decision): void {
    const { reason } = decision.end;
    const isHidden = this.sources.otherPids && reason !== null && HIDDEN.has(reason);
    end.decision = isHidden ? { ...decision, end: missing('pid-namespace') } : decision;
    end.decided = true;
  }

  private facts({ side, tuples, traced, answer }: EndState): EndFacts {
    const { reset, at } = this;
    const { trace } = this.sources;
    const [tuple] = tuples;
    const serving = side === 'sender' ? 'server' : 'client';
    const { localIp = '', localPort = 0 } = tuple ?? {};
    return {
      side,
      ip: localIp,
      netns: reset.netns,
      ipNetns: this.netnsOf(localIp),
      answersSyn: (reset.flags & ACK) !== 0 && reset.seq === 0 && reset.window <= 0,
      mayServe: reset.resetBy === 'unknown' || reset.resetBy === serving,
      traced,
      complete: trace !== null && this.isTold(this.sources.now()) && this.wouldBeTold(trace, tuples),
      sockets: answer,
      pastListener: trace?.pastListener(localIp, localPort) ?? null,
      listenedThen: trace?.hasListenedSince(localIp, localPort, at) === true,
    };
  }

  /** Had the kernel's TCP sent it from one of these, the trace would have said so. */
  private wouldBeTold(trace: KernelTrace, tuples: readonly OwnTuple[]): boolean {
    const { at } = this;
    return (
      trace.toldAllSent(at) &&
      tuples.every(({ localIp, localPort, remoteIp, remotePort }) => {
        const tuple = tupleText(localIp, localPort, remoteIp, remotePort);
        return trace
          .near('send', tuple, at, QUEUED)
          .every(({ serial }) => !this.house.claims.allows(serial, this.likeness));
      })
    );
  }

  /** The kernel's word on this reset; null: none. Of several that can't be told apart, only what all agree on. */
  private tracedOf({ side, tuples }: EndState): TracedReset | null | 'ambiguous' {
    const { trace, timestamps } = this.sources;
    if (trace === null) return null;
    const kind = side === 'sender' ? 'send' : 'receive';
    const within = WITHIN[kind][timestamps];
    const near = tuples.flatMap(({ localIp, localPort, remoteIp, remotePort }) => {
      const own = trace.near(kind, tupleText(localIp, localPort, remoteIp, remotePort), this.at, within);
      const all = own.length > 0 || side === 'receiver' ? own : trace.nearListener(localIp, localPort, this.at, within);
      return all.filter(({ owner, serial, at }) => {
        if (!this.house.claims.allows(serial, this.likeness)) return false;
        // Who stamps at arrival stamps late, never early.
        if (timestamps === 'arrival' && at > this.at + TOLD_AFTER) return false;
        const process = owner?.process ?? null;
        return process === null || fits(process, localIp, this.reset.netns);
      });
    });
    near.sort((a, b) => this.away(a) - this.away(b));
    const [nearest] = near;
    if (nearest === undefined) return null;
    const rival = near.find((one) => one.owner?.task !== nearest.owner?.task && one.owner !== null);
    const isClear = rival === undefined || this.away(rival) > CLOSER * this.away(nearest) + UNSURE[timestamps];
    return isClear ? nearest : 'ambiguous';
  }

  private away({ at }: TracedReset): number {
    return Math.abs(at - this.at);
  }

  private put(): Attribution {
    const [sender, receiver] = this.ends;
    const traced = sender?.traced ?? null;
    return {
      sender: sender?.decision.end ?? missing('unknown'),
      receiver: receiver?.decision.end ?? missing('unknown'),
      kernelReason: traced?.reason ?? null,
      kernelPath: traced?.path ?? null,
      evidence: this.ends.flatMap(({ decision }) => decision.evidence),
    };
  }
}

function endState(side: Side, tuples: readonly OwnTuple[]): EndState {
  const isRemote = tuples.length === 0;
  const decision: Decision = { end: missing(isRemote ? 'remote' : 'not-tried'), evidence: [] };
  const state = { side, tuples, decision, decided: isRemote, asked: false, answered: false, onlyTables: false };
  return { ...state, answer: null, traced: null };
}
