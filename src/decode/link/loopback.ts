/**
 * BSD loopback headers: four bytes of address family, in the capturing machine's byte order (DLT_NULL) or network
 * order (DLT_LOOP). The families differ by system: AF_INET is 2 everywhere, AF_INET6 is not.
 */

import { u32, u32le } from '../../base/bytes.js';
import { IPV4, IPV6, L_NULL, STOP, type Next, type Walk } from '../walk.js';

const HEADER = 4;
const AF_INET = 2;
/** Linux 10, Windows 23, NetBSD and OpenBSD 24, FreeBSD 28, Darwin 30. */
const AF_INET6 = [10, 23, 24, 28, 30];

export function loopback(w: Walk): Next {
  if (!w.has(HEADER, L_NULL)) return STOP;
  const little = u32le(w.bytes, w.at);
  const family = little < 0x10000 ? little : u32(w.bytes, w.at);
  w.at += HEADER;
  if (family === AF_INET) return IPV4;
  return AF_INET6.includes(family) ? IPV6 : w.notTcp();
}
