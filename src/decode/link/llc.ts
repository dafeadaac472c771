/**
 * IEEE 802.2 LLC, with SNAP (RFC 1042): three bytes of LLC, then organisation code (3) and protocol (2).
 *
 * Organisation code 0 (and 0x0000f8, bridge tunnel) means that the protocol is an EtherType.
 */

import { u16, u8 } from '../../base/bytes.js';
import { etherType } from '../net/ether-type.js';
import { IPV4, L_LLC, STOP, type Next, type Walk } from '../walk.js';

const LLC_HEADER = 3;
const SNAP_HEADER = 8;
const SAP_SNAP = 0xaa;
const SAP_IP = 0x06;
const UNNUMBERED_INFORMATION = 0x03;
const OUI_ENCAPSULATED = 0x000000;
const OUI_BRIDGE_TUNNEL = 0x0000f8;

export function llc(w: Walk): Next {
  if (!w.has(LLC_HEADER, L_LLC)) return STOP;
  const { bytes, at } = w;
  const dsap = u8(bytes, at);
  if (u8(bytes, at + 2) !== UNNUMBERED_INFORMATION) return w.notTcp();
  if (dsap === SAP_IP) {
    w.at += LLC_HEADER;
    return IPV4;
  }
  if (dsap !== SAP_SNAP) return w.notTcp();
  if (!w.has(SNAP_HEADER, L_LLC)) return STOP;
  const oui = (u8(bytes, at + 3) << 16) | u16(bytes, at + 4);
  w.at += SNAP_HEADER;
  if (oui !== OUI_ENCAPSULATED && oui !== OUI_BRIDGE_TUNNEL) return w.notTcp();
  return etherType(w, u16(bytes, at + 6));
}
