/** Resets that answer a SYN, or another segment without ACK: nobody listens, or a packet filter says so. */

import { ACK, SYN } from '../../decode/net/tcp-layout.js';
import { flagsText } from '../../decode/net/tcp.js';
import { seqDiff, type Facts } from '../facts.js';
import { type Answer, no, ofHost, type Rule, yes } from './rule.js';
import { noTrigger, notOfFilter, otherWord, sentByTcp } from './reasons.js';
import {
  answersSyn,
  before,
  endOf,
  hasNoSocket,
  isBare,
  isRefusal,
  isSilent,
  looksPassive,
  seconds,
  sentOf,
  triggerOf,
} from './shape.js';
import { formSign, goesOnSign, ownTtl, ttlOff } from './signs.js';

/** Seconds between two handshakes; longer, and the service may have been stopped and started in between. */
const SAME_SERVICE = 1;

export const ownOutputFilter: Rule = {
  name: "this host's own filter on the way out",
  cause: 'firewall-reject',
  source: 'Linux net/ipv4/netfilter/nf_reject_ipv4.c nf_send_reset',
  test: (facts) => {
    if (!facts.reset.ownFilter) return no('it did not come by on lo in the name of another host');
    if (sentOf(facts) !== null) return no(() => sentByTcp(facts));
    return yes('firewall-reject', isSilent(facts) ? 'certain' : 'likely', 'firewall', () => [
      'it came by on lo only, in the name of an address that is not of this host',
      ...(isSilent(facts) ? ["the kernel's TCP did not send it"] : []),
    ]);
  },
};

/** What a host's TCP did not send, and what looks as netfilter makes it, is netfilter's. */
export const notByTcp: Rule = {
  name: "a reset that the host's TCP did not send",
  cause: 'firewall-reject',
  source: 'Linux net/ipv4/netfilter/nf_reject_ipv4.c, net/ipv6/netfilter/nf_reject_ipv6.c',
  test: (facts) => {
    if (!isSilent(facts)) return no('nothing says that the TCP of its host did not send it');
    if (!looksPassive(facts)) return no(() => notOfFilter(facts));
    if (!isRefusal(facts)) {
      const segment = (facts.reset.flags & ACK) === 0 ? (triggerOf(facts)?.segment ?? null) : null;
      const isPrompt = segment !== null && facts.reset.at - segment.at <= AT_ONCE;
      if (!isPrompt) return no(() => `a packet filter answers a segment; none came just before: ${lastWords(facts)}`);
      const off = ttlOff(facts);
      if (off !== null) return no(off);
    }
    return yes('firewall-reject', 'likely', 'firewall', () => [
      "the kernel's TCP did not send it: a packet filter did, or a raw socket",
      'it looks as a packet filter makes it: no options, no window, IP ID 0',
    ]);
  },
};

/** A TTL counts down from one of these. */
const FIRST_TTLS = [64, 128, 255];
/** A packet filter answers at once; what it answers never came to the host. */
const AT_ONCE = 0.25;

/** A segment was answered by a reset in the name of a host that goes on, and never got it. */
export const filterReject: Rule = {
  name: 'a packet filter in a connection',
  cause: 'firewall-reject',
  source: 'Linux net/ipv4/netfilter/nf_reject_ipv4.c nf_send_reset',
  test: (facts) => {
    if ((facts.reset.flags & ACK) !== 0 || !looksPassive(facts)) return no(() => notOfFilter(facts));
    if (sentOf(facts) !== null) return no(() => sentByTcp(facts));
    const { sender, after } = facts.conversation;
    const on = goesOnSign(facts);
    if (on === null || after.senderWentOn === null)
      return no(() => `its sender does not go on with the connection${ttlWords(facts)}`);
    const segment = triggerOf(facts)?.segment ?? null;
    if (segment === null || facts.reset.at - segment.at > AT_ONCE)
      return no(() => `it answers no segment that came just before: ${lastWords(facts)}`);
    if (sender.acked !== null && seqDiff(sender.acked, endOf(segment)) >= 0)
      return no(() => `what it answers had been acknowledged, up to ${String(sender.acked ?? 0)}`);
    if (seqDiff(after.senderWentOn.ack, endOf(segment)) >= 0)
      return no(
        () =>
          `its sender did get what it answers: it acknowledges ${String(after.senderWentOn?.ack ?? 0)} ${seconds((after.senderWentOn?.at ?? NaN) - facts.reset.at)} later`,
      );
    const far = ttlOff(facts);
    if (far !== null && !isNearer(facts)) return no(far);
    return yes('firewall-reject', 'likely', 'firewall', () => [
      `it answers a segment of ${before(facts, segment)}, which the host in whose name it came never acknowledged`,
      on,
      ...(far === null ? [] : [`${far}: it comes from nearer by on the way`]),
    ]);
  },
};

/** Fewer hops away than the sender, counted from the same first TTL. */
function isNearer({ reset, conversation: { sender } }: Facts): boolean {
  const { ttlMost } = sender;
  if (ttlMost === null || reset.ttl <= ttlMost) return false;
  const first = (ttl: number): number => FIRST_TTLS.find((one) => ttl <= one) ?? 255;
  return first(reset.ttl) === first(ttlMost);
}

