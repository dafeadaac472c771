/** Connects that failed, each way, also those that no packet shows: who, where, how often. */
import { describe, expect } from '@jest/globals';
import type { TwoHosts } from '../../support/lab.js';
import { verdict } from '../../support/names.js';
import { comesTo, refused, together, type Found, type Scenario } from './play.js';

const OUTCOMES = ['refused', 'icmp', 'timed_out', 'abandoned'] as const;
type Outcome = (typeof OUTCOMES)[number];

const FEW = 2;
const MANY = 100;

/** ICMP rejects by this host's own filter and by the other's, and a filter that says nothing. */
async function filters({ lab, a, b }: TwoHosts): Promise<void> {
  const table = (hook: string): string[] => [
    'add table ip rsct_fail',
    `add chain ip rsct_fail c { type filter hook ${hook} priority 0; }`,
  ];
  const rejected = 'reject with icmp type port-unreachable';
  await lab.nft(a, ...table('output'), `add rule ip rsct_fail c tcp dport 7803 ${rejected}`);
  await lab.nft(
    b,
    ...table('input'),
    `add rule ip rsct_fail c tcp dport 7802 ${rejected}`,
    'add rule ip rsct_fail c tcp dport { 7804, 7805 } drop',
  );
  // One more SYN, then the end: three seconds.
  await a.sysctl('net.ipv4.tcp_syn_retries=1', 'net.ipv4.tcp_syn_linear_timeouts=0');
}

/** The one row of that address and port says what the program knows of itself. */
function row({ report, program }: Found, outcome: Outcome, ip: string, port: number, attempts: number): void {
  const rows = report.failed_connects.filter((some) => some.ip === ip && some.port === port);
  const zeros = Object.fromEntries(OUTCOMES.map((name) => [name, 0]));
  expect(program.failed).toHaveLength(attempts);
  const [told] = program.failed;
  expect(rows).toMatchObject([{ ...zeros, ip, port, attempts, [outcome]: attempts }]);
  expect(program.failed.map(({ pid }) => pid)).toContain(rows[0]?.process.pid);
  expect(rows[0]?.process).toMatchObject({ ppid: told?.ppid, parent: told?.parent });
  expect([told?.netns, null]).toContain(rows[0]?.process.netns);
  expect([told?.name, ...(told?.older ?? [])]).toContain(rows[0]?.process.name);
}

function fails(name: string, how: Outcome, host: string, port: number): Scenario {
  return {
    name,
    plan: { scenario: 'fails', how, host, port, times: FEW },
    resets: 0,
    check: (found) => row(found, how, host, port, FEW),
  };
}

describe('failed connects', () => {
  together({ backend: 'tcpdump', prepare: filters }, [
    {
      name: 'refused, a hundred programs that are one',
      plan: { scenario: 'refused', host: '127.0.0.1', port: 7801, times: MANY, bound: true },
      ...refused(MANY),
      check: (found) => {
        expect(found.verdict).toEqual(verdict(MANY, { sender: { none: MANY } }));
        row(found, 'refused', '127.0.0.1', 7801, MANY);
      },
    },
    fails('an ICMP reject from afar', 'icmp', '10.99.0.2', 7802),
    fails("an ICMP reject by this host's own filter", 'icmp', '10.99.0.2', 7803),
    fails('no answer until the kernel gave up', 'timed_out', '10.99.0.2', 7804),
    fails('no answer until the program gave up', 'abandoned', '10.99.0.2', 7805),
    {
      name: 'one that comes through is not among them',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7806, times: FEW },
      ...comesTo(FEW),
      check: ({ report, verdict: found }) => {
        expect(found).toEqual(verdict(FEW));
        expect(report.failed_connects.filter(({ port }) => port === 7806)).toEqual([]);
      },
    },
  ]);
});
