/**
 * fast-check arbitraries for what the builders take: addresses, segments, stacks of encapsulations round them, and
 * captures. Each yields a description; `stackFrame` and the writers of capture-bytes.ts turn it into bytes, so that a
 * counterexample prints as something one can read.
 */
import fc from 'fast-check';
import type { ClassicRecord } from './capture-bytes.js';
import {
  carriedIp,
  carriedVlan,
  erspan,
  ETHER_TYPE,
  ethernet,
  geneve,
  gre,
  gtpu,
  ipInIp,
  ipv4,
  ipv6,
  mpls,
  outerIp,
  PORT,
  pppoe,
  PROTOCOL,
  tcp,
  tcpOptions,
  udp,
  vxlan,
  type Carried,
  type TcpFields,
} from './frames.js';

const MAXIMUM_DEPTH = 4;

export interface AddressPair {
  src: string;
  dst: string;
}

/** A TCP segment with the IP header it travels in. */
export interface SegmentDescription extends AddressPair {
  version: 4 | 6;
  ttl: number;
  /** The IPv4 identification; unused in IPv6. */
  id: number;
  /** An IPv6 flow label; unused in IPv4. */
  flowLabel: number;
  tcp: TcpFields & { seq: number; ack: number; flags: number; window: number };
}

export type Layer =
  | { kind: 'vlan'; id: number; tpid: number; priority: number }
  | { kind: 'mpls'; labels: number[] }
  | { kind: 'pppoe'; sessionId: number }
  | (AddressPair & { kind: 'ipip' })
  | (AddressPair & { kind: 'gre'; key: number | null; checksum: boolean; sequence: number | null })
  | (AddressPair & { kind: 'nvgre'; key: number })
  | (AddressPair & { kind: 'erspan'; type: 1 | 2 | 3; session: number })
  | (AddressPair & { kind: 'vxlan'; vni: number })
  | (AddressPair & { kind: 'geneve'; vni: number })
  | (AddressPair & { kind: 'gtpu'; teid: number });

export function macAddress(): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => {
    // Even the first byte: neither a group nor the broadcast address.
    const unicast = Uint8Array.from(bytes, (byte, index) => (index === 0 ? byte & 0xfe : byte));
    return [...unicast].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
  });
}

export function ipv4Address(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
    .map((bytes) => bytes.join('.'));
}

/** IPv6 in one of the forms people write: full, compressed, or with runs of zeros in the middle. */
export function ipv6Address(): fc.Arbitrary<string> {
  const group = fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(0xffff) });
  const full = fc
    .array(group, { minLength: 7, maxLength: 7 })
    .map((groups) => ['2001', ...groups.map(hexGroup)].join(':'));
  const compressed = fc
    .tuple(fc.array(fc.integer({ min: 1, max: 0xffff }), { maxLength: 3 }), fc.integer({ min: 1, max: 0xffff }))
    .map(([head, last]) => ['2001', ...head.map(hexGroup)].join(':') + '::' + hexGroup(last));
  return fc.oneof(full, compressed);
}

export function addressPair(version?: 4 | 6): fc.Arbitrary<AddressPair> {
  const four = fc.record({ src: ipv4Address(), dst: ipv4Address() });
  const six = fc.record({ src: ipv6Address(), dst: ipv6Address() });
  return version === 4 ? four : version === 6 ? six : fc.oneof(four, six);
}

export function port(): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max: 65535 });
}

export function uint32(): fc.Arbitrary<number> {
  return fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff));
}

/** A flags byte; with `reset` one that has RST. */
export function tcpFlagsByte({ reset = false }: { reset?: boolean } = {}): fc.Arbitrary<number> {
  return fc.nat(0xff).map((flags) => (reset ? flags | 0x04 : flags));
}

/** Well-formed options, as a list that fits into a header. */
export function tcpOptionBytes(): fc.Arbitrary<Uint8Array> {
  const one = fc.oneof(
    fc.constant(tcpOptions.nop()),
    fc.nat(65535).map((size) => tcpOptions.mss(size)),
    fc.nat(14).map((shift) => tcpOptions.windowScale(shift)),
    fc.constant(tcpOptions.sackPermitted()),
    fc.tuple(uint32(), uint32()).map(([value, echo]) => tcpOptions.timestamps(value, echo)),
  );
  // At most four of at most ten bytes: 40, which is all that a header has room for.
  return fc.array(one, { maxLength: 4 }).map((options) => Uint8Array.from(options.flatMap((each) => [...each])));
}

