/**
 * Builders of frames for the tests: TCP segments, the IP packets round them, the links and the tunnels round those.
 * Each is a pure function from a description to its bytes, composed from the inside out. Nothing here uses the code
 * under test, so that a decoder can be judged by what these functions were told to write.
 */
import { isIPv4 } from 'node:net';
import {
  concat,
  fixedText,
  internetChecksum,
  ipBytes,
  ipv4Bytes,
  ipv6Bytes,
  macBytes,
  padTo,
  padToMultiple,
  u16,
  u24,
  u32,
  u64,
  u8,
  withFcs,
  zeros,
} from './bytes.js';

export { concat, hex, withFcs } from './bytes.js';

/** Link types as capture files number them (the LINKTYPE_ values). */
export const LINK = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  fddi: 10,
  rawBsd: 12,
  rawOpenBsd: 14,
  pppHdlc: 50,
  pppEther: 51,
  raw: 101,
  ciscoHdlc: 104,
  ieee80211: 105,
  loop: 108,
  linuxSll: 113,
  radiotap: 127,
  ppi: 192,
  mpls: 219,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  pktap: 258,
  linuxSll2: 276,
} as const;

export const ETHER_TYPE = {
  ipv4: 0x0800,
  arp: 0x0806,
  transparentEthernet: 0x6558,
  vlan: 0x8100,
  ipv6: 0x86dd,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoeDiscovery: 0x8863,
  pppoe: 0x8864,
  pppInGre: 0x880b,
  serviceVlan: 0x88a8,
  oldServiceVlan: 0x9100,
  erspan: 0x88be,
  erspan3: 0x22eb,
} as const;

export const PROTOCOL = {
  hopByHop: 0,
  icmp: 1,
  ipip: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  routing: 43,
  fragment: 44,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  noNext: 59,
  destination: 60,
  mobility: 135,
  mplsInIp: 137,
} as const;

export const PPP_PROTOCOL = { ipv4: 0x0021, ipv6: 0x0057, mpls: 0x0281, lcp: 0xc021 } as const;
export const PORT = { gtpu: 2152, vxlan: 4789, geneve: 6081, mpls: 6635 } as const;
export const DEFAULT_SRC_MAC = '02:00:00:00:00:01';
export const DEFAULT_DST_MAC = '02:00:00:00:00:02';

const TCP_HEADER_LENGTH = 20;
const TCP_CHECKSUM_OFFSET = 16;
const UDP_HEADER_LENGTH = 8;
const UDP_CHECKSUM_OFFSET = 6;
const ICMP_CHECKSUM_OFFSET = 2;
const IPV4_HEADER_LENGTH = 20;
const IPV4_CHECKSUM_OFFSET = 10;
const GRE_CHECKSUM_OFFSET = 4;
const ETHERNET_MINIMUM = 60;
/** An IPv6 PadN option of six bytes, which fills a header of eight. */
const PAD_OPTION = Uint8Array.of(1, 4, 0, 0, 0, 0);

/** Something that an EtherType announces: what a link header, a VLAN tag or GRE carries. */
export interface Carried {
  etherType: number;
  payload: Uint8Array;
}

// ---- TCP ----

const FLAG_BITS: Readonly<Record<string, number>> = {
  F: 0x01,
  S: 0x02,
  R: 0x04,
  P: 0x08,
  '.': 0x10,
  A: 0x10,
  U: 0x20,
  E: 0x40,
  W: 0x80,
};

export interface TcpFields {
  srcPort: number;
  dstPort: number;
  seq?: number;
  ack?: number;
  /** The flags byte, or tcpdump's letters (`R.`, `S`, `FP.`; `A` may stand for `.`). */
  flags?: number | string;
  window?: number;
  options?: Uint8Array;
  payload?: Uint8Array;
  urgent?: number;
  /** The low four bits of byte 12: three reserved ones and AE (once NS). */
  reservedBits?: number;
  /** The header length to claim, in 32-bit words; by default the true one. */
  dataOffset?: number;
  /** A checksum to keep; by default the IP builder round this fills in the right one. */
  checksum?: number;
}

export function tcpFlags(flags: number | string): number {
  if (typeof flags === 'number') return flags;
  let bits = 0;
  for (const letter of flags) {
    const bit = FLAG_BITS[letter];
    if (bit === undefined) throw new Error(`not a TCP flag: ${letter}`);
    bits |= bit;
  }
  return bits;
}

export function tcp(fields: TcpFields): Uint8Array {
  const options = padToMultiple(fields.options ?? zeros(0), 4);
  const dataOffset = fields.dataOffset ?? (TCP_HEADER_LENGTH + options.length) / 4;
  return concat(
    u16(fields.srcPort),
    u16(fields.dstPort),
    u32(fields.seq ?? 0),
    u32(fields.ack ?? 0),
    u8(((dataOffset & 0x0f) << 4) | ((fields.reservedBits ?? 0) & 0x0f)),
    u8(tcpFlags(fields.flags ?? '.')),
    u16(fields.window ?? 0),
    u16(fields.checksum ?? 0),
    u16(fields.urgent ?? 0),
    options,
    fields.payload ?? zeros(0),
  );
}

