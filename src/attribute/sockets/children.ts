/**
 * Whether a process makes others: one that listens and forks may have left a connection to a child.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Place of cminflt, page faults of children that were waited for, behind the name in /proc/PID/stat: none has none. */
const CHILD_FAULTS = 8;
const MAX_THREADS = 256;

/** It has children, or had some and waited for them. False where it can't be told. */
export function makesOthers(proc: string, pid: number): boolean {
  const folder = join(proc, String(pid));
  try {
    const stat = readFileSync(join(folder, 'stat'), 'latin1');
    const faults = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[CHILD_FAULTS];
    if (faults !== undefined && faults !== '0') return true;
    return readdirSync(join(folder, 'task'))
      .slice(0, MAX_THREADS)
      .some((task) => readFileSync(join(folder, 'task', task, 'children'), 'latin1').trim() !== '');
  } catch {
    // It has ended, or the kernel does not list children.
    return false;
  }
}
