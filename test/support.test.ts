/**
 * Judges the builders of test/support by other people's programs: every link type, every tunnel and every dialect of
 * a capture file is written with a reset inside, and tshark must find that reset with its addresses, ports and numbers,
 * sums right and nothing malformed. A decoder that is then tested with these bytes is not tested against itself.
 *
 * What tshark 4.0 does not judge: link type MPLS (219; label stacks are judged on Ethernet), DLT_NULL with Linux's own
 * IPv6 family 10, link types 12 and 14 (their meaning differs by system), which interface a packet of a later section
 * belongs to, the counters of interface statistics, the content of decryption secrets, the added fields of a "modified"
 * record, the bytes of custom blocks.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as arbitrary from './support/arbitraries.js';
import { hex, internetChecksum, ipv6Bytes, text, withFcs } from './support/bytes.js';
import { classicPcap, pcapng, type ClassicPcapFields, type PcapngBuilder } from './support/capture-bytes.js';
import * as f from './support/frames.js';
import { cliCommand, runCli, runShell, shellQuote, tmpDir } from './support/run.js';
import { foreignCaptures, hasTool, itWith, requireTool } from './support/tools.js';
import { innermost, tshark, tsharkFields } from './support/tshark.js';

const CHECK_SUMS = ['ip.check_checksum:TRUE', 'tcp.check_checksum:TRUE', 'udp.check_checksum:TRUE'];
const FIELDS = [
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.seq_raw',
  'tcp.ack_raw',
  'tcp.window_size_value',
  'tcp.checksum.status',
  'ip.checksum.status',
  'udp.checksum.status',
  '_ws.malformed',
  'frame.protocols',
] as const;
type Field = (typeof FIELDS)[number];
type Row = Record<Field, string>;

const folder = tmpDir();
let files = 0;

function save(bytes: Uint8Array): string {
  files += 1;
  const file = path.join(folder, `capture-${files}`);
  writeFileSync(file, bytes);
  return file;
}

function tcpdump(file: string): string {
  return execFileSync('tcpdump', ['-nn', '-S', '-r', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

async function readRows(file: string, filter?: string): Promise<Row[]> {
  const rows = await tsharkFields(file, FIELDS, filter, CHECK_SUMS);
  return rows.map((row) => Object.fromEntries(FIELDS.map((field, index) => [field, row[index] ?? ''])) as Row);
}

const FOUR = f.resetPacket({ seq: 0x80000001, ack: 0xfffffffe, ttl: 63, id: 7, window: 501 });
const SIX = f.resetPacket({ src: '2001:db8::20', seq: 0x80000001, ack: 0xfffffffe, window: 501 });
const FRAME4 = f.ethernet(f.carriedIp(FOUR));
const FRAME6 = f.ethernet(f.carriedIp(SIX));
const SNAP4 = f.llcSnap(f.carriedIp(FOUR));
const SNAP6 = f.llcSnap(f.carriedIp(SIX));
const OUTER = { src: '198.51.100.1', dst: '198.51.100.2' };
const OUTER6 = { src: '2001:db8:1::1', dst: '2001:db8:1::2' };
const TCP6 = f.tcp({ srcPort: 7211, dstPort: 40000, seq: 0x80000001, ack: 0xfffffffe, flags: 'R.', window: 501 });
const extension = f.ipv6Extensions;

/** Name, link type, frame, and what else frame.protocols must hold. */
type Case = [name: string, linkType: number, frame: Uint8Array, version: 4 | 6, protocols?: string];

function inIp(protocol: number, payload: Uint8Array, outer = OUTER): Uint8Array {
  return f.ethernet(f.carriedIp(f.outerIp({ ...outer, protocol, payload })));
}

function inUdp(dstPort: number, payload: Uint8Array, outer = OUTER): Uint8Array {
  return inIp(f.PROTOCOL.udp, f.udp({ dstPort, payload }), outer);
}

function six(...extensions: f.Ipv6Extension[]): Uint8Array {
  const packet = f.ipv6({ src: '2001:db8::20', dst: '2001:db8::10', extensions, payload: TCP6 });
  return f.ethernet(f.carriedIp(packet));
}

