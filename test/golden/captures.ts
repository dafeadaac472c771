/**
 * The golden captures that are built byte by byte: what cannot be recorded at will, and damage. One function a file.
 *
 * Times begin at 2026-03-01T12:00:00Z. Addresses are those that RFC 5737 and RFC 3849 keep for documentation.
 */
import { gzipSync } from 'node:zlib';
import { classicPcap, pcapng } from '../support/capture-bytes.js';
import {
  amsduSubframe,
  carriedIp,
  carriedVlan,
  erspan,
  ethernet,
  ethernet8023,
  fddi,
  fragmentIpv4,
  geneve,
  gre,
  gtpu,
  icmpError,
  ieee80211,
  ipInIp,
  ipv4,
  ipv6,
  ipv6Extensions,
  ahInIpv4,
  ETHER_TYPE,
  LINK,
  llcSnap,
  loop,
  mpls,
  nflog,
  nullLoopback,
  outerIp,
  pktap,
  ppi,
  ppp,
  pppoe,
  PROTOCOL,
  radiotap,
  resetFrame,
  resetPacket,
  segment,
  segmentPacket,
  sll,
  sll2,
  tcp,
  tcpOptions,
  udp,
  vxlan,
} from '../support/frames.js';

export const START = 1772366400;
const V6 = { src: '2001:db8::20', dst: '2001:db8::10' };

interface At {
  seconds: number;
  fraction?: number;
  bytes: Uint8Array;
  originalLength?: number;
}

/** Frames a tenth of a second apart, in microseconds. */
function every(frames: readonly Uint8Array[], step = 100_000): At[] {
  return frames.map((bytes, i) => ({
    seconds: START + Math.floor((i * step) / 1_000_000),
    fraction: (i * step) % 1_000_000,
    bytes,
  }));
}

function one(linkType: number, frames: readonly Uint8Array[]): Uint8Array {
  return classicPcap({ linkType, records: every(frames) });
}

const ip4 = (): Uint8Array => resetPacket({});
const ip6 = (): Uint8Array => resetPacket(V6);

/** A conversation that a server aborts: handshake, a request, an answer, R. with live numbers. */
function aborted(clientPort: number): Uint8Array[] {
  const client = { src: '192.0.2.10', srcPort: clientPort, dst: '192.0.2.20', dstPort: 8080 };
  const server = { src: '192.0.2.20', srcPort: 8080, dst: '192.0.2.10', dstPort: clientPort };
  return [
    segment({ ...client, seq: 1000, flags: 'S' }),
    segment({ ...server, seq: 5000, ack: 1001, flags: 'S.' }),
    segment({ ...client, seq: 1001, ack: 5001, flags: '.' }),
    segment({
      ...client,
      seq: 1001,
      ack: 5001,
      flags: 'P.',
      payload: new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'),
    }),
    segment({ ...server, seq: 5001, ack: 1019, flags: 'R.', window: 501, id: 4711 }),
  ];
}

/** Three refused connections, then one aborted. */
function story(): Uint8Array[] {
  const refused = [41000, 41001, 41002].flatMap((port, i) => [
    segment({ src: '192.0.2.10', srcPort: port, dst: '192.0.2.20', dstPort: 7211, seq: 100 + i, flags: 'S' }),
    resetFrame({ src: '192.0.2.20', srcPort: 7211, dst: '192.0.2.10', dstPort: port, ack: 101 + i }),
  ]);
  return [...refused, ...aborted(41003)];
}

