/** From one capturing program to another: every frame once, whatever both have seen. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FrameBatch } from '../../../src/capture/frame-batch.js';
import { Handover } from '../../../src/capture/live/handover.js';
import { RateWatch } from '../../../src/capture/live/rate-watch.js';

interface Frame {
  readonly id: number;
  /** Microseconds. */
  readonly at: number;
}

function batchOf(frames: readonly Frame[], late = 0): FrameBatch {
  const batch = new FrameBatch();
  batch.restart(new Uint8Array(frames.flatMap(({ id }) => [id & 0xff, 1, 2, 3])));
  for (const [i, { at }] of frames.entries()) {
    batch.start[i] = i * 4;
    batch.captured[i] = 4;
    batch.original[i] = 4;
    batch.number[i] = i + 1;
    batch.seconds[i] = Math.floor((at + late) / 1e6);
    batch.nanos[i] = ((at + late) % 1e6) * 1000;
  }
  batch.count = frames.length;
  return batch;
}

function idsOf(batch: FrameBatch): number[] {
  return Array.from({ length: batch.count }, (_, i) => batch.bytes[batch.start[i] ?? 0] ?? -1);
}

describe('Handover', () => {
  test('any traffic, ended anywhere: each frame once', () => {
    const frame = fc.record({ id: fc.integer({ min: 0, max: 5 }), pause: fc.integer({ min: 1, max: 400_000 }) });
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 0, max: 1500 }),
        (all, a, b, late) => {
          let at = 5_000_000;
          const frames = all.map(({ id, pause }): Frame => ({ id, at: (at += pause + 3000) }));
          // The second one listens from `second` on, the first one until `first`: not before.
          const second = a % (frames.length + 1);
          const first = second + (b % (frames.length + 1 - second));
          const since = ((frames[second] ?? { at: at + 1 }).at - 1) / 1e6;
          const handover = new Handover(since, 0.002);
          const old = frames.slice(0, first);
          handover.note(batchOf(old.slice(0, 7)));
          handover.note(batchOf(old.slice(7)));
          const got: number[] = [];
          for (let i = second; i < frames.length; i += 5) {
            const batch = batchOf(frames.slice(i, i + 5), late);
            handover.sift(batch);
            got.push(...idsOf(batch));
          }
          expect([...old.map(({ id }) => id), ...got]).toEqual(frames.map(({ id }) => id));
        },
      ),
    );
  });
});

describe('RateWatch', () => {
  const packets = (from: number, seconds: number, rate: number): FrameBatch[] =>
    Array.from({ length: seconds * 10 }, (_, tenth) =>
      batchOf(
        Array.from({ length: rate / 10 }, (_, i) => ({ id: 1, at: from * 1e6 + tenth * 1e5 + (i * 1e6) / rate })),
      ),
    );
  const watched = (batches: readonly FrameBatch[], lag = 0): number | null => {
    const watch = new RateWatch(1000, () => clock);
    let clock = 0;
    for (const batch of batches) {
      clock = ((batch.seconds[batch.count - 1] ?? 0) + lag) * 1000;
      watch.note(batch);
    }
    return watch.exceeded;
  };

  test('too many for a while, not for a moment', () => {
    expect(watched(packets(100, 3, 900))).toBeNull();
    expect(watched(packets(100, 3, 1200))).toBeGreaterThan(1100);
    expect(watched([...packets(100, 1, 500), ...packets(101, 0.5, 3000), ...packets(102, 2, 500)])).toBeNull();
  });

  test('fewer, where reading them lags behind', () => {
    expect(watched(packets(100, 3, 100), 3)).toBeGreaterThan(80);
    expect(watched(packets(100, 3, 30), 3)).toBeNull();
  });
});
