/** Resets of a host that does not know the connection. */

import type { Confidence } from '../verdict.js';
import type { Facts } from '../facts.js';
import { no, ofHost, type Rule, yes } from './rule.js';
import { hadSocket, hasAck, noTrigger } from './reasons.js';
import { answerWords, hasNoSocket, isAlone, isBare, isSilent, seconds, sentOf, triggerOf } from './shape.js';

/** A host that had the connection so lately has not lost it by a restart, and a NAT has not forgotten it. */
const LATELY = 1;

export const halfOpen: Rule = ofHost({
  name: 'its sender does not know the connection',
  cause: 'half-open',
  source: 'RFC 9293 3.5.1, 3.10.7.1',
  test: (facts) => {
    if (!isBare(facts)) return no(() => hasAck(facts));
    if (isSilent(facts)) return no("the kernel's TCP did not send it");
    if (sentOf(facts) !== null && !hasNoSocket(facts)) return no(() => hadSocket(facts));
    const { receiver } = facts.conversation;
    if (isAlone(facts)) {
      if (!hasNoSocket(facts)) return no('nothing of its connection was captured but resets');
      return yes('half-open', 'possible', 'kernel', () => [
        'the kernel had no socket for what it answers (NO_SOCKET); that segment was not captured',
      ]);
    }
    const { last } = receiver;
    if (last === null || triggerOf(facts) === null) {
      if (!hasNoSocket(facts)) return no(() => noTrigger(facts));
      return yes('half-open', 'possible', 'kernel', () => ['the kernel had no socket for what it answers (NO_SOCKET)']);
    }
    return yes('half-open', confidenceOf(facts), 'kernel', () => [
      answerWords(facts),
      ...(hasNoSocket(facts) ? ['the kernel had no socket for it (NO_SOCKET)'] : []),
      ...history(facts),
    ]);
  },
});

function confidenceOf(facts: Facts): Confidence {
  const { sender, receiver } = facts.conversation;
  // A connection whose beginning was not captured may have been closed before that.
  if (hasNoSocket(facts)) return facts.conversation.fromStart ? 'certain' : 'likely';
  if (sender.resets > 0 || receiver.resets > 0) return 'likely';
  if (sender.last === null) return 'possible';
  return facts.reset.at - sender.last.at >= LATELY ? 'likely' : 'possible';
}

function history(facts: Facts): string[] {
  const { sender, receiver } = facts.conversation;
  const { at } = facts.reset;
  if (sender.lastReset !== null)
    return [`its sender had reset the connection ${seconds(at - sender.lastReset.at)} before`];
  if (receiver.lastReset !== null)
    return [`a reset in the name of its receiver came ${seconds(at - receiver.lastReset.at)} before`];
  if (sender.last === null) return ['nothing else was captured of its sender'];
  if (!facts.conversation.full) return [];
  return [`its sender had last been heard of ${seconds(at - sender.last.at)} before, and had sent no FIN`];
}
