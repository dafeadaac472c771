/** The line of progress: what it says and that it fits. */
import { describe, expect, test } from '@jest/globals';
import { progressLine, type Progress } from '../../src/render/progress.js';

const HALF_WAY: Progress = { bytes: 1.2e9, total: 2.4e9, elapsedSeconds: 3, resets: 1121 };

describe('progress', () => {
  test('tells all there is to tell', () => {
    expect(progressLine(HALF_WAY, 100)).toBe(
      '[##########----------]   50%  1.2 GB of 2.4 GB  400 MB/s  3 s left  1,121 resets',
    );
  });
  test('of a pipe has no end to tell', () => {
    expect(progressLine({ ...HALF_WAY, total: null }, 100)).toBe('1.2 GB  400 MB/s  1,121 resets');
  });
  test('of an empty file divides nothing by nothing', () => {
    expect(progressLine({ bytes: 0, total: 0, elapsedSeconds: 0, resets: 0 }, 80)).toBe('0 B  0 resets');
  });
  test('at the start knows no rate', () => {
    expect(progressLine({ ...HALF_WAY, bytes: 0, elapsedSeconds: 0 }, 100)).toBe(
      '[--------------------]    0%  0 B of 2.4 GB  1,121 resets',
    );
  });
  test('of a file that grew stays at all of it', () => {
    expect(progressLine({ ...HALF_WAY, bytes: 3e9 }, 100)).toMatch(/^\[#{20}\] {2}100% .* 0 s left/);
  });
  test('is shorter than the width, whatever that is', () => {
    for (let width = 1; width < 100; width++) {
      const line = progressLine(HALF_WAY, width);
      expect(line.length).toBeLessThan(width);
      expect(line).toMatch(/^[ -~]*$/);
      if (width >= 6) expect(line).toContain('50%');
    }
  });
});
