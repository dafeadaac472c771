/** However a live capture ends: the report comes, the exit code tells how it was, and nothing is left behind. */
import { afterEach, beforeAll, describe, expect } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../src/report/types.js';
import { expectLawful } from '../cli/checks.js';
import { labProblem, poll, twoHosts, type TwoHosts } from '../support/lab.js';
import { settled, snapshot, type Snapshot } from '../support/leftovers.js';
import { hearsSignals, isInterruptPending } from '../support/processes.js';
import { bareEnvironment, CLI, shellQuote, tmpDir } from '../support/run.js';
import { hasTool, testIf } from '../support/tools.js';
import { knock } from '../support/traffic.js';
import { beginLive, eachBackend, Live, reportOf, runLive, startLive, type Backend } from './support.js';

const lab = labProblem();
let hosts: TwoHosts | null = null;

beforeAll(async () => {
  if (lab === '') hosts = await twoHosts();
});

const begun: Live[] = [];

/** What a failed test leaves running must not disturb the next one. */
afterEach(async () => {
  for (const live of begun.splice(0)) {
    if (live.child.exitCode === null && live.child.signalCode === null) live.child.kill('SIGKILL');
    await live.ended;
  }
});

function noted(live: Live): Live {
  begun.push(live);
  return live;
}

function a(): TwoHosts['a'] {
  if (hosts === null) throw new Error('there is no lab');
  return hosts.a;
}

/** What was there before, in the namespace and, unless a file is to be left, in a folder for temporary files. */
function before(isSaved = false): { tmp: string; env: { TMPDIR: string }; was: Snapshot } {
  const tmp = tmpDir();
  return { tmp, env: { TMPDIR: tmp }, was: snapshot({ namespaces: [a()], tmp: isSaved ? tmpDir() : tmp }) };
}

async function expectClean(was: Snapshot): Promise<void> {
  expect(await settled(was, 2000)).toEqual([]);
}

/** So many resets from a closed port, one after the other. */
function resets(times: number, { everyMs = 0, port = 7 } = {}): Promise<unknown> {
  return knock({ ns: a(), host: '10.99.0.2', port, times, everyMs }).done;
}

interface Process {
  pid: number;
  parent: number;
  session: number;
  group: number;
  command: string;
}

function processes(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state = '', parent, group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' || state === 'X') return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ').trim();
      return [{ pid: Number(name), parent: Number(parent), group: Number(group), session: Number(session), command }];
    } catch {
      return [];
    }
  });
}

/** Those that last; the links are read by an `ip` that is gone in a moment. */
const childrenOf = (pid: number): Process[] =>
  processes().filter(({ parent, command }) => parent === pid && !command.includes('addr show'));
const isAlive = (pid: number): boolean => processes().some((one) => one.pid === pid);

function childOf(pid: number, what: Backend | 'watchdog' | 'monitor'): number {
  const shape = { cap: /cap-child/, tcpdump: /tcpdump/, watchdog: /rstscope-watchdog/, monitor: /\bip .*mon/ }[what];
  return childLike(pid, shape);
}

function childLike(pid: number, shape: RegExp): number {
  const children = childrenOf(pid);
  const found = children.find(({ command }) => shape.test(command));
  if (found === undefined) throw new Error(`nothing is like ${String(shape)} among ${JSON.stringify(children)}`);
  return found.pid;
}

/** The program itself in a shell's pipeline. */
const programIn = (live: Live): number => childLike(live.pid, /rstscope/);

/** The one report that was saved in `tmp` for want of a reader, and its mode. */
function savedReport(tmp: string): { file: string; text: string; mode: number } {
  const folders = readdirSync(tmp).filter((name) => name.startsWith('rstscope-'));
  expect(folders).toHaveLength(1);
  const folder = path.join(tmp, folders[0] ?? '');
  const [name = ''] = readdirSync(folder);
  const file = path.join(folder, name);
  return { file, text: readFileSync(file, 'utf8'), mode: statSync(file).mode & 0o777 };
}

