/**
 * Damaged frames by the thousand, for a few seconds: nothing throws, each frame ends in one way, a stop's figures fit
 * the frame, and no byte outside the frame has a say in the answer.
 *
 * RSTSCOPE_FUZZ_SECONDS sets how long, RSTSCOPE_FUZZ_SEED replays a run.
 */
import { expect, test } from '@jest/globals';
import { Walk } from '../../src/decode/walk.js';
import { walkFrame } from '../../src/decode/frame.js';
import { decode, type Decoded } from '../decode/decoding.js';
import { SAMPLES } from '../decode/samples.js';
import { bestOf } from '../support/stopwatch.js';

const SECONDS = Number(process.env['RSTSCOPE_FUZZ_SECONDS'] ?? 4);
const SEED = Number(process.env['RSTSCOPE_FUZZ_SEED'] ?? Date.now() % 0x7fffffff);
const LINK_TYPES = [
  0, 1, 9, 10, 12, 14, 50, 51, 101, 104, 105, 108, 113, 127, 147, 149, 192, 219, 228, 229, 239, 258, 276,
];
/** Bytes that length fields, versions and protocols like. */
const TELLING = [0, 1, 2, 4, 5, 6, 8, 17, 41, 43, 44, 47, 51, 60, 0x45, 0x60, 0x7f, 0x80, 0x81, 0x88, 0xaa, 0xff];
const SLOW_MS = 1000;
/** Enough to meet every ending. */
const MIN_CASES = 10_000;

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

interface Case {
  frame: Uint8Array;
  linkType: number;
  original: number;
}

function makeCase(next: (below: number) => number): Case {
  const pick = <T>(list: readonly T[]): T => list[next(list.length)]!;
  const sample = pick(SAMPLES);
  let frame = Uint8Array.from(sample.frame);
  for (let changes = next(6); changes > 0; changes--) {
    const at = next(frame.length + 1);
    switch (next(5)) {
      case 0:
        frame[at] = next(256);
        break;
      case 1:
        frame[at] = pick(TELLING);
        break;
      case 2:
        frame[at] = (frame[at] ?? 0) ^ (1 << next(8));
        break;
      case 3:
        frame = Uint8Array.from([...frame.subarray(0, at), ...pick(SAMPLES).frame]);
        break;
      default:
        frame = Uint8Array.from([...frame.subarray(0, at), ...frame.subarray(Math.min(frame.length, at + next(9)))]);
    }
    if (frame.length === 0) break;
  }
  if (next(3) === 0) frame = frame.subarray(0, next(frame.length + 1));
  const original = pick([frame.length, frame.length, frame.length + next(2000), next(frame.length + 1), 0xffffffff]);
  return { frame, linkType: next(4) === 0 ? pick(LINK_TYPES) : sample.linkType, original };
}

/** What is wrong with the answer, or null. */
function wrong({ frame, original }: Case, one: Decoded, two: Decoded): string | null {
  if (JSON.stringify(one) !== JSON.stringify(two)) return 'bytes outside the frame were read';
  const { counts, stop, outcome, segment } = one;
  const { tcp, notTcp, fragments, cut, malformed, unknownLink } = counts;
  if (counts.seen !== 1 || tcp + notTcp + fragments + cut + malformed + unknownLink !== 1) return 'the counts are off';
  const stopped = outcome === 'cut' || outcome === 'malformed';
  if (stopped !== (stop !== null) || (stop !== null && stop.kind !== outcome)) return 'stop and outcome disagree';
  if (segment !== null && outcome !== 'tcp') return 'a segment of what is none';
  if (stop === null) return null;
  if (stop.at < 0 || stop.at > frame.length) return 'it stopped outside the frame';
  if (stop.layer === 'nesting') return stop.need === stop.have + 1 ? null : 'the bound is off';
  if (stop.layer === 'pktap' && stop.have > stop.need) return stop.claimedBy === 'pktap' ? null : 'PKTAP is off';
  if (stop.layer === 'gtp' && stop.claimedBy === 'gtp' && stop.need === 4) return null;
  if (stop.need <= stop.have || stop.have < 0) return 'nothing was missing';
  const ends = Math.max(original, frame.length);
  if (stop.claimedBy === 'capture' && stop.at + stop.have !== (stop.kind === 'cut' ? frame.length : ends)) {
    return 'the capture did not say that';
  }
  return null;
}

test(
  `holds for ${SECONDS} s (RSTSCOPE_FUZZ_SEED=${SEED})`,
  () => {
    const next = random(SEED);
    const until = Date.now() + SECONDS * 1000;
    const ends = new Map<string, number>();
    let cases = 0;
    do {
      for (let i = 0; i < 200; i++) {
        const each = makeCase(next);
        const { frame, linkType, original } = each;
        const began = performance.now();
        const one = decode(frame, { linkType, original, poison: 0xaa });
        const two = decode(frame, { linkType, original, poison: 0x45 });
        let took = performance.now() - began;
        if (took > SLOW_MS) took = bestOf(SLOW_MS, () => decode(frame, { linkType, original, poison: 0xaa }));
        const fault = took > SLOW_MS ? `it took ${Math.round(took)} ms` : wrong(each, one, two);
        const shown =
          fault && `${fault}: link type ${linkType}, ${original} on the wire, ${Buffer.from(frame).toString('hex')}`;
        if (shown !== null) throw new Error(`${shown}, seed ${SEED}, case ${cases}`);
        ends.set(one.outcome, (ends.get(one.outcome) ?? 0) + 1);
        cases++;
      }
    } while (cases < MIN_CASES || Date.now() < until);
    // A fuzz that only ever meets one ending tests little.
    expect([...ends.keys()].sort()).toEqual(['cut', 'fragment', 'malformed', 'not-tcp', 'tcp', 'unknown-link']);
  },
  (SECONDS + 30) * 1000,
);

test.each(LINK_TYPES)('a large frame of any one byte ends soon (link type %i)', (linkType) => {
  const walk = new Walk();
  const size = 1 << 20;
  const bytes = new Uint8Array(size);
  const took = bestOf(SLOW_MS, () => {
    for (const fill of [0, 1, 2, 4, 6, 8, 0x28, 0x3c, 0x45, 0x60, 0x88, 0xff]) {
      bytes.fill(fill);
      walk.begin(bytes, 0, size, size);
      walkFrame(walk, linkType);
    }
  });
  expect(took).toBeLessThan(SLOW_MS);
});
