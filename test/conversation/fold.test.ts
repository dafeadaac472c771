/** Which frames are one reset: copies and twins, and everything that only looks like them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { LINK, carriedIp, sll, sll2 } from '../support/frames.js';
import { pcapng, PcapngBuilder } from '../support/capture-bytes.js';
import { itWithCaptures } from '../support/tools.js';
import {
  analyse,
  analyseAll,
  classic,
  frameOf,
  framesOfEvents,
  onInterfaces,
  onlyEvent,
  packetOf,
  ROUTED,
  START,
  type At,
  type OnInterface,
  type ResetFields,
} from '../report/analysing.js';

const VETH = 0;
const BRIDGE = 1;
const ETH = 2;

/** One reset as a container's host shows it: veth, bridge, and routed out of eth. */
function threeTimes(at: number, fields: ResetFields = {}): OnInterface[] {
  return [
    [at, VETH, frameOf(fields)],
    [at + 8, BRIDGE, frameOf(fields)],
    [at + 21, ETH, frameOf({ ...fields, ...ROUTED, ttl: 63 })],
  ];
}

async function folded(frames: readonly OnInterface[]): Promise<number[][]> {
  return framesOfEvents(await analyse(onInterfaces(frames)));
}

async function foldedAlone(frames: readonly At[], linkType = 1): Promise<number[][]> {
  return framesOfEvents(await analyse(classic(frames, linkType)));
}

