import { describe, expect, test } from '@jest/globals';
import { constants, createGzip, gunzipSync, gzipSync } from 'node:zlib';
import { GzipError, GzipSource } from '../../src/capture/gzip.js';
import { classicPcap, pcapng } from '../support/capture-bytes.js';
import { concat, text, zeros } from '../support/bytes.js';
import { frameBytes, frameNumbers, MemorySource, messages, range, readBytes, readSource } from './reading.js';

const capture = classicPcap({
  records: range(0, 2000).map((n) => ({ seconds: 1700000000 + n, bytes: frameBytes(n, 60 + (n % 90)) })),
});
const packed = gzipSync(capture);

/** All that a source gives before its end or its error. */
async function drain(bytes: Uint8Array, pieces?: readonly number[]): Promise<{ given: Uint8Array; error: unknown }> {
  const source = new GzipSource(new MemorySource(bytes, pieces));
  const parts: Uint8Array[] = [];
  try {
    for (;;) {
      const into = new Uint8Array(40_000);
      const got = await source.read(into, 0, into.length);
      if (got === 0) return { given: concat(...parts), error: null };
      parts.push(into.subarray(0, got));
    }
  } catch (error) {
    return { given: concat(...parts), error };
  } finally {
    source.close();
  }
}

describe('gzip', () => {
  test('classic and pcapng, in chunks of any size', async () => {
    for (const pieces of [[Infinity], [1], [7, 1000, 3], [16384]]) {
      const read = await readBytes(packed, pieces, pieces[0] === 7);
      expect(read.damage).toEqual([]);
      expect(frameNumbers(read.frames)).toEqual(range(0, 2000));
    }
    const other = gzipSync(
      pcapng()
        .interface()
        .enhancedPacket({ bytes: frameBytes(3) })
        .bytes(),
    );
    expect(frameNumbers((await readBytes(other)).frames)).toEqual([3]);
  });

  test('several members, cut anywhere, with empty ones and padding between and behind', async () => {
    for (const at of [0, 1, 10, 24, 5000, capture.length]) {
      const members = [capture.subarray(0, at), zeros(0), capture.subarray(at)].map((each) => gzipSync(each));
      const read = await readBytes(concat(...members, zeros(512)), [100, 20_000]);
      expect(frameNumbers(read.frames)).toEqual(range(0, 2000));
      expect(read.damage).toEqual([]);
    }
  });

  test('with a name and a comment in its header', async () => {
    const header = Uint8Array.of(0x1f, 0x8b, 8, 0x18, 0, 0, 0, 0, 0, 3);
    const named = concat(header, text('a.pcap\0comment\0'), packed.subarray(10));
    expect((await readBytes(named)).frames).toHaveLength(2000);
  });

  test('what is not gzip behind it is told, after all frames', async () => {
    const read = await readBytes(concat(packed, text('trailing')));
    expect(frameNumbers(read.frames)).toEqual(range(0, 2000));
    expect(read.damage.map(({ reason }) => reason)).toEqual(['corrupt-gzip']);
  });

  test('a wrong checksum is told, after all frames', async () => {
    const wrong = Uint8Array.from(packed);
    wrong[wrong.length - 5]! ^= 1;
    wrong[wrong.length - 8]! ^= 1;
    const read = await readBytes(wrong);
    expect(frameNumbers(read.frames)).toEqual(range(0, 2000));
    expect(read.damage).toMatchObject([{ reason: 'corrupt-gzip', byte: capture.length }]);
    expect(messages(read)[0]).toMatch(/^the gzip stream is corrupt: .* before it fails \(incorrect data check\)$/);
  });

  test('cut off: what was unpacked before is read, and both figures are told', async () => {
    for (const cut of [
      60,
      500,
      packed.length >> 2,
      packed.length >> 1,
      packed.length - 9,
      packed.length - 8,
      packed.length - 1,
    ]) {
      const right = gunzipSync(packed.subarray(0, cut), { finishFlush: constants.Z_SYNC_FLUSH });
      const { given, error } = await drain(packed.subarray(0, cut));
      expect(Buffer.compare(given, right)).toBe(0);
      expect(error).toBeInstanceOf(GzipError);
      expect((error as GzipError).cut).toBe(true);
      if (right.length < 24) continue;
      const read = await readBytes(packed.subarray(0, cut));
      const whole = await readBytes(capture.subarray(0, right.length));
      expect(frameNumbers(read.frames)).toEqual(frameNumbers(whole.frames));
      expect(read.damage).toMatchObject([{ reason: 'cut-off', byte: right.length }]);
      const thousands = (n: number): string => n.toLocaleString('en');
      expect(messages(read)).toEqual([
        `the gzip stream is cut off: ${thousands(cut)} packed bytes gave ${thousands(right.length)} bytes before its end`,
      ]);
    }
  });

  test('corrupt in the middle: everything unpacked before is delivered', async () => {
    // Dynamic blocks that name distances out of reach, and a block type that there is none of, at known places.
    for (const blocks of [1, 2, 7, 40]) {
      const parts: Buffer[] = [];
      const gzip = createGzip();
      gzip.on('data', (chunk: Buffer) => parts.push(chunk));
      const piece = Math.floor(capture.length / blocks);
      for (const n of range(0, blocks)) {
        gzip.write(capture.subarray(n * piece, (n + 1) * piece));
        await new Promise<void>((resolve) => gzip.flush(constants.Z_FULL_FLUSH, resolve));
      }
      const sound = Buffer.concat(parts);
      gzip.destroy();
      const { given, error } = await drain(concat(sound, Uint8Array.of(0xff, 0xff, 0xff)), [4096, 1, 30_000]);
      expect(Buffer.compare(given, capture.subarray(0, piece * blocks))).toBe(0);
      expect(error).toMatchObject({ cut: false, message: expect.stringContaining('invalid block type') });
    }
  });

  test('any flipped byte: no exception, and the beginning is right', async () => {
    for (let at = 10; at < packed.length; at += 1499) {
      const flipped = Uint8Array.from(packed);
      flipped[at]! ^= 0x55;
      const { given } = await drain(flipped);
      // A symbol in front of the byte takes at most a few bits: all but the last were delivered.
      const before = gunzipSync(packed.subarray(0, at - 1), { finishFlush: constants.Z_SYNC_FLUSH });
      expect(Buffer.compare(given.subarray(0, before.length), before)).toBe(0);
    }
  });

  test('a bomb unpacks within bounds', async () => {
    const bomb = gzipSync(concat(classicPcap({ records: [{ seconds: 1, bytes: frameBytes(0) }] }), zeros(100_000_000)));
    expect(bomb.length).toBeLessThan(200_000);
    const before = process.memoryUsage();
    let most = 0;
    const watch = setInterval(() => {
      const now = process.memoryUsage();
      most = Math.max(most, now.external + now.heapUsed - before.external - before.heapUsed);
    }, 5);
    const read = await readSource(new MemorySource(bomb));
    clearInterval(watch);
    expect(frameNumbers(read.frames)).toEqual([0]);
    expect(read.damage.map(({ reason }) => reason)).toEqual(['corrupt-record']);
    expect(most).toBeLessThan(64_000_000);
  });

  test('an error of the source below comes through', async () => {
    const failing = new MemorySource(packed, [5000]);
    let reads = 0;
    const read = await readSource({
      read: (into, from, to) => {
        if (++reads > 4) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
        return failing.read(into, from, to);
      },
      close: () => failing.close(),
    });
    expect(read.frames.length).toBeGreaterThan(100);
    expect(read.damage).toMatchObject([
      { reason: 'read-error', message: expect.stringMatching(/^reading failed at byte \d+: input\/output error$/) },
    ]);
    expect(failing.closed).toBe(1);
  });

  test('closed while a read is under way, it ends', async () => {
    let answer: (got: number) => void = () => undefined;
    const source = new GzipSource({
      read: () => new Promise<number>((resolve) => (answer = resolve)),
      close: () => answer(0),
    });
    const pending = source.read(new Uint8Array(10), 0, 10);
    source.close();
    await expect(pending).resolves.toBe(0);
  });
});
