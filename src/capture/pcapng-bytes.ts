/** pcapng blocks as bytes: little-endian, one section, no section length (draft-ietf-opsawg-pcapng). */

import { IF_NAME, IF_TSRESOL, ISB_IFDROP, OPT_COMMENT } from './pcapng-options.js';

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const SIMPLE_PACKET = 3;
const INTERFACE_STATISTICS = 5;
const OPT_USER_APPLICATION = 4;
/** Finer times than this are cut: 64 bits of picoseconds end in the year 1970. */
const MAX_DIGITS = 9;
/** An option's length field is 16 bits. */
const MAX_OPTION = 65535;

const encoder = new TextEncoder();

type Option = readonly [code: number, value: Uint8Array];

export function pcapngSection(application: string, comment: string | null = null): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  view.setUint32(8, 0xffffffff, true);
  view.setUint32(12, 0xffffffff, true);
  const options: Option[] = comment === null ? [] : [[OPT_COMMENT, encoder.encode(comment)]];
  return block(SECTION_HEADER, [body], [...options, [OPT_USER_APPLICATION, encoder.encode(application)]]);
}

export function pcapngInterface(
  linkType: number,
  snaplen: number,
  name: string | null,
  digits: number,
  comment: string | null = null,
): Uint8Array {
  const body = new Uint8Array(8);
  const view = new DataView(body.buffer);
  view.setUint16(0, linkType, true);
  view.setUint32(4, snaplen, true);
  const options: Option[] = comment === null ? [] : [[OPT_COMMENT, encoder.encode(comment)]];
  if (name !== null) options.push([IF_NAME, encoder.encode(name)]);
  options.push([IF_TSRESOL, Uint8Array.of(Math.min(digits, MAX_DIGITS))]);
  return block(INTERFACE_DESCRIPTION, [body], options);
}

/** A time as a count of 10^-digits seconds, as `pcapngInterface` states it; null for a frame without a time. */
export function fractionUnits(seconds: number, nanos: number, digits: number): bigint | null {
  if (Number.isNaN(seconds)) return null;
  const places = Math.min(digits, MAX_DIGITS);
  const whole = BigInt(Math.max(0, Math.floor(seconds))) * 10n ** BigInt(places);
  return whole + BigInt(Math.floor(nanos / 10 ** (9 - places)));
}

/** A frame without a time is written without one, as a Simple Packet Block would; but it keeps its comment. */
export function pcapngPacket(
  iface: number,
  ticks: bigint | null,
  bytes: Uint8Array,
  original: number,
  comment: string | null,
): Uint8Array {
  if (ticks === null && iface === 0 && comment === null) {
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, original, true);
    return block(SIMPLE_PACKET, [header, padded(bytes)], []);
  }
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  const time = ticks ?? 0n;
  view.setUint32(0, iface, true);
  view.setUint32(4, Number(time >> 32n), true);
  view.setUint32(8, Number(time & 0xffffffffn), true);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, original, true);
  const options: Option[] = comment === null ? [] : [[OPT_COMMENT, encoder.encode(comment)]];
  return block(ENHANCED_PACKET, [header, padded(bytes)], options);
}

/** Bytes that `pcapngPacketInto` takes beside the packet's own, at most. */
export const PCAPNG_PACKET_ROOM = 36;

/**
 * Writes a packet of interface 0 at `at`, without making anything: for the loop that captures. `micros` since 1970.
 * @returns where it ends.
 */
export function pcapngPacketInto(
  into: Uint8Array,
  at: number,
  micros: number,
  bytes: Uint8Array,
  original: number,
): number {
  const padding = -bytes.length & 3;
  const total = 32 + bytes.length + padding;
  word32(into, at, ENHANCED_PACKET);
  word32(into, at + 4, total);
  word32(into, at + 8, 0);
  word32(into, at + 12, Math.floor(micros / 4294967296));
  word32(into, at + 16, micros % 4294967296);
  word32(into, at + 20, bytes.length);
  word32(into, at + 24, original);
  into.set(bytes, at + 28);
  const end = at + 28 + bytes.length;
  into.fill(0, end, end + padding);
  word32(into, end + padding, total);
  return at + total;
}

function word32(into: Uint8Array, at: number, word: number): void {
  into[at] = word;
  into[at + 1] = word >>> 8;
  into[at + 2] = word >>> 16;
  into[at + 3] = word >>> 24;
}

/** How many packets were lost on an interface so far; no more is known of it. */
export function pcapngLost(iface: number, lost: number): Uint8Array {
  const header = new Uint8Array(12);
  new DataView(header.buffer).setUint32(0, iface, true);
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, BigInt(lost), true);
  return block(INTERFACE_STATISTICS, [header], [[ISB_IFDROP, count]]);
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const out = new Uint8Array((bytes.length + 3) & ~3);
  out.set(bytes);
  return out;
}

function block(type: number, parts: readonly Uint8Array[], options: readonly Option[]): Uint8Array {
  const all = options.length === 0 ? [...parts] : [...parts, ...options.map(option), new Uint8Array(4)];
  const total = 12 + all.reduce((sum, part) => sum + part.length, 0);
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, total, true);
  let at = 8;
  for (const part of all) {
    out.set(part, at);
    at += part.length;
  }
  view.setUint32(total - 4, total, true);
  return out;
}

function option([code, value]: Option): Uint8Array {
  const kept = value.subarray(0, MAX_OPTION);
  const out = new Uint8Array(4 + ((kept.length + 3) & ~3));
  const view = new DataView(out.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, kept.length, true);
  out.set(kept, 4);
  return out;
}
