/** What a history of looks says of a moment, and what it leaves open; on made-up tables. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Process } from '../../../src/attribute/process.js';
import { answer } from '../../../src/attribute/sockets/answer.js';
import { SocketHistory, type Limits } from '../../../src/attribute/sockets/looks.js';
import { Budget, isScanDue, pauseAfter } from '../../../src/attribute/sockets/pace.js';
import { eachRow } from '../../../src/attribute/sockets/raw-rows.js';
import type { NetTables } from '../../../src/attribute/sockets/table.js';
import type { Query, SocketAnswer } from '../../../src/attribute/sockets/watch-protocol.js';
import { someProcess, split, tables, type Row } from './made-up.js';

const NS = 4026531840;
const OTHER = 4026532200;
const LOCAL = '10.0.0.1:8080';
const REMOTE = '10.0.0.2:40000';

let history: SocketHistory;
let processes: Map<number, Process>;
let holders: Map<number, readonly number[]>;
let unreadable: number;

beforeEach(() => {
  history = new SocketHistory();
  processes = new Map();
  holders = new Map();
  unreadable = 0;
});

/** A look that takes half a second from `began` on, and a scan behind it. */
function look(began: number, rows: readonly Row[] | NetTables, netns = NS, present = [netns]): void {
  const read: NetTables = 'tcp' in rows ? rows : tables(rows);
  history.look(netns, read, began, began + 0.5);
  history.settle(new Set(present), began, began + 0.5);
  scan();
}

function scan(): void {
  history.resolve({ byInode: holders, unreadable }, (pid) => processes.get(pid) ?? 'gone');
}

function holds(inode: number, ...pids: (number | Process)[]): void {
  const all = pids.map((pid) => (typeof pid === 'number' ? (processes.get(pid) ?? someProcess(pid)) : pid));
  for (const each of all) processes.set(each.pid, each);
  holders.set(
    inode,
    all.map(({ pid }) => pid),
  );
}

function ask(at: number, more: Partial<Query> = {}, local = LOCAL, remote = REMOTE): SocketAnswer {
  const [localIp, localPort] = split(local);
  const [remoteIp, remotePort] = split(remote);
  return answer(history, { localIp, localPort, remoteIp, remotePort, netns: null, at, ...more });
}

const pidsOf = ({ holders: found }: SocketAnswer): number[] => found.map(({ pid }) => pid);
const connection = (inode: number, state = 1): Row => ({ local: LOCAL, remote: REMOTE, inode, state });

describe('the raw rows', () => {
  const rowsOf = (read: NetTables): string[] => {
    const found: string[] = [];
    eachRow(read, (key, state, inode) => found.push(`${key} ${state} ${inode}`));
    return found;
  };

  test('IPv4, IPv6 and mapped ones', () => {
    const plain = tables([connection(7), { local: '[::1]:80', inode: 4294967295 }]);
    expect(rowsOf(plain)).toEqual([
      '0100000A:1F90 0200000A:9C40 1 7',
      '00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 10 4294967295',
    ]);
    expect(rowsOf(tables([connection(7)], true))).toEqual([
      '0000000000000000FFFF00000100000A:1F90 0000000000000000FFFF00000200000A:9C40 1 7',
    ]);
  });

  test('a table that is cut, anywhere, gives whole rows or none', () => {
    const { tcp } = tables([connection(7), connection(1234567)]);
    const whole = rowsOf({ tcp, tcp6: '' });
    expect(whole).toHaveLength(2);
    for (let end = 0; end <= tcp.length; end++) {
      const cut = rowsOf({ tcp: tcp.slice(0, end), tcp6: '' });
      expect(whole.slice(0, cut.length)).toEqual(cut);
    }
  });

  test.each(['', 'x', '\n', '\n\n\n', 'head\n:::::\n', 'head\n   0: zz\n', `head\n${'F'.repeat(300)}\n`])(
    'odd text %j has none',
    (tcp) => {
      expect(rowsOf({ tcp, tcp6: tcp })).toEqual([]);
    },
  );
});

