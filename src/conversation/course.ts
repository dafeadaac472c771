/**
 * How far a connection had come when it was reset: its stage, Zeek's word for it, how long it had been idle, what had
 * been sent each way.
 *
 * From the facts alone, never more than was seen (a lone reset had no SYN: zeek#1119).
 */

import { ACK } from '../decode/net/tcp-layout.js';
import { seqDiff, type SideFacts } from './facts.js';
import type { Reset } from './reset.js';
import type { Cause } from './verdict.js';

export type Stage = 'handshake' | 'established' | 'data' | 'closing' | 'closed' | 'unknown';
export type ConnState = 'REJ' | 'RSTO' | 'RSTR' | 'RSTOS0' | 'RSTRH';

/** What the connection had reached. */
export function stageOf(reset: Reset): Stage {
  const { conversation } = reset;
  const { sender, receiver, established, synSeen, full } = conversation;
  if (!sender.seen && !receiver.seen) return 'unknown';
  const finished = [sender, receiver].filter(({ finEnd }) => finEnd !== null).length;
  // A FIN out of the blue is a probe, and ends nothing.
  const isConnection = established || (sender.seen && receiver.seen) || hasData(reset);
  if (finished > 0 && isConnection) return finished === 2 ? 'closed' : 'closing';
  if (sender.dataSegments > 0 || receiver.dataSegments > 0 || hasData(reset)) return 'data';
  if (established) return 'established';
  // Where only its ends were captured, the handshake's last segment was not.
  if (!full && sender.isn !== null && receiver.isn !== null) return 'unknown';
  return synSeen || sender.synAck || receiver.synAck ? 'handshake' : 'unknown';
}

/** Sequence numbers say that data had been sent, also where its segments were not captured. */
function hasData(reset: Reset): boolean {
  const { sender, receiver } = reset.conversation;
  return (sent(reset, sender, receiver) ?? 0) > 0 || (sent(reset, receiver, sender) ?? 0) > 0;
}

/** Zeek's connection state (base/protocols/conn), where the SYN or its answer was seen; null else. */
export function connStateOf({ conversation }: Reset): ConnState | null {
  const { sender, receiver, opener, synSeen, established } = conversation;
  if (opener === null) return null;
  const bySender = opener === 'sender';
  const responder = bySender ? receiver : sender;
  if (!bySender && synSeen && !responder.synAck) return 'REJ';
  if (!bySender && !synSeen) return responder.synAck && !established && !receiver.seen ? 'RSTRH' : null;
  if (bySender && synSeen && !responder.seen) return 'RSTOS0';
  if (!synSeen) return null;
  return bySender ? 'RSTO' : 'RSTR';
}

/** Seconds since the connection's previous segment; null where not every segment was captured. */
export function idleOf(reset: Reset): number | null {
  const { full, lastAt, gap, sender, receiver } = reset.conversation;
  if (!reset.timed || !full || gap || lastAt === null) return null;
  // Its own number may show that something before it is missing.
  if (sender.next !== null && reset.seq !== 0 && seqDiff(reset.seq, sender.next) > 0) return null;
  const isAcking = (reset.flags & ACK) !== 0 && reset.seq !== 0;
  if (isAcking && receiver.next !== null && seqDiff(reset.ack, receiver.next) > 0) return null;
  const idle = reset.seconds + reset.nanos / 1e9 - lastAt;
  return idle < 0 ? 0 : Number(idle.toFixed(6));
}

export interface Bytes {
  readonly toServer: number | null;
  readonly toClient: number | null;
}

/** What each side had sent, by sequence numbers (so modulo 4 GiB); null where SYN and SYN-ACK were not both seen. */
export function bytesOf(reset: Reset): Bytes | null {
  const { conversation, resetBy } = reset;
  const { sender, receiver } = conversation;
  if (sender.isn === null || receiver.isn === null || resetBy === 'unknown') return null;
  const bySender = sent(reset, sender, receiver);
  const byReceiver = sent(reset, receiver, sender);
  return resetBy === 'server'
    ? { toServer: byReceiver, toClient: bySender }
    : { toServer: bySender, toClient: byReceiver };
}

/** Their numbers are somebody else's, or of another time: they tell nothing of the connection. */
const STRANGE: ReadonlySet<Cause> = new Set<Cause>(['injected', 'out-of-window']);

/** Bytes that a side had sent: what was seen of it, or acknowledged by the other, or what the reset's numbers tell. */
function sent(reset: Reset, side: SideFacts, other: SideFacts): number | null {
  const { full, established } = reset.conversation;
  if (side.isn === null) return null;
  const first = (side.isn + 1) >>> 0;
  const seen = countOf(side.next, first, side, full);
  // What is acknowledged in a handshake that was not completed may be anything.
  const acknowledged = full && !established ? 0 : countOf(other.acked, first, side, full);
  if (seen === null || acknowledged === null) return null;
  if (full && !established) return withoutFin(seen, side, first);
  let most = Math.max(seen, acknowledged);
  const told = STRANGE.has(reset.verdict.cause) ? null : toldBy(reset, side);
  if (told !== null) {
    const count = seqDiff(told, first);
    if (count > most && count < MOST_AHEAD) most = count;
  } else if (!full) return null;
  return withoutFin(most, side, first);
}

function withoutFin(count: number, { finEnd }: SideFacts, first: number): number {
  return finEnd !== null && count > 0 && (finEnd - first) >>> 0 <= count ? count - 1 : count;
}

/** What the reset says of the side's number; null: nothing. */
function toldBy({ conversation, flags, seq, ack }: Reset, side: SideFacts): number | null {
  if (conversation.sender === side) return seq;
  return (flags & ACK) === 0 ? null : ack;
}

/**
 * From `first` to `end`; null where that is so much that either not all of it was captured, or the number is not the
 * connection's.
 */
function countOf(end: number | null, first: number, { dataSegments }: SideFacts, full: boolean): number | null {
  if (end === null) return 0;
  const count = (end - first) >>> 0;
  // The SYN itself, which is one before the first.
  if (count === 0xffffffff) return 0;
  return count < MOST_AHEAD || (full && count <= dataSegments * LONGEST) ? count : null;
}

/** Octets of a segment, at most. */
const LONGEST = 65535;

/** Larger, and a reset's number is not the connection's. */
const MOST_AHEAD = 2 ** 30;
