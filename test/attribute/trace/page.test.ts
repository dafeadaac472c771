/** Pages of the kernel's ring: those that were recorded, those with every kind of record, and those that can't be. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readPage, type PageWord } from '../../../src/attribute/trace/page.js';
import { linesOf, PAGE, pageFormatOf, pagesOf, RECORDED, sections } from './recordings.js';

const FORMAT = { commit: 8, commitSize: 8, data: 16 };
const MISSED = 2 ** 31;
const STORED = 2 ** 30;

interface Got {
  readonly word: PageWord;
  readonly records: { at: number; length: number; time: number }[];
}

function read(page: Uint8Array, length = page.length): Got {
  const records: Got['records'] = [];
  const word = readPage(page, length, FORMAT, (_, at, size, time) => records.push({ at, length: size, time }));
  return { word, records };
}

/** A page that began at `time`, with these words of 4 bytes. */
function page(time: bigint, words: readonly number[], more: { commit?: number; flags?: number; tail?: bigint } = {}) {
  const bytes = new Uint8Array(PAGE);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, time, true);
  view.setUint32(8, ((more.commit ?? words.length * 4) | (more.flags ?? 0)) >>> 0, true);
  words.forEach((word, i) => {
    view.setUint32(16 + i * 4, word >>> 0, true);
  });
  if (more.tail !== undefined) view.setBigUint64(16 + words.length * 4, more.tail, true);
  return bytes;
}

const head = (type: number, delta: number): number => ((delta << 5) | type) >>> 0;

describe.each(RECORDED)('the pages of %s', (kernel) => {
  test('hold the events of its text: the same ones, in the same order, at the same microsecond, of the same tasks', () => {
    const ids = new Map(
      [...sections(kernel)].map(([event, text]) => [
        Number(/^ID: (\d+)/m.exec(text)?.[1]),
        event.slice(event.indexOf('/') + 1),
      ]),
    );
    const got: string[] = [];
    for (const one of pagesOf(kernel)) {
      const word = readPage(one, PAGE, pageFormatOf(kernel), (bytes, at, length, time) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
        // The kernel rounds to the microsecond.
        const name = ids.get(view.getUint16(0, true)) ?? '?';
        got.push(`${Math.round(time / 1000)} ${name} ${view.getInt32(4, true)}`);
      });
      expect(word).toMatchObject({ missed: 0, missedUncounted: false, broken: false });
    }
    expect(got).toEqual(linesOf(kernel).map(({ microseconds, name, task }) => `${microseconds} ${name} ${task}`));
    expect(got.length).toBeGreaterThan(80);
  });
});

describe('records', () => {
  test('of 4 to 112 bytes have their length in their type', () => {
    const words = [head(1, 5), 0, head(28, 7), ...new Array<number>(28).fill(0)];
    expect(read(page(1000n, words)).records).toEqual([
      { at: 20, length: 4, time: 1005 },
      { at: 28, length: 112, time: 1012 },
    ]);
  });

  test('of type 0 have it in a word of its own, which counts itself; the next begins at a multiple of 4', () => {
    const words = [head(0, 5), 4 + 120, ...new Array<number>(30).fill(0), head(0, 1), 4 + 6, 0, 0, head(1, 1), 0];
    const { records, word } = read(page(0n, words));
    expect(records).toEqual([
      { at: 24, length: 120, time: 5 },
      { at: 152, length: 6, time: 6 },
      { at: 164, length: 4, time: 7 },
    ]);
    expect(word).toEqual({ last: 7, missed: 0, missedUncounted: false, broken: false });
  });

  test('a time extend adds, and has no data', () => {
    const { records } = read(page(10n, [head(30, 3), 2, head(1, 1), 0]));
    expect(records).toEqual([{ at: 28, length: 4, time: 10 + 3 + 2 * 2 ** 27 + 1 }]);
  });

  test('an absolute stamp replaces the time', () => {
    const stamp = 12_345_678_901_234n;
    const words = [head(1, 9), 0, head(31, Number(stamp & 0x7ffffffn)), Number(stamp >> 27n), head(1, 4), 0];
    expect(read(page(99n, words)).records.map(({ time }) => time)).toEqual([108, Number(stamp) + 4]);
  });

  test('an absolute stamp has 59 bits; those above stay', () => {
    const time = 5n << 59n;
    const { records } = read(page(time, [head(31, 1000), 1, head(1, 0), 0]));
    expect(records[0]?.time).toBe(Number(time + (1n << 27n) + 1000n));
  });

  test('times of long uptimes', () => {
    const days = 100n * 86400n * 1_000_000_000n + 7n;
    expect(read(page(days, [head(1, 2), 0])).records[0]?.time).toBe(Number(days) + 2);
  });

  test('padding with a length is passed over, with its time; without one it ends the page', () => {
    const words = [head(29, 5), 12, 0, 0, head(1, 1), 0, head(29, 0), 0, head(1, 1), 0];
    const { records, word } = read(page(0n, words));
    expect(records).toEqual([{ at: 36, length: 4, time: 6 }]);
    expect(word.broken).toBe(false);
  });

  test('an empty page', () => {
    expect(read(page(77n, []))).toEqual({
      word: { last: 77, missed: 0, missedUncounted: false, broken: false },
      records: [],
    });
  });
});

