/** What a live report says of the kernel's own count of resets: equal where it is, and each difference explained. */
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Difference, KernelReport, Report } from '../../src/report/types.js';
import { strictly } from '../render/strict-schema.js';
import { Lab, labProblem, natted, poll, twoHosts, type Namespace, type TwoHosts } from '../support/lab.js';
import { testIf } from '../support/tools.js';
import { dial, knock, lingerServer, quietServer } from '../support/traffic.js';
import { BACKENDS, backendProblem, reportOf, startLive, type Backend, type Live, type LiveOptions } from './support.js';

const LAB = labProblem('python3', 'tcpdump');
const MIXED = fileURLToPath(new URL('../support/mixed-resets.py', import.meta.url));
const TEST_TIMEOUT_MS = 180_000;
const LATER_MS = 90_000;
/** A machine that is busy with other things may lose events of the trace; then the program says so, and it is played again. */
const MOST_PLAYS = 3;

const A = '10.99.0.1';
const B = '10.99.0.2';

/** Captures while `act` runs, until the kernel has counted so many resets more than before and they have been captured. */
async function during(
  args: readonly string[],
  options: LiveOptions,
  act: () => Promise<unknown>,
  backend: Backend = 'tcpdump',
): Promise<Report> {
  for (let play = 1; ; play++) {
    const live = await startLive(['--json', '-d', '90', '--backend', backend, ...args], options);
    await act();
    const report = await ended(live);
    const { because } = kernelOf(report).reconciliation;
    if (play < MOST_PLAYS && because !== null && /lost [\d,]+ events?/.test(because)) continue;
    return report;
  }
}

async function ended(live: Live): Promise<Report> {
  const report = reportOf(await live.stop());
  expect(strictly('report')(report)).toEqual([]);
  const { reconciliation: sums, namespaces } = kernelOf(report);
  expect(sums.kernel_counted).toBe(
    sums.captured_sent - sums.not_by_tcp + sums.not_captured + sums.edge + sums.unexplained,
  );
  expect(namespaces.reduce((sum, { out_rsts: n }) => sum + n, 0)).toBe(sums.kernel_counted);
  expect(namespaces.reduce((sum, { captured_sent: n }) => sum + n, 0)).toBe(sums.captured_sent);
  return report;
}

function kernelOf({ kernel }: Report): KernelReport {
  if (kernel === null) throw new Error('there is nothing of the kernel');
  return kernel;
}

function rowOf(report: Report, { inode }: Namespace): KernelReport['namespaces'][number] {
  const row = kernelOf(report).namespaces.find(({ netns }) => netns === inode);
  if (row === undefined) throw new Error(`no row of ${inode}`);
  return row;
}

/** Other namespaces of the machine may send resets meanwhile: these are not of the test. */
function ofTest(report: Report, ...namespaces: readonly Namespace[]): Difference[] {
  const inodes = new Set<number | null>(namespaces.map(({ inode }) => inode));
  return kernelOf(report).reconciliation.differences.filter(
    ({ what, netns }) => what !== 'copy' && (netns === null || inodes.has(netns)),
  );
}

/** Resets of five kinds from b to a, and on b's own loopback: of each kind `times`, at both. */
async function mixed({ a, b }: TwoHosts, times: number): Promise<void> {
  const servers = [B, '127.0.0.1'].map((host) =>
    b.start(['python3', MIXED, 'serve', host, '9000'], { via: 'nsenter' }),
  );
  await Promise.all(servers.map((server) => once(server.stdout, 'data')));
  const go = ['python3', MIXED, 'go'];
  const played = await Promise.all([
    a.exec([...go, B, '9000', String(times)], { via: 'nsenter', timeoutMs: LATER_MS }),
    b.exec([...go, '127.0.0.1', '9000', String(times)], { via: 'nsenter', timeoutMs: LATER_MS }),
  ]);
  expect(played.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ''],
    [0, ''],
  ]);
  for (const server of servers) server.stdin.end();
}

async function outRsts(ns: Namespace): Promise<number> {
  const { stdout } = await ns.exec(['cat', '/proc/net/snmp'], { via: 'nsenter' });
  const [names = '', values = ''] = stdout.split('\n').filter((line) => line.startsWith('Tcp:'));
  return Number(values.split(' ')[names.split(' ').indexOf('OutRsts')]);
}

