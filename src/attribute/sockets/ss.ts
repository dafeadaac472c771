/**
 * Sockets of this network namespace as `ss` tells them: the kernel picks those of a port, which is much less to read
 * than its tables where there are many, and it says how long a listener's queue may get.
 *
 * What is not as ss writes it makes the whole answer worthless: the tables are read instead.
 */

import { ipv4Text, ipv6Text, parseAddress } from '../../base/address.js';
import { askProgram, findProgram } from '../../base/spawn.js';
import type { Namespace } from '../../capture/live/namespaces.js';
import { askInside } from '../inside.js';
import type { SocketRow, TcpState } from './table.js';

export interface SsSocket {
  readonly row: SocketRow;
  /** Of a listener: connections that may wait to be accepted. */
  readonly backlogMax: number | null;
}

const TIMEOUT_MS = 5000;
/** A longer line of arguments is asked for in the tables. */
const MAX_PORTS = 64;

/** Those with one of the ports at either end; null: there is no ss, or none that can be understood. */
export async function askSs(ports: readonly number[]): Promise<readonly SsSocket[] | null> {
  const ss = ports.length > MAX_PORTS ? null : findProgram('ss');
  if (ss === null) return null;
  const ends = ports.flatMap((port) => [`sport = :${String(port)}`, `dport = :${String(port)}`]);
  const { code, stdout, stderr } = await askProgram(ss, ['-Htane', `( ${ends.join(' or ')} )`], TIMEOUT_MS);
  return code === 0 && stderr === '' ? parseSs(stdout) : null;
}

/** All listeners of a namespace; null: there is no ss there, or none that can be understood. */
export async function askListeners(namespace: Namespace): Promise<readonly SsSocket[] | null> {
  const text = await askInside(namespace, 'ss', ['-Htlne']);
  return text === null ? null : parseSs(text);
}

/** ss's names of the states. */
const STATES: ReadonlyMap<string, TcpState> = new Map([
  ['ESTAB', 'ESTABLISHED'],
  ['SYN-SENT', 'SYN_SENT'],
  ['SYN-RECV', 'SYN_RECV'],
  ['FIN-WAIT-1', 'FIN_WAIT1'],
  ['FIN-WAIT-2', 'FIN_WAIT2'],
  ['TIME-WAIT', 'TIME_WAIT'],
  ['UNCONN', 'CLOSE'],
  ['CLOSE-WAIT', 'CLOSE_WAIT'],
  ['LAST-ACK', 'LAST_ACK'],
  ['LISTEN', 'LISTEN'],
  ['CLOSING', 'CLOSING'],
]);

const LINE = /^(\S+) +(\d+) +(\d+) +(\S+) +(\S+) +(\S.*)$/;

/** Null where a line is not as expected. */
export function parseSs(text: string): readonly SsSocket[] | null {
  const sockets: SsSocket[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const socket = socketOf(line);
    if (socket === null) return null;
    sockets.push(socket);
  }
  return sockets;
}

function socketOf(line: string): SsSocket | null {
  const [, word = '', receive = '', send = '', localText = '', remoteText = '', rest = ''] = LINE.exec(line) ?? [];
  const state = STATES.get(word);
  const local = endOf(localText);
  const remote = endOf(remoteText);
  const inode = / ino:(\d+)/.exec(` ${rest}`)?.[1];
  if (state === undefined || local === null || remote === null || inode === undefined) return null;
  const listens = state === 'LISTEN';
  const row: SocketRow = {
    localIp: local.ip,
    localPort: local.port,
    remoteIp: remote.ip,
    remotePort: remote.port,
    ipVersion: local.version,
    state,
    recvQueue: Number(receive),
    sendQueue: listens ? 0 : Number(send),
    // Root's is not told.
    uid: Number(/ uid:(\d+)/.exec(` ${rest}`)?.[1] ?? 0),
    inode: Number(inode),
  };
  return { row, backlogMax: listens ? Number(send) : null };
}

interface End {
  readonly ip: string;
  readonly port: number;
  readonly version: 4 | 6;
}

const END = /^(?:\[([\da-f:.]+)\]|([\d.]+)|\*)(?:%[^:\s]+)?:(\d{1,5}|\*)$/;

/** "127.0.0.1:80", "127.0.0.53%lo:53", "[::1]:80", "*:80" (every address of both families), "0.0.0.0:*". */
function endOf(text: string): End | null {
  const [, six, four, digits] = END.exec(text) ?? [];
  if (digits === undefined) return null;
  const port = digits === '*' ? 0 : Number(digits);
  if (six === undefined && four === undefined) return { ip: '::', port, version: 6 };
  const address = parseAddress(six ?? four ?? '');
  if (address === null) return null;
  const [a, b, c, d] = address.words;
  const ip = a === 0 && b === 0 && c === 0xffff ? ipv4Text(d) : ipv6Text(a, b, c, d);
  return { ip, port, version: address.version };
}
