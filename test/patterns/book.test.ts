/** Whatever comes: every reset is counted once and is part of one thing at most, within bounds, whatever the order. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Reset } from '../../src/conversation/reset.js';
import { PATTERNS } from '../../src/conversation/verdict.js';
import { PatternBook } from '../../src/patterns/book.js';
import { episodesOf, patternRows, type Episode } from '../../src/patterns/rows.js';
import { cellOf, clientIs, NOBODY, ofNoHabit, refusal, streams, unasked } from './made-up.js';

const RUNS = { numRuns: 150 };
const MOST_ROWS = 200;

function filled(resets: readonly Reset[], limit?: number): { book: PatternBook; ofHabits: number } {
  const book = new PatternBook(limit);
  let ofHabits = 0;
  for (const reset of resets) {
    const cell = book.add(reset, NOBODY);
    if (cell === null) continue;
    cell.reported++;
    ofHabits++;
  }
  return { book, ofHabits };
}

function sum(episodes: readonly Pick<Episode, 'resets'>[]): number {
  return episodes.reduce((total, { resets }) => total + resets, 0);
}

/** What it says, whatever the order in which it was found. */
function told(resets: readonly Reset[]): string[] {
  return episodesOf(filled(resets).book.cells)
    .map(({ pattern, resets: count, cells }) => {
      const places = cells.map(({ client, habit }) => `${String(client)}>${habit.server}:${String(habit.port)}`);
      return `${pattern} ${String(count)} ${[...new Set(places)].sort().join(' ')}`;
    })
    .sort();
}

describe('the book', () => {
  test('counts each reset of a habit once, and no other', () => {
    fc.assert(
      fc.property(streams, (resets) => {
        const { book, ofHabits } = filled(resets);
        const cells = [...book.cells];
        expect(cells.reduce((total, { count }) => total + count, 0)).toBe(ofHabits);
        const episodes = episodesOf(cells);
        expect(sum(episodes)).toBeLessThanOrEqual(ofHabits);
        const patterned = cells.filter(({ pattern }) => pattern !== null);
        expect(sum(episodes)).toBe(patterned.reduce((total, { reported }) => total + reported, 0));
        const own = episodes.flatMap(({ cells: all }) => all);
        expect(new Set(own).size).toBe(own.length);
        for (const { pattern, cells: all } of episodes) for (const cell of all) expect(cell.pattern).toBe(pattern);
      }),
      RUNS,
    );
  });

  test('has few cells where there is little room, and loses no count', () => {
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 24 }), (resets, limit) => {
        const { book, ofHabits } = filled(resets, limit);
        const cells = [...book.cells];
        // Of their own, of their servers, of scanners, and one of each shape.
        expect(cells.length).toBeLessThanOrEqual(2 * limit + Math.ceil(limit / 15) + 5);
        expect(cells.reduce((total, { count }) => total + count, 0)).toBe(ofHabits);
        expect(sum(episodesOf(cells))).toBeLessThanOrEqual(ofHabits);
      }),
      RUNS,
    );
  });

  test('says the same of two that come in either order at the same time', () => {
    fc.assert(
      fc.property(streams, fc.infiniteStream(fc.nat(1000)), (resets, random) => {
        // Only within the same moment: gaps and five minutes are of the order in time.
        const keyed = resets.map((reset) => ({ reset, key: random.next().value }));
        const shuffled = keyed
          .sort(
            (a, b) =>
              a.reset.seconds - b.reset.seconds || a.reset.nanos - b.reset.nanos || Number(a.key) - Number(b.key),
          )
          .map(({ reset }) => reset);
        expect(told(shuffled)).toEqual(told(resets));
      }),
      RUNS,
    );
  });

  test('tells nobody apart for whom there is no room, and takes them for no one', () => {
    const { book } = filled(
      Array.from({ length: 40 }, (_, i) => refusal({ client: `10.3.0.${String(i)}`, at: i * 0.5 })),
      4,
    );
    const cells = [...book.cells];
    expect(cells.map(({ client, count }) => [client, count])).toEqual([
      ['10.3.0.0', 1],
      ['10.3.0.1', 1],
      ['10.3.0.2', 1],
      ['10.3.0.3', 1],
      [null, 36],
    ]);
    expect(cells.map(({ pattern }) => pattern)).toEqual([null, null, null, null, null]);
  });

  test('keeps a scan whole for which there is no room', () => {
    const { book } = filled(
      Array.from({ length: 60 }, (_, i) => refusal({ port: 1 + i, at: i * 0.01 })),
      20,
    );
    const [episode, ...others] = episodesOf(book.cells);
    expect(others).toEqual([]);
    expect(episode).toMatchObject({ pattern: 'scan', resets: 60 });
    expect(patternRows(episodesOf(book.cells))[0]?.summary).toMatch(/tried more than \d+ ports of 10\.0\.0\.80/);
  });

  test('keeps a flood whole for which there is no room', () => {
    const resets = Array.from({ length: 1200 }, (_, i) =>
      refusal({ client: `10.7.${String(i >> 8)}.${String(i & 255)}`, at: i / 256 }),
    );
    const episodes = episodesOf(filled(resets, 100).book.cells);
    expect(episodes).toMatchObject([{ pattern: 'flood', resets: 1200 }]);
    expect(patternRows(episodes)[0]?.summary).toContain('from more than 100 addresses');
  });

  test('keeps a host whole to which a million are sent', () => {
    const resets = Array.from({ length: 300 }, (_, i) =>
      unasked({ server: `10.8.${String(i >> 8)}.${String(i & 255)}`, at: i }),
    );
    const episodes = episodesOf(filled(resets).book.cells);
    expect(patternRows(episodes)).toMatchObject([
      { pattern: 'backscatter', resets: 300, client: '10.0.0.9', server: null },
    ]);
  });

  test('knows the client by its program, at either end', () => {
    const book = new PatternBook();
    for (const [i, exe] of ['/bin/a', '/bin/b', '/bin/a'].entries()) {
      const reset = refusal({ at: i });
      book.add(reset, clientIs(reset, reset.destIp, { exe, name: null }));
    }
    expect([...book.cells].map(({ program, count }) => [program?.exe, count])).toEqual([
      ['/bin/a', 2],
      ['/bin/b', 1],
    ]);
  });

  test('is asked of a reset of no habit in vain', () => {
    expect(new PatternBook().add(ofNoHabit(), NOBODY)).toBeNull();
    expect(cellOf(new PatternBook().add(refusal(), NOBODY))).toMatchObject({
      count: 1,
      client: '10.0.0.9',
      reported: 0,
    });
  });
});

