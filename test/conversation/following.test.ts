/** What is kept of a connection, from frames to facts: copies, probes, options, ports used again, tenants, what follows. */
import { describe, expect, test } from '@jest/globals';
import type { SideFacts } from '../../src/conversation/facts.js';
import type { Reset } from '../../src/conversation/reset.js';
import {
  carriedIp,
  carriedVlan,
  concat,
  ethernet,
  outerIp,
  PORT,
  PROTOCOL,
  segmentPacket,
  tcpOptions,
  udp,
  vxlan,
} from '../support/frames.js';
import { analyse, classic, onInterfaces, records, type At, type OnInterface } from '../report/analysing.js';
import { classicPcap, pcapng, type ClassicRecord } from '../support/capture-bytes.js';
import { CLIENT, handshake, resetOf, resetsOf, secondsOf, SERVER, talk } from './following.js';

const both = talk();
const { c, s } = both;
const ISNS = [1000, 5000] as const;
const open = handshake(both, 0, ISNS);
const abort = s(900, 'R.', 5001, 1001);

const sender = async (...frames: readonly At[]): Promise<SideFacts> => (await resetOf(frames)).conversation.sender;
const receiver = async (...frames: readonly At[]): Promise<SideFacts> => (await resetOf(frames)).conversation.receiver;

describe('a side', () => {
  test('is known by its numbers, its last segment, its times', async () => {
    const data = [c(30, 'P.', 1001, 5001, { length: 5, id: 7 }), s(40, '.', 5001, 1006, { ttl: 60 })];
    const { conversation } = await resetOf([...open, ...data, s(900, 'R.', 5001, 1006)]);
    expect(conversation).toMatchObject({
      opener: 'receiver',
      ...{ synSeen: true, fromStart: true, established: true, earlier: null, full: true, gap: false },
    });
    expect(conversation.lastAt).toBeCloseTo(secondsOf(40), 5);
    expect(conversation.firstAt).toBeCloseTo(secondsOf(0), 5);
    expect(conversation.receiver).toMatchObject({
      ...{ seen: true, isn: 1000, synAck: false, next: 1006, acked: 5001, finEnd: null, dataSegments: 1, probes: 0 },
      ...{ window: 501, windowScale: null, ttlLeast: 64, ttlMost: 64, ipId: 7, dontFragment: 'always', resets: 0 },
      last: { flags: 0x18, seq: 1001, ack: 5001, length: 5, frame: 4 },
    });
    expect(conversation.sender).toMatchObject({
      isn: 5000,
      synAck: true,
      next: 5001,
      acked: 1006,
      ttlLeast: 60,
      ttl: 60,
    });
  });

  test('its window scale is that of its SYN', async () => {
    const options = (shift: number): Uint8Array =>
      concat(tcpOptions.mss(1460), tcpOptions.nop(), tcpOptions.windowScale(shift));
    const frames = [
      c(0, 'S', 1000, 0, { options: options(7) }),
      s(10, 'S.', 5000, 1001, { options: options(9) }),
      open[2]!,
    ];
    const { conversation } = await resetOf([...frames, abort]);
    expect([conversation.receiver.windowScale, conversation.sender.windowScale]).toEqual([7, 9]);
  });

  test('has no window where the capture cut it off', async () => {
    const cut = (until: number): Uint8Array => {
      const all = records([...open, s(60, '.', 5001, 1001), abort]);
      const short = (bytes: Uint8Array): Partial<ClassicRecord> => ({
        bytes: bytes.subarray(0, until),
        originalLength: bytes.length,
      });
      return classicPcap({ records: all.map((each, i) => (i === 3 ? { ...each, ...short(each.bytes) } : each)) });
    };
    const [kept] = await resetsOf([cut(50)]);
    expect(kept?.conversation.sender.window).toBe(501);
    const [lost] = await resetsOf([cut(48)]);
    expect(lost?.conversation.sender).toMatchObject({ window: null, next: 5001 });
  });

  test('has timestamps always, never or sometimes', async () => {
    const ts = (at: number, value: number): At => s(at, '.', 5001, 1001, { ts: value });
    expect(await sender(ts(0, 5), ts(100, 9), abort)).toMatchObject({ timestamps: 'always', timestamp: 9 });
    expect(await sender(ts(0, 5), s(100, '.', 5001, 1002), abort)).toMatchObject({
      timestamps: 'sometimes',
      timestamp: 5,
    });
    expect(await sender(...open, abort)).toMatchObject({ timestamps: 'never', timestamp: null });
  });

  test('has TTLs from the least to the greatest, resets apart', async () => {
    const at = (ms: number, ttl: number, flags = '.'): At => s(ms, flags, 5001 + ms, 1001, { ttl });
    expect(await sender(at(0, 60), at(100, 62), at(200, 58), abort)).toMatchObject({
      ttlLeast: 58,
      ttlMost: 62,
      ttl: 58,
    });
    const [, second] = await resetsOf([classic([at(0, 60), at(10, 33, 'R'), at(900, 60, 'R')])]);
    expect(second?.conversation.sender).toMatchObject({ ttlLeast: 60, ttlMost: 60, resets: 1 });
  });

  test('has IP IDs that run, are 0, or neither; a SYN-ACK has 0 anyhow', async () => {
    const ids = (...list: number[]): At[] => list.map((id, i) => s(100 * i, '.', 5001 + i, 1001, { id }));
    const synAck = s(0, 'S.', 5000, 1001, { id: 0 });
    expect((await sender(...ids(5, 6, 9), abort)).ipIds).toBe('running');
    expect((await sender(...ids(65_535, 2), abort)).ipIds).toBe('running');
    expect((await sender(...ids(0, 0), abort)).ipIds).toBe('zero');
    expect((await sender(...ids(5, 9000), abort)).ipIds).toBe('other');
    expect((await sender(...ids(5), abort)).ipIds).toBeNull();
    expect((await sender(synAck, ...ids(4000, 4001), abort)).ipIds).toBe('running');
  });

  test('of IPv6 has neither IP IDs nor "don\'t fragment" to tell', async () => {
    const six = talk({ client: '2001:db8::9', server: '2001:db8::5' });
    const frames = [...handshake(six, 0, ISNS), six.s(50, '.', 5001, 1001), six.s(900, 'R.', 5001, 1001)];
    const { conversation } = await resetOf(frames);
    expect(conversation.sender).toMatchObject({ isn: 5000, synAck: true, next: 5001, ttl: 64 });
    expect([conversation.sender.ipIds, conversation.receiver.ipIds]).toEqual([null, null]);
  });
});

