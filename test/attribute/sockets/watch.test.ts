/** The watch with its thread, on real sockets in namespaces: who holds, who held, who listens and who listened. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execFileSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SocketWatch as Watch } from '../../../src/attribute/sockets/watch.js';
import { SocketWatch as Unbuilt } from '../../../src/attribute/sockets/watch.js';
import { NOT_LOOKED, type Query } from '../../../src/attribute/sockets/watch-protocol.js';
import { Lab, labProblem, type Namespace } from '../../support/lab.js';
import { REPOSITORY, tmpDir } from '../../support/run.js';
import { hasTool, testIf } from '../../support/tools.js';

jest.setTimeout(60_000);

const PORT = 7211;
const SERVER = `
const keep = [];
require('node:net').createServer((c) => { keep.push(c); c.on('error', () => {}); }).listen(${PORT}, '127.0.0.1', () => console.log('ready'));`;
const CLIENT = `
const c = require('node:net').connect(${PORT}, '127.0.0.1', () => console.log(c.localPort)); c.on('error', () => {});`;
/** A parent and three children share one listener; they end with it. */
const PREFORK = `
import os, socket, sys, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', ${PORT + 1})); s.listen()
for _ in range(3):
    if os.fork() == 0:
        while os.getppid() != 1: time.sleep(0.1)
        os._exit(0)
print('ready', flush=True)
sys.stdin.read()`;

let SocketWatch: typeof Unbuilt;
let watch: Watch | null = null;

beforeAll(async () => {
  const folder = tmpDir();
  // As the package has it: a thread's code lies beside the program's.
  const entries = ['watch.ts', 'socket-thread.ts'].map((file) => path.join('src/attribute/sockets', file));
  const flags = ['--bundle', '--splitting', '--platform=node', '--format=esm', '--out-extension:.js=.js'];
  const esbuild = path.join(REPOSITORY, 'node_modules/.bin/esbuild');
  execFileSync(esbuild, [...entries, ...flags, `--outdir=${folder}`, '--log-level=error'], { cwd: REPOSITORY });
  ({ SocketWatch } = (await import(path.join(folder, 'watch.js'))) as { SocketWatch: typeof Unbuilt });
});

afterAll(async () => {
  await watch?.close();
});

async function started(): Promise<Watch> {
  await watch?.close();
  watch = await SocketWatch.start(() => Date.now());
  if (watch === null) throw new Error('no look could be made');
  return watch;
}

/** Its first line, and then it runs on. */
async function saying(program: ChildProcessWithoutNullStreams): Promise<string> {
  let text = '';
  let errors = '';
  program.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  for await (const chunk of program.stdout.setEncoding('utf8')) {
    text += chunk as string;
    if (text.includes('\n')) return text.trim();
  }
  throw new Error(`it ended: ${errors}`);
}

async function ended(program: ChildProcessWithoutNullStreams): Promise<void> {
  const over = new Promise((resolve) => program.once('exit', resolve));
  program.kill('SIGKILL');
  await over;
}

const now = (): number => Date.now() / 1000;

function query(ns: Namespace | null, localPort: number, remotePort: number, at = now()): Query {
  return { localIp: '127.0.0.1', localPort, remoteIp: '127.0.0.1', remotePort, netns: ns?.inode ?? null, at };
}

const problem = labProblem();

