/**
 * What sentences of the report are made of: programs, places, spans and moments in words. Sentences are the same in every
 * output, so moments are said in UTC, and are marked so.
 */

import type { Process } from '../attribute/process.js';
import { isoTime } from '../base/time.js';
import { groupOf } from './process-group.js';

const MOST_EXAMPLES = 3;

/** "collector.service (node, pid 9114)", "node (pid 9114)". */
export function programWords(process: Process): string {
  const { key, name } = groupOf(process);
  const { pid } = process;
  const own = programName(process);
  return key === 'exe' ? `${own} (pid ${String(pid)})` : `${name} (${own}, pid ${String(pid)})`;
}

/** What it is called, without its number. */
export function programName({ name, exe, pid }: Process): string {
  return name ?? exe?.slice(exe.lastIndexOf('/') + 1) ?? `pid ${String(pid)}`;
}

/** "10.0.0.5:80", "[::1]:80". */
export function placeWords(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${String(port)}` : `${ip}:${String(port)}`;
}

/** "0.5 s", "12 ms", "4 min": two digits, whatever the size. */
export function spanWords(seconds: number): string {
  if (seconds < 0.001) return `${digits(seconds * 1e6)} µs`;
  if (seconds < 1) return seconds >= 0.0995 ? `${digits(seconds)} s` : `${digits(seconds * 1000)} ms`;
  if (seconds < 120) return `${digits(seconds)} s`;
  if (seconds < 7200) return `${digits(seconds / 60)} min`;
  return seconds < 172_800 ? `${digits(seconds / 3600)} h` : `${digits(seconds / 86_400)} d`;
}

function digits(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** "15:02:10 UTC" of seconds since 1970. */
export function momentWords(seconds: number): string {
  return Number.isFinite(seconds) ? `${isoTime(seconds, 0, 0).slice(11, 19)} UTC` : 'an unknown time';
}

/** "2026-12-01 15:02:10 UTC". */
export function dayWords(seconds: number): string {
  return Number.isFinite(seconds) ? `${isoTime(seconds, 0, 0).slice(0, 19).replace('T', ' ')} UTC` : 'an unknown time';
}

/** "from 15:02:10 UTC to 15:02:12 UTC"; '' where the capture gave no times. */
export function periodWords(first: number, last: number): string {
  if (!Number.isFinite(first) || !Number.isFinite(last)) return '';
  const isLong = isoTime(first, 0, 0).slice(0, 10) !== isoTime(last, 0, 0).slice(0, 10);
  const words = isLong ? dayWords : momentWords;
  const [from, to] = [words(first), words(last)];
  return from === to ? `at ${from}` : `from ${from} to ${to}`;
}

/** "80, 443, 8080 and 12 more". */
export function listWords(items: readonly (string | number)[], all = items.length): string {
  const shown = items.slice(0, MOST_EXAMPLES).map(String);
  const more = all - shown.length;
  if (more > 0) return `${shown.join(', ')} and ${String(more)} more`;
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}
