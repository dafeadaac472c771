/**
 * Ethernet II and IEEE 802.3, and the tags between the addresses and the payload.
 *
 * Header: destination (6), source (6), EtherType or, below 0x600, the length of an LLC payload.
 */

import { u16 } from '../../base/bytes.js';
import { etherType } from '../net/ether-type.js';
import { L_ETHERNET, LLC, MAC_BOTH, MAC_NONE, STOP, type Next, type Walk } from '../walk.js';

const DESTINATION = 0;
const SOURCE = 6;
const TYPE = 12;
export const ETHERNET_HEADER = 14;
/** Below it the type field is a length (IEEE 802.3 3.2.6). */
export const FIRST_ETHER_TYPE = 0x600;

export function ethernet(w: Walk): Next {
  if (!w.has(ETHERNET_HEADER, L_ETHERNET)) return STOP;
  // Addresses of the link that was captured; an Ethernet header inside a tunnel is not that.
  if (w.macLayout === MAC_NONE && w.outerCount === 0) {
    w.macLayout = MAC_BOTH;
    w.macDestinationAt = w.at + DESTINATION;
    w.macSourceAt = w.at + SOURCE;
  }
  const type = u16(w.bytes, w.at + TYPE);
  w.at += ETHERNET_HEADER;
  if (type >= FIRST_ETHER_TYPE) return etherType(w, type);
  w.bound(type, L_ETHERNET);
  return LLC;
}
