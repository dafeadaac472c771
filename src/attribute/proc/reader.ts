/**
 * What a process is, by its PID or by that of one of its threads: /proc and the files beside it made one `Process`.
 *
 * Knows no sockets and no events. A process may end at any moment: what ends with it first is read first, through a
 * folder held open, so that nothing of another process under the same PID can come into it.
 */

import type { Process } from '../process.js';
import { parseCgroup, type Place } from './cgroup.js';
import { commandLine } from './command-line.js';
import { ContainerNames } from './containers.js';
import { closeFolder, openFolder, pinned, readLong, readStart, readText, type Unreadable } from './files.js';
import { livingThread, namespaceOf, readProgram, readStat, readStatus, type Program } from './folder.js';
import { hasEnded, parseBootTime, startedAt, type Stat, type Status } from './stat.js';
import { UserNames } from './users.js';

const MAX_CACHED = 4096;
/**
 * An exec, which keeps PID and start time, shows at once in the name or in where the program lies in memory. The rest
 * (a title that was set, privileges dropped, a parent that ended) and programs whose memory is not for us to see are
 * found when the entry has this age, in milliseconds.
 */
const TRUSTED_MS = 2000;
const MAX_PID = 0x7fffffff;
/** Interrupts and processors each have a number in it. */
const MAX_KERNEL_STAT = 1024 * 1024;
const NO_PLACE: Place = { unit: null, container: null };

export interface Roots {
  /** Where proc(5) is mounted. */
  readonly proc?: string;
  /** Where the system's "/etc", "/run" and "/var" are. */
  readonly root?: string;
  /** In milliseconds; may step. */
  readonly clock?: () => number;
}

interface Entry {
  readonly process: Process;
  readonly stat: Stat;
  readonly readAt: number;
}

export class ProcessReader {
  private readonly proc: string;
  private readonly clock: () => number;
  private readonly users: UserNames;
  private readonly containers: ContainerNames;
  private readonly cache = new Map<number, Entry>();
  private readonly bootTime: number | null;
  /** The container that this program runs in itself; undefined: not looked for yet. */
  private ownContainer: string | null | undefined;

  constructor({ proc = '/proc', root = '/', clock = Date.now }: Roots = {}) {
    this.proc = proc;
    this.clock = clock;
    this.bootTime = parseBootTime(readLong(`${proc}/stat`, MAX_KERNEL_STAT) ?? '');
    const hostName = readText(`${proc}/sys/kernel/hostname`, 256)?.trim() ?? '';
    this.users = new UserNames(`${root === '/' ? '' : root}/etc/passwd`, clock);
    this.containers = new ContainerNames(root, hostName, clock);
  }

  /**
   * "permission": there is such a process, and /proc shows us nothing of it. What is only partly for us (another user's
   * executable, without root) is null in the process.
   */
  read(pid: number): Process | Unreadable {
    if (!isPid(pid)) return 'gone';
    const cached = this.cached(pid);
    if (cached !== null) return cached;
    const folder = openFolder(`${this.proc}/${pid}`);
    if (typeof folder === 'string') return this.hidden(pid, folder);
    try {
      return this.readFolder(pid, pinned(folder));
    } finally {
      closeFolder(folder);
    }
  }

  /** The name alone, of the process that a thread belongs to. */
  readName(pid: number): string | null {
    if (!isPid(pid)) return null;
    const status = readStatus(`${this.proc}/${pid}`);
    return status === null ? null : (readStat(`${this.proc}/${status.tgid}`)?.name ?? null);
  }

  /**
   * What was last read under this PID, also when the process has ended since; null where nothing was, or no longer is,
   * kept. Whether it is the one that is meant, only its start time and the asker's clock can tell.
   */
  recall(pid: number): Process | null {
    return this.cache.get(pid)?.process ?? null;
  }

  private cached(pid: number): Process | null {
    const entry = this.cache.get(pid);
    if (entry === undefined) return null;
    const stat = readStat(`${this.proc}/${pid}`);
    if (stat?.startTicks !== entry.stat.startTicks) return null;
    // Of a process that has ended there is less to read than what is known, unless it has executed something since.
    if (hasEnded(stat)) return stat.name === entry.stat.name ? entry.process : null;
    const isYoung = Math.abs(this.clock() - entry.readAt) < TRUSTED_MS;
    return isYoung && isSameProgram(stat, entry.stat) ? entry.process : null;
  }

