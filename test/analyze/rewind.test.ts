/** What is saved with each reset: exactly the last segments of its connection, in order, once, and no more than fits. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Rewind } from '../../src/analyze/rewind.js';
import { BATCH_FRAMES, FrameBatch } from '../../src/capture/frame-batch.js';
import type { CaptureWriter } from '../../src/capture/writer.js';
import { type HeldFrame } from '../../src/capture/writer.js';
import { Tracker } from '../../src/conversation/tracker.js';
import { Decoder } from '../../src/decode/decoder.js';
import { KEEP_ANY } from '../../src/decode/net/tcp-layout.js';
import { Records } from '../../src/decode/records.js';
import { NO_COMMENTS } from '../../src/scan/comments.js';
import { segment } from '../support/frames.js';

interface Sent {
  readonly connection: number;
  readonly flags: string;
  /** Milliseconds since the beginning. */
  readonly at: number;
  readonly seq?: number;
}

const ETHERNET = { linkType: 1, name: 'eth0', snaplen: 128, fractionDigits: 6, host: null };
const BEGIN = 1_700_000_000;

interface Settings {
  readonly segments?: number;
  readonly seconds?: number;
  readonly entries?: number;
  /** Frames a batch. */
  readonly batch?: number;
  /** Connections whose resets are kept; all where nothing is said. */
  readonly kept?: (port: number) => boolean;
}

/** Numbers of the frames that are saved, from 0, and of how many resets the lead-up was not whole. */
function saved(
  sent: readonly Sent[],
  settings: Settings = {},
): { frames: number[]; short: number; comments: number[] } {
  const { segments = 3, seconds = Infinity, entries = 4096, batch = BATCH_FRAMES, kept = () => true } = settings;
  const written: { number: number; comment: string | null }[] = [];
  const writer = new Collecting(written);
  let short = -1;
  const onShort = (resets: number): void => {
    short = resets;
  };
  const rewind = new Rewind(writer, { segments, seconds, bytes: 2 << 20, entries, admits: null, onShort });
  const decoder = new Decoder(KEEP_ANY);
  const tracker = new Tracker(
    { fold: true, local: null, registered: () => false },
    (reset) => {
      rewind.release(reset, kept(Math.max(reset.srcPort, reset.destPort)), 'a comment');
    },
    {
      taken: (reset, row) => {
        rewind.showsReset(row, reset);
      },
      joined: (root, twin) => {
        rewind.join(root, twin);
      },
    },
  );
  const plain = new Records(0);
  for (let from = 0; from < sent.length; from += batch) {
    const frames = batchOf(sent.slice(from, from + batch), from);
    const segs = decoder.decode(frames, 0, frames.count, [ETHERNET]);
    const rows = { file: 0, segments: segs, plain, interfaces: [ETHERNET], comments: NO_COMMENTS, frames };
    rewind.take(rows);
    tracker.follow(segs, plain, rows);
    rewind.flush();
  }
  tracker.finish();
  rewind.end();
  return {
    frames: written.map(({ number }) => number),
    short,
    comments: written.filter(({ comment }) => comment !== null).map(({ number }) => number),
  };
}

/** Instead of bytes: the frames' numbers, which are in their IP IDs and sequence numbers. */
class Collecting {
  private readonly inner: { frame: HeldFrame; number: number }[] = [];
  private readonly written: { number: number; comment: string | null }[];

  constructor(written: { number: number; comment: string | null }[]) {
    this.written = written;
  }

  hold(frame: Parameters<CaptureWriter['hold']>[0]): HeldFrame {
    const held: HeldFrame = { ...frame, fate: 'open', comment: null };
    this.inner.push({ frame: held, number: numberOf(frame.bytes) });
    return held;
  }

  flush(): void {
    for (let [first] = this.inner; first !== undefined && first.frame.fate !== 'open'; [first] = this.inner) {
      this.inner.shift();
      if (first.frame.fate === 'kept') this.written.push({ number: first.number, comment: first.frame.comment });
    }
  }
}

/** Source MAC address: where the frame's number is. */
const NUMBER_AT = 6;

function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(NUMBER_AT);
}

function batchOf(sent: readonly Sent[], first: number): FrameBatch {
  const batch = new FrameBatch();
  const frames = sent.map(({ connection, flags, seq }, i) => {
    const bytes = segment({ srcPort: 10_000 + connection, dstPort: 80, flags, seq: seq ?? first + i });
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(NUMBER_AT, first + i);
    return bytes;
  });
  const all = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length + 16, 0));
  batch.restart(all);
  let at = 16;
  for (const [i, frame] of frames.entries()) {
    all.set(frame, at);
    batch.number[i] = first + i + 1;
    batch.start[i] = at;
    batch.captured[i] = frame.length;
    batch.original[i] = frame.length;
    const time = sent[i]?.at ?? 0;
    batch.seconds[i] = BEGIN + Math.floor(time / 1000);
    batch.nanos[i] = (time % 1000) * 1e6;
    batch.iface[i] = 0;
    at += frame.length + 16;
  }
  batch.count = frames.length;
  return batch;
}

