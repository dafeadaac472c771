/** Who may capture and with what, and which filters are refused: one sentence and the next command to type. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { shellWord } from '../../src/capture/refusal.js';
import { expectRefusal } from '../cli/checks.js';
import { labProblem, twoHosts, type TwoHosts } from '../support/lab.js';
import { settled, snapshot } from '../support/leftovers.js';
import { bareEnvironment, CLI, REPOSITORY, tmpDir } from '../support/run.js';
import { hasTool, testIf } from '../support/tools.js';
import { knock } from '../support/traffic.js';
import { backendProblem, eachBackend, reportOf, runLive, startLive } from './support.js';

interface Run {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] as const;
const WITHOUT_RIGHTS = [...NOBODY, '--inh-caps=-all', '--bounding-set=-all'] as const;

const rootProblem = process.getuid?.() === 0 && hasTool('setpriv') ? labProblem() : 'needs root and setpriv';

function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  const [program = '', ...args] = command;
  const options = { encoding: 'utf8', env: bareEnvironment(env), timeout: 40_000, cwd: '/' } as const;
  const { status, signal, stdout, stderr } = spawnSync(program, args, options);
  return { code: status, signal, stdout, stderr };
}

function openFolder(): string {
  const folder = tmpDir();
  chmodSync(folder, 0o755);
  return folder;
}

/** What the package needs at run time, by the lock file. */
function runtimePackages(): string[] {
  const lock = JSON.parse(readFileSync(path.join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  return Object.entries(lock.packages).flatMap(([name, { dev }]) =>
    /^node_modules\/(?!.*node_modules)/.test(name) && dev !== true ? [name] : [],
  );
}

/** The package as it would be installed, readable for all, without some of what it needs. @returns the program. */
function installed(without: readonly string[] = [], link = false): string {
  const folder = openFolder();
  for (const name of ['bin', 'dist', 'schema', 'package.json'])
    cpSync(path.join(REPOSITORY, name), path.join(folder, name), { recursive: true });
  mkdirSync(path.join(folder, 'node_modules'));
  for (const name of runtimePackages()) {
    const source = path.join(REPOSITORY, name);
    if (without.includes(path.basename(name)) || !existsSync(source)) continue;
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    if (link) symlinkSync(source, path.join(folder, name));
    else cpSync(source, path.join(folder, name), { recursive: true });
  }
  if (!link) run(['chmod', '-R', 'a+rX', folder]);
  return path.join(folder, 'bin', 'rstscope.js');
}

/** Where tcpdump lies, each file once. */
function tcpdumps(): string[] {
  const folders = [
    ...(process.env['PATH'] ?? '').split(':'),
    '/usr/local/sbin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
  ];
  const files = folders.map((folder) => path.join(folder, 'tcpdump')).filter((file) => existsSync(file));
  return [...new Set(files.map((file) => realpathSync(file)))];
}

/** The command, where no tcpdump can be found: for it alone others lie over their places. */
function withoutTcpdump(command: readonly string[]): string[] {
  const hide = tcpdumps().map((file) => `mount --bind /dev/null '${file}' && `);
  return ['unshare', '--mount', 'sh', '-c', `${hide.join('')}exec "$@"`, 'sh', ...command];
}

const NOTHING_CAPTURED = ['-i', 'lo', '-f', 'port 1 and port 2', '-d', '0.3'];

describe('without rights', () => {
  const arguments_ = ['live', '-i', 'lo', '-f', "port 80 and host 'a'", '--csv', '-d', '1'];
  const readable = rootProblem === '' && run([...WITHOUT_RIGHTS, process.execPath, '--version']).code === 0;
  const problem = rootProblem === '' && !readable ? 'needs a node that others may run' : rootProblem;

  testIf(problem === '', problem, 'exit 2, one sentence and the line to type as root', async () => {
    const program = installed();
    const before = snapshot();
    const words = ['live', '-i', 'lo', '-f', 'port 80 or port 443', '--csv', '-d', '1'];
    for (const backend of ['auto', 'cap', 'tcpdump'] as const) {
      if (backend !== 'auto' && backendProblem(backend) !== '') continue;
      const args = [...words, '--backend', backend];
      const result = run([...WITHOUT_RIGHTS, process.execPath, program, ...args]);
      expectRefusal(result, 'capturing on lo takes root: ', /not permitted|permission/i);
      const [, hint = ''] = /\n {2}try: (.*)\n$/.exec(result.stderr) ?? [];
      expect(hint).toBe(
        `sudo ${process.execPath} ${program} live -i lo -f 'port 80 or port 443' --csv -d 1 --backend ${backend}`,
      );
    }
    expect(await settled(before, 2000)).toEqual([]);
  });

  testIf(hasTool('bash'), 'needs bash', 'the hint is what a shell makes the very arguments of', () => {
    const line = ['printf', String.raw`%s\n`, ...arguments_].map(shellWord).join(' ');
    expect(run(['bash', '-c', line]).stdout).toBe(`${arguments_.join('\n')}\n`);
  });

  testIf(problem === '', problem, 'devices can be asked for all the same', () => {
    expect(run([...WITHOUT_RIGHTS, process.execPath, installed(), 'devices'])).toMatchObject({ code: 0, stderr: '' });
  });

  const capable = problem !== '' ? problem : hasTool('setcap') && hasTool('tcpdump') ? '' : 'needs setcap and tcpdump';
  testIf(capable === '', capable, 'a tcpdump that may capture is used', async () => {
    const program = installed();
    const folder = openFolder();
    const tcpdump = path.join(folder, 'tcpdump');
    copyFileSync(tcpdumps()[0] ?? '', tcpdump);
    chmodSync(tcpdump, 0o755);
    expect(run(['setcap', 'cap_net_raw,cap_net_admin+ep', tcpdump])).toMatchObject({ code: 0 });
    const before = snapshot();
    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, TMPDIR: '/tmp' };
    const result = run([...NOBODY, process.execPath, program, 'live', ...NOTHING_CAPTURED, '--json'], env);
    expect(result).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ source: { backend: 'tcpdump', interfaces: ['lo'] } });
    expect(await settled(before, 2000)).toEqual([]);
  });
});

