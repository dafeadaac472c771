/** What a counter rose by: over the top of 32 bits, beyond 2^53, and where another one took its place. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { increaseOf } from '../../src/health/increase.js';

const TOP = 2 ** 32;

describe('the increase between two readings', () => {
  test('is the difference', () => {
    expect(increaseOf(0, 0)).toEqual({ by: 0, anew: false });
    expect(increaseOf(433, 433)).toEqual({ by: 0, anew: false });
    expect(increaseOf(433, 440)).toEqual({ by: 7, anew: false });
    expect(increaseOf(0, 2 ** 64)).toEqual({ by: 2 ** 64, anew: false });
    // 64 bits go over 2^32 without falling.
    expect(increaseOf(TOP - 1, TOP + 1)).toEqual({ by: 2, anew: false });
  });

  test('goes on over the top of 32 bits', () => {
    expect(increaseOf(TOP - 1, 0)).toEqual({ by: 1, anew: false });
    // 10 up to the top, 5 from there.
    expect(increaseOf(TOP - 10, 5)).toEqual({ by: 15, anew: false });
    expect(increaseOf(TOP - 2 ** 28, 0)).toEqual({ by: 2 ** 28, anew: false });
  });

  test('a counter that falls from anywhere else counts for another one now, which has counted all it has since', () => {
    expect(increaseOf(100_000, 30)).toEqual({ by: 30, anew: true });
    expect(increaseOf(100_000, 0)).toEqual({ by: 0, anew: true });
    expect(increaseOf(5, 4)).toEqual({ by: 4, anew: true });
    expect(increaseOf(TOP - 2 ** 28 - 1, 0)).toEqual({ by: 0, anew: true });
    expect(increaseOf(TOP, 3)).toEqual({ by: 3, anew: true });
    expect(increaseOf(2 ** 40, 3)).toEqual({ by: 3, anew: true });
    // From near the top to the middle: nobody counts a thousand million in a second.
    expect(increaseOf(TOP - 10, 2 ** 31)).toEqual({ by: 2 ** 31, anew: true });
    // MaxConn and its like.
    expect(increaseOf(1, -1)).toEqual({ by: 0, anew: true });
  });

  test('32 bits, any value, any increase up to 2^28: what was counted', () => {
    fc.assert(
      fc.property(fc.nat(TOP - 1), fc.nat(2 ** 28), (before, by) => {
        expect(increaseOf(before, (before + by) % TOP)).toEqual({ by, anew: false });
      }),
    );
  });

  test('is never below 0, and never more than the counter says', () => {
    const counter = fc.oneof(fc.nat(1000), fc.nat(TOP + 1000), fc.maxSafeNat());
    fc.assert(
      fc.property(counter, counter, (before, after) => {
        const { by, anew } = increaseOf(before, after);
        expect(by).toBeGreaterThanOrEqual(0);
        expect(by).toBeLessThanOrEqual(Math.max(after, 2 ** 29));
        if (anew) expect(after).toBeLessThan(before);
      }),
    );
  });
});
