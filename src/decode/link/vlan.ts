/**
 * VLAN tags (IEEE 802.1Q, 802.1ad "QinQ", and 0x9100 of older switches): two bytes of tag, two of the next EtherType.
 */

import { u16 } from '../../base/bytes.js';
import { etherType } from '../net/ether-type.js';
import { L_NESTING, L_VLAN, LLC, MAX_VLANS, STOP, type Next, type Walk } from '../walk.js';
import { FIRST_ETHER_TYPE } from './ethernet.js';

const TAG = 4;
const VLAN_ID = 0x0fff;

export function vlan(w: Walk): Next {
  if (!w.has(TAG, L_VLAN)) return STOP;
  if (w.vlanCount >= MAX_VLANS) return w.bad(L_NESTING, MAX_VLANS + 1, MAX_VLANS);
  w.vlans[w.vlanCount++] = u16(w.bytes, w.at) & VLAN_ID;
  const type = u16(w.bytes, w.at + 2);
  w.at += TAG;
  if (type >= FIRST_ETHER_TYPE) return etherType(w, type);
  w.bound(type, L_VLAN);
  return LLC;
}
