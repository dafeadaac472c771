/**
 * PPP (RFC 1661, 1662) and PPPoE (RFC 2516).
 *
 * PPP: optional address and control (ff 03), a protocol field of two bytes, or one where it was compressed (odd).
 * PPPoE session: version and type (1), code (1), session id (2), length (2), then PPP without address and control.
 * Cisco HDLC: address (1), control (1), EtherType (2); a PPP_HDLC link may be either, by its first byte.
 */

import { u16, u8 } from '../../base/bytes.js';
import { etherType } from '../net/ether-type.js';
import { E_PPPOE, IPV4, IPV6, L_PPP, L_PPPOE, MPLS, PPP, STOP, type Next, type Walk } from '../walk.js';

const ALL_STATIONS = 0xff;
const UNNUMBERED_INFORMATION = 0x03;
const PROTOCOL_IPV4 = 0x0021;
const PROTOCOL_IPV6 = 0x0057;
const PROTOCOL_MPLS = 0x0281;

const PPPOE_HEADER = 6;
const CODE_SESSION = 0;
const HDLC_HEADER = 4;
const CISCO_UNICAST = 0x0f;
const CISCO_BROADCAST = 0x8f;

export function ppp(w: Walk): Next {
  if (!w.has(2, L_PPP)) return STOP;
  if (u8(w.bytes, w.at) === ALL_STATIONS && u8(w.bytes, w.at + 1) === UNNUMBERED_INFORMATION) w.at += 2;
  if (!w.has(1, L_PPP)) return STOP;
  const first = u8(w.bytes, w.at);
  if ((first & 1) === 1) {
    w.at += 1;
    return protocol(w, first);
  }
  if (!w.has(2, L_PPP)) return STOP;
  const both = u16(w.bytes, w.at);
  w.at += 2;
  return protocol(w, both);
}

function protocol(w: Walk, number: number): Next {
  switch (number) {
    case PROTOCOL_IPV4:
      return IPV4;
    case PROTOCOL_IPV6:
      return IPV6;
    case PROTOCOL_MPLS:
      return MPLS;
    default:
      return w.notTcp();
  }
}

export function pppoe(w: Walk): Next {
  if (!w.has(PPPOE_HEADER, L_PPPOE)) return STOP;
  const { bytes, at } = w;
  if (u8(bytes, at + 1) !== CODE_SESSION) return w.notTcp();
  if (!w.wrap(E_PPPOE, -1, 0, u16(bytes, at + 2))) return STOP;
  w.at += PPPOE_HEADER;
  w.bound(u16(bytes, at + 4), L_PPPOE);
  return PPP;
}

export function hdlc(w: Walk): Next {
  if (!w.has(1, L_PPP)) return STOP;
  const address = u8(w.bytes, w.at);
  return address === CISCO_UNICAST || address === CISCO_BROADCAST ? ciscoHdlc(w) : PPP;
}

export function ciscoHdlc(w: Walk): Next {
  if (!w.has(HDLC_HEADER, L_PPP)) return STOP;
  const type = u16(w.bytes, w.at + 2);
  w.at += HDLC_HEADER;
  return etherType(w, type);
}
