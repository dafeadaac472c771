/** The table of connections: exact keys both ways round, bounds, what makes room first, sequence numbers that wrap. */
import { describe, expect, test } from '@jest/globals';
import { conversationFacts } from '../../src/conversation/conversation-facts.js';
import { Conversations, type ConversationListener } from '../../src/conversation/conversations.js';
import type { ConversationTable } from '../../src/conversation/conversation-table.js';
import type { ConversationFacts } from '../../src/conversation/facts.js';
import { useOf } from '../../src/conversation/state.js';
import * as state from '../../src/conversation/state-layout.js';
import { STATE_WORDS } from '../../src/conversation/state-layout.js';
import { Watches } from '../../src/conversation/watches.js';
import {
  IS_IPV6,
  R_ACK,
  R_DESTINATION,
  R_FLAGS,
  R_LENGTH,
  R_NUMBER,
  R_PORTS,
  R_SECONDS,
  R_SEQ,
  R_SOURCE,
  R_SOURCE_UPPER,
  R_TENANT,
  R_WINDOW_ID,
  RECORD_WORDS,
  TTL_SHIFT,
} from '../../src/decode/record-layout.js';
import { Records, sealFour, sealSix, untagged } from '../../src/decode/records.js';
import { tcpFlags } from '../support/frames.js';

interface Made {
  readonly from?: number;
  readonly to?: number;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly length?: number;
  readonly seconds?: number;
  readonly six?: boolean;
  readonly upper?: number;
  readonly tenant?: number;
  readonly number?: number;
}

/** A record of two places. */
function recordOf(made: Made = {}): Uint32Array {
  const { from = 1, to = 2, fromPort = 50_000, toPort = 80, flags = '.', six = false } = made;
  const words = new Uint32Array(2 * RECORD_WORDS);
  words[R_SOURCE] = from;
  words[R_DESTINATION] = to;
  words[R_PORTS] = (fromPort << 16) | toPort;
  words[R_TENANT] = untagged(six ? 6 : 4) ^ (made.tenant ?? 0);
  words[R_SEQ] = made.seq ?? 1;
  words[R_ACK] = made.ack ?? 1;
  words[R_FLAGS] = tcpFlags(flags) | (64 << TTL_SHIFT) | (six ? IS_IPV6 : 0);
  words[R_WINDOW_ID] = 501 << 16;
  words[R_LENGTH] = made.length ?? 0;
  words[R_SECONDS] = made.seconds ?? 100;
  words[R_NUMBER] = made.number ?? 1;
  words[R_SOURCE_UPPER] = made.upper ?? 0;
  if (six) sealSix(words, 0);
  else sealFour(words, 0);
  return words;
}

interface Followed {
  readonly conversations: Conversations;
  readonly forgotten: number[];
  readonly take: (made?: Made) => void;
  /** As the record's source being the reset's sender. */
  readonly facts: (made?: Made) => ConversationFacts;
  /** Whether the connection is in the table. */
  readonly knows: (made?: Made) => boolean;
  readonly row: (made?: Made) => number;
}

function followed(limit?: number, more: Partial<ConversationListener> = {}): Followed {
  const forgotten: number[] = [];
  const nothing = (): void => undefined;
  const listener: ConversationListener = {
    ...{ opened: nothing, accepted: nothing, appeared: nothing, watched: nothing, survived: nothing },
    ...more,
    forgotten: (table, row) => {
      more.forgotten?.(table, row);
      forgotten.push(row);
    },
  };
  const conversations = new Conversations(listener, limit);
  const tableOf = (words: Uint32Array): ConversationTable => conversations.tableOf(words, 0);
  const row = (made: Made = {}): number => tableOf(recordOf(made)).put(recordOf(made), 0);
  return {
    conversations,
    forgotten,
    row,
    take: (made = {}) => {
      const words = recordOf(made);
      conversations.take(tableOf(words), words, 0);
    },
    facts: (made = {}) => {
      const words = recordOf(made);
      const table = tableOf(words);
      const at = table.put(words, 0);
      return conversationFacts(table, at, table.sourceIsLower, true);
    },
    knows: (made = {}) => {
      const words = recordOf(made);
      const table = tableOf(words);
      const before = table.size + table.evicted;
      table.put(words, 0);
      return table.size + table.evicted === before;
    },
  };
}

