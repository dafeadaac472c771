/**
 * How far a connection had come when it was reset: its stage, Zeek's word for it, how long it had been idle, what had
 * been sent each way.
 *
 * From the facts alone, never more than was seen (a lone reset had no SYN: zeek#1119).
 */

import { ACK } from '../decode/net/tcp.js';
import { seqDiff, type ConversationFacts, type SideFacts } from './facts.js';
import type { Reset } from './reset.js';

export type Stage = 'handshake' | 'established' | 'data' | 'closing' | 'closed' | 'unknown';
export type ConnState = 'REJ' | 'RSTO' | 'RSTR' | 'RSTOS0' | 'RSTRH';

/** What the connection had reached. */
export function stageOf({ conversation }: Reset): Stage {
  const { sender, receiver, established, synSeen } = conversation;
  if (!sender.seen && !receiver.seen) return 'unknown';
  if (sender.finEnd !== null && receiver.finEnd !== null) return 'closed';
  if (sender.finEnd !== null || receiver.finEnd !== null) return 'closing';
  if (sender.dataSegments > 0 || receiver.dataSegments > 0) return 'data';
  if (established) return hasData(conversation) ? 'data' : 'established';
  return synSeen || sender.synAck || receiver.synAck ? 'handshake' : 'unknown';
}

/** Sequence numbers say that data had been sent, also where its segments were not captured. */
function hasData({ sender, receiver }: ConversationFacts): boolean {
  return sent(sender, receiver, null) > 0 || sent(receiver, sender, null) > 0;
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
  readonly toServer: number;
  readonly toClient: number;
}

/** What each side had sent, by sequence numbers; null where SYN and SYN-ACK were not both seen. */
export function bytesOf(reset: Reset): Bytes | null {
  const { conversation, resetBy } = reset;
  const { sender, receiver } = conversation;
  if (sender.isn === null || receiver.isn === null || resetBy === 'unknown') return null;
  const bySender = sent(sender, receiver, reset);
  const byReceiver = sent(receiver, sender, reset);
  return resetBy === 'server'
    ? { toServer: byReceiver, toClient: bySender }
    : { toServer: bySender, toClient: byReceiver };
}

/** Bytes that a side had sent: what was seen of it, or acknowledged by the other, or what the reset's numbers tell. */
function sent(side: SideFacts, other: SideFacts, reset: Reset | null): number {
  if (side.isn === null) return 0;
  const first = side.isn + 1;
  const known = [side.next, other.acked];
  if (reset !== null) {
    const isSender = reset.conversation.sender === side;
    if (isSender) known.push(reset.seq);
    else if ((reset.flags & ACK) !== 0) known.push(reset.ack);
  }
  let most = 0;
  for (const end of known) {
    const count = end === null ? 0 : seqDiff(end, first);
    // A forged number is not taken for gigabytes.
    if (count > most && count < MOST_AHEAD) most = count;
  }
  return side.finEnd === null || most === 0 ? most : most - (seqDiff(side.finEnd, first) <= most ? 1 : 0);
}

/** Larger, and the sequence number has gone round or is not the connection's. */
const MOST_AHEAD = 2 ** 30;
