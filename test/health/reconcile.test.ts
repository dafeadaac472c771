/**
 * Whether what was captured accounts for what the kernel counted: single cases, then accounts of a made-up truth, where
 * the sum must come out and nothing that was missed may be called seen.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Ground, Ledger } from '../../src/health/ledger.js';
import { reconcile } from '../../src/health/reconcile.js';
import type { Difference, Reconciliation } from '../../src/report/types.js';
import { container, foreign, FREE, ground, ledger, missed, OTHER, OWN, remainder, untraced } from './made-up.js';

/** The figures, with what each is not where it is not told. */
function figures(of: Ledger): Pick<Reconciliation, 'not_by_tcp' | 'not_captured' | 'edge' | 'unexplained'> & {
  readonly nothing_missed: boolean;
} {
  const { reconciliation } = reconcile(of);
  expect(remainder(reconciliation)).toBe(0);
  const { not_by_tcp, not_captured, edge, unexplained, nothing_missed } = reconciliation;
  return { not_by_tcp, not_captured, edge, unexplained, nothing_missed };
}

const NONE = { not_by_tcp: 0, not_captured: 0, edge: 0, unexplained: 0, nothing_missed: false };

function differences(of: Ledger): readonly Difference[] {
  return reconcile(of).reconciliation.differences;
}

function messages(of: Ledger): string[] {
  return differences(of).map(({ message }) => message);
}

