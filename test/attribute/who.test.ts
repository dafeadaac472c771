/** Who owns a port: how owners are found for sockets of every kind, in made-up tables. */
import { describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Process } from '../../src/attribute/process.js';
import type { NetTables, TcpState } from '../../src/attribute/sockets/table.js';
import { viewOfTables } from '../../src/attribute/sockets/view.js';
import { whoOwns, type OwnedSocket, type PortQuery, type WhoAnswer } from '../../src/attribute/who.js';
import { tmpDir } from '../support/run.js';

const NUMBER: Readonly<Partial<Record<TcpState, string>>> = {
  ESTABLISHED: '01',
  FIN_WAIT2: '05',
  TIME_WAIT: '06',
  CLOSE_WAIT: '08',
  LISTEN: '0A',
  NEW_SYN_RECV: '0C',
};

const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function hex(end: string): string {
  const [ip = '', port = ''] = end.split(':');
  const bytes = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `${(little ? bytes.reverse() : bytes).join('')}:${Number(port).toString(16).padStart(4, '0')}`.toUpperCase();
}

/** "127.0.0.1:80 0.0.0.0:0 LISTEN 17" */
function tablesOf(...rows: string[]): NetTables {
  const lines = rows.map((row, i) => {
    const [local = '', remote = '', state = '', inode = ''] = row.split(' ');
    const number = NUMBER[state as TcpState] ?? '';
    return `   ${i}: ${hex(local)} ${hex(remote)} ${number} 00000000:00000002 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0\n`;
  });
  return { tcp: `  sl  local_address …\n${lines.join('')}`, tcp6: '' };
}

function processOf(pid: number): Process {
  const nothing = { exe: null, command: null, user: null, unit: null, container: null, netns: null, started: null };
  return { pid, ppid: null, parent: null, name: `p${pid}`, ...nothing };
}

interface World {
  tables?: Record<string, NetTables | 'gone' | 'permission'>;
  holders?: Record<number, number[]>;
  /** Parents by PID. */
  parents?: Record<number, number>;
  unreadable?: number;
  root?: boolean;
}

async function ask(world: World, ...queries: (number | PortQuery)[]): Promise<WhoAnswer & { searches: number }> {
  const { tables = {}, holders = {}, parents = {}, unreadable = 0, root = true } = world;
  const proc = tmpDir();
  for (const [pid, parent] of Object.entries(parents)) {
    mkdirSync(path.join(proc, pid));
    writeFileSync(path.join(proc, pid, 'stat'), `${pid} (p) S ${parent} 0 0`);
  }
  let searches = 0;
  const answer = await whoOwns(
    queries.map((query) => (typeof query === 'number' ? { port: query, ip: null } : query)),
    {
      proc,
      root,
      places: () =>
        Object.entries(tables).map(([label, read], i) => ({
          label,
          inode: i + 1,
          view: () => Promise.resolve(typeof read === 'string' ? read : viewOfTables(read)),
        })),
      holders: (inodes) => {
        searches++;
        const known = Object.entries(holders).map(([inode, pids]) => [Number(inode), pids] as const);
        return Promise.resolve({ byInode: new Map(known.filter(([inode]) => inodes.has(inode))), unreadable });
      },
      process: (pid) => (pid === 666 ? 'gone' : processOf(pid)),
    },
  );
  return { ...answer, searches };
}

function shown({ row, netns, end, holders }: OwnedSocket): string {
  const who = end.process === null ? end.reason : `${end.process.pid} ${end.match}`;
  return `${row.localIp}:${row.localPort} ${row.remotePort} @${netns ?? '-'} ${who} [${holders.join()}]`;
}

const LISTENER = '127.0.0.1:80 0.0.0.0:0 LISTEN 10';