export const tcpOptions = {
  eol: (): Uint8Array => u8(0),
  nop: (): Uint8Array => u8(1),
  mss: (size: number): Uint8Array => concat(u8(2), u8(4), u16(size)),
  windowScale: (shift: number): Uint8Array => concat(u8(3), u8(3), u8(shift)),
  sackPermitted: (): Uint8Array => concat(u8(4), u8(2)),
  sack: (...edges: readonly (readonly [left: number, right: number])[]): Uint8Array =>
    concat(u8(5), u8(2 + 8 * edges.length), ...edges.flatMap(([left, right]) => [u32(left), u32(right)])),
  timestamps: (value: number, echo: number): Uint8Array => concat(u8(8), u8(10), u32(value), u32(echo)),
  raw: (kind: number, data: Uint8Array, length = data.length + 2): Uint8Array => concat(u8(kind), u8(length), data),
};

// ---- IP ----

export interface Ipv4Fields {
  src: string;
  dst: string;
  ttl?: number;
  id?: number;
  /** TCP by default. */
  protocol?: number;
  trafficClass?: number;
  /** `offset` counts bytes, a multiple of 8. By default a whole packet with DF. */
  fragment?: { df?: boolean; mf?: boolean; offset?: number };
  options?: Uint8Array;
  /** The length to claim; 0 is what a sender with segmentation offload captures. */
  totalLength?: number;
  /** The header length to claim, in 32-bit words. */
  headerWords?: number;
  version?: number;
  checksum?: number;
  /** false leaves an inner TCP, UDP or ICMPv6 checksum of zero as it is. */
  fillChecksum?: boolean;
  payload: Uint8Array;
}

export function ipv4(fields: Ipv4Fields): Uint8Array {
  const { src, dst, protocol = PROTOCOL.tcp, fragment = { df: true } } = fields;
  const { df = false, mf = false, offset = 0 } = fragment;
  if (offset % 8 !== 0) throw new Error(`a fragment offset is a multiple of 8, not ${String(offset)}`);
  const options = padToMultiple(fields.options ?? zeros(0), 4);
  const headerLength = IPV4_HEADER_LENGTH + options.length;
  const whole = !mf && offset === 0 && fields.fillChecksum !== false;
  const payload = whole ? checksummed(protocol, src, dst, fields.payload) : fields.payload;
  const header = concat(
    u8(((fields.version ?? 4) << 4) | (fields.headerWords ?? headerLength / 4)),
    u8(fields.trafficClass ?? 0),
    u16(fields.totalLength ?? headerLength + payload.length),
    u16(fields.id ?? 0),
    u16((df ? 0x4000 : 0) | (mf ? 0x2000 : 0) | (offset / 8)),
    u8(fields.ttl ?? 64),
    u8(protocol),
    u16(0),
    ipv4Bytes(src),
    ipv4Bytes(dst),
    options,
  );
  header.set(u16(fields.checksum ?? internetChecksum(header)), IPV4_CHECKSUM_OFFSET);
  return concat(header, payload);
}

/** An IPv6 extension header: its number, and its bytes once the header after it is known. */
export interface Ipv6Extension {
  number: number;
  build(nextHeader: number): Uint8Array;
}

export interface Ipv6Fields {
  src: string;
  dst: string;
  hopLimit?: number;
  flowLabel?: number;
  trafficClass?: number;
  /** What follows the last extension header: TCP by default. */
  nextHeader?: number;
  extensions?: readonly Ipv6Extension[];
  payloadLength?: number;
  /** The address the checksum is made with when a routing header has segments left. */
  finalDestination?: string;
  fillChecksum?: boolean;
  payload: Uint8Array;
}

export function ipv6(fields: Ipv6Fields): Uint8Array {
  const { src, dst, nextHeader = PROTOCOL.tcp, extensions = [], finalDestination = dst } = fields;
  const whole = fields.fillChecksum !== false;
  let body = whole ? checksummed(nextHeader, src, finalDestination, fields.payload) : fields.payload;
  let next = nextHeader;
  for (const extension of [...extensions].reverse()) {
    body = concat(extension.build(next), body);
    next = extension.number;
  }
  return concat(
    u32(0x60000000 | ((fields.trafficClass ?? 0) << 20) | ((fields.flowLabel ?? 0) & 0xfffff)),
    u16(fields.payloadLength ?? body.length),
    u8(next),
    u8(fields.hopLimit ?? 64),
    ipv6Bytes(src),
    ipv6Bytes(dst),
    body,
  );
}