/** The same reset on the way out of a container: veth, bridge, NIC; then behind a DNAT. */
function copies(): Uint8Array {
  const builder = pcapng({}).interface({ name: 'veth1' }).interface({ name: 'br0' }).interface({ name: 'eth0' });
  const base = BigInt(START) * 1_000_000n;
  const plain = {
    src: '10.0.0.5',
    srcPort: 8443,
    dst: '198.51.100.7',
    dstPort: 50000,
    seq: 77,
    ack: 88,
    window: 502,
    id: 99,
  };
  const frame = (over: object): Uint8Array => resetFrame({ ...plain, ...over });
  builder
    .enhancedPacket({ interface: 0, timestamp: base, bytes: frame({}) })
    .enhancedPacket({ interface: 1, timestamp: base + 8n, bytes: frame({}) })
    .enhancedPacket({
      interface: 2,
      timestamp: base + 21n,
      bytes: frame({ ttl: 63, srcMac: '02:00:00:00:00:77', dstMac: '02:00:00:00:00:78' }),
    })
    // Said twice on the same interfaces: a second reset.
    .enhancedPacket({ interface: 0, timestamp: base + 40n, bytes: frame({}) })
    .enhancedPacket({ interface: 1, timestamp: base + 48n, bytes: frame({}) })
    // A twin: the NAT gave the server's end another address and port.
    .enhancedPacket({
      interface: 0,
      timestamp: base + 1_000_000n,
      bytes: frame({ seq: 500, ack: 600, dstPort: 50001, id: 7 }),
    })
    .enhancedPacket({
      interface: 2,
      timestamp: base + 1_000_030n,
      bytes: frame({ src: '10.96.0.10', srcPort: 443, seq: 500, ack: 600, dstPort: 50001, id: 7, ttl: 63 }),
    });
  return builder.bytes();
}

function sections(): Uint8Array {
  const ns = BigInt(START) * 1_000_000_000n;
  return pcapng({ bigEndian: true, comments: ['the first section, big-endian'] })
    .interface({ name: 'eth0', tsresol: 9 })
    .interface({ linkType: LINK.linuxSll, name: 'any' })
    .enhancedPacket({
      interface: 0,
      timestamp: ns + 123_456_789n,
      bytes: resetFrame({}),
      comments: ['seen by a colleague'],
    })
    .enhancedPacket({
      interface: 1,
      timestamp: BigInt(START) * 1_000_000n + 200_000n,
      bytes: sll({ ...carriedIp(ip6()), packetType: 4 }),
    })
    .nameResolution({ names: [{ address: '192.0.2.10', names: ['client.example'] }] })
    .customBlock({ data: new Uint8Array([1, 2, 3, 4]) })
    .section({})
    .interface({ name: 'wlan0', tsresol: 3, tsoffset: BigInt(START) })
    .enhancedPacket({ timestamp: 500n, bytes: resetFrame({ dstPort: 40001 }), flags: 2 })
    .simplePacket({ bytes: resetFrame({ dstPort: 40002 }) })
    .obsoletePacket({ interface: 0, timestamp: 700n, bytes: resetFrame({ dstPort: 40003 }) })
    .interfaceStatistics({ interface: 0, received: 10n, dropped: 3n })
    .bytes();
}

/** Every frame is one that can't be used, each for another reason; and two resets that can. */
function odd(): Uint8Array {
  const options = tcpOptions.timestamps(1, 2);
  const whole = resetFrame({ options, window: 501 });
  const fragments = fragmentIpv4(segmentPacket({ flags: 'R.', payload: new Uint8Array(64) }), 40).map((part) =>
    ethernet(carriedIp(part)),
  );
  const records: At[] = every([
    whole.slice(0, 50),
    whole.slice(0, 48),
    whole.slice(0, 47),
    ...fragments,
    ethernet({ etherType: 0x0806, payload: new Uint8Array(28) }),
    ethernet(
      carriedIp(
        ipv4({
          src: '192.0.2.1',
          dst: '192.0.2.20',
          protocol: PROTOCOL.icmp,
          payload: icmpError({ version: 4, quoted: ip4() }),
        }),
      ),
    ),
    resetFrame({ dataOffset: 3 }),
    ethernet(
      carriedIp(
        ipv4({ src: '192.0.2.1', dst: '192.0.2.2', protocol: 6, totalLength: 12, payload: new Uint8Array(20) }),
      ),
    ),
    ethernet(
      carriedIp(
        ipv4({
          src: '192.0.2.1',
          dst: '192.0.2.2',
          totalLength: 0,
          payload: tcp({ srcPort: 1, dstPort: 2, flags: 'R', seq: 9 }),
        }),
      ),
    ),
    resetFrame({ padTo60: true }),
    resetFrame({ payload: new TextEncoder().encode('Go away, we are full') }),
  ]);
  for (const record of records.slice(0, 3)) record.originalLength = whole.length;
  return classicPcap({ records });
}

