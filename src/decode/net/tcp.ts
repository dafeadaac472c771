/**
 * TCP header (RFC 9293 3.1).
 *
 * Knows the layout of one header. Does not know flows, or what a reset means. A header that was captured up to its
 * flags (byte 14) is a segment: ports, sequence numbers and flags are there, the window and options may not be. So is
 * one whose offset field claims more options than its datagram has room for.
 */

import { u16, u8 } from '../../base/bytes.js';
import { L_TCP, OUTCOME_TCP, STOP, type Next, type Walk } from '../walk.js';

export const TCP_SOURCE_PORT = 0;
export const TCP_DESTINATION_PORT = 2;
export const TCP_SEQ = 4;
export const TCP_ACK = 8;
const DATA_OFFSET = 12;
export const TCP_WINDOW = 14;
export const TCP_MIN = 20;
/** Bytes up to and with the flags: what a cut header must hold to be a segment. */
const THROUGH_FLAGS = 14;

export const FIN = 0x001;
export const SYN = 0x002;
export const RST = 0x004;
export const PSH = 0x008;
export const ACK = 0x010;
export const URG = 0x020;
export const ECE = 0x040;
export const CWR = 0x080;
export const AE = 0x100;
/** The flags that begin and end connections. */
export const CONTROL = SYN | FIN | RST;
const FLAGS_MASK = 0x0fff;
/** Beside flags that are wanted: all segments are, those without any flag too. */
export const KEEP_ANY = 0x1000;

export function tcp(w: Walk): Next {
  const { at } = w;
  if (w.end - at < TCP_MIN) {
    // A fragment may be so small that the header goes on in the next one (RFC 1858); a whole datagram may not.
    if (!w.fragmented && w.wire - at < TCP_MIN) return w.short(TCP_MIN, L_TCP);
    if (w.end - at < THROUGH_FLAGS) return w.short(THROUGH_FLAGS, L_TCP);
  }
  const word = u16(w.bytes, at + DATA_OFFSET);
  const header = (word >> 12) << 2;
  if (header < TCP_MIN) return w.bad(L_TCP, TCP_MIN, header);
  w.tcpAt = at;
  w.tcpFlags = word & FLAGS_MASK;
  w.outcome = OUTCOME_TCP;
  return STOP;
}

/** Length of the header whose offset field is at `at + 12`, as it claims. */
export function tcpHeaderLength(bytes: Uint8Array, at: number): number {
  return (u8(bytes, at + DATA_OFFSET) >> 4) << 2;
}

const LETTERS: readonly (readonly [number, string])[] = [
  [FIN, 'F'],
  [SYN, 'S'],
  [RST, 'R'],
  [PSH, 'P'],
  [ACK, '.'],
  [URG, 'U'],
  [ECE, 'E'],
  [CWR, 'W'],
  [AE, 'e'],
];

/** Flags as tcpdump writes them: "R", "R.", "FR."; "none" where there are none (tcpdump print-tcp.c tcp_flag_values). */
export function flagsText(flags: number): string {
  let text = '';
  for (const [bit, letter] of LETTERS) if ((flags & bit) !== 0) text += letter;
  return text === '' ? 'none' : text;
}
