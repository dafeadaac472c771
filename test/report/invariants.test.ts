/** What is always true of a report, whatever the capture: random captures, byte by byte, through the whole pipeline. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Direction } from '../../src/conversation/verdict.js';
import { KEEP_ALL, type FilterOptions } from '../../src/report/filter.js';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { capture as anyCapture, classicRecords } from '../support/arbitraries.js';
import { classicPcap, pcapng } from '../support/capture-bytes.js';
import { carriedIp, carriedVlan, ETHER_TYPE, ethernet, fragmentIpv4 } from '../support/frames.js';
import {
  analyse,
  analyseAll,
  classic,
  frameOf,
  framesOfEvents,
  packetOf,
  ROUTED,
  START,
  type At,
} from './analysing.js';

const RUNS = 120;

// ---- Random captures: few addresses, ports and numbers, so that connections, copies and twins do occur. ----

interface Frame {
  /** Microseconds after the one before; may be negative. */
  step: number;
  iface: number;
  kind: 'reset' | 'syn' | 'syn-ack' | 'data' | 'arp' | 'fragment' | 'cut' | 'malformed' | 'vlan' | 'unknown-link';
  back: boolean;
  server: number;
  client: number;
  port: number;
  clientPort: number;
  flags: string;
  seq: number;
  ack: number;
  id: number;
  ttl: number;
  window: number;
  routed: boolean;
  six: boolean;
  /** The time is left out (a Simple Packet Block). */
  untimed: boolean;
}

const frame: fc.Arbitrary<Frame> = fc.record({
  step: fc.oneof(
    { weight: 8, arbitrary: fc.nat(400) },
    { weight: 3, arbitrary: fc.nat(3_000_000) },
    { weight: 1, arbitrary: fc.integer({ min: -2_000_000, max: 200_000_000 }) },
  ),
  iface: fc.nat(2),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('reset' as const) },
    {
      weight: 5,
      arbitrary: fc.constantFrom(
        ...(['syn', 'syn-ack', 'data', 'arp', 'fragment', 'cut', 'malformed', 'vlan', 'unknown-link'] as const),
      ),
    },
  ),
  back: fc.boolean(),
  server: fc.nat(2),
  client: fc.nat(3),
  port: fc.constantFrom(80, 443, 7000),
  clientPort: fc.constantFrom(50_000, 50_001, 53),
  flags: fc.constantFrom('R', 'R.', 'RF.', 'RS'),
  seq: fc.constantFrom(0, 1, 4_000_000_000),
  ack: fc.constantFrom(0, 77),
  id: fc.constantFrom(0, 5),
  ttl: fc.constantFrom(64, 63, 60, 128),
  window: fc.constantFrom(0, 500),
  routed: fc.boolean(),
  six: fc.boolean(),
  untimed: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
});

function bytesOf(f: Frame): Uint8Array {
  const server = f.six ? `2001:db8::${f.server + 1}` : `10.0.0.${f.server + 1}`;
  const client = f.six ? `2001:db8::c:${f.client + 1}` : `192.0.2.${f.client + 1}`;
  const ends = f.back
    ? { src: server, srcPort: f.port, dst: client, dstPort: f.clientPort }
    : { src: client, srcPort: f.clientPort, dst: server, dstPort: f.port };
  const { seq, ack, id, ttl, window } = f;
  const fields = { ...ends, seq, ack, id, ttl, window, ...(f.routed ? ROUTED : {}) };
  switch (f.kind) {
    case 'reset':
      return frameOf({ ...fields, flags: f.flags });
    case 'syn':
      return frameOf({ ...fields, flags: 'S' });
    case 'syn-ack':
      return frameOf({ ...fields, flags: 'S.' });
    case 'data':
      return frameOf({ ...fields, flags: 'P.', payload: new Uint8Array(30) });
    case 'vlan':
      return ethernet(carriedVlan({ id: 5 }, carriedIp(packetOf({ ...fields, flags: f.flags }))));
    case 'arp':
      return ethernet({ etherType: ETHER_TYPE.arp, payload: new Uint8Array(28) });
    case 'fragment':
      return ethernet(carriedIp(fragmentIpv4(packetOf({ src: '10.0.0.9', payload: new Uint8Array(64) }), 32)[1]!));
    case 'cut':
      return frameOf(fields).slice(0, 40);
    case 'malformed':
      return ethernet({ etherType: ETHER_TYPE.ipv4, payload: new Uint8Array(40).fill(0x41) });
    case 'unknown-link':
      return new Uint8Array(20);
  }
}

