/** Accounts of namespaces, captured and traced resets, put together into what the report says of the kernel. */
import { describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/health/counter-watch.js';
import { kernelReport, type KernelFacts } from '../../src/health/kernel-report.js';
import type { LiveLedger } from '../../src/health/live-ledger.js';
import { liveLedger, ownerIn, sentBy, tracedBy } from './ledger-entries.js';
import { FREE, OTHER, OWN, remainder } from './made-up.js';

// Seconds: read at 1, opened at 2; closing at 62, read at 63. A reading takes 10 ms.
const OPENED = 2;
const CLOSING = 62;
const span = (at: number): NonNullable<Account['first']> => ({ from: at * 1e9, to: (at + 0.01) * 1e9 });

function account(rose: Record<string, number> | null, more: Partial<Account> = {}): Account {
  return {
    namespace: { inode: OWN, name: null, path: null },
    ...{
      asked: true,
      rose: rose === null ? null : new Map(Object.entries(rose)),
      totals: new Map(),
      broken: false,
      gone: false,
    },
    ...{ first: span(1), last: span(63) },
    ...more,
  };
}

const WEB = { inode: OTHER, name: 'web', path: '/run/netns/web' };

/** Not captured in. */
function container(rose: Record<string, number> | null, more: Partial<Account> = {}): Account {
  return account(rose, { namespace: WEB, asked: false, ...more });
}

function facts(accounts: readonly Account[], ledger: LiveLedger, more: Partial<KernelFacts> = {}): KernelFacts {
  return {
    ...{ accounts, ledger, inexact: null, hindrances: FREE, tellsTaken: true, unfolded: false },
    boundaries: {
      ...{ opened: OPENED * 1e9, closing: CLOSING * 1e9, insideStart: new Map(), insideEnd: new Map() },
    },
    ...more,
  };
}

function report(...args: Parameters<typeof facts>): ReturnType<typeof kernelReport> {
  const told = kernelReport(facts(...args));
  expect(remainder(told.reconciliation)).toBe(0);
  return told;
}

/** Sent and captured, and told by the trace. */
function both(ledger: LiveLedger, ends: string, at: number): void {
  ledger.traced(tracedBy(ends, at));
  ledger.captured(sentBy(ends, at + 0.00002));
}

const from = (port: number): string => `10.0.0.1:${port} > 203.0.113.9:50000`;
const inWeb = (port: number): string => `172.17.0.2:${port} > 203.0.113.9:50000`;

describe('a capture that saw all', () => {
  const ledger = liveLedger();
  for (const port of [1, 2, 3]) both(ledger, from(port), 10 + port);
  both(ledger, inWeb(80), 20);
  ledger.captured(sentBy('203.0.113.9:50000 > 10.0.0.1:5', 30));
  ledger.traced(tracedBy('10.0.0.1:5 > 203.0.113.9:50000', 30, { kind: 'receive' }));
  const accounts = [
    account({ OutRsts: 3, EstabResets: 2, AttemptFails: 0, InSegs: 90_000, TCPAbortOnClose: 2 }),
    container({ OutRsts: 1, TCPAbortOnData: 1 }),
  ];
  const told = report(accounts, ledger);

  test('says so', () => {
    expect(told.reconciliation).toMatchObject({
      ...{ captured_sent: 4, kernel_counted: 4, traced: 4, exact: true, nothing_missed: true, differences: [] },
    });
  });

  test('has the counters that moved, those that are known, of the namespaces that were captured in', () => {
    expect(told.counters).toEqual({ OutRsts: 3, EstabResets: 2, TCPAbortOnClose: 2 });
    expect(Object.keys(told.counters)).toEqual(['OutRsts', 'EstabResets', 'TCPAbortOnClose']);
    expect(report([account({ AttemptFails: 0 })], liveLedger()).counters).toEqual({ OutRsts: 0 });
  });

  test('has a row for each namespace that had a part in it', () => {
    expect(told.namespaces).toEqual([
      {
        ...{ netns: OWN, name: null, captured: true, out_rsts: 3, captured_sent: 3, not_by_tcp: 0, traced: 3 },
        counters: { OutRsts: 3, EstabResets: 2, TCPAbortOnClose: 2 },
      },
      {
        ...{ netns: OTHER, name: 'web', captured: false, out_rsts: 1, captured_sent: 1, not_by_tcp: 0, traced: 1 },
        counters: { OutRsts: 1, TCPAbortOnData: 1 },
      },
    ]);
    const quiet = container({ OutRsts: 0, EstabResets: 3 }, { namespace: { ...WEB, inode: 7 } });
    expect(report([...accounts, quiet], ledger).namespaces).toHaveLength(2);
    // One that was asked for is told also where it was quiet.
    expect(report([...accounts, { ...quiet, asked: true }], ledger).namespaces).toHaveLength(3);
  });

  test('received resets are two numbers that need not agree; the second only where the trace tells all', () => {
    expect(told.received).toEqual({ captured: 1, taken: 1 });
    expect(report(accounts, ledger, { tellsTaken: false }).received).toEqual({ captured: 1, taken: null });
  });
});

test('counters of several namespaces that were captured in are one sum', () => {
  const accounts = [account({ OutRsts: 2, TW: 1 }), container({ OutRsts: 3, TW: 4, TWKilled: 1 }, { asked: true })];
  const { counters, namespaces } = report(accounts, liveLedger());
  expect(counters).toEqual({ OutRsts: 5, TW: 5, TWKilled: 1 });
  expect(namespaces.map((row) => row.counters['TW'])).toEqual([1, 4]);
});

describe('when it was sent', () => {
  /** One that the trace tells, at that second, and nobody captured. */
  function missedAt(at: number, counted = 1): [edge: number, unexplained: number, nothingMissed: boolean] {
    const ledger = liveLedger();
    ledger.traced(tracedBy(from(1), at));
    const { edge, unexplained, nothing_missed } = report([account({ OutRsts: counted })], ledger).reconciliation;
    return [edge, unexplained, nothing_missed];
  }

  test('while all was listened to: it is missed', () => {
    for (const at of [OPENED + 0.001, 30, CLOSING - 0.001]) expect(missedAt(at)).toEqual([0, 1, false]);
  });
  test('between the readings and the capture: it is at the edge', () => {
    for (const at of [1, 1.005, 1.5, OPENED, CLOSING, 62.5, 63, 63.01]) expect(missedAt(at)).toEqual([1, 0, true]);
  });
  test('while the counter was read it may not have been counted', () => {
    for (const at of [1.005, 63.005]) expect(missedAt(at, 0)).toEqual([0, 0, true]);
  });
  test('before the first reading and after the last one: it is nothing to the account', () => {
    for (const at of [0.999, 63.011, 900]) {
      expect(missedAt(at, 0)).toEqual([0, 0, true]);
      // If something was counted, it was another one.
      expect(missedAt(at, 1)).toEqual([0, 1, false]);
    }
  });
  test('before its counter was read, which took long, though the capture was open', () => {
    const ledger = liveLedger();
    ledger.traced(tracedBy(from(1), 2.5));
    const slow = account({ OutRsts: 1 }, { first: { from: 1e9, to: 3e9 } });
    expect(report([slow], ledger).reconciliation).toMatchObject({ edge: 1, unexplained: 0, nothing_missed: true });
  });
  test('of a namespace that is not known, the readings of all are the measure', () => {
    const ledger = liveLedger();
    const away = { owner: ownerIn(99) };
    ledger.traced(tracedBy('10.9.9.9:1 > 203.0.113.9:5', 0.5, away));
    ledger.traced(tracedBy('10.9.9.9:2 > 203.0.113.9:5', 80, away));
    expect(report([account({ OutRsts: 0 })], ledger).reconciliation.nothing_missed).toBe(true);
    ledger.traced(tracedBy('10.9.9.9:3 > 203.0.113.9:5', 30, away));
    const { reconciliation, namespaces, counters } = report([account({ OutRsts: 0 })], ledger);
    expect(reconciliation).toMatchObject({ kernel_counted: 1, not_captured: 1, nothing_missed: false });
    expect(namespaces[1]).toEqual({
      ...{ netns: null, name: null, captured: false, out_rsts: 1, captured_sent: 0, not_by_tcp: 0, traced: 1 },
      counters: { OutRsts: 1 },
    });
    expect(counters).toEqual({ OutRsts: 0 });
  });
});

describe('what was not captured, or not sent by TCP', () => {
  test('in a container', () => {
    const ledger = liveLedger();
    both(ledger, from(1), 10);
    ledger.traced(tracedBy('127.0.0.1:1 > 127.0.0.1:2', 20, { owner: ownerIn(OTHER) }));
    const told = report([account({ OutRsts: 1 }), container({ OutRsts: 1 })], ledger);
    expect(told.reconciliation).toMatchObject({
      ...{ not_captured: 1, unexplained: 0, traced: 2, nothing_missed: false },
      differences: [{ what: 'not_captured', netns: OTHER, name: 'web', next_step: 'sudo rstscope live --netns web' }],
    });
    expect(told.namespaces[1]).toMatchObject({ out_rsts: 1, captured_sent: 0, traced: 1 });
  });

  test('in a namespace without a name: by a process in it, or by all', () => {
    const step = (path: string): unknown => {
      const nameless = container({ OutRsts: 1 }, { namespace: { inode: OTHER, name: null, path } });
      return report([account({}), nameless], liveLedger()).reconciliation.differences[0]?.next_step;
    };
    expect(step('/proc/4242/ns/net')).toBe('sudo rstscope live --netns 4242');
    expect(step('/run/docker/netns/abc')).toBe('sudo rstscope live --netns all');
  });

  test("a packet filter's, by the address that it bears", () => {
    const ledger = liveLedger();
    both(ledger, from(1), 10);
    ledger.captured(sentBy(from(443), 11));
    ledger.captured(sentBy('[fd00::1]:80 > [fd00::9]:5', 12));
    ledger.captured(sentBy('10.0.0.3:25 > 203.0.113.9:5', 13));
    const told = report([account({ OutRsts: 1 })], ledger);
    expect(told.reconciliation).toMatchObject({
      ...{ captured_sent: 4, not_by_tcp: 3, unexplained: 0, nothing_missed: true },
      differences: [
        { message: expect.stringMatching(/: 1 from 10\.0\.0\.1:443, 1 from \[fd00::1\]:80, 1 from 10\.0\.0\.3:25$/) },
      ],
    });
    // The last one may be of any namespace.
    expect(told.namespaces[0]).toMatchObject({ captured_sent: 3, not_by_tcp: 2 });
  });

  test('from an address that several namespaces have', () => {
    const ledger = liveLedger();
    both(ledger, '10.0.0.3:25 > 203.0.113.9:5', 10);
    const told = report([account({ OutRsts: 0 }), container({ OutRsts: 1 })], ledger);
    expect(told.reconciliation).toMatchObject({ captured_sent: 1, kernel_counted: 1, nothing_missed: true });
    expect(told.namespaces.map(({ captured_sent }) => captured_sent)).toEqual([0, 1]);
  });

  test('what TCP counted and could not send', () => {
    const ledger = liveLedger();
    ledger.traced(tracedBy(from(1), 10));
    const told = report([account({ OutRsts: 1, TCPAbortFailed: 1 })], ledger);
    expect(told.reconciliation).toMatchObject({ not_captured: 1, unexplained: 0, nothing_missed: false });
  });
});

test("copies that were not folded are in no sum, and are no packet filter's", () => {
  const ledger = liveLedger();
  both(ledger, from(1), 10);
  ledger.captured(sentBy(from(1), 10.1, { interface: 'br0' }));
  const { reconciliation, namespaces } = report([account({ OutRsts: 1 })], ledger);
  expect(reconciliation).toMatchObject({
    ...{ captured_sent: 1, not_by_tcp: 0, unexplained: 0, nothing_missed: true },
    differences: [{ what: 'copy', resets: 1 }],
  });
  expect(namespaces[0]?.captured_sent).toBe(1);
});

describe('without the trace', () => {
  const inexact = 'the kernel was not traced';

  test('what was counted at the edges is by the counters read inside', () => {
    const ledger = liveLedger();
    ledger.captured(sentBy(from(1), 10));
    const own = account({ OutRsts: 4 });
    const boundaries = {
      ...{ opened: OPENED * 1e9, closing: CLOSING * 1e9 },
      ...{ insideStart: new Map([[own, 1]]), insideEnd: new Map([[own, 3]]) },
    };
    // 4 counted, 2 of them inside; 1 captured.
    const told = report([own], ledger, { inexact, boundaries });
    expect(told.reconciliation).toMatchObject({
      ...{ edge: 2, unexplained: 1, exact: false, traced: null, because: inexact, nothing_missed: false },
    });
    expect(told.namespaces[0]?.traced).toBeNull();
  });

  test('what it told until it failed is not heard', () => {
    const ledger = liveLedger();
    ledger.captured(sentBy(from(1), 10));
    ledger.traced(tracedBy(from(2), 20));
    expect(report([account({ OutRsts: 1 })], ledger, { inexact }).reconciliation).toMatchObject({
      ...{ captured_sent: 1, kernel_counted: 1, not_by_tcp: 0, unexplained: 0, nothing_missed: false },
    });
    const [difference] = report([account({ OutRsts: 2 })], ledger, { inexact }).reconciliation.differences;
    expect(difference).toMatchObject({ what: 'unexplained', resets: 1 });
    expect(difference?.message).not.toContain('203.0.113.9');
  });

  test('what is captured beyond what is counted is at least so many; where copies were counted, it is not known', () => {
    const ledger = liveLedger();
    for (const port of [1, 2, 3]) ledger.captured(sentBy(from(port), 10));
    expect(report([account({ OutRsts: 1 })], ledger, { inexact }).reconciliation).toMatchObject({
      ...{ not_by_tcp: 2, unexplained: 0 },
      differences: [{ message: expect.stringMatching(/^at least 2 resets not sent by TCP /) }],
    });
    expect(report([account({ OutRsts: 1 })], ledger, { inexact, unfolded: true }).reconciliation).toMatchObject({
      ...{ not_by_tcp: 0, unexplained: -2 },
    });
  });
});

describe('a namespace whose counters could not be read', () => {
  test('at the end: what is known of it was counted', () => {
    const ledger = liveLedger();
    both(ledger, inWeb(1), 10);
    both(ledger, inWeb(2), 11);
    const gone = container({ OutRsts: 1 }, { broken: true, last: span(40) });
    const told = report([account({ OutRsts: 0 }), gone], ledger);
    expect(told.reconciliation).toMatchObject({ kernel_counted: 2, unexplained: 0, nothing_missed: true });
    expect(told.namespaces[1]).toMatchObject({ out_rsts: 2, captured_sent: 2, counters: { OutRsts: 1 } });
  });

  test('at all', () => {
    const ledger = liveLedger();
    both(ledger, inWeb(1), 10);
    const closed = container(null, { first: null, last: null });
    const told = report([account({ OutRsts: 0 }), closed], ledger);
    expect(told.reconciliation).toMatchObject({ kernel_counted: 1, captured_sent: 1, unexplained: 0 });
    expect(told.namespaces[1]).toMatchObject({ out_rsts: 1, counters: { OutRsts: 0 } });
    // Nobody's: nothing is known of it.
    expect(report([account({ OutRsts: 0 }), closed], liveLedger()).namespaces).toHaveLength(1);
  });

  test('of none: what was captured is all that there is', () => {
    const ledger = liveLedger();
    both(ledger, from(2), 11);
    const told = report([account(null, { first: null, last: null })], ledger);
    expect(told.reconciliation).toMatchObject({ kernel_counted: 1, captured_sent: 1, not_by_tcp: 0 });
    expect(told.counters).toEqual({ OutRsts: 0 });
  });
});
