/**
 * Who owns a TCP port where there is no /proc to ask (macOS, the BSDs): what `lsof` says.
 *
 * Only its output for programs (-F) is read, as claims of a stranger: what does not have its form is left out.
 */

import { UserError } from '../base/errors.js';
import { askProgram, findProgram } from '../base/spawn.js';
import { ipv4Text, ipv6Text, parseAddress } from '../base/address.js';
import { found, missing, type Process } from './process.js';
import type { SocketRow, TcpState } from './sockets/table.js';
import { portOwners, type OwnedSocket, type PortOwners, type PortQuery, type WhoAnswer } from './who.js';

const TIMEOUT_MS = 30_000;
const MAX_TEXT = 4096;

/** A descriptor of a process. */
export interface LsofSocket {
  readonly pid: number;
  readonly ppid: number | null;
  readonly name: string | null;
  readonly user: string | null;
  readonly row: SocketRow;
}

export async function whoByLsof(queries: readonly PortQuery[]): Promise<WhoAnswer> {
  const lsof = findProgram('lsof');
  if (lsof === null) throw new UserError('unsupported', 'there is no /proc here, and no lsof to ask instead');
  const ports = await Promise.all(
    queries.map(async (query): Promise<PortOwners> => {
      const args = ['-nP', `-iTCP:${String(query.port)}`, '-T', 'qs', '-F', 'pRcuLftPnT0'];
      const { stdout, stderr } = await askProgram(lsof, args, TIMEOUT_MS);
      const sockets = parseLsof(stdout);
      if (sockets === null) throw notLsof(stderr);
      return ownersOf(query, sockets);
    }),
  );
  return { ports, namespaces: ['own'], closed: [], unreadable: null };
}

function notLsof(stderr: string): UserError {
  const said = stderr.trim() === '' ? '' : ` (it says: ${stderr.trim().slice(0, MAX_TEXT)})`;
  const sentence = `this lsof does not do as its options say, as BusyBox's does not: it can't tell who owns a port${said}`;
  return new UserError('unsupported', sentence);
}

/** Null: this was not written by lsof -F with NUL. No text at all: nothing was found. */
export function parseLsof(text: string): LsofSocket[] | null {
  if (text === '') return [];
  if (!/^p\d+\0/.test(text)) return null;
  const sockets: LsofSocket[] = [];
  let owner: Omit<LsofSocket, 'row'> | null = null;
  for (const line of text.split('\n')) {
    const fields = fieldsOf(line);
    const pid = fields.get('p');
    if (pid !== undefined) {
      const parent = fields.get('R');
      owner = {
        pid: Number(pid),
        ppid: parent === undefined ? null : Number(parent),
        name: fields.get('c') ?? null,
        user: fields.get('L') ?? fields.get('u') ?? null,
      };
      continue;
    }
    const row = rowOf(fields);
    if (owner !== null && row !== null) sockets.push({ ...owner, row });
  }
  return sockets;
}

/** By their letter; those of T by two: "TST", "TQR", "TQS". */
function fieldsOf(line: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of line.split('\0')) {
    const keyLength = field.startsWith('T') ? field.indexOf('=') : 1;
    if (field === '' || keyLength < 1) continue;
    fields.set(field.slice(0, keyLength), field.slice(field.startsWith('T') ? keyLength + 1 : 1).slice(0, MAX_TEXT));
  }
  return fields;
}

