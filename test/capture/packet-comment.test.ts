/** Comments of our own on the frames of resets, from the bytes of a capture to the reset. */
import { describe, expect, test } from '@jest/globals';
import type { CaptureFile } from '../../src/capture/story.js';
import { openCapture } from '../../src/capture/open.js';
import type { Reset } from '../../src/conversation/reset.js';
import { framesOf } from '../../src/conversation/reset.js';
import { Tracker, WANTED_FLAGS } from '../../src/conversation/tracker.js';
import { startScan } from '../../src/scan/scan.js';
import { text } from '../support/bytes.js';
import { OPTION, pcapng, type PcapngBuilder } from '../support/capture-bytes.js';
import { resetFrame, segment } from '../support/frames.js';
import { frameBytes, MemorySource, range, readBytes } from './reading.js';

const SECOND = 1_772_366_400_000_000n;

/** All resets of the captures, with the rows' comments as the scan has them. */
async function resetsOf(
  captures: readonly Uint8Array[],
  { fold = true, pieces }: { fold?: boolean; pieces?: readonly number[] } = {},
): Promise<Reset[]> {
  const files = captures.map((bytes, i): CaptureFile => ({
    name: `capture-${String(i)}`,
    once: false,
    open: () => openCapture('made', { source: new MemorySource(bytes, pieces), size: bytes.length }),
  }));
  const scan = startScan(files, WANTED_FLAGS.full, 'none');
  const resets: Reset[] = [];
  const tracker = new Tracker({ fold, local: null, registered: () => false }, (reset) => resets.push(reset), null);
  for (let rows = await scan.next(); rows !== null; rows = await scan.next()) {
    tracker.follow(rows.segments, rows.plain, rows);
  }
  tracker.finish();
  await scan.close();
  return resets;
}

const notesOf = async (...args: Parameters<typeof resetsOf>): Promise<(string | null)[]> =>
  (await resetsOf(...args)).map(({ note }) => note);

const reset = (n: number, ttl = 64): Uint8Array => resetFrame({ srcPort: 8080, dstPort: 1000 + n, seq: n, id: 7, ttl });

function built(fill: (builder: PcapngBuilder) => void, bigEndian = false): Uint8Array {
  const builder = pcapng({ bigEndian }).interface({ name: 'eth0' }).interface({ name: 'eth1' });
  fill(builder);
  return builder.bytes();
}

describe('the comment of a frame becomes the note of its reset', () => {
  for (const bigEndian of [false, true]) {
    test(`enhanced and obsolete packets, ${bigEndian ? 'big' : 'little'}-endian`, async () => {
      const file = built((builder) => {
        builder
          .enhancedPacket({ timestamp: SECOND, bytes: reset(1), comments: ['rstscope: one'] })
          .enhancedPacket({ timestamp: SECOND, bytes: reset(2), comments: ['mine', 'rstscope: two é', 'rstscope: 3'] })
          .obsoletePacket({ timestamp: SECOND, bytes: reset(3), flags: 1, comments: ['rstscope: old'] })
          .simplePacket({ bytes: reset(4) })
          .enhancedPacket({ timestamp: SECOND, bytes: reset(5), comments: ['seen by a colleague, not rstscope:'] })
          .enhancedPacket({ timestamp: SECOND, bytes: reset(6), comments: ['rstscope'], flags: 2 });
      }, bigEndian);
      expect(await notesOf([file])).toEqual(['rstscope: one', 'rstscope: two é', 'rstscope: old', null, null, null]);
    });
  }

  test('of resets alone: what other segments bear is not taken', async () => {
    const fields = { src: '192.0.2.10', srcPort: 1001, dst: '192.0.2.20', dstPort: 8080 };
    const file = built((builder) => {
      for (const flags of ['S', 'S.', '.', 'F.']) {
        const bytes = segment({ ...fields, flags, seq: 1, ack: 1 });
        builder.enhancedPacket({ timestamp: SECOND, bytes, comments: ['rstscope: not a reset'] });
      }
      builder.enhancedPacket({ timestamp: SECOND, bytes: reset(1) });
    });
    expect(await notesOf([file])).toEqual([null]);
  });

  test('the first frame counts, and a copy where the first has none', async () => {
    const seen = (builder: PcapngBuilder, n: number, comments: readonly (string | null)[]): void => {
      for (const [i, comment] of comments.entries()) {
        const timestamp = SECOND + BigInt(n) * 1_000_000n + BigInt(i);
        const own = comment === null ? [] : [comment];
        builder.enhancedPacket({ timestamp, interface: i % 2, bytes: reset(n, 64 - i), comments: own });
      }
    };
    const file = built((builder) => {
      seen(builder, 1, ['rstscope: a', 'rstscope: b']);
      seen(builder, 2, [null, 'rstscope: c']);
      seen(builder, 3, ['rstscope: d', null]);
      seen(builder, 4, [null, null]);
    });
    const resets = await resetsOf([file]);
    expect(resets.map(({ note }) => note)).toEqual(['rstscope: a', 'rstscope: c', 'rstscope: d', null]);
    expect(resets.map((each) => framesOf(each).length)).toEqual([2, 2, 2, 2]);
    expect(await notesOf([file], { fold: false })).toEqual(
      ['a', 'b', null, 'c', 'd', null, null, null].map((name) => name && `rstscope: ${name}`),
    );
  });

  test('the frames behind a NAT are frames of the reset', async () => {
    const behind = resetFrame({ src: '198.51.100.9', dst: '192.0.2.10', srcPort: 443, seq: 1e9, ack: 2e9 });
    const before = resetFrame({ src: '10.0.0.5', dst: '192.0.2.10', srcPort: 8443, seq: 1e9, ack: 2e9 });
    const file = built((builder) => {
      builder
        .enhancedPacket({ timestamp: SECOND, bytes: before })
        .enhancedPacket({ timestamp: SECOND + 30n, interface: 1, bytes: behind, comments: ['rstscope: natted'] });
    });
    const resets = await resetsOf([file]);
    expect(resets.map(({ note, copies }) => [note, copies?.twins?.length])).toEqual([['rstscope: natted', 1]]);
  });

  test('batches are overwritten, notes are not; whatever the pieces that were read', async () => {
    const file = built((builder) => {
      for (const n of range(0, 9000)) {
        const comments = n % 7 === 0 ? [`rstscope: ${String(n)}`] : [];
        builder.enhancedPacket({ timestamp: SECOND + BigInt(n), bytes: reset(n), comments });
      }
    });
    const expected = range(0, 9000).map((n) => (n % 7 === 0 ? `rstscope: ${String(n)}` : null));
    expect(await notesOf([file])).toEqual(expected);
    expect(await notesOf([file], { pieces: [1000, 17, 70_000] })).toEqual(expected);
  });

  test('files that are one story: each reset has its own', async () => {
    const one = (from: number): Uint8Array =>
      built((builder) => {
        for (const n of range(0, 10)) {
          const timestamp = SECOND + BigInt(2 * n + from) * 1_000_000n;
          builder.enhancedPacket({ timestamp, bytes: reset(2 * n + from), comments: [`rstscope: ${2 * n + from}`] });
        }
      });
    expect(await notesOf([one(0), one(1)])).toEqual(range(0, 20).map((n) => `rstscope: ${String(n)}`));
  });

  test('what waits is bounded: comments beyond that are as if they were not there', async () => {
    const long = `rstscope: ${'x'.repeat(16_000)}`;
    const file = built((builder) => {
      // Nothing says which side serves, so all of them wait.
      for (const n of range(0, 3000)) {
        const bytes = resetFrame({ srcPort: 40_000, dstPort: 20_000 + n, seq: 5 + n, flags: 'R', id: n });
        builder.enhancedPacket({ timestamp: SECOND + BigInt(n) * 1000n, bytes, comments: [long] });
      }
    });
    const notes = await notesOf([file]);
    const kept = notes.filter((note) => note !== null).length;
    expect(notes[0]).toBe(long);
    expect(kept * long.length).toBeLessThan(33.6e6 + long.length);
    expect(kept).toBeGreaterThan(2000);
    expect(notes).toHaveLength(3000);
  }, 60_000);
});

