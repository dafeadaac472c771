import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openCapture, type OpenCapture } from '../../src/capture/open.js';
import { inTimeOrder, type CaptureFile } from '../../src/capture/story.js';
import { classicPcap, pcapng } from '../support/capture-bytes.js';
import { frameBytes, MemorySource, range } from './reading.js';

interface Made {
  file: CaptureFile;
  /** How often it was opened, and how many of those are open still. */
  opened: number;
  open: number;
}

function made(name: string, bytes: Uint8Array | Error, once = false, pieces?: readonly number[]): Made {
  const state: Made = { file: { name, once, open }, opened: 0, open: 0 };
  async function open(): Promise<OpenCapture> {
    state.opened += 1;
    if (once && state.opened > 1) throw new Error('opened twice');
    if (bytes instanceof Error) throw bytes;
    const source = new MemorySource(bytes, pieces);
    const capture = await openCapture(name, { source, size: bytes.length });
    state.open += 1;
    return {
      ...capture,
      close: () => {
        if (source.closed === 0) state.open -= 1;
        capture.close();
      },
    };
  }
  return state;
}

/** A file of frames at these times, in milliseconds; frame n of file f holds f * 1000 + n. */
function fileAt(f: number, times: readonly number[]): Uint8Array {
  const records = times.map((time, n) => ({
    seconds: Math.floor(time / 1000),
    fraction: (time % 1000) * 1000,
    bytes: frameBytes(f * 1000 + n, 20),
  }));
  return classicPcap({ records });
}

interface Heard {
  file: number;
  n: number;
  time: number;
}

interface Story {
  heard: Heard[];
  failed: [number, string][];
  opened: number[];
  damage: string[];
  passages: number;
}

async function tell(files: readonly Made[], stopAfter = Infinity): Promise<Story> {
  const story: Story = { heard: [], failed: [], opened: [], damage: [], passages: 0 };
  const captures: OpenCapture[] = [];
  const passages = inTimeOrder(
    files.map(({ file }) => file),
    (file, error) => story.failed.push([file, String(error)]),
    (file, capture) => {
      story.opened.push(file);
      captures.push(capture);
    },
  );
  for await (const { file, batch, from, to } of passages) {
    expect(to).toBeGreaterThan(from);
    story.passages += 1;
    for (let i = from; i < to; i++) {
      const n = new DataView(batch.bytes.buffer, batch.bytes.byteOffset + batch.start[i]!).getUint32(0);
      expect(batch.number[i]).toBeLessThanOrEqual((n % 1000) + 1);
      story.heard.push({ file, n, time: batch.seconds[i]! * 1000 + batch.nanos[i]! / 1e6 });
    }
    if (story.heard.length >= stopAfter) break;
  }
  story.damage = captures.flatMap(({ name, reader }) => reader.damage.map(({ reason }) => `${name} ${reason}`));
  expect(files.map(({ open }) => open)).toEqual(files.map(() => 0));
  return story;
}

/** Every frame once, of the right file, and never back in time. */
function expectWhole(story: Story, times: readonly (readonly number[])[]): void {
  const all = times.flatMap((own, file) => own.map((time, n) => ({ file, n: file * 1000 + n, time })));
  const sorted = [...story.heard].sort((a, b) => a.n - b.n);
  expect(sorted).toEqual(all);
  for (let i = 1; i < story.heard.length; i++) {
    expect(story.heard[i]!.time).toBeGreaterThanOrEqual(story.heard[i - 1]!.time);
  }
}