export const ipv6Extensions = {
  hopByHop: (options?: Uint8Array): Ipv6Extension => optionsHeader(PROTOCOL.hopByHop, options),
  destination: (options?: Uint8Array): Ipv6Extension => optionsHeader(PROTOCOL.destination, options),
  /** A routing header; the default is one of type 2 with no segment left. */
  routing: ({
    type = 2,
    segmentsLeft = 0,
    addresses = ['2001:db8::99'],
  }: { type?: number; segmentsLeft?: number; addresses?: readonly string[] } = {}): Ipv6Extension => ({
    number: PROTOCOL.routing,
    build: (next) =>
      concat(u8(next), u8(2 * addresses.length), u8(type), u8(segmentsLeft), u32(0), ...addresses.map(ipv6Bytes)),
  }),
  /** `offset` counts bytes. With `more` or an offset, pass `fillChecksum: false` and a slice of a `checksummed` payload. */
  fragment: ({
    offset = 0,
    more = false,
    id = 1,
  }: { offset?: number; more?: boolean; id?: number } = {}): Ipv6Extension => ({
    number: PROTOCOL.fragment,
    build: (next) => concat(u8(next), u8(0), u16(offset | (more ? 1 : 0)), u32(id)),
  }),
  /** An authentication header; its length field counts 32-bit words less two. Also good inside IPv4, see `ahInIpv4`. */
  ah: ({
    spi = 0x100,
    sequence = 1,
    icv = zeros(12),
  }: { spi?: number; sequence?: number; icv?: Uint8Array } = {}): Ipv6Extension => ({
    number: PROTOCOL.ah,
    build: (next) => concat(u8(next), u8((12 + icv.length) / 4 - 2), u16(0), u32(spi), u32(sequence), icv),
  }),
  mobility: (type = 0): Ipv6Extension => ({
    number: PROTOCOL.mobility,
    build: (next) => concat(u8(next), u8(0), u8(type), zeros(5)),
  }),
  raw: (number: number, build: (nextHeader: number) => Uint8Array): Ipv6Extension => ({ number, build }),
};

/** An IPv4 packet with an authentication header before its TCP segment. */
export function ahInIpv4(fields: Ipv4Fields): Uint8Array {
  const { protocol = PROTOCOL.tcp, src, dst } = fields;
  const payload = concat(ipv6Extensions.ah().build(protocol), checksummed(protocol, src, dst, fields.payload));
  return ipv4({ ...fields, protocol: PROTOCOL.ah, payload });
}

/** The payload with its TCP, UDP or ICMPv6 checksum filled in where it was zero. */
export function checksummed(protocol: number, src: string, dst: string, payload: Uint8Array): Uint8Array {
  const offset = checksumOffset(protocol);
  if (offset === undefined || payload.length < offset.minimum) return payload;
  if (payload[offset.at] !== 0 || payload[offset.at + 1] !== 0) return payload;
  const pseudoHeader = concat(ipBytes(src), ipBytes(dst), u32(payload.length), u32(protocol));
  const sum = internetChecksum(pseudoHeader, payload);
  const filled = Uint8Array.from(payload);
  filled.set(u16(sum === 0 && protocol === PROTOCOL.udp ? 0xffff : sum), offset.at);
  return filled;
}

/** Cuts a whole IPv4 packet without options into fragments of at most `size` payload bytes (a multiple of 8). */
export function fragmentIpv4(packet: Uint8Array, size: number): Uint8Array[] {
  const payload = packet.subarray(IPV4_HEADER_LENGTH);
  const fragments: Uint8Array[] = [];
  for (let offset = 0; offset < payload.length; offset += size) {
    const piece = payload.subarray(offset, offset + size);
    const header = Uint8Array.from(packet.subarray(0, IPV4_HEADER_LENGTH));
    header.set(u16(IPV4_HEADER_LENGTH + piece.length), 2);
    header.set(u16((offset + piece.length < payload.length ? 0x2000 : 0) | (offset / 8)), 6);
    header.set(u16(0), IPV4_CHECKSUM_OFFSET);
    header.set(u16(internetChecksum(header)), IPV4_CHECKSUM_OFFSET);
    fragments.push(concat(header, piece));
  }
  return fragments;
}

function checksumOffset(protocol: number): { at: number; minimum: number } | undefined {
  if (protocol === PROTOCOL.tcp) return { at: TCP_CHECKSUM_OFFSET, minimum: TCP_HEADER_LENGTH };
  if (protocol === PROTOCOL.udp) return { at: UDP_CHECKSUM_OFFSET, minimum: UDP_HEADER_LENGTH };
  if (protocol === PROTOCOL.icmpv6) return { at: ICMP_CHECKSUM_OFFSET, minimum: 8 };
  return undefined;
}

function optionsHeader(number: number, options: Uint8Array = PAD_OPTION): Ipv6Extension {
  const padding = (8 - ((options.length + 2) % 8)) % 8;
  const filler = padding === 0 ? zeros(0) : padding === 1 ? u8(0) : concat(u8(1), u8(padding - 2), zeros(padding - 2));
  const body = concat(options, filler);
  return { number, build: (next) => concat(u8(next), u8((body.length + 2) / 8 - 1), body) };
}

// ---- Links ----

/** An IP packet with the EtherType that announces it. */
export function carriedIp(packet: Uint8Array): Carried {
  return { etherType: (packet[0] ?? 0) >> 4 === 6 ? ETHER_TYPE.ipv6 : ETHER_TYPE.ipv4, payload: packet };
}

