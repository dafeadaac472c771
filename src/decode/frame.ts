/**
 * The walk from a frame's link-layer header to its innermost TCP header.
 *
 * Knows which header stands behind which; every loop is bounded. TCP quoted inside ICMP errors is never reached, since
 * ICMP leads nowhere.
 */

import { ethernet } from './link/ethernet.js';
import { ieee80211, ppi, radiotap } from './link/ieee80211.js';
import { llc } from './link/llc.js';
import { loopback } from './link/loopback.js';
import { mpls } from './link/mpls.js';
import { fddi, nflog, pktap, rawIp } from './link/other-links.js';
import { ciscoHdlc, hdlc, ppp, pppoe } from './link/ppp.js';
import { sll, sll2 } from './link/sll.js';
import { vlan } from './link/vlan.js';
import { ip, ipv4 } from './net/ipv4.js';
import { ipv6 } from './net/ipv6.js';
import { tcp } from './net/tcp.js';
import { gre } from './tunnel/gre.js';
import { udp } from './tunnel/udp.js';
import * as link from './link-types.js';
import {
  ETHERNET,
  GRE,
  IP,
  IPV4,
  IPV6,
  L_NESTING,
  LLC,
  MAX_LAYERS,
  MPLS,
  OUTCOME_UNKNOWN_LINK,
  PPP,
  PPPOE,
  STOP,
  TCP,
  UDP,
  VLAN,
  type Next,
  type Outcome,
  type Walk,
} from './walk.js';

/** Walks the frame that `w.begin` was given; what it found is in `w`. */
export function walkFrame(w: Walk, linkType: number): Outcome {
  let next = linkType === link.EN10MB ? ethernet(w) : firstLayer(w, linkType);
  // What most frames hold goes straight on; the loop is for all the rest, and not inlined with it.
  if (next === IPV4) next = ipv4(w);
  if (next === TCP) next = tcp(w);
  if (next !== STOP) otherLayers(w, next);
  return w.outcome;
}

/** Bounded, since labels and the like could go on for ever. */
function otherLayers(w: Walk, first: Next): void {
  let next = first;
  for (let i = 0; next !== STOP; i++) {
    if (i >= MAX_LAYERS) {
      w.bad(L_NESTING, MAX_LAYERS + 1, MAX_LAYERS);
      return;
    }
    next = layer(w, next);
  }
}

function layer(w: Walk, next: Next): Next {
  switch (next) {
    case ETHERNET:
      return ethernet(w);
    case IPV4:
      return ipv4(w);
    case TCP:
      return tcp(w);
    case IPV6:
      return ipv6(w);
    case UDP:
      return udp(w);
    case VLAN:
      return vlan(w);
    case LLC:
      return llc(w);
    case MPLS:
      return mpls(w);
    case GRE:
      return gre(w);
    case PPPOE:
      return pppoe(w);
    case PPP:
      return ppp(w);
    case IP:
      return ip(w);
    default:
      return w.notTcp();
  }
}

function firstLayer(w: Walk, linkType: number): Next {
  switch (linkType) {
    case link.EN10MB:
      return ETHERNET;
    case link.LINUX_SLL:
      return sll(w);
    case link.LINUX_SLL2:
      return sll2(w);
    case link.NULL:
    case link.LOOP:
      return loopback(w);
    case link.RAW:
    case link.RAW_BSD:
    case link.RAW_OPENBSD:
      return rawIp(w);
    case link.IPV4:
      return IPV4;
    case link.IPV6:
      return IPV6;
    case link.PPP:
      return PPP;
    case link.PPP_HDLC:
      return hdlc(w);
    case link.PPP_ETHER:
      return PPPOE;
    case link.C_HDLC:
      return ciscoHdlc(w);
    case link.IEEE802_11:
      return ieee80211(w);
    case link.IEEE802_11_RADIOTAP:
      return radiotap(w);
    case link.PPI:
      return ppi(w);
    case link.FDDI:
      return fddi(w);
    case link.MPLS:
      return MPLS;
    case link.NFLOG:
      return nflog(w);
    case link.PKTAP:
    case link.USER2: {
      const inner = pktap(w);
      if (inner < 0) return STOP;
      // One PKTAP header only: a second one would be nobody's capture, and could go on for ever.
      return inner === link.PKTAP || inner === link.USER2 ? w.notTcp() : firstLayer(w, inner);
    }
    default:
      w.outcome = OUTCOME_UNKNOWN_LINK;
      return STOP;
  }
}