/** A refusal of a SYN by somebody who is not the host that was called. */
export const filterRefusal: Rule = {
  name: 'a packet filter that refuses',
  cause: 'firewall-reject',
  source: 'Linux net/ipv4/netfilter/nf_reject_ipv4.c; RFC 9293 3.10.7.1',
  test: (facts) => {
    if (!answersSyn(facts)) return no(() => noSyn(facts, 'it does not answer a SYN'));
    if (sentOf(facts) !== null) return no(() => sentByTcp(facts));
    const { listener } = facts.kernel;
    if (listener.atSource === true) {
      return yes('firewall-reject', 'likely', 'firewall', () => [
        'it answers a SYN to a port where somebody listens',
        ...(listener.evidence === null ? [] : [listener.evidence]),
      ]);
    }
    const { acceptedBefore, acceptedAfter } = facts.host;
    if (acceptedBefore !== null && acceptedAfter !== null && acceptedBefore + acceptedAfter < SAME_SERVICE) {
      return yes('firewall-reject', 'possible', 'firewall', () => [
        `the port accepted somebody else ${seconds(acceptedBefore)} before and ${seconds(acceptedAfter)} after it`,
      ]);
    }
    const off = ttlOff(facts);
    if (off === null)
      return no(
        () =>
          ownTtl(facts) ??
          `TTL ${String(facts.reset.ttl)} can't be compared: no other packet of its sender was captured`,
      );
    return yes('firewall-reject', 'possible', 'firewall', () => [off]);
  },
};

export const closedPort: Rule = ofHost({
  name: 'nobody listens',
  cause: 'closed-port',
  source: 'RFC 9293 3.10.7.1',
  test: (facts) => {
    if (!isRefusal(facts)) return no(() => noRefusal(facts));
    if (hasNoSocket(facts)) {
      return yes('closed-port', 'certain', 'kernel', () => [
        ...answered(facts),
        'the kernel had no socket for it (NO_SOCKET)',
        ...listenerWords(facts),
      ]);
    }
    if (sentOf(facts) !== null) return no(() => otherWord(facts));
    if (answersSyn(facts)) return refusal(facts);
    const { last } = facts.conversation.receiver;
    if (answersProbe(facts) && last !== null) {
      return yes('closed-port', 'possible', 'kernel', () => [
        `it answers a segment without ACK and SYN, ${before(facts, last)}: a probe that met no socket`,
      ]);
    }
    // The tables of the host that sent it are as good as the segment that was not captured.
    if (facts.kernel.listener.atSource === false && !isSilent(facts)) {
      return yes('closed-port', 'likely', 'kernel', () => [
        'it answers a segment without ACK, as a SYN is',
        ...listenerWords(facts),
      ]);
    }
    return no(() => noSyn(facts, 'no SYN was seen that it answers'));
  },
});

/** A segment that is no SYN and has no acknowledgement, as scanners send it; the reset acknowledges just that. */
function answersProbe({ reset, conversation }: Facts): boolean {
  const { last } = conversation.receiver;
  return last !== null && (last.flags & (ACK | SYN)) === 0 && reset.ack === endOf(last);
}

function refusal(facts: Facts): Answer {
  const isDoubtful = goesOnSign(facts) ?? formSign(facts);
  return yes('closed-port', isDoubtful === null ? 'likely' : 'possible', 'kernel', () => [
    ...answered(facts),
    ...(isDoubtful === null ? [] : [isDoubtful]),
    ...(facts.kernel.listener.atSource === false
      ? listenerWords(facts)
      : ['a packet filter on the way could answer just so']),
  ]);
}

function answered(facts: Facts): string[] {
  const { last } = facts.conversation.receiver;
  if (last !== null && answersProbe(facts)) return [`it answers a segment without ACK and SYN, ${before(facts, last)}`];
  if (!answersSyn(facts) || last === null) return ['it answers a segment without ACK, as a SYN is'];
  return [`it answers the SYN of ${seconds(facts.reset.at - last.at)} before, and acknowledges just that`];
}

function listenerWords({ kernel }: Facts): string[] {
  const { atSource, evidence } = kernel.listener;
  return [...(atSource === false ? ['nobody listened there'] : []), ...(evidence === null ? [] : [evidence])];
}

/** Why it is no answer to a SYN. */
function noSyn(facts: Facts, what: string): string {
  if (!isRefusal(facts)) return `${what}: ${noRefusal(facts)}`;
  const { last, isn } = facts.conversation.receiver;
  if (last === null) return `${what}: nothing was captured of its receiver`;
  if ((last.flags & SYN) === 0 || isn === null) {
    return `${what}: its receiver's last segment, ${before(facts, last)}, is [${flagsText(last.flags)}]`;
  }
  return `${what}: it acknowledges ${String(facts.reset.ack)}, and the SYN is ${String(isn)}`;
}

/** What refuses a SYN has sequence number 0, an acknowledgement and no window (RFC 9293 3.10.7.1). */
function noRefusal(facts: Facts): string {
  if (isBare(facts)) return 'it has no acknowledgement, and what answers a SYN has one';
  const { seq, window } = facts.reset;
  if (seq !== 0) return `its sequence number is ${String(seq)}, and what answers a SYN has 0`;
  return (window ?? 0) === 0
    ? 'it acknowledges 0'
    : `it has a window, ${String(window)}, and what answers a SYN has none`;
}

/** What its receiver had said last. */
function lastWords(facts: Facts): string {
  if (!isBare(facts)) return `it has an acknowledgement ([${flagsText(facts.reset.flags)}])`;
  const segment = triggerOf(facts)?.segment ?? null;
  if (segment === null) return noTrigger(facts);
  return `what it answers came ${before(facts, segment)}, and a packet filter answers within ${seconds(AT_ONCE)}`;
}

/** ", TTL 64 as in its sender's other packets": where it says so, a packet filter's would be a chance. */
function ttlWords(facts: Facts): string {
  const words = ttlOff(facts) ?? ownTtl(facts);
  return words === null ? '' : `; ${words}`;
}
