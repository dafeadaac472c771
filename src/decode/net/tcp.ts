/**
 * TCP header (RFC 9293 3.1).
 *
 * Knows the layout of one header. Does not know flows, or what a reset means. A header that was captured up to its
 * flags (byte 14) is a segment: ports, sequence numbers and flags are there, the window and options may not be. So is
 * one whose offset field claims more options than its datagram has room for.
 */

import { u16, u8 } from '../../base/bytes.js';
import { L_TCP, OUTCOME_TCP, STOP, type Next, type Walk } from '../walk.js';
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, TCP_MIN, URG } from './tcp-layout.js';

const DATA_OFFSET = 12;
/** Bytes up to and with the flags: what a cut header must hold to be a segment. */
const THROUGH_FLAGS = 14;

const FLAGS_MASK = 0x0fff;

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