describe('an exact account', () => {
  test('of nothing is right', () => {
    expect(reconcile(ledger([ground()]))).toEqual({
      reconciliation: {
        ...{ captured_sent: 0, traced: 0, kernel_counted: 0, not_by_tcp: 0, not_captured: 0, edge: 0, unexplained: 0 },
        ...{ exact: true, nothing_missed: true, because: null, differences: [] },
      },
      shares: [{ counted: 0, captured: 0, notByTcp: 0, traced: 0 }],
      vanished: 0,
    });
  });

  test('all that was counted was captured', () => {
    const book = ledger([ground({ counted: 5, sent: 5 }), container({ counted: 2, sent: 2 })]);
    expect(figures(book)).toEqual({ ...NONE, nothing_missed: true });
    expect(reconcile(book).reconciliation).toMatchObject({ captured_sent: 7, kernel_counted: 7, traced: 7 });
    expect(differences(book)).toEqual([]);
  });

  test("a packet filter's resets are not the kernel's, and are told by their sources, the most frequent first", () => {
    const all = [
      ...foreign(1, { source: '10.0.0.1:1' }),
      ...foreign(3, { source: '10.0.0.1:443' }),
      ...foreign(2, { source: '[fd00::1]:80' }),
      ...foreign(1, { source: '10.0.0.1:2' }),
    ];
    const book = ledger([ground({ counted: 4, sent: 11, matched: 4 })], { foreign: all });
    expect(figures(book)).toEqual({ ...NONE, not_by_tcp: 7, nothing_missed: true });
    expect(differences(book)).toEqual([
      {
        ...{ what: 'not_by_tcp', resets: 7, netns: null, name: null },
        message:
          '7 resets not sent by TCP but by a packet filter or a raw socket: 3 from 10.0.0.1:443, 2 from [fd00::1]:80, 1 from 10.0.0.1:1, 1 other source',
        next_step: 'sudo nft list ruleset | grep -B5 reject; sudo iptables-save | grep REJECT',
      },
    ]);
    expect(reconcile(book).shares).toEqual([{ counted: 4, captured: 11, notByTcp: 7, traced: 4 }]);
  });

  test('a miss inside is not made good by a reset of a packet filter', () => {
    const book = ledger([ground({ counted: 3, sent: 3, matched: 2 })], { unseen: missed(1), foreign: foreign(1) });
    expect(figures(book)).toEqual({ ...NONE, not_by_tcp: 1, unexplained: 1 });
  });

  test('what was sent in a namespace that was not captured in', () => {
    const book = ledger([ground({ counted: 1, sent: 1 }), container({ counted: 4 })], {
      unseen: missed(4, { netns: OTHER }),
    });
    expect(figures(book)).toEqual({ ...NONE, not_captured: 4 });
    expect(differences(book)).toEqual([
      {
        ...{ what: 'not_captured', resets: 4, netns: OTHER, name: 'web' },
        message: '4 resets sent in network namespace web, which was not captured in',
        next_step: 'sudo rstscope live --netns web',
      },
    ]);
    expect(reconcile(book).shares[1]).toEqual({ counted: 4, captured: 0, notByTcp: 0, traced: 4 });
  });

  test('what was counted where nobody listened is missed, whatever the trace says of it', () => {
    expect(figures(ledger([ground(), container({ counted: 2 })]))).toEqual({ ...NONE, not_captured: 2 });
    const unseen = missed(2, { netns: OTHER, edge: true });
    expect(figures(ledger([ground(), container({ counted: 2 })], { unseen }))).toEqual({ ...NONE, not_captured: 2 });
  });

  test('how to get at a namespace: by its name, by a process in it, by all', () => {
    const steps = (more: Partial<Ground>): (string | null | undefined)[] => {
      const [first] = differences(ledger([container({ counted: 1, ...more })]));
      return [first?.message, first?.next_step];
    };
    expect(steps({ name: null, key: '4242' })).toEqual([
      `1 reset sent in network namespace ${OTHER}, which was not captured in`,
      'sudo rstscope live --netns 4242',
    ]);
    expect(steps({ name: null, key: null })[1]).toBe('sudo rstscope live --netns all');
    expect(steps({ name: 'a\x1b[2J', key: 'a\x1b[2J' })).toEqual([
      '1 reset sent in network namespace a·[2J, which was not captured in',
      'sudo rstscope live --netns a·[2J',
    ]);
    expect(steps({ netns: null, name: null, key: null })[0]).toContain('network namespace unknown,');
  });

  test('what was sent while the capture opened or closed is no miss', () => {
    const book = ledger([ground({ counted: 5, sent: 3 })], { unseen: missed(2, { edge: true }) });
    expect(figures(book)).toEqual({ ...NONE, edge: 2, nothing_missed: true });
    expect(messages(book)).toEqual(['2 resets counted while the capture opened or closed']);
  });

  test('what the trace tells of the edge and no counter counted any more is not at issue', () => {
    expect(figures(ledger([ground({ counted: 3, sent: 3 })], { unseen: missed(2, { edge: true }) }))).toEqual({
      ...NONE,
      nothing_missed: true,
    });
    // One of two was counted.
    expect(figures(ledger([ground({ counted: 4, sent: 3 })], { unseen: missed(2, { edge: true }) })).edge).toBe(1);
  });

  test('what was sent inside and not captured is not explained, and is told by its ends', () => {
    const book = ledger([ground({ counted: 7, sent: 3 })], {
      unseen: [...missed(3), ...missed(1, { tuple: '::1 80 0.0.0.0 0' })],
    });
    expect(figures(book)).toEqual({ ...NONE, unexplained: 4 });
    expect(differences(book)).toEqual([
      {
        ...{ what: 'unexplained', resets: 4, netns: OWN, name: null },
        message:
          '4 resets that the kernel counted and no interface showed (10.0.0.1:8000 to 10.0.0.9:50000, 10.0.0.1:8001 to 10.0.0.9:50000, 10.0.0.1:8002 to 10.0.0.9:50000 …): dropped on the way out by a packet filter, without a route, or missed by the capture',
        next_step: 'sudo nft list ruleset',
      },
    ]);
    const one = ledger([ground({ counted: 1 })], { unseen: missed(1, { tuple: '::1 80 :: 0' }) });
    expect(messages(one)[0]).toMatch(/^1 reset that the kernel counted and no interface showed \(\[::1\]:80\): /);
  });

  test('of several namespaces none is named for what is not explained', () => {
    const grounds = [ground({ counted: 1 }), container({ counted: 1, captured: true })];
    const [difference] = differences(ledger(grounds, { unseen: [...missed(1), ...missed(1, { netns: OTHER })] }));
    expect(difference).toMatchObject({ what: 'unexplained', resets: 2, netns: null, name: null });
  });

  test('what is counted beyond all that the trace tells is not explained either', () => {
    expect(figures(ledger([ground({ counted: 4, sent: 3 })]))).toEqual({ ...NONE, unexplained: 1 });
  });

  test('what was captured as sent and the kernel did not count is told as such', () => {
    const book = ledger([ground({ counted: 3, sent: 5 })]);
    expect(figures(book)).toEqual({ ...NONE, unexplained: -2 });
    expect(differences(book)).toContainEqual({
      ...{ what: 'unexplained', resets: -2, netns: null, name: null, next_step: null },
      message: '2 resets captured as sent beyond what the kernel counted',
    });
  });

  test('hindrances explain what was missed inside, and then something was missed', () => {
    const grounds = [ground({ counted: 5, sent: 2 })];
    const unseen = missed(3);
    const by = (more: Partial<typeof FREE>): ReturnType<typeof figures> =>
      figures(ledger(grounds, { unseen, hindrances: { ...FREE, ...more } }));
    expect(by({ filter: 'port 80' })).toEqual({ ...NONE, not_captured: 3 });
    expect(by({ interfaces: ['eth0'] })).toEqual({ ...NONE, not_captured: 3 });
    expect(by({ lost: true })).toEqual({ ...NONE, not_captured: 3 });
    expect(by({ dropped: 2 })).toEqual({ ...NONE, not_captured: 2, unexplained: 1 });
    expect(figures(ledger([ground({ counted: 5, sent: 2, failed: 1 })], { unseen }))).toEqual({
      ...{ ...NONE, not_captured: 1, unexplained: 2 },
    });
    // An edge is an edge: the filter is not to blame for it.
    expect(
      figures(ledger(grounds, { unseen: missed(3, { edge: true }), hindrances: { ...FREE, filter: 'x' } })),
    ).toEqual({ ...NONE, edge: 3, nothing_missed: true });
  });

  test('with packets dropped or an interface lost nobody says that nothing was missed', () => {
    const grounds = [ground({ counted: 2, sent: 2 })];
    expect(figures(ledger(grounds, { hindrances: { ...FREE, dropped: 1 } }))).toEqual(NONE);
    expect(figures(ledger(grounds, { hindrances: { ...FREE, lost: true } }))).toEqual(NONE);
    // A filter that let all of them through is one that missed none.
    expect(figures(ledger(grounds, { hindrances: { ...FREE, filter: 'tcp' } })).nothing_missed).toBe(true);
  });

  test('a miss that no counter shows is a miss', () => {
    const book = ledger([ground({ counted: 2, sent: 2 })], { unseen: missed(1) });
    expect(figures(book)).toEqual(NONE);
    expect(differences(book)).toEqual([
      {
        ...{ what: 'unexplained', resets: 0, netns: OWN, name: null, next_step: null },
        message: '1 more reset that the trace tells of and the kernel did not count: not sent, as without a route',
      },
    ]);
    // Two of three were counted.
    expect(messages(ledger([ground({ counted: 4, sent: 2 })], { unseen: missed(3) }))[0]).toMatch(
      /^1 more reset that /,
    );
  });

  test('what the trace tells of a namespace that nobody knows was sent in one that came and went', () => {
    for (const netns of [7, null]) {
      const book = ledger([ground({ counted: 2, sent: 2 })], { unseen: missed(3, { netns }) });
      expect(figures(book)).toEqual({ ...NONE, not_captured: 3 });
      const { reconciliation, vanished } = reconcile(book);
      expect([vanished, reconciliation.kernel_counted, reconciliation.traced]).toEqual([3, 5, 5]);
      expect(reconciliation.differences).toEqual([
        {
          ...{ what: 'not_captured', resets: 3, netns: null, name: null, next_step: null },
          message: expect.stringMatching(/^3 resets sent in a network namespace that came and went, /),
        },
      ]);
      // At an edge it may not have been counted, and is not missed.
      expect(figures(ledger([ground()], { unseen: missed(1, { netns, edge: true }) }))).toEqual({
        ...{ ...NONE, nothing_missed: true },
      });
    }
  });
});

