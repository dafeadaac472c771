/** How wide text for people may be. */

import type { Io } from './io.js';

/** Columns of the terminal on standard output, else those that COLUMNS says, else null. */
export function width({ stdout, env }: Pick<Io, 'stdout' | 'env'>): number | null {
  const told = Number(env['COLUMNS']);
  return stdout.columns ?? (Number.isInteger(told) && told > 0 ? told : null);
}
