/** EtherTypes (IEEE 802 numbers) that lead to an IP header, and what stands behind each. */

import { IPV4, IPV6, MPLS, PPPOE, VLAN, type Next, type Walk } from '../walk.js';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;
export const ETHERTYPE_TRANSPARENT_ETHERNET = 0x6558;
export const ETHERTYPE_ERSPAN = 0x88be;
export const ETHERTYPE_ERSPAN_III = 0x22eb;
export const ETHERTYPE_PPP = 0x880b;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_QINQ = 0x88a8;
const ETHERTYPE_QINQ_OLD = 0x9100;
const ETHERTYPE_MPLS = 0x8847;
const ETHERTYPE_MPLS_UPSTREAM = 0x8848;
const ETHERTYPE_PPPOE_SESSION = 0x8864;

export function etherType(w: Walk, type: number): Next {
  switch (type) {
    case ETHERTYPE_IPV4:
      return IPV4;
    case ETHERTYPE_IPV6:
      return IPV6;
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
    case ETHERTYPE_QINQ_OLD:
      return VLAN;
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_UPSTREAM:
      return MPLS;
    case ETHERTYPE_PPPOE_SESSION:
      return PPPOE;
    default:
      return w.notTcp();
  }
}
