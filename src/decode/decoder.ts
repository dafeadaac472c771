/**
 * Frames in, segments out: walks every frame of a batch, counts each once by how it ended, and keeps the TCP headers
 * whose flags were asked for.
 *
 * Pure: no files, no clock, no printing; never throws. The same code serves saved captures and growing ones.
 */

import { ipv4Text, ipv6Text } from '../base/address.js';
import { num, u16, u32, u8, value, word } from '../base/bytes.js';
import { printable, utf8 } from '../base/text.js';
import { BATCH_FRAMES, type CaptureInterface, type FrameBatch } from '../capture/frame-batch.js';
import { walkFrame } from './frame.js';
import { PKTAP_NAME_LENGTH } from './link/other-links.js';
import { IPV4_DESTINATION, IPV4_DONT_FRAGMENT, IPV4_FRAGMENT, IPV4_ID, IPV4_SOURCE, IPV4_TTL } from './net/ipv4.js';
import { IPV6_DESTINATION, IPV6_HOP_LIMIT, IPV6_SOURCE } from './net/ipv6.js';
import { resetDiagnostic } from './net/reset-diagnostic.js';
import {
  CONTROL,
  KEEP_ANY,
  RST,
  SYN,
  TCP_ACK,
  TCP_DESTINATION_PORT,
  TCP_MIN,
  TCP_SEQ,
  TCP_SOURCE_PORT,
  TCP_WINDOW,
} from './net/tcp-layout.js';
import { timestampValue, windowScale } from './net/tcp-options.js';
import { tcpHeaderLength } from './net/tcp.js';
import { PlainSieve } from './plain.js';
import type { Records } from './records.js';
import { INBOUND, OUTBOUND, SegmentBatch, type OuterHeader, type Surroundings } from './segment-batch.js';
import { Tenants } from './tenants.js';
import {
  ENCAPSULATIONS,
  MAC_BOTH,
  MAC_NONE,
  NO_ID,
  OUTCOME_CUT,
  OUTCOME_FRAGMENT,
  OUTCOME_MALFORMED,
  OUTCOME_NOT_TCP,
  OUTCOME_TCP,
  OUTCOME_UNKNOWN_LINK,
  Walk,
} from './walk.js';

/** Every frame, once, by how its walk ended; and the TCP ones again by their flags. */
export interface PacketCounts {
  seen: number;
  tcp: number;
  notTcp: number;
  fragments: number;
  cut: number;
  malformed: number;
  unknownLink: number;
  /** TCP with RST set. */
  resets: number;
  /** TCP with SYN, FIN or RST set. */
  control: number;
}

/** Nothing seen yet. */
export function noCounts(): PacketCounts {
  return {
    seen: 0,
    tcp: 0,
    notTcp: 0,
    fragments: 0,
    cut: 0,
    malformed: 0,
    unknownLink: 0,
    resets: 0,
    control: 0,
  };
}

/** In the column: no window scale. */
const NO_SCALE = -1;

/** Of a reset's payload this much is looked at for text. */
const MAX_TEXT = 256;

export class Decoder {
  /** Counts at a glance what needs no row; for the readers of the frames that come here. */
  readonly sieve: PlainSieve;
  private readonly segments: SegmentBatch;
  private readonly walk = new Walk();
  private readonly tenants = new Tenants();
  private readonly keep: number;
  private readonly met = new Map<number, number>();
  private readonly own = noCounts();
  private lastAround: Surroundings | null = null;
  private lastTenant = 0;

  /**
   * Keeps the TCP headers that have any of the flags in `keep`. Where there are `records`, the sieve puts those that it
   * recognises there, for whoever takes them before it asks for more.
   */
  constructor(keep: number, capacity = BATCH_FRAMES, records: Records | null = null) {
    this.keep = keep;
    this.segments = new SegmentBatch(capacity);
    this.sieve = new PlainSieve(keep, records, this.tenants);
  }

  /** Link types met, and how many frames of each could not be decoded. */
  get linkTypes(): ReadonlyMap<number, number> {
    if (this.sieve.passed === 0 || this.met.has(this.sieve.linkType)) return this.met;
    return new Map([[this.sieve.linkType, 0], ...this.met]);
  }

  /** All frames so far, with those of the sieve. */
  get counts(): PacketCounts {
    const { own, sieve } = this;
    return { ...own, seen: own.seen + sieve.passed, tcp: own.tcp + sieve.passed, control: own.control + sieve.control };
  }

  /** Decodes the frames `from` up to, not including, `to`. The answer is valid until the next call. */
  decode(frames: FrameBatch, from: number, to: number, interfaces: readonly CaptureInterface[]): SegmentBatch {
    this.segments.clear();
    return this.append(frames, from, to, interfaces);
  }

