import { describe, expect, test } from '@jest/globals';
import { classicHeader, classicPcap, classicRecord, type ClassicRecord } from '../support/capture-bytes.js';
import { concat, u32, zeros } from '../support/bytes.js';
import { frameBytes, frameNumbers, messages, range, readBytes } from './reading.js';

const HEADER = 24;
const RECORD = 16;

function record(n: number, length = 54): ClassicRecord {
  return { seconds: 1700000000 + n, fraction: n, bytes: frameBytes(n, length) };
}

/** A file of `count` records of `length` bytes with one length field overwritten. */
function corrupted(count: number, at: number, claim: number, length = 54, more: { snaplen?: number } = {}): Uint8Array {
  const bytes = classicPcap({ ...more, records: range(0, count).map((n) => record(n, length)) });
  bytes.set(u32(claim, true), HEADER + at * (RECORD + length) + 8);
  return bytes;
}

describe('a classic file that is cut off', () => {
  for (const [name, fields, recordHeader] of [
    ['plain', {}, 16],
    ['modified, big-endian', { modified: true, bigEndian: true }, 24],
  ] as const) {
    test(`${name}: at every byte`, async () => {
      const lengths = [60, 1, 54, 70];
      const records = lengths.map((length, n) => record(n, length));
      const bytes = classicPcap({ ...fields, records });
      const starts = lengths.map((_, n) =>
        lengths.slice(0, n).reduce((sum, length) => sum + recordHeader + length, HEADER),
      );
      for (let cut = HEADER; cut <= bytes.length; cut++) {
        const whole = lengths.filter((length, n) => starts[n]! + recordHeader + length <= cut).length;
        const read = await readBytes(bytes.subarray(0, cut));
        expect(read.frames.map((frame) => frame.bytes)).toEqual(records.slice(0, whole).map((each) => each.bytes));
        const start = starts[whole] ?? bytes.length;
        const have = cut - start;
        if (have === 0) {
          expect(read.damage).toEqual([]);
          continue;
        }
        const place = `record ${whole + 1} at byte ${start} is cut off`;
        const length = lengths[whole]!;
        const there = (n: number): string => `${n} ${n === 1 ? 'byte' : 'bytes'}`;
        const missing =
          have < recordHeader
            ? `a record header takes ${there(recordHeader)}, ${have} are there`
            : `its header claims ${there(length)}, ${have - recordHeader} are there`;
        expect(read.damage).toEqual([
          { reason: 'cut-off', interface: null, byte: start, message: `${place}: ${missing}` },
        ]);
      }
    });
  }

  test('where the records are odd in themselves', async () => {
    const records = range(0, 5).map((n) => ({ ...record(n), originalLength: 20 }));
    const read = await readBytes(classicPcap({ records }).subarray(0, -10));
    expect(frameNumbers(read.frames)).toEqual(range(0, 4));
    expect(messages(read)).toEqual(['record 5 at byte 304 is cut off: its header claims 54 bytes, 44 are there']);
  });
});

