/**
 * The commonest frame of all, known at a glance: untagged Ethernet, IPv4 without options or fragments, a whole TCP
 * header.
 *
 * Only a shortcut. Whatever it says, the walk says too (a test holds them to it), and whatever it does not recognise
 * is the walk's; it knows no more of these headers than it takes to be sure.
 */

import { u16, u8 } from '../base/bytes.js';

/** Offsets from the beginning of the frame. */
const ETHER_TYPE = 12;
const VERSION_AND_LENGTH = 14;
const TOTAL_LENGTH = 16;
const FRAGMENT = 20;
const PROTOCOL = 23;
const TCP_OFFSET_AND_FLAGS = 46;
const WHOLE = 54;

const IPV4 = 0x0800;
const VERSION_4_NO_OPTIONS = 0x45;
const FRAGMENT_BITS = 0x3fff;
const TCP = 6;
/** Twenty bytes of IPv4 and twenty of TCP. */
const BOTH_HEADERS = 40;
const FIVE_WORDS = 0x5000;
const FLAGS = 0x0fff;

/** TCP flags of a plain segment that lies from `at` to `end`; −1 for anything else. */
export function plainFlags(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < WHOLE || u16(bytes, at + ETHER_TYPE) !== IPV4) return -1;
  if (u8(bytes, at + VERSION_AND_LENGTH) !== VERSION_4_NO_OPTIONS || u8(bytes, at + PROTOCOL) !== TCP) return -1;
  if ((u16(bytes, at + FRAGMENT) & FRAGMENT_BITS) !== 0) return -1;
  const total = u16(bytes, at + TOTAL_LENGTH);
  const word = u16(bytes, at + TCP_OFFSET_AND_FLAGS);
  return (total === 0 || total >= BOTH_HEADERS) && word >= FIVE_WORDS ? word & FLAGS : -1;
}