describe('exactly this tuple', () => {
  test('is there: its holder', () => {
    holds(7, 500);
    look(100, [connection(7)]);
    expect(ask(101)).toMatchObject({ exact: 'one', alive: false, seenAt: 100, lookedAt: 100.5, common: { pid: 500 } });
    look(110, [connection(7)]);
    expect(ask(101)).toMatchObject({ exact: 'one', alive: true, seenAt: 110 });
    expect(pidsOf(ask(101))).toEqual([500]);
  });

  test('the other way round, another port or namespace: nobody', () => {
    holds(7, 500);
    look(100, [connection(7)]);
    expect(ask(101, {}, REMOTE, LOCAL)).toMatchObject({ exact: 'none', holders: [], seenAt: null });
    expect(ask(101, {}, LOCAL, '10.0.0.2:40001').exact).toBe('none');
    expect(ask(101, { netns: OTHER })).toMatchObject({ exact: 'none', lookedAt: 0, noListener: false });
    expect(ask(101, { netns: NS }).exact).toBe('one');
  });

  test('of a socket that takes both families', () => {
    holds(7, 500);
    look(100, tables([connection(7)], true));
    expect(pidsOf(ask(101))).toEqual([500]);
  });

  test('gone since, its holder dead: still named', () => {
    holds(7, someProcess(500, { name: 'curl' }));
    look(100, [connection(7)]);
    processes.clear();
    holders.clear();
    look(110, []);
    expect(ask(105)).toMatchObject({ exact: 'one', alive: false, seenAt: 100, holders: [{ name: 'curl' }] });
  });

  test('gone long before: ports are given out again, nobody is named', () => {
    holds(7, 500);
    look(100, [connection(7)]);
    look(101, []);
    expect(ask(110).exact).toBe('one');
    expect(ask(112).exact).toBe('none');
  });

  test('first seen afterwards: it may be the next one', () => {
    look(100, []);
    holds(7, 500);
    look(110, [connection(7)]);
    expect(ask(105)).toMatchObject({ exact: 'none', seenAt: null });
  });

  test('recycled: the one that was there then', () => {
    holds(7, 500);
    holds(8, 501);
    for (const t of [100, 110]) look(t, [connection(7)]);
    for (const t of [120, 130]) look(t, [connection(8)]);
    expect(pidsOf(ask(105))).toEqual([500]);
    expect(pidsOf(ask(125))).toEqual([501]);
    // Between the two looks either may have been there.
    expect(ask(115).exact).toBe('shared');
    expect(pidsOf(ask(115)).sort()).toEqual([500, 501]);
    expect(ask(115).common).toBeNull();
  });

  test('recycled, and of one of the two nobody knows the holder: nobody is named', () => {
    holds(7, 500);
    look(100, [connection(7)]);
    look(110, [connection(8)]);
    expect(ask(105)).toMatchObject({ exact: 'none', holders: [] });
  });

  test('recycled by the same process: one', () => {
    holds(7, 500);
    holds(8, 500);
    look(100, [connection(7)]);
    look(110, [connection(8)]);
    expect(ask(105)).toMatchObject({ exact: 'one', holders: [{ pid: 500 }] });
  });

  test('opened after a socket with these ends was seen: that one is not meant', () => {
    holds(7, 500);
    look(100, [connection(7)]);
    expect(ask(105, { opened: 104 }).exact).toBe('none');
    expect(ask(105, { opened: 99 }).exact).toBe('one');
  });

  test('held by several: all of them, and who stands for them', () => {
    holds(7, someProcess(500), someProcess(501, { ppid: 500 }));
    look(100, [connection(7)]);
    expect(ask(101)).toMatchObject({ exact: 'shared', common: { pid: 500 } });
    expect(pidsOf(ask(101))).toEqual([500, 501]);
  });

  test('in two namespaces: which one is not known', () => {
    holds(7, 500);
    holds(8, 501);
    look(100, [connection(7)], NS, [NS, OTHER]);
    look(101, [connection(8)], OTHER, [NS, OTHER]);
    expect(ask(102)).toMatchObject({ exact: 'shared' });
    expect(pidsOf(ask(102, { netns: OTHER }))).toEqual([501]);
  });

  test('twice in one table: nobody is named, however often it is looked at', () => {
    holds(7, 500);
    holds(8, 501);
    for (const t of [100, 110, 120]) {
      look(t, [connection(7), connection(8)]);
      expect(ask(t + 1)).toMatchObject({ exact: 'none', holders: [] });
    }
    expect(history.size).toBe(1);
  });

  test('not accepted yet: nobody; accepted since: its holder', () => {
    look(100, [connection(0)]);
    expect(ask(101)).toMatchObject({ exact: 'none', seenAt: 100 });
    holds(7, 500);
    look(110, [connection(7)]);
    expect(ask(111)).toMatchObject({ exact: 'one' });
  });

  test('closed, in TIME_WAIT: who had it', () => {
    holds(7, 500);
    look(100, [connection(7)]);
    holders.clear();
    look(110, [connection(0, 6)]);
    expect(ask(109)).toMatchObject({ exact: 'one', holders: [{ pid: 500 }], alive: false, seenAt: 110 });
    // And the next one with these ends is another, accepted or not.
    look(120, [connection(0)]);
    expect(ask(121)).toMatchObject({ exact: 'none' });
  });

  test('a connection not yet accepted that takes the place of another is not its', () => {
    holds(7, 500);
    look(100, [connection(7)]);
    look(110, [connection(0)]);
    expect(ask(115)).toMatchObject({ exact: 'none' });
  });

  test('the remains of an older one beside it do not hide it', () => {
    holds(7, 500);
    look(100, [connection(7), connection(0, 6)]);
    expect(pidsOf(ask(101))).toEqual([500]);
    look(110, [connection(0, 6), connection(7)]);
    expect(pidsOf(ask(111))).toEqual([500]);
  });

  test('descriptors that may not be read: permission', () => {
    unreadable = 3;
    look(100, [connection(7)]);
    expect(ask(101)).toMatchObject({ exact: 'permission', holders: [] });
    history.look(OTHER, 'permission', 100, 100.5);
    expect(ask(101, { netns: OTHER })).toMatchObject({ exact: 'permission', noListener: false });
  });

  test('a holder that is found late', () => {
    look(100, [connection(7)]);
    expect(history.hasFresh).toBe(false);
    holds(7, 500);
    look(110, []);
    // It has left the table, and its program holds it still.
    expect(ask(105)).toMatchObject({ exact: 'one', holders: [{ pid: 500 }] });
  });

  test('a PID that is another process now', () => {
    holds(7, someProcess(500, { name: 'first', started: 50 }));
    look(100, [connection(7)]);
    processes.set(500, someProcess(500, { name: 'second', started: 104 }));
    holders.clear();
    look(110, []);
    expect(ask(105)).toMatchObject({ holders: [{ name: 'first', started: 50 }] });
  });

  test('the first process keeps it for another', () => {
    holds(7, someProcess(1, { ppid: 0 }), someProcess(500));
    look(100, [connection(7)]);
    expect(ask(101)).toMatchObject({ exact: 'one', holders: [{ pid: 500 }] });
  });
});

