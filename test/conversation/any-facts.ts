/** Facts at random, around the stories that occur: few numbers, so that they meet. */
import fc from 'fast-check';
import type { Facts, SegmentFacts, SideFacts } from '../../src/conversation/facts.js';
import type { KernelFacts, KernelPath } from '../../src/conversation/kernel-facts.js';
import {
  aborted,
  answered,
  AT,
  changed,
  lone,
  loneAbort,
  onlySyn,
  onlySynAck,
  refused,
  type Changes,
} from './facts.js';

const NUMBERS = [0, 1, 100, 101, 201, 202, 221, 5000, 5001, 5051, 5052, 5060, 9000, 0xffffffff] as const;
const number = fc.constantFrom(...NUMBERS);
const ago = fc.constantFrom(0, 0.0002, 0.01, 0.3, 0.9, 2.5, 70);

/** A record of which most keys are left as they are. */
function some<T extends object>(model: { [K in keyof T]?: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(model as { [K in keyof T]: fc.Arbitrary<T[K]> }, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

function maybe<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 3, arbitrary: value });
}

function segmentAt(after: boolean): fc.Arbitrary<SegmentFacts> {
  return fc
    .record({
      flags: fc.constantFrom(0x02, 0x12, 0x10, 0x18, 0x11, 0x01, 0x00),
      ...{ seq: number, ack: number, length: fc.constantFrom(0, 0, 1, 20, 1460), distance: ago },
    })
    .map(({ distance, ...rest }) => ({ ...rest, frame: 1, at: after ? AT + distance : AT - distance }));
}

const whole = fc.constantFrom('always' as const, 'never' as const, 'sometimes' as const);

const side: fc.Arbitrary<Partial<SideFacts>> = some<SideFacts>({
  seen: fc.constant(true),
  isn: maybe(fc.constantFrom(100, 5000, 0xffffffff)),
  synAck: fc.boolean(),
  next: maybe(number),
  acked: maybe(number),
  finEnd: maybe(number),
  dataSegments: fc.nat(3),
  probes: fc.nat(4),
  last: maybe(segmentAt(false)),
  earlierAck: maybe(number),
  window: maybe(fc.constantFrom(0, 501, 65_535)),
  windowScale: maybe(fc.nat(14)),
  timestamps: maybe(whole),
  timestamp: maybe(number),
  ttlLeast: maybe(fc.constantFrom(57, 63, 64)),
  ttlMost: maybe(fc.constantFrom(64, 65)),
  ttl: fc.constant(64),
  ipIds: maybe(fc.constantFrom('zero' as const, 'running' as const, 'other' as const)),
  ipId: maybe(fc.constantFrom(0, 700)),
  dontFragment: maybe(whole),
  resets: fc.nat(2),
  lastReset: maybe(fc.record({ seq: number, ack: number, at: ago.map((distance) => AT - distance) })),
});

/** One of the stories, hardly a contradiction in it. */
export const story: fc.Arbitrary<Facts> = fc.constantFrom(
  ...[lone(), loneAbort(), refused(), aborted(), answered()],
  answered({ sender: { finEnd: 5051 } }),
  answered({ sender: { finEnd: 5051 }, receiver: { finEnd: 221 } }),
  lone({ reset: { seq: 101 }, sender: onlySyn(), receiver: onlySynAck(), conversation: { opener: 'sender' } }),
  lone({ reset: { seq: 5001 }, sender: onlySynAck(0.02), receiver: { ...onlySyn(), acked: 5001 } }),
);

const reset: fc.Arbitrary<NonNullable<Changes['reset']>> = some({
  flags: fc.constantFrom('R', 'R.', 'R', 'R.', 'RF.', 'RS'),
  seq: number,
  ack: number,
  window: maybe(fc.constantFrom(0, 501)),
  ttl: fc.constantFrom(64, 64, 63, 57, 117),
  ipId: maybe(fc.constantFrom(0, 701, 9000)),
  dontFragment: maybe(fc.boolean()),
  payloadLength: fc.constantFrom(0, 0, 0, 4),
  timestamp: maybe(number),
});