describe('events that were missed', () => {
  const words = [head(1, 1), 0];

  test('are counted where there was room for their number', () => {
    const { word, records } = read(page(0n, words, { flags: MISSED | STORED, tail: 108_251n }));
    expect(word).toMatchObject({ missed: 108_251, missedUncounted: false });
    expect(records).toHaveLength(1);
  });

  test('more than 2³² of them', () => {
    expect(read(page(0n, words, { flags: MISSED | STORED, tail: 2n ** 33n + 1n })).word.missed).toBe(2 ** 33 + 1);
  });

  test('are told of where there was not', () => {
    expect(read(page(0n, words, { flags: MISSED, tail: 5n })).word).toMatchObject({ missed: 0, missedUncounted: true });
  });

  test('a number that the read did not reach is no number', () => {
    const one = page(0n, words, { flags: MISSED | STORED, tail: 5n });
    expect(read(one, 16 + 8 + 4).word).toMatchObject({ missed: 0, missedUncounted: true, broken: false });
  });

  test('the flag of a number without that of missing says nothing', () => {
    const { word } = read(page(0n, words, { flags: STORED, tail: 5n }));
    expect(word).toMatchObject({ missed: 0, missedUncounted: false });
  });
});

describe('what can not be', () => {
  test('a page cut anywhere gives whole records only, and those it gives are right', () => {
    const whole = page(0n, [head(1, 1), 0, head(0, 1), 4 + 40, ...new Array<number>(10).fill(0), head(2, 1), 0, 0]);
    const all = read(whole).records;
    for (let length = 0; length < 100; length++) {
      const { records, word } = read(whole.slice(0, length));
      expect(records).toEqual(all.slice(0, records.length));
      if (length < 16 + 68) expect(word.broken).toBe(true);
      else expect(records).toEqual(all);
    }
  });

  test('a commit cut anywhere', () => {
    const words = [head(1, 1), 0, head(0, 1), 4 + 40, ...new Array<number>(10).fill(0), head(30, 1), 1];
    for (let commit = 0; commit <= words.length * 4; commit++) {
      const { records } = read(page(0n, words, { commit }));
      for (const { at, length } of records) expect(at + length).toBeLessThanOrEqual(16 + commit);
    }
  });

  test.each([
    ['a record longer than the page', [head(28, 1), 0]],
    ['a long record longer than the page', [head(0, 1), 5000, 0]],
    ['a long record shorter than its length', [head(0, 1), 3, 0]],
    ['a long record without a length', [head(0, 1)]],
    ['half a time extend', [head(30, 1)]],
    ['half a stamp', [head(31, 1)]],
    ['half a padding', [head(29, 1)]],
  ])('%s', (_, words) => {
    const { records, word } = read(page(0n, words));
    expect(records).toEqual([]);
    expect(word.broken).toBe(true);
  });

  test('more than was read', () => {
    expect(read(page(50n, [], { commit: 5000 })).word).toMatchObject({ broken: true, last: 50 });
    expect(read(new Uint8Array(15)).word.broken).toBe(true);
    expect(read(new Uint8Array(0)).word.broken).toBe(true);
  });

  test('any bytes: no throw, no loop, records inside what was read, times that go up', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 256, size: 'max' }),
      // A page that claims to be whole.
      fc.uint8Array({ minLength: 24, maxLength: 600, size: 'max' }).map((random) => {
        const view = new DataView(random.buffer);
        view.setUint32(8, random.length - 16, true);
        return random;
      }),
      fc
        .tuple(fc.constantFrom(...pagesOf('6.18')), fc.array(fc.tuple(fc.nat(PAGE - 1), fc.nat(255)), { maxLength: 6 }))
        .map(([one, changes]) => {
          const changed = one.slice();
          for (const [at, to] of changes) changed[at] = to;
          return changed;
        }),
    );
    fc.assert(
      fc.property(bytes, (random) => {
        const { records, word } = read(random);
        expect(records.length).toBeLessThanOrEqual(random.length / 4);
        expect(word.missed).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(word.last)).toBe(true);
        let end = 16;
        for (const { at, length, time } of records) {
          expect(at).toBeGreaterThanOrEqual(end);
          expect(length).toBeGreaterThanOrEqual(0);
          end = at + length;
          expect(end).toBeLessThanOrEqual(random.length);
          expect(Number.isFinite(time)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
