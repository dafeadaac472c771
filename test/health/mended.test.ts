/** Faults of src/health that were mended, each with the case that showed it; the title begins with the file's name. */
import { expect, test } from '@jest/globals';
import type { Account } from '../../src/health/counter-watch.js';
import { reasonsFor } from '../../src/health/hindrances.js';
import { kernelReport, type KernelFacts } from '../../src/health/kernel-report.js';
import type { LiveLedger } from '../../src/health/live-ledger.js';
import { reconcile } from '../../src/health/reconcile.js';
import { SendMatch } from '../../src/health/send-match.js';
import { SETTINGS, settingRows } from '../../src/health/settings.js';
import { bestOf } from '../support/stopwatch.js';
import { Run, timeAt } from './alerting.js';
import { liveLedger, ownerIn, sentBy, tracedBy } from './ledger-entries.js';
import { container, FREE, ground, ledger, missed, OTHER, OWN } from './made-up.js';

test('reconcile: no word of the trace where the trace told nothing', () => {
  const { differences } = reconcile(ledger([ground({ counted: 3, sent: 5 })])).reconciliation;
  expect(differences.map(({ message }) => message)).toEqual([
    '2 resets captured as sent beyond what the kernel counted',
  ]);
});

const span = (at: number): NonNullable<Account['first']> => ({
  from: at * 1e9,
  to: (at + 0.01) * 1e9,
});
const own = (rose: Record<string, number> | null, more: Partial<Account> = {}): Account => ({
  namespace: { inode: OWN, name: null, path: null },
  ...{
    asked: true,
    rose: rose === null ? null : new Map(Object.entries(rose)),
    totals: new Map(),
    broken: false,
    gone: false,
  },
  ...{ first: span(1), last: span(63), ...more },
});
const WEB = {
  namespace: { inode: OTHER, name: 'web', path: '/run/netns/web' },
  asked: false,
};
const told = (accounts: readonly Account[], of: LiveLedger): ReturnType<typeof kernelReport> =>
  kernelReport({
    ...{
      accounts,
      ledger: of,
      inexact: null,
      hindrances: FREE,
      tellsTaken: true,
      unfolded: false,
    },
    boundaries: {
      opened: 2e9,
      closing: 62e9,
      insideStart: new Map(),
      insideEnd: new Map(),
    },
  } satisfies KernelFacts);
const IN_WEB = '127.0.0.1:1 > 127.0.0.1:2';

test('kernel-report: what was sent after the last reading of a namespace that then went away is missed', () => {
  const of = liveLedger();
  of.traced(tracedBy(IN_WEB, 42, { owner: ownerIn(OTHER) }));
  const gone = own({ OutRsts: 0 }, { ...WEB, broken: true, last: span(40) });
  expect(told([own({ OutRsts: 0 }), gone], of).reconciliation).toMatchObject({
    traced: 1,
    nothing_missed: false,
  });
});

test('kernel-report: of a namespace made meanwhile, what was sent before its first reading was traced as well', () => {
  const of = liveLedger();
  of.traced(tracedBy(IN_WEB, 11, { owner: ownerIn(OTHER) }));
  const fresh = own({ OutRsts: 1 }, { ...WEB, first: span(15) });
  expect(told([own({ OutRsts: 0 }), fresh], of).namespaces[1]).toMatchObject({
    out_rsts: 1,
    traced: 1,
  });
});

test('kernel-report: where no counter could be read, a traced reset that was not captured is missed', () => {
  const of = liveLedger();
  of.traced(tracedBy('10.0.0.1:1 > 203.0.113.9:5', 42));
  expect(told([own(null, { first: null, last: null })], of).reconciliation.nothing_missed).toBe(false);
});

test.each([true, false])('reconcile: strays go to whom nothing else explains, captured in: %s', (captured) => {
  // Three of the own one at the edge; three of the container, from an address that both have, captured.
  const grounds = [ground({ counted: 3 }), container({ captured, counted: 3 })];
  const book = ledger(grounds, {
    strays: 3,
    matched: 3,
    unseen: missed(3, { edge: true }),
  });
  expect(reconcile(book).reconciliation).toMatchObject({
    ...{ edge: 3, not_captured: 0, unexplained: 0, nothing_missed: true },
  });
});

test('live-ledger: the sender of a reset that counts as sent is told', () => {
  const of = liveLedger();
  const reset = sentBy('203.0.113.9:50000 > 10.0.0.1:443', 0, {
    ownFilter: true,
  });
  of.captured(reset);
  expect([...of.sentByNetns(true)]).toEqual([[OWN, { sent: 1, copies: 0 }]]);
  expect(of.senderOf(reset)).toBe(OWN);
});

