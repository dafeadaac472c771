/** What was typed, understood: what `live` and `read` have in common. */

import { UserError } from '../base/errors.js';
import type { AddressTest } from '../base/address.js';
import { KEEP_ALL, type FilterOptions } from '../report/filter.js';
import { CAUSES, DIRECTIONS, PATTERNS, type Context } from '../report/types.js';
import type { ColorOption } from '../render/style.js';
import { STANDARD_INPUT } from './inputs.js';
import type { CommandName } from './options.js';
import type { CommonValues } from './program.js';
import { hostTest, oneOf, portTest, wholeNumber, wordSet } from './values.js';

const CONTEXTS: readonly Context[] = ['resets', 'control', 'full'];
export const COLOR_OPTIONS: readonly ColorOption[] = ['always', 'never', 'auto'];
const DEFAULT_TOP = 20;

export interface Plan {
  readonly format: 'tables' | 'json' | 'ndjson' | 'csv' | 'capture';
  readonly top: number;
  /** Rows of one pattern are shown one by one. */
  readonly all: boolean;
  readonly color: ColorOption;
  readonly maxResets: number | null;
  readonly context: Context;
  readonly local: AddressTest | null;
  readonly filter: Omit<FilterOptions, 'after' | 'before'>;
}

export function planOf(values: CommonValues, command: CommandName): Plan {
  const chosen = (['json', 'ndjson', 'csv'] as const).filter((name) => values[name] === true);
  const capture = values.write === STANDARD_INPUT;
  if (chosen.length > 1 || (chosen.length === 1 && capture)) {
    const names = [...chosen.map((name) => `--${name}`), ...(capture ? ['-w -'] : [])];
    throw new UserError(
      'usage',
      `standard output can carry one of ${names.join(' and ')}, not both`,
      `rstscope ${command} --help`,
    );
  }
  const usual: Context = command === 'live' ? 'resets' : 'full';
  return {
    format: capture ? 'capture' : (chosen[0] ?? 'tables'),
    top: values.top === undefined ? DEFAULT_TOP : wholeNumber('--top', values.top, 1),
    all: values.all === true,
    maxResets: values.maxResets === undefined ? null : wholeNumber('--max-resets', values.maxResets, 0),
    color: colorOf(values.color),
    context: values.context === undefined ? usual : oneOf('--context', values.context, CONTEXTS),
    local: values.local === undefined ? null : hostTest('--local', values.local),
    filter: {
      ...KEEP_ALL,
      port: values.port === undefined ? null : portTest('--port', values.port),
      host: values.host === undefined ? null : hostTest('--host', values.host),
      directions: values.direction === undefined ? null : wordSet('--direction', values.direction, DIRECTIONS),
      causes: values.cause === undefined ? null : wordSet('--cause', values.cause, CAUSES),
      patterns: values.pattern === undefined ? null : wordSet('--pattern', values.pattern, PATTERNS),
      excludedPatterns:
        values.excludePattern === undefined ? null : wordSet('--exclude-pattern', values.excludePattern, PATTERNS),
    },
  };
}

export function colorOf(typed: string | false | undefined): ColorOption {
  return typed === false ? 'never' : oneOf('--color', typed ?? 'auto', COLOR_OPTIONS);
}
