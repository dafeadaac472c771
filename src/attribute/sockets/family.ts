/** Which of several processes that hold one socket stands for them: the one that all the others descend from. */

import { readFileSync } from 'node:fs';

/** Steps from a process up to its ancestors. */
const MAX_STEPS = 64;
/** A socket that a service is started with stays with its starter, which only passed it on. */
const STARTERS: ReadonlySet<string> = new Set(['systemd', 'init', 'launchd']);

interface Kin {
  readonly parent: number;
  readonly name: string;
}

/** Null where they have no common ancestor among themselves. */
export function firstOfFamily(proc: string, holders: readonly number[]): number | null {
  const [only, ...more] = holders;
  if (only === undefined || more.length === 0) return only ?? null;
  const known = new Map<number, Kin | null>();
  const kinOf = (pid: number): Kin | null => {
    const before = known.get(pid);
    if (before !== undefined) return before;
    const kin = readKin(proc, pid);
    known.set(pid, kin);
    return kin;
  };
  const users = holders.filter((pid) => pid !== 1 && !STARTERS.has(kinOf(pid)?.name ?? ''));
  const members = new Set(users.length === 0 ? holders : users);
  const firsts = new Set([...members].map((pid) => highest(pid, members, kinOf)));
  const [first] = firsts;
  return firsts.size === 1 && first !== undefined ? first : null;
}

/** The last of the members on the way up. */
function highest(pid: number, members: ReadonlySet<number>, kinOf: (pid: number) => Kin | null): number {
  let best = pid;
  let at = pid;
  for (let step = 0; step < MAX_STEPS; step++) {
    at = kinOf(at)?.parent ?? 0;
    if (at <= 0) break;
    if (members.has(at)) best = at;
  }
  return best;
}

/** "PID (name) state parent …": the name may hold anything, parentheses too. */
function readKin(proc: string, pid: number): Kin | null {
  try {
    const stat = readFileSync(`${proc}/${String(pid)}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const parent = Number(stat.slice(end + 2).split(' ')[1]);
    return Number.isSafeInteger(parent) ? { parent, name: stat.slice(stat.indexOf('(') + 1, end) } : null;
  } catch {
    return null;
  }
}
