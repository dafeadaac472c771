/** Processes read: made-up ones for the odd cases, real ones for the rest. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { ProcessReader, startTicks } from '../../../src/attribute/proc/reader.js';
import { hasTool, testIf } from '../../support/tools.js';
import { ProcTree } from './proc-tree.js';

describe('made-up processes', () => {
  let tree: ProcTree;
  let now: number;
  let reader: ProcessReader;
  beforeEach(() => {
    tree = new ProcTree();
    now = 1_000_000;
    reader = new ProcessReader({ proc: tree.proc, root: tree.root, clock: () => now });
  });
  afterEach(() => tree.end());

  const read = (pid: number) => {
    const found = reader.read(pid);
    if (typeof found === 'string') throw new Error(found);
    return found;
  };

  test('everything there is', () => {
    tree.add({ pid: 10, name: 'cron', start: 500 });
    tree.add({
      pid: 42,
      name: 'a) (b\n\u001b[1m',
      ppid: 10,
      start: 1234,
      uid: 33,
      cmdline: 'curl\0-u\0me:hunter2\0http://h/\0',
      exe: '/usr/bin/curl (deleted)',
      cgroup: '0::/system.slice/cron.service\n',
      netns: 4026531999,
    });
    expect(reader.read(42)).toEqual({
      pid: 42,
      ppid: 10,
      parent: 'cron',
      name: 'a) (b\n\u001b[1m',
      exe: '/usr/bin/curl',
      command: 'curl -u me:*** http://h/',
      user: 'web',
      unit: 'cron.service',
      container: null,
      netns: 4026531999,
      started: 1700000012.34,
    });
    expect(reader.readName(42)).toBe('a) (b\n\u001b[1m');
    expect(startTicks(42, tree.proc)).toBe(1234);
  });

  test('a thread of the kernel, and a process that has ended', () => {
    tree.add({ pid: 2, name: 'kthreadd', flags: 0x208040, ppid: 0, cmdline: '' });
    tree.add({ pid: 3, name: 'gone', state: 'Z', cmdline: '' });
    expect(read(2)).toMatchObject({ name: 'kthreadd', exe: null, command: null, parent: null });
    expect(read(3)).toMatchObject({ name: 'gone', exe: null, command: null });
  });

  test('a thread is its process', () => {
    tree.add({ pid: 50, name: 'server', start: 700 });
    tree.add({ pid: 51, tgid: 50, name: 'worker', start: 800, cmdline: 'server\0' });
    expect(read(51)).toMatchObject({ pid: 50, name: 'server', started: 1700000007 });
    expect(reader.readName(51)).toBe('server');
    tree.remove(51);
    expect(reader.read(51)).toBe('gone');
  });

  test('a first thread that has ended before the others', () => {
    tree.add({ pid: 50, name: 'server', state: 'Z', threads: 2, cmdline: '' });
    tree.write('proc/50/task/50/cmdline', '');
    tree.write('proc/50/task/51/cmdline', 'server\0--port=1\0');
    expect(read(50).command).toBe('server --port=1');
    reader = new ProcessReader({ proc: tree.proc, root: tree.root });
    tree.add({ pid: 51, tgid: 50, name: 'worker', cmdline: 'server\0--port=1\0', exe: '/srv' });
    expect(read(51)).toMatchObject({ pid: 50, name: 'server', command: 'server --port=1', exe: '/srv' });
  });

  test('none, no number of a process, a folder with nothing in it', () => {
    tree.write('proc/60/stat', '');
    tree.write('proc/61/status', 'Name:\tx\nTgid:\t61\n');
    for (const pid of [99, 0, -1, 1.5, NaN, 2 ** 40, 60, 61]) {
      expect(reader.read(pid)).toBe('gone');
      expect(startTicks(pid, tree.proc)).toBeNull();
    }
    expect(reader.readName(99)).toBeNull();
    expect(reader.readName(61)).toBeNull();
  });

  test('a process that loses its files on the way gives what could be read', () => {
    tree.add({ pid: 42, name: 'curl', start: 5 });
    for (const file of ['status', 'cgroup', 'cmdline']) tree.write(`proc/42/${file}`, '');
    expect(read(42)).toMatchObject({ name: 'curl', user: null, command: null, unit: null, started: 1700000000.05 });
  });

  test('another process under the same PID is another', () => {
    tree.add({ pid: 42, name: 'old', start: 5 });
    expect(read(42).name).toBe('old');
    tree.add({ pid: 42, name: 'new', start: 6 });
    expect(read(42).name).toBe('new');
  });

  test('an exec is seen at once, by the name or by the memory', () => {
    tree.add({ pid: 42, name: 'sh', layout: 7, cmdline: 'sh\0' });
    expect(read(42).command).toBe('sh');
    tree.add({ pid: 42, name: 'curl', layout: 7, cmdline: 'curl\0x\0' });
    expect(read(42).command).toBe('curl x');
    tree.add({ pid: 42, name: 'curl', layout: 8, cmdline: 'curl\0y\0' });
    expect(read(42).command).toBe('curl y');
  });

  test('read once while nothing shows a change, and again after a while', () => {
    tree.add({ pid: 42, name: 'nginx', cmdline: 'nginx: master\0' });
    const first = read(42);
    tree.write('proc/42/cmdline', 'nginx: worker\0');
    now += 1999;
    expect(read(42)).toBe(first);
    now += 1;
    expect(read(42).command).toBe('nginx: worker');
    // The clock was set back.
    now -= 100_000;
    tree.write('proc/42/cmdline', 'nginx: third\0');
    expect(read(42).command).toBe('nginx: third');
  });

  test('what is known of a process outlives its program', () => {
    tree.add({ pid: 42, name: 'curl', cmdline: 'curl\0x\0', exe: '/usr/bin/curl' });
    const alive = read(42);
    now += 10_000;
    tree.add({ pid: 42, name: 'curl', layout: 0, cmdline: '' });
    expect(read(42)).toBe(alive);
    tree.add({ pid: 42, name: 'curl', state: 'Z', layout: 0, cmdline: '' });
    expect(read(42)).toBe(alive);
    tree.remove(42);
    expect(reader.read(42)).toBe('gone');
    expect(reader.recall(42)).toBe(alive);
    expect(reader.recall(43)).toBeNull();
  });

  test('a parent that is younger than its child is somebody else', () => {
    tree.add({ pid: 10, name: 'imposter', start: 2000 });
    tree.add({ pid: 42, name: 'x', ppid: 10, start: 1000 });
    expect(read(42)).toMatchObject({ ppid: 10, parent: null });
  });

  test('users without a name, and of other containers, go by number', () => {
    const id = 'ab'.repeat(32);
    const cgroup = `0::/system.slice/docker-${id}.scope\n`;
    tree.write(`root/var/lib/docker/containers/${id}/config.v2.json`, '{"Name":"/web"}');
    tree.add({ pid: 1, name: 'a', uid: 4711 });
    tree.add({ pid: 2, name: 'b', uid: 33, cgroup });
    tree.add({ pid: 3, name: 'c', uid: 0, cgroup });
    expect(read(1).user).toBe('4711');
    expect(read(2)).toMatchObject({ user: '33', unit: null, container: { id, runtime: 'docker', name: 'web' } });
    expect(read(3).user).toBe('root');
    tree.write('proc/self/cgroup', cgroup);
    reader = new ProcessReader({ proc: tree.proc, root: tree.root });
    expect(read(2).user).toBe('web');
  });

  test('a passwd file that has changed', () => {
    tree.add({ pid: 1, name: 'a', uid: 4711 });
    expect(read(1).user).toBe('4711');
    tree.write('root/etc/passwd', 'new:x:4711:0::/:/bin/sh\n');
    now += 3000;
    expect(read(1).user).toBe('new');
  });

  test('a command line without end, and a boot time that is missing', () => {
    tree.add({ pid: 1, name: 'a', cmdline: Buffer.alloc(3_000_000, 'ab \0') });
    expect(read(1).command).toHaveLength(4096);
    tree.write('proc/stat', 'cpu 1\n');
    expect(new ProcessReader({ proc: tree.proc, root: tree.root }).read(1)).toMatchObject({ started: null });
  });

  test('thousands of processes: the oldest are forgotten', () => {
    for (let pid = 1; pid <= 4200; pid++) tree.write(`proc/${pid}/stat`, `${pid} (p) S 0 ${'0 '.repeat(60)}`);
    for (let pid = 1; pid <= 4200; pid++) reader.read(pid);
    expect([reader.recall(104), reader.recall(105)?.pid, reader.recall(4200)?.pid]).toEqual([null, 105, 4200]);
  }, 120_000);
});

describe('real processes', () => {
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  });

  /** Started, and its program in place. */
  async function start(command: string, args: string[]): Promise<number> {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    await once(child.stdout, 'data');
    return child.pid ?? 0;
  }

  test('this one', () => {
    const found = new ProcessReader().read(process.pid);
    expect(found).toMatchObject({
      pid: process.pid,
      ppid: process.ppid,
      parent: readFileSync(`/proc/${process.ppid}/comm`, 'utf8').slice(0, -1),
      name: readFileSync('/proc/self/comm', 'utf8').slice(0, -1),
      exe: readlinkSync('/proc/self/exe'),
      netns: Number(/\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0]),
    });
    if (typeof found === 'string') throw new Error(found);
    expect(Math.abs((found.started ?? 0) - (Date.now() / 1000 - process.uptime()))).toBeLessThan(3);
    if (hasTool('id')) expect(found.user).toBe(execFileSync('id', ['-un'], { encoding: 'utf8' }).trim());
  });

  test('a thread of this one', () => {
    const tid = readdirSync('/proc/self/task').map(Number).find((each) => each !== process.pid); // prettier-ignore
    expect(new ProcessReader().read(tid ?? 0)).toMatchObject({ pid: process.pid, ppid: process.ppid });
  });

  test('one that ends: known while it is a zombie, then gone, and another under no other name', async () => {
    const reader = new ProcessReader();
    const pid = await start('sh', ['-c', 'echo; read x; true', '--token=hunter2']);
    const found = reader.read(pid);
    expect(found).toMatchObject({
      pid,
      ppid: process.pid,
      name: 'sh',
      command: 'sh -c echo; read x; true --token=***',
    });
    expect(reader.read(pid)).toBe(found);
    const ended = once(children[0]!, 'exit');
    process.kill(pid, 'SIGKILL');
    await ended;
    expect(reader.read(pid)).toBe('gone');
    expect(reader.recall(pid)).toBe(found);
  });

  test('an exec of a program of the same name is seen at once', async () => {
    const reader = new ProcessReader();
    const child = spawn('sh', ['-c', 'echo one; read x; exec sh -c "echo two; read x; true" second'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    expect(reader.read(pid)).toMatchObject({ name: 'sh', command: expect.stringContaining('echo one') });
    child.stdin.write('\n');
    await once(child.stdout, 'data');
    expect(reader.read(pid)).toMatchObject({ name: 'sh', command: 'sh -c echo two; read x; true second' });
  });

  const isRoot = process.getuid?.() === 0;
  testIf(isRoot && hasTool('setpriv'), 'needs root and setpriv', "another user's, with and without root", async () => {
    const pid = await start('setpriv', ['--reuid=65534', '--clear-groups', 'sh', '-c', 'echo; read x; true']);
    const nobody = /^([^:]+):[^:]*:65534:/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1] ?? '65534';
    const own = new ProcessReader();
    expect(own.read(pid)).toMatchObject({ user: nobody, name: 'sh', exe: expect.stringContaining('/') });

    // Without root, of a process of root: what anybody may see, and null for the rest.
    process.seteuid?.(65534);
    try {
      const found = new ProcessReader().read(process.ppid);
      expect(found).toMatchObject({ pid: process.ppid, user: 'root', exe: null, netns: null });
      expect(found).toMatchObject({ name: expect.any(String), command: expect.any(String) });
      expect(new ProcessReader().read(pid)).toMatchObject({ user: nobody, name: 'sh' });
    } finally {
      process.seteuid?.(0);
    }
  });

  const canHide = isRoot && hasTool('setpriv') && hasTool('unshare') && hasTool('mount');
  testIf(canHide, 'needs root, setpriv, unshare and mount', 'hidden by hidepid: permission, not gone', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'rstscope-hidepid-'));
    try {
      const program = path.join(folder, 'read.mjs');
      const reads = 'const read = (pid) => { const r = new ProcessReader().read(Number(pid)); return r.name ?? r; };';
      buildSync({
        stdin: {
          contents: `import { ProcessReader } from './src/attribute/proc/reader.js';
            ${reads} console.log(process.argv.slice(2).map(read).join(' '), read(process.pid));`,
          resolveDir: process.cwd(),
        },
        bundle: true,
        platform: 'node',
        format: 'esm',
        outfile: program,
      });
      chmodSync(folder, 0o755);
      // A mount of its own in a namespace of its own: nobody else's /proc changes.
      const script =
        'mount -t proc -o "$1" proc /proc && shift && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"';
      const readAs = (option: string): string =>
        execFileSync(
          'unshare',
          ['-m', 'sh', '-c', script, 'sh', option, process.execPath, program, String(process.pid), '4194399'],
          { encoding: 'utf8' },
        ).trim();
      expect(readAs('hidepid=2')).toBe('permission gone node');
      expect(readAs('hidepid=1')).toBe('permission gone node');
      expect(readAs('hidepid=0')).toMatch(/^(?!permission).+ gone node$/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
