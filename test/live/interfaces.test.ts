/** Interfaces that go away, come back, come anew and are not there, under captures that run on. */
import { describe, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../src/report/types.js';
import { labProblem, poll, twoHosts, type Namespace, type TwoHosts } from '../support/lab.js';
import { knock } from '../support/traffic.js';
import { testIf } from '../support/tools.js';
import {
  BACKENDS,
  backendProblem,
  beginLive,
  reportOf,
  startLive,
  tellsOfLoss,
  type Backend,
  type Ended,
  type Live,
} from './support.js';

const LAB = labProblem('tcpdump');
const TEST_TIMEOUT_MS = 120_000;
/** Long beside what a busy machine takes to miss it. */
const AWAY_MS = 3_000;
const MISSED_MS = 2_000;
const PAIRS = 30;
const PAIRS_AT_ONCE = 5;

interface Told {
  readonly backend: Backend;
  readonly live: Live;
  readonly ended: Ended;
  readonly report: Report;
}

interface Story<Truth> {
  readonly ns: Namespace;
  readonly args: readonly string[];
  /** What happens while all captures run. */
  readonly tell: (lives: readonly Live[]) => Promise<Truth>;
}

/** One test for each backend over what happens once, before the eyes of all. */
function story<Truth>(
  name: string,
  make: () => Promise<Story<Truth>>,
  check: (told: Told, truth: Truth) => void,
): void {
  const run = async (): Promise<{ truth: Truth; told: Told[] }> => {
    const { ns, args, tell } = await make();
    const backends = BACKENDS.filter((backend) => backendProblem(backend) === '');
    const all = await Promise.all(
      backends.map(async (backend) => {
        const live = await startLive(['--ndjson', '--backend', backend, '-d', '90', ...args], { ns });
        return { backend, live };
      }),
    );
    const truth = await tell(all.map(({ live }) => live));
    const told = await Promise.all(
      all.map(async ({ backend, live }) => {
        const ended = await live.stop();
        return { backend, live, ended, report: reportOf(ended) };
      }),
    );
    return { truth, told };
  };
  let played: ReturnType<typeof run> | null = null;
  for (const backend of BACKENDS) {
    const problem = LAB || backendProblem(backend);
    testIf(
      problem === '',
      problem,
      `${name}, by ${backend}`,
      async () => {
        played ??= run();
        const { truth, told } = await played;
        const mine = told.find((one) => one.backend === backend);
        if (mine === undefined) throw new Error(`nothing was captured by ${backend}`);
        check(mine, truth);
      },
      TEST_TIMEOUT_MS,
    );
  }
}

/** Knocks at closed ports across a wire, one after the other; gives back when it was done. */
async function knocks(ns: Namespace, host: string, port: number, times = 3): Promise<void> {
  await knock({ ns, host, port, times }).done;
}

/** Until each capture has shown a reset of that port: it listens (again). */
async function heard(lives: readonly Live[], ns: Namespace, host: string, port: number): Promise<void> {
  const waits = (): boolean => lives.some((live) => on(live, port) === 0);
  await poll(
    async () => {
      if (waits()) await knocks(ns, host, port, 1);
      await sleep(80);
      return !waits();
    },
    20_000,
    `resets of port ${port}`,
  );
}

function on(live: Live, port: number): number {
  return live.resets.filter(({ src_port }) => src_port === port).length;
}

/** A second wire between the two, besides eth0. */
async function wire({ lab, a, b }: TwoHosts, name: string, net: string): Promise<void> {
  await lab.veth({ ns: a, name, addresses: `${net}.1/24` }, { ns: b, name, addresses: `${net}.2/24` });
}

function lostOnce({ ended, report }: Told, device: string): Report['incomplete'][number] {
  expect(ended.code).toBe(3);
  expect(report.incomplete).toHaveLength(1);
  const [one] = report.incomplete;
  if (one === undefined) throw new Error('nothing is incomplete');
  expect(one).toMatchObject({ reason: 'interface-lost', interface: device, file: null, byte: null });
  expect(one.message).toContain(device);
  expect(ended.stderr.trimEnd().split('\n').at(-1)).toContain(one.message);
  return one;
}

describe('a named interface', () => {
  story(
    'that is deleted ends as one that was lost',
    async () => {
      const hosts = await twoHosts();
      await wire(hosts, 'dev0', '10.50.0');
      return {
        ns: hosts.a,
        args: ['-i', 'dev0'],
        tell: async (lives) => {
          await knocks(hosts.a, '10.50.0.2', 7001);
          await Promise.all(lives.map((live) => live.untilResets(3)));
          await hosts.a.ip('link', 'del', 'dev0');
          await Promise.all(lives.map((live) => live.untilReported(tellsOfLoss, 'its loss')));
        },
      };
    },
    (told) => {
      const lost = lostOnce(told, 'dev0');
      expect(lost.gap_seconds).toBeNull();
      expect(told.live.resets.map((event) => event.interface)).toEqual(['dev0', 'dev0', 'dev0']);
      expect(told.report.packets.resets).toBe(3);
    },
  );

  for (const [what, away, back] of [
    [
      'deleted and made again',
      async ({ a }: TwoHosts) => a.ip('link', 'del', 'dev0'),
      (hosts: TwoHosts) => wire(hosts, 'dev0', '10.50.0'),
    ],
    [
      'set down and up again',
      async ({ a }: TwoHosts) => a.ip('link', 'set', 'dev0', 'down'),
      async ({ a }: TwoHosts) => {
        await a.ip('link', 'set', 'dev0', 'up');
      },
    ],
  ] as const) {
    story(
      `that is ${what} is captured again`,
      async () => {
        const hosts = await twoHosts();
        await wire(hosts, 'dev0', '10.50.0');
        return {
          ns: hosts.a,
          args: ['-i', 'dev0'],
          tell: async (lives) => {
            await knocks(hosts.a, '10.50.0.2', 7001);
            await Promise.all(lives.map((live) => live.untilResets(3)));
            const gone = performance.now();
            await away(hosts);
            await sleep(AWAY_MS);
            await back(hosts);
            const least = (performance.now() - gone) / 1000;
            await heard(lives, hosts.a, '10.50.0.2', 7002);
            const most = (performance.now() - gone) / 1000;
            await knocks(hosts.a, '10.50.0.2', 7003);
            await Promise.all(lives.map((live) => live.until(() => on(live, 7003) === 3, 'the last resets')));
            return { least, most };
          },
        };
      },
      (told, { least, most }) => {
        const lost = lostOnce(told, 'dev0');
        // It was missed a little after it had gone, and was listened to before its first reset.
        expect(lost.gap_seconds).toBeGreaterThan(least - MISSED_MS / 1000);
        expect(lost.gap_seconds).toBeLessThanOrEqual(most);
        expect(on(told.live, 7001)).toBe(3);
        expect(on(told.live, 7003)).toBe(3);
        expect(new Set(told.live.resets.map((event) => event.interface))).toEqual(new Set(['dev0']));
      },
    );
  }

  story(
    'that goes away takes no other with it',
    async () => {
      const hosts = await twoHosts();
      await wire(hosts, 'dev0', '10.50.0');
      await wire(hosts, 'dev1', '10.51.0');
      return {
        ns: hosts.a,
        args: ['-i', 'dev0,dev1'],
        tell: async (lives) => {
          const judge = await hosts.a.tcpdump('dev1');
          const flow = knock({ ns: hosts.a, host: '10.51.0.2', port: 7100, times: 60, everyMs: 20 });
          await poll(() => flow.truth.length >= 10, 20_000, 'the first of them');
          await hosts.a.ip('link', 'del', 'dev0');
          await flow.done;
          await Promise.all(lives.map((live) => live.untilReported(tellsOfLoss, 'its loss')));
          await judge.until(60);
          const { lines } = await judge.stop();
          await Promise.all(lives.map((live) => live.untilResets(lines.length)));
          return lines.length;
        },
      };
    },
    (told, judged) => {
      expect(judged).toBe(60);
      expect(lostOnce(told, 'dev0').gap_seconds).toBeNull();
      expect(on(told.live, 7100)).toBe(judged);
      expect(told.report.packets.resets).toBe(judged);
      expect(new Set(told.live.resets.map((event) => event.interface))).toEqual(new Set(['dev1']));
    },
  );
});

describe('any', () => {
  story(
    `${PAIRS} interfaces that come and go while resets flow: nothing is lost, and nothing incomplete`,
    async () => {
      const hosts = await twoHosts();
      const { a } = hosts;
      return {
        ns: a,
        args: [],
        tell: async (lives) => {
          const judge = await a.tcpdump('any');
          const flow = knock({ ns: a, host: '10.99.0.2', port: 7200, times: 5_000, everyMs: 10, forMs: 20_000 });
          const names: string[] = [];
          const work = async (first: number): Promise<void> => {
            for (let n = first; n < PAIRS; n += PAIRS_AT_ONCE) {
              names.push(`pair${n}`);
              await wire(hosts, `pair${n}`, `10.${60 + n}.0`);
              await knocks(a, `10.${60 + n}.0.2`, 7201, 2);
              await a.ip('link', 'del', `pair${n}`);
            }
          };
          await Promise.all(Array.from({ length: PAIRS_AT_ONCE }, (_, first) => work(first)));
          const flowed = (await flow.stop()).filter(({ outcome }) => outcome === 'refused').length;
          await judge.until(flowed + 2 * PAIRS);
          const { lines, dropped } = await judge.stop();
          await Promise.all(lives.map((live) => live.untilResets(lines.length)));
          return { lines: lines.length, dropped, flowed };
        },
      };
    },
    ({ backend, live, ended, report }, { lines, dropped, flowed }) => {
      expect(dropped).toBe(0);
      expect(lines).toBe(flowed + 2 * PAIRS);
      expect(report.packets).toMatchObject({ resets: lines, unique: lines, copies: 0 });
      expect(report.incomplete).toEqual([]);
      expect(ended.code).toBe(0);
      expect(on(live, 7201)).toBe(2 * PAIRS);
      for (const { src_ip, interface: name } of live.resets) {
        const [, second = ''] = src_ip.split('.');
        const right = second === '99' ? 'eth0' : `pair${Number(second) - 60}`;
        // Of what comes in a cooked header does not say by which card.
        if (backend === 'tcpdump') expect(name).toBe(right);
        else expect([right, null]).toContain(name);
      }
    },
  );
});

describe('an interface that is not there at the start', () => {
  for (const backend of BACKENDS) {
    const problem = LAB || backendProblem(backend);
    testIf(
      problem === '',
      problem,
      `is refused in one sentence, and so is one that is down, by ${backend}`,
      async () => {
        const hosts = await twoHosts();
        await wire(hosts, 'dev0', '10.50.0');
        await hosts.a.ip('link', 'set', 'dev0', 'down');
        for (const name of ['nosuch', 'dev0', 'eth0,nosuch']) {
          const live = beginLive(['--json', '--backend', backend, '-d', '1', '-i', name], { ns: hosts.a });
          const ended = await live.ended;
          expect(ended).toMatchObject({ code: 2, stdout: '' });
          const [sentence = '', ...rest] = ended.stderr.trimEnd().split('\n');
          expect(sentence).toContain(name.split(',').at(-1));
          // The next command to type is on a line of its own.
          expect(rest.length).toBeLessThanOrEqual(1);
        }
      },
    );
  }
});