describe('captured, traced and counted', () => {
  for (const backend of BACKENDS) {
    const problem = LAB || backendProblem(backend);
    const times = backend === 'cap' ? 200 : 1000;

    testIf(
      problem === '',
      problem,
      `${10 * times} mixed resets in two namespaces are as many each way: nothing missed, by ${backend}`,
      async () => {
        const hosts = await twoHosts();
        const { a, b } = hosts;
        const play = async (): Promise<{ report: Report; counted: number[] }> => {
          const before = await Promise.all([outRsts(a), outRsts(b)]);
          const made = await during(['--netns', b.name], { ns: a }, () => mixed(hosts, times), backend);
          const after = await Promise.all([outRsts(a), outRsts(b)]);
          return { report: made, counted: after.map((n, at) => n - (before[at] ?? 0)) };
        };
        let { report, counted } = await play();
        // On a busy machine cap loses packets and cannot say so; then the kernel's count does, and it is played again.
        for (let plays = 1; plays < MOST_PLAYS && kernelOf(report).reconciliation.unexplained > 0; plays++) {
          expect(kernelOf(report).reconciliation.nothing_missed).toBe(false);
          ({ report, counted } = await play());
        }
        const { reconciliation: sums, aborts, received, counters } = kernelOf(report);
        expect(counted.reduce((x, y) => x + y, 0)).toBeGreaterThanOrEqual(10 * times);
        for (const [i, ns] of [a, b].entries()) {
          const row = rowOf(report, ns);
          const all = { out_rsts: counted[i], captured_sent: counted[i], traced: counted[i] };
          expect(row).toMatchObject({ name: ns.name, captured: true, not_by_tcp: 0, ...all });
        }
        expect(sums).toMatchObject({ exact: true, because: null, not_by_tcp: 0, edge: 0, unexplained: 0 });
        // Of ten thousand one or two may be answers of a listener, of which the trace does not tell the other end.
        const differences = ofTest(report, a, b);
        expect(differences.filter(({ what }) => what !== 'doubtful')).toEqual([]);
        expect(differences.reduce((sum, { resets }) => sum + resets, 0)).toBeLessThan(20);
        // Nobody else in these namespaces; others of the machine may have sent some, and are named then.
        if (sums.not_captured + differences.length === 0) expect(sums.nothing_missed).toBe(true);
        expect(counters['TCPAbortOnClose']).toBe(2 * times);
        expect(received.captured).toBeGreaterThanOrEqual(10 * times);
        // Only where no copy was too late to be folded: else causes are counted more often than resets were sent.
        for (const { counter, delta, resets, agrees, message } of aborts) {
          expect(message).toContain(counter);
          expect(agrees).toBe(delta === resets);
          if (counter === 'TCPAbortOnClose') expect(resets).toBe(delta);
        }
      },
      TEST_TIMEOUT_MS,
    );
  }

  testIf(
    LAB === '',
    LAB,
    "a packet filter's resets are told apart, exactly, and so are those that it kept from leaving",
    async () => {
      const { a, b, lab } = await twoHosts();
      await lab.reject(b, 'input', 7404);
      await lab.nft(
        b,
        'add table inet rsct_drop',
        'add chain inet rsct_drop out { type filter hook output priority 0; }',
        'add rule inet rsct_drop out tcp sport 7403 tcp flags & rst == rst drop',
      );
      const report = await during([], { ns: b }, async () => {
        await knock({ ns: a, host: B, port: 7404, times: 100 }).done;
        await knock({ ns: a, host: B, port: 7405, times: 50 }).done;
        // Its answers never leave: the connect waits, and is ended.
        const lost = knock({ ns: a, host: B, port: 7403 });
        const before = await outRsts(b);
        await poll(async () => (await outRsts(b)) >= before, 5000, 'the kernel to count');
        await lost.stop().catch(() => undefined);
      });
      const { reconciliation: sums } = kernelOf(report);
      const row = rowOf(report, b);
      expect(sums).toMatchObject({ exact: true, not_by_tcp: 100, nothing_missed: false });
      expect(row).toMatchObject({ captured_sent: 150, not_by_tcp: 100 });
      // The SYN that was not answered may have been sent again.
      expect(row.out_rsts).toBeGreaterThan(50);
      expect(row.traced).toBe(row.out_rsts);
      expect(sums.unexplained).toBe(row.out_rsts - 50);
      const foreign = ofTest(report, b).find(({ what }) => what === 'not_by_tcp');
      expect(foreign?.message).toBe(
        `100 resets not sent by TCP but by a packet filter or a raw socket: 100 from ${B}:7404`,
      );
      const lost = ofTest(report, b).find(({ what }) => what === 'unexplained');
      expect(lost?.message).toContain(`that the kernel counted and no interface showed (${B}:7403 to ${A}:`);
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'a namespace that was not captured in is named, with the command that would see it',
    async () => {
      const { a, b } = await twoHosts();
      const report = await during([], { ns: a }, async () => {
        await knock({ ns: b, host: '127.0.0.1', port: 7411, times: 30 }).done;
        await knock({ ns: b, host: '::1', port: 7411, times: 3 }).done;
        await knock({ ns: a, host: '127.0.0.1', port: 7412, times: 20 }).done;
      });
      expect(rowOf(report, a)).toMatchObject({ captured: true, out_rsts: 20, captured_sent: 20, traced: 20 });
      expect(rowOf(report, b)).toMatchObject({ captured: false, out_rsts: 33, captured_sent: 0, traced: 33 });
      expect(ofTest(report, a, b)).toEqual([
        {
          what: 'not_captured',
          resets: 33,
          netns: b.inode,
          name: b.name,
          message: `33 resets sent in network namespace ${b.name}, which was not captured in`,
          next_step: `sudo rstscope live --netns ${b.name}`,
        },
      ]);
      expect(kernelOf(report).reconciliation).toMatchObject({ unexplained: 0, nothing_missed: false });
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'what another namespace sends by way of a captured one is captured, and counted as its own',
    async () => {
      const { a, b } = await twoHosts();
      const report = await during([], { ns: a }, () => knock({ ns: a, host: B, port: 7421, times: 25 }).done);
      expect(rowOf(report, b)).toMatchObject({ captured: false, out_rsts: 25, captured_sent: 25, traced: 25 });
      expect(rowOf(report, a)).toMatchObject({ captured: true, out_rsts: 0, captured_sent: 0 });
      expect(ofTest(report, a, b)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    "behind a bridge and a NAT a container's reset is one, sent and counted in the container",
    async () => {
      const { app, host, far } = await natted();
      const report = await during([], { ns: host }, async () => {
        await knock({ ns: far, host: '192.0.2.1', port: 443, times: 20 }).done;
        await knock({ ns: far, host: 'fd00:2::1', port: 443, times: 20 }).done;
        // The host's own, beside them.
        await knock({ ns: far, host: '192.0.2.1', port: 7426, times: 10 }).done;
      });
      expect(rowOf(report, app)).toMatchObject({ captured: false, out_rsts: 40, captured_sent: 40, traced: 40 });
      expect(rowOf(report, host)).toMatchObject({ captured: true, out_rsts: 10, captured_sent: 10, traced: 10 });
      expect(ofTest(report, app, host)).toEqual([]);
      expect(kernelOf(report).reconciliation).toMatchObject({ exact: true, not_by_tcp: 0, unexplained: 0 });
    },
    TEST_TIMEOUT_MS,
  );

  const nmap = LAB || labProblem('nmap');
  testIf(
    nmap === '',
    nmap,
    "a packet filter's reset from a listener's port does not pass for the listener's own, which was lost",
    async () => {
      const { a, b, lab } = await twoHosts();
      await lab.address(a, 'eth0', '10.99.0.3/24');
      await quietServer({ ns: b, host: B, port: 7429 });
      await lab.nft(
        b,
        'add table inet rsct_both',
        'add chain inet rsct_both out { type filter hook postrouting priority 0; }',
        'add rule inet rsct_both out ip daddr 10.99.0.3 tcp sport 7429 tcp flags & rst == rst drop',
        'add chain inet rsct_both in { type filter hook input priority 0; }',
        `add rule inet rsct_both in ip saddr ${A} tcp dport 7429 reject with tcp reset`,
      );
      const scan = (how: string, from: string): Promise<unknown> => {
        const words = ['nmap', '-n', '-Pn', how, '-p', '7429', '-S', from, '-e', 'eth0', '--max-retries', '0', B];
        return a.exec(words, { via: 'nsenter' });
      };
      const report = await during([], { ns: b }, async () => {
        await scan('-sA', '10.99.0.3');
        await scan('-sS', A);
      });
      const { reconciliation: sums } = kernelOf(report);
      expect(rowOf(report, b).out_rsts).toBeGreaterThan(0);
      expect(sums).toMatchObject({ exact: true, nothing_missed: false });
      // Told by port and time only, or as one that was lost and one of somebody else: never as a proof.
      const [first] = ofTest(report, b);
      expect(['doubtful', 'not_by_tcp']).toContain(first?.what);
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'what NAT on the host itself makes of its resets is no packet filter’s, and not lost',
    async () => {
      const { a, b, lab } = await twoHosts();
      await lab.nft(
        b,
        'add table ip rsct_own',
        'add chain ip rsct_own pre { type nat hook prerouting priority -100; }',
        'add rule ip rsct_own pre tcp dport 7430 redirect to :7439',
      );
      const report = await during([], { ns: b }, () => knock({ ns: a, host: B, port: 7430, times: 5 }).done);
      expect(rowOf(report, b)).toMatchObject({ out_rsts: 5, captured_sent: 5, not_by_tcp: 0, traced: 5 });
      expect(kernelOf(report).reconciliation).toMatchObject({ not_by_tcp: 0, unexplained: 0, nothing_missed: false });
      expect(ofTest(report, b)).toMatchObject([{ what: 'doubtful', resets: 5 }]);
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'a namespace that comes and goes meanwhile is told of by the trace',
    async () => {
      const { a } = await twoHosts();
      const report = await during([], { ns: a }, async () => {
        const brief = await Lab.create();
        const ns = await brief.namespace('brief');
        await knock({ ns, host: '127.0.0.1', port: 7427, times: 15 }).done;
        await brief.destroy();
      });
      const { reconciliation: sums, namespaces } = kernelOf(report);
      expect(rowOf(report, a)).toMatchObject({ out_rsts: 0, captured_sent: 0 });
      // By its counter if that was read before it went, else by the trace.
      const others = namespaces.filter(({ captured }) => !captured);
      expect(others.reduce((sum, { out_rsts: n }) => sum + n, 0)).toBeGreaterThanOrEqual(15);
      expect(sums.not_captured).toBeGreaterThanOrEqual(15);
      expect(sums).toMatchObject({ exact: true, nothing_missed: false, unexplained: 0 });
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'a captured namespace that is removed meanwhile is no contradiction',
    async () => {
      const { a, lab } = await twoHosts();
      const gone = await lab.namespace('gone');
      const report = await during(['--netns', gone.name], { ns: a }, async () => {
        await knock({ ns: gone, host: '127.0.0.1', port: 7428, times: 15 }).done;
        await a.exec(['ip', 'netns', 'del', gone.name], { via: 'nsenter' });
      });
      expect(rowOf(report, gone)).toMatchObject({ captured: true, out_rsts: 15, captured_sent: 15, traced: 15 });
      expect(kernelOf(report).reconciliation).toMatchObject({ exact: true, not_by_tcp: 0, unexplained: 0 });
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'what an interface or a filter leaves out is no loss, and is said',
    async () => {
      const { a, b } = await twoHosts();
      const act = async (): Promise<void> => {
        await knock({ ns: b, host: '127.0.0.1', port: 7431, times: 20 }).done;
        await knock({ ns: a, host: B, port: 7432, times: 10 }).done;
      };
      const ways: [string[], RegExp][] = [
        [
          ['-i', 'eth0'],
          /^20 resets more counted: not captured, as by an interface that was not listened to \(only eth0 was\)/,
        ],
        [['port 7432'], /^20 resets more counted: not captured, as by the filter "port 7432"$/],
      ];
      for (const [args, words] of ways) {
        const report = await during(args, { ns: b }, act);
        expect(rowOf(report, b)).toMatchObject({ out_rsts: 30, captured_sent: 10 });
        expect(kernelOf(report).reconciliation).toMatchObject({ unexplained: 0, nothing_missed: false });
        const [difference, ...more] = ofTest(report, b);
        expect(difference).toMatchObject({ what: 'not_captured', resets: 20 });
        expect(difference?.message).toMatch(words);
        expect(more).toEqual([]);
      }
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'resets while the capture opens and closes are at the edge, and nothing between is missed',
    async () => {
      const { a, b } = await twoHosts();
      const traffic = knock({ ns: a, host: B, port: 7441, times: 4000, everyMs: 1, forMs: 20_000 });
      await poll(() => traffic.truth.length > 100, 10_000, 'traffic');
      const report = await during([], { ns: b }, () => poll(() => traffic.truth.length > 1500, 15_000, 'more traffic'));
      await traffic.stop();
      const { reconciliation: sums } = kernelOf(report);
      expect(sums.exact).toBe(true);
      expect(sums.edge).toBeGreaterThan(0);
      expect(sums).toMatchObject({ not_by_tcp: 0, unexplained: 0 });
      expect(ofTest(report, b).map(({ what }) => what)).toEqual(['edge']);
      if (sums.not_captured === 0) expect(sums.nothing_missed).toBe(true);
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'without the trace only sums are compared, and nothing is said to be whole',
    async () => {
      const { a, b, lab } = await twoHosts();
      await lab.reject(b, 'input', 7454);
      const report = await during(['--no-trace'], { ns: b }, async () => {
        await knock({ ns: a, host: B, port: 7451, times: 40 }).done;
      });
      const { reconciliation: sums, received } = kernelOf(report);
      expect(rowOf(report, b)).toMatchObject({ out_rsts: 40, captured_sent: 40, traced: null });
      expect(sums).toMatchObject({ exact: false, nothing_missed: false, because: 'the kernel is not traced' });
      expect(received.taken).toBeNull();
      const rejected = await during(['--no-trace'], { ns: b }, async () => {
        await knock({ ns: a, host: B, port: 7454, times: 15 }).done;
      });
      expect(kernelOf(rejected).reconciliation).toMatchObject({ not_by_tcp: 15, nothing_missed: false });
      expect(ofTest(rejected, b)[0]?.message).toMatch(/^at least 15 resets not sent by TCP/);
    },
    TEST_TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'in words: the line that one wants to read, and never when it is not so',
    async () => {
      const { a, b, lab } = await twoHosts();
      await lab.reject(b, 'input', 7464);
      const run = async (act: () => Promise<unknown>): Promise<string> => {
        const live = await startLive(['-d', '60', '--backend', 'tcpdump'], { ns: b });
        await act();
        const { stdout } = await live.stop();
        return stdout.slice(stdout.indexOf("The kernel's count")).replaceAll(/\s+/g, ' ');
      };
      const server = await lingerServer({ ns: b, host: B, port: 7461 });
      const whole = await run(() => dial({ ns: a, host: B, port: 7461, times: 12 }).done);
      await server.stop();
      // Others of the machine may have sent resets too: then they are named, and it is not said.
      if (!whole.includes('which was not captured in')) {
        expect(whole).toContain('12 sent, 12 counted by the kernel: nothing missed');
      }
      expect(whole).toContain('TCPAbortOnData rose by 12, and 12 resets are abort-linger');
      const rejected = await run(() => knock({ ns: a, host: B, port: 7464, times: 7 }).done);
      expect(rejected).toContain('7 sent, 0 counted by the kernel');
      expect(rejected).toContain('7 resets not sent by TCP but by a packet filter or a raw socket');
      const other = await run(() => knock({ ns: a, host: '127.0.0.1', port: 7465, times: 5 }).done);
      expect(other).not.toContain('nothing missed');
      expect(other).toContain(`5 resets sent in network namespace ${a.name}, which was not captured in`);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('alerts of a live report', () => {
  testIf(
    LAB === '',
    LAB,
    'tell how far they are, with the value so far',
    async () => {
      const { b } = await twoHosts();
      const live = await startLive(['--json', '-d', '3', '--backend', 'tcpdump'], { ns: b });
      await knock({ ns: b, host: '127.0.0.1', port: 7471, times: 30 }).done;
      const { alerts } = reportOf(await live.ended);
      expect(alerts.map(({ id, state }) => [id, state])).toEqual([
        ['netdata_resets_sent', 'undefined'],
        ['netdata_resets_received', 'undefined'],
        ['logicmonitor_failed_connections', 'undefined'],
      ]);
      expect(alerts[0]?.reason).toMatch(/^needs 70 s, has [3-9]\b/);
      expect(alerts[0]?.value).toBeGreaterThan(0);
    },
    TEST_TIMEOUT_MS,
  );

  test('a saved capture has nothing of the kernel', async () => {
    const { runCli } = await import('../support/run.js');
    const { stdout } = await runCli(['read', '--json', 'test/pcaps/demo.pcapng']);
    expect(JSON.parse(stdout)).toMatchObject({ kernel: null, alerts: [] });
  });
});