/** A bash script in a process group of its own that itself survives Ctrl-C; "live" in it is the program. */
function shell(script: string, env: Readonly<Record<string, string>>): { live: Live; interrupt: () => void } {
  const text = `trap : INT\nlive() { exec "$NODE" "$RSTSCOPE" live "$@"; }\n${script}\n`;
  const [program, ...args] = a().command(['bash', '--noprofile', '--norc', '-c', text]);
  const child = spawn(program, args, {
    env: bareEnvironment({ NODE: process.execPath, RSTSCOPE: CLI, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  return { live: noted(new Live(child)), interrupt: () => process.kill(-(child.pid ?? 0), 'SIGINT') };
}

/** The program on a terminal; what it shows is on `terminal.stdout`. Type by writing to the child's stdin. */
function onTerminal(script: string, env: Readonly<Record<string, string>>): { terminal: Live; child: ChildProcess } {
  const text = `live() { exec "$NODE" "$RSTSCOPE" live "$@"; }\n${script}`;
  const [program, ...args] = a().command(['script', '-qfec', `bash --norc -c ${shellQuote(text)}`, '/dev/null']);
  const child = spawn(program, args, {
    env: bareEnvironment({ NODE: process.execPath, RSTSCOPE: CLI, TERM: 'xterm-256color', SHELL: '/bin/bash', ...env }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  return { terminal: noted(new Live(child)), child };
}

eachBackend('ends', (backend, absent) => {
  const problem = absent === '' ? lab : absent;
  const by = ['--backend', backend];
  const start = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Live> =>
    startLive([...by, ...args], { ns: a(), env }).then(noted);
  const it = (name: string, body: () => Promise<void>): void => testIf(problem === '', problem, name, body);

  it('when its time is over', async () => {
    const { was, env } = before();
    const begun = performance.now();
    const run = await start(['--json', '-d', '1'], env);
    const ended = await run.ended;
    expect(ended).toMatchObject({ code: 0, signal: null });
    const most = (performance.now() - begun) / 1000;
    const report = reportOf(ended);
    expectLawful(report);
    // By its own clock: ours may have stood still for a moment.
    expect(report.window.seconds).toBeGreaterThan(0.9);
    expect(report.window.seconds).toBeLessThan(most);
    expect(most).toBeLessThan(15);
    await expectClean(was);
  });

  it('after so many resets, and reports no more of them', async () => {
    const { was, env } = before();
    const run = await start(['--json', '--events', '-c', '2', '-d', '10'], env);
    await resets(4);
    const ended = await run.ended;
    expect(ended).toMatchObject({ code: 0 });
    const report = reportOf(ended);
    expect(report.events).toHaveLength(2);
    expectLawful(report);
    await expectClean(was);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`by ${signal}: the report, exit 0`, async () => {
      const { was, env } = before();
      const run = await start(['--json', '-d', '0'], env);
      await resets(1);
      await run.untilCounted(1);
      const ended = await run.stop(signal);
      expect(ended).toMatchObject({ code: 0, signal: null });
      expect(reportOf(ended).packets.unique).toBe(1);
      await expectClean(was);
    });
  }

  it('what came just before the signal is in the report', async () => {
    const { was, env } = before();
    const run = await start(['--json', '-d', '0'], env);
    await resets(3);
    expect(reportOf(await run.stop()).packets.unique).toBe(3);
    await expectClean(was);
  });

  it('by a second Ctrl-C at once, whatever hangs', async () => {
    const { was, env } = before();
    const run = await start(['--json', '-d', '0'], env);
    process.kill(childOf(run.pid, backend), 'SIGSTOP');
    run.child.kill('SIGINT');
    await poll(() => !isInterruptPending(run.pid), 15_000, 'the first one to be taken');
    await sleep(150);
    expect(run.child.exitCode).toBeNull();
    const second = performance.now();
    expect(await run.stop()).toMatchObject({ code: 130, stdout: '' });
    // What hangs would be waited for three seconds.
    expect(performance.now() - second).toBeLessThan(2500);
    await expectClean(was);
  });

  it('by Ctrl-C before it listens', async () => {
    const { was, env } = before();
    let wasEarly = false;
    // One that listens by the time we look shows nothing.
    for (let attempt = 0; attempt < 5 && !wasEarly; attempt++) {
      const run = noted(beginLive([...by, '--json', '-d', '0'], { ns: a(), env }));
      // From when it listens to signals.
      await poll(() => hearsSignals(run.pid), 15_000, 'its handlers of signals');
      wasEarly = run.stderr === '';
      const ended = await run.stop();
      expect(ended).toMatchObject({ code: 0, signal: null });
      expect(reportOf(ended).packets.seen).toBe(0);
    }
    expect(wasEarly).toBe(true);
    await expectClean(was);
  });

  it('when its reader has what it wants', async () => {
    const { was, env } = before();
    const { live } = shell(`live ${by.join(' ')} --ndjson -d 20 | head -n 2; echo "codes \${PIPESTATUS[*]}"`, env);
    await live.says('listening on ');
    const begun = performance.now();
    await resets(4, { everyMs: 100 });
    const { stdout } = await live.ended;
    // Sooner than by its duration.
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(stdout.split('\n').map((line) => /"type":"(\w+)"/.exec(line)?.[1] ?? line)).toEqual([
      'start',
      'reset',
      'codes 0 0',
      '',
    ]);
    await expectClean(was);
  });

  it('killed, on a quiet interface: what it started ends', async () => {
    const { was, env } = before();
    const run = await start(['-i', 'lo', '--json', '-d', '0'], env);
    expect(childrenOf(run.pid).length).toBeGreaterThanOrEqual(3);
    run.child.kill('SIGKILL');
    await expectClean(was);
    await run.ended;
  });

  it('killed with its watchdog: the next one sweeps, and leaves alone what has its parent', async () => {
    const { was, env } = before();
    const other = await start(['-i', 'lo', '--json', '-d', '0'], env);
    const others = childrenOf(other.pid).map(({ pid }) => pid);
    const run = await start(['-i', 'lo', '--json', '-d', '0'], env);
    const left = childrenOf(run.pid).map(({ pid }) => pid);
    process.kill(childOf(run.pid, 'watchdog'), 'SIGKILL');
    run.child.kill('SIGKILL');
    await poll(() => !isAlive(run.pid), 15_000, 'it to be gone');
    expect(await runLive([...by, '-q', '-d', '0.5'], { ns: a(), env })).toMatchObject({ code: 0 });
    expect(left.filter(isAlive)).toEqual([]);
    expect(others.filter(isAlive)).toEqual(others);
    const ended = await other.stop();
    expect(ended).toMatchObject({ code: 0 });
    expect(reportOf(ended).incomplete).toEqual([]);
    await expectClean(was);
  });

  it('its capturing program killed: reopened, told, exit 3, and later resets are seen', async () => {
    const { was, env } = before();
    const run = await start(['--ndjson', '-d', '0'], env);
    await resets(1);
    await run.untilResets(1);
    const killed = childOf(run.pid, backend);
    process.kill(killed, 'SIGKILL');
    await poll(
      () => childrenOf(run.pid).some(({ pid, command }) => pid !== killed && /tcpdump|cap-child/.test(command)),
      15_000,
      'another',
    );
    // Until it listens: a reset now and then, as a retrying client makes them.
    const retries = knock({ ns: a(), host: '10.99.0.2', port: 9, times: 400, everyMs: 50 });
    await run.untilResets(2);
    await retries.stop();
    const ended = await run.stop();
    expect(ended).toMatchObject({ code: 3, signal: null });
    const { incomplete } = reportOf(ended);
    expect(incomplete).toHaveLength(1);
    expect(incomplete[0]).toMatchObject({
      reason: 'interface-lost',
      interface: 'any',
      message: expect.stringMatching(
        /^any could not be listened to for a while and was captured again [\d.]+ s later$/,
      ),
    });
    expect(incomplete[0]?.gap_seconds).toBeGreaterThan(0);
    expect(incomplete[0]?.gap_seconds).toBeLessThan(15);
    expect(ended.stderr).toContain(`${incomplete[0]?.message ?? '?'}\n`);
    await expectClean(was);
  });

  // Takes its three seconds; the backends differ in nothing here.
  if (backend === 'tcpdump')
    it('although the capturing program does not want to', async () => {
      const { was, env } = before();
      const run = await start(['--json', '-d', '0'], env);
      process.kill(childOf(run.pid, backend), 'SIGSTOP');
      const ended = await run.stop();
      expect(reportOf(ended).packets.unique).toBe(0);
      await expectClean(was);
    });

  it('what it started has sessions of its own', async () => {
    const { was, env } = before();
    const run = await start(['--json', '-d', '0'], env);
    const own = processes().find(({ pid }) => pid === run.pid);
    const children = childrenOf(run.pid);
    expect(children.length).toBeGreaterThanOrEqual(3);
    for (const { session, group, command } of children) {
      expect({ command, own: session === own?.session || group === own?.group }).toEqual({ command, own: false });
    }
    expect(await run.stop()).toMatchObject({ code: 0 });
    await expectClean(was);
  });
});

describe('a report that nobody takes', () => {
  const it = (tool: string, name: string, body: () => Promise<void>): void => {
    const problem = lab !== '' ? lab : hasTool(tool) ? '' : `needs ${tool}`;
    testIf(problem === '', problem, name, body);
  };

  const expectSaved = (tmp: string, stderr: string): string => {
    const { file, text, mode } = savedReport(tmp);
    expect(mode).toBe(0o600);
    expect(stderr).toContain(`nobody took the report: it is saved in ${file}\n`);
    return text;
  };

  for (const reader of ['jq .', 'cat']) {
    it(reader.split(' ')[0] ?? '', `--json | ${reader}, and Ctrl-C for both: saved, exit 3`, async () => {
      const { tmp, env, was } = before(true);
      const { live, interrupt } = shell(`live --json --events -d 0 | ${reader}; echo "codes \${PIPESTATUS[*]}"`, env);
      await live.says('listening on ');
      await resets(2);
      await live.untilCounted(2, programIn(live));
      interrupt();
      const { stdout, stderr } = await live.ended;
      expect(stdout).toBe('codes 3 130\n');
      const report = JSON.parse(expectSaved(tmp, stderr)) as Report;
      expectLawful(report);
      expect(report.events).toHaveLength(2);
      await expectClean(was);
    });
  }

  it('cat', 'the reader was killed long before', async () => {
    const { tmp, env } = before();
    const { live } = shell('live --json -d 0 | cat; echo "codes ${PIPESTATUS[*]}"', env);
    await live.says('listening on ');
    process.kill(childLike(live.pid, /^cat$/), 'SIGKILL');
    await resets(1);
    const node = programIn(live);
    await live.untilCounted(1, node);
    process.kill(node, 'SIGINT');
    const { stdout, stderr } = await live.ended;
    expect(stdout).toBe('codes 3 137\n');
    expect(JSON.parse(expectSaved(tmp, stderr))).toMatchObject({ packets: { unique: 1 } });
  });

  it('cat', 'tables, of which lines were taken but not the report', async () => {
    const { tmp, env } = before();
    const { live, interrupt } = shell('live -d 0 | cat; echo "codes ${PIPESTATUS[*]}"', env);
    await live.says('listening on ');
    await resets(1);
    await live.until(() => live.stdout.includes('10.99.0.2'), 'a line');
    interrupt();
    const { stdout, stderr } = await live.ended;
    expect(stdout).toContain('codes 3 130\n');
    const text = expectSaved(tmp, stderr);
    expect(text).toContain('1 reset in ');
    expect(text).not.toContain('\u001b');
  });

  it('true', 'no signal, only a reader that left: no error, nothing saved', async () => {
    const { env, was } = before();
    const { live } = shell('live --json -d 0.5 | true; echo "codes ${PIPESTATUS[*]}"', env);
    expect((await live.ended).stdout).toBe('codes 0 0\n');
    await expectClean(was);
  });

  for (const format of ['--json', '--color=never']) {
    it('script', `the terminal is hung up (${format})`, async () => {
      const { tmp, env, was } = before(true);
      const { terminal } = onTerminal(`live ${format} -d 0`, env);
      await terminal.until(() => terminal.stdout.includes('listening on '), 'it to listen');
      await resets(1);
      await terminal.until(() => terminal.stdout.includes('10.99.0.2'), 'a line');
      terminal.child.kill('SIGKILL');
      await poll(
        () => readdirSync(tmp).some((name) => existsSync(path.join(tmp, name, 'report.txt'))),
        15_000,
        'a report',
      );
      await poll(() => savedReport(tmp).text.endsWith('\n'), 15_000, 'its text');
      const { text, mode } = savedReport(tmp);
      expect(mode).toBe(0o600);
      if (format === '--json') expect(JSON.parse(text)).toMatchObject({ packets: { unique: 1 } });
      else expect(text).toContain('1 reset in ');
      await expectClean(was);
    });
  }
});

describe('SIGUSR2', () => {
  testIf(lab === '', lab, 'the report so far on standard error, and the one at the end is whole', async () => {
    const { was, env } = before();
    const run = await startLive(['--json', '--events', '-d', '0'], { ns: a(), env });
    for (let n = 1; n <= 3; n++) {
      await resets(2);
      await run.untilCounted(2 * n);
    }
    expect(run.stdout).toBe('');
    const ended = await run.stop();
    expect(ended).toMatchObject({ code: 0 });
    const report = reportOf(ended);
    expectLawful(report);
    expect(report.packets.unique).toBe(6);
    expect(report.events).toHaveLength(6);
    expect(report.ports.map(({ resets: count }) => count)).toEqual([6]);
    await expectClean(was);
  });

  testIf(lab === '', lab, 'while resets come without a pause', async () => {
    const { env } = before();
    const run = await startLive(['--ndjson', '-d', '0'], { ns: a(), env });
    const times = 4000;
    const traffic = knock({ ns: a(), host: '10.99.0.2', port: 7, times, everyMs: 5 });
    await run.untilResets(20);
    run.child.kill('SIGUSR2');
    await run.until(() => run.stderr.includes(' resets in '), 'the report so far');
    const { length } = await traffic.stop();
    // They had not paused before it came.
    expect(length).toBeLessThan(times);
    await run.untilResets(length);
    const ended = await run.stop();
    expect(reportOf(ended).packets.unique).toBe(length);
    expect(run.resets).toHaveLength(length);
  });
});

const ESCAPE = '\u001b';
const SGR = new RegExp(`${ESCAPE}\\[[\\d;]*m`, 'g');
/** Without colours. */
const plain = (text: string): string => text.replaceAll(SGR, '');
const ERASE = `\r${ESCAPE}[2K`;

describe('what is shown', () => {
  const terminal = lab !== '' ? lab : hasTool('script') ? '' : 'needs script of util-linux';

  for (const format of ['--json', '--csv']) {
    testIf(terminal === '', terminal, `${format}: the lines go to standard error if that is a terminal`, async () => {
      const { tmp, env } = before();
      const file = path.join(tmp, 'out');
      const { terminal: shown } = onTerminal(`live ${format} --utc -c 2 -d 10 >${shellQuote(file)}`, env);
      await shown.until(() => shown.stdout.includes('listening on '), 'it to listen');
      await resets(2);
      expect(await shown.ended).toMatchObject({ code: 0 });
      expect(plain(shown.stdout).match(/10\.99\.0\.2.{0,20}7 .*10\.99\.0\.1/g)?.length).toBeGreaterThanOrEqual(2);
      const text = readFileSync(file, 'utf8');
      expect(text).not.toContain('\u001b');
      if (format === '--json') expect(JSON.parse(text)).toMatchObject({ packets: { unique: 2 } });
      else expect(text.trimEnd().split('\r\n')).toHaveLength(3);
    });
  }

  testIf(terminal === '', terminal, 'a status line, at most five times a second, gone before the report', async () => {
    const { env } = before();
    const { terminal: shown } = onTerminal('live -c 40 -d 50', env);
    await shown.until(() => shown.stdout.includes('listening on '), 'it to listen');
    const from = shown.stdout.length;
    await resets(40, { everyMs: 50 });
    expect(await shown.ended).toMatchObject({ code: 0 });
    const text = plain(shown.stdout.slice(from));
    // A painting is an erasing that text follows on the same line.
    const painted = text
      .split(ERASE)
      .slice(1)
      .filter((part) => !/^(?:\r?\n|$)/.test(part) && !part.includes('\n'));
    const report = text.lastIndexOf('40 resets in ');
    expect(report).toBeGreaterThan(0);
    const [, seconds] = /^40 resets in ([\d.]+) s/.exec(text.slice(report)) ?? [];
    expect(painted.length).toBeGreaterThanOrEqual(5);
    expect(painted.length).toBeLessThanOrEqual(5 * Number(seconds) + 2);
    const erased = text.lastIndexOf(ERASE);
    expect(erased).toBeLessThan(report);
    // Between the last erasing and the report there are but lines of resets and the empty one.
    for (const line of text
      .slice(erased + ERASE.length, report)
      .split('\r\n')
      .slice(0, -1)) {
      expect(line).toMatch(/^$|10\.99\.0\.2/);
    }
  });

  testIf(
    terminal === '',
    terminal,
    'Ctrl-C typed: the report comes, and what was started has not heard it',
    async () => {
      const { env, was } = before();
      const { terminal: shown, child } = onTerminal('live -d 0', env);
      await shown.until(() => shown.stdout.includes('listening on '), 'it to listen');
      await resets(1);
      await shown.until(() => shown.stdout.includes('10.99.0.2'), 'a line');
      child.stdin?.write('\u0003');
      expect(await shown.ended).toMatchObject({ code: 0 });
      expect(plain(shown.stdout)).toContain('1 reset in ');
      expect(shown.stdout).not.toContain('could not be listened to');
      await expectClean(was);
    },
  );

  testIf(lab === '', lab, 'no escape sequence in a pipe', async () => {
    const { env } = before();
    const run = await startLive(['-c', '5', '-d', '10'], { ns: a(), env: { ...env, TERM: 'xterm-256color' } });
    await resets(5);
    const { code, stdout, stderr } = await run.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('5 resets in ');
    expect(stdout + stderr).not.toContain('\u001b');
    expect(stdout + stderr).not.toContain('\r');
  });

  testIf(lab === '', lab, 'nothing was captured: what that means, and what to try', async () => {
    const { code, stdout } = await runLive(['-i', 'lo', '-d', '0.3'], { ns: a() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/No resets in [\d.]+ s, live on lo\n/);
    expect(stdout).toContain('No reset was seen on lo in that time.');
    for (const tip of ['-i any', '--netns all', '-d 5m']) expect(stdout).toContain(tip);
    const any = await runLive(['-d', '0.3', 'port 80'], { ns: a() });
    expect(any.stdout).toContain('leave out the filter');
    expect(any.stdout).not.toContain('-i any');
  });

  testIf(lab === '', lab, '-q: no talk, not even on a terminal', async () => {
    expect(await runLive(['-q', '-d', '0.3'], { ns: a() })).toMatchObject({ code: 0, stderr: '' });
    if (!hasTool('script')) return;
    const { terminal: shown } = onTerminal('live -q --json -d 0.5 >/dev/null', {});
    expect(await shown.ended).toMatchObject({ code: 0, stdout: '' });
  });
});
