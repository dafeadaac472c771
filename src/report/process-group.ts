/**
 * What an operator calls a process: the unit that somebody wrote, else the container, else the executable.
 *
 * Knows names only. Two things of one name in different containers are told apart.
 */

import type { Container, Process } from '../attribute/process.js';

export interface ProcessGroup {
  readonly key: 'unit' | 'container' | 'exe';
  readonly name: string;
  /** Of two groups, the same only where they are one. */
  readonly identity: string;
}

const SHORT_ID = 12;

/**
 * Units that systemd, a terminal or a container's runtime made for want of a better name: log-ins, the managers
 * themselves, nameless runs, and whatever bears a container's identifier.
 */
const NAMELESS = [
  /^(?:session-.*|init)\.scope$/,
  /^user@.*\.service$/,
  /^(?:vte|tmux|kgx|ptyxis)-spawn-.*\.scope$/,
  /^run-(?:[rpu]?[0-9a-f]+|[rpu][0-9a-f]+-i?[0-9a-f]+)\.(?:scope|service)$/,
  /[0-9a-f]{32}.*\.(?:scope|service)$/,
];

export function groupOf(process: Process): ProcessGroup {
  const { unit, container } = process;
  const inside = container === null ? '' : containerIdentity(container);
  // Containers may run a systemd of their own: its units are theirs.
  if (unit !== null && isNamedUnit(unit)) return { key: 'unit', name: unit, identity: `unit ${unit}\0${inside}` };
  if (container !== null) return { key: 'container', name: containerName(container), identity: `container ${inside}` };
  const name = process.exe ?? process.name ?? `pid ${String(process.pid)}`;
  return { key: 'exe', name, identity: `exe ${name}` };
}

/** Somebody wrote it, or gave it its name: not one of a log-in, a terminal or a container's runtime. */
export function isNamedUnit(unit: string): boolean {
  return /\.(?:service|scope)$/.test(unit) && !NAMELESS.some((pattern) => pattern.test(unit));
}

/** Names in a pod are those of its template: without the pod, all of its copies would look like one. */
export function containerName({ id, name, pod, podNamespace }: Omit<Container, 'runtime'>): string {
  if (pod === null) return name ?? id.slice(0, SHORT_ID);
  return [podNamespace, pod, name].filter((part) => part !== null).join('/');
}

/** A container that is made anew under its name is the same to whoever runs it. */
function containerIdentity(container: Container): string {
  const { id, name, pod } = container;
  return name === null && pod === null ? id : containerName(container);
}
