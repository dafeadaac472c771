/** Which colours and characters a stream gets, case by case. */
import { describe, expect, test } from '@jest/globals';
import { colorLevel, supportsUnicode, type ColorFacts, type Environment } from '../../src/render/style.js';

describe('colorLevel', () => {
  const CASES: [string, Partial<ColorFacts>, number][] = [
    ['a terminal of 24 bits', { colorDepth: 24 }, 3],
    ['a terminal of 8 bits', { colorDepth: 8 }, 2],
    ['a terminal of 4 bits', { colorDepth: 4 }, 1],
    ['a terminal of one colour', { colorDepth: 1 }, 0],
    ['no terminal', { isTTY: false, colorDepth: null }, 0],
    ['no terminal that has a depth all the same', { isTTY: false }, 0],
    ['NO_COLOR', { env: { NO_COLOR: '1' } }, 0],
    ['NO_COLOR=0, which is set', { env: { NO_COLOR: '0' } }, 0],
    ['an empty NO_COLOR', { env: { NO_COLOR: '' } }, 3],
    ['TERM=dumb', { env: { TERM: 'dumb' } }, 0],
    ['FORCE_COLOR without a terminal', { env: { FORCE_COLOR: '1' }, isTTY: false, colorDepth: null }, 1],
    ['FORCE_COLOR=true', { env: { FORCE_COLOR: 'true' }, isTTY: false, colorDepth: null }, 1],
    ['FORCE_COLOR=2', { env: { FORCE_COLOR: '2' }, isTTY: false, colorDepth: null }, 2],
    ['FORCE_COLOR=3', { env: { FORCE_COLOR: '3' }, isTTY: false, colorDepth: null }, 3],
    ['FORCE_COLOR=0', { env: { FORCE_COLOR: '0' } }, 0],
    ['FORCE_COLOR=false', { env: { FORCE_COLOR: 'false' } }, 0],
    ['an empty FORCE_COLOR', { env: { FORCE_COLOR: '' }, isTTY: false, colorDepth: null }, 0],
    ['FORCE_COLOR against NO_COLOR', { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }, 1],
    ['FORCE_COLOR against TERM=dumb', { env: { FORCE_COLOR: '1', TERM: 'dumb' } }, 1],
    ['never', { option: 'never' }, 0],
    ['never against FORCE_COLOR', { option: 'never', env: { FORCE_COLOR: '3' } }, 0],
    ['always', { option: 'always' }, 3],
    ['always without a terminal', { option: 'always', isTTY: false, colorDepth: null }, 1],
    ['always against NO_COLOR', { option: 'always', env: { NO_COLOR: '1' }, colorDepth: 1 }, 1],
  ];
  test.each(CASES)('%s', (_, facts, level) => {
    expect(colorLevel({ option: 'auto', env: {}, isTTY: true, colorDepth: 24, ...facts })).toBe(level);
  });
});

describe('supportsUnicode', () => {
  const CASES: [Environment, boolean][] = [
    [{}, true],
    [{ LANG: 'de_DE.UTF-8' }, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LANG: 'C' }, false],
    [{ LC_ALL: 'POSIX', LANG: 'C.UTF-8' }, false],
    [{ LC_ALL: '', LC_CTYPE: 'C.UTF-8', LANG: 'C' }, true],
    [{ LANG: 'C.UTF-8', TERM: 'linux' }, false],
  ];
  test.each(CASES)('%j: %j', (env, expected) => {
    expect(supportsUnicode(env)).toBe(expected);
  });
});