const LINKS: Case[] = [
  ['Ethernet, IPv4', f.LINK.ethernet, FRAME4, 4],
  ['Ethernet, IPv6', f.LINK.ethernet, FRAME6, 6],
  ['Ethernet padded to 60', f.LINK.ethernet, f.ethernet({ ...f.carriedIp(FOUR), padTo60: true }), 4],
  ['802.3 with LLC and SNAP', f.LINK.ethernet, f.ethernet8023({ payload: SNAP4, padTo60: true }), 4, 'llc'],
  ['VLAN', f.LINK.ethernet, f.ethernet(f.carriedVlan({ id: 10, priority: 5 }, f.carriedIp(FOUR))), 4, 'vlan'],
  [
    'two VLAN tags, 802.1ad',
    f.LINK.ethernet,
    f.segment({
      ...RESET(),
      vlans: [{ id: 100, tpid: 0x88a8 }, { id: 20 }],
    }),
    4,
    'vlan',
  ],
  [
    'two VLAN tags, 0x9100',
    f.LINK.ethernet,
    f.ethernet(f.carriedVlan({ id: 100, tpid: 0x9100 }, f.carriedVlan({ id: 20 }, f.carriedIp(SIX)))),
    6,
    'vlan',
  ],
  ['Linux cooked v1', f.LINK.linuxSll, f.sll({ ...f.carriedIp(FOUR), packetType: 4 }), 4, 'sll'],
  [
    'Linux cooked v1, no address',
    f.LINK.linuxSll,
    f.sll({ ...f.carriedIp(SIX), address: null, arphrd: 65534 }),
    6,
    'sll',
  ],
  ['Linux cooked v1, VLAN', f.LINK.linuxSll, f.sll(f.carriedVlan({ id: 10 }, f.carriedIp(FOUR))), 4, 'vlan'],
  ['Linux cooked v2', f.LINK.linuxSll2, f.sll2({ ...f.carriedIp(FOUR), interfaceIndex: 7, packetType: 4 }), 4, 'sll'],
  ['Linux cooked v2, IPv6', f.LINK.linuxSll2, f.sll2(f.carriedIp(SIX)), 6, 'sll'],
  ['NULL, little endian', f.LINK.null, f.nullLoopback({ payload: FOUR }), 4, 'null'],
  ['NULL, big endian', f.LINK.null, f.nullLoopback({ payload: FOUR, bigEndian: true }), 4, 'null'],
  ...[24, 28, 30].map((family): Case => [
    `NULL, IPv6 as ${family}`,
    f.LINK.null,
    f.nullLoopback({ payload: SIX, family }),
    6,
    'null',
  ]),
  ['LOOP', f.LINK.loop, f.loop({ payload: FOUR }), 4],
  ['LOOP, IPv6', f.LINK.loop, f.loop({ payload: SIX, family: 24 }), 6],
  ['RAW', f.LINK.raw, f.raw(FOUR), 4, 'raw'],
  ['RAW, IPv6', f.LINK.raw, f.raw(SIX), 6, 'raw'],
  ['IPV4', f.LINK.ipv4, f.raw(FOUR), 4],
  ['IPV6', f.LINK.ipv6, f.raw(SIX), 6],
  ['PPP', f.LINK.ppp, f.ppp({ payload: FOUR }), 4, 'ppp'],
  ['PPP without address and control', f.LINK.ppp, f.ppp({ payload: FOUR, addressControl: false }), 4, 'ppp'],
  [
    'PPP, one byte of protocol',
    f.LINK.ppp,
    f.ppp({ payload: SIX, addressControl: false, compressedProtocol: true }),
    6,
    'ppp',
  ],
  ['PPP in HDLC', f.LINK.pppHdlc, f.ppp({ payload: SIX }), 6, 'ppp'],
  ['Cisco HDLC', f.LINK.ciscoHdlc, f.ciscoHdlc(f.carriedIp(FOUR)), 4, 'chdlc'],
  ['PPP_ETHER', f.LINK.pppEther, f.pppoe({ sessionId: 9, payload: FOUR }), 4, 'pppoes'],
  ['PPPoE', f.LINK.ethernet, f.ethernet({ etherType: 0x8864, payload: f.pppoe({ payload: SIX }) }), 6, 'pppoes'],
  ['802.11', f.LINK.ieee80211, f.ieee80211({ payload: SNAP4, fromDs: true }), 4, 'wlan'],
  ['802.11 QoS', f.LINK.ieee80211, f.ieee80211({ payload: SNAP4, toDs: true, qos: true }), 4, 'wlan'],
  ['802.11, no DS', f.LINK.ieee80211, f.ieee80211({ payload: SNAP6 }), 6, 'wlan'],
  [
    '802.11, four addresses',
    f.LINK.ieee80211,
    f.ieee80211({ payload: SNAP4, toDs: true, fromDs: true, qos: true }),
    4,
    'wlan',
  ],
  [
    '802.11 QoS, HT control',
    f.LINK.ieee80211,
    f.ieee80211({ payload: SNAP4, toDs: true, qos: true, order: true }),
    4,
    'wlan',
  ],
  [
    '802.11 A-MSDU',
    f.LINK.ieee80211,
    f.ieee80211({ toDs: true, qos: true, amsdu: true, payload: f.amsduSubframe({ last: true, payload: SNAP4 }) }),
    4,
    'wlan',
  ],
  ['radiotap', f.LINK.radiotap, f.radiotap({ payload: f.ieee80211({ payload: SNAP4, fromDs: true }) }), 4, 'radiotap'],
  [
    'radiotap, TSFT, FCS at the end, longer header',
    f.LINK.radiotap,
    f.radiotap({
      tsft: 12345n,
      fcsAtEnd: true,
      extraPresenceWords: 2,
      payload: f.ieee80211({ payload: SNAP6, fromDs: true, qos: true }),
    }),
    6,
    'radiotap',
  ],
  [
    'radiotap, padded 802.11 header',
    f.LINK.radiotap,
    f.radiotap({ flags: 0x20, payload: f.ieee80211({ payload: SNAP4, fromDs: true, qos: true, padHeader: true }) }),
    4,
    'radiotap',
  ],
  [
    'PPI with 802.11',
    f.LINK.ppi,
    f.ppi({ linkType: 105, payload: f.ieee80211({ payload: SNAP4, toDs: true }) }),
    4,
    'ppi',
  ],
  [
    'PPI with Ethernet and a field',
    f.LINK.ppi,
    f.ppi({ linkType: 1, fields: hex('ffff 0400 00000000'), payload: FRAME4 }),
    4,
    'ppi',
  ],
  ['FDDI', f.LINK.fddi, f.fddi(f.carriedIp(FOUR)), 4, 'fddi'],
  ['NFLOG', f.LINK.nflog, f.nflog({ payload: FOUR }), 4, 'nflog'],
  [
    'NFLOG, IPv6, odd prefix',
    f.LINK.nflog,
    f.nflog({ payload: SIX, values: [{ type: f.NFLOG_TLV.prefix, data: text('drop\0') }] }),
    6,
    'nflog',
  ],
  ['PKTAP', f.LINK.pktap, f.pktap({ payload: FRAME4 }), 4, 'pktap'],
  ['PKTAP, raw IP', f.LINK.pktap, f.pktap({ payload: SIX, linkType: f.LINK.raw, interfaceName: 'utun0' }), 6, 'pktap'],
];