export interface EthernetFields extends Carried {
  src?: string;
  dst?: string;
  padTo60?: boolean;
}

export function ethernet(fields: EthernetFields): Uint8Array {
  const { src = DEFAULT_SRC_MAC, dst = DEFAULT_DST_MAC, etherType, payload, padTo60 = false } = fields;
  const frame = concat(macBytes(dst), macBytes(src), u16(etherType), payload);
  return padTo60 ? padTo(frame, ETHERNET_MINIMUM) : frame;
}

/** An 802.3 frame: a length where Ethernet II has its type; the payload begins with LLC (see `llcSnap`). */
export function ethernet8023(fields: {
  src?: string;
  dst?: string;
  length?: number;
  padTo60?: boolean;
  payload: Uint8Array;
}): Uint8Array {
  return ethernet({ ...fields, etherType: fields.length ?? fields.payload.length });
}

export interface VlanFields {
  id: number;
  /** What announces the tag: 0x8100 by default. */
  tpid?: number;
  priority?: number;
  dropEligible?: boolean;
}

/** The tag after its TPID: control information, the inner EtherType, what that announces. */
export function vlan(fields: VlanFields & Carried): Uint8Array {
  const control = ((fields.priority ?? 0) << 13) | (fields.dropEligible === true ? 0x1000 : 0) | (fields.id & 0xfff);
  return concat(u16(control), u16(fields.etherType), fields.payload);
}

/** The same with its TPID, ready to be spread into a link: `ethernet({...carriedVlan({id: 5}, carriedIp(packet))})`. */
export function carriedVlan(tag: VlanFields, inner: Carried): Carried {
  return { etherType: tag.tpid ?? ETHER_TYPE.vlan, payload: vlan({ ...tag, ...inner }) };
}

export function llcSnap(fields: Carried & { oui?: number }): Uint8Array {
  return concat(Uint8Array.of(0xaa, 0xaa, 0x03), u24(fields.oui ?? 0), u16(fields.etherType), fields.payload);
}

export interface CookedFields extends Carried {
  /** 0 to us, 1 broadcast, 2 multicast, 3 to somebody else, 4 sent by us. */
  packetType?: number;
  /** ARPHRD_ of the device: 1 Ethernet, 772 loopback, 65534 none. */
  arphrd?: number;
  /** The sender's link address, a MAC or nothing. */
  address?: string | null;
}

/** Linux cooked capture v1 (DLT_LINUX_SLL). */
export function sll(fields: CookedFields): Uint8Array {
  const address = cookedAddress(fields);
  return concat(
    u16(fields.packetType ?? 0),
    u16(fields.arphrd ?? 1),
    u16(address.length),
    padTo(address, 8),
    u16(fields.etherType),
    fields.payload,
  );
}

/** Linux cooked capture v2 (DLT_LINUX_SLL2). */
export function sll2(fields: CookedFields & { interfaceIndex?: number }): Uint8Array {
  const address = cookedAddress(fields);
  return concat(
    u16(fields.etherType),
    u16(0),
    u32(fields.interfaceIndex ?? 2),
    u16(fields.arphrd ?? 1),
    u8(fields.packetType ?? 0),
    u8(address.length),
    padTo(address, 8),
    fields.payload,
  );
}

/** DLT_NULL: the address family in the byte order of the machine that captured. IPv6 is 10, 24, 28 or 30 by system. */
export function nullLoopback(fields: { family?: number; bigEndian?: boolean; payload: Uint8Array }): Uint8Array {
  return concat(u32(fields.family ?? familyOf(fields.payload), fields.bigEndian !== true), fields.payload);
}

/** DLT_LOOP: the same in network order. */
export function loop(fields: { family?: number; payload: Uint8Array }): Uint8Array {
  return nullLoopback({ ...fields, bigEndian: true });
}

/** DLT_RAW and its like: no link header at all. */
export function raw(packet: Uint8Array): Uint8Array {
  return packet;
}

export interface PppFields {
  protocol?: number;
  /** Begin with the address and control bytes FF 03; true by default. */
  addressControl?: boolean;
  /** Write a protocol below 256 as one byte. */
  compressedProtocol?: boolean;
  payload: Uint8Array;
}

export function ppp(fields: PppFields): Uint8Array {
  const { addressControl = true, compressedProtocol = false, payload } = fields;
  const protocol = fields.protocol ?? pppProtocolOf(payload);
  const start = addressControl ? Uint8Array.of(0xff, 0x03) : zeros(0);
  return concat(start, compressedProtocol ? u8(protocol) : u16(protocol), payload);
}

/** Cisco HDLC, which DLT_PPP_HDLC may hold too. */
export function ciscoHdlc(fields: Carried): Uint8Array {
  return concat(Uint8Array.of(0x0f, 0x00), u16(fields.etherType), fields.payload);
}

export interface PppoeFields {
  sessionId?: number;
  code?: number;
  protocol?: number;
  length?: number;
  payload: Uint8Array;
}

