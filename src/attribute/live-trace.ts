/**
 * What the kernel's trace says of one captured reset: which of the traced ones it was, and whether one that is not told
 * can have been. By tuple and time, for the trace knows no packets.
 */

import type { Reset } from '../conversation/reset.js';
import type { Claims, Likeness } from './claims.js';
import { fits, type EndFacts } from './live-end.js';
import type { LiveSources } from './live-inquiry.js';
import type { Query } from './sockets/watch-protocol.js';
import { tupleText } from './trace/ends.js';
import type { TracedReset } from './trace/protocol.js';

/**
 * How far the trace's time of a reset and that of its frame may lie apart, in seconds. What is sent is captured at once;
 * what is captured may wait for another processor before its socket gets it.
 */
const WITHIN = { send: { kernel: 0.002, arrival: 0.2 }, receive: { kernel: 0.05, arrival: 0.2 } };
/** What a queue of the interface holds back may be captured so long after it was sent. */
const QUEUED = 2;
/** Two that lie about as far away can't be told apart. */
const CLOSER = 4;
const UNSURE = { kernel: 0.0002, arrival: 0.05 };
/** An answer is traced some microseconds after the packet that it answers was captured. */
const TOLD_AFTER = 0.002;
/** What takes late data to a closed socket answers it as fast. */
const ANSWERED = 0.001;

type Side = EndFacts['side'];
/** Of one end, its own address first. */
export type OwnTuple = Pick<Query, 'localIp' | 'localPort' | 'remoteIp' | 'remotePort'>;

const KIND = { sender: 'send', receiver: 'receive' } as const satisfies Record<Side, TracedReset['kind']>;

export class ResetTrace {
  private readonly at: number;
  private readonly netns: number | null;
  private readonly sources: LiveSources;
  private readonly claims: Claims;
  private readonly likeness: Likeness;

  constructor(reset: Reset, sources: LiveSources, claims: Claims) {
    this.at = reset.seconds + reset.nanos / 1e9;
    this.netns = reset.netns;
    this.sources = sources;
    this.claims = claims;
    this.likeness = [reset.seq, reset.ack, reset.flags, reset.window].join(' ');
  }

  /** Everything that it has to say until then has been heard: of the reset itself, if not given. */
  isTold(now: number, until = this.at + TOLD_AFTER): boolean {
    const { trace } = this.sources;
    // One that has failed will say no more.
    if (trace?.state !== 'on') return true;
    return trace.knownUntil(now) > until;
  }

  /** The kernel's word on this reset; null: none. Of several that can't be told apart, only what all agree on. */
  find(side: Side, tuples: readonly OwnTuple[]): TracedReset | null | 'ambiguous' {
    const { trace, timestamps } = this.sources;
    if (trace === null) return null;
    const kind = KIND[side];
    const within = WITHIN[kind][timestamps];
    const all = tuples.flatMap(({ localIp, localPort, remoteIp, remotePort }) => {
      // Who stamps at arrival stamps late, never early.
      const latest = timestamps === 'arrival' ? this.at + TOLD_AFTER : Infinity;
      const isFree = ({ serial, at }: TracedReset): boolean =>
        this.claims.allows(serial, this.likeness) && at <= latest;
      const own = trace.near(kind, tupleText(localIp, localPort, remoteIp, remotePort), this.at, within).filter(isFree);
      // A word on an earlier reset of the same connection says nothing of this one, which a listener may have answered.
      const some =
        own.length > 0 || side === 'receiver'
          ? own
          : trace.nearListener(localIp, localPort, this.at, within).filter(isFree);
      return some.map((traced) => ({ traced, fits: this.isOf(traced, localIp) }));
    });
    const fitting = all.filter((one) => one.fits);
    // A thread may hold sockets of a namespace that its process is not in: the kernel's word counts, not the name.
    const near = (fitting.length > 0 || all.length > 1 ? fitting : all).map(({ traced }) => traced);
    near.sort((a, b) => this.away(a) - this.away(b));
    const [nearest] = near;
    if (nearest === undefined) return null;
    const rival = near.find((one) => one.owner?.task !== nearest.owner?.task && one.owner !== null);
    const isClear = rival === undefined || this.away(rival) > CLOSER * this.away(nearest) + UNSURE[timestamps];
    return isClear ? nearest : 'ambiguous';
  }

  private isOf({ owner }: TracedReset, localIp: string): boolean {
    const process = owner?.process ?? null;
    return process === null || fits(process, localIp, this.netns);
  }

  /** It was this reset, and no other. */
  claim({ serial }: TracedReset): void {
    this.claims.claim(serial, this.likeness);
  }

  /** No other one can be nearer. */
  isClose(traced: TracedReset): boolean {
    return this.sources.timestamps === 'kernel' && this.away(traced) < UNSURE.kernel;
  }

  /**
   * Had the kernel's TCP sent it from one of these, or a socket of these taken it, the trace would say so when all is
   * told: it missed nothing, and what it tells of them was of other resets.
   */
  wouldBeTold(side: Side, tuples: readonly OwnTuple[]): boolean {
    const { trace } = this.sources;
    if (trace === null) return false;
    if (!(side === 'sender' ? trace.toldAllSent(this.at) : trace.toldAllReceived(this.at))) return false;
    return tuples.every(({ localIp, localPort, remoteIp, remotePort }) =>
      trace
        .near(KIND[side], tupleText(localIp, localPort, remoteIp, remotePort), this.at, QUEUED)
        .every(({ serial }) => !this.claims.allows(serial, this.likeness)),
    );
  }

  /** Late data ends a closed socket by the same event, and is answered by that socket: no reset was taken then. */
  isTaken({ tuple, at }: TracedReset): boolean {
    const sent = this.sources.trace?.near('send', tuple, at, ANSWERED) ?? [];
    return !sent.some((one) => one.active === false && !one.socketless && one.at >= at);
  }

  private away({ at }: TracedReset): number {
    return Math.abs(at - this.at);
  }
}