describe('copies', () => {
  test('one reset on veth, bridge and eth is one event with all its frames and interfaces', async () => {
    const report = await analyse(onInterfaces(threeTimes(0)));
    expect(onlyEvent(report)).toMatchObject({
      frame: 1,
      frames: [1, 2, 3],
      copies: 3,
      interface: 'veth1',
      interfaces: ['veth1', 'br0', 'eth0'],
      ttl: 64,
      translations: [],
    });
    expect(report.packets).toMatchObject({ resets: 3, unique: 1, copies: 2 });
  });

  test('the same reset again on the same interfaces is a second event; each frame goes to the earliest that lacks it', async () => {
    expect(await folded([...threeTimes(0), ...threeTimes(400)])).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const [a, b, c] = threeTimes(0);
    const [d, e, f] = threeTimes(100);
    expect(await folded([a!, d!, b!, e!, c!, f!])).toEqual([
      [1, 3, 5],
      [2, 4, 6],
    ]);
  });

  test('a copy that was dropped leaves the others together', async () => {
    const [a, b, c] = threeTimes(0);
    expect(await folded([a!, c!])).toEqual([[1, 2]]);
    expect(await folded([b!, c!])).toEqual([[1, 2]]);
    // The second reset's bridge copy fills the gap of the first: nothing can tell whose it is.
    expect(await folded([a!, c!, ...threeTimes(500)])).toEqual([
      [1, 2, 4],
      [3, 5],
    ]);
  });

  test('copies that are some microseconds out of order are still copies', async () => {
    const [a, b, c] = threeTimes(1000);
    expect(await folded([c!, a!, b!])).toEqual([[1, 2, 3]]);
  });

  test("bursts of one interface after another, as dumpcap writes them, don't part copies", async () => {
    const resets = Array.from({ length: 20 }, (_, i) => threeTimes(i * 40_000, { dstPort: 50_000 + i, seq: 10 + i }));
    const bursts = [VETH, BRIDGE, ETH].flatMap((iface) => resets.map((frames) => frames[iface]!));
    expect((await folded(bursts)).map((frames) => frames.length)).toEqual(new Array(20).fill(3));
  });

  const DIFFERENCES: [string, ResetFields][] = [
    ['source address', { src: '10.0.0.6', id: 0 }],
    ['source port', { srcPort: 8444 }],
    ['destination port', { dstPort: 50001 }],
    ['sequence', { seq: 1002 }],
    ['acknowledgement', { ack: 2003 }],
    ['flags', { flags: 'RF.' }],
    ['IP ID', { id: 701 }],
    ['window', { window: 501 }],
    ['length', { payload: Uint8Array.of(1) }],
    ['timestamp', { timestamp: 5 }],
  ];
  test.each(DIFFERENCES)('another %s is another reset', async (_, fields) => {
    const seen = await analyse(
      onInterfaces([
        [0, VETH, frameOf()],
        [5, VETH, frameOf({ ...fields })],
        [9, BRIDGE, frameOf({ ...fields })],
      ]),
    );
    expect(framesOfEvents(seen)).toEqual([[1], [2, 3]]);
  });

  test('2 ms on different interfaces is a copy, more is not', async () => {
    expect(
      await folded([
        [0, VETH, frameOf()],
        [2000, BRIDGE, frameOf()],
      ]),
    ).toEqual([[1, 2]]);
    expect(
      await folded([
        [0, VETH, frameOf()],
        [2100, BRIDGE, frameOf()],
      ]),
    ).toEqual([[1], [2]]);
  });

  test('frames that agree in interface, TTL and packet type never fold', async () => {
    const frames = Array.from({ length: 50 }, (_, i): At => [i, frameOf()]);
    expect(await foldedAlone(frames)).toHaveLength(50);
  });

  test('the two sides of a router: TTL and link addresses change, the IP ID stays', async () => {
    const pair = (fields: ResetFields, gap: number, link: object = ROUTED): At[] => [
      [0, frameOf({ ...fields, ttl: 128 })],
      [gap, frameOf({ ...fields, ttl: 127, ...link })],
    ];
    expect(await foldedAlone(pair({}, 42_000))).toEqual([[1, 2]]);
    expect(await foldedAlone(pair({}, 61_000))).toEqual([[1], [2]]);
    // Without a running IP ID only what comes at once.
    expect(await foldedAlone(pair({ id: 0 }, 1500))).toEqual([[1, 2]]);
    expect(await foldedAlone(pair({ id: 0 }, 15_000))).toEqual([[1], [2]]);
    const six = { src: '2001:db8::5', dst: '2001:db8::9' };
    expect(await foldedAlone(pair(six, 1500))).toEqual([[1, 2]]);
    expect(await foldedAlone(pair(six, 15_000))).toEqual([[1], [2]]);
    // The same link addresses: no router stood between.
    expect(await foldedAlone(pair({}, 300, {}))).toEqual([[1], [2]]);
    // A mirror that writes zeros over them says nothing about it.
    const mirrored = { dstMac: '00:00:00:00:00:00' };
    expect(await foldedAlone(pair(mirrored, 300, mirrored))).toEqual([[1, 2]]);
  });

  test('a TTL that differs by many hops is another sender', async () => {
    expect(
      await foldedAlone([
        [0, frameOf({ ttl: 59 })],
        [100, frameOf({ ttl: 123, ...ROUTED })],
      ]),
    ).toEqual([[1], [2]]);
  });

  test('packet types of SLL and interface indexes of SLL2 tell frames of one "any" apart', async () => {
    const cooked = (packetType: number, ttl = 64): Uint8Array => sll({ packetType, ...carriedIp(packetOf({ ttl })) });
    expect(
      await foldedAlone(
        [
          [0, cooked(0)],
          [1, cooked(4, 63)],
          [37, cooked(3)],
          [205, cooked(3, 63)],
          [300, cooked(3)],
        ],
        LINK.linuxSll,
      ),
    ).toEqual([[1, 2, 3, 4], [5]]);
    const indexed = (interfaceIndex: number, packetType: number): Uint8Array =>
      sll2({ interfaceIndex, packetType, ...carriedIp(packetOf()) });
    expect(
      await foldedAlone(
        [
          [0, indexed(5, 0)],
          [10, indexed(2, 4)],
          [20, indexed(2, 4)],
          [30, indexed(3, 4)],
        ],
        LINK.linuxSll2,
      ),
    ).toEqual([[1, 2, 4], [3]]);
  });

  test('files never fold into each other', async () => {
    const one = onInterfaces([[0, VETH, frameOf()]]);
    const other = onInterfaces([[5, BRIDGE, frameOf()]]);
    expect(framesOfEvents(await analyseAll([one, other]))).toEqual([[1], [1]]);
  });

  test('frames without a time never fold', async () => {
    const file = pcapng().interface({ name: 'eth0' });
    file.enhancedPacket({ timestamp: BigInt(START) * 1_000_000n, bytes: frameOf() });
    file.simplePacket({ bytes: frameOf({ ttl: 63, ...ROUTED }) });
    file.simplePacket({ bytes: frameOf({ ttl: 62, ...ROUTED }) });
    const report = await analyse(file.bytes());
    expect(framesOfEvents(report)).toEqual([[1], [2], [3]]);
    expect(report.events.map(({ epoch }) => epoch)).toEqual([START, null, null]);
  });

  test('--no-fold counts every frame', async () => {
    const report = await analyse(onInterfaces(threeTimes(0)), { fold: false });
    expect(framesOfEvents(report)).toEqual([[1], [2], [3]]);
    expect(report.packets).toMatchObject({ unique: 3, copies: 0 });
  });

  test('times that jump back, or by a hundred years, part what they part and nothing else', async () => {
    const years = 3_155_760_000 * 1e6 * 0.7;
    expect(await foldedAlone([...twoSides(0), ...twoSides(years), ...twoSides(5_000_000)])).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const [near, far] = twoSides(0);
    expect(await foldedAlone([near!, [years, frameOf({ seq: 5 })], far!])).toEqual([[1], [2], [3]]);
  });
});

