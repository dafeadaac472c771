/** What the kernel's counters say to a live capture, for people: the words for each case, and no more than is so. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { kernelLines } from '../../src/render/kernel-block.js';
import type { Style } from '../../src/render/style.js';
import { renderReport } from '../../src/render/table-report.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import type { AlertRow, Difference, KernelReport, Reconciliation } from '../../src/report/types.js';
import { fullAlerts, fullKernel, OWN, sampleAlert, sampleKernel, sampleReconciliation, WEB } from './sample-kernel.js';
import { HOSTILE, PLAIN, sampleReport, withStrings } from './sample-report.js';

const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

function block(kernel: KernelReport | null, alerts: readonly AlertRow[] = [], style: Partial<Style> = {}): string {
  return kernelLines(sampleReport({ kernel, alerts }), { ...PLAIN, ...style }).join('\n');
}

function summed(changes: Partial<Reconciliation>, style: Partial<Style> = {}): string {
  return block(sampleKernel({ reconciliation: sampleReconciliation(changes) }), [], style);
}

const unwrapped = (text: string): string => text.replaceAll(/\n +/g, ' ');
/** What it says after a title and the sum. */
const said = (kernel: Partial<KernelReport>, alerts: readonly AlertRow[] = []): string[] =>
  block(sampleKernel(kernel), alerts, { width: 1000 }).split('\n').slice(2);

function difference(changes: Partial<Difference>): Difference {
  return { what: 'unexplained', resets: 1, netns: null, name: null, message: 'one', next_step: null, ...changes };
}

describe('the sum', () => {
  test('all equal: nothing missed', () => {
    expect(block(sampleKernel())).toBe(
      ["The kernel's count", '  120 sent, 120 counted by the kernel: nothing missed'].join('\n'),
    );
  });
  test('of nothing: none was missed', () => {
    expect(summed({ captured_sent: 0, kernel_counted: 0, traced: 0 })).toBe(
      "The kernel's count\n  0 sent, 0 counted by the kernel: nothing missed",
    );
  });
  test('some were counted while the capture opened or closed', () => {
    const message = '3 resets counted while the capture opened or closed';
    const differences = [difference({ what: 'edge', resets: 3, message })];
    expect(summed({ kernel_counted: 12_123, captured_sent: 12_120, edge: 3, differences })).toBe(
      [
        "The kernel's count",
        '  12,120 sent, 12,123 counted by the kernel: nothing missed while all was',
        '    listened to',
        '  · 3 resets counted while the capture opened or closed',
      ].join('\n'),
    );
  });
  test('not made by TCP: told, and still nothing was missed', () => {
    const foreign = difference({
      what: 'not_by_tcp',
      resets: 5,
      message: '5 resets not sent by TCP but by a packet filter or a raw socket: 5 from 10.0.0.1:80',
      next_step: 'sudo nft list ruleset | grep -B5 reject; sudo iptables-save | grep REJECT',
    });
    expect(summed({ captured_sent: 125, not_by_tcp: 5, differences: [foreign] })).toBe(
      [
        "The kernel's count",
        '  125 sent, 120 counted by the kernel: nothing missed',
        '  · 5 resets not sent by TCP but by a packet filter or a raw socket: 5 from',
        '    10.0.0.1:80',
        '   → sudo nft list ruleset | grep -B5 reject; sudo iptables-save | grep REJECT',
      ].join('\n'),
    );
  });
  test('without the trace: the sums agree, and why no more can be said', () => {
    const because = 'the kernel was not traced: run as root';
    expect(summed({ exact: false, nothing_missed: false, traced: null, because })).toBe(
      [
        "The kernel's count",
        '  120 sent, 120 counted by the kernel: the sums agree',
        '  · not compared one by one: the kernel was not traced: run as root',
      ].join('\n'),
    );
  });
  test.each(['not_by_tcp', 'not_captured', 'edge', 'unexplained'] as const)(
    'without the trace and with some %s they do not agree',
    (key) => {
      const text = summed({ exact: false, nothing_missed: false, because: 'so', [key]: 1 });
      expect(text).toBe("The kernel's count\n  120 sent, 120 counted by the kernel\n  · not compared one by one: so");
    },
  );
  test('compared one by one, what was missed is told where it is known', () => {
    expect(
      summed({
        ...{ captured_sent: 1100, kernel_counted: 1127, not_captured: 20, unexplained: 7, nothing_missed: false },
        differences: [
          difference({
            what: 'not_captured',
            resets: 20,
            netns: WEB,
            name: 'web',
            message: '20 resets sent in network namespace web, which was not captured in',
            next_step: 'sudo rstscope live --netns web',
          }),
          difference({
            resets: 7,
            netns: OWN,
            message:
              '7 resets that the kernel counted and no interface showed (10.0.0.1:80 to 10.0.0.9:50000 …): dropped on the way out by a packet filter, without a route, or missed by the capture',
            next_step: 'sudo nft list ruleset',
          }),
        ],
      }),
    ).toBe(
      [
        "The kernel's count",
        '  1,100 sent, 1,127 counted by the kernel',
        '  · 20 resets sent in network namespace web, which was not captured in',
        '   → sudo rstscope live --netns web',
        '  · 7 resets that the kernel counted and no interface showed (10.0.0.1:80 to',
        '    10.0.0.9:50000 …): dropped on the way out by a packet filter, without a',
        '    route, or missed by the capture',
        '   → sudo nft list ruleset',
      ].join('\n'),
    );
  });
  test('compared one by one, equal, and yet not known to be whole, as where packets were dropped: only that the sums agree', () => {
    expect(summed({ nothing_missed: false })).toBe(
      "The kernel's count\n  120 sent, 120 counted by the kernel: the sums agree",
    );
  });
  test('copies that were not folded are told and missed nothing', () => {
    const message = '3 more captured were copies of these, seen again at another place';
    expect(summed({ differences: [difference({ what: 'copy', resets: 3, message })] })).toBe(
      `The kernel's count\n  120 sent, 120 counted by the kernel: nothing missed\n  · ${message}`,
    );
  });
});

