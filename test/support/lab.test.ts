/** Judges the lab, its traffic and the look for leftovers by tcpdump: live captures are tested with them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  bridged,
  labProblem,
  natted,
  poll,
  routed,
  sweep,
  twoHosts,
  type Bridged,
  type Lab,
  type Routed,
  type TwoHosts,
} from './lab.js';
import { difference, settled, snapshot } from './leftovers.js';
import { tmpDir } from './run.js';
import { testIf } from './tools.js';
import { dial, knock, lingerClient, lingerServer, quietServer, type Truth } from './traffic.js';

const problem = labProblem('tcpdump');

function itInLab(name: string, body: () => Promise<void>): void {
  testIf(problem === '', problem, name, body);
}

function tuple({ client, server }: Truth): string {
  return `${server.ip}.${server.port} > ${client.ip}.${client.port}`;
}

async function inLab<Shape extends { lab: Lab }>(shape: Promise<Shape>, use: (shape: Shape) => Promise<void>) {
  const made = await shape;
  try {
    await use(made);
  } finally {
    await made.lab.destroy();
  }
}

describe('two hosts', () => {
  let hosts: TwoHosts | null = null;
  const both = (): TwoHosts => {
    if (hosts === null) throw new Error('there is no lab');
    return hosts;
  };
  beforeAll(async () => {
    if (problem === '') hosts = await twoHosts();
  });
  afterAll(async () => hosts?.lab.destroy());

  itInLab('a knock at a closed port is refused, IPv4 and IPv6, and told with its tuple and time', async () => {
    const { a, b } = both();
    const judge = await b.tcpdump('eth0');
    const truth = [
      ...(await knock({ ns: a, host: '10.99.0.2', port: 7211, times: 3 }).done),
      ...(await knock({ ns: a, host: 'fd00:99::2', port: 7211, times: 2, everyMs: 50 }).done),
    ];
    await judge.until(5);
    const { lines, dropped } = await judge.stop();
    expect(truth.map(({ outcome }) => outcome)).toEqual(Array(5).fill('refused'));
    expect(lines).toHaveLength(5);
    expect(dropped).toBe(0);
    for (const [i, one] of truth.entries()) {
      expect(lines[i]).toContain(`${tuple(one)}: Flags [R.]`);
      const at = Number(lines[i]?.split(' ')[0]) * 1000;
      // A clock that shows whole ms may be one behind.
      expect(at).toBeGreaterThan(one.beforeMs - 1);
      expect(at).toBeLessThan(one.afterMs + 1);
    }
  });

  itInLab('knocks come at their times, and end when told', async () => {
    const { a } = both();
    const begun = performance.now();
    const traffic = knock({ ns: a, host: '10.99.0.2', port: 7211, times: 1000, everyMs: 100 });
    await poll(() => traffic.truth.length >= 4, 15_000, 'four knocks');
    const truth = await traffic.stop();
    const took = performance.now() - begun;
    expect(truth.length).toBeLessThanOrEqual(took / 100 + 1);
    expect(took).toBeGreaterThan(290);
  });

  itInLab('a server that lingers for nothing resets what it accepts', async () => {
    const { a, b } = both();
    const judge = await b.tcpdump('eth0');
    const server = await lingerServer({ ns: b, host: '10.99.0.2', port: 8443, afterMs: 10 });
    const seen = await dial({ ns: a, host: '10.99.0.2', port: 8443, times: 2, localPort: 15001 }).done;
    const made = await server.stop();
    await judge.until(2);
    const { lines } = await judge.stop();
    expect(seen.map(({ outcome, client }) => [outcome, client])).toEqual([
      ['reset', { ip: '10.99.0.1', port: 15001 }],
      ['reset', { ip: '10.99.0.1', port: 15002 }],
    ]);
    expect(made.map(({ outcome, client }) => [outcome, client.port])).toEqual([
      ['aborted', 15001],
      ['aborted', 15002],
    ]);
    expect(lines.map((line) => line.includes('10.99.0.2.8443 > '))).toEqual([true, true]);
  });

  itInLab('a client that lingers for nothing resets a server that only listens', async () => {
    const { a, b } = both();
    const judge = await a.tcpdump('eth0');
    const server = await quietServer({ ns: b, host: 'fd00:99::2', port: 8444 });
    const [truth] = await lingerClient({ ns: a, host: 'fd00:99::2', port: 8444, send: 'hello' }).done;
    const [seen] = await server.stop();
    await judge.until(1);
    const { lines } = await judge.stop();
    expect([truth?.outcome, seen?.outcome]).toEqual(['aborted', 'reset']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`fd00:99::1.${truth?.client.port} > fd00:99::2.8444: Flags [R.]`);
  });

  itInLab('nftables rejects at the input of one side and at the output of the other', async () => {
    const { lab, a, b } = both();
    await lab.reject(b, 'input', 9001);
    await lab.reject(a, 'output', 9002);
    const wire = await b.tcpdump('eth0');
    const [input] = await knock({ ns: a, host: '10.99.0.2', port: 9001 }).done;
    const local = await a.tcpdump('any');
    const [output] = await knock({ ns: a, host: '10.99.0.2', port: 9002 }).done;
    await Promise.all([wire.until(1), local.until(1)]);
    expect([input?.outcome, output?.outcome]).toEqual(['refused', 'refused']);
    expect((await wire.stop()).lines).toHaveLength(1);
    expect((await local.stop()).lines.some((line) => line.includes(' lo '))).toBe(true);
  });

  itInLab('tcpdump that still runs is told of, with its socket, until it has gone', async () => {
    const { a, b } = both();
    const before = snapshot({ namespaces: [a, b], tmp: tmpDir() });
    expect(difference(before, snapshot(before.options))).toEqual([]);
    const judge = await b.tcpdump('eth0');
    const left = await settled(before, 100);
    expect(left).toHaveLength(2);
    expect(left[0]).toMatch(/^packet socket left behind: inode \d+ on device \d+, .*, in b, of \d+ tcpdump -Z root/);
    expect(left[1]).toMatch(/^process left behind: \d+ tcpdump .* \(in b\)$/);
    await judge.stop(0);
    expect(await settled(before, 2_000)).toEqual([]);
  });

  itInLab('a program sees tracefs in a namespace when it is given it, and nothing of it stays', async () => {
    const { a } = both();
    const instance = `rsct-${process.pid}`;
    const before = snapshot({ tmp: tmpDir() });
    const folder = `/sys/kernel/tracing/instances/${instance}`;
    expect(await a.exec(['mkdir', folder], { via: 'tracefs' })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(difference(before, snapshot(before.options))).toEqual([`tracing left behind: instance ${instance}`]);
    expect((await a.exec(['rmdir', folder], { via: 'tracefs' })).code).toBe(0);
    expect(difference(before, snapshot(before.options))).toEqual([]);
    expect((await a.exec(['ls', '/sys/kernel/tracing'])).stdout).toBe('');
  });

  itInLab('a program that runs too long is killed, and what it printed comes with its exit code', async () => {
    const { a } = both();
    await expect(a.exec(['sleep', '5'], { timeoutMs: 50 })).rejects.toThrow('took longer than 50 ms');
    expect(await a.exec(['sh', '-c', 'echo one; echo two >&2; exit 3'])).toEqual({
      code: 3,
      stdout: 'one\n',
      stderr: 'two\n',
    });
  });
});

itInLab('on a bridge a reset passes both veths, and the bridge does not see it', () =>
  inLab(bridged(), async ({ host, a }: Bridged) => {
    const judge = await host.tcpdump('any');
    const [truth] = await knock({ ns: a, host: '10.88.0.20', port: 7211 }).done;
    await judge.until(2);
    const { lines } = await judge.stop();
    expect(truth?.outcome).toBe('refused');
    expect(lines.map((line) => line.split(/ +/).slice(1, 3).join(' '))).toEqual(['vethb P', 'vetha Out']);
  }),
);

itInLab('from a container through a host to afar a reset is seen three times', () =>
  inLab(routed(), async ({ host, app, far }: Routed) => {
    const server = await lingerServer({ ns: app, host: '::', port: 8443 });
    for (const address of ['10.77.0.10', 'fd00:77::10']) {
      const judge = await host.tcpdump('any');
      const [truth] = await dial({ ns: far, host: address, port: 8443 }).done;
      await judge.until(3);
      const { lines } = await judge.stop();
      expect(truth?.outcome).toBe('reset');
      expect(lines.map((line) => line.split(/ +/).slice(1, 3).join(' '))).toEqual(['veth1 In', 'br0 In', 'eth0 Out']);
      for (const line of lines) expect(line).toContain(`${address}.8443 > ${truth?.client.ip}.${truth?.client.port}: `);
    }
    await server.stop();
  }),
);

itInLab('with DNAT it is seen under two tuples, and each side tells of its own', () =>
  inLab(natted(), async ({ host, app, far }: Routed) => {
    const server = await lingerServer({ ns: app, host: '10.77.0.10', port: 8443 });
    const judge = await host.tcpdump('any');
    const [seen] = await dial({ ns: far, host: '192.0.2.1', port: 443 }).done;
    const [made] = await server.stop();
    await judge.until(3);
    const { lines } = await judge.stop();
    if (seen === undefined || made === undefined) throw new Error('there was no connection');
    expect(seen.outcome).toBe('reset');
    expect(lines.map((line) => [tuple(made), tuple(seen)].findIndex((one) => line.includes(one)))).toEqual([0, 0, 1]);
  }),
);

itInLab('what runs in a lab goes with it', async () => {
  const { lab, a, b } = await twoHosts();
  const child = a.start(['sh', '-c', 'sleep 60 & sleep 60']);
  const ended = once(child, 'exit');
  const server = await quietServer({ ns: b, host: '10.99.0.2', port: 8443 });
  await poll(() => a.pids().length >= 2, 15_000, 'sleep to be started');
  await lab.destroy();
  expect((await ended)[1]).toBe('SIGKILL');
  await expect(server.done).rejects.toThrow('ended with SIGKILL');
  expect([a, b].map(({ file }) => existsSync(file))).toEqual([false, false]);
  await lab.destroy();
});

itInLab('the namespaces of a test that was killed are swept', async () => {
  const gone = spawn('true');
  await once(gone, 'exit');
  const name = `rsct${gone.pid}x1a`;
  const made = spawn('ip', ['netns', 'add', name]);
  await once(made, 'exit');
  expect(sweep()).toContain(name);
  expect(existsSync(`/run/netns/${name}`)).toBe(false);
});

test('temporary files of the program are told of, folders of the tests are not', () => {
  const tmp = tmpDir();
  writeFileSync(path.join(tmp, 'rstscope-old'), '');
  const before = snapshot({ tmp });
  mkdirSync(path.join(tmp, 'rstscope-AbC'));
  mkdirSync(path.join(tmp, 'rstscope-test-AbC'));
  expect(difference(before, snapshot({ tmp }))).toEqual([
    `temporary file left behind: ${path.join(tmp, 'rstscope-AbC')}`,
  ]);
});
