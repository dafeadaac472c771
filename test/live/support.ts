/**
 * Starts the built `rstscope live` in a namespace of a lab or in the test's own, waits until it listens, keeps what it
 * says with the time at which it was said, and ends it.
 */
import { describe } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { poll, type Namespace } from '../support/lab.js';
import { bareEnvironment, CLI, REPOSITORY } from '../support/run.js';
import { hasTool } from '../support/tools.js';

/** For a machine that is busy with other things: what does not come at all is told all the same. */
const LISTEN_TIMEOUT_MS = 20_000;
const END_TIMEOUT_MS = 15_000;
const LINE_TIMEOUT_MS = 15_000;
/** The head of a report on a pipe. */
const COUNTED = /^(No|[\d\s,]+) resets?\b/m;

export type Backend = 'cap' | 'tcpdump';

export const BACKENDS: readonly Backend[] = ['tcpdump', 'cap'];

let capLoads: boolean | null = null;

/** Why a backend can't be tested here, or the empty string. */
export function backendProblem(backend: Backend): string {
  if (backend === 'tcpdump') return hasTool('tcpdump') ? '' : 'needs tcpdump';
  // Not in this process: the addon loads once, and some of its faults abort.
  capLoads ??= spawnSync(process.execPath, ['-e', 'require("cap")'], { cwd: REPOSITORY }).status === 0;
  return capLoads ? '' : 'the cap binding was not built';
}

/** The same tests for each backend; `problem` is why they can't run by it, or the empty string. */
export function eachBackend(name: string, body: (backend: Backend, problem: string) => void): void {
  for (const backend of BACKENDS) {
    describe(`${name} by ${backend}`, () => {
      body(backend, backendProblem(backend));
    });
  }
}

export interface LiveOptions {
  /** The test's own namespace if not given. */
  ns?: Namespace;
  /** 'ip' if not given: see lab.ts. */
  via?: 'ip' | 'nsenter';
  /** Words before the command: a program that runs it. */
  before?: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Where standard output goes: read by the test if not given. */
  stdout?: 'pipe' | 'ignore' | number;
}

/** A line of standard output and when it was there, ms of the wall clock. */
export interface Line {
  readonly text: string;
  readonly atMs: number;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Revision {
  readonly type: 'revision';
  readonly id: string;
  readonly [key: string]: unknown;
}

export class Live {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  stdout = '';
  stderr = '';
  /** Resolves when it is gone and everything it said has come. */
  readonly ended: Promise<Ended>;
  private rest = '';
  private over = false;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const atMs = Date.now();
      this.stdout += chunk;
      const parts = (this.rest + chunk).split('\n');
      this.rest = parts.pop() ?? '';
      this.lines.push(...parts.map((text) => ({ text, atMs })));
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk));
    this.ended = once(child, 'close').then(([code, signal]: unknown[]) => {
      this.over = true;
      return {
        code: code as number | null,
        signal: signal as NodeJS.Signals | null,
        stdout: this.stdout,
        stderr: this.stderr,
      };
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Everything of a --ndjson stream that has come. */
  get documents(): { type: string; [key: string]: unknown }[] {
    return this.lines.map(({ text }) => JSON.parse(text) as { type: string });
  }

  /** The reset lines of a --ndjson stream as they were written. */
  get resets(): ResetEvent[] {
    return this.documents.filter(({ type }) => type === 'reset') as unknown as ResetEvent[];
  }

  get revisions(): Revision[] {
    return this.documents.filter(({ type }) => type === 'revision') as unknown as Revision[];
  }

  /** Waits until standard error says so. */
  async says(words: string | RegExp, timeoutMs = LISTEN_TIMEOUT_MS): Promise<void> {
    const said = (): boolean => (typeof words === 'string' ? this.stderr.includes(words) : words.test(this.stderr));
    try {
      await poll(() => said() || this.over, timeoutMs, `"${String(words)}"`);
    } catch (error) {
      throw new Error(`${String(error)}; it said: ${this.stderr}`, { cause: error });
    }
    if (!said()) throw new Error(`it ended before it said "${String(words)}": ${this.stderr}`);
  }

  /** Waits until it is so; fails with what was said when it does not come, or when the program ends before. */
  async until(done: () => boolean, what: string, timeoutMs = LINE_TIMEOUT_MS): Promise<void> {
    try {
      await poll(() => done() || this.over, timeoutMs, what);
    } catch (error) {
      const said = `stdout: ${this.stdout.slice(-3000)}; stderr: ${this.stderr}`;
      throw new Error(`${String(error)}; ${said}`, { cause: error });
    }
    if (!done()) throw new Error(`it ended without ${what}; stdout: ${this.stdout}; stderr: ${this.stderr}`);
  }

  /** Waits for so many reset lines of a --ndjson stream. */
  untilResets(count: number, timeoutMs = LINE_TIMEOUT_MS): Promise<void> {
    const counted = (): number => this.lines.filter(({ text }) => text.startsWith('{"type":"reset"')).length;
    return this.until(() => counted() >= count, `${count} reset lines`, timeoutMs);
  }

  /**
   * Waits until the report so far, which it is asked for again and again, is so; what of it has come is given. `pid` is
   * the program's own, where another one was started that runs it.
   */
  async untilReported(isSo: (report: string) => boolean, what: string, pid = this.pid): Promise<void> {
    let asked = -1;
    const done = (): boolean => {
      const report = asked < 0 ? '' : this.stderr.slice(asked);
      if (isSo(report)) return true;
      if (this.over || (asked >= 0 && !COUNTED.test(report))) return false;
      asked = this.stderr.length;
      this.send('SIGUSR2', pid);
      return false;
    };
    await this.until(done, `a report of ${what}`);
  }

  /** Waits until it has counted so many resets. */
  untilCounted(count: number, pid = this.pid): Promise<void> {
    const counted = (report: string): number => Number(COUNTED.exec(report)?.[1]?.replaceAll(/\D/g, '') ?? NaN);
    return this.untilReported((report) => counted(report) >= count, `${count} resets`, pid);
  }

  /** The program itself where another one runs it, which hears no Ctrl-C (`unshare --fork`). */
  get inner(): number {
    const parent = new RegExp(`^PPid:\\s*${this.pid}$`, 'm');
    const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parent.test(statusOf(name)));
    if (found.length !== 1) throw new Error(`${this.pid} runs ${found.length} programs`);
    return Number(found[0]);
  }

  /** Ends it as Ctrl-C does. */
  async stop(signal: NodeJS.Signals = 'SIGINT', pid = this.pid): Promise<Ended> {
    this.send(signal, pid);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_TIMEOUT_MS);
    const ended = await this.ended;
    clearTimeout(timer);
    if (ended.signal === 'SIGKILL') throw new Error(`it did not end within ${END_TIMEOUT_MS} ms: ${this.stderr}`);
    return ended;
  }

  private send(signal: NodeJS.Signals, pid: number): void {
    if (pid === this.pid) this.child.kill(signal);
    else process.kill(pid, signal);
  }
}

