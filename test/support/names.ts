/**
 * Who was on each end of a reset, by programs that know it of themselves, and what was named of it: right, wrong, or
 * nothing. An end that no program has told of is no verdict but an error, unless the scenario says that nobody is there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProcessInfo, ResetEvent } from '../../src/report/types.js';
import { poll, type Namespace } from './lab.js';
import { bareEnvironment } from './run.js';

const PROGRAM = fileURLToPath(new URL('./truth-traffic.py', import.meta.url));
const READY_MS = 20_000;
const DONE_MS = 50_000;
/** No port is given to another process so soon. */
const SAME_S = 0.0005;

/** A process by its own word. */
export interface Who {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly parent: string | null;
  /** The parent that it had before it became an orphan: who knows it from then is not wrong. */
  readonly born?: readonly [number, string];
  /** Names that it had before; what is read of a program too early is not somebody else. */
  readonly older: readonly string[];
  readonly netns: number;
}

/** The port is null where the program could not know it: then it is the only one that connects to `remote`. */
export interface TruthEnd extends Who {
  readonly local: readonly [string, number | null];
  readonly remote: readonly [string, number];
  /** Seconds since 1970: before its reset. */
  readonly at: number;
}

export interface TruthFailed extends Who {
  readonly remote: readonly [string, number];
  readonly outcome: string;
}

/** What truth-traffic.py is asked for; its functions say what each key does. */
export interface Plan {
  readonly scenario: string;
  readonly host: string;
  readonly port: number;
  readonly times: number;
  readonly [key: string]: string | number | boolean | null;
}

export interface Count {
  right: number;
  /** The common parent of the group that the process is of, and named as such. */
  group: number;
  wrong: number;
  none: number;
}

export interface Verdict {
  readonly resets: number;
  readonly sender: Count;
  readonly receiver: Count;
  /** A sentence for each that is wrong or does not hold together. */
  readonly mistakes: readonly string[];
}

export type Judged = Pick<
  ResetEvent,
  | 'src_ip'
  | 'src_port'
  | 'dest_ip'
  | 'dest_port'
  | 'translations'
  | 'epoch'
  | 'sender'
  | 'receiver'
  | 'sender_reason'
  | 'receiver_reason'
>;

type Tuple = Pick<ResetEvent, 'src_ip' | 'src_port' | 'dest_ip' | 'dest_port'>;

/** Who nobody is on: an end where no process was, so that every name is wrong. */
export type Nobody = 'sender' | 'receiver';
export type NobodyOn = (event: Judged) => readonly Nobody[];

export function count(of: Partial<Count>): Count {
  return { right: 0, group: 0, wrong: 0, none: 0, ...of };
}

/** All of so many named rightly at both ends, or another outcome for one of them. */
export function verdict(resets: number, other: { sender?: Partial<Count>; receiver?: Partial<Count> } = {}): Verdict {
  const all = { right: resets };
  return { resets, sender: count(other.sender ?? all), receiver: count(other.receiver ?? all), mistakes: [] };
}

export class Truth {
  /** By connection, in the order of time: a port is given out again. */
  readonly #ends = new Map<string, TruthEnd[]>();

  constructor(ends: readonly TruthEnd[]) {
    for (const end of [...ends].sort((a, b) => a.at - b.at)) {
      const key = keyOf(...end.local, ...end.remote);
      const before = this.#ends.get(key) ?? [];
      const last = before.at(-1);
      if (last !== undefined && last.pid !== end.pid && end.at - last.at < SAME_S)
        throw new Error(`the truth contradicts itself: ${key} is of ${last.pid} and of ${end.pid}`);
      this.#ends.set(key, [...before, end]);
    }
  }

  /** Who has the end at ip:port of a connection with the other, at that time. */
  at(ip: string, port: number, otherIp: string, otherPort: number, epoch: number | null): TruthEnd | undefined {
    const ends =
      this.#ends.get(keyOf(ip, port, otherIp, otherPort)) ?? this.#ends.get(keyOf(ip, null, otherIp, otherPort)) ?? [];
    if (ends.length === 1 || epoch === null) return ends.at(-1);
    return ends.filter(({ at }) => at <= epoch).at(-1);
  }
}

export function judge(events: readonly Judged[], truth: Truth, nobodyOn: NobodyOn = () => []): Verdict {
  const mistakes: string[] = [];
  const sides = { sender: count({}), receiver: count({}) };
  for (const event of events) {
    for (const side of ['sender', 'receiver'] as const) {
      const where = `${event.src_ip}:${event.src_port} > ${event.dest_ip}:${event.dest_port}: ${side}`;
      const named = event[side];
      const reason = event[`${side}_reason`];
      if ((named === null) !== (reason !== null))
        mistakes.push(`${where}: process ${String(named?.pid)}, reason ${String(reason)}`);
      const who = truthOf(event, side, truth);
      if (nobodyOn(event).includes(side) ? who !== undefined : who === undefined)
        throw new Error(`${where}: the truth says ${who === undefined ? 'nothing' : `${who.pid} ${who.name}`}`);
      const [outcome, because] = outcomeOf(named, who);
      sides[side][outcome] += 1;
      if (outcome === 'wrong') mistakes.push(`${where}: ${because}`);
    }
  }
  return { resets: events.length, ...sides, mistakes };
}

