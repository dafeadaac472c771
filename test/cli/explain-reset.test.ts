/** `explain FILE FRAME`: the ladder, the rules, and that both are those that `read` goes by. */
import { describe, expect, test } from '@jest/globals';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { RULES } from '../../src/conversation/rules/rules.js';
import type { ResetEvent } from '../../src/report/types.js';
import { classicPcap, pcapng } from '../support/capture-bytes.js';
import { resetFrame, segment } from '../support/frames.js';
import { runInProcess } from '../support/in-process.js';
import { REPOSITORY } from '../support/run.js';
import { itWithCaptures } from '../support/tools.js';
import { explained, HANDSHAKE, ofTalk, SERVER, shown, talk, type Said } from './ladders.js';
import { NOON, saved, story } from './samples.js';

const ABORT: Said = { at: 20, by: 'server', flags: 'R.', seq: 901, ack: 151 };

describe('the ladder', () => {
  test('is the conversation up to the reset, from both sides, in relative and raw numbers', async () => {
    const {
      ladder,
      earlier_segments: earlier,
      later_segments: later,
    } = await ofTalk([...HANDSHAKE, { at: 5, flags: 'P.', seq: 101, ack: 901, payload: new Uint8Array(50) }, ABORT], 5);
    expect(ladder.map(shown)).toEqual([
      'client [S] 0',
      'server [S.] 0/1',
      'client [.] 1/1',
      'client [P.] 1/1',
      'server [R.] 1/51',
    ]);
    expect(ladder.map(({ seq }) => seq)).toEqual([100, 900, 101, 101, 901]);
    expect(ladder.map(({ payload_length: length }) => length)).toEqual([0, 0, 0, 50, 0]);
    expect(ladder.map(({ asked }) => asked)).toEqual([false, false, false, false, true]);
    expect(ladder.map(({ side }) => side)).toEqual(['receiver', 'sender', 'receiver', 'receiver', 'sender']);
    expect(ladder.map(({ seconds }) => seconds?.toFixed(3))).toEqual(['0.000', '0.001', '0.002', '0.005', '0.020']);
    expect([earlier, later]).toEqual([0, 0]);
  });
  test('has the last twelve, counts those before, and leaves other conversations out', async () => {
    const data = Array.from({ length: 30 }, (_, i): Said[] => [
      { at: 5 + i * 100, flags: 'P.', seq: 101 + i, ack: 901, payload: new Uint8Array(1) },
      { at: 6 + i * 100, flags: 'P.', seq: 101 + i, ack: 901, payload: new Uint8Array(1), srcPort: 40001 },
    ]).flat();
    const { ladder, earlier_segments: earlier } = await ofTalk([...HANDSHAKE, ...data, { ...ABORT, at: 4000 }], 64);
    expect(ladder).toHaveLength(12);
    expect(earlier).toBe(33 - 11);
    expect(ladder.at(-2)).toMatchObject({ frame: 62, relative_seq: 30, asked: false });
  });
  test('marks what came within five seconds behind it, the first six and those that evidence names', async () => {
    const more = Array.from({ length: 10 }, (_, i): Said => ({
      at: 100 + i,
      flags: '.',
      seq: 101,
      ack: 901,
      id: 7 + i,
    }));
    const after: Said[] = [
      ...more,
      { at: 3000, by: 'server', flags: 'P.', seq: 901, ack: 101, payload: new Uint8Array(9) },
      { at: 6000, flags: '.', seq: 101, ack: 910 },
    ];
    const {
      ladder,
      event,
      later_segments: later,
    } = await ofTalk([...HANDSHAKE, { ...ABORT, ack: 101, ttl: 50 }, ...after], 4);
    const behind = ladder.filter((rung) => rung.after);
    expect(event.evidence.join()).toContain('goes on with the connection 3.0 s later');
    expect(behind.map(({ frame }) => frame)).toEqual([5, 6, 7, 8, 9, 10, 15]);
    expect(later).toBe(4);
  });
  test('says what was said again, came late, was a probe, and was not captured', async () => {
    const data = (at: number, seq: number, length: number): Said => ({
      ...{ at, flags: 'P.', seq, ack: 901, payload: new Uint8Array(length) },
    });
    const { ladder } = await ofTalk(
      [...HANDSHAKE, data(10, 101, 10), data(300, 101, 10), data(400, 141, 10), data(500, 121, 20)]
        .concat([{ at: 600, flags: '.', seq: 150, ack: 901 }])
        .concat([
          { at: 700, by: 'server', flags: '.', seq: 901, ack: 171 },
          { ...ABORT, at: 800 },
        ]),
      10,
    );
    expect(ladder.map(({ repeat }) => repeat)).toEqual([
      null,
      null,
      null,
      null,
      'again',
      null,
      'late',
      'probe',
      null,
      null,
    ]);
    expect(ladder.map(({ missing_bytes: missing }) => missing)).toEqual([0, 0, 0, 0, 0, 10, 0, 0, 0, 0]);
    expect(ladder.map(({ unseen_bytes: unseen }) => unseen)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 20, 0]);
  });
  test('without a handshake counts from the first number, and claims nothing of what came before', async () => {
    const { ladder } = await ofTalk(
      [
        { at: 0, flags: 'P.', seq: 5000, ack: 7000, payload: new Uint8Array(10) },
        { at: 20, by: 'server', flags: 'R', seq: 7000, ack: 0 },
      ],
      2,
    );
    expect(ladder.map(({ relative_seq: seq, relative_ack: ack }) => [seq, ack])).toEqual([
      [1, 1],
      [1, null],
    ]);
    expect(ladder.every((rung) => rung.missing_bytes === 0 && rung.unseen_bytes === 0)).toBe(true);
  });
  test('a lone reset has raw numbers only', async () => {
    const { ladder } = await explained(
      saved('lone.pcap', classicPcap({ records: [{ seconds: NOON, bytes: resetFrame() }] })),
      '1',
    );
    expect(ladder).toMatchObject([{ relative_seq: null, relative_ack: null, seq: 0, ack: 1001, asked: true }]);
  });
  test('a new connection on the same ports is told, the older one is shown', async () => {
    const { ladder } = await ofTalk(
      [
        ...HANDSHAKE,
        { at: 3000, flags: 'S', seq: 77000 },
        { at: 3001, by: 'server', flags: '.', seq: 901, ack: 101 },
        { at: 3002, flags: 'R', seq: 101, ack: 0 },
      ],
      6,
    );
    expect(ladder.map((rung) => rung.new_connection)).toEqual([false, false, false, true, false, false]);
  });
  test.each([4, 6] as const)('IPv%i, VLANs apart', async (version) => {
    const ends = version === 6 ? { src: '2001:db8::10', dst: '2001:db8::20' } : {};
    const back = version === 6 ? { src: '2001:db8::20', dst: '2001:db8::10' } : {};
    const records = [
      segment({ flags: 'S', seq: 100, ...ends, vlans: [{ id: 7 }] }),
      segment({ flags: 'S', seq: 300, ...ends, vlans: [{ id: 8 }] }),
      resetFrame({ ack: 101, ...back, vlans: [{ id: 7 }] }),
    ].map((bytes, i) => ({ seconds: NOON, fraction: i * 1000, bytes }));
    const { ladder, cause } = await explained(saved('vlans.pcap', classicPcap({ records })), '3');
    expect(cause).toBe('closed-port');
    expect(ladder.map(({ frame }) => frame)).toEqual([1, 3]);
  });
  test('copies on two interfaces are one rung, NAT included', async () => {
    const file = pcapng().interface({ name: 'eth0' }).interface({ name: 'eth1' });
    let time = BigInt(NOON) * 1_000_000n;
    const both = (fields: Parameters<typeof segment>[0], translated: Parameters<typeof segment>[0]): void => {
      time += 1000n;
      file.enhancedPacket({ interface: 0, timestamp: time, bytes: segment(fields) });
      file.enhancedPacket({
        interface: 1,
        timestamp: time + 20n,
        bytes: segment({ ...fields, ...translated, ttl: 63 }),
      });
    };
    both({ flags: 'S', seq: 100, id: 5 }, { src: '198.51.100.1' });
    both({ ...SERVER, flags: 'S.', seq: 900, ack: 101, id: 6 }, { dst: '198.51.100.1' });
    both({ flags: '.', seq: 101, ack: 901, id: 7 }, { src: '198.51.100.1' });
    both({ ...SERVER, flags: 'R.', seq: 901, ack: 101, id: 8, window: 502 }, { dst: '198.51.100.1' });
    const { ladder, event } = await explained(saved('nat.pcapng', file.bytes()), '8');
    expect(event.translations).toHaveLength(1);
    expect(ladder.map(({ frames }) => frames)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
    expect(ladder.at(-1)).toMatchObject({ asked: true, frame: 7 });
    const apart = await explained(saved('nat.pcapng', file.bytes()), '7', '--no-fold');
    expect(apart.event.frames).toEqual([7]);
  });
  test('--context resets shows no more than the rules see', async () => {
    const { ladder, event } = await ofTalk([...HANDSHAKE, ABORT], 4, '--context', 'resets');
    expect(ladder.map(({ frame }) => frame)).toEqual([4]);
    expect(event.stage).toBe('unknown');
  });
  test('frames without times, and times that go back, have their places', async () => {
    const records = [...HANDSHAKE, ABORT].map((one, i) => ({
      ...{ seconds: NOON - i, fraction: 0 },
      bytes: segment({ ...(one.by === 'server' ? SERVER : {}), ...one, id: i + 1 }),
    }));
    const { ladder } = await explained(saved('back.pcap', classicPcap({ records })), '4');
    expect(ladder.map(({ seconds }) => seconds)).toEqual([0, -1, -2, -3]);
    const untimed = pcapng().interface();
    for (const { bytes } of records) untimed.simplePacket({ bytes });
    const lost = await explained(saved('untimed.pcapng', untimed.bytes()), '4');
    expect(lost.ladder.map(({ timestamp, seconds }) => [timestamp, seconds])).toEqual(records.map(() => [null, null]));
  });
});