describe('beside the sum', () => {
  test.each([
    [0, null, []],
    [0, 5, []],
    [1, null, ['  · 1 reset received (no counter of the kernel counts them)']],
    [2300, null, ['  · 2,300 resets received (no counter of the kernel counts them)']],
    [
      2300,
      1100,
      ['  · 2,300 resets received; sockets of this machine took 1,100 (no counter of the kernel counts them)'],
    ],
    [7, 0, ['  · 7 resets received; sockets of this machine took 0 (no counter of the kernel counts them)']],
  ])('%d received, %j taken', (captured, taken, lines) => {
    expect(said({ received: { captured, taken } })).toEqual(lines);
  });
  test('the counters that are held against nothing, those that moved', () => {
    const counters = { OutRsts: 120, AttemptFails: 1203, TCPAbortOnData: 9, EstabResets: 0, ListenDrops: 4, TW: 7 };
    expect(said({ counters })).toEqual(['  · AttemptFails +1,203, ListenDrops +4']);
    expect(said({ counters: { ...counters, EstabResets: 1, TCPAbortFailed: 2, ListenOverflows: 3 } })).toEqual([
      '  · AttemptFails +1,203, EstabResets +1, TCPAbortFailed +2, ListenOverflows +3, ListenDrops +4',
    ]);
  });
  test('aborts, whether they agree or not', () => {
    const [differs] = fullKernel().aborts;
    const agrees = {
      ...{ counter: 'TCPAbortOnData', delta: 9, causes: ['abort-linger'] as const, resets: 9, agrees: true },
      message: 'TCPAbortOnData rose by 9, and 9 resets are abort-linger',
    };
    expect(said({ aborts: [differs!, agrees] })).toEqual([
      '  · TCPAbortOnClose rose by 12, and 10 resets are abort-unread-data: they differ by 2; it is raised by every close with data unread',
      '  · TCPAbortOnData rose by 9, and 9 resets are abort-linger',
    ]);
  });
  test('listeners with somebody waiting', () => {
    expect(said({ listeners: fullKernel().listeners })).toEqual([
      '  · 129 connections wait to be accepted at 0.0.0.0:80 (backlog 128: full)',
      '  · 1 connection waits to be accepted at [2001:db8:1111:2222:3333:4444:5555:6666]:8080',
    ]);
  });
  test.each([
    [127, '127 connections wait to be accepted at [::1]:80 (backlog 128)'],
    [128, '128 connections wait to be accepted at [::1]:80 (backlog 128)'],
    [129, '129 connections wait to be accepted at [::1]:80 (backlog 128: full)'],
  ])('a queue of %d is full above what was asked for', (backlog, words) => {
    const listeners = [{ ip: '::1', port: 80, netns: OWN, backlog, backlog_max: 128 }];
    expect(said({ listeners })).toEqual([`  · ${words}`]);
  });
  test('settings that explain something', () => {
    expect(said({ sysctls: fullKernel().sysctls })).toEqual([
      '  · net.ipv4.tcp_abort_on_overflow = 0: 5 handshakes found an accept queue full and were dropped without a reset',
    ]);
  });
  test('alerts that warn, and no others', () => {
    expect(said({}, fullAlerts())).toEqual([
      "  · netdata_resets_sent: warning: 112/s in the last 10 s, above 50/s: 10 times the minute before (2/s, taken as 5); the host's uptime stands for the agent's",
    ]);
    expect(said({}, [sampleAlert(), sampleAlert({ state: 'undefined' })])).toEqual([]);
    const [warns, bare] = [{ reason: null }, { reason: null, value: null, threshold: null }];
    expect(said({}, [sampleAlert({ state: 'warning', ...warns }), sampleAlert({ state: 'warning', ...bare })])).toEqual(
      ['  · netdata_resets_sent: warning, 1.5/s', '  · netdata_resets_sent: warning'],
    );
  });
  test('all of it, in 80 columns', () => {
    expect(block(fullKernel(), fullAlerts())).toBe(
      [
        "The kernel's count",
        '  1,130 sent, 1,131 counted by the kernel',
        '  · 30 resets not sent by TCP but by a packet filter or a raw socket: 20 from',
        '    10.0.0.1:443, 10 from 10.0.0.1:80',
        '   → sudo nft list ruleset | grep -B5 reject; sudo iptables-save | grep REJECT',
        '  · 20 resets sent in network namespace web, which was not captured in',
        '   → sudo rstscope live --netns web',
        '  · 4 resets counted while the capture opened or closed',
        '  · 7 resets that the kernel counted and no interface showed: dropped on the way',
        '    out, or missed by the capture',
        '   → sudo nft list ruleset',
        '  · not compared one by one: the kernel was not traced',
        '  · 2,300 resets received; sockets of this machine took 1,100 (no counter of the',
        '    kernel counts them)',
        '  · AttemptFails +1,203, EstabResets +40, ListenOverflows +5',
        '  · TCPAbortOnClose rose by 12, and 10 resets are abort-unread-data: they differ',
        '    by 2; it is raised by every close with data unread',
        '  · 129 connections wait to be accepted at 0.0.0.0:80 (backlog 128: full)',
        '  · 1 connection waits to be accepted at',
        '    [2001:db8:1111:2222:3333:4444:5555:6666]:8080',
        '  · net.ipv4.tcp_abort_on_overflow = 0: 5 handshakes found an accept queue full',
        '    and were dropped without a reset',
        '  · netdata_resets_sent: warning: 112/s in the last 10 s, above 50/s: 10 times',
        "    the minute before (2/s, taken as 5); the host's uptime stands for the",
        "    agent's",
      ].join('\n'),
    );
  });
});