describe('without the binding', () => {
  const problem = rootProblem === '' ? backendProblem('tcpdump') : rootProblem;
  const command = (program: string, ...args: readonly string[]): string[] => [
    process.execPath,
    program,
    'live',
    ...args,
  ];

  testIf(problem === '', problem, 'it was asked for: one sentence', () => {
    const result = run(command(installed(['cap'], true), ...NOTHING_CAPTURED, '--backend', 'cap'));
    expectRefusal(result, "the chosen backend can't capture: cap: Cannot find module 'cap'");
    expect(result.stderr).toContain('\n  try: rstscope live --backend tcpdump\n');
    expect(result.stderr).not.toContain('Require stack');
  });

  testIf(problem === '', problem, 'it was not asked for: tcpdump', () => {
    const result = run(command(installed(['cap'], true), ...NOTHING_CAPTURED, '--json'));
    expect(result).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ source: { backend: 'tcpdump', timestamps: 'kernel' } });
  });

  testIf(problem === '', problem, 'nor tcpdump: one sentence and what to install', () => {
    const result = run(withoutTcpdump(command(installed(['cap'], true), ...NOTHING_CAPTURED)));
    expectRefusal(result, 'nothing here can capture: cap: ', '; tcpdump: it is not installed');
    expect(result.stderr).toContain('\n  try: sudo apt-get install tcpdump\n');
  });

  testIf(rootProblem === '', rootProblem, 'no tcpdump, which was asked for', () => {
    const result = run(withoutTcpdump(command(CLI, ...NOTHING_CAPTURED, '--backend', 'tcpdump')));
    expectRefusal(result, 'nothing here can capture: tcpdump: it is not installed');
  });

  const both = rootProblem === '' ? backendProblem('cap') : rootProblem;
  testIf(both === '', both, 'no tcpdump, which nobody asked for', () => {
    const result = run(withoutTcpdump(command(CLI, ...NOTHING_CAPTURED, '--json')));
    expect(result).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ source: { backend: 'cap' } });
  });
});

const GUIDES = 'tcp[tcpflags] & (tcp-rst) == (tcp-rst)';

