/**
 * The TCP sockets of one network namespace as the kernel lists them: /proc/PID/net/tcp and tcp6.
 *
 * Looks for one tuple or one port in the text itself; rows are parsed only where somebody wants them. Knows nothing of
 * processes but whose view of the tables is read.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { ipv4Text, ipv6Text, parseAddress } from '../../base/address.js';

export type TcpState =
  | 'ESTABLISHED'
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'FIN_WAIT1'
  | 'FIN_WAIT2'
  | 'TIME_WAIT'
  | 'CLOSE'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'LISTEN'
  | 'CLOSING'
  | 'NEW_SYN_RECV';

/** By the kernel's number of the state, from 1 (include/net/tcp_states.h). */
const STATES: readonly TcpState[] = [
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
];

export interface SocketRow {
  /** As the decoder prints addresses; an IPv4-mapped IPv6 address as plain IPv4. */
  readonly localIp: string;
  readonly localPort: number;
  readonly remoteIp: string;
  readonly remotePort: number;
  /** Of the socket's family: a listener on both is 6 with "::". */
  readonly ipVersion: 4 | 6;
  readonly state: TcpState;
  /** Of a listener: connections that wait to be accepted. */
  readonly recvQueue: number;
  readonly sendQueue: number;
  readonly uid: number;
  /** 0: no process holds it (TIME_WAIT, not yet accepted, closed with data still to be sent). */
  readonly inode: number;
}

/** The texts as they were read. */
export interface NetTables {
  readonly tcp: string;
  readonly tcp6: string;
}

/** Beyond it a table is cut: two and a half million sockets, and short of the longest string there can be. */
const MAX_TABLE = 400 * 1024 * 1024;
const FIRST_ROOM = 1 << 20;

/** Both tables, as the process sees them. The reading is one long synchronous piece of work (20,000 sockets: 20 ms). */
export function readTables(proc: string, pid: number | 'self'): NetTables | 'gone' | 'permission' {
  const tcp = readText(`${proc}/${String(pid)}/net/tcp`);
  if (tcp === null || tcp === 'permission') return tcp ?? 'gone';
  // Without IPv6 there is no such file.
  const tcp6 = readText(`${proc}/${String(pid)}/net/tcp6`) ?? '';
  return tcp6 === 'permission' ? tcp6 : { tcp, tcp6 };
}

/** Null: there is nothing to read any more. */
function readText(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    return isPermission(error) ? 'permission' : null;
  }
  try {
    let room = Buffer.allocUnsafe(FIRST_ROOM);
    let length = 0;
    for (;;) {
      const more = readSync(file, room, length, room.length - length, null);
      length += more;
      if (more === 0 || length >= MAX_TABLE) return room.toString('latin1', 0, length);
      if (length < room.length) continue;
      const larger = Buffer.allocUnsafe(Math.min(room.length * 4, MAX_TABLE));
      room.copy(larger, 0, 0, length);
      room = larger;
    }
  } catch (error) {
    return isPermission(error) ? 'permission' : null;
  } finally {
    closeSync(file);
  }
}

function isPermission(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
}

/** All rows, each parsed when it is asked for. */
export function* rowsOf(tables: NetTables): Generator<SocketRow> {
  for (const [text, version] of both(tables)) {
    // The first line names the columns.
    let start = text.indexOf('\n') + 1;
    while (start > 0 && start < text.length) {
      const row = rowAt(text, start, version);
      if (row !== null) yield row;
      start = text.indexOf('\n', start) + 1;
    }
  }
}

/** The raw forms that a tuple can have in the tables: "0100007F:1C2B 0100007F:D431". None for what is no address. */
export function tupleKey(localIp: string, localPort: number, remoteIp: string, remotePort: number): readonly string[] {
  const local = parseAddress(localIp);
  const remote = parseAddress(remoteIp);
  if (local === null || remote === null) return [];
  const ends = (hex: (words: readonly number[]) => string): string =>
    `${hex(local.words)}:${portHex(localPort)} ${hex(remote.words)}:${portHex(remotePort)}`;
  const long = ends((words) => words.map(wordHex).join(''));
  if (isIpv4(local.words) && isIpv4(remote.words)) return [ends((words) => wordHex(words[3] ?? 0)), long];
  return [long];
}