export function tcpSegment(
  limits: { reset?: boolean; version?: 4 | 6; maxPayload?: number } = {},
): fc.Arbitrary<SegmentDescription> {
  const { reset = false, version, maxPayload = 64 } = limits;
  const header = fc.record({
    srcPort: port(),
    dstPort: port(),
    seq: uint32(),
    ack: uint32(),
    flags: tcpFlagsByte({ reset }),
    window: fc.nat(65535),
    options: tcpOptionBytes(),
    payload: fc.uint8Array({ maxLength: maxPayload }),
  });
  return fc
    .record({
      addresses: addressPair(version),
      ttl: fc.integer({ min: 1, max: 255 }),
      id: fc.nat(65535),
      flowLabel: fc.nat(0xfffff),
      tcp: header,
    })
    .map(({ addresses, ...rest }) => ({ ...addresses, version: addresses.src.includes(':') ? 6 : 4, ...rest }));
}

/**
 * Encapsulations, outermost first, each of which may stand where it does: label stacks and PPPoE sessions are followed
 * by an IP packet. An outer `ipip` round IPv6 is what is called 6in4.
 */
export function encapsulationStack(maxDepth = MAXIMUM_DEPTH): fc.Arbitrary<Layer[]> {
  return fc
    .array(layer(), { maxLength: maxDepth })
    .map((layers) =>
      layers.reduceRight<Layer[]>(
        (inner, each) => (needsIp(each) && !isTunnel(inner[0]) ? inner : [each, ...inner]),
        [],
      ),
    );
}

