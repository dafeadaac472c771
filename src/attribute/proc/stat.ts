/**
 * /proc/PID/stat, /proc/PID/status and the boot time in /proc/stat (proc(5)), as data.
 *
 * Given bytes and text, and reads nothing itself. A program chooses its name freely (parentheses, blanks, line breaks,
 * escape sequences, half a character): what follows the last ")" is the kernel's.
 */

import { text } from './files.js';

/** The kernel shows times in this unit to programs, whatever it counts in itself. */
const TICKS_PER_SECOND = 100;
/** A worker of the kernel's may be called by what it does: 64 bytes; a program's name has 15. */
const MAX_NAME = 64;
const MAX_PIDS = 32;
const KERNEL_THREAD = 0x00200000;

export interface Stat {
  readonly pid: number;
  readonly name: string;
  /** "R", "S", "Z" … */
  readonly state: string;
  readonly ppid: number;
  readonly kernelThread: boolean;
  readonly threads: number;
  /** When it started, in hundredths of a second since boot: with the PID, who it is. */
  readonly startTicks: number;
  /** Where its program lies in memory: another after each exec. All "0" and "1" where that is not for us to see. */
  readonly layout: string;
}

const OPEN = 0x28;
const CLOSE = 0x29;

/** Null where this is no such line. */
export function parseStat(bytes: Uint8Array): Stat | null {
  const open = bytes.indexOf(OPEN);
  const close = bytes.lastIndexOf(CLOSE);
  if (open < 1 || close < open) return null;
  const pid = whole(text(bytes.subarray(0, open)).trim());
  // proc(5) counts from 1, and the state is the third: field n is fields[n - 3].
  const fields = text(bytes.subarray(close + 1))
    .trim()
    .split(' ');
  const ppid = whole(fields[1]);
  const startTicks = whole(fields[19]);
  const state = fields[0] ?? '';
  if (pid === null || ppid === null || startTicks === null || !/^[A-Za-z]$/.test(state)) return null;
  return {
    pid,
    name: text(bytes.subarray(open + 1, Math.min(close, open + 1 + MAX_NAME))),
    state,
    ppid,
    kernelThread: ((whole(fields[6]) ?? 0) & KERNEL_THREAD) !== 0,
    threads: whole(fields[17]) ?? 1,
    startTicks,
    layout: `${fields.slice(23, 26).join(' ')} ${fields.slice(42, 49).join(' ')}`,
  };
}

/** A process whose program has ended: nothing but its number and its name is left. */
export function hasEnded(stat: Stat): boolean {
  return stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';
}

export interface Status {
  /** The process that this thread belongs to; its own PID if it is the first thread. */
  readonly tgid: number;
  readonly ppid: number | null;
  /** The effective user, as `ps` has it. */
  readonly uid: number | null;
  /** Its PID in each PID namespace, outermost first. */
  readonly namespacePids: readonly number[];
}

/** Null where there is no Tgid. The Name line comes first and bears line breaks escaped, so it can pose as no other. */
export function parseStatus(status: string): Status | null {
  const tgid = whole(words(status, 'Tgid')[0]);
  if (tgid === null) return null;
  const pids = words(status, 'NSpid').slice(0, MAX_PIDS).map(whole);
  return {
    tgid,
    ppid: whole(words(status, 'PPid')[0]),
    uid: whole(words(status, 'Uid')[1]),
    namespacePids: pids.filter((pid) => pid !== null),
  };
}

function words(status: string, key: string): string[] {
  const label = `\n${key}:`;
  const at = status.indexOf(label);
  if (at < 0) return [];
  const end = status.indexOf('\n', at + 1);
  return status
    .slice(at + label.length, end < 0 ? status.length : end)
    .trim()
    .split(/\s+/);
}

/** Seconds since 1970 at which the machine started, from /proc/stat. */
export function parseBootTime(stat: string): number | null {
  const match = /^btime (\d{1,12})$/m.exec(stat);
  return match === null ? null : whole(match[1]);
}

/** Seconds since 1970, to a hundredth. */
export function startedAt(bootTime: number, startTicks: number): number {
  return Math.round((bootTime + startTicks / TICKS_PER_SECOND) * 100) / 100;
}

function whole(digits: string | undefined): number | null {
  if (digits === undefined || !/^\d{1,16}$/.test(digits)) return null;
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : null;
}
