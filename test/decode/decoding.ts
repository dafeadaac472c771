/** One frame through the decoder, and what came of it in words. */
import { FrameBatch, type CaptureInterface } from '../../src/capture/frame-batch.js';
import { ipv4Text, ipv6Text, macText } from '../../src/base/address.js';
import { Decoder, type PacketCounts } from '../../src/decode/decoder.js';
import { walkFrame } from '../../src/decode/frame.js';
import { flagsText } from '../../src/decode/net/tcp.js';
import type { OuterHeader, SegmentBatch } from '../../src/decode/segment-batch.js';
import { MAC_BOTH, MAC_NONE, Walk, type Stop } from '../../src/decode/walk.js';

export const OUTCOMES = ['tcp', 'not-tcp', 'fragment', 'cut', 'malformed', 'unknown-link'] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

/** What the decoder keeps of a segment. */
export interface Segment {
  version: number;
  src: string;
  dst: string;
  srcPort: number;
  dstPort: number;
  flags: string;
  flagBits: number;
  seq: number;
  ack: number;
  window: number;
  ttl: number;
  ipId: number;
  payloadLength: number;
  timestamp: number;
  srcMac: string | null;
  dstMac: string | null;
  packetType: number;
  interfaceIndex: number;
  tenant: number;
  vlan: readonly number[];
  outer: readonly OuterHeader[];
  interfaceName: string | null;
  text: string | null;
}

export interface Decoded {
  outcome: OutcomeName;
  stop: Stop | null;
  segment: Segment | null;
  counts: PacketCounts;
}

export interface HowCaptured {
  linkType?: number;
  /** Bytes on the wire, where that is not what was captured. */
  original?: number;
  /** Bytes that the capture kept: the frame is cut to it. */
  captured?: number;
  /** What fills the bytes before and behind the frame. */
  poison?: number;
  decoder?: Decoder;
}

/** Every TCP header is kept, whatever its flags: so that none is without any, see `decode`. */
export const KEEP_ALL = 0x0fff;
const MARGIN = 96;

/** A batch of frames of one interface, with `poison` between them. */
export function batchOf(
  frames: readonly { bytes: Uint8Array; original?: number; iface?: number }[],
  poison = 0xaa,
): FrameBatch {
  const length = frames.reduce((sum, { bytes }) => sum + bytes.length + MARGIN, MARGIN);
  const bytes = new Uint8Array(length).fill(poison);
  const batch = new FrameBatch();
  batch.restart(bytes);
  let at = MARGIN;
  for (const [i, frame] of frames.entries()) {
    bytes.set(frame.bytes, at);
    batch.start[i] = at;
    batch.captured[i] = frame.bytes.length;
    batch.original[i] = frame.original ?? frame.bytes.length;
    batch.iface[i] = frame.iface ?? 0;
    at += frame.bytes.length + MARGIN;
  }
  batch.count = frames.length;
  return batch;
}

export function interfaceOf(linkType: number): CaptureInterface {
  return { linkType, name: null, snaplen: 262144, fractionDigits: 6, host: null };
}

/** Decodes one frame by way of the walk (its outcome and stop) and of the decoder (the segment). */
export function decode(frame: Uint8Array, how: HowCaptured = {}): Decoded {
  const { linkType = 1, poison, decoder = new Decoder(KEEP_ALL) } = how;
  const bytes = frame.subarray(0, how.captured ?? frame.length);
  const batch = batchOf([{ bytes, original: how.original ?? frame.length }], poison);
  const walk = new Walk();
  const from = batch.start[0]!;
  walk.begin(batch.bytes, from, from + bytes.length, batch.original[0]!);
  const outcome = OUTCOMES[walkFrame(walk, linkType)]!;
  const segments = decoder.decode(batch, 0, 1, [interfaceOf(linkType)]);
  return {
    outcome,
    stop: walk.stop,
    segment: segments.count === 0 ? null : segmentAt(segments, 0),
    counts: { ...decoder.counts },
  };
}

/** The segment of a frame that must hold one. */
export function segmentOf(frame: Uint8Array, how: HowCaptured = {}): Segment {
  const { outcome, stop, segment } = decode(frame, how);
  if (segment === null) throw new Error(`no segment: ${outcome} ${JSON.stringify(stop)}`);
  return segment;
}

export function segmentAt(s: SegmentBatch, n: number): Segment {
  const version = s.ipVersion[n]!;
  const layout = s.macLayout[n]!;
  const around = s.surroundings.get(n);
  return {
    version,
    src: addressOf(s.source, n, version),
    dst: addressOf(s.destination, n, version),
    srcPort: s.sourcePort[n]!,
    dstPort: s.destinationPort[n]!,
    flags: flagsText(s.flags[n]!),
    flagBits: s.flags[n]!,
    seq: s.seq[n]!,
    ack: s.ack[n]!,
    window: s.window[n]!,
    ttl: s.ttl[n]!,
    ipId: s.ipId[n]!,
    payloadLength: s.payloadLength[n]!,
    timestamp: s.timestamp[n]!,
    srcMac: layout === MAC_NONE ? null : macText(s.mac[n * 4]!, s.mac[n * 4 + 1]!),
    dstMac: layout === MAC_BOTH ? macText(s.mac[n * 4 + 2]!, s.mac[n * 4 + 3]!) : null,
    packetType: s.packetType[n]!,
    interfaceIndex: s.interfaceIndex[n]!,
    tenant: s.tenant[n]!,
    vlan: around?.vlan ?? [],
    outer: around?.outer ?? [],
    interfaceName: around?.interfaceName ?? null,
    text: s.texts.get(n) ?? null,
  };
}

function addressOf(column: Uint32Array, n: number, version: number): string {
  const at = n * 4;
  if (version === 4) {
    if (column[at] !== 0 || column[at + 1] !== 0 || column[at + 2] !== 0xffff) throw new Error('not as IPv4 is kept');
    return ipv4Text(column[at + 3]!);
  }
  return ipv6Text(column[at]!, column[at + 1]!, column[at + 2]!, column[at + 3]!);
}
