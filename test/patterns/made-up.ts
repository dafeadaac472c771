/** Resets of each shape, and near misses of them, made up for tests that need no capture. */
import fc from 'fast-check';
import { found, type Attribution, type Process } from '../../src/attribute/process.js';
import { nothingKnown } from '../../src/conversation/conversation-facts.js';
import type { ConversationFacts, SideFacts } from '../../src/conversation/facts.js';
import type { Reset } from '../../src/conversation/reset.js';
import { Cell } from '../../src/patterns/cell.js';
import type { Shape } from '../../src/patterns/habit.js';
import { betweenOf, processOf, resetOf, verdictOf } from '../report/attributing.js';
import { START } from '../report/analysing.js';
import { tcpFlags } from '../support/frames.js';

/** Who, where, and how many seconds after START. */
export interface Spot {
  readonly client?: string;
  readonly server?: string;
  readonly port?: number;
  readonly at?: number;
  /** Of the client's end. */
  readonly clientPort?: number;
  /** Of a late request. */
  readonly idle?: number;
}

export type ConversationChanges = Partial<Omit<ConversationFacts, 'sender' | 'receiver'>> & {
  readonly sender?: Partial<SideFacts>;
  readonly receiver?: Partial<SideFacts>;
};

/** `reset` with some of its conversation changed. */
export function talked(reset: Reset, { sender, receiver, ...rest }: ConversationChanges): Reset {
  const { conversation } = reset;
  return {
    ...reset,
    conversation: {
      ...conversation,
      ...rest,
      sender: { ...conversation.sender, ...sender },
      receiver: { ...conversation.receiver, ...receiver },
    },
  };
}

const CLIENT = '10.0.0.9';
const SERVER = '10.0.0.80';
const CLIENT_ISN = 1000;
const SERVER_ISN = 9000;

function header(bySender: 'client' | 'server', spot: Spot): Partial<Reset> {
  const { client = CLIENT, server = SERVER, port = 80, clientPort = 50_000, at = 0 } = spot;
  const seconds = Math.floor(START + at);
  const ends =
    bySender === 'client'
      ? { srcIp: client, srcPort: clientPort, destIp: server, destPort: port }
      : { srcIp: server, srcPort: port, destIp: client, destPort: clientPort };
  return {
    ...ends,
    ...{ seconds, nanos: Math.round((START + at - seconds) * 1e9), servicePort: port, resetBy: bySender },
    ipVersion: client.includes(':') ? 6 : 4,
  };
}

const OPEN = { synSeen: true, fromStart: true, full: true, hasHandshakes: true } as const;

/** A SYN, refused. */
export function refusal(spot: Spot = {}): Reset {
  const reset = resetOf({
    ...{ ...header('server', spot), flags: tcpFlags('R.'), seq: 0, ack: CLIENT_ISN + 1, window: 0 },
    verdict: verdictOf('closed-port'),
    conversation: nothingKnown(true),
  });
  const receiver = { seen: true, isn: CLIENT_ISN, next: CLIENT_ISN + 1 };
  return talked(reset, { ...OPEN, opener: 'receiver', receiver });
}

/** SYN, SYN-ACK, ACK, and the client's RST and ACK. */
export function probe(spot: Spot = {}): Reset {
  const numbers = { seq: CLIENT_ISN + 1, ack: SERVER_ISN + 1, window: 500 };
  const reset = resetOf({
    ...{ ...header('client', spot), flags: tcpFlags('R.'), ...numbers },
    verdict: verdictOf('abort'),
    conversation: nothingKnown(true),
  });
  return talked(reset, {
    ...{ ...OPEN, opener: 'sender', established: true, firstAt: START + (spot.at ?? 0) - 0.05 },
    sender: { seen: true, isn: CLIENT_ISN, next: CLIENT_ISN + 1, acked: SERVER_ISN + 1 },
    receiver: { seen: true, isn: SERVER_ISN, synAck: true, next: SERVER_ISN + 1, acked: CLIENT_ISN + 1 },
  });
}

/** SYN, SYN-ACK, and the bare reset of a client that has no socket for it. */
export function halfOpen(spot: Spot = {}): Reset {
  const reset = { ...probe(spot), flags: tcpFlags('R'), ack: 0, window: 0 };
  return talked(reset, { established: false, sender: { acked: null } });
}

