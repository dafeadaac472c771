/** Small facts for the rules: a lone reset, a refused SYN, a connection with data; each with what a test changes in it. */
import { nothingKnown } from '../../src/conversation/conversation-facts.js';
import type {
  AfterFacts,
  ConversationFacts,
  Facts,
  HostFacts,
  ResetFacts,
  SegmentFacts,
  SideFacts,
} from '../../src/conversation/facts.js';
import { NO_KERNEL_FACTS, type KernelFacts, type KernelSent } from '../../src/conversation/kernel-facts.js';
import type { Rule } from '../../src/conversation/rules/rule.js';
import { tcpFlags } from '../support/frames.js';

/** When the reset comes. */
export const AT = 1000;
/** First sequence numbers of the two sides; the server is the reset's sender unless a test says otherwise. */
export const CLIENT_ISN = 100;
export const SERVER_ISN = 5000;

export interface Changes {
  readonly reset?: Partial<Omit<ResetFacts, 'flags'>> & { readonly flags?: string };
  readonly sender?: Partial<SideFacts>;
  readonly receiver?: Partial<SideFacts>;
  readonly conversation?: Partial<Omit<ConversationFacts, 'sender' | 'receiver' | 'after'>>;
  readonly after?: Partial<AfterFacts>;
  readonly host?: Partial<HostFacts>;
  readonly kernel?: Partial<KernelFacts>;
}

/** `facts` with some of them changed. */
export function changed(facts: Facts, changes: Changes): Facts {
  const { flags, ...header } = changes.reset ?? {};
  const { conversation } = facts;
  return {
    reset: { ...facts.reset, ...header, ...(flags === undefined ? {} : { flags: tcpFlags(flags) }) },
    conversation: {
      ...conversation,
      ...changes.conversation,
      sender: { ...conversation.sender, ...changes.sender },
      receiver: { ...conversation.receiver, ...changes.receiver },
      after: { ...conversation.after, ...changes.after },
    },
    host: { ...facts.host, ...changes.host },
    kernel: { ...facts.kernel, ...changes.kernel },
  };
}

export type Segment = Partial<Omit<SegmentFacts, 'flags'>> & { readonly flags?: string };

/** A segment, an ACK of 10 ms before the reset unless told. */
export function segment({ flags = '.', ...fields }: Segment = {}): SegmentFacts {
  return { seq: 0, ack: 0, length: 0, at: AT - 0.01, frame: 9, ...fields, flags: tcpFlags(flags) };
}

const LINUX = { ttlLeast: 64, ttlMost: 64, ttl: 64, dontFragment: 'always' } as const;

/** The client that has sent its SYN and nothing else, `age` seconds before the reset. */
export function onlySyn(age = 0.01, isn = CLIENT_ISN): Partial<SideFacts> {
  return {
    ...{
      seen: true,
      isn,
      next: isn + 1,
      window: 64_240,
      windowScale: 7,
      timestamps: 'always',
      timestamp: 50,
      ...LINUX,
    },
    last: segment({ flags: 'S', seq: isn, at: AT - age }),
  };
}

/** The server that has answered it and sent nothing else. */
export function onlySynAck(age = 0.008): Partial<SideFacts> {
  return {
    ...{ seen: true, isn: SERVER_ISN, synAck: true, next: SERVER_ISN + 1, acked: CLIENT_ISN + 1 },
    ...{ window: 65_160, windowScale: 7, timestamps: 'always', timestamp: 70, ...LINUX },
    last: segment({ flags: 'S.', seq: SERVER_ISN, ack: CLIENT_ISN + 1, at: AT - age }),
  };
}

/** A bare reset as Linux answers with; nothing else was captured. */
export function lone(changes: Changes = {}): Facts {
  const reset: ResetFacts = {
    ...{ flags: tcpFlags('R'), seq: 777, ack: 0, window: 0, ttl: 64, ipId: 0, dontFragment: true },
    ...{ payloadLength: 0, payloadText: null, diagnostic: null, timestamp: null, at: AT, ownFilter: false },
  };
  const host = { ttlLeast: null, ttlMost: null, acceptedBefore: null, acceptedAfter: null };
  return changed({ reset, conversation: nothingKnown(true), host, kernel: NO_KERNEL_FACTS }, changes);
}