function corrupt(): Uint8Array {
  const frames = every(story());
  const third = frames[3];
  const records = frames.map((record) => (record === third ? { ...record, capturedLength: 0xfffffff0 } : record));
  return classicPcap({ records });
}

function unknownLinks(): Uint8Array {
  const base = BigInt(START) * 1_000_000n;
  return pcapng({})
    .interface({ name: 'eth0' })
    .interface({ name: 'can0', linkType: 227 })
    .enhancedPacket({ interface: 0, timestamp: base, bytes: resetFrame({}) })
    .enhancedPacket({ interface: 1, timestamp: base + 1n, bytes: new Uint8Array(16) })
    .bytes();
}

const wifi = (packet: Uint8Array): Uint8Array => llcSnap({ etherType: ETHER_TYPE.ipv4, payload: packet });
const inUdp = (dstPort: number, payload: Uint8Array): Uint8Array =>
  outerIp({
    src: '203.0.113.1',
    dst: '203.0.113.2',
    protocol: PROTOCOL.udp,
    payload: udp({ srcPort: 50000, dstPort, payload }),
  });
const inGre = (payload: Uint8Array): Uint8Array =>
  outerIp({ src: '203.0.113.1', dst: '203.0.113.2', protocol: PROTOCOL.gre, payload });

function tunnels(): Uint8Array {
  const frame = (n: number): Uint8Array => resetFrame({ dstPort: 42000 + n });
  const packet = (n: number): Uint8Array => resetPacket({ dstPort: 42000 + n });
  const outer = { src: '203.0.113.1', dst: '203.0.113.2' };
  const packets = [
    inUdp(4789, vxlan({ vni: 100, frame: frame(1) })),
    inUdp(8472, vxlan({ vni: 200, frame: frame(1) })),
    inUdp(6081, geneve({ vni: 300, protocol: ETHER_TYPE.ipv4, payload: packet(3) })),
    inUdp(2152, gtpu({ teid: 0xabcd, payload: packet(4) })),
    inGre(gre({ protocol: ETHER_TYPE.ipv4, key: 7, payload: packet(5) })),
    inGre(erspan({ type: 2, session: 12, frame: frame(6) })),
    inGre(erspan({ type: 3, session: 13, frame: frame(7) })),
    ipInIp({ ...outer, payload: packet(8) }),
    ipInIp({ ...outer, payload: ip6() }),
    ahInIpv4({
      src: '192.0.2.20',
      dst: '192.0.2.10',
      payload: tcp({ srcPort: 7211, dstPort: 42010, flags: 'R.', ack: 1001 }),
    }),
    ipv6({
      ...V6,
      extensions: [ipv6Extensions.hopByHop(), ipv6Extensions.destination()],
      payload: tcp({ srcPort: 7211, dstPort: 42011, flags: 'R', seq: 5 }),
    }),
  ];
  const links = [
    ethernet(carriedVlan({ id: 5, tpid: 0x88a8 }, carriedVlan({ id: 6 }, carriedIp(packet(20))))),
    ethernet(carriedVlan({ id: 7, tpid: 0x9100 }, carriedIp(packet(21)))),
    ethernet({ etherType: ETHER_TYPE.mpls, payload: mpls([16, 17], packet(22)) }),
    ethernet({ etherType: ETHER_TYPE.pppoe, payload: pppoe({ sessionId: 9, payload: packet(23) }) }),
    ethernet8023({ payload: wifi(packet(24)) }),
  ];
  return one(LINK.ethernet, [...packets.map((packet_) => ethernet(carriedIp(packet_))), ...links]);
}

