/**
 * Byte helpers shared by the test builders: fixed-width integers in either byte order, joining, padding, hexadecimal
 * text, addresses from text, and the two checksums that frames carry.
 */
import { isIPv4, isIPv6 } from 'node:net';

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export function zeros(length: number): Uint8Array {
  return new Uint8Array(length);
}

export function u8(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff);
}

export function u16(value: number, littleEndian = false): Uint8Array {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value, littleEndian);
  return bytes;
}

export function u24(value: number): Uint8Array {
  return Uint8Array.of((value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

export function u32(value: number, littleEndian = false): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, littleEndian);
  return bytes;
}

export function u64(value: bigint, littleEndian = false): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), littleEndian);
  return bytes;
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Zero-terminated or zero-filled text of a fixed width, cut when it is too long. */
export function fixedText(value: string, width: number): Uint8Array {
  const bytes = zeros(width);
  bytes.set(text(value).subarray(0, width));
  return bytes;
}

/** Bytes from hexadecimal text; blanks and colons are ignored. */
export function hex(value: string): Uint8Array {
  const digits = value.replace(/[\s:]/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new Error(`not hexadecimal: ${value}`);
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

export function padTo(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.length >= length ? bytes : concat(bytes, zeros(length - bytes.length));
}

export function padToMultiple(bytes: Uint8Array, unit: number): Uint8Array {
  return padTo(bytes, Math.ceil(bytes.length / unit) * unit);
}

export function macBytes(mac: string): Uint8Array {
  const bytes = hex(mac);
  if (bytes.length !== 6) throw new Error(`not a MAC address: ${mac}`);
  return bytes;
}

export function ipv4Bytes(address: string): Uint8Array {
  if (!isIPv4(address)) throw new Error(`not an IPv4 address: ${address}`);
  return Uint8Array.from(address.split('.').map(Number));
}

export function ipv6Bytes(address: string): Uint8Array {
  if (!isIPv6(address) || address.includes('%')) throw new Error(`not a plain IPv6 address: ${address}`);
  const [left = '', right] = address.split('::');
  const head = ipv6Groups(left);
  if (right === undefined) return head;
  const tail = ipv6Groups(right);
  return concat(head, zeros(16 - head.length - tail.length), tail);
}

export function ipBytes(address: string): Uint8Array {
  return isIPv4(address) ? ipv4Bytes(address) : ipv6Bytes(address);
}

/** The ones' complement sum of RFC 1071, as IP, TCP, UDP, ICMP and GRE carry it. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  const all = concat(...parts);
  let sum = 0;
  for (let offset = 0; offset < all.length; offset += 2) {
    sum += ((all[offset] ?? 0) << 8) | (all[offset + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** CRC-32 of IEEE 802, the frame check sequence. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** The frame with its frame check sequence behind it, as a card that keeps it hands it up. */
export function withFcs(frame: Uint8Array): Uint8Array {
  return concat(frame, u32(crc32(frame), true));
}

function ipv6Groups(groups: string): Uint8Array {
  if (groups === '') return zeros(0);
  const parts = groups.split(':').map((group) => (group.includes('.') ? ipv4Bytes(group) : u16(parseInt(group, 16))));
  return concat(...parts);
}
