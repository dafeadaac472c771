/** Owners of ports as lsof tells them, where there is no /proc. */
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { ownersOf, parseLsof, whoByLsof } from '../../src/attribute/lsof.js';
import { hasTool, testIf } from '../support/tools.js';

/** In the form of lsof's manual, states and zones as the BSDs name them: a server that forked, a client, UDP. */
const FORKED = [
  'p501\0R1\0cnginx\0u0\0Lroot\0',
  'f6\0tIPv4\0PTCP\0n*:7211\0TST=LISTEN\0TQR=0\0TQS=0\0',
  'f7\0tIPv6\0PTCP\0n[::1]:7211\0TST=LISTEN\0TQR=0\0TQS=0\0',
  'p502\0R501\0cnginx\0u70\0Lwww\0',
  'f6\0tIPv4\0PTCP\0n*:7211\0TST=LISTEN\0TQR=0\0TQS=0\0',
  'f9\0tIPv4\0PTCP\0n127.0.0.1:7211->127.0.0.1:50000\0TST=ESTABLISHED\0TQR=12\0TQS=34\0',
  'f10\0tIPv6\0PTCP\0n[fe80::1%lo0]:7211->[fe80::1%lo0]:50001\0TST=FIN_WAIT_2\0TQR=0\0TQS=0\0',
  'f11\0tIPv4\0PUDP\0n*:7211\0',
  'p600\0R1\0ccurl\0u501\0Lme\0',
  'f5\0tIPv4\0PTCP\0n127.0.0.1:50000->127.0.0.1:7211\0TST=ESTABLISHED\0TQR=0\0TQS=0\0',
  '',
].join('\n');

describe('lsof -F', () => {
  const sockets = parseLsof(FORKED) ?? [];
  test('is read socket by socket', () => {
    expect(
      sockets.map(({ pid, user, row }) => [pid, user, row.localIp, row.localPort, row.remotePort, row.state]),
    ).toEqual([
      [501, 'root', '0.0.0.0', 7211, 0, 'LISTEN'],
      [501, 'root', '::1', 7211, 0, 'LISTEN'],
      [502, 'www', '0.0.0.0', 7211, 0, 'LISTEN'],
      [502, 'www', '127.0.0.1', 7211, 50000, 'ESTABLISHED'],
      [502, 'www', 'fe80::1', 7211, 50001, 'FIN_WAIT2'],
      [600, 'me', '127.0.0.1', 50000, 7211, 'ESTABLISHED'],
    ]);
    expect(sockets[3]?.row).toMatchObject({ recvQueue: 12, sendQueue: 34, ipVersion: 4 });
  });
  test('names the parent of those that share a listener', () => {
    const { listeners, connections } = ownersOf({ port: 7211, ip: null }, sockets);
    expect(listeners.map(({ end, holders }) => [end.process?.pid, end.match, holders])).toEqual([
      [501, 'listener-group', [501, 502]],
      [501, 'listener', [501]],
    ]);
    expect(connections.map(({ end }) => [end.process?.pid, end.match])).toEqual([
      [502, 'socket'],
      [502, 'socket'],
      [600, 'socket'],
    ]);
    expect(ownersOf({ port: 7211, ip: '::1' }, sockets).connections).toEqual([]);
    const strangers = sockets.map((socket) => ({ ...socket, ppid: 1 }));
    expect(ownersOf({ port: 7211, ip: null }, strangers).listeners[0]?.end.reason).toBe('ambiguous');
  });
  test('that is not lsof’s is told from an answer without sockets', () => {
    expect(parseLsof('')).toEqual([]);
    expect(parseLsof('1\t/bin/busybox\t0\t/dev/null\n1\t/bin/busybox\t1\tsocket:[1]\n')).toBeNull();
    expect(parseLsof('COMMAND PID USER\n')).toBeNull();
  });
  test('may hold anything', () => {
    for (const line of [
      'f1\0n->\0',
      'f\0',
      '\0\0',
      'TST',
      'f1\0tIPv4\0PTCP\0nx:80\0TST=LISTEN\0',
      `n${'9'.repeat(9)}`,
    ]) {
      expect(parseLsof(`p1\0cx\0\n${line}\n`)).toEqual([]);
    }
  });
  testIf(hasTool('lsof'), 'needs lsof', 'of the real one names this process', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { ports } = await whoByLsof([{ port, ip: null }]);
    server.close();
    expect(ports[0]?.listeners).toMatchObject([
      { row: { localIp: '127.0.0.1', localPort: port }, holders: [process.pid] },
    ]);
    expect(ports[0]?.listeners[0]?.end).toMatchObject({ process: { pid: process.pid }, match: 'listener' });
  });
});
