/** However a capture with kernel tracing ends or is refused: nothing of the tracing is left. And whether it traced. */
import { afterEach, beforeAll, describe, expect } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { labProblem, poll, twoHosts, type TwoHosts } from '../support/lab.js';
import { difference, snapshot, type Snapshot } from '../support/leftovers.js';
import { judge, startProgram, Truth, verdict, type Program } from '../support/names.js';
import { REPOSITORY, tmpDir } from '../support/run.js';
import { hasTool, testIf } from '../support/tools.js';
import { knock } from '../support/traffic.js';
import { backendProblem, beginLive, Live, reportOf, revised, runLive, startLive } from './support.js';

const TIMEOUT_MS = 120_000;
const BY = ['--backend', 'tcpdump'] as const;
const HOST = '10.99.0.2';

const hasTracefs = process.platform === 'linux' && readFileSync('/proc/filesystems', 'utf8').includes('tracefs');
const problem = labProblem('tcpdump') || backendProblem('tcpdump') || (hasTracefs ? '' : 'needs tracefs');

let hosts: TwoHosts | null = null;
beforeAll(async () => {
  if (problem === '') hosts = await twoHosts();
});

const begun: Live[] = [];
const programs: Program[] = [];
afterEach(async () => {
  for (const live of begun.splice(0)) {
    if (live.child.exitCode === null && live.child.signalCode === null) live.child.kill('SIGKILL');
    await live.ended;
  }
  await Promise.all(programs.splice(0).map((program) => program.stop()));
});

function a(): TwoHosts['a'] {
  if (hosts === null) throw new Error('there is no lab');
  return hosts.a;
}

const it = (name: string, body: () => Promise<void>, why = problem): void =>
  testIf(why === '', why, name, body, TIMEOUT_MS);

/** What is there before, and what a run is given so that its temporary files are seen. */
function before(): { was: Snapshot; env: { TMPDIR: string } } {
  const tmp = tmpDir();
  return { was: snapshot({ namespaces: [a()], tmp }), env: { TMPDIR: tmp } };
}

/** What is left of runs that are over; instances are the whole machine's, and others may be tracing. */
function left(was: Snapshot): string[] {
  return difference(was, snapshot(was.options)).filter((one) => {
    const owner = /instance rstscope-(\d+)-/.exec(one)?.[1];
    return owner === undefined || !existsSync(`/proc/${owner}`);
  });
}

async function leftAtLast(was: Snapshot): Promise<string[]> {
  const end = performance.now() + 2000;
  // Some looks at least: on a busy machine they take long, and so does whatever else is to be done.
  for (let looks = 1; ; looks++) {
    const now = left(was);
    if (now.length === 0 || (performance.now() >= end && looks >= 10)) return now;
    await sleep(50);
  }
}

const expectClean = async (was: Snapshot): Promise<void> => expect(await leftAtLast(was)).toEqual([]);

const hasInstance = (pid: number): boolean =>
  [...snapshot().traces.keys()].some((key) => key.startsWith(`instance rstscope-${String(pid)}-`));

/** Captures, and traces: with a keeper, and with an instance. */
async function start(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Live> {
  const live = await startLive([...BY, '-i', 'eth0', ...args], { ns: a(), env });
  begun.push(live);
  expect([hasInstance(live.pid), keeperOf(live.pid) > 0]).toEqual([true, true]);
  return live;
}

function keeperOf(parent: number): number {
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (!readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('rstscope-trace-keeper')) continue;
      if (new RegExp(`^PPid:\\s*${String(parent)}$`, 'm').test(readFileSync(`/proc/${name}/status`, 'utf8')))
        return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`${String(parent)} has no keeper`);
}

const resets = (times: number): Promise<unknown> => knock({ ns: a(), host: HOST, port: 7, times }).done;

