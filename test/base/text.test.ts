/** Text from strangers can't steer a terminal; numbers read well. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { grouped, plural, printable, utf8 } from '../../src/base/text.js';
import { concat, hex, text } from '../support/bytes.js';

describe('printable', () => {
  test.each([
    ['plain', 'eth0 – naïve 日本 🙂', 'eth0 – naïve 日本 🙂'],
    ['escape sequences', '\x1b[31mred\x1b[0m', '·[31mred·[0m'],
    ['line breaks and tabs', 'a\r\nb\tc', 'a··b·c'],
    ['NUL, DEL and C1 controls', '\0\x7f\x9b', '···'],
    ['bidirectional controls', 'a\u202eb\u2066c\u200f', 'a·b·c·'],
    ['zero-width characters', 'a\u200bb\ufeff', 'a·b·'],
    ['line and paragraph separators', '\u2028\u2029', '··'],
    ['lone surrogates', 'a\ud800b\udc00', 'a·b·'],
    ['tag characters', `x${String.fromCodePoint(0xe0041)}`, 'x·'],
    ['the replacement character', '\ufffd', '\ufffd'],
  ])('%s', (_name, from, to) => {
    expect(printable(from)).toBe(to);
  });

  test('long text is cut, and says so', () => {
    expect(printable('x'.repeat(256))).toBe('x'.repeat(256));
    expect(printable('x'.repeat(257))).toBe(`${'x'.repeat(256)}…`);
    expect(printable('abcdef', 3)).toBe('abc…');
    expect(printable('ab🙂', 3)).toBe('ab·…');
  });

  test('nothing that steers comes through, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (from) => {
        const to = printable(from);
        expect(to).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(to.length).toBeLessThanOrEqual(257);
        expect(printable(to, 300)).toBe(to);
      }),
    );
  });
});

describe('UTF-8', () => {
  test.each([
    ['text', text('zurück'), 'zurück'],
    ['nothing', new Uint8Array(0), ''],
    ['up to the first NUL', concat(text('eth0'), hex('00'), text('junk')), 'eth0'],
    ['what is not UTF-8', hex('61 ff 62 c3'), 'a\ufffdb\ufffd'],
    ['a byte order mark', hex('ef bb bf 61'), '\ufeffa'],
  ])('%s', (_name, bytes, expected) => {
    expect(utf8(bytes)).toBe(expected);
  });
});

describe('numbers', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567, '1,234,567'],
    [-123456, '-123,456'],
    [1999.9, '1,999'],
    [Number.MAX_SAFE_INTEGER, '9,007,199,254,740,991'],
  ])('%d is %s', (n, expected) => {
    expect(grouped(n)).toBe(expected);
  });

  test.each([
    [plural(0, 'reset'), '0 resets'],
    [plural(1, 'reset'), '1 reset'],
    [plural(1203, 'reset'), '1,203 resets'],
    [plural(2, 'capture of it', 'captures of it'), '2 captures of it'],
  ])('%s', (found, expected) => {
    expect(found).toBe(expected);
  });
});