describe('a key', () => {
  test('is the same both ways round, and tells which end is the lower', () => {
    const { conversations, row } = followed();
    const one = row({ from: 9, to: 4 });
    expect(conversations.four.sourceIsLower).toBe(false);
    expect(row({ from: 4, to: 9, fromPort: 80, toPort: 50_000 })).toBe(one);
    expect([conversations.four.sourceIsLower, conversations.four.size]).toEqual([true, 1]);
  });

  test('is compared word for word: address, port, tenant, version', () => {
    const { row, conversations } = followed();
    const keys: Made[] = [
      ...[{}, { from: 3 }, { to: 3 }, { fromPort: 50_001 }, { toPort: 81 }, { tenant: 5 }],
      ...[{ six: true }, { six: true, upper: 7 }, { six: true, tenant: 5 }],
    ];
    const rows = keys.map((key) => `${key.six === true ? 6 : 4}/${row(key)}`);
    expect(new Set(rows).size).toBe(keys.length);
    expect([conversations.four.size, conversations.six.size]).toEqual([6, 3]);
  });

  test('of a host that talks to itself on two ports, and on one, has two ends', () => {
    const { take, facts } = followed();
    take({ from: 5, to: 5, fromPort: 1, toPort: 2, length: 3 });
    expect(facts({ from: 5, to: 5, fromPort: 1, toPort: 2 }).sender.dataSegments).toBe(1);
    expect(facts({ from: 5, to: 5, fromPort: 2, toPort: 1 }).receiver.dataSegments).toBe(1);
    // A connection to itself (simultaneous open) can't be told apart; it must not break anything.
    take({ from: 5, to: 5, fromPort: 7, toPort: 7, length: 3 });
    expect(facts({ from: 5, to: 5, fromPort: 7, toPort: 7 }).sender.dataSegments).toBe(1);
  });

  test('high ports and addresses are compared without a sign', () => {
    const { row } = followed();
    const one = row({ from: 0xffffffff, to: 0x7fffffff, fromPort: 65_535, toPort: 40_000 });
    expect(row({ from: 0x7fffffff, to: 0xffffffff, fromPort: 40_000, toPort: 65_535 })).toBe(one);
    const same = row({ from: 0xffffffff, to: 0xffffffff, fromPort: 65_535, toPort: 40_000 });
    expect(row({ from: 0xffffffff, to: 0xffffffff, fromPort: 40_000, toPort: 65_535 })).toBe(same);
  });
});

describe('a table', () => {
  test('grows, and finds everything that it holds', () => {
    const { row, conversations, forgotten } = followed(4096);
    const rows = Array.from({ length: 4000 }, (_, i) => row({ from: i * 7919, fromPort: i }));
    expect(new Set(rows).size).toBe(4000);
    expect(rows.map((_, i) => row({ from: i * 7919, fromPort: i }))).toEqual(rows);
    expect([conversations.four.size, conversations.evicted, forgotten.length]).toEqual([4000, 0, 0]);
  });

  test.each([16, 1024, 2048])('never holds more than its limit of %i', (limit) => {
    const { row, conversations, forgotten } = followed(limit);
    for (let i = 0; i < 3 * limit; i++) row({ from: i, six: i % 2 === 0 });
    expect(conversations.four.size).toBe(limit);
    expect(conversations.six.size).toBe(limit);
    expect(conversations.evicted).toBe(limit);
    expect(forgotten).toHaveLength(limit);
  });

  test('begins anew where one made room: nothing of the other is left', () => {
    const { take, facts, row } = followed(1024);
    for (let i = 0; i < 1024; i++) take({ from: i + 10, flags: 'FP.', length: 9, seconds: 5 });
    row({ from: 5000 });
    expect(facts({ from: 5000 })).toMatchObject({ opener: null, lastAt: null, sender: { seen: false, next: null } });
  });
});

