/** A tracing instance in this machine's kernel: made, read, two at once, and gone whatever happens to its maker. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { execFileSync, spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Instance } from '../../../src/attribute/trace/instance.js';
import { Rings } from '../../../src/attribute/trace/rings.js';
import { startTime } from '../../../src/base/spawn.js';
import { poll } from '../../support/lab.js';
import { settled, snapshot, type Snapshot } from '../../support/leftovers.js';
import { REPOSITORY } from '../../support/run.js';
import { hasTool, testIf } from '../../support/tools.js';

const TIMEOUT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'rstscope-test-instance-'));
const program = join(folder, 'hold.mjs');
const children: ChildProcessWithoutNullStreams[] = [];
let before: Snapshot;

/** Whether an instance can be made here at all. */
function problem(): string {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return 'needs Linux and root';
  const script =
    'grep -q tracefs /proc/filesystems && { grep -q " tracefs " /proc/mounts || mount -t tracefs t /sys/kernel/tracing; }';
  const { status } = spawnSync('unshare', ['-m', 'sh', '-c', script], { stdio: 'ignore' });
  return status === 0 ? '' : 'needs tracefs';
}
const why = problem();

beforeAll(() => {
  const esbuild = join(REPOSITORY, 'node_modules/.bin/esbuild');
  const source = join(import.meta.dirname, 'hold-instance.ts');
  execFileSync(esbuild, [
    source,
    '--bundle',
    '--platform=node',
    '--format=esm',
    `--outfile=${program}`,
    '--log-level=error',
  ]);
  // Others than root run it too.
  chmodSync(folder, 0o755);
  before = snapshot();
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

type Command = [string, ...string[]];

interface Word {
  readonly folder?: string;
  readonly pid?: number;
  readonly refused?: string;
}

interface Holder {
  readonly child: ChildProcessWithoutNullStreams;
  readonly word: Word;
  readonly closed: Promise<unknown>;
}

/** Runs the program, through others where it is told so, and waits for what it says. */
async function hold(through: Command | null = null): Promise<Holder> {
  const own: Command = [process.execPath, program];
  const [file, ...args] = through === null ? own : ([...through, ...own] satisfies Command);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' });
  children.push(child);
  const closed = once(child, 'close');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  await poll(() => said.includes('\n') || child.exitCode !== null, 20_000, `word of ${file}`);
  const [line = ''] = said.split('\n');
  if (line === '') throw new Error(`it said nothing: ${errors}`);
  return { child, closed, word: JSON.parse(line) as Word };
}

/** Ends it in order. */
async function end({ child, closed }: Holder): Promise<void> {
  child.stdin.on('error', () => undefined).end();
  await closed;
}

function instances(): string[] {
  return [...snapshot().traces.keys()].flatMap((key) => (key.startsWith('instance ') ? [key.slice(9)] : []));
}

const text = (instance: Instance, file: string) => readFileSync(join(instance.facts.folder, file), 'utf8').trim();

async function refusedConnect(): Promise<number> {
  const socket = connect({ host: '127.0.0.1', port: 1 });
  const [error] = (await once(socket, 'error').catch((thrown: unknown) => [thrown])) as [{ code?: string }];
  expect(error.code).toBe('ECONNREFUSED');
  return 1;
}

describe('an instance', () => {
  testIf(
    why === '',
    why,
    'is set up, tells of a reset that is made, and leaves nothing',
    async () => {
      const instance = await Instance.make();
      const { facts } = instance;
      try {
        expect(text(instance, 'trace_clock')).toContain('[mono]');
        expect(text(instance, 'tracing_on')).toBe('1');
        for (const event of ['tcp/tcp_send_reset', 'tcp/tcp_receive_reset', 'sock/inet_sock_set_state']) {
          // A star: a filter, or a trigger.
          expect([event, text(instance, `events/${event}/enable`)[0]]).toEqual([event, '1']);
        }
        expect(text(instance, 'events/sock/inet_sock_set_state/filter')).toContain('protocol==6 && (newstate==2');
        expect(facts.formats.get('tcp/tcp_send_reset')?.id).toBeGreaterThan(0);
        const size = Number(text(instance, 'buffer_size_kb'));
        expect(size).toBeGreaterThanOrEqual(256);
        expect(size).toBeLessThanOrEqual(2100);
        if (facts.stacks) expect(text(instance, 'events/tcp/tcp_send_reset/trigger')).toContain('stacktrace');

        const rings = new Rings(facts);
        await refusedConnect();
        const kinds: string[] = [];
        await poll(
          () => {
            const { seen, lost } = rings.drain(Number(process.hrtime.bigint()));
            expect(lost).toBe(0);
            for (const { event } of seen) {
              const isMine = 'ends' in event && event.task === process.pid && event.ends.remotePort === 1;
              if (isMine || (event.kind === 'failed-call' && event.task === process.pid)) kinds.push(event.kind);
            }
            return kinds.includes('state') && kinds.includes('receive-reset');
          },
          15_000,
          'the events of a refused connect',
        );
        rings.close();
      } finally {
        await instance.remove();
      }
      expect(existsSync(facts.folder)).toBe(false);
      expect(await settled(before, 2000)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  testIf(
    why === '',
    why,
    'of two processes at once: each its own, and one’s end is not the other’s',
    async () => {
      const [mine, other] = await Promise.all([Instance.make(), hold()]);
      try {
        expect(other.word.refused).toBeUndefined();
        expect(basename(other.word.folder ?? '')).not.toBe(basename(mine.facts.folder));
        expect(instances()).toEqual(
          expect.arrayContaining([basename(mine.facts.folder), basename(other.word.folder ?? '')]),
        );
        await end(other);
        expect(instances()).toContain(basename(mine.facts.folder));
        expect(instances()).not.toContain(basename(other.word.folder ?? ''));
        expect(text(mine, 'tracing_on')).toBe('1');
      } finally {
        await mine.remove();
      }
      expect(await settled(before, 2000)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  testIf(
    why === '',
    why,
    'goes within two seconds when its maker is killed',
    async () => {
      const holder = await hold();
      const name = basename(holder.word.folder ?? '');
      expect(instances()).toContain(name);
      process.kill(holder.word.pid ?? 0, 'SIGKILL');
      const start = performance.now();
      let looks = 0;
      const isGone = (): boolean => {
        looks++;
        return !instances().includes(name);
      };
      await poll(isGone, 15_000, 'the instance to go');
      // Looking itself takes a while here, on a busy machine all the more.
      expect(performance.now() - start < 3000 || looks <= 10).toBe(true);
      expect(await settled(before, 2000)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  testIf(
    why === '',
    why,
    'of a process that is gone is swept, that of one that lives is not',
    async () => {
      // What sees tracefs where this process may not.
      const first = await hold();
      const tracefs = dirname(dirname(first.word.folder ?? ''));
      const [stale, alive, reused] = [
        'rstscope-4194999-12345',
        `rstscope-${process.pid}-${startTime(process.pid) ?? ''}`,
        `rstscope-${process.pid}-1`,
      ];
      const foreign = 'rstscope-test-other';
      for (const name of [stale, alive, reused, foreign]) mkdirSync(join(tracefs, 'instances', name));
      try {
        const second = await hold();
        const left = readdirSync(join(tracefs, 'instances'));
        expect(left).not.toContain(stale);
        expect(left).not.toContain(reused);
        expect(left).toEqual(expect.arrayContaining([alive, foreign, basename(first.word.folder ?? '')]));
        await end(second);
      } finally {
        for (const name of [stale, alive, reused, foreign]) {
          if (existsSync(join(tracefs, 'instances', name))) rmdirSync(join(tracefs, 'instances', name));
        }
        await end(first);
      }
      expect(await settled(before, 2000)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

describe('is refused, in a sentence', () => {
  const refusals: [name: string, tool: string, through: Command, RegExp][] = [
    [
      'in another PID namespace',
      'unshare',
      ['unshare', '-pf', '--mount-proc', '--kill-child'],
      /^other PID namespace: /,
    ],
    ['to others than root', 'setpriv', ['setpriv', '--reuid=65534', '--clear-groups'], /^not root$/],
    [
      'where mounting is forbidden',
      'setpriv',
      ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'],
      /tracefs (is not mounted|can't be mounted)/,
    ],
  ];
  for (const [name, tool, through, sentence] of refusals) {
    const mounted = name.includes('mounting') && readFileSync('/proc/self/mounts', 'utf8').includes(' tracefs ');
    const needs = why !== '' ? why : mounted ? 'tracefs is mounted here' : hasTool(tool) ? '' : `needs ${tool}`;
    testIf(
      needs === '',
      needs,
      name,
      async () => {
        const holder = await hold(through);
        expect(holder.word.refused).toMatch(sentence);
        expect(holder.word.refused?.length).toBeLessThan(250);
        await end(holder);
        expect(await settled(before, 2000)).toEqual([]);
      },
      TIMEOUT_MS,
    );
  }

  testIf(
    why === '',
    why,
    'for a second one of the same process, and the first one stays',
    async () => {
      const first = await Instance.make();
      try {
        await expect(Instance.make()).rejects.toThrow(/^the instance could not be made: .*exists/);
        expect(text(first, 'tracing_on')).toBe('1');
      } finally {
        await first.remove();
      }
      expect(await settled(before, 2000)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
