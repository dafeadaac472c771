/**
 * The two directions of a reset's conversation, and those of the same conversation behind a NAT: which record goes which
 * way.
 */

import { parseAddress } from '../base/address.js';
import { word } from '../base/bytes.js';
import {
  IPV4_TENANT,
  IPV6_TENANT,
  IS_IPV6,
  R_DESTINATION,
  R_DESTINATION_UPPER,
  R_FLAGS,
  R_PORTS,
  R_SOURCE,
  R_SOURCE_UPPER,
  R_TENANT,
} from '../decode/record-layout.js';
import { twinsOf, type Reset, type Tuple } from './reset.js';

/** Whose segment it is: that of the reset's sender, or of its receiver. */
export type Side = 'sender' | 'receiver';

/** Other tuples of a reset that are looked for. */
const MOST_TWINS = 8;

export interface Way {
  readonly side: Side;
  /** Null: the reset's own addresses. */
  readonly translation: Tuple | null;
  readonly matches: (words: Uint32Array, at: number) => boolean;
}

export function waysOf(reset: Reset): readonly Way[] {
  const isSix = reset.ipVersion === 6;
  const tenant = (reset.tenant ^ (isSix ? IPV6_TENANT : IPV4_TENANT)) >>> 0;
  return [
    ...both(reset, tenant, isSix, null),
    // Behind a NAT the tags around a segment may be others: which, the reset does not say.
    ...twinsOf(reset)
      .slice(0, MOST_TWINS)
      .flatMap((twin) => both(twin, null, isSix, tupleOf(twin))),
  ];
}

function both(tuple: Tuple, tenant: number | null, isSix: boolean, translation: Tuple | null): Way[] {
  const back = { srcIp: tuple.destIp, srcPort: tuple.destPort, destIp: tuple.srcIp, destPort: tuple.srcPort };
  return [
    { side: 'sender', translation, matches: testOf(tuple, tenant, isSix) },
    {
      side: 'receiver',
      translation: translation === null ? null : back,
      matches: testOf(back, tenant, isSix),
    },
  ];
}

function tupleOf({ srcIp, srcPort, destIp, destPort }: Tuple): Tuple {
  return { srcIp, srcPort, destIp, destPort };
}

function testOf({ srcIp, srcPort, destIp, destPort }: Tuple, tenant: number | null, isSix: boolean): Way['matches'] {
  const ports = ((srcPort << 16) | destPort) >>> 0;
  const source = parseAddress(srcIp)?.words;
  const destination = parseAddress(destIp)?.words;
  if (source === undefined || destination === undefined) return () => false;
  return (words, at) => {
    if (word(words, at + R_PORTS) !== ports) return false;
    if (word(words, at + R_SOURCE) !== source[3] || word(words, at + R_DESTINATION) !== destination[3]) return false;
    if (((word(words, at + R_FLAGS) & IS_IPV6) !== 0) !== isSix) return false;
    if (tenant !== null && word(words, at + R_TENANT) !== tenant) return false;
    return !isSix || (upper(words, at + R_SOURCE_UPPER, source) && upper(words, at + R_DESTINATION_UPPER, destination));
  };
}

function upper(words: Uint32Array, at: number, wanted: readonly [number, number, number, number]): boolean {
  const [a, b, c] = wanted;
  return word(words, at) === a && word(words, at + 1) === b && word(words, at + 2) === c;
}
