/**
 * What one reset looks like as one of many: the shape that a scan, a health check or a client that tries again leaves,
 * reset by reset. Whether there are many is not known here.
 *
 * From the facts of the reset alone: where the segments that make the shape were not captured, it has none.
 */

import { bytesOf } from '../conversation/course.js';
import { seqDiff } from '../conversation/facts.js';
import { clientIp, serverIp, type Reset } from '../conversation/reset.js';
import { ACK, FIN } from '../decode/net/tcp-layout.js';

/**
 * refusal: a SYN, or another segment without ACK, was refused. probe: the client reset a connection in which nobody had
 * said anything. stray: a segment of no known connection was answered. unasked: a SYN-ACK, or a refusal, that nobody is
 * seen to have asked for. late-request: a client's data met the FIN of a server that had been silent.
 */
export type Shape = 'refusal' | 'probe' | 'stray' | 'unasked' | 'late-request';

/** One reset of a habit, and between whom. */
export interface Habit {
  readonly shape: Shape;
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** The client sent the reset: addresses don't tell where both ends are of one host. */
  readonly byClient: boolean;
  /** Of a refusal: the port had accepted somebody before. */
  readonly served: boolean;
  /** The client answered: what it does is captured, too. */
  readonly answered: boolean;
  /** Of a probe: its client had no socket for it, or never completed the handshake. Half-open probes are a scanner's. */
  readonly halfOpen: boolean;
  /** Of a late request: seconds that the server had sent nothing before its FIN. */
  readonly idle: number;
}

/** A server's timer that closes idle connections has more; what is closed sooner was not idle. */
const LEAST_IDLE = 0.5;
/** From SYN to reset: what takes longer waits for something. */
const LONGEST_PROBE = 1;
/** Below it there are services only. */
const FIRST_CLIENT_PORT = 1024;
/** A request that crosses the FIN comes within a round trip of it; later, the client had the FIN and did not heed it. */
const LONGEST_CROSSING = 2;

/** Null: it is of none of these. */
export function habitOf(reset: Reset): Habit | null {
  const { sender, receiver, opener, synSeen, established } = reset.conversation;
  const isBare = (reset.flags & ACK) === 0;
  if (sender.synAck && !receiver.seen && !synSeen && !established && sender.dataSegments === 0) {
    return between('unasked', reset.destIp, reset.srcIp, reset.srcPort);
  }
  if (isBare && !sender.seen && receiver.dataSegments === 0 && receiver.finEnd === null) {
    if (receiver.synAck) {
      if (synSeen) return null;
      return { ...between('unasked', reset.srcIp, reset.destIp, reset.destPort), byClient: true, answered: true };
    }
    // A server's segments to clients that have gone are no probes.
    // Nor are probes of a running connection: they have the timestamps that it was opened with.
    const isOfServer =
      reset.resetBy === 'client' || reset.destPort < FIRST_CLIENT_PORT || receiver.timestamps !== 'never';
    if (receiver.seen && opener === null && !isOfServer)
      return between('stray', reset.destIp, reset.srcIp, reset.srcPort);
  }
  const client = clientIp(reset);
  const server = serverIp(reset);
  const port = reset.servicePort;
  if (client === null || server === null || port === null) return null;
  if (reset.resetBy === 'server') {
    if (isRefusal(reset)) {
      const { receiver: caller, hasHandshakes } = reset.conversation;
      // Where handshakes are captured, its SYN is not: somebody else may have sent it in the name of this client.
      if (hasHandshakes && !caller.seen) return between('unasked', client, server, port);
      return { ...between('refusal', client, server, port), served: reset.host.acceptedBefore !== null };
    }
    const idle = idleBeforeCrossing(reset);
    return idle === null ? null : { ...between('late-request', client, server, port), idle };
  }
  return isProbe(reset, isBare)
    ? { ...between('probe', client, server, port), byClient: true, halfOpen: isHalfOpen(reset, isBare) }
    : null;
}

function between(shape: Shape, client: string, server: string, port: number): Habit {
  return { shape, client, server, port, byClient: false, served: false, answered: false, halfOpen: false, idle: 0 };
}

function isRefusal({ flags, seq, window, ack }: Reset): boolean {
  return (flags & ACK) !== 0 && seq === 0 && window <= 0 && ack !== 0;
}

/** SYN, SYN-ACK, perhaps ACK, and the client's reset. */
function isProbe(reset: Reset, isBare: boolean): boolean {
  const { sender, receiver, synSeen } = reset.conversation;
  const { firstAt } = reset.conversation;
  // Whoever waits for a server that says nothing, and gives up, checks nothing.
  if (firstAt === null || reset.seconds + reset.nanos / 1e9 - firstAt > LONGEST_PROBE) return false;
  if (!synSeen || !receiver.synAck || sender.finEnd !== null || receiver.finEnd !== null) return false;
  if (sender.dataSegments > 0 || receiver.dataSegments > 0) return false;
  // Without an acknowledgement only the client's own number tells, of what was not captured, too.
  if (isBare) return sender.isn !== null && seqDiff(reset.seq, sender.isn) === 1;
  const bytes = bytesOf(reset);
  return bytes !== null && bytes.toServer === 0 && bytes.toClient === 0;
}

function isHalfOpen({ conversation: { established, full } }: Reset, isBare: boolean): boolean {
  return isBare && !(full && established);
}

function idleBeforeCrossing({ verdict, conversation }: Reset): number | null {
  const { sender, receiver, closed, gap } = conversation;
  if (verdict.cause !== 'late-data' || closed?.by !== 'sender' || closed.idle < LEAST_IDLE || gap) return null;
  if (receiver.next === null || sender.acked === null || receiver.dataSegments === 0) return null;
  const owed = seqDiff(receiver.next, sender.acked) - (receiver.finEnd === receiver.next ? 1 : 0);
  if (owed <= 0) return null;
  const { last } = sender;
  const isLate =
    last !== null &&
    receiver.last !== null &&
    (last.flags & FIN) !== 0 &&
    receiver.last.at - last.at > LONGEST_CROSSING;
  return isLate ? null : closed.idle;
}
