/** Network namespaces for the tests of this folder: made as root, under names that nobody else has, and taken down. */
import { afterAll } from '@jest/globals';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { hasTool, testIf } from '../../support/tools.js';

const made: string[] = [];
const processes: ChildProcess[] = [];
const stem = `rsct-${String(process.pid)}-${Math.random().toString(36).slice(2, 6)}`;

/** A new namespace, by its name. */
export function makeNamespace(): string {
  const name = `${stem}-${String(made.length)}`;
  made.push(name);
  ip('netns', 'add', name);
  return name;
}

export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', timeout: 15_000, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Several commands of `ip` in a namespace, in one process: what happens within a millisecond or two. */
export function ipBatch(namespace: string, commands: readonly string[]): void {
  execFileSync('ip', ['-n', namespace, '-batch', '-'], { input: commands.join('\n'), timeout: 15_000 });
}

/** Whether the kernel could do it. */
export function tryIp(...args: string[]): boolean {
  return spawnSync('ip', args, { timeout: 15_000, stdio: 'ignore' }).status === 0;
}

/** A process that does nothing for a while, in a namespace; resolves when it is there, and `end` when it is gone. */
export async function sleepIn(
  command: readonly string[],
): Promise<{ pid: number; inode: number; end: () => Promise<void> }> {
  const [file, ...args] = [...command, 'sleep', '60'];
  const child = spawn(file, args, { stdio: 'ignore' });
  processes.push(child);
  const pid = child.pid ?? 0;
  const self = inodeOfProcess('self');
  // What puts it there has other things to do before it becomes the program.
  await until(
    () => inodeOfProcess(String(pid)) !== self && readFileSync(`/proc/${String(pid)}/comm`, 'utf8') === 'sleep\n',
  );
  const end = async (): Promise<void> => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { pid, inode: inodeOfProcess(String(pid)), end };
}

export function inodeOfProcess(pid: string): number {
  return Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0]);
}

/** Waits until `met`, `limitMs` at most, which is for a busy machine. Resolves with how long it took. */
export async function until(met: () => boolean, limitMs = 15_000): Promise<number> {
  const begin = performance.now();
  while (!met()) {
    if (performance.now() - begin > limitMs) throw new Error(`not within ${String(limitMs)} ms: ${String(met)}`);
    await pause(2);
  }
  return performance.now() - begin;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function why(): string | null {
  const missing = ['ip', 'nsenter', 'unshare'].filter((tool) => !hasTool(tool));
  if (missing.length > 0) return `needs ${missing.join(', ')}`;
  const name = `${stem}-probe`;
  const possible = tryIp('netns', 'add', name);
  tryIp('netns', 'del', name);
  return possible ? null : 'needs the right to make network namespaces';
}

const reason = why();

/** A test that makes namespaces. */
export function itInNamespaces(name: string, body: () => Promise<void> | void): void {
  testIf(reason === null, reason ?? '', name, body);
}

afterAll(() => {
  for (const child of processes) child.kill('SIGKILL');
  for (const name of made) tryIp('netns', 'del', name);
});