  /** The same, behind the rows that are there; whoever calls it sees to the capacity. */
  append(frames: FrameBatch, from: number, to: number, interfaces: readonly CaptureInterface[]): SegmentBatch {
    const { segments } = this;
    let at = from;
    while (at < to) {
      const iface = word(frames.iface, at);
      let end = interfaces.length === 1 ? to : at + 1;
      while (end < to && frames.iface[end] === iface) end++;
      this.decodeRun(frames, at, end, interfaces[iface]?.linkType ?? -1);
      at = end;
    }
    return segments;
  }

  /** A run of frames of one interface. The hot loop: a call of its own, so that it stays optimised. */
  private decodeRun(frames: FrameBatch, from: number, to: number, linkType: number): void {
    const { walk, own: counts, keep } = this;
    const unknownBefore = counts.unknownLink;
    const { bytes, start, captured, original } = frames;
    let tcp = 0;
    for (let i = from; i < to; i++) {
      const at = word(start, i);
      const end = at + word(captured, i);
      walk.begin(bytes, at, end, word(original, i));
      const outcome = walkFrame(walk, linkType);
      if (outcome !== OUTCOME_TCP) {
        this.count(outcome);
        continue;
      }
      tcp++;
      const flags = walk.tcpFlags;
      if ((flags & CONTROL) !== 0) {
        counts.control++;
        if ((flags & RST) !== 0) counts.resets++;
      }
      if (((flags | KEEP_ANY) & keep) !== 0) this.store(frames, i);
    }
    counts.seen += to - from;
    counts.tcp += tcp;
    const unknown = counts.unknownLink - unknownBefore;
    this.met.set(linkType, (this.met.get(linkType) ?? 0) + unknown);
  }

  private count(outcome: number): void {
    const { own: counts } = this;
    if (outcome === OUTCOME_NOT_TCP) counts.notTcp++;
    else if (outcome === OUTCOME_FRAGMENT) counts.fragments++;
    else if (outcome === OUTCOME_CUT) counts.cut++;
    else if (outcome === OUTCOME_MALFORMED) counts.malformed++;
    else if (outcome === OUTCOME_UNKNOWN_LINK) counts.unknownLink++;
  }

  private store(frames: FrameBatch, frame: number): void {
    const { walk: w, segments: s } = this;
    const { bytes, ipAt, tcpAt } = w;
    const n = s.count++;
    s.number[n] = value(frames.number, frame);
    s.frame[n] = frame;
    s.seconds[n] = value(frames.seconds, frame);
    s.nanos[n] = value(frames.nanos, frame);
    s.iface[n] = word(frames.iface, frame);
    const noted = frames.notes.size === 0 ? undefined : frames.notes.get(frame)?.direction;
    s.noted[n] = noted === 'inbound' ? INBOUND : noted === 'outbound' ? OUTBOUND : 0;
    s.ipVersion[n] = w.ipVersion;
    if (w.ipVersion === 4) {
      storeIpv4(s.source, n, u32(bytes, ipAt + IPV4_SOURCE));
      storeIpv4(s.destination, n, u32(bytes, ipAt + IPV4_DESTINATION));
      s.ttl[n] = u8(bytes, ipAt + IPV4_TTL);
      s.ipId[n] = u16(bytes, ipAt + IPV4_ID);
      s.dontFragment[n] = (u16(bytes, ipAt + IPV4_FRAGMENT) & IPV4_DONT_FRAGMENT) === 0 ? 0 : 1;
    } else {
      storeIpv6(s.source, n, bytes, ipAt + IPV6_SOURCE);
      storeIpv6(s.destination, n, bytes, ipAt + IPV6_DESTINATION);
      s.ttl[n] = u8(bytes, ipAt + IPV6_HOP_LIMIT);
      s.ipId[n] = -1;
      s.dontFragment[n] = 0;
    }
    s.sourcePort[n] = u16(bytes, tcpAt + TCP_SOURCE_PORT);
    s.destinationPort[n] = u16(bytes, tcpAt + TCP_DESTINATION_PORT);
    s.flags[n] = w.tcpFlags;
    s.seq[n] = u32(bytes, tcpAt + TCP_SEQ);
    s.ack[n] = u32(bytes, tcpAt + TCP_ACK);
    s.window[n] = w.end - tcpAt >= TCP_WINDOW + 2 ? u16(bytes, tcpAt + TCP_WINDOW) : -1;
    const payloadAt = tcpAt + tcpHeaderLength(bytes, tcpAt);
    s.payloadLength[n] = Math.max(0, w.wire - payloadAt);
    const optionsEnd = Math.min(payloadAt, w.end);
    s.timestamp[n] = timestampValue(bytes, tcpAt + TCP_MIN, optionsEnd);
    s.windowScale[n] = (w.tcpFlags & SYN) === 0 ? NO_SCALE : windowScale(bytes, tcpAt + TCP_MIN, optionsEnd);
    s.packetType[n] = w.packetType;
    s.interfaceIndex[n] = w.interfaceIndex;
    this.storeMacs(n);
    s.tenant[n] = 0;
    if (w.vlanCount > 0 || w.outerCount > 0 || w.interfaceNameAt >= 0) this.storeSurroundings(n);
    if ((w.tcpFlags & RST) !== 0 && w.end > payloadAt) this.storeText(n, payloadAt);
  }