eachBackend('filters', (backend, absent) => {
  const problem = absent === '' ? labProblem() : absent;
  const by = ['--backend', backend];
  const live = (...args: readonly string[]): Promise<Run> => runLive([...by, '-d', '0.3', ...args]);

  testIf(problem === '', problem, 'a bad one is refused in libpcap’s words, and nothing is begun', async () => {
    const folder = tmpDir();
    const file = path.join(folder, 'out.pcapng');
    const before = snapshot();
    for (const filter of ['foo bar', 'port 80) or (port 90', 'tcp port', 'port 70000']) {
      const result = await live('-i', 'lo', '-w', file, '-f', filter);
      expectRefusal(result, `libpcap refuses the filter "${filter}": `, /syntax error|illegal port number/);
      expect(existsSync(file)).toBe(false);
    }
    expect(await settled(before, 2000)).toEqual([]);
  });

  testIf(problem === '', problem, 'by -f or as words at the end, not both', async () => {
    const ended = await live('-i', 'lo', '--json', 'port', '80', 'and', 'not', 'port', '81');
    expect(ended).toMatchObject({ code: 0 });
    expect(reportOf({ ...ended, signal: null })).toMatchObject({ source: { filter: 'port 80 and not port 81' } });
    expectRefusal(await live('-f', 'port 80', 'port 90'), 'a filter was given twice: by -f "port 80" and as "port 90"');
  });

  testIf(problem === '', problem, 'vlan, which moves what stands behind it', async () => {
    expect(await live('-i', 'lo', '-q', 'vlan 10')).toMatchObject({ code: 0, stderr: '' });
  });

  testIf(problem === '', problem, 'another one with tcp[…] is used, with a warning', async () => {
    const { code, stderr } = await live('-i', 'lo', 'tcp[tcpflags] & tcp-rst != 0 and port 80');
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/never matches IPv6/) });
    expect(stderr).not.toContain('dropped');
  });

  describe('on a wire', () => {
    let hosts: TwoHosts | null = null;
    beforeAll(async () => {
      if (problem === '') hosts = await twoHosts();
    });
    const made = (): TwoHosts => {
      if (hosts === null) throw new Error('there is no lab');
      return hosts;
    };

    testIf(problem === '', problem, 'the guides’ line pasted: its note, and IPv6 is seen', async () => {
      const { a, b } = made();
      const folder = tmpDir();
      const pasted = ['-i', 'any', '-s', '65535', '-w', 'out.pcap', GUIDES];
      const run = await startLive([...pasted, ...by, '--json', '-d', '10', '-c', '2'], { ns: a, cwd: folder });
      await Promise.all(['10.99.0.2', 'fd00:99::2'].map((host) => knock({ ns: a, host, port: 7 }).done));
      const ended = await run.ended;
      expect(ended.code).toBe(0);
      expect(ended.stderr).toMatch(/the reset filter is dropped: .*IPv6/);
      expect(ended.stderr).toContain('out.pcap is written as classic pcap, which holds no comments');
      expect(
        reportOf(ended)
          .endpoints.map(({ ip, resets }) => [ip, resets])
          .sort(),
      ).toEqual([
        ['10.99.0.2', 1],
        ['fd00:99::2', 1],
      ]);
      expect(existsSync(path.join(folder, 'out.pcap'))).toBe(true);
      expect(b.pids()).toEqual([]);
    });

    testIf(problem === '', problem, 'port 80 lets the others out', async () => {
      const { a } = made();
      const run = await startLive([...by, '--ndjson', '-d', '10', '-c', '2', 'port 80'], { ns: a });
      for (const port of [81, 80]) {
        for (const host of ['10.99.0.2', 'fd00:99::2']) await knock({ ns: a, host, port }).done;
      }
      await run.ended;
      expect(run.resets.map(({ src_ip, src_port }) => [src_ip, src_port]).sort()).toEqual([
        ['10.99.0.2', 80],
        ['fd00:99::2', 80],
      ]);
    });
  });
});

test('what the lock file calls needed at run time is there to be copied', () => {
  expect(runtimePackages()).toEqual(expect.arrayContaining(['node_modules/commander', 'node_modules/cap']));
});