const PACKETS: Case[] = [
  [
    'IPv4 options, TCP options',
    f.LINK.ethernet,
    f.ethernet(
      f.carriedIp(
        f.ipv4({
          src: '192.0.2.20',
          dst: '192.0.2.10',
          options: hex('94040000'),
          payload: f.tcp({
            srcPort: 7211,
            dstPort: 40000,
            seq: 0x80000001,
            ack: 0xfffffffe,
            flags: 'R.',
            window: 501,
            options: f.concat(
              f.tcpOptions.mss(1460),
              f.tcpOptions.sackPermitted(),
              f.tcpOptions.timestamps(1, 2),
              f.tcpOptions.nop(),
              f.tcpOptions.windowScale(7),
            ),
            payload: text('No TCP'),
          }),
        }),
      ),
    ),
    4,
  ],
  ['total length 0 (TSO)', f.LINK.ethernet, f.ethernet(f.carriedIp(fourWith({ totalLength: 0 }))), 4],
  ['IPv6, hop-by-hop', f.LINK.ethernet, six(extension.hopByHop()), 6, 'ipv6.hopopts'],
  ['IPv6, routing', f.LINK.ethernet, six(extension.routing()), 6, 'ipv6.routing'],
  ['IPv6, destination', f.LINK.ethernet, six(extension.destination(hex('1e05 0102030405'))), 6, 'ipv6.dstopts'],
  ['IPv6, atomic fragment', f.LINK.ethernet, six(extension.fragment({ id: 5 })), 6, 'ipv6.fraghdr'],
  ['IPv6, authentication', f.LINK.ethernet, six(extension.ah()), 6, 'ah'],
  [
    'IPv6, all of them',
    f.LINK.ethernet,
    six(extension.hopByHop(), extension.destination(), extension.routing(), extension.fragment(), extension.ah()),
    6,
    'ah',
  ],
  ['IPv4, authentication', f.LINK.ethernet, f.ethernet(f.carriedIp(f.ahInIpv4(bareFour()))), 4, 'ah'],
];

const TUNNELS: Case[] = [
  ['IP in IP', f.LINK.ethernet, f.ethernet(f.carriedIp(f.ipInIp({ ...OUTER, payload: FOUR }))), 4, 'ip:ip'],
  ['6in4', f.LINK.ethernet, f.ethernet(f.carriedIp(f.ipInIp({ ...OUTER, payload: SIX }))), 6, 'ip:ipv6'],
  ['4in6', f.LINK.ethernet, f.ethernet(f.carriedIp(f.ipInIp({ ...OUTER6, payload: FOUR }))), 4, 'ipv6:ip'],
  ['6in6', f.LINK.ethernet, f.ethernet(f.carriedIp(f.ipInIp({ ...OUTER6, payload: SIX }))), 6, 'ipv6:ipv6'],
  ['GRE', f.LINK.ethernet, inIp(47, f.gre({ payload: FOUR })), 4, 'gre'],
  [
    'GRE with checksum, key and sequence',
    f.LINK.ethernet,
    inIp(47, f.gre({ payload: SIX, checksum: true, key: 0xdeadbeef, sequence: 9 }), OUTER6),
    6,
    'gre',
  ],
  [
    'GRE with Ethernet',
    f.LINK.ethernet,
    inIp(47, f.gre({ payload: FRAME4, protocol: 0x6558, key: 0x123400 })),
    4,
    'gre',
  ],
  ['GRE of PPTP', f.LINK.ethernet, inIp(47, f.pptpGre({ callId: 5, payload: FOUR })), 4, 'gre'],
  ['ERSPAN type I', f.LINK.ethernet, inIp(47, f.erspan({ type: 1, frame: FRAME4 })), 4, 'erspan'],
  [
    'ERSPAN type II',
    f.LINK.ethernet,
    inIp(47, f.erspan({ type: 2, session: 77, vlan: 5, frame: FRAME4 })),
    4,
    'erspan',
  ],
  ['ERSPAN type III', f.LINK.ethernet, inIp(47, f.erspan({ type: 3, session: 1023, frame: FRAME6 })), 6, 'erspan'],
  [
    'ERSPAN type III with a subheader',
    f.LINK.ethernet,
    inIp(47, f.erspan({ type: 3, subheader: true, frame: FRAME4 })),
    4,
    'erspan',
  ],
  ['VXLAN', f.LINK.ethernet, inUdp(4789, f.vxlan({ vni: 0xabcdef, frame: FRAME4 })), 4, 'vxlan'],
  ['VXLAN over IPv6', f.LINK.ethernet, inUdp(4789, f.vxlan({ vni: 1, frame: FRAME6 }), OUTER6), 6, 'vxlan'],
  ['VXLAN-GPE', f.LINK.ethernet, inUdp(4790, f.vxlan({ vni: 1, nextProtocol: 1, frame: FOUR })), 4, 'udp:ip'],
  ['Geneve', f.LINK.ethernet, inUdp(6081, f.geneve({ vni: 5, payload: FRAME4 })), 4, 'geneve'],
  [
    'Geneve with options, IP inside',
    f.LINK.ethernet,
    inUdp(
      6081,
      f.geneve({
        vni: 5,
        protocol: 0x86dd,
        options: f.geneveOption({ class: 0x0102, type: 1, data: hex('01020304') }),
        payload: SIX,
      }),
    ),
    6,
    'geneve',
  ],
  ['GTP-U', f.LINK.ethernet, inUdp(2152, f.gtpu({ teid: 0x01020304, payload: FOUR })), 4, 'gtp'],
  [
    'GTP-U with a sequence number',
    f.LINK.ethernet,
    inUdp(2152, f.gtpu({ teid: 1, sequence: 4, payload: SIX })),
    6,
    'gtp',
  ],
  [
    'GTP-U with extension headers',
    f.LINK.ethernet,
    inUdp(
      2152,
      f.gtpu({
        teid: 1,
        extensions: [
          { type: 0xc0, content: hex('1234') },
          { type: 0x85, content: hex('1009') },
        ],
        payload: FOUR,
      }),
    ),
    4,
    'gtp',
  ],
  ['MPLS on Ethernet', f.LINK.ethernet, f.ethernet({ etherType: 0x8847, payload: f.mpls([16], SIX) }), 6, 'mpls'],
  [
    'VXLAN in GRE in VLAN',
    f.LINK.ethernet,
    f.ethernet(
      f.carriedVlan(
        { id: 3 },
        f.carriedIp(
          f.outerIp({
            ...OUTER,
            protocol: 47,
            payload: f.gre({
              payload: f.outerIp({
                ...OUTER6,
                protocol: 17,
                payload: f.udp({ dstPort: 4789, payload: f.vxlan({ vni: 7, frame: FRAME4 }) }),
              }),
            }),
          }),
        ),
      ),
    ),
    4,
    'gre',
  ],
];

