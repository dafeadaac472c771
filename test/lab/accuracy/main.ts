/**
 * `npm run accuracy`: plays the lab again and again, scores what the program says, writes docs/accuracy.md and prints
 * it. Exit codes: 0 every bound is kept, 1 one is missed, 2 it could not be measured.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LAB } from '../truth.js';
import { missed } from './figures.js';
import { page } from './page.js';
import { joined, play } from './play.js';
import type { Score } from './score.js';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const PAGE = path.join(REPOSITORY, 'docs', 'accuracy.md');
const USAGE = `npm run accuracy -- [OPTION…]
  --repetitions N   how often the lab is played (20)
  --seed S          of the first; each next one has the next number (1)
  --keep DIR        leave captures, truths and answers in DIR/SEED
  --program FILE    the program to be judged (bin/rstscope.js)
`;

interface Wanted {
  readonly repetitions: number;
  readonly seed: number;
  readonly keep: string | undefined;
  readonly program: string;
}

export async function main(args: readonly string[]): Promise<number> {
  let wanted: Wanted;
  try {
    wanted = wantedBy(args);
  } catch (error) {
    process.stderr.write(`${String(error)}\n${USAGE}`);
    return 2;
  }
  const why = spawnSync('python3', [LAB, '--check'], { encoding: 'utf8' });
  if (why.status !== 0 || why.stdout !== '') {
    process.stderr.write(`no lab can be made: ${why.stdout || why.stderr || String(why.error)}\n`);
    return 2;
  }
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort());
  const folder = wanted.keep ?? mkdtempSync(path.join(tmpdir(), 'accuracy-'));
  try {
    return told(await played(wanted, folder, ending.signal), wanted);
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    return 2;
  } finally {
    if (wanted.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function wantedBy(args: readonly string[]): Wanted {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { repetitions: text, seed: text, keep: text, program: text },
  });
  const number = (name: 'repetitions' | 'seed', usual: number): number => {
    const value = Number(values[name] ?? usual);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1 on`);
    return value;
  };
  return {
    repetitions: number('repetitions', 20),
    seed: number('seed', 1),
    keep: values.keep,
    program: path.resolve(values.program ?? path.join(REPOSITORY, 'bin', 'rstscope.js')),
  };
}

async function played(wanted: Wanted, folder: string, signal: AbortSignal): Promise<Score> {
  const talk = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const backends = backendsOf(wanted.program);
  const parts: Score[] = [];
  for (let i = 0; i < wanted.repetitions; i += 1) {
    const seed = wanted.seed + i;
    const backend = backends[i % backends.length] ?? 'auto';
    const plan = {
      seed,
      folder: path.join(folder, String(seed)),
      backend,
      program: [process.execPath, wanted.program],
    };
    const part = await play({ ...plan, signal, talk });
    parts.push(part);
    const bad = part.scored.filter(({ judgement }) => judgement === 'wrong' || judgement === 'missing').length;
    talk(`${i + 1} of ${wanted.repetitions}: seed ${seed}, ${part.scored.length} answers, ${bad} wrong or missing`);
    if (wanted.keep === undefined) rmSync(plan.folder, { recursive: true, force: true });
  }
  return joined(parts);
}

/** Those that can capture here, in turns. The binding is asked for where the program would find it. */
function backendsOf(program: string): string[] {
  const { status } = spawnSync(process.execPath, ['-e', 'require("cap")'], { cwd: path.dirname(program) });
  return status === 0 ? ['cap', 'tcpdump'] : ['tcpdump'];
}

function told(score: Score, { repetitions, seed }: Wanted): number {
  const text = page(score, { linux: release(), node: process.versions.node, repetitions, seed });
  writeFileSync(PAGE, text);
  process.stdout.write(text);
  const sentences = missed(score);
  process.stdout.write(`\n${sentences.length === 0 ? 'Every bound is kept.' : sentences.join('\n')}\n`);
  return sentences.length === 0 ? 0 : 1;
}
