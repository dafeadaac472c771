/** Ctrl-C and its kin: the input ends, the report comes, and nothing hangs. */
import { describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../src/report/types.js';
import { bareEnvironment, CLI, cliCommand, runShell, shellQuote, tmpDir } from '../support/run.js';
import { poll } from '../support/lab.js';
import { hearsSignals, isInterruptPending, programOf, ticksOf } from '../support/processes.js';
import { itWith } from '../support/tools.js';
import { expectLawful } from './checks.js';
import { manyResets, manySegments, NOON, saved, STORY, storyBytes } from './samples.js';

const bytes = storyBytes();
/** Above what is read in a thread of its own, and long enough for a signal to come in the middle. */
const LARGE = 500_000;
const large = saved('large.pcap', manySegments(LARGE));

interface Started {
  child: ChildProcessWithoutNullStreams;
  stdout(): string;
  stderr(): string;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

const LIMIT_MS = 45_000;
const IDLE_MS = 500;

function start(file: string, args: readonly string[], { read = true, env = {} } = {}): Started {
  const child = spawn(file, args, { env: bareEnvironment(env), stdio: 'pipe', detached: true });
  let out = '';
  let err = '';
  if (read) child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.on('error', () => undefined);
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const ended = once(child, read ? 'close' : 'exit').then(([code, signal]) => {
    clearTimeout(timer);
    child.stdin.destroy();
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  return { child, stdout: () => out, stderr: () => err, ended };
}

const startCli = (args: readonly string[], options = {}): Started => start(process.execPath, [CLI, ...args], options);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `met`, some seconds at most. */
function until(met: () => boolean): Promise<void> {
  return poll(met, 15_000, String(met));
}

/** It has nothing to do any more, and waits. */
async function idle(pid: number): Promise<void> {
  let ticks = -1;
  let since = 0;
  await until(() => {
    const now = ticksOf(pid);
    if (now !== ticks) since = performance.now();
    ticks = now;
    return performance.now() - since > IDLE_MS;
  });
}

/** The program has begun: its handlers are in place once it holds the file open. */
async function opened(run: Started, file: string): Promise<void> {
  await until(() => holds(run.child.pid, file));
}

/** Ends it by a signal while it reads the file; one that comes when that is over shows nothing, and it is run anew. */
async function interrupted(args: readonly string[], signal: NodeJS.Signals): Promise<[Started, unknown]> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const run = startCli(args);
    await until(() => holds(run.child.pid, large) || run.child.exitCode !== null);
    run.child.kill(signal);
    const ended = await run.ended;
    if (ended.code !== 0) return [run, ended];
  }
  throw new Error('it was always sooner than the signal, or never heard it');
}

function holds(pid: number | undefined, file: string): boolean {
  try {
    return openFiles(pid).includes(file);
  } catch {
    return false;
  }
}

function openFiles(pid: number | undefined): string[] {
  const folder = `/proc/${String(pid)}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return [readlinkSync(path.join(folder, fd))];
    } catch {
      return [];
    }
  });
}

describe('a pipe that stays open', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s: the report, exit 0', async (signal) => {
    const run = startCli(['read', '--ndjson', '-']);
    run.child.stdin.write(bytes);
    await until(() => run.stdout().includes('"type":"reset"'));
    run.child.kill(signal);
    expect(await run.ended).toEqual({ code: 0, signal: null });
    const summary = JSON.parse(run.stdout().trimEnd().split('\n').at(-1) ?? '') as Report;
    expect(summary).toMatchObject({ type: 'summary', packets: { seen: STORY.frames, resets: STORY.resets } });
    expect(run.stderr()).toBe('');
  });

  test('in the middle of a record: no damage, it was ended from here', async () => {
    const run = startCli(['read', '--ndjson', '-']);
    run.child.stdin.write(bytes.subarray(0, -10));
    await until(() => run.stdout().includes('"type":"reset"'));
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.stdout()).toContain('"incomplete":[]');
  });

  test('nothing has come yet: exit 2', async () => {
    const run = startCli(['read', '-']);
    await until(() => hearsSignals(run.child.pid ?? 0));
    await idle(run.child.pid ?? 0);
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 2, signal: null });
    expect(run.stderr()).toBe('rstscope: interrupted before - began with a capture\n');
  });

  test.each([[[]], [['--after', '12:00']]])('a named pipe without a writer: exit 2 (%j)', async (more) => {
    const fifo = path.join(tmpDir(), 'fifo');
    await runShell(`mkfifo ${shellQuote(fifo)}`);
    const run = startCli(['read', ...more, fifo]);
    await opened(run, fifo);
    await pause(100);
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 2, signal: null });
    expect(run.stderr()).toMatch(/^rstscope: interrupted before .*fifo began with a capture\n$/);
  });
});

describe('a file', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s: what was read, exit 3', async (signal) => {
    const [run, ended] = await interrupted(['read', '--json', large], signal);
    expect(ended).toEqual({ code: 3, signal: null });
    const report = JSON.parse(run.stdout()) as Report;
    expectLawful(report);
    expect(report.packets.seen).toBeLessThan(LARGE);
    expect(report.incomplete).toMatchObject([{ reason: 'interrupted' }]);
    expect(run.stderr()).toBe('rstscope: reading was interrupted\n');
  });

  test.each([
    ['a time from the end', (): string[] => ['--after', '-10m']],
    ['the link types', (): string[] => ['-w', path.join(tmpDir(), 'out.pcap')]],
  ])('while it is looked through for %s: exit 2, nothing is made up', async (_, more) => {
    const [run, ended] = await interrupted(['read', '--json', ...more(), large], 'SIGINT');
    expect(ended).toEqual({ code: 2, signal: null });
    expect(run.stdout()).toBe('');
    expect(run.stderr()).toMatch(/^rstscope: interrupted before /);
  });
});

describe('a second signal', () => {
  test('while nobody takes the report: exit 130 at once', async () => {
    const many = saved('many.pcap', manyResets(20_000));
    const run = startCli(['read', '--json', '--events', many], { read: false });
    const pid = run.child.pid ?? 0;
    await until(() => hearsSignals(pid));
    // The pipe is full, the program waits.
    await idle(pid);
    run.child.kill('SIGINT');
    await until(() => !isInterruptPending(pid));
    await pause(200);
    expect(run.child.exitCode).toBeNull();
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 130, signal: null });
    run.child.stdout.destroy();
  });
});

describe('the reader dies of the same Ctrl-C', () => {
  itWith('jq', 'the report is saved for its owner', async () => {
    const temporary = tmpDir();
    const run = start('bash', ['-c', `{ ${cliCommand('read', '--json', '-')}; echo "exit $?" >&2; } | jq .`], {
      env: { TMPDIR: temporary },
    });
    run.child.stdin.write(bytes);
    const program = (): number => programOf(run.child.pid ?? 0, /^\S*node \S*rstscope\S* read/) ?? 0;
    await until(() => hearsSignals(program()));
    // It has read what there is.
    await idle(program());
    process.kill(-(run.child.pid ?? 0), 'SIGINT');
    await run.ended;
    const folders = readdirSync(temporary);
    expect(folders).toHaveLength(1);
    const [file] = readdirSync(path.join(temporary, folders[0] ?? '')).map((name) =>
      path.join(temporary, folders[0] ?? '', name),
    );
    expect(statSync(file ?? '').mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(file ?? '')).mode & 0o777).toBe(0o700);
    const report = JSON.parse(readFileSync(file ?? '', 'utf8')) as Report;
    expect(report).toMatchObject({ packets: { resets: STORY.resets }, window: { start_epoch: NOON } });
    await until(() => run.stderr().includes('saved in'));
    expect(run.stderr()).toMatch(/^exit 3$/m);
    expect(run.stderr()).toContain(`rstscope: nobody took the report: it is saved in ${file ?? '?'}\n`);
    rmSync(temporary, { recursive: true });
  });
});
