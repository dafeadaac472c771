/**
 * A tracing instance of our own in the kernel: made, set up, and gone again whatever happens to us.
 *
 * A shell keeps it: it makes the instance, holds a pipe from us and removes it at the pipe's end. Where tracefs is not
 * mounted the shell mounts it for itself alone, and we look through its root; the mount goes with it.
 */

import { readdirSync, readFileSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { basename, join } from 'node:path';
import { systemReason } from '../../base/errors.js';
import {
  askProgram,
  findProgram,
  INITIAL_PID_NAMESPACE,
  pidNamespace,
  startProgram,
  startTime,
  type Program,
} from '../../base/spawn.js';
import { printable } from '../../base/text.js';
import { EVENTS, type EventName } from './events.js';
import { parseFormat, parsePageFormat, type EventFormat, type PageFormat } from './format.js';

/** Why tracing is not used, for people: the text of `source.trace`. */
export class NoTrace extends Error {}

const TRACEFS_MAGIC = 0x74726163;
const TRACEFS = '/sys/kernel/tracing';
const TO_MOUNT = `mount -t tracefs tracefs ${TRACEFS}`;
const MOUNTED = [TRACEFS, '/sys/kernel/debug/tracing'];
const NAME = /^rstscope-(\d{1,10})-(\d{1,20})$/;

/** Memory for all rings together, and what one CPU's gets at least and at most. */
const RING_KB = 64 * 1024;
const LEAST_RING_KB = 256;
const MOST_RING_KB = 2048;

/** 4 and 9, FIN_WAIT1 and LAST_ACK, are a program's own close; 2, SYN_SENT, its connect; 10, LISTEN. */
const STATES = 'newstate==2 || oldstate==2 || newstate==10 || (oldstate==10 && newstate==7)';
const IN_TASK = '!(common_flags & 24)';
const ECONNRESET = 104;
const EPIPE = 32;

/** What is told of an event by the kernel, null: all of it. Without the two resets there is nothing to trace. */
const FILTERS: Readonly<Partial<Record<EventName, string | null>>> = {
  'tcp/tcp_send_reset': null,
  'tcp/tcp_receive_reset': null,
  'sock/inet_sock_set_state': `protocol==6 && (${STATES} || ((newstate==4 || newstate==9) && ${IN_TASK}))`,
  // ENETUNREACH, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH: how a connect may end.
  'sock/inet_sk_error_report': 'protocol==6 && (error==101 || error==110 || error==111 || error==113)',
  'sock/sock_recv_length': `protocol==6 && ret==-${String(ECONNRESET)}`,
  'sock/sock_send_length': `protocol==6 && (ret==-${String(ECONNRESET)} || ret==-${String(EPIPE)})`,
  'tcp/tcp_destroy_sock': IN_TASK,
  'task/task_newtask': null,
  'task/task_rename': null,
  'sched/sched_process_exec': null,
};
const NEEDED: readonly EventName[] = ['tcp/tcp_send_reset', 'tcp/tcp_receive_reset', 'sock/inet_sock_set_state'];
/** Stacks of the resets that a program sent, and of connects that came to nothing; of nothing else. */
const TRIGGERS: readonly (readonly [EventName, string])[] = [
  ['tcp/tcp_send_reset', 'stacktrace if skbaddr == 0'],
  ['sock/inet_sock_set_state', 'stacktrace if oldstate == 2 && newstate == 7'],
];

/** $1: tracefs, $2: "mount" where it has to be, $3: the instance. */
const MOUNT = `
trap '' HUP INT QUIT TERM PIPE
if [ "$2" = mount ]; then mount -t tracefs tracefs "$1" || exit 3; fi
`;
const MAKE = `
mkdir "$1/instances/$3" || exit 4
echo ready
while read -r _; do :; done
`;
/** What is busy is tried again: our descriptors close when we end, which may be a moment later. */
const REMOVE = `
echo 0 > "$1/instances/$3/tracing_on"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  rmdir "$1/instances/$3" 2>/dev/null && exit 0
  [ -d "$1/instances/$3" ] || exit 0
  sleep 0.05 2>/dev/null || sleep 1
done
exit 5
`;
const KEEPER_TIMEOUT_MS = 5000;

/** What a reader of the instance needs to know. */
export interface InstanceFacts {
  /** Folder of the instance. */
  readonly folder: string;
  /** Folder of tracefs itself. */
  readonly tracefs: string;
  readonly formats: ReadonlyMap<EventName, EventFormat>;
  readonly page: PageFormat;
  /** The kernel takes the stack of what we asked for. */
  readonly stacks: boolean;
}

export class Instance {
  readonly facts: InstanceFacts;
  private readonly keeper: Program;
  private readonly gone: Promise<void>;

  private constructor(facts: InstanceFacts, keeper: Program, gone: Promise<void>) {
    this.facts = facts;
    this.keeper = keeper;
    this.gone = gone;
  }

  /** Makes one and switches everything on. Throws a NoTrace. */
  static async make(): Promise<Instance> {
    mustBePossible();
    const mounted = MOUNTED.find((path) => isTracefs(path)) ?? null;
    const name = `rstscope-${String(process.pid)}-${startTime(process.pid) ?? '0'}`;
    if (mounted !== null) sweep(mounted);
    const keeper = startKeeper(mounted, name);
    const gone = new Promise<void>((resolve) => {
      keeper.once('close', () => {
        resolve();
      });
    });
    try {
      await ready(keeper);
      const tracefs = mounted ?? `/proc/${String(keeper.pid)}/root${TRACEFS}`;
      if (mounted === null) sweep(tracefs);
      return new Instance(setUp(tracefs, join(tracefs, 'instances', name)), keeper, gone);
    } catch (error) {
      keeper.stdin?.end();
      await gone;
      throw error instanceof NoTrace ? error : new NoTrace(wordsOf(error));
    }
  }

  /** Nothing of it must be open any more. A keeper that was killed, or is stopped, leaves it to another one. */
  async remove(): Promise<void> {
    const { keeper, facts } = this;
    keeper.stdin?.end();
    const late = setTimeout(() => {
      keeper.kill('SIGKILL');
    }, KEEPER_TIMEOUT_MS);
    await this.gone;
    clearTimeout(late);
    if (keeper.exitCode !== 0) await clearAway(basename(facts.folder));
  }
}

async function clearAway(name: string): Promise<void> {
  const mounted = MOUNTED.find((path) => isTracefs(path)) ?? null;
  const [program, ...args] = keeperCommand(MOUNT + REMOVE, mounted, name);
  await askProgram(program, args, KEEPER_TIMEOUT_MS);
}

function mustBePossible(): void {
  if (process.platform !== 'linux') throw new NoTrace('only Linux has kernel tracing');
  if (endianness() !== 'LE') throw new NoTrace('not tried on big-endian machines');
  if (process.geteuid?.() !== 0) throw new NoTrace('not root');
  if (!isInitialPids()) {
    throw new NoTrace("other PID namespace: the kernel tells the host's PIDs, which mean nothing here");
  }
}

/** This program is in the initial PID namespace, or there are none. */
export function isInitialPids(): boolean {
  const own = pidNamespace();
  return own === '' || own === INITIAL_PID_NAMESPACE;
}

function isTracefs(path: string): boolean {
  try {
    return statfsSync(path).type === TRACEFS_MAGIC;
  } catch {
    return false;
  }
}

function startKeeper(mounted: string | null, name: string): Program {
  const [program, ...args] = keeperCommand(MOUNT + MAKE + REMOVE, mounted, name);
  return startProgram(program, args, { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' });
}

/** A shell that runs the script, where tracefs is not mounted in a mount namespace of its own. */
function keeperCommand(script: string, mounted: string | null, name: string): [string, ...string[]] {
  const sh = findProgram('sh');
  const unshare = findProgram('unshare');
  if (sh === null) throw new NoTrace('there is no shell');
  const words = ['-c', script, 'rstscope-trace-keeper', mounted ?? TRACEFS, mounted === null ? 'mount' : '', name];
  if (mounted !== null) return [sh, ...words];
  if (unshare === null) throw new NoTrace(`tracefs is not mounted: ${TO_MOUNT}`);
  return [unshare, '-m', sh, ...words];
}

function ready(keeper: Program): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const refuse = (): void => {
      reject(new NoTrace(refusal(keeper.exitCode, said)));
    };
    const timer = setTimeout(() => {
      keeper.kill('SIGKILL');
      reject(new NoTrace('the instance was not made in time'));
    }, KEEPER_TIMEOUT_MS);
    keeper.stdout?.once('data', () => {
      clearTimeout(timer);
      resolve();
    });
    keeper.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < 1024) said += chunk.toString();
    });
    for (const stream of [keeper.stdin, keeper.stdout, keeper.stderr]) stream?.on('error', () => undefined);
    keeper.once('error', refuse);
    keeper.once('close', () => {
      clearTimeout(timer);
      refuse();
    });
  });
}