/** A PPPoE session packet (EtherType 0x8864, or a whole DLT_PPP_ETHER frame). */
export function pppoe(fields: PppoeFields): Uint8Array {
  const inner = ppp({
    protocol: fields.protocol ?? pppProtocolOf(fields.payload),
    addressControl: false,
    payload: fields.payload,
  });
  return concat(u8(0x11), u8(fields.code ?? 0), u16(fields.sessionId ?? 1), u16(fields.length ?? inner.length), inner);
}

export interface Ieee80211Fields {
  /** 2, data, by default. */
  type?: number;
  subtype?: number;
  qos?: boolean;
  toDs?: boolean;
  fromDs?: boolean;
  /** The order bit: a QoS frame then carries four bytes of HT control. */
  order?: boolean;
  protected?: boolean;
  moreFragments?: boolean;
  fragmentNumber?: number;
  /** Pad the header to a multiple of four, as some drivers do and radiotap's flag 0x20 says. */
  padHeader?: boolean;
  /** A-MSDU: the body is then a list of subframes (see `amsduSubframe`). */
  amsdu?: boolean;
  /** Station, destination, access point; with both DS bits also the transmitter. */
  src?: string;
  dst?: string;
  bssid?: string;
  transmitter?: string;
  /** The body: LLC/SNAP for data. */
  payload: Uint8Array;
}

/** An 802.11 frame without radiotap and without frame check sequence (see `withFcs`). */
export function ieee80211(fields: Ieee80211Fields): Uint8Array {
  const { type = 2, qos = false, toDs = false, fromDs = false, order = false } = fields;
  const { src = DEFAULT_SRC_MAC, dst = DEFAULT_DST_MAC, bssid = '02:00:00:00:00:0a' } = fields;
  const transmitter = fields.transmitter ?? '02:00:00:00:00:0b';
  const subtype = fields.subtype ?? (qos ? 8 : 0);
  const flags =
    (toDs ? 0x01 : 0) |
    (fromDs ? 0x02 : 0) |
    (fields.moreFragments === true ? 0x04 : 0) |
    (fields.protected === true ? 0x40 : 0) |
    (order ? 0x80 : 0);
  const addresses = toDs
    ? fromDs
      ? [bssid, transmitter, dst]
      : [bssid, src, dst]
    : fromDs
      ? [dst, bssid, src]
      : [dst, src, bssid];
  const header = concat(
    u8((subtype << 4) | (type << 2)),
    u8(flags),
    u16(0),
    ...addresses.map(macBytes),
    u16((0x10 << 4) | (fields.fragmentNumber ?? 0), true),
    toDs && fromDs ? macBytes(src) : zeros(0),
    qos ? Uint8Array.of(fields.amsdu === true ? 0x80 : 0, 0) : zeros(0),
    qos && order ? zeros(4) : zeros(0),
  );
  return concat(fields.padHeader === true ? padToMultiple(header, 4) : header, fields.payload);
}

/** One subframe of an A-MSDU; all but the last are padded to a multiple of four. */
export function amsduSubframe(fields: { src?: string; dst?: string; last?: boolean; payload: Uint8Array }): Uint8Array {
  const subframe = ethernet8023({
    src: fields.src ?? DEFAULT_SRC_MAC,
    dst: fields.dst ?? DEFAULT_DST_MAC,
    payload: fields.payload,
  });
  return fields.last === true ? subframe : padToMultiple(subframe, 4);
}

export interface RadiotapFields {
  /** TSFT (bit 0), an aligned 64-bit field that moves the flags back by eight bytes. */
  tsft?: bigint;
  /** The flags field (bit 1): 0x10 says a frame check sequence is at the end, 0x20 that the header is padded. */
  flags?: number;
  /** Append a frame check sequence and say so in the flags. */
  fcsAtEnd?: boolean;
  /** Further presence words, each empty, that make the header longer. */
  extraPresenceWords?: number;
  /** Bytes after the known fields; the header's length counts them. */
  trailing?: Uint8Array;
  /** The header length to claim. */
  length?: number;
  payload: Uint8Array;
}

export function radiotap(fields: RadiotapFields): Uint8Array {
  const { tsft, fcsAtEnd = false, extraPresenceWords = 0, trailing = zeros(0), payload } = fields;
  const hasFlags = fields.flags !== undefined || fcsAtEnd;
  const presence: Uint8Array[] = [];
  for (let word = 0; word <= extraPresenceWords; word += 1) {
    const own = word === 0 ? (tsft === undefined ? 0 : 1) | (hasFlags ? 2 : 0) : 0;
    // Bit 29 keeps the radiotap namespace for the next word, bit 31 says there is one.
    presence.push(u32(word < extraPresenceWords ? own + 0xa0000000 : own, true));
  }
  const fixed = 4 + 4 * presence.length;
  const alignment = tsft === undefined ? zeros(0) : zeros((8 - (fixed % 8)) % 8);
  const values = concat(
    alignment,
    tsft === undefined ? zeros(0) : u64(tsft, true),
    hasFlags ? u8((fields.flags ?? 0) | (fcsAtEnd ? 0x10 : 0)) : zeros(0),
    trailing,
  );
  const length = fields.length ?? fixed + values.length;
  return concat(u8(0), u8(0), u16(length, true), ...presence, values, fcsAtEnd ? withFcs(payload) : payload);
}

