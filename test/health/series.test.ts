/** Means of a counter over spans of time between readings: against sums by hand, and second by second. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Series } from '../../src/health/series.js';

function seriesOf(readings: readonly (readonly [at: number, by: number])[]): Series {
  const series = new Series();
  for (const [at, by] of readings) series.add(at, by);
  return series;
}

describe('a series', () => {
  test('begins with its first reading, whose own increase does not count', () => {
    const series = new Series();
    expect([series.start, series.end, series.mean(0, 1)]).toEqual([null, null, null]);
    series.add(50, 9999);
    expect([series.start, series.end]).toEqual([50, 50]);
    expect(series.mean(50, 50)).toBeNull();
    series.add(60, 30);
    expect([series.start, series.end]).toEqual([50, 60]);
    expect(series.mean(50, 60)).toBe(3);
  });

  test('has no mean beyond its readings, nor of no time', () => {
    const series = seriesOf([
      [0, 0],
      [10, 10],
    ]);
    expect(series.mean(-0.001, 10)).toBeNull();
    expect(series.mean(0, 10.001)).toBeNull();
    expect(series.mean(5, 5)).toBeNull();
    expect(series.mean(6, 5)).toBeNull();
    expect(series.mean(0, 10)).toBe(1);
  });

  test('between two readings the counter rises evenly', () => {
    // 0 at 0, 40 at 10, 40 at 20, 100 at 24.
    const series = seriesOf([
      [0, 0],
      [10, 40],
      [20, 0],
      [24, 60],
    ]);
    expect(series.mean(0, 5)).toBe(4);
    // 20 of the first span, 0 of the second.
    expect(series.mean(5, 15)).toBe(2);
    // Half of the last one: 30 in 2 s.
    expect(series.mean(22, 24)).toBe(15);
    // 0 in 5 s, then 30 in 2 s.
    expect(series.mean(15, 22)).toBeCloseTo(30 / 7, 12);
    expect(series.mean(0, 24)).toBeCloseTo(100 / 24, 12);
  });

  test('a reading that is not later than the one before is none', () => {
    const series = seriesOf([
      [0, 0],
      [10, 10],
      [10, 500],
      [9, 500],
      [20, 10],
    ]);
    expect(series.mean(0, 20)).toBe(1);
  });

  test('keeps what the last two minutes need, and no more', () => {
    const series = new Series();
    for (let at = 0; at <= 100_000; at++) series.add(at, 2);
    expect(series.end).toBe(100_000);
    expect(series.mean(99_880, 100_000)).toBe(2);
    expect(series.start).toBeGreaterThan(99_870);
    expect(series.mean(99_870, 100_000)).toBeNull();
  });

  test('a clock of many digits: the same moments are found again', () => {
    const start = 123_456.789_012_345;
    const series = new Series();
    for (let i = 0; i <= 70; i++) series.add(start + i, 5);
    expect(series.mean(start + 60 - 60, start + 60)).toBeCloseTo(5, 6);
    let due = start;
    for (let i = 0; i < 7; i++) due += 10;
    expect(series.mean(due - 70, due)).toBeCloseTo(5, 6);
  });

  test('means are those of each millisecond on its own', () => {
    const step = fc.integer({ min: 1, max: 1500 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(step, fc.nat(500)), { minLength: 1, maxLength: 12 }),
        fc.nat(20_000),
        fc.nat(20_000),
        (steps, a, b) => {
          const series = seriesOf([[0, 0]]);
          const perMillisecond: number[] = [];
          let now = 0;
          for (const [milliseconds, by] of steps) {
            now += milliseconds;
            series.add(now / 1000, by);
            for (let i = 0; i < milliseconds; i++) perMillisecond.push(by / milliseconds);
          }
          const [from, to] = [Math.min(a, b) % (now + 1), Math.max(a, b) % (now + 1)];
          const mean = series.mean(from / 1000, to / 1000);
          if (to <= from) expect(mean).toBeNull();
          else {
            const sum = perMillisecond.slice(from, to).reduce((total, each) => total + each, 0);
            expect(mean).toBeCloseTo((sum * 1000) / (to - from), 4);
          }
        },
      ),
    );
  });
});
