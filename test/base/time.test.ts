/** Times with as many digits as their source had. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { epochNumber, fraction, isoTime, secondsBetween } from '../../src/base/time.js';

const SECONDS = 1_700_000_000;

describe('ISO 8601', () => {
  test.each([
    [0, '2023-11-14T22:13:20Z'],
    [1, '2023-11-14T22:13:20.1Z'],
    [3, '2023-11-14T22:13:20.123Z'],
    [6, '2023-11-14T22:13:20.123456Z'],
    [9, '2023-11-14T22:13:20.123456789Z'],
    [10, '2023-11-14T22:13:20.1234567895Z'],
    [12, '2023-11-14T22:13:20.123456789500Z'],
  ])('%i digits', (digits, text) => {
    expect(isoTime(SECONDS, 123456789.5, digits)).toBe(text);
  });

  test.each([
    [0, 0, '1970-01-01T00:00:00.000000Z'],
    [-1, 999_999_000, '1969-12-31T23:59:59.999999Z'],
    [-62_135_596_800, 0, '0001-01-01T00:00:00.000000Z'],
    [-1e18, 0, '0001-01-01T00:00:00.000000Z'],
    [253_402_300_799, 999_999_999, '9999-12-31T23:59:59.999999Z'],
    [1e18, 0, '9999-12-31T23:59:59.000000Z'],
    [Infinity, 0, '9999-12-31T23:59:59.000000Z'],
    [4_294_967_295, 5000, '2106-02-07T06:28:15.000005Z'],
    [951_782_400, 0, '2000-02-29T00:00:00.000000Z'],
  ])('%d s and %d ns', (seconds, nanos, text) => {
    expect(isoTime(seconds, nanos, 6)).toBe(text);
  });

  test('as Date has it, to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e10, max: 1e10 }), fc.nat(999), (seconds, milliseconds) => {
        const date = new Date(seconds * 1000 + milliseconds);
        expect(isoTime(seconds, milliseconds * 1e6, 3)).toBe(date.toISOString());
      }),
    );
  });
});

describe('the digits after the seconds', () => {
  test.each([
    [999_999_999, 6, '999999'],
    [999_999_999.999999, 9, '999999999'],
    [999_999_999.9999, 12, '999999999999'],
    [0, 12, '000000000000'],
    [0.001, 12, '000000000001'],
    [5, 9, '000000005'],
    [5, 1, '0'],
    [5, 0, ''],
    [1e9, 9, '999999999'],
    [4_294_967_295_000, 12, '999999999999'],
    [-1, 9, '000000000'],
    [-1, 12, '000000000000'],
  ])('of %d ns, %i of them', (nanos, digits, text) => {
    expect(fraction(nanos, digits)).toBe(text);
  });

  test('there are just as many as were asked for', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 999_999_999.999, noNaN: true }), fc.nat(12), (nanos, digits) => {
        expect(fraction(nanos, digits)).toMatch(new RegExp(`^\\d{${digits}}$`));
      }),
    );
  });
});

describe('numbers', () => {
  test.each([
    [SECONDS, 123_456_789, 1_700_000_000.123456],
    [0, 999, 0],
    [0, 1000, 0.000001],
    [-1, 500_000_000, -0.5],
    [-2, 999_999_999, -1.000001],
  ])('%d s and %d ns', (seconds, nanos, expected) => {
    expect(epochNumber(seconds, nanos)).toBe(expected);
  });

  test('print as the microseconds they are', () => {
    fc.assert(
      fc.property(fc.nat(4_294_967_295), fc.nat(999_999_999), (seconds, nanos) => {
        expect(epochNumber(seconds, nanos)).toBe(Number(`${seconds}.${fraction(nanos, 6)}`));
      }),
    );
  });

  test('between two moments', () => {
    const later = { seconds: SECONDS + 1, nanos: 1000 };
    expect(secondsBetween({ seconds: SECONDS, nanos: 999_999_000 }, later)).toBeCloseTo(0.000002, 9);
    expect(secondsBetween(later, { seconds: SECONDS, nanos: 1000 })).toBe(-1);
  });
});
