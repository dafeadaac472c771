/** Resets that a program, or its timer, sent for a connection it had. */

import { seqDiff, type Facts } from '../facts.js';
import type { Confidence } from '../verdict.js';
import { no, ofHost, type Rule, yes } from './rule.js';
import { otherWord } from './reasons.js';
import { ttlOff } from './signs.js';
import { bytes, isActive, isAlone, isBare, isSilent, seconds, sentOf } from './shape.js';

/** Probes without an answer after which a timer is believed to have given up. */
const FEW_PROBES = 2;

export const abortTimeout: Rule = ofHost({
  name: 'a timer gave up',
  cause: 'abort-timeout',
  source: 'RFC 9293 3.8.4; Linux net/ipv4/tcp_timer.c tcp_keepalive_timer',
  test: (facts) => {
    if (!isActive(facts)) return no(() => `it is no abort: ${answerOnly(facts)}`);
    if (sentOf(facts) !== null) return no(() => otherWord(facts));
    const { sender, receiver } = facts.conversation;
    const { probes } = sender;
    if (!receiver.seen) return no('nothing was captured of its receiver: whether it answered is not known');
    if (probes < FEW_PROBES)
      return no(
        () => `${String(probes)} probes without an answer came before it; a timer sends ${String(FEW_PROBES)} or more`,
      );
    return yes('abort-timeout', 'likely', 'kernel', () => [
      `its sender had sent ${String(probes)} probes that nobody answered`,
    ]);
  },
});

export const abort: Rule = ofHost({
  name: 'a program aborted',
  cause: 'abort',
  source: 'RFC 9293 3.9.1 (ABORT); Linux net/ipv4/tcp_output.c tcp_send_active_reset',
  test: (facts) => {
    if (!isActive(facts)) return no(() => `it answers a segment: ${answerOnly(facts)}`);
    if (isSilent(facts)) return no("the kernel's TCP did not send it");
    if (isAlone(facts)) return lone(facts);
    const foreign = ttlOff(facts);
    if (foreign !== null) return no(foreign);
    const { reset, conversation } = facts;
    const { sender } = conversation;
    const hasWindow = reset.window !== null && reset.window > 0;
    let confidence: Confidence = hasWindow || reset.timestamp !== null ? 'likely' : 'possible';
    // A kernel's own numbers are those of the connection.
    const isWhole = conversation.full && !conversation.gap;
    if (isWhole && sender.next !== null && seqDiff(reset.seq, sender.next) !== 0) confidence = 'possible';
    return yes('abort', confidence, 'application', () => [
      'it has the numbers of the connection: a program aborted, or was killed',
      ...(acknowledged(facts) > 0
        ? [`it had acknowledged ${bytes(acknowledged(facts))} before, which may not have been read`]
        : []),
      ...(sender.last === null || !conversation.full
        ? []
        : [`its sender's last segment came ${seconds(reset.at - sender.last.at)} before`]),
    ]);
  },
});

/** Bytes of its receiver that its sender had acknowledged before it: without the SYN, and without the FIN. */
function acknowledged({ conversation: { sender, receiver } }: Facts): number {
  if (receiver.isn === null || sender.acked === null) return 0;
  return Math.max(0, seqDiff(sender.acked, receiver.isn) - 1 - (receiver.finEnd === sender.acked ? 1 : 0));
}

/** A program that aborts sends the numbers of its connection. */
function answerOnly(facts: Facts): string {
  return isBare(facts)
    ? 'it has no acknowledgement, and that of a program that aborts has one'
    : 'its sequence number is 0, and a program that aborts sends its own';
}

function strangeness({ reset }: Facts): string {
  if (reset.payloadLength > 0) return `it bears ${bytes(reset.payloadLength)}`;
  return reset.dontFragment === false ? 'it may be fragmented' : 'it has no timestamps';
}

/** Only resets were captured: what the header allows. */
function lone(facts: Facts): ReturnType<Rule['test']> {
  const { reset } = facts;
  if (reset.window === null || reset.window === 0)
    return no('nothing of its connection was captured, and it has no window');
  const isWhole = reset.timestamp !== null;
  // Without timestamps, only IPv4's header tells a kernel's segment from what a tool makes.
  const isPlain = reset.payloadLength === 0 && (isWhole || reset.dontFragment === true) && reset.dontFragment !== false;
  if (!isPlain)
    return no(
      () => `nothing of its connection was captured, and it does not look as a kernel sends it: ${strangeness(facts)}`,
    );
  return yes('abort', isWhole ? 'likely' : 'possible', 'application', () => [
    isWhole
      ? 'it has numbers, window and timestamps as of a connection; nothing else of it was captured'
      : 'it has numbers and a window as of a connection; nothing else of it was captured',
  ]);
}
