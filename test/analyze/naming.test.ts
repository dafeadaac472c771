/** Resets whose ends are looked for: counted once each, in their order, whenever the answers come. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Naming } from '../../src/analyze/naming.js';
import { nobody, type Attributor, type Inquiry } from '../../src/attribute/attributor.js';
import { missing, unattributed, type Attribution } from '../../src/attribute/process.js';
import type { Reset } from '../../src/conversation/reset.js';
import { resetOf } from '../report/attributing.js';

const EARLY = unattributed('unknown');
const LATE: Attribution = { ...EARLY, sender: missing('gone') };

/** Answers when it is told to. */
class Asked implements Attributor {
  readonly failedConnects = [];
  readonly inquiries: { reset: Reset; known: Attribution; final: boolean }[] = [];
  finished = 0;

  inquire(reset: Reset): Inquiry {
    const inquiry = { reset, known: EARLY, final: false };
    this.inquiries.push(inquiry);
    return inquiry;
  }

  /** The answer to the i-th question. */
  answer(i: number): void {
    const inquiry = this.inquiries[i];
    if (inquiry === undefined) throw new Error(`nobody asked ${i}`);
    inquiry.known = LATE;
    inquiry.final = true;
  }

  finish(): Promise<void> {
    this.finished++;
    return Promise.resolve();
  }
}

function made(): { asked: Asked; naming: Naming; counted: [number, Attribution][] } {
  const asked = new Asked();
  const counted: [number, Attribution][] = [];
  const naming = new Naming(asked, (reset, who) => counted.push([reset.frame, who]));
  return { asked, naming, counted };
}

const numbered = (frame: number): Reset => resetOf({ frame });

test('one that is known is counted when it settles, not before', () => {
  const { asked, naming, counted } = made();
  const reset = numbered(1);
  expect(naming.begin(reset, reset, null)).toBe(EARLY);
  asked.answer(0);
  naming.look();
  expect(counted).toEqual([]);
  naming.settle(reset);
  expect(counted).toEqual([[1, LATE]]);
  expect(asked.inquiries).toHaveLength(1);
});

test('those behind one that is not known wait for it', () => {
  const { asked, naming, counted } = made();
  const resets = [1, 2, 3].map(numbered);
  for (const reset of resets) naming.begin(reset, reset, null);
  for (const reset of resets) naming.settle(reset);
  asked.answer(1);
  asked.answer(2);
  naming.look();
  expect(counted).toEqual([]);
  asked.answer(0);
  naming.look();
  expect(counted.map(([frame]) => frame)).toEqual([1, 2, 3]);
});

test('one that was never begun is asked for when it settles', () => {
  const { asked, naming, counted } = made();
  const reset = numbered(1);
  naming.settle(reset);
  expect(asked.inquiries.map((one) => one.reset)).toEqual([reset]);
  expect(counted).toEqual([]);
  asked.answer(0);
  naming.look();
  expect(counted).toEqual([[1, LATE]]);
});

test('it is asked for as it is seen, and counted as itself', () => {
  const { asked, naming, counted } = made();
  const [reset, view] = [numbered(1), numbered(77)];
  naming.begin(reset, view, null);
  expect(asked.inquiries[0]?.reset).toBe(view);
  asked.answer(0);
  naming.settle(reset);
  expect(counted).toEqual([[1, LATE]]);
});

test('whoever wants to hear hears once, at once or later', async () => {
  const { asked, naming } = made();
  const heard: Attribution[] = [];
  const reset = numbered(1);
  naming.begin(reset, reset, (who) => heard.push(who));
  naming.look();
  expect(heard).toEqual([]);
  asked.answer(0);
  naming.look();
  naming.look();
  await naming.finish();
  expect(heard).toEqual([LATE]);

  const known = new Naming(nobody('not-tried'), () => undefined);
  known.begin(reset, reset, (who) => heard.push(who));
  await known.finish();
  expect(heard).toEqual([LATE, unattributed('not-tried')]);
});

