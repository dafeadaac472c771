/**
 * The rows of a table of sockets with nothing parsed but what tells one socket from another: looks at tens of thousands
 * of rows, again and again, must cost next to nothing.
 *
 * Knows the form of /proc/net/tcp and tcp6, and keeps nothing.
 */

import type { NetTables } from './table.js';

/** The kernel's numbers of the states (include/net/tcp_states.h) that are told apart here. */
export const LISTEN = 10;
/** Closed by its program: FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, LAST_ACK, CLOSING. */
const CLOSING = new Set([4, 5, 6, 7, 9, 11]);

export function isClosing(state: number): boolean {
  return CLOSING.has(state);
}

/** `key`: both ends as they stand in the table; a part of its text, to be copied by whoever keeps it. */
export type RowVisitor = (key: string, state: number, inode: number) => void;

const SHORT_KEY = 27;
const LONG_KEY = 75;
/** " 0A 00000000:00000000 ", behind which fields have no fixed width. */
const FIXED = 22;
const COLON = 58;
const BLANK = 32;
const ZERO = 48;
const NINE = 57;

export function eachRow(tables: NetTables, visit: RowVisitor): void {
  eachRowOf(tables.tcp, SHORT_KEY, visit);
  eachRowOf(tables.tcp6, LONG_KEY, visit);
}

function eachRowOf(text: string, keyLength: number, visit: RowVisitor): void {
  // The first line names the columns.
  for (let start = text.indexOf('\n') + 1; start > 0 && start < text.length;) {
    const end = text.indexOf('\n', start);
    // A table that was cut ends in a part of a row.
    if (end < 0) return;
    const key = text.indexOf(':', start) + 2;
    const behind = key + keyLength;
    const state = hexDigit(text.charCodeAt(behind + 1)) * 16 + hexDigit(text.charCodeAt(behind + 2));
    const inode = inodeAt(text, behind + FIXED, end);
    // Both ends' ports and the blank stand where they must.
    const formed = text.charCodeAt(behind - 5) === COLON && text.charCodeAt(behind) === BLANK;
    if (key >= 2 && formed && inode >= 0 && behind < end) visit(text.slice(key, behind), state, inode);
    start = end + 1;
  }
}

/** Behind the timer, the retransmissions, the user and the time-out; -1: there is none. */
function inodeAt(text: string, from: number, end: number): number {
  let at = from;
  for (let field = 0; field < 4; field++) {
    while (at < end && text.charCodeAt(at) === BLANK) at++;
    while (at < end && text.charCodeAt(at) !== BLANK) at++;
  }
  while (at < end && text.charCodeAt(at) === BLANK) at++;
  if (at >= end) return -1;
  let inode = 0;
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === BLANK) break;
    if (code < ZERO || code > NINE) return -1;
    inode = inode * 10 + (code - ZERO);
  }
  return inode;
}

function hexDigit(code: number): number {
  return code <= NINE ? code - ZERO : (code & 0xdf) - 55;
}