/** Per-packet information: a little-endian header that names the link type of what follows. */
export function ppi(fields: {
  linkType: number;
  fields?: Uint8Array;
  flags?: number;
  payload: Uint8Array;
}): Uint8Array {
  const extra = fields.fields ?? zeros(0);
  return concat(
    u8(0),
    u8(fields.flags ?? 0),
    u16(8 + extra.length, true),
    u32(fields.linkType, true),
    extra,
    fields.payload,
  );
}

/** FDDI: a frame control byte, two addresses, LLC/SNAP. */
export function fddi(fields: Carried & { frameControl?: number; src?: string; dst?: string }): Uint8Array {
  return concat(
    u8(fields.frameControl ?? 0x50),
    macBytes(fields.dst ?? DEFAULT_DST_MAC),
    macBytes(fields.src ?? DEFAULT_SRC_MAC),
    llcSnap(fields),
  );
}

export interface MplsLabel {
  label: number;
  trafficClass?: number;
  ttl?: number;
}

/** A label stack, the outermost label first; the last one has the bottom bit. */
export function mpls(labels: readonly (number | MplsLabel)[], payload: Uint8Array): Uint8Array {
  const entries = labels.map((entry, index) => {
    const { label, trafficClass = 0, ttl = 64 } = typeof entry === 'number' ? { label: entry } : entry;
    const bottom = index === labels.length - 1 ? 0x100 : 0;
    return u32(label * 0x1000 + ((trafficClass & 7) << 9) + bottom + ttl);
  });
  return concat(...entries, payload);
}

/** An Ethernet pseudowire: a control word, then the frame; the payload of `mpls`. */
export function pseudowire(frame: Uint8Array): Uint8Array {
  return concat(u32(0), frame);
}

export const NFLOG_TLV = { packetHeader: 1, inInterface: 4, outInterface: 5, payload: 9, prefix: 10 } as const;

export interface NflogFields {
  /** 2 IPv4, 10 IPv6; by the packet by default. */
  family?: number;
  /** Values before the payload. */
  values?: readonly { type: number; data: Uint8Array }[];
  /** The byte order of lengths and types: that of the machine that captured. */
  bigEndian?: boolean;
  payload: Uint8Array;
}

export function nflog(fields: NflogFields): Uint8Array {
  const littleEndian = fields.bigEndian !== true;
  const ifIndex = { type: NFLOG_TLV.inInterface, data: u32(2) };
  const all = [...(fields.values ?? [ifIndex]), { type: NFLOG_TLV.payload, data: fields.payload }];
  const family = fields.family ?? ((fields.payload[0] ?? 0) >> 4 === 6 ? 10 : 2);
  return concat(
    u8(family),
    u8(0),
    u16(0),
    ...all.map(({ type, data }) =>
      padToMultiple(concat(u16(4 + data.length, littleEndian), u16(type, littleEndian), data), 4),
    ),
  );
}

export interface PktapFields {
  linkType?: number;
  interfaceName?: string;
  pid?: number;
  command?: string;
  /** The length of the inner link header. */
  preLength?: number;
  /** The header length to claim; newer systems write more than these 108 bytes. */
  headerLength?: number;
  extra?: Uint8Array;
  payload: Uint8Array;
}

/** Apple's PKTAP, version 1: a little-endian header of 108 bytes that names the inner link type and a process. */
export function pktap(fields: PktapFields): Uint8Array {
  const { linkType = LINK.ethernet, extra = zeros(0), command = 'curl', pid = 4242 } = fields;
  const header = concat(
    u32(1, true), // the record is a packet
    u32(linkType, true),
    fixedText(fields.interfaceName ?? 'en0', 24),
    u32(1, true), // direction: in
    u32(2, true), // protocol family
    u32(fields.preLength ?? (linkType === LINK.ethernet ? 14 : 0), true),
    u32(0, true), // length of the inner trailer
    u32(pid, true),
    fixedText(command, 20),
    u32(0, true), // service class
    u16(6, true), // interface type
    u16(0, true), // interface unit
    u32(pid, true),
    fixedText(command, 20),
    extra,
  );
  return concat(u32(fields.headerLength ?? header.length + 4, true), header, fields.payload);
}

// ---- Tunnels ----

export interface GreFields {
  /** An EtherType; by the payload's IP version by default. */
  protocol?: number;
  key?: number;
  checksum?: boolean;
  sequence?: number;
  /** 1 is PPTP's: the key then holds the payload's length and the call. */
  version?: number;
  acknowledgement?: number;
  payload: Uint8Array;
}

