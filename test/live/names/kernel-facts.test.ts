/**
 * What the kernel knows of why, on real sockets: written by `live -w` beside the names, for no key of an event tells all
 * of it.
 */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAttributionComment } from '../../../src/attribute/comment.js';
import type { KernelFacts } from '../../../src/conversation/kernel-facts.js';
import { labProblem, twoHosts, type Namespace } from '../../support/lab.js';
import { startProgram, type Program } from '../../support/names.js';
import { tmpDir } from '../../support/run.js';
import { knock, quietServer } from '../../support/traffic.js';
import { testIf } from '../../support/tools.js';
import { backendProblem, startLive } from '../support.js';

const TIMEOUT_MS = 120_000;
const HOST = '127.0.0.1';
const TIMES = 3;
const PORT = { refused: 8901, server: 8902, client: 8903, rejected: 8904, forged: 8905, restarted: 8906 } as const;

/** Two ends of one connection in one process, and a reset far outside the window, as nobody's socket sends it. */
const FORGER = `
import socket, struct, sys
host, port = '${HOST}', ${PORT.forged}
listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((host, port)); listener.listen()
client = socket.create_connection((host, port)); server, _ = listener.accept()
print('stands', flush=True); sys.stdin.readline()
ip = socket.inet_aton(host)
def header(check):
    return struct.pack('>HHIIBBHHH', port, client.getsockname()[1], 12345, 0, 5 << 4, 4, 0, check, 0)
data = ip + ip + struct.pack('>BBH', 0, 6, 20) + header(0)
total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
while total >> 16: total = (total & 0xffff) + (total >> 16)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
raw.sendto(header(~total & 0xffff), (host, 0))
client.send(b'still there'); print(server.recv(20).decode(), flush=True); sys.stdin.readline()
`;
/** A listener that ends, after which somebody knocks. */
const RESTARTER = `
import socket, sys, time
listener = socket.socket(); listener.bind(('${HOST}', ${PORT.restarted})); listener.listen()
print('stands', flush=True); sys.stdin.readline(); listener.close(); print('closed', flush=True); sys.stdin.readline()
`;

const problem = labProblem('tcpdump', 'python3') || backendProblem('tcpdump');
const programs: Program[] = [];
/** By the port that serves. */
let found = new Map<number, KernelFacts[]>();
let pids: Readonly<Record<'rejected' | 'forged' | 'restarted', number>>;

beforeAll(async () => {
  if (problem === '') found = await played();
}, TIMEOUT_MS);

afterAll(() => Promise.all(programs.map((program) => program.stop())));

async function played(): Promise<Map<number, KernelFacts[]>> {
  const { a: ns, lab } = await twoHosts();
  await lab.reject(ns, 'input', PORT.rejected);
  const server = await quietServer({ ns, host: HOST, port: PORT.rejected });
  const forger = python(ns, FORGER);
  const restarter = python(ns, RESTARTER);
  programs.push(
    ...[
      { scenario: 'refused', host: HOST, port: PORT.refused, times: TIMES },
      { scenario: 'server_aborts', host: HOST, port: PORT.server, times: TIMES, bound: true },
      { scenario: 'client_aborts', host: HOST, port: PORT.client, times: TIMES, bound: true },
    ].map((plan) => startProgram(plan, { ns })),
  );
  const scripts = [forger, restarter];
  const said = (): Promise<unknown>[] => scripts.map(({ stdout }) => once(stdout, 'data'));
  await Promise.all([...programs.map((program) => program.ready()), ...said()]);
  pids = { rejected: server.pid, forged: forger.pid ?? 0, restarted: restarter.pid ?? 0 };
  const file = path.join(tmpDir(), 'why.pcapng');
  const live = await startLive(['--backend', 'tcpdump', '-i', 'lo', '--ndjson', '-d', '0', '-w', file], { ns });
  // What listens is seen before.
  await sleep(1000);
  for (const program of programs) program.go();
  for (const { stdin } of scripts) stdin.write('\n');
  await Promise.all([...programs.map((program) => program.done()), ...said()]);
  await knock({ ns, host: HOST, port: PORT.rejected, times: TIMES, everyMs: 20 }).done;
  await knock({ ns, host: HOST, port: PORT.restarted }).done;
  await live.untilResets(4 * TIMES + 2);
  await sleep(1000);
  await live.stop();
  for (const one of scripts) one.kill('SIGKILL');
  await server.stop();
  return factsIn(file);
}

function python(ns: Namespace, script: string): ReturnType<Namespace['start']> {
  return ns.start(['python3', '-c', script], { via: 'nsenter' });
}

/** Comments are printable: whatever is not ends one. */
function factsIn(file: string): Map<number, KernelFacts[]> {
  const facts = new Map<number, KernelFacts[]>();
  for (const [text, ports = ''] of readFileSync(file, 'latin1').matchAll(
    /rstscope: [ -~]* id=\S*-([\d.]+-\d+-[\d.]+-\d+)-\d+ [ -~]*\nrstscope-processes: [ -~]*/g,
  )) {
    const [, from, , to] = ports.split('-').map(Number);
    const served = Object.values<number>(PORT).find((port) => port === from || port === to) ?? 0;
    const who = readAttributionComment(text);
    if (who === null) throw new Error(`nothing can be read of ${text}`);
    facts.set(served, [...(facts.get(served) ?? []), who.kernel]);
  }
  return facts;
}

const it = (name: string, port: number, count: number, each: (kernel: KernelFacts) => void): void =>
  testIf(
    problem === '',
    problem,
    name,
    () => {
      const all = found.get(port) ?? [];
      expect(all).toHaveLength(count);
      for (const kernel of all) each(kernel);
      return Promise.resolve();
    },
    TIMEOUT_MS,
  );

describe('what the kernel knows of why', () => {
  it('a closed port: no socket, nobody listened, and its client took it', PORT.refused, TIMES, (kernel) => {
    expect(kernel).toEqual({
      sent: { reason: 'NO_SOCKET', path: null, active: false, socketless: true, listening: false },
      received: true,
      listener: { atSource: false, evidence: null },
      opener: 'destination',
    });
  });

  it('a program on the serving side: its way, and who had opened', PORT.server, TIMES, (kernel) => {
    expect(kernel).toMatchObject({
      sent: { path: 'linger', active: true, socketless: false, listening: false },
      received: true,
      opener: 'destination',
    });
  });

  it('a program on the client’s side', PORT.client, TIMES, (kernel) => {
    expect(kernel).toMatchObject({ sent: { path: 'linger', active: true }, received: true, opener: 'source' });
  });

  it('a packet filter: the kernel is silent, and somebody listens there', PORT.rejected, TIMES, (kernel) => {
    expect(kernel).toEqual({
      sent: 'silent',
      received: true,
      listener: {
        atSource: true,
        evidence: expect.stringMatching(`\\(pid ${String(pids.rejected)}\\) listens there$`),
      },
      opener: 'destination',
    });
  });

  it('a forged one, out of the window: silent, and no socket took it', PORT.forged, 1, (kernel) => {
    expect(kernel).toMatchObject({ sent: 'silent', received: false, opener: null, listener: { atSource: true } });
    expect(kernel.listener.evidence).toContain(`(pid ${String(pids.forged)})`);
  });

  it('a listener that has ended: who that was', PORT.restarted, 1, (kernel) => {
    expect(kernel).toMatchObject({ sent: { socketless: true }, received: true, opener: 'destination' });
    expect(kernel.listener).toEqual({
      atSource: false,
      evidence: expect.stringMatching(`\\(pid ${String(pids.restarted)}\\) listened there until `),
    });
  });
});
