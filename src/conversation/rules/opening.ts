/** Resets in a handshake that are no refusals: the client has gone, the numbers don't fit, the queue is full. */

import { ACK, SYN } from '../../decode/net/tcp-layout.js';
import { seqDiff, type Facts } from '../facts.js';
import { no, ofHost, type Rule, yes } from './rule.js';
import { hadSocket, hasAck, kernelWords, noTrigger, otherWord } from './reasons.js';
import { before, hasNoSocket, isBare, isSilent, seconds, sentOf, triggerOf } from './shape.js';
import { ipSign } from './signs.js';

/** The third segment of a handshake is answered at once, if it is answered. */
const AT_ONCE = 1;
/** From SYN-ACK to third segment, at most a few round trips. */
const HANDSHAKE = 3;
/** A client that has something to say says it at once. */
const BEHIND = 0.2;

/** A SYN-ACK for a connection that its client does not have. */
export const clientGaveUp: Rule = ofHost({
  name: 'the client had gone',
  cause: 'client-gave-up',
  source: 'RFC 9293 3.10.7.1, 3.5.1 (half-open)',
  test: (facts) => {
    if (!isBare(facts)) return no(() => hasAck(facts));
    const trigger = triggerOf(facts);
    const { sender, receiver } = facts.conversation;
    if (trigger?.segment === undefined || trigger.segment === null || !trigger.isSynAck)
      return no(() => `no SYN-ACK acknowledges its sequence number, ${String(facts.reset.seq)}`);
    const isOwn = sender.isn !== null && !sender.synAck;
    if (isOwn && seqDiff(facts.reset.seq, sender.isn) !== 1)
      return no(
        () =>
          `the SYN-ACK does not acknowledge the SYN: ${String(facts.reset.seq)} is ${aheadOf(facts.reset.seq, sender.isn)} it`,
      );
    if (sentOf(facts) !== null && !hasNoSocket(facts)) return no(() => hadSocket(facts));
    const { segment } = trigger;
    if (!isOwn) {
      // A SYN that somebody else sent in this host's name, or that was not captured.
      return yes('half-open', 'possible', 'kernel', () => [
        `it answers a SYN-ACK of ${before(facts, segment)}, and no SYN was seen that asked for it`,
      ]);
    }
    if (sender.dataSegments > 0 || sender.acked !== null)
      return no('the client had gone on with the handshake: it had acknowledged, or sent data');
    const confidence = hasNoSocket(facts) ? 'certain' : 'likely';
    return yes('client-gave-up', confidence, 'kernel', () => [
      `it answers the SYN-ACK of ${before(facts, segment)}, which came ${seconds(segment.at - (sender.last?.at ?? segment.at))} after the client's SYN`,
      ...(receiver.dataSegments === 0
        ? ['the client had no connection any more, or never had one but in a scanner']
        : []),
    ]);
  },
});

/** An acknowledgement that has nothing to do with the new SYN: RFC 5961's challenge, from an older connection. */
export const portReuse: Rule = ofHost({
  name: 'a port used again',
  cause: 'port-reuse',
  source: 'RFC 9293 3.5.1 figure 9; RFC 5961 4.2',
  test: (facts) => {
    const { conversation, reset } = facts;
    const { sender, receiver, earlier } = conversation;
    if (!isBare(facts)) return no(() => hasAck(facts));
    if (sender.isn === null || sender.synAck) return no('its sender had sent no SYN');
    const trigger = triggerOf(facts);
    if (trigger?.segment === undefined || trigger.segment === null || trigger.isSynAck)
      return no(() => `no acknowledgement came that it answers, of ${String(reset.seq)} and in no SYN-ACK`);
    if (receiver.synAck) return no('the SYN had been answered by a SYN-ACK');
    if (seqDiff(reset.seq, sender.isn) === 1) return no('the acknowledgement is that of the SYN');
    if (sentOf(facts) !== null && sentOf(facts)?.active === true)
      return no(() => `a socket sent it by itself: ${kernelWords(facts)}`);
    const { segment } = trigger;
    const isKnown = sentOf(facts) !== null;
    return yes('port-reuse', isKnown && earlier === 'live' ? 'certain' : 'likely', 'kernel', () => [
      `its SYN was answered by an acknowledgement of something else, ${before(facts, segment)}: the server still had an older connection`,
      ...(earlier === 'live' ? ['that connection was seen, and not seen to end'] : []),
    ]);
  },
});

