/** Who listens on this machine at this moment: on the machine itself. */
import { afterAll, describe, expect } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { ListenersNow } from '../../src/attribute/listeners-now.js';
import { labProblem, twoHosts } from '../support/lab.js';
import { testIf } from '../support/tools.js';

const closing: Server[] = [];
const children: ChildProcess[] = [];
afterAll(() => {
  for (const server of closing) server.close();
  for (const child of children) child.kill('SIGKILL');
});

const isLinux = process.platform === 'linux';
const isRoot = isLinux && process.geteuid?.() === 0;

async function listen(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  closing.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A listener held by a process and its child; the port. */
async function listenTwice(): Promise<{ port: number; pid: number }> {
  const script = `
    const { createServer } = require('node:net'), { spawn } = require('node:child_process');
    const server = createServer().listen(0, '127.0.0.1', () => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up"); process.stdin.on("end", () => process.exit()).resume()'],
        { stdio: ['pipe', 'pipe', 'inherit', server._handle] });
      child.stdout.once('data', () => console.log(server.address().port));
      process.stdin.on('end', () => process.exit()).resume();
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(port.toString()), pid: child.pid ?? 0 };
}

const ownNamespace = (): number => Number(/\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0]);

describe('who listens', () => {
  testIf(
    isRoot,
    'needs root, to see who holds a socket',
    'a process, by address, any address and namespace',
    async () => {
      const [one, any] = [await listen('127.0.0.1'), await listen('::')];
      const now = new ListenersNow(Date.now());
      expect(now.of('127.0.0.1', one, null)).toMatchObject({ process: { pid: process.pid }, reason: null });
      expect(now.of('127.0.0.1', one, ownNamespace())).toMatchObject({ process: { pid: process.pid } });
      // A socket for any address of IPv6 takes IPv4 too.
      expect(now.of('127.0.0.1', any, ownNamespace())).toMatchObject({ process: { pid: process.pid } });
      expect(now.of('127.0.0.1', one, 1)).toEqual({ process: null, reason: 'no-listener' });
      expect(now.of('192.0.2.77', one, null)).toEqual({ process: null, reason: 'no-listener' });
      expect(now.of('127.0.0.1', 1, null)).toEqual({ process: null, reason: 'no-listener' });
    },
  );

  testIf(
    isRoot,
    'needs root, to see who holds a socket',
    'what was asked once is known, whatever happens then',
    async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const now = new ListenersNow(Date.now());
      const first = now.of('127.0.0.1', port, null);
      server.close();
      await once(server, 'close');
      expect(now.of('127.0.0.1', port, null)).toBe(first);
      expect(first.process?.pid).toBe(process.pid);
      expect(new ListenersNow(Date.now()).of('127.0.0.1', port, null).reason).toBe('no-listener');
    },
  );

  testIf(
    isRoot,
    'needs root, to see who holds a socket',
    'of two that share a socket the parent stands for both',
    async () => {
      const { port, pid } = await listenTwice();
      expect(new ListenersNow(Date.now()).of('127.0.0.1', port, null)).toMatchObject({
        process: { pid },
        reason: null,
      });
    },
  );

  testIf(isLinux, 'needs Linux', 'where there is no /proc nobody does', () => {
    expect(new ListenersNow(Date.now(), '/nonexistent').of('127.0.0.1', 80, null).process).toBeNull();
  });

  testIf(labProblem() === '', labProblem(), 'equal ones of two namespaces can not be told apart', async () => {
    const { lab, a, b } = await twoHosts();
    try {
      const script = (host: string) =>
        `require('node:net').createServer().listen(18080, '${host}', () => console.log('up')); process.stdin.on('end', () => process.exit()).resume()`;
      for (const [ns, host] of [
        [a, '0.0.0.0'],
        [b, '0.0.0.0'],
      ] as const) {
        await once(ns.start([process.execPath, '-e', script(host)]).stdout, 'data');
      }
      const [inA] = a.pids();
      const now = new ListenersNow(Date.now());
      expect(now.of('10.99.0.1', 18080, null)).toEqual({ process: null, reason: 'ambiguous' });
      expect(now.of('127.0.0.1', 18080, a.inode)).toMatchObject({ process: { pid: inA } });
    } finally {
      await lab.destroy();
    }
  });

  testIf(labProblem() === '', labProblem(), 'any address of IPv4 in one and of IPv6 in the other neither', async () => {
    const { lab, a, b } = await twoHosts();
    try {
      const script = (host: string) =>
        `require('node:net').createServer().listen(18081, '${host}', () => console.log('up')); process.stdin.on('end', () => process.exit()).resume()`;
      await once(a.start([process.execPath, '-e', script('0.0.0.0')]).stdout, 'data');
      await once(b.start([process.execPath, '-e', script('::')]).stdout, 'data');
      // It is b's address: a's listener can't be meant.
      const [inA] = a.pids();
      expect(new ListenersNow(Date.now()).of('10.99.0.2', 18081, null).process?.pid).not.toBe(inA);
    } finally {
      await lab.destroy();
    }
  });
});
