/** The queue behind a capturing program: the same bytes however they are cut, and whole packets where there is no room. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RecordQueue } from '../../../src/capture/live/record-queue.js';
import { concat, u32 } from '../../support/bytes.js';
import { classicHeader, classicPcap, classicRecord, pcapng } from '../../support/capture-bytes.js';
import { frameBytes, frameNumbers, messages, range, readBytes } from '../reading.js';

async function drained(queue: RecordQueue, room = 4096): Promise<Uint8Array> {
  const into = new Uint8Array(room);
  const parts: Uint8Array[] = [];
  for (;;) {
    const taken = await queue.read(into, 0, into.length);
    if (taken === 0) return concat(...parts);
    parts.push(into.slice(0, taken));
  }
}

/** `bytes` in pieces of these sizes, over and over. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}

interface Made {
  name: string;
  make: (frames: number, length?: number) => Uint8Array;
}

const records = (frames: number, length: number): { seconds: number; fraction: number; bytes: Uint8Array }[] =>
  range(0, frames).map((n) => ({ seconds: 1_700_000_000 + n, fraction: n, bytes: frameBytes(n, length) }));

const STREAMS: readonly Made[] = [false, true].flatMap((bigEndian) => [
  {
    name: `classic, ${bigEndian ? 'big' : 'little'}-endian`,
    make: (frames, length = 60) => classicPcap({ bigEndian, records: records(frames, length) }),
  },
  {
    name: `classic of nanoseconds, ${bigEndian ? 'big' : 'little'}-endian`,
    make: (frames, length = 60) => classicPcap({ bigEndian, nanosecond: true, records: records(frames, length) }),
  },
  {
    name: `pcapng, ${bigEndian ? 'big' : 'little'}-endian`,
    make: (frames, length = 60) => {
      const builder = pcapng({ bigEndian }).interface({ name: 'eth0' });
      for (const n of range(0, frames)) builder.enhancedPacket({ bytes: frameBytes(n, length), timestamp: BigInt(n) });
      return builder.interfaceStatistics({ dropped: 3n }).bytes();
    },
  },
]);

describe.each(STREAMS)('$name', ({ make }) => {
  test('however it is cut, the same bytes come out', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(20),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(100),
        async (frames, sizes, room, lost) => {
          const whole = make(frames);
          // The last record may be cut off.
          const bytes = whole.subarray(0, whole.length - Math.min(lost, whole.length));
          const queue = new RecordQueue();
          for (const piece of cut(bytes, sizes)) queue.push(piece);
          queue.end();
          expect(Buffer.compare(await drained(queue, room), bytes)).toBe(0);
          expect(queue).toMatchObject({ dropped: 0, size: 0 });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('over the limit whole packets are dropped and counted; the rest is a capture', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 30, max: 60 }),
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 500, max: 1500 }),
        async (frames, sizes, limit) => {
          const queue = new RecordQueue(limit);
          let most = 0;
          for (const piece of cut(make(frames), sizes)) {
            queue.push(piece);
            most = Math.max(most, queue.size);
          }
          queue.end();
          const reading = await readBytes(await drained(queue));
          expect(messages(reading)).toEqual([]);
          const numbers = frameNumbers(reading.frames);
          expect(numbers.length).toBeGreaterThan(0);
          expect(queue.dropped).toBeGreaterThan(0);
          expect(numbers.length + queue.dropped).toBe(frames);
          // What was there first stays, and as it was.
          expect(numbers).toEqual(range(0, numbers.length));
          for (const { bytes } of reading.frames) expect(bytes).toEqual(frameBytes(numbers.shift() ?? -1));
          // Headers and statistics are let in beyond the limit, packets are not.
          expect(most).toBeLessThanOrEqual(limit + 400);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('when there is room again packets go on', async () => {
    const bytes = make(100);
    const pieces = cut(bytes, [bytes.length >> 1, bytes.length]);
    const queue = new RecordQueue(1000);
    queue.push(pieces[0] ?? new Uint8Array(0));
    const into = new Uint8Array(2000);
    const first = into.slice(0, await queue.read(into, 0, into.length));
    expect(queue.size).toBe(0);
    queue.push(pieces[1] ?? new Uint8Array(0));
    queue.end();
    const reading = await readBytes(concat(first, await drained(queue)));
    expect(messages(reading)).toEqual([]);
    const numbers = frameNumbers(reading.frames);
    expect(numbers.length + queue.dropped).toBe(100);
    expect(Math.max(...numbers)).toBeGreaterThan(49);
  });
});

describe('what is no capture', () => {
  test('garbage passes through as it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
        async (bytes, sizes) => {
          const queue = new RecordQueue();
          for (const piece of cut(bytes, sizes)) queue.push(piece);
          queue.end();
          expect(Buffer.compare(await drained(queue), bytes)).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([0, 1, 11, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffd, 0xffffffff])(
    'a block that claims %i bytes: the rest goes on as it is',
    async (length) => {
      for (const little of [true, false]) {
        const head = pcapng({ bigEndian: !little }).interface({}).bytes();
        const block = concat(u32(6, little), u32(length, little), frameBytes(1, 100));
        const queue = new RecordQueue();
        queue.push(concat(head, block));
        queue.push(frameBytes(2, 100));
        queue.end();
        expect(Buffer.compare(await drained(queue), concat(head, block, frameBytes(2, 100)))).toBe(0);
      }
    },
  );

  test.each([0x01000001, 0x80000000, 0xffffffff])('a record that claims %i bytes: likewise', async (length) => {
    const bytes = concat(classicHeader(), classicRecord({ seconds: 1, capturedLength: length, bytes: frameBytes(1) }));
    const queue = new RecordQueue();
    queue.push(bytes);
    queue.push(frameBytes(2, 100));
    queue.end();
    expect(Buffer.compare(await drained(queue), concat(bytes, frameBytes(2, 100)))).toBe(0);
  });
});

describe('a reader that waits', () => {
  test('gets what comes, and the end', async () => {
    const queue = new RecordQueue();
    const reading = drained(queue);
    const bytes = classicPcap({ records: records(3, 60) });
    for (const piece of cut(bytes, [30])) {
      await Promise.resolve();
      queue.push(piece);
    }
    queue.end();
    expect(Buffer.compare(await reading, bytes)).toBe(0);
  });

  test('is let go when the queue is closed; what comes later is forgotten', async () => {
    const queue = new RecordQueue();
    const reading = queue.read(new Uint8Array(10), 0, 10);
    queue.close();
    expect(await reading).toBe(0);
    queue.push(classicHeader());
    expect(queue.size).toBe(0);
  });
});
