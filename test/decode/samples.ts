/**
 * One frame of each kind with the same reset inside, what the walk asks for on its way, and where lower layers claim a
 * length. The comment in each is what tshark 4.0 says of it: its protocols, and its line without number and time.
 */
import { hex, text } from '../support/bytes.js';
import * as f from '../support/frames.js';
import type { LayerName } from '../../src/decode/walk.js';

/** `layer` at offset `at` asks for `need` bytes, in the order of the walk. The last is TCP's, up to its flags. */
export type Ask = readonly [layer: LayerName, at: number, need: number];

/** A length field of two bytes at offset `at`, counting from `from`; its layer's own header goes up to `header`. */
export interface Claim {
  readonly layer: LayerName;
  readonly at: number;
  readonly from: number;
  readonly header: number;
  readonly littleEndian?: boolean;
}

export interface Sample {
  readonly name: string;
  readonly linkType: number;
  readonly frame: Uint8Array;
  readonly version: 4 | 6;
  readonly asks: readonly Ask[];
  readonly claims?: readonly Claim[];
}

export const RESET = { srcPort: 7211, dstPort: 40000, seq: 0x80000001, ack: 0xfffffffe, flags: 'R.', window: 501 };
export const FOUR = f.resetPacket({ ...RESET, ttl: 63, id: 7 });
export const SIX = f.resetPacket({ ...RESET, src: '2001:db8::20', ttl: 63 });
export const FRAME4 = f.ethernet(f.carriedIp(FOUR));
export const FRAME6 = f.ethernet(f.carriedIp(SIX));
export const OUTER = { src: '198.51.100.1', dst: '198.51.100.2' };
export const OUTER6 = { src: '2001:db8:1::1', dst: '2001:db8:1::2' };
const SNAP4 = f.llcSnap(f.carriedIp(FOUR));
const SNAP6 = f.llcSnap(f.carriedIp(SIX));
const TCP = f.tcp(RESET);
const extension = f.ipv6Extensions;

export function inIp(protocol: number, payload: Uint8Array, outer = OUTER): Uint8Array {
  return f.ethernet(f.carriedIp(f.outerIp({ ...outer, protocol, payload })));
}

export function inUdp(dstPort: number, payload: Uint8Array, outer = OUTER): Uint8Array {
  return inIp(f.PROTOCOL.udp, f.udp({ dstPort, payload }), outer);
}

export function sixWith(...extensions: f.Ipv6Extension[]): Uint8Array {
  return f.ipv6({ src: '2001:db8::20', dst: '2001:db8::10', hopLimit: 63, extensions, payload: TCP });
}

/** What IPv4 at `at` with TCP behind it asks for. */
function four(at: number): Ask[] {
  return [
    ['ipv4', at, 20],
    ['tcp', at + 20, 14],
  ];
}

function six(at: number): Ask[] {
  return [
    ['ipv6', at, 40],
    ['tcp', at + 40, 14],
  ];
}

const ETHERNET: Ask = ['ethernet', 0, 14];
const fourTotal = (at: number): Claim => ({ layer: 'ipv4', at: at + 2, from: at, header: 20 });
const sixPayload = (at: number): Claim => ({ layer: 'ipv6', at: at + 4, from: at + 40, header: 0 });
const udpLength = (at: number): Claim => ({ layer: 'udp', at: at + 4, from: at, header: 8 });

