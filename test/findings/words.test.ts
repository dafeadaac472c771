/** What findings say and tell to type: hostile names stay one word of a shell, sentences stay sentences. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { found } from '../../src/attribute/process.js';
import { findAll, FINDERS } from '../../src/findings/find.js';
import { ladderStep, logStep, shellWord, whoStep } from '../../src/findings/steps.js';
import type { Finding } from '../../src/report/types.js';
import {
  listWords,
  momentWords,
  placeWords,
  programName,
  programWords,
  spanWords,
} from '../../src/report/sentence-words.js';
import { START } from '../report/analysing.js';
import { betweenOf, processOf, resetOf, verdictOf } from '../report/attributing.js';
import { clientIs, halfOpen, lateRequest, ofNoHabit, probe, refusal, talked, unasked } from '../patterns/made-up.js';
import { evidenceOf } from './facts.js';

const HOSTILE = [
  '$(touch /tmp/pwned)',
  '`id`',
  "it's",
  '"; rm -rf ~; "',
  'two words',
  'a\nb',
  'a\rb\tc',
  'a\u001b[31mb',
  '~root',
  '*',
  '#x',
  '!!',
  'a&b|c>d<e(f)',
  '\\',
  '',
  'ümlaut',
] as const;

/** What a shell makes of the words. */
function words(command: string): string[] {
  const out = execFileSync('/bin/sh', ['-c', `for w in ${command}; do printf '%s\\0' "$w"; done`], {
    encoding: 'utf8',
  });
  return out.split('\0').slice(0, -1);
}

describe('a word for a shell', () => {
  test('is what it was', () => {
    const made = HOSTILE.map(shellWord).join(' ');
    expect(words(made)).toEqual(HOSTILE);
  });
  test('whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii' }), { minLength: 5, maxLength: 30 }), (all) => {
        const plain = all.map((word) => word.replaceAll('\0', ''));
        expect(words(plain.map(shellWord).join(' '))).toEqual(plain);
      }),
      { numRuns: 15 },
    );
  });
  test('is left alone where it is plain', () => {
    expect(shellWord('/var/log/a-1_2.pcap')).toBe('/var/log/a-1_2.pcap');
    expect(shellWord('postgresql@14-main.service')).toBe('postgresql@14-main.service');
  });
});

describe('steps', () => {
  const example = { reset: resetOf({ frame: 12 }), evidence: [] };

  test.each(HOSTILE.filter((name) => name !== ''))('name the file as a shell takes it: %j', (name) => {
    const [step = ''] = ladderStep(example, evidenceOf([], { files: [name] }));
    expect(words(step)).toEqual(['rstscope', 'explain', name, '12']);
  });
  test('live there is no file to look into', () => {
    expect(ladderStep(example, evidenceOf([], { live: true }))).toEqual([]);
    expect(ladderStep({ reset: resetOf({ file: 3 }), evidence: [] }, evidenceOf([]))).toEqual([]);
  });
  test.each(HOSTILE.filter((name) => name !== ''))('name the unit as a shell takes it: %j', (name) => {
    const unit = `${name}.service`;
    const [status = '', journal = ''] = logStep(processOf({ unit }));
    expect(words(status)).toEqual(['systemctl', 'status', unit]);
    expect(words(journal)).toEqual(['journalctl', '-u', unit, '--since', '-15min']);
  });
  test('without a unit of its own a process has its number', () => {
    expect(logStep(processOf({ unit: 'session-3.scope', pid: 77 }))).toEqual(['ps -o pid,ppid,lstart,args -p 77']);
    expect(logStep(null)).toEqual([]);
  });
  test('ports', () => {
    expect(whoStep(null, evidenceOf([]))).toEqual([]);
    expect(whoStep(80, evidenceOf([]))).toEqual(['sudo rstscope who 80   # on the server']);
    expect(whoStep(80, evidenceOf([], { live: true }))).toEqual(['sudo rstscope who 80']);
  });
});

