/** Resets of somebody on the path: forged against the connection's will, or in its name by a device that may. */

import { seqDiff, type Facts } from '../facts.js';
import { no, yes, type Rule } from './rule.js';
import { sentByTcp } from './reasons.js';
import { answerWords, isActive, isAlone, isBare, seconds, sentOf, triggerOf } from './shape.js';
import {
  formSign,
  goesOnSign,
  ipSign,
  kernelSign,
  numberSign,
  ownTtl,
  timestampSign,
  ttlDistance,
  ttlOff,
} from './signs.js';

const MOST_SCALE = 14;
/** Both ends are reset within this by a device between them. */
const BOTH_ENDS = 0.05;
/** A TTL that is off by one may be another way through the network. */
const OTHER_WAY = 1;

/**
 * Two independent signs, one of each kind: it is against the connection's will (its sender goes on, or its numbers were
 * not reached), and not of its sender's making (its IP header, its form, its sender's kernel).
 */
export const injected: Rule = {
  name: 'forged',
  cause: 'injected',
  source: 'Weaver, Sommer, Paxson, NDSS 2009; Suricata stream-tcp.c; RFC 4953',
  test: (facts) => {
    if (sentOf(facts) !== null) return no(() => sentByTcp(facts));
    if (isAlone(facts)) return no('nothing of its connection was captured but resets');
    const will = goesOnSign(facts) ?? numberSign(facts);
    const making =
      ipSign(facts) ??
      formSign(facts) ??
      kernelSign(facts) ??
      (goesOnSign(facts) === null ? null : timestampSign(facts));
    if (will === null && making === null) return no(() => noSign(facts));
    if (will === null) return no(`one sign only: ${making ?? ''}`);
    if (making === null) return no(`one sign only: ${will}`);
    return yes('injected', 'likely', 'middlebox', () =>
      [
        goesOnSign(facts),
        numberSign(facts),
        ipSign(facts),
        formSign(facts),
        timestampSign(facts),
        kernelSign(facts),
      ].filter((sign) => sign !== null),
    );
  },
};

/** RFC 5961 3.2: exact, in the window (a challenge ACK), or to be ignored. */
export const outOfWindow: Rule = {
  name: "out of its receiver's window",
  cause: 'out-of-window',
  source: 'RFC 5961 3.2; RFC 9293 3.10.7.4',
  test: (facts) => {
    const { reset, conversation, kernel } = facts;
    const { receiver, sender, after } = conversation;
    if (sentOf(facts) !== null) return no(() => sentByTcp(facts));
    const { acked, window } = receiver;
    if (!conversation.full || conversation.gap) {
      return no(
        () =>
          `not every segment was captured${conversation.full ? ' (its numbers have a gap)' : ''}: what its receiver expected is not known`,
      );
    }
    if (acked === null || window === null) {
      return no(
        () =>
          `it is not known what its receiver would accept: ${acked === null ? 'no acknowledgement' : 'no window'} of it was captured`,
      );
    }
    if (sender.finEnd !== null || receiver.finEnd !== null)
      return no(
        () =>
          `the connection was being closed: ${sender.finEnd === null ? 'its receiver' : 'its sender'} had sent a FIN`,
      );
    // Both must have named a scale for either to count (RFC 7323 2.2); unseen or cut off, it may be the greatest.
    const isScaled = sender.windowScale !== null && receiver.windowScale !== null;
    const scale = isScaled ? receiver.windowScale : MOST_SCALE;
    const most = window * 2 ** scale;
    const ahead = seqDiff(reset.seq, acked);
    if (ahead >= 0 && ahead <= most) {
      return no(() =>
        ahead === 0
          ? `its sequence number is exactly the one expected, ${String(acked)}`
          : `its sequence number is in the window: ${String(ahead)} above what was expected, of ${String(most)}`,
      );
    }
    if (isBare(facts) && triggerOf(facts) !== null) return no(() => answerWords(facts));
    if (kernel.received === true) return no("its receiver accepted it: its kernel's socket took it");
    const foreign = ipSign(facts) ?? formSign(facts);
    if (foreign !== null) return no(`it is not of its sender's making: ${foreign}`);
    const where = ahead < 0 ? `${String(-ahead)} below` : `${String(ahead)} above`;
    const on = after.receiverWentOn ?? after.senderWentOn;
    const isIgnored = on !== null || kernel.received === false;
    return yes('out-of-window', isIgnored ? 'likely' : 'possible', 'unknown', () => [
      `its sequence number is ${where} what its receiver expected, the window ${isScaled ? '' : 'at most '}${String(most)}`,
      ...(on === null ? [] : [`the connection went on ${seconds(on.at - reset.at)} later`]),
      ...(kernel.received === false ? ["the receiver's kernel did not accept it"] : []),
    ]);
  },
};

/** Numbers that fit, of somebody who is not the sender; or both ends told at once, with nothing to answer. */
export const middleboxReset: Rule = {
  name: 'a device on the path',
  cause: 'middlebox-reset',
  source: 'RFC 3360; Weaver, Sommer, Paxson, NDSS 2009',
  test: (facts) => {
    if (sentOf(facts) !== null) return no(() => sentByTcp(facts));
    const { conversation } = facts;
    if (!conversation.full || !conversation.sender.seen) {
      return no(() =>
        conversation.full
          ? 'its sender had sent nothing that it could be compared with, as far as was captured'
          : 'its sender had sent nothing that it could be compared with: not every segment was captured',
      );
    }
    const both = bothEnds(facts);
    const off = ttlOff(facts);
    if (off === null && both === null)
      return no(() => `${ownTtl(facts) ?? ''}, and the other end was not reset at the same time`);
    // One step may be another way through the network.
    const isSure = both !== null || (off !== null && ttlDistance(facts) > OTHER_WAY);
    return yes('middlebox-reset', isSure ? 'likely' : 'possible', 'middlebox', () => [
      ...(off === null ? [] : [off]),
      ...(both === null ? [] : [both]),
      ...(kernelSign(facts) === null ? [] : ["the kernel's TCP did not send it"]),
    ]);
  },
};

/** The other end was reset at the same time, and neither reset answers a segment. */
function bothEnds(facts: Facts): string | null {
  const { reset, conversation } = facts;
  const { receiver, after, lastAt } = conversation;
  // Two programs may well give up at the same moment, each by its own reset.
  if (isActive(facts) && reset.timestamp !== null) return null;
  const before = receiver.lastReset === null ? null : reset.at - receiver.lastReset.at;
  const apart = after.receiverResetAfter ?? before;
  if (apart === null || apart > BOTH_ENDS) return null;
  // What answers a segment, or a reset that crossed one, comes within a round trip of it.
  if (lastAt !== null && reset.at - lastAt < BOTH_ENDS * 2) return null;
  return `both ends were reset within ${seconds(apart)}, ${seconds(reset.at - (lastAt ?? reset.at))} after the last segment`;
}

/** Everything that could be compared and agrees. */
function noSign(facts: Facts): string {
  const compared = [ownTtl(facts), goesOn(facts)].filter((text) => text !== null);
  return `no sign of a third party${compared.length === 0 ? '' : `: ${compared.join(', ')}`}`;
}

function goesOn({ conversation: { after } }: Facts): string | null {
  return after.senderWentOn === null ? 'its sender says nothing more' : null;
}