describe('listeners', () => {
  const at = (local: string, inode: number): Row => ({ local, inode });

  test('the exact address first, then all of IPv4, then all', () => {
    holds(1, 501);
    holds(2, 502);
    holds(3, 503);
    look(100, [at('[::]:8080', 3), at('0.0.0.0:8080', 2), at(LOCAL, 1), at('10.0.0.9:8080', 4), at('10.0.0.1:81', 5)]);
    const { listeners, noListener } = ask(101);
    expect(listeners.map(({ ip, group, single, seen }) => [ip, group?.pid, single, seen])).toEqual([
      ['10.0.0.1', 501, true, 'before'],
      ['0.0.0.0', 502, true, 'before'],
      ['::', 503, true, 'before'],
    ]);
    expect(noListener).toBe(false);
  });

  test('of IPv6, none of IPv4', () => {
    holds(1, 501);
    look(100, [at('0.0.0.0:8080', 1), at('[::]:8080', 2)]);
    expect(ask(101, {}, '[2001:db8::1]:8080', '[2001:db8::2]:9').listeners.map(({ ip }) => ip)).toEqual(['::']);
  });

  test('prefork: the parent; a member that nobody knows: nobody', () => {
    holds(1, someProcess(600), someProcess(601, { ppid: 600 }), someProcess(602, { ppid: 600 }));
    look(100, [at(LOCAL, 1)]);
    expect(ask(101).listeners).toMatchObject([{ single: false, group: { pid: 600 }, complete: true }]);
    look(110, [at(LOCAL, 1), at(LOCAL, 2)]);
    expect(ask(111).listeners).toMatchObject([{ single: false, group: null, complete: false }]);
  });

  test('SO_REUSEPORT: the parent of all, or nobody', () => {
    const exe = '/opt/app';
    processes.set(700, someProcess(700, { exe }));
    holds(1, someProcess(701, { ppid: 700, exe }));
    holds(2, someProcess(702, { ppid: 700, exe }));
    look(100, [at(LOCAL, 1), at(LOCAL, 2)]);
    expect(ask(101).listeners).toMatchObject([{ single: false, group: { pid: 700 }, complete: true }]);
    holds(3, someProcess(801, { ppid: 800 }));
    look(110, [at(LOCAL, 1), at(LOCAL, 2), at(LOCAL, 3)]);
    expect(ask(111).listeners[0]).toMatchObject({ single: false, group: null });
  });

  test('forked since: no longer single', () => {
    holds(1, someProcess(600));
    look(100, [at(LOCAL, 1)]);
    expect(ask(101).listeners[0]?.single).toBe(true);
    holds(1, 600, someProcess(601, { ppid: 600 }));
    look(110, [at(LOCAL, 1)]);
    expect(ask(111).listeners[0]).toMatchObject({ single: false, group: { pid: 600 } });
  });

  test('restarted: before and after are told apart, between they are not', () => {
    holds(1, 501);
    holds(2, 502);
    for (const t of [100, 110]) look(t, [at(LOCAL, 1)]);
    for (const t of [120, 130]) look(t, [at(LOCAL, 2)]);
    expect(ask(105).listeners).toMatchObject([{ group: { pid: 501 }, seen: 'around' }]);
    expect(ask(125).listeners).toMatchObject([{ group: { pid: 502 }, seen: 'around' }]);
    expect(ask(115).listeners).toMatchObject([{ group: null, single: false, seen: 'ended' }]);
    for (const t of [105, 115, 125]) expect(ask(t).noListener).toBe(false);
  });

  test('nobody, by looks on both sides', () => {
    look(100, []);
    expect(ask(105).noListener).toBe(false);
    look(110, []);
    expect(ask(105)).toMatchObject({ noListener: true, past: null, listeners: [] });
    // During a look it is not known what came first.
    expect(ask(110.2).noListener).toBe(false);
    look(120, []);
    expect(ask(110.2).noListener).toBe(true);
    expect(ask(99).noListener).toBe(false);
  });

  test('one that came or went between the looks: not nobody', () => {
    look(100, []);
    holds(1, 501);
    look(110, [at(LOCAL, 1)]);
    look(120, []);
    for (const t of [105, 115]) expect(ask(t).noListener).toBe(false);
    expect(ask(105).listeners).toMatchObject([{ seen: 'begun' }]);
    expect(ask(115)).toMatchObject({ listeners: [{ seen: 'ended' }], past: { process: { pid: 501 }, lastSeen: 110 } });
  });

  test('who listened earlier, though it is long dead', () => {
    holds(1, someProcess(501, { name: 'old' }));
    look(100, [at('0.0.0.0:8080', 1)]);
    holders.clear();
    processes.clear();
    for (const t of [110, 1000, 1010]) look(t, []);
    expect(ask(1005)).toMatchObject({
      noListener: true,
      listeners: [],
      past: { process: { name: 'old' }, lastSeen: 100 },
    });
    expect(ask(90).past).toBeNull();
  });

  test('of several that listened last, none is picked', () => {
    holds(1, someProcess(501, { ppid: 5 }));
    holds(2, someProcess(502, { ppid: 6 }));
    look(100, [at(LOCAL, 1), at(LOCAL, 2)]);
    for (const t of [110, 120]) look(t, []);
    expect(ask(115)).toMatchObject({ noListener: true, past: null });
  });

  test('another namespace does not count, and one that was not looked at leaves it open', () => {
    look(100, [], NS, [NS, OTHER]);
    look(110, [], NS, [NS, OTHER]);
    expect(ask(105, { netns: OTHER }).noListener).toBe(false);
    expect(ask(105).noListener).toBe(true);
    history.look(OTHER, tables([at(LOCAL, 1)]), 110, 110.5);
    expect(ask(105).noListener).toBe(false);
    expect(ask(105, { netns: NS }).noListener).toBe(true);
  });

  test('a namespace that nobody is in any more: its sockets are gone', () => {
    holds(7, 500);
    look(100, [connection(7)], OTHER);
    look(110, [], NS, [NS]);
    expect(history.size).toBe(0);
    expect(ask(105)).toMatchObject({ exact: 'one', alive: false, seenAt: 100 });
  });
});

