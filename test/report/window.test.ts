/** First and last moment, the user's part of it, and rates over it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Moment } from '../../src/base/time.js';
import { TimeSpan } from '../../src/capture/frame-batch.js';
import { Span } from '../../src/report/span.js';
import { rate } from '../../src/report/traffic.js';
import { WindowTally } from '../../src/report/window.js';

function spanOf(moments: readonly Moment[]): TimeSpan {
  const span = new TimeSpan();
  for (const { seconds, nanos } of moments) span.add(seconds, nanos);
  return span;
}

function windowOf(moments: readonly Moment[], digits = 6): WindowTally {
  const tally = new WindowTally();
  tally.add(spanOf(moments), digits);
  return tally;
}

const at = (seconds: number, nanos = 0): Moment => ({ seconds, nanos });

describe('the window', () => {
  test('of nothing, or of frames without a time, is not known', () => {
    const unknown = { start: null, start_epoch: null, end: null, end_epoch: null, seconds: null };
    expect(windowOf([]).result(null, null)).toEqual(unknown);
    expect(windowOf([at(NaN)]).result(at(0), at(1))).toEqual(unknown);
  });

  test('is from the first to the last moment, in whatever order they come', () => {
    const moment = fc.record({ seconds: fc.nat(50), nanos: fc.nat(999_999_999) });
    fc.assert(
      fc.property(fc.array(moment, { minLength: 1, maxLength: 30 }), fc.nat(30), (moments, cut) => {
        const sorted = [...moments].sort((a, b) => a.seconds - b.seconds || a.nanos - b.nanos);
        const tally = new WindowTally();
        tally.add(spanOf(moments.slice(0, cut)), 9);
        tally.add(spanOf(moments.slice(cut)), 9);
        expect(tally.start).toEqual(sorted[0]);
        expect(tally.end).toEqual(sorted.at(-1));
      }),
    );
  });

  test("the user's times narrow it and never widen it or turn it round", () => {
    const tally = windowOf([at(100), at(200)]);
    const seconds = (after: number | null, before: number | null): (number | null)[] => {
      const window = tally.result(after === null ? null : at(after), before === null ? null : at(before));
      return [window.start_epoch, window.end_epoch, window.seconds];
    };
    expect(seconds(null, null)).toEqual([100, 200, 100]);
    expect(seconds(120, 150)).toEqual([120, 150, 30]);
    expect(seconds(0, 300)).toEqual([100, 200, 100]);
    expect(seconds(150, 120)).toEqual([150, 150, 0]);
    expect(seconds(300, null)).toEqual([200, 200, 0]);
    expect(seconds(null, 50)).toEqual([100, 100, 0]);
  });

  test('has as many digits as the finest source', () => {
    const tally = windowOf([at(1, 123_456_789)], 3);
    tally.add(spanOf([at(2, 5)]), 9);
    expect(tally.result(null, null)).toMatchObject({
      start: '1970-01-01T00:00:01.123456789Z',
      end: '1970-01-01T00:00:02.000000005Z',
    });
  });
});

describe('rates', () => {
  test('per second, to six decimals; null where there is no length', () => {
    expect(rate(10, 4)).toBe(2.5);
    expect(rate(1, 3)).toBe(0.333333);
    expect(rate(5, 0)).toBeNull();
    expect(rate(5, null)).toBeNull();
  });
});

describe('the first and the last of a row', () => {
  test('pass over what has no time, and keep the digits of their own source', () => {
    const span = new Span();
    expect([span.first, span.last]).toEqual([null, null]);
    span.add({ seconds: 7, nanos: 0, digits: 6, timed: false });
    expect(span.first).toBeNull();
    span.add({ seconds: 9, nanos: 500_000_000, digits: 1, timed: true });
    span.add({ seconds: 8, nanos: 0, digits: 3, timed: true });
    span.add({ seconds: 9, nanos: 600_000_000, digits: 2, timed: true });
    expect([span.first, span.last]).toEqual(['1970-01-01T00:00:08.000Z', '1970-01-01T00:00:09.60Z']);
  });
});