describe('a corrupt record', () => {
  test('is told with both numbers, and reading goes on behind it', async () => {
    const read = await readBytes(corrupted(300, 100, 4294967280));
    expect(frameNumbers(read.frames)).toEqual([...range(0, 100), ...range(101, 300)]);
    expect(read.damage).toEqual([
      {
        reason: 'corrupt-record',
        interface: null,
        byte: 7024,
        message:
          'record 101 at byte 7024 claims 4294967280 bytes, the snapshot length is 262144; ' +
          '70 bytes passed over, reading goes on at byte 7094',
      },
    ]);
    expect(read.frames.at(-1)?.number).toBe(299);
  });

  for (const [name, fields] of [
    ['big-endian', { bigEndian: true }],
    ['nanosecond', { nanosecond: true }],
    ['modified', { modified: true }],
    ['old, original length first', { versionMinor: 2 }],
    ['old, either length first', { versionMinor: 3 }],
  ] as const) {
    test(`${name}: both lengths corrupt`, async () => {
      const records = range(0, 50).map((n) => ({
        ...record(n),
        ...(n === 20 ? { capturedLength: 0x7fffffff, originalLength: 0x7fffffff } : {}),
      }));
      const read = await readBytes(classicPcap({ ...fields, records }));
      expect(frameNumbers(read.frames)).toEqual([...range(0, 20), ...range(21, 50)]);
      expect(read.damage).toHaveLength(1);
    });
  }

  test('whose length is possible but not for its frame costs that record only', async () => {
    const read = await readBytes(corrupted(10_000, 100, 200_000));
    expect(frameNumbers(read.frames)).toEqual([...range(0, 100), ...range(101, 10_000)]);
    expect(messages(read)).toEqual([
      'record 101 at byte 7024 claims 200000 bytes of a frame of 54, and no record follows it; ' +
        '70 bytes passed over, reading goes on at byte 7094',
    ]);
  });

  test('whose possible length leads behind the end of the file does too', async () => {
    const read = await readBytes(corrupted(300, 100, 200_000));
    expect(frameNumbers(read.frames)).toEqual([...range(0, 100), ...range(101, 300)]);
    expect(read.damage.map(({ reason, byte }) => [reason, byte])).toEqual([['corrupt-record', 7024]]);
  });

  test('longer than a small snapshot length', async () => {
    const read = await readBytes(corrupted(300, 100, 5000, 54, { snaplen: 96 }));
    expect(frameNumbers(read.frames)).toEqual([...range(0, 100), ...range(101, 300)]);
    expect(messages(read)[0]).toMatch(/^record 101 at byte 7024 claims 5000 bytes, the snapshot length is 96; /);
  });

  test.each([0, 4294967295])('where the snapshot length, %d, says nothing', async (snaplen) => {
    const read = await readBytes(corrupted(300, 100, 4294967280, 54, { snaplen }));
    expect(frameNumbers(read.frames)).toEqual([...range(0, 100), ...range(101, 300)]);
    expect(messages(read)[0]).toMatch(
      /^record 101 at byte 7024 claims 4294967280 bytes, no frame is longer than 262144; /,
    );
  });

  test('whose length is too small: at most the next record is lost with it', async () => {
    for (const claim of [1, 20, 53, 55]) {
      const read = await readBytes(corrupted(300, 100, claim));
      const numbers = frameNumbers(read.frames.filter(({ captured }) => captured === 54));
      expect(numbers.slice(0, 100)).toEqual(range(0, 100));
      expect(numbers.slice(-198)).toEqual(range(102, 300));
      expect(read.damage.length).toBeGreaterThan(0);
    }
  });

  test('one after another: each is told', async () => {
    const bytes = corrupted(300, 100, 4294967280);
    bytes.set(u32(0x10000000, true), HEADER + 200 * 70 + 8);
    const read = await readBytes(bytes);
    expect(frameNumbers(read.frames)).toEqual([...range(0, 100), ...range(101, 200), ...range(201, 300)]);
    expect(read.damage.map(({ byte }) => byte)).toEqual([7024, 14024]);
  });

  test('the first of the file, the last, the one before the last', async () => {
    expect(frameNumbers((await readBytes(corrupted(10, 0, 0xffffffff))).frames)).toEqual(range(1, 10));
    expect(frameNumbers((await readBytes(corrupted(10, 8, 0xffffffff))).frames)).toEqual([...range(0, 8), 9]);
    const last = await readBytes(corrupted(10, 9, 0xffffffff));
    expect(frameNumbers(last.frames)).toEqual(range(0, 9));
    expect(messages(last)).toEqual([
      'record 10 at byte 654 claims 4294967295 bytes, the snapshot length is 262144; ' +
        'no record is recognisable in the 70 bytes from there to the end',
    ]);
  });

  test('garbage to the end', async () => {
    const garbage = Uint8Array.from({ length: 100_000 }, (_, i) => 128 | ((i * 2654435761) >>> 24));
    const read = await readBytes(concat(classicPcap({ records: range(0, 100).map((n) => record(n)) }), garbage));
    expect(frameNumbers(read.frames)).toEqual(range(0, 100));
    expect(read.damage).toHaveLength(1);
    expect(messages(read)[0]).toContain('no record is recognisable in the 100,000 bytes from there to the end');
  });

  test('garbage in the middle, of any length, longer than the window too', async () => {
    for (const length of [1, 2, 3, 15, 16, 17, 1000, 700_001]) {
      const garbage = Uint8Array.from({ length }, (_, i) => 128 | ((i * 2654435761) >>> 24));
      const before = range(0, 20).map((n) => classicRecord(record(n)));
      const after = range(20, 60).map((n) => classicRecord(record(n)));
      const read = await readBytes(concat(classicHeader(), ...before, garbage, ...after));
      expect(frameNumbers(read.frames)).toEqual(range(0, 60));
      expect(read.damage.map(({ byte }) => byte)).toEqual([HEADER + 20 * 70]);
    }
  });

  test('zeros that a crash left at the end are no frames', async () => {
    for (const length of [16, 31, 4096, 1_000_000]) {
      const read = await readBytes(concat(classicPcap({ records: range(0, 10).map((n) => record(n)) }), zeros(length)));
      expect(frameNumbers(read.frames)).toEqual(range(0, 10));
      expect(read.damage.map(({ reason, byte }) => [reason, byte])).toEqual([['corrupt-record', 724]]);
    }
  });

  test('zeros in the middle are passed over', async () => {
    const before = range(0, 20).map((n) => classicRecord(record(n)));
    const after = range(20, 60).map((n) => classicRecord(record(n)));
    const read = await readBytes(concat(classicHeader(), ...before, zeros(4096), ...after));
    expect(frameNumbers(read.frames)).toEqual(range(0, 60));
  });

  test('is followed to the end of a file that is cut off as well', async () => {
    const read = await readBytes(corrupted(10, 5, 0xffffffff).subarray(0, -20));
    expect(frameNumbers(read.frames)).toEqual([...range(0, 5), ...range(6, 9)]);
    expect(read.damage.map(({ reason }) => reason)).toEqual(['corrupt-record', 'cut-off']);
  });

  test('complaints are bounded', async () => {
    const records = range(0, 2000).map((n) => ({
      ...record(n),
      ...(n % 5 === 4 ? { capturedLength: 0xffffffff } : {}),
    }));
    const read = await readBytes(classicPcap({ records }));
    expect(frameNumbers(read.frames)).toEqual(range(0, 2000).filter((n) => n % 5 !== 4));
    expect(read.damage).toHaveLength(51);
    expect(messages(read).at(-1)).toMatch(/^350 more places of damage, the last: record 1601 at byte/);
  });

  test('100 MB without a record are looked through in seconds', async () => {
    const bytes = new Uint8Array(100_000_000).fill(0x11);
    bytes.set(classicPcap({ records: range(0, 3).map((n) => record(n)) }));
    const start = performance.now();
    const read = await readBytes(bytes);
    expect(frameNumbers(read.frames)).toEqual(range(0, 3));
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
