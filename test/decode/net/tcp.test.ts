/** The TCP header: flags, window, options, a reset's own words. */
import { describe, expect, test } from '@jest/globals';
import { flagsText } from '../../../src/decode/net/tcp.js';
import { timestampsAt, timestampValue } from '../../../src/decode/net/tcp-options.js';
import { concat, hex, text, zeros } from '../../support/bytes.js';
import * as f from '../../support/frames.js';
import { decode, segmentOf } from '../decoding.js';
import { RESET } from '../samples.js';

const option = f.tcpOptions;

describe('flags', () => {
  test.each([
    [0x004, 'R'],
    [0x014, 'R.'],
    [0x015, 'FR.'],
    [0x002, 'S'],
    [0x012, 'S.'],
    [0x018, 'P.'],
    [0x000, 'none'],
    [0x1ff, 'FSRP.UEWe'],
    [0xe04, 'R'],
  ])('0x%s is %s', (bits, letters) => {
    expect(flagsText(bits)).toBe(letters);
  });

  test('reserved bits are kept above the nine', () => {
    expect(segmentOf(f.segment({ flags: 0x04, reservedBits: 0x0f })).flagBits).toBe(0xf04);
    expect(segmentOf(f.segment({ flags: 0x04, reservedBits: 0x01 })).flags).toBe('Re');
  });

  test('a header without any flag is TCP, and no row of those asked for by flags', () => {
    expect(decode(f.segment({ flags: 0 }))).toMatchObject({ outcome: 'tcp', segment: null, counts: { tcp: 1 } });
  });
});

describe('header length', () => {
  test.each([0, 1, 4])('%i words is malformed', (dataOffset) => {
    expect(decode(f.segment({ dataOffset }))).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'tcp', need: 20, have: dataOffset * 4, at: 34, claimedBy: 'tcp' },
    });
  });

  test('more options than the datagram has room for: the fixed part counts', () => {
    const frame = f.segment({ ...RESET, dataOffset: 15, padTo60: true });
    expect(segmentOf(frame)).toMatchObject({
      flags: 'R.',
      seq: RESET.seq,
      payloadLength: 0,
      timestamp: -1,
      text: null,
    });
  });

  test('a reset cut inside its options is still a reset', () => {
    const options = concat(option.mss(1460), option.timestamps(7, 8));
    const frame = f.segment({ ...RESET, options, payload: zeros(10) });
    expect(segmentOf(frame, { captured: 34 + 20 + 8 })).toMatchObject({
      flags: 'R.',
      window: 501,
      timestamp: -1,
      payloadLength: 10,
    });
    expect(segmentOf(frame, { captured: 34 + 20 + 4 + 10 }).timestamp).toBe(7);
  });

  test('cut behind its flags it has no window', () => {
    const frame = f.segment(RESET);
    expect([14, 15, 16, 17].map((length) => segmentOf(frame, { captured: 34 + length }).window)).toEqual([
      -1, -1, 501, 501,
    ]);
  });
});

describe('timestamps', () => {
  const find = (options: Uint8Array): number => timestampsAt(options, 0, options.length);

  test.each([
    ['none', zeros(0), -1],
    ['alone', option.timestamps(1, 2), 2],
    ['behind padding', concat(option.nop(), option.nop(), option.timestamps(1, 2)), 4],
    ['behind others', concat(option.mss(1), option.sackPermitted(), option.timestamps(1, 2)), 8],
    ['behind the end of the list', concat(option.eol(), option.timestamps(1, 2)), -1],
    ['of a wrong length', concat(option.raw(8, zeros(6)), option.timestamps(1, 2)), 10],
    ['cut', option.timestamps(1, 2).subarray(0, 9), -1],
    ['behind an option of length 0', concat(option.raw(30, zeros(0), 0), option.timestamps(1, 2)), -1],
    ['behind an option of length 1', concat(option.raw(30, zeros(0), 1), option.timestamps(1, 2)), -1],
    ['behind one that claims too much', concat(option.raw(30, zeros(2), 40), option.timestamps(1, 2)), -1],
    ['a kind without its length', hex('01 08'), -1],
  ])('%s', (_name, options, at) => {
    expect(find(options)).toBe(at);
  });

  test('the value is unsigned', () => {
    const options = option.timestamps(0xffffffff, 0);
    expect(timestampValue(options, 0, options.length)).toBe(0xffffffff);
    expect(segmentOf(f.segment({ options: option.timestamps(0, 9) })).timestamp).toBe(0);
    expect(segmentOf(f.segment({})).timestamp).toBe(-1);
  });

  test('payload is not searched', () => {
    expect(segmentOf(f.segment({ payload: option.timestamps(1, 2) })).timestamp).toBe(-1);
  });
});

describe('text in a reset', () => {
  const textOf = (payload: Uint8Array, captured?: number): string | null =>
    segmentOf(f.segment({ ...RESET, payload }), captured === undefined ? {} : { captured }).text;

  test.each([
    ['words', text('No TCP/UDP port'), 'No TCP/UDP port'],
    ['blanks and lines', text('  go\taway \r\n now\n'), 'go away now'],
    ['beyond ASCII', text('zurück'), 'zurück'],
    ['a NUL at the end', text('closed\0\0'), 'closed'],
    ['a NUL inside', text('ab\0cd'), null],
    ['blanks only', text(' \r\n'), null],
    ['NULs only', zeros(8), null],
    ['escape sequences', text('\x1b[2Jx'), null],
    ['bidirectional controls', text('a\u202eb'), null],
    ['not UTF-8', hex('41 ff fe'), null],
    ['the diagnostic payload of the draft', hex('33aa 0001 00000000'), null],
  ])('%s', (_name, payload, expected) => {
    expect(textOf(payload)).toBe(expected);
  });

  test('of a long one the beginning', () => {
    expect(textOf(text('x'.repeat(1000)))).toBe('x'.repeat(256));
    expect(textOf(text('ä'.repeat(200)).subarray(0, 399))).toBe('ä'.repeat(128));
    expect(textOf(text('zä').subarray(0, 2))).toBeNull();
    expect(textOf(text(`x${'ä'.repeat(200)}`))).toBe(`x${'ä'.repeat(127)}`);
    expect(textOf(text('zurück'), 54 + 4)).toBe('zur');
  });

  test('only of resets', () => {
    expect(segmentOf(f.segment({ flags: 'P.', payload: text('GET /') }))).toMatchObject({
      text: null,
      payloadLength: 5,
    });
  });
});
