/** The README says what the option table says. */
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { optionsMarkdown } from '../../src/cli/options.js';
import { REPOSITORY } from '../support/run.js';

test('the options in the README are those of the table (npm run readme)', () => {
  const readme = readFileSync(path.join(REPOSITORY, 'README.md'), 'utf8');
  expect(readme).toContain(`checked by a test -->\n\n${optionsMarkdown()}\n\n<!-- /options -->`);
});
