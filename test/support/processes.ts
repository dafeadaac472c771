/** What a running program is at, by /proc: whether it takes signals yet, whether it works or waits. */
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** Fields of /proc/PID/stat behind the name, by their places. */
const GROUP = 2;
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Whether the program handles signals yet: node itself takes SIGINT and SIGTERM from the start, not SIGHUP. */
export function hearsSignals(pid: number): boolean {
  return hasSignal(pid, 'SigCgt', constants.signals.SIGHUP);
}

/** A Ctrl-C that was sent has not come yet: a second one would be the same. */
export function isInterruptPending(pid: number): boolean {
  return hasSignal(pid, 'ShdPnd', constants.signals.SIGINT);
}

function hasSignal(pid: number, set: 'SigCgt' | 'ShdPnd', signal: number): boolean {
  const mask = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(read(pid, 'status'))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** Ticks of a processor that it has had; one that is waiting to get it is not idle, and grows. */
export function ticksOf(pid: number): number {
  const fields = statOf(pid);
  return Number(fields[USER_TIME] ?? 0) + Number(fields[SYSTEM_TIME] ?? 0);
}

/** The program of a process group whose command line is like that; null: there is none. */
export function programOf(group: number, command: RegExp): number | null {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const isIt = (pid: number): boolean =>
    Number(statOf(pid)[GROUP]) === group && command.test(read(pid, 'cmdline').replaceAll('\0', ' '));
  return pids.find(isIt) ?? null;
}

/** The program's name is in parentheses, and may hold any characters. */
function statOf(pid: number): string[] {
  const stat = read(pid, 'stat');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Empty when it has ended. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