describe('probes', () => {
  const open2 = [...open, s(30, 'P.', 5001, 1001, { length: 5 }), c(40, '.', 1001, 5006)];
  const probe = (at: number, length = 0): At => s(at, '.', 5005, 1001, { length });
  const end = s(9000, 'R.', 5006, 1001);

  test('are counted while nobody answers', async () => {
    expect((await sender(...open2, probe(1000), probe(2000), probe(3000), end)).probes).toBe(3);
    expect((await sender(...open2, probe(1000, 1), probe(2000, 1), end)).probes).toBe(2);
  });
  test('that are answered are forgotten', async () => {
    const answer = c(2500, '.', 1001, 5006);
    expect((await sender(...open2, probe(1000), probe(2000), answer, end)).probes).toBe(0);
    expect((await sender(...open2, probe(1000), answer, probe(3000), end)).probes).toBe(1);
  });
  test('are no data, and make no gap', async () => {
    const { conversation } = await resetOf([...open2, probe(1000), probe(2000), end]);
    expect(conversation.gap).toBe(false);
    expect(conversation.sender.next).toBe(5006);
  });
  test('a copy of one is none', async () => {
    expect((await sender(...open2, probe(1000), probe(1000.02), probe(2000), end)).probes).toBe(2);
  });
  test('make an abort the timer of their sender', async () => {
    const report = await analyse(classic([...open2, probe(1000), probe(2000), probe(3000), end]));
    expect(report.events[0]).toMatchObject({ cause: 'abort-timeout', idle_seconds: 6 });
  });
  test('a retransmission of the last byte of data with PSH is none', async () => {
    expect((await sender(...open2, s(1000, 'P.', 5005, 1001, { length: 1 }), end)).probes).toBe(0);
  });
});