/** File name → bytes. */
export const BUILT: Readonly<Record<string, () => Uint8Array>> = {
  'story.pcap': () => one(LINK.ethernet, story()),
  'story-be-nano.pcap': () =>
    classicPcap({
      bigEndian: true,
      nanosecond: true,
      records: every(story()).map((r) => ({ ...r, fraction: (r.fraction ?? 0) * 1000 + 7 })),
    }),
  'story-modified.pcap': () => classicPcap({ modified: true, records: every(story()) }),
  'story.pcap.gz': () => gzipSync(one(LINK.ethernet, story())),
  'story-cut.pcap': () => one(LINK.ethernet, story()).slice(0, -20),
  'story-corrupt.pcap': corrupt,
  'empty.pcap': () => one(LINK.ethernet, []),
  'lone-resets.pcap': () =>
    one(LINK.ethernet, [
      resetFrame({ src: '192.0.2.20', srcPort: 443, dst: '192.0.2.10', dstPort: 51000, flags: 'R', seq: 1, ack: 0 }),
      resetFrame({ src: '192.0.2.10', srcPort: 51001, dst: '192.0.2.20', dstPort: 50123, flags: 'R', seq: 2, ack: 0 }),
    ]),
  'copies.pcapng': copies,
  'sections.pcapng': sections,
  'odd.pcap': odd,
  'tunnels.pcap': tunnels,
  'unknown-links.pcapng': unknownLinks,
  'link-sll.pcap': () =>
    one(LINK.linuxSll, [sll({ ...carriedIp(ip4()), packetType: 4 }), sll({ ...carriedIp(ip6()), packetType: 0 })]),
  'link-sll2.pcap': () =>
    one(LINK.linuxSll2, [
      sll2({ ...carriedIp(ip4()), packetType: 4, interfaceIndex: 3 }),
      sll2({ ...carriedIp(ip6()), packetType: 0, interfaceIndex: 1 }),
    ]),
  'link-null.pcap': () =>
    one(LINK.null, [nullLoopback({ payload: ip4() }), nullLoopback({ family: 30, bigEndian: true, payload: ip6() })]),
  'link-loop.pcap': () => one(LINK.loop, [loop({ payload: ip4() }), loop({ family: 24, payload: ip6() })]),
  'link-raw.pcap': () => one(LINK.raw, [ip4(), ip6()]),
  'link-ppp.pcap': () =>
    one(LINK.ppp, [ppp({ payload: ip4() }), ppp({ compressedProtocol: true, addressControl: false, payload: ip4() })]),
  'link-radiotap.pcap': () =>
    one(LINK.radiotap, [
      radiotap({ tsft: 1n, payload: ieee80211({ qos: true, toDs: true, payload: wifi(ip4()) }) }),
      radiotap({
        payload: ieee80211({
          qos: true,
          fromDs: true,
          amsdu: true,
          payload: amsduSubframe({ last: true, payload: wifi(ip4()) }),
        }),
      }),
    ]),
  'link-ppi.pcap': () =>
    one(LINK.ppi, [ppi({ linkType: LINK.ieee80211, payload: ieee80211({ payload: wifi(ip4()) }) })]),
  'link-fddi.pcap': () => one(LINK.fddi, [fddi(carriedIp(ip4()))]),
  'link-nflog.pcap': () =>
    one(LINK.nflog, [nflog({ payload: ip4() }), nflog({ family: 10, bigEndian: true, payload: ip6() })]),
  'link-pktap.pcap': () => one(LINK.pktap, [pktap({ interfaceName: 'en0', payload: resetFrame({}) })]),
};