describe('a report', () => {
  test('of a saved capture has nothing of it', () => {
    expect(kernelLines(sampleReport({ kernel: null, alerts: fullAlerts() }), PLAIN)).toEqual([]);
    expect(renderReport(sampleReport(), PLAIN, 20)).not.toMatch(/kernel|sent,/);
  });
  test('of a live one has it as a block of its own, before the packets', () => {
    expect(renderReport(sampleReport({ kernel: sampleKernel() }), PLAIN, 20)).toContain(
      "\n\nThe kernel's count\n  120 sent, 120 counted by the kernel: nothing missed\n\n1,234 packets seen",
    );
  });
});

const count = fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.nat({ max: 2 ** 40 }));
const words = fc.string({ maxLength: 60 }).filter((text) => !text.includes('missed'));
const differences = fc.array(
  fc.record({
    what: fc.constantFrom<Difference['what']>('not_by_tcp', 'not_captured', 'copy', 'edge', 'unexplained'),
    resets: count,
    netns: fc.option(count),
    name: fc.option(words),
    message: words,
    next_step: fc.option(words),
  }),
  { maxLength: 4 },
);
const reconciliations: fc.Arbitrary<Reconciliation> = fc.record({
  captured_sent: count,
  traced: fc.option(count),
  kernel_counted: count,
  not_by_tcp: count,
  not_captured: count,
  edge: count,
  unexplained: fc.oneof(count, fc.integer({ min: -1000, max: -1 })),
  exact: fc.boolean(),
  nothing_missed: fc.boolean(),
  because: fc.option(words),
  differences,
});