export function layer(): fc.Arbitrary<Layer> {
  const optionalKey = fc.option(uint32(), { nil: null });
  const identifier24 = fc.nat(0xffffff);
  const tunnel = <T extends object>(own: fc.Arbitrary<T>): fc.Arbitrary<T & AddressPair> =>
    fc.tuple(addressPair(), own).map(([addresses, rest]) => ({ ...addresses, ...rest }));
  const kind = <K extends Layer['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);
  return fc.oneof(
    fc.record({
      kind: kind('vlan'),
      id: fc.nat(4095),
      tpid: fc.constantFrom(ETHER_TYPE.vlan, ETHER_TYPE.serviceVlan, ETHER_TYPE.oldServiceVlan),
      priority: fc.nat(7),
    }),
    fc.record({
      kind: kind('mpls'),
      // The first sixteen labels have meanings of their own.
      labels: fc.array(fc.integer({ min: 16, max: 0xfffff }), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: kind('pppoe'), sessionId: fc.nat(65535) }),
    tunnel(fc.record({ kind: kind('ipip') })),
    tunnel(fc.record({ kind: kind('gre'), key: optionalKey, checksum: fc.boolean(), sequence: optionalKey })),
    tunnel(fc.record({ kind: kind('nvgre'), key: uint32() })),
    tunnel(fc.record({ kind: kind('erspan'), type: fc.constantFrom<1 | 2 | 3>(1, 2, 3), session: fc.nat(1023) })).map(
      (each) => (each.type === 1 ? { ...each, session: 0 } : each),
    ),
    tunnel(fc.record({ kind: kind('vxlan'), vni: identifier24 })),
    tunnel(fc.record({ kind: kind('geneve'), vni: identifier24 })),
    tunnel(fc.record({ kind: kind('gtpu'), teid: uint32() })),
  );
}

/** The innermost IP packet of a description. */
export function descriptionPacket(segment: SegmentDescription): Uint8Array {
  const { src, dst, ttl, id, flowLabel } = segment;
  const payload = tcp(segment.tcp);
  return segment.version === 4
    ? ipv4({ src, dst, ttl, id, payload })
    : ipv6({ src, dst, hopLimit: ttl, flowLabel, payload });
}

/** What a link carries when the segment travels in these layers. */
export function stackCarried(layers: readonly Layer[], segment: SegmentDescription): Carried {
  let inner = carriedIp(descriptionPacket(segment));
  for (const each of [...layers].reverse()) inner = wrap(each, inner);
  return inner;
}

export function stackFrame(layers: readonly Layer[], segment: SegmentDescription): Uint8Array {
  return ethernet(stackCarried(layers, segment));
}

/** Records in time order, each a stack round a segment, with the descriptions they were made of. */
export interface CaptureDescription {
  bigEndian: boolean;
  nanosecond: boolean;
  records: { seconds: number; fraction: number; layers: Layer[]; segment: SegmentDescription }[];
}

export function capture(
  limits: { maxRecords?: number; maxDepth?: number; reset?: boolean } = {},
): fc.Arbitrary<CaptureDescription> {
  const { maxRecords = 20, maxDepth = 2, reset } = limits;
  const record = fc.record({
    // Steps, not instants: a file's records are in time order, and some share an instant.
    step: fc.oneof(fc.constant(0), fc.nat(2_000_000)),
    layers: encapsulationStack(maxDepth),
    segment: reset === undefined ? fc.boolean().chain((each) => tcpSegment({ reset: each })) : tcpSegment({ reset }),
  });
  return fc
    .record({
      bigEndian: fc.boolean(),
      nanosecond: fc.boolean(),
      start: fc.integer({ min: 1, max: 2_000_000_000 }),
      steps: fc.array(record, { maxLength: maxRecords }),
    })
    .map(({ bigEndian, nanosecond, start, steps }) => {
      let microseconds = 0;
      const records = steps.map(({ step, layers, segment }) => {
        microseconds += step;
        const fraction = (microseconds % 1_000_000) * (nanosecond ? 1000 : 1);
        return { seconds: start + Math.floor(microseconds / 1_000_000), fraction, layers, segment };
      });
      return { bigEndian, nanosecond, records };
    });
}

/** The records of a description for `classicPcap`, link type Ethernet. */
export function classicRecords(description: CaptureDescription): ClassicRecord[] {
  return description.records.map(({ seconds, fraction, layers, segment }) => ({
    seconds,
    fraction,
    bytes: stackFrame(layers, segment),
  }));
}

function wrap(each: Layer, inner: Carried): Carried {
  switch (each.kind) {
    case 'vlan':
      return carriedVlan(each, inner);
    case 'mpls':
      return { etherType: ETHER_TYPE.mpls, payload: mpls(each.labels, inner.payload) };
    case 'pppoe':
      return { etherType: ETHER_TYPE.pppoe, payload: pppoe({ sessionId: each.sessionId, payload: inner.payload }) };
    case 'ipip':
      return carriedIp(ipInIp({ src: each.src, dst: each.dst, payload: inner.payload }));
    case 'gre': {
      const content = isIp(inner)
        ? { protocol: inner.etherType, payload: inner.payload }
        : { protocol: ETHER_TYPE.transparentEthernet, payload: ethernet(inner) };
      const { key, checksum, sequence } = each;
      return inGre(each, {
        ...content,
        checksum,
        ...(key === null ? {} : { key }),
        ...(sequence === null ? {} : { sequence }),
      });
    }
    case 'nvgre':
      return inGre(each, {
        key: each.key,
        protocol: ETHER_TYPE.transparentEthernet,
        payload: ethernet(inner),
      });
    case 'erspan':
      return inIp(each, PROTOCOL.gre, erspan({ type: each.type, session: each.session, frame: ethernet(inner) }));
    case 'vxlan':
      return inUdp(each, PORT.vxlan, vxlan({ vni: each.vni, frame: ethernet(inner) }));
    case 'geneve':
      return inUdp(each, PORT.geneve, geneve({ vni: each.vni, payload: ethernet(inner) }));
    case 'gtpu':
      return inUdp(each, PORT.gtpu, gtpu({ teid: each.teid, payload: inner.payload }));
  }
}

function inGre(outer: AddressPair, fields: Parameters<typeof gre>[0]): Carried {
  return inIp(outer, PROTOCOL.gre, gre(fields));
}

function inUdp(outer: AddressPair, dstPort: number, payload: Uint8Array): Carried {
  return inIp(outer, PROTOCOL.udp, udp({ dstPort, payload }));
}

function inIp({ src, dst }: AddressPair, protocol: number, payload: Uint8Array): Carried {
  return carriedIp(outerIp({ src, dst, protocol, payload }));
}

function isIp({ etherType }: Carried): boolean {
  return etherType === ETHER_TYPE.ipv4 || etherType === ETHER_TYPE.ipv6;
}

/** Layers whose content is an IP packet and nothing else. */
function needsIp(each: Layer): boolean {
  return each.kind === 'mpls' || each.kind === 'pppoe' || each.kind === 'ipip' || each.kind === 'gtpu';
}

/** Nothing (the segment's own packet follows) or a layer that begins with an IP header. */
function isTunnel(next: Layer | undefined): boolean {
  return next === undefined || !['vlan', 'mpls', 'pppoe'].includes(next.kind);
}

function hexGroup(group: number): string {
  return group.toString(16);
}
