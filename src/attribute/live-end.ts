/**
 * Who is at one end of a reset, from what the kernel's trace and the socket tables say. The surest evidence first, and
 * nobody rather than somebody who may be the wrong one.
 *
 * Only decides; asks nobody.
 */

import { isLoopback } from '../base/address.js';
import { printable } from '../base/text.js';
import { isoTime } from '../base/time.js';
import { found, missing, type End, type Process } from './process.js';
import type { Listener, SocketAnswer } from './sockets/watch-protocol.js';
import type { PastListener, TracedReset } from './trace/protocol.js';
import type { How } from './trace/story.js';

/** What is known of the end when it is decided. */
export interface EndFacts {
  readonly side: 'sender' | 'receiver';
  readonly ip: string;
  /** Namespace that the reset was captured in. */
  readonly netns: number | null;
  /** The one namespace that the address is of; null: it is not known, or several have it. */
  readonly ipNetns: number | null;
  /** The reset answers a SYN, as far as its header tells. */
  readonly answersSyn: boolean;
  /** This end may be the serving one. */
  readonly mayServe: boolean;
  /** What the kernel told of this reset; null: nothing. */
  readonly traced: TracedReset | null;
  /** The trace ran, lost nothing, and would have told. */
  readonly complete: boolean;
  /** Null: nobody was asked. */
  readonly sockets: SocketAnswer | null;
  readonly pastListener: PastListener | null;
  /** The trace saw that the listener of now began before the reset came. */
  readonly listenedThen: boolean;
}

export interface Decision {
  readonly end: End;
  readonly evidence: readonly string[];
}

const MAX_CANDIDATES = 8;

const HOW: Readonly<Record<How, string>> = {
  self: 'was in the call that sent it',
  call: 'got it as the error of a read or write',
  close: 'had closed its side of the connection',
  connect: 'had opened the connection',
  destroy: 'closed the socket after it',
  backlog: 'was in a call on the socket when it came',
};

export function decide(facts: EndFacts): Decision {
  const outside = facts.traced?.destroyer?.process ?? null;
  const decision = decideEnd(facts);
  if (outside === null) return decision;
  const { end, evidence } = decision;
  return { end, evidence: [...evidence, `${nameOf(outside)} had the socket destroyed from outside`] };
}

function decideEnd(facts: EndFacts): Decision {
  const { traced } = facts;
  if (traced !== null) {
    const named = byTrace(facts, traced);
    if (named !== null) return named;
  }
  return traced?.socketless === true ? withoutSocket(facts) : bySockets(facts);
}

/** The kernel's TCP did not send it: a packet filter or a raw socket did. */
export function isSilent({ side, traced, complete }: Pick<EndFacts, 'side' | 'traced' | 'complete'>): boolean {
  return side === 'sender' && traced === null && complete;
}

/** Whether the trace names the end so well that the socket tables need not be asked. */
export function isNamedByTrace({ traced, ip, netns }: Pick<EndFacts, 'traced' | 'ip' | 'netns'>): boolean {
  const owner = traced?.owner;
  const process = owner?.process ?? null;
  return process !== null && owner?.shared === false && fits(process, ip, netns);
}

function byTrace({ ip, netns, side }: EndFacts, { owner }: TracedReset): Decision | null {
  if (owner === null) return null;
  const { process, how, task } = owner;
  if (process === null) {
    return {
      end: missing('gone'),
      evidence: [`${side}: task ${String(task)} ${HOW[how]}; it was gone before it could be looked at`],
    };
  }
  if (!fits(process, ip, netns)) return null;
  if (owner.shared) {
    const end = missing('ambiguous');
    return { end, evidence: [`${side}: ${nameOf(process)} ${HOW[how]}; a child of it may have it since`] };
  }
  return { end: found(process, 'kernel-trace'), evidence: [`${side}: ${nameOf(process)} ${HOW[how]}`] };
}

/** The process may be at that end. Equal tuples of two namespaces can't be told apart in the trace; loopback's stay in theirs. */
export function fits(process: Process, ip: string, netns: number | null): boolean {
  return !isLoopback(ip) || netns === null || process.netns === null || process.netns === netns;
}

/** The kernel says that it had no socket for what it answered. */
function withoutSocket(facts: EndFacts): Decision {
  if (!facts.answersSyn) return { end: missing('gone'), evidence: [] };
  return { end: missing('no-listener'), evidence: pastListenerOf(facts) };
}

