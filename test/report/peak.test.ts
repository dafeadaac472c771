/** The sliding ten seconds against counting every window by hand. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Peak } from '../../src/report/peak.js';

function peakOf(milliseconds: readonly number[]): number {
  const peak = new Peak();
  for (const ms of milliseconds) peak.add(Math.floor(ms / 1000), (ms - Math.floor(ms / 1000) * 1000) * 1e6);
  return peak.most;
}

/** Every window that begins with a reset. */
function byHand(milliseconds: readonly number[]): number {
  let latest = -Infinity;
  const times = milliseconds.map((ms) => (latest = Math.max(latest, ms)));
  return Math.max(0, ...times.map((start) => times.filter((ms) => ms >= start && ms < start + 10_000).length));
}

describe('the peak', () => {
  test('none, one, and ten seconds apart', () => {
    expect(peakOf([])).toBe(0);
    expect(peakOf([5])).toBe(1);
    expect(peakOf([0, 9_999])).toBe(2);
    expect(peakOf([0, 10_000])).toBe(1);
    expect(peakOf([0, 1, 10_000, 10_001])).toBe(2);
  });

  test('is what counting by hand gives', () => {
    const step = fc.oneof(fc.nat(3), fc.nat(4000), fc.constantFrom(9_999, 10_000, 10_001, 60_000), fc.nat(90_000));
    fc.assert(
      fc.property(
        fc.integer({ min: -50_000, max: 2_000_000_000 }),
        fc.array(step, { maxLength: 150 }),
        (start, steps) => {
          let now = start;
          const times = steps.map((each) => (now += each));
          expect(peakOf(times)).toBe(byHand(times));
        },
      ),
    );
  });

  test('what is out of order counts at the latest time seen', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40_000), { maxLength: 100 }), (times) => {
        expect(peakOf(times)).toBe(byHand(times));
      }),
    );
  });

  test('what has no time counts with the one before', () => {
    const peak = new Peak();
    peak.add(NaN, 0);
    peak.add(NaN, 0);
    expect(peak.most).toBe(2);
    peak.add(100, 0);
    peak.add(NaN, 0);
    expect(peak.most).toBe(4);
    peak.add(110, 0);
    expect(peak.most).toBe(4);
  });

  test('a hundred years forward and back', () => {
    const years = 3_155_760_000_000;
    expect(peakOf([0, 1, years, years + 1, years + 2, 5, 6])).toBe(5);
  });
});
