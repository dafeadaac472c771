/** One connection as one capture has it: under the addresses that it had there. */

import { ipv4Text, ipv6Text } from '../base/address.js';
import { word } from '../base/bytes.js';
import {
  IS_IPV6,
  R_DESTINATION,
  R_DESTINATION_UPPER,
  R_FLAGS,
  R_PORTS,
  R_SOURCE,
  R_SOURCE_UPPER,
  R_TENANT,
} from '../decode/record-layout.js';
import { Marks } from './marks.js';

/** Which end of a connection: by address, then by port, as records have it. */
export type Side = 'lower' | 'higher';

export interface Connection {
  readonly index: number;
  /** Four words of each address, the ports, the tenant. */
  readonly words: Uint32Array;
  readonly six: boolean;
  /** Who sent the SYN; null: not seen. */
  opener: Side | null;
  /** Sequence numbers of the SYN and of its answer. */
  openerIsn: number | null;
  acceptorIsn: number | null;
  /** TSval of the SYN, −1 without. */
  synTimestamp: number;
  /** Segments that are no resets. */
  segments: number;
  readonly marks: Marks;
  /** Another connection with the same hash. */
  next: Connection | null;
}

const LOWER = 0;
const HIGHER = 4;
const PORTS = 8;
const TENANT = 9;
const WORDS = 10;

/** The connection of the record at `at`, whose source is the lower end, or not. */
export function connectionOf(index: number, words: Uint32Array, at: number, isLower: boolean): Connection {
  const own = new Uint32Array(WORDS);
  const six = (word(words, at + R_FLAGS) & IS_IPV6) !== 0;
  const from = isLower ? LOWER : HIGHER;
  const to = isLower ? HIGHER : LOWER;
  if (six) {
    for (let w = 0; w < 3; w++) {
      own[from + w] = word(words, at + R_SOURCE_UPPER + w);
      own[to + w] = word(words, at + R_DESTINATION_UPPER + w);
    }
  }
  own[from + 3] = word(words, at + R_SOURCE);
  own[to + 3] = word(words, at + R_DESTINATION);
  own[PORTS] = portsOf(words, at, isLower);
  own[TENANT] = word(words, at + R_TENANT);
  return {
    index,
    words: own,
    six,
    opener: null,
    openerIsn: null,
    acceptorIsn: null,
    synTimestamp: -1,
    segments: 0,
    marks: new Marks(),
    next: null,
  };
}

/** Whether the record at `at` is of `connection`. */
export function isOf(connection: Connection, words: Uint32Array, at: number, isLower: boolean): boolean {
  const own = connection.words;
  const from = isLower ? LOWER : HIGHER;
  const to = isLower ? HIGHER : LOWER;
  if (
    word(own, PORTS) !== portsOf(words, at, isLower) ||
    word(own, from + 3) !== word(words, at + R_SOURCE) ||
    word(own, to + 3) !== word(words, at + R_DESTINATION) ||
    word(own, TENANT) !== word(words, at + R_TENANT)
  ) {
    return false;
  }
  if (!connection.six) return true;
  for (let w = 0; w < 3; w++) {
    if (word(own, from + w) !== word(words, at + R_SOURCE_UPPER + w)) return false;
    if (word(own, to + w) !== word(words, at + R_DESTINATION_UPPER + w)) return false;
  }
  return true;
}

/** The lower end's port in the upper half. */
function portsOf(words: Uint32Array, at: number, isLower: boolean): number {
  const ports = word(words, at + R_PORTS);
  return isLower ? ports : ((ports << 16) | (ports >>> 16)) >>> 0;
}

export function portOf({ words }: Connection, side: Side): number {
  return side === 'lower' ? word(words, PORTS) >>> 16 : word(words, PORTS) & 0xffff;
}

export function addressOf({ words, six }: Connection, side: Side): string {
  const at = side === 'lower' ? LOWER : HIGHER;
  if (!six) return ipv4Text(word(words, at + 3));
  return ipv6Text(word(words, at), word(words, at + 1), word(words, at + 2), word(words, at + 3));
}

/** The same for both directions and in both captures, where nothing changed the addresses. */
export function tupleOf(connection: Connection): string {
  return connection.words.subarray(0, TENANT).join(' ');
}

export function otherSide(side: Side): Side {
  return side === 'lower' ? 'higher' : 'lower';
}