const UNKNOWN_LINK_IFACE = 3;

interface Written {
  bytes: Uint8Array;
  /** Microseconds after START; null without a time. */
  times: (number | null)[];
}

function written(frames: readonly Frame[]): Written {
  const file = pcapng();
  for (const name of ['veth1', 'br0', 'eth0']) file.interface({ name });
  file.interface({ name: 'odd', linkType: 147 });
  const times: (number | null)[] = [];
  let now = 5_000_000;
  for (const each of frames) {
    now = Math.max(0, now + each.step);
    const bytes = bytesOf(each);
    if (each.untimed && each.kind !== 'unknown-link') {
      file.simplePacket({ bytes });
      times.push(null);
    } else {
      const iface = each.kind === 'unknown-link' ? UNKNOWN_LINK_IFACE : each.iface;
      file.enhancedPacket({
        interface: iface,
        timestamp: BigInt(START) * 1_000_000n + BigInt(now),
        bytes,
        ...(each.kind === 'cut' ? { originalLength: 60 } : {}),
      });
      times.push(now);
    }
  }
  return { bytes: file.bytes(), times };
}

// One frame at least that can be decoded: a file of unknown links only is refused.
const frames = fc.array(frame, { maxLength: 60 }).filter((all) => all.some(({ kind }) => kind !== 'unknown-link'));

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function expectInvariants(report: Report): void {
  const { packets, events, ports, causes, timeline, endpoints, hosts } = report;
  expect(packets.seen).toBe(
    packets.tcp + packets.not_tcp + packets.fragments + packets.cut + packets.malformed + packets.unknown_link,
  );
  expect(packets.resets).toBe(packets.unique + packets.copies);
  const kept = packets.unique - packets.filtered_out;
  expect(events).toHaveLength(kept);
  expect(sum(ports.map(({ resets }) => resets))).toBe(kept);
  expect(sum(causes.map(({ resets }) => resets))).toBe(kept);
  expect(sum(timeline.counts)).toBe(kept);
  expect(sum(hosts.map((host) => host.resets_from))).toBe(kept);
  expect(sum(hosts.map((host) => host.resets_to))).toBe(kept);
  expect(sum(endpoints.map(({ resets }) => resets))).toBe(
    events.filter((event) => event.reset_by !== 'unknown').length,
  );
  expect(events.every((event) => (event.service_port === null) === (event.reset_by === 'unknown'))).toBe(true);
  expect(sum(report.processes.map((row) => row.resets_sent)) + sum(report.unnamed.map((row) => row.senders))).toBe(
    kept,
  );
  expect(
    sum(report.processes.map((row) => row.resets_received)) + sum(report.unnamed.map((row) => row.receivers)),
  ).toBe(kept);
  for (const event of events) {
    expect((event.sender === null) === (event.sender_reason === null)).toBe(false);
    expect((event.receiver === null) === (event.receiver_reason === null)).toBe(false);
    expect(event.copies).toBe(event.frames.length);
    expect(event.frame).toBe(event.frames[0]);
    expect(new Set(event.interfaces).size).toBe(event.interfaces.length);
  }
  if (packets.filtered_out === 0) expect(sum(events.map(({ copies }) => copies - 1))).toBe(packets.copies);
  for (const row of [...ports, ...endpoints]) {
    expect(row.resets).toBeGreaterThanOrEqual(row.by_server + row.by_client);
    if (row.port !== null) expect(row.resets).toBe(row.by_server + row.by_client);
    expect(sum(row.causes.map(({ resets }) => resets))).toBe(row.resets);
    expect(row.peak_10s).toBeGreaterThan(0);
    expect(row.peak_10s).toBeLessThanOrEqual(row.resets);
    expect((row.first ?? '') <= (row.last ?? '')).toBe(true);
  }
  for (const row of ports) {
    const own = events.filter((event) => event.service_port === row.port);
    expect(own).toHaveLength(row.resets);
    expect(row.by_server).toBe(own.filter((event) => event.reset_by === 'server').length);
    expect(row.by_client).toBe(own.filter((event) => event.reset_by === 'client').length);
    expect(row.sent).toBe(own.filter(({ direction }) => direction === 'sent' || direction === 'local').length);
    expect(row.received).toBe(own.filter(({ direction }) => direction === 'received' || direction === 'local').length);
    const times = own.flatMap(({ timestamp }) => timestamp ?? []).sort();
    expect([row.first, row.last]).toEqual([times[0] ?? null, times.at(-1) ?? null]);
  }
  for (const host of hosts) {
    expect(host.resets_from).toBe(events.filter((event) => event.src_ip === host.ip).length);
    expect(host.resets_to).toBe(events.filter((event) => event.dest_ip === host.ip).length);
    expect(sum(host.causes.map(({ resets }) => resets))).toBe(host.resets_from + host.resets_to);
  }
}