describe('several captures as one story', () => {
  test('one file, and none', async () => {
    expectWhole(await tell([made('a', fileAt(0, [1, 2, 2, 5]))]), [[1, 2, 2, 5]]);
    expect((await tell([])).heard).toEqual([]);
  });

  test('one after another, given in any order: one open at a time', async () => {
    const times = [range(2000, 2100), range(0, 100), range(1000, 1100)];
    const files = times.map((own, f) => made(String(f), fileAt(f, own)));
    const story = await tell(files);
    expectWhole(story, times);
    expect(story.opened).toEqual([1, 2, 0]);
    expect(story.passages).toBe(3);
    expect(files.map(({ opened }) => opened)).toEqual([2, 2, 2]);
  });

  test('overlapping, and one inside another', async () => {
    const times = [range(0, 100).map((t) => 2 * t), range(50, 120), [60, 60, 61], [-1, 500].map((t) => t + 1)];
    expectWhole(await tell(times.map((own, f) => made(String(f), fileAt(f, own)))), times);
  });

  test('equal times: whole runs, in the order given', async () => {
    const times = [range(0, 50).map(() => 7), range(0, 50).map(() => 7), range(0, 50).map(() => 7)];
    const story = await tell(times.map((own, f) => made(String(f), fileAt(f, own))));
    expectWhole(story, times);
    expect(story.heard.map(({ n }) => n)).toEqual(times.flatMap((own, f) => own.map((_, n) => f * 1000 + n)));
  });

  test('one empty, one damaged, one cut off, one missing, one that is no capture', async () => {
    const cut = fileAt(1, range(20, 40)).subarray(0, -3);
    const damaged = fileAt(3, range(10, 30));
    damaged[24 + 36 * 5 + 11] = 0xff;
    const files = [
      made('empty', classicPcap()),
      made('cut', cut),
      made('missing', new Error('no such file')),
      made('damaged', damaged),
      made('text', Buffer.from('this is no capture at all')),
      made('sound', fileAt(5, range(0, 50))),
    ];
    const story = await tell(files);
    const numbers = (file: number): number[] =>
      story.heard.filter((each) => each.file === file).map(({ n }) => n % 1000);
    expect(range(0, 6).map(numbers)).toEqual([
      [],
      range(0, 19),
      [],
      range(0, 20).filter((n) => n !== 5),
      [],
      range(0, 50),
    ]);
    expect(story.failed.map(([file]) => file)).toEqual([2, 4]);
    expect([...story.opened].sort()).toEqual([0, 1, 3, 5]);
    expect(story.damage.sort()).toEqual(['cut cut-off', 'damaged corrupt-record']);
  });

  test('what can be read only once is opened once, wherever it stands', async () => {
    const times = [range(100, 150), range(0, 120), range(140, 300), []];
    for (const once of [0, 1, 2, 3]) {
      const files = times.map((own, f) => made(String(f), fileAt(f, own), f === once));
      expectWhole(await tell(files), times);
      expect(files[once]!.opened).toBe(1);
    }
    const all = times.map((own, f) => made(String(f), fileAt(f, own), true));
    expectWhole(await tell(all), times);
  });

  test('that is broken off: everything is closed', async () => {
    const times = [range(0, 100), range(50, 150), range(1000, 1100)];
    for (const stop of [1, 60, 170]) {
      await tell(
        times.map((own, f) => made(String(f), fileAt(f, own), f === 2)),
        stop,
      );
    }
  });

  test('frames without a time come when their file does', async () => {
    const timeless = pcapng().interface();
    for (const n of range(0, 3)) timeless.simplePacket({ bytes: frameBytes(n, 20) });
    const mixed = pcapng()
      .interface()
      .enhancedPacket({ timestamp: 10_000n, bytes: frameBytes(1000, 20) })
      .simplePacket({ bytes: frameBytes(1001, 20) })
      .enhancedPacket({ timestamp: 30_000n, bytes: frameBytes(1002, 20) });
    const files = [timeless.bytes(), mixed.bytes(), fileAt(2, [5, 15, 25, 35])];
    const story = await tell(files.map((bytes, f) => made(String(f), bytes)));
    expect(story.heard.map(({ n }) => n)).toEqual([0, 1, 2, 2000, 1000, 1001, 2001, 2002, 1002, 2003]);
  });

  test('300 files, some of which overlap', async () => {
    const times = range(0, 300).map((f) => range(0, 20).map((n) => ((f * 7919) % 300) * 15 + n));
    const files = times.map((own, f) => made(String(f), fileAt(f, own)));
    const story = await tell(files);
    expectWhole(story, times);
  });

  test('any files in any order', async () => {
    const file = fc.array(fc.oneof(fc.nat(50), fc.constant(0)), { maxLength: 40 }).chain((steps) =>
      fc.nat(2000).map((start) =>
        steps.map(
          (
            (sum) => (step: number) =>
              (sum += step)
          )(start),
        ),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(file, fc.boolean(), fc.integer({ min: 1, max: 300 })), { maxLength: 8 }),
        async (given) => {
          const times = given.map(([own]) => own);
          const files = given.map(([own, once, piece], f) => made(String(f), fileAt(f, own), once, [piece]));
          expectWhole(await tell(files), times);
        },
      ),
      { numRuns: 200 },
    );
  });
});
