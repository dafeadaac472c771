/**
 * Kernel tracing as the main thread sees it: with the thread itself on real sockets, and with one that says what a test
 * wants, and dies when it wants.
 */
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tupleText } from '../../../src/attribute/trace/ends.js';
import { KernelTrace as Unbuilt } from '../../../src/attribute/trace/kernel-trace.js';
import { poll } from '../../support/lab.js';
import { snapshot } from '../../support/leftovers.js';
import { testIf } from '../../support/tools.js';
import { builtWith, constant, PUPPET, Strings, traced, type Starter } from './puppet.js';

const TIMEOUT_MS = 120_000;
/** For a machine that is busy with other things. */
const HEARD_MS = 15_000;
const HOST = '127.0.0.1';
/** Resets in one word. */
const WORD = 10_000;

function problem(): string {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return 'needs Linux and root';
  const script =
    'grep -q " tracefs " /proc/mounts || mount -t tracefs t /sys/kernel/tracing; test -f /sys/kernel/tracing/README';
  return spawnSync('unshare', ['-m', 'sh', '-c', script], { stdio: 'ignore' }).status === 0 ? '' : 'needs tracefs';
}
const why = problem();

let Real: Starter;
let Puppet: Starter;
let Broken: Starter;
let trace: Unbuilt | null = null;
const strings = new Strings();
const servers = new Set<Server>();

beforeAll(async () => {
  Real = await builtWith(null);
  Puppet = await builtWith(PUPPET);
  Broken = await builtWith('throw new Error("it can\'t begin");');
}, TIMEOUT_MS);

afterEach(async () => {
  for (const server of servers) server.close();
  servers.clear();
  await trace?.close();
  trace = null;
});

afterAll(() => {
  strings.cut();
});

async function started(from: Starter): Promise<Unbuilt> {
  trace = await from.start();
  return trace;
}

const it = (name: string, body: () => Promise<void>): void => testIf(why === '', why, name, body, TIMEOUT_MS);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const now = (): number => Date.now() / 1000;
/** `at` is cut to a millisecond: what has happened by now may be up to one later. */
const CUT_SECONDS = 0.002;
const known = (one: Unbuilt, at: number): Promise<void> =>
  poll(() => one.knownUntil(Date.now()) > at + CUT_SECONDS, HEARD_MS, 'it to have read so far');

/** What is of this process, at once: others may be tracing. */
function left(): string[] {
  const { traces, processes } = snapshot();
  const instances = [...traces.keys()].filter((key) => key.startsWith(`instance rstscope-${String(process.pid)}-`));
  return [...instances, ...[...processes.values()].filter((one) => one.includes(`rstscope-${String(process.pid)}-`))];
}

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
    // The instance and its keeper: or nothing could be found to be left.
    expect(left()).toHaveLength(2);
    const clients = [await refused(port), await refused(port), await refused(port)];
    await known(one, now());
    for (const client of clients) {
      const tuple = tupleText(HOST, client, HOST, port);
      const [got, ...more] = one.near('receive', tuple, now(), 10);
      expect([got?.owner?.process?.pid, got?.tuple, more]).toEqual([process.pid, tuple, []]);
      expect(got?.connected).toBe(true);
      const at = got?.at ?? 0;
      expect(at).toBeGreaterThan(began - 0.01);
      expect(at).toBeLessThan(now());
      // Nearer or farther than asked for; of the other kind; the other way round.
      expect(one.near('receive', tuple, at + 0.06, 0.05)).toEqual([]);
      expect(one.near('receive', tuple, at - 0.04, 0.05)).toHaveLength(1);
      expect(one.near('send', tuple, at, 10)).toEqual([]);
      const answers = one.near('send', tupleText(HOST, port, HOST, client), at, 0.05);
      if (one.toldAllSent(now()))
        expect(answers).toMatchObject([{ socketless: true, reason: 'NO_SOCKET', connected: false }]);
      else expect(answers).toEqual([]);
    }
    expect(one.failedConnects.filter((row) => row.port === port)).toMatchObject([
      { process: { pid: process.pid }, pids: 1, ip: HOST, attempts: 3, refused: 3, icmp: 0, timedOut: 0, abandoned: 0 },
    ]);
    expect([one.toldAllSent(began - 10), one.toldAllReceived(began - 10)]).toEqual([false, false]);
    expect(one.toldAllReceived(now())).toBe(true);

    // What happens just before the end is told with it.
    const last = await refused(port);
    await one.stop();
    expect(one.near('receive', tupleText(HOST, last, HOST, port), now(), 10)).toHaveLength(1);
    expect(one.failedConnects.find((row) => row.port === port)?.refused).toBe(4);
    expect(one.state).toBe('on');
    await one.close();
    expect(left()).toEqual([]);
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
      expect(left()).toEqual([]);
    }
  });

  it('that was not built, or can’t begin: a sentence, and nothing is left', async () => {
    await expect(Unbuilt.start()).rejects.toThrow(/^rstscope was not built$/);
    await expect(Broken.start()).rejects.toThrow(/^it can't begin$/);
    expect(left()).toEqual([]);
  });
});

