/**
 * The two ends of a socket in a trace event: addresses as four words each, an IPv4 one as ::ffff:a.b.c.d (as the events'
 * own `saddr_v6` has it, and as a socket of either family that talks IPv4 is meant).
 */

import { ipv4Text, ipv6Text } from '../../base/address.js';
import { u16, u16le, u32 } from '../../base/bytes.js';

/** Of one socket: 0 and zeros for what is not known yet. */
export interface Ends {
  readonly localPort: number;
  readonly remotePort: number;
  readonly local: Words;
  readonly remote: Words;
}

export type Words = readonly [number, number, number, number];

const ZERO: Words = [0, 0, 0, 0];
const MAPPED = 0xffff;
const AF_INET = 2;
const AF_INET6 = 10;

/** 16 bytes in network order. */
export function wordsV6(page: Uint8Array, at: number): Words {
  return [u32(page, at), u32(page, at + 4), u32(page, at + 8), u32(page, at + 12)];
}

/** 4 bytes in network order. */
export function wordsV4(page: Uint8Array, at: number): Words {
  return [0, 0, MAPPED, u32(page, at)];
}

/** A struct sockaddr_in or sockaddr_in6. Null: neither. */
export function socketAddress(page: Uint8Array, at: number): { port: number; words: Words } | null {
  const family = u16le(page, at);
  if (family === AF_INET) return { port: u16(page, at + 2), words: wordsV4(page, at + 4) };
  if (family === AF_INET6) return { port: u16(page, at + 2), words: wordsV6(page, at + 8) };
  return null;
}

export function sameWords(a: Words, b: Words): boolean {
  return a[3] === b[3] && a[2] === b[2] && a[1] === b[1] && a[0] === b[0];
}

/** As the decoder prints addresses; "0.0.0.0" and "::" are both "any". */
export function wordsText(words: Words): string {
  const [a, b, c, d] = words;
  return a === 0 && b === 0 && c === MAPPED ? ipv4Text(d) : ipv6Text(a, b, c, d);
}

/** One text for one tuple, for tables. */
export function endsKey({ localPort, remotePort, local, remote }: Ends): string {
  return `${wordsText(local)} ${String(localPort)} ${wordsText(remote)} ${String(remotePort)}`;
}

export function tupleText(localIp: string, localPort: number, remoteIp: string, remotePort: number): string {
  return `${localIp} ${String(localPort)} ${remoteIp} ${String(remotePort)}`;
}

export const NO_ENDS: Ends = { localPort: 0, remotePort: 0, local: ZERO, remote: ZERO };
