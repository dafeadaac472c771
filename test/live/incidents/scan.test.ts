/** nmap looks at a host's ports; then the host drops what comes from there. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { labProblem, twoHosts, type TwoHosts } from '../../support/lab.js';
import { testIf } from '../../support/tools.js';
import { expectFinding, watchQuiet, there, Program, watch, type ExpectedFinding } from './stage.js';

const OPEN = 8443;
const PORTS = '20-25,79-83,110,111,135,139,143,389,443,445,993,995,8443';
const COUNT = 22;
const FINDING: ExpectedFinding = {
  id: 'scan',
  says: [/10\.99\.0\.1\b/, /10\.99\.0\.2\b/, /\b22 ports\b/],
  next: [/10\.99\.0\.1/],
};

const problem = labProblem('nmap');
let hosts: TwoHosts | null = null;
beforeAll(async () => {
  if (problem === '') hosts = await twoHosts();
});
afterAll(() => hosts?.lab.destroy());

describe('nmap looks at a host', () => {
  testIf(problem === '', problem, 'the scan is told with its source; dropped, it gets no answer', async () => {
    const { lab, a, b } = there(hosts);
    await Program.start(b, { role: 'echo', host: '10.99.0.2', port: OPEN }).ready();
    const scan = async (...patience: readonly string[]): Promise<string> => {
      const fixed = ['nmap', '-sS', '-n', '-Pn', '-T4', ...patience];
      return (await a.exec([...fixed, '-p', PORTS, '10.99.0.2'], { via: 'nsenter' })).stdout;
    };

    const broken = await watch(b, 'eth0', async () => {
      expect(await scan()).toMatch(/8443\/tcp\s+open/);
    });
    expect(broken.causes.map(({ cause, resets }) => [cause, resets])).toEqual([
      ['closed-port', COUNT - 1],
      ['client-gave-up', 1],
    ]);
    expect(new Set(broken.ports.map(({ port }) => port)).size).toBe(COUNT);
    expectFinding(broken, FINDING);

    // The next step: what comes from there is dropped.
    await lab.nft(
      b,
      'add table inet guard',
      'add chain inet guard input { type filter hook input priority 0; }',
      'add rule inet guard input ip saddr 10.99.0.1 drop',
    );
    await watchQuiet(b, 'eth0', async () => {
      expect(await scan('--max-retries', '0', '--max-rtt-timeout', '100ms')).not.toMatch(/open\s/);
    });
  });
});