describe('what is traced without a namespace', () => {
  const unseen = missed(2, { netns: null });

  test('is of whoever counted more', () => {
    const book = ledger([ground({ counted: 1, sent: 1 }), container({ counted: 2 })], { unseen });
    expect(figures(book)).toEqual({ ...NONE, not_captured: 2 });
    expect(reconcile(book).shares.map(({ traced }) => traced)).toEqual([1, 2]);
    const own = ledger([ground({ counted: 3, sent: 1 }), container()], { unseen });
    expect(figures(own)).toEqual({ ...NONE, unexplained: 2 });
    expect(reconcile(own).shares.map(({ traced }) => traced)).toEqual([3, 0]);
  });

  test('at an edge is an edge there', () => {
    const book = ledger([ground({ counted: 3, sent: 1 })], { unseen: missed(2, { netns: null, edge: true }) });
    expect(figures(book)).toEqual({ ...NONE, edge: 2, nothing_missed: true });
  });

  test('does not take the place of what is known to be missed', () => {
    // Two of its own inside, one at an edge without a namespace: three were counted.
    const book = ledger([ground({ counted: 3 })], {
      unseen: [...missed(2), ...missed(1, { netns: null, edge: true })],
    });
    expect(figures(book)).toEqual({ ...NONE, edge: 1, unexplained: 2 });
    // The edge was not counted: both that were are the known ones.
    const less = ledger([ground({ counted: 2 })], {
      unseen: [...missed(2), ...missed(1, { netns: null, edge: true })],
    });
    expect(figures(less)).toEqual({ ...NONE, unexplained: 2 });
  });
});

