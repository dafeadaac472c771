/**
 * MPLS label stack (RFC 3032): entries of label (20 bits), class (3), bottom of stack (1), time to live (8).
 *
 * The stack does not say what it carries: the first nibble behind it does (4, 6). After 0 it is Ethernet, with a control
 * word before it where the first two bytes are zero (RFC 4385, 4448), else an address of its own.
 */

import { u16, u32, u8 } from '../../base/bytes.js';
import { E_MPLS, ETHERNET, IPV4, IPV6, L_MPLS, MPLS, STOP, type Next, type Walk } from '../walk.js';

const ENTRY = 4;
const BOTTOM = 0x100;
const CONTROL_WORD = 4;

/** One entry; comes back for the next one until the bottom. The label nearest the payload is the identifier. */
export function mpls(w: Walk): Next {
  if (!w.has(ENTRY, L_MPLS)) return STOP;
  const entry = u32(w.bytes, w.at);
  w.at += ENTRY;
  if ((entry & BOTTOM) === 0) return MPLS;
  if (!w.wrap(E_MPLS, -1, 0, entry >>> 12) || !w.has(1, L_MPLS)) return STOP;
  switch (u8(w.bytes, w.at) >> 4) {
    case 4:
      return IPV4;
    case 6:
      return IPV6;
    case 0:
      if (!w.has(CONTROL_WORD, L_MPLS)) return STOP;
      if (u16(w.bytes, w.at) === 0) w.at += CONTROL_WORD;
      return ETHERNET;
    default:
      return w.notTcp();
  }
}
