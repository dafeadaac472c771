/**
 * One reset as the tracker knows it: the header of its first frame, every frame that showed it, and what follows from
 * the connection. Plain data; the report turns it into an event.
 */

import type { ResetDiagnostic } from '../decode/net/reset-diagnostic.js';
import type { OuterHeader } from '../decode/segment-batch.js';
import type { ConversationFacts, HostFacts } from './facts.js';
import type { Few } from './few.js';
import type { Direction, ResetBy, Verdict } from './verdict.js';

/** The four addresses and ports of a segment. */
export interface Tuple {
  readonly srcIp: string;
  readonly srcPort: number;
  readonly destIp: string;
  readonly destPort: number;
}

/** The same reset under other addresses: what a NAT made of it. */
export interface Twin extends Tuple {
  readonly seconds: number;
  readonly nanos: number;
  readonly interface: string | null;
}

/** What further frames of a reset showed. */
export interface Copies {
  /** Their numbers in the file, without the first. */
  readonly frames: number[];
  /** With the first frame's. */
  readonly interfaces: Few<string>;
  /** Where and how each was seen, with the first: see fold.ts. */
  readonly sightings: Few<number>;
  /** null: no NAT was seen. */
  twins: Twin[] | null;
}

export interface Reset extends Tuple {
  /** Time of the first frame. */
  readonly seconds: number;
  readonly nanos: number;
  /** Digits after the second that the source's times have. */
  readonly digits: number;
  /** The capture gave the frame a time; without one, `seconds` is that of the frame before. */
  readonly timed: boolean;
  readonly file: number;
  /** Number of the first frame in its file, from 1. */
  readonly frame: number;
  readonly ipVersion: number;
  /** Link addresses as 48-bit numbers, -1 where the link has none. */
  readonly srcMac: number;
  readonly destMac: number;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  /** −1: cut off by the capture. */
  readonly window: number;
  readonly ttl: number;
  /** −1: IPv6 has none. */
  readonly ipId: number;
  /** IPv4's "don't fragment"; false for IPv6. */
  readonly dontFragment: boolean;
  readonly payloadLength: number;
  readonly payloadText: string | null;
  readonly diagnostic: ResetDiagnostic | null;
  /** What rstscope wrote on it when it was saved, of the first frame that has such a comment: a claim of the file's. */
  note: string | null;
  /** TSval, −1 without. */
  readonly timestamp: number;
  readonly tenant: number;
  readonly vlan: readonly number[];
  readonly outer: readonly OuterHeader[];
  /** Of the first frame; null where the source does not say. */
  readonly interface: string | null;
  /** Inode number of the network namespace of its first frame's interface; null where the capture does not say. */
  readonly netns: number | null;
  /** null: no further frame showed it. */
  copies: Copies | null;
  direction: Direction;
  /** It came by on the loopback interface only, from an address that is not of this host to one that is. */
  readonly ownFilter: boolean;
  /** The connection as it was then, and what came behind the reset. */
  conversation: ConversationFacts;
  host: HostFacts;
  /** The serving end's number, for its count of connections; null where nothing says which side serves. */
  server: number | null;
  /** Port of the serving side as the client dialled it; null where nothing says which side serves. */
  servicePort: number | null;
  resetBy: ResetBy;
  verdict: Verdict;
  /** No further frame can fold into it. */
  whole: boolean;
}

/** Numbers of all its frames. */
export function framesOf({ frame, copies }: Reset): number[] {
  return copies === null ? [frame] : [frame, ...copies.frames];
}

export function interfacesOf({ interface: first, copies }: Reset): readonly string[] {
  if (copies !== null) return copies.interfaces.members;
  return first === null ? [] : [first];
}

export function twinsOf({ copies }: Reset): readonly Twin[] {
  return copies?.twins ?? NONE;
}

const NONE: readonly Twin[] = [];

/** Address of the serving side as the client knows it; null where it is not known which side serves. */
export function serverIp(reset: Reset): string | null {
  if (reset.resetBy === 'unknown') return null;
  const { srcIp, destIp } = asClientSeesIt(reset);
  return reset.resetBy === 'server' ? srcIp : destIp;
}

/** Address of the other side; null where the serving side is not known. */
export function clientIp(reset: Reset): string | null {
  if (reset.resetBy === 'unknown') return null;
  const { srcIp, destIp } = asClientSeesIt(reset);
  return reset.resetBy === 'server' ? destIp : srcIp;
}

/**
 * A NAT stands between the two: what the client sends, before it, and what comes to the client, behind it, bear the
 * addresses that the client dialled. By time, since a file may hold one interface's frames before another's.
 */
export function asClientSeesIt(reset: Reset): Tuple {
  let seen: Tuple & Pick<Twin, 'seconds' | 'nanos'> = reset;
  for (const twin of twinsOf(reset)) {
    const later = twin.seconds - seen.seconds || twin.nanos - seen.nanos;
    if (reset.resetBy === 'server' ? later >= 0 : later < 0) seen = twin;
  }
  return seen;
}

/** The source, or the destination, opened the connection: the other one serves. */
export function openedBy(reset: Reset, opener: 'source' | 'destination'): void {
  reset.resetBy = opener === 'source' ? 'client' : 'server';
  const seen = asClientSeesIt(reset);
  reset.servicePort = reset.resetBy === 'server' ? seen.srcPort : seen.destPort;
}
