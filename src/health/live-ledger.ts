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
import { ACK } from '../decode/net/tcp-layout.js';
import { SendMatch, type Manner, type Tolerance } from './send-match.js';

/** What the capture knows of addresses. */
export interface Places {
  /** Of this machine, in any of its namespaces. */
  readonly local: AddressTest;
  /** Inode number of the one namespace that has the address, of several `near` if it has it; null: not known. */
  readonly netnsOf: (ip: string, near?: number | null) => number | null;
  /** Of the own namespace. */
  readonly own: number | null;
}

const MAX_PORTS = 64;
/**
 * A copy follows within so many seconds: where a machine is too busy to fold it, its stamps lie apart. Of so many resets
 * copies are told.
 */
const COPY_SECONDS = 2;
const MAX_RECENT = 65_536;

export class LiveLedger {
  readonly match: SendMatch;
  received = 0;
  /** Captured as sent, by the namespace of the source address; with those that may be copies. */
  private readonly sent = new Map<number | null, number>();
  /** Of these, those that may be copies. */
  private readonly again = new Map<number | null, number>();
  /** By a socket of this machine, as the trace tells. */
  taken = 0;
  /** Ports of this machine that resets had to do with. */
  readonly ports = new Set<number>();
  private readonly places: Places;
  /** When and where each was seen first, by what its copies have in common with it. */
  private readonly recent = new Map<string, Sighting>();

  constructor(places: Places, tolerance: Tolerance) {
    this.places = places;
    this.match = new SendMatch(tolerance);
  }

  /**
   * Captured as sent, and how many more were copies: seen before at another place and, where resets can be told one by one
   * (`isTraced`), not sent again. By the namespace that sent them; null: it is not known.
   */
  sentByNetns(isTraced: boolean): ReadonlyMap<number | null, Sent> {
    if (!isTraced) return together(this.sent, this.again);
    const sent = new Map(this.match.matchedByNetns);
    const copies = new Map<number | null, number>();
    for (const { mayBeCopy, netns } of this.match.unsent) {
      add(sent, netns);
      if (mayBeCopy) add(copies, netns);
    }
    return together(sent, copies);
  }

  traced({ kind, tuple, at, mono, owner, active }: TracedReset): void {
    if (kind === 'receive') {
      this.taken++;
      return;
    }
    const [ip = ''] = tuple.split(' ', 1);
    const netns = owner?.process?.netns ?? (isLoopback(ip) || isAny(ip) ? null : this.places.netnsOf(ip));
    this.match.trace({ tuple, at, mono, netns, manner: active === true ? 'active' : 'passive' });
  }

  captured(reset: Reset): void {
    const mayBeCopy = this.wasSeenElsewhere(reset);
    const first = firstSeen(reset);
    this.notePort(reset, first);
    if (this.isOwn(first.destIp) && !mayBeCopy) this.received++;
    const isOwn = this.isOwn(first.srcIp) || reset.ownFilter;
    const netns = isOwn ? this.sourceOf(first, reset) : null;
    if (isOwn) add(this.sent, netns);
    if (isOwn && mayBeCopy) add(this.again, netns);
    this.match.capture({
      tuples: [exactly(first), ...[reset, ...twinsOf(reset)].filter((one) => one !== first).map(exactly)],
      manners: mannersOf(reset),
      at: reset.seconds + reset.nanos / 1e9,
      netns,
      mayBeCopy,
      isOwn,
    });
  }

  /** The namespace that a reset was sent in; undefined: it was not sent by this machine. */
  senderOf(reset: Reset): number | null | undefined {
    const first = firstSeen(reset);
    return this.isOwn(first.srcIp) || reset.ownFilter ? this.sourceOf(first, reset) : undefined;
  }

  private sourceOf({ srcIp }: Tuple, { netns, ownFilter }: Reset): number | null {
    if (isLoopback(srcIp) || ownFilter) return netns ?? this.places.own;
    return this.places.netnsOf(srcIp, netns ?? this.places.own);
  }

  private isOwn(ip: string): boolean {
    return isLoopback(ip) || this.places.local(ip);
  }

  private notePort({ resetBy, servicePort }: Reset, { srcIp, destIp }: Tuple): void {
    if (servicePort === null || resetBy === 'unknown' || this.ports.size >= MAX_PORTS) return;
    if (this.isOwn(resetBy === 'server' ? srcIp : destIp)) this.ports.add(servicePort);
  }

  /** The same segment was captured a moment ago, on another interface or in another namespace. */
  private wasSeenElsewhere(reset: Reset): boolean {
    const { recent } = this;
    const at = reset.seconds + reset.nanos / 1e9;
    const place = `${String(reset.netns)} ${reset.interface ?? ''}`;
    const key = [exactly(reset), reset.seq, reset.ack, reset.flags, reset.window, reset.ipId].join(' ');
    const known = recent.get(key);
    if (known !== undefined && Math.abs(at - known.at) < COPY_SECONDS) return known.place !== place;
    recent.delete(key);
    recent.set(key, { at, place });
    if (recent.size > MAX_RECENT) {
      const [oldest] = recent.keys();
      if (oldest !== undefined) recent.delete(oldest);
    }
    return false;
  }
}

export interface Sent {
  readonly sent: number;
  readonly copies: number;
}

interface Sighting {
  readonly at: number;
  /** Namespace and interface. */
  readonly place: string;
}

/** `all`: with the copies. */
function together(
  all: ReadonlyMap<number | null, number>,
  copies: ReadonlyMap<number | null, number>,
): ReadonlyMap<number | null, Sent> {
  return new Map(
    [...all].map(([netns, n]) => {
      const own = copies.get(netns) ?? 0;
      return [netns, { sent: n - own, copies: own }];
    }),
  );
}

function add(counts: Map<number | null, number>, key: number | null): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/**
 * What TCP writes (net/ipv4/tcp_output.c tcp_send_active_reset, tcp_ipv4.c tcp_v4_send_reset and its IPv6 twin): a socket's
 * own reset acknowledges; an answer has no window and no data, and acknowledges only with sequence number 0.
 */
function mannersOf({ flags, seq, window, payloadLength }: Reset): Manner[] {
  const acknowledges = (flags & ACK) !== 0;
  const answers = window <= 0 && payloadLength === 0 && (!acknowledges || seq === 0);
  return [...(acknowledges ? (['active'] as const) : []), ...(answers ? (['passive'] as const) : [])];
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