/** Fills a table with connections that make room one after the other; `kept` are put in at its beginning. */
function pressed(kept: readonly Made[], prepare: (all: Followed) => void = () => undefined): Followed {
  const limit = 1024;
  const watches = new Watches();
  const all = followed(limit, {
    forgotten: (table, row) => {
      watches.end(table, row);
    },
  });
  for (const made of kept) all.take(made);
  prepare(all);
  // Ended ones first: they make room for what comes then.
  for (let i = 0; i < 3 * limit; i++) all.take({ from: 1000 + i, fromPort: 1, flags: 'S', seconds: 200 + i });
  return all;
}

describe('what makes room', () => {
  const ended = (from: number): Made[] => [
    { from, flags: 'F.', seconds: 190 },
    { from: 2, to: from, fromPort: 80, toPort: 50_000, flags: 'F.', seconds: 190 },
  ];

  test('is what has ended, before what is in a handshake, before what was established', () => {
    const established = [
      { from: 7, flags: 'S', seq: 9, seconds: 100 },
      { from: 2, to: 7, fromPort: 80, toPort: 50_000, flags: 'S.', seq: 20, ack: 10, seconds: 100 },
      { from: 7, flags: '.', seq: 10, ack: 21, seconds: 100 },
    ];
    const all = pressed([...ended(5), { from: 6, flags: 'S', seconds: 100 }, ...established]);
    expect(all.conversations.evicted).toBe(3 * 1024 - 1024 + 3);
    expect(all.knows({ from: 7 })).toBe(true);
    const fresh = pressed([...ended(5), { from: 6, flags: 'S', seconds: 100 }]);
    expect([fresh.knows({ from: 5 }), fresh.knows({ from: 6 })]).toEqual([false, false]);
  });

  test('is not what is watched, though it has ended', () => {
    const watch = ({ conversations: { four }, row }: Followed): void => {
      const at = row({ from: 5 });
      four.words[at * STATE_WORDS + state.BITS]! |= state.WATCHED;
    };
    expect(pressed(ended(5), watch).knows({ from: 5 })).toBe(true);
    expect(pressed(ended(5)).knows({ from: 5 })).toBe(false);
  });

  test('of two of a kind is the one that was silent for longer, whichever end spoke last', () => {
    const { take, conversations, row } = followed();
    take({ from: 5, seconds: 100 });
    take({ from: 6, seconds: 50 });
    take({ from: 2, to: 6, fromPort: 80, toPort: 50_000, seconds: 200 });
    const use = (from: number): number =>
      useOf(conversations.four.words, conversations.four.times, row({ from }) * STATE_WORDS);
    expect(use(5)).toBeLessThan(use(6));
  });

  test('the order of use: ended, handshake, established or seen in the middle, watched', () => {
    const use = (bits: number): number => {
      const words = new Uint32Array(STATE_WORDS);
      words[state.BITS] = bits;
      return useOf(words, new Float64Array(STATE_WORDS / 2).fill(1_700_000_000), 0);
    };
    const order = [
      use(state.RESET_SEEN | state.ESTABLISHED),
      use(state.SYN_SEEN),
      use(state.SYN_SEEN | state.ESTABLISHED),
      use(state.RESET_SEEN | state.WATCHED),
    ];
    expect([...order].sort((a, b) => a - b)).toEqual(order);
    expect(use(state.BOTH_FINS | state.ESTABLISHED)).toBe(order[0]);
    expect(use(state.LOWER_FIN | state.ESTABLISHED)).toBe(order[2]);
    expect(use(state.ANY)).toBe(order[2]);
  });
});