function bySockets(facts: EndFacts): Decision {
  const { sockets, answersSyn, mayServe, side, traced } = facts;
  const notByTcp = isSilent(facts);
  if (sockets === null) return { end: missing('not-tried'), evidence: [] };
  const { exact, holders, alive } = sockets;
  const [holder] = holders;
  if (exact === 'one' && holder !== undefined) {
    return { end: found(holder, alive ? 'socket' : 'recent-socket'), evidence: [] };
  }
  if (exact === 'shared') return ambiguous(side, holders);
  if (exact === 'permission') return { end: missing('permission'), evidence: [] };
  const answered = side === 'sender' && answersSyn && traced === null;
  if (answered && sockets.noListener) return { end: missing('no-listener'), evidence: pastListenerOf(facts) };
  // What answers a SYN where somebody listens is no program: a packet filter, or a listener that has just begun.
  if (mayServe && !answered && !notByTcp && sockets.listeners.length > 0) return byListener(facts);
  return {
    end: missing(sockets.lookedAt === 0 ? 'not-tried' : answered || notByTcp ? 'unknown' : 'gone'),
    evidence: [],
  };
}

/** Those that may be meant, the most specific address first, which takes the connection. */
export function listenersOf({ ip, netns, sockets }: Pick<EndFacts, 'ip' | 'netns' | 'sockets'>): readonly Listener[] {
  const all = sockets?.listeners ?? [];
  return isLoopback(ip) && netns !== null ? all.filter((one) => one.netns === netns) : all;
}

/** It listened at the time of the reset. */
export function wasListening({ seen }: Listener, { listenedThen }: Pick<EndFacts, 'listenedThen'>): boolean {
  return seen === 'around' || seen === 'before' || listenedThen;
}

function byListener(facts: EndFacts): Decision {
  const { side } = facts;
  const here = listenersOf(facts);
  // In which of two namespaces it came, the listeners don't tell.
  const [first] = here;
  if (first === undefined) return { end: missing('gone'), evidence: [] };
  const rivals = here.filter((one) => one.netns !== first.netns);
  if (rivals.length > 0)
    return ambiguous(
      side,
      here.flatMap(({ group }) => (group === null ? [] : [group])),
    );
  const { group, single, processes, complete } = first;
  if (!wasListening(first, facts)) return { end: missing('unknown'), evidence: [] };
  if (group === null) {
    return processes.length === 0
      ? { end: missing(complete ? 'gone' : 'permission'), evidence: [] }
      : ambiguous(side, processes);
  }
  if (!complete) return { end: missing('permission'), evidence: [] };
  if (single) return { end: found(group, 'listener'), evidence: [] };
  return { end: found(group, 'listener-group'), evidence: [`${side}: ${membersOf(group, processes)}`] };
}

function membersOf(group: Process, processes: readonly Process[]): string {
  if (processes.length === 1) return `${nameOf(group)}, which listens there, or one of its children`;
  const members = processes.slice(0, MAX_CANDIDATES).map(nameOf).join(', ');
  return `one of ${String(processes.length)} that hold the listening socket: ${members}`;
}

function ambiguous(side: string, candidates: readonly Process[]): Decision {
  const names = candidates.slice(0, MAX_CANDIDATES).map(nameOf);
  const more = candidates.length - names.length;
  const all = `${names.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
  return { end: missing('ambiguous'), evidence: names.length === 0 ? [] : [`${side}: one of ${all}`] };
}

/** Who listened there: as the socket tables had it, until when as the trace had it. */
export function pastListenerOf({ pastListener, sockets, ipNetns }: EndFacts): string[] {
  const past = sockets?.past ?? null;
  const closer = pastListener?.process ?? pastListener?.closer ?? null;
  // The trace does not say in which namespace: that of whoever listened does.
  const isHere = closer !== null && closer.netns !== null && closer.netns === ipNetns;
  if (pastListener !== null && isHere) return [`${nameOf(closer)} listened there until ${clock(pastListener.at)}`];
  return past === null ? [] : [`${nameOf(past.process)} listened there; last seen at ${clock(past.lastSeen)}`];
}

function clock(epoch: number): string {
  return isoTime(Math.floor(epoch), (epoch % 1) * 1e9, 3);
}

export function nameOf({ name, pid }: Process): string {
  return `${printable(name ?? 'a process', 32)} (pid ${String(pid)})`;
}
