/** Sockets as ss tells them: its lines, and that it tells of real sockets what the kernel's tables tell. */
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { askSs, parseSs } from '../../../src/attribute/sockets/ss.js';
import { readTables, type SocketRow } from '../../../src/attribute/sockets/table.js';
import { viewOfSs, viewOfTables } from '../../../src/attribute/sockets/view.js';
import { hasTool, testIf } from '../../support/tools.js';

/** As iproute2 6.1 writes them. */
const LINES = [
  'LISTEN 0      511                     *:7999                   *:*     ino:2309324 sk:1883c cgroup:/ v6only:0 <->         ',
  'LISTEN 3      128             127.0.0.1:7999             0.0.0.0:*     uid:33 ino:2309329 sk:1 cgroup:/x y <->',
  'LISTEN 0      4096        127.0.0.53%lo:53               0.0.0.0:*     uid:101 ino:20 sk:2 <->',
  'ESTAB  5      7      [::ffff:127.0.0.1]:7999  [::ffff:127.0.0.1]:56112 ino:2309326 sk:1883e cgroup:/ <->         ',
  'TIME-WAIT 0 0 [fe80::1]%eth0:39798 [fe80::2]%eth0:7999 timer:(timewait,59sec,0) ino:0 sk:3',
  'SYN-RECV 0 0 10.0.0.1:7999 10.0.0.2:5 timer:(on,1sec,0) ino:0 sk:4',
].join('\n');

describe('the lines of ss', () => {
  test('are sockets, as the tables have them', () => {
    const sockets = parseSs(`${LINES}\n`) ?? [];
    expect(sockets.map(({ row, backlogMax }) => [row.localIp, row.localPort, row.state, backlogMax])).toEqual([
      ['::', 7999, 'LISTEN', 511],
      ['127.0.0.1', 7999, 'LISTEN', 128],
      ['127.0.0.53', 53, 'LISTEN', 4096],
      ['127.0.0.1', 7999, 'ESTABLISHED', null],
      ['fe80::1', 39798, 'TIME_WAIT', null],
      ['10.0.0.1', 7999, 'SYN_RECV', null],
    ]);
    expect(sockets[1]?.row).toMatchObject({ uid: 33, inode: 2309329, recvQueue: 3, sendQueue: 0, remoteIp: '0.0.0.0' });
    expect(sockets[3]?.row).toMatchObject({ uid: 0, ipVersion: 6, recvQueue: 5, sendQueue: 7, remotePort: 56112 });
    expect(sockets[4]?.row).toMatchObject({ inode: 0, remoteIp: 'fe80::2', remotePort: 7999 });
  });
  test('are all worth nothing where one is odd', () => {
    expect(parseSs('')).toEqual([]);
    for (const line of [
      'State Recv-Q Send-Q Local Address:Port Peer Address:Port Process',
      'ESTAB 0 0 127.0.0.1:1 127.0.0.1:2',
      'ESTAB 0 0 127.0.0.1:1 127.0.0.1:2 sk:1',
      'NEW 0 0 127.0.0.1:1 127.0.0.1:2 ino:1',
      'ESTAB 0 0 localhost:http 127.0.0.1:2 ino:1',
      'ESTAB 0 0 1.2.3:1 127.0.0.1:2 ino:1',
    ])
      expect(parseSs(`${LINES}\n${line}\n`)).toBeNull();
  });
  test('of other ports than were asked for are those of the tables', () => {
    const sockets = parseSs(LINES) ?? [];
    let reads = 0;
    const tables = viewOfTables({ tcp: '', tcp6: '' });
    const view = viewOfSs(sockets, [7999], () => {
      reads++;
      return tables;
    });
    expect(view.listeners(7999)).toHaveLength(2);
    expect(view.touching(7999)).toHaveLength(5);
    expect(reads).toBe(0);
    expect(view.listeners(53)).toEqual([]);
    expect(view.listeners(54)).toEqual([]);
    expect(reads).toBe(1);
  });
});

const possible = process.platform === 'linux' && hasTool('ss');

function sorted(rows: readonly SocketRow[]): SocketRow[] {
  return [...rows].sort((a, b) => a.inode - b.inode);
}

/** By both, when nothing has changed from before the one look until after the other. */
async function lookedAtTwice(ports: readonly number[]): Promise<{
  tables: ReturnType<typeof readTables>;
  sockets: Awaited<ReturnType<typeof askSs>>;
}> {
  const touching = (tables: ReturnType<typeof readTables>): SocketRow[] =>
    typeof tables === 'string' ? [] : ports.flatMap((port) => sorted(viewOfTables(tables).touching(port)));
  for (let tries = 0; ; tries++) {
    await sleep(100);
    const tables = readTables('/proc', 'self');
    const sockets = await askSs(ports);
    const isSame = isDeepStrictEqual(touching(tables), touching(readTables('/proc', 'self')));
    if (isSame || tries === 20) return { tables, sockets };
  }
}

testIf(possible, 'needs Linux and ss', 'ss and the tables agree on real sockets of both families', async () => {
  const servers = ['127.0.0.1', '::1', '::'].map((host) => createServer().listen(0, host));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  const [four = 0, six = 0, both = 0] = ports;
  const clients = [connect(four, '127.0.0.1'), connect(six, '::1'), connect(both, '127.0.0.1'), connect(both, '::1')];
  await Promise.all(clients.map((client) => once(client, 'connect')));
  for (const client of clients) client.write('x');
  const { tables, sockets } = await lookedAtTwice(ports);
  for (const client of clients) client.destroy();
  for (const server of servers) server.close();
  if (typeof tables === 'string' || sockets === null) throw new Error('nothing to compare');
  const ss = viewOfSs(sockets, ports, () => viewOfTables(tables));
  for (const port of ports) {
    const theirs = sorted(viewOfTables(tables).touching(port));
    expect(theirs.length).toBeGreaterThanOrEqual(3);
    expect(sorted(ss.touching(port))).toEqual(theirs);
    expect(ss.listeners(port).map((row) => ss.backlogMax(row))).toEqual([511]);
  }
});
