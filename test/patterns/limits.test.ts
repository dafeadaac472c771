/** How many resets make a pattern: each limit at its edge, and how fast and how even they must be. */
import { describe, expect, test } from '@jest/globals';
import type { Pattern } from '../../src/conversation/verdict.js';
import type { Reset } from '../../src/conversation/reset.js';
import { PatternBook } from '../../src/patterns/book.js';
import { clientIs, halfOpen, lateRequest, NOBODY, probe, refusal, stray, unasked } from './made-up.js';

/** The patterns of all cells, each once. */
function patternsOf(resets: readonly Reset[]): (Pattern | null)[] {
  const book = new PatternBook();
  for (const reset of resets) book.add(reset, NOBODY);
  return [...new Set([...book.cells].map(({ pattern }) => pattern))];
}

function many(count: number, make: (i: number) => Reset): Reset[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

describe('a scan', () => {
  test.each([
    ['ports of one host', 15, (i: number) => refusal({ port: 1 + i, at: i })],
    ['ports that answered as strangers', 15, (i: number) => stray({ port: 1 + i, at: i })],
    ['half-open ports', 15, (i: number) => halfOpen({ port: 1 + i, at: i })],
    ['hosts on one port', 25, (i: number) => refusal({ server: `10.1.0.${String(i)}`, at: i })],
    [
      'places scattered over hosts and ports',
      100,
      (i: number) => refusal({ server: `10.1.0.${String(i % 20)}`, port: 1 + i, at: i }),
    ],
  ])('%s: %i', (_, least, make) => {
    expect(patternsOf(many(least - 1, make))).toEqual([null]);
    expect(patternsOf(many(least, make))).toEqual(['scan']);
  });

  test('within 300 seconds', () => {
    const over = (seconds: number): Reset[] => many(15, (i) => refusal({ port: 1 + i, at: (i * seconds) / 14 }));
    expect(patternsOf(over(300))).toEqual(['scan']);
    expect(patternsOf(over(300.1))).toEqual([null]);
  });

  test('wherever in a longer story the 300 seconds are', () => {
    const slow = many(50, (i) => refusal({ port: 1000 + i, at: i * 25 }));
    expect(patternsOf(slow)).toEqual([null]);
    expect(patternsOf([...slow, ...many(15, (i) => refusal({ port: 1 + i, at: 2000 + i }))])).toEqual(['scan']);
  });

  test('with at most three tries a place', () => {
    const tries = (count: number): Reset[] => many(15 * count, (i) => refusal({ port: 1 + (i % 15), at: i * 0.5 }));
    expect(patternsOf(tries(3))).toEqual(['scan']);
    expect(patternsOf([...tries(3), refusal({ port: 1, at: 100 })])).toEqual(['retry-loop', 'scan']);
    expect(patternsOf(tries(4))).toEqual(['retry-loop']);
  });

  test('what completes the handshake is part of one, and never the reason for one', () => {
    const open = many(30, (i) => probe({ port: 1 + i, at: i }));
    expect(patternsOf(open)).toEqual([null]);
    const closed = many(15, (i) => refusal({ port: 101 + i, at: 30 + i }));
    expect(patternsOf([...open, ...closed])).toEqual(['scan']);
  });

  test('of many clients there is none', () => {
    expect(patternsOf(many(60, (i) => refusal({ client: `10.3.0.${String(i)}`, port: 1 + i, at: i })))).toEqual([null]);
  });

  test('of IPv6', () => {
    const ends = { client: '2001:db8::9', server: '2001:db8::80' };
    expect(patternsOf(many(15, (i) => refusal({ ...ends, port: 1 + i, at: i })))).toEqual(['scan']);
  });
});

describe('a health check', () => {
  test('is one from the third look, at most five times a second', () => {
    const every = (seconds: number, count: number): Reset[] => many(count, (i) => probe({ at: i * seconds }));
    expect(patternsOf(every(1, 2))).toEqual([null]);
    expect(patternsOf(every(1, 3))).toEqual(['health-check']);
    expect(patternsOf(every(0.25, 9))).toEqual(['health-check']);
    expect(patternsOf(every(0.125, 9))).toEqual([null]);
  });
  test('all at one time are none', () => {
    expect(patternsOf(many(5, () => probe()))).toEqual([null]);
  });
  test('is half-open only where it comes like a clock', () => {
    expect(patternsOf(many(6, (i) => halfOpen({ at: i })))).toEqual(['health-check']);
    expect(patternsOf([0, 0.1, 4, 4.2, 30, 31].map((at) => halfOpen({ at })))).toEqual([null]);
  });
});

describe('a retry loop', () => {
  test('is one from the fourth refusal, however fast', () => {
    const every = (seconds: number, count: number): Reset[] => many(count, (i) => refusal({ at: i * seconds }));
    expect(patternsOf(every(1, 3))).toEqual([null]);
    expect(patternsOf(every(1, 4))).toEqual(['retry-loop']);
    expect(patternsOf(every(0, 4))).toEqual(['retry-loop']);
    expect(patternsOf(every(1 / 512, 2000))).toEqual(['retry-loop']);
  });
  test('of two clients is none', () => {
    expect(patternsOf(many(6, (i) => refusal({ client: `10.3.0.${String(i % 2)}`, at: i })))).toEqual([null]);
  });
  test('of two programs of one client is none', () => {
    const book = new PatternBook();
    for (let i = 0; i < 6; i++) {
      const reset = refusal({ client: '10.0.0.9', at: i });
      book.add(reset, clientIs(reset, '10.0.0.9', { exe: `/bin/${String(i % 2)}` }));
    }
    expect([...book.cells].map(({ pattern }) => pattern)).toEqual([null, null]);
  });
  test('tells its interval, and how even it is', () => {
    const book = new PatternBook();
    for (let i = 0; i < 100; i++) book.add(refusal({ at: i * 0.5 }), NOBODY);
    const [cell] = book.cells;
    expect(cell?.interval).toBeCloseTo(0.5, 6);
    expect(cell?.isSteady).toBe(true);
    const uneven = new PatternBook();
    for (const at of [0, 1, 11, 12, 40, 41, 100]) uneven.add(refusal({ at }), NOBODY);
    expect([...uneven.cells].map(({ isSteady }) => isSteady)).toEqual([false]);
  });
});

describe('a flood', () => {
  const address = (i: number): string => `10.7.${String(i >> 8)}.${String(i & 255)}`;
  const flooding = (make: typeof refusal, count: number): Reset[] =>
    many(count, (i) => make({ client: address(i), at: i / 256 }));

  test.each([
    ['refusals', refusal],
    ['half-open connections', halfOpen],
    ['connections without a word', probe],
  ])('%s: a thousand in ten seconds', (_, make) => {
    expect(patternsOf(flooding(make, 999))).toEqual([null]);
    expect(patternsOf(flooding(make, 1000))).toEqual(['flood']);
  });
  test('not when they take longer', () => {
    expect(patternsOf(many(1000, (i) => refusal({ client: address(i), at: i / 64 })))).toEqual([null]);
  });
  test('not of several ports or hosts', () => {
    expect(patternsOf(many(1998, (i) => refusal({ client: address(i), port: 80 + (i % 2), at: i / 256 })))).toEqual([
      null,
    ]);
  });
  test('of ten clients; of fewer, each is one that tries again', () => {
    const of = (clients: number): Reset[] => many(1200, (i) => refusal({ client: address(i % clients), at: i / 256 }));
    expect(patternsOf(of(9))).toEqual(['retry-loop']);
    expect(patternsOf(of(10))).toEqual(['flood']);
  });
  test('of one client that opens connections and says nothing in them', () => {
    expect(patternsOf(many(1000, (i) => probe({ at: i / 256 })))).toEqual(['flood']);
  });
  test('of two shapes at one place', () => {
    const mixed = many(1000, (i) => (i % 2 === 0 ? refusal : halfOpen)({ client: address(i), at: i / 256 }));
    expect(patternsOf(mixed)).toEqual(['flood']);
  });
});

describe('backscatter', () => {
  test('ten answers, and five strangers', () => {
    const answers = (count: number, strangers: number): Reset[] =>
      many(count, (i) => unasked({ server: `10.4.0.${String(i % strangers)}`, at: i }));
    expect(patternsOf(answers(9, 9))).toEqual([null]);
    expect(patternsOf(answers(10, 4))).toEqual([null]);
    expect(patternsOf(answers(10, 5))).toEqual(['backscatter']);
  });
  test('also of one server to many hosts', () => {
    const answers = (count: number, strangers: number): Reset[] =>
      many(count, (i) => unasked({ client: `10.4.0.${String(i % strangers)}`, at: i }));
    expect(patternsOf(answers(9, 9))).toEqual([null]);
    expect(patternsOf(answers(10, 4))).toEqual([null]);
    expect(patternsOf(answers(10, 5))).toEqual(['backscatter']);
  });
});

describe('a race with a keep-alive timer', () => {
  const idles = (...all: readonly number[]): (Pattern | null)[] =>
    patternsOf(all.map((idle, i) => lateRequest({ idle, at: i * 100, client: `10.5.0.${String(i)}` })));

  test('takes two that agree', () => {
    expect(idles(5)).toEqual([null]);
    expect(idles(5, 5)).toEqual(['keepalive-race']);
    expect(idles(5, 5.5)).toEqual(['keepalive-race']);
    expect(idles(5, 5.51)).toEqual([null]);
  });
  test('a short timer may be a quarter of a second off', () => {
    expect(idles(1, 1.25)).toEqual(['keepalive-race']);
    expect(idles(1, 1.26)).toEqual([null]);
  });
  test('two thirds agree', () => {
    expect(idles(5, 5, 60)).toEqual(['keepalive-race']);
    expect(idles(5, 5, 60, 90)).toEqual([null]);
    expect(idles(0.5, 1, 2, 4)).toEqual([null]);
  });
  test('at one place', () => {
    expect(patternsOf(many(2, (i) => lateRequest({ port: 80 + i, at: i })))).toEqual([null]);
  });
});
