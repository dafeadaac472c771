/** Which process a task was, from a /proc that is made up and what the trace told. */
import { describe, expect, test } from '@jest/globals';
import { someProcess } from '../sockets/made-up.js';
import { made, MadeUp, SECOND, T0 } from './made-up-proc.js';

describe('while it lives', () => {
  test('as /proc has it', () => {
    const { programs } = made(new MadeUp().put(50, { name: 'nginx' }, 5 * SECOND));
    expect(programs.who(50, T0, T0)).toMatchObject({ pid: 50, name: 'nginx', exe: '/usr/bin/nginx' });
  });

  test('a thread is its process', () => {
    const { source, programs } = made();
    source.tasks.set(51, { process: someProcess(50), started: 0 });
    expect(programs.who(51, T0, T0)?.pid).toBe(50);
  });

  test('read once in a while, and again after an exec', () => {
    const { source, programs } = made(new MadeUp().put(50, { name: 'old' }, 0));
    for (let i = 0; i < 10; i++) programs.who(50, T0, T0 + i * 1e6);
    expect(source.reads).toBe(1);
    source.put(50, { name: 'new' }, 0);
    programs.executed(50, '/usr/bin/new', T0 + 20e6);
    expect(programs.who(50, T0 + 30e6, T0 + 40e6)?.name).toBe('new');
    expect(source.reads).toBe(2);
    source.put(50, { name: 'new', user: 'other' }, 0);
    expect(programs.who(50, T0 + 9 * SECOND, T0 + 9 * SECOND)?.user).toBe('other');
  });

  test('not for us to see', () => {
    const { source, programs } = made();
    source.tasks.set(50, { process: 'permission', started: 0 });
    expect(programs.who(50, T0, T0)).toBeNull();
  });
});

describe('gone before it was read', () => {
  test('nothing is known of one that was there before', () => {
    expect(made().programs.who(50, T0, T0)).toBeNull();
  });

  test('executed: by the file and its name', () => {
    const { programs } = made(new MadeUp().put(40, { name: 'bash' }, 0));
    programs.born(50, 40, 'bash', false, T0);
    programs.renamed(50, 'curl');
    programs.executed(50, '/usr/bin/curl', T0 + 1e6);
    expect(programs.who(50, T0 + 2e6, T0 + 9e6)).toEqual({
      ...someProcess(50, { name: 'curl', ppid: 40, parent: 'bash' }),
      command: null,
      user: null,
      started: 1_700_001_000,
    });
  });

  test('by a path that is not absolute: no executable', () => {
    const { programs } = made();
    programs.executed(50, './a/rather-long-name-of-a-program', T0);
    expect(programs.who(50, T0, T0)).toMatchObject({ pid: 50, exe: null, name: 'rather-long-nam' });
  });

  test('a fork without exec is what its parent is', () => {
    const { programs } = made(new MadeUp().put(40, { name: 'python3', command: 'python3 a.py' }, 0));
    programs.born(50, 40, 'python3', false, T0);
    expect(programs.who(50, T0 + 1e6, T0 + 9e6)).toMatchObject({
      pid: 50,
      ppid: 40,
      parent: 'python3',
      name: 'python3',
      exe: '/usr/bin/python3',
      command: 'python3 a.py',
    });
  });

  test('of two executed files the last counts', () => {
    const { programs } = made();
    programs.executed(50, '/usr/bin/env', T0);
    programs.executed(50, '/usr/bin/perl', T0 + 1e6);
    expect(programs.who(50, T0 + 2e6, T0 + 9e6)?.exe).toBe('/usr/bin/perl');
  });

  test('its parent is gone too, and the parent’s parent', () => {
    const { programs } = made(new MadeUp().put(30, { name: 'make' }, 0));
    programs.born(40, 30, 'make', false, T0);
    programs.renamed(40, 'sh');
    programs.executed(40, '/bin/sh', T0 + 1e6);
    programs.born(50, 40, 'sh', false, T0 + 2e6);
    expect(programs.who(50, T0 + 3e6, T0 + 9e6)).toMatchObject({ pid: 50, ppid: 40, parent: 'sh', exe: '/bin/sh' });
  });

  test('a long line of dead ancestors ends', () => {
    const { programs } = made();
    for (let i = 1; i < 40; i++) programs.born(100 + i, 99 + i, `p${i}`, false, T0 + i);
    expect(programs.who(139, T0 + 100, T0 + 200)?.pid).toBe(139);
  });

  test('ancestors in a circle end', () => {
    const { programs } = made();
    programs.born(50, 51, 'a', false, T0);
    programs.born(51, 50, 'b', false, T0);
    expect(programs.who(50, T0 + 1, T0 + 2)?.pid).toBe(50);
  });
});

