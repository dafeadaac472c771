/** Who holds which sockets: as links in a made /proc, and as they are for processes of the test's own. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { holdersOf, netNamespaces, processIds, socketsOf } from '../../../src/attribute/sockets/descriptors.js';
import { firstOfFamily } from '../../../src/attribute/sockets/family.js';
import { HolderSearch } from '../../../src/attribute/sockets/search.js';
import { readTables, rowsOfPort } from '../../../src/attribute/sockets/table.js';
import { tmpDir } from '../../support/run.js';
import { testIf } from '../../support/tools.js';

/** [pid, parent, name, network namespace, links of its descriptors] */
type Made = readonly [pid: number, parent: number, name: string, netns: number, links: readonly string[]];

function procOf(...processes: readonly Made[]): string {
  const proc = tmpDir();
  for (const [pid, parent, name, netns, links] of processes) {
    const folder = path.join(proc, String(pid));
    mkdirSync(path.join(folder, 'fd'), { recursive: true });
    mkdirSync(path.join(folder, 'ns'));
    symlinkSync(`net:[${netns}]`, path.join(folder, 'ns', 'net'));
    writeFileSync(path.join(folder, 'stat'), `${pid} (${name}) S ${parent} 1 1 0\n`);
    links.forEach((link, i) => symlinkSync(link, path.join(folder, 'fd', String(i))));
  }
  mkdirSync(path.join(proc, 'sys'));
  writeFileSync(path.join(proc, 'uptime'), '1');
  return proc;
}

const PREFORK: readonly Made[] = [
  [1, 0, 'systemd', 5, ['socket:[70]', '/dev/null']],
  [300, 1, 'odd) S 9 (', 5, ['socket:[80]', 'pipe:[80]', 'anon_inode:[eventpoll]', 'socket:[80]']],
  [90, 300, 'worker', 5, ['socket:[80]', 'socket:[81]']],
  [310, 300, 'worker', 6, ['socket:[80]', 'socket:[70]', 'socket:[x]']],
];

describe('in a made /proc', () => {
  const proc = procOf(...PREFORK);
  test('holders are named in order, each once', () => {
    expect(holdersOf(proc, new Set([80, 70]))).toEqual({
      byInode: new Map([
        [70, [1, 310]],
        [80, [90, 300, 310]],
      ]),
      unreadable: 0,
    });
    expect([...holdersOf(proc, null).byInode.keys()].sort()).toEqual([70, 80, 81]);
    expect(holdersOf(path.join(proc, 'none'), null)).toEqual({ byInode: new Map(), unreadable: 0 });
  });
  test('a search finds the same', async () => {
    const wanted = new Set([80, 70, 12]);
    expect(await new HolderSearch(proc).find(wanted)).toEqual(holdersOf(proc, wanted));
    expect(await new HolderSearch(proc).find(new Set())).toEqual({ byInode: new Map(), unreadable: 0 });
  });
  test('namespaces are known by their lowest PID', () => {
    expect(processIds(proc)).toEqual([1, 90, 300, 310]);
    expect(netNamespaces(proc)).toEqual([
      { inode: 5, pid: 1 },
      { inode: 6, pid: 310 },
    ]);
  });
  test.each([
    [[90, 300, 310], 300],
    [[90], 90],
    [[90, 310], null],
    [[1, 310], 310],
    [[1], 1],
    [[], null],
    [[90, 999], null],
  ])('of %j %j stands for all', (holders, first) => {
    expect(firstOfFamily(proc, holders)).toBe(first);
  });
  test('parents that go in a circle end', () => {
    const circle = procOf([2, 3, 'a', 1, []], [3, 2, 'b', 1, []]);
    expect([2, 3, null]).toContain(firstOfFamily(circle, [2, 3]));
  });
});

describe('of real processes', () => {
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  testIf(process.platform === 'linux', 'needs Linux', 'a listener that was passed on has two holders', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const tables = readTables('/proc', 'self');
    const [row] = typeof tables === 'string' ? [] : rowsOfPort(tables, port);
    const inode = row?.inode ?? 0;
    expect(holdersOf('/proc', new Set([inode])).byInode.get(inode)).toEqual([process.pid]);
    const handle = (server as unknown as { _handle: { fd: number } })._handle;
    const child = spawn('sleep', ['30'], { stdio: ['ignore', 'ignore', 'ignore', handle.fd] });
    children.push(child);
    await once(child, 'spawn');
    const both = [process.pid, child.pid ?? 0].sort((a, b) => a - b);
    expect((await new HolderSearch('/proc').find(new Set([inode]))).byInode.get(inode)).toEqual(both);
    expect(firstOfFamily('/proc', both)).toBe(process.pid);
    const seen: number[] = [];
    expect(socketsOf('/proc', child.pid ?? 0, (one) => seen.push(one))).toBe(true);
    expect(seen).toContain(inode);
    server.close();
  });
  testIf(process.platform === 'linux', 'needs Linux', 'the own namespace is among all', () => {
    expect(netNamespaces('/proc').length).toBeGreaterThan(0);
  });
});
