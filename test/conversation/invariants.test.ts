/** What holds for whatever connections say: nothing breaks, every figure is possible, and the way to read changes nothing. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { conversationFacts } from '../../src/conversation/conversation-facts.js';
import { Conversations, type ConversationListener } from '../../src/conversation/conversations.js';
import type { ConversationTable } from '../../src/conversation/conversation-table.js';
import type { SideFacts } from '../../src/conversation/facts.js';
import { CAUSES } from '../../src/conversation/verdict.js';
import { BATCH_FRAMES } from '../../src/capture/frame-batch.js';
import { Decoder } from '../../src/decode/decoder.js';
import { RECORD_WORDS } from '../../src/decode/record-layout.js';
import { recordOf } from '../../src/decode/records.js';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { batchOf, interfaceOf, KEEP_ALL } from '../decode/decoding.js';
import { analyse, analyseAll, classic, START, type Settings } from '../report/analysing.js';
import { disorderedSteps, framesOf, spoken, steadySteps, steps, type Step } from './any-talk.js';
import { handshake, resetsOf, talk } from './following.js';

const RUNS = { numRuns: 60 };
const STAGES = ['handshake', 'established', 'data', 'closing', 'closed', 'unknown'];
const WORDS = ['REJ', 'RSTO', 'RSTR', 'RSTOS0', 'RSTRH', null];

function expectPossible(event: ResetEvent): void {
  expect(STAGES).toContain(event.stage);
  expect(WORDS).toContain(event.conn_state);
  expect(CAUSES).toContain(event.cause);
  expect(['likely', 'possible', 'unknown']).toContain(event.confidence);
  for (const figure of [event.idle_seconds, event.bytes_to_client, event.bytes_to_server]) {
    if (figure !== null) expect([Number.isFinite(figure), figure >= 0]).toEqual([true, true]);
  }
  for (const bytes of [event.bytes_to_client, event.bytes_to_server]) {
    if (bytes === null) continue;
    // Sequence numbers tell no more, and only between a known server and its client.
    expect(Number.isInteger(bytes) && bytes < 2 ** 32).toBe(true);
    expect(event.reset_by).not.toBe('unknown');
  }
  expect(event.evidence.length).toBeGreaterThan(0);
  for (const sentence of event.evidence) expect(sentence).not.toMatch(/NaN|undefined|null|Infinity|-\d/);
  if (event.conn_state === 'REJ') expect(event.reset_by).toBe('server');
  if (event.conn_state === 'RSTO' || event.conn_state === 'RSTOS0') expect(event.reset_by).toBe('client');
}

function expectRange(side: SideFacts): void {
  for (const number of [side.isn, side.next, side.acked, side.finEnd, side.earlierAck, side.timestamp]) {
    if (number !== null) expect(Number.isInteger(number) && number >= 0 && number <= 0xffffffff).toBe(true);
  }
  for (const small of [side.ttl, side.ttlLeast, side.ttlMost, side.probes]) {
    if (small !== null) expect(Number.isInteger(small) && small >= 0 && small <= 255).toBe(true);
  }
  if (side.ttl !== null) {
    expect(side.ttlLeast).toBeLessThanOrEqual(side.ttl);
    expect(side.ttlMost).toBeGreaterThanOrEqual(side.ttl);
  }
  expect(side.seen).toBe(side.last !== null);
  expect(side.seen).toBe(side.next !== null);
  if (side.synAck) expect(side.isn).not.toBeNull();
  if (side.windowScale !== null) expect(side.windowScale).toBeLessThanOrEqual(14);
  expect(side.resets > 0).toBe(side.lastReset !== null);
}

describe('whatever is said', () => {
  test('every figure of an event is possible, in order or not', async () => {
    const causes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.oneof(steps, disorderedSteps), fc.boolean(), async (all, fold) => {
        const report = await analyse(classic(framesOf(all)), { fold });
        expect(report.packets.seen).toBe(spoken(all).length);
        for (const event of report.events) {
          expectPossible(event);
          causes.add(event.cause);
        }
        for (const row of [...report.endpoints, ...report.ports]) {
          if (row.reset_ratio !== null) expect(row.reset_ratio >= 0 && row.reset_ratio <= 1).toBe(true);
        }
      }),
      RUNS,
    );
    expect(causes.size).toBeGreaterThan(6);
  });

  test('the facts are in range, and what came behind a reset came behind it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const frames = framesOf(all);
        for (const { conversation, host, frame, seconds, nanos } of await resetsOf([classic(frames)])) {
          expectRange(conversation.sender);
          expectRange(conversation.receiver);
          const at = seconds + nanos / 1e9;
          for (const side of [conversation.sender, conversation.receiver]) {
            if (side.last !== null) expect(side.last.frame).toBeLessThan(frame);
          }
          const { after } = conversation;
          for (const segment of [after.senderWentOn, after.receiverWentOn, after.synAck]) {
            if (segment === null) continue;
            expect(segment.frame).toBeGreaterThan(frame);
            expect(segment.at - at).toBeLessThanOrEqual(5.000001);
          }
          expect(after.risingResets).toBeLessThanOrEqual(after.senderResets);
          expect(after.receiverResets > 0).toBe(after.receiverResetAfter !== null);
          expect((host.acceptedBefore ?? 0) >= 0 && (host.acceptedAfter ?? 0) >= 0).toBe(true);
          if (conversation.lastAt !== null) expect(conversation.lastAt).toBeLessThanOrEqual(at + 1e-6);
        }
      }),
      RUNS,
    );
  });
});

/** Without what must differ: how the files are called, in the next steps, too. */
function sameWords({ source, findings, ...report }: Report): string {
  const said = findings.map((finding) => ({ ...finding, next_steps: [] }));
  return JSON.stringify({ ...report, findings: said, source: { ...source, files: [] } });
}

