/** Resets by process: grouped as operators call things, every end counted once, nothing without bound. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { found, missing, type Attribution, type End, type Match, type Process } from '../../src/attribute/process.js';
import { groupOf } from '../../src/report/process-group.js';
import { Tally } from '../../src/report/tally.js';
import type { ProcessRow } from '../../src/report/types.js';
import { betweenOf, containerOf, processOf, resetOf, verdictOf } from './attributing.js';

const HEX = '0123456789abcdef'.repeat(4);
const CONTEXT = {
  seconds: null,
  service: () => null,
  connections: { connectionsOf: () => null, connectionsOfPort: () => null },
};

function tallied(...ends: readonly Partial<Attribution>[]): Tally {
  const tally = new Tally();
  for (const each of ends) tally.add(resetOf(), betweenOf(each), null);
  return tally;
}

describe('a process is called by', () => {
  const nameOf = (changes: Partial<Process>): string => {
    const { key, name } = groupOf(processOf(changes));
    return `${key} ${name}`;
  };
  test.each([
    ['nginx.service', 'unit nginx.service'],
    ['postgresql@14-main.service', 'unit postgresql@14-main.service'],
    ['app-firefox-1234.scope', 'unit app-firefox-1234.scope'],
    ['run-parts-daily.service', 'unit run-parts-daily.service'],
    ['nightly-20260301.service', 'unit nightly-20260301.service'],
    ['session-3.scope', 'exe /usr/bin/node'],
    ['session-c12.scope', 'exe /usr/bin/node'],
    ['init.scope', 'exe /usr/bin/node'],
    ['user@1000.service', 'exe /usr/bin/node'],
    ['user-1000.slice', 'exe /usr/bin/node'],
    ['run-u42.service', 'exe /usr/bin/node'],
    ['run-p1234-i1235.scope', 'exe /usr/bin/node'],
    [`run-r${HEX.slice(0, 32)}.scope`, 'exe /usr/bin/node'],
    ['vte-spawn-1b4e28ba-2fa1-11d2-883f-0016d3cca427.scope', 'exe /usr/bin/node'],
    ['tmux-spawn-1b4e28ba-2fa1-11d2-883f-0016d3cca427.scope', 'exe /usr/bin/node'],
    [`docker-${HEX}.scope`, 'exe /usr/bin/node'],
    ['', 'exe /usr/bin/node'],
  ])('its unit where somebody named it: %s', (unit, expected) => {
    expect(nameOf({ unit })).toBe(expected);
  });
  test('its container where the unit is that of a runtime', () => {
    const unit = `cri-containerd-${HEX}.scope`;
    expect(nameOf({ unit, container: containerOf({ name: 'web' }) })).toBe('container web');
    expect(nameOf({ unit, container: containerOf({ id: HEX }) })).toBe('container 0123456789ab');
    const pod = containerOf({ name: 'app', pod: 'web-7d9-x2x', podNamespace: 'shop' });
    expect(nameOf({ unit, container: pod })).toBe('container shop/web-7d9-x2x/app');
    expect(nameOf({ container: containerOf({ pod: 'web-7d9-x2x' }) })).toBe('container web-7d9-x2x');
  });
  test('its executable, its name, or at the last its PID', () => {
    expect(nameOf({ exe: null })).toBe('exe node');
    expect(nameOf({ exe: null, name: null, pid: 7 })).toBe('exe pid 7');
  });
  test('what is of one name in two containers is two', () => {
    const inside = (name: string): string =>
      groupOf(processOf({ unit: 'nginx.service', container: containerOf({ name }) })).identity;
    expect(inside('a')).not.toBe(inside('b'));
    expect(inside('a')).toBe(inside('a'));
    expect(inside('a')).not.toBe(groupOf(processOf({ unit: 'nginx.service' })).identity);
    const named = (id: string): string => groupOf(processOf({ container: containerOf({ id, name: 'db' }) })).identity;
    expect(named('1')).toBe(named('2'));
  });
});

describe('rows of processes', () => {
  test('count what was sent and what was received', () => {
    const node = found(processOf({ unit: 'collector.service' }), 'kernel-trace');
    const nginx = found(processOf({ pid: 7, name: 'nginx', unit: 'nginx.service' }), 'socket');
    const tally = tallied({ receiver: node }, { sender: nginx, receiver: node }, { sender: missing('remote') });
    expect(tally.processRows()).toMatchObject([
      {
        key: 'unit',
        name: 'collector.service',
        pids: 1,
        resets_sent: 0,
        resets_received: 2,
        by_group: 0,
        ports: [443],
      },
      { key: 'unit', name: 'nginx.service', pids: 1, resets_sent: 1, resets_received: 0, sample: { match: 'socket' } },
    ]);
    expect(tally.unnamedRows()).toEqual([
      { reason: 'unknown', senders: 1, receivers: 1 },
      { reason: 'remote', senders: 1, receivers: 0 },
    ]);
  });
  test('a reset between two of one program is one of its resets, sent and received', () => {
    const tally = tallied({
      sender: found(processOf({ pid: 1 }), 'kernel-trace'),
      receiver: found(processOf({ pid: 2 }), 'kernel-trace'),
    });
    expect(tally.processRows()).toMatchObject([
      { pids: 2, resets_sent: 1, resets_received: 1, causes: [{ cause: 'unknown', resets: 1 }] },
    ]);
  });
  test('a group of listeners is counted apart, and one that is known exactly stands for the row', () => {
    const group = found(processOf({ pid: 1, name: 'nginx' }), 'listener-group');
    const exact = found(processOf({ pid: 2, name: 'nginx' }), 'socket');
    expect(tallied({ sender: group }).processRows()).toMatchObject([{ by_group: 1, sample: { pid: 1 } }]);
    expect(tallied({ sender: group }, { sender: exact }, { sender: group }).processRows()).toMatchObject([
      { resets_sent: 3, by_group: 2, sample: { pid: 2, match: 'socket' } },
    ]);
    // Exact at one end: that reset is one of the program's whatever the group is.
    expect(tallied({ sender: group, receiver: exact }).processRows()).toMatchObject([
      { resets_sent: 1, resets_received: 1, by_group: 0 },
    ]);
    expect(tallied({ sender: group, receiver: group }).processRows()).toMatchObject([{ by_group: 1 }]);
  });
  test('a PID is one, however often it is found anew', () => {
    const again = Array.from({ length: 5 }, () => ({ sender: found(processOf(), 'socket') }));
    expect(tallied(...again).processRows()).toMatchObject([{ pids: 1, resets_sent: 5 }]);
  });
  test('are bounded, and what has none is counted', () => {
    const tally = new Tally();
    for (let i = 0; i < 1500; i++) {
      const process = processOf({ pid: i, exe: `/opt/${i}` });
      tally.add(resetOf(), betweenOf({ sender: found(process, 'socket'), receiver: found(process, 'socket') }), null);
    }
    expect(tally.processRows()).toHaveLength(1000);
    expect(tally.processesOmitted).toBe(2 * 500);
    expect(tally.resets).toBe(1500);
  });
  test('with more PIDs than can be told apart do not know how many', () => {
    const tally = new Tally();
    const reset = resetOf();
    for (let pid = 1; pid <= 70_000; pid++) {
      tally.add(reset, betweenOf({ receiver: found(processOf({ pid }), 'kernel-trace') }), null);
    }
    expect(tally.processRows()).toMatchObject([{ pids: null, resets_received: 70_000 }]);
  });
});

describe('names of a port', () => {
  const names = (...ends: readonly [Partial<Attribution>, Parameters<typeof resetOf>[0]?][]): readonly string[] => {
    const tally = new Tally();
    for (const [who, reset] of ends) tally.add(resetOf(reset), betweenOf(who), null);
    return tally.portRows(CONTEXT)[0]?.processes ?? [];
  };
  const end = (name: string): End => found(processOf({ name }), 'socket');

  test('are those of the serving side first, then the most', () => {
    expect(
      names(
        [{ receiver: end('curl') }],
        [{ receiver: end('curl') }],
        [{ receiver: end('wget') }],
        [{ sender: end('nginx'), receiver: end('curl') }],
        [{ sender: end('ab') }, { resetBy: 'client' }],
      ),
    ).toEqual(['nginx', 'curl', 'ab', 'wget']);
    expect(names([{ sender: end('a'), receiver: end('b') }, { resetBy: 'client' }])).toEqual(['b', 'a']);
    expect(
      names([
        { sender: end('b'), receiver: end('a') },
        { resetBy: 'unknown', servicePort: null },
      ]),
    ).toEqual(['a', 'b']);
  });
  test('are those of executables where there is no other, and none where nobody is known', () => {
    expect(names([{ sender: found(processOf({ name: null }), 'socket') }])).toEqual(['node']);
    expect(names([{ sender: missing('no-listener') }])).toEqual([]);
  });
  test('are bounded', () => {
    expect(
      names(
        ...Array.from({ length: 200 }, (_, i) => [{ sender: end(`p${i}`) }] as const).map(
          ([who]) => [who] as [typeof who],
        ),
      ),
    ).toHaveLength(64);
  });
});

describe('whatever the ends', () => {
  const MATCHES: readonly Match[] = ['kernel-trace', 'socket', 'listener', 'listener-group'];
  const process = fc.record({
    pid: fc.nat(5),
    exe: fc.constantFrom('/a', '/b', null),
    unit: fc.constantFrom(null, 'x.service', 'session-1.scope'),
  });
  const end: fc.Arbitrary<End> = fc.oneof(
    fc.tuple(process, fc.constantFrom(...MATCHES)).map(([of, match]) => found(processOf(of), match)),
    fc.constantFrom('remote' as const, 'no-listener' as const, 'ambiguous' as const).map(missing),
  );
  const one = fc.record({
    sender: end,
    receiver: end,
    port: fc.constantFrom(80, 443, null),
    cause: fc.constantFrom('abort' as const, 'closed-port' as const),
  });
  const sum = (rows: readonly ProcessRow[], of: (row: ProcessRow) => number): number =>
    rows.reduce((total, row) => total + of(row), 0);

  test('each is counted once: named or with the reason', () => {
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), (all) => {
        const tally = new Tally();
        for (const { sender, receiver, port, cause } of all)
          tally.add(resetOf({ servicePort: port, verdict: verdictOf(cause) }), betweenOf({ sender, receiver }), null);
        const rows = tally.processRows();
        const unnamed = tally.unnamedRows();
        const senders = unnamed.reduce((total, row) => total + row.senders, 0);
        const receivers = unnamed.reduce((total, row) => total + row.receivers, 0);
        expect(sum(rows, (row) => row.resets_sent) + senders).toBe(all.length);
        expect(sum(rows, (row) => row.resets_received) + receivers).toBe(all.length);
        expect(tally.processesOmitted).toBe(0);
        for (const row of rows) {
          const called = (each: End): boolean => each.process !== null && groupOf(each.process).name === row.name;
          const own = all.filter(({ sender, receiver }) => called(sender) || called(receiver));
          const ends = own.flatMap(({ sender, receiver }) => [sender, receiver]).filter(called);
          expect(row.causes.reduce((total, { resets }) => total + resets, 0)).toBe(own.length);
          expect(row.pids).toBe(new Set(ends.map((each) => each.process?.pid)).size);
          expect(row.ports).toEqual([...new Set(own.flatMap(({ port }) => port ?? []))].sort((a, b) => a - b));
          const exact = own.filter(({ sender, receiver }) =>
            [sender, receiver].some((each) => called(each) && each.match !== 'listener-group'),
          );
          expect(row.by_group).toBe(own.length - exact.length);
          expect(row.sample.match === 'listener-group').toBe(exact.length === 0);
        }
      }),
      { numRuns: 150 },
    );
  });
});
