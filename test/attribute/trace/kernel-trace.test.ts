/**
 * Kernel tracing as the main thread sees it: with the thread itself on real sockets, and with one that says what a test
 * wants, and dies when it wants.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { tupleText } from '../../../src/attribute/trace/ends.js';
import { KernelTrace as Unbuilt } from '../../../src/attribute/trace/kernel-trace.js';
import type { TracedReset, TraceWord } from '../../../src/attribute/trace/protocol.js';
import { poll } from '../../support/lab.js';
import { settled, snapshot, type Snapshot } from '../../support/leftovers.js';
import { REPOSITORY, tmpDir } from '../../support/run.js';
import { testIf } from '../../support/tools.js';

const TIMEOUT_MS = 30_000;
const HOST = '127.0.0.1';
const SOURCE = path.join(REPOSITORY, 'src/attribute/trace');
/** Resets in one word. */
const WORD = 10_000;
const CHANNEL = `rstscope-test-trace-${String(process.pid)}`;
/** Says what it is told to, when it is told to. */
const PUPPET = `
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
const shared = new BigInt64Array(workerData.shared);
let deaf = false;
parentPort.on('message', () => { if (!deaf) parentPort.postMessage({ kind: 'closed' }); });
new BroadcastChannel('${CHANNEL}').onmessage = ({ data }) => {
  if (data.dies !== undefined) throw new Error(data.dies);
  if (data.exits === true) process.exit(0);
  if (data.deaf === true) deaf = true;
  if (data.said !== undefined) Atomics.store(shared, 1, BigInt(data.said));
  if (data.until !== undefined) Atomics.store(shared, 0, BigInt(data.until));
  if (data.word !== undefined) parentPort.postMessage(data.word);
};
parentPort.postMessage({ kind: 'ready' });`;

function problem(): string {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return 'needs Linux and root';
  const script =
    'grep -q " tracefs " /proc/mounts || mount -t tracefs t /sys/kernel/tracing; test -f /sys/kernel/tracing/README';
  return spawnSync('unshare', ['-m', 'sh', '-c', script], { stdio: 'ignore' }).status === 0 ? '' : 'needs tracefs';
}
const why = problem();

let Real: typeof Unbuilt;
let Puppet: typeof Unbuilt;
let broken: typeof Unbuilt;
let trace: Unbuilt | null = null;
let before: Snapshot;
const channel = new BroadcastChannel(CHANNEL);
const servers = new Set<Server>();

beforeAll(async () => {
  const folder = tmpDir();
  const flags = ['--bundle', '--splitting', '--platform=node', '--format=esm', '--out-extension:.js=.js'];
  const entries = ['kernel-trace.ts', 'trace-thread.ts'].map((file) => path.join(SOURCE, file));
  const real = path.join(folder, 'real');
  const esbuild = path.join(REPOSITORY, 'node_modules/.bin/esbuild');
  execFileSync(esbuild, [...entries, ...flags, `--outdir=${real}`, '--log-level=error'], { cwd: REPOSITORY });
  // Beside the program lies another thread under that name.
  const withThread = async (name: string, thread: string): Promise<typeof Unbuilt> => {
    const to = path.join(folder, name);
    mkdirSync(to);
    cpSync(real, to, { recursive: true });
    writeFileSync(path.join(to, 'package.json'), '{"type":"module"}');
    if (thread !== '') writeFileSync(path.join(to, 'trace-thread.js'), thread);
    return ((await import(path.join(to, 'kernel-trace.js'))) as { KernelTrace: typeof Unbuilt }).KernelTrace;
  };
  Real = await withThread('own', '');
  Puppet = await withThread('puppet', PUPPET);
  broken = await withThread('broken', 'throw new Error("it can\'t begin");');
  before = snapshot();
}, TIMEOUT_MS);

afterEach(async () => {
  for (const server of servers) server.close();
  servers.clear();
  await trace?.close();
  trace = null;
});