describe('bounds', () => {
  const many = (count: number, from = 0): Row[] =>
    Array.from({ length: count }, (_, i) => ({
      local: LOCAL,
      remote: `10.0.0.2:${from + i + 1}`,
      inode: from + i + 1,
    }));
  const fill = (limits: Partial<Limits>): void => {
    history = new SocketHistory(limits);
  };

  test('of what is there; what goes makes room', () => {
    fill({ live: 10 });
    look(100, many(25));
    expect(history.size).toBe(10);
    look(110, []);
    expect(history.size).toBe(0);
    look(120, many(5, 100));
    expect(history.size).toBe(5);
  });

  test('of what is gone: the oldest goes first, and all after a while', () => {
    fill({ goneConnections: 5, goneSeconds: 30 });
    for (let i = 1; i <= 20; i++) {
      holds(i, 500);
      look(100 + i, many(1, i - 1));
    }
    look(121, []);
    const asked = (port: number): string => ask(100 + port + 0.7, {}, LOCAL, `10.0.0.2:${port}`).exact;
    expect([14, 15, 16, 20].map(asked)).toEqual(['none', 'none', 'one', 'one']);
    look(160, []);
    expect([16, 20].map(asked)).toEqual(['none', 'none']);
  });

  test('of sockets with the same ends', () => {
    for (let i = 1; i <= 40; i++) {
      holds(i, 500 + i);
      look(100 + i, [connection(i)]);
    }
    expect(pidsOf(ask(140.7))).toEqual([540]);
    expect(ask(103.5).exact).toBe('none');
    expect(history.size).toBe(1);
    look(900, []);
    look(1200, []);
    expect(history.size).toBe(0);
    expect(ask(901).exact).toBe('none');
  });

  test('of listeners that are gone', () => {
    fill({ goneListeners: 3 });
    for (let port = 1; port <= 10; port++) {
      holds(port, 500);
      look(100 + port, [{ local: `10.0.0.1:${port}`, inode: port }]);
    }
    look(200, []);
    look(210, []);
    const past = (port: number): boolean => ask(205, {}, `10.0.0.1:${port}`).past !== null;
    expect([7, 8, 10].map(past)).toEqual([false, true, true]);
  });

  test('of namespaces: those that nobody is in make room', () => {
    fill({ namespaces: 2 });
    look(100, many(1), 1, [1]);
    look(110, many(1), 2, [1, 2]);
    look(120, many(1), 3, [1, 2]);
    expect(history.looksAt(null)).toHaveLength(2);
    look(130, many(1), 2, [2]);
    look(140, many(1), 3, [2, 3]);
    expect(history.looksAt(null).map(({ netns }) => netns)).toEqual([2, 3]);
  });
});

describe('the pace', () => {
  test('a look is followed by a hundred times its time, within bounds', () => {
    expect([0, 0.01, 0.1, 1, 100].map(pauseAfter)).toEqual([2, 2, 10, 60, 60]);
  });

  test('descriptors that are all known are scanned seldom', () => {
    expect(isScanDue(105, 100, 0.001)).toBe(false);
    expect(isScanDue(110, 100, 0.001)).toBe(true);
    expect(isScanDue(110, 100, 0.3)).toBe(false);
    expect(isScanDue(160, 100, 0.3)).toBe(true);
  });

  test('questions take no more than a fortieth of the last ten seconds, or one thing that takes longer', () => {
    const budget = new Budget();
    expect(budget.allows(0, 0.5)).toBe(true);
    expect(budget.allows(0, 0.51)).toBe(false);
    budget.spend(1, 0.15);
    budget.spend(5, 0.05);
    expect(budget.allows(6, 0.04)).toBe(true);
    expect(budget.allows(6, 0.06)).toBe(false);
    expect(budget.allows(11.5, 0.19)).toBe(true);
    expect(budget.allows(15.5, 0.5)).toBe(true);
  });
});
