/**
 * What the rules for causes take: one reset, what each side of its connection had done before it and did after it, and
 * what the system knows of it. Plain data; whoever knows a part fills that part, and null is "not known", never "no".
 *
 * Sequence numbers are as on the wire, 32 bits, compared by `seqDiff` (RFC 9293 3.4). Times are seconds since 1970.
 */

import type { ResetDiagnostic } from '../decode/net/reset-diagnostic.js';
import type { KernelFacts } from './kernel-facts.js';

/** A segment that came before or after the reset. */
export interface SegmentFacts {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  /** Bytes of payload. */
  readonly length: number;
  readonly at: number;
  /** Number of its frame in its file. */
  readonly frame: number;
}

/** What one side had sent before the reset, resets apart. */
export interface SideFacts {
  /** Segments of it were seen. */
  readonly seen: boolean;
  /** Its SYN (with or without ACK) was seen, with this sequence number. */
  readonly isn: number | null;
  /** Its SYN had an ACK. */
  readonly synAck: boolean;
  /** The sequence number behind everything that was seen of it; null: nothing was. */
  readonly next: number | null;
  /** The highest acknowledgement that it sent. */
  readonly acked: number | null;
  /** The sequence number behind its FIN; null: none was seen. */
  readonly finEnd: number | null;
  /** Segments with payload. */
  readonly dataSegments: number;
  /** Keep-alive and zero-window probes (one octet or none, just below `next`), after its last other segment. */
  readonly probes: number;
  readonly last: SegmentFacts | null;
  /** The acknowledgement before that of `last` that differs from it. */
  readonly earlierAck: number | null;
  /** Its last window, not scaled, and the shift count that its SYN named. */
  readonly window: number | null;
  readonly windowScale: number | null;
  readonly timestamps: 'always' | 'never' | 'sometimes' | null;
  /** TSval of its last segment that has one. */
  readonly timestamp: number | null;
  /** Least and greatest TTL, and the last. */
  readonly ttlLeast: number | null;
  readonly ttlMost: number | null;
  readonly ttl: number | null;
  /** 'zero': always 0; 'running': counted up by little; 'other': neither. Null: IPv6, or too few were seen. */
  readonly ipIds: 'zero' | 'running' | 'other' | null;
  readonly ipId: number | null;
  readonly dontFragment: 'always' | 'never' | 'sometimes' | null;
  /** Resets that it sent before this one, and the last of them. */
  readonly resets: number;
  readonly lastReset: { readonly seq: number; readonly ack: number; readonly at: number } | null;
}

/** What was seen of the connection within AFTER_SECONDS behind the reset. Grows while it is watched. */
export interface AfterFacts {
  /** The first segment of the reset's sender that is no reset and no repetition of what it had sent before. */
  senderWentOn: SegmentFacts | null;
  /** The first segment of its receiver that acknowledges, or says, something new. */
  receiverWentOn: SegmentFacts | null;
  /** The sender's SYN-ACK came behind its reset of the SYN. */
  synAck: SegmentFacts | null;
  /** Further resets of the sender with other numbers, and of the receiver. */
  senderResets: number;
  /** The sequence numbers of the sender's further resets rise above what was ever acknowledged. */
  risingResets: number;
  receiverResets: number;
  /** Seconds from the reset to the receiver's first reset; null: none. */
  receiverResetAfter: number | null;
}

/** The peer of another connection of the same end. */
export interface Elsewhere {
  readonly ip: string;
  readonly port: number;
}

/** The connection as it was when the reset came. */
export interface ConversationFacts {
  readonly sender: SideFacts;
  readonly receiver: SideFacts;
  /** Who sent the SYN; null: not seen. */
  readonly opener: 'sender' | 'receiver' | null;
  /** The SYN itself was seen, not only the SYN-ACK. */
  readonly synSeen: boolean;
  /** The connection's first segment that was seen is its SYN. */
  readonly fromStart: boolean;
  /** The handshake's third segment was seen. */
  readonly established: boolean;
  /** An earlier connection had the same addresses and ports; 'live': it was not seen to end. */
  readonly earlier: 'ended' | 'live' | null;
  /** The capture holds more than the beginnings and ends of connections. */
  readonly full: boolean;
  /** The capture holds segments with SYN: by then one had been seen. */
  readonly hasHandshakes: boolean;
  /** A sequence number was passed over: not everything was captured. */
  readonly gap: boolean;
  /** Time of the connection's last segment before the reset, and of its first. */
  readonly lastAt: number | null;
  readonly firstAt: number | null;
  /** Seconds of silence, of both sides, that ended with a segment which was not answered until the reset; null: none. */
  readonly silence: number | null;
  /** Who sent the first FIN, and for how many seconds it had sent nothing before it; null: none, or nothing of it before. */
  readonly closed: { readonly by: 'sender' | 'receiver'; readonly idle: number } | null;
  /** Nothing was seen of the sender here, but another connection of its address and port has just these numbers. */
  elsewhere: Elsewhere | null;
  readonly after: AfterFacts;
}

/** What other connections of the capture say of the reset's sender. Grows for AFTER_SECONDS. */
export interface HostFacts {
  /** TTLs of its other segments, resets apart; null: none was seen. */
  readonly ttlLeast: number | null;
  readonly ttlMost: number | null;
  /** Seconds from the reset to the last handshake before it, and to the first after it, that its port completed. */
  readonly acceptedBefore: number | null;
  acceptedAfter: number | null;
}

/** The reset itself. */
export interface ResetFacts {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  /** Null: cut off by the capture. */
  readonly window: number | null;
  readonly ttl: number;
  /** Null: IPv6 has none. */
  readonly ipId: number | null;
  readonly dontFragment: boolean | null;
  readonly payloadLength: number;
  readonly payloadText: string | null;
  /** What its diagnostic payload says: a claim of its sender's. */
  readonly diagnostic: ResetDiagnostic | null;
  /** TSval; null: no timestamps option. */
  readonly timestamp: number | null;
  /** NaN: the capture gave it no time. Then nothing that is counted in seconds is known. */
  readonly at: number;
  /** It came by on the loopback interface only, from an address that is not of this host to one that is. */
  readonly ownFilter: boolean;
}

export interface Facts {
  readonly reset: ResetFacts;
  readonly conversation: ConversationFacts;
  readonly host: HostFacts;
  readonly kernel: KernelFacts;
}

/** How long what follows a reset is looked at. */
export const AFTER_SECONDS = 5;

/** How far `a` lies behind `b` in sequence space, from −2³¹ to 2³¹−1 (RFC 9293 3.4). */
export function seqDiff(a: number, b: number): number {
  return (a - b) | 0;
}