describe('an owner', () => {
  test('of a listener is its one holder, of a connection too', async () => {
    const own = tablesOf(
      LISTENER,
      '127.0.0.1:80 127.0.0.1:999 ESTABLISHED 11',
      '127.0.0.1:999 127.0.0.1:80 ESTABLISHED 12',
    );
    const { ports, namespaces, searches } = await ask({ tables: { own }, holders: { 10: [5], 11: [5], 12: [6] } }, 80);
    expect(ports[0]?.listeners.map(shown)).toEqual(['127.0.0.1:80 0 @1 5 listener [5]']);
    expect(ports[0]?.connections.map(shown)).toEqual([
      '127.0.0.1:80 999 @1 5 socket [5]',
      '127.0.0.1:999 80 @1 6 socket [6]',
    ]);
    expect(ports.every(({ owned }) => owned)).toBe(true);
    expect(namespaces).toEqual(['own']);
    expect(searches).toBe(1);
  });
  test('of many holders is the ancestor of all, else nobody', async () => {
    const own = tablesOf(LISTENER, '127.0.0.1:80 127.0.0.1:999 ESTABLISHED 11');
    const holders = { 10: [5, 6, 7], 11: [6, 7] };
    const { ports } = await ask({ tables: { own }, holders, parents: { 5: 1, 6: 5, 7: 5 } }, 80);
    expect(ports[0]?.listeners.map(shown)).toEqual(['127.0.0.1:80 0 @1 5 listener-group [5,6,7]']);
    expect(ports[0]?.connections.map(shown)).toEqual(['127.0.0.1:80 999 @1 ambiguous [6,7]']);
  });
  test('of a connection that is not accepted yet is the listener', async () => {
    const own = tablesOf(
      LISTENER,
      '0.0.0.0:80 0.0.0.0:0 LISTEN 20',
      '127.0.0.1:80 127.0.0.1:999 ESTABLISHED 0',
      '127.0.0.2:80 127.0.0.1:999 CLOSE_WAIT 0',
      '127.0.0.2:80 127.0.0.1:998 NEW_SYN_RECV 0',
      '127.0.0.1:81 127.0.0.1:999 ESTABLISHED 0',
    );
    const world = { tables: { own }, holders: { 10: [5], 20: [6] } };
    const { ports } = await ask(world, 80, 81, 999);
    expect(ports[0]?.connections.map(shown)).toEqual([
      '127.0.0.1:80 999 @1 5 listener []',
      '127.0.0.2:80 998 @1 6 listener []',
      '127.0.0.2:80 999 @1 6 listener []',
    ]);
    expect(ports[1]?.connections.map(shown)).toEqual(['127.0.0.1:81 999 @1 no-listener []']);
    // Asked for by the other port, the listener is found all the same.
    expect(ports[2]?.connections.map(shown)).toContain('127.0.0.1:80 999 @1 5 listener []');
  });
  test('of such a connection is nobody where several listeners may have it', async () => {
    const own = tablesOf(LISTENER, '127.0.0.1:80 0.0.0.0:0 LISTEN 20', '127.0.0.1:80 127.0.0.1:9 ESTABLISHED 0');
    const { ports } = await ask({ tables: { own }, holders: { 10: [5], 20: [6] } }, 80);
    expect(ports[0]?.listeners.map(shown)).toEqual([
      '127.0.0.1:80 0 @1 5 listener [5]',
      '127.0.0.1:80 0 @1 6 listener [6]',
    ]);
    expect(ports[0]?.connections.map(shown)).toEqual(['127.0.0.1:80 9 @1 ambiguous []']);
  });
  test('is missing for a reason', async () => {
    const own = tablesOf(LISTENER);
    const reason = async (world: World): Promise<unknown> =>
      (await ask({ tables: { own }, ...world }, 80)).ports[0]?.listeners[0]?.end.reason;
    expect(await reason({ root: false })).toBe('permission');
    expect(await reason({ unreadable: 3 })).toBe('permission');
    expect(['unknown', 'pid-namespace']).toContain(await reason({}));
    expect(await reason({ holders: { 10: [666] } })).toBe('gone');
    expect(await reason({ holders: { 10: [5] }, unreadable: 3 })).toBeNull();
  });
});

describe('a port', () => {
  test('without sockets, or with nothing but remains, is nobody’s', async () => {
    const own = tablesOf('127.0.0.1:80 127.0.0.1:9 TIME_WAIT 0', '127.0.0.1:80 127.0.0.1:8 FIN_WAIT2 0');
    const { ports, searches, unreadable } = await ask({ tables: { own } }, 80, 443);
    expect(ports.map(({ owned }) => owned)).toEqual([false, false]);
    expect(ports[0]?.connections.map(({ end }) => end.reason)).toEqual(['gone', 'gone']);
    expect([searches, unreadable]).toEqual([0, null]);
  });
  test('whose owner is hidden is not nobody’s', async () => {
    const { ports } = await ask({ tables: { own: tablesOf(LISTENER) }, root: false }, 80);
    expect(ports.map(({ owned }) => owned)).toEqual([true]);
  });
  test('is looked for in every namespace that can be looked into', async () => {
    const tables = { own: tablesOf(), lost: 'gone', shut: 'permission', blue: tablesOf(LISTENER) } as const;
    const { ports, namespaces, closed } = await ask({ tables, holders: { 10: [5] } }, 80);
    expect(ports[0]?.listeners.map(shown)).toEqual(['127.0.0.1:80 0 @4 5 listener [5]']);
    expect([namespaces, closed]).toEqual([['own', 'blue'], ['shut']]);
  });
  test('at an address is that one alone, and listeners on all addresses', async () => {
    const own = tablesOf(
      '10.0.0.1:80 0.0.0.0:0 LISTEN 10',
      '10.0.0.2:80 0.0.0.0:0 LISTEN 11',
      '0.0.0.0:80 0.0.0.0:0 LISTEN 12',
      '10.0.0.1:80 10.0.0.9:1 ESTABLISHED 13',
      '10.0.0.2:80 10.0.0.9:1 ESTABLISHED 14',
      '10.0.0.9:1 10.0.0.1:80 ESTABLISHED 15',
    );
    const { ports } = await ask({ tables: { own } }, { port: 80, ip: '10.0.0.1' }, { port: 80, ip: '::1' });
    const inodes = (sockets: readonly OwnedSocket[] = []): number[] => sockets.map(({ row }) => row.inode);
    expect([inodes(ports[0]?.listeners), inodes(ports[0]?.connections)]).toEqual([
      [12, 10],
      [13, 15],
    ]);
    expect([inodes(ports[1]?.listeners), inodes(ports[1]?.connections)]).toEqual([[], []]);
  });
});
