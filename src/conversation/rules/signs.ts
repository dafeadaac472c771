/**
 * Signs that a reset is not of the host whose address it bears, and that it came against the connection's will. Each is
 * one observed fact; what lawful stacks do too is none (old Linux gives bare resets an IP ID run of their own, macOS puts
 * no timestamps on its aborts).
 *
 * Sources: RFC 5961; Weaver, Sommer, Paxson, "Detecting Forged TCP Reset Packets", NDSS 2009; Suricata
 * stream-tcp.c suspected_rst_inject.
 */

import { ACK } from '../../decode/net/tcp-layout.js';
import { seqDiff, type Facts } from '../facts.js';
import { bytes, isActive, isBare, isSilent, seconds } from './shape.js';

/** Reserved bits of the header, which nobody sets. */
const RESERVED = 0xe00;
/** A sender's next segment is not further in its run of IP IDs. */
const ID_STEP = 2048;
/** An acknowledgement that was overtaken by the reset comes sooner. */
const OVERTAKEN = 0.1;
/** What one segment may hold beyond what was acknowledged. */
const SLACK = 2;

/** TTL, IP ID or "don't fragment" are off those of the sender's other packets. All three together are one sign. */
export function ipSign(facts: Facts): string | null {
  const { reset, conversation } = facts;
  const { sender } = conversation;
  // A host may send by several TTLs, its containers' among them; one connection doesn't.
  const off = sender.seen ? ttlOff(facts) : null;
  if (off !== null) return off;
  // Only an abort goes on with its socket's IP IDs.
  if (!isActive(facts) || reset.ipId === null || !sender.seen) return null;
  if (sender.dontFragment === 'always' && reset.dontFragment === false) {
    return "it may be fragmented, as none of its sender's other packets may";
  }
  if (sender.ipIds === 'running' && sender.ipId !== null) {
    const step = (reset.ipId - sender.ipId) & 0xffff;
    if (step > ID_STEP) {
      return `its IP ID ${String(reset.ipId)} is out of its sender's run, which was at ${String(sender.ipId)}`;
    }
  }
  return null;
}

/** The TTL is not one that the sender had in this connection; where it said nothing else, in others. */
export function ttlOff({ reset, conversation, host }: Facts): string | null {
  const { sender } = conversation;
  const own = sender.ttlLeast !== null && sender.ttlMost !== null;
  const least = own ? sender.ttlLeast : host.ttlLeast;
  const most = own ? sender.ttlMost : host.ttlMost;
  if (least === null || most === null || (reset.ttl >= least && reset.ttl <= most)) return null;
  const range = least === most ? String(least) : `${String(least)} to ${String(most)}`;
  return `its TTL is ${String(reset.ttl)}, that of its sender's other packets ${range}`;
}

/** The TTL is one that the sender had, in this connection or in others; null: none is known, or it is off. */
export function ownTtl(facts: Facts): string | null {
  const { reset, conversation, host } = facts;
  const known = conversation.sender.ttlLeast ?? host.ttlLeast;
  if (known === null || ttlOff(facts) !== null) return null;
  return `TTL ${String(reset.ttl)} is that of its sender's other packets`;
}

/** How far the TTL is off; 0: it is not, or nothing is known. */
export function ttlDistance({ reset, conversation: { sender } }: Facts): number {
  if (sender.ttlLeast === null || sender.ttlMost === null) return 0;
  return Math.max(0, sender.ttlLeast - reset.ttl, reset.ttl - sender.ttlMost);
}

/** Reserved bits, or a payload that is no text. */
export function formSign({ reset }: Facts): string | null {
  if ((reset.flags & RESERVED) !== 0) return 'reserved bits of its header are set';
  if (reset.payloadLength > 0 && reset.payloadText === null && reset.diagnostic === null) {
    return `it bears ${bytes(reset.payloadLength)} that ${reset.payloadLength === 1 ? 'is' : 'are'} no text`;
  }
  return null;
}

/** No timestamps on an abort in a connection that has them. Lawful on macOS and BSD: never enough by itself. */
export function timestampSign(facts: Facts): string | null {
  const { reset, conversation } = facts;
  const { sender, receiver } = conversation;
  const always = sender.timestamps === 'always' && receiver.timestamps === 'always';
  if (!isActive(facts) || !always || reset.timestamp !== null) return null;
  return 'it has no timestamps, all other segments of the connection do';
}

/** The system on which it was captured, whose address it bears, did not send it. */
export function kernelSign(facts: Facts): string | null {
  return isSilent(facts) ? "the kernel's TCP did not send it" : null;
}

/** The sender goes on as if it had sent no reset. */
export function goesOnSign({ reset, conversation }: Facts): string | null {
  const { after } = conversation;
  if (after.synAck !== null) {
    return `its sender accepted the connection ${seconds(after.synAck.at - reset.at)} later`;
  }
  const on = after.senderWentOn;
  if (on === null) return null;
  // What ends before the reset's own number was sent before it and overtaken by it.
  const end = on.seq + on.length + (on.flags & 1);
  const isNew = seqDiff(end, reset.seq) > 0 || (on.at - reset.at > OVERTAKEN && (on.flags & ACK) !== 0);
  return isNew ? `its sender goes on with the connection ${seconds(on.at - reset.at)} later` : null;
}

/** Numbers that the connection had not reached (NDSS 2009, RST_SEQ_CHANGE), where everything before was captured. */
export function numberSign(facts: Facts): string | null {
  const { reset, conversation } = facts;
  const { sender, receiver, after, gap, full } = conversation;
  if (!full || gap) return null;
  if (after.risingResets > 0) {
    return `${String(after.risingResets + 1)} resets with rising sequence numbers, none of which was reached`;
  }
  const previous = sender.lastReset;
  if (previous !== null && sender.finEnd === null && reset.at - previous.at < 2) {
    const beyond = (known: number | null): boolean => known !== null && seqDiff(reset.seq, known) > SLACK;
    if (seqDiff(reset.seq, previous.seq) > SLACK && beyond(sender.next) && beyond(receiver.acked)) {
      return `its sequence number is ${String(seqDiff(reset.seq, previous.seq))} above that of the reset before, and was not reached`;
    }
  }
  if (sender.next === null) return null;
  if (!isBare(facts) && receiver.next !== null && seqDiff(reset.ack, receiver.next) > 0) {
    const ahead = seqDiff(reset.ack, receiver.next);
    return `it acknowledges ${bytes(ahead)} that ${ahead === 1 ? 'was' : 'were'} not sent`;
  }
  return null;
}