describe('threads that were there before the trace', () => {
  test('are their process, also when all of it has gone', () => {
    const { source, programs } = made(new MadeUp().put(50, { name: 'node' }, 0));
    programs.adopt(50, [50, 51, 52], T0);
    source.tasks.clear();
    expect(programs.who(52, T0 + SECOND, T0 + SECOND)).toMatchObject({ pid: 50, name: 'node' });
    expect(programs.who(50, T0 + SECOND, T0 + SECOND)?.pid).toBe(50);
  });

  test('not before they were found, and not once their number is of another', () => {
    const { source, programs } = made(new MadeUp().put(50, { name: 'node' }, 0).put(40, { name: 'sh' }, 0));
    programs.adopt(50, [50, 51], T0);
    expect(programs.who(51, T0 - SECOND, T0)).toBeNull();
    source.tasks.delete(50);
    programs.born(51, 40, 'sh', false, T0 + SECOND);
    expect(programs.who(51, T0 + 2 * SECOND, T0 + 2 * SECOND)?.pid).toBe(51);
    programs.adopt(50, [51], T0 + 3 * SECOND);
    expect(programs.who(51, T0 + 4 * SECOND, T0 + 4 * SECOND)?.pid).toBe(51);
  });
});

describe('a thread that is gone', () => {
  test('is its process', () => {
    const { programs } = made(new MadeUp().put(50, { name: 'java' }, 0));
    programs.born(51, 50, 'pool-1', true, T0);
    programs.born(52, 51, 'pool-2', true, T0 + 1);
    expect(programs.who(52, T0 + 2, T0 + 9e6)).toMatchObject({ pid: 50, name: 'java' });
  });

  test('whose process is gone and its number given away is nobody', () => {
    const { source, programs } = made();
    programs.born(51, 50, 'pool-1', true, T0);
    source.put(50, { name: 'other' }, T0 + SECOND);
    expect(programs.who(51, T0 + 1e6, T0 + 2 * SECOND)).toBeNull();
  });

  test('a child of a thread has the process as its parent', () => {
    const { programs } = made(new MadeUp().put(50, { name: 'node' }, 0));
    programs.born(51, 50, 'libuv', true, T0);
    programs.born(60, 51, 'node', false, T0 + 1);
    expect(programs.who(60, T0 + 2, T0 + 9e6)).toMatchObject({ pid: 60, ppid: 50, parent: 'node' });
  });
});

describe('a number that was given away', () => {
  test('the one of now started too late', () => {
    const { programs } = made(new MadeUp().put(50, { name: 'new' }, T0 + SECOND));
    expect(programs.who(50, T0, T0 + 2 * SECOND)).toBeNull();
  });

  test('a tick, and a little between clocks, is not too late', () => {
    const { programs } = made(new MadeUp().put(50, { name: 'same' }, T0 + 15e6));
    expect(programs.who(50, T0, T0 + SECOND)?.name).toBe('same');
  });

  test('by the clock that goes on while the machine sleeps', () => {
    const { source, programs } = made(new MadeUp().put(50, {}, T0 + 500 * SECOND));
    source.slept = 500 * SECOND;
    expect(programs.who(50, T0 + SECOND, T0 + SECOND)?.pid).toBe(50);
  });

  test('each of two is who it was at its time', () => {
    const { source, programs } = made(new MadeUp().put(50, { name: 'first' }, T0));
    programs.born(50, 40, 'first', false, T0);
    programs.readYoung(T0 + 1e6, () => true);
    source.put(50, { name: 'second' }, T0 + SECOND);
    programs.born(50, 40, 'second', false, T0 + SECOND);
    expect(programs.who(50, T0 + 2e6, T0 + 2 * SECOND)?.name).toBe('first');
    expect(programs.who(50, T0 + 1.5 * SECOND, T0 + 2 * SECOND)?.name).toBe('second');
  });

  test('given away while it was being read', () => {
    const { source, programs } = made(new MadeUp().put(50, { name: 'first' }, 0));
    source.read = (task) => {
      source.put(task, { name: 'second' }, T0 + SECOND);
      return someProcess(task, { name: 'second' });
    };
    expect(programs.who(50, T0, T0)).toBeNull();
  });
});

test('what was read after the number was given away is not of the one before, however late that is told', () => {
  const { source, programs } = made(new MadeUp().put(50, { name: 'second' }, T0 + 10e6));
  // Within what the clocks may be apart: the start does not tell them from each other.
  programs.who(50, T0, T0 + 20e6);
  programs.born(50, 40, 'second', false, T0 + 10e6);
  expect(programs.who(50, T0, T0 + 30e6)?.name).not.toBe('second');
  expect(source.reads).toBeGreaterThan(0);
});