/** Empty when it has ended. */
function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

const running = new Set<Live>();

/** Starts `rstscope live …` and does not wait. */
export function beginLive(args: readonly string[], options: LiveOptions = {}): Live {
  const words = [...(options.before ?? []), process.execPath, CLI, 'live', ...args];
  const [program = '', ...rest] = options.ns?.command(words, options.via) ?? words;
  const child = spawn(program, rest, {
    env: bareEnvironment(options.env),
    cwd: options.cwd ?? process.cwd(),
    stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
  });
  const live = new Live(child);
  running.add(live);
  void live.ended.finally(() => running.delete(live));
  return live;
}

/** Starts `rstscope live …`; it listens when resolved. */
export async function startLive(args: readonly string[], options: LiveOptions = {}): Promise<Live> {
  const live = beginLive(args, options);
  await live.says('listening on ');
  return live;
}

/** Runs `rstscope live …` to its own end. */
export async function runLive(args: readonly string[], options: LiveOptions = {}): Promise<Ended> {
  const live = beginLive(args, options);
  const timer = setTimeout(() => live.child.kill('SIGKILL'), 2 * LISTEN_TIMEOUT_MS);
  const ended = await live.ended;
  clearTimeout(timer);
  if (ended.signal === 'SIGKILL') throw new Error(`it did not end by itself: ${ended.stderr}`);
  return ended;
}

/** A report, on whatever number of lines, says that an interface is lost. */
export function tellsOfLoss(report: string): boolean {
  return report.replaceAll(/\s+/g, ' ').includes('and was not captured again');
}

/** The one document of --json, or the summary of --ndjson. */
export function reportOf({ stdout, stderr }: Ended): Report {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (last === '') throw new Error(`there is no report: ${stderr}`);
  const summary = last.startsWith('{"type":"summary"') ? last : stdout;
  return JSON.parse(summary) as Report;
}

/** The events of a --ndjson stream as they are once every revision is applied, in the order of their lines. */
export function revised(live: Live): ResetEvent[] {
  const events = new Map(live.resets.map((event) => [event.id, event]));
  for (const { type: _type, id, ...changed } of live.revisions) {
    const event = events.get(id);
    if (event === undefined) throw new Error(`a revision of ${id}, of which nothing was said`);
    events.set(id, { ...event, ...changed });
  }
  return [...events.values()];
}

// What a failed test leaves running.
const { afterAll } = globalThis as { afterAll?: (hook: () => void) => void };
afterAll?.(() => {
  for (const { child } of running) child.kill('SIGKILL');
});
