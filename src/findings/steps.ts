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

/** A file's name as an argument: none is taken for an option. Null: it was standard input, which is over. */
export function fileWord(name: string): string | null {
  if (name === '-') return null;
  return shellWord(name.startsWith('-') ? `./${name}` : name);
}

/** The reset's ladder, where its frame is in a file. */
export function ladderStep({ reset }: Example, { files, live }: Evidence): string[] {
  const name = live ? undefined : files[reset.file];
  const word = name === undefined ? null : fileWord(name);
  return word === null ? [] : [`rstscope explain ${word} ${String(reset.frame)}`];
}

export function whoStep(port: number | null, { live }: Evidence): string[] {
  if (port === null) return [];
  return [live ? `sudo rstscope who ${String(port)}` : `sudo rstscope who ${String(port)}   # on the server`];
}

/** What a program logged, as far as it has a unit. */
export function logStep(process: Process | null): string[] {
  if (process === null) return [];
  const { unit, pid } = process;
  return unit !== null && isNamedUnit(unit) && !unit.startsWith('-')
    ? [`systemctl status ${shellWord(unit)}`, `journalctl -u ${shellWord(unit)} --since -15min`]
    : [`ps -o pid,ppid,lstart,args -p ${String(pid)}`];
}