/** The fields of the reset in every case above, as `segment` takes them. */
function RESET(): f.SegmentFields {
  return {
    src: '192.0.2.20',
    dst: '192.0.2.10',
    srcPort: 7211,
    dstPort: 40000,
    seq: 0x80000001,
    ack: 0xfffffffe,
    flags: 'R.',
    window: 501,
  };
}

function bareFour(): f.Ipv4Fields {
  return { src: '192.0.2.20', dst: '192.0.2.10', payload: TCP6 };
}

function fourWith(fields: Partial<f.Ipv4Fields>): Uint8Array {
  return f.ipv4({ ...bareFour(), ...fields });
}

const ALL = [...LINKS, ...PACKETS, ...TUNNELS];

/** A file with at least one block of every kind. */
function everyBlock(bigEndian: boolean): PcapngBuilder {
  const stamp = { timestamp: 1_700_000_000_123_456_789n, bytes: FRAME4 };
  return pcapng({
    bigEndian,
    comments: ['file'],
    hardware: 'h',
    os: 'o',
    application: 'a',
    sectionLength: 'measured',
  })
    .interface({
      name: 'eth0',
      description: 'first',
      tsresol: 9,
      filter: 'tcp',
      mac: '02:00:00:00:00:07',
      ipv4: { address: '192.0.2.1', mask: '255.255.255.0' },
      speed: 1_000_000_000n,
      os: 'Linux',
      hardware: 'card',
    })
    .interface({ name: 'eth1', tsresol: 0x80 + 20, tsoffset: 1_600_000_000n, linkType: f.LINK.raw })
    .nameResolution({
      names: [
        { address: '192.0.2.20', names: ['server.example'] },
        { address: '2001:db8::20', names: ['a', 'b'] },
      ],
    })
    .decryptionSecrets({ secrets: text('CLIENT_RANDOM 00 00\n') })
    .enhancedPacket({
      ...stamp,
      comments: ['one', 'two'],
      flags: 1,
      dropcount: 3n,
      packetId: 8n,
      queue: 1,
      originalLength: 1500,
    })
    .customBlock({ data: hex('010203') })
    .unknownBlock()
    .enhancedPacket({ interface: 1, timestamp: 100_000_000n * (1n << 20n) + (1n << 19n), bytes: SIX })
    .obsoletePacket({ ...stamp, drops: 2, flags: 2 })
    .simplePacket({ bytes: FRAME4 })
    .interfaceStatistics({
      start: 1n,
      end: 2n,
      received: 10n,
      dropped: 4n,
      accepted: 9n,
      osdrop: 1n,
      delivered: 8n,
    });
}

/** One file with an interface for each case: tshark starts once. */
function everyCase(): Uint8Array {
  const builder = pcapng();
  for (const [, linkType] of ALL) builder.interface({ linkType });
  for (const [index, [, , bytes]] of ALL.entries()) builder.enhancedPacket({ interface: index, bytes });
  return builder.bytes();
}

