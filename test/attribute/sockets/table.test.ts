/** The kernel's tables of TCP sockets: as they are written, and as they are found for real sockets. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import {
  findTuple,
  listenersOf,
  readTables,
  rowsOf,
  rowsOfPort,
  rowsTouchingPort,
  tupleKey,
  type NetTables,
} from '../../../src/attribute/sockets/table.js';
import { tmpDir } from '../../support/run.js';
import { testIf } from '../../support/tools.js';

const HEAD4 =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n';
const HEAD6 =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const ZERO = '00000000000000000000000000000000';
const MAPPED = '0000000000000000FFFF00000100007F';
const DOCUMENTATION = 'B80D0120000000000000000001000000';

const TABLES: NetTables = {
  tcp: [
    HEAD4,
    '   0: 0100007F:1C2B 00000000:0000 0A 00000000:00000003 00:00000000 00000000    33        0 1001 1 0000000000000000 100 0 0 10 0                       \n',
    '   1: 0100007F:1C2B 0200007F:D431 01 00000005:00000007 00:00000000 00000000     0        0 1002 1 0000000000000000 20 4 30 10 -1                      \n',
    '  12: 0100007F:D431 0100007F:1C2B 06 00000000:00000000 03:000010A3 00000000     0        0 0 3 0000000000000000                                       \n',
    '12345: 0100007F:D431 0100007F:1C2B 01 00000000:00000000 02:000010A3 00000000  1000        0 4294967295 2 0000000000000000 20 4 0 10 -1                  \n',
  ].join(''),
  tcp6: [
    HEAD6,
    `   0: ${ZERO}:1C2B ${ZERO}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2001 1 0000000000000000 100 0 0 10 0\n`,
    `   1: ${MAPPED}:1C2B ${MAPPED}:D432 08 00000000:00000000 00:00000000 00000000     0        0 2002 1 0000000000000000 20 4 30 10 -1\n`,
    `   2: ${DOCUMENTATION}:D433 ${DOCUMENTATION}:1C2B 02 00000001:00000000 01:0000006F 00000001     0        0 2003 2 0000000000000000 100 0 0 10 -1\n`,
  ].join(''),
};

// The fixtures are a little-endian machine's.
const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

describe('a table', () => {
  const littleTest = (name: string, body: () => void): void =>
    testIf(little, 'needs a little-endian machine', name, body);

  littleTest('is read row by row', () => {
    const rows = [...rowsOf(TABLES)];
    expect(rows.map(({ state, inode, ipVersion }) => [state, inode, ipVersion])).toEqual([
      ['LISTEN', 1001, 4],
      ['ESTABLISHED', 1002, 4],
      ['TIME_WAIT', 0, 4],
      ['ESTABLISHED', 4294967295, 4],
      ['LISTEN', 2001, 6],
      ['CLOSE_WAIT', 2002, 6],
      ['SYN_SENT', 2003, 6],
    ]);
    expect(rows[0]).toMatchObject({ localIp: '127.0.0.1', localPort: 7211, remoteIp: '0.0.0.0', remotePort: 0 });
    expect(rows[0]).toMatchObject({ recvQueue: 3, sendQueue: 0, uid: 33 });
    expect(rows[1]).toMatchObject({ remoteIp: '127.0.0.2', remotePort: 54321, recvQueue: 7, sendQueue: 5 });
    expect(rows[4]).toMatchObject({ localIp: '::', remoteIp: '::' });
    expect(rows[5]).toMatchObject({ localIp: '127.0.0.1', localPort: 7211, remoteIp: '127.0.0.1', remotePort: 54322 });
    expect(rows[6]).toMatchObject({ localIp: '2001:db8::1', localPort: 54323, remotePort: 7211 });
  });
  littleTest('gives the sockets of a port', () => {
    expect(rowsOfPort(TABLES, 7211).map(({ inode }) => inode)).toEqual([1001, 1002, 2001, 2002]);
    expect(rowsTouchingPort(TABLES, 7211).map(({ inode }) => inode)).toEqual([
      1001, 1002, 0, 4294967295, 2001, 2002, 2003,
    ]);
    expect(rowsOfPort(TABLES, 0)).toEqual([]);
    expect(rowsTouchingPort(TABLES, 80)).toEqual([]);
    expect(listenersOf(TABLES).map(({ inode }) => inode)).toEqual([1001, 2001]);
  });
  littleTest('has a tuple in one of three forms', () => {
    expect(tupleKey('127.0.0.1', 7211, '127.0.0.1', 54321)).toEqual([
      '0100007F:1C2B 0100007F:D431',
      `${MAPPED}:1C2B ${MAPPED}:D431`,
    ]);
    expect(tupleKey('2001:db8::1', 1, '2001:db8::1', 2)).toEqual([`${DOCUMENTATION}:0001 ${DOCUMENTATION}:0002`]);
    expect(tupleKey('nonsense', 1, '::1', 2)).toEqual([]);
    expect(findTuple(TABLES, '127.0.0.1', 7211, '127.0.0.2', 54321)?.inode).toBe(1002);
    expect(findTuple(TABLES, '127.0.0.1', 7211, '127.0.0.1', 54322)?.inode).toBe(2002);
    expect(findTuple(TABLES, '2001:db8::1', 54323, '2001:db8::1', 7211)?.inode).toBe(2003);
    // The remains of the older connection of this tuple stand first.
    expect(findTuple(TABLES, '127.0.0.1', 54321, '127.0.0.1', 7211)?.inode).toBe(4294967295);
    expect(findTuple(TABLES, '127.0.0.1', 54321, '127.0.0.1', 7212)).toBeNull();
  });
  littleTest('may be cut or odd: what is not a row is left out', () => {
    const cut = { tcp: TABLES.tcp.slice(0, 500), tcp6: '' };
    expect([...rowsOf(cut)].map(({ inode }) => inode)).toEqual([1001, 1002]);
    expect(rowsOfPort(cut, 7211)).toHaveLength(2);
    const odd = ['', '\n', 'x\n:1C2B \n', HEAD4, `${HEAD4}  0: 0100007F:1C2B \n`, TABLES.tcp6];
    for (const tcp of odd) {
      expect([...rowsOf({ tcp, tcp6: '' })]).toEqual([]);
      expect(rowsTouchingPort({ tcp, tcp6: '' }, 7211)).toEqual([]);
      expect(listenersOf({ tcp, tcp6: '' })).toEqual([]);
      expect(findTuple({ tcp, tcp6: tcp }, '127.0.0.1', 7211, '127.0.0.2', 54321)).toBeNull();
    }
  });
  littleTest('is read whole, however long', () => {
    const proc = tmpDir();
    mkdirSync(path.join(proc, '7', 'net'), { recursive: true });
    const row = TABLES.tcp.split('\n')[2] ?? '';
    writeFileSync(path.join(proc, '7', 'net', 'tcp'), `${HEAD4}${`${row}\n`.repeat(50_000)}`);
    const tables = readTables(proc, 7);
    if (typeof tables === 'string') throw new Error(tables);
    expect(tables.tcp6).toBe('');
    expect(rowsOfPort(tables, 7211)).toHaveLength(50_000);
    expect(readTables(proc, 8)).toBe('gone');
  });
});

const LINUX = process.platform === 'linux';

describe('of real sockets', () => {
  let server: Server;
  let client: Socket;
  let accepted: Socket;
  let port: number;
  beforeAll(async () => {
    server = createServer();
    server.listen(0, '::');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    client = connect(port, '127.0.0.1');
    [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
  });
  afterAll(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });

  testIf(LINUX, 'needs Linux', 'listener and both ends of a connection are found', () => {
    const tables = readTables('/proc', 'self');
    if (typeof tables === 'string') throw new Error(tables);
    const clientPort = client.localPort ?? 0;
    expect(listenersOf(tables).filter(({ localPort }) => localPort === port)).toMatchObject([
      { localIp: '::', ipVersion: 6, state: 'LISTEN' },
    ]);
    // Accepted by a socket of both families: it stands in the table of IPv6.
    expect(findTuple(tables, '127.0.0.1', port, '127.0.0.1', clientPort)).toMatchObject({ ipVersion: 6 });
    expect(findTuple(tables, '127.0.0.1', clientPort, '127.0.0.1', port)).toMatchObject({ ipVersion: 4 });
    // Others may use the client's port for connections to elsewhere.
    const ends = rowsTouchingPort(tables, clientPort).filter((row) => [row.localPort, row.remotePort].includes(port));
    expect(ends.map(({ state }) => state)).toEqual(['ESTABLISHED', 'ESTABLISHED']);
    expect(readTables('/proc', process.pid)).toHaveProperty('tcp');
    expect(readTables('/proc', 999_999_999)).toBe('gone');
  });
});
