/** Numbers as people read them. */
import { describe, expect, test } from '@jest/globals';
import { byteSize, count, decimal, duration, endpoint, percent } from '../../src/render/figures.js';

describe('figures', () => {
  test.each([
    [null, '-'],
    [0, '0'],
    [1234567, '1,234,567'],
  ])('count %j', (n, text) => expect(count(n)).toBe(text));

  test.each([
    [null, '-'],
    [0, '0'],
    [0.0004, '<0.001'],
    [0.033333, '0.033'],
    [0.25, '0.25'],
    [2.01, '2.0'],
    [99.94, '99.9'],
    [1234.5, '1,235'],
  ])('rate %j', (n, text) => expect(decimal(n)).toBe(text));

  test.each([
    [null, '-'],
    [0, '0%'],
    [0.001, '<1%'],
    [0.254, '25%'],
    [0.999, '99%'],
    [1, '100%'],
  ])('share %j', (n, text) => expect(percent(n)).toBe(text));

  test.each([
    [0, '0 s'],
    [0.01234, '0.0123 s'],
    [60, '60.0 s'],
    [119.5, '119.5 s'],
    [185, '3 min 5 s'],
    [7199.6, '2 h 0 min'],
    [3 * 3600 + 720, '3 h 12 min'],
    [86400 * 2.5, '2 d 12 h'],
  ])('duration %j', (n, text) => expect(duration(n)).toBe(text));

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1234, '1.2 kB'],
    [999_600, '1.0 MB'],
    [123_456_789, '123 MB'],
    [2.5e12, '2.5 TB'],
  ])('size %j', (n, text) => expect(byteSize(n)).toBe(text));

  test('endpoint', () => {
    expect(endpoint('10.0.0.1', 80)).toBe('10.0.0.1:80');
    expect(endpoint('2001:db8::1', 80)).toBe('[2001:db8::1]:80');
  });
});
