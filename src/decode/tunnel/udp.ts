/**
 * UDP (RFC 768) as the carrier of VXLAN (RFC 7348), Geneve (RFC 8926) and GTP-U (3GPP TS 29.281).
 *
 * A tunnel is told by its registered destination port and by a header that is in order; a datagram that only has the
 * port is plain UDP, never malformed.
 */

import { u16, u32, u8 } from '../../base/bytes.js';
import { etherType, ETHERTYPE_TRANSPARENT_ETHERNET } from '../net/ether-type.js';
import {
  E_GENEVE,
  E_GTP,
  E_VXLAN,
  ETHERNET,
  IP,
  L_GENEVE,
  L_GTP,
  L_UDP,
  L_VXLAN,
  STOP,
  type Layer,
  type Next,
  type Walk,
} from '../walk.js';

const UDP_HEADER = 8;
const DESTINATION_PORT = 2;
const LENGTH = 4;

const PORT_VXLAN = 4789;
/** Linux's port before one was registered; still the default of `ip link add type vxlan` and of flannel. */
const PORT_VXLAN_LINUX = 8472;
const PORT_GENEVE = 6081;
const PORT_GTP_U = 2152;

export function udp(w: Walk): Next {
  if (!w.has(UDP_HEADER, L_UDP)) return STOP;
  const { bytes, at } = w;
  const port = u16(bytes, at + DESTINATION_PORT);
  const length = u16(bytes, at + LENGTH);
  if (port !== PORT_VXLAN && port !== PORT_VXLAN_LINUX && port !== PORT_GENEVE && port !== PORT_GTP_U)
    return w.notTcp();
  if (length >= UDP_HEADER) w.bound(length, L_UDP);
  w.at = at + UDP_HEADER;
  if (port === PORT_GENEVE) return geneve(w);
  return port === PORT_GTP_U ? gtpU(w) : vxlan(w);
}

/** Whether the datagram has room for the tunnel's header; if not, it is plain UDP that only has the port. */
function holds(w: Walk, need: number, layer: Layer): boolean {
  if (w.wire - w.at >= need || w.fragmented) return w.has(need, layer);
  w.notTcp();
  return false;
}

/** Flags (1, "I" must be set), reserved (3), network identifier (3), reserved (1). */
const VXLAN_HEADER = 8;
const VXLAN_VALID_ID = 0x08;

function vxlan(w: Walk): Next {
  if (!holds(w, VXLAN_HEADER, L_VXLAN)) return STOP;
  if ((u8(w.bytes, w.at) & VXLAN_VALID_ID) === 0) return w.notTcp();
  if (!w.wrap(E_VXLAN, w.ipAt, w.ipVersion, u32(w.bytes, w.at + 4) >>> 8)) return STOP;
  w.at += VXLAN_HEADER;
  return ETHERNET;
}

/** Version (2 bits), options length in words (6 bits), flags (1), protocol (2), network identifier (3), reserved (1). */
const GENEVE_HEADER = 8;

function geneve(w: Walk): Next {
  if (!holds(w, GENEVE_HEADER, L_GENEVE)) return STOP;
  const { bytes, at } = w;
  const first = u8(bytes, at);
  if (first >> 6 !== 0) return w.notTcp();
  const header = GENEVE_HEADER + ((first & 0x3f) << 2);
  if (!holds(w, header, L_GENEVE)) return STOP;
  if (!w.wrap(E_GENEVE, w.ipAt, w.ipVersion, u32(bytes, at + 4) >>> 8)) return STOP;
  w.at += header;
  const protocol = u16(bytes, at + 2);
  return protocol === ETHERTYPE_TRANSPARENT_ETHERNET ? ETHERNET : etherType(w, protocol);
}

/** Version 1 (3 bits), type (1), reserved (1), E S PN flags; message type (1), length (2), tunnel end point (4). */
const GTP_HEADER = 8;
const GTP_OPTIONAL = 4;
const GTP_VERSION_1 = 0x30;
const GTP_VERSION_MASK = 0xf0;
const GTP_EXTENSION = 0x04;
const GTP_ANY_OPTIONAL = 0x07;
const GTP_G_PDU = 0xff;
const MAX_GTP_EXTENSIONS = 16;

function gtpU(w: Walk): Next {
  if (!holds(w, GTP_HEADER, L_GTP)) return STOP;
  const { bytes, at } = w;
  const flags = u8(bytes, at);
  if ((flags & GTP_VERSION_MASK) !== GTP_VERSION_1 || u8(bytes, at + 1) !== GTP_G_PDU) return w.notTcp();
  if (!w.wrap(E_GTP, w.ipAt, w.ipVersion, u32(bytes, at + 4))) return STOP;
  w.at = at + GTP_HEADER;
  w.bound(u16(bytes, at + 2), L_GTP);
  if ((flags & GTP_ANY_OPTIONAL) === 0) return IP;
  if (!w.has(GTP_OPTIONAL, L_GTP)) return STOP;
  let next = (flags & GTP_EXTENSION) === 0 ? 0 : u8(bytes, w.at + 3);
  w.at += GTP_OPTIONAL;
  for (let i = 0; next !== 0; i++) {
    if (!w.has(1, L_GTP)) return STOP;
    const length = u8(bytes, w.at) << 2;
    if (length === 0 || i >= MAX_GTP_EXTENSIONS) return w.bad(L_GTP, 4, length);
    if (!w.has(length, L_GTP)) return STOP;
    next = u8(bytes, w.at + length - 1);
    w.at += length;
  }
  return IP;
}
