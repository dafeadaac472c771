/** `rstscope health`: real counters, with /proc and nstat as the judges; when it tells what, and how it ends. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { KNOWN_COUNTERS } from '../../src/health/known-counters.js';
import type { AlertRow, CounterRow, HealthDocument } from '../../src/report/types.js';
import { strictly } from '../render/strict-schema.js';
import { Lab, labProblem, poll, type Namespace } from '../support/lab.js';
import {
  bareEnvironment,
  CLI,
  cliCommand,
  REPOSITORY,
  runCli,
  runShell,
  tmpDir,
  type RunResult,
} from '../support/run.js';
import { runInProcess } from '../support/in-process.js';
import { hearsSignals, isInterruptPending } from '../support/processes.js';
import { hasTool, itWith, testIf } from '../support/tools.js';
import { knock } from '../support/traffic.js';
import { expectRefusal, total } from './checks.js';

const LINUX = process.platform === 'linux';
const LIMIT_MS = 30_000;
/** Far enough apart for a machine that is busy with other things. */
const UNTIL_MS = 15_000;
const KNOCKS = 100;

/** Runs `rstscope health` and does not wait; when what came first and when it was over, ms of one clock. */
class Health {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  firstMs = NaN;
  lines: number[] = [];
  endMs = NaN;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(args: readonly string[], { ns, stdout = 'pipe' }: { ns?: Namespace; stdout?: 'pipe' | number } = {}) {
    const words = [process.execPath, CLI, 'health', ...args];
    const [program = '', ...rest] = ns?.command(words) ?? words;
    this.child = spawn(program, rest, { env: bareEnvironment(), stdio: ['ignore', stdout, 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const now = performance.now();
      if (this.stdout === '') this.firstMs = now;
      for (const _ of chunk.matchAll(/\n/g)) this.lines.push(now);
      this.stdout += chunk;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk));
    const timer = setTimeout(() => this.child.kill('SIGKILL'), LIMIT_MS);
    this.ended = once(this.child, 'close').then(([code, signal]: unknown[]) => {
      clearTimeout(timer);
      this.endMs = performance.now();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
    running.add(this);
    void this.ended.finally(() => running.delete(this));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The counters have been read for the first time. */
  async reads(): Promise<void> {
    await poll(() => this.stderr.includes("reading the kernel's counters"), UNTIL_MS, `its first reading`);
  }

  /** Ends it as Ctrl-C does: the one document of --json. */
  async document(): Promise<HealthDocument> {
    this.child.kill('SIGINT');
    expect(await this.ended).toEqual({ code: 0, signal: null });
    return lawful(JSON.parse(this.stdout));
  }
}

const running = new Set<Health>();
afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL');
});

/** Valid, and what always holds of its figures. */
function lawful(value: unknown): HealthDocument {
  expect(strictly('health')(value)).toEqual([]);
  const document = value as HealthDocument;
  const { window, counters, namespaces, alerts } = document;
  const seconds = window.seconds ?? 0;
  expect((window.end_epoch ?? 0) - (window.start_epoch ?? 0)).toBeCloseTo(seconds, 1);
  for (const rows of [counters, ...namespaces.map((one) => one.counters)]) {
    expect(rows.map(({ name }) => name)).toEqual(KNOWN_COUNTERS.map(({ name }) => name));
    for (const { total: sum, delta, rate } of rows) {
      if (delta === null) expect(rate).toBeNull();
      else expect(Math.abs((rate ?? NaN) * seconds - delta)).toBeLessThan(0.005 + delta * 1e-5);
      if (sum !== null && delta !== null) expect(sum).toBeGreaterThanOrEqual(delta);
    }
  }
  const { id } = alerts[0] ?? {};
  expect(id).toBe('netdata_resets_sent');
  return document;
}

function rowOf(rows: readonly CounterRow[], name: string): CounterRow {
  const row = rows.find((one) => one.name === name);
  if (row === undefined) throw new Error(`there is no counter ${name}`);
  return row;
}

const delta = (rows: readonly CounterRow[], name: string): number | null => rowOf(rows, name).delta;

function alertOf({ alerts }: HealthDocument, id: string): AlertRow | undefined {
  return alerts.find((one) => one.id === id);
}

/** /proc/net/snmp and /proc/net/netstat: a line of names, then one of values. */
function countersOf(tables: string): Map<string, number> {
  const lines = tables.split('\n').filter((line) => /^(?:Tcp|TcpExt):/.test(line));
  const found = new Map<string, number>();
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [names, values] = [lines[i] ?? '', lines[i + 1] ?? ''].map((line) => line.split(' ').slice(1));
    names?.forEach((name, j) => found.set(name, Number(values?.[j])));
  }
  return found;
}

const ownCounters = (): Map<string, number> =>
  countersOf(['snmp', 'netstat'].map((name) => readFileSync(`/proc/net/${name}`, 'utf8')).join('\n'));

describe('one document', () => {
  testIf(LINUX, 'needs Linux', 'of a second: every counter between what /proc said before and after', async () => {
    const before = ownCounters();
    const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    const { code, stdout, stderr } = await runCli(['health', '-d', '1', '--json']);
    const after = ownCounters();
    expect([code, stderr]).toEqual([0, "rstscope: reading the kernel's counters for 1 s (Ctrl-C ends it)\n"]);
    const document = lawful(JSON.parse(stdout));
    expect(document.window.seconds).toBeGreaterThanOrEqual(0.97);
    expect(document.window.seconds).toBeLessThan(1.9);
    expect(document.boot_seconds).toBeGreaterThanOrEqual(uptime);
    expect(document.boot_seconds).toBeLessThan(uptime + 30);
    expect(document.namespaces).toEqual([]);
    for (const { name, total: sum } of document.counters) {
      expect([name, sum === null]).toEqual([name, !before.has(name)]);
      if (sum === null) continue;
      expect([name, sum >= (before.get(name) ?? 0), sum <= (after.get(name) ?? 0)]).toEqual([name, true, true]);
    }
    expect(document.alerts).toMatchObject([
      { id: 'netdata_resets_sent', state: 'undefined', threshold: null },
      { id: 'netdata_resets_received', state: 'undefined', threshold: null },
      { id: 'logicmonitor_failed_connections', state: 'undefined', threshold: null },
    ]);
    expect(alertOf(document, 'netdata_resets_sent')?.reason).toMatch(/^needs 70 s, has 1\b/);
    expect(alertOf(document, 'logicmonitor_failed_connections')?.reason).toContain('--warn-failed');
  });
  testIf(LINUX, 'needs Linux', '-q: not a word on standard error', async () => {
    expect(await runCli(['health', '-q', '-d', '0.2', '--json'])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('tables', () => {
  testIf(LINUX, 'needs Linux', 'totals come at once, rates when the time is over', async () => {
    const run = new Health(['-d', '3']);
    await poll(() => run.stdout !== '', UNTIL_MS, 'totals');
    expect(run.stdout).toMatch(/^Totals so far \(the host is up for \d.*\)\n/);
    expect(run.stdout).not.toMatch(/^(?:In |Alerts)/m);
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.endMs - run.firstMs).toBeGreaterThan(2500);
    expect(run.stdout).toMatch(/\n\nIn (?:2\.9|3\.\d) s\n[^]*\n\nAlerts\n {2}netdata_resets_sent: undefined/);
    expect(run.stderr).toBe("rstscope: reading the kernel's counters for 3 s (Ctrl-C ends it)\n");
  });
  testIf(LINUX, 'needs Linux', 'have a line for each interval where there is more than one', async () => {
    const { code, stdout } = await runCli(['health', '-d', '0.9', '--interval', '0.3', '--utc']);
    expect(code).toBe(0);
    const intervals = stdout.split('\n').filter((line) => /^\d\d:\d\d:\d\d\.\d{3} {2}\S/.test(line));
    expect(intervals.length).toBeGreaterThanOrEqual(2);
    expect(intervals.length).toBeLessThanOrEqual(3);
    const { stdout: one } = await runCli(['health', '-d', '0.3', '--utc']);
    expect(one).not.toMatch(/^\d\d:\d\d/m);
  });
  testIf(LINUX, 'needs Linux', '--all shows every counter, in 80 columns', async () => {
    const { stdout } = await runCli(['health', '-d', '0.2', '--all'], { env: { COLUMNS: '80' } });
    const [since = '', after = ''] = stdout.split(/^(?=In )/m);
    for (const { name } of KNOWN_COUNTERS) for (const part of [since, after]) expect(part).toContain(`\n  ${name} `);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe('lines', () => {
  /** A machine that stood still for an interval leaves it out: then it is run anew. */
  async function intervals(): Promise<{ run: Health; documents: HealthDocument[] }> {
    for (let tries = 1; ; tries++) {
      const run = new Health(['--ndjson', '--interval', '0.5', '-d', '2']);
      expect(await run.ended).toEqual({ code: 0, signal: null });
      const texts = run.stdout.split('\n');
      expect(texts.pop()).toBe('');
      const documents = texts.map((text) => lawful(JSON.parse(text)));
      const longest = Math.max(...documents.map(({ window }) => window.seconds ?? 0));
      if (longest < 0.7 || tries === 3) return { run, documents };
    }
  }

  testIf(LINUX, 'needs Linux', 'are of an interval each, without a gap, as they go', async () => {
    const { run, documents } = await intervals();
    expect(documents).toHaveLength(4);
    const windows = documents.map(({ window }) => window);
    for (const { seconds } of windows) expect(Math.abs((seconds ?? 0) - 0.5)).toBeLessThan(0.2);
    expect(total(windows.map(({ seconds }) => seconds ?? 0))).toBeCloseTo(2, 0);
    expect(windows.slice(1).map(({ start }) => start)).toEqual(windows.slice(0, -1).map(({ end }) => end));
    const [first, last] = [documents[0], documents.at(-1)];
    for (const { name, total: sum } of last?.counters ?? []) {
      if (sum === null) continue;
      const rose = total(documents.slice(1).map(({ counters }) => delta(counters, name) ?? NaN));
      expect([name, sum - rose]).toEqual([name, rowOf(first?.counters ?? [], name).total]);
    }
    expect(run.lines).toHaveLength(4);
    expect((run.lines[3] ?? NaN) - (run.lines[0] ?? NaN)).toBeGreaterThan(1200);
  });
  testIf(LINUX, 'needs Linux', 'Ctrl-C: what was read since the last one is a line too', async () => {
    const run = new Health(['--ndjson', '--interval', '20', '-d', '0']);
    await run.reads();
    const document = await run.document();
    expect(document.window.seconds).toBeLessThan(20);
    expect(run.lines).toHaveLength(1);
  });
});

describe('its end', () => {
  testIf(LINUX, 'needs Linux', 'is Ctrl-C: the report, exit 0', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const run = new Health(['-d', '0']);
      await run.reads();
      expect(run.stderr).toBe("rstscope: reading the kernel's counters until Ctrl-C\n");
      run.child.kill(signal);
      expect(await run.ended).toEqual({ code: 0, signal: null });
      expect(run.stdout).toMatch(/^Totals [^]*\n\nIn \d[^]*\n\nAlerts\n/);
    }
  });
  testIf(LINUX && hasTool('mkfifo'), 'needs Linux and mkfifo', 'is a second one at once: exit 130', async () => {
    const fifo = path.join(tmpDir(), 'full');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    // Nobody takes the report: it waits with it in hand.
    const stdout = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      fill(stdout);
      const run = new Health(['-d', '0', '--json'], { stdout });
      await run.reads();
      await poll(() => hearsSignals(run.pid), UNTIL_MS, 'it to hear signals');
      run.child.kill('SIGINT');
      await poll(() => !isInterruptPending(run.pid), UNTIL_MS, 'it to hear the first one');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(run.child.exitCode).toBeNull();
      run.child.kill('SIGINT');
      expect(await run.ended).toEqual({ code: 130, signal: null });
    } finally {
      closeSync(stdout);
    }
  });
  testIf(LINUX, 'needs Linux', 'is a reader that has gone: no error, long before the time is over', async () => {
    const begun = performance.now();
    const lines = await runShell(`${cliCommand('health', '--ndjson', '--interval', '0.2', '-d', '25')} | head -1`);
    expect(lines).toMatchObject({ codes: [0, 0], stderr: expect.not.stringMatching(/EPIPE|error|fault/i) });
    expect(lines.stdout.split('\n')).toHaveLength(2);
    lawful(JSON.parse(lines.stdout));
    const tables = await runShell(`${cliCommand('health', '-d', '25', '--interval', '0.2', '-q')} | head -1`);
    expect(tables).toMatchObject({ codes: [0, 0], stderr: '' });
    expect(tables.stdout).toMatch(/^Totals so far \(the host is up for .*\)\n$/);
    const none = await runShell(`${cliCommand('health', '-d', '0.2', '-q')} | true`);
    expect(none).toMatchObject({ codes: [0, 0], stderr: '' });
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
  testIf(LINUX && existsSync('/dev/full'), 'needs Linux and /dev/full', 'is a full disk: exit 2', async () => {
    for (const format of [[], ['--json'], ['--ndjson']]) {
      const result = await runShell(`${cliCommand('health', '-q', '-d', '0.2', ...format)} >/dev/full`);
      expect(result.code).toBe(2);
      expect(result.stderr).toMatch(/^rstscope: cannot write to standard output: .*no space left on .*device.*\n$/);
    }
    const closed = await runShell(`${cliCommand('health', '-q', '-d', '0.2')} >&-`);
    expect(closed).toMatchObject({ code: 0, stderr: '' });
  });
});

/** As much as the pipe holds. */
function fill(fd: number): void {
  const page = Buffer.alloc(4096, 32);
  for (let pages = 0; pages < 1024; pages++) {
    try {
      writeSync(fd, page);
    } catch {
      return;
    }
  }
  throw new Error('the pipe is never full');
}

describe('in a namespace of its own', () => {
  const problem = labProblem();
  let lab: Lab;
  let busy: Namespace;
  let idle: Namespace;
  /** Within, from outside, and beside: each while a hundred connects were refused within. */
  let within: HealthDocument;
  let beside: HealthDocument;
  let outside: HealthDocument;
  let tables: string;
  let nstat: string;

  beforeAll(async () => {
    if (problem !== '') return;
    lab = await Lab.create();
    [busy, idle] = [await lab.namespace('busy'), await lab.namespace('idle')];
    const limits = ['--warn-sent', '5', '--warn-failed', '5'];
    const runs = [
      new Health(['-d', '0', '--json', ...limits], { ns: busy }),
      new Health(['-d', '0', '--json', ...limits], { ns: idle }),
      new Health(['-d', '0', '--json', '--netns', `${busy.name},${idle.name}`]),
    ];
    await Promise.all(runs.map((run) => run.reads()));
    const truth = await knock({ ns: busy, host: '127.0.0.1', port: 9, times: KNOCKS }).done;
    expect(truth.map(({ outcome }) => outcome)).toEqual(Array(KNOCKS).fill('refused'));
    // A limit takes a second to tell.
    await sleep(1_100);
    const documents = await Promise.all(runs.map((run) => run.document()));
    [within, beside, outside] = documents as [HealthDocument, HealthDocument, HealthDocument];
    tables = (await busy.exec(['cat', '/proc/net/snmp', '/proc/net/netstat'])).stdout;
    nstat = hasTool('nstat') ? (await busy.exec(['nstat', '-asz'])).stdout : '';
  });
  afterAll(async () => {
    if (problem === '') await lab.destroy();
  });

  testIf(problem === '', problem, 'a hundred refused connects are a hundred resets and a hundred failed ones', () => {
    for (const name of ['OutRsts', 'AttemptFails', 'ActiveOpens'])
      expect([name, delta(within.counters, name)]).toEqual([name, KNOCKS]);
    for (const name of ['EstabResets', 'TCPAbortOnData', 'PassiveOpens', 'ListenDrops'])
      expect([name, delta(within.counters, name)]).toEqual([name, 0]);
    const rate = rowOf(within.counters, 'OutRsts').rate ?? NaN;
    expect(rate * (within.window.seconds ?? NaN)).toBeCloseTo(KNOCKS, 2);
    for (const { name, delta: by } of beside.counters) expect([name, by === 0 || by === null]).toEqual([name, true]);
  });
  testIf(problem === '', problem, 'its totals are those of /proc/net', () => {
    const truth = countersOf(tables);
    for (const { name, total: sum } of within.counters) expect([name, sum]).toEqual([name, truth.get(name) ?? null]);
    expect(truth.get('OutRsts')).toBe(KNOCKS);
  });
  testIf(problem === '' && hasTool('nstat'), problem || 'needs nstat', 'and those of nstat', () => {
    const truth = new Map(
      [...nstat.matchAll(/^(?:TcpExt|Tcp)(\S+) +(\d+)/gm)].map(
        ([, name = '', value]) => [name, Number(value)] as const,
      ),
    );
    expect(truth.get('OutRsts')).toBe(KNOCKS);
    for (const { name, total: sum } of within.counters) expect([name, sum]).toEqual([name, truth.get(name) ?? null]);
  });
  testIf(problem === '', problem, 'is read from outside by its name', () => {
    expect(outside.namespaces).toMatchObject([
      { netns: busy.inode, name: busy.name },
      { netns: idle.inode, name: idle.name },
    ]);
    const [there, elsewhere] = outside.namespaces.map(({ counters }) => counters);
    expect(['OutRsts', 'AttemptFails'].map((name) => delta(there ?? [], name))).toEqual([KNOCKS, KNOCKS]);
    expect(['OutRsts', 'AttemptFails'].map((name) => delta(elsewhere ?? [], name))).toEqual([0, 0]);
    expect((there ?? []).map(({ total: sum }) => sum)).toEqual(within.counters.map(({ total: sum }) => sum));
  });
  testIf(problem === '', problem, 'is told once, however often it is named, and the own one is no other', async () => {
    const names = ['--netns', `${busy.name},${busy.name}`, '--netns', String(process.pid), '--netns', idle.name];
    const { stdout, code } = await runCli(['health', '-q', '--json', '-d', '0.2', ...names]);
    expect(code).toBe(0);
    expect(lawful(JSON.parse(stdout)).namespaces.map(({ name }) => name)).toEqual([busy.name, idle.name]);
  });
  testIf(problem === '', problem, 'limits of the user’s warn there, and nowhere else', () => {
    const mine = ['resets_sent', 'logicmonitor_failed_connections'];
    for (const id of mine) {
      const warns = alertOf(within, id);
      expect([id, warns?.state, warns?.threshold]).toEqual([id, 'warning', 5]);
      expect(warns?.value).toBeGreaterThan(5);
      expect(warns?.value).toBeLessThanOrEqual(KNOCKS * 10);
      expect(Date.parse(warns?.since ?? '')).toBeGreaterThanOrEqual((within.window.start_epoch ?? NaN) * 1000);
      expect(alertOf(beside, id)).toMatchObject({ state: 'clear', threshold: 5, value: 0 });
    }
    expect(alertOf(outside, 'resets_sent')).toBeUndefined();
    expect(alertOf(outside, mine[1] ?? '')).toMatchObject({ state: 'undefined', threshold: null });
  });
  testIf(problem === '', problem, 'whose name is not there is refused', async () => {
    const name = `${busy.name}s`;
    const result = await runCli(['health', '--netns', name, '--json']);
    expectRefusal(result, `no network namespace is called "${name}"`);
    expect(result.stderr).toMatch(/\n {2}try: \S/);
  });

  const setpriv = problem === '' && hasTool('setpriv') ? problem : problem || 'needs setpriv';
  testIf(setpriv === '', setpriv, 'without root its counters are not known, and the own ones are', () => {
    const folder = tmpDir();
    chmodSync(folder, 0o755);
    mkdirSync(path.join(folder, 'node_modules'));
    for (const name of ['bin', 'dist', 'schema', 'package.json', 'node_modules/commander', 'node_modules/chalk'])
      cpSync(path.join(REPOSITORY, name), path.join(folder, name), { recursive: true });
    const program = path.join(folder, path.relative(REPOSITORY, CLI));
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
    const run = (...args: string[]): Pick<RunResult, 'code' | 'stdout' | 'stderr'> => {
      const command = [...nobody, process.execPath, program, 'health', '-d', '0.3', '--json', ...args];
      const options = { encoding: 'utf8', env: bareEnvironment(), cwd: '/', timeout: 15_000 } as const;
      const { status, stdout, stderr } = spawnSync('setpriv', command, options);
      return { code: status, stdout, stderr };
    };
    const own = run();
    expect(own).toMatchObject({
      code: 0,
      stderr: "rstscope: reading the kernel's counters for 0.3 s (Ctrl-C ends it)\n",
    });
    const { counters, namespaces } = lawful(JSON.parse(own.stdout));
    expect(rowOf(counters, 'OutRsts')).toMatchObject({ total: expect.any(Number), delta: expect.any(Number) });
    expect(namespaces).toEqual([]);

    const both = run('--netns', busy.name);
    expect(both.code).toBe(0);
    expect(both.stderr).toMatch(
      new RegExp(
        `^rstscope: the counters of 1 network namespace can't be read: .*${busy.name}.*; as root: sudo /.*node .*rstscope\\.js health .*--netns ${busy.name}$`,
        'm',
      ),
    );
    const document = lawful(JSON.parse(both.stdout));
    expect(document.namespaces).toMatchObject([{ netns: busy.inode, name: busy.name }]);
    for (const { name, total: sum, delta: by } of document.namespaces[0]?.counters ?? [])
      expect([name, sum, by]).toEqual([name, null, null]);
    expect(rowOf(document.counters, 'OutRsts').total).not.toBeNull();
  });
});

describe('what is typed', () => {
  test.each([
    [['--json', '--ndjson'], 'standard output can carry one of --json and --ndjson, not both'],
    [['--interval', '0'], '--interval is 0 s, it takes at least 0.1 s'],
    [['--interval', '0.05'], '--interval is 0.05 s, it takes at least 0.1 s'],
    [['--interval', 'often'], '--interval does not understand "often": '],
    [['-d', 'abc'], '-d does not understand "abc": seconds, or 90s, 5m, 1h'],
    [['-d', '-1'], '-d does not understand "-1": '],
    [['--warn-sent', 'x'], '--warn-sent does not understand "x": so many per second'],
    [['--warn-failed', '-1'], '--warn-failed does not understand "-1": so many per second'],
    [['--warn-failed', '1e3'], '--warn-failed does not understand "1e3": so many per second'],
    [['--netns', 'nonsense'], 'no network namespace is called "nonsense"'],
    [['--netns', '4194305'], 'no process has the PID 4194305'],
    [['--nope'], "unknown option '--nope'"],
    [['--csv'], "unknown option '--csv'"],
    [['--warn-sent'], '--warn-sent'],
    [['7211'], 'too many arguments'],
  ])('%j is refused, with the next command to type', async (args, words) => {
    const result = await runInProcess(['health', ...args]);
    expectRefusal({ ...result, signal: null }, words);
    expect(result.stderr).toMatch(/\n {2}try: \S.*\n$/);
  });
  test('is found before anything is told', async () => {
    const begun = performance.now();
    expectRefusal(await runCli(['health', '-d', '0', '--warn-sent', 'x']), '--warn-sent');
    expectRefusal(
      await runCli(['health', '-d', '0', '--netns', 'nonsense']),
      'no network namespace is called "nonsense"',
    );
    expect(performance.now() - begun).toBeLessThan(8000);
  });
  test.each([[['health', '-h']], [['health', '--help']], [['help', 'health']], [['health', '--help', '--json']]])(
    '%j lists every option',
    async (args) => {
      const result = await runCli(args);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      const names = ['-d, --duration', '--interval', '--netns', '--all', '--warn-sent', '--warn-failed', '--json'];
      for (const name of [
        ...names,
        '--ndjson',
        '--utc',
        '--color',
        '--no-color',
        '-q, --quiet',
        '--debug',
        '-h, --help',
      ])
        expect(result.stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    },
  );
  test('help is as wide as COLUMNS says', async () => {
    const { stdout } = await runCli(['health', '--help'], { env: { COLUMNS: '60' } });
    const options = stdout.split('\n').filter((line) => /^ {2,}/.test(line) && !line.includes('rstscope'));
    expect(Math.max(...options.map((line) => line.length))).toBeLessThanOrEqual(60);
  });
  itWith('jq', 'the example of the help goes through jq', async () => {
    const filter = '.counters[] | select(.name == "OutRsts")';
    const result = await runShell(`${cliCommand('health', '-d', '0.2', '-q', '--json')} | jq -c '${filter}'`);
    expect(result).toMatchObject({ codes: [0, 0], stderr: '' });
    expect(JSON.parse(result.stdout)).toMatchObject({ name: 'OutRsts', total: expect.any(Number) });
  });
});