function truthOf(event: Judged, side: Nobody, truth: Truth): TruthEnd | undefined {
  for (const { src_ip, src_port, dest_ip, dest_port } of [event, ...event.translations] as readonly Tuple[]) {
    const who =
      side === 'sender'
        ? truth.at(src_ip, src_port, dest_ip, dest_port, event.epoch)
        : truth.at(dest_ip, dest_port, src_ip, src_port, event.epoch);
    if (who !== undefined) return who;
  }
  return undefined;
}

/** A right PID under a name or a parent that it never had is somebody else, who got it later or had it before. */
function outcomeOf(named: ProcessInfo | null, who: Who | undefined): [keyof Count, string] {
  if (named === null) return ['none', ''];
  const said = `named ${named.pid} ${String(named.name)} of ${String(named.ppid)} ${String(named.parent)} (${named.match})`;
  if (who === undefined) return ['wrong', `${said}, and nobody was there`];
  const was = `was ${who.pid} ${who.name} of ${who.ppid} ${String(who.parent)} in ${who.netns}`;
  const group = named.match === 'listener-group';
  const right = group
    ? named.pid === who.ppid && agree(named.name, who.parent)
    : named.pid === who.pid &&
      (agree(named.name, who.name) || who.older.includes(named.name ?? '')) &&
      ((agree(named.ppid, who.ppid) && agree(named.parent, who.parent)) || wasBornOf(named, who));
  if (!right || !agree(named.netns, who.netns)) return ['wrong', `${said} in ${String(named.netns)}, ${was}`];
  return [group ? 'group' : 'right', ''];
}

function wasBornOf({ ppid, parent }: ProcessInfo, { born }: Who): boolean {
  if (born === undefined) return false;
  const [pid, name] = born;
  return ppid === pid && agree(parent, name);
}

function agree<Value>(said: Value | null, was: Value | null): boolean {
  return said === null || said === was;
}

function keyOf(ip: string, port: number | null, otherIp: string, otherPort: number): string {
  return `${ip}|${port ?? '*'}|${otherIp}|${otherPort}`;
}

/** Resets that have a port of the range at either end. */
export function within<Event extends Tuple>(events: readonly Event[], [from, to]: readonly [number, number]): Event[] {
  const inside = (port: number): boolean => port >= from && port <= to;
  return events.filter(({ src_port, dest_port }) => inside(src_port) || inside(dest_port));
}

export interface Program {
  readonly pid: number;
  readonly ends: readonly TruthEnd[];
  readonly failed: readonly TruthFailed[];
  /** Everything else it said. */
  readonly said: readonly Record<string, unknown>[];
  /** Waits until it stands. */
  ready(): Promise<void>;
  go(): void;
  /** Waits until it has made its resets; the processes that are to remain do. */
  done(): Promise<void>;
  /** Ends it with all its processes. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  ns?: Namespace;
  /** Words before the command: a program that runs it. */
  before?: readonly string[];
}

export function startProgram(plan: Plan, { ns, before = [] }: ProgramOptions = {}): Program {
  const words = [...before, 'python3', '-B', PROGRAM, JSON.stringify(plan)];
  const [program = '', ...args] = ns === undefined ? words : ns.command(words, 'nsenter');
  const child = spawn(program, args, { env: bareEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
  const ends: TruthEnd[] = [];
  const failed: TruthFailed[] = [];
  const said: Record<string, unknown>[] = [];
  let rest = '';
  let stderr = '';
  let over = false;
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const thing = JSON.parse(line) as { end?: TruthEnd; failed?: TruthFailed; [key: string]: unknown };
      if (thing.end !== undefined) ends.push(thing.end);
      else if (thing.failed !== undefined) failed.push(thing.failed);
      else said.push(thing);
    }
  });
  const closed = once(child, 'close').then(() => (over = true));
  const says = async (word: string, timeoutMs: number): Promise<void> => {
    const heard = (): boolean => said.some((thing) => word in thing);
    await poll(() => heard() || over, timeoutMs, `"${word}" of ${JSON.stringify(plan)}: ${stderr}`);
    if (!heard() || stderr !== '') throw new Error(`${plan.scenario} did not say "${word}": ${stderr.trim()}`);
  };
  return {
    pid: child.pid ?? 0,
    ends,
    failed,
    said,
    ready: () => says('ready', READY_MS),
    go: () => void child.stdin.write('\n'),
    done: () => says('done', DONE_MS),
    stop: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
      await closed;
      clearTimeout(timer);
    },
  };
}
