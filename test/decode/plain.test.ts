/** The sieve's records: whatever it takes, the walk says the same of it, and what is not plain is left to the walk. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BATCH_FRAMES } from '../../src/capture/frame-batch.js';
import { Decoder } from '../../src/decode/decoder.js';
import { KEEP_ANY } from '../../src/decode/net/tcp-layout.js';
import {
  FLAGS_MASK,
  HAS_SCALE,
  HAS_TIMESTAMP,
  NO_TIME,
  R_FLAGS,
  R_HASH,
  R_NANOS,
  R_SECONDS,
  R_TIMESTAMP,
  RECORD_WORDS,
  SCALE_SHIFT,
} from '../../src/decode/record-layout.js';
import { recordOf, Records } from '../../src/decode/records.js';
import * as arbitrary from '../support/arbitraries.js';
import { carriedIp, concat, ethernet, ipv4, ipv6, segment, tcp, tcpOptions } from '../support/frames.js';
import { batchOf, interfaceOf, KEEP_ALL } from './decoding.js';

interface Captured {
  readonly bytes: Uint8Array;
  /** Bytes that the capture kept; the frame was `bytes` long on the wire. */
  readonly captured: number;
  readonly seconds: number;
  readonly nanos: number;
  readonly number: number;
}

const MARGIN = 64;
const TIMES = { seconds: 1_700_000_000, nanos: 123_456_789, number: 42 };

/** What the sieve makes of a frame; null: it leaves it to the walk. */
function sieved({ bytes, captured, seconds, nanos, number }: Captured, wanted = KEEP_ANY): Uint32Array | null {
  const records = new Records(4, new Uint32Array(4 * RECORD_WORDS).fill(0xdeadbeef));
  const { sieve } = new Decoder(wanted, BATCH_FRAMES, records);
  const around = new Uint8Array(bytes.length + 2 * MARGIN).fill(0x01);
  around.set(bytes.subarray(0, captured), MARGIN);
  const view = new DataView(around.buffer);
  const passed = sieve.passes(view, MARGIN, MARGIN + captured, seconds, nanos, number, bytes.length);
  expect(sieve.passed).toBe(passed ? 1 : 0);
  return passed ? records.words.slice(0, records.count * RECORD_WORDS) : null;
}

/** What the walk makes of it; null: no segment. */
function walked({ bytes, captured, seconds, nanos, number }: Captured): Uint32Array | null {
  const batch = batchOf([{ bytes: bytes.subarray(0, captured), original: bytes.length }]);
  batch.seconds[0] = seconds;
  batch.nanos[0] = nanos;
  batch.number[0] = number;
  const rows = new Decoder(KEEP_ALL | KEEP_ANY).decode(batch, 0, 1, [interfaceOf(1)]);
  if (rows.count === 0) return null;
  const into = new Uint32Array(2 * RECORD_WORDS);
  recordOf(rows, 0, into);
  return into;
}

/** The words that mean something. */
function meaning(record: Uint32Array, words: number): number[] {
  const flags = record[R_FLAGS]!;
  const plain = [...record.subarray(0, Math.min(words, R_HASH + 1))];
  if ((flags & HAS_TIMESTAMP) === 0) plain[R_TIMESTAMP] = 0;
  if ((flags & NO_TIME) !== 0) {
    plain[R_SECONDS] = 0;
    plain[R_NANOS] = 0;
  }
  return words > RECORD_WORDS ? [...plain, ...record.subarray(RECORD_WORDS, RECORD_WORDS + 6)] : plain;
}

/** @returns whether the sieve took the frame. */
function expectSame(frame: Captured): boolean {
  const fast = sieved(frame);
  if (fast === null) return false;
  const slow = walked(frame);
  if (slow === null) throw new Error('the walk says that it is no segment');
  expect(meaning(fast, fast.length)).toEqual(meaning(slow, fast.length));
  return true;
}

