/**
 * Connections that nobody would have, by the thousand, for a few seconds: nothing throws, every figure is possible, and
 * in whatever pieces a capture comes, folded or not, the report says the same of each reset.
 *
 * RSTSCOPE_FUZZ_SECONDS sets how long, RSTSCOPE_FUZZ_SEED replays a run.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RULES } from '../../src/conversation/rules/rules.js';
import { factsOf } from '../../src/conversation/judge.js';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { framesOf, steadySteps, steps, type Step } from '../conversation/any-talk.js';
import { resetsOf } from '../conversation/following.js';
import { analyse, analyseAll, classic, type At } from '../report/analysing.js';

const SECONDS = Number(process.env['RSTSCOPE_FUZZ_SECONDS'] ?? 4);
const SEED = Number(process.env['RSTSCOPE_FUZZ_SEED'] ?? Date.now() % 0x7fffffff);
/** Of Ethernet, IP and TCP: what lies behind the addresses. */
const HEADERS = { from: 14, to: 74 };
const SLOW_MS = 2000;
const MIN_CASES = 40;
const EXTREME = 'at most 1073741823';

/** Mulberry32: small, and the same everywhere. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Frames of connections, some of them with damaged headers, some gone, some twice. */
function makeCase(next: (below: number) => number): At[] {
  const stories: fc.Arbitrary<Step[]> = next(3) === 0 ? steadySteps : steps;
  const [story = []] = fc.sample(stories, { seed: next(0x7fffffff), numRuns: 1 });
  const frames = framesOf(story).flatMap(([at, bytes]): At[] => {
    const chance = next(40);
    if (chance === 0) return [];
    if (chance > 4) return [[at, bytes]];
    const damaged = Uint8Array.from(bytes);
    for (let changes = 1 + next(3); changes > 0; changes--) {
      damaged[HEADERS.from + next(Math.min(HEADERS.to, bytes.length) - HEADERS.from)] = next(256);
    }
    return chance === 1
      ? [
          [at, bytes],
          [at + next(100), bytes],
        ]
      : [[at, damaged]];
  });
  return frames.length === 0 ? [[0, new Uint8Array(60)]] : frames;
}

/** What is wrong with the event, or null. */
function wrong(event: ResetEvent): string | null {
  for (const figure of [event.idle_seconds, event.bytes_to_server, event.bytes_to_client]) {
    if (figure !== null && (!Number.isFinite(figure) || figure < 0)) return `the figure ${String(figure)}`;
  }
  if ((event.bytes_to_server ?? 0) >= 2 ** 30) return `${String(event.bytes_to_server)} bytes, ${EXTREME}`;
  if (event.confidence === 'certain') return 'certain without a kernel';
  if ((event.confidence === 'unknown') !== (event.cause === 'unknown')) return 'cause and confidence disagree';
  if (event.evidence.length === 0) return 'no evidence';
  const odd = event.evidence.find((sentence) => /NaN|undefined|Infinity|-\d/.test(sentence));
  return odd === undefined ? null : `the sentence "${odd}"`;
}

/** Without the names of files, which are in the next steps, too. */
function words({ source, findings, ...report }: Report): string {
  const said = findings.map((finding) => ({ ...finding, next_steps: [] }));
  return JSON.stringify({ ...report, findings: said, source: { ...source, files: [] } });
}

async function faultOf(capture: Uint8Array, piece: number): Promise<string | null> {
  const whole = await analyse(capture);
  for (const event of whole.events) {
    const fault = wrong(event);
    if (fault !== null) return `${fault} in ${event.id}, ${event.cause}`;
  }
  const odd = [...whole.endpoints, ...whole.ports].find(({ reset_ratio }) => (reset_ratio ?? 0) > 1);
  if (odd !== undefined) return `the ratio ${String(odd.reset_ratio)}`;
  if (words(await analyse(capture, { pieces: [piece] })) !== words(whole))
    return `pieces of ${piece} say something else`;
  if (words(await analyseAll([capture, classic([])])) !== words(whole)) return 'the walk says something else';
  return null;
}

/** Every rule, not only the first that says yes, has words. */
async function silentRule(capture: Uint8Array): Promise<string | null> {
  for (const reset of await resetsOf([capture])) {
    for (const rule of RULES) {
      const answer = rule.test(factsOf(reset));
      const said = answer.yes ? answer.evidence() : [answer.because()];
      if (said.length === 0 || said.some((each) => /^$|NaN|undefined/.test(each)))
        return `${rule.name}: ${said.join()}`;
    }
  }
  return null;
}

test(
  `holds for ${SECONDS} s (RSTSCOPE_FUZZ_SEED=${SEED})`,
  async () => {
    const next = random(SEED);
    const until = Date.now() + SECONDS * 1000;
    const causes = new Set<string>();
    let cases = 0;
    do {
      const frames = makeCase(next);
      const capture = classic(frames);
      const piece = 1 + next(300);
      let fault: string | null = null;
      let took = Infinity;
      // Once more where it was slow: this machine may stand still for a moment.
      for (let tries = 0; tries < 3 && took > SLOW_MS; tries++) {
        const began = performance.now();
        fault = (await faultOf(capture, piece)) ?? (await silentRule(capture));
        took = performance.now() - began;
      }
      const shown = took > SLOW_MS ? `it took ${Math.round(took)} ms` : fault;
      if (shown !== null) {
        const told = frames.map(([at, bytes]) => `${at} ${Buffer.from(bytes).toString('hex')}`).join('\n');
        throw new Error(`${shown}, seed ${SEED}, case ${cases}:\n${told}`);
      }
      for (const { cause } of (await analyse(capture)).events) causes.add(cause);
      cases++;
    } while (cases < MIN_CASES || Date.now() < until);
    // A fuzz that only ever meets one cause tests little.
    expect(causes.size).toBeGreaterThan(4);
  },
  (SECONDS + 30) * 1000,
);