describe('findings about hostile programs', () => {
  const evil = (name: string): Finding[] => {
    const program = { unit: `${name}.service`, exe: `/opt/${name}`, name };
    const who = betweenOf({ sender: found(processOf(program), 'socket') });
    const aborts = Array.from({ length: 6 }, (_, i) => [ofNoHabit({ at: i }), who] as const);
    const loops = Array.from({ length: 6 }, (_, i) => {
      const reset = refusal({ port: 7211, at: i });
      return [reset, clientIs(reset, '10.0.0.9', program)] as const;
    });
    const checks = Array.from({ length: 6 }, (_, i) => probe({ port: 81, at: i }));
    return findAll(evidenceOf([...aborts, ...loops, ...checks], { files: [name] }));
  };

  test.each(HOSTILE.filter((name) => name !== ''))('every step is safe to paste: %j', (name) => {
    const findings = evil(name);
    expect(findings.map(({ id }) => id).sort()).toEqual(['application-aborting', 'knocking-client', 'no-action']);
    const steps = findings.flatMap((finding) => finding.next_steps);
    const naming = steps.filter(
      (step) => step.includes(name.slice(0, 2)) && /explain|read|systemctl|journalctl/.test(step),
    );
    expect(naming.length).toBeGreaterThan(0);
    for (const step of steps) {
      const [command = ''] = step.split('   # ');
      for (const word of words(command).slice(2)) {
        expect(['status', '-u', name, `${name}.service`, '--since', '-15min', 'port', 'abort']).toEqual(
          /^[\w,.-]+$/.test(word) ? expect.anything() : expect.arrayContaining([word]),
        );
      }
    }
  });
});

describe('of frames without a time', () => {
  /** As the tracker makes them where no frame before had one. */
  const untimed = (make: (spot: { port?: number; client?: string; server?: string }) => ReturnType<typeof refusal>) =>
    Array.from({ length: 1200 }, (_, i) => ({
      ...make({ port: 1 + (i % 400), client: '10.0.0.9' }),
      ...{ timed: false, seconds: NaN, nanos: 0 },
    }));

  test.each([
    ['refusals', untimed(refusal)],
    ['half-open connections', untimed(halfOpen)],
    ['checks', untimed((spot) => probe({ ...spot, port: 80 }))],
    ['races', untimed((spot) => lateRequest({ ...spot, port: 80 }))],
    ['aborts', untimed((spot) => ofNoHabit({ ...spot, port: 80 }))],
    ['strangers', untimed((spot) => unasked({ ...spot, server: `10.9.0.${String((spot.port ?? 0) % 250)}` }))],
  ])('%s: nothing is said of moments or spans', (_, resets) => {
    for (const { summary, evidence } of findAll(evidenceOf(resets))) {
      for (const text of [summary, ...evidence]) expect(text).not.toMatch(/NaN|Infinity|UTC|within|every/);
    }
  });
});

