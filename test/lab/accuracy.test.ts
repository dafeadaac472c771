/**
 * One repetition of the lab, and what the program says of each of its resets: over the captures, and live with the
 * kernel traced. `npm run accuracy` does it twenty times, with bounds that one repetition is too small for.
 */
import { beforeAll, expect } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { labProblem } from '../support/lab.js';
import { CLI, tmpDir } from '../support/run.js';
import { testIf } from '../support/tools.js';
import { figures, isTrue, ofMode, SURE_BOUNDS, type Figures } from './accuracy/figures.js';
import { play } from './accuracy/play.js';
import { MODES, type Mode, type Score, type Scored } from './accuracy/score.js';
import { LAB, loadTable } from './truth.js';

const TIMEOUT_MS = 240_000;
const SEEDS = 100_000;
/** Of one repetition. */
const RIGHT = 0.95;

const problem = labProblem('python3', 'tcpdump') || labSays();
const it = (name: string, body: () => void): void => testIf(problem === '', problem, name, body);
const seed = 1 + Math.floor(Math.random() * SEEDS);
let score: Score = { scored: [], invented: [] };

function labSays(): string {
  const { stdout, stderr, status } = spawnSync('python3', [LAB, '--check'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : `test/lab/lab.py ended with ${String(status)}: ${stderr.trim()}`;
}

beforeAll(async () => {
  if (problem !== '') return;
  const talk = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const program = [process.execPath, CLI];
  score = await play({ seed, folder: path.join(tmpDir(), 'lab'), program, backend: 'tcpdump', talk });
}, TIMEOUT_MS);

function of(mode: Mode): Figures {
  return figures(ofMode(score, mode));
}

/** Sentences that say how to make it again. */
function told(scored: readonly Scored[]): string[] {
  return scored.map(({ mode, source, truth, answer }) => {
    const said = answer === null ? 'nothing' : `${answer.cause}, ${answer.confidence}: ${answer.evidence.join('; ')}`;
    return `seed ${seed}, ${mode} ${source}, ${truth.scenario} ${truth.role}: ${truth.cause}, said ${said}`;
  });
}

it('every way of looking finds every reset of the lab, and no other', () => {
  expect(told(score.scored.filter(({ judgement }) => judgement === 'missing'))).toEqual([]);
  expect(score.invented).toEqual([]);
  const roles = loadTable().length;
  for (const mode of MODES) expect(of(mode).resets).toBeGreaterThanOrEqual(roles);
});

it('what is called certain is true', () => {
  const certain = score.scored.filter(({ answer }) => answer?.confidence === 'certain');
  expect(certain.length).toBeGreaterThan(0);
  expect(told(certain.filter((one) => !isTrue(one)))).toEqual([]);
});

it('what is called likely or possible mostly is', () => {
  const { calibration } = figures(score);
  for (const level of ['likely', 'possible'] as const) {
    const { true: good, all } = calibration[level];
    expect(all).toBeGreaterThan(0);
    expect({ level, share: good / all >= SURE_BOUNDS[level] }).toEqual({ level, share: true });
  }
});

it('nothing is called injected that is not', () => {
  const injected = score.scored.filter(({ answer }) => answer?.cause === 'injected');
  expect(injected.length).toBeGreaterThan(0);
  expect(told(injected.filter(({ judgement }) => judgement !== 'right'))).toEqual([]);
});

for (const mode of ['full', 'live'] as const) {
  it(`${mode} is nearly always right`, () => {
    const { judgements, resets } = of(mode);
    const others = score.scored.filter((one) => one.mode === mode && one.judgement !== 'right');
    expect({ enough: judgements.right >= RIGHT * resets, others: told(others) }).toMatchObject({ enough: true });
  });
}

for (const mode of ['resets', 'live'] as const) {
  it(`${mode} is never wrong`, () => {
    expect(told(score.scored.filter((one) => one.mode === mode && one.judgement === 'wrong'))).toEqual([]);
  });
}