describe('in a namespace of its own', () => {
  /** False: a look that nobody asked for fell into the moment that is to be without one. */
  async function thereAndGone(lab: Lab): Promise<boolean> {
    const ns = await lab.namespace('watch');
    const bystander = ns.start(['sleep', '60']);
    const server = ns.start([process.execPath, '-e', SERVER]);
    await saying(server);
    const client = ns.start([process.execPath, '-e', CLIENT]);
    const port = Number(await saying(client));
    const looking = await started();
    expect(looking.effort).toMatchObject({ looks: 1, scans: 1 });

    const [there, here, nowhere] = await looking.ask([query(ns, PORT, port), query(ns, port, PORT), query(ns, 9, 9)]);
    expect(there).toMatchObject({ exact: 'one', alive: true, holders: [{ pid: server.pid, netns: ns.inode }] });
    expect(here).toMatchObject({ exact: 'one', alive: true, holders: [{ pid: client.pid, name: 'node' }] });
    expect(there?.listeners).toMatchObject([
      { ip: '127.0.0.1', netns: ns.inode, single: true, complete: true, seen: 'around', group: { pid: server.pid } },
    ]);
    expect(there).toMatchObject({ noListener: false, past: null });
    expect(nowhere).toMatchObject({ exact: 'none', listeners: [], noListener: true, past: null });

    // The same ends in a namespace where nobody has them.
    const own = Number(/\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0]);
    const [other] = await looking.ask([{ ...query(ns, PORT, port), netns: own }]);
    expect(other).toMatchObject({ exact: 'none', holders: [] });

    await ended(client);
    const [dead] = await looking.ask([query(ns, port, PORT)]);
    expect(dead).toMatchObject({ exact: 'one', alive: false, holders: [{ pid: client.pid }] });

    const before = now();
    const { looks } = looking.effort;
    await ended(server);
    await sleep(5);
    const [closing] = await looking.ask([query(ns, PORT, port)]);
    // It looked by itself meanwhile, and not only for the question.
    if (looking.effort.looks > looks + 1) return false;
    // Whether it still listened at that moment, no look can say.
    expect(closing).toMatchObject({ noListener: false, listeners: [{ seen: 'ended', group: { pid: server.pid } }] });
    await sleep(5);
    const [closed] = await looking.ask([query(ns, PORT, port)]);
    expect(closed).toMatchObject({ noListener: true, listeners: [], past: { process: { pid: server.pid } } });
    expect(closed?.past?.lastSeen).toBeLessThan(before + 1);

    // A namespace that only its name holds.
    await ended(bystander);
    await sleep(5);
    const [empty] = await looking.ask([query(ns, PORT, port)]);
    expect(empty).toMatchObject({ noListener: false, listeners: [], past: { process: { pid: server.pid } } });
    return true;
  }

  testIf(problem === '', problem, 'both ends, alive and dead; the listener, there and gone', async () => {
    let isShown = false;
    for (let attempt = 0; attempt < 5 && !isShown; attempt++) {
      const lab = await Lab.create();
      isShown = await thereAndGone(lab);
      await lab.destroy();
    }
    expect(isShown).toBe(true);
  });

  testIf(
    problem === '' && hasTool('python3'),
    problem || 'needs python3',
    'prefork: the parent of those that hold the listener',
    async () => {
      const lab = await Lab.create();
      const ns = await lab.namespace('prefork');
      const parent = ns.start(['python3', '-c', PREFORK]);
      await saying(parent);
      const looking = await started();
      const [answer] = await looking.ask([query(ns, PORT + 1, 9)]);
      expect(answer?.listeners).toMatchObject([{ single: false, complete: true, group: { pid: parent.pid } }]);
      expect(answer?.listeners[0]?.processes).toHaveLength(4);
      await lab.destroy();
    },
  );
});

describe('the thread', () => {
  testIf(problem === '', problem, 'answers many questions of one moment with few looks', async () => {
    const lab = await Lab.create();
    const ns = await lab.namespace('many');
    await saying(ns.start([process.execPath, '-e', SERVER]));
    const looking = await started();
    const { looks } = looking.effort;
    const begin = now();
    while (now() < begin + 1) {
      const answers = await Promise.all([1, 2, 3].map((port) => looking.ask([query(ns, port, 9)])));
      expect(answers.flat()).toHaveLength(3);
    }
    // One each 200 ms, and its own.
    expect(looking.effort.looks - looks).toBeGreaterThan(0);
    expect(looking.effort.looks - looks).toBeLessThanOrEqual(Math.ceil((now() - begin) / 0.2) + 2);
    await lab.destroy();
  });

  test('a thousand and more questions at once: an answer each, in their order', async () => {
    const looking = await started();
    const asked = Array.from({ length: 2500 }, (_, i) => query(null, i + 1, 9, 0));
    const answers = await looking.ask(asked);
    expect(answers).toHaveLength(2500);
    expect(answers.every(({ lookedAt }) => lookedAt > 0)).toBe(true);
    expect(await looking.ask([])).toEqual([]);
  });

  test('odd questions get an answer', async () => {
    const looking = await started();
    const odd = { ...query(null, 70000, -1), localIp: 'nonsense' };
    expect(await looking.ask([odd, query(null, 1, 2, NaN)])).toMatchObject([{ exact: 'none' }, { exact: 'none' }]);
  });

  test('that is closed answers that nobody has looked', async () => {
    const looking = await started();
    const asked = looking.ask([query(null, 1, 2, now() + 1)]);
    await looking.close();
    expect(await looking.ask([query(null, 1, 2)])).toEqual([NOT_LOOKED]);
    expect(await asked).toEqual([NOT_LOOKED]);
  });

  test('has nothing to look at: there is no watch', async () => {
    expect(await SocketWatch.start(() => Date.now(), tmpDir())).toBeNull();
  });

  test('was not built: there is no watch', async () => {
    expect(await Unbuilt.start(() => Date.now())).toBeNull();
  });
});