describe('sequence numbers that wrap around', () => {
  const MAX = 0xffffffff;
  test('go on as others do', () => {
    const { take, facts } = followed();
    take({ flags: 'S', seq: MAX - 1, ack: 0 });
    take({ from: 2, to: 1, fromPort: 80, toPort: 50_000, flags: 'S.', seq: MAX, ack: MAX });
    take({ flags: '.', seq: MAX, ack: 0 });
    take({ flags: 'P.', seq: MAX, ack: 0, length: 10 });
    take({ from: 2, to: 1, fromPort: 80, toPort: 50_000, flags: '.', seq: 0, ack: 9 });
    const { sender, receiver, established, gap } = facts();
    expect([established, gap]).toEqual([true, false]);
    expect(sender).toMatchObject({ isn: MAX - 1, next: 9, acked: 0, dataSegments: 1, probes: 0 });
    expect(receiver).toMatchObject({ isn: MAX, next: 0, acked: 9 });
  });

  test('a gap over the end of the numbers is a gap, a retransmission is none', () => {
    const one = followed();
    one.take({ seq: MAX - 9, length: 10 });
    one.take({ seq: 5, length: 10 });
    expect(one.facts()).toMatchObject({ gap: true, sender: { next: 15 } });
    const two = followed();
    two.take({ seq: MAX - 9, length: 20 });
    two.take({ seq: MAX - 9, length: 10, ack: 2 });
    expect(two.facts()).toMatchObject({ gap: false, sender: { next: 10, acked: 2 } });
  });

  test('a probe just below the end is a probe', () => {
    const { take, facts } = followed();
    take({ seq: MAX - 9, length: 10, flags: 'P.' });
    take({ seq: MAX, flags: '.', seconds: 130 });
    expect(facts().sender).toMatchObject({ next: 0, probes: 1 });
  });

  test('a FIN on the last number ends behind it', () => {
    const { take, facts } = followed();
    take({ seq: MAX, flags: 'F.' });
    expect(facts().sender).toMatchObject({ finEnd: 0, next: 0 });
  });
});

describe('records between rows', () => {
  test('are taken up to the row that is next', () => {
    const { conversations } = followed();
    const records = new Records(8);
    for (const [place, number, six] of [
      [0, 1, false],
      [1, 3, true],
      [3, 7, false],
    ] as const) {
      records.words.set(recordOf({ number, six, from: number }), place * RECORD_WORDS);
    }
    records.count = 4;
    expect(conversations.run(records, 0, 3)).toBe(1);
    expect([conversations.four.size, conversations.six.size]).toEqual([1, 0]);
    expect(conversations.run(records, 1, 7)).toBe(3);
    expect(conversations.run(records, 3, Infinity)).toBe(4);
    expect([conversations.four.size, conversations.six.size]).toEqual([2, 1]);
  });

  test('tell whether there is more than beginnings and ends', () => {
    const { conversations, take } = followed();
    take({ flags: 'S' });
    take({ flags: 'F.' });
    expect(conversations.sawMiddle).toBe(false);
    take({ flags: '.' });
    expect(conversations.sawMiddle).toBe(true);
  });
});

describe('whoever listens', () => {
  test('hears once of who opened, of who was accepted, of each end', () => {
    const heard: string[] = [];
    const { take } = followed(undefined, {
      opened: (_, __, sourceServes, bySyn) =>
        heard.push(`opened ${sourceServes ? 'source' : 'destination'} ${String(bySyn)}`),
      accepted: (_, __, time) => heard.push(`accepted ${String(time)}`),
      appeared: (words) => heard.push(`appeared ${String(words[R_SOURCE])}`),
    });
    const back = { from: 2, to: 1, fromPort: 80, toPort: 50_000 };
    for (const seconds of [100, 103]) take({ flags: 'S', seq: 9, ack: 0, seconds });
    for (const seconds of [104, 105]) take({ ...back, flags: 'S.', seq: 20, ack: 10, seconds });
    take({ flags: '.', seq: 10, ack: 20, seconds: 106 });
    take({ flags: '.', seq: 10, ack: 21, seconds: 107 });
    take({ flags: 'P.', seq: 10, ack: 21, length: 4, seconds: 108 });
    expect(heard).toEqual(['opened destination true', 'appeared 1', 'appeared 2', 'accepted 107']);
  });
});
