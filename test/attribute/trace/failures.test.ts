/** Connects that failed, counted by program and target. */
import { describe, expect, test } from '@jest/globals';
import { Failures } from '../../../src/attribute/trace/failures.js';
import { someProcess } from '../sockets/made-up.js';

const curl = (pid: number, more = {}) => someProcess(pid, { name: 'curl', ppid: 40, ...more });

test('each kind is counted, and attempts are their sum', () => {
  const failures = new Failures();
  for (const how of ['refused', 'refused', 'icmp', 'timed-out', 'abandoned'] as const)
    failures.add(curl(50), 'a', 80, how);
  expect(failures.list()).toEqual([
    { process: curl(50), pids: 1, ip: 'a', port: 80, attempts: 5, refused: 2, icmp: 1, timedOut: 1, abandoned: 1 },
  ]);
});

test('a program that is started again and again is one row, with its first process', () => {
  const failures = new Failures();
  for (let pid = 50; pid < 60; pid++) failures.add(curl(pid), 'a', 80, 'refused');
  failures.add(curl(50), 'a', 80, 'refused');
  expect(failures.list()).toMatchObject([{ process: { pid: 50 }, pids: 10, attempts: 11 }]);
});

describe('a row of its own', () => {
  test.each<[string, (failures: Failures) => void]>([
    ['another port', (failures) => failures.add(curl(50), 'a', 81, 'refused')],
    ['another address', (failures) => failures.add(curl(50), 'b', 80, 'refused')],
    [
      'another program',
      (failures) => failures.add(curl(50, { name: 'wget', exe: '/usr/bin/wget' }), 'a', 80, 'refused'),
    ],
    ['another parent', (failures) => failures.add(curl(50, { ppid: 41 }), 'a', 80, 'refused')],
    [
      'another container',
      (failures) =>
        failures.add(
          curl(50, { container: { id: 'c1', runtime: null, name: null, pod: null, podNamespace: null } }),
          'a',
          80,
          'refused',
        ),
    ],
  ])('%s', (_, add) => {
    const failures = new Failures();
    failures.add(curl(50), 'a', 80, 'refused');
    add(failures);
    expect(failures.list().map(({ attempts }) => attempts)).toEqual([1, 1]);
  });

  test('programs without an executable are told by name', () => {
    const failures = new Failures();
    failures.add(curl(50, { exe: null }), 'a', 80, 'refused');
    failures.add(curl(51, { exe: null, name: 'wget' }), 'a', 80, 'refused');
    expect(failures.list()).toHaveLength(2);
  });
});

test('the most come first', () => {
  const failures = new Failures();
  failures.add(curl(50), 'a', 80, 'refused');
  for (let i = 0; i < 3; i++) failures.add(curl(50), 'b', 80, 'icmp');
  failures.add(curl(50), 'c', 80, 'refused');
  failures.add(curl(50), 'c', 80, 'refused');
  expect(failures.list().map(({ ip }) => ip)).toEqual(['b', 'c', 'a']);
});

test('rows and PIDs are bounded; what finds no row is counted', () => {
  const failures = new Failures();
  for (let port = 0; port < 20_010; port++) failures.add(curl(50), 'a', port, 'refused');
  failures.add(curl(51), 'a', 0, 'refused');
  expect(failures.list()).toHaveLength(20_000);
  expect(failures.omitted).toBe(10);
  expect(failures.list()[0]).toMatchObject({ port: 0, pids: 2, attempts: 2 });
  const many = new Failures();
  for (let pid = 1; pid <= 10_050; pid++) many.add(curl(pid), 'a', 80, 'refused');
  expect(many.list()).toMatchObject([{ pids: 10_000, attempts: 10_050 }]);
});