describe('frames, judged by tshark', () => {
  let rows: Promise<Row[]> | undefined;
  for (const [index, [name, , , version, protocols = '']] of ALL.entries()) {
    itWith('tshark', name, async () => {
      rows ??= readRows(save(everyCase()));
      const row = (await rows)[index];
      expect(row).toBeDefined();
      if (row === undefined) return;
      const [src, dst] = version === 4 ? (['ip.src', 'ip.dst'] as const) : (['ipv6.src', 'ipv6.dst'] as const);
      expect({
        protocols: row['frame.protocols'],
        src: innermost(row[src]),
        dst: innermost(row[dst]),
        srcPort: row['tcp.srcport'],
        dstPort: row['tcp.dstport'],
        seq: row['tcp.seq_raw'],
        ack: row['tcp.ack_raw'],
        window: row['tcp.window_size_value'],
        sum: row['tcp.checksum.status'],
        outerSums: /[^1,]/.test(row['ip.checksum.status'] + row['udp.checksum.status']),
        malformed: row['_ws.malformed'],
      }).toEqual({
        protocols: expect.stringContaining(protocols),
        src: version === 4 ? '192.0.2.20' : '2001:db8::20',
        dst: version === 4 ? '192.0.2.10' : '2001:db8::10',
        srcPort: '7211',
        dstPort: '40000',
        seq: String(0x80000001),
        ack: String(0xfffffffe),
        window: '501',
        sum: '1',
        outerSums: false,
        malformed: '',
      });
    });
  }

  itWith('tshark', 'what holds no readable reset', async () => {
    const frames = [
      f.segment({ flags: 'S' }),
      inUdp(53, hex('00')),
      f.ethernet({ etherType: f.ETHER_TYPE.arp, payload: new Uint8Array(28) }),
    ];
    const builder = pcapng().interface().interface({ linkType: f.LINK.ieee80211 });
    for (const bytes of frames) builder.enhancedPacket({ bytes });
    const secret = f.ieee80211({ payload: hex('0102 0020 0000 0000 a1b2c3d4e5f6'), toDs: true, protected: true });
    const rowsRead = await readRows(
      save(builder.enhancedPacket({ interface: 1, bytes: secret }).bytes()),
      'tcp.flags.reset == 1',
    );
    expect(rowsRead).toEqual([]);
  });

  itWith('tshark', 'an Ethernet pseudowire in MPLS', async () => {
    const payload = f.mpls([16, 17], f.pseudowire(FRAME4));
    const file = save(
      pcapng()
        .interface()
        .enhancedPacket({ bytes: f.ethernet({ etherType: 0x8847, payload }) })
        .bytes(),
    );
    // Whether a label carries Ethernet is agreed between routers; tshark wants to be told.
    const said = await tshark(['-r', file, '-d', 'mpls.label==17,pwethcw', '-T', 'fields', '-e', 'tcp.seq_raw']);
    expect(said.trim()).toBe(String(0x80000001));
  });

  itWith('tshark', 'identifiers are where they belong', async () => {
    const carried = f.carriedIp(FOUR);
    const stacked = f.mpls([100, { label: 200, trafficClass: 3, ttl: 9 }], FOUR);
    const wanted: [linkType: number, frame: Uint8Array, fields: Record<string, string>][] = [
      [1, FRAME4, { 'eth.src': f.DEFAULT_SRC_MAC, 'eth.dst': f.DEFAULT_DST_MAC, 'ip.ttl': '63', 'ip.id': '0x0007' }],
      [
        1,
        f.ethernet(f.carriedVlan({ id: 99, priority: 5, dropEligible: true }, carried)),
        { 'vlan.id': '99', 'vlan.priority': '5', 'vlan.dei': '1' },
      ],
      [1, f.segment({ ...RESET(), vlans: [{ id: 100 }, { id: 20 }] }), { 'vlan.id': '100,20' }],
      [
        1,
        f.ethernet({ etherType: f.ETHER_TYPE.mpls, payload: stacked }),
        { 'mpls.label': '100,200', 'mpls.exp': '0,3', 'mpls.ttl': '64,9', 'mpls.bottom': '0,1' },
      ],
      [51, f.pppoe({ sessionId: 513, payload: FOUR }), { 'pppoe.session_id': '0x0201' }],
      [113, f.sll({ ...carried, packetType: 4 }), { 'sll.pkttype': '4', 'sll.src.eth': f.DEFAULT_SRC_MAC }],
      [276, f.sll2({ ...carried, interfaceIndex: 7, packetType: 3 }), { 'sll.ifindex': '7', 'sll.pkttype': '3' }],
      [
        105,
        f.ieee80211({ payload: SNAP4, toDs: true, fromDs: true, src: '02:00:00:00:00:31', dst: '02:00:00:00:00:32' }),
        { 'wlan.sa': '02:00:00:00:00:31', 'wlan.da': '02:00:00:00:00:32', 'wlan.ta': '02:00:00:00:00:0b' },
      ],
      [
        105,
        f.ieee80211({ payload: SNAP4, toDs: true }),
        { 'wlan.sa': f.DEFAULT_SRC_MAC, 'wlan.da': f.DEFAULT_DST_MAC },
      ],
      [
        105,
        f.ieee80211({ payload: SNAP4, fromDs: true }),
        { 'wlan.sa': f.DEFAULT_SRC_MAC, 'wlan.da': f.DEFAULT_DST_MAC },
      ],
      [127, f.radiotap({ tsft: 77n, payload: f.ieee80211({ payload: SNAP4 }) }), { 'radiotap.mactime': '77' }],
      [258, f.pktap({ payload: FRAME4, pid: 77, interfaceName: 'en7' }), { 'pktap.pid': '77', 'pktap.ifname': 'en7' }],
      [239, f.nflog({ payload: FOUR }), { 'nflog.family': '2', 'nflog.ifindex_indev': '2' }],
      [
        1,
        inIp(47, f.gre({ payload: FOUR, key: 0xdeadbeef, sequence: 9 })),
        { 'gre.key': '0xdeadbeef', 'gre.sequence_number': '9' },
      ],
      [
        1,
        inIp(47, f.erspan({ type: 2, session: 77, vlan: 5, frame: FRAME4 })),
        { 'erspan.spanid': '77', 'erspan.vlan': '5' },
      ],
      [
        1,
        inIp(47, f.erspan({ type: 3, session: 1023, frame: FRAME4 })),
        { 'erspan.spanid': '1023', 'erspan.version': '2' },
      ],
      [1, inUdp(4789, f.vxlan({ vni: 0xabcdef, frame: FRAME4 })), { 'vxlan.vni': '11259375' }],
      [1, inUdp(6081, f.geneve({ vni: 0xabcdef, payload: FRAME4 })), { 'geneve.vni': '0xabcdef' }],
      [1, inUdp(2152, f.gtpu({ teid: 0x01020304, payload: FOUR })), { 'gtp.teid': '0x01020304' }],
      [
        101,
        f.ipv6({ src: '2001:db8::20', dst: '2001:db8::10', hopLimit: 7, flowLabel: 0xabcde, payload: TCP6 }),
        { 'ipv6.flow': '0x0abcde', 'ipv6.hlim': '7' },
      ],
    ];
    const builder = pcapng();
    for (const [linkType] of wanted) builder.interface({ linkType });
    for (const [index, [, bytes]] of wanted.entries()) builder.enhancedPacket({ interface: index, bytes });
    const names = [...new Set(wanted.flatMap(([, , fields]) => Object.keys(fields)))];
    const found = await tsharkFields(save(builder.bytes()), names);
    const told = wanted.map(([, , fields], index) =>
      Object.fromEntries(Object.keys(fields).map((name) => [name, found[index]?.[names.indexOf(name)]])),
    );
    expect(told).toEqual(wanted.map(([, , fields]) => fields));
  });

  itWith('tshark', 'ICMP errors quote the packet they are about', async () => {
    const four = f.icmpError({ version: 4, code: 3, quoted: FOUR.subarray(0, 28) });
    const whole = f.icmpError({ version: 4, code: 13, quoted: FOUR });
    const icmpv6 = f.icmpError({ version: 6, code: 4, quoted: SIX });
    const builder = pcapng().interface();
    for (const payload of [four, whole]) builder.enhancedPacket({ bytes: inIp(f.PROTOCOL.icmp, payload) });
    builder.enhancedPacket({ bytes: inIp(f.PROTOCOL.icmpv6, icmpv6, OUTER6) });
    const fields = [
      'icmp.code',
      'icmpv6.code',
      'icmp.checksum.status',
      'icmpv6.checksum.status',
      'tcp.srcport',
      '_ws.malformed',
    ];
    expect(await tsharkFields(save(builder.bytes()), fields)).toEqual([
      ['3', '', '1', '', '7211', ''],
      ['13', '', '1', '', '7211', ''],
      ['', '4', '', '1', '7211', ''],
    ]);
  });

  itWith('tshark', 'fragments come together again', async () => {
    const whole = f.segmentPacket({ ...RESET(), payload: new Uint8Array(100).fill(0x41) });
    const wholeSix = f.checksummed(f.PROTOCOL.tcp, '2001:db8::20', '2001:db8::10', f.concat(TCP6, new Uint8Array(100)));
    const piece = (payload: Uint8Array, offset: number, more: boolean): Uint8Array =>
      f.ipv6({
        src: '2001:db8::20',
        dst: '2001:db8::10',
        extensions: [extension.fragment({ offset, more, id: 9 })],
        fillChecksum: false,
        payload,
      });
    const builder = pcapng().interface({ linkType: f.LINK.raw });
    const packets = [
      ...f.fragmentIpv4(whole, 64),
      piece(wholeSix.subarray(0, 64), 0, true),
      piece(wholeSix.subarray(64), 64, false),
    ];
    expect(packets).toHaveLength(4);
    for (const bytes of packets) builder.enhancedPacket({ bytes });
    const found = await tsharkFields(
      save(builder.bytes()),
      ['frame.number', 'tcp.len', 'tcp.checksum.status'],
      'tcp',
      CHECK_SUMS,
    );
    expect(found).toEqual([
      ['2', '100', '1'],
      ['4', '100', '1'],
    ]);
  });

  itWith('tshark', 'a routing header with a segment left is summed with the final destination', async () => {
    const bytes = f.ipv6({
      src: '2001:db8::20',
      dst: '2001:db8::30',
      finalDestination: '2001:db8::10',
      extensions: [extension.routing({ type: 2, segmentsLeft: 1, addresses: ['2001:db8::10'] })],
      payload: TCP6,
    });
    const file = save(pcapng().interface({ linkType: f.LINK.raw }).enhancedPacket({ bytes }).bytes());
    expect(await tsharkFields(file, ['tcp.checksum.status'], 'tcp.flags.reset == 1', CHECK_SUMS)).toEqual([['1']]);
  });
});

