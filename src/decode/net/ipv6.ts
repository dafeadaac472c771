/**
 * IPv6 (RFC 8200) with its extension headers.
 *
 * The payload length bounds everything above; 0 means a jumbogram (RFC 2675) or segmentation offload, and then the
 * frame's end counts.
 */

import { u16, u8 } from '../../base/bytes.js';
import { L_IPV6, L_NESTING, STOP, type Next, type Walk } from '../walk.js';
import { ipProtocol, leadsToTcp, PROTOCOL_AH, skipAuthentication } from './ip-protocol.js';
import { laterFragment } from './ipv4.js';

export const IPV6_HEADER = 40;
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
export const IPV6_HOP_LIMIT = 7;
export const IPV6_SOURCE = 8;
export const IPV6_DESTINATION = 24;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HOST_IDENTITY = 139;
const SHIM6 = 140;

/** Next header (1), reserved (1), offset in the high 13 bits and "more" in the lowest (2), identification (4). */
const FRAGMENT_HEADER = 8;
const FRAGMENT_OFFSET = 0xfff8;
const MORE_FRAGMENTS = 1;
/** RFC 8200 4.1 knows seven at most; a chain longer than this is nobody's traffic. */
const MAX_EXTENSIONS = 32;

export function ipv6(w: Walk): Next {
  if (!w.has(IPV6_HEADER, L_IPV6)) return STOP;
  const { bytes, at } = w;
  const version = u8(bytes, at) >> 4;
  if (version !== 6) return w.bad(L_IPV6, IPV6_HEADER, 0);
  const length = u16(bytes, at + PAYLOAD_LENGTH);
  if (length !== 0) w.bound(IPV6_HEADER + length, L_IPV6);
  w.ipVersion = 6;
  w.ipAt = at;
  w.at = at + IPV6_HEADER;
  return extensions(w, u8(bytes, at + NEXT_HEADER));
}

function extensions(w: Walk, first: number): Next {
  let header = first;
  for (let i = 0; i < MAX_EXTENSIONS; i++) {
    switch (header) {
      case HOP_BY_HOP:
      case ROUTING:
      case DESTINATION_OPTIONS:
      case MOBILITY:
      case HOST_IDENTITY:
      case SHIM6: {
        if (!w.has(2, L_IPV6)) return STOP;
        header = u8(w.bytes, w.at);
        const length = (u8(w.bytes, w.at + 1) + 1) << 3;
        if (!w.has(length, L_IPV6)) return STOP;
        w.at += length;
        break;
      }
      case PROTOCOL_AH:
        header = skipAuthentication(w);
        if (header < 0) return STOP;
        break;
      case FRAGMENT: {
        if (!w.has(FRAGMENT_HEADER, L_IPV6)) return STOP;
        header = u8(w.bytes, w.at);
        const fragment = u16(w.bytes, w.at + 2);
        if ((fragment & FRAGMENT_OFFSET) !== 0) return laterFragment(w, isExtension(header) || leadsToTcp(header));
        if ((fragment & MORE_FRAGMENTS) !== 0) w.fragmented = true;
        w.at += FRAGMENT_HEADER;
        break;
      }
      default:
        return ipProtocol(w, header);
    }
  }
  return w.bad(L_NESTING, MAX_EXTENSIONS + 1, MAX_EXTENSIONS);
}

function isExtension(header: number): boolean {
  return header === DESTINATION_OPTIONS || header === ROUTING || header === MOBILITY || header === HOP_BY_HOP;
}
