/**
 * KernelTrace built into a folder, with the thread beside it that a test wants: its own, one that says what it is told
 * to, or any other.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import type { KernelTrace } from '../../../src/attribute/trace/kernel-trace.js';
import type { TracedReset, TraceWord } from '../../../src/attribute/trace/protocol.js';
import { poll } from '../../support/lab.js';
import { REPOSITORY, tmpDir } from '../../support/run.js';

export type Starter = typeof KernelTrace;
export type News = Extract<TraceWord, { kind: 'news' }>;

const SOURCE = path.join(REPOSITORY, 'src/attribute/trace');
const CHANNEL = `rstscope-test-trace-${String(process.pid)}`;
/** What the words of one order take, at the most. */
const HEARD_MS = 20_000;

export const PUPPET = `
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
const shared = new BigInt64Array(workerData.shared);
let deaf = false;
parentPort.on('message', () => { if (!deaf) parentPort.postMessage({ kind: 'closed' }); });
new BroadcastChannel('${CHANNEL}').onmessage = ({ data }) => {
  if (data.dies !== undefined) throw new Error(data.dies);
  if (data.exits === true) process.exit(0);
  if (data.deaf === true) deaf = true;
  if (data.said !== undefined) Atomics.store(shared, 1, BigInt(data.said));
  if (data.until !== undefined) Atomics.store(shared, 0, BigInt(data.until));
  if (data.word !== undefined) parentPort.postMessage(data.word);
};
parentPort.postMessage({ kind: 'ready' });`;

/** What PUPPET is told: how far it has read, how many words it has said; to say one; to die in one way or another. */
export interface Order {
  readonly until?: number;
  readonly said?: number;
  readonly word?: Partial<News>;
  readonly dies?: string;
  readonly exits?: true;
  readonly deaf?: true;
}

export class Strings {
  private readonly channel = new BroadcastChannel(CHANNEL);

  pull({ word, ...order }: Order): void {
    this.channel.postMessage(word === undefined ? order : { ...order, word: news(word) });
  }

  /** The words are said, and heard. */
  async tell(one: KernelTrace, ...words: readonly Partial<News>[]): Promise<void> {
    for (const word of words) this.pull({ word });
    const at = Date.now() / 1000;
    this.pull({ word: { resets: [traced(-1, { tuple: 'heard', at })] } });
    await poll(() => one.near('send', 'heard', at, 0).length > 0, HEARD_MS, 'the words');
  }

  cut(): void {
    this.channel.close();
  }
}

export function traced(serial: number, other: Partial<TracedReset> = {}): TracedReset {
  const none = { active: false, reason: null, path: null, socketless: true, listening: false, connected: false };
  const who = { owner: null, destroyer: null, open: false };
  return {
    serial,
    kind: 'send',
    at: Date.now() / 1000,
    mono: Number(process.hrtime.bigint()),
    tuple: '',
    ...none,
    ...who,
    ...other,
  };
}

function news(other: Partial<News>): News {
  const none = { resets: [], failed: [], listenerStarts: [], listenerEnds: [] };
  return { kind: 'news', ...none, until: 0, lost: 0, ...other };
}

/** As the package has it: a thread's code lies beside the program's. Null: the thread is its own. */
export async function builtWith(thread: string | null): Promise<Starter> {
  const folder = path.join(built(), String(++copies));
  mkdirSync(folder);
  cpSync(path.join(built(), 'own'), folder, { recursive: true });
  if (thread !== null) writeFileSync(path.join(folder, 'trace-thread.js'), thread);
  return ((await import(path.join(folder, 'kernel-trace.js'))) as { KernelTrace: Starter }).KernelTrace;
}

let copies = 0;
let made: string | null = null;

function built(): string {
  if (made !== null) return made;
  made = tmpDir();
  writeFileSync(path.join(made, 'package.json'), '{"type":"module"}');
  const flags = ['--bundle', '--splitting', '--platform=node', '--format=esm', '--log-level=error'];
  const entries = ['kernel-trace.ts', 'trace-thread.ts'].map((file) => path.join(SOURCE, file));
  const esbuild = path.join(REPOSITORY, 'node_modules/.bin/esbuild');
  execFileSync(esbuild, [...entries, ...flags, `--outdir=${path.join(made, 'own')}`], { cwd: REPOSITORY });
  return made;
}

/** A number that KernelTrace's source names. */
export function constant(name: string): number {
  const text = readFileSync(path.join(SOURCE, 'kernel-trace.ts'), 'utf8');
  const value = Number(new RegExp(`^const ${name} = ([\\d_]+);`, 'm').exec(text)?.[1]?.replaceAll('_', ''));
  if (!(value > 0)) throw new Error(`there is no ${name}`);
  return value;
}
