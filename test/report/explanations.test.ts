/** The explanations: whole, found under their names, and true of the kernel that runs here. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { parseCommandLine } from '../../src/cli/program.js';
import type { SysctlNote } from '../../src/report/explanations/explanation.js';
import { EXPLANATIONS, explanationOf, find, GROUPS, normalised, SHARED } from '../../src/report/explanations/find.js';
import { nearest } from '../../src/report/explanations/nearest.js';
import { CAUSES, PATTERNS } from '../../src/report/types.js';
import { testIf } from '../support/tools.js';

const LINUX = process.platform === 'linux';
const COUNTER_FILES = ['/proc/net/snmp', '/proc/net/netstat'];

function causesOf(word: string): readonly string[] {
  const found = find(word);
  if (found.kind === 'one') return [found.explanation.cause];
  return found.kind === 'several' ? found.shared.causes.map(({ cause }) => cause) : [];
}

describe('the explanations', () => {
  test('are of every cause, once each', () => {
    expect(EXPLANATIONS.map(({ cause }) => cause).sort()).toEqual([...CAUSES].sort());
    expect(GROUPS.every(({ title, explanations }) => title !== '' && explanations.length > 0)).toBe(true);
  });
  test.each(CAUSES)('%s says what it is, how it is told, how surely, and what to do', (cause) => {
    const one = explanationOf(cause);
    expect(one?.title).toMatch(/^\S.{9,60}$/);
    expect(one?.meaning.length).toBeGreaterThan(100);
    expect(one?.certainty).toMatch(/\.$/);
    for (const list of [one?.recognised_by, one?.next_steps, one?.aliases]) expect(list?.length).toBeGreaterThan(0);
    for (const { say } of one?.next_steps ?? []) expect(say).toMatch(/^[A-Z].*\.$/);
    for (const { says } of [...(one?.counters ?? []), ...(one?.sysctls ?? [])]) expect(says).not.toBe('');
  });
  test('are plain text that any terminal shows', () => {
    expect(JSON.stringify([EXPLANATIONS, SHARED, GROUPS])).toMatch(/^[ -~]*$/);
  });
  test('name commands of this program that it understands, and options that it has', () => {
    const own = EXPLANATIONS.flatMap(({ next_steps }) => next_steps.flatMap(({ type }) => type ?? []))
      .map((type) => /\brstscope ([^|]*)/.exec(type)?.[1]?.trim().split(/ +/))
      .filter((args) => args !== undefined);
    expect(own.length).toBeGreaterThan(10);
    for (const args of own) {
      const typed = parseCommandLine(args, null, () => undefined);
      expect([args, typed.command]).toEqual([args, args[0]]);
      if (typed.command === 'live' || typed.command === 'read') {
        for (const cause of typed.values.cause?.flatMap((list) => list.split(',')) ?? [])
          expect(CAUSES as readonly string[]).toContain(cause);
      }
    }
  });
  test('have commands that fit a line of 80 columns, six of them indent', () => {
    const long = EXPLANATIONS.flatMap(({ next_steps }) => next_steps.map(({ type }) => type ?? '')).filter(
      (type) => type.length > 74,
    );
    expect(long).toEqual([]);
  });
});

describe('on this machine', () => {
  const running = release().split('.').map(Number);
  const sysctls = EXPLANATIONS.flatMap((one) => one.sysctls);
  const missing = (some: readonly SysctlNote[]): string[] =>
    some.map(({ name }) => name).filter((name) => !existsSync(`/proc/sys/${name.replaceAll('.', '/')}`));
  const inNetfilter = ({ name }: SysctlNote): boolean => name.startsWith('net.netfilter.');
  const hasIt = ({ since }: SysctlNote): boolean => {
    const [major = 0, minor = 0] = (since ?? '0.0').split('.').map(Number);
    return (running[0] ?? 0) > major || (running[0] === major && (running[1] ?? 0) >= minor);
  };

  testIf(LINUX, 'needs Linux', 'every counter named is one of the kernel', () => {
    const known = new Set(COUNTER_FILES.flatMap((file) => readFileSync(file, 'utf8').split(/\s+/)));
    const named = EXPLANATIONS.flatMap(({ counters }) => counters.map(({ name }) => name));
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
  testIf(LINUX, 'needs Linux', 'every setting named is there, if this kernel is new enough for it', () => {
    const here = sysctls.filter((one) => one.machineWide !== true && !inNetfilter(one) && hasIt(one));
    expect(here.length).toBeGreaterThan(10);
    expect(missing(here)).toEqual([]);
  });
  const machineWide = sysctls.filter((one) => one.machineWide === true);
  testIf(
    existsSync('/proc/sys/net/ipv4/tcp_mem'),
    'needs the first network namespace of Linux',
    'every setting of the whole machine is there',
    () => {
      expect(machineWide.length).toBeGreaterThan(1);
      expect(missing(machineWide)).toEqual([]);
    },
  );
  testIf(
    existsSync('/proc/sys/net/netfilter/nf_conntrack_max'),
    'needs connection tracking in the kernel',
    'every setting of connection tracking is there',
    () => {
      expect(sysctls.filter(inNetfilter).length).toBeGreaterThan(1);
      expect(missing(sysctls.filter(inNetfilter))).toEqual([]);
    },
  );
});

describe('a word', () => {
  test('leads to one page only', () => {
    const pages = new Map<string, string>();
    const names = [
      ...EXPLANATIONS.flatMap(({ cause, aliases }) => [cause, ...aliases].map((name) => [name, cause] as const)),
      ...SHARED.flatMap(({ words }, i) => words.map((name) => [name, `shared ${i}`] as const)),
    ];
    for (const [name, page] of names) {
      const key = normalised(name);
      expect(key).not.toBe('');
      expect([name, pages.get(key) ?? page]).toEqual([name, page]);
      pages.set(key, page);
    }
  });
  test('that is shared has two causes or more, each once, and says when it is which', () => {
    for (const { words, says, causes } of SHARED) {
      expect([words[0], new Set(causes.map(({ cause }) => cause)).size]).toEqual([words[0], causes.length]);
      expect(causes.length).toBeGreaterThan(1);
      expect([says, ...causes.map(({ when }) => when)]).not.toContain('');
    }
  });
  test.each(CAUSES)('%s is its own name', (cause) => {
    expect(causesOf(cause)).toEqual([cause]);
  });
  test.each(PATTERNS)('the pattern %s is found', (pattern) => {
    expect(causesOf(pattern).length).toBeGreaterThan(0);
  });
  // The six of Netdata's guide on resets, as it words them.
  test.each([
    ['A TCP packet received on a port that is not open', 'closed-port'],
    ['An aborting connection', 'abort-linger'],
    ['Half opened connections', 'half-open'],
    ['Time wait assassination', 'time-wait-assassination'],
    ['Listening endpoint Queue is Full', 'listen-queue-full'],
    ['A TCP Buffer Overflow', 'abort-memory'],
    ['port closed', 'closed-port'],
    ['connection refused', 'closed-port'],
    ['ECONNREFUSED', 'firewall-reject'],
    ['application crash', 'listener-closed'],
    ['restart', 'abort-unread-data'],
    ['timeout', 'abort-timeout'],
    ['idle timeout', 'middlebox-reset'],
    ['keepalive', 'late-data'],
    ['listen queue full', 'listen-queue-full'],
    ['backlog', 'listen-queue-full'],
    ['buffer overflow', 'abort-unread-data'],
    ['out of memory', 'abort-memory'],
    ['firewall', 'firewall-reject'],
    ['security device', 'injected'],
    ['port scan', 'closed-port'],
    ['connection reset by peer', 'abort-unread-data'],
    ['broken pipe', 'late-data'],
    ['NO_SOCKET', 'client-gave-up'],
    ['SK_RST_REASON_NO_SOCKET', 'closed-port'],
    ['TCP_ABORT_ON_CLOSE', 'abort-unread-data'],
    ['TcpExtTCPAbortOnClose', 'abort-unread-data'],
    ['TCPAbortOnData', 'abort-linger'],
    ['TcpOutRsts', 'closed-port'],
    ['REJ', 'closed-port'],
    ['RSTO', 'abort'],
    ['RSTOS0', 'client-gave-up'],
    ['rstrh', 'listen-queue-full'],
    ['R.', 'closed-port'],
    ['[RST, ACK]', 'closed-port'],
    ['R', 'abort-linger'],
    ['  Listen_Queue-FULL ', 'listen-queue-full'],
  ])('"%s" leads to %s', (word, cause) => {
    expect(causesOf(word)).toContain(cause);
  });
  testIf(LINUX, 'needs Linux', 'is found for every counter that an explanation names', () => {
    for (const { cause, counters } of EXPLANATIONS)
      for (const { name } of counters) expect([cause, name, causesOf(name).length > 0]).toEqual([cause, name, true]);
  });
  test('that nobody knows has its like', () => {
    expect(find('clsed-port')).toEqual({ kind: 'none', near: ['closed-port'] });
    expect(find('half_opne')).toEqual({ kind: 'none', near: ['half-open'] });
    expect(find('lingr')).toEqual({ kind: 'none', near: ['linger'] });
    expect(find('xyzzy')).toEqual({ kind: 'none', near: [] });
    expect(find('')).toEqual({ kind: 'none', near: [] });
    expect(find('...')).toEqual({ kind: 'none', near: [] });
    expect(find('a'.repeat(100_000))).toEqual({ kind: 'none', near: [] });
  });
});

describe('likeness', () => {
  const names = ['closedport', 'halfopen', 'latedata'].map((key) => ({ key }));
  const like = (typed: string): string[] => nearest(typed, names).map(({ key }) => key);
  test.each([
    ['closdport', ['closedport']],
    ['closedprot', ['closedport']],
    ['halvopen', ['halfopen']],
    ['data', ['latedata']],
    ['ata', []],
    ['openhalf', []],
  ])('of %s is to %j', (typed, expected) => {
    expect(like(typed)).toEqual(expected);
  });
});