export function gre(fields: GreFields): Uint8Array {
  const { key, checksum = false, sequence, version = 0, acknowledgement, payload } = fields;
  const protocol = fields.protocol ?? (version === 1 ? ETHER_TYPE.pppInGre : carriedIp(payload).etherType);
  const flags =
    (checksum ? 0x8000 : 0) |
    (key === undefined ? 0 : 0x2000) |
    (sequence === undefined ? 0 : 0x1000) |
    (acknowledgement === undefined ? 0 : 0x0080) |
    version;
  const packet = concat(
    u16(flags),
    u16(protocol),
    checksum ? u32(0) : zeros(0),
    key === undefined ? zeros(0) : u32(key),
    sequence === undefined ? zeros(0) : u32(sequence),
    acknowledgement === undefined ? zeros(0) : u32(acknowledgement),
    payload,
  );
  if (checksum) packet.set(u16(internetChecksum(packet)), GRE_CHECKSUM_OFFSET);
  return packet;
}

/** Enhanced GRE with PPP inside, as PPTP sends it. */
export function pptpGre(fields: { callId?: number; sequence?: number; payload: Uint8Array }): Uint8Array {
  const payload = ppp({ payload: fields.payload });
  return gre({
    version: 1,
    key: payload.length * 0x10000 + (fields.callId ?? 1),
    sequence: fields.sequence ?? 1,
    payload,
  });
}

export interface ErspanFields {
  type: 1 | 2 | 3;
  /** The session; type I has none. */
  session?: number;
  vlan?: number;
  sequence?: number;
  /** Type III: add the eight bytes of a platform-specific subheader. */
  subheader?: boolean;
  /** The mirrored Ethernet frame. */
  frame: Uint8Array;
}

/** A mirrored frame in GRE: type I has no header of its own, type II eight bytes, type III twelve or twenty. */
export function erspan(fields: ErspanFields): Uint8Array {
  const { type, session = 1, vlan: vlanId = 0, sequence = 1, subheader = false, frame } = fields;
  if (type === 1) return gre({ protocol: ETHER_TYPE.erspan, payload: frame });
  const start = concat(u16(((type - 1) << 12) | (vlanId & 0xfff)), u16(session & 0x3ff));
  if (type === 2) return gre({ protocol: ETHER_TYPE.erspan, sequence, payload: concat(start, u32(0), frame) });
  const end = concat(u32(0), u16(0), u16(subheader ? 1 : 0), subheader ? zeros(8) : zeros(0));
  return gre({ protocol: ETHER_TYPE.erspan3, sequence, payload: concat(start, end, frame) });
}

/** The outer IP packet of a tunnel, IPv4 or IPv6 by its addresses. */
export function outerIp(fields: { src: string; dst: string; protocol: number; payload: Uint8Array }): Uint8Array {
  const { src, dst, protocol, payload } = fields;
  return isIPv4(src) ? ipv4({ src, dst, protocol, payload }) : ipv6({ src, dst, nextHeader: protocol, payload });
}

/** IP in IP, whichever versions: IPIP, 6in4, 4in6, 6in6. */
export function ipInIp(fields: { src: string; dst: string; payload: Uint8Array }): Uint8Array {
  const inner = carriedIp(fields.payload).etherType === ETHER_TYPE.ipv6 ? PROTOCOL.ipv6 : PROTOCOL.ipip;
  return outerIp({ ...fields, protocol: inner });
}

export interface UdpFields {
  srcPort?: number;
  dstPort: number;
  length?: number;
  checksum?: number;
  payload: Uint8Array;
}

export function udp(fields: UdpFields): Uint8Array {
  return concat(
    u16(fields.srcPort ?? 49152),
    u16(fields.dstPort),
    u16(fields.length ?? UDP_HEADER_LENGTH + fields.payload.length),
    u16(fields.checksum ?? 0),
    fields.payload,
  );
}

/** The VXLAN header and its frame; with `nextProtocol` the generic extension (1 IPv4, 2 IPv6, 3 Ethernet). */
export function vxlan(fields: { vni: number; nextProtocol?: number; flags?: number; frame: Uint8Array }): Uint8Array {
  const flags = fields.flags ?? (fields.nextProtocol === undefined ? 0x08 : 0x0c);
  return concat(u8(flags), u16(0), u8(fields.nextProtocol ?? 0), u24(fields.vni), u8(0), fields.frame);
}

export interface GeneveFields {
  vni: number;
  /** An EtherType; Ethernet (0x6558) by default. */
  protocol?: number;
  options?: Uint8Array;
  payload: Uint8Array;
}

export function geneve(fields: GeneveFields): Uint8Array {
  const options = padToMultiple(fields.options ?? zeros(0), 4);
  return concat(
    u8(options.length / 4),
    u8(0),
    u16(fields.protocol ?? ETHER_TYPE.transparentEthernet),
    u24(fields.vni),
    u8(0),
    options,
    fields.payload,
  );
}

/** One Geneve option; `data` is padded to a multiple of four. */
export function geneveOption(fields: { class: number; type: number; data: Uint8Array }): Uint8Array {
  const data = padToMultiple(fields.data, 4);
  return concat(u16(fields.class), u8(fields.type), u8(data.length / 4), data);
}