/** lsof's names of the states that have another one in Linux. */
const STATES: ReadonlyMap<string, TcpState> = new Map<string, TcpState>([
  ...(['ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'FIN_WAIT1', 'FIN_WAIT2', 'TIME_WAIT'] as const).map(same),
  ...(['CLOSE', 'CLOSE_WAIT', 'LAST_ACK', 'LISTEN', 'CLOSING'] as const).map(same),
  ['CLOSED', 'CLOSE'],
  ['IDLE', 'CLOSE'],
  ['BOUND', 'CLOSE'],
  ['SYN_RCVD', 'SYN_RECV'],
  ['SYN_RECEIVED', 'SYN_RECV'],
  ['FIN_WAIT_1', 'FIN_WAIT1'],
  ['FIN_WAIT_2', 'FIN_WAIT2'],
]);

function same(state: TcpState): [string, TcpState] {
  return [state, state];
}

function rowOf(fields: ReadonlyMap<string, string>): SocketRow | null {
  const version = fields.get('t') === 'IPv6' ? 6 : 4;
  const state = STATES.get(fields.get('TST') ?? '');
  const [local = '', remote] = (fields.get('n') ?? '').split('->');
  const here = endOf(local, version);
  const there = remote === undefined ? endOf('*:0', version) : endOf(remote, version);
  if (fields.get('P') !== 'TCP' || state === undefined || here === null || there === null) return null;
  return {
    localIp: here.ip,
    localPort: here.port,
    remoteIp: there.ip,
    remotePort: there.port,
    ipVersion: version,
    state,
    recvQueue: Number(fields.get('TQR') ?? 0),
    sendQueue: Number(fields.get('TQS') ?? 0),
    uid: Number(fields.get('u') ?? 0),
    inode: 0,
  };
}

/** "127.0.0.1:80", "[::1]:80", "*:80". */
function endOf(text: string, version: 4 | 6): { ip: string; port: number } | null {
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5}|\*)$/.exec(text) ?? [];
  if (digits === '') return null;
  const port = digits === '*' ? 0 : Number(digits);
  if (plain === '*') return { ip: version === 4 ? '0.0.0.0' : '::', port };
  // A zone is not part of the address.
  const address = parseAddress((bracketed ?? plain).replace(/%.*$/, ''));
  if (address === null) return null;
  const [a, b, c, d] = address.words;
  return { ip: a === 0 && b === 0 && c === 0xffff ? ipv4Text(d) : ipv6Text(a, b, c, d), port };
}

/** One row for a socket that many processes hold, as far as its addresses tell. */
export function ownersOf(query: PortQuery, sockets: readonly LsofSocket[]): PortOwners {
  const { port, ip } = query;
  const groups = new Map<string, LsofSocket[]>();
  for (const socket of sockets) {
    const { localIp, localPort, remoteIp, remotePort, state } = socket.row;
    const here = localPort === port && (ip === null || localIp === ip || state === 'LISTEN');
    const there = remotePort === port && (ip === null || remoteIp === ip);
    if (!here && !there) continue;
    const key = [localIp, localPort, remoteIp, remotePort, state].join(' ');
    const before = groups.get(key);
    if (before === undefined) groups.set(key, [socket]);
    else before.push(socket);
  }
  const owned = [...groups.values()].map(ownerOf).filter((socket) => socket !== null);
  return portOwners(query, owned);
}

function ownerOf(group: readonly LsofSocket[]): OwnedSocket | null {
  const [any] = group;
  if (any === undefined) return null;
  const { row } = any;
  const pids = [...new Set(group.map(({ pid }) => pid))].sort((a, b) => a - b);
  const known = { row, netns: null, holders: pids, backlogMax: null };
  // The one that is nobody's child among them, if there is just one.
  const [first, ...others] = group.filter(({ pid, ppid }, i) => {
    const again = group.findIndex((one) => one.pid === pid) < i;
    return !again && (ppid === null || !pids.includes(ppid));
  });
  if (first === undefined || others.length > 0) return { ...known, end: missing('ambiguous') };
  const match = row.state !== 'LISTEN' ? 'socket' : pids.length > 1 ? 'listener-group' : 'listener';
  return { ...known, end: found(processOf(first, group), match) };
}

function processOf({ pid, ppid, name, user }: LsofSocket, group: readonly LsofSocket[]): Process {
  const parent = group.find((one) => one.pid === ppid)?.name ?? null;
  const unknown = { exe: null, command: null, unit: null, container: null, netns: null, started: null };
  return { pid, ppid, parent, name, user, ...unknown };
}
