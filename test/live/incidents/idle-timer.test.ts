/** A firewall forgets connections that were idle for two seconds, and refuses what it does not know; then for a minute. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { labProblem } from '../../support/lab.js';
import { testIf } from '../../support/tools.js';
import {
  causesOf,
  expectFinding,
  watchQuiet,
  there,
  Program,
  watch,
  way,
  type ExpectedFinding,
  type Way,
} from './stage.js';

const PORT = 5432;
const TIMER = 2;
const IDLE_MS = [1200, 1600, 2400, 2700, 3000];
const DEAD = IDLE_MS.filter((ms) => ms > TIMER * 1000);
const FINDING: ExpectedFinding = {
  id: 'idle-timer',
  says: [/10\.66\.2\.2:5432\b/, /\b2\.\d* s\b/],
  next: [/keepalive|nf_conntrack_tcp_timeout_established/i],
};

const problem = labProblem();
let hosts: Way | null = null;
beforeAll(async () => {
  if (problem === '') hosts = await way();
});
afterAll(() => hosts?.lab.destroy());

const timer = (seconds: number): string => `net.netfilter.nf_conntrack_tcp_timeout_established=${seconds}`;

async function firewall({ lab, m }: Way): Promise<void> {
  await lab.nft(
    m,
    'add table inet mid',
    'add chain inet mid forward { type filter hook forward priority 10; }',
    'add rule inet mid forward ct state established,related accept',
    'add rule inet mid forward tcp flags & (syn | ack | rst) == syn ct state new accept',
    'add rule inet mid forward tcp flags & rst == 0 reject with tcp reset',
  );
  // Only now are they there: the rules have it track connections.
  await m.sysctl('net.netfilter.nf_conntrack_tcp_loose=0', timer(TIMER));
}

async function used({ a }: Way, idleMs: readonly number[]): Promise<[number, unknown][]> {
  const pool = Program.start(a, { role: 'pool', host: '10.66.2.2', port: PORT, idleMs });
  await pool.done();
  return pool.said.flatMap((line) => ('idleMs' in line ? [[Number(line['idleMs']), line['outcome']]] : []));
}

describe('a firewall on the way forgets idle connections', () => {
  testIf(problem === '', problem, 'its timer is told; a longer one ends it', async () => {
    const scene = there(hosts);
    await firewall(scene);
    await Program.start(scene.b, { role: 'echo', host: '10.66.2.2', port: PORT }).ready();

    const broken = await watch(scene.a, 'eth0', async () => {
      const found = await used(scene, IDLE_MS);
      expect(found).toEqual(IDLE_MS.map((ms) => [ms, DEAD.includes(ms) ? 'ECONNRESET' : 'answered']));
    });
    expect(broken.packets.unique).toBe(DEAD.length);
    expect(Object.keys(causesOf(broken))).toEqual(['middlebox-reset']);
    for (const { idle_seconds } of broken.events) expect(idle_seconds).toBeLessThan(0.1);
    expectFinding(broken, FINDING);

    // The next step: the timer is raised.
    await scene.m.sysctl(timer(60));
    await watchQuiet(scene.a, 'eth0', async () => {
      expect(await used(scene, DEAD.slice(0, 2))).toEqual(DEAD.slice(0, 2).map((ms) => [ms, 'answered']));
    });
  });
});
