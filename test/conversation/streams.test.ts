/** One side's stream: where numbers lie in it, what repeats, what is missing. */
import { describe, expect, test } from '@jest/globals';
import { Stream } from '../../src/conversation/streams.js';

/** After a SYN of 1000, data as [relative number, length]; what each was said to be, and what it passes over. */
function seen(...segments: readonly (readonly [at: number, length: number, fin?: 'F'])[]): string[] {
  const stream = begun();
  const placed = segments.map(([at, length, fin]) => stream.see(1000 + at, length, false, fin !== undefined));
  return placed.map(({ repeat, hole }) => `${repeat ?? '-'}${hole === null ? '' : ` ${hole.left}`}`);
}

function begun(isn = 1000): Stream {
  const stream = new Stream();
  stream.syn(isn);
  stream.see(isn, 1, true, false);
  return stream;
}

describe('numbers', () => {
  test('are counted from the SYN, or from the first that was seen', () => {
    const stream = new Stream();
    expect(stream.place(5)).toBeNull();
    stream.see(700, 10, false, false);
    expect([stream.place(700), stream.place(710), stream.place(699)]).toEqual([1, 11, 0]);
    expect(begun().place(1001)).toBe(1);
  });
  test('go on beyond 32 bits, which wrap', () => {
    const stream = begun(0xffffff00);
    for (let i = 0; i < 5; i++) stream.see((0xffffff01 + i * 0x3fffffff) >>> 0, 0x3fffffff, false, false);
    expect(stream.place((0xffffff01 + 5 * 0x3fffffff) >>> 0)).toBe(1 + 5 * 0x3fffffff);
  });
  test('that are nowhere near have no place', () => {
    expect(begun().place(0x80000000)).toBeNull();
  });
  test('of a new SYN begin anew', () => {
    const stream = begun();
    expect(stream.syn(1000)).toBe(false);
    expect(stream.syn(9000)).toBe(true);
    expect(stream.place(9000)).toBe(0);
  });
  test('no SYN is another one where only the other side had spoken of it', () => {
    const stream = new Stream();
    stream.acknowledged(501);
    expect(stream.syn(500)).toBe(false);
  });
});

describe('what repeats', () => {
  test('in order: nothing', () => {
    expect(seen([1, 100], [101, 100], [201, 0])).toEqual(['-', '-', '-']);
  });
  test('the same again, and a part of it', () => {
    expect(seen([1, 100], [1, 100], [51, 50])).toEqual(['-', 'again', 'again']);
  });
  test('not what reaches beyond', () => {
    expect(seen([1, 100], [51, 100])).toEqual(['-', '-']);
  });
  test('probes: an octet or none just below the next', () => {
    expect(seen([1, 100], [100, 1], [100, 0], [99, 1])).toEqual(['-', 'probe', 'probe', 'again']);
  });
  test('an octet that was repeated after the FIN is no probe', () => {
    expect(seen([1, 100, 'F'], [100, 1, 'F'], [100, 0])).toEqual(['-', 'again', '-']);
  });
  test('nothing below the first number that was seen', () => {
    const stream = new Stream();
    stream.see(700, 10, false, false);
    expect(stream.see(690, 5, false, false)).toEqual({ repeat: null, hole: null });
  });
});

describe('what is missing', () => {
  test('is told once, and filled by what comes late', () => {
    const stream = begun();
    const { hole } = stream.see(1101, 50, false, false);
    expect(hole?.left).toBe(100);
    expect(stream.see(1001, 60, false, false).repeat).toBe('late');
    expect(hole?.left).toBe(40);
    expect(stream.see(1061, 40, false, false).repeat).toBe('late');
    expect(hole?.left).toBe(0);
    expect(stream.see(1061, 40, false, false).repeat).toBe('again');
  });
  test('a piece out of its middle makes repetitions uncertain', () => {
    const stream = begun();
    stream.see(1101, 50, false, false);
    expect(stream.see(1031, 10, false, false).repeat).toBe('late');
    expect(stream.see(1101, 50, false, false).repeat).toBeNull();
  });
  test('is told by an acknowledgement, and then not again', () => {
    const stream = begun();
    const unseen = stream.acknowledged(1101);
    expect(unseen?.left).toBe(100);
    expect(stream.acknowledged(1101)).toBeNull();
    expect(stream.see(1101, 50, false, false).hole?.left).toBe(0);
    expect(stream.see(1001, 100, false, false).repeat).toBe('late');
    expect(unseen?.left).toBe(0);
  });
  test('what an acknowledgement was ahead of comes in order', () => {
    const stream = begun();
    const unseen = stream.acknowledged(1101);
    expect(stream.see(1001, 100, false, false)).toEqual({ repeat: null, hole: null });
    expect(unseen?.left).toBe(0);
  });
  test('many pieces: repetitions are not called so any more', () => {
    const stream = begun();
    for (let i = 1; i <= 100; i++) stream.see(1001 + i * 20, 10, false, false);
    expect(stream.see(1001 + 100 * 20, 10, false, false).repeat).toBeNull();
  });
});
