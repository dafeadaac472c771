/** Name and version of this program, from its package.json. */

import { readFileSync } from 'node:fs';

export const TOOL_NAME = 'rstscope';

/** "0.1.0"; "unknown" where package.json is not beside the program. */
export function toolVersion(): string {
  try {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  } catch {
    // Told as unknown: a missing package.json must not keep anybody from reading a capture.
  }
  return 'unknown';
}

/** Text of a file that ships with the package, by its path from the package's root. */
export function packagedText(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}