  /** A process that "hidepid" hides is as if it were not there, except to a signal, which is refused. */
  private hidden(pid: number, reason: Unreadable): Unreadable {
    if (reason === 'permission' || this.proc !== '/proc') return reason;
    try {
      process.kill(pid, 0);
      return 'gone';
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'EPERM' ? 'permission' : 'gone';
    }
  }

  private readFolder(pid: number, folder: string): Process | Unreadable {
    let stat = readStat(folder);
    if (stat === null) return readStart(`${folder}/stat`, 1) === 'permission' ? 'permission' : 'gone';
    const source = stat.threads > 1 && hasEnded(stat) ? livingThread(pid, folder) : folder;
    let program = readProgram(source);
    const status = readStatus(folder);
    if (status !== null && status.tgid !== pid) return this.readThread(status.tgid, folder);
    const again = readStat(folder);
    if (again !== null && !isSameProgram(again, stat)) {
      stat = again;
      program = readProgram(source);
    }
    return this.remember(stat, program, status, folder);
  }

  /** A thread is its process, of which the first thread, and with it most of /proc/PID, may have ended before. */
  private readThread(pid: number, thread: string): Process | Unreadable {
    const cached = this.cached(pid);
    if (cached !== null) return cached;
    const folder = openFolder(`${this.proc}/${pid}`);
    if (typeof folder === 'string') return folder;
    try {
      const path = pinned(folder);
      const stat = readStat(path);
      if (stat === null) return 'gone';
      const program = readProgram(thread);
      const status = readStatus(path);
      return this.remember(stat, { ...program, netns: namespaceOf(path) ?? program.netns }, status, path);
    } finally {
      closeFolder(folder);
    }
  }

  private remember(stat: Stat, program: Program, status: Status | null, folder: string): Process {
    const before = this.cache.get(stat.pid);
    const isEnding = program.cmdline === null && program.exe === null;
    const isSame = before?.stat.startTicks === stat.startTicks && before.stat.name === stat.name;
    if (isEnding && isSame) return before.process;
    const made = this.make(stat, program, status, folder);
    this.cache.delete(stat.pid);
    this.cache.set(stat.pid, { process: made, stat, readAt: this.clock() });
    if (this.cache.size > MAX_CACHED) {
      for (const oldest of this.cache.keys()) {
        this.cache.delete(oldest);
        break;
      }
    }
    return made;
  }

  private make(stat: Stat, program: Program, status: Status | null, folder: string): Process {
    const cgroup = readText(`${folder}/cgroup`);
    const place = cgroup === null ? NO_PLACE : parseCgroup(cgroup);
    const uid = status?.uid ?? null;
    const environ = (): string | null => readText(`${folder}/environ`);
    return {
      pid: stat.pid,
      ppid: stat.ppid,
      parent: this.parentOf(stat),
      name: stat.name,
      exe: program.exe,
      command: program.cmdline === null ? null : commandLine(program.cmdline),
      user: uid === null ? null : this.userName(uid, place),
      unit: place.unit,
      container: place.container === null ? null : this.containers.describe(place.container, environ),
      netns: program.netns,
      started: this.bootTime === null ? null : startedAt(this.bootTime, stat.startTicks),
    };
  }

  /** A parent is older than its child; anything else under its PID is another process. */
  private parentOf(stat: Stat): string | null {
    if (stat.ppid === 0) return null;
    const parent = readStat(`${this.proc}/${stat.ppid}`);
    return parent === null || parent.startTicks > stat.startTicks ? null : parent.name;
  }

  /** Our passwd file has no say in other containers; only root is root everywhere. */
  private userName(uid: number, place: Place): string {
    if (this.ownContainer === undefined) {
      this.ownContainer = parseCgroup(readText(`${this.proc}/self/cgroup`) ?? '').container?.id ?? null;
    }
    const isOurs = (place.container?.id ?? null) === this.ownContainer;
    return uid === 0 || isOurs ? this.users.name(uid) : String(uid);
  }
}

/** When a process or a thread started, in hundredths of a second since boot; null: there is none, or it is hidden. */
export function startTicks(pid: number, proc = '/proc'): number | null {
  return isPid(pid) ? (readStat(`${proc}/${pid}`)?.startTicks ?? null) : null;
}

function isPid(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && pid <= MAX_PID;
}

function isSameProgram(a: Stat, b: Stat): boolean {
  return a.name === b.name && a.layout === b.layout && a.ppid === b.ppid;
}
