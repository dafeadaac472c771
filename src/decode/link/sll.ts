/**
 * Linux "cooked" headers, what `-i any` gives (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and _SLL2).
 *
 * SLL: packet type (2), ARPHRD (2), address length (2), address (8), protocol (2).
 * SLL2: protocol (2), reserved (2), interface index (4), ARPHRD (2), packet type (1), address length (1), address (8).
 */

import { u16, u32, u8 } from '../../base/bytes.js';
import { etherType, ETHERTYPE_TRANSPARENT_ETHERNET } from '../net/ether-type.js';
import { ETHERNET, L_SLL, L_SLL2, LLC, MAC_SOURCE, STOP, type Next, type Walk } from '../walk.js';

const SLL_HEADER = 16;
const SLL2_HEADER = 20;
const MAC_LENGTH = 6;
/** In place of an EtherType: an 802.2 LLC payload (LINUX_SLL_P_802_2). */
const PROTOCOL_LLC = 4;
const ARPHRD_NETLINK = 824;

export function sll(w: Walk): Next {
  if (!w.has(SLL_HEADER, L_SLL)) return STOP;
  const { bytes, at } = w;
  return cooked(w, u16(bytes, at), u16(bytes, at + 2), u16(bytes, at + 4), at + 6, u16(bytes, at + 14), SLL_HEADER);
}

export function sll2(w: Walk): Next {
  if (!w.has(SLL2_HEADER, L_SLL2)) return STOP;
  const { bytes, at } = w;
  w.interfaceIndex = u32(bytes, at + 4);
  return cooked(w, u8(bytes, at + 10), u16(bytes, at + 8), u8(bytes, at + 11), at + 12, u16(bytes, at), SLL2_HEADER);
}

function cooked(
  w: Walk,
  packetType: number,
  arphrd: number,
  addressLength: number,
  addressAt: number,
  protocol: number,
  header: number,
): Next {
  w.packetType = packetType & 0xff;
  if (addressLength === MAC_LENGTH) {
    w.macLayout = MAC_SOURCE;
    w.macSourceAt = addressAt;
  }
  w.at += header;
  if (arphrd === ARPHRD_NETLINK) return w.notTcp();
  if (protocol === PROTOCOL_LLC) return LLC;
  if (protocol === ETHERTYPE_TRANSPARENT_ETHERNET) return ETHERNET;
  return etherType(w, protocol);
}
