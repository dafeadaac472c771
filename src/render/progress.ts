/**
 * How far reading has come, as one line of text: neither the terminal nor the clock is known here.
 */

import { plural } from '../base/text.js';
import { byteSize, duration } from './figures.js';

export interface Progress {
  readonly bytes: number;
  /** Null where the end is not known, as on a pipe. */
  readonly total: number | null;
  readonly elapsedSeconds: number;
  readonly resets: number;
}

const BAR_COLUMNS = 20;
const MAX_LEFT_SECONDS = 360_000;

/** At most `width` − 1 columns: in the last one some terminals would begin a new line. Parts that don't fit are left out. */
export function progressLine(progress: Progress, width: number): string {
  const { bytes, total, elapsedSeconds, resets } = progress;
  const rate = elapsedSeconds > 0 ? bytes / elapsedSeconds : 0;
  const part = total === null || total <= 0 ? null : Math.min(bytes / total, 1);
  const left = part === null || total === null || rate === 0 ? null : Math.max(total - bytes, 0) / rate;
  // What matters most first in this list, its place in the line beside it.
  const parts: [place: number, text: string][] = [
    [1, part === null ? byteSize(bytes) : `${Math.floor(part * 100)}%`.padStart(4)],
    [5, plural(resets, 'reset')],
    ...(left === null || left > MAX_LEFT_SECONDS ? [] : [[4, `${roughly(left)} left`] as [number, string]]),
    ...(part === null ? [] : [[0, bar(part)] as [number, string]]),
    ...(rate === 0 ? [] : [[3, `${byteSize(rate)}/s`] as [number, string]]),
    ...(part === null || total === null ? [] : [[2, `${byteSize(bytes)} of ${byteSize(total)}`] as [number, string]]),
  ];
  const kept: [number, string][] = [];
  let used = 0;
  for (const [place, text] of parts) {
    const more = text.length + (kept.length === 0 ? 0 : 2);
    if (used + more > width - 1) break;
    used += more;
    kept.push([place, text]);
  }
  return kept
    .sort(([a], [b]) => a - b)
    .map(([, text]) => text)
    .join('  ');
}

function bar(part: number): string {
  const full = Math.floor(part * BAR_COLUMNS);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_COLUMNS - full)}]`;
}

/** Time left is an estimate: tenths of a second would pretend to know. */
function roughly(seconds: number): string {
  return seconds < 120 ? `${Math.ceil(seconds)} s` : duration(seconds);
}