const pieces = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });

describe('the way to read changes nothing', () => {
  const reports = async (all: readonly Step[], one: Settings, two: Settings): Promise<[string, string]> => {
    const capture = classic(framesOf(all));
    return [sameWords(await analyse(capture, one)), sameWords(await analyse(capture, two))];
  };

  test('whole, or in pieces as from standard input', async () => {
    await fc.assert(
      fc.asyncProperty(steps, pieces, async (all, sizes) => {
        const [whole, cut] = await reports(all, {}, { pieces: sizes });
        expect(cut).toBe(whole);
      }),
      RUNS,
    );
  });

  test('nor where frames are out of order by up to two seconds', async () => {
    await fc.assert(
      fc.asyncProperty(disorderedSteps, pieces, async (all, sizes) => {
        const [whole, cut] = await reports(all, {}, { pieces: sizes });
        expect(cut).toBe(whole);
      }),
      RUNS,
    );
  });

  test('nor what comes late of a connection that was reset, behind later frames of another', async () => {
    const [one, other] = [talk(), talk({ clientPort: 50_001 })];
    const frames = [
      ...handshake(one, 0, [1000, 5000]),
      one.s(1000, 'R.', 5001, 1001, { ttl: 117, window: 501 }),
      // A capture of several interfaces writes these first.
      other.c(6300, '.', 7, 7),
      other.c(6310, 'R', 8, 0),
      one.s(5500, 'P.', 5001, 1001, { length: 20 }),
      other.c(6400, '.', 9, 7),
    ];
    const capture = classic(frames);
    const whole = sameWords(await analyse(capture));
    for (const piece of [1, 60, 100]) expect(sameWords(await analyse(capture, { pieces: [piece] }))).toBe(whole);
    expect(whole).toContain('"injected"');
  });

  test('by the sieve, or by the walk alone (beside another file)', async () => {
    const nothing = classic([]);
    await fc.assert(
      fc.asyncProperty(fc.oneof(steps, disorderedSteps), async (all) => {
        const capture = classic(framesOf(all));
        expect(sameWords(await analyseAll([capture, nothing]))).toBe(sameWords(await analyse(capture)));
      }),
      RUNS,
    );
  });

  test('nor does a batch end between a reset and what comes behind it', async () => {
    // So many frames that the reset is in one batch, its sender's next word in the next.
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constant(null), { maxLength: 3 }), async () => {
        const quiet: Step = {
          ...{ connection: 2, byClient: true, kind: 'ack', wait: 100, length: 0, timestamps: true },
          ...{ ttl: 64, idStep: 1, shift: 0, copied: false },
        };
        const story: Step[] = [
          { ...quiet, connection: 0, kind: 'open' },
          ...Array.from({ length: BATCH_FRAMES - 5 }, () => quiet),
          { ...quiet, connection: 0, byClient: false, kind: 'abort' },
          ...Array.from({ length: 20 }, () => quiet),
          { ...quiet, connection: 0, byClient: false, kind: 'data', length: 20 },
        ];
        const [whole, cut] = await reports(story, {}, { pieces: [7] });
        expect(cut).toBe(whole);
      }),
      { numRuns: 1 },
    );
  });
});