export const SAMPLES: readonly Sample[] = [
  {
    // eth:ethertype:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'Ethernet, IPv4',
    linkType: f.LINK.ethernet,
    frame: FRAME4,
    version: 4,
    asks: [ETHERNET, ...four(14)],
    claims: [fourTotal(14)],
  },
  {
    // eth:ethertype:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'Ethernet, IPv6',
    linkType: f.LINK.ethernet,
    frame: FRAME6,
    version: 6,
    asks: [ETHERNET, ...six(14)],
    claims: [sixPayload(14)],
  },
  {
    // eth:ethertype:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=6 TSval=1 TSecr=2
    name: 'IPv4 options, TCP options, text',
    linkType: f.LINK.ethernet,
    frame: f.ethernet(
      f.carriedIp(
        f.ipv4({
          src: '192.0.2.20',
          dst: '192.0.2.10',
          options: hex('94040000'),
          payload: f.tcp({ ...RESET, options: f.tcpOptions.timestamps(1, 2), payload: text('No TCP') }),
        }),
      ),
    ),
    version: 4,
    asks: [ETHERNET, ['ipv4', 14, 20], ['ipv4', 14, 24], ['tcp', 38, 14]],
    claims: [{ layer: 'ipv4', at: 16, from: 14, header: 24 }],
  },
  {
    // eth:llc:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: '802.3 with LLC and SNAP',
    linkType: f.LINK.ethernet,
    frame: f.ethernet8023({ payload: SNAP4 }),
    version: 4,
    asks: [ETHERNET, ['llc', 14, 3], ['llc', 14, 8], ...four(22)],
    claims: [{ layer: 'ethernet', at: 12, from: 14, header: 0 }, fourTotal(22)],
  },
  {
    // eth:llc:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: '802.3 with LLC that says IP',
    linkType: f.LINK.ethernet,
    frame: f.ethernet8023({ payload: f.concat(hex('06 06 03'), FOUR) }),
    version: 4,
    asks: [ETHERNET, ['llc', 14, 3], ...four(17)],
  },
  {
    // eth:ethertype:vlan:ethertype:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'VLAN',
    linkType: f.LINK.ethernet,
    frame: f.ethernet(f.carriedVlan({ id: 10, priority: 5 }, f.carriedIp(FOUR))),
    version: 4,
    asks: [ETHERNET, ['vlan', 14, 4], ...four(18)],
  },
  {
    // eth:ethertype:vlan:llc:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'VLAN with an 802.3 length',
    linkType: f.LINK.ethernet,
    frame: f.ethernet(f.carriedVlan({ id: 10 }, { etherType: SNAP4.length, payload: SNAP4 })),
    version: 4,
    asks: [ETHERNET, ['vlan', 14, 4], ['llc', 18, 3], ['llc', 18, 8], ...four(26)],
    claims: [{ layer: 'vlan', at: 16, from: 18, header: 0 }],
  },
  {
    // eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:pppoes:ppp:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'PPPoE in QinQ',
    linkType: f.LINK.ethernet,
    frame: f.ethernet(
      f.carriedVlan(
        { id: 100, tpid: 0x88a8 },
        f.carriedVlan({ id: 20 }, { etherType: 0x8864, payload: f.pppoe({ sessionId: 9, payload: SIX }) }),
      ),
    ),
    version: 6,
    asks: [ETHERNET, ['vlan', 14, 4], ['vlan', 18, 4], ['pppoe', 22, 6], ['ppp', 28, 2], ...six(30)],
    claims: [{ layer: 'pppoe', at: 26, from: 28, header: 0 }],
  },
  {
    // eth:ethertype:mpls:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'MPLS',
    linkType: f.LINK.ethernet,
    frame: f.ethernet({ etherType: 0x8847, payload: f.mpls([16, 17], SIX) }),
    version: 6,
    asks: [ETHERNET, ['mpls', 14, 4], ['mpls', 18, 4], ['mpls', 22, 1], ...six(22)],
  },
  {
    // eth:ethertype:mpls:eth:ethertype:ip:tcp (told -d mpls.label==16,pwethcw)
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'MPLS pseudowire',
    linkType: f.LINK.ethernet,
    frame: f.ethernet({ etherType: 0x8847, payload: f.mpls([16], f.pseudowire(FRAME4)) }),
    version: 4,
    asks: [ETHERNET, ['mpls', 14, 4], ['mpls', 18, 1], ['mpls', 18, 4], ['ethernet', 22, 14], ...four(36)],
  },
  {
    // sll:ethertype:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'Linux cooked',
    linkType: f.LINK.linuxSll,
    frame: f.sll({ ...f.carriedIp(FOUR), packetType: 4 }),
    version: 4,
    asks: [['sll', 0, 16], ...four(16)],
  },
  {
    // sll:ethertype:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'Linux cooked 2',
    linkType: f.LINK.linuxSll2,
    frame: f.sll2({ ...f.carriedIp(SIX), interfaceIndex: 7, packetType: 3 }),
    version: 6,
    asks: [['sll2', 0, 20], ...six(20)],
  },
  {
    // null:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'NULL, little endian',
    linkType: f.LINK.null,
    frame: f.nullLoopback({ payload: FOUR }),
    version: 4,
    asks: [['null', 0, 4], ...four(4)],
  },
  {
    // null:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'NULL, big endian',
    linkType: f.LINK.null,
    frame: f.nullLoopback({ payload: SIX, bigEndian: true }),
    version: 6,
    asks: [['null', 0, 4], ...six(4)],
  },
  {
    // null:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'LOOP',
    linkType: f.LINK.loop,
    frame: f.loop({ payload: SIX, family: 24 }),
    version: 6,
    asks: [['null', 0, 4], ...six(4)],
  },
  // raw:ip:tcp
  // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
  { name: 'RAW', linkType: f.LINK.raw, frame: FOUR, version: 4, asks: [['raw', 0, 1], ...four(0)] },
  {
    // raw:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'RAW as OpenBSD numbers it',
    linkType: f.LINK.rawOpenBsd,
    frame: SIX,
    version: 6,
    asks: [['raw', 0, 1], ...six(0)],
  },
  // ip:tcp
  // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
  { name: 'IPV4', linkType: f.LINK.ipv4, frame: FOUR, version: 4, asks: four(0) },
  // ipv6:tcp
  // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
  { name: 'IPV6', linkType: f.LINK.ipv6, frame: SIX, version: 6, asks: six(0) },
  {
    // ppp:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'PPP',
    linkType: f.LINK.ppp,
    frame: f.ppp({ payload: FOUR }),
    version: 4,
    asks: [['ppp', 0, 2], ['ppp', 2, 1], ['ppp', 2, 2], ...four(4)],
  },
  {
    // ppp:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'PPP, one byte of protocol',
    linkType: f.LINK.ppp,
    frame: f.ppp({ payload: SIX, addressControl: false, compressedProtocol: true }),
    version: 6,
    asks: [['ppp', 0, 2], ...six(1)],
  },
  {
    // ppp:chdlc:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'Cisco HDLC on a PPP_HDLC link',
    linkType: f.LINK.pppHdlc,
    frame: f.ciscoHdlc(f.carriedIp(FOUR)),
    version: 4,
    asks: [['ppp', 0, 1], ['ppp', 0, 4], ...four(4)],
  },
  {
    // chdlc:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'Cisco HDLC',
    linkType: f.LINK.ciscoHdlc,
    frame: f.ciscoHdlc(f.carriedIp(SIX)),
    version: 6,
    asks: [['ppp', 0, 4], ...six(4)],
  },
  {
    // wlan:llc:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: '802.11',
    linkType: f.LINK.ieee80211,
    frame: f.ieee80211({ payload: SNAP4, fromDs: true }),
    version: 4,
    asks: [['ieee80211', 0, 2], ['ieee80211', 0, 24], ['llc', 24, 3], ['llc', 24, 8], ...four(32)],
  },
  {
    // wlan:llc:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: '802.11, four addresses, QoS, HT control',
    linkType: f.LINK.ieee80211,
    frame: f.ieee80211({ payload: SNAP6, toDs: true, fromDs: true, qos: true, order: true }),
    version: 6,
    asks: [['ieee80211', 0, 2], ['ieee80211', 0, 36], ['llc', 36, 3], ['llc', 36, 8], ...six(44)],
  },
  {
    // wlan:llc:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: '802.11 aggregate',
    linkType: f.LINK.ieee80211,
    frame: f.ieee80211({
      toDs: true,
      qos: true,
      amsdu: true,
      payload: f.amsduSubframe({ last: true, payload: SNAP4 }),
    }),
    version: 4,
    asks: [
      ['ieee80211', 0, 2],
      ['ieee80211', 0, 26],
      ['ieee80211', 26, 14],
      ['llc', 40, 3],
      ['llc', 40, 8],
      ...four(48),
    ],
    claims: [{ layer: 'ieee80211', at: 38, from: 40, header: 0 }],
  },
  {
    // radiotap:wlan_radio:wlan:llc:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'radiotap, 802.11 header padded',
    linkType: f.LINK.radiotap,
    frame: f.radiotap({
      tsft: 12345n,
      flags: 0x20,
      payload: f.ieee80211({ payload: SNAP4, fromDs: true, qos: true, padHeader: true }),
    }),
    version: 4,
    asks: [
      ['radiotap', 0, 8],
      ['radiotap', 0, 17],
      ['ieee80211', 17, 2],
      ['ieee80211', 17, 28],
      ['llc', 45, 3],
      ['llc', 45, 8],
      ...four(53),
    ],
  },
  {
    // ppi:wlan_radio:wlan:llc:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'PPI with 802.11',
    linkType: f.LINK.ppi,
    frame: f.ppi({ linkType: 105, payload: f.ieee80211({ payload: SNAP4, toDs: true }) }),
    version: 4,
    asks: [
      ['ppi', 0, 8],
      ['ppi', 0, 8],
      ['ieee80211', 8, 2],
      ['ieee80211', 8, 24],
      ['llc', 32, 3],
      ['llc', 32, 8],
      ...four(40),
    ],
  },
  {
    // fddi:llc:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'FDDI',
    linkType: f.LINK.fddi,
    frame: f.fddi(f.carriedIp(FOUR)),
    version: 4,
    asks: [['fddi', 0, 13], ['llc', 13, 3], ['llc', 13, 8], ...four(21)],
  },
  {
    // nflog:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'NFLOG',
    linkType: f.LINK.nflog,
    frame: f.nflog({ payload: FOUR, values: [{ type: f.NFLOG_TLV.prefix, data: text('drop') }] }),
    version: 4,
    asks: [['nflog', 0, 4], ['nflog', 4, 4], ['nflog', 4, 8], ['nflog', 12, 4], ...four(16)],
    claims: [{ layer: 'nflog', at: 12, from: 12, header: 4, littleEndian: true }],
  },
  {
    // pktap:pcap_pktdata:eth:ethertype:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'PKTAP',
    linkType: f.LINK.pktap,
    frame: f.pktap({ payload: FRAME4, interfaceName: 'en7' }),
    version: 4,
    asks: [['pktap', 0, 40], ['pktap', 0, 108], ['ethernet', 108, 14], ...four(122)],
  },
  {
    // eth:ethertype:ipv6:ipv6.hopopts:ipv6.routing:ipv6.fraghdr:ah:ipv6.dstopts:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'IPv6 extension headers',
    linkType: f.LINK.ethernet,
    frame: f.ethernet(
      f.carriedIp(
        sixWith(
          extension.hopByHop(),
          extension.routing(),
          extension.fragment({ id: 5 }),
          extension.ah(),
          extension.destination(),
        ),
      ),
    ),
    version: 6,
    asks: [
      ETHERNET,
      ['ipv6', 14, 40],
      ['ipv6', 54, 2],
      ['ipv6', 54, 8],
      ['ipv6', 62, 2],
      ['ipv6', 62, 24],
      ['ipv6', 86, 8],
      ['ah', 94, 12],
      ['ah', 94, 24],
      ['ipv6', 118, 2],
      ['ipv6', 118, 8],
      ['tcp', 126, 14],
    ],
    claims: [sixPayload(14)],
  },
  {
    // eth:ethertype:ip:ah:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'IPv4, authentication header',
    linkType: f.LINK.ethernet,
    frame: f.ethernet(f.carriedIp(f.ahInIpv4({ src: '192.0.2.20', dst: '192.0.2.10', payload: TCP }))),
    version: 4,
    asks: [ETHERNET, ['ipv4', 14, 20], ['ah', 34, 12], ['ah', 34, 24], ['tcp', 58, 14]],
    claims: [fourTotal(14)],
  },
  {
    // eth:ethertype:ip:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: '6in4',
    linkType: f.LINK.ethernet,
    frame: f.ethernet(f.carriedIp(f.ipInIp({ ...OUTER, payload: SIX }))),
    version: 6,
    asks: [ETHERNET, ['ipv4', 14, 20], ...six(34)],
    claims: [fourTotal(14), sixPayload(34)],
  },
  {
    // eth:ethertype:ipv6:gre:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'GRE with checksum, key and sequence',
    linkType: f.LINK.ethernet,
    frame: inIp(47, f.gre({ payload: FOUR, checksum: true, key: 0xdeadbeef, sequence: 9 }), OUTER6),
    version: 4,
    asks: [ETHERNET, ['ipv6', 14, 40], ['gre', 54, 4], ['gre', 54, 16], ...four(70)],
    claims: [sixPayload(14), fourTotal(70)],
  },
  {
    // eth:ethertype:ip:gre:ppp:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'GRE of PPTP',
    linkType: f.LINK.ethernet,
    frame: inIp(47, f.pptpGre({ callId: 5, payload: FOUR })),
    version: 4,
    asks: [
      ETHERNET,
      ['ipv4', 14, 20],
      ['gre', 34, 4],
      ['gre', 34, 12],
      ['ppp', 46, 2],
      ['ppp', 48, 1],
      ['ppp', 48, 2],
      ...four(50),
    ],
  },
  {
    // eth:ethertype:ip:gre:erspan:eth:ethertype:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'ERSPAN type I',
    linkType: f.LINK.ethernet,
    frame: inIp(47, f.erspan({ type: 1, frame: FRAME4 })),
    version: 4,
    asks: [ETHERNET, ['ipv4', 14, 20], ['gre', 34, 4], ['gre', 34, 4], ['ethernet', 38, 14], ...four(52)],
  },
  {
    // eth:ethertype:ip:gre:erspan:eth:ethertype:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'ERSPAN type II',
    linkType: f.LINK.ethernet,
    frame: inIp(47, f.erspan({ type: 2, session: 77, frame: FRAME4 })),
    version: 4,
    asks: [
      ETHERNET,
      ['ipv4', 14, 20],
      ['gre', 34, 4],
      ['gre', 34, 8],
      ['erspan', 42, 8],
      ['ethernet', 50, 14],
      ...four(64),
    ],
  },
  {
    // eth:ethertype:ip:gre:erspan:eth:ethertype:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'ERSPAN type III with a subheader',
    linkType: f.LINK.ethernet,
    frame: inIp(47, f.erspan({ type: 3, session: 1023, subheader: true, frame: FRAME6 })),
    version: 6,
    asks: [
      ETHERNET,
      ['ipv4', 14, 20],
      ['gre', 34, 4],
      ['gre', 34, 8],
      ['erspan', 42, 12],
      ['erspan', 42, 20],
      ['ethernet', 62, 14],
      ...six(76),
    ],
  },
  {
    // eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:tcp
    // 192.0.2.20 → 192.0.2.10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'VXLAN',
    linkType: f.LINK.ethernet,
    frame: inUdp(4789, f.vxlan({ vni: 0xabcdef, frame: FRAME4 })),
    version: 4,
    asks: [ETHERNET, ['ipv4', 14, 20], ['udp', 34, 8], ['vxlan', 42, 8], ['ethernet', 50, 14], ...four(64)],
    claims: [fourTotal(14), udpLength(34), fourTotal(64)],
  },
  {
    // eth:ethertype:ipv6:udp:geneve:eth:ethertype:ipv6:tcp
    // 2001:db8::20 → 2001:db8::10 TCP 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'Geneve with an option',
    linkType: f.LINK.ethernet,
    frame: inUdp(
      6081,
      f.geneve({ vni: 5, options: f.geneveOption({ class: 0x0102, type: 1, data: hex('01020304') }), payload: FRAME6 }),
      OUTER6,
    ),
    version: 6,
    asks: [
      ETHERNET,
      ['ipv6', 14, 40],
      ['udp', 54, 8],
      ['geneve', 62, 8],
      ['geneve', 62, 16],
      ['ethernet', 78, 14],
      ...six(92),
    ],
    claims: [sixPayload(14), udpLength(54)],
  },
  {
    // eth:ethertype:ip:udp:gtp:ip:tcp
    // 192.0.2.20 → 192.0.2.10 GTP <TCP> 7211 → 40000 [RST, ACK] Seq=2147483649 Ack=4294967294 Win=501 Len=0
    name: 'GTP-U with extension headers',
    linkType: f.LINK.ethernet,
    frame: inUdp(
      2152,
      f.gtpu({
        teid: 0x01020304,
        sequence: 4,
        extensions: [
          { type: 0xc0, content: hex('1234') },
          { type: 0x85, content: hex('1009 0000 0000') },
        ],
        payload: FOUR,
      }),
    ),
    version: 4,
    asks: [
      ETHERNET,
      ['ipv4', 14, 20],
      ['udp', 34, 8],
      ['gtp', 42, 8],
      ['gtp', 50, 4],
      ['gtp', 54, 1],
      ['gtp', 54, 4],
      ['gtp', 58, 1],
      ['gtp', 58, 8],
      ['raw', 66, 1],
      ...four(66),
    ],
    claims: [udpLength(34), { layer: 'gtp', at: 44, from: 50, header: 0 }],
  },
];
