/** Resets of connections that one side, or both, had finished. */

import { FIN } from '../../decode/net/tcp-layout.js';
import { flagsText } from '../../decode/net/tcp.js';
import { seqDiff, type Facts } from '../facts.js';
import { no, ofHost, type Rule, yes } from './rule.js';
import { hasAck, noTrigger, notBothFinished, otherWord } from './reasons.js';
import { answerWords, before, bytes, endOf, hasNoSocket, isBare, seconds, sentOf, triggerOf } from './shape.js';

/** Bytes: what TLS sends as its last words (an alert, RFC 8446 6.1) nobody misses. */
const GOODBYE = 64;

export const timeWaitAssassination: Rule = ofHost({
  name: 'an old segment met a connection in TIME-WAIT',
  cause: 'time-wait-assassination',
  source: 'RFC 1337',
  test: (facts) => {
    const { conversation } = facts;
    const { sender, receiver } = conversation;
    if (!isBare(facts)) return no(() => hasAck(facts));
    if (sender.finEnd === null || receiver.finEnd === null) return no(() => notBothFinished(facts));
    const { last } = receiver;
    const old = sender.last;
    if (last === null || old === null || (triggerOf(facts)?.segment ?? null) === null)
      return no(() => noTrigger(facts));
    if (last.length > 0 || (last.flags & FIN) !== 0)
      return no(() => `what it answers bears data, or a FIN: [${flagsText(last.flags)}], ${bytes(last.length)}`);
    const isOld = seqDiff(endOf(old), sender.finEnd) < 0;
    if (!isOld || old.at > last.at)
      return no(
        () =>
          `the last segment of its sender is no old one that TIME-WAIT had to answer: it came ${before(facts, old)} and ends at ${String(endOf(old))}, the connection at ${String(sender.finEnd ?? 0)}`,
      );
    if (seqDiff(last.ack, sender.finEnd) !== 0)
      return no(
        () => `what it answers does not acknowledge everything: ${String(last.ack)}, of ${String(sender.finEnd ?? 0)}`,
      );
    const sent = sentOf(facts);
    // Where the forgetful end still listens, its listener answers.
    if (sent !== null && !hasNoSocket(facts) && !sent.listening) return no(() => otherWord(facts));
    const confidence = sent === null ? 'likely' : 'certain';
    return yes('time-wait-assassination', confidence, 'kernel', () => [
      `an old segment of its sender came ${before(facts, old)}, after both sides had finished; it was answered from TIME-WAIT`,
      'the sender, which had forgotten the connection, answers that by the reset',
    ]);
  },
});

export const closeReset: Rule = ofHost({
  name: 'both sides had finished',
  cause: 'close-reset',
  source: 'RFC 9293 3.6',
  test: (facts) => {
    const { sender, receiver, lastAt } = facts.conversation;
    if (sender.finEnd === null || receiver.finEnd === null) return no(() => notBothFinished(facts));
    if (sentOf(facts) !== null && !hasNoSocket(facts)) return no(() => otherWord(facts));
    const lost = lostOf(facts);
    if (lost > GOODBYE && isBare(facts)) return no(() => `both sides had finished, and ${bytes(lost)} were lost`);
    return yes('close-reset', 'likely', 'kernel', () => [
      `both sides had sent a FIN; the last segment came ${seconds(facts.reset.at - (lastAt ?? facts.reset.at))} before`,
      ...unread(facts),
    ]);
  },
});

export const lateData: Rule = ofHost({
  name: 'its sender had finished',
  cause: 'late-data',
  source: 'RFC 9293 3.10.7.1, RFC 1122 4.2.2.13; Linux net/ipv4/tcp_input.c tcp_rcv_state_process',
  test: (facts) => {
    const { sender, receiver } = facts.conversation;
    if (!isBare(facts)) return no(() => hasAck(facts));
    if (sender.finEnd === null) return no('its sender had sent no FIN, as far as was captured');
    if (receiver.finEnd !== null && lostOf(facts) <= GOODBYE)
      return no(() =>
        lostOf(facts) === 0
          ? 'both sides had finished, and nothing was lost'
          : `both sides had finished, and no more than ${bytes(lostOf(facts))} were lost`,
      );
    const sent = sentOf(facts);
    if (sent !== null && !hasNoSocket(facts)) return no(() => otherWord(facts));
    if (triggerOf(facts) === null) return no(() => noTrigger(facts));
    return yes('late-data', 'likely', 'kernel', () => [
      `its sender had sent a FIN; ${answerWords(facts)}`,
      ...unread(facts),
    ]);
  },
});

/** Bytes that the receiver had sent and the sender never acknowledged. */
function lostOf({ conversation: { sender, receiver } }: Facts): number {
  if (sender.acked === null || receiver.next === null) return 0;
  return Math.max(0, seqDiff(receiver.next, sender.acked) - (receiver.finEnd === receiver.next ? 1 : 0));
}

function unread(facts: Facts): string[] {
  const lost = lostOf(facts);
  return lost > 0 ? [`${bytes(lost)} of its receiver were not acknowledged`] : [];
}
