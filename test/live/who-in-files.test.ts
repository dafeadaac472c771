/** `live -w`: a saved capture says who was at the ends of each reset as it was said live, to people and to `read`. */
import { afterEach, beforeAll, describe, expect } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessInfo, ResetEvent } from '../../src/report/types.js';
import { reportOf as readReport } from '../cli/checks.js';
import { labProblem, twoHosts, type TwoHosts } from '../support/lab.js';
import { judge, startProgram, Truth, verdict, within, type Program } from '../support/names.js';
import { runCli, tmpDir } from '../support/run.js';
import { hasTool, testIf } from '../support/tools.js';
import { tsharkFields } from '../support/tshark.js';
import { backendProblem, revised, startLive, type Live } from './support.js';

const TIMEOUT_MS = 120_000;
const HOST = '127.0.0.1';
const SECRET = 'hunter2hunter2';
const SECRET_PORT = 8614;
/** Knocks once and stays a while. */
const KNOCKER = `
const c = require('node:net').connect(${SECRET_PORT}, '${HOST}'); c.on('error', () => console.log('refused'));
setTimeout(() => {}, 30_000);`;
const TIMES = 3;

const problem = labProblem('tcpdump', 'python3') || backendProblem('tcpdump');
let hosts: TwoHosts | null = null;
beforeAll(async () => {
  if (problem === '') hosts = await twoHosts();
});

const begun: Live[] = [];
const programs: Program[] = [];
afterEach(async () => {
  for (const live of begun.splice(0)) live.child.kill('SIGKILL');
  await Promise.all(programs.splice(0).map((program) => program.stop()));
});

const it = (name: string, body: () => Promise<void>, why = problem): void =>
  testIf(why === '', why, name, body, TIMEOUT_MS);

interface Saved {
  readonly file: string;
  /** As it was told live, when everything was known. */
  readonly live: readonly ResetEvent[];
  readonly truth: Truth;
}

/** Resets of several kinds, captured into a file of that name. */
async function saved(name: string, ...args: readonly string[]): Promise<Saved> {
  if (hosts === null) throw new Error('there is no lab');
  const ns = hosts.a;
  const started = [
    { scenario: 'refused', host: '127.5.0.1', port: 8611, times: TIMES, spread: 'address' },
    { scenario: 'server_aborts', host: HOST, port: 8612, times: TIMES, bound: true },
    { scenario: 'client_aborts', host: HOST, port: 8613, times: TIMES, bound: true },
  ].map((plan) => startProgram(plan, { ns }));
  programs.push(...started);
  await Promise.all(started.map((program) => program.ready()));
  const file = path.join(tmpDir(), name);
  const live = await startLive(['--backend', 'tcpdump', '-i', 'lo', '--ndjson', '-d', '0', '-w', file, ...args], {
    ns,
  });
  begun.push(live);
  for (const program of started) program.go();
  const knocker = ns.start([process.execPath, '-e', KNOCKER, '--', `--password=${SECRET}`], { via: 'nsenter' });
  await Promise.all([once(knocker.stdout, 'data'), ...started.map((program) => program.done())]);
  await live.untilResets(3 * TIMES + 1);
  await sleep(700);
  await live.stop();
  knocker.kill('SIGKILL');
  return { file, live: revised(live), truth: new Truth(started.flatMap(({ ends }) => ends)) };
}

const tuple = ({ src_ip, src_port, dest_ip, dest_port }: ResetEvent): string =>
  `${src_ip}:${src_port} > ${dest_ip}:${dest_port}`;

/** What a file keeps of a process: not how it was found then, and its command only where it was asked for. */
function kept(process: ProcessInfo | null, fullCommand: boolean): ProcessInfo | null {
  if (process === null) return null;
  return { ...process, command: fullCommand ? process.command : null, match: 'capture-comment' };
}

function attribution(event: ResetEvent): Partial<ResetEvent> {
  const { sender, receiver, sender_reason, receiver_reason, kernel_reason, kernel_path, evidence } = event;
  return { sender, receiver, sender_reason, receiver_reason, kernel_reason, kernel_path, evidence };
}