/** What came behind the reset, of resets alone and of other segments. */
const resetsAfter = some<Facts['conversation']['after']>({
  senderResets: fc.nat(3),
  risingResets: fc.nat(3),
  receiverResets: fc.nat(2),
  receiverResetAfter: maybe(ago),
});
const othersAfter = some<Facts['conversation']['after']>({
  senderWentOn: maybe(segmentAt(true)),
  receiverWentOn: maybe(segmentAt(true)),
  synAck: maybe(segmentAt(true)),
});

export const host = some<Facts['host']>({
  ttlLeast: maybe(fc.constantFrom(57, 64)),
  ttlMost: maybe(fc.constantFrom(64, 65)),
  acceptedBefore: maybe(ago),
  acceptedAfter: maybe(ago),
});

/** What a file may hold: nothing of the kernel. */
export const fromFile: fc.Arbitrary<Facts> = fc
  .record({
    facts: story,
    reset,
    ...{ sender: side, receiver: side, host, mostly: fc.boolean() },
    after: fc.tuple(resetsAfter, othersAfter).map(([a, b]) => ({ ...a, ...b })),
    conversation: some<Facts['conversation']>({
      synSeen: fc.boolean(),
      fromStart: fc.boolean(),
      established: fc.boolean(),
      earlier: maybe(fc.constantFrom('live' as const, 'ended' as const)),
      full: fc.boolean(),
      gap: fc.boolean(),
    }),
  })
  .map(({ facts, mostly, sender, receiver, ...changes }) =>
    mostly
      ? changed(facts, { reset: changes.reset, after: changes.after })
      : changed(facts, { ...changes, sender, receiver }),
  )
  .map(consistent);

/** What was not seen of a side is not known of it. */
function consistent(facts: Facts): Facts {
  const { sender, receiver } = facts.conversation;
  const tidy = (each: SideFacts): Partial<SideFacts> => ({
    synAck: each.synAck && each.isn !== null,
    next: each.seen ? (each.next ?? 0) : null,
    last: each.seen ? (each.last ?? { flags: 0x10, seq: 1, ack: 1, length: 0, at: AT - 1, frame: 1 }) : null,
    ...(each.seen
      ? {}
      : { isn: null, acked: null, finEnd: null, dataSegments: 0, probes: 0, earlierAck: null, window: null }),
    lastReset: each.resets > 0 ? (each.lastReset ?? { seq: 1, ack: 1, at: AT - 1 }) : null,
    resets: each.lastReset === null ? each.resets : Math.max(1, each.resets),
  });
  return changed(facts, { sender: tidy(sender), receiver: tidy(receiver) });
}

/** Only resets of it were captured. */
export const onlyResets: fc.Arbitrary<Facts> = fc
  .record({
    facts: fc.constantFrom(lone(), loneAbort()),
    reset,
    after: resetsAfter,
    resets: fc.nat(3),
    lastReset: fc.record({ seq: number, ack: number, at: ago.map((distance) => AT - distance) }),
  })
  .map(({ facts, resets, lastReset, ...changes }) =>
    changed(facts, resets === 0 ? changes : { ...changes, sender: { resets, lastReset } }),
  );

const PATHS: readonly KernelPath[] = [
  ...(['linger', 'listener-closed', 'disconnect', 'killed', 'sock-destroy', 'keepalive', 'close'] as const),
];

export const kernel: fc.Arbitrary<Partial<KernelFacts>> = fc.record({
  sent: maybe(
    fc.oneof(
      fc.constant('silent' as const),
      fc.record({
        reason: maybe(
          fc.constantFrom(
            'NO_SOCKET',
            'TCP_STATE',
            'TCP_ABORT_ON_CLOSE',
            'TCP_FLAGS',
            'INVALID_SYN',
            'TCP_RFC7323_PAWS',
          ),
        ),
        path: maybe(fc.constantFrom(...PATHS)),
        active: maybe(fc.boolean()),
        socketless: fc.boolean(),
        listening: fc.boolean(),
      }),
    ),
  ),
  received: maybe(fc.boolean()),
  listener: fc.record({ atSource: maybe(fc.boolean()), evidence: maybe(fc.constant('nginx listened there')) }),
});

/** Live: with what the system knows of it. */
export const live: fc.Arbitrary<Facts> = fc
  .tuple(fromFile, kernel)
  .map(([facts, known]) => changed(facts, { kernel: known }));