describe('nothing is left', () => {
  it('when its time is over', async () => {
    const { was, env } = before();
    const ended = await (await start(env, '--json', '-d', '4')).ended;
    expect(ended).toMatchObject({ code: 0 });
    expect(reportOf(ended).source.trace).toBe('on');
    await expectClean(was);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`after ${signal}`, async () => {
      const { was, env } = before();
      const live = await start(env, '--json', '-d', '0');
      await resets(2);
      await live.untilCounted(2);
      const ended = await live.stop(signal);
      expect(ended).toMatchObject({ code: 0 });
      expect(reportOf(ended)).toMatchObject({ packets: { unique: 2 }, source: { trace: 'on' } });
      await expectClean(was);
    });
  }

  it('when its reader has gone', async () => {
    const { was, env } = before();
    const live = await start(env, '--ndjson', '-d', '0');
    live.child.stdout?.destroy();
    await resets(3);
    await poll(() => live.child.exitCode !== null, 15_000, 'it to end');
    await expectClean(was);
  });

  it('when it is killed', async () => {
    const { was, env } = before();
    const live = await start(env, '--json', '-d', '0');
    live.child.kill('SIGKILL');
    await expectClean(was);
  });

  it('when it is killed with its keeper: by the next one, which traces as well', async () => {
    const { was, env } = before();
    let isLeft = false;
    // Or this test would prove nothing: another capture that begins at this moment sweeps it.
    for (let attempt = 0; attempt < 5 && !isLeft; attempt++) {
      const live = await start(env, '--json', '-d', '0');
      process.kill(keeperOf(live.pid), 'SIGKILL');
      live.child.kill('SIGKILL');
      await live.ended;
      await sleep(300);
      isLeft = hasInstance(live.pid);
    }
    expect(isLeft).toBe(true);
    const ended = await runLive([...BY, '-i', 'lo', '--json', '-d', '0.3'], { ns: a(), env });
    expect(reportOf(ended).source.trace).toBe('on');
    await expectClean(was);
  });

  it('when its keeper was killed before, and it ends in order', async () => {
    const { was, env } = before();
    const live = await start(env, '--json', '-d', '0');
    const keeper = keeperOf(live.pid);
    process.kill(keeper, 'SIGKILL');
    await poll(() => !existsSync(`/proc/${keeper}`), 15_000, 'its keeper to be gone');
    expect(await live.stop()).toMatchObject({ code: 0 });
    const last = await leftAtLast(was);
    // For the tests to come.
    await runLive([...BY, '-i', 'lo', '-q', '-d', '0.3'], { ns: a(), env });
    expect(last).toEqual([]);
  });

  const refusals: [name: string, args: readonly string[], words: RegExp][] = [
    ['a bad filter', ['-i', 'lo', '-f', 'foo bar'], /libpcap refuses the filter/],
    ['no such interface', ['-i', 'nonesuch0'], /nonesuch0/],
    ['a file that can’t be written', ['-i', 'lo', '-w', '/nonexistent/folder/out.pcapng'], /nonexistent/],
  ];
  for (const [name, args, words] of refusals) {
    it(`refused: ${name}`, async () => {
      const { was, env } = before();
      const { code, stdout, stderr } = await runLive([...BY, '--json', '-d', '5', ...args], { ns: a(), env });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(words);
      await expectClean(was);
    });
  }
});