export interface GtpuFields {
  teid: number;
  /** 255 carries a packet; 1 is an echo request. */
  messageType?: number;
  sequence?: number;
  nPdu?: number;
  /** The content between an extension's length and its next-type byte, padded to fill 32-bit words. */
  extensions?: readonly { type: number; content: Uint8Array }[];
  length?: number;
  payload: Uint8Array;
}

export function gtpu(fields: GtpuFields): Uint8Array {
  const { sequence, nPdu, extensions = [], payload } = fields;
  const flags =
    0x30 | (extensions.length > 0 ? 4 : 0) | (sequence === undefined ? 0 : 2) | (nPdu === undefined ? 0 : 1);
  const long = (flags & 7) !== 0;
  const chain = extensions.map(({ content }, index) => {
    const words = Math.ceil((content.length + 2) / 4);
    return concat(u8(words), padTo(content, words * 4 - 2), u8(extensions[index + 1]?.type ?? 0));
  });
  const optional = long ? concat(u16(sequence ?? 0), u8(nPdu ?? 0), u8(extensions[0]?.type ?? 0)) : zeros(0);
  const body = concat(optional, ...chain, payload);
  return concat(u8(flags), u8(fields.messageType ?? 255), u16(fields.length ?? body.length), u32(fields.teid), body);
}

export interface IcmpErrorFields {
  version: 4 | 6;
  /** Destination unreachable by default: 3 in ICMP, 1 in ICMPv6. */
  type?: number;
  code?: number;
  rest?: number;
  /** The packet the error is about, or its beginning. */
  quoted: Uint8Array;
}

/** An ICMP error; the IPv6 one gets its checksum from the `ipv6` builder round it (next header 58). */
export function icmpError(fields: IcmpErrorFields): Uint8Array {
  const { version, type = version === 4 ? 3 : 1, code = 0, rest = 0, quoted } = fields;
  const message = concat(u8(type), u8(code), u16(0), u32(rest), quoted);
  if (version === 4) message.set(u16(internetChecksum(message)), ICMP_CHECKSUM_OFFSET);
  return message;
}

// ---- Shortcuts ----

export interface SegmentFields extends Partial<TcpFields> {
  src?: string;
  dst?: string;
  srcMac?: string;
  dstMac?: string;
  ttl?: number;
  id?: number;
  vlans?: readonly VlanFields[];
  padTo60?: boolean;
}

/** The IP packet of a segment: IPv4 unless an address is IPv6. By default 192.0.2.10:40000 > 192.0.2.20:7211, an ACK. */
export function segmentPacket(fields: SegmentFields = {}): Uint8Array {
  const { srcPort = 40000, dstPort = 7211, ttl = 64, id = 0 } = fields;
  const six = fields.src?.includes(':') === true || fields.dst?.includes(':') === true;
  const src = fields.src ?? (six ? '2001:db8::10' : '192.0.2.10');
  const dst = fields.dst ?? (six ? '2001:db8::20' : '192.0.2.20');
  const payload = tcp({ window: 502, ...fields, srcPort, dstPort });
  return six ? ipv6({ src, dst, hopLimit: ttl, payload }) : ipv4({ src, dst, ttl, id, payload });
}

/** One TCP segment in one Ethernet frame. */
export function segment(fields: SegmentFields = {}): Uint8Array {
  let inner = carriedIp(segmentPacket(fields));
  for (const tag of [...(fields.vlans ?? [])].reverse()) inner = carriedVlan(tag, inner);
  return ethernet({
    src: fields.srcMac ?? DEFAULT_SRC_MAC,
    dst: fields.dstMac ?? DEFAULT_DST_MAC,
    padTo60: fields.padTo60 ?? false,
    ...inner,
  });
}

/** The IP packet of a reset: by default what 192.0.2.20:7211 answers to a SYN for a closed port. */
export function resetPacket(fields: SegmentFields = {}): Uint8Array {
  return segmentPacket({ ...RESET_DEFAULTS, ...resetAddresses(fields), ...fields });
}

/** The same in an Ethernet frame. */
export function resetFrame(fields: SegmentFields = {}): Uint8Array {
  return segment({ ...RESET_DEFAULTS, ...resetAddresses(fields), ...fields });
}

const RESET_DEFAULTS = { srcPort: 7211, dstPort: 40000, seq: 0, ack: 1001, flags: 'R.', window: 0 } as const;

function resetAddresses(fields: SegmentFields): { src: string; dst: string } {
  const six = fields.src?.includes(':') === true || fields.dst?.includes(':') === true;
  return six ? { src: '2001:db8::20', dst: '2001:db8::10' } : { src: '192.0.2.20', dst: '192.0.2.10' };
}

function cookedAddress(fields: CookedFields): Uint8Array {
  return fields.address === null ? zeros(0) : macBytes(fields.address ?? DEFAULT_SRC_MAC);
}

function familyOf(packet: Uint8Array): number {
  return (packet[0] ?? 0) >> 4 === 6 ? 30 : 2;
}

function pppProtocolOf(packet: Uint8Array): number {
  return (packet[0] ?? 0) >> 4 === 6 ? PPP_PROTOCOL.ipv6 : PPP_PROTOCOL.ipv4;
}