describe('the rules', () => {
  test('are all of them, in their order: no with a fact, one yes, the rest not tried', async () => {
    const { rules, cause, event } = await explained(saved('story.pcap', classicPcap({ records: story() })), '2');
    expect(rules.map(({ name }) => name)).toEqual(RULES.map(({ name }) => name));
    const told = rules.findIndex(({ verdict }) => verdict === 'yes');
    expect(rules[told]).toMatchObject({ cause, evidence: event.evidence });
    expect(rules.slice(0, told).every((rule) => rule.verdict === 'no' && rule.because !== '')).toBe(true);
    expect(rules.slice(told + 1).every((rule) => rule.verdict === 'not-tried')).toBe(true);
    expect(rules.slice(told + 1).every((rule) => rule.because.includes('an earlier rule said yes'))).toBe(true);
  });
  test('all say no where the cause is unknown', async () => {
    const { rules, cause } = await ofTalk([{ at: 0, flags: 'R', seq: 5, ack: 0, window: 0 }], 1);
    expect(cause).toBe('unknown');
    expect(new Set(rules.map(({ verdict }) => verdict))).toEqual(new Set(['no']));
  });
  test('the next steps have port and file filled in', async () => {
    const { next_steps: steps } = await explained(saved('story.pcap', classicPcap({ records: story() })), '2');
    expect(steps.join('\n')).toContain('rstscope who 7211');
  });
});

