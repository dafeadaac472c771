/** Whether a process makes others, asked of real ones: those that have a child, had one, never had any, are gone. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makesOthers } from '../../../src/attribute/sockets/children.js';
import { tmpDir } from '../../support/run.js';
import { hasTool, testIf } from '../../support/tools.js';

const problem =
  process.platform !== 'linux' ? 'needs Linux' : hasTool('sh') && hasTool('sleep') ? '' : 'needs sh, sleep';
const children = existsSync('/proc/thread-self/children') ? problem : 'needs a kernel that lists children';
const started: ChildProcess[] = [];

afterAll(() => {
  for (const { pid } of started) {
    try {
      // With all that it started: each leads a group.
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
});

function start(program: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  started.push(child);
  return child;
}

/** A shell that has said a line when its script has come so far. */
async function shell(script: string): Promise<number> {
  const child = start('sh', '-c', script);
  const stdout = child.stdout;
  if (stdout === null) throw new Error('there is no pipe');
  await once(stdout, 'data');
  return child.pid ?? 0;
}

describe('makes others', () => {
  testIf(children === '', children, 'a shell with a child', async () => {
    // `wait` keeps it from becoming the last command itself.
    expect(makesOthers('/proc', await shell('sleep 60 & echo up; wait'))).toBe(true);
  });

  testIf(problem === '', problem, 'a shell that waited for one that is gone', async () => {
    expect(makesOthers('/proc', await shell('sh -c : ; echo up; read -r _'))).toBe(true);
  });

  testIf(children === '', children, 'this process, as soon as it has one', () => {
    start('sleep', '60');
    expect(makesOthers('/proc', process.pid)).toBe(true);
  });
});

describe('makes none', () => {
  testIf(problem === '', problem, 'a shell that has only waited for a word', async () => {
    expect(makesOthers('/proc', await shell('echo up; read -r _'))).toBe(false);
  });

  testIf(problem === '', problem, 'a program that sleeps', async () => {
    const child = start('sleep', '60');
    await once(child, 'spawn');
    expect(makesOthers('/proc', child.pid ?? 0)).toBe(false);
  });

  testIf(problem === '', problem, 'one that is gone', async () => {
    const child = start('sleep', '0');
    await once(child, 'exit');
    expect(makesOthers('/proc', child.pid ?? 0)).toBe(false);
    expect(makesOthers('/proc', 0)).toBe(false);
    expect(makesOthers('/nonexistent', process.pid)).toBe(false);
  });
});

/** A process of a made-up /proc; the numbers behind minflt as given. */
function made(name: string, faults: string, threads: Readonly<Record<string, string>>): string {
  const proc = tmpDir();
  const folder = path.join(proc, '7');
  mkdirSync(path.join(folder, 'task'), { recursive: true });
  writeFileSync(path.join(folder, 'stat'), `7 (${name}) S 1 7 7 0 -1 4194560 120 ${faults} 3 0 1 1 1 1 20 0 1 0 99\n`);
  for (const [thread, list] of Object.entries(threads)) {
    mkdirSync(path.join(folder, 'task', thread));
    writeFileSync(path.join(folder, 'task', thread, 'children'), list);
  }
  return proc;
}

describe('as /proc has it', () => {
  test.each([
    ['neither', 'a', '0', { 7: '' }, false],
    ['a child of the first thread', 'a', '0', { 7: '8 ' }, true],
    ['a child of another thread', 'a', '0', { 7: '', 9: '8 10 ' }, true],
    ['one that was waited for', 'a', '96', { 7: '' }, true],
    ['a name that looks like the rest of the line', 'x) S 1 7 7 0 -1 0 1 5 0 (', '0', { 7: '' }, false],
    ['no list of children', 'a', '0', {}, false],
  ])('%s', (_, name, faults, threads, expected) => {
    expect(makesOthers(made(name, faults, threads), 7)).toBe(expected);
  });

  test('a line that is cut off', () => {
    const proc = made('a', '0', { 7: '' });
    writeFileSync(path.join(proc, '7', 'stat'), '7 (a) S 1');
    expect(makesOthers(proc, 7)).toBe(false);
  });
});
