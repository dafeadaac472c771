/**
 * Link types with a short header of their own: FDDI, NFLOG, PKTAP and raw IP.
 *
 * Sources: ANSI X3.139 (FDDI), https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html, Darwin bsd/net/pktap.h.
 */

import { u16, u16le, u32le, u8 } from '../../base/bytes.js';
import {
  IP,
  IPV4,
  IPV6,
  L_FDDI,
  L_NFLOG,
  L_PKTAP,
  L_RAW,
  LLC,
  MAC_BOTH,
  PACKET_HOST,
  PACKET_OUTGOING,
  STOP,
  type Next,
  type Walk,
} from '../walk.js';

/** Frame control (1), destination (6), source (6), LLC. */
const FDDI_HEADER = 13;
const FDDI_LLC_MASK = 0xf0;
const FDDI_LLC = 0x50;

export function fddi(w: Walk): Next {
  if (!w.has(FDDI_HEADER, L_FDDI)) return STOP;
  const control = u8(w.bytes, w.at);
  w.macLayout = MAC_BOTH;
  w.macDestinationAt = w.at + 1;
  w.macSourceAt = w.at + 7;
  w.at += FDDI_HEADER;
  return (control & FDDI_LLC_MASK) === FDDI_LLC ? LLC : w.notTcp();
}

/** Family (1), version (1), resource (2), then fields of length (2), type (2) and value, padded to four bytes. */
const NFLOG_HEADER = 4;
const NFLOG_FIELD = 4;
/** Without the two bits that say "nested" and "network order". */
const NFLOG_TYPE = 0x3fff;
const NFLOG_MAX_TYPE = 0xff;
const NFULA_PAYLOAD = 9;
const AF_INET = 2;
const AF_INET6 = 10;

export function nflog(w: Walk): Next {
  if (!w.has(NFLOG_HEADER, L_NFLOG)) return STOP;
  const family = u8(w.bytes, w.at);
  w.at += NFLOG_HEADER;
  while (w.wire - w.at >= NFLOG_FIELD) {
    if (!w.has(NFLOG_FIELD, L_NFLOG)) return STOP;
    const { bytes, at } = w;
    // Fields are in the capturing machine's byte order, which nothing tells but this: types are small numbers.
    const little = (u16le(bytes, at + 2) & NFLOG_TYPE) <= NFLOG_MAX_TYPE;
    const length = little ? u16le(bytes, at) : u16(bytes, at);
    const type = (little ? u16le(bytes, at + 2) : u16(bytes, at + 2)) & NFLOG_TYPE;
    if (length < NFLOG_FIELD) return w.bad(L_NFLOG, NFLOG_FIELD, length);
    if (type === NFULA_PAYLOAD) {
      w.bound(length, L_NFLOG);
      w.at += NFLOG_FIELD;
      return family === AF_INET ? IPV4 : family === AF_INET6 ? IPV6 : w.notTcp();
    }
    const left = w.wire - at;
    if (length > left) return w.short(length, L_NFLOG);
    // The last field may lack its padding.
    const step = Math.min((length + 3) & ~3, left);
    if (!w.has(step, L_NFLOG)) return STOP;
    w.at += step;
  }
  return w.notTcp();
}

/** All little-endian: header length (4), record type (4), DLT (4), interface name (24), flags (4) … */
const PKTAP_MIN = 40;
const PKTAP_MAX = 4096;
const PKTAP_DLT = 8;
const PKTAP_NAME = 12;
export const PKTAP_NAME_LENGTH = 24;
const PKTAP_FLAGS = 36;
const PKTAP_IN = 1;
const PKTAP_OUT = 2;

/** @returns the link type of what follows, or −1 when the walk is over. */
export function pktap(w: Walk): number {
  if (!w.has(PKTAP_MIN, L_PKTAP)) return -1;
  const { bytes, at } = w;
  const length = u32le(bytes, at);
  if (length < PKTAP_MIN || length > PKTAP_MAX) {
    w.bad(L_PKTAP, PKTAP_MIN, length);
    return -1;
  }
  if (!w.has(length, L_PKTAP)) return -1;
  const flags = u32le(bytes, at + PKTAP_FLAGS);
  w.interfaceNameAt = at + PKTAP_NAME;
  if ((flags & PKTAP_OUT) !== 0) w.packetType = PACKET_OUTGOING;
  else if ((flags & PKTAP_IN) !== 0) w.packetType = PACKET_HOST;
  w.at += length;
  return u32le(bytes, at + PKTAP_DLT);
}

export function rawIp(w: Walk): Next {
  return w.has(1, L_RAW) ? IP : STOP;
}