describe('always true', () => {
  test('the sums of random captures, folded and not', async () => {
    await fc.assert(
      fc.asyncProperty(frames, fc.boolean(), async (all, fold) => {
        const report = await analyse(written(all).bytes, { fold });
        expect(report.packets.seen).toBe(all.length);
        expectInvariants(report);
      }),
      { numRuns: RUNS },
    );
  });

  test('of stacks of tunnels and any flags too', async () => {
    await fc.assert(
      fc.asyncProperty(anyCapture({ maxRecords: 15 }), async (description) => {
        const { bigEndian, nanosecond } = description;
        const bytes = classicPcap({ bigEndian, nanosecond, records: classicRecords(description) });
        expectInvariants(await analyse(bytes));
      }),
      { numRuns: RUNS },
    );
  });

  test('folding loses no frame and invents none', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async (all) => {
        const { bytes } = written(all);
        const folded = framesOfEvents(await analyse(bytes)).flat();
        const plain = framesOfEvents(await analyse(bytes, { fold: false })).flat();
        expect(folded.sort((a, b) => a - b)).toEqual(plain);
      }),
      { numRuns: RUNS },
    );
  });

  test('copies of one event were all seen in different places or ways', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async (all) => {
        const report = await analyse(written(all).bytes);
        for (const event of report.events) {
          if (event.translations.length > 0) continue;
          const seen = event.frames.map((number) => {
            const { iface, ttl } = all[number - 1]!;
            return `${iface}/${ttl}`;
          });
          expect(new Set(seen).size).toBe(seen.length);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        frames,
        fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 9 }),
        async (all, pieces) => {
          const { bytes } = written(all);
          expect(await analyse(bytes, { pieces })).toEqual(await analyse(bytes));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('filters', () => {
  const filters: Record<string, readonly FilterOptions[]> = {
    port: [
      { ...KEEP_ALL, port: (port) => port === 80 },
      { ...KEEP_ALL, port: (port) => port === 443 },
      { ...KEEP_ALL, port: (port) => port === 7000 },
    ],
    direction: (['sent', 'received', 'local', 'forwarded', 'unknown'] as const).map((direction) => ({
      ...KEEP_ALL,
      directions: new Set<Direction>([direction]),
    })),
    time: [
      { ...KEEP_ALL, before: { seconds: START + 6, nanos: 0 } },
      { ...KEEP_ALL, after: { seconds: START + 6, nanos: 1 } },
    ],
    host: [1, 2, 3].flatMap((server) =>
      [`10.0.0.${server}`, `2001:db8::${server}`].map((ip) => ({ ...KEEP_ALL, host: (each: string) => each === ip })),
    ),
  };

  test.each(Object.keys(filters))('by %s part the events and keep the sums', async (name) => {
    await fc.assert(
      fc.asyncProperty(frames, async (all) => {
        const timed = all.map((each) => ({ ...each, untimed: false }));
        const { bytes } = written(timed);
        const local = (ip: string): boolean => ip === '10.0.0.1' || ip === '192.0.2.1';
        const whole = await analyse(bytes, { local });
        const parts = await Promise.all((filters[name] ?? []).map((filter) => analyse(bytes, { local, filter })));
        for (const part of parts) {
          expectInvariants(part);
          expect(part.packets.unique).toBe(whole.packets.unique);
          expect(part.packets.copies).toBe(whole.packets.copies);
        }
        const ids = (events: readonly ResetEvent[]): string[] => events.map(({ id }) => id).sort();
        // A twin has two server addresses or ports: it is in both parts.
        const plain = whole.events.every(({ translations }) => translations.length === 0);
        const union = parts.flatMap(({ events }) => events);
        expect([...new Set(ids(union))]).toEqual(ids(whole.events));
        if (plain) expect(ids(union)).toEqual(ids(whole.events));
      }),
      { numRuns: 60 },
    );
  });
});

describe('several files', () => {
  test('a capture cut in two reads the same, whichever is named first', async () => {
    const steady = fc
      .array(frame, { minLength: 2, maxLength: 50 })
      .map((all) => all.filter(({ kind }) => kind !== 'unknown-link' && kind !== 'cut'))
      .filter((all) => all.length > 1);
    await fc.assert(
      fc.asyncProperty(steady, fc.nat(49), async (all, where) => {
        // Strictly rising, and far enough apart that nothing folds across the cut.
        let now = 0;
        const records = all.map((each): At => [(now += 3_000_000 + Math.abs(each.step)), bytesOf(each)]);
        const cut = 1 + (where % (records.length - 1));
        const whole = await analyse(classic(records));
        const head = classic(records.slice(0, cut));
        const tail = classic(records.slice(cut));
        for (const captures of [
          [head, tail],
          [tail, head],
        ]) {
          const report = await analyseAll(captures);
          expectInvariants(report);
          const { ports, endpoints, hosts, timeline, window, packets, causes } = report;
          expect({ ports, endpoints, hosts, timeline, window, packets, causes }).toEqual({
            ports: whole.ports,
            endpoints: whole.endpoints,
            hosts: whole.hosts,
            timeline: whole.timeline,
            window: whole.window,
            packets: whole.packets,
            causes: whole.causes,
          });
          expect(report.events.map(({ timestamp }) => timestamp)).toEqual(
            whole.events.map(({ timestamp }) => timestamp),
          );
        }
      }),
      { numRuns: 80 },
    );
  });

  test('files that overlap are merged in time order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 3_000_000 })), { maxLength: 60 }),
        async (all) => {
          let now = 0;
          const files: At[][] = [[], [], [], []];
          for (const [file, step] of all) {
            now += step;
            files[file]?.push([now, frameOf({ seq: now })]);
          }
          const report = await analyseAll(files.map((each) => classic(each)));
          const epochs = report.events.map(({ epoch }) => epoch ?? NaN);
          expect(epochs).toHaveLength(all.length);
          expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
          expectInvariants(report);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('bounds', () => {
  test('more addresses than are told apart: left out, counted, never wrong', async () => {
    const COUNT = 60_000;
    const template = frameOf({ src: '10.0.0.0', srcPort: 7000, dst: '192.0.2.1', dstPort: 50_000, seq: 0, window: 0 });
    const records = Array.from({ length: COUNT }, (_, i): At => {
      const bytes = template.slice();
      bytes.set([10, i >> 16, (i >> 8) & 255, i & 255], 26);
      return [i * 100, bytes];
    });
    const report = await analyse(classic(records), { keepEvents: false });
    expect(report.packets).toMatchObject({ unique: COUNT, copies: 0 });
    expect(report.endpoints).toHaveLength(20_000 - 1);
    expect(report.endpoints_omitted).toBe(COUNT - 19_999);
    expect(report.hosts).toHaveLength(20_000);
    expect(report.hosts_omitted).toBe(COUNT - 19_999);
    expect(report.ports).toMatchObject([{ port: 7000, resets: COUNT, by_server: COUNT, peers: 1 }]);
    expect(sum(report.timeline.counts)).toBe(COUNT);
  });

  test('more peers than are told apart: their number is not known', async () => {
    const COUNT = 60_000;
    const template = frameOf({ src: '192.0.2.1', srcPort: 7000, dst: '10.0.0.0', dstPort: 50_000, seq: 0, window: 0 });
    const records = Array.from({ length: COUNT }, (_, i): At => {
      const bytes = template.slice();
      bytes.set([10, i >> 16, (i >> 8) & 255, i & 255], 30);
      return [i * 100, bytes];
    });
    const report = await analyse(classic(records), { keepEvents: false });
    expect(report.ports).toMatchObject([{ port: 7000, resets: COUNT, peers: null }]);
    expect(report.endpoints).toMatchObject([{ ip: '192.0.2.1', resets: COUNT, clients: null }]);
  });
});
