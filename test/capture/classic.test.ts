import { describe, expect, test } from '@jest/globals';
import { classicPcap, classicRecord, type ClassicPcapFields } from '../support/capture-bytes.js';
import { concat, u32 } from '../support/bytes.js';
import { frameBytes, frameNumbers, range, readBytes } from './reading.js';

const VARIANTS = [
  { name: 'micro', fields: {}, nanos: 654321000, digits: 6 },
  { name: 'nano', fields: { nanosecond: true }, nanos: 654321, digits: 9 },
  { name: 'modified', fields: { modified: true }, nanos: 654321000, digits: 6 },
] as const;

describe('classic pcap, every dialect', () => {
  for (const bigEndian of [false, true]) {
    for (const { name, fields, nanos, digits } of VARIANTS) {
      test(`${name}, ${bigEndian ? 'big' : 'little'}-endian`, async () => {
        const records = [
          { seconds: 1700000000, fraction: 654321, bytes: frameBytes(1, 60), originalLength: 1514 },
          { seconds: 0xfffffffe, fraction: 654321, bytes: frameBytes(2, 61) },
        ];
        const read = await readBytes(classicPcap({ ...fields, bigEndian, linkType: 113, snaplen: 65535, records }));
        expect(read.damage).toEqual([]);
        expect(read.container).toBe('pcap');
        expect(read.dropped).toBeNull();
        expect(read.interfaces).toEqual([
          { linkType: 113, name: null, snaplen: 65535, fractionDigits: digits, host: null },
        ]);
        expect(read.frames).toEqual(
          records.map((record, i) => ({
            number: i + 1,
            bytes: record.bytes,
            captured: record.bytes.length,
            original: record.originalLength ?? record.bytes.length,
            seconds: record.seconds,
            nanos,
            iface: 0,
            note: null,
          })),
        );
      });
    }
  }
});

describe('the two lengths of a record', () => {
  const swapped = (fields: ClassicPcapFields, lengths: readonly [number, number][]): Uint8Array =>
    classicPcap({
      ...fields,
      records: lengths.map(([first, second], i) => ({
        seconds: 1000,
        bytes: frameBytes(i, Math.min(first, second)),
        capturedLength: first,
        originalLength: second,
      })),
    });

  for (const [versionMajor, versionMinor] of [
    [2, 0],
    [2, 1],
    [2, 2],
    [543, 0],
  ] as const) {
    for (const bigEndian of [false, true]) {
      test(`version ${versionMajor}.${versionMinor}, ${bigEndian ? 'big' : 'little'}-endian: the original one first`, async () => {
        const lengths: [number, number][] = [
          [82, 68],
          [60, 60],
          [1514, 68],
        ];
        const read = await readBytes(swapped({ versionMajor, versionMinor, bigEndian, snaplen: 68 }, lengths));
        expect(read.damage).toEqual([]);
        expect(read.frames.map(({ captured, original }) => [original, captured])).toEqual(lengths);
      });
    }
  }

  test('version 2.3: the lesser is the captured one', async () => {
    const lengths: [number, number][] = [
      [82, 68],
      [68, 82],
      [60, 60],
    ];
    const read = await readBytes(swapped({ versionMinor: 3 }, lengths));
    expect(read.damage).toEqual([]);
    expect(read.frames.map(({ captured, original }) => [captured, original])).toEqual([
      [68, 82],
      [68, 82],
      [60, 60],
    ]);
  });

  test.each([
    [2, 4],
    [2, 5],
    [2, 543],
    [3, 0],
  ])('version %d.%d: the captured one first', async (versionMajor, versionMinor) => {
    const read = await readBytes(swapped({ versionMajor, versionMinor }, [[68, 82]]));
    expect(read.frames.map(({ captured, original }) => [captured, original])).toEqual([[68, 82]]);
  });
});