const anyOptions: fc.Arbitrary<Uint8Array> = fc.oneof(
  arbitrary.tcpOptionBytes(),
  // Aligned timestamps and something behind them, an end of the list, lengths that lie.
  fc
    .tuple(arbitrary.uint32(), fc.constantFrom(tcpOptions.windowScale(3), tcpOptions.eol(), tcpOptions.sack([1, 2])))
    .map(([value, more]) => concat(tcpOptions.nop(), tcpOptions.nop(), tcpOptions.timestamps(value, 0), more)),
  fc.uint8Array({ maxLength: 40 }),
  fc.array(fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 10), { maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
);

interface PlainFrame {
  readonly version: 4 | 6;
  readonly addresses: arbitrary.AddressPair;
  readonly flags: number;
  readonly reserved: number;
  readonly seq: number;
  readonly ack: number;
  readonly options: Uint8Array;
  readonly payload: number;
  readonly ttl: number;
  readonly id: number;
  readonly df: boolean;
  readonly trafficClass: number;
  /** What the IP header claims: the truth, nothing, or something else. */
  readonly claim: 'true' | 'none' | 'short' | 'long';
  readonly padded: number;
  readonly cut: number;
  readonly dataOffset: number | null;
}

const plainFrame: fc.Arbitrary<PlainFrame> = fc.constantFrom(4 as const, 6 as const).chain((version) =>
  fc.record({
    version: fc.constant(version),
    addresses: arbitrary.addressPair(version),
    flags: fc.oneof(arbitrary.tcpFlagsByte(), fc.constantFrom(2, 0x12, 0x10, 0x18, 0x11)),
    reserved: fc.constantFrom(0, 0, 0, 1, 15),
    seq: arbitrary.uint32(),
    ack: arbitrary.uint32(),
    options: anyOptions,
    payload: fc.constantFrom(0, 0, 1, 6, 100, 1400),
    ttl: fc.nat(255),
    id: fc.nat(65_535),
    df: fc.boolean(),
    trafficClass: fc.nat(255),
    claim: fc.constantFrom('true' as const, 'true' as const, 'none' as const, 'short' as const),
    padded: fc.constantFrom(0, 0, 6, 26),
    cut: fc.oneof(fc.constant(0), fc.nat(60)),
    dataOffset: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(15) }),
  }),
);

function frameOf(f: PlainFrame): Uint8Array {
  const { src, dst } = f.addresses;
  const payload = tcp({
    ...{ srcPort: 50_000, dstPort: 443, seq: f.seq, ack: f.ack, flags: f.flags, reservedBits: f.reserved, window: 501 },
    ...{ options: f.options, payload: new Uint8Array(f.payload).fill(8) },
    ...(f.dataOffset === null ? {} : { dataOffset: f.dataOffset }),
  });
  const whole = payload.length + (f.version === 4 ? 20 : 0);
  const claimed = { true: whole, none: 0, short: whole - Math.min(f.payload + 4, 30), long: whole + 9 }[f.claim];
  const { ttl, id, df, trafficClass } = f;
  const packet =
    f.version === 4
      ? ipv4({ src, dst, ttl, id, trafficClass, totalLength: claimed, fragment: { df }, payload })
      : ipv6({ src, dst, hopLimit: ttl, trafficClass, flowLabel: id, payloadLength: claimed, payload });
  return concat(ethernet(carriedIp(packet)), new Uint8Array(f.padded).fill(3));
}

function capturedOf(f: PlainFrame): Captured {
  const bytes = frameOf(f);
  return { bytes, captured: Math.max(0, bytes.length - f.cut), ...TIMES };
}