function refusal(code: number | null, said: string): string {
  const words = printable(said.trim().split('\n').at(-1) ?? '', 200);
  if (/unknown filesystem|not supported by kernel/i.test(said)) return 'this kernel has no tracefs';
  if (said.includes('unshare')) return `tracefs is not mounted, and may not be mounted here: ${TO_MOUNT}`;
  if (code === 3) return `tracefs can't be mounted: ${words}`;
  return words === '' ? 'the instance could not be made' : `the instance could not be made: ${words}`;
}

function wordsOf(error: unknown): string {
  const reason = systemReason(error);
  return reason === 'permission denied' ? 'locked down: the kernel forbids tracing' : printable(reason, 200);
}

/** Removes what runs left behind that were killed, whose process is gone. A busy one has a reader still. */
function sweep(tracefs: string): void {
  const folder = join(tracefs, 'instances');
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const [, pid, start] = NAME.exec(name) ?? [];
    if (pid === undefined || start === undefined || startTime(Number(pid)) === start) continue;
    try {
      rmdirSync(join(folder, name));
    } catch {
      // Its keeper is about to.
    }
  }
}

function setUp(tracefs: string, folder: string): InstanceFacts {
  const page = parsePageFormat(readFileSync(join(tracefs, 'events/header_page'), 'utf8'));
  if (page === null) throw new NoTrace('the layout of the trace ring is not known');
  const formats = new Map<EventName, EventFormat>();
  for (const name of EVENTS) {
    const format = formatOf(tracefs, name);
    if (format !== null) formats.set(name, format);
  }
  const lacking = NEEDED.filter((name) => !formats.has(name));
  if (lacking.length > 0) throw new NoTrace(`this kernel is too old: it has no ${lacking.join(', ')}`);

  const put = (file: string, text: string): void => {
    writeFileSync(join(folder, file), text);
  };
  // Of all clocks the one that Node can read too; a new clock empties the ring.
  put('trace_clock', 'mono');
  // One for each processor of the machine, whichever of them we may run on.
  const share = Math.floor(RING_KB / readdirSync(join(folder, 'per_cpu')).length);
  put('buffer_size_kb', String(Math.min(MOST_RING_KB, Math.max(LEAST_RING_KB, share))));
  for (const [name, filter] of filters()) {
    if (!formats.has(name) || filter === null) continue;
    try {
      put(`events/${name}/filter`, filter);
    } catch (error) {
      // Unfiltered, calls of every program would come; what is needed must be there.
      if (NEEDED.includes(name)) throw error;
      formats.delete(name);
    }
  }
  const stacks = attempt(() => {
    if (!formats.has('ftrace/kernel_stack')) throw new NoTrace('no stacks');
    for (const [name, trigger] of TRIGGERS) put(`events/${name}/trigger`, trigger);
  });
  for (const [name] of filters()) {
    if (!formats.has(name)) continue;
    const enabled = attempt(() => {
      put(`events/${name}/enable`, '1');
    });
    if (enabled) continue;
    if (NEEDED.includes(name)) throw new NoTrace(`the event ${name} can't be switched on`);
    formats.delete(name);
  }
  put('tracing_on', '1');
  return { folder, tracefs, formats, page, stacks };
}

function filters(): [EventName, string | null][] {
  return EVENTS.flatMap((name) => {
    const filter = FILTERS[name];
    return filter === undefined ? [] : [[name, filter]];
  });
}

function formatOf(tracefs: string, name: EventName): EventFormat | null {
  try {
    return parseFormat(readFileSync(join(tracefs, 'events', name, 'format'), 'utf8'));
  } catch {
    return null;
  }
}

function attempt(step: () => void): boolean {
  try {
    step();
    return true;
  } catch {
    return false;
  }
}
