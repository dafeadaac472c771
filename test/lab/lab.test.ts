/**
 * The lab itself: every scenario makes its resets, the kernel says of each what the committed table says, and no ending
 * leaves anything behind. The goldens that were cut out of it still fit the table.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { labProblem, poll } from '../support/lab.js';
import { REPOSITORY, tmpDir } from '../support/run.js';
import { itWith, testIf } from '../support/tools.js';
import { CAUSES } from '../../src/conversation/verdict.js';
import { LAB, loadGoldens, loadRuns, loadTable, type LabRun, type Truth } from './truth.js';

const TIMEOUT_MS = 240_000;
const ATTEMPTS = 3;
const ORPHANS = '/proc/sys/net/ipv4/tcp_max_orphans';
/** Its timer rings within a millisecond, or not. */
const OPTIONAL = ['memory orphan'];
const GOLDENS = path.join(REPOSITORY, 'test/pcaps');

const problem = labProblem('python3') || labSays();
const it = (name: string, body: () => void | Promise<void>): void =>
  testIf(problem === '', problem, name, body, TIMEOUT_MS);

function labSays(): string {
  const { stdout, stderr, status } = spawnSync('python3', [LAB, '--check'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : `test/lab/lab.py ended with ${String(status)}: ${stderr.trim()}`;
}

const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

function begin(...args: string[]): { child: ChildProcess; said: () => string } {
  const child = spawn('python3', [LAB, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  children.add(child);
  child.once('close', () => children.delete(child));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  return { child, said: () => said };
}

function namespacesOf(pid: number): string[] {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  return names.filter((name) => name.startsWith(`rsct${pid}x`));
}

/** The pids of what runs in these network namespaces. */
function inside(inodes: readonly number[]): string[] {
  const links = inodes.map((inode) => `net:[${inode}]`);
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && links.includes(readlinkSync(`/proc/${name}/ns/net`));
    } catch {
      return false;
    }
  });
}

/** What a lab of that pid has in the system. */
function left(pid: number): string[] {
  const script = 'mount -t tracefs tracefs /sys/kernel/tracing && ls /sys/kernel/tracing/instances';
  const instances = spawnSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8' }).stdout.split('\n');
  const files = [...readdirSync('/tmp'), ...readdirSync('/run')];
  return [
    ...namespacesOf(pid),
    ...instances.filter((name) => name.startsWith(`rstscope-${pid}-`)),
    ...files.filter((name) => name.startsWith(`rsct${pid}-`) || name === `rsct-max-orphans.${pid}`),
    ...commands(pid),
  ];
}

/** Command lines that hold the names of that lab: its keepers, and programs with its private files. */
function commands(pid: number): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== pid);
  const lines = pids.map((one) => {
    try {
      return readFileSync(`/proc/${one}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    } catch {
      return '';
    }
  });
  return lines.filter((line) => new RegExp(`\\brsct${pid}[-x]|\\brstscope-${pid}-`).test(line));
}

describe('one repetition of everything', () => {
  const limit = existsSync(ORPHANS) ? readFileSync(ORPHANS, 'utf8') : '';
  let code: number | null = null;
  let said = '';
  let pid = 0;
  let runs: LabRun[] = [];

  beforeAll(async () => {
    if (problem !== '') return;
    // A busy machine misses a deadline of the lab's now and then.
    for (let attempt = 1; attempt <= ATTEMPTS && code !== 0; attempt++) {
      const out = tmpDir();
      const lab = begin('--out', out);
      pid = lab.child.pid ?? 0;
      [code] = (await once(lab.child, 'close')) as [number | null];
      said = lab.said();
      runs = loadRuns(out);
    }
  }, TIMEOUT_MS);

  const truths = (): Truth[] => runs.flatMap((run) => run.truths);

  it('is as the table has it, by the lab’s own judgement', () => {
    expect({ code, said }).toEqual({ code: 0, said: expect.stringMatching(/^1: \d+ scenarios, 0 errors[^\n]*\n$/m) });
  });

  it('has every role of every scenario, and none that the table does not know', () => {
    const roles = (list: { scenario: string; role: string }[]): string[] =>
      [...new Set(list.map(({ scenario, role }) => `${scenario} ${role}`))]
        .filter((name) => !OPTIONAL.includes(name))
        .sort();
    expect(roles(truths())).toEqual(roles(loadTable()));
  });

  it('has a truth for each reset that tcpdump finds, in order', () => {
    for (const run of runs) {
      const { stdout } = spawnSync('tcpdump', ['-nn', '-tt', '-S', '-r', run.resets], { encoding: 'utf8' });
      const found = stdout.split('\n').flatMap((line) => {
        const [, src, dst, flags] = /IP6? (\S+) > (\S+): Flags \[([^\]]+)\]/.exec(line) ?? [];
        return src === undefined ? [] : [`${src} > ${dst ?? ''} ${flags ?? ''}`];
      });
      expect(found.length).toBeGreaterThan(0);
      expect(run.truths.map((t) => `${t.src}.${t.sport} > ${t.dst}.${t.dport} ${t.flags}`)).toEqual(found);
    }
  });

  it('has the kernel’s word as the table has it', () => {
    expect(truths().flatMap(mismatches)).toEqual([]);
  });

  it('mixes IPv4 and IPv6', () => {
    expect(new Set(truths().map(({ src }) => src.includes(':')))).toEqual(new Set([true, false]));
  });

  it('leaves nothing behind', () => {
    expect(left(pid)).toEqual([]);
    expect(readFileSync(ORPHANS, 'utf8')).toBe(limit);
  });
});

describe('a lab that is ended', () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`leaves nothing behind after ${signal}`, async () => {
      const { child } = begin('--out', tmpDir(), '--only', 'redis-timeout,nginx-timeout,keepalive,memory,killed-clean');
      const pid = child.pid ?? 0;
      // Redis renames itself, so it is known by where it is.
      await poll(() => commands(pid).some((line) => line.startsWith('nginx')), 45_000, 'nginx to run');
      const inodes = namespacesOf(pid).map((name) => statSync(`/run/netns/${name}`).ino);
      expect(inodes).toHaveLength(3);
      expect(inside(inodes).length).toBeGreaterThan(2);
      child.kill(signal);
      await once(child, 'close');
      await poll(() => inside(inodes).length === 0, 15_000, 'what runs in its namespaces to end');
      await poll(() => left(pid).length === 0, 15_000, `all of it to go: ${left(pid).join(', ')}`);
    });
  }
});

/** Sentences on what is not as the table has it. */
function mismatches(truth: Truth): string[] {
  const name = `${truth.scenario} ${truth.role}, frame ${truth.frame}`;
  const row = loadTable().find((one) => one.scenario === truth.scenario && one.role === truth.role);
  if (row === undefined) return [`${name}: not in the table`];
  const found: string[] = [];
  const reason = truth.kernel?.reason ?? null;
  if (!row.reasons.includes(reason)) found.push(`${name}: reason ${String(reason)}`);
  const stack = truth.kernel?.stack ?? [];
  const needed = stack.length === 0 && reason !== 'TCP_STATE' ? [] : row.stack;
  for (const frame of needed) if (!stack.includes(frame)) found.push(`${name}: no ${frame} in its stack`);
  if (row.received !== null && row.received !== truth.received) found.push(`${name}: received ${truth.received}`);
  if (row.cause !== truth.cause || row.packets.join() !== truth.packets.join()) found.push(`${name}: another cause`);
  return found;
}

describe('the goldens of the lab', () => {
  const goldens = loadGoldens(GOLDENS);

  test('are there for each scenario of the table', () => {
    expect(goldens.map(({ scenario }) => scenario)).toEqual([
      ...new Set(
        loadTable()
          .map(({ scenario }) => scenario)
          .sort(),
      ),
    ]);
  });

  test('have truths as the table has them', () => {
    expect(goldens.flatMap(({ truths }) => truths.flatMap(mismatches))).toEqual([]);
  });

  itWith('tshark', 'have a truth for each reset that tshark finds', () => {
    // One run over all of them, end to end: each start of tshark takes long.
    const files = goldens.map(({ pcap }) => readFileSync(pcap));
    const whole = path.join(tmpDir(), 'all.pcap');
    writeFileSync(whole, Buffer.concat([...files.slice(0, 1), ...files.slice(1).map((file) => file.subarray(24))]));
    const args = ['-r', whole, '-Y', 'tcp.flags.reset == 1', '-T', 'fields', '-e', 'frame.number'];
    const found = spawnSync('tshark', args, { encoding: 'utf8' }).stdout.split('\n').filter(Boolean).map(Number);
    let before = 0;
    const expected = goldens.flatMap(({ truths }, i) => {
      const frames = truths.map(({ frame }) => before + frame);
      before += countOf(files[i] ?? Buffer.alloc(0));
      return frames;
    });
    expect(expected).toEqual(found);
  });
});

/** The number of records of a classic little-endian capture. */
function countOf(file: Buffer): number {
  let count = 0;
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) count += 1;
  return count;
}

describe('the table', () => {
  const table = loadTable();

  test('says one thing of each role', () => {
    const names = table.map(({ scenario, role }) => `${scenario} ${role}`);
    expect(names).toEqual([...new Set(names)]);
  });

  test('names causes that there are', () => {
    const known = new Set<string>(CAUSES);
    expect(table.flatMap(({ cause, packets }) => [cause, ...packets]).filter((cause) => !known.has(cause))).toEqual([]);
    // What packets may say is the truth, or that among other things.
    expect(table.filter(({ cause, packets }) => !packets.includes(cause))).toEqual([]);
  });

  itWith('python3', 'has every scenario of the lab, and no other', () => {
    const { stdout } = spawnSync('python3', [LAB, '--list'], { encoding: 'utf8' });
    expect([...new Set(table.map(({ scenario }) => scenario))].sort()).toEqual(stdout.trim().split('\n').sort());
  });
});