/** The socket of exactly this tuple. */
export function findTuple(
  tables: NetTables,
  localIp: string,
  localPort: number,
  remoteIp: string,
  remotePort: number,
): SocketRow | null {
  let ownerless: SocketRow | null = null;
  for (const key of tupleKey(localIp, localPort, remoteIp, remotePort)) {
    const wanted = `: ${key} `;
    const [text, version] = key.length <= SHORT_KEY ? ([tables.tcp, 4] as const) : ([tables.tcp6, 6] as const);
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
      const row = rowAt(text, lineStart(text, at), version);
      // The remains of an older connection may lie beside the present one.
      if (row !== null && row.inode !== 0) return row;
      ownerless ??= row;
    }
  }
  return ownerless;
}

/** "XXXXXXXX:XXXX XXXXXXXX:XXXX". */
const SHORT_KEY = 27;

/** Sockets with this local port. */
export function rowsOfPort(tables: NetTables, port: number): SocketRow[] {
  return [...withPort(tables, port)].filter(({ localPort }) => localPort === port);
}

/** Sockets with this port at either end. */
export function rowsTouchingPort(tables: NetTables, port: number): SocketRow[] {
  return [...withPort(tables, port)];
}

/** ":1C2B " stands for nothing but a port: the other fields with a colon have eight digits behind it. */
function* withPort(tables: NetTables, port: number): Generator<SocketRow> {
  const wanted = `:${portHex(port)} `;
  for (const [text, version] of both(tables)) {
    for (let at = text.indexOf(wanted); at >= 0;) {
      const row = rowAt(text, lineStart(text, at), version);
      if (row !== null) yield row;
      const end = text.indexOf('\n', at);
      at = end < 0 ? -1 : text.indexOf(wanted, end);
    }
  }
}

export function listenersOf(tables: NetTables): SocketRow[] {
  const found: SocketRow[] = [];
  for (const [text, version] of both(tables)) {
    for (let at = text.indexOf(LISTENING); at >= 0; at = text.indexOf(LISTENING, at + LISTENING.length)) {
      const row = rowAt(text, lineStart(text, at), version);
      if (row?.state === 'LISTEN') found.push(row);
    }
  }
  return found;
}

/** Remote port 0 and the state's number. */
const LISTENING = ':0000 0A ';

function both({ tcp, tcp6 }: NetTables): readonly (readonly [string, 4 | 6])[] {
  return [
    [tcp, 4],
    [tcp6, 6],
  ];
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at) + 1;
}

/** local_address rem_address st tx_queue:rx_queue tr:when retrnsmt uid timeout inode */
const ROW =
  / *\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]{2}) ([0-9A-F]{8}):([0-9A-F]{8}) [0-9A-F]{2}:[0-9A-F]+ [0-9A-F]+ +(\d+) +-?\d+ (\d+)/y;

/** Null for a line that is not as the kernel writes them, the last one of a table that was cut. */
function rowAt(text: string, start: number, version: 4 | 6): SocketRow | null {
  ROW.lastIndex = start;
  const [, local = '', localPort = '', remote = '', remotePort = '', state = '', send = '', receive = '', uid, inode] =
    ROW.exec(text) ?? [];
  const digits = version === 4 ? 8 : 32;
  const named = STATES[Number.parseInt(state, 16) - 1];
  if (local.length !== digits || remote.length !== digits || named === undefined) return null;
  return {
    localIp: addressText(local),
    localPort: Number.parseInt(localPort, 16),
    remoteIp: addressText(remote),
    remotePort: Number.parseInt(remotePort, 16),
    ipVersion: version,
    state: named,
    recvQueue: Number.parseInt(receive, 16),
    sendQueue: Number.parseInt(send, 16),
    uid: Number(uid),
    inode: Number(inode),
  };
}

function addressText(hex: string): string {
  if (hex.length === 8) return ipv4Text(hexWord(hex, 0));
  const words = [hexWord(hex, 0), hexWord(hex, 1), hexWord(hex, 2), hexWord(hex, 3)] as const;
  return isIpv4(words) ? ipv4Text(words[3]) : ipv6Text(...words);
}

/** Also ::ffff:a.b.c.d: the host's stack has one connection for both ways of writing it. */
function isIpv4(words: readonly number[]): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

const LITTLE = endianness() === 'LE';

/** The kernel prints each word of an address as a number of its own byte order. */
function ordered(word: number): number {
  if (!LITTLE) return word;
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

function hexWord(hex: string, index: number): number {
  return ordered(Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16));
}

function wordHex(word: number): string {
  return ordered(word).toString(16).toUpperCase().padStart(8, '0');
}

function portHex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
