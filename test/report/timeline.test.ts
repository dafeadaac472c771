/** Buckets over time: few, equal, and with every reset in one. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_BUCKETS, TimelineTally } from '../../src/report/timeline.js';
import type { Timeline } from '../../src/report/types.js';

function timelineOf(seconds: readonly number[]): Timeline {
  const tally = new TimelineTally();
  for (const each of seconds) tally.add(each);
  return tally.result();
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

const STEPS = [1, 2, 10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400, 604_800];

describe('the timeline', () => {
  test('nothing, and one reset', () => {
    expect(timelineOf([])).toEqual({ bucket_seconds: 1, start: null, start_epoch: null, counts: [] });
    expect(timelineOf([100])).toEqual({
      bucket_seconds: 1,
      start: '1970-01-01T00:01:40Z',
      start_epoch: 100,
      counts: [1],
    });
  });

  test('seconds while they fit, then the next step that does', () => {
    expect(timelineOf([0, 71])).toMatchObject({ bucket_seconds: 1, counts: { length: 72 } });
    expect(timelineOf([0, 72])).toMatchObject({ bucket_seconds: 2, counts: { length: 37 } });
    expect(timelineOf([0, 144])).toMatchObject({ bucket_seconds: 10, counts: { length: 15 } });
    expect(timelineOf([0, 3600])).toMatchObject({ bucket_seconds: 60, counts: { length: 61 } });
    expect(timelineOf([0, 86_400 * 30])).toMatchObject({ bucket_seconds: 86_400, counts: { length: 31 } });
    expect(timelineOf([0, 604_800 * 72])).toMatchObject({ bucket_seconds: 604_800 * 4 });
  });

  test('an earlier time goes before the first bucket', () => {
    expect(timelineOf([10, 7, 12])).toMatchObject({ start_epoch: 7, counts: [1, 0, 0, 1, 0, 1] });
    expect(timelineOf([1000, 0])).toMatchObject({ bucket_seconds: 30, start_epoch: 0, counts: { 0: 1, 33: 1 } });
  });

  test('a jump of a hundred years, before 1970, and as far as 64 bits reach', () => {
    for (const far of [3_155_760_000, -3_155_760_000, 18_446_744_073_709, -9e18, 1.8e19]) {
      const { counts } = timelineOf([1_700_000_000, far, 1_700_000_001]);
      expect(sum(counts)).toBe(3);
      expect(counts.length).toBeLessThanOrEqual(MAX_BUCKETS);
    }
  });

  test('what has no time counts in the first bucket', () => {
    expect(timelineOf([NaN, NaN])).toEqual({ bucket_seconds: 1, start: null, start_epoch: null, counts: [2] });
    expect(timelineOf([NaN, 5, 6])).toMatchObject({ start_epoch: 5, counts: [2, 1] });
  });

  test('is the same in any order, keeps the sum, and each reset is in the bucket of its time', () => {
    const time = fc.oneof(fc.nat(100), fc.nat(20_000), fc.integer({ min: -5_000_000, max: 50_000_000 }));
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 60 }), (seconds) => {
        const timeline = timelineOf(seconds);
        const { bucket_seconds: bucket, start_epoch: start, counts } = timeline;
        expect(sum(counts)).toBe(seconds.length);
        expect(counts.length).toBeLessThanOrEqual(MAX_BUCKETS);
        expect(STEPS.includes(bucket) || bucket % 604_800 === 0).toBe(true);
        const expected = new Array<number>(counts.length).fill(0);
        for (const each of seconds) {
          const at = Math.floor((each - (start ?? NaN)) / bucket);
          expected[at] = (expected[at] ?? 0) + 1;
        }
        expect(counts).toEqual(expected);
        expect(timelineOf([...seconds].reverse())).toEqual(timeline);
        expect(timelineOf([...seconds].sort((a, b) => a - b))).toEqual(timeline);
      }),
    );
  });
});
