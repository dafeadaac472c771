/** The referee itself: right, wrong and nothing told apart on made-up events; its truth beside what ss and tcpdump see. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync, readlinkSync } from 'node:fs';
import type { ProcessInfo } from '../../../src/report/types.js';
import { labProblem, twoHosts } from '../../support/lab.js';
import { count, judge, startProgram, Truth, verdict, within, type Judged, type TruthEnd } from '../../support/names.js';
import { testIf } from '../../support/tools.js';

const SERVER: TruthEnd = {
  pid: 100,
  ppid: 99,
  name: 'server',
  parent: 'master',
  older: ['master'],
  netns: 7,
  local: ['127.0.0.1', 80],
  remote: ['127.0.0.1', 5000],
  at: 9,
};
const CLIENT: TruthEnd = {
  pid: 200,
  ppid: 199,
  name: 'client',
  parent: 'loop',
  older: [],
  netns: 7,
  local: ['127.0.0.1', 5000],
  remote: ['127.0.0.1', 80],
  at: 9,
};

function named(who: TruthEnd, other: Partial<ProcessInfo> = {}): ProcessInfo {
  const { pid, ppid, name, parent, netns } = who;
  const unknown = { exe: null, command: null, user: null, unit: null, container: null, started: null };
  return { pid, ppid, name, parent, netns, ...unknown, match: 'kernel-trace', ...other };
}

function event(sender: ProcessInfo | null, receiver: ProcessInfo | null = named(CLIENT)): Judged {
  return {
    src_ip: '127.0.0.1',
    src_port: 80,
    dest_ip: '127.0.0.1',
    dest_port: 5000,
    translations: [],
    epoch: 10,
    sender,
    receiver,
    sender_reason: sender === null ? 'unknown' : null,
    receiver_reason: receiver === null ? 'unknown' : null,
  };
}

describe('the comparison', () => {
  const truth = new Truth([SERVER, CLIENT]);

  test('right: the PID is right, and nothing that is said of it is wrong', () => {
    expect(judge([event(named(SERVER))], truth)).toEqual(verdict(1));
    const sparse = named(SERVER, { ppid: null, parent: null, name: null, netns: null });
    expect(judge([event(sparse)], truth)).toEqual(verdict(1));
    expect(judge([event(named(SERVER, { name: 'master' }))], truth)).toEqual(verdict(1));
  });

  test('none: a null with its reason', () => {
    expect(judge([event(null, null)], truth)).toEqual(verdict(1, { sender: { none: 1 }, receiver: { none: 1 } }));
  });

  test.each([
    ['another PID', named(SERVER, { pid: 101 })],
    ['the process of the other end', named(CLIENT)],
    ['the PID of a process that had it before', named(SERVER, { name: 'older' })],
    ['another parent', named(SERVER, { ppid: 98 })],
    ["another parent's name", named(SERVER, { parent: 'init' })],
    ['another network namespace', named(SERVER, { netns: 8 })],
    ['the parent, not named as a group', named(SERVER, { pid: 99, name: 'master' })],
    ['another group', named(SERVER, { pid: 98, name: 'master', match: 'listener-group' })],
    ['the member, named as a group', named(SERVER, { match: 'listener-group' })],
  ])('wrong: %s', (_, process) => {
    const { sender, receiver, mistakes } = judge([event(process)], truth);
    expect([sender, receiver]).toEqual([count({ wrong: 1 }), count({ right: 1 })]);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain('127.0.0.1:80 > 127.0.0.1:5000: sender: named');
  });

  test("a group's common parent is neither right nor wrong", () => {
    const master = named(SERVER, { pid: 99, ppid: 1, parent: 'systemd', name: 'master', match: 'listener-group' });
    expect(judge([event(master)], truth)).toEqual(verdict(1, { sender: { group: 1 } }));
  });

  test('each reset is judged, in either direction', () => {
    const back = { ...event(named(CLIENT), named(SERVER)), src_port: 5000, dest_port: 80 };
    expect(judge([event(named(SERVER)), back, event(null)], truth)).toEqual(
      verdict(3, { sender: { right: 2, none: 1 } }),
    );
  });

  test('where nobody is, every name is wrong', () => {
    const alone = new Truth([CLIENT]);
    const nobody = () => ['sender'] as const;
    expect(judge([event(null)], alone, nobody).sender).toEqual(count({ none: 1 }));
    expect(judge([event(named(SERVER))], alone, nobody).sender).toEqual(count({ wrong: 1 }));
  });

  test('a name with a reason and a null without one do not hold together', () => {
    const both = { ...event(named(SERVER)), sender_reason: 'gone' as const };
    const neither = { ...event(null), sender_reason: null };
    expect(judge([both, neither], truth).mistakes).toHaveLength(2);
  });

  test('an end of which nothing is known is an error, not a verdict', () => {
    expect(() => judge([event(named(SERVER))], new Truth([CLIENT]))).toThrow(/sender: the truth says nothing/);
    expect(() => judge([event(null)], truth, () => ['sender'])).toThrow(/sender: the truth says 100 server/);
  });

  test('a truth that contradicts itself is an error', () => {
    expect(() => new Truth([SERVER, { ...SERVER, pid: 101 }])).toThrow(/is of 100 and of 101/);
    expect(() => new Truth([SERVER, SERVER])).not.toThrow();
  });

  test('a port that is given out again is of whoever had it then', () => {
    const later = { ...SERVER, pid: 101, at: 9.5 };
    const reused = new Truth([later, { ...SERVER, pid: 102, at: 11 }, SERVER, CLIENT]);
    expect(judge([event(named(SERVER, { pid: 101 }))], reused)).toEqual(verdict(1));
    expect(judge([event(named(SERVER)), event(named(SERVER, { pid: 102 }))], reused).sender.wrong).toBe(2);
    expect(judge([{ ...event(named(SERVER)), epoch: 9.2 }], reused)).toEqual(verdict(1));
  });

  test('an end whose port nobody could know is found by whom it connected to', () => {
    const plain = new Truth([SERVER, { ...CLIENT, local: ['127.0.0.1', null] }]);
    expect(judge([event(named(SERVER))], plain)).toEqual(verdict(1));
    expect(judge([event(named(SERVER), named(CLIENT, { pid: 201 }))], plain).receiver).toEqual(count({ wrong: 1 }));
  });

  test('behind NAT any of the tuples will do', () => {
    const { src_ip, src_port, dest_ip, dest_port } = event(null);
    const translations = [{ src_ip, src_port, dest_ip, dest_port, interface: 'eth0' }];
    const outer = { ...event(named(SERVER)), src_ip: '192.0.2.1', src_port: 443, translations };
    expect(judge([outer], truth)).toEqual(verdict(1));
  });

  test('resets of a range of ports', () => {
    expect(within([event(null)], [80, 90])).toHaveLength(1);
    expect(within([event(null)], [4999, 5000])).toHaveLength(1);
    expect(within([event(null)], [81, 4999])).toHaveLength(0);
  });
});

describe('the truth', () => {
  const problem = labProblem('tcpdump', 'python3', 'ss');

  testIf(problem === '', problem, 'each end is held by the process that says so, as ss and /proc see it', async () => {
    const { a: ns } = await twoHosts();
    const plan = { host: '127.0.0.1', times: 10, aborts: 'server' };
    const spaces = ['unshare', '--pid', '--fork', '--kill-child'];
    const programs = [
      startProgram({ ...plan, scenario: 'existed_before', port: 7001 }, { ns }),
      startProgram({ ...plan, scenario: 'existed_before', port: 7002, host: '::1' }, { ns, before: spaces }),
    ];
    await Promise.all(programs.map((program) => program.ready()));
    const { stdout } = await ns.exec(['ss', '-tnpH', 'state', 'established'], { via: 'nsenter' });
    const seen = stdout.trim().split('\n').map(holder);
    for (const { ends } of programs) {
      expect(ends).toHaveLength(20);
      for (const { pid, ppid, name, netns, local, remote } of ends) {
        expect(seen).toContainEqual({ name, pid, local: local.join(' '), remote: remote.join(' ') });
        expect(readlinkSync(`/proc/${pid}/ns/net`)).toBe(`net:[${netns}]`);
        expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]).toBe(String(ppid));
      }
    }
    expect(seen).toHaveLength(40);
    await Promise.all(programs.map((program) => program.stop()));
  });

  testIf(
    problem === '',
    problem,
    'every reset that tcpdump sees has the ends that were told, and none else',
    async () => {
      const { a: ns } = await twoHosts();
      const judgeOfAll = await ns.tcpdump('lo');
      const plans = [
        { scenario: 'refused', host: '127.5.0.1', port: 7011, times: 50, spread: 'address', pace: 2 },
        { scenario: 'refused', host: '::1', port: 7012, times: 50, bound: true, pace: 2 },
        { scenario: 'server_aborts', host: '127.0.0.1', port: 7013, times: 50, bound: true, pace: 2 },
        { scenario: 'client_aborts', host: '::1', port: 7014, times: 50, pace: 2 },
      ];
      const programs = plans.map((plan) => startProgram(plan, { ns }));
      await Promise.all(programs.map((program) => program.ready()));
      for (const program of programs) program.go();
      await Promise.all(programs.map((program) => program.done()));
      await judgeOfAll.until(200);
      const { lines, dropped } = await judgeOfAll.stop();
      expect([lines.length, dropped]).toEqual([200, 0]);
      const truth = new Truth(programs.flatMap(({ ends }) => ends));
      const nobody = ({ src_port }: Judged) => (src_port <= 7012 ? (['sender'] as const) : []);
      const events = lines.map((line) => ({ ...event(null, null), ...tupleOf(line) }));
      const none = { none: 200 };
      expect(judge(events, truth, nobody)).toEqual(verdict(200, { sender: none, receiver: none }));
      await Promise.all(programs.map((program) => program.stop()));
    },
  );
});

/** A line of ss: whose socket it is. */
function holder(line: string): Record<string, unknown> {
  // With a state asked for, ss leaves that column out.
  const [, , local = '', remote = '', users = ''] = line.trim().split(/ +/);
  const [, name, pid] = /\("([^"]+)",pid=(\d+)/.exec(users) ?? [];
  return { name, pid: Number(pid), local: ended(local), remote: ended(remote) };
}

function ended(address: string): string {
  return address.replace(/^\[(.*)\]/, '$1').replace(/:(\d+)$/, ' $1');
}

function tupleOf(line: string): Pick<Judged, 'src_ip' | 'src_port' | 'dest_ip' | 'dest_port' | 'epoch'> {
  const [, at, src_ip, src_port, dest_ip, dest_port] = /^(\S+) IP6? (\S+)\.(\d+) > (\S+)\.(\d+): /.exec(line) ?? [];
  if (src_ip === undefined || dest_ip === undefined) throw new Error(`tcpdump wrote "${line}"`);
  return { src_ip, src_port: Number(src_port), dest_ip, dest_port: Number(dest_port), epoch: Number(at) };
}
