/**
 * What the files of one process's (or thread's) folder in /proc say, each read once. Null: not there, or not for us.
 */

import { COMMAND_BYTES } from './command-line.js';
import { listFolder, readLink, readStart, readText } from './files.js';
import { parseStat, parseStatus, type Stat, type Status } from './stat.js';

/** Longer than the kernel makes these lines. */
const STAT_BYTES = 2048;
const STATUS_BYTES = 4096;
const MAX_PATH = 4096;

export function readStat(folder: string): Stat | null {
  const bytes = readStart(`${folder}/stat`, STAT_BYTES);
  return typeof bytes === 'string' ? null : parseStat(bytes);
}

export function readStatus(folder: string): Status | null {
  const status = readText(`${folder}/status`, STATUS_BYTES);
  return status === null ? null : parseStatus(status);
}

/** What of a process ends with its program. */
export interface Program {
  /** As it is, to be masked once everything is read. */
  readonly cmdline: Uint8Array | null;
  readonly exe: string | null;
  readonly netns: number | null;
}

/** In the order in which it goes when the process ends. */
export function readProgram(folder: string): Program {
  const bytes = readStart(`${folder}/cmdline`, COMMAND_BYTES);
  const cmdline = typeof bytes === 'string' || bytes.length === 0 ? null : bytes.slice();
  const exe = readLink(`${folder}/exe`);
  return {
    cmdline,
    exe: exe === null ? null : exe.replace(/ \(deleted\)$/, '').slice(0, MAX_PATH),
    netns: namespaceOf(folder),
  };
}

/** Inode number of its network namespace. */
export function namespaceOf(folder: string): number | null {
  const inode = /^net:\[(\d{1,15})\]$/.exec(readLink(`${folder}/ns/net`) ?? '')?.[1];
  return inode === undefined ? null : Number(inode);
}

/** The folder of another thread, for a process whose first one has ended before the others. */
export function livingThread(pid: number, folder: string): string {
  const other = listFolder(`${folder}/task`, 2).find((tid) => tid !== String(pid));
  return other === undefined ? folder : `${folder}/task/${other}`;
}