describe('the record that the sieve makes', () => {
  test('is that of the walk: addresses, numbers, options of every kind, padding, lengths that lie, cut frames', () => {
    let [four, six, cut] = [0, 0, 0];
    fc.assert(
      fc.property(plainFrame, (each) => {
        if (!expectSame(capturedOf(each))) return;
        if (each.version === 4) four++;
        else six++;
        if (each.cut > 0) cut++;
      }),
      { numRuns: 2500 },
    );
    expect(Math.min(four, six, cut)).toBeGreaterThan(100);
  });

  test('counts no more payload than was on the wire, whatever the IP header claims', () => {
    fc.assert(
      fc.property(plainFrame, (each) => {
        expectSame(capturedOf({ ...each, claim: 'long', cut: 0 }));
      }),
      { numRuns: 300 },
    );
  });

  test('has the window scale of a SYN, wherever it stands among its options', () => {
    const timestamps = concat(tcpOptions.nop(), tcpOptions.nop(), tcpOptions.timestamps(77, 0));
    const scale = concat(tcpOptions.nop(), tcpOptions.windowScale(9));
    for (const options of [concat(tcpOptions.mss(1460), scale, timestamps), concat(timestamps, scale), scale]) {
      const bytes = segment({ flags: 'S', options });
      const record = sieved({ bytes, captured: bytes.length, ...TIMES });
      expect(record).not.toBeNull();
      expect((record![R_FLAGS]! & HAS_SCALE) !== 0).toBe(true);
      expect((record![R_FLAGS]! >>> SCALE_SHIFT) & 15).toBe(9);
    }
  });

  test('says that a frame has no time', () => {
    for (const src of ['10.0.0.1', '2001:db8::1']) {
      const bytes = segment({ src, flags: '.' });
      const frame = { bytes, captured: bytes.length, seconds: NaN, nanos: 0, number: 1 };
      const record = sieved(frame);
      expect(record === null || (record[R_FLAGS]! & NO_TIME) !== 0).toBe(true);
    }
  });

  test('takes no options from behind what was captured, nor from behind the datagram', () => {
    const options = concat(tcpOptions.nop(), tcpOptions.nop(), tcpOptions.timestamps(0x11223344, 0));
    const bytes = segment({ flags: '.', options });
    for (let captured = 54; captured <= bytes.length; captured++) expectSame({ bytes, captured, ...TIMES });
    // The header claims options that its datagram has no room for; the frame's padding is not them.
    const short = ethernet(
      carriedIp(
        ipv4({ src: '10.0.0.1', dst: '10.0.0.2', totalLength: 40, payload: tcp({ srcPort: 1, dstPort: 2, options }) }),
      ),
    );
    expectSame({ bytes: short, captured: short.length, ...TIMES });
  });

  test('lies behind those before it, an IPv6 one in two places', () => {
    const records = new Records(8);
    const { sieve } = new Decoder(KEEP_ANY, BATCH_FRAMES, records);
    const pass = (bytes: Uint8Array, number: number): boolean =>
      sieve.passes(
        new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        0,
        bytes.length,
        1,
        2,
        number,
        bytes.length,
      );
    expect(pass(segment({ flags: '.' }), 1)).toBe(true);
    expect(pass(segment({ flags: '.', src: '2001:db8::1' }), 2)).toBe(true);
    expect(pass(segment({ flags: '.' }), 3)).toBe(true);
    expect(records.count).toBe(4);
    expect([0, 1, 3].map((place) => records.words[place * RECORD_WORDS + 12])).toEqual([1, 2, 3]);
  });
});

describe('the sieve leaves to the walk', () => {
  const of = (bytes: Uint8Array): Captured => ({ bytes, captured: bytes.length, ...TIMES });

  test('resets, whatever is wanted', () => {
    for (const flags of ['R', 'R.', 'RS', 'RF.']) {
      expect(sieved(of(segment({ flags })))).toBeNull();
      expect(sieved(of(segment({ flags })), 0)).toBeNull();
    }
  });

  test('wanted frames whose length only the wire knows, and those that find no place', () => {
    const packet = ipv4({ src: '10.0.0.1', dst: '10.0.0.2', totalLength: 0, payload: tcp({ srcPort: 1, dstPort: 2 }) });
    expect(sieved(of(ethernet(carriedIp(packet))))).toBeNull();
    const records = new Records(2);
    const { sieve } = new Decoder(KEEP_ANY, BATCH_FRAMES, records);
    const bytes = segment({ flags: '.' });
    const pass = (): boolean => sieve.passes(new DataView(bytes.buffer), 0, bytes.length, 1, 2, 3, bytes.length);
    expect([pass(), pass(), records.count, sieve.passed]).toEqual([true, false, 1, 1]);
  });

  test('nothing that is not wanted: that is counted and makes no record', () => {
    expect(sieved(of(segment({ flags: '.' })), 0x07)).toEqual(new Uint32Array(0));
    expect(sieved(of(segment({ flags: 'S' })), 0x07)).not.toEqual(new Uint32Array(0));
    const record = sieved(of(segment({ flags: 'S' })), 0x07);
    expect(record![R_FLAGS]! & FLAGS_MASK).toBe(2);
  });
});
