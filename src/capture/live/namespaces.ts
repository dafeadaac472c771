/**
 * The network namespaces of this machine: which one we are in, which ones a user may mean, and how a command is run in
 * another one. Only /proc and the folders of `ip netns` and Docker are asked; nothing is entered here.
 *
 * Knows nothing of interfaces and captures.
 */

import { existsSync, readdirSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemReason, UserError } from '../../base/errors.js';
import { findProgram } from '../../base/spawn.js';
import { grouped, printable } from '../../base/text.js';

export interface Namespace {
  /** Inode number of the namespace (the N of "net:[N]"); null where /proc does not say. */
  readonly inode: number | null;
  /** Name of `ip netns` where it has one, else null. */
  readonly name: string | null;
  /** A path that nsenter --net= takes; null: this process's own namespace. */
  readonly path: string | null;
}

/** Where `ip netns` keeps names; mostly the same folder twice. */
const NAME_FOLDERS = ['/run/netns', '/var/run/netns'];
/** Docker's own names say nothing to anybody, but a path there outlives the container's first process. */
const NAMELESS_FOLDERS = ['/run/docker/netns', '/var/run/docker/netns'];

/** File system type of a namespace's file (linux/magic.h); a plain file of the same name is a remnant. */
const NSFS_MAGIC = 0x6e736673;

const SHOWN_NAMES = 8;

/** The namespace of this process, by its name where it has one. */
export function ownNamespace(): Namespace {
  return own(heldNamespaces());
}

/**
 * What `asked` names, beside the own one: digits are a PID, 'all' is every one, anything else a name of `ip netns`.
 * Each namespace once, the own one first. Throws a UserError for what is not there or can't be looked at.
 */
export function findNamespaces(asked: readonly string[]): Namespace[] {
  const held = heldNamespaces();
  const found: Namespace[] = [own(held)];
  for (const text of asked) {
    if (text === 'all') found.push(...every(held));
    else found.push(/^\d+$/.test(text) ? ofProcess(text, held) : ofName(text, held));
  }
  return once(found);
}

/** Every namespace that a process of this machine or a name of `ip netns` holds, the own one first. */
export function allNamespaces(): Namespace[] {
  return findNamespaces(['all']);
}

/** Words to put before a command so that it runs in the namespace. Throws a UserError where nsenter is missing. */
export function inNamespace(namespace: Namespace): string[] {
  if (namespace.path === null) return [];
  const nsenter = findProgram('nsenter');
  if (nsenter === null) {
    throw new UserError(
      'unsupported',
      `${namespaceLabel(namespace)} can't be entered: the program nsenter is not installed`,
      'sudo apt-get install util-linux',
    );
  }
  return [nsenter, `--net=${namespace.path}`, '--'];
}

/** "netns NAME", "netns 4026532281", "this namespace". Safe to print. */
export function namespaceLabel({ inode, name, path }: Namespace): string {
  if (path === null) return 'this namespace';
  return `netns ${printable(name ?? (inode === null ? path : String(inode)))}`;
}

/** The process by whose link the path leads to a namespace; null: by a name's file. */
export function pidOf(path: string): number | null {
  const pid = /^\/proc\/(\d+)\/ns\/net$/.exec(path)?.[1];
  return pid === undefined ? null : Number(pid);
}

/** The namespace that a path leads to now, or null. A path may come to lead to another one than it did. */
export function inodeAt(path: string): number | null {
  try {
    return statSync(path).ino;
  } catch {
    return null;
  }
}

/** What has a file of its own, those with a name before those without. */
function heldNamespaces(): Namespace[] {
  const named = NAME_FOLDERS.flatMap((folder) => filesOf(folder).map((file) => heldBy(folder, file, file)));
  const nameless = NAMELESS_FOLDERS.flatMap((folder) => filesOf(folder).map((file) => heldBy(folder, file, null)));
  return [...named, ...nameless].filter((namespace) => namespace !== null);
}

function heldBy(folder: string, file: string, name: string | null): Namespace | null {
  const path = join(folder, file);
  try {
    if (statfsSync(path).type !== NSFS_MAGIC) return null;
    return { inode: statSync(path).ino, name, path };
  } catch {
    return null;
  }
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function own(held: readonly Namespace[]): Namespace {
  let inode: number | null = null;
  try {
    inode = processInode('self');
  } catch {
    // No /proc, or not Linux: there is one namespace, and it has no number.
  }
  const name = inode === null ? undefined : held.find((namespace) => namespace.inode === inode)?.name;
  return { inode, name: name ?? null, path: null };
}

/** Reading the link costs half of what stat does, and takes the same rights. Throws as the system does. */
function processInode(pid: string): number | null {
  const inode = /^net:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[1];
  return inode === undefined ? null : Number(inode);
}

/** With a row for each process, many of them for the same namespace. */
function every(held: readonly Namespace[]): Namespace[] {
  const found = [...held];
  const pids = filesOf('/proc').filter((name) => /^\d+$/.test(name));
  // The lowest PID of a namespace is most often its first process, which lives longest.
  for (const pid of pids.sort((a, b) => Number(a) - Number(b))) {
    try {
      found.push({ inode: processInode(pid), name: null, path: `/proc/${pid}/ns/net` });
    } catch {
      // It has ended meanwhile, or is not ours to look at.
    }
  }
  return found;
}

function ofProcess(pid: string, held: readonly Namespace[]): Namespace {
  const path = `/proc/${pid}/ns/net`;
  try {
    const inode = processInode(pid);
    return held.find((namespace) => namespace.inode === inode) ?? { inode, name: null, path };
  } catch (error) {
    const reason = systemReason(error);
    if (reason === 'permission denied') {
      const sentence = `the network namespace of process ${pid} can't be looked at: ${reason}`;
      throw new UserError('unreadable', sentence, `sudo rstscope live --netns ${pid}`, error);
    }
    const sentence = existsSync(`/proc/${pid}`)
      ? `process ${pid} has ended and holds no network namespace any more`
      : `no process has the PID ${pid}: --netns takes a PID, a name of ip netns, or all`;
    throw new UserError('no-such-namespace', sentence, 'lsns -t net', error);
  }
}

function ofName(name: string, held: readonly Namespace[]): Namespace {
  const found = held.find((namespace) => namespace.name === name);
  if (found !== undefined) return found;
  const shown = printable(name, 64);
  const remnant = /^[^/\0]+$/.test(name) && name !== '.' && name !== '..' && existsSync(join('/run/netns', name));
  if (remnant) {
    const sentence = `/run/netns/${shown} is a file and no network namespace: it is gone, or not mounted where rstscope runs`;
    throw new UserError('no-such-namespace', sentence, 'ip netns list');
  }
  throw new UserError(
    'no-such-namespace',
    `no network namespace is called "${shown}": ${known(held)}`,
    'ip netns list',
  );
}

function known(held: readonly Namespace[]): string {
  const names = [...new Set(held.flatMap(({ name }) => (name === null ? [] : [name])))];
  if (names.length === 0) return 'ip netns has no names here';
  const shown = names.slice(0, SHOWN_NAMES).map((name) => printable(name, 64));
  const more = names.length - shown.length;
  return `there ${names.length === 1 ? 'is' : 'are'} ${shown.join(', ')}${more > 0 ? ` and ${grouped(more)} more` : ''}`;
}

/** The first of those that are the same namespace. */
function once(found: readonly Namespace[]): Namespace[] {
  const seen = new Set<number | string | null>();
  return found.filter(({ inode, path }) => {
    const key = inode ?? path;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
