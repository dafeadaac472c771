/** What waits until its pattern shows: resets in their order, events that somebody got before; and a row's own pattern. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PATTERNS, type Pattern, type Patterned } from '../../src/conversation/verdict.js';
import { PatternDesk, type Known } from '../../src/patterns/desk.js';
import { LateNews } from '../../src/patterns/late-news.js';
import { CommonPattern } from '../../src/report/common-pattern.js';
import type { ResetEvent } from '../../src/report/types.js';
import { eventOf } from '../../src/report/announcement.js';
import { resetOf } from '../report/attributing.js';
import { NOBODY } from './made-up.js';

const EVENT = eventOf(resetOf(), null, NOBODY);

function group(pattern: Pattern | null): { pattern: Pattern | null } {
  return { pattern };
}

describe('the desk', () => {
  const known = (frame: number): Known => ({ reset: resetOf({ frame }), who: NOBODY, cell: null });
  const frames = (all: readonly Known[]): number[] => all.map(({ reset }) => reset.frame);

  test('gives each back once, in order, and never holds more than its bound', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(200), (most, count) => {
        const out: Known[] = [];
        const desk = new PatternDesk(most, (each) => out.push(each));
        for (let i = 0; i < count; i++) {
          desk.take(known(i));
          expect(i + 1 - out.length).toBe(Math.min(i + 1, most));
        }
        desk.finish();
        expect(frames(out)).toEqual(Array.from({ length: count }, (_, i) => i));
        desk.finish();
        expect(out).toHaveLength(count);
      }),
    );
  });

  test('goes on after its end', () => {
    const out: Known[] = [];
    const desk = new PatternDesk(2, (each) => out.push(each));
    for (let i = 0; i < 3; i++) desk.take(known(i));
    desk.finish();
    for (let i = 3; i < 9; i++) desk.take(known(i));
    desk.finish();
    expect(frames(out)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

describe('late news', () => {
  test('are told once, of those whose pattern shows, and of no others', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.nat(5).map((wait) => ({ wait })),
            fc.nat(5).map((shows) => ({ shows })),
            fc.constant('look' as const),
          ),
          {
            maxLength: 60,
          },
        ),
        (steps) => {
          const groups = Array.from({ length: 6 }, () => group(null));
          const told: ResetEvent[] = [];
          const waiting: { readonly event: ResetEvent; readonly of: Patterned }[] = [];
          const news = new LateNews((before, after) => {
            expect(before.pattern).toBeNull();
            expect(after).toEqual({ ...before, pattern: 'scan' });
            told.push(before);
          });
          for (const step of steps) {
            if (step === 'look') news.look();
            else if ('wait' in step) {
              const event = { ...EVENT };
              const of = groups[step.wait] ?? group(null);
              if (of.pattern !== null) continue;
              waiting.push({ event, of });
              news.wait(of, event);
            } else Object.assign(groups[step.shows] ?? {}, { pattern: 'scan' });
          }
          news.look();
          news.look();
          const expected = waiting.filter(({ of }) => of.pattern !== null).map(({ event }) => event);
          expect(new Set(told)).toEqual(new Set(expected));
          expect(told).toHaveLength(expected.length);
        },
      ),
    );
  });

  test('are bounded, and have room again for others', () => {
    let told = 0;
    const news = new LateNews(() => told++);
    const first = group(null);
    for (let i = 0; i < 6000; i++) news.wait(first, EVENT);
    first.pattern = 'flood';
    news.look();
    expect(told).toBe(5000);
    const second = group(null);
    news.wait(second, EVENT);
    second.pattern = 'scan';
    news.look();
    expect(told).toBe(5001);
  });
});

describe('the common pattern of a row', () => {
  test('is that of all its resets, or none', () => {
    const patterns = fc.oneof(
      { weight: 4, arbitrary: fc.constant('scan' as const) },
      { weight: 1, arbitrary: fc.constantFrom(null, ...PATTERNS) },
    );
    fc.assert(
      fc.property(
        fc.array(patterns, { minLength: 1, maxLength: 5 }),
        fc.array(fc.oneof({ weight: 12, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.constant(null) }), {
          minLength: 1,
          maxLength: 30,
        }),
        (kinds, resets) => {
          const groups = kinds.map(() => group(null));
          const own = resets.map((i) => (i === null ? null : (groups[i % groups.length] ?? null)));
          const common = new CommonPattern(own[0] ?? null);
          for (const each of own) common.add(each);
          expect(common.pattern).toBeNull();
          // It is asked when it has shown.
          for (const [i, pattern] of kinds.entries()) Object.assign(groups[i] ?? {}, { pattern });
          const all = new Set(own.map((each) => each?.pattern ?? null));
          expect(common.pattern).toBe(all.size === 1 ? [...all][0] : null);
        },
      ),
    );
  });

  test('of more groups than are told apart is none', () => {
    const of = (count: number): Pattern | null => {
      const groups = Array.from({ length: count }, () => group('scan'));
      const common = new CommonPattern(groups[0] ?? null);
      for (const each of [...groups, ...groups]) common.add(each);
      return common.pattern;
    };
    expect(of(65)).toBe('scan');
    expect(of(66)).toBeNull();
  });
});