// ---- The short way of the commonest segments, and the way of all ----

interface Follower {
  readonly conversations: Conversations;
  readonly heard: string[];
}

function follower(): Follower {
  const heard: string[] = [];
  const listener: ConversationListener = {
    opened: (words, at, sourceServes, bySyn) => heard.push(`opened ${words[at]} ${sourceServes} ${bySyn}`),
    accepted: (words, at, time) => heard.push(`accepted ${words[at]} ${time}`),
    appeared: (words, at) => heard.push(`appeared ${words[at]}`),
    watched: () => undefined,
    survived: (words, at, gap) => heard.push(`survived ${words[at]} ${gap}`),
    forgotten: () => undefined,
  };
  return { conversations: new Conversations(listener), heard };
}

function allFacts(table: ConversationTable): unknown[] {
  return Array.from({ length: table.size }, (_, row) => conversationFacts(table, row, true, true));
}

type Way = (table: ConversationTable, row: number, words: Uint32Array, at: number) => void;

describe('the short way of a plain segment', () => {
  test('leaves what the way of every segment leaves', () => {
    let shortest = 0;
    fc.assert(
      fc.property(steadySteps, (all) => {
        const said = spoken(all).filter(({ bytes, reset }) => !reset && (bytes[47] ?? 0) !== 0);
        const batch = batchOf(said.slice(0, BATCH_FRAMES));
        for (const [i, { at }] of said.entries()) {
          batch.seconds[i] = START + Math.floor(at / 1e6);
          batch.nanos[i] = (at % 1e6) * 1000;
          batch.number[i] = i + 1;
        }
        const rows = new Decoder(KEEP_ALL).decode(batch, 0, batch.count, [interfaceOf(1)]);
        const [short, long] = [follower(), follower()];
        const everyWay = Reflect.get(long.conversations, 'takeOther') as Way;
        const words = new Uint32Array(2 * RECORD_WORDS);
        let long$ = 0;
        const usual = Reflect.get(short.conversations, 'takeOther') as Way;
        Reflect.set(short.conversations, 'takeOther', (...args: Parameters<Way>) => {
          long$++;
          usual.apply(short.conversations, args);
        });
        for (let i = 0; i < rows.count; i++) {
          recordOf(rows, i, words);
          short.conversations.take(short.conversations.tableOf(words, 0), words, 0);
          const table = long.conversations.tableOf(words, 0);
          everyWay.call(long.conversations, table, table.put(words, 0), words, 0);
        }
        shortest += rows.count - long$;
        for (const version of ['four', 'six'] as const) {
          expect(allFacts(short.conversations[version])).toEqual(allFacts(long.conversations[version]));
        }
        expect(short.heard).toEqual(long.heard);
        expect(short.conversations.clock).toBe(long.conversations.clock);
        expect(short.conversations.sawMiddle).toBe(long.conversations.sawMiddle);
      }),
      { numRuns: 200 },
    );
    expect(shortest).toBeGreaterThan(100);
  });
});