describe('what is kept of a frame', () => {
  const bytes = frameBytes(1);
  const notes = async (builder: PcapngBuilder): Promise<unknown[]> => {
    const read = await readBytes(builder.bytes());
    expect(read.damage).toEqual([]);
    return read.frames.map(({ note }) => note);
  };

  test('comments of others take no room', async () => {
    const builder = pcapng().interface();
    builder.enhancedPacket({ bytes, comments: range(0, 500).map((n) => `note ${String(n)}`) });
    builder.enhancedPacket({ bytes, comments: [' rstscope: a', 'rstscope', ''], flags: 1 });
    expect(await notes(builder)).toEqual([null, { comments: [], direction: 'inbound' }]);
  });

  test('sixteen kilobytes of one, and not too many', async () => {
    const builder = pcapng().interface();
    builder.enhancedPacket({ bytes, comments: range(0, 100).map(() => `rstscope: ${'é'.repeat(10_000)}`) });
    const [frame] = (await readBytes(builder.bytes())).frames;
    expect(frame?.note?.comments).toHaveLength(4);
    expect(frame?.note?.comments.map((comment) => Buffer.byteLength(comment))).toEqual(range(0, 4).map(() => 16_384));
  });

  test('lengths that lie count as nothing', async () => {
    const own = text('rstscope: x');
    const builder = pcapng().interface();
    for (const length of [12, 13, 16, 17, 4096, 0xfff0, 0xffff]) {
      builder.enhancedPacket({ bytes, options: [{ code: OPTION.comment, value: own, length }], rawOptions: text('') });
    }
    // Up to the padding the bytes are there: a NUL ends the comment.
    expect(await notes(builder)).toEqual([
      { comments: ['rstscope: x'], direction: null },
      ...range(0, 6).map(() => null),
    ]);
  });

  test('a list of options that is cut off, or ends early', async () => {
    const own = text('rstscope: x');
    const builder = pcapng()
      .interface()
      .enhancedPacket({ bytes, rawOptions: text('\u0001\0\u000b') })
      .enhancedPacket({ bytes, rawOptions: Uint8Array.of(0, 0, 0, 0, 1, 0, own.length, 0, ...own, 0) })
      .enhancedPacket({ bytes, rawOptions: Uint8Array.of(1, 0, own.length, 0, ...own, 0) });
    const read = await readBytes(builder.bytes());
    expect(read.frames.map(({ note }) => note?.comments ?? null).slice(1)).toEqual([null, ['rstscope: x']]);
  });
});
