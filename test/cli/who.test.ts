/** `rstscope who`: owners of real ports, with lsof and ss as the judges. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, labProblem } from '../support/lab.js';
import { runInProcess } from '../support/in-process.js';
import { hasTool, testIf } from '../support/tools.js';
import { bareEnvironment, CLI, REPOSITORY, tmpDir } from '../support/run.js';
import { strictly } from '../render/strict-schema.js';
import { expectRefusal } from './checks.js';

interface Owner {
  readonly process: {
    readonly pid: number;
    readonly name: string;
    readonly match: string;
    readonly started: string;
  } | null;
  readonly reason: string | null;
  readonly holders: readonly number[];
  readonly netns: number;
}
interface Port {
  readonly port: number;
  readonly listeners: readonly (Owner & { readonly ip: string; readonly backlog: number })[];
  readonly connections: readonly (Owner & {
    readonly local_port: number;
    readonly remote_port: number;
    readonly state: string;
    readonly recv_queue: number;
  })[];
}
interface Document {
  readonly ports: readonly Port[];
  readonly namespaces: readonly string[];
}

const LINUX = process.platform === 'linux';

async function whoJson(...ports: (string | number)[]): Promise<Document & { code: number }> {
  const { code, stdout, stderr } = await runInProcess(['who', '--json', ...ports.map(String)]);
  expect(stderr).toBe('');
  const document = JSON.parse(stdout) as Document;
  expect(strictly('who')(document)).toEqual([]);
  return { ...document, code };
}

describe('a port of this process', () => {
  let server: Server;
  let client: Socket;
  let accepted: Socket;
  let port: number;
  beforeAll(async () => {
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    client = connect(port, '127.0.0.1');
    [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
    accepted.pause();
    client.write('12345');
    await sleep(50);
  });
  afterAll(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });

  testIf(LINUX, 'needs Linux', 'has its listener and both ends of its connection', async () => {
    const { ports, code } = await whoJson(port);
    expect(code).toBe(0);
    const [one] = ports;
    expect(one?.listeners).toMatchObject([
      { ip: '127.0.0.1', backlog: 0, reason: null, process: { pid: process.pid, match: 'listener' } },
    ]);
    expect(one?.connections).toMatchObject([
      { local_port: port, state: 'ESTABLISHED', process: { pid: process.pid, match: 'socket' } },
      { remote_port: port, state: 'ESTABLISHED', process: { pid: process.pid, match: 'socket' } },
    ]);
    expect(one?.listeners[0]?.holders).toEqual([process.pid]);
    expect(one?.listeners[0]?.process?.started).toMatch(/T\d\d:\d\d:\d\d\.\d\dZ$/);
  });
  testIf(LINUX, 'needs Linux', 'is asked for in four ways', async () => {
    for (const typed of [`:${port}`, `127.0.0.1:${port}`, `[::ffff:127.0.0.1]:${port}`]) {
      const { ports, code } = await whoJson(typed);
      expect([code, ports[0]?.listeners.length]).toEqual([0, 1]);
    }
    const { ports, code } = await whoJson(`[::1]:${port}`, `127.0.0.2:${port}`, port);
    expect([code, ports.map(({ listeners }) => listeners.length)]).toEqual([1, [0, 0, 1]]);
  });
  testIf(LINUX, 'needs Linux', 'is shown in tables of 80 columns', async () => {
    const { code, stdout, stderr } = await runInProcess(['who', String(port)], { COLUMNS: '80' });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      new RegExp(`^Port ${port}\nListeners\n  address .*\n  127\\.0\\.0\\.1:${port} .*\\(${process.pid}\\)`),
    );
    expect(stdout).toContain('Connections: 2 ESTABLISHED\n');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });
  testIf(LINUX && hasTool('lsof'), 'needs Linux and lsof', 'has the sockets that lsof finds', async () => {
    const listed = execFileSync('lsof', [`-i:${port}`, '-P', '-n', '-Fpn'], { encoding: 'utf8' });
    const theirs = [...listed.matchAll(/^n(.*)$/gm)].map(([, name]) => name).sort();
    const [one] = (await whoJson(port)).ports;
    const ours = [
      ...(one?.listeners ?? []).map(({ ip }) => `${ip}:${port}`),
      ...(one?.connections ?? []).map((c) => `127.0.0.1:${c.local_port}->127.0.0.1:${c.remote_port}`),
    ].sort();
    expect(ours).toEqual(theirs);
    expect([...listed.matchAll(/^p(\d+)$/gm)].map(([, pid]) => Number(pid))).toEqual([process.pid]);
  });
  testIf(LINUX && hasTool('ss'), 'needs Linux and ss', 'has the sockets, states and queues that ss finds', async () => {
    const listed = execFileSync('ss', ['-Htanp', `sport = :${port} or dport = :${port}`], { encoding: 'utf8' });
    const theirs = listed.split('\n').filter((line) => line !== '');
    const [one] = (await whoJson(port)).ports;
    expect((one?.listeners.length ?? 0) + (one?.connections.length ?? 0)).toBe(theirs.length);
    for (const line of theirs) expect(line).toContain(`pid=${process.pid},`);
    const [served] = one?.connections ?? [];
    expect(theirs.find((line) => line.includes(`127.0.0.1:${port} `) && line.startsWith('ESTAB'))).toMatch(
      new RegExp(`^ESTAB +${served?.recv_queue ?? -1} `),
    );
  });
});

describe('a port', () => {
  testIf(LINUX, 'needs Linux', 'that nobody owns is exit code 1, with the sentence', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const { code, stdout } = await runInProcess(['who', String(port)]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      new RegExp(`^nobody owns port ${port}: no listener, no connection, in \\d+ network namespaces?\n$`),
    );
    const document = await whoJson(port);
    expect(document).toMatchObject({ code: 1, ports: [{ port, listeners: [], connections: [] }] });
    expect(document.namespaces.length).toBeGreaterThan(0);
  });
  testIf(LINUX, 'needs Linux', 'with a connection nobody has accepted is its listener’s', async () => {
    const script = `
      const net = require('node:net');
      const server = net.createServer().listen(0, '127.0.0.1', () => {
        process.stdout.write(String(server.address().port) + '\\n');
        require('node:fs').readSync(0, Buffer.alloc(1));
      });`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      const port = Number(String(said));
      const client = connect(port, '127.0.0.1');
      await once(client, 'connect');
      await sleep(50);
      const [one] = (await whoJson(port)).ports;
      client.destroy();
      expect(one?.listeners).toMatchObject([{ backlog: 1, process: { pid: child.pid } }]);
      expect(one?.connections).toMatchObject([
        { local_port: port, holders: [], process: { pid: child.pid, match: 'listener' } },
        { remote_port: port, process: { pid: process.pid, match: 'socket' } },
      ]);
    } finally {
      child.kill('SIGKILL');
    }
  });
  test.each(['x', '70000', '0', '1.2.3.4', 'host:80', '[::1]', '::1:80', '', '-1', '1.2.3.4:', '[1.2.3:80'])(
    'is not %j',
    async (typed) => {
      expectRefusal({ ...(await runInProcess(['who', '--', typed])), signal: null }, 'who does not understand');
    },
  );
  test('must be named', async () => {
    expectRefusal({ ...(await runInProcess(['who'])), signal: null }, 'port');
  });
});

describe('in other namespaces', () => {
  let lab: Lab;
  const problem = labProblem();
  beforeAll(async () => {
    if (problem === '') lab = await Lab.create();
  });
  afterAll(async () => {
    if (problem === '') await lab.destroy();
  });
  testIf(problem === '', problem, 'a port has its owner, its namespace is named', async () => {
    const blue = await lab.namespace('blue');
    const script = `require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port); })`;
    const before = await whoJson(1);
    expect(before.namespaces.some((name) => name.endsWith('blue'))).toBe(true);
    const child = blue.start([process.execPath, '-e', script]);
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    const port = Number(String(said));
    const { ports, namespaces } = await whoJson(port);
    expect(namespaces.some((name) => name.endsWith('blue'))).toBe(true);
    const own = (await whoJson(1)).namespaces[0];
    const [listener] = ports[0]?.listeners ?? [];
    expect(listener).toMatchObject({ process: { name: 'node', match: 'listener' } });
    expect(String(listener?.netns)).not.toBe(own);
    child.kill('SIGKILL');
  });
});

const setpriv = process.getuid?.() === 0 && hasTool('setpriv');

describe('without root', () => {
  testIf(
    LINUX && setpriv,
    'needs Linux, root and setpriv',
    'the port is seen, and how its owner would be',
    async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const folder = tmpDir();
      chmodSync(folder, 0o755);
      mkdirSync(path.join(folder, 'node_modules'));
      for (const name of ['bin', 'dist', 'schema', 'package.json', 'node_modules/commander'])
        cpSync(path.join(REPOSITORY, name), path.join(folder, name), { recursive: true });
      const program = path.join(folder, path.relative(REPOSITORY, CLI));
      const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
      const run = (...ports: number[]) =>
        spawnSync('setpriv', [...nobody, process.execPath, program, 'who', '--json', ...ports.map(String)], {
          encoding: 'utf8',
          env: bareEnvironment(),
          cwd: '/',
          timeout: 15_000,
        });
      const seen = run(port);
      const free = run(1);
      server.close();
      expect({ status: seen.status, stderr: seen.stderr }).toMatchObject({ status: 0 });
      expect((JSON.parse(seen.stdout) as Document).ports[0]?.listeners).toMatchObject([
        { ip: '127.0.0.1', process: null, reason: 'permission', holders: [] },
      ]);
      expect(seen.stderr).toMatch(/^rstscope: the owner of 1 socket is not known: .* takes root$/m);
      expect(seen.stderr).toMatch(/^rstscope: as root .*: sudo \/.*node .*rstscope\.js who --json \d+$/m);
      expect([free.status, free.stderr]).toEqual([1, expect.stringMatching(/^rstscope: as root .*: sudo \//m)]);
    },
  );
});

describe('with many descriptors', () => {
  testIf(LINUX, 'needs Linux', 'two threads find what one finds', async () => {
    const script = `
      const fs = require('node:fs');
      for (let i = 0; i < 4000; i++) fs.openSync('/dev/null');
      const server = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));`;
    const children = [1, 2, 3, 4].map(() =>
      spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    try {
      const said = await Promise.all(children.map(async ({ stdout }) => (await once(stdout, 'data')) as [Buffer]));
      const ports = said.map(([text]) => String(text).trim());
      const run = spawnSync(process.execPath, [CLI, 'who', '--json', ...ports], { encoding: 'utf8', timeout: 20_000 });
      expect([run.status, run.stderr]).toEqual([0, '']);
      const document = JSON.parse(run.stdout) as Document;
      expect(document.ports.map(({ listeners }) => listeners.map(({ holders }) => holders))).toEqual(
        children.map(({ pid }) => [[pid]]),
      );
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });
});
