/** A collector that knocks every half second at a port where nothing listens; then something does. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { labProblem, twoHosts, type TwoHosts } from '../../support/lab.js';
import { testIf } from '../../support/tools.js';
import { causesOf, expectFinding, watchQuiet, there, Program, watch, type ExpectedFinding } from './stage.js';

const PORT = 7211;
const EVERY_MS = 500;
const FINDING: ExpectedFinding = {
  id: 'knocking-client',
  says: [/\bcollector\b/, /127\.0\.0\.1:7211\b/, / every 0\.(4[5-9]|5[0-5]?) s\b/],
  next: [/7211/],
};

const problem = labProblem();
let hosts: TwoHosts | null = null;
beforeAll(async () => {
  if (problem === '') hosts = await twoHosts();
});
afterAll(() => hosts?.lab.destroy());

describe('a collector knocks at a dead port', () => {
  testIf(problem === '', problem, 'it is named with port and interval; once somebody listens it is quiet', async () => {
    const { a } = there(hosts);
    const collector = Program.start(a, { role: 'collector', host: '127.0.0.1', port: PORT, everyMs: EVERY_MS });
    const tried = (count: number): Promise<void> => {
      const before = collector.outcomes.length;
      return collector.until(() => collector.outcomes.length >= before + count, `${count} more`);
    };
    await tried(1);

    const broken = await watch(a, 'lo', () => tried(5));
    expect(causesOf(broken)).toEqual({ 'closed-port': broken.packets.unique });
    expect(broken.packets.unique).toBeGreaterThanOrEqual(5);
    // The first one's connect may have been before the trace.
    const named = broken.events.flatMap(({ receiver }) => receiver ?? []);
    expect(named.length).toBeGreaterThanOrEqual(broken.packets.unique - 1);
    expect(new Set(named.map(({ pid, name }) => `${name ?? ''} ${pid}`))).toEqual(
      new Set([`collector ${collector.pid}`]),
    );
    expect(broken.failed_connects).toMatchObject([{ port: PORT, process: { name: 'collector' } }]);
    expectFinding(broken, FINDING);

    // The next step: somebody listens there.
    await Program.start(a, { role: 'echo', host: '127.0.0.1', port: PORT }).ready();
    await watchQuiet(a, 'lo', () => tried(2));
    expect(collector.outcomes.slice(-2)).toEqual(['connected', 'connected']);
  });
});