describe('whatever its thread says', () => {
  const tuple = tupleText(HOST, 1, HOST, 2);

  it('what is learnt later takes the place of what was said before', async () => {
    const one = await started(Puppet);
    const at = now();
    await strings.tell(
      one,
      { resets: [traced(7, { tuple, at, open: true }), traced(8, { tuple, at })] },
      { resets: [traced(7, { tuple, at })] },
    );
    const found = one.near('send', tuple, at, 1);
    expect(found.map(({ serial, open }) => [serial, open])).toEqual([
      [7, false],
      [8, false],
    ]);
  });

  it('events that were lost: counted, and nothing is concluded from what it did not tell', async () => {
    const one = await started(Puppet);
    const ip = '0.0.0.0';
    await strings.tell(one, { listenerStarts: [{ ip, port: 80, at: now() }] });
    expect([one.hasListenedSince(HOST, 80, now()), one.lost]).toEqual([true, 0]);
    await strings.tell(one, { lost: 3 }, { lost: 4 });
    await poll(() => one.lost === 7, HEARD_MS, 'the losses');
    expect([one.hasListenedSince(HOST, 80, now()), one.toldAllSent(now())]).toEqual([false, false]);
    expect(one.toldAllReceived(now())).toBe(false);
    expect(one.state).toBe('on');
  });

  it('known is what was read, once every word of it was heard', async () => {
    const one = await started(Puppet);
    const ns = Number(process.hrtime.bigint());
    const lag = (): number => now() - one.knownUntil(Date.now());
    const age = (): number => (Number(process.hrtime.bigint()) - ns) / 1e9;
    strings.pull({ until: ns, said: 0 });
    await poll(() => Math.abs(lag() - age()) < 0.05, HEARD_MS, 'what the thread read, of which it said nothing');
    // Two words, the second one still on its way.
    strings.pull({ said: 2, word: { until: ns - 5e9 } });
    await poll(() => Math.abs(lag() - age() - 5) < 0.05, HEARD_MS, 'what the first word told');
    strings.pull({ word: { until: ns - 4e9 } });
    await poll(() => Math.abs(lag() - age()) < 0.05, HEARD_MS, 'all that was read');
  });

  it('memory is bounded: old resets, and listeners', async () => {
    const one = await started(Puppet);
    const at = now();
    const has = (tuple: string): boolean => one.near('send', tuple, at, Infinity).length > 0;
    const before = at - constant('KEPT_SECONDS') - 5;
    const old = numbers(3000).map((i) => traced(i, { at: before, tuple: `old ${i}` }));
    await strings.tell(one, { resets: old }, { resets: [traced(3000, { at, tuple: 'new' })] });
    expect(old.filter(({ tuple }) => has(tuple))).toEqual([]);
    expect(has('new')).toBe(true);

    const most = constant('MAX_PAST_LISTENERS');
    const ends = numbers(most + 10).map((i) => ({ ip: HOST, port: i + 1, at, process: null, closer: null }));
    await strings.tell(one, { listenerEnds: ends, listenerStarts: ends });
    expect(one.pastListener(HOST, most + 10)).not.toBeNull();
    expect(one.pastListener(HOST, 11)).not.toBeNull();
    expect(one.pastListener(HOST, 10)).toBeNull();
  });

  it('memory is bounded: a flood, in which the last are known and cost no more than the first', async () => {
    const one = await started(Puppet);
    const [at, most] = [now(), constant('MAX_KEPT')];
    const has = (serial: number): boolean => one.near('send', String(serial), at, Infinity).length > 0;
    const spent: number[] = [];
    let next = 0;
    while (next < most + 6 * WORD) {
      const begun = performance.now();
      await strings.tell(one, { resets: numbers(WORD).map(() => traced(next, { at, tuple: String(next++) })) });
      spent.push(performance.now() - begun);
    }
    expect([has(0), has(next - most / 2), has(next - 1)]).toEqual([false, true, true]);
    // What is too much may go many at once.
    expect(numbers(next).filter(has).length).toBeLessThanOrEqual(most + WORD);
    expect(Math.min(...spent.slice(-4))).toBeLessThan(8 * Math.min(...spent) + 500);
  });
});

describe('the death of its thread', () => {
  for (const [how, order, words] of [
    ['by a fault', { dies: 'a fault\u001b[31m of it' }, /^stopped: a fault/],
    ['by itself', { exits: true }, /^stopped: its thread has ended$/],
  ] as const) {
    it(`${how}: a sentence, nothing is known any more, and no end hangs`, async () => {
      const one = await started(Puppet);
      strings.pull(order);
      await poll(() => one.state !== 'on', HEARD_MS, 'the death to be heard of');
      expect(one.state).toMatch(words);
      expect(one.state).not.toContain('\u001b');
      expect(one.knownUntil(Date.now())).toBe(-Infinity);
      expect([one.toldAllSent(now()), one.hasListenedSince(HOST, 80, now())]).toEqual([false, false]);
      expect(one.toldAllReceived(now())).toBe(false);
      const begun = performance.now();
      await one.stop();
      await one.close();
      // A thread that is there is waited for, longer than that.
      expect(performance.now() - begun).toBeLessThan(constant('CLOSE_TIMEOUT_MS') - 300);
      expect(left()).toEqual([]);
    });
  }

  it('one that answers nothing: stopping takes its three seconds at most', async () => {
    const one = await started(Puppet);
    strings.pull({ deaf: true });
    const begun = performance.now();
    await one.stop();
    expect(performance.now() - begun).toBeLessThan(constant('CLOSE_TIMEOUT_MS') + 2000);
    await one.close();
    expect(left()).toEqual([]);
  });
});