test('dropped ones are not counted, and hold nobody up', async () => {
  const { asked, naming, counted } = made();
  const resets = [1, 2].map(numbered);
  for (const reset of resets) naming.begin(reset, reset, null);
  const [first, second] = resets;
  if (first === undefined || second === undefined) throw new Error('there are two');
  naming.drop(first);
  naming.settle(second);
  asked.answer(1);
  naming.look();
  await naming.finish();
  expect(counted.map(([frame]) => frame)).toEqual([2]);
});

test('at the end everybody is told and counted with what is known', async () => {
  const { asked, naming, counted } = made();
  const heard: number[] = [];
  for (const reset of [1, 2, 3].map(numbered)) {
    naming.begin(reset, reset, () => heard.push(reset.frame));
    naming.settle(reset);
  }
  asked.answer(1);
  await naming.finish();
  expect(asked.finished).toBe(1);
  expect(counted).toEqual([
    [1, EARLY],
    [2, LATE],
    [3, EARLY],
  ]);
  expect(heard.sort()).toEqual([1, 2, 3]);
});

test('where nobody looks everything is counted at once', () => {
  const counted: number[] = [];
  const naming = new Naming(nobody('offline'), (reset) => counted.push(reset.frame));
  for (const reset of [1, 2, 3].map(numbered)) naming.settle(reset);
  expect(counted).toEqual([1, 2, 3]);
});

describe('in a flood', () => {
  test('those that come when too many are being looked for go without', () => {
    const { asked, naming, counted } = made();
    const resets = Array.from({ length: 20_100 }, (_, i) => numbered(i));
    const told = resets.map((reset) => naming.begin(reset, reset, null));
    expect(asked.inquiries).toHaveLength(20_000);
    expect(told.at(-1)).toEqual(unattributed('not-tried'));
    for (const reset of resets) naming.settle(reset);
    for (let i = 0; i < 20_000; i++) asked.answer(i);
    naming.look();
    expect(counted.map(([frame]) => frame)).toEqual(resets.map(({ frame }) => frame));
    naming.begin(numbered(1), numbered(1), null);
    expect(asked.inquiries).toHaveLength(20_001);
  });

  test('nothing is kept of what was counted', async () => {
    const { asked, naming } = made();
    for (let i = 0; i < 100; i++) {
      const reset = numbered(i);
      naming.begin(reset, reset, null);
      if (i % 3 !== 0) naming.settle(reset);
      else naming.drop(reset);
      if (i % 2 === 0) asked.answer(i);
    }
    await naming.finish();
    const { known, open, queue } = naming as unknown as Readonly<Record<string, { size?: number; length?: number }>>;
    expect([known?.size, open?.size, queue?.length]).toEqual([0, 0, 0]);
  });
});

test('whatever happens in whatever order, each settled one is counted once and in order', async () => {
  const step = fc.tuple(fc.constantFrom('begin', 'settle', 'drop', 'answer', 'look'), fc.nat(11));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
      const { asked, naming, counted } = made();
      const resets = Array.from({ length: 12 }, (_, i) => numbered(i));
      const state = new Map<number, 'begun' | 'settled' | 'dropped'>();
      const wanted: number[] = [];
      const heard = new Map<number, number>();
      for (const [what, i] of steps) {
        const reset = resets[i];
        if (reset === undefined) continue;
        const was = state.get(i);
        if (what === 'begin' && was === undefined) {
          state.set(i, 'begun');
          naming.begin(reset, reset, () => heard.set(i, (heard.get(i) ?? 0) + 1));
        } else if (what === 'settle' && was !== 'settled' && was !== 'dropped') {
          state.set(i, 'settled');
          wanted.push(i);
          naming.settle(reset);
        } else if (what === 'drop' && was === 'begun') {
          state.set(i, 'dropped');
          naming.drop(reset);
        } else if (what === 'answer' && i < asked.inquiries.length) asked.answer(i);
        else if (what === 'look') naming.look();
        expect(counted.map(([frame]) => frame)).toEqual(wanted.slice(0, counted.length));
      }
      await naming.finish();
      expect(counted.map(([frame]) => frame)).toEqual(wanted);
      for (const times of heard.values()) expect(times).toBe(1);
    }),
    { numRuns: 300 },
  );
});
