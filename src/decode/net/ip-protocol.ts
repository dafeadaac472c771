/** IP protocol numbers (IANA) that lead to a TCP header, directly or through a tunnel. */

import { E_6IN4, E_IPIP, GRE, IPV4, IPV6, L_AH, MPLS, NO_ID, STOP, TCP, UDP, type Next, type Walk } from '../walk.js';
import { u8 } from '../../base/bytes.js';

const PROTOCOL_TCP = 6;
const PROTOCOL_IPIP = 4;
const PROTOCOL_UDP = 17;
const PROTOCOL_IPV6 = 41;
const PROTOCOL_GRE = 47;
export const PROTOCOL_AH = 51;
const PROTOCOL_MPLS = 137;

/** Next header (1), length in words less two (1), reserved (2), SPI (4), sequence number (4) (RFC 4302). */
const AH_MIN = 12;

export function ipProtocol(w: Walk, protocol: number): Next {
  switch (protocol) {
    case PROTOCOL_TCP:
      return TCP;
    case PROTOCOL_UDP:
      return UDP;
    case PROTOCOL_IPIP:
      return inner(w, E_IPIP, IPV4);
    case PROTOCOL_IPV6:
      return inner(w, w.ipVersion === 4 ? E_6IN4 : E_IPIP, IPV6);
    case PROTOCOL_GRE:
      return GRE;
    case PROTOCOL_MPLS:
      return MPLS;
    case PROTOCOL_AH:
      return authenticationHeader(w);
    default:
      return w.notTcp();
  }
}

/** Whether a datagram of this protocol may hold a TCP header. UDP is not asked: few of its datagrams are tunnels. */
export function leadsToTcp(protocol: number): boolean {
  switch (protocol) {
    case PROTOCOL_TCP:
    case PROTOCOL_IPIP:
    case PROTOCOL_IPV6:
    case PROTOCOL_GRE:
    case PROTOCOL_AH:
    case PROTOCOL_MPLS:
      return true;
    default:
      return false;
  }
}

function inner(w: Walk, kind: number, next: Next): Next {
  return w.wrap(kind, w.ipAt, w.ipVersion, NO_ID) ? next : STOP;
}

function authenticationHeader(w: Walk): Next {
  const next = skipAuthentication(w);
  return next < 0 ? STOP : next === PROTOCOL_AH ? w.notTcp() : ipProtocol(w, next);
}

/** Steps over an authentication header. @returns the protocol behind it, or −1 when the walk is over. */
export function skipAuthentication(w: Walk): number {
  if (!w.has(AH_MIN, L_AH)) return -1;
  const next = u8(w.bytes, w.at);
  const length = (u8(w.bytes, w.at + 1) + 2) << 2;
  if (length < AH_MIN) {
    w.bad(L_AH, AH_MIN, length);
    return -1;
  }
  if (!w.has(length, L_AH)) return -1;
  w.at += length;
  return next;
}