describe('what writers get wrong', () => {
  test('bits above the link type', async () => {
    const read = await readBytes(classicPcap({ linkType: 1, linkTypeHighBits: 0xf400 }));
    expect(read.interfaces[0]?.linkType).toBe(1);
    const wide = await readBytes(classicPcap({ linkType: 276, linkTypeHighBits: 0x0400 }));
    expect(wide.interfaces[0]?.linkType).toBe(276);
  });

  test('a fraction of a second and more goes into the seconds', async () => {
    const bytes = frameBytes(1);
    const micro = classicPcap({
      records: [
        { seconds: 10, fraction: 1_000_000, bytes },
        { seconds: 10, fraction: 0xffffffff, bytes },
      ],
    });
    const nano = classicPcap({ nanosecond: true, records: [{ seconds: 10, fraction: 0xffffffff, bytes }] });
    const times = [...(await readBytes(micro)).frames, ...(await readBytes(nano)).frames];
    expect(times.map(({ seconds, nanos }) => [seconds, nanos])).toEqual([
      [11, 0],
      [10 + 4294, 967295000],
      [14, 294967295],
    ]);
  });

  test('captured longer than original, in every record: the original is at least the captured', async () => {
    const records = range(0, 5000).map((n) => ({ seconds: 100 + n, bytes: frameBytes(n), originalLength: n % 60 }));
    const read = await readBytes(classicPcap({ records }));
    expect(read.damage).toEqual([]);
    expect(frameNumbers(read.frames)).toEqual(range(0, 5000));
    expect(read.frames.every(({ original }) => original === 60)).toBe(true);
  });

  test.each([0, 1, 40, 4294967295, 17 * 1024 * 1024])('a snapshot length of %d with frames of 60 bytes', async (n) => {
    const records = range(0, 3000).map((i) => ({ seconds: 100, bytes: frameBytes(i) }));
    const read = await readBytes(classicPcap({ snaplen: n, records }));
    expect(read.damage).toEqual([]);
    expect(frameNumbers(read.frames)).toEqual(range(0, 3000));
    expect(read.interfaces[0]?.snaplen).toBe(n);
  });

  test('zero-length records', async () => {
    const records = [60, 0, 0, 61, 0].map((length, n) => ({
      seconds: 100,
      bytes: frameBytes(n, length),
      originalLength: 99,
    }));
    const read = await readBytes(classicPcap({ records }));
    expect(read.damage).toEqual([]);
    expect(read.frames.map(({ captured, original }) => [captured, original])).toEqual([
      [60, 99],
      [0, 99],
      [0, 99],
      [61, 99],
      [0, 99],
    ]);
  });

  test('a file of nothing but zero-length records without a time', async () => {
    const records = range(0, 10).map(() => ({ seconds: 0, bytes: new Uint8Array(0) }));
    const read = await readBytes(classicPcap({ records }));
    expect([read.frames.length, read.damage.length]).toEqual([10, 0]);
  });
});

describe('sizes', () => {
  test('no records', async () => {
    const read = await readBytes(classicPcap());
    expect([read.frames.length, read.damage.length]).toEqual([0, 0]);
  });

  test('frames as long as may be, and longer than the window, where the file says so', async () => {
    const sizes = [262144, 60, 262144, 262143, 60];
    const records = sizes.map((size, n) => ({ seconds: 100, bytes: frameBytes(n, size) }));
    const read = await readBytes(classicPcap({ records }));
    expect(read.damage).toEqual([]);
    expect(read.frames.map(({ bytes }) => bytes)).toEqual(records.map(({ bytes }) => bytes));
    const long = [60, 3_000_000, 60, 16 * 1024 * 1024, 60].map((size, n) => ({
      seconds: 100,
      bytes: frameBytes(n, size),
    }));
    const large = await readBytes(classicPcap({ snaplen: 16 * 1024 * 1024, records: long }));
    expect(large.damage).toEqual([]);
    expect(large.frames.map(({ captured }) => captured)).toEqual(long.map(({ bytes }) => bytes.length));
    expect(Buffer.compare(large.frames[3]!.bytes, long[3]!.bytes)).toBe(0);
  });

  test('many frames: each once, in order, numbered through', async () => {
    const count = 20_000;
    const one = range(0, count).map((n) => classicRecord({ seconds: 1000 + n, bytes: frameBytes(n, 40 + (n % 60)) }));
    const read = await readBytes(concat(classicPcap(), ...one));
    expect(frameNumbers(read.frames)).toEqual(range(0, count));
    expect(read.frames.map(({ number }) => number)).toEqual(range(1, count + 1));
    expect(read.frames.map(({ seconds }) => seconds)).toEqual(range(1000, 1000 + count));
  });

  test('a header of other words than the reader looks at', async () => {
    const bytes = classicPcap({ records: [{ seconds: 1, bytes: frameBytes(7) }] });
    bytes.set(u32(0xdeadbeef), 8);
    bytes.set(u32(0xdeadbeef), 12);
    expect(frameNumbers((await readBytes(bytes)).frames)).toEqual([7]);
  });
});
