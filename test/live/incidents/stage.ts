/**
 * The stage of the incidents: programs with names, hosts with a router between them, and `rstscope live` that looks on
 * while something is played.
 */
import { expect } from '@jest/globals';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../../src/report/types.js';
import { Lab, poll, type Namespace } from '../../support/lab.js';
import { REPOSITORY } from '../../support/run.js';
import { reportOf, startLive } from '../support.js';

const PROGRAMS = fileURLToPath(new URL('./programs.mjs', import.meta.url));
const FAR = path.join(REPOSITORY, 'test/lab/far.py');
const TIMEOUT_MS = 10_000;
/** What is on its way when the play is over. */
const AFTERWARDS_MS = 400;

/** Of connections that both ends had closed: a machine that stands still for 0.2 s sends a FIN again. */
const OVER: ReadonlySet<string> = new Set(['close-reset', 'time-wait-assassination']);

export interface ExpectedFinding {
  readonly id: string;
  /** What its sentence names. */
  readonly says: readonly RegExp[];
  /** What its next steps name, in any of them. */
  readonly next: readonly RegExp[];
}

/** One of the programs of programs.mjs, at work. */
export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly said: Record<string, unknown>[] = [];
  private stderr = '';

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      this.said.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk));
    child.stdin.on('error', () => undefined);
  }

  static start(ns: Namespace, plan: { readonly role: string; readonly [key: string]: unknown }): Program {
    return new Program(ns.start([process.execPath, PROGRAMS, JSON.stringify(plan)], { via: 'nsenter' }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What became of each thing that it tried. */
  get outcomes(): unknown[] {
    return this.said.flatMap((line) => ('outcome' in line ? [line['outcome']] : []));
  }

  async until(done: () => boolean, what: string): Promise<void> {
    await poll(() => done() || this.child.exitCode !== null, TIMEOUT_MS, what);
    if (!done()) throw new Error(`it ended before ${what}: ${this.stderr}`);
  }

  ready(times = 1): Promise<void> {
    return this.until(() => this.said.filter((line) => 'ready' in line).length >= times, 'it was ready');
  }

  async done(): Promise<void> {
    await this.until(() => this.said.some((line) => 'done' in line), 'it was done');
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    await ended;
  }
}

export interface Way {
  readonly lab: Lab;
  /** eth0 10.66.1.2 */
  readonly a: Namespace;
  /** eth0 10.66.1.1, eth1 10.66.2.1; it forwards. */
  readonly m: Namespace;
  /** eth0 10.66.2.2 */
  readonly b: Namespace;
}

/** Two hosts with a router between. */
export async function way(): Promise<Way> {
  const lab = await Lab.create();
  const [a, m, b] = [await lab.namespace('a'), await lab.namespace('m'), await lab.namespace('b')];
  await lab.veth(
    { ns: a, name: 'eth0', addresses: '10.66.1.2/24' },
    { ns: m, name: 'eth0', addresses: '10.66.1.1/24' },
  );
  await lab.veth(
    { ns: b, name: 'eth0', addresses: '10.66.2.2/24' },
    { ns: m, name: 'eth1', addresses: '10.66.2.1/24' },
  );
  await lab.route(a, 'default', '10.66.1.1');
  await lab.route(b, 'default', '10.66.2.1');
  await lab.forwarding(m);
  return { lab, a, m, b };
}

/** What passes the router takes so long, each way. */
export async function far({ m }: Way, delayMs: number): Promise<void> {
  const child = m.start(['python3', FAR, '--delay', String(delayMs), 'eth0', 'eth1'], { via: 'nsenter' });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await poll(() => said.includes('ready') || child.exitCode !== null, TIMEOUT_MS, 'the long way');
  if (child.exitCode !== null) throw new Error(`there is no long way: ${said}`);
}

/** What `rstscope live` says of what is played meanwhile. */
export async function watch(
  ns: Namespace,
  device: string,
  play: () => Promise<unknown>,
  more: readonly string[] = [],
): Promise<Report> {
  const args = ['--json', '--events', '--context', 'full', '-i', device, '-d', '0', ...more];
  const live = await startLive(args, { ns, via: 'nsenter' });
  await play();
  await sleep(AFTERWARDS_MS);
  return reportOf(await live.stop());
}

/** A scene that was set. */
export function there<Scene>(scene: Scene | null): Scene {
  if (scene === null) throw new Error('there is no lab');
  return scene;
}

/** The finding is there, names what it should, and tells what to do. */
export function expectFinding(report: Report, expected: ExpectedFinding): void {
  const found = report.findings.find(({ id }) => id === expected.id);
  expect(report.findings.map(({ id }) => id)).toContain(expected.id);
  if (found === undefined) return;
  for (const words of expected.says) expect(found.summary).toMatch(words);
  for (const words of expected.next) expect(found.next_steps.join('\n')).toMatch(words);
}

/** The same again, once what was wrong is mended: no reset, and nothing to tell. Whose they were is not asked. */
export async function watchQuiet(ns: Namespace, device: string, play: () => Promise<unknown>): Promise<void> {
  const report = await watch(ns, device, play, ['--no-trace', '--no-process']);
  const harmful = report.events.filter(({ cause }) => !OVER.has(cause));
  expect(harmful.map(({ cause, src_ip, src_port }) => [cause, src_ip, src_port])).toEqual([]);
  expect(report.findings.filter(({ id }) => id !== 'no-action')).toEqual([]);
}

/** How many resets of each cause there were. */
export function causesOf(report: Report): Record<string, number> {
  return Object.fromEntries(report.causes.map(({ cause, resets }) => [cause, resets]));
}