function twoSides(at: number): At[] {
  return [
    [at, frameOf()],
    [at + 50, frameOf({ ttl: 63, ...ROUTED })],
  ];
}

describe('twins', () => {
  const POD = { src: '10.0.0.5', srcPort: 8443 };
  const SERVICE = { src: '10.96.0.10', srcPort: 443 };

  test('a reset that left through a NAT is one event, with the port that the client dialled', async () => {
    const report = await analyse(
      onInterfaces([
        [0, VETH, frameOf({ ...POD, seq: 0, id: 0, window: 0 })],
        [30, ETH, frameOf({ ...SERVICE, seq: 0, id: 0, window: 0, ttl: 63, ...ROUTED })],
      ]),
    );
    expect(onlyEvent(report)).toMatchObject({
      src_ip: '10.0.0.5',
      src_port: 8443,
      frames: [1, 2],
      copies: 2,
      interfaces: ['veth1', 'eth0'],
      translations: [
        { src_ip: '10.96.0.10', src_port: 443, dest_ip: '192.0.2.9', dest_port: 50000, interface: 'eth0' },
      ],
      service_port: 443,
      reset_by: 'server',
    });
    expect(report.packets).toMatchObject({ resets: 2, unique: 1, copies: 1 });
    expect(report.endpoints).toMatchObject([{ ip: '10.96.0.10', port: 443, resets: 1, clients: 1 }]);
  });

  test('the client resets: the port before the NAT counts, in whatever order the file has them', async () => {
    const client = { src: '192.0.2.9', srcPort: 50000, flags: 'R.' };
    const frames: OnInterface[] = [
      [0, ETH, frameOf({ ...client, dst: '10.96.0.10', dstPort: 443, ttl: 64 })],
      [30, VETH, frameOf({ ...client, dst: '10.0.0.5', dstPort: 8443, ttl: 63, ...ROUTED })],
    ];
    const syn: OnInterface = [
      -50,
      ETH,
      frameOf({ ...client, flags: 'S', dst: '10.96.0.10', dstPort: 443, ack: 0, seq: 1000 }),
    ];
    for (const order of [frames, [...frames].reverse()]) {
      const report = await analyse(onInterfaces([syn, ...order]));
      expect(onlyEvent(report)).toMatchObject({ service_port: 443, reset_by: 'client', copies: 2 });
      expect(report.endpoints).toMatchObject([{ ip: '10.96.0.10', port: 443, by_client: 1 }]);
    }
  });

  test('a twin has copies too, and a chain of two NATs is one event', async () => {
    const client = { src: '192.0.2.9', srcPort: 50000 };
    const pod = { dst: '10.0.0.5', dstPort: 8443 };
    const frames: OnInterface[] = [
      [0, 0, frameOf({ ...client, dst: '10.96.0.10', dstPort: 443 })],
      [20, 1, frameOf({ ...client, ...pod, ttl: 63, ...ROUTED })],
      [30, 2, frameOf({ ...client, ...pod, ttl: 63, ...ROUTED })],
      [40, 3, frameOf({ src: '10.0.0.1', srcPort: 61000, ...pod, ttl: 62, ...ROUTED })],
    ];
    const event = onlyEvent(await analyse(onInterfaces(frames, ['eth0', 'br0', 'veth1', 'veth2'])));
    expect(event.frames).toEqual([1, 2, 3, 4]);
    expect(event.translations.map(({ src_ip, dest_ip }) => [src_ip, dest_ip])).toEqual([
      ['192.0.2.9', '10.0.0.5'],
      ['10.0.0.1', '10.0.0.5'],
    ]);
  });

  test('the same reset twice through the same NAT is two events', async () => {
    const through = (at: number): OnInterface[] => [
      [at, VETH, frameOf({ ...POD })],
      [at + 30, ETH, frameOf({ ...SERVICE, ttl: 63, ...ROUTED })],
    ];
    expect(await folded([...through(0), ...through(200)])).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('both ends differ, or only the port: no twin', async () => {
    expect(
      await folded([
        [0, VETH, frameOf()],
        [9, ETH, frameOf({ src: '10.96.0.10', dst: '192.0.2.10' })],
      ]),
    ).toEqual([[1], [2]]);
    expect(
      await folded([
        [0, VETH, frameOf()],
        [9, ETH, frameOf({ srcPort: 8444 })],
      ]),
    ).toEqual([[1], [2]]);
  });

  test('two numbers that are 0 identify nothing', async () => {
    const zero = { seq: 0, ack: 0, id: 0, flags: 'R' };
    expect(
      await folded([
        [0, VETH, frameOf({ ...POD, ...zero })],
        [9, ETH, frameOf({ ...SERVICE, ...zero })],
      ]),
    ).toEqual([[1], [2]]);
  });

  test('on one interface and with IP ID 0 nothing speaks for a NAT', async () => {
    expect(
      await foldedAlone([
        [0, frameOf({ ...POD, id: 0 })],
        [9, frameOf({ ...SERVICE, id: 0, ttl: 63, ...ROUTED })],
      ]),
    ).toEqual([[1], [2]]);
  });

  test("a scanner's constant numbers never make twins, on however many interfaces its targets are", async () => {
    // nmap: one source port, one sequence number; the kernel resets each target that answers.
    const scan = Array.from({ length: 40 }, (_, i): OnInterface => {
      const target = { dst: `10.0.${i % 2}.${1 + (i >> 1)}`, dstPort: 22 + (i % 3), ...(i % 2 === 0 ? ROUTED : {}) };
      const fields = { src: '192.0.2.66', srcPort: 40000, flags: 'R', ack: 0, seq: 0xabcdef, id: 0, window: 0 };
      return [i * 30, i % 3, frameOf({ ...fields, ...target })];
    });
    expect(await folded(scan)).toHaveLength(40);
    // Slowly, so that only what was remembered can tell.
    const slow = scan.map(([, iface, bytes], i): OnInterface => [(i >> 1) * 5_000_000 + (i & 1) * 50, iface, bytes]);
    expect((await folded(slow)).length).toBeGreaterThanOrEqual(39);
    // The targets' refusals.
    const refusals = Array.from({ length: 40 }, (_, i): OnInterface => {
      const target = { src: `10.0.${i % 2}.${1 + (i >> 1)}`, srcPort: 1000 + i, dst: '192.0.2.66', dstPort: 40000 };
      return [i * 30, i % 3, frameOf({ ...target, flags: 'R.', seq: 0, ack: 0xabcdef, id: 0, window: 0 })];
    });
    expect(await folded(refusals)).toHaveLength(40);
  });
});

describe('floods and their like stay fast and bounded', () => {
  const COUNT = 100_000;

  function flood(of: (i: number) => Uint8Array): Uint8Array {
    const frames: At[] = [];
    for (let i = 0; i < COUNT; i++) frames.push([i * 5, of(i)]);
    return classic(frames);
  }

  test('equal resets on one interface', async () => {
    const bytes = frameOf();
    const report = await analyse(
      flood(() => bytes),
      { keepEvents: false },
    );
    expect(report.packets).toMatchObject({ resets: COUNT, unique: COUNT, copies: 0 });
  });

  test('equal numbers from a thousand sources', async () => {
    const frames = Array.from({ length: 1000 }, (_, i) => frameOf({ src: `10.1.${i >> 8}.${i & 255}`, id: 0 }));
    const report = await analyse(
      flood((i) => frames[i % 1000]!),
      { keepEvents: false },
    );
    expect(report.packets).toMatchObject({ resets: COUNT, unique: COUNT, copies: 0 });
  });

  test('one reset on 65,536 interfaces', async () => {
    const bytes = frameOf();
    const timestamp = BigInt(START) * 1_000_000n;
    const parts = [pcapng().bytes()];
    for (let i = 0; i < 65_536; i++) parts.push(new PcapngBuilder().interface({ name: `veth${i}` }).bytes());
    for (let i = 0; i < 65_536; i++) {
      parts.push(new PcapngBuilder().enhancedPacket({ interface: i, timestamp, bytes }).bytes());
    }
    const report = await analyse(Buffer.concat(parts));
    const event = onlyEvent(report);
    expect(event.copies).toBe(65_536);
    expect(event.interfaces).toHaveLength(65_536);
    expect(report.packets.copies).toBe(65_535);
  });
});

describe('captures from elsewhere', () => {
  const KNOWN: [string, number, number[]][] = [
    ['ntop+nDPI__tests__cfgs__default__pcap__rtsp.pcap', 24, new Array<number>(6).fill(4)],
    ['markofu+pcaps__PracticalPacketAnalysis__ppa-capture-files__double-vision.pcap', 4, [2, 2]],
    ['nfstream+nfstream__tests__pcaps__aimini-http.pcap', 19, [2, 2, 2, 2, 2, 2, 2, 2, 2, 1]],
    ['OISF+suricata-verify__tests__bug-5437-02__input.pcap', 4, [2, 2]],
    ['OISF+suricata-verify__tests__tls__tls-fin-close-data-01__debug-s13.pcap', 3, [1, 1, 1]],
  ];
  for (const [name, resets, copies] of KNOWN) {
    itWithCaptures(`${name}: ${resets} frames are ${copies.length} resets`, async (folder) => {
      const report = await analyse(readFileSync(path.join(folder, 'captures', name)));
      expect(report.packets.resets).toBe(resets);
      expect(report.events.map((event) => event.copies).sort((a, b) => b - a)).toEqual(copies);
    });
  }

  const REPEATED = [
    'ntop+nDPI__tests__cfgs__default__pcap__ethereum.pcap',
    'fox-it+quantuminsert__pcaps__qi_local_GET_slashdot_redirect.pcap',
    'fox-it+quantuminsert__pcaps__qi_local_SYNACK_slashdot_redirect.pcap',
    'odedshimon+BruteShark__Pcap_Examples__Kerberos_-_v5_UDP.pcap',
    'victorialugi+nmap__syn_scan.pcap',
  ];
  for (const name of REPEATED) {
    itWithCaptures(`${name}: what is repeated on one interface stays apart`, async (folder) => {
      const { packets } = await analyse(readFileSync(path.join(folder, 'captures', name)));
      expect(packets.copies).toBe(0);
      expect(packets.unique).toBe(packets.resets);
    });
  }
});