/** Of each capture, so many resets at most: the first, the last and some between. */
const SAMPLES = 2;

async function expectAsRead(file: string): Promise<number> {
  const { stdout } = await runInProcess(['read', '--json', '--events', file]);
  if (stdout === '') return 0;
  const { events } = JSON.parse(stdout) as { events: ResetEvent[] };
  const step = Math.max(1, Math.ceil(events.length / SAMPLES));
  const chosen = events.filter((_, i) => i % step === 0 || i === events.length - 1);
  for (const event of chosen) {
    const { event: same, cause, rules, ladder } = await explained(file, String(event.frames.at(-1)));
    expect(same).toEqual(event);
    expect(cause).toBe(event.cause);
    const told = rules.find(({ verdict }) => verdict === 'yes');
    expect(told?.cause ?? 'unknown').toBe(event.cause);
    for (const sentence of told?.evidence ?? []) expect(event.evidence).toContain(sentence);
    const asked = ladder.filter((rung) => rung.asked);
    expect(asked).toMatchObject([
      { frame: event.frame, seq: event.seq, flags: event.tcp_flags, frames: event.frames.slice(0, 64) },
    ]);
    const sides = [event.src_port, event.dest_port];
    expect(ladder.every(({ translation }) => translation === null || sides.length === 2)).toBe(true);
  }
  return chosen.length;
}

describe('the verdict is that of read', () => {
  test('for the captures of the repository', async () => {
    const folder = path.join(REPOSITORY, 'test', 'pcaps');
    const files = readdirSync(folder).filter((name) => /\.pcap(ng)?(\.gz)?$/.test(name));
    let resets = 0;
    for (const name of files) resets += await expectAsRead(path.join(folder, name));
    expect(resets).toBeGreaterThan(100);
  }, 60_000);
  itWithCaptures(
    'for captures of others',
    async (folder) => {
      const captures = path.join(folder, 'captures');
      const small = readdirSync(captures).filter((name) => statSync(path.join(captures, name)).size < 100_000);
      let resets = 0;
      for (const [i, name] of small.sort().entries()) {
        if (i % 8 === 0) resets += await expectAsRead(path.join(captures, name));
      }
      expect(resets).toBeGreaterThan(10);
    },
    60_000,
  );
});

describe('mutated captures', () => {
  test('never make it fail: an answer, a refusal, or an answer of what could be read', async () => {
    const data: Said = { at: 9, flags: 'P.', seq: 101, ack: 901, payload: new Uint8Array(20) };
    const whole = talk([...HANDSHAKE, data, ABORT, { at: 30, flags: 'R', seq: 121, ack: 0 }]);
    let state = 1;
    const next = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    for (let i = 0; i < 150; i++) {
      const bytes = Uint8Array.from(whole.subarray(0, i % 3 === 0 ? 24 + next(whole.length - 24) : whole.length));
      for (let n = next(6); n > 0 && bytes.length > 24; n--) bytes[24 + next(bytes.length - 24)] = next(256);
      const { code, stderr } = await runInProcess(['explain', saved('mutated.pcap', bytes), String(4 + (i % 3))]);
      expect([0, 2, 3]).toContain(code);
      expect(stderr).not.toContain('fault of the program');
    }
  });
});
