/** A report that nobody took: saved for its owner's eyes in the temporary folder. */

import { chownSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../render/style.js';
import { userBehindSudo } from './sudo.js';

/** @returns the file's path. */
export function saveUndelivered(report: Iterable<string>, env: Environment): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rstscope-'));
  const file = path.join(folder, 'report.txt');
  writeFileSync(file, [...report].join(''), { mode: 0o600, flag: 'wx' });
  const owner = userBehindSudo(env);
  if (owner !== null) for (const one of [file, folder]) chownSync(one, owner.uid, owner.gid);
  return file;
}
