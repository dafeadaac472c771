/** Patterns while a capture runs: who streams hears of them when they show, and filters go by them as soon as they can. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { labProblem, twoHosts, type TwoHosts } from '../support/lab.js';
import { testIf } from '../support/tools.js';
import { knock } from '../support/traffic.js';
import { reportOf, revised, startLive } from './support.js';

const PORT = 7211;
const problem = labProblem();
const it = (name: string, body: () => Promise<void>): void => testIf(problem === '', problem, name, body);

let hosts: TwoHosts | null = null;
beforeAll(async () => {
  if (problem === '') hosts = await twoHosts();
});
afterAll(() => hosts?.lab.destroy());

function scene(): TwoHosts {
  if (hosts === null) throw new Error('there is no lab');
  return hosts;
}

/** A loop of refused connects, and one refused connect elsewhere. */
async function loop(times: number, everyMs: number): Promise<void> {
  const { a } = scene();
  await knock({ ns: a, host: '10.99.0.2', port: 9999 }).done;
  await knock({ ns: a, host: '10.99.0.2', port: PORT, times, everyMs }).done;
}

describe('a loop that is captured as it goes', () => {
  it('is told to whoever had its first resets, and to nobody else', async () => {
    const live = await startLive(['-i', 'eth0', '-d', '0', '--ndjson'], { ns: scene().b });
    await loop(12, 100);
    await live.untilResets(13);
    const report = reportOf(await live.stop());
    const events = revised(live);
    expect(events.filter(({ pattern }) => pattern === 'retry-loop').length).toBe(12);
    expect(events.filter(({ pattern }) => pattern === null).map(({ service_port }) => service_port)).toEqual([9999]);
    expect(report.patterns).toMatchObject([{ pattern: 'retry-loop', resets: 12, port: PORT }]);
  });

  it('left out: most of its lines are not written, those that were are revised, the report has none', async () => {
    const args = ['-i', 'eth0', '-d', '0', '--ndjson', '--exclude-pattern', 'retry-loop'];
    const live = await startLive(args, { ns: scene().b });
    await loop(100, 100);
    await sleep(600);
    const report = reportOf(await live.stop());
    expect(report.packets).toMatchObject({ unique: 101, filtered_out: 100 });
    expect(report.findings).toEqual([]);
    // Seven seconds and a half after the first, it is known what they are part of.
    expect(live.resets.length).toBeLessThan(96);
    expect(revised(live).filter(({ pattern }) => pattern === null).length).toBe(1);
  });

  it('asked for: it ends after as many as were wanted', async () => {
    const args = ['-i', 'eth0', '-d', '60', '-c', '5', '--json', '--pattern', 'retry-loop'];
    const live = await startLive(args, { ns: scene().b });
    await loop(120, 100);
    const report = reportOf(await live.ended);
    expect(report.patterns).toMatchObject([{ pattern: 'retry-loop', resets: 5 }]);
    expect(report.window.seconds).toBeLessThan(20);
  });
});
