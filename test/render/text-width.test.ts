/** Columns of text, as a terminal and the table library count them. */
import { describe, expect, test } from '@jest/globals';
import Table from 'cli-table3';
import { Chalk } from 'chalk';
import { clip, clipStart, columnsOf, withoutColor, wrap } from '../../src/render/text-width.js';

const RED = new Chalk({ level: 1 }).red;

describe('columnsOf', () => {
  const SAMPLES: [string, number][] = [
    ['', 0],
    ['plain', 5],
    ['é', 1],
    ['e\u0301', 1],
    ['東京', 4],
    ['サーバー', 8],
    ['한국', 4],
    ['ﾃｽﾄ', 3],
    ['Ａ', 2],
    ['🚀', 2],
    ['…·→', 3],
    ['▁█', 2],
    [RED('red'), 3],
  ];
  test.each(SAMPLES)('%j', (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });
  test('agrees with cli-table3, which pads to the widest', () => {
    const table = new Table({ style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } });
    const widest = 20;
    for (const [text] of SAMPLES) table.push([text]);
    table.push(['w'.repeat(widest)]);
    const cells = table
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('│'));
    expect(cells).toHaveLength(SAMPLES.length + 1);
    expect(cells.map((line) => columnsOf(line))).toEqual(cells.map(() => widest + 2));
  });
});

describe('clip', () => {
  test.each([
    ['short', 5, 'short'],
    ['longer', 5, 'long…'],
    ['東京都', 5, '東京…'],
    ['東京都', 4, '東…'],
  ])('%s to %i columns', (text, room, expected) => {
    expect(clip(text, room, '…')).toBe(expected);
  });
  test('keeps the end when told to', () => {
    expect(clipStart('/a/long/path', 8, '...')).toBe('.../path');
    expect(clipStart('/a', 8, '...')).toBe('/a');
  });
});

describe('wrap', () => {
  test('breaks at spaces and indents what follows', () => {
    expect(wrap('one two three four', 9, '  ')).toBe('one two\n  three\n  four');
  });
  test('keeps the indent of the first line and runs of spaces', () => {
    expect(wrap('  - one  two', 40, '    ')).toBe('  - one  two');
    expect(wrap('  - one two', 9, '    ')).toBe('  - one\n    two');
  });
  test('cuts a word that no line holds', () => {
    expect(wrap('abcdefghij', 6, '  ')).toBe('abcd\n  efgh\n  ij');
  });
  test('never makes a line wider than it may be', () => {
    for (let width = 6; width < 60; width++) {
      const text = wrap(`  ${RED('warning:')} ${'word 東京東京東京 longer-word '.repeat(5)}`, width, '    ');
      expect(
        withoutColor(text)
          .split('\n')
          .filter((line) => columnsOf(line.trimEnd()) > width),
      ).toEqual([]);
    }
  });
});