describe('classic files, judged by tshark', () => {
  const time = { seconds: 1_700_000_000, fraction: 123456 };
  const dialects: [name: string, fields: ClassicPcapFields, epoch: string][] = [
    ['little endian', {}, '1700000000.123456000'],
    ['big endian', { bigEndian: true }, '1700000000.123456000'],
    ['nanoseconds', { nanosecond: true }, '1700000000.000123456'],
    ['nanoseconds, big endian', { nanosecond: true, bigEndian: true }, '1700000000.000123456'],
    ['modified', { modified: true }, '1700000000.123456000'],
    ['modified, big endian', { modified: true, bigEndian: true }, '1700000000.123456000'],
    ['FCS length in the link type', { linkTypeHighBits: 0x2400 }, '1700000000.123456000'],
  ];
  for (const [name, fields, epoch] of dialects) {
    itWith('tshark', name, async () => {
      const withSum = fields.linkTypeHighBits === undefined ? FRAME4 : withFcs(FRAME4);
      const records = [
        { ...time, bytes: withSum, originalLength: 1500 },
        { ...time, bytes: FRAME6 },
      ];
      const file = save(classicPcap({ ...fields, records }));
      const found = await tsharkFields(file, ['frame.time_epoch', 'frame.len', 'tcp.seq_raw', '_ws.malformed']);
      expect(found[0]).toEqual([epoch, '1500', String(0x80000001), '']);
      expect(found).toHaveLength(2);
    });
  }

  itWith('tcpdump', 'tcpdump sees the same reset', () => {
    const file = save(classicPcap({ bigEndian: true, records: [{ ...time, bytes: FRAME4 }] }));
    expect(tcpdump(file)).toContain(
      'IP 192.0.2.20.7211 > 192.0.2.10.40000: Flags [R.], seq 2147483649, ack 4294967294, win 501',
    );
  });
});