  private storeMacs(n: number): void {
    const { walk: w, segments: s } = this;
    s.macLayout[n] = w.macLayout;
    if (w.macLayout === MAC_NONE) return;
    s.mac[n * 4] = u16(w.bytes, w.macSourceAt);
    s.mac[n * 4 + 1] = u32(w.bytes, w.macSourceAt + 2);
    if (w.macLayout !== MAC_BOTH) return;
    s.mac[n * 4 + 2] = u16(w.bytes, w.macDestinationAt);
    s.mac[n * 4 + 3] = u32(w.bytes, w.macDestinationAt + 2);
  }

  private storeSurroundings(n: number): void {
    const { walk: w, segments: s } = this;
    const around = this.lastAround !== null && sameTags(w, this.lastAround) ? this.lastAround : surroundings(w);
    if (around !== this.lastAround) this.lastTenant = this.tenants.number(around);
    this.lastAround = around;
    s.surroundings.set(n, around);
    s.tenant[n] = this.lastTenant;
  }

  private storeText(n: number, payloadAt: number): void {
    const { walk: w, segments: s } = this;
    const to = Math.min(w.end, payloadAt + MAX_TEXT);
    const payload = w.bytes.subarray(payloadAt, to);
    const diagnostic = resetDiagnostic(payload);
    if (diagnostic !== null) {
      s.diagnostics.set(n, diagnostic);
      return;
    }
    const text = payloadText(payload, to < w.wire);
    if (text !== null) s.texts.set(n, text);
  }
}

function storeIpv4(column: Uint32Array, row: number, word: number): void {
  const at = row * 4;
  column[at] = 0;
  column[at + 1] = 0;
  column[at + 2] = 0xffff;
  column[at + 3] = word;
}

function storeIpv6(column: Uint32Array, row: number, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 4; i++) column[row * 4 + i] = u32(bytes, at + i * 4);
}

function surroundings(w: Walk): Surroundings {
  return {
    vlan: Array.from(w.vlans.subarray(0, w.vlanCount)),
    outer: Array.from({ length: w.outerCount }, (_, i) => outerHeader(w, i)),
    interfaceName: interfaceName(w),
  };
}

/** Whether the frame has these tags and nothing else around it: true of most frames of a trunk's capture. */
function sameTags(w: Walk, { vlan, outer, interfaceName }: Surroundings): boolean {
  if (w.outerCount > 0 || w.interfaceNameAt >= 0 || outer.length > 0 || interfaceName !== null) return false;
  return vlan.length === w.vlanCount && vlan.every((tag, i) => tag === w.vlans[i]);
}

function outerHeader(w: Walk, i: number): OuterHeader {
  const at = num(w.outerIpAt, i);
  const version = num(w.outerVersion, i);
  const id = num(w.outerId, i);
  return {
    encapsulation: ENCAPSULATIONS[num(w.outerKind, i)] ?? 'gre',
    srcIp: at < 0 ? null : addressAt(w.bytes, at, version, IPV4_SOURCE, IPV6_SOURCE),
    destIp: at < 0 ? null : addressAt(w.bytes, at, version, IPV4_DESTINATION, IPV6_DESTINATION),
    id: id === NO_ID ? null : id,
  };
}

function addressAt(bytes: Uint8Array, at: number, version: number, four: number, six: number): string {
  if (version === 4) return ipv4Text(u32(bytes, at + four));
  const from = at + six;
  return ipv6Text(u32(bytes, from), u32(bytes, from + 4), u32(bytes, from + 8), u32(bytes, from + 12));
}

function interfaceName(w: Walk): string | null {
  if (w.interfaceNameAt < 0) return null;
  const text = utf8(w.bytes.subarray(w.interfaceNameAt, w.interfaceNameAt + PKTAP_NAME_LENGTH));
  return text === '' ? null : printable(text);
}

/** Text that a person could read, on one line; null for anything else. NULs at its end are no harm. */
function payloadText(payload: Uint8Array, cut: boolean): string | null {
  const nul = payload.indexOf(0);
  if (nul >= 0 && payload.subarray(nul).some((byte) => byte !== 0)) return null;
  const whole = utf8(payload);
  // A cut may have split the last character.
  const text = (cut ? whole.replace(/\ufffd$/, '') : whole).replace(/[\t\r\n ]+/g, ' ').trim();
  if (text === '' || text.includes('\ufffd') || printable(text) !== text) return null;
  return text;
}