describe('what is captured from an address whose namespace is not known', () => {
  test('is of whoever counted more', () => {
    const book = ledger([ground({ counted: 1, sent: 1 }), container({ counted: 3 })], { strays: 3, matched: 4 });
    expect(figures(book)).toEqual({ ...NONE, nothing_missed: true });
    expect(reconcile(book).reconciliation).toMatchObject({ captured_sent: 4, traced: 4 });
    expect(reconcile(book).shares.map(({ captured, traced }) => [captured, traced])).toEqual([
      [1, 1],
      [3, 3],
    ]);
  });

  test("is a packet filter's where the trace does not tell it", () => {
    const book = ledger([ground({ counted: 1, sent: 1 })], { strays: 2, foreign: foreign(2, { netns: null }) });
    expect(figures(book)).toEqual({ ...NONE, not_by_tcp: 2, nothing_missed: true });
    expect(reconcile(book).shares[0]?.notByTcp).toBe(0);
  });

  test('by an address that another namespace has: what a container sent, masqueraded, is not missing there', () => {
    // Captured as the own one's, counted in the container.
    const book = ledger([ground({ counted: 0, sent: 2 }), container({ counted: 2 })]);
    expect(figures(book)).toEqual({ ...NONE, nothing_missed: true });
    expect(reconcile(book).shares.map(({ captured }) => captured)).toEqual([0, 2]);
  });
});

describe('a namespace that went away', () => {
  test('counted at least what is known of it', () => {
    const book = ledger([ground(), container({ broken: true, counted: 1, sent: 3 })]);
    expect(figures(book)).toEqual({ ...NONE, nothing_missed: true });
    expect(reconcile(book).reconciliation.kernel_counted).toBe(3);
    const missing = ledger([ground(), container({ broken: true, counted: 1, sent: 3 })], {
      unseen: missed(2, { netns: OTHER }),
    });
    expect(figures(missing)).toEqual({ ...NONE, not_captured: 2 });
    expect(reconcile(missing).shares[1]?.counted).toBe(5);
  });

  test('is named where something is not explained', () => {
    const book = ledger([ground({ broken: true, name: 'blue', counted: 4, sent: 1 })]);
    expect(messages(book)[0]).toMatch(/; network namespace blue went away before its counter was read$/);
  });
});

