/**
 * Where other threads and programs are started: the one place that knows how their code is found, in the package and
 * in a bundle.
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker, workerData, type ResourceLimits } from 'node:worker_threads';

export type Thread = Worker;

/** The threads there are; each is a file beside the program's own. */
export type ThreadName = 'scan-worker' | 'pump-thread' | 'socket-thread' | 'descriptor-thread' | 'trace-thread';

/** A thread that is given `order`, or null where its code is not there to be started (a program that was not built). */
export function startThread(name: ThreadName, order: unknown, limits?: ResourceLimits): Thread | null {
  const file = ownProgram(name);
  leaveLostFolder();
  return file === null
    ? null
    : new Worker(file, { workerData: order, ...(limits === undefined ? {} : { resourceLimits: limits }) });
}

/** No thread starts in a working directory that was removed. */
function leaveLostFolder(): void {
  try {
    process.cwd();
  } catch {
    process.chdir('/');
  }
}

/** In a thread: what it was given, and the way to its starter; null in the main thread. */
export function thread(): OwnThread | null {
  const port = parentPort;
  if (port === null) return null;
  return {
    order: workerData,
    send: (message, transfer = []) => {
      port.postMessage(message, transfer);
    },
    listen: (listener) => {
      port.on('message', listener);
    },
  };
}

export interface OwnThread {
  readonly order: unknown;
  /** What is in `transfer` goes along and is ours no more. */
  readonly send: (message: unknown, transfer?: readonly ArrayBuffer[]) => void;
  /** From then on the thread lives until it is ended. */
  readonly listen: (listener: (message: unknown) => void) => void;
}

/** Path of a program of our own, a file beside this one; null where it was not built. */
export function ownProgram(name: ThreadName | 'cap-child'): string | null {
  const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  return existsSync(file) ? file : null;
}

/** Where system programs lie that a user's PATH, or sudo's, may leave out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/** Absolute path of a program, looked for on `path` and where system programs lie; null: there is none. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | null {
  for (const folder of [...path.split(delimiter), ...SYSTEM_FOLDERS]) {
    // A relative folder of the PATH would be another one for each working directory.
    if (!folder.startsWith('/')) continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not here.
    }
  }
  return null;
}

export type Program = ChildProcess;

/** In the environment of what we start: who started it. What has outlived its starter is known by it. */
export const STARTED_BY = 'RSTSCOPE_STARTED_BY';

/** "PID:start time:PID namespace", as `STARTED_BY` has it; another process may get the same PID, but not all three. */
function ownMark(): string {
  return `${String(process.pid)}:${startTime(process.pid) ?? ''}:${pidNamespace()}`;
}

/** The host's own (include/linux/proc_ns.h PROC_PID_INIT_INO): trace events bear its PIDs. */
export const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';

/** The PID namespace of this process: numbers of processes mean nothing in another one. */
export function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** When a process started, in the kernel's ticks since boot (field 22 of /proc/PID/stat); null: there is no such one. */
export function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The command's name, in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME] ?? null;
  } catch {
    return null;
  }
}

/** Place of the start time behind the command's name. */
const START_TIME = 19;

/**
 * Starts a program in a session of its own: what a terminal sends to the foreground (Ctrl-C) reaches us, not it. Its
 * three streams are pipes. A program that can't be started tells by an 'error' event.
 */
export function startProgram(file: string, args: readonly string[], env: Readonly<Record<string, string>>): Program {
  const marked = { ...env, [STARTED_BY]: ownMark() };
  return spawn(file, [...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true, cwd: '/', env: marked });
}

export interface ProgramAnswer {
  /** Exit code; null where it could not be started, ran too long or was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_ANSWER = 64 * 1024 * 1024;

/** Runs a program that answers and ends. Never throws. */
export function askProgram(file: string, args: readonly string[], timeoutMs: number): Promise<ProgramAnswer> {
  const options = { timeout: timeoutMs, maxBuffer: MAX_ANSWER, killSignal: 'SIGKILL', cwd: '/' } as const;
  return new Promise((resolve) => {
    execFile(file, [...args], { ...options, env: { ...process.env, LC_ALL: 'C' } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, stdout, stderr });
    });
  });
}
