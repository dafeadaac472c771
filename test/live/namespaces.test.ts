/** Captures in other network namespaces beside the own one. */
import { describe, expect } from '@jest/globals';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { strictly } from '../render/strict-schema.js';
import { labProblem, twoHosts, type Namespace } from '../support/lab.js';
import { shellQuote, tmpDir } from '../support/run.js';
import { itWith, testIf } from '../support/tools.js';
import { knock } from '../support/traffic.js';
import {
  BACKENDS,
  backendProblem,
  beginLive,
  reportOf,
  revised,
  startLive,
  tellsOfLoss,
  type Backend,
  type Live,
} from './support.js';

const LAB = labProblem();
const TEST_TIMEOUT_MS = 120_000;
const TIMES = 3;

/** Frames of one reset that two namespaces saw farther apart than this, by their stamps, are not known to be of one. */
const APART_SECONDS: Readonly<Record<Backend, number>> = { tcpdump: 0.002, cap: 0.02 };

type Arguments = (args: readonly string[]) => readonly string[];

/** One test for each backend; both run at once. */
function forEach(name: string, body: (start: Arguments, backend: Backend) => Promise<void>): void {
  for (const backend of BACKENDS) {
    const problem = LAB || backendProblem(backend);
    const start: Arguments = (args) => ['--ndjson', '--backend', backend, '-d', '60', ...args];
    testIf(problem === '', problem, `${name}, by ${backend}`, () => body(start, backend), TEST_TIMEOUT_MS);
  }
}

function on(live: Live, port: number): ResetEvent[] {
  return live.resets.filter(({ src_port }) => src_port === port);
}

/** Resets on a namespace's own loopback. */
function loopback(ns: Namespace, port: number, host = '127.0.0.1'): Promise<unknown> {
  return knock({ ns, host, port, times: TIMES }).done;
}

/** Ends it; nothing was lost. */
async function wholeReport(live: Live): Promise<Report> {
  const ended = await live.stop();
  const report = reportOf(ended);
  expect(report.incomplete).toEqual([]);
  expect(ended.code).toBe(0);
  expect(strictly('summary')(report)).toEqual([]);
  const { packets } = report;
  expect(packets.resets).toBe(packets.unique + packets.copies);
  expect(packets.unique - packets.filtered_out).toBe(live.resets.length);
  expect(revised(live).reduce((sum, { copies }) => sum + copies - 1, 0)).toBe(packets.copies);
  return report;
}

/** What belongs to it, and where it was seen. */
function seenIn(events: readonly ResetEvent[], { inode }: Namespace, device: string): void {
  expect(events).toHaveLength(TIMES);
  for (const event of events) {
    expect(event).toMatchObject({ netns: inode, interface: device, interfaces: [device], copies: 1 });
  }
}