describe('copies on several interfaces', () => {
  const twice = (frames: readonly At[]): OnInterface[] =>
    frames.flatMap(([at, bytes]): OnInterface[] => [
      [at, 0, bytes],
      [at + 20, 1, bytes],
    ]);

  test('count neither as data nor as probes, nor as connections', async () => {
    const frames = [
      ...open,
      s(30, 'P.', 5001, 1001, { length: 5, id: 3 }),
      c(100, '.', 1001, 5006),
      s(1000, '.', 5005, 1001, { id: 4 }),
      s(2000, '.', 5005, 1001, { id: 5 }),
      s(3000, 'R.', 5006, 1001, { id: 6, window: 501 }),
    ];
    const capture = onInterfaces(twice(frames));
    const [reset, another] = await resetsOf([capture]);
    expect(another).toBeUndefined();
    expect(reset?.conversation.sender).toMatchObject({ dataSegments: 1, probes: 2, resets: 0 });
    const report = await analyse(capture);
    expect(report.events[0]).toMatchObject({ copies: 2, cause: 'abort-timeout', idle_seconds: 1 });
    expect(report.endpoints).toMatchObject([{ resets: 1, connections: 1, reset_ratio: 1 }]);
  });

  test('a retransmission later than a copy is one more segment', async () => {
    const data = (at: number): At => c(at, 'P.', 1001, 5001, { length: 5 });
    expect((await receiver(...open, data(100), data(130), data(300), abort)).dataSegments).toBe(2);
  });

  test('as one interface after the other has them say the same', async () => {
    const frames = [...open, c(30, 'P.', 1001, 5001, { length: 5 }), s(40, '.', 5001, 1006), s(60, 'R.', 5001, 1006)];
    const bursts = [0, 1].flatMap((iface) => frames.map(([at, bytes]): OnInterface => [at + iface, iface, bytes]));
    const [reset, another] = await resetsOf([onInterfaces(bursts)]);
    expect(another).toBeUndefined();
    expect(reset?.conversation).toMatchObject({ gap: false, established: true });
    expect(reset?.conversation.after).toMatchObject({ senderWentOn: null, receiverWentOn: null, synAck: null });
  });
});

describe('a port used again', () => {
  test('begins a new connection; how the earlier one ended is known', async () => {
    const again = handshake(both, 10_000, [70_000, 90_000]);
    const end = s(11_000, 'R.', 90_001, 70_001);
    const live = await resetOf([...open, c(30, 'P.', 1001, 5001, { length: 5 }), ...again, end]);
    expect(live.conversation).toMatchObject({ earlier: 'live', fromStart: true, established: true, synSeen: true });
    expect(live.conversation.receiver).toMatchObject({ isn: 70_000, dataSegments: 0 });
    const [, afterReset] = await resetsOf([classic([...open, abort, ...again, end])]);
    expect(afterReset?.conversation).toMatchObject({ earlier: 'ended' });
    expect(afterReset?.conversation.sender.resets).toBe(0);
    const fins = [c(30, 'F.', 1001, 5001), s(40, 'F.', 5001, 1002), c(50, '.', 1002, 5002)];
    expect((await resetOf([...open, ...fins, ...again, end])).conversation.earlier).toBe('ended');
  });

  test('a retransmitted SYN begins nothing', async () => {
    const { conversation } = await resetOf([c(0, 'S', 1000, 0), c(1000, 'S', 1000, 0), s(1010, 'R.', 0, 1001)]);
    expect(conversation).toMatchObject({ earlier: null, fromStart: true });
  });

  test('a SYN that was captured behind its answer belongs to it', async () => {
    for (const isn of [1000, 0xffffffff]) {
      const late = [s(10, 'S.', 5000, isn + 1), c(11, 'S', isn, 0), c(20, '.', isn + 1, 5001)];
      const { conversation } = await resetOf([...late, s(900, 'R.', 5001, isn + 1)]);
      expect(conversation).toMatchObject({ earlier: null, opener: 'receiver', synSeen: true, established: true });
      expect(conversation.sender).toMatchObject({ isn: 5000, synAck: true });
      expect(conversation.receiver.isn).toBe(isn);
    }
  });
});