/** An ACK of no known connection, answered by a bare reset. */
export function stray(spot: Spot = {}): Reset {
  const reset = resetOf({
    ...{ ...header('server', spot), flags: tcpFlags('R'), seq: 777, ack: 0, window: 0 },
    verdict: verdictOf('half-open'),
    conversation: nothingKnown(true),
  });
  return talked(reset, { receiver: { seen: true, next: 5, acked: 777, timestamps: 'never' } });
}

/** A SYN-ACK that nobody asked for, and the bare reset of the host that got it. */
export function unasked(spot: Spot = {}): Reset {
  const reset = resetOf({
    ...{ ...header('client', spot), flags: tcpFlags('R'), seq: CLIENT_ISN + 1, ack: 0, window: 0 },
    verdict: verdictOf('half-open'),
    conversation: nothingKnown(true),
  });
  const receiver = { seen: true, isn: SERVER_ISN, synAck: true, next: SERVER_ISN + 1, acked: CLIENT_ISN + 1 };
  return talked(reset, { opener: 'sender', receiver });
}

/** A server's FIN after `idle` seconds of silence; the client's request crossed it. */
export function lateRequest(spot: Spot = {}): Reset {
  const { idle = 5 } = spot;
  const reset = resetOf({
    ...{ ...header('server', spot), flags: tcpFlags('R'), seq: 9051, ack: 0, window: 0 },
    verdict: verdictOf('late-data'),
    conversation: nothingKnown(true),
  });
  const at = START + (spot.at ?? 0);
  return talked(reset, {
    ...{ ...OPEN, opener: 'receiver', established: true, closed: { by: 'sender', idle } },
    sender: {
      ...{ seen: true, isn: SERVER_ISN, synAck: true, next: 9051, acked: 1101, finEnd: 9051, dataSegments: 1 },
      last: { flags: tcpFlags('F.'), seq: 9050, ack: 1101, length: 0, at: at - 0.02, frame: 8 },
    },
    receiver: {
      ...{ seen: true, isn: CLIENT_ISN, next: 1201, acked: 9050, dataSegments: 2 },
      last: { flags: tcpFlags('P.'), seq: 1101, ack: 9050, length: 100, at: at - 0.01, frame: 9 },
    },
  });
}

/** Nothing but the reset: an abort of which nothing else is known. */
export function ofNoHabit(spot: Spot = {}): Reset {
  const numbers = { seq: 5051, ack: 201, window: 501 };
  return resetOf({ ...header('server', spot), flags: tcpFlags('R.'), ...numbers, verdict: verdictOf('abort') });
}

export const MAKERS: Readonly<Record<Shape, (spot?: Spot) => Reset>> = {
  refusal,
  probe,
  stray,
  unasked,
  'late-request': lateRequest,
};

export const NOBODY = betweenOf();

/** The process is at the end of that address. */
export function clientIs(reset: Reset, client: string, process: Partial<Process>): Attribution {
  const end = found(processOf(process), 'socket');
  return betweenOf(reset.srcIp === client ? { sender: end } : { receiver: end });
}

/** A cell in `book`, or a failure: for resets that are of some habit. */
export function cellOf(cell: Cell | null): Cell {
  if (!(cell instanceof Cell)) throw new Error('of no habit');
  return cell;
}

/** Resets around few clients and places, so that they meet, in the order of their times. */
export const streams: fc.Arbitrary<Reset[]> = fc
  .array(
    fc.record({
      make: fc.constantFrom(refusal, refusal, probe, halfOpen, stray, unasked, lateRequest, ofNoHabit),
      client: fc.nat(12).map((n) => `10.0.1.${String(n)}`),
      server: fc.nat(7).map((n) => `10.0.2.${String(n)}`),
      port: fc.nat(40),
      // Many to one place, so that some are enough for a pattern.
      mainly: fc.nat(3),
      after: fc.constantFrom(0, 0.001, 0.05, 0.5, 0.5, 30),
      idle: fc.constantFrom(1, 1, 1.05, 2, 5),
      times: fc.constantFrom(1, 1, 1, 5),
    }),
    { maxLength: 120 },
  )
  .map((all) => {
    let at = 0;
    return all.flatMap(({ make, client, server, port, mainly, after, idle, times }) =>
      Array.from({ length: times }, () => {
        at += after;
        const place = mainly === 0 ? { server, port } : { server: '10.0.2.1', port: 80 };
        return make({ client: mainly === 1 ? '10.0.1.1' : client, ...place, at, idle });
      }),
    );
  });