describe('--netns', () => {
  forEach("with a name: that namespace's own loopback, which any does not show", async (args) => {
    const { a, b } = await twoHosts();
    const [live, control] = await Promise.all([
      startLive(args(['--netns', b.name]), { ns: a }),
      startLive(args([]), { ns: a }),
    ]);
    await Promise.all([loopback(b, 7301), loopback(b, 7302, '::1'), loopback(a, 7303)]);
    await Promise.all([live.untilResets(3 * TIMES), control.untilResets(TIMES)]);
    const [report] = await Promise.all([wholeReport(live), wholeReport(control)]);
    seenIn(on(live, 7301), b, 'lo');
    seenIn(on(live, 7302), b, 'lo');
    seenIn(on(live, 7303), a, 'lo');
    expect(report.source.namespaces).toEqual([a.name, b.name]);
    expect(report.source.interfaces).toEqual(['any']);
    expect(live.stderr).toMatch(/this and 1 other network namespace/);
    expect(control.resets.map(({ src_port }) => src_port)).toEqual(Array(TIMES).fill(7303));
  });

  forEach('with a PID', async (args) => {
    const { a, b } = await twoHosts();
    const holder = b.start(['sleep', '60'], { via: 'nsenter' });
    const live = await startLive(args(['--netns', String(holder.pid)]), { ns: a });
    await loopback(b, 7311);
    await live.untilResets(TIMES);
    const report = await wholeReport(live);
    seenIn(on(live, 7311), b, 'lo');
    expect(report.source.namespaces).toEqual([a.name, b.name]);
  });

  forEach('shows a reset that crosses from one to the other once', async (args, backend) => {
    const { a, b } = await twoHosts();
    const live = await startLive(args(['--netns', b.name]), { ns: a });
    await Promise.all([
      knock({ ns: a, host: '10.99.0.2', port: 7321, times: 10, everyMs: 20 }).done,
      knock({ ns: a, host: 'fd00:99::2', port: 7322, times: 10, everyMs: 20 }).done,
    ]);
    await live.untilResets(20);
    const { packets } = await wholeReport(live);
    expect(packets.resets).toBe(40);
    const byClient = new Map<string, ResetEvent[]>();
    for (const event of revised(live)) {
      expect(event).toMatchObject({ interface: 'eth0', interfaces: ['eth0'], direction: 'local' });
      expect([a.inode, b.inode]).toContain(event.netns);
      const client = `${event.dest_ip} ${event.dest_port}`;
      byClient.set(client, [...(byClient.get(client) ?? []), event]);
    }
    expect(byClient.size).toBe(20);
    // On a busy machine a program may get its turn so late that two are shown, and then only.
    const twice = [...byClient.values()].filter((events) => events.length > 1);
    for (const events of twice) {
      const [first, second] = events.map(({ epoch }) => epoch ?? NaN);
      expect(events.map(({ copies }) => copies)).toEqual([1, 1]);
      expect(new Set(events.map(({ netns }) => netns))).toEqual(new Set([a.inode, b.inode]));
      expect(Math.abs(Number(second) - Number(first))).toBeGreaterThan(APART_SECONDS[backend]);
    }
    expect(packets).toMatchObject({ unique: 20 + twice.length, copies: 20 - twice.length });
    expect(twice.length).toBeLessThan(10);
  });

  forEach('goes on when a namespace loses its name and everything that ran in it', async (args) => {
    const { lab, a, b } = await twoHosts();
    const c = await lab.namespace('c');
    const holder = c.start(['sleep', '60'], { via: 'nsenter' });
    const live = await startLive(args(['--netns', `${b.name},${String(holder.pid)}`]), { ns: a });
    await loopback(c, 7331);
    await live.untilResets(TIMES);
    holder.kill('SIGKILL');
    await a.exec(['ip', 'netns', 'del', c.name]);
    await Promise.all([loopback(a, 7332), loopback(b, 7333)]);
    await live.untilResets(3 * TIMES);
    await wholeReport(live);
    seenIn(on(live, 7331), c, 'lo');
    seenIn(on(live, 7332), a, 'lo');
    seenIn(on(live, 7333), b, 'lo');
  });

  forEach('takes an interface that only one of them has', async (args) => {
    const { lab, a, b } = await twoHosts();
    await lab.veth(
      { ns: b, name: 'only0', addresses: '10.52.0.1/24' },
      { ns: a, name: 'there0', addresses: '10.52.0.2/24' },
    );
    const live = await startLive(args(['--netns', b.name, '-i', 'only0']), { ns: a });
    await knock({ ns: b, host: '10.52.0.2', port: 7341, times: TIMES }).done;
    await live.untilResets(TIMES);
    await b.ip('link', 'del', 'only0');
    await live.untilReported(tellsOfLoss, 'its loss');
    const ended = await live.stop();
    seenIn(on(live, 7341), b, 'only0');
    expect(ended.code).toBe(3);
    const [lost] = reportOf(ended).incomplete;
    expect(lost).toMatchObject({ reason: 'interface-lost', interface: 'only0', gap_seconds: null });
    expect(lost?.message).toContain(b.name);
  });

  forEach('names nothing that is there: refused in one sentence', async (args) => {
    const { a } = await twoHosts();
    for (const wrong of ['nosuch', '4194304']) {
      const { code, stdout, stderr } = await beginLive(args(['--netns', wrong]), { ns: a }).ended;
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(wrong);
      expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    }
  });
});

describe('--netns all', () => {
  for (const backend of BACKENDS) {
    const problem = LAB || backendProblem(backend);
    if (problem !== '') {
      testIf(false, problem, `every namespace, by ${backend}`, () => undefined);
      continue;
    }
    itWith(
      ['unshare', 'mount'],
      `every namespace, by ${backend}`,
      async () => {
        const { lab, a, b } = await twoHosts();
        const c = await lab.namespace('c');
        // Other tests make namespaces at the same time: this one sees a /proc and names of its own.
        const live = await startLive(['--ndjson', '--backend', backend, '-d', '60', '--netns', 'all'], {
          ns: a,
          via: 'nsenter',
          before: alone([a, b, c]),
        });
        await Promise.all([loopback(a, 7351), loopback(b, 7352), loopback(c, 7353)]);
        await live.untilResets(3 * TIMES);
        const ended = await live.stop('SIGINT', live.inner);
        const report = reportOf(ended);
        expect(report.incomplete).toEqual([]);
        expect(ended.code).toBe(0);
        seenIn(on(live, 7351), a, 'lo');
        seenIn(on(live, 7352), b, 'lo');
        seenIn(on(live, 7353), c, 'lo');
        expect([...report.source.namespaces].sort()).toEqual([a.name, b.name, c.name].sort());
        expect(live.stderr).toMatch(/this and 2 other network namespaces/);
      },
      TEST_TIMEOUT_MS,
    );
  }
});

/** Words that run a program where no namespaces are but the given ones. */
function alone(namespaces: readonly Namespace[]): string[] {
  const names = namespaces.map(({ name }) => shellQuote(name)).join(' ');
  const script = `
set -e
kept=${shellQuote(tmpDir())}
mount -t tmpfs tmpfs "$kept"
for name in ${names}; do : >"$kept/$name"; mount --bind "/run/netns/$name" "$kept/$name"; done
mount --rbind "$kept" /run/netns
exec "$@"`;
  return ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script, 'sh'];
}
