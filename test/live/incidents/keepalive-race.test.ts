/** A proxy of Node keeps connections to nginx for as long as nginx does: now and then a 502. Then nginx keeps them longer. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { labProblem, poll } from '../../support/lab.js';
import { tmpDir } from '../../support/run.js';
import { testIf } from '../../support/tools.js';
import { expectFinding, watchQuiet, there, far, Program, watch, way, type ExpectedFinding, type Way } from './stage.js';

const PORT = 8080;
const DELAY_MS = 150;
/**
 * nginx closes a second after its answer, which is a way older when it comes. A request is sent while the FIN is on its
 * way: from a way before that, until a way after.
 */
const EVERY_MS = 1000 - DELAY_MS;
const RACES = 2;
/** A machine that stands still for a moment misses one. */
const MOST = 8;
const FINDING: ExpectedFinding = {
  id: 'keepalive-race',
  says: [/10\.66\.2\.2:8080\b/, /\b1(\.0\d*)? s\b/],
  next: [/keepalive_timeout|keep-alive|keepAlive/i],
};

const problem = existsSync('/dev/net/tun') ? labProblem('nginx', 'python3') : 'needs /dev/net/tun';
let hosts: Way | null = null;
beforeAll(async () => {
  if (problem === '') hosts = await way();
});
afterAll(() => hosts?.lab.destroy());

async function nginx({ b }: Way, keepalive: string): Promise<{ end: () => Promise<void> }> {
  const folder = tmpDir();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; user root; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 64; }
     http { access_log off; ${temporary.join(' ')} keepalive_timeout ${keepalive};
            server { listen 10.66.2.2:${PORT}; location / { return 200 "hello\\n"; } } }`,
  );
  const child = b.start(['nginx', '-e', `${folder}/error.log`, '-c', file], { via: 'nsenter' });
  await poll(async () => (await b.exec(['ss', '-Htln', `sport = :${PORT}`])).stdout !== '', 5000, 'nginx to listen');
  return {
    end: async () => {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function asked({ a }: Way, most: number): Promise<unknown[]> {
  const plan = { role: 'gateway', host: '10.66.2.2', port: PORT, most, failures: RACES, everyMs: EVERY_MS };
  const gateway = Program.start(a, plan);
  await gateway.done();
  await gateway.end();
  return gateway.outcomes;
}

describe('a proxy and its upstream have the same timer', () => {
  testIf(problem === '', problem, 'the race is told with the timer; a longer one ends it', async () => {
    const scene = there(hosts);
    await far(scene, DELAY_MS);
    const short = await nginx(scene, '1s');

    const broken = await watch(scene.b, 'eth0', async () => {
      const outcomes = await asked(scene, MOST);
      expect(outcomes.filter((one) => one === 502)).toHaveLength(RACES);
    });
    const raced = broken.events.filter(({ cause }) => cause === 'late-data');
    expect(new Set(raced.map(({ dest_port }) => dest_port)).size).toBe(RACES);
    // What answers the client's FIN afterwards is no filter's either: the kernel has a word for each.
    expect(broken.events.filter(({ kernel_reason }) => kernel_reason === null)).toEqual([]);
    expect(new Set(broken.events.map(({ reset_by, service_port }) => [reset_by, service_port].join()))).toEqual(
      new Set([`server,${PORT}`]),
    );
    expectFinding(broken, FINDING);

    // The next step: nginx keeps connections for longer than its client.
    await short.end();
    await nginx(scene, '75s');
    await watchQuiet(scene.b, 'eth0', async () => {
      expect(await asked(scene, 2)).toEqual([200, 200]);
    });
  });
});