afterAll(() => {
  channel.close();
});

async function started(from: typeof Unbuilt): Promise<Unbuilt> {
  trace = await from.start();
  return trace;
}

const it = (name: string, body: () => Promise<void>): void => testIf(why === '', why, name, body, TIMEOUT_MS);
const now = (): number => Date.now() / 1000;
const known = (one: Unbuilt, at: number): Promise<void> =>
  poll(() => one.knownUntil(Date.now()) > at, 5000, 'it to have read so far');

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, HOST);
  servers.add(server);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

async function freePort(): Promise<number> {
  const { server, port } = await listen();
  await closed(server);
  return port;
}

/** A refused connect of this process; its own port. */
async function refused(port: number): Promise<number> {
  const localPort = await freePort();
  const socket = connect({ host: HOST, port, localPort });
  const [error] = (await once(socket, 'error').catch((thrown: unknown) => [thrown])) as [{ code?: string }];
  expect(error.code).toBe('ECONNREFUSED');
  return localPort;
}

describe('with its thread', () => {
  it('names the client of refused connects and counts them, until it stops', async () => {
    const port = await freePort();
    const one = await started(Real);
    const began = now();
    expect([one.state, one.lost]).toEqual(['on', 0]);
    const clients = [await refused(port), await refused(port), await refused(port)];
    await known(one, now());
    for (const client of clients) {
      const tuple = tupleText(HOST, client, HOST, port);
      const [got, ...more] = one.near('receive', tuple, now(), 10);
      expect([got?.owner?.process?.pid, got?.tuple, more]).toEqual([process.pid, tuple, []]);
      const at = got?.at ?? 0;
      expect(at).toBeGreaterThan(began - 0.01);
      expect(at).toBeLessThan(now());
      // Nearer or farther than asked for; of the other kind; the other way round.
      expect(one.near('receive', tuple, at + 0.06, 0.05)).toEqual([]);
      expect(one.near('receive', tuple, at - 0.04, 0.05)).toHaveLength(1);
      expect(one.near('send', tuple, at, 10)).toEqual([]);
      const answers = one.near('send', tupleText(HOST, port, HOST, client), at, 0.05);
      if (one.toldAllSent(now())) expect(answers).toMatchObject([{ socketless: true, reason: 'NO_SOCKET' }]);
      else expect(answers).toEqual([]);
    }
    expect(one.failedConnects.filter((row) => row.port === port)).toMatchObject([
      { process: { pid: process.pid }, pids: 1, ip: HOST, attempts: 3, refused: 3, icmp: 0, timedOut: 0, abandoned: 0 },
    ]);
    expect(one.toldAllSent(began - 10)).toBe(false);

    // What happens just before the end is told with it.
    const last = await refused(port);
    await one.stop();
    expect(one.near('receive', tupleText(HOST, last, HOST, port), now(), 10)).toHaveLength(1);
    expect(one.failedConnects.find((row) => row.port === port)?.refused).toBe(4);
    expect(one.state).toBe('on');
    await one.close();
    expect(await settled(before, 2000)).toEqual([]);
  });

  it('knows who listened and has ended, and who began to', async () => {
    const one = await started(Real);
    const early = now() - 1;
    const gone = await listen();
    const there = await listen();
    await known(one, now());
    expect(one.hasListenedSince(HOST, gone.port, now())).toBe(true);
    expect(one.pastListener(HOST, gone.port)).toBeNull();
    await closed(gone.server);
    await known(one, now());
    expect(one.pastListener(HOST, gone.port)).toMatchObject({
      ip: HOST,
      port: gone.port,
      process: { pid: process.pid },
      closer: { pid: process.pid },
    });
    expect(one.pastListener('127.0.0.2', gone.port)).toBeNull();
    expect(one.hasListenedSince(HOST, gone.port, now())).toBe(false);
    expect(one.hasListenedSince(HOST, there.port, now())).toBe(true);
    expect(one.hasListenedSince(HOST, there.port, early)).toBe(false);
    expect(one.hasListenedSince('127.0.0.2', there.port, now())).toBe(false);
  });

  it('that is closed without having stopped leaves nothing, and another can begin', async () => {
    for (let round = 0; round < 2; round++) {
      const one = await started(Real);
      await refused(await freePort());
      await one.close();
      expect(await settled(before, 2000)).toEqual([]);
    }
  });

  it('that was not built, or can’t begin: a sentence, and nothing is left', async () => {
    await expect(Unbuilt.start()).rejects.toThrow(/^rstscope was not built$/);
    await expect(broken.start()).rejects.toThrow(/^it can't begin$/);
    expect(await settled(before, 2000)).toEqual([]);
  });
});

function reset(serial: number, other: Partial<TracedReset> = {}): TracedReset {
  const none = { active: false, reason: null, path: null, socketless: true, listening: false };
  const tuple = tupleText(HOST, 1, HOST, 2);
  return { serial, kind: 'send', at: now(), tuple, ...none, owner: null, destroyer: null, open: false, ...other };
}

type News = Extract<TraceWord, { kind: 'news' }>;
function news(other: Partial<News> = {}): News {
  const none = { resets: [], failed: [], listenerStarts: [], listenerEnds: [] };
  return { kind: 'news', ...none, until: 0, lost: 0, ...other };
}

/** A word is said and heard. */
async function tell(one: Unbuilt, ...words: readonly Partial<News>[]): Promise<void> {
  for (const word of words) channel.postMessage({ word: news(word) });
  const said = now();
  channel.postMessage({ word: news({ resets: [reset(-1, { tuple: 'heard', at: said })] }) });
  await poll(() => one.near('send', 'heard', 0, Infinity).some(({ at }) => at === said), 20_000, 'the words');
}

/** A number that a source names. */
function constant(name: string): number {
  const text = readFileSync(path.join(SOURCE, 'kernel-trace.ts'), 'utf8');
  const value = Number(new RegExp(`^const ${name} = ([\\d_]+);`, 'm').exec(text)?.[1]?.replaceAll('_', ''));
  if (!(value > 0)) throw new Error(`there is no ${name}`);
  return value;
}

describe('whatever its thread says', () => {
  it('what is learnt later takes the place of what was said before', async () => {
    const one = await started(Puppet);
    const at = now();
    await tell(one, { resets: [reset(7, { at, open: true }), reset(8, { at })] }, { resets: [reset(7, { at })] });
    const found = one.near('send', tupleText(HOST, 1, HOST, 2), at, 1);
    expect(found.map(({ serial, open }) => [serial, open])).toEqual([
      [7, false],
      [8, false],
    ]);
  });

  it('events that were lost: counted, and nothing is concluded from what it did not tell', async () => {
    const one = await started(Puppet);
    const ip = '0.0.0.0';
    await tell(one, { listenerStarts: [{ ip, port: 80, at: now() }] });
    expect([one.hasListenedSince(HOST, 80, now()), one.lost]).toEqual([true, 0]);
    await tell(one, { lost: 3 }, { lost: 4 });
    await poll(() => one.lost === 7, 5000, 'the losses');
    expect([one.hasListenedSince(HOST, 80, now()), one.toldAllSent(now())]).toEqual([false, false]);
    expect(one.state).toBe('on');
  });

  it('known is what was read, once every word of it was heard', async () => {
    const one = await started(Puppet);
    const ns = Number(process.hrtime.bigint());
    const lag = (): number => now() - one.knownUntil(Date.now());
    const age = (): number => (Number(process.hrtime.bigint()) - ns) / 1e9;
    channel.postMessage({ until: ns, said: 0 });
    await poll(() => Math.abs(lag() - age()) < 0.05, 5000, 'what the thread read, of which it said nothing');
    // Two words, the second one still on its way.
    channel.postMessage({ said: 2, word: news({ until: ns - 5e9 }) });
    await poll(() => Math.abs(lag() - age() - 5) < 0.05, 5000, 'what the first word told');
    channel.postMessage({ word: news({ until: ns - 4e9 }) });
    await poll(() => Math.abs(lag() - age()) < 0.05, 5000, 'all that was read');
  });

  it('memory is bounded: old resets, too many of them, listeners', async () => {
    const one = await started(Puppet);
    const [kept, seconds, listeners] = ['MAX_KEPT', 'KEPT_SECONDS', 'MAX_PAST_LISTENERS'].map(constant) as [
      number,
      number,
      number,
    ];
    const at = now();
    const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
    const has = (tuple: string): boolean => one.near('send', tuple, at, Infinity).length > 0;
    const old = numbers(3000).map((i) => reset(i, { at: at - seconds - 5, tuple: `old ${i}` }));
    await tell(one, { resets: old }, { resets: [reset(3000, { at, tuple: 'new' })] });
    expect(old.filter(({ tuple }) => has(tuple))).toEqual([]);
    expect(has('new')).toBe(true);

    let next = 10_000;
    const spent: number[] = [];
    for (const last = kept + 60_000; next < last;) {
      const begun = performance.now();
      const word = numbers(WORD).map(() => reset(next, { at, tuple: String(next++) }));
      await tell(one, { resets: word });
      spent.push(performance.now() - begun);
    }
    expect(has(String(next - 1))).toBe(true);
    expect(has('new')).toBe(false);
    expect(has('10000')).toBe(false);
    expect(numbers(next).filter((i) => has(String(i))).length).toBeLessThanOrEqual(kept);
    // One that makes room for another costs no more than one that finds it.
    expect(spent.at(-1)).toBeLessThan(8 * Math.min(...spent) + 500);

    const ends = numbers(listeners + 10).map((i) => ({ ip: HOST, port: i + 1, at, process: null, closer: null }));
    channel.postMessage({ word: news({ listenerEnds: ends, listenerStarts: ends }) });
    await poll(() => one.pastListener(HOST, listeners + 10) !== null, 5000, 'the listeners');
    expect(one.pastListener(HOST, 10)).toBeNull();
    expect(one.pastListener(HOST, 11)).not.toBeNull();
  });
});

describe('the death of its thread', () => {
  for (const [how, order, words] of [
    ['by a fault', { dies: 'a fault\u001b[31m of it' }, /^stopped: a fault/],
    ['by itself', { exits: true }, /^stopped: its thread has ended$/],
  ] as const) {
    it(`${how}: a sentence, nothing is known any more, and no end hangs`, async () => {
      const one = await started(Puppet);
      channel.postMessage(order);
      await poll(() => one.state !== 'on', 5000, 'the death to be heard of');
      expect(one.state).toMatch(words);
      expect(one.state).not.toContain('\u001b');
      expect(one.knownUntil(Date.now())).toBe(-Infinity);
      expect([one.toldAllSent(now()), one.hasListenedSince(HOST, 80, now())]).toEqual([false, false]);
      const begun = performance.now();
      await one.stop();
      await one.close();
      expect(performance.now() - begun).toBeLessThan(1500);
      expect(await settled(before, 2000)).toEqual([]);
    });
  }

  it('one that answers nothing: stopping takes its three seconds at most', async () => {
    const one = await started(Puppet);
    channel.postMessage({ deaf: true });
    const begun = performance.now();
    await one.stop();
    expect(performance.now() - begun).toBeLessThan(constant('CLOSE_TIMEOUT_MS') + 500);
    await one.close();
    expect(await settled(before, 2000)).toEqual([]);
  });
});

test('every constant that is read here is there', () => {
  expect(constant('KEPT_SECONDS')).toBeGreaterThan(2);
});