test.each([1000, 10_000, 100_000])('send-match: 200,000 answers of one listener, %d a second', (perSecond) => {
  const FLOOD = 200_000;
  const flood = (): void => {
    const match = new SendMatch({ early: 1 / 128, late: 2, listener: 0 });
    const behind = 0.4 * perSecond;
    for (let i = 0; i < FLOOD + behind; i++) {
      if (i < FLOOD)
        match.trace({
          tuple: '10.0.0.1 443 0.0.0.0 0',
          at: i / perSecond,
          mono: 0,
          manner: 'passive',
          netns: 1,
        });
      const j = i - behind;
      const tuples = [`10.0.0.1 443 10.${j >> 16}.${(j >> 8) & 255}.${j & 255} 50000`];
      if (j >= 0)
        match.capture({
          tuples,
          at: j / perSecond,
          netns: 1,
          mayBeCopy: false,
          manners: ['passive'],
          isOwn: true,
        });
    }
    expect([match.matched, match.unseen.length, match.unsent.length]).toEqual([FLOOD, 0, 0]);
  };
  expect(bestOf(2000, flood)).toBeLessThan(2000);
});

test('send-match: 200,000 of one port, of distinct peers, captured before they are traced', () => {
  const FLOOD = 200_000;
  const flood = (): void => {
    const match = new SendMatch({ early: 1 / 128, late: 2, listener: 0 });
    const tuple = (i: number): string => `10.0.0.1 443 10.${i >> 16}.${(i >> 8) & 255}.${i & 255} 50000`;
    for (let i = 0; i < FLOOD + 4000; i++) {
      if (i < FLOOD)
        match.capture({
          tuples: [tuple(i)],
          at: i / 10_000,
          netns: 1,
          mayBeCopy: false,
          manners: ['passive'],
          isOwn: true,
        });
      if (i >= 4000)
        match.trace({
          tuple: tuple(i - 4000),
          at: (i - 4000) / 10_000,
          mono: 0,
          manner: 'passive',
          netns: 1,
        });
    }
    expect([match.matched, match.unseen.length, match.unsent.length]).toEqual([FLOOD, 0, 0]);
  };
  expect(bestOf(2000, flood)).toBeLessThan(2000);
});

test('send-match: frames of a listener that are all stamped 400 ms late are in doubt', () => {
  const match = new SendMatch({ early: 0.005, late: 2, listener: 0 });
  for (let i = 0; i < 10_400; i++) {
    if (i < 10_000)
      match.trace({
        tuple: '10.0.0.1 443 0.0.0.0 0',
        at: i / 1000,
        mono: 0,
        manner: 'passive',
        netns: 1,
      });
    const tuples = [`10.0.0.1 443 10.0.0.9 ${i}`];
    if (i >= 400)
      match.capture({ tuples, at: i / 1000, netns: 1, mayBeCopy: false, manners: ['passive'], isOwn: true });
  }
  match.settle();
  expect([match.unseen.length, match.unsent.length]).toEqual([0, 0]);
  expect(match.doubts.listeners + match.doubts.apart).toBe(match.matched);
});

test('live-ledger: the copy is the copy, also where it lies nearer to the trace', () => {
  const of = liveLedger();
  const ends = '10.0.0.1:443 > 203.0.113.9:50000';
  of.captured(sentBy(ends, 1 - 0.004, { interface: 'veth1' }));
  of.captured(sentBy(ends, 1 + 0.001, { interface: 'br0' }));
  of.traced(tracedBy(ends, 1));
  expect(of.match.unsent.map(({ mayBeCopy }) => mayBeCopy)).toEqual([true]);
});

test('alert-watch: a gap of more than a minute is no other state', () => {
  const quiet = new Run().each(200, 1);
  expect(quiet.read(100, 100).sent).toMatchObject({
    state: 'clear',
    since: timeAt(70),
  });
  const busy = new Run().each(80, 1).each(10, 100);
  expect(busy.sent).toMatchObject({ state: 'warning', since: timeAt(90) });
  // At 150: [80, 140] 10 × 100 + 50 × 2000 = 101,000; / 60 = 1683.333. 2000 > 1683.333.
  expect(busy.read(65, 65 * 2000).sent).toMatchObject({
    state: 'warning',
    threshold: 1683.333,
    since: timeAt(90),
  });
});

test('settings: the queue that is full is told, not the first of its length', () => {
  const queue = (port: number, backlog: number): Parameters<typeof settingRows>[2]['queues'][number] => ({
    ...{ ip: '0.0.0.0', port, netns: 7, backlog, backlog_max: 128 },
  });
  const values = SETTINGS.map((name) => (name === 'net.core.somaxconn' ? '128' : ''));
  const seen = {
    rose: new Map<string, number>(),
    causes: new Set<never>(),
    queues: [queue(80, 0), queue(443, 129)],
  };
  expect(settingRows(values, 7, seen)[0]?.message).toContain('port 443');
});

test('hindrances: no more of them were on lo than there are', () => {
  const tuples = new Array<string>(5).fill('127.0.0.1 80 127.0.0.1 5');
  const all = reasonsFor(5, 2, tuples, { ...FREE, interfaces: ['eth0'] });
  expect(all[1]).toMatchObject({
    resets: 3,
    message: expect.not.stringContaining('5 of them on lo'),
  });
});

test('alerts: what is above is not told to be equal', () => {
  const run = new Run().each(600, 0);
  for (let i = 0; i < 10; i++) run.read(1, 50.004);
  expect(run.sent.state).toBe('warning');
  expect(run.sent.reason).not.toMatch(/^50\/s in the last 10 s, above 50\/s/);
});
