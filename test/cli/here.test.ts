/** `read --here`: who listens now, for a capture that was made on this machine; with real listeners. */
import { afterEach, describe, expect } from '@jest/globals';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { classicPcap } from '../support/capture-bytes.js';
import { resetFrame, segment } from '../support/frames.js';
import { labProblem, twoHosts, type TwoHosts } from '../support/lab.js';
import { runCli, tmpDir } from '../support/run.js';
import { testIf } from '../support/tools.js';
import { reportOf, RAW_CONTROL } from './checks.js';

const problem = process.platform === 'linux' && process.geteuid?.() === 0 ? '' : 'needs Linux and root';
const REMOTE = '192.0.2.10';
const CLIENT = 40000;

const servers = new Set<Server>();
let hosts: TwoHosts | null = null;
afterEach(async () => {
  for (const server of servers) server.close();
  servers.clear();
  await hosts?.lab.destroy();
  hosts = null;
});

async function listen(host: string): Promise<{ port: number; server: Server }> {
  const server = createServer().listen(0, host);
  servers.add(server);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

async function closed(server: Server): Promise<void> {
  servers.delete(server);
  server.close();
  await once(server, 'close');
}

interface Ends {
  readonly server: string;
  readonly client: string;
  readonly port: number;
  /** By whom it is reset; the server refuses. */
  readonly by?: 'server' | 'client';
}

/** A capture of one connection: refused, or aborted by its client when it stood. */
function captured(...connections: readonly Ends[]): string {
  const frames = connections.flatMap(({ server, client, port, by = 'server' }, i) => {
    const clientPort = CLIENT + i;
    const there = { src: client, dst: server, srcPort: clientPort, dstPort: port };
    const back = { src: server, dst: client, srcPort: port, dstPort: clientPort };
    const syn = segment({ ...there, flags: 'S', seq: 1000, ack: 0 });
    if (by === 'server') return [syn, resetFrame({ ...back, seq: 0, ack: 1001, flags: 'R.' })];
    return [
      syn,
      segment({ ...back, flags: 'S.', seq: 5000, ack: 1001 }),
      segment({ ...there, flags: '.', seq: 1001, ack: 5001 }),
      resetFrame({ ...there, seq: 1001, ack: 5001, flags: 'R.', window: 502 }),
    ];
  });
  const records = frames.map((bytes, i) => ({ seconds: 1_700_000_000, fraction: i * 1000, bytes }));
  const file = path.join(tmpDir(), 'here.pcap');
  writeFileSync(file, classicPcap({ linkType: 1, records }));
  return file;
}

/** Who is at the two ends, and which way it went. */
function told(event: ResetEvent | undefined): unknown {
  const { sender, receiver, sender_reason, receiver_reason, direction, reset_by } = event ?? {};
  return {
    sender: sender === null ? sender_reason : [sender?.pid, sender?.match],
    receiver: receiver === null ? receiver_reason : [receiver?.pid, receiver?.match],
    direction,
    reset_by,
  };
}

async function eventsOf(file: string, ...args: readonly string[]): Promise<readonly ResetEvent[]> {
  return (await reportOf([...args, file])).events;
}

describe('read --here', () => {
  testIf(problem === '', problem, 'loopback: who listens there now; the client is gone', async () => {
    const v4 = await listen('127.0.0.1');
    const v6 = await listen('::1');
    const file = captured(
      { server: '127.0.0.1', client: '127.0.0.1', port: v4.port },
      { server: '::1', client: '::1', port: v6.port },
    );
    const mine = [process.pid, 'listener-now'];
    const expected = { sender: mine, receiver: 'gone', direction: 'local', reset_by: 'server' };
    const events = await eventsOf(file, '--here');
    expect(events.map(told)).toEqual([expected, expected]);
    for (const { sender, kernel_reason, kernel_path } of events) {
      expect(sender?.started).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      expect(sender?.exe).toBe(process.execPath);
      expect([kernel_reason, kernel_path]).toEqual([null, null]);
    }
  });

  testIf(problem === '', problem, 'a client’s reset: the listener is at its destination', async () => {
    const { port } = await listen('127.0.0.1');
    const file = captured({ server: '127.0.0.1', client: '127.0.0.1', port, by: 'client' });
    const [event] = await eventsOf(file, '--here');
    expect(told(event)).toEqual({
      sender: 'gone',
      receiver: [process.pid, 'listener-now'],
      direction: 'local',
      reset_by: 'client',
    });
  });

  testIf(problem === '', problem, 'nobody listens there any more', async () => {
    const { port, server } = await listen('127.0.0.1');
    await closed(server);
    const file = captured({ server: '127.0.0.1', client: '127.0.0.1', port });
    const [event] = await eventsOf(file, '--here');
    expect(told(event)).toMatchObject({ sender: 'no-listener', receiver: 'gone', direction: 'local' });
  });

  testIf(
    problem === '',
    problem,
    'an address of another machine is remote, though the port is listened on',
    async () => {
      const { port } = await listen('0.0.0.0');
      const far = captured({ server: '192.0.2.20', client: REMOTE, port });
      const [event] = await eventsOf(far, '--here');
      expect(told(event)).toMatchObject({ sender: 'remote', receiver: 'remote' });
      expect(event?.direction).not.toBe('local');
    },
  );

  testIf(problem === '', problem, 'without it nothing of this machine is said', async () => {
    const { port } = await listen('127.0.0.1');
    const file = captured(
      { server: '127.0.0.1', client: '127.0.0.1', port },
      { server: '127.0.0.1', client: '127.0.0.1', port, by: 'client' },
    );
    for (const event of await eventsOf(file)) {
      expect(told(event)).toMatchObject({ sender: 'offline', receiver: 'offline' });
    }
  });

  testIf(problem === '', problem, 'the report names it too', async () => {
    const { port } = await listen('127.0.0.1');
    const file = captured({ server: '127.0.0.1', client: '127.0.0.1', port });
    const result = await runCli(['read', '--json', '--here', file]);
    const { processes } = JSON.parse(result.stdout) as Report;
    expect(processes).toMatchObject([
      {
        pids: 1,
        resets_sent: 1,
        resets_received: 0,
        ports: [port],
        sample: { pid: process.pid, match: 'listener-now' },
      },
    ]);
    const { code, stdout, stderr } = await runCli(['read', '--here', file]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).not.toMatch(RAW_CONTROL);
    expect(stdout).toContain(path.basename(process.execPath));
  });

  const lab = problem === '' ? labProblem() : problem;
  /** Listens on all addresses of a. */
  const listensInA = async (port: number): Promise<number | undefined> => {
    hosts = await twoHosts();
    const script = `require('node:net').createServer().listen(${port}, '0.0.0.0', () => console.log('up')); process.stdin.on('end', () => process.exit()).resume()`;
    const child = hosts.a.start([process.execPath, '-e', script], { via: 'nsenter' });
    await once(child.stdout, 'data');
    return child.pid;
  };

  testIf(lab === '', lab, 'an address of another namespace of this machine: its listener there', async () => {
    const pid = await listensInA(18082);
    const file = captured(
      { server: '10.99.0.1', client: REMOTE, port: 18082 },
      { server: '10.99.0.1', client: '10.99.0.2', port: 18082 },
    );
    const events = await eventsOf(file, '--here');
    expect(events.map(told)).toMatchObject([
      { sender: [pid, 'listener-now'], receiver: 'remote', direction: 'sent' },
      { sender: [pid, 'listener-now'], receiver: 'gone', direction: 'local' },
    ]);
    expect(events[0]?.sender?.netns).toBe(hosts?.a.inode);
  });

  testIf(lab === '', lab, 'who listens on any address has not those of another namespace', async () => {
    await listensInA(18083);
    const [event] = await eventsOf(captured({ server: '10.99.0.2', client: REMOTE, port: 18083 }), '--here');
    expect(told(event)).toMatchObject({ sender: 'no-listener', receiver: 'remote', direction: 'sent' });
  });
});