describe('what comes behind a reset', () => {
  const after = async (...frames: readonly At[]): Promise<Reset['conversation']['after']> => {
    const [first] = await resetsOf([classic([...open, c(30, 'P.', 1001, 5001, { length: 5 }), ...frames])]);
    return first!.conversation.after;
  };
  const first = s(100, 'R.', 5001, 1006);

  test('the sender goes on with something new', async () => {
    expect((await after(first, s(300, 'P.', 5001, 1006, { length: 9 }))).senderWentOn).toMatchObject({
      seq: 5001,
      length: 9,
    });
    expect((await after(first, s(300, '.', 5001, 1006))).senderWentOn).toMatchObject({ ack: 1006 });
  });
  test('the receiver goes on, a repetition does not count', async () => {
    expect((await after(first, c(300, 'P.', 1006, 5001, { length: 4 }))).receiverWentOn).toMatchObject({ seq: 1006 });
    expect((await after(first, c(300, 'P.', 1001, 5001, { length: 5 }))).receiverWentOn).toBeNull();
  });
  test('more than five seconds later, or in a new connection, is nothing of it', async () => {
    expect((await after(first, s(5200, 'P.', 5001, 1006, { length: 9 }))).senderWentOn).toBeNull();
    const again = handshake(both, 200, [70_000, 90_000]);
    const one = await after(first, ...again, s(300, 'P.', 90_001, 70_001, { length: 3 }));
    expect([one.senderWentOn, one.receiverWentOn, one.synAck]).toEqual([null, null, null]);
  });
  test('a SYN-ACK with another number begins a new connection, its repetition does not', async () => {
    const data = s(300, 'P.', 5001, 1006, { length: 9 });
    expect((await after(first, s(200, 'S.', 90_000, 70_001), data)).senderWentOn).toBeNull();
    expect((await after(first, s(200, 'S.', 5000, 1001), data)).senderWentOn).toMatchObject({ length: 9 });
  });
  test('numbers that no connection gets to so soon are those of another', async () => {
    const by = (far: number): At => s(300, 'P.', 5001 + far, 1006, { length: 9 });
    for (const far of [2 ** 28 + 1, -(2 ** 28) - 1, 2 ** 31])
      expect((await after(first, by(far), s(400, 'P.', 5001, 1006, { length: 4 }))).senderWentOn).toBeNull();
    expect((await after(first, by(2 ** 28))).senderWentOn).toMatchObject({ length: 9 });
    const far = c(300, 'P.', 1006 + 2 ** 29, 5001, { length: 4 });
    expect((await after(first, far)).receiverWentOn).toBeNull();
  });
  test('further resets: of the receiver, of the sender, with rising numbers', async () => {
    expect(await after(first, c(100.5, 'R.', 1006, 5001))).toMatchObject({ receiverResets: 1, senderResets: 0 });
    expect((await after(first, c(100.5, 'R.', 1006, 5001))).receiverResetAfter).toBeCloseTo(0.0005, 5);
    const rising = [s(101, 'R.', 6461, 1006), s(102, 'R.', 7921, 1006)];
    expect(await after(first, ...rising)).toMatchObject({ senderResets: 2, risingResets: 2, receiverResets: 0 });
    // The same numbers again are the same word again.
    expect(await after(first, s(300, 'R.', 5001, 1006))).toMatchObject({ senderResets: 0, risingResets: 0 });
  });
  test('the SYN-ACK comes behind a refusal of its SYN', async () => {
    const frames = [c(0, 'S', 1000, 0), s(5, 'R.', 0, 1001), s(30, 'S.', 5000, 1001)];
    const [reset] = await resetsOf([classic(frames)]);
    expect(reset?.conversation.after.synAck).toMatchObject({ seq: 5000 });
    const { events } = await analyse(classic(frames));
    expect(events[0]?.evidence).toContain('its sender accepted the connection 25 ms later');
  });
  test('is noted also where the reset would have settled in between', async () => {
    const busy = talk({ clientPort: 51_000 });
    const others = Array.from({ length: 3000 }, (_, i) => busy.c(101 + i / 10, '.', i, 0));
    expect((await after(first, ...others, s(900, 'P.', 5001, 1006, { length: 9 }))).senderWentOn).not.toBeNull();
  });
});

