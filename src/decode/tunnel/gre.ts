/**
 * GRE (RFC 2784, 2890; version 1 for PPP: RFC 2637) and the switch mirrors inside it, ERSPAN types I, II and III
 * (draft-foschiano-erspan).
 */

import { u16, u32, u8 } from '../../base/bytes.js';
import {
  etherType,
  ETHERTYPE_ERSPAN,
  ETHERTYPE_ERSPAN_III,
  ETHERTYPE_PPP,
  ETHERTYPE_TRANSPARENT_ETHERNET,
} from '../net/ether-type.js';
import { E_ERSPAN, E_GRE, ETHERNET, IP, L_ERSPAN, L_GRE, NO_ID, PPP, STOP, type Next, type Walk } from '../walk.js';

const BASE = 4;
const FLAG_CHECKSUM = 0x8000;
const FLAG_ROUTING = 0x4000;
const FLAG_KEY = 0x2000;
const FLAG_SEQUENCE = 0x1000;
const FLAG_ACK = 0x0080;
const VERSION = 0x0007;

export function gre(w: Walk): Next {
  if (!w.has(BASE, L_GRE)) return STOP;
  const { bytes, at } = w;
  const flags = u16(bytes, at);
  const protocol = u16(bytes, at + 2);
  const version = flags & VERSION;
  if (version > 1 || (flags & FLAG_ROUTING) !== 0) return w.notTcp();
  let header = BASE;
  if (version === 0 && (flags & FLAG_CHECKSUM) !== 0) header += 4;
  const keyAt = (flags & FLAG_KEY) === 0 ? -1 : at + header;
  if (keyAt >= 0) header += 4;
  if ((flags & FLAG_SEQUENCE) !== 0) header += 4;
  if (version === 1 && (flags & FLAG_ACK) !== 0) header += 4;
  if (!w.has(header, L_GRE)) return STOP;
  const mirrored = protocol === ETHERTYPE_ERSPAN || protocol === ETHERTYPE_ERSPAN_III;
  w.at = at + header;
  if (mirrored) return erspan(w, protocol, (flags & FLAG_SEQUENCE) !== 0);
  // Version 1 splits the key into payload length and call id, and each direction has a call id of its own: no identifier.
  const id = keyAt < 0 || version === 1 ? NO_ID : u32(bytes, keyAt);
  if (!w.wrap(E_GRE, w.ipAt, w.ipVersion, id)) return STOP;
  if (protocol === ETHERTYPE_TRANSPARENT_ETHERNET) return ETHERNET;
  return protocol === ETHERTYPE_PPP ? PPP : etherType(w, protocol);
}

/** Version (4 bits), VLAN (12), class and flags (6), session id (10), then by type; II: index (4), III: timestamp … */
const ERSPAN_II = 8;
const ERSPAN_III = 12;
const ERSPAN_PLATFORM = 8;
const SESSION_ID = 0x03ff;
/** Type III, byte 10: what was mirrored, an Ethernet frame (0) or an IP packet (2); byte 11: a subheader follows. */
const ERSPAN_FRAME_TYPE = 10;
const FRAME_TYPE_IP = 2;
const ERSPAN_SUBHEADER = 11;

function erspan(w: Walk, protocol: number, sequenced: boolean): Next {
  const typeOne = protocol === ETHERTYPE_ERSPAN && !sequenced;
  let header = typeOne ? 0 : protocol === ETHERTYPE_ERSPAN ? ERSPAN_II : ERSPAN_III;
  if (!w.has(header, L_ERSPAN)) return STOP;
  const id = typeOne ? NO_ID : u16(w.bytes, w.at + 2) & SESSION_ID;
  let next = ETHERNET;
  if (header === ERSPAN_III) {
    if (((u8(w.bytes, w.at + ERSPAN_FRAME_TYPE) >> 2) & 0x1f) === FRAME_TYPE_IP) next = IP;
    if ((u8(w.bytes, w.at + ERSPAN_SUBHEADER) & 1) !== 0) header += ERSPAN_PLATFORM;
    if (!w.has(header, L_ERSPAN)) return STOP;
  }
  if (!w.wrap(E_ERSPAN, w.ipAt, w.ipVersion, id)) return STOP;
  w.at += header;
  return next;
}