describe('pcapng files, judged by tshark', () => {
  for (const bigEndian of [false, true]) {
    itWith('tshark', `every block, ${bigEndian ? 'big' : 'little'} endian`, async () => {
      const fields = [
        'frame.time_epoch',
        'frame.len',
        'frame.interface_name',
        'frame.comment',
        'frame.packet_flags',
        'frame.drop_count',
        'tcp.seq_raw',
        '_ws.malformed',
      ];
      // tshark counts a custom block as a packet too.
      const found = await tsharkFields(save(everyBlock(bigEndian).bytes()), fields, 'tcp');
      const seq = String(0x80000001);
      expect(found).toEqual([
        ['1700000000.123456789', '1500', 'eth0', 'one,two', '0x00000001', '3', seq, ''],
        ['1700000000.500000000', String(SIX.length), 'eth1', '', '', '', seq, ''],
        ['1700000000.123456789', String(FRAME4.length), 'eth0', '', '0x00000002', '2', seq, ''],
        ['', String(FRAME4.length), 'eth0', '', '', '', seq, ''],
      ]);
    });

    itWith(['capinfos', 'tshark'], `what blocks say, ${bigEndian ? 'big' : 'little'} endian`, async () => {
      const file = save(everyBlock(bigEndian).bytes());
      const about = execFileSync('capinfos', ['-M', file], { encoding: 'utf8' });
      for (const said of [
        /Capture comment: *file/,
        /Capture hardware: *h/,
        /Capture oper-sys: *o/,
        /Capture application: *a/,
        /Name = eth0/,
        /Description = first/,
        /Speed = 1000000000/,
        /Filter string = tcp/,
        /Operating system = Linux/,
        /Hardware = card/,
        /Time precision = nanoseconds/,
        /Number of stat entries = 1/,
      ]) {
        expect(about).toMatch(said);
      }
      // Of several names tshark keeps the last.
      const hosts = await tshark(['-r', file, '-q', '-z', 'hosts']);
      expect(hosts).toMatch(/192\.0\.2\.20\s+server\.example/);
      expect(hosts).toMatch(/2001:db8::20\s+b/);
    });
  }

  itWith('tshark', 'several sections, each in its own byte order', async () => {
    const builder: PcapngBuilder = pcapng({ bigEndian: true, sectionLength: 'measured' })
      .interface({ name: 'first' })
      .enhancedPacket({ timestamp: 1_000_000n, bytes: FRAME4 })
      .section({ sectionLength: 'measured' })
      .interface({ name: 'second', linkType: f.LINK.linuxSll })
      .enhancedPacket({ timestamp: 2_500_000n, bytes: f.sll(f.carriedIp(SIX)) });
    expect(await tsharkFields(save(builder.bytes()), ['frame.time_epoch', 'frame.protocols'])).toEqual([
      ['1.000000000', 'eth:ethertype:ip:tcp'],
      ['2.500000000', 'sll:ethertype:ipv6:tcp'],
    ]);
  });

  itWith('tshark', 'a block whose length lies is refused', async () => {
    const bytes = pcapng().interface().enhancedPacket({ bytes: FRAME4, leadingLength: 0x7ffffff0 }).bytes();
    await expect(tshark(['-r', save(bytes)])).rejects.toThrow(/damaged|corrupt/);
  });

  test('offsets are where the blocks begin', () => {
    const builder = pcapng().interface().enhancedPacket({ bytes: FRAME4 }).raw(hex('00'));
    const [section, description, packet, rest] = builder.offsets();
    expect([section, description, packet]).toEqual([0, 28, 48]);
    expect(builder.bytes()).toHaveLength((rest ?? 0) + 1);
  });
});

