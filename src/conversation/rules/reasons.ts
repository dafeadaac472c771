/**
 * Why a rule says no, where several rules say so for the same fact: the fact, with its figures. Made when somebody reads
 * them.
 */

import { ACK } from '../../decode/net/tcp-layout.js';
import { flagsText } from '../../decode/net/tcp.js';
import type { Facts } from '../facts.js';
import { words } from './kernel-words.js';
import { before, bytes, LONGEST_ANSWER, seconds, sentOf } from './shape.js';

/** RFC 9293 3.10.7.1: what answers a segment with ACK has none itself. */
export function hasAck({ reset }: Facts): string {
  return `it has an acknowledgement ([${flagsText(reset.flags)}]); what answers a segment with ACK has none`;
}

/** No segment is there that it may answer. */
export function noTrigger(facts: Facts): string {
  const { reset, conversation } = facts;
  const { last } = conversation.receiver;
  const what = 'no segment was seen that it answers';
  if (last === null) return `${what}: nothing was captured of its receiver`;
  const said = `its receiver's last segment came ${before(facts, last)}`;
  if (reset.at - last.at > LONGEST_ANSWER)
    return `${what}: ${said}, and an answer comes within ${seconds(LONGEST_ANSWER)}`;
  if ((last.flags & ACK) === 0) return `${what}: ${said}, without an acknowledgement`;
  if (last.ack !== reset.seq) {
    return `${what}: ${said} and acknowledges ${String(last.ack)}, the reset's number is ${String(reset.seq)}`;
  }
  return `${what}: ${said}, and its sender had acknowledged that`;
}

export function notBothFinished({ conversation: { sender, receiver } }: Facts): string {
  const whose = sender.finEnd === null ? (receiver.finEnd === null ? 'either side' : 'its sender') : 'its receiver';
  return `not both sides had finished: no FIN of ${whose} was seen`;
}

/** The kernel has told of it, and of another mechanism. */
export function otherWord(facts: Facts): string {
  return `the kernel says something else: ${kernelWords(facts)}`;
}

export function sentByTcp(facts: Facts): string {
  return `the kernel's TCP ${sentWords(facts)}`;
}

export function hadSocket(facts: Facts): string {
  return `the kernel had a socket: ${kernelWords(facts)}`;
}

/** "it sent it for NO_SOCKET". */
export function kernelWords(facts: Facts): string {
  return `it ${sentWords(facts)}`;
}

function sentWords(facts: Facts): string {
  const sent = sentOf(facts);
  return sent === null
    ? 'did not send it'
    : words(sent)
        .join(', ')
        .replace(/^the kernel /, '');
}

/** Other than a packet filter makes it: by the first thing that differs. */
export function notOfFilter({ reset }: Facts): string {
  const what = 'it does not look as a packet filter makes it';
  if (reset.timestamp !== null) return `${what}: it has timestamps`;
  if ((reset.window ?? 0) !== 0) return `${what}: it has a window, ${String(reset.window)}`;
  if (reset.payloadLength > 0) return `${what}: it bears ${bytes(reset.payloadLength)}`;
  if (reset.ipId !== null && reset.ipId !== 0) return `${what}: its IP ID is ${String(reset.ipId)}, not 0`;
  if (reset.dontFragment === false) return `${what}: it may be fragmented`;
  return `${what}: it has an acknowledgement ([${flagsText(reset.flags)}])`;
}
