/** Next steps as commands to type: what a finding's reader can do at once. */

import type { Process } from '../attribute/process.js';
import { isNamedUnit } from '../report/process-group.js';
import type { Example } from './case.js';
import type { Evidence } from './finder.js';

/** Words that a shell takes as they are. */
const PLAIN = /^[\w@%+=:,./-]+$/;

export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The reset's ladder, where its frame is in a file. */
export function ladderStep({ reset }: Example, { files, live }: Evidence): string[] {
  const name = files[reset.file];
  return live || name === undefined ? [] : [`rstscope explain ${shellWord(name)} ${String(reset.frame)}`];
}

export function whoStep(port: number | null, { live }: Evidence): string[] {
  if (port === null) return [];
  return [live ? `sudo rstscope who ${String(port)}` : `sudo rstscope who ${String(port)}   # on the server`];
}

/** What a program logged, as far as it has a unit. */
export function logStep(process: Process | null): string[] {
  if (process === null) return [];
  const { unit, pid } = process;
  return unit !== null && isNamedUnit(unit)
    ? [`systemctl status ${shellWord(unit)}`, `journalctl -u ${shellWord(unit)} --since -15min`]
    : [`ps -o pid,ppid,lstart,args -p ${String(pid)}`];
}

/** A capture that holds what this one lacks. */
export function fullerCapture(port: number | null, seconds = 60): string {
  const filter = port === null ? '' : ` port ${String(port)}`;
  return `sudo rstscope live --context full -d ${String(seconds)}${filter}`;
}