/** A program's abort of which nothing else was captured. */
export function loneAbort(changes: Changes = {}): Facts {
  const reset = { flags: 'R.', seq: 5051, ack: 201, window: 501, ipId: 701, timestamp: 77 };
  return changed(lone({ reset }), changes);
}

/** A SYN, answered by RST and ACK 10 ms later. */
export function refused(changes: Changes = {}): Facts {
  const story: Changes = {
    reset: { flags: 'R.', seq: 0, ack: CLIENT_ISN + 1 },
    receiver: onlySyn(),
    conversation: { opener: 'receiver', synSeen: true, fromStart: true, lastAt: AT - 0.01, firstAt: AT - 0.01 },
  };
  return changed(lone(story), changes);
}

/**
 * The client has sent 100 bytes, the server 50, everything was acknowledged 2 s before the server's program aborts:
 * with its own numbers, a window, timestamps, the next of its IP IDs.
 */
export function aborted(changes: Changes = {}): Facts {
  const side: Partial<SideFacts> = {
    ...{ seen: true, dataSegments: 1, window: 501, windowScale: 7, timestamps: 'always', ipIds: 'running', ...LINUX },
  };
  const [client, server] = [CLIENT_ISN + 101, SERVER_ISN + 51];
  const story: Changes = {
    reset: { flags: 'R.', seq: server, ack: client, window: 501, ipId: 701, timestamp: 77 },
    sender: {
      ...{ ...side, isn: SERVER_ISN, synAck: true, next: server, acked: client, timestamp: 75, ipId: 700 },
      last: segment({ flags: 'P.', seq: server - 50, ack: client, length: 50, at: AT - 2.5 }),
    },
    receiver: {
      ...{ ...side, isn: CLIENT_ISN, next: client, acked: server, timestamp: 55, ipId: 300 },
      last: segment({ seq: client, ack: server, at: AT - 2 }),
      earlierAck: SERVER_ISN + 1,
    },
    conversation: {
      ...{ opener: 'receiver', synSeen: true, fromStart: true, established: true },
      ...{ lastAt: AT - 2, firstAt: AT - 3 },
    },
  };
  return changed(lone(story), changes);
}

/** The same connection; its client says something, 10 ms before the server answers that by a bare reset. */
export function answered(changes: Changes = {}): Facts {
  const [client, server] = [CLIENT_ISN + 101, SERVER_ISN + 51];
  const story: Changes = {
    reset: { flags: 'R', seq: server, ack: 0, window: 0, ipId: 0, timestamp: null },
    receiver: {
      ...{ next: client + 20, dataSegments: 2 },
      last: segment({ flags: 'P.', seq: client, ack: server, length: 20 }),
    },
    conversation: { lastAt: AT - 0.01 },
  };
  return changed(aborted(story), changes);
}

/** The kernel's word. */
export function sent(word: Partial<KernelSent>): Changes {
  const blank = { reason: null, path: null, active: null, socketless: false, listening: false };
  return { kernel: { sent: { ...blank, ...word } } };
}

export const NO_SOCKET = sent({ reason: 'NO_SOCKET', active: false, socketless: true });
/** The trace would have told, and told nothing. */
export const SILENT: Changes = { kernel: { sent: 'silent' } };

/** What the rule says: "cause confidence origin", or "no: because". */
export function says({ test }: Rule, facts: Facts): string {
  const answer = test(facts);
  return answer.yes ? `${answer.cause} ${answer.confidence} ${answer.origin}` : `no: ${answer.because()}`;
}

/** The sentences of a rule that says yes. */
export function evidence({ test }: Rule, facts: Facts): readonly string[] {
  const answer = test(facts);
  if (!answer.yes) throw new Error(`the rule says no: ${answer.because()}`);
  return answer.evidence();
}
