/**
 * One repetition of the lab with the program beside it, live; then the program over what was recorded. Gives back what
 * all of it is worth.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAB, loadRuns, type LabRun } from '../truth.js';
import { answersOf } from './answers.js';
import { score, type Mode, type Score } from './score.js';

const BESIDE = fileURLToPath(new URL('beside.sh', import.meta.url));
/** Busy machines miss a deadline of the lab's now and then; such a repetition has no truth. */
const ATTEMPTS = 3;
const FILES = ['full', 'control', 'resets'] as const;

export interface Plan {
  readonly seed: number;
  /** Where everything is put; emptied before. */
  readonly folder: string;
  /** The command that starts the program. */
  readonly program: readonly string[];
  /** Of `live`. */
  readonly backend: string;
  readonly signal?: AbortSignal;
  /** Hears of repetitions that were no good. */
  readonly talk: (sentence: string) => void;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function play(plan: Plan): Promise<Score> {
  const runs = await made(plan);
  const parts: Score[] = [];
  for (const run of runs) {
    for (const mode of FILES) parts.push(await readBack(plan, run, mode));
  }
  const [first] = runs;
  if (first === undefined) throw new Error(`${plan.folder} holds no capture`);
  for (const mode of ['live', 'live-resets'] as const) {
    const said = (ending: string): string => readFileSync(path.join(plan.folder, `${mode}.${ending}`), 'utf8').trim();
    // What a capture that lost packets lacks counts as missing.
    if (!['0', '3'].includes(said('code'))) throw new Error(`${mode} ended with ${said('code')}: ${said('err')}`);
    if (!said('ndjson').includes('"trace":"on"')) throw new Error(`${mode} could not trace: ${said('ndjson')}`);
    const { seed, timestamps } = first;
    const truths = runs.flatMap((run) => run.truths);
    parts.push(score({ mode, seed, timestamps, source: plan.backend }, truths, answersOf(said('ndjson'))));
  }
  return joined(parts);
}

export function joined(parts: readonly Score[]): Score {
  return {
    scored: parts.flatMap(({ scored }) => scored),
    invented: parts.flatMap(({ invented }) => invented),
  };
}

/** Makes the resets. */
async function made(plan: Plan): Promise<LabRun[]> {
  const live = [...plan.program, 'live', '-i', 'any', '--ndjson', '-d', '0', '--backend', plan.backend];
  const beside = ['sh', BESIDE, plan.folder, ...live].map(quoted).join(' ');
  // The lab counts from 1.
  const args = [LAB, '--out', plan.folder, '--seed', String(plan.seed - 1), '--beside', beside];
  for (let attempt = 1; ; attempt += 1) {
    rmSync(plan.folder, { recursive: true, force: true });
    mkdirSync(plan.folder, { recursive: true });
    const { code, stderr } = await ended('python3', args, plan.signal);
    if (code === 0) return loadRuns(plan.folder);
    if (code !== 1 || attempt === ATTEMPTS) throw new Error(`the lab ended with ${String(code)}: ${stderr.trim()}`);
    plan.talk(`seed ${plan.seed} once more, for the lab says: ${stderr.trim()}`);
  }
}

async function readBack(plan: Plan, run: LabRun, mode: (typeof FILES)[number]): Promise<Score> {
  const file = { full: run.all, control: run.control, resets: run.resets }[mode];
  const [command, ...args] = [...plan.program, 'read', '--ndjson', '--no-fold', file];
  const { code, stdout, stderr } = await ended(command, args, plan.signal);
  if (code !== 0) throw new Error(`read ${file} ended with ${String(code)}: ${stderr.trim()}`);
  const source = path.relative(plan.folder, file);
  const { seed, timestamps, truths } = run;
  return score({ mode: mode satisfies Mode, seed, timestamps, source }, truths, answersOf(stdout));
}

async function ended(command: string, args: readonly string[], signal: AbortSignal | undefined): Promise<Ended> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