/** The same by a list and two loops. Resets of a connection lie far apart, so that none is a copy. */
function expected(sent: readonly Sent[], segments: number): number[] {
  const wanted = new Set<number>();
  for (const [i, one] of sent.entries()) {
    if (!one.flags.includes('R')) continue;
    wanted.add(i);
    let left = segments;
    for (let j = i - 1; j >= 0 && left > 0; j--) {
      const other = sent[j];
      if (other?.connection !== one.connection || other.flags.includes('R')) continue;
      wanted.add(j);
      left--;
    }
    for (const [j, other] of sent.entries()) {
      const isAfter = j > i && other.connection === one.connection && !other.flags.includes('R');
      if (isAfter && other.at <= one.at + 2000) wanted.add(j);
    }
  }
  return [...wanted].sort((a, b) => a - b);
}

const SOME: readonly Sent[] = [
  { connection: 1, flags: 'S', at: 0 },
  { connection: 2, flags: 'S', at: 1 },
  { connection: 1, flags: '.', at: 2 },
  { connection: 1, flags: '.', at: 3 },
  { connection: 2, flags: '.', at: 4 },
  { connection: 1, flags: '.', at: 5 },
  { connection: 1, flags: 'R.', at: 6 },
  { connection: 2, flags: '.', at: 7 },
  { connection: 1, flags: '.', at: 8 },
  { connection: 1, flags: '.', at: 2007 },
];

describe('what is saved', () => {
  test.each([1, 3, 100])('the last segments, the reset, two seconds behind it: in batches of %d', (batch) => {
    expect(saved(SOME, { batch })).toEqual({ frames: [2, 3, 5, 6, 8], short: 0, comments: [6] });
  });

  test('nothing of a connection whose reset is not kept', () => {
    expect(saved(SOME, { kept: () => false }).frames).toEqual([]);
  });

  test('a frame that two resets ask for: once; where one is kept, it is there', () => {
    const sent: Sent[] = [
      { connection: 1, flags: '.', at: 0 },
      { connection: 1, flags: 'R', at: 1 },
      { connection: 1, flags: 'R', at: 900, seq: 77 },
    ];
    expect(saved(sent)).toEqual({ frames: [0, 1, 2], short: 0, comments: [1, 2] });
  });

  test('a segment that several interfaces have seen counts once', () => {
    const twice = [0, 0, 1, 1, 2, 2].map((seq, at): Sent => ({ connection: 1, flags: '.', at, seq }));
    const sent = [...twice, { connection: 1, flags: 'R', at: 6 }];
    expect(saved(sent, { segments: 2 }).frames).toEqual([2, 3, 4, 5, 6]);
  });

  test('what was not held any more is told: by frames, and by time', () => {
    const many: Sent[] = [
      { connection: 1, flags: 'S', at: 0 },
      ...Array.from({ length: 5000 }, (_, i): Sent => ({ connection: 2 + (i % 50), flags: '.', at: 1 })),
      { connection: 1, flags: 'R', at: 2 },
    ];
    expect(saved(many)).toMatchObject({ frames: [5001], short: 1 });
    const slow: Sent[] = [
      { connection: 1, flags: 'S', at: 0 },
      { connection: 2, flags: 'S', at: 61_000 },
      { connection: 1, flags: 'R', at: 61_001 },
    ];
    expect(saved(slow, { seconds: 60, batch: 1 })).toMatchObject({ frames: [2], short: 1 });
    expect(saved(slow)).toMatchObject({ frames: [0, 2], short: 0 });
  });

  test('any traffic: as a list and two loops have it', () => {
    const one = fc.record({
      connection: fc.integer({ min: 1, max: 4 }),
      flags: fc.constantFrom('.', '.', '.', 'S', 'F.', 'R', 'R.'),
      pause: fc.integer({ min: 0, max: 1500 }),
    });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        (all, segments, batch) => {
          let at = 0;
          const sent = all.map(({ connection, flags, pause }): Sent => ({ connection, flags, at: (at += pause) }));
          expect(saved(sent, { segments, batch }).frames).toEqual(expected(sent, segments));
        },
      ),
      { numRuns: 300 },
    );
  });
});
