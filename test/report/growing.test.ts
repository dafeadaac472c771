/** Captures that grow: said early, settled later, revised in between; the clock; the limit; everything saved. */
import { describe, expect, test } from '@jest/globals';
import type { Growing } from '../../src/analyze/analyze.js';
import { nobody } from '../../src/attribute/attributor.js';
import { CaptureWriter } from '../../src/capture/writer.js';
import { sectionComment } from '../../src/capture/host-note.js';
import { KEEP_ALL } from '../../src/report/filter.js';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { readBytes } from '../capture/reading.js';
import { sampleAlert, sampleKernel } from '../render/sample-kernel.js';
import { analyse, classic, frameOf, onInterfaces, ROUTED, START, type At, type Settings } from './analysing.js';

const NOBODY: Growing = {
  patience: 0.06,
  settledUntil: () => null,
  count: null,
  onEnough: () => undefined,
  onReset: null,
  onRevision: null,
  facts: () => ({
    source: {
      interfaces: ['any'],
      context: 'resets',
      filter: null,
      backend: 'tcpdump',
      timestamps: 'kernel',
      trace: 'off',
      namespaces: ['1'],
    },
    start: { seconds: START - 1, nanos: 0 },
    end: { seconds: START + 9, nanos: 0 },
    incomplete: [],
    dropped: 0,
    kernel: null,
    alerts: [],
  }),
  witness: null,
};

interface Heard {
  report: Report;
  said: ResetEvent[];
  revised: [ResetEvent, ResetEvent][];
}

async function listenTo(bytes: Uint8Array, more: Partial<Growing> = {}, settings: Settings = {}): Promise<Heard> {
  const said: ResetEvent[] = [];
  const revised: [ResetEvent, ResetEvent][] = [];
  const growing: Growing = {
    ...NOBODY,
    onReset: (announcement) => said.push(announcement.event()),
    onRevision: (before, after) => revised.push([before, after]),
    ...more,
  };
  const attributor = nobody('not-tried');
  return { report: await analyse(bytes, { attributor, ...settings, growing }), said, revised };
}

/** Resets of one aborting server, a second apart, to many clients. */
const aborts = (count: number): At[] =>
  Array.from({ length: count }, (_, i): At => [i * 1e6, frameOf({ dstPort: 50000 + i, seq: 1000 + i })]);

describe('a growing capture', () => {
  test('reports by the clock, without files and frames', async () => {
    const { report } = await listenTo(classic(aborts(2)));
    expect(report.source).toMatchObject({ kind: 'live', files: [], interfaces: ['any'], backend: 'tcpdump' });
    expect(report.window).toMatchObject({ seconds: 10, start_epoch: START - 1 });
    expect(report.packets.dropped).toBe(0);
    expect(report.events).toMatchObject([
      { file: null, frame: null, frames: [], sender_reason: 'not-tried' },
      { file: null, frame: null, frames: [] },
    ]);
    expect(new Set(report.events.map(({ id }) => id)).size).toBe(2);
  });

  test('what is said is what settles, but for what was learnt meanwhile', async () => {
    // Which side serves is not known of the first reset, and plain once the server has aborted a second client.
    // One record a read, and the clock far ahead: each is said before the next one comes.
    const { report, said, revised } = await listenTo(
      classic(aborts(3)),
      { settledUntil: () => START + 60 },
      { pieces: [24, 16 + frameOf().length] },
    );
    expect(said.map(({ service_port: port }) => port)).toEqual([null, 8443, 8443]);
    expect(report.events.map(({ service_port: port }) => port)).toEqual([8443, 8443, 8443]);
    expect(revised).toEqual([[said[0], report.events[0]]]);
    expect(said.map(({ id }) => id)).toEqual(report.events.map(({ id }) => id));
    expect(report.ports).toMatchObject([{ port: 8443, resets: 3 }]);
  });

  test('copies are waited for before anything is said', async () => {
    const frame = frameOf();
    const capture = onInterfaces([
      [0, 0, frame],
      [20, 1, frame],
      [40, 2, frameOf({ ...ROUTED, ttl: 63 })],
      [90_000, 0, frameOf({ seq: 7 })],
    ]);
    const { said, revised } = await listenTo(capture);
    expect(said.map(({ copies }) => copies)).toEqual([3, 1]);
    expect(revised).toEqual([]);
  });

  test('without a further frame it is the clock that says that no copy will come', async () => {
    const said: string[] = [];
    const saidAtTheLast = await new Promise<number>((resolve) => {
      void listenTo(
        classic(aborts(1)),
        {
          settledUntil: () => START + 5,
          onReset: ({ src_ip: ip }) => said.push(ip),
        },
        { onProgress: () => resolve(said.length) },
      );
    });
    expect(saidAtTheLast).toBe(1);
  });

  test('after so many resets it asks for the end, and leaves out what still came', async () => {
    let asked = 0;
    const { report, said } = await listenTo(classic(aborts(5)), { count: 2, onEnough: () => asked++ });
    expect(asked).toBeGreaterThan(0);
    expect(said).toHaveLength(2);
    expect(report.packets).toMatchObject({ unique: 5, filtered_out: 3 });
    expect(report.events).toHaveLength(2);
    expect(report.ports).toMatchObject([{ resets: 2 }]);
  });

  test('whoever compares it with the kernel hears of every reset, also of what is left out', async () => {
    const heard: string[] = [];
    const witness: Growing['witness'] = {
      captured: ({ destPort }) => heard.push(`captured ${destPort}`),
      counted: ({ destPort }) => heard.push(`counted ${destPort}`),
      finish: () => Promise.resolve(void heard.push('finish')),
    };
    const filter = { ...KEEP_ALL, port: (port: number) => port === 50000 || port === 50002 };
    const kernel = sampleKernel();
    const alerts = [sampleAlert()];
    const facts = (): ReturnType<Growing['facts']> => ({ ...NOBODY.facts(), kernel, alerts });
    const { report } = await listenTo(classic(aborts(3)), { witness, facts }, { filter });
    const ports = [50000, 50001, 50002];
    expect(heard.filter((one) => one.startsWith('captured'))).toEqual(ports.map((port) => `captured ${port}`));
    expect(heard.filter((one) => one.startsWith('counted'))).toEqual(['counted 50000', 'counted 50002']);
    expect(heard.filter((one) => one === 'finish')).toHaveLength(1);
    expect(heard.lastIndexOf('captured 50002')).toBeLessThan(heard.indexOf('finish'));
    expect([report.kernel, report.alerts]).toEqual([kernel, alerts]);
  });

  test('a filter leaves out what it leaves out of a file', async () => {
    const filter = { ...KEEP_ALL, port: (port: number) => port === 50001 };
    const { report, said } = await listenTo(classic(aborts(3)), {}, { filter });
    expect(said).toHaveLength(1);
    expect(report.packets).toMatchObject({ unique: 3, filtered_out: 2 });
  });
});