/** The third segment of a handshake, answered by a reset: the queue was full and the host is set to say so. */
export const listenQueueFull: Rule = ofHost({
  name: 'the accept queue is full',
  cause: 'listen-queue-full',
  source: 'Linux net/ipv4/tcp_minisocks.c tcp_check_req (tcp_abort_on_overflow)',
  test: (facts) => {
    const { conversation, reset } = facts;
    const { sender, receiver } = conversation;
    if (!isBare(facts)) return no(() => hasAck(facts));
    if (!sender.synAck || sender.isn === null) return no('its sender had sent no SYN-ACK');
    if (seqDiff(reset.seq, sender.isn) !== 1)
      return no(
        () =>
          `its sequence number is not that of the handshake, 1 above the SYN-ACK's, but ${aheadOf(reset.seq, sender.isn)} it`,
      );
    if (sender.next === null || seqDiff(sender.next, sender.isn) !== 1)
      return no(
        () => `its sender had sent data: its next number is ${aheadOf(sender.next ?? 0, sender.isn)} its SYN-ACK's`,
      );
    const { last } = receiver;
    if (last === null || (last.flags & (SYN | ACK)) !== ACK) return no("the handshake's third segment was not seen");
    if (receiver.dataSegments > 1)
      return no(() => `the client had sent more than one segment of data: ${String(receiver.dataSegments)}`);
    if (sender.acked !== null && seqDiff(sender.acked, last.seq) > 0)
      return no(
        () =>
          `the server had acknowledged data: ${aheadOf(sender.acked ?? 0, last.seq)} where the client's last segment begins`,
      );
    // With data in it, it is the third segment or comes just behind it.
    const isLater = last.length > 0 && last.at - (sender.last?.at ?? last.at) > BEHIND;
    if (isLater) return no(() => `the client had said nothing for a while, ${silence(facts)}: the handshake was over`);
    if (sender.last !== null && (sender.last.flags & SYN) === 0) return no('the server has said something since');
    if (reset.at - last.at > AT_ONCE)
      return no(
        () =>
          `the client's last segment came ${before(facts, last)}: the third of a handshake is answered within ${seconds(AT_ONCE)}`,
      );
    if (last.at - (sender.last?.at ?? last.at) > HANDSHAKE)
      return no(
        () =>
          `the handshake had been completed long before: the client's last segment came ${silence(facts)} after the SYN-ACK`,
      );
    if (receiver.finEnd !== null) return no('the client had finished');
    if (sentOf(facts) !== null) return no(() => otherWord(facts));
    const off = ipSign(facts);
    if (off !== null) return no(off);
    const { acceptedBefore } = facts.host;
    const isServed = acceptedBefore !== null && !isSilent(facts);
    return yes('listen-queue-full', isServed ? 'likely' : 'possible', 'kernel', () => [
      `it answers the third segment of the handshake, ${before(facts, last)}; the server had said nothing but its SYN-ACK`,
      ...(acceptedBefore === null ? [] : [`the port had accepted another client ${seconds(acceptedBefore)} before`]),
    ]);
  },
});

/** An acknowledgement in a handshake of what was never sent. */
export const handshakeMismatch: Rule = ofHost({
  name: "an acknowledgement that doesn't fit the handshake",
  cause: 'handshake-mismatch',
  source: 'RFC 9293 3.10.7.2, 3.10.7.3, 3.10.7.4',
  test: (facts) => {
    const { reset, conversation } = facts;
    const { sender, receiver, established, full } = conversation;
    if (!isBare(facts)) return no(() => hasAck(facts));
    if (!full) return no("not every segment was captured: the handshake's last was not");
    if ((triggerOf(facts)?.segment ?? null) === null) return no(() => noTrigger(facts));
    if (established) return no('the handshake had been completed: its third segment was seen');
    if (sender.isn === null) return no('its sender had sent neither SYN nor SYN-ACK');
    if (seqDiff(reset.seq, sender.isn) === 1)
      return no(() => `the acknowledgement fits the sender's SYN: ${String(reset.seq)} is 1 above it`);
    if (!sender.synAck && !receiver.synAck) return no('no SYN-ACK was seen');
    return yes('handshake-mismatch', 'likely', 'kernel', () => [
      `it answers an acknowledgement of ${String(reset.seq)}, where ${String(((sender.isn ?? 0) + 1) >>> 0)} was to be acknowledged`,
    ]);
  },
});

/** From the server's last segment to the client's. */
function silence({ conversation: { sender, receiver } }: Facts): string {
  return seconds((receiver.last?.at ?? NaN) - (sender.last?.at ?? NaN));
}

/** "3 above", "3 below". */
function aheadOf(seq: number, from: number | null): string {
  const ahead = seqDiff(seq, from ?? 0);
  return ahead < 0 ? `${String(-ahead)} below` : `${String(ahead)} above`;
}