describe('the port that refused', () => {
  const accepts = (at: number): At[] => handshake(talk({ clientPort: 51_000 + at / 100 }), at, [1, 2]);

  test('accepted somebody before and after', async () => {
    const frames = [...accepts(0), c(400, 'S', 1000, 0), s(410, 'R.', 0, 1001), ...accepts(800)];
    const { host } = await resetOf(frames);
    expect(host.acceptedBefore).toBeCloseTo(0.39, 5);
    expect(host.acceptedAfter).toBeCloseTo(0.41, 5);
    const { events } = await analyse(classic(frames));
    expect(events[0]).toMatchObject({ cause: 'firewall-reject', confidence: 'possible' });
  });

  test('accepted nobody within five seconds, or only the connection itself', async () => {
    const late = await resetOf([c(0, 'S', 1000, 0), s(10, 'R.', 0, 1001), ...accepts(6000)]);
    expect(late.host).toMatchObject({ acceptedBefore: null, acceptedAfter: null });
    expect((await resetOf([...open, abort])).host.acceptedBefore).toBeNull();
  });

  test('passes over the own connection, also where its client went on', async () => {
    const data = c(30, 'P.', 1001, 5001, { length: 5 });
    expect((await resetOf([...open, data, abort])).host.acceptedBefore).toBeNull();
    const own = [...handshake(both, 1000, ISNS), c(1030, 'P.', 1001, 5001, { length: 5 }), s(1900, 'R.', 5001, 1001)];
    // At 20 ms, by somebody else.
    expect((await resetOf([...accepts(0), ...own])).host.acceptedBefore).toBeCloseTo(1.88, 5);
  });

  test('is known among many that were refused before', async () => {
    const scan = Array.from({ length: 5000 }, (_, i) => talk({ serverPort: 10_000 + i })).flatMap((each, i) => [
      each.c(i, 'S', 1000, 0),
      each.s(i + 0.5, 'R.', 0, 1001),
    ]);
    const frames = [...scan, c(20_000, 'S', 1000, 0), s(20_010, 'R.', 0, 1001), ...accepts(21_000)];
    const resets = await resetsOf([classic(frames)]);
    expect(resets.at(-1)?.host.acceptedAfter).toBeCloseTo(1.01, 5);
  });
});

describe('resets of a connection', () => {
  test('are counted for each side, the last one known', async () => {
    const [, second, third] = await resetsOf([
      classic([...open, s(100, 'R.', 5001, 1001), s(400, 'R.', 5002, 1001), c(700, 'R', 1001, 0)]),
    ]);
    expect(second?.conversation.sender).toMatchObject({ resets: 1, lastReset: { seq: 5001, ack: 1001 } });
    expect(third?.conversation.receiver).toMatchObject({ resets: 2, lastReset: { seq: 5002, ack: 1001 } });
    expect(third?.conversation.sender).toMatchObject({ resets: 0, lastReset: null });
  });
  test('alone say nothing of a connection', async () => {
    const [, second] = await resetsOf([classic([s(0, 'R.', 5001, 1001), s(400, 'R.', 5002, 1001)])]);
    expect(second?.conversation).toMatchObject({ opener: null, synSeen: false, lastAt: null, firstAt: null });
    expect(second?.conversation.sender).toMatchObject({ seen: false, next: null, last: null, resets: 1 });
  });
});