describe('saving a growing capture', () => {
  async function saved(bytes: Uint8Array, settings: Settings = {}): Promise<{ flags: number[]; comments: string[][] }> {
    const out: Uint8Array[] = [];
    const writer = new CaptureWriter('pcapng', 'test', (part) => out.push(part.slice()));
    await analyse(bytes, { ...settings, writer, growing: NOBODY });
    writer.finish(1);
    const { frames } = await readBytes(Buffer.concat(out));
    return {
      flags: frames.map((frame) => frame.bytes[47] ?? -1),
      comments: frames.map(({ note }) => [...(note?.comments ?? [])]),
    };
  }
  const SYN = 2;
  const RST_ACK = 0x14;
  const mixed: At[] = [
    [0, frameOf({ flags: 'S', srcPort: 50000, dstPort: 8443 })],
    [100, frameOf({ dstPort: 50000 })],
    [200, frameOf({ flags: '.', dstPort: 50009, srcPort: 9 })],
  ];

  test('keeps everything in its order, with a comment on each reset', async () => {
    const { flags, comments } = await saved(classic(mixed));
    expect(flags).toEqual([SYN, RST_ACK, 0x10]);
    expect(comments.map(([comment]) => comment?.replace(/id=.*/, ''))).toEqual([
      undefined,
      'rstscope: cause=abort confidence=possible ',
      undefined,
    ]);
  });

  // A batch that lasted longer than copies are waited for, as they do on a busy machine.
  test('keeps resets of which everything is known before their batch has ended', async () => {
    const { flags, comments } = await saved(classic(aborts(5)), { attributor: nobody('not-tried') });
    expect(flags).toEqual(Array(5).fill(RST_ACK));
    expect(comments.map(([comment]) => comment?.startsWith('rstscope: cause='))).toEqual(Array(5).fill(true));

    const natted = onInterfaces([
      [0, 0, frameOf()],
      [20, 1, frameOf({ ...ROUTED, src: '192.0.2.1', srcPort: 443, ttl: 63 })],
      [1e6, 0, frameOf({ seq: 7 })],
      [2e6, 0, frameOf({ seq: 8 })],
    ]);
    const twins = await saved(natted, { attributor: nobody('not-tried') });
    const ids = twins.comments.map(([comment]) => /id=\S+/.exec(comment ?? '')?.[0]);
    expect(ids).toHaveLength(4);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
  });

  test('obeys port and host, and no other filter', async () => {
    const filter = { ...KEEP_ALL, port: (port: number) => port === 8443, directions: new Set(['sent'] as const) };
    expect((await saved(classic(mixed), { filter })).flags).toEqual([SYN, RST_ACK]);
    const host = (ip: string): boolean => ip === '203.0.113.1';
    expect((await saved(classic(mixed), { filter: { ...KEEP_ALL, host } })).flags).toEqual([]);
  });

  test('what a capture says of its host is for reading it back', () => {
    const comment = sectionComment({ local: ['10.0.0.5'], timestamps: 'arrival' });
    expect(comment).toBe('rstscope host: {"timestamps":"arrival","local":["10.0.0.5"]}');
  });
});
