/** The status line: what it says and that it fits; the counts of the last minute. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Minute, statusLine, type LiveStatus } from '../../src/render/live-status.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import { PLAIN } from './sample-report.js';

const ENDING = [3, 5, 0, 90, 130, 44];
const BUSY: LiveStatus = {
  elapsedSeconds: 5.2,
  leftSeconds: 54.8,
  resets: 1204,
  rate: 98.24,
  lastMinute: [...new Array<number>(60 - ENDING.length).fill(0), ...ENDING],
  copies: 311,
  lost: 0,
};
const HOUR: LiveStatus = { ...BUSY, elapsedSeconds: 3725, leftSeconds: null };

describe('the status line', () => {
  test('tells all there is to tell', () => {
    expect(statusLine(BUSY, 100, PLAIN)).toBe('0:05 of 1:00  1,204 resets  98.2/s  311 copies folded  0 lost  ▂▂▁▆█▄');
  });
  test('has no end to tell when it goes on until Ctrl-C', () => {
    expect(statusLine({ ...HOUR, lost: null, copies: 0 }, 40, PLAIN)).toBe('1:02:05  1,204 resets  98.2/s  ▁▁▂▂▁▆█▄');
  });
  test('says nothing of loss where it is not known', () => {
    expect(statusLine({ ...BUSY, lost: null }, 100, PLAIN)).not.toContain('lost');
  });
  test('puts loss before all but the count when there is some', () => {
    const lossy = { ...BUSY, lost: 12 };
    expect(statusLine(lossy, 24, PLAIN)).toBe('1,204 resets  12 lost');
    expect(statusLine(BUSY, 28, PLAIN)).toBe('0:05 of 1:00  1,204 resets');
    expect(statusLine(lossy, 100, { ...PLAIN, color: 1 })).toContain('\u001b[33m12 lost');
  });
  test('before anything happened is short', () => {
    const quiet = {
      ...BUSY,
      elapsedSeconds: 0,
      resets: 0,
      rate: 0,
      copies: 0,
      lastMinute: new Array<number>(60).fill(0),
    };
    expect(statusLine({ ...quiet, leftSeconds: 60 }, 80, PLAIN)).toBe('0:00 of 1:00  0 resets  0/s  0 lost');
    expect(statusLine({ ...quiet, resets: 1, leftSeconds: null }, 80, PLAIN)).toContain('1 reset  ');
  });
  test('draws as many of the latest seconds as fit', () => {
    const bars = (width: number): string => /[▁-█]+$/.exec(statusLine(HOUR, width, PLAIN))?.[0] ?? '';
    expect(bars(200)).toHaveLength(60);
    expect(bars(200).endsWith('▁▁▂▂▁▆█▄')).toBe(true);
    expect(bars(80)).toMatch(/^▁+▂▂▁▆█▄$/);
    expect(bars(80).length).toBeLessThan(60);
  });
  test('is shorter than the width, whatever that is, and the same under its colours', () => {
    for (let width = 1; width < 160; width++) {
      for (const status of [BUSY, HOUR, { ...HOUR, lost: 7 }]) {
        const line = statusLine(status, width, PLAIN);
        expect(columnsOf(line)).toBeLessThan(width);
        if (width >= 14) expect(line).toContain('1,204 resets');
        expect(withoutColor(statusLine(status, width, { ...PLAIN, color: 1 }))).toBe(line);
        expect(statusLine(status, width, { ...PLAIN, unicode: false })).toMatch(/^[ -~]*$/);
      }
    }
  });
});

describe('the last minute', () => {
  test('has a count for each second, the one that has begun last', () => {
    const minute = new Minute(500);
    minute.add(600, 2);
    minute.add(1499, 1);
    minute.add(1500, 7);
    expect(minute.counts(3400).slice(-4)).toEqual([0, 3, 7, 0]);
    expect(minute.counts(3400)).toHaveLength(60);
  });
  test('forgets what is older', () => {
    const minute = new Minute(0);
    minute.add(0, 5);
    expect(minute.counts(59_999)[0]).toBe(5);
    expect(minute.counts(60_000)).toEqual(new Array<number>(60).fill(0));
    minute.add(60_000, 1);
    expect(minute.counts(1e9)).toEqual(new Array<number>(60).fill(0));
  });
  test('has the rate of ten seconds, or since the start', () => {
    const minute = new Minute(0);
    minute.add(1, 1);
    expect(minute.rate(2)).toBe(1);
    minute.add(3900, 7);
    expect(minute.rate(4000)).toBe(2);
    for (let s = 4; s < 30; s++) minute.add(s * 1000, 20);
    expect(minute.rate(29_999.999)).toBeCloseTo(20, 3);
    expect(minute.rate(60_000)).toBe(0);
  });
  test('takes a time before the latest for the latest', () => {
    const minute = new Minute(10_000);
    minute.add(12_000, 1);
    minute.add(9000, 1);
    expect(minute.counts(9000).slice(-3)).toEqual([0, 0, 2]);
    expect(minute.rate(9000)).toBe(1);
  });
  test('counts as a list of all times would', () => {
    const step = fc.tuple(fc.oneof(fc.nat(300), fc.nat(90_000)), fc.nat(5));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const minute = new Minute(0);
        const all: [second: number, resets: number][] = [];
        let now = 0;
        for (const [wait, resets] of steps) {
          now += wait;
          minute.add(now, resets);
          all.push([Math.floor(now / 1000), resets]);
        }
        const last = Math.floor(now / 1000);
        const sumOf = (s: number): number => all.reduce((sum, [at, n]) => sum + (at === s ? n : 0), 0);
        expect(minute.counts(now)).toEqual(Array.from({ length: 60 }, (_, i) => sumOf(last - 59 + i)));
      }),
    );
  });
});
