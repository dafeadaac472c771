/**
 * IP and MAC addresses as text and as ranges.
 *
 * An address is four 32-bit words, as the decoder keeps them; an IPv4 address has 0, 0, 0xffff and its own word, and
 * its version is kept beside it (an IPv4-mapped IPv6 address on the wire stays IPv6).
 */

import { isIP } from 'node:net';

/** Dotted quad of a 32-bit word. */
export function ipv4Text(word: number): string {
  return `${String(word >>> 24)}.${String((word >>> 16) & 255)}.${String((word >>> 8) & 255)}.${String(word & 255)}`;
}

/** RFC 5952 text of four words: lower case, the longest run of zero groups (the first of equals) as "::". */
export function ipv6Text(a: number, b: number, c: number, d: number): string {
  const groups = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff, c >>> 16, c & 0xffff, d >>> 16, d & 0xffff];
  // As inet_ntop writes them, and with it every tool that shows addresses: IPv4-mapped and IPv4-compatible ones.
  if (a === 0 && b === 0 && (c === 0xffff || (c === 0 && d >>> 16 !== 0))) {
    return `::${c === 0 ? '' : 'ffff:'}${ipv4Text(d)}`;
  }
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8;) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > bestLength) {
      best = i;
      bestLength = run;
    }
    i += run + 1;
  }
  const text = groups.map((g) => g.toString(16));
  if (best < 0) return text.join(':');
  return `${text.slice(0, best).join(':')}::${text.slice(best + bestLength).join(':')}`;
}

/** "00:1a:2b:3c:4d:5e" of the high 16 and low 32 bits. */
export function macText(high: number, low: number): string {
  const hex = high.toString(16).padStart(4, '0') + low.toString(16).padStart(8, '0');
  return (hex.match(/../g) ?? []).join(':');
}

/** Four words of an address as text; null where it is none. */
export function parseAddress(text: string): { version: 4 | 6; words: [number, number, number, number] } | null {
  const version = isIP(text);
  if (version === 4) return { version: 4, words: [0, 0, 0xffff, ipv4Word(text)] };
  if (version !== 6 || text.includes('%')) return null;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let plain = text;
  if (dotted !== null) {
    const word = ipv4Word(dotted[2] ?? '');
    plain = `${dotted[1] ?? ''}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
  }
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  const g = [...left, ...zeros, ...right].map((x) => Number.parseInt(x, 16));
  const word = (i: number): number => (((g[i] ?? 0) << 16) | (g[i + 1] ?? 0)) >>> 0;
  return { version: 6, words: [word(0), word(2), word(4), word(6)] };
}

function ipv4Word(text: string): number {
  return text.split('.').reduce((acc, part) => ((acc << 8) | Number(part)) >>> 0, 0);
}

/** A set of addresses: single ones and CIDR blocks. */
export type AddressTest = (ip: string) => boolean;

interface Block {
  readonly version: 4 | 6;
  readonly words: readonly number[];
  readonly bits: number;
}

/** "10.0.0.1", "10.0.0.0/8", "::1", "fe80::/10" → block; null where it is none. */
export function parseBlock(text: string): Block | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const own = address.version === 4 ? 32 : 128;
  if (slash < 0) return { ...address, bits: 128 };
  const length = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length) || Number(length) > own) return null;
  return { ...address, bits: 128 - own + Number(length) };
}

function inBlock(block: Block, words: readonly number[]): boolean {
  let bits = block.bits;
  for (let i = 0; i < 4 && bits > 0; i++, bits -= 32) {
    const mask = bits >= 32 ? 0xffffffff : ~(0xffffffff >>> bits);
    if ((((block.words[i] ?? 0) ^ (words[i] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

const CACHE_LIMIT = 65536;

/** A test over many blocks that remembers its answers (bounded: addresses come from strangers). */
export function addressTest(blocks: readonly Block[]): AddressTest {
  const known = new Map<string, boolean>();
  return (ip) => {
    const before = known.get(ip);
    if (before !== undefined) return before;
    const address = parseAddress(ip);
    const answer = address !== null && blocks.some((b) => b.version === address.version && inBlock(b, address.words));
    if (known.size >= CACHE_LIMIT) known.clear();
    known.set(ip, answer);
    return answer;
  };
}

/** 127.0.0.0/8 and ::1 (RFC 1122 3.2.1.3, RFC 4291 2.5.3). */
export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}
