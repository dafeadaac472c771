/**
 * What patterns and findings must not say: stories that look like something else.
 */
import { describe, expect, test } from '@jest/globals';
import { findAll } from '../../src/findings/find.js';
import { ladderStep, logStep } from '../../src/findings/steps.js';
import { PatternBook } from '../../src/patterns/book.js';
import { episodesOf, patternRows } from '../../src/patterns/rows.js';
import type { Attribution } from '../../src/attribute/process.js';
import type { Reset } from '../../src/conversation/reset.js';
import type { PatternRow } from '../../src/report/types.js';
import { clientIs, lateRequest, NOBODY, ofNoHabit, refusal, stray, talked, unasked } from '../patterns/made-up.js';
import { analyse, frameOf, START } from '../report/analysing.js';
import { processOf, resetOf } from '../report/attributing.js';
import { pcapng } from '../support/capture-bytes.js';
import { evidenceOf } from './facts.js';

const CLIENT = '10.0.0.9';

function many(count: number, make: (i: number) => Reset): Reset[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function rowsOf(
  resets: readonly Reset[],
  limit?: number,
  who: (reset: Reset, i: number) => Attribution = () => NOBODY,
): PatternRow[] {
  const book = new PatternBook(limit);
  for (const [i, reset] of resets.entries()) {
    const cell = book.add(reset, who(reset, i));
    if (cell !== null) cell.reported++;
  }
  return patternRows(episodesOf(book.cells));
}

function patternsOf(...args: Parameters<typeof rowsOf>): string[] {
  return rowsOf(...args).map(({ pattern }) => pattern);
}

describe('a capture without times', () => {
  test('of a scan is reported', async () => {
    const file = pcapng();
    file.interface({ name: 'eth0', linkType: 1 });
    for (let port = 1; port <= 20; port++) {
      const [src, dst] = [CLIENT, '10.0.0.80'];
      file.simplePacket({
        bytes: frameOf({ src, dst, srcPort: 50_000, dstPort: port, flags: 'S', seq: 1000, ack: 0, window: 64_240 }),
      });
      file.simplePacket({
        bytes: frameOf({
          src: dst,
          dst: src,
          srcPort: port,
          dstPort: 50_000,
          flags: 'R.',
          seq: 0,
          ack: 1001,
          window: 0,
        }),
      });
    }
    const report = await analyse(file.bytes());
    expect(report.packets.unique).toBe(20);
    for (const { summary, evidence } of report.findings) {
      for (const text of [summary, ...evidence]) expect(text).not.toMatch(/NaN|UTC|within/);
    }
  });
});

describe('no scan', () => {
  test('is a server’s keep-alive to clients that have gone', () => {
    // Answers to ACKs of old connections: 10.0.0.80:443 spoke to sixteen ports of one client.
    const resets = many(16, (i) =>
      stray({ client: '10.0.0.80', server: CLIENT, port: 50_001 + i, clientPort: 443, at: i }),
    );
    expect(patternsOf(resets)).toEqual([]);
  });
  test('is one dead port that fifteen programs of a host try', () => {
    const who = (reset: Reset, i: number): Attribution => clientIs(reset, CLIENT, { exe: `/opt/${String(i)}` });
    expect(
      patternsOf(
        many(15, (i) => refusal({ port: 7211, at: i })),
        undefined,
        who,
      ),
    ).toEqual([]);
  });
  test('are eight ports, looked at in two ways each', () => {
    const resets = many(16, (i) => (i % 2 === 0 ? refusal : stray)({ port: 1 + (i >> 1), at: i }));
    expect(patternsOf(resets)).toEqual([]);
  });
});

describe('a scan', () => {
  test('is one however often it is made again', () => {
    const again = many(4 * 100, (i) =>
      refusal({ port: 1 + (i % 100), at: Math.floor(i / 100) * 3600 + (i % 100) * 0.01 }),
    );
    expect(patternsOf(again)).toEqual(['scan']);
  });
  test('is one of all its hosts, also those for which there is no room', () => {
    const [row] = rowsOf(
      many(90, (i) => refusal({ server: `10.0.2.${String(Math.floor(i / 30))}`, port: 1 + (i % 30), at: i * 0.02 })),
      20,
    );
    expect(row).toMatchObject({ pattern: 'scan', server: null });
  });
  test('beside which one place is tried again and again is one, and that a retry loop of its own', () => {
    const scan = many(60, (i) => refusal({ port: 1 + i, at: i * 0.02 }));
    const loop = many(70, (i) => refusal({ port: 1, at: 5 + i }));
    const rows = rowsOf([...scan, ...loop], 20).map(({ pattern, port }) => [pattern, port]);
    expect(rows).toEqual([
      ['retry-loop', 1],
      ['scan', null],
    ]);
  });
});

describe('a retry loop', () => {
  const rhythms = (times: readonly number[]): string => rowsOf(times.map((at) => refusal({ at })))[0]?.summary ?? '';

  test('of two connects a second has no rhythm of microseconds', () => {
    expect(rhythms([0, 1, 2, 3, 4].flatMap((at) => [at, at + 0.000_02]))).not.toContain('µs');
  });
  test('of two connects an hour apart, each tried three times by its system, is not one every half second', () => {
    expect(rhythms([0, 3600].flatMap((at) => [at, at + 0.5, at + 1]))).not.toContain('every 0.5 s');
  });
  test('is one also where each try is a session of its own', () => {
    const who = (reset: Reset, i: number): Attribution =>
      clientIs(reset, CLIENT, { unit: `session-${String(i)}.scope` });
    expect(
      patternsOf(
        many(12, (i) => refusal({ port: 7211, at: i * 30 })),
        undefined,
        who,
      ),
    ).toEqual(['retry-loop']);
  });
  test('is not what sixty addresses do to one port in ten seconds', () => {
    const resets = many(1500, (i) => refusal({ client: `10.9.0.${String(i % 60)}`, at: i * 0.006 }));
    expect([...new Set(patternsOf(resets))]).toEqual(['flood']);
  });
});

describe('a flood', () => {
  test('is one also where there was no room left for its clients', () => {
    const others = many(50, (i) => refusal({ client: `10.3.0.${String(i)}`, server: '10.0.0.81', at: i * 20 }));
    const flood = many(1500, (i) => {
      const client = `10.9.${String(i >> 8)}.${String(i & 255)}`;
      return refusal({ client, at: 2000 + i * 0.006 });
    });
    expect(patternsOf([...others, ...flood], 50)).toEqual(['flood']);
  });
  test('counts clients, not their programs', () => {
    const who = (reset: Reset, i: number): Attribution => clientIs(reset, CLIENT, { exe: `/opt/${String(i % 10)}` });
    expect(
      patternsOf(
        many(1200, (i) => refusal({ at: i / 256 })),
        undefined,
        who,
      ),
    ).not.toContain('flood');
  });
});

describe('backscatter', () => {
  test('is not made up of single answers for which there is no room', () => {
    const others = many(4, (i) => refusal({ client: `10.3.0.${String(i)}`, at: i }));
    const answers = many(10, (i) =>
      unasked({ client: `10.4.0.${String(i)}`, server: `10.5.0.${String(i)}`, at: 10 + i }),
    );
    expect(patternsOf([...others, ...answers], 4)).toEqual([]);
  });
  test('counts addresses also where there is no room for each', () => {
    const [row] = rowsOf(
      many(200, (i) => unasked({ client: `10.3.0.${String(i)}`, at: i })),
      20,
    );
    expect(row?.summary).toMatch(/answers SYNs of 200 addresses/);
  });
  test('in a capture of resets and FINs alone, nobody is said to need no action', () => {
    // Where SYNs are left out by the capture's filter, refusals look as if nobody had asked.
    const refused = many(12, (i) => refusal({ client: `10.3.0.${String(i % 6)}`, at: i }));
    const resets = refused.map((reset) =>
      talked(reset, {
        synSeen: false,
        fromStart: false,
        opener: null,
        receiver: { seen: false, isn: null, next: null },
      }),
    );
    expect(findAll(evidenceOf(resets)).map(({ id }) => id)).not.toContain('no-action');
  });
});

describe('a finding', () => {
  test('of a race does not say "each time" of what two of three did', () => {
    const [race] = findAll(evidenceOf([5, 5, 60].map((idle, i) => lateRequest({ idle, at: i * 100 }))));
    expect(race?.id).toBe('keepalive-race');
    expect(race?.evidence.join()).not.toContain('each time');
  });
  test('of a stuck flow is not one of answers to a window that was on its way', () => {
    const resets = many(14, (i) => talked(ofNoHabit({ at: i * 0.000_01 }), { sender: { resets: i } }));
    expect(findAll(evidenceOf(resets)).map(({ id }) => id)).not.toContain('stuck-flow');
  });
});

describe('a step', () => {
  const example = { reset: resetOf({ frame: 12, seconds: START }), evidence: [] };

  test('names no file that is taken for an option', () => {
    expect(ladderStep(example, evidenceOf([], { files: ['-x.pcap'] }))).toEqual(['rstscope explain ./-x.pcap 12']);
  });
  test('is not one that explain refuses: standard input is read once', () => {
    expect(ladderStep(example, evidenceOf([], { files: ['-'] }))).toEqual([]);
  });
  test('names no unit that is taken for an option', () => {
    // systemctl -H connects to another host.
    for (const step of logStep(processOf({ unit: '-Hevil.service' }))) expect(step).not.toMatch(/(?<!--) -H/);
  });
});
