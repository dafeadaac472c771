/** A report that nobody took: saved for its owner's eyes in the temporary folder. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** @returns the file's path. */
export function saveUndelivered(report: Iterable<string>): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'rstscope-')), 'report.txt');
  writeFileSync(file, [...report].join(''), { mode: 0o600, flag: 'wx' });
  return file;
}