/** The package as others may read it. @returns its program. */
function readable(): string {
  const folder = tmpDir();
  chmodSync(folder, 0o755);
  for (const name of ['bin', 'dist', 'schema', 'package.json'])
    cpSync(path.join(REPOSITORY, name), path.join(folder, name), { recursive: true });
  mkdirSync(path.join(folder, 'node_modules'));
  const lock = JSON.parse(readFileSync(path.join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [name, { dev }] of Object.entries(lock.packages)) {
    if (!/^node_modules\/(?!.*node_modules)/.test(name) || dev === true || !existsSync(path.join(REPOSITORY, name)))
      continue;
    cpSync(path.join(REPOSITORY, name), path.join(folder, name), { recursive: true });
  }
  spawnSync('chmod', ['-R', 'a+rX', folder]);
  return path.join(folder, 'bin', 'rstscope.js');
}

describe('source.trace and the reasons', () => {
  for (const [option, reason] of [
    ['--no-trace', null],
    ['--no-process', 'not-tried'],
  ] as const) {
    it(`${option}: off, and no instance is made`, async () => {
      const { was } = before();
      const live = await startLive([...BY, '-i', 'eth0', '--ndjson', '-d', '0', option], { ns: a() });
      begun.push(live);
      expect(hasInstance(live.pid)).toBe(false);
      expect(() => keeperOf(live.pid)).toThrow('has no keeper');
      await resets(1);
      await live.untilResets(1);
      const report = reportOf(await live.stop());
      expect(report.source.trace).toBe('off');
      const [event] = revised(live);
      expect(event?.evidence.join()).not.toMatch(/kernel/);
      expect([event?.kernel_reason, event?.kernel_path]).toEqual([null, null]);
      if (reason !== null) {
        expect(event).toMatchObject({ sender: null, receiver: null, sender_reason: reason, receiver_reason: reason });
        expect([report.processes, report.failed_connects]).toEqual([[], []]);
      }
      await expectClean(was);
    });
  }

  const spaces = problem !== '' ? problem : hasTool('unshare') ? '' : 'needs unshare';
  it(
    'in another PID namespace: a sentence, and nobody is named',
    async () => {
      const { was } = before();
      // unshare hears no Ctrl-C.
      const within = ['unshare', '-pf', '--mount-proc', '--kill-child'];
      const words = [...BY, '-i', 'eth0', '--ndjson', '-c', '1', '-d', '15'];
      const live = await startLive(words, { ns: a(), before: within });
      begun.push(live);
      await resets(1);
      expect(reportOf(await live.ended).source.trace).toMatch(/^other PID namespace: .{20,200}$/);
      expect(revised(live)).toMatchObject([{ receiver: null, receiver_reason: 'pid-namespace' }]);
      await expectClean(was);
    },
    spaces,
  );

  const nobody = problem !== '' ? problem : hasTool('setpriv') ? '' : 'needs setpriv';
  it(
    'not as root: a sentence, and others’ programs can’t be seen',
    async () => {
      const { was } = before();
      // May capture, and nothing else.
      const rights = '+net_raw,+net_admin';
      const as = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', `--inh-caps=${rights}`];
      const command = [...as, `--ambient-caps=${rights}`, process.execPath, readable(), 'live', ...BY];
      const words = ['-i', 'eth0', '--json', '--events', '-c', '1', '-d', '15'];
      const child = a().start([...command, ...words], { cwd: '/', env: { TMPDIR: '/tmp' } });
      const live = new Live(child);
      begun.push(live);
      await live.says('listening on ');
      await resets(1);
      const report = reportOf(await live.ended);
      expect(report.source.trace).toBe('not root');
      expect(report.events).toHaveLength(1);
      expect(report.events[0]).toMatchObject({ receiver: null, sender: null, kernel_reason: null });
      await expectClean(was);
    },
    nobody,
  );
});

describe('tracing is on before the capture begins', () => {
  const why = problem !== '' ? problem : labProblem('python3');

  /** Refused clients, from when it says that it listens or from before; every one that is captured is named rightly. */
  const knocked = async (port: number, times: number, pace: number, when: 'listens' | 'before'): Promise<number> => {
    const program = startProgram(
      { scenario: 'refused', host: '127.5.0.1', port, times, spread: 'address', pace },
      { ns: a() },
    );
    programs.push(program);
    await program.ready();
    const live = beginLive([...BY, '-i', 'lo', '--ndjson', '-d', '0'], { ns: a() });
    begun.push(live);
    if (when === 'before') program.go();
    else live.child.stderr?.once('data', () => program.go());
    await program.done();
    if (when === 'listens') await live.untilResets(times);
    await sleep(1000);
    await live.stop();
    const events = revised(live);
    const judged = judge(events, new Truth(program.ends), () => ['sender']);
    expect(judged).toEqual(verdict(events.length, { sender: { none: events.length } }));
    return events.length;
  };

  const first = async (): Promise<void> => expect(await knocked(8501, 20, 1, 'listens')).toBe(20);
  it('resets of the first instant after it says that it listens are named', first, why);

  it(
    'clients that knock all the time: whoever is captured is named, the first one too',
    async () => {
      const captured = await knocked(8502, 240, 30, 'before');
      expect(captured).toBeGreaterThan(20);
      expect(captured).toBeLessThan(240);
    },
    why,
  );
});
