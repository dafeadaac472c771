/** The table against a Map: same answers, bounded, the oldest forgotten first, whatever keys it is given. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WordTable } from '../../src/conversation/word-table.js';

const WIDTH = 3;
type Key = readonly [number, number, number];

function set(table: WordTable, key: Key): void {
  for (const [i, word] of key.entries()) table.key[i] = word;
}

function put(table: WordTable, key: Key): number {
  set(table, key);
  return table.put();
}

function find(table: WordTable, key: Key): number {
  set(table, key);
  return table.find();
}

/** What the table must do, in the plainest way. */
class Reference {
  readonly rows = new Map<string, number>();
  private readonly order: string[] = [];
  private readonly limit: number;
  private inserted = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  put(key: Key): { row: number; fresh: boolean } {
    const name = key.join();
    const known = this.rows.get(name);
    if (known !== undefined) return { row: known, fresh: false };
    const row = this.inserted++ % this.limit;
    if (this.order.length === this.limit) this.rows.delete(this.order.shift() ?? '');
    this.order.push(name);
    this.rows.set(name, row);
    return { row, fresh: true };
  }
}

describe('a word table', () => {
  // Few different words, so that keys come again.
  const word = fc.oneof(fc.nat(7), fc.constantFrom(0xffffffff, 0x80000000, 0x80040000));
  const key = fc.tuple(word, word, word);

  test('answers as a Map does, and forgets the oldest first', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 8, 64, 2048),
        fc.array(fc.tuple(fc.boolean(), key), { maxLength: 400 }),
        (limit, steps) => {
          const table = new WordTable(WIDTH, limit);
          const reference = new Reference(limit);
          const serials = new Map<number, number>();
          for (const [adds, k] of steps) {
            if (adds) {
              const { row, fresh } = reference.put(k);
              expect(put(table, k)).toBe(row);
              expect(table.fresh).toBe(fresh);
              expect(row).toBeLessThan(table.rows);
              if (fresh) serials.set(serials.size, table.serial(row));
              expect(table.rowOf(table.serial(row))).toBe(row);
            } else expect(find(table, k)).toBe(reference.rows.get(k.join()) ?? -1);
          }
          expect(table.size).toBe(Math.min(serials.size, limit));
          expect(table.full).toBe(serials.size >= limit);
          expect(table.evicted).toBe(Math.max(0, serials.size - limit));
          expect([...serials.values()]).toEqual([...serials.keys()]);
          for (const serial of serials.values()) {
            expect(table.rowOf(serial)).toBe(serial < table.evicted ? -1 : serial % limit);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('grows to its limit and stays there', () => {
    const table = new WordTable(WIDTH, 8192);
    for (let i = 0; i < 50_000; i++) {
      expect(put(table, [i, i * 7, 0])).toBe(i % 8192);
      if (i >= 100) expect(find(table, [i - 100, (i - 100) * 7, 0])).toBe((i - 100) % 8192);
    }
    expect(table.rows).toBe(8192);
    expect(find(table, [50_000 - 8193, (50_000 - 8193) * 7, 0])).toBe(-1);
    expect(find(table, [50_000 - 8192, (50_000 - 8192) * 7, 0])).toBeGreaterThanOrEqual(0);
  });

  test('keys that are made to collide are forgotten, never confused, and cost no more than others', () => {
    // The hash goes word by word, h = (h ^ word) * M mixed by shifts: a flipped top bit in one word is undone by
    // flipping bits 31 and 18 of the next. So each pair of words gives two keys with one hash, and ten words 32.
    const width = 20;
    const table = new WordTable(width, 1 << 12);
    const keys: number[][] = [];
    for (let bits = 0; bits < 1 << 9; bits++) {
      const colliding = new Array<number>(width).fill(0x1234);
      for (let pair = 0; pair < 9; pair++) {
        if ((bits & (1 << pair)) === 0) continue;
        colliding[pair * 2] = (0x1234 ^ 0x80000000) >>> 0;
        colliding[pair * 2 + 1] = (0x1234 ^ 0x80040000) >>> 0;
      }
      keys.push(colliding);
    }
    const seen = new Map<number, string>();
    for (let round = 0; round < 40; round++) {
      for (const colliding of keys) {
        table.key.set(colliding);
        const row = table.put();
        if (table.fresh) seen.set(row, colliding.join());
        expect(seen.get(row)).toBe(colliding.join());
      }
    }
    expect(table.size).toBeLessThanOrEqual(1 << 12);
    // Evicting works through them too.
    for (let i = 0; i < 10_000; i++) {
      table.key.fill(i);
      table.put();
    }
    for (const colliding of keys) {
      table.key.set(colliding);
      expect(table.find()).toBe(-1);
    }
  });
});