test('copies that were not folded are told, and are in no sum', () => {
  for (const book of [
    ledger([ground({ counted: 5, sent: 5 })], { copies: 3 }),
    ledger([ground({ counted: 5, sent: 5 })], { copies: 1 }),
  ]) {
    expect(figures(book)).toEqual({ ...NONE, nothing_missed: true });
    expect(differences(book)).toMatchObject([{ what: 'copy', resets: book.copies, next_step: null }]);
  }
  expect(messages(ledger([ground()], { copies: 1200 }))[0]).toMatch(/^1,200 more captured were copies of these, /);
  expect(figures(untraced([ground({ counted: 5, sent: 5 })], { copies: 3 }))).toEqual(NONE);
});

describe('without the trace', () => {
  test('sums that are equal are only sums', () => {
    const book = untraced([ground({ counted: 5, sent: 5 })]);
    expect(figures(book)).toEqual(NONE);
    expect(reconcile(book).reconciliation).toMatchObject({
      ...{ exact: false, traced: null, because: 'the kernel was not traced', differences: [] },
    });
  });

  test('what was captured beyond what was counted was not sent by TCP, at least that', () => {
    const book = untraced([ground({ counted: 5, sent: 8 })]);
    expect(figures(book)).toEqual({ ...NONE, not_by_tcp: 3 });
    expect(messages(book)).toEqual(['at least 3 resets not sent by TCP but by a packet filter or a raw socket']);
    expect(figures(untraced([ground({ counted: 0, sent: 1 })], { strays: 2 }))).toEqual({ ...NONE, not_by_tcp: 3 });
  });

  test('a surplus here does not make good what is missing there', () => {
    const grounds = [ground({ counted: 5, sent: 8 }), container({ captured: true, counted: 3 })];
    expect(figures(untraced(grounds))).toEqual({ ...NONE, not_by_tcp: 3, unexplained: 3 });
  });

  test('where copies were counted a surplus may be copies', () => {
    const book = untraced([ground({ counted: 5, sent: 8 })], { withCopies: true, inexact: 'copies' });
    expect(figures(book)).toEqual({ ...NONE, unexplained: -3 });
  });

  test('what was counted while the capture opened and closed may be missing', () => {
    const of = (counted: number, countedInside: number | null, sent: number): ReturnType<typeof figures> =>
      figures(untraced([ground({ counted, countedInside, sent })]));
    expect(of(7, 5, 5)).toEqual({ ...NONE, edge: 2 });
    expect(of(7, 5, 6)).toEqual({ ...NONE, edge: 1 });
    expect(of(7, 5, 4)).toEqual({ ...NONE, edge: 2, unexplained: 1 });
    expect(of(7, null, 5)).toEqual({ ...NONE, unexplained: 2 });
    expect(of(7, 9, 5)).toEqual({ ...NONE, unexplained: 2 });
  });

  test('other namespaces, hindrances and what is not explained as with it', () => {
    const grounds = [ground({ counted: 5, sent: 2 }), container({ counted: 4, sent: 1 })];
    expect(figures(untraced(grounds))).toEqual({ ...NONE, not_captured: 3, unexplained: 3 });
    expect(figures(untraced(grounds, { hindrances: { ...FREE, filter: 'port 80' } }))).toEqual({
      ...{ ...NONE, not_captured: 6 },
    });
    expect(messages(untraced([ground({ counted: 1 })]))).toEqual([
      '1 reset that the kernel counted and no interface showed: dropped on the way out, or missed by the capture',
    ]);
  });

  test('what a comparison one by one would say is not heard', () => {
    const book = untraced([ground({ counted: 3, sent: 2 })], {
      unseen: missed(1, { edge: true }),
      foreign: foreign(2),
    });
    expect(figures(book)).toEqual({ ...NONE, unexplained: 1 });
  });
});

