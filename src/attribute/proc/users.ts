/**
 * Names of users, from the system's passwd file (passwd(5)).
 *
 * Asks no directory service: a user who is not in the file goes by number.
 */

import { statSync } from 'node:fs';
import { readWhole } from './files.js';

const MAX_BYTES = 4 * 1024 * 1024;
const MAX_USERS = 65536;
const MAX_NAME = 64;
/** How long the file is not looked at again, in milliseconds. */
const TRUSTED_MS = 3000;

/** User number → name. The first line of a number counts. */
export function parsePasswd(passwd: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of passwd.split('\n')) {
    const [name = '', , digits = ''] = line.split(':', 4);
    if (name === '' || name.startsWith('#') || !/^\d{1,10}$/.test(digits)) continue;
    const uid = Number(digits);
    if (names.has(uid)) continue;
    if (names.size >= MAX_USERS) break;
    names.set(uid, name.slice(0, MAX_NAME));
  }
  return names;
}

export class UserNames {
  private readonly file: string;
  private readonly clock: () => number;
  private names = new Map<number, string>();
  private version = '';
  private lookedAt = Number.NEGATIVE_INFINITY;

  /** `clock` in milliseconds. */
  constructor(file: string, clock: () => number) {
    this.file = file;
    this.clock = clock;
  }

  /** The number itself where it has no name. */
  name(uid: number): string {
    const now = this.clock();
    if (Math.abs(now - this.lookedAt) >= TRUSTED_MS) {
      this.lookedAt = now;
      this.refresh();
    }
    return this.names.get(uid) ?? String(uid);
  }

  private refresh(): void {
    const version = versionOf(this.file);
    if (version === this.version) return;
    this.version = version;
    this.names = parsePasswd(readWhole(this.file, MAX_BYTES) ?? '');
  }
}

/** Another text whenever the file was written or replaced. */
function versionOf(file: string): string {
  try {
    const about = statSync(file);
    return `${about.ino} ${about.size} ${about.mtimeMs}`;
  } catch {
    return 'none';
  }
}
