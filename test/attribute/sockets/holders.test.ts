/** Who stands for several processes, and when nobody does. */
import { describe, expect, test } from '@jest/globals';
import type { Process } from '../../../src/attribute/process.js';
import { commonParent, MAX_HOLDERS, together, withoutManagers } from '../../../src/attribute/sockets/holders.js';
import { someProcess } from './made-up.js';

const family = (...processes: Process[]): Map<number, Process> => new Map(processes.map((each) => [each.pid, each]));
const set = (...processes: Process[]) => ({ processes, complete: true, family: family(...processes) });

const master = someProcess(10, { name: 'nginx' });
const workers = [11, 12, 13].map((pid) => someProcess(pid, { name: 'nginx', ppid: 10 }));

describe('the common parent', () => {
  test('of one is itself, of none nobody', () => {
    expect(commonParent([master])).toBe(master);
    expect(commonParent([])).toBeNull();
  });

  test('is the one that the others descend from, in whatever order', () => {
    expect(commonParent([...workers, master])).toBe(master);
    const grandchild = someProcess(20, { ppid: 12 });
    expect(commonParent([grandchild, master, ...workers])).toBe(master);
  });

  test('is a parent that holds nothing itself, if it is known', () => {
    expect(commonParent(workers, family(master))).toBe(master);
    expect(commonParent(workers)).toBeNull();
  });

  test('through one that holds nothing', () => {
    const shell = someProcess(15, { ppid: 10 });
    const leaf = someProcess(16, { ppid: 15 });
    expect(commonParent([master, leaf], family(shell))).toBe(master);
    expect(commonParent([master, leaf])).toBeNull();
  });

  test('is never the first process, the second, or a systemd', () => {
    const two = [someProcess(30), someProcess(31)];
    expect(commonParent(two, family(someProcess(1, { ppid: 0, name: 'init' })))).toBeNull();
    const kernel = [someProcess(30, { ppid: 2 }), someProcess(31, { ppid: 2 })];
    expect(commonParent(kernel, family(someProcess(2, { ppid: 0 })))).toBeNull();
    const users = [someProcess(30, { ppid: 900 }), someProcess(31, { ppid: 900 })];
    expect(commonParent(users, family(someProcess(900, { exe: '/usr/lib/systemd/systemd' })))).toBeNull();
    // A program that only calls itself so is none.
    const apps = users.map((each) => ({ ...each, exe: '/opt/app' }));
    const named = someProcess(900, { name: 'systemd', exe: '/opt/app' });
    expect(commonParent(apps, family(named))).toMatchObject({ pid: 900 });
  });

  test('is not a shell that has started two programs', () => {
    const two = [someProcess(30, { ppid: 900, exe: '/opt/app' }), someProcess(31, { ppid: 900, exe: '/opt/app' })];
    expect(commonParent(two, family(someProcess(900, { exe: '/bin/bash' })))).toBeNull();
  });

  test('of strangers is nobody, and none of them', () => {
    expect(
      commonParent([someProcess(30, { ppid: 5 }), someProcess(31, { ppid: 6 })], family(someProcess(5))),
    ).toBeNull();
  });

  test('is no process that has the PID of a parent that had ended', () => {
    const late = someProcess(10, { started: 5000 });
    expect(commonParent(workers, family(late))).toBeNull();
    expect(commonParent([late, ...workers])).toBeNull();
  });

  test('two with one PID were there one after the other', () => {
    expect(commonParent([someProcess(40, { started: 1 }), someProcess(40, { started: 900 })])).toBeNull();
  });

  test('parents in a circle end', () => {
    const a = someProcess(50, { ppid: 51 });
    const b = someProcess(51, { ppid: 50 });
    expect(() => commonParent([a, b, someProcess(52)], family(a, b))).not.toThrow();
  });
});

describe('managers', () => {
  const systemd = someProcess(1, { ppid: 0, name: 'systemd', exe: '/usr/lib/systemd/systemd' });

  test('hold a socket for the service that holds it too', () => {
    expect(withoutManagers([systemd, master])).toEqual([master]);
  });

  test('are named where nobody else holds it', () => {
    expect(withoutManagers([systemd])).toEqual([systemd]);
  });
});

describe('several sockets together', () => {
  test('each process once', () => {
    const all = together([set(master, ...workers), set(...workers)]);
    expect(all.processes.map(({ pid }) => pid)).toEqual([10, 11, 12, 13]);
    expect(all.complete).toBe(true);
    expect(commonParent(all.processes, all.family)).toBe(master);
  });

  test('one whose holders nobody knows makes the list incomplete', () => {
    expect(together([set(master), null])).toMatchObject({ complete: false, processes: [master] });
    expect(together([null]).complete).toBe(false);
    expect(together([])).toMatchObject({ complete: false, processes: [] });
  });

  test('too many are not all named, and said to be so', () => {
    const many = Array.from({ length: MAX_HOLDERS + 10 }, (_, i) => set(someProcess(1000 + i)));
    const all = together(many);
    expect(all.processes).toHaveLength(MAX_HOLDERS);
    expect(all.complete).toBe(false);
  });
});