/** What became of the resets of one namespace, as nobody knows it. */
interface Fate {
  readonly captured: boolean;
  /** Sent by TCP and captured with an address of this namespace. */
  readonly seen: number;
  /** Sent by TCP and not captured; of the second of each the trace does not tell the namespace. */
  readonly inside: readonly [number, number];
  readonly edge: readonly [number, number];
  readonly foreign: number;
  readonly failed: number;
}

interface Truth {
  /** The own one first, then those that were asked for. */
  readonly fates: readonly Fate[];
  /** Of the own namespace, from an address that others have as well. */
  readonly strays: number;
  readonly foreignStrays: number;
  readonly hindrances: typeof FREE;
}

const few = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(5) });
const fate = (captured: boolean): fc.Arbitrary<Fate> =>
  fc.record({
    captured: fc.constant(captured),
    seen: few,
    inside: fc.tuple(few, few),
    edge: fc.tuple(few, few),
    foreign: few,
    failed: fc.constant(0),
  });
const truth: fc.Arbitrary<Truth> = fc.record({
  fates: fc
    .tuple(fc.array(fate(true), { minLength: 1, maxLength: 3 }), fc.array(fate(false), { maxLength: 3 }))
    .map(([asked, others]) => [...asked, ...others]),
  strays: few,
  foreignStrays: few,
  hindrances: fc.oneof(
    { weight: 3, arbitrary: fc.constant(FREE) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        { ...FREE, filter: 'port 80' },
        { ...FREE, interfaces: ['eth0'] },
        { ...FREE, lost: true },
        { ...FREE, dropped: 2 },
      ),
    },
  ),
});

const netnsOf = (i: number): number => OWN + i;
const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);
const missedOf = ({ inside, edge }: Fate): number => total(inside) + total(edge);

/** The books as an attentive capture would hold them. */
function booksOf({ fates, strays, foreignStrays, hindrances }: Truth): Ledger {
  const straysOf = (i: number): number => (i === 0 ? strays : 0);
  const grounds = fates.map((one, i) =>
    ground({
      ...{ netns: netnsOf(i), name: `ns${i}`, key: `ns${i}`, captured: one.captured, failed: one.failed },
      ...{ counted: one.seen + missedOf(one) + straysOf(i), sent: one.seen + one.foreign, matched: one.seen },
      countedInside: one.seen + total(one.inside) + straysOf(i),
    }),
  );
  const unseen = fates.flatMap(({ inside, edge }, i) => [
    ...missed(inside[0], { netns: netnsOf(i) }),
    ...missed(inside[1], { netns: null }),
    ...missed(edge[0], { netns: netnsOf(i), edge: true }),
    ...missed(edge[1], { netns: null, edge: true }),
  ]);
  const others = fates.flatMap((one, i) => foreign(one.foreign, { netns: netnsOf(i) }));
  return ledger(grounds, {
    strays: strays + foreignStrays,
    matched: total(fates.map(({ seen }) => seen)) + strays,
    ...{ unseen, foreign: [...others, ...foreign(foreignStrays, { netns: null })], hindrances },
  });
}

function sumOver(fates: readonly Fate[], of: (fate: Fate) => number): number {
  return total(fates.map(of));
}