describe('arbitraries', () => {
  itWith('tshark', 'every stack of encapsulations is what tshark takes it for', async () => {
    // MPLS and ERSPAN guess at what they carry; a fixed seed keeps the judge's verdict the same on every run.
    const samples = fc.sample(fc.tuple(arbitrary.encapsulationStack(), arbitrary.tcpSegment({ reset: true })), {
      numRuns: 600,
      seed: 20,
    });
    const builder = pcapng().interface();
    for (const [layers, segment] of samples) builder.enhancedPacket({ bytes: arbitrary.stackFrame(layers, segment) });
    const rows = await readRows(save(builder.bytes()));
    expect(rows).toHaveLength(samples.length);
    for (const [index, [layers, { tcp, version, src }]] of samples.entries()) {
      const row = rows[index];
      expect([layers, innermost(row?.['tcp.seq_raw'] ?? ''), row?.['tcp.srcport']]).toEqual([
        layers,
        String(tcp.seq),
        String(tcp.srcPort),
      ]);
      const address = innermost((version === 4 ? row?.['ip.src'] : row?.['ipv6.src']) ?? '');
      expect(version === 4 ? address : ipv6Bytes(address)).toEqual(version === 4 ? src : ipv6Bytes(src));
      expect(row?.['tcp.checksum.status']).toBe('1');
    }
  });

  itWith('tshark', 'captures keep their order and their times', async () => {
    for (const description of fc.sample(arbitrary.capture({ reset: true }), { numRuns: 3, seed: 4 })) {
      const { bigEndian, nanosecond, records } = description;
      const file = save(classicPcap({ bigEndian, nanosecond, records: arbitrary.classicRecords(description) }));
      const found = await tsharkFields(file, ['frame.time_epoch']);
      const digits = nanosecond ? 9 : 6;
      expect(found.flat()).toEqual(
        records.map(({ seconds, fraction }) => `${seconds}.${String(fraction).padStart(digits, '0').padEnd(9, '0')}`),
      );
    }
  });

  test('addresses are written as addresses', () => {
    fc.assert(
      fc.property(arbitrary.macAddress(), arbitrary.addressPair(), arbitrary.port(), (mac, { src, dst }, port) => {
        expect(mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
        const outer = f.outerIp({ src, dst, protocol: 17, payload: f.udp({ dstPort: port, payload: hex('00') }) });
        expect(outer).toHaveLength(src.includes(':') ? 49 : 29);
      }),
    );
  });
});

describe('bytes', () => {
  test('the checksum of RFC 1071', () => {
    expect(internetChecksum(hex('0001 f203 f4f5 f6f7'))).toBe(0x220d);
  });

  test('IPv6 addresses in every form', () => {
    expect(ipv6Bytes('::')).toEqual(new Uint8Array(16));
    expect(ipv6Bytes('2001:db8::1')).toEqual(hex('20010db8000000000000000000000001'));
    expect(ipv6Bytes('::ffff:192.0.2.1')).toEqual(hex('00000000000000000000ffffc0000201'));
    expect(ipv6Bytes('1:2:3:4:5:6:7:8')).toEqual(hex('00010002000300040005000600070008'));
    expect(ipv6Bytes('fe80::')).toEqual(hex('fe800000000000000000000000000000'));
  });

  test('flags in tcpdump notation', () => {
    expect(['S', 'S.', 'SA', 'R.', 'FP.', 'UEW', ''].map((flags) => f.tcpFlags(flags))).toEqual([
      2, 18, 18, 20, 25, 224, 0,
    ]);
    expect(() => f.tcpFlags('X')).toThrow('not a TCP flag: X');
  });
});

describe('running programs', () => {
  test('the environment is bare and the exit code is told', async () => {
    const { code, codes, stdout } = await runShell('env | sort | cut -d= -f1 | tr "\\n" " "; (exit 3) | (exit 4)');
    expect(stdout.split(' ').filter((name) => !['_', 'PWD', 'SHLVL', ''].includes(name))).toEqual([
      'HOME',
      'NODE',
      'PATH',
      'RSTSCOPE',
      'TMPDIR',
      'TZ',
    ]);
    expect({ code, codes }).toEqual({ code: 4, codes: [3, 4] });
  });

  test('standard input as text, as bytes and in pieces; a reader that leaves is no error', async () => {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 1000; count += 1) yield Promise.resolve(new Uint8Array(1000));
    }
    expect((await runShell('cat', { stdin: 'text' })).stdout).toBe('text');
    expect((await runShell('cat', { stdin: hex('ff00') })).stdoutBytes).toEqual(Buffer.from([0xff, 0]));
    expect((await runShell('wc -c', { stdin: pieces() })).stdout.trim()).toBe('1000000');
    expect((await runShell('head -c 1 | wc -c', { stdin: pieces() })).stdout.trim()).toBe('1');
  });

  test('what runs too long is killed, and so is what it started', async () => {
    await expect(runShell('echo begun; sleep 60 | cat', { timeoutMs: 1500 })).rejects.toThrow(
      /longer than 1500 ms[^]*begun/,
    );
  });

  test('the program is reached, alone and from a shell', async () => {
    // Whether it is built or not, it is Node that answers; what it answers is other tests' affair.
    const alone = await runCli(['--version']);
    const piped = await runShell(`${cliCommand('--version')} | cat`);
    expect(piped.codes[0]).toBe(alone.code);
    expect(alone.stderr).toBe(piped.stderr);
  });

  test('quoting', async () => {
    const words = ["it's", 'a b', '$HOME', '', 'plain'];
    expect((await runShell(`printf '%s\\n' ${words.map(shellQuote).join(' ')}`)).stdout).toBe(`${words.join('\n')}\n`);
  });

  test('temporary folders are there', () => {
    expect(existsSync(tmpDir())).toBe(true);
  });
});

describe('tools', () => {
  test('what is missing is told from what is there', () => {
    expect([hasTool('sh'), hasTool('no-such-tool')]).toEqual([true, false]);
    expect(requireTool('sh')).toBe(true);
  });

  test('a missing tool throws where all are required', () => {
    withEnvironment('RSTSCOPE_REQUIRE_ALL', '1', () => {
      expect(() => requireTool('no-such-tool')).toThrow('needs no-such-tool');
    });
  });

  test('captures from elsewhere: a folder that is not there is an error', () => {
    withEnvironment('RSTSCOPE_PCAPS', path.join(folder, 'none'), () => {
      expect(() => foreignCaptures()).toThrow('does not exist');
    });
    withEnvironment('RSTSCOPE_PCAPS', folder, () => {
      expect(foreignCaptures()).toBe(folder);
    });
  });
});

function withEnvironment(name: string, value: string, body: () => void): void {
  const before = process.env[name];
  process.env[name] = value;
  try {
    body();
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = before;
  }
}
