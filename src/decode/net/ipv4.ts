/**
 * IPv4 (RFC 791): header, fragments, and which protocol comes next.
 *
 * The total length bounds everything above (Ethernet padding is never payload); 0 is what segmentation offload leaves
 * in a sender's own capture, and then the frame's end counts.
 */

import { u16, u8 } from '../../base/bytes.js';
import { IPV4, IPV6, L_IPV4, L_RAW, OUTCOME_FRAGMENT, STOP, type Next, type Walk } from '../walk.js';
import { ipProtocol, leadsToTcp } from './ip-protocol.js';

export const IPV4_MIN = 20;
const TOTAL_LENGTH = 2;
export const IPV4_ID = 4;
export const IPV4_FRAGMENT = 6;
export const IPV4_DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;
export const IPV4_TTL = 8;
const PROTOCOL = 9;
export const IPV4_SOURCE = 12;
export const IPV4_DESTINATION = 16;

export function ipv4(w: Walk): Next {
  if (!w.has(IPV4_MIN, L_IPV4)) return STOP;
  const { bytes, at } = w;
  const first = u8(bytes, at);
  const header = (first & 15) << 2;
  if (first >> 4 !== 4 || header < IPV4_MIN) return w.bad(L_IPV4, IPV4_MIN, first >> 4 === 4 ? header : 0);
  const total = u16(bytes, at + TOTAL_LENGTH);
  if (total !== 0) {
    if (total < header) return w.bad(L_IPV4, header, total);
    w.bound(total, L_IPV4);
  }
  if (header > IPV4_MIN && !w.has(header, L_IPV4)) return STOP;
  const fragment = u16(bytes, at + IPV4_FRAGMENT);
  const protocol = u8(bytes, at + PROTOCOL);
  w.ipVersion = 4;
  w.ipAt = at;
  if ((fragment & (FRAGMENT_OFFSET | MORE_FRAGMENTS)) !== 0) {
    if ((fragment & FRAGMENT_OFFSET) !== 0) return laterFragment(w, leadsToTcp(protocol));
    w.fragmented = true;
  }
  w.at = at + header;
  return ipProtocol(w, protocol);
}

/** A later fragment of TCP, or of what could hold it, can't be read; of anything else it is not TCP anyway. */
export function laterFragment(w: Walk, maybeTcp: boolean): Next {
  if (!maybeTcp) return w.notTcp();
  w.outcome = OUTCOME_FRAGMENT;
  return STOP;
}

/** An IP header of either version, told by its first nibble. */
export function ip(w: Walk): Next {
  if (!w.has(1, L_RAW)) return STOP;
  const version = u8(w.bytes, w.at) >> 4;
  if (version === 4) return IPV4;
  return version === 6 ? IPV6 : w.notTcp();
}