describe('accounts of a random truth', () => {
  test('the sum comes out, and the differences are its parts', () => {
    fc.assert(
      fc.property(truth, fc.boolean(), fc.boolean(), (world, isTraced, withCopies) => {
        const book = booksOf(world);
        const { reconciliation, shares, vanished } = reconcile({
          ...book,
          withCopies,
          inexact: isTraced ? null : 'no trace',
        });
        expect(remainder(reconciliation)).toBe(0);
        for (const what of ['not_by_tcp', 'not_captured', 'edge', 'unexplained'] as const) {
          const parts = reconciliation.differences.filter((one) => one.what === what);
          expect(parts.reduce((sum, { resets }) => sum + resets, 0)).toBe(reconciliation[what]);
        }
        expect(total(shares.map(({ counted }) => counted))).toBe(reconciliation.kernel_counted);
        expect(vanished).toBe(0);
        for (const { counted, captured, notByTcp, traced } of shares) {
          expect(Math.min(counted, captured, notByTcp, isTraced ? traced : 0)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test('nothing is said to have been missed in no case but where nothing was', () => {
    fc.assert(
      fc.property(truth, fc.boolean(), (world, isTraced) => {
        const book = booksOf(world);
        const { reconciliation } = reconcile({ ...book, inexact: isTraced ? null : 'no trace' });
        const isMissed = world.fates.some(({ inside }) => total(inside) > 0);
        if (isMissed || !isTraced) expect(reconciliation.nothing_missed).toBe(false);
        // And it is said where nothing hindered, and all that others sent came by.
        const nobody = world.fates.every((one) => one.captured || missedOf(one) === 0);
        if (isTraced && !isMissed && nobody && world.hindrances === FREE)
          expect(reconciliation.nothing_missed).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('with the trace, nothing is left but what was missed inside, without a hindrance', () => {
    fc.assert(
      fc.property(truth, (world) => {
        const { not_by_tcp, unexplained, exact, traced } = reconcile(booksOf(world)).reconciliation;
        const { fates, strays, foreignStrays, hindrances } = world;
        const inside = fates.filter(({ captured }) => captured).map((one) => total(one.inside));
        expect(exact).toBe(true);
        expect(not_by_tcp).toBe(sumOver(fates, (one) => one.foreign) + foreignStrays);
        expect(traced).toBe(sumOver(fates, (one) => one.seen + missedOf(one)) + strays);
        const hasHindrance = hindrances !== FREE && hindrances.dropped === 0;
        if (total(inside) === 0 || hasHindrance) expect(unexplained).toBe(0);
        expect(unexplained).toBeGreaterThanOrEqual(0);
        expect(unexplained).toBeLessThanOrEqual(total(inside));
      }),
      { numRuns: 1000 },
    );
  });

  test('where the trace tells every namespace, every figure is the truth', () => {
    const told = truth.map((world): Truth => {
      const fates = world.fates.map(({ inside, edge, ...rest }): Fate => ({
        ...{ ...rest, inside: [total(inside), 0], edge: [total(edge), 0] },
      }));
      return { ...world, fates, strays: 0 };
    });
    fc.assert(
      fc.property(told, (world) => {
        const { fates, hindrances } = world;
        const inside = fates.filter(({ captured }) => captured);
        const away = sumOver(
          fates.filter(({ captured }) => !captured),
          missedOf,
        );
        const lost = sumOver(inside, (one) => total(one.inside));
        const { not_captured, edge, unexplained } = reconcile(booksOf(world)).reconciliation;
        expect(edge).toBe(sumOver(inside, (one) => total(one.edge)));
        // Dropped packets are as many in each namespace as there were in all.
        const explained =
          hindrances.dropped > 0
            ? sumOver(inside, (one) => Math.min(total(one.inside), hindrances.dropped))
            : hindrances === FREE
              ? 0
              : lost;
        expect([not_captured, unexplained]).toEqual([away + explained, lost - explained]);
      }),
    );
  });

  test('without the trace, what is said not to be of TCP is no more than there was', () => {
    fc.assert(
      fc.property(truth, (world) => {
        const { reconciliation } = reconcile({ ...booksOf(world), inexact: 'no trace' });
        const { fates, foreignStrays } = world;
        expect(reconciliation.not_by_tcp).toBeLessThanOrEqual(sumOver(fates, (one) => one.foreign) + foreignStrays);
        expect(reconciliation.unexplained).toBeGreaterThanOrEqual(0);
        expect([reconciliation.exact, reconciliation.traced]).toEqual([false, null]);
      }),
      { numRuns: 1000 },
    );
  });
});
