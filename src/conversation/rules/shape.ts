/**
 * What a reset's header says by itself, and what it may be an answer to (RFC 9293 3.10.7, Linux net/ipv4/tcp_ipv4.c
 * tcp_v4_send_reset, net/ipv4/tcp_output.c tcp_send_active_reset).
 */

import { ACK, FIN, SYN } from '../../decode/net/tcp-layout.js';
import { seqDiff, type Facts, type SegmentFacts } from '../facts.js';
import type { KernelSent } from '../kernel-facts.js';

/** RST without ACK: answers a segment with ACK; its sequence number is what that one acknowledged. */
export function isBare({ reset }: Facts): boolean {
  return (reset.flags & ACK) === 0;
}

/** RST and ACK with sequence number 0 and no window: answers a segment without ACK, as a SYN is. */
export function isRefusal({ reset }: Facts): boolean {
  return !isBareFlags(reset.flags) && reset.seq === 0 && (reset.window ?? 0) === 0 && reset.ack !== 0;
}

/** RST and ACK with numbers of a connection: a program's own doing, on most systems. */
export function isActive(facts: Facts): boolean {
  return !isBare(facts) && !isRefusal(facts);
}

function isBareFlags(flags: number): boolean {
  return (flags & ACK) === 0;
}

/** It acknowledges just the SYN that the other side had sent. */
export function answersSyn(facts: Facts): boolean {
  const { reset, conversation } = facts;
  const { isn, synAck, last } = conversation.receiver;
  if (!isRefusal(facts) || isn === null || synAck || last === null || (last.flags & SYN) === 0) return false;
  const ahead = seqDiff(reset.ack, isn);
  return ahead === 1 || ahead === 1 + last.length;
}

/** Seconds: an answer comes within a round trip; what comes later answers nothing. */
export const LONGEST_ANSWER = 3;

/** The segment that a bare reset may answer. */
export interface Trigger {
  /** Null: only its acknowledgement is known. */
  readonly segment: SegmentFacts | null;
  readonly isSynAck: boolean;
}

/** The latest segment of the receiver that acknowledged just the reset's number, and was not answered; null: none. */
export function triggerOf({ reset, conversation }: Facts): Trigger | null {
  const { sender, receiver } = conversation;
  const { last, earlierAck } = receiver;
  if (last === null || reset.at - last.at > LONGEST_ANSWER) return null;
  if ((last.flags & ACK) !== 0 && last.ack === reset.seq) {
    const isSynAck = (last.flags & SYN) !== 0;
    const takesRoom = last.length > 0 || isSynAck || (last.flags & FIN) !== 0;
    // A repetition of what was acknowledged before is not answered by that.
    const hasSpoken = sender.last !== null && sender.last.at >= last.at;
    const isAnswered = takesRoom && hasSpoken && sender.acked !== null && seqDiff(sender.acked, endOf(last)) >= 0;
    return isAnswered ? null : { segment: last, isSynAck };
  }
  return earlierAck === reset.seq ? { segment: null, isSynAck: false } : null;
}

/** Sequence number behind the segment. */
export function endOf({ seq, length, flags }: SegmentFacts): number {
  return (seq + length + ((flags & SYN) === 0 ? 0 : 1) + ((flags & FIN) === 0 ? 0 : 1)) >>> 0;
}

/** Nothing was captured of the connection but resets. */
export function isAlone({ conversation }: Facts): boolean {
  return !conversation.sender.seen && !conversation.receiver.seen;
}

/** What the kernel said of sending it; null: nothing. */
export function sentOf({ kernel }: Facts): KernelSent | null {
  return kernel.sent === 'silent' ? null : kernel.sent;
}

export function isSilent({ kernel }: Facts): boolean {
  return kernel.sent === 'silent';
}

/** The kernel answered for want of a socket. */
export function hasNoSocket(facts: Facts): boolean {
  const sent = sentOf(facts);
  return sent !== null && (sent.reason === 'NO_SOCKET' || (sent.reason === null && sent.socketless));
}

/** A passive reset as Linux makes it, its TCP and its packet filter alike: no options, no window, IP ID 0, DF. */
export function looksPassive({ reset }: Facts): boolean {
  return (
    reset.timestamp === null &&
    (reset.window ?? 0) === 0 &&
    reset.payloadLength === 0 &&
    (reset.ipId === null || reset.ipId === 0) &&
    reset.dontFragment !== false
  );
}

/** What a bare reset answers, as far as it is known. */
export function answerWords(facts: Facts): string {
  const segment = triggerOf(facts)?.segment ?? null;
  if (segment === null) return 'it answers an earlier segment of its receiver';
  const what = segment.length > 0 ? `${bytes(segment.length)} that came` : 'a segment of';
  return `it answers ${what} ${before(facts, segment)}`;
}

/** Seconds in words. */
export function seconds(value: number): string {
  if (Number.isNaN(value)) return 'an unknown time';
  if (value < 0.0009995) return `${String(Math.max(0, Math.round(value * 1e6)))} µs`;
  if (value < 0.9995) return `${String(Math.max(1, Math.round(value * 1000)))} ms`;
  return `${value < 100 ? value.toFixed(1) : String(Math.round(value))} s`;
}

/** "frame 12", and when it came before the reset. */
export function before(facts: Facts, segment: SegmentFacts): string {
  return `${seconds(facts.reset.at - segment.at)} before`;
}

export function bytes(count: number): string {
  return count === 1 ? '1 byte' : `${String(count)} bytes`;
}
