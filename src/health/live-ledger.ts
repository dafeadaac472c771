/**
 * The resets of a live capture as the reconciliation needs them: which this machine sent, from which of its namespaces,
 * and which of them the kernel's trace tells of. Bounded, whatever comes.
 *
 * Knows no counters, no clock and no processes.
 */

import { isLoopback, type AddressTest } from '../base/address.js';
import { twinsOf, type Reset, type Tuple } from '../conversation/reset.js';
import { tupleText } from '../attribute/trace/ends.js';
import type { TracedReset } from '../attribute/trace/protocol.js';
import { SendMatch, type Tolerance } from './send-match.js';

/** What the capture knows of addresses. */
export interface Places {
  /** Of this machine, in any of its namespaces. */
  readonly local: AddressTest;
  /** Inode number of the one namespace that has the address; null: none is known, or several have it. */
  readonly netnsOf: (ip: string) => number | null;
  /** Of the own namespace. */
  readonly own: number | null;
}

const MAX_PORTS = 64;
/** A copy follows within so many seconds; of so many resets copies are told. */
const COPY_SECONDS = 0.02;
const MAX_RECENT = 4096;

export class LiveLedger {
  readonly match: SendMatch;
  /** Captured as sent, by the namespace of the source address. */
  readonly sent = new Map<number | null, number>();
  sentInAll = 0;
  received = 0;
  /** By a socket of this machine, as the trace tells: the moments, nanoseconds of CLOCK_MONOTONIC. */
  taken = 0;
  /** Ports of this machine that resets had to do with. */
  readonly ports = new Set<number>();
  private readonly places: Places;
  /** Null: copies were folded before. */
  private readonly recent: Map<string, number> | null;

  constructor(places: Places, tolerance: Tolerance, unfolded: boolean) {
    this.places = places;
    this.match = new SendMatch(tolerance);
    this.recent = unfolded ? new Map() : null;
  }

  traced({ kind, tuple, at, mono, owner }: TracedReset): void {
    if (kind === 'receive') {
      this.taken++;
      return;
    }
    const [ip = ''] = tuple.split(' ', 1);
    const netns = owner?.process?.netns ?? (isLoopback(ip) || isAny(ip) ? null : this.places.netnsOf(ip));
    this.match.trace({ tuple, at, mono, netns });
  }

  captured(reset: Reset): void {
    if (this.isCopy(reset)) return;
    const first = firstSeen(reset);
    this.notePort(reset, first);
    if (this.isOwn(first.destIp)) this.received++;
    if (!this.isOwn(first.srcIp) && !reset.ownFilter) return;
    const netns = this.sourceOf(first, reset);
    this.sent.set(netns, (this.sent.get(netns) ?? 0) + 1);
    this.sentInAll++;
    this.match.capture({
      tuples: [exactly(reset), ...twinsOf(reset).map(exactly)],
      at: reset.seconds + reset.nanos / 1e9,
      netns,
    });
  }

  /** The namespace that a reset was sent in; undefined: it was not sent by this machine. */
  senderOf(reset: Reset): number | null | undefined {
    const first = firstSeen(reset);
    return this.isOwn(first.srcIp) ? this.sourceOf(first, reset) : undefined;
  }

  private sourceOf({ srcIp }: Tuple, { netns, ownFilter }: Reset): number | null {
    if (isLoopback(srcIp) || ownFilter) return netns ?? this.places.own;
    return this.places.netnsOf(srcIp);
  }

  private isOwn(ip: string): boolean {
    return isLoopback(ip) || this.places.local(ip);
  }

  private notePort({ resetBy, servicePort }: Reset, { srcIp, destIp }: Tuple): void {
    if (servicePort === null || resetBy === 'unknown' || this.ports.size >= MAX_PORTS) return;
    if (this.isOwn(resetBy === 'server' ? srcIp : destIp)) this.ports.add(servicePort);
  }

  private isCopy(reset: Reset): boolean {
    const { recent } = this;
    if (recent === null) return false;
    const at = reset.seconds + reset.nanos / 1e9;
    const key = [exactly(reset), reset.seq, reset.ack, reset.flags, reset.ipId].join(' ');
    const before = recent.get(key);
    recent.delete(key);
    recent.set(key, at);
    if (recent.size > MAX_RECENT) {
      const [oldest] = recent.keys();
      if (oldest !== undefined) recent.delete(oldest);
    }
    return before !== undefined && Math.abs(at - before) < COPY_SECONDS;
  }
}

/** As its sender wrote it, before any NAT. */
function firstSeen(reset: Reset): Tuple {
  let first: Tuple & Pick<Reset, 'seconds' | 'nanos'> = reset;
  for (const twin of twinsOf(reset)) {
    if (twin.seconds < first.seconds || (twin.seconds === first.seconds && twin.nanos < first.nanos)) first = twin;
  }
  return first;
}

function exactly({ srcIp, srcPort, destIp, destPort }: Tuple): string {
  return tupleText(srcIp, srcPort, destIp, destPort);
}

/** Of a listener on every address. */
function isAny(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::';
}