describe('whatever the counts', () => {
  const width = fc.integer({ min: 40, max: 140 });

  test('"nothing missed" stands there exactly where it is so', () => {
    fc.assert(
      fc.property(reconciliations, width, fc.constantFrom(0, 1, 3), (reconciliation, columns, color) => {
        const text = withoutColor(block(sampleKernel({ reconciliation }), [], { width: columns, color }));
        expect(unwrapped(text).includes('nothing missed')).toBe(reconciliation.nothing_missed);
      }),
    );
  });
  test('"the sums agree" only where nothing differs and no more is known', () => {
    fc.assert(
      fc.property(reconciliations, (reconciliation) => {
        const { nothing_missed: whole, not_by_tcp, not_captured, edge, unexplained } = reconciliation;
        const equal = [not_by_tcp, not_captured, edge, unexplained].every((n) => n === 0);
        const text = unwrapped(block(sampleKernel({ reconciliation })));
        expect(text.includes('the sums agree')).toBe(equal && !whole);
      }),
    );
  });
  test('both counts are there', () => {
    fc.assert(
      fc.property(reconciliations, (reconciliation) => {
        const { captured_sent: sent, kernel_counted: counted } = reconciliation;
        const figures = [sent, counted].map((n) => n.toLocaleString('en-US'));
        const text = block(sampleKernel({ reconciliation }), [], { width: 100 });
        expect(text.split('\n')[1]).toMatch(
          new RegExp(`^  ${figures[0] ?? ''} sent, ${figures[1] ?? ''} counted by the kernel(?!\\S*\\d)`),
        );
      }),
    );
  });
  test('every line fits its width', () => {
    const long = withStrings(fullKernel(), (text, key) => (key === 'ip' ? text : `${text} ${'x'.repeat(150)} 東京`));
    for (const [kernel, alerts] of [
      [fullKernel(), fullAlerts()],
      [sampleKernel({ reconciliation: sampleReconciliation({ edge: 1 }) }), []],
      [long, []],
    ] as const) {
      for (let columns = 40; columns <= 140; columns++) {
        for (const line of block(kernel, alerts, { width: columns }).split('\n'))
          expect([line, columnsOf(line)]).toEqual([line, Math.min(columnsOf(line), columns)]);
      }
    }
  });
});

describe('the dress', () => {
  test('colour changes no character', () => {
    for (const columns of [40, 80, 140]) {
      const dressed = block(fullKernel(), fullAlerts(), { width: columns, color: 1 });
      expect(dressed).toContain('\u001b[33m');
      expect(withoutColor(dressed)).toBe(block(fullKernel(), fullAlerts(), { width: columns }));
    }
    expect(block(sampleKernel(), [], { color: 1 })).toContain(': \u001b[32mnothing missed\u001b[39m');
  });
  test('is ASCII where the terminal may know no more', () => {
    const text = block(fullKernel(), fullAlerts(), { unicode: false });
    expect(text).toMatch(/^[ -~\n]*$/);
    expect(text).toContain(
      '\n  - 20 resets sent in network namespace web, which was not captured in\n   -> sudo rstscope',
    );
    expect(text).toContain('\n  - netdata_resets_sent: warning');
  });
  test('no text steers the terminal', () => {
    const hostile = withStrings(fullKernel(), (text) => `${text}${HOSTILE}`);
    const text = block(hostile, [], { width: 300 });
    expect(text).toContain('sent in network namespace web, which was not captured in·[31mred·[0m·]0;title');
    expect(text).toContain('→ sudo rstscope live --netns web·[31mred');
    expect(text).toContain('not compared one by one: the kernel was not traced·[31mred');
    expect(text).not.toMatch(STEERING);
    expect(block(hostile, [], { unicode: false })).not.toMatch(STEERING);
  });
});