describe('findings', () => {
  test('are told gravest first, at most five of one kind, the last with how many more', () => {
    const loops = Array.from({ length: 8 }, (_, i) =>
      Array.from({ length: 4 + i }, (__, k) => refusal({ client: `10.3.0.${String(i)}`, at: k })),
    ).flat();
    const races = Array.from({ length: 2 }, (_, i) => lateRequest({ port: 8080, at: i * 50 }));
    const findings = findAll(evidenceOf([...loops, ...races]));
    expect(findings.map(({ id, severity }) => [id, severity])).toEqual([
      ['keepalive-race', 'warning'],
      ...Array.from({ length: 5 }, () => ['knocking-client', 'notice']),
    ]);
    expect(findings.slice(1).map(({ resets }) => resets)).toEqual([11, 10, 9, 8, 7]);
    expect(findings.at(-1)?.evidence.at(-1)).toMatch(/^3 more of the kind/);
  });

  test('are none where there is nothing', () => {
    expect(findAll(evidenceOf([]))).toEqual([]);
    for (const { find } of FINDERS) expect(find(evidenceOf([]))).toEqual([]);
  });

  test('count aborts that are part of nothing: five', () => {
    const aborts = (count: number): string[] =>
      findAll(evidenceOf(Array.from({ length: count }, (_, i) => ofNoHabit({ at: i })))).map(({ id }) => id);
    expect(aborts(4)).toEqual([]);
    expect(aborts(5)).toEqual(['application-aborting']);
  });

  test('rest on resets of one side and one cause at one place', () => {
    const aborts = (make: (i: number) => ReturnType<typeof ofNoHabit>): string[] =>
      findAll(evidenceOf(Array.from({ length: 8 }, (_, i) => make(i)))).map(({ id }) => id);
    expect(aborts((i) => ofNoHabit({ port: 80 + (i % 2), at: i }))).toEqual([]);
    expect(aborts((i) => ofNoHabit({ server: `10.0.0.8${String(i % 2)}`, at: i }))).toEqual([]);
    expect(
      aborts((i) => ({ ...ofNoHabit({ at: i }), verdict: verdictOf(i % 2 === 0 ? 'abort' : 'abort-linger') })),
    ).toEqual([]);
    const other = { srcIp: '10.0.0.9', srcPort: 50_000, destIp: '10.0.0.80', destPort: 80, resetBy: 'client' as const };
    expect(aborts((i) => (i % 2 === 0 ? ofNoHabit({ at: i }) : { ...ofNoHabit({ at: i }), ...other }))).toEqual([]);
  });

  test('one connection must have ten resets, and half of its port’s', () => {
    const stuck = (own: number, others: number): string[] => {
      const resets = Array.from({ length: own }, (_, i) => talked(ofNoHabit({ at: i }), { sender: { resets: i } }));
      const rest = Array.from({ length: others }, (_, i) => ofNoHabit({ at: 100 + i, client: `10.6.0.${String(i)}` }));
      return findAll(evidenceOf([...resets, ...rest]))
        .map(({ id }) => id)
        .filter((id) => id === 'stuck-flow');
    };
    expect(stuck(9, 0)).toEqual([]);
    expect(stuck(10, 10)).toEqual(['stuck-flow']);
    expect(stuck(10, 11)).toEqual([]);
  });
});

describe('words', () => {
  test.each([
    [0.000_012_3, '12 µs'],
    [0.012, '12 ms'],
    [0.0994, '99 ms'],
    [0.0996, '0.1 s'],
    [0.5, '0.5 s'],
    [5.04, '5 s'],
    [65.2, '65 s'],
    [119.6, '120 s'],
    [350, '5.8 min'],
    [7200, '2 h'],
    [172_800, '2 d'],
  ])('a span of %d s: %s', (seconds, expected) => {
    expect(spanWords(seconds)).toBe(expected);
  });
  test('a moment is one of UTC', () => {
    expect(momentWords(START + 3661.9)).toBe('13:01:01 UTC');
  });
  test('places', () => {
    expect(placeWords('10.0.0.1', 80)).toBe('10.0.0.1:80');
    expect(placeWords('2001:db8::1', 80)).toBe('[2001:db8::1]:80');
  });
  test('lists', () => {
    expect(listWords([])).toBe('');
    expect(listWords([1])).toBe('1');
    expect(listWords([1, 2])).toBe('1 and 2');
    expect(listWords([1, 2, 3])).toBe('1, 2 and 3');
    expect(listWords([1, 2, 3, 4])).toBe('1, 2, 3 and 1 more');
    expect(listWords([1, 2], 9)).toBe('1, 2 and 7 more');
  });
  test('programs', () => {
    expect(programWords(processOf({ unit: 'collector.service', pid: 9114 }))).toBe(
      'collector.service (node, pid 9114)',
    );
    expect(programWords(processOf({ unit: 'session-3.scope', pid: 9 }))).toBe('node (pid 9)');
    expect(programName(processOf({ name: null, exe: '/opt/a/b' }))).toBe('b');
    expect(programName(processOf({ name: null, exe: null, pid: 5 }))).toBe('pid 5');
  });
});
