/**
 * The commonest frames of all, known at a glance: untagged Ethernet, IPv4 or IPv6 without options or fragments, a
 * whole TCP header.
 *
 * Only a shortcut. Whatever it says, the walk says too (a test holds them to it), and whatever it does not recognise
 * is the walk's; it knows no more of these headers than it takes to be sure.
 */

import type { Sieve } from '../capture/frame-batch.js';
import { EN10MB } from './link-types.js';
import { CONTROL } from './net/tcp.js';

/** Offsets from the beginning of the frame; each load covers what lies behind it. */
const ETHER_TYPE_AND_VERSION = 12;

/** EtherType IPv4, version 4, header of five words; the type of service is masked out. */
const IPV4_MASK = 0xffffff00 | 0;
const IPV4 = 0x08004500;
const IPV4_LENGTH = 16;
const IPV4_FRAGMENT_AND_PROTOCOL = 20;
/** No fragment, protocol TCP; "don't fragment" and the time to live are masked out. */
const IPV4_TCP_MASK = 0x3fff00ff;
const TCP = 6;
const IPV4_TCP_FLAGS = 46;
const IPV4_WHOLE = 54;
/** Twenty bytes of IPv4 and twenty of TCP. */
const BOTH_HEADERS = 40;

/** EtherType IPv6, version 6; traffic class and flow label are masked out. */
const IPV6_MASK = 0xfffff000 | 0;
const IPV6 = 0x86dd6000 | 0;
const IPV6_LENGTH = 18;
const IPV6_NEXT_HEADER = 20;
const IPV6_TCP_FLAGS = 66;
const IPV6_WHOLE = 74;
const TCP_HEADER = 20;

const FIVE_WORDS = 0x5000;
const FLAGS = 0x0fff;

/** Counts plain segments that have none of the flags asked for, and lets all other frames through. */
export class PlainSieve implements Sieve {
  readonly linkType = EN10MB;
  /** Segments counted. */
  passed = 0;
  /** Of these, those with SYN, FIN or RST. */
  control = 0;
  private readonly asked: number;

  /** `asked` has RST: resets are never only counted. */
  constructor(asked: number) {
    this.asked = asked;
  }

  passes(view: DataView, at: number, end: number): boolean {
    const flags = plainFlags(view, at, end);
    if (flags < 0 || (flags & this.asked) !== 0) return false;
    this.passed++;
    // Without a branch: the first FIN would come after the loop around it was compiled, and undo that.
    this.control += (flags & CONTROL) === 0 ? 0 : 1;
    return true;
  }
}

/** TCP flags of a plain segment that lies from `at` to `end`; −1 for anything else. */
export function plainFlags(view: DataView, at: number, end: number): number {
  if (end - at < IPV4_WHOLE) return -1;
  const first = view.getInt32(at + ETHER_TYPE_AND_VERSION);
  if ((first & IPV4_MASK) === IPV4) {
    if ((view.getInt32(at + IPV4_FRAGMENT_AND_PROTOCOL) & IPV4_TCP_MASK) !== TCP) return -1;
    return flagsAt(view, at + IPV4_TCP_FLAGS, view.getUint16(at + IPV4_LENGTH), BOTH_HEADERS);
  }
  if ((first & IPV6_MASK) !== IPV6 || end - at < IPV6_WHOLE || view.getUint8(at + IPV6_NEXT_HEADER) !== TCP) return -1;
  return flagsAt(view, at + IPV6_TCP_FLAGS, view.getUint16(at + IPV6_LENGTH), TCP_HEADER);
}

/** The flags, where the datagram claims `least` bytes (or none: segmentation offload) and the header is whole. */
function flagsAt(view: DataView, at: number, length: number, least: number): number {
  const word = view.getUint16(at);
  return (length === 0 || length >= least) && word >= FIVE_WORDS ? word & FLAGS : -1;
}
