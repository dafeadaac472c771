/**
 * The processes that hold one socket, or one group of sockets, and who stands for them all.
 *
 * Pure: processes are handed in as they were when the look was made.
 */

import type { Process } from '../process.js';

/** Holders of one socket when it was last looked for. */
export interface HolderSet {
  readonly processes: readonly Process[];
  /** All of them are there; false: some could not be read, or they were too many. */
  readonly complete: boolean;
  /** Holders, their parents and theirs, as they were then. */
  readonly family: ReadonlyMap<number, Process>;
}

/** A socket that so many processes hold says nothing of any of them. */
export const MAX_HOLDERS = 256;
const MAX_DEPTH = 32;
/** Clocks of a process's start are cut to hundredths, and the time of boot to whole seconds. */
const START_SLACK = 2;

/**
 * Without those that only keep a socket for others: systemd holds the listening socket of each service that it starts
 * on demand.
 */
export function withoutManagers(processes: readonly Process[]): readonly Process[] {
  const others = processes.filter((process) => !isManager(process));
  return others.length === 0 ? processes : others;
}

function isManager({ pid, exe }: Process): boolean {
  return pid === 1 || (exe?.endsWith('/systemd') ?? false);
}

/** Neither says anything of a group that it is the parent of: orphans come to the first, threads of the kernel are of the second. */
function isEverybodysParent(process: Process): boolean {
  return isManager(process) || process.pid === 2 || process.ppid === 0;
}

/**
 * Who stands for all of them: the one that the others descend from, else the parent that all share; null: nobody.
 * `family` tells of parents that hold nothing themselves.
 */
export function commonParent(
  processes: readonly Process[],
  family: ReadonlyMap<number, Process> = new Map(),
): Process | null {
  const [one, ...others] = processes;
  if (one === undefined) return null;
  if (others.length === 0) return one;
  const members = new Map(processes.map((process) => [process.pid, process]));
  // Two with the same PID were there one after the other.
  if (members.size < processes.length) return null;
  const lines = processes.map((process) => lineOf(process, members, family));
  for (const process of processes) {
    if (lines.every((line) => line.includes(process))) return process;
  }
  const parents = new Set(lines.map((line) => line[1]));
  const [parent] = parents;
  if (parents.size !== 1 || parent === undefined || isEverybodysParent(parent)) return null;
  // A shell that has started two servers is not one of them.
  return processes.every(({ exe }) => exe === parent.exe) ? parent : null;
}

/** A process, its parent, the parent's parent …, as far as they are known. */
function lineOf(
  process: Process,
  members: ReadonlyMap<number, Process>,
  family: ReadonlyMap<number, Process>,
): Process[] {
  const line = [process];
  for (let child = process; line.length < MAX_DEPTH;) {
    const { ppid } = child;
    const parent: Process | undefined = ppid === null ? undefined : (members.get(ppid) ?? family.get(ppid));
    // Who has started after its child got the PID of a parent that had ended.
    if (parent === undefined || line.includes(parent) || startedAfter(parent, child)) break;
    line.push(parent);
    child = parent;
  }
  return line;
}

function startedAfter(parent: Process, child: Process): boolean {
  return parent.started !== null && child.started !== null && parent.started > child.started + START_SLACK;
}

/** Holders of several sockets taken together; null of one that nobody was found for. */
export function together(sets: readonly (HolderSet | null)[]): HolderSet {
  const [only] = sets;
  if (sets.length === 1 && only !== undefined && only !== null) return only;
  const processes = new Map<string, Process>();
  const families = new Set<ReadonlyMap<number, Process>>();
  let complete = sets.length > 0;
  for (const set of sets) {
    complete &&= set?.complete ?? false;
    for (const process of set?.processes ?? []) {
      if (processes.size >= MAX_HOLDERS) complete = false;
      else processes.set(`${String(process.pid)} ${String(process.started)}`, process);
    }
    // Those of one scan have one.
    if (set !== null) families.add(set.family);
  }
  return { processes: withoutManagers([...processes.values()]), complete, family: merged([...families]) };
}

function merged(families: readonly ReadonlyMap<number, Process>[]): ReadonlyMap<number, Process> {
  const [only] = families;
  return families.length === 1 && only !== undefined ? only : new Map(families.flatMap((family) => [...family]));
}