describe('rows', () => {
  test('are at most two hundred and one a pattern, and their sums are those of the episodes', () => {
    fc.assert(
      fc.property(streams, (resets) => {
        const episodes = episodesOf(filled(resets).book.cells);
        const rows = patternRows(episodes);
        expect(rows.length).toBeLessThanOrEqual(MOST_ROWS + PATTERNS.length);
        expect(sum(rows)).toBe(sum(episodes));
        const counts = episodes.map((each) => each.resets);
        expect(counts).toEqual([...counts].sort((a, b) => b - a));
        for (const { summary } of rows) expect(summary).not.toMatch(/NaN|Infinity|undefined|null/);
      }),
      RUNS,
    );
  });

  test('of more are summed up, a row for each pattern', () => {
    const resets = Array.from({ length: 250 }, (_, i) => {
      const client = `10.3.0.${String(i)}`;
      return Array.from({ length: 4 + (i === 0 ? 3 : 0) }, (__, k) => refusal({ client, at: k * 20 }));
    }).flat();
    const episodes = episodesOf(filled(resets).book.cells);
    const rows = patternRows(episodes);
    expect(episodes).toHaveLength(250);
    expect(rows).toHaveLength(MOST_ROWS + 1);
    expect(rows[0]).toMatchObject({ pattern: 'retry-loop', resets: 7, client: '10.3.0.0', interval_seconds: 20 });
    expect(rows.at(-1)).toEqual({
      ...{ pattern: 'retry-loop', resets: 200, summary: '50 more of the kind' },
      ...{ client: null, server: null, port: null, interval_seconds: null },
    });
    expect(sum(rows)).toBe(resets.length);
  });

  test('count what is in the report, not what was seen', () => {
    const book = new PatternBook();
    for (let i = 0; i < 10; i++) {
      const cell = cellOf(book.add(refusal({ at: i }), NOBODY));
      if (i % 2 === 0) cell.reported++;
    }
    expect(episodesOf(book.cells)).toMatchObject([{ pattern: 'retry-loop', resets: 5 }]);
    const scan = new PatternBook();
    for (let i = 0; i < 40; i++) {
      const cell = cellOf(scan.add(refusal({ port: 1 + (i % 20), at: i }), NOBODY));
      if (i < 15) cell.reported++;
    }
    expect(episodesOf(scan.cells)).toMatchObject([{ pattern: 'scan', resets: 15, cells: { length: 15 } }]);
    const unreported = new PatternBook();
    for (let i = 0; i < 10; i++) unreported.add(refusal({ at: i }), NOBODY);
    expect(episodesOf(unreported.cells)).toEqual([]);
  });
});