describe('a zombie', () => {
  test('is what was known of it before', () => {
    const { source, programs } = made(new MadeUp().put(50, { name: 'ab', command: 'ab -n 5' }));
    programs.born(50, 40, 'ab', false, T0);
    programs.readYoung(T0 + 1e6, () => true);
    source.zombie(50, 'ab');
    expect(programs.who(50, T0 + 2e6, T0 + 6 * SECOND)).toMatchObject({ name: 'ab', command: 'ab -n 5' });
  });

  test('is not what it was before it executed another program', () => {
    const { source, programs } = made(new MadeUp().put(50, { name: 'sh', command: 'sh -c curl' }));
    programs.born(50, 40, 'sh', false, T0);
    programs.readYoung(T0 + 1e6, () => true);
    programs.renamed(50, 'curl');
    programs.executed(50, '/usr/bin/curl', T0 + 2e6);
    source.zombie(50, 'curl');
    expect(programs.who(50, T0 + 3e6, T0 + 9e6)).toMatchObject({ pid: 50, name: 'curl', exe: '/usr/bin/curl' });
    expect(programs.who(50, T0 + 3e6, T0 + 9e6)?.command).not.toBe('sh -c curl');
  });

  test('that was never read is what the trace told', () => {
    const { source, programs } = made();
    source.zombie(50, 'curl');
    programs.born(50, 40, 'sh', false, T0);
    programs.renamed(50, 'curl');
    programs.executed(50, '/usr/bin/curl', T0 + 1e6);
    expect(programs.who(50, T0 + 3e6, T0 + 9e6)).toMatchObject({ pid: 50, name: 'curl', exe: '/usr/bin/curl' });
  });
});

describe('the young', () => {
  test('are read once, the youngest first, while there is time', () => {
    const { source, programs } = made();
    const order: number[] = [];
    const read = source.read.bind(source);
    source.read = (task) => {
      order.push(task);
      return read(task);
    };
    for (let task = 50; task < 60; task++) programs.born(source.put(task) === source ? task : 0, 40, 'x', false, T0);
    let left = 3;
    programs.readYoung(T0 + 1e6, () => left-- > 0);
    programs.readYoung(T0 + 2e6, () => true);
    expect(order).toEqual([59, 58, 57]);
  });

  test('threads are not', () => {
    const { source, programs } = made(new MadeUp().put(50).put(51));
    programs.born(51, 50, 'x', true, T0);
    programs.readYoung(T0 + 1e6, () => true);
    expect(source.reads).toBe(0);
  });

  test('what was read is known when it is gone', () => {
    const { source, programs } = made(new MadeUp().put(50, { name: 'curl', command: 'curl x' }));
    programs.born(50, 40, 'bash', false, T0);
    programs.executed(50, '/usr/bin/curl', T0 + 1e6);
    programs.readYoung(T0 + 2e6, () => true);
    source.tasks.delete(50);
    expect(programs.who(50, T0 + 3e6, T0 + 30 * SECOND)).toMatchObject({ name: 'curl', command: 'curl x' });
  });
});

test('after a loss nothing of before counts', () => {
  const { source, programs } = made(new MadeUp().put(50, { name: 'first' }));
  programs.born(50, 40, 'first', false, T0);
  programs.readYoung(T0 + 1e6, () => true);
  source.tasks.delete(50);
  programs.lost();
  expect(programs.who(50, T0 + 2e6, T0 + 3e6)).toBeNull();
});

test('what is kept is bounded, and the oldest goes', () => {
  const { programs } = made();
  for (let task = 1; task <= 20_000; task++) programs.born(task, 0, 'x', false, T0);
  const kept = (programs as unknown as { byTask: ReadonlyMap<number, unknown> }).byTask;
  expect(kept.size).toBeLessThanOrEqual(16_384);
  expect([kept.has(1), kept.has(20_000)]).toEqual([false, true]);
});

test('numbers given away again and again keep no history', () => {
  const { programs } = made();
  for (let i = 0; i < 1000; i++) programs.born(50, 40, 'x', false, T0 + i * 1e6);
  interface Chain {
    readonly before: Chain | null;
  }
  let depth = 0;
  let one = (programs as unknown as { byTask: ReadonlyMap<number, Chain> }).byTask.get(50) ?? null;
  for (; one !== null; one = one.before) depth++;
  expect(depth).toBe(2);
});
