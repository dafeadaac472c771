/** The build puts the readers of base/bytes.ts in place, and changes nothing else. */
import { describe, expect, test } from '@jest/globals';
import { inlineReaders } from '../scripts/inline-readers.mjs';

const IMPORT = "import { link, num as other, u16, word } from '../base/bytes.js';\n";
const inlined = (code: string): string => inlineReaders('a.ts', IMPORT + code).slice(IMPORT.length);

describe('a reader in place', () => {
  test.each([
    ['word(a, i)', '(a)[i]'],
    ['word(a, i + 1) | 0', '(a)[i + 1] | 0'],
    ['word(a.b, word(c, link(d, 2)))', '(a.b)[(c)[(d)[2]]]'],
    ['word(x ? a : b, i)', '(x ? a : b)[i]'],
    ['f(word(a, i), (b) => link(b, 0))', 'f((a)[i], (b) => (b)[0])'],
    ['word(\n  a,\n  i,\n)', '(\na)[\ni]\n'],
  ])('%j', (code, made) => {
    expect(inlined(code)).toBe(made);
  });

  test.each([['u16(a, 1)'], ['other(a, 1)'], ['this.word(a, 1)'], ['value(a, 1)'], ["'word(a, 1)'"], ['word']])(
    'not in place: %j',
    (code) => {
      expect(inlined(code)).toBe(code);
    },
  );

  test('a module that imports them from elsewhere is left alone', () => {
    const code = "import { word } from './word.js';\nword(a, 1);";
    expect(inlineReaders('a.ts', code)).toBe(code);
  });

  test('every line stays where it was', () => {
    const code = 'const b = word(\n  // why\n  a,\n  i,\n);\nconst c = 1;\n';
    expect(inlined(code).split('\n').indexOf('const c = 1;')).toBe(code.split('\n').indexOf('const c = 1;'));
  });
});
