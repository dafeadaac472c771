/**
 * One reset's question: who was at its two ends. What the trace says counts first, the socket tables are asked where it
 * says nothing; each end is decided once. Opens nothing and waits for nothing: whoever asks comes again.
 */

import { isLoopback, type AddressTest } from '../base/address.js';
import type { Reset } from '../conversation/reset.js';
import { ACK } from '../decode/net/tcp-layout.js';
import type { Inquiry } from './attributor.js';
import type { Claims } from './claims.js';
import { decide, isNamedByTrace, type Decision, type EndFacts } from './live-end.js';
import { kernelFactsOf } from './live-kernel.js';
import { ResetTrace, type OwnTuple } from './live-trace.js';
import { missing, type Attribution, type MissingReason } from './process.js';
import type { Query, SocketAnswer } from './sockets/watch-protocol.js';
import type { SocketWatch } from './sockets/watch.js';
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
/** Whatever is not known by then is not told any more. */
const PATIENCE = 1.5;
/** On a busy machine the trace is read late, and so are the tables, and read they are. */
const LATE = 5;
/** A reset waits so long for its socket, at the most: for a processor, or for the call that holds the socket. */
const TAKEN_AFTER = 0.2;
const NEVER = -1;
/** What is said of a process that can't be seen. */
const HIDDEN: ReadonlySet<MissingReason> = new Set(['gone', 'permission', 'unknown', 'not-tried']);

export type Tell = (answer: SocketAnswer | null) => void;
export type Side = EndFacts['side'];

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
  /** What the decision was made of; null: there was nothing certain. */
  facts: EndFacts | null;
  /** Of the receiver: a socket took the reset. */
  received: boolean | null;
  /** It is decided, and the trace may still say that a socket took the reset. */
  awaited: boolean;
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
  private readonly trace: ResetTrace;
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
    this.trace = new ResetTrace(reset, sources, house.claims);
    this.ends = [endState('sender', sender), endState('receiver', receiver)];
  }

  get final(): boolean {
    this.look();
    const final = this.ends.every(({ decided, awaited }) => decided && !awaited);
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
      if (end.awaited) this.hear(end, now);
      if (end.decided || (end.onlyTables && !end.answered && now / 1000 <= this.deadline + LATE)) continue;
      this.follow(end, now);
      this.attribution = null;
    }
  }

  private follow(end: EndState, now: number): void {
    const { trace } = this;
    const seconds = now / 1000;
    const isTold = trace.isTold(now);
    const late = seconds > this.deadline + (isTold && end.answered ? 0 : LATE);
    // Before everything is told, what is known of it is looked at once.
    if (!isTold && !late && end.traced !== null) return;
    const traced = trace.find(end.side, end.tuples);
    if (traced === 'ambiguous') {
      if (!isTold && !late) return;
      end.facts = null;
      end.decision = { end: missing('ambiguous'), evidence: [`${end.side}: several resets of this kind at once`] };
      end.decided = true;
      return;
    }
    end.traced = traced;
    if (traced !== null && isTold) trace.claim(traced);
    const facts = this.facts(end);
    // Before everything is told, another reset of the same ends may be still nearer.
    const isSure = isTold || (traced !== null && trace.isClose(traced));
    if (isSure && isNamedByTrace(facts)) {
      this.decide(end, facts, now);
      return;
    }
    // What is known already is told, though more may come.
    if (traced !== null) this.tell(end, facts);
    const isOpen = traced?.open === true && (traced.owner === null || traced.owner.shared);
    const mayLearn = isOpen && seconds < this.at + TRACE_PATIENCE;
    // Before the trace has told, the tables would be asked in vain.
    if (isTold && !end.asked) this.askTables(end);
    end.onlyTables = isTold && !mayLearn;
    if ((end.onlyTables && end.answered) || late) this.decide(end, this.facts(end), now);
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

  private tell(end: EndState, facts: EndFacts): void {
    end.facts = facts;
    end.decision = decide(facts);
    end.received = end.side === 'receiver' && facts.traced !== null && this.trace.isTaken(facts.traced) ? true : null;
  }

  private decide(end: EndState, facts: EndFacts, now: number): void {
    this.tell(end, facts);
    const { decision } = end;
    const { reason } = decision.end;
    const isHidden = this.sources.otherPids && reason !== null && HIDDEN.has(reason);
    if (isHidden) end.decision = { ...decision, end: missing('pid-namespace') };
    end.decided = true;
    if (end.side !== 'receiver' || facts.traced !== null) return;
    end.awaited = this.trace.wouldBeTold('receiver', end.tuples);
    if (end.awaited) this.hear(end, now);
  }

  /** Until no socket can take the reset any more. Cheap: of a flood that nobody takes, many wait. */
  private hear(end: EndState, now: number): void {
    const until = this.at + TAKEN_AFTER;
    if (now / 1000 <= until) return;
    const isTold = this.trace.isTold(now, until);
    if (!isTold && now / 1000 <= this.deadline + LATE) return;
    end.received = isTold && this.trace.wouldBeTold('receiver', end.tuples) ? false : null;
    end.awaited = false;
    this.attribution = null;
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
      complete: side === 'sender' && this.trace.isTold(this.sources.now()) && this.trace.wouldBeTold(side, tuples),
      sockets: answer,
      pastListener: trace?.pastListener(localIp, localPort) ?? null,
      listenedThen: trace?.hasListenedSince(localIp, localPort, at) === true,
    };
  }

  private put(): Attribution {
    const [sender, receiver] = this.ends;
    const facts = { sender: sender?.facts ?? null, receiver: receiver?.facts ?? null };
    return {
      sender: sender?.decision.end ?? missing('unknown'),
      receiver: receiver?.decision.end ?? missing('unknown'),
      kernel: kernelFactsOf({ ...facts, received: receiver?.received ?? null }),
      evidence: this.ends.flatMap(({ decision }) => decision.evidence),
    };
  }
}

function endState(side: Side, tuples: readonly OwnTuple[]): EndState {
  const isRemote = tuples.length === 0;
  const decision: Decision = { end: missing(isRemote ? 'remote' : 'not-tried'), evidence: [] };
  const state = { side, tuples, decision, decided: isRemote, asked: false, answered: false, onlyTables: false };
  return { ...state, answer: null, traced: null, facts: null, received: null, awaited: false };
}