describe('tenants', () => {
  const says = (flags: string, seq: number, ack: number, isClient: boolean): Uint8Array =>
    segmentPacket({
      ...(isClient
        ? { src: CLIENT, dst: SERVER, srcPort: 50_000, dstPort: 7000 }
        : { src: SERVER, dst: CLIENT, srcPort: 7000, dstPort: 50_000 }),
      ...{ flags, seq, ack, window: seq === 0 ? 0 : 501 },
    });
  const plain = (packet: Uint8Array): Uint8Array => ethernet(carriedIp(packet));
  const tagged = (id: number) => (packet: Uint8Array) => ethernet(carriedVlan({ id }, carriedIp(packet)));
  const tunnel = (vni: number) => (packet: Uint8Array) => {
    const payload = udp({ srcPort: 5000, dstPort: PORT.vxlan, payload: vxlan({ vni, frame: plain(packet) }) });
    return plain(outerIp({ src: '198.51.100.1', dst: '198.51.100.2', protocol: PROTOCOL.udp, payload }));
  };

  test.each([
    ['two VLANs', tagged(5), tagged(6)],
    ['a VLAN and none', tagged(5), plain],
    ['two networks in VXLAN', tunnel(5), tunnel(6)],
    ['a tunnel and none', plain, tunnel(5)],
  ])('with equal addresses stay two: %s', async (_, one, two) => {
    const frames: At[] = [
      [0, one(says('S', 1000, 0, true))],
      [1000, two(says('S', 80_000, 0, true))],
      [2000, one(says('S.', 5000, 1001, false))],
      [3000, two(says('R.', 0, 80_001, false))],
      [4000, one(says('.', 1001, 5001, true))],
      [900_000, one(says('R.', 5001, 1001, false))],
    ];
    const { events } = await analyse(classic(frames));
    expect(events.map(({ conn_state, stage, cause }) => [conn_state, stage, cause])).toEqual([
      ['REJ', 'handshake', 'closed-port'],
      ['RSTR', 'established', 'abort'],
    ]);
  });
});

describe('IPv6', () => {
  const six = talk({ client: '2001:db8::9', server: '2001:db8::5' });
  test('is followed as IPv4 is, and apart from its mapped twin', async () => {
    const mapped = talk({ client: `::ffff:${CLIENT}`, server: `::ffff:${SERVER}` });
    const frames = [
      ...handshake(six, 0, ISNS),
      six.c(30, 'P.', 1001, 5001, { length: 5 }),
      six.s(600, 'R.', 5001, 1006),
      ...handshake(mapped, 1000, ISNS),
      c(2000, 'S', 1000, 0),
      s(2010, 'R.', 0, 1001),
      mapped.s(3000, 'R.', 5001, 1001),
    ];
    const { events } = await analyse(classic(frames));
    expect(events.map(({ conn_state, bytes_to_server }) => [conn_state, bytes_to_server])).toEqual([
      ['RSTR', 5],
      ['REJ', null],
      ['RSTR', 0],
    ]);
  });
});

describe('frames without a time', () => {
  test('say nothing of times, and no sentence has one that is no number', async () => {
    const file = pcapng().interface({ name: 'eth0' });
    for (const [, bytes] of [...open, c(30, 'P.', 1001, 5001, { length: 5 }), s(60, 'R', 5001, 0)])
      file.simplePacket({ bytes });
    const { events } = await analyse(file.bytes());
    expect(events).toHaveLength(1);
    expect(events[0]?.idle_seconds).toBeNull();
    expect(events[0]?.evidence.join('; ')).not.toMatch(/NaN|\d+ s before/);
  });

  test('among others take the time of the frame before', async () => {
    const at = (ms: number): bigint => BigInt(Math.round(secondsOf(ms) * 1e6));
    const file = pcapng().interface({ name: 'eth0' });
    for (const [us, bytes] of open) file.enhancedPacket({ timestamp: at(us / 1000), bytes });
    file.simplePacket({ bytes: c(30, 'P.', 1001, 5001, { length: 5 })[1] });
    file.enhancedPacket({ timestamp: at(1020), bytes: s(0, 'R.', 5001, 1006)[1] });
    const [reset] = await resetsOf([file.bytes()]);
    expect(reset?.conversation.receiver.last?.at).toBeCloseTo(secondsOf(20), 5);
    expect(reset?.conversation.lastAt).toBeCloseTo(secondsOf(20), 5);
  });
});
