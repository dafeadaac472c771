/** Who stands behind sudo, and the command that gives rstscope the rights it lacks. */

import { shellWord } from '../capture/refusal.js';
import type { Environment } from '../render/style.js';

/** The user who typed sudo: what root writes for them shall be theirs. Null: nobody, or we are not root. */
export function userBehindSudo(env: Environment): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const { SUDO_UID: uid = '', SUDO_GID: gid = '' } = env;
  return /^\d{1,9}$/.test(uid) && /^\d{1,9}$/.test(gid) ? { uid: Number(uid), gid: Number(gid) } : null;
}

/** The same command as root: with absolute paths, since a node of nvm is not in sudo's path. */
export function withSudo(program: readonly string[], args: readonly string[]): string {
  return ['sudo', ...program, ...args].map(shellWord).join(' ');
}
