/**
 * Processes in a few words: who is at an end of a reset, or why nobody can be named.
 *
 * Names come from whoever started a program: all of them are made safe here, and cut.
 */

import { containerName, isNamedUnit } from '../report/process-group.js';
import type { MissingReason, Named, ProcessInfo, ResetEvent } from '../report/types.js';
import { glyphs, safe, type Style } from './style.js';
import { clip } from './text-width.js';

/** The kernel's own names have 15 bytes, units seldom more than this. */
const MOST_COLUMNS = 40;
/** Could be taken for the marks that stand between names. */
const CONFUSING = /[[\],;"→]|->| $|^ |^$/u;

/** Why a process is not named; null where that is plain or says nothing. */
const REASONS: Readonly<Record<MissingReason, string | null>> = {
  remote: null,
  offline: null,
  'no-listener': 'nobody listens',
  gone: 'gone before it could be named',
  permission: 'no permission: run as root',
  ambiguous: 'one of several, not known which',
  'pid-namespace': 'in another PID namespace',
  'not-tried': null,
  unknown: 'not known',
};

/** As short as it can be said in a line about one reset; null tells nothing. */
const BRIEF: Readonly<Record<MissingReason, string | null>> = {
  ...REASONS,
  gone: 'gone',
  permission: 'no permission',
  ambiguous: 'one of several',
  unknown: null,
};

export function reasonText(reason: MissingReason): string | null {
  return REASONS[reason];
}

/** "node" */
export function programName({ name, exe, pid }: Named, style: Style): string {
  const path = exe === null ? null : exe.slice(exe.lastIndexOf('/') + 1);
  const text = clip(safe(name ?? path ?? `pid ${pid}`, style), MOST_COLUMNS, glyphs(style).ellipsis);
  return CONFUSING.test(text) ? `"${text.replaceAll('"', "'")}"` : text;
}

/** "node[9114]" */
export function processName(process: Named, style: Style): string {
  const name = programName(process, style);
  return process.name === null && process.exe === null ? name : `${name}[${process.pid}]`;
}

/** As `processName`; where only a group of listeners is known, that is said. */
export function endName(process: ProcessInfo, style: Style): string {
  return process.match === 'listener-group' ? bareName(process, style) : processName(process, style);
}

function bareName(process: ProcessInfo, style: Style): string {
  const name = programName(process, style);
  return process.match === 'listener-group' ? `${name} (group)` : name;
}

/** The unit or container that it runs in; '' where neither has a name that somebody gave. */
export function placeName({ unit, container }: ProcessInfo, style: Style): string {
  const name =
    unit !== null && isNamedUnit(unit)
      ? unit
      : container === null
        ? ''
        : containerName({ ...container, podNamespace: container.pod_namespace });
  return clip(safe(name, style), MOST_COLUMNS, glyphs(style).ellipsis);
}

/** Who is at both ends of a reset, the fullest first; none where nobody is known and nothing says why. */
export function endsTexts(event: ResetEvent, style: Style): string[] {
  const { sender, receiver, sender_reason: from, receiver_reason: to } = event;
  const { arrow } = glyphs(style);
  const briefOf = (reason: MissingReason | null): string | null => (reason === null ? null : BRIEF[reason]);
  if (sender === null && receiver === null && briefOf(from) === null && briefOf(to) === null) return [];
  const both = (name: (process: ProcessInfo) => string): string => {
    const end = (process: ProcessInfo | null, reason: MissingReason | null): string =>
      process === null ? (briefOf(reason) ?? (reason === 'remote' ? 'remote' : '?')) : name(process);
    return `${end(sender, from)} ${arrow} ${end(receiver, to)}`;
  };
  const named = (name: (process: ProcessInfo) => string): string[] => {
    if (sender === null && receiver === null) return [];
    return [[sender === null ? '' : name(sender), arrow, receiver === null ? '' : name(receiver)].join(' ').trim()];
  };
  return [
    both((process) => {
      const place = placeName(process, style);
      return place === '' ? endName(process, style) : `${endName(process, style)} (${place})`;
    }),
    both((process) => endName(process, style)),
    ...named((process) => endName(process, style)),
    ...named((process) => bareName(process, style)),
  ];
}
