/** Folders like those of /proc, for what can't be had from the real one. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface StatFields {
  pid: number;
  name: string;
  state?: string;
  ppid?: number;
  flags?: number;
  threads?: number;
  start?: number;
  /** Of the program in memory. */
  layout?: number;
}

export function statLine(fields: StatFields): Buffer {
  const { pid, name, state = 'S', ppid = 1, flags = 4194304, threads = 1, start = 1000, layout = 1 } = fields;
  const after = new Array<number | string>(50).fill(0);
  after[0] = state;
  after[1] = ppid;
  after[6] = flags;
  after[17] = threads;
  after[19] = start;
  for (const at of [23, 24, 25, 42, 43, 44, 45, 46, 47, 48]) after[at] = layout;
  return Buffer.from(`${pid} (${name}) ${after.join(' ')}\n`);
}

export interface FakeProcess extends StatFields {
  tgid?: number;
  uid?: number;
  cmdline?: string | Uint8Array;
  exe?: string;
  cgroup?: string;
  environ?: string;
  netns?: number;
}

export class ProcTree {
  readonly folder: string = mkdtempSync(path.join(tmpdir(), 'rstscope-proc-'));
  readonly proc: string = path.join(this.folder, 'proc');
  readonly root: string = path.join(this.folder, 'root');

  constructor() {
    this.write('proc/stat', 'cpu  1 2 3\nbtime 1700000000\n');
    this.write('proc/sys/kernel/hostname', 'node-1\n');
    this.write('proc/self/cgroup', '0::/user.slice\n');
    this.write('root/etc/passwd', 'root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:/bin/false\n');
  }

  write(file: string, content: string | Uint8Array): void {
    const full = path.join(this.folder, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, content);
  }

  add(fake: FakeProcess): void {
    const at = `proc/${fake.pid}`;
    this.remove(fake.pid);
    this.write(`${at}/stat`, statLine(fake));
    const uid = fake.uid ?? 0;
    this.write(`${at}/status`, `Name:\tx\nTgid:\t${fake.tgid ?? fake.pid}\nPPid:\t1\nUid:\t${uid}\t${uid}\t0\t0\n`);
    this.write(`${at}/cmdline`, fake.cmdline ?? `${fake.name}\0`);
    this.write(`${at}/cgroup`, fake.cgroup ?? '0::/\n');
    this.write(`${at}/environ`, fake.environ ?? '');
    mkdirSync(path.join(this.folder, at, 'ns'));
    symlinkSync(`net:[${fake.netns ?? 4026531840}]`, path.join(this.folder, at, 'ns/net'));
    if (fake.exe !== undefined) symlinkSync(fake.exe, path.join(this.folder, at, 'exe'));
  }

  remove(pid: number): void {
    rmSync(path.join(this.proc, String(pid)), { recursive: true, force: true });
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
