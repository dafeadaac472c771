/** A server under load is killed with data unread; then it is started again. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { labProblem, twoHosts, type TwoHosts } from '../../support/lab.js';
import { testIf } from '../../support/tools.js';
import { causesOf, expectFinding, watchQuiet, there, Program, watch, type ExpectedFinding } from './stage.js';

const PORT = 8443;
const CONNECTIONS = 8;
const FINDING: ExpectedFinding = {
  id: 'service-restarted',
  says: [/10\.99\.0\.2:8443\b/, /\bkilled\b/i],
  next: [/journalctl|dmesg|systemctl/],
};

const problem = labProblem();
let hosts: TwoHosts | null = null;
beforeAll(async () => {
  if (problem === '') hosts = await twoHosts();
});
afterAll(() => hosts?.lab.destroy());

describe('a server is killed under load', () => {
  testIf(problem === '', problem, 'it is named as killed; started again it serves', async () => {
    const { a, b } = there(hosts);
    const server = { role: 'ledger', host: '10.99.0.2', port: PORT, clients: CONNECTIONS, busyMs: 1000 };
    const clients = { role: 'feeder', host: '10.99.0.2', port: PORT, connections: CONNECTIONS, forMs: 4000 };
    const ledger = Program.start(b, server);
    await ledger.ready();

    const broken = await watch(b, 'eth0', async () => {
      const feeder = Program.start(a, clients);
      await feeder.ready(CONNECTIONS);
      await ledger.until(() => ledger.said.some((line) => 'busy' in line), 'it was busy');
      await sleep(300);
      await ledger.end('SIGKILL');
      await feeder.until(() => feeder.outcomes.length === CONNECTIONS, 'all had ended');
      expect(feeder.outcomes.filter((one) => one === 'ECONNRESET' || one === 'EPIPE').length).toBe(CONNECTIONS);
    });
    const unread = broken.events.filter(({ cause }) => cause === 'abort-unread-data');
    // One that had nothing unread at that moment says FIN, and a reset to what comes then.
    expect(unread.length).toBeGreaterThanOrEqual(CONNECTIONS / 2);
    expect(causesOf(broken)).toEqual({
      'abort-unread-data': unread.length,
      ...(broken.packets.unique > unread.length ? { 'late-data': broken.packets.unique - unread.length } : {}),
    });
    for (const { confidence, kernel_path } of unread) expect([confidence, kernel_path]).toEqual(['certain', 'killed']);
    // Its last thread does it, which was there before it was looked at.
    expect([...new Set(unread.map(({ sender }) => sender?.pid))]).toEqual([ledger.pid]);
    expectFinding(broken, { ...FINDING, says: [...FINDING.says, /\bledger\b/] });

    // The next step: it is started again.
    await Program.start(b, server).ready();
    await watchQuiet(b, 'eth0', async () => {
      const feeder = Program.start(a, { ...clients, forMs: 300 });
      await feeder.until(() => feeder.outcomes.length === CONNECTIONS, 'all had ended');
      expect(feeder.outcomes).toEqual(Array.from({ length: CONNECTIONS }, () => 'closed'));
    });
  });
});