/** By tuple, each of which has one reset. */
function byTuple(events: readonly ResetEvent[], as: (event: ResetEvent) => Partial<ResetEvent>): Map<string, unknown> {
  const all = new Map(events.map((event) => [tuple(event), as(event)]));
  expect(all.size).toBe(events.length);
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function asKept(fullCommand: boolean): (event: ResetEvent) => Partial<ResetEvent> {
  return (event) => ({
    ...attribution(event),
    sender: kept(event.sender, fullCommand),
    receiver: kept(event.receiver, fullCommand),
  });
}

async function read(file: string): Promise<readonly ResetEvent[]> {
  return (await readReport([file])).events;
}

describe('a saved capture', () => {
  it('is read back with the same processes, reasons, words of the kernel and evidence', async () => {
    const { file, live, truth } = await saved('out.pcapng');
    const back = await read(file);
    expect(live).toHaveLength(3 * TIMES + 1);
    expect(byTuple(back, attribution)).toEqual(byTuple(live, asKept(false)));

    // And they are the right ones.
    const nobody = ({ src_port }: { src_port: number }) => (src_port === 8611 ? (['sender'] as const) : []);
    const judged = judge(within(back, [8611, 8613]), truth, nobody);
    expect(judged).toEqual(verdict(3 * TIMES, { sender: { right: 2 * TIMES, none: TIMES } }));
    for (const event of within(back, [8611, 8611])) {
      expect(event).toMatchObject({
        sender_reason: 'no-listener',
        receiver: { match: 'capture-comment', command: null },
      });
      // A word that Linux has from 6.10 on.
      expect(['NO_SOCKET', null]).toContain(event.kernel_reason);
    }
    for (const event of within(back, [8612, 8613])) {
      expect(event.evidence.length).toBeGreaterThan(0);
      expect(['linger', null]).toContain(event.kernel_path);
    }
    expect(back.every(({ sender, receiver }) => (sender ?? receiver)?.match === 'capture-comment')).toBe(true);
    expect(readFileSync(file, 'latin1')).not.toContain('truth-traffic.py');
    expect(readFileSync(file, 'latin1')).not.toContain(SECRET);

    // The page and the tables have the names as well.
    const { code, stdout } = await runCli(['read', file]);
    expect(code).toBe(0);
    expect(stdout).toContain('truth-client');

    // Saved once more, and once more.
    let from = file;
    for (const next of ['second.pcapng', 'third.pcapng']) {
      const to = path.join(path.dirname(file), next);
      expect(await runCli(['read', from, '-q', '-w', to])).toMatchObject({ code: 0 });
      expect(byTuple(await read(to), attribution)).toEqual(byTuple(live, asKept(false)));
      from = to;
    }
  });

  it('--full-command: whole command lines, but what is secret', async () => {
    const { file, live } = await saved('out.pcapng', '--full-command');
    const back = await read(file);
    expect(byTuple(back, attribution)).toEqual(byTuple(live, asKept(true)));
    const [knock] = within(back, [SECRET_PORT, SECRET_PORT]);
    expect(knock?.receiver?.command).toContain('--password=***');
    expect(knock?.receiver?.command).toMatch(/^\S*node\S* -e /);
    for (const { receiver } of within(back, [8611, 8613])) expect(receiver?.command).toContain('truth-traffic.py');
    expect(readFileSync(file, 'latin1')).not.toContain(SECRET);
    // A second saving asks anew.
    const to = path.join(path.dirname(file), 'second.pcapng');
    expect(await runCli(['read', file, '-q', '-w', to])).toMatchObject({ code: 0 });
    expect(byTuple(await read(to), attribution)).toEqual(byTuple(live, asKept(false)));
    expect(await runCli(['read', file, '-q', '--full-command', '-w', to])).toMatchObject({ code: 0 });
    expect(byTuple(await read(to), attribution)).toEqual(byTuple(live, asKept(true)));
  });

  it(
    'its comments are words for people, as tshark shows them',
    async () => {
      const { file, live } = await saved('out.pcapng');
      const fields = ['tcp.srcport', 'tcp.dstport', 'ip.src', 'ip.dst', 'frame.comment'];
      const rows = await tsharkFields(file, fields);
      expect(rows).toHaveLength(live.length);
      const end = (process: ProcessInfo | null, reason: string | null): string =>
        process === null ? `(${String(reason)})` : `${String(process.name)}[${String(process.pid)}]`;
      for (const event of live) {
        const row = rows.find(([from, to, src, dst]) => `${src}:${from} > ${dst}:${to}` === tuple(event));
        const comment = row?.[4] ?? '';
        expect(comment).toMatch(/^rstscope: cause=[a-z-]+ confidence=[a-z]+ id=\S+ sender=/);
        expect(comment).toContain(` sender=${end(event.sender, event.sender_reason)}`);
        expect(comment).toContain(` receiver=${end(event.receiver, event.receiver_reason)}`);
        if (event.kernel_reason !== null) expect(comment).toContain(` kernel=${event.kernel_reason}`);
        if (event.kernel_path !== null) expect(comment).toContain(`(${event.kernel_path})`);
      }
    },
    problem !== '' ? problem : hasTool('tshark') ? '' : 'needs tshark',
  );

  it('as classic pcap has no comments: nobody is known from it', async () => {
    const { file, live } = await saved('out.pcap');
    const back = await read(file);
    const none = { sender: null, receiver: null, kernel_reason: null, kernel_path: null };
    expect([...byTuple(back, attribution).keys()]).toEqual([...byTuple(live, attribution).keys()]);
    for (const event of back) {
      expect(event).toMatchObject({ ...none, sender_reason: 'offline', receiver_reason: 'offline' });
    }
  });

  it('--no-process: that nobody was looked for', async () => {
    const { file } = await saved('out.pcapng', '--no-process');
    const back = await read(file);
    expect(back).toHaveLength(3 * TIMES + 1);
    for (const event of back) {
      expect(event).toMatchObject({ sender: null, receiver: null, kernel_reason: null });
      expect([event.sender_reason, event.receiver_reason]).toEqual(['not-tried', 'not-tried']);
    }
  });
});
