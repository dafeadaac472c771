/** Segments as records: the layout, what a row of the walk becomes, and places that are filled in order. */
import { describe, expect, test } from '@jest/globals';
import { Decoder } from '../../src/decode/decoder.js';
import {
  DONT_FRAGMENT,
  FLAGS_MASK,
  HAS_SCALE,
  HAS_TIMESTAMP,
  IS_IPV6,
  MAX_SCALE,
  NO_TIME,
  NO_WINDOW,
  R_ACK,
  R_DESTINATION,
  R_DESTINATION_UPPER,
  R_FLAGS,
  R_HASH,
  R_LENGTH,
  R_NANOS,
  R_NUMBER,
  R_PORTS,
  R_SECONDS,
  R_SEQ,
  R_SOURCE,
  R_SOURCE_UPPER,
  R_TENANT,
  R_TIMESTAMP,
  R_WINDOW_ID,
  RECORD_WORDS,
  SCALE_SHIFT,
  SOURCE_IS_LOWER,
  TTL_SHIFT,
} from '../../src/decode/record-layout.js';
import { recordOf, Records, untagged } from '../../src/decode/records.js';
import { carriedIp, carriedVlan, concat, ethernet, ipv4, segment, tcp, tcpOptions } from '../support/frames.js';
import { batchOf, interfaceOf, KEEP_ALL } from './decoding.js';

interface Stamp {
  readonly seconds?: number;
  readonly nanos?: number;
  readonly number?: number;
  readonly captured?: number;
}

/** The record of the walk's row of a frame. */
function recordOfFrame(frame: Uint8Array, stamp: Stamp = {}): Uint32Array {
  const { seconds = 1_700_000_000, nanos = 5, number = 7, captured = frame.length } = stamp;
  const batch = batchOf([{ bytes: frame.subarray(0, captured), original: frame.length }]);
  batch.seconds[0] = seconds;
  batch.nanos[0] = nanos;
  batch.number[0] = number;
  const rows = new Decoder(KEEP_ALL).decode(batch, 0, 1, [interfaceOf(1)]);
  expect(rows.count).toBe(1);
  const into = new Uint32Array(2 * RECORD_WORDS);
  recordOf(rows, 0, into);
  return into;
}

function flagsOf(record: Uint32Array): { flags: number; ttl: number; has: (bit: number) => boolean; scale: number } {
  const word = record[R_FLAGS]!;
  return {
    flags: word & FLAGS_MASK,
    ttl: (word >>> TTL_SHIFT) & 0xff,
    has: (bit) => (word & bit) !== 0,
    scale: (word >>> SCALE_SHIFT) & 15,
  };
}

const SYN_OPTIONS = concat(
  tcpOptions.mss(1460),
  tcpOptions.sackPermitted(),
  tcpOptions.timestamps(0xfffffff0, 0),
  tcpOptions.nop(),
  tcpOptions.windowScale(14),
);

describe('the record of a row', () => {
  test('has each word of the header in its place', () => {
    const record = recordOfFrame(
      segment({
        ...{ src: '255.1.2.3', dst: '10.0.0.1', srcPort: 65_535, dstPort: 1, seq: 0xffffffff, ack: 0x80000000 },
        ...{ flags: 'S', window: 65_535, id: 0xfffe, ttl: 255, options: SYN_OPTIONS, payload: new Uint8Array(9) },
      }),
      { seconds: 4_000_000_000, nanos: 999_999_999, number: 2 ** 32 + 3 },
    );
    const { flags, ttl, has, scale } = flagsOf(record);
    expect(record[R_SOURCE]).toBe(0xff010203);
    expect(record[R_DESTINATION]).toBe(0x0a000001);
    expect(record[R_PORTS]).toBe(0xffff0001);
    expect(record[R_TENANT]).toBe(untagged(4));
    expect([record[R_SEQ], record[R_ACK]]).toEqual([0xffffffff, 0x80000000]);
    expect([flags, ttl, scale]).toEqual([2, 255, 14]);
    expect([HAS_TIMESTAMP, HAS_SCALE, DONT_FRAGMENT].map(has)).toEqual([true, true, true]);
    expect([IS_IPV6, NO_TIME, NO_WINDOW].map(has)).toEqual([false, false, false]);
    expect(record[R_WINDOW_ID]).toBe(0xfffffffe);
    expect(record[R_LENGTH]).toBe(9);
    expect(record[R_TIMESTAMP]).toBe(0xfffffff0);
    expect([record[R_SECONDS], record[R_NANOS], record[R_NUMBER]]).toEqual([4_000_000_000, 999_999_999, 3]);
  });

  test('of IPv6 has the upper words of both addresses in its second place', () => {
    const record = recordOfFrame(segment({ src: '2001:db8:1:2:3:4:5:6', dst: 'fe80::7:8', flags: '.' }));
    const { has } = flagsOf(record);
    expect([...record.subarray(R_SOURCE_UPPER, R_SOURCE_UPPER + 3)]).toEqual([0x20010db8, 0x00010002, 0x00030004]);
    expect(record[R_SOURCE]).toBe(0x00050006);
    expect([...record.subarray(R_DESTINATION_UPPER, R_DESTINATION_UPPER + 3)]).toEqual([0xfe800000, 0, 0]);
    expect(record[R_DESTINATION]).toBe(0x00070008);
    expect([has(IS_IPV6), has(DONT_FRAGMENT)]).toEqual([true, false]);
    expect(record[R_TENANT]).toBe(untagged(6));
  });

  test('says what is missing: time, window, options', () => {
    const frame = segment({ flags: '.', window: 777, options: concat(tcpOptions.timestamps(5, 6)) });
    expect(flagsOf(recordOfFrame(frame, { seconds: NaN })).has(NO_TIME)).toBe(true);
    const cut = recordOfFrame(frame, { captured: 14 + 20 + 14 });
    expect([flagsOf(cut).has(NO_WINDOW), flagsOf(cut).has(HAS_TIMESTAMP)]).toEqual([true, false]);
    expect(cut[R_WINDOW_ID]! >>> 16).toBe(0);
    const withWindow = recordOfFrame(frame, { captured: 14 + 20 + 16 });
    expect([flagsOf(withWindow).has(NO_WINDOW), withWindow[R_WINDOW_ID]! >>> 16]).toEqual([false, 777]);
  });

  test('has a window scale of a SYN alone, and no larger one than there is', () => {
    const scaled = (flags: string, shift: number): ReturnType<typeof flagsOf> =>
      flagsOf(recordOfFrame(segment({ flags, options: tcpOptions.windowScale(shift) })));
    expect([scaled('S', 7).has(HAS_SCALE), scaled('S', 7).scale]).toEqual([true, 7]);
    expect([scaled('S.', 0).has(HAS_SCALE), scaled('S.', 0).scale]).toEqual([true, 0]);
    expect(scaled('.', 7).has(HAS_SCALE)).toBe(false);
    expect(scaled('S', MAX_SCALE + 1).has(HAS_SCALE)).toBe(false);
    expect(flagsOf(recordOfFrame(segment({ flags: 'S' }))).has(HAS_SCALE)).toBe(false);
  });

  test('tells tenants apart, and an IPv4-mapped IPv6 address from the IPv4 one', () => {
    const packet = ipv4({ src: '10.0.0.1', dst: '10.0.0.2', payload: tcp({ srcPort: 1, dstPort: 2 }) });
    const tagged = ethernet(carriedVlan({ id: 5 }, carriedIp(packet)));
    expect(recordOfFrame(tagged)[R_TENANT]).not.toBe(untagged(4));
    expect(recordOfFrame(tagged)[R_TENANT]! >>> 24).toBe(4);
    const mapped = recordOfFrame(segment({ src: '::ffff:10.0.0.1', dst: '::ffff:10.0.0.2', srcPort: 1, dstPort: 2 }));
    expect(mapped[R_SOURCE]).toBe(recordOfFrame(ethernet(carriedIp(packet)))[R_SOURCE]);
    expect(mapped[R_TENANT]).not.toBe(untagged(4));
  });
});

describe('the seal', () => {
  const sealed = (fields: { src: string; dst: string; srcPort: number; dstPort: number }): [boolean, number] => {
    const record = recordOfFrame(segment(fields));
    return [(record[R_FLAGS]! & SOURCE_IS_LOWER) !== 0, record[R_HASH]!];
  };

  test.each([
    ['10.0.0.1', '10.0.0.2', 50_000, 80],
    ['127.0.0.1', '200.0.0.1', 1, 2],
    ['10.0.0.1', '10.0.0.1', 40_000, 50_000],
    ['2001:db8::1', '2001:db8::2', 50_000, 80],
    ['2001:db8::1', 'fe80::1', 50_000, 80],
    ['2001:db8:0:1::5', '2001:db8:0:2::4', 50_000, 80],
    ['2001:db8::1', '2001:db8::1', 80, 81],
  ])('%s is lower than %s, and both ways hash alike', (src, dst, srcPort, dstPort) => {
    const [isLower, hash] = sealed({ src, dst, srcPort, dstPort });
    const [isHigher, back] = sealed({ src: dst, dst: src, srcPort: dstPort, dstPort: srcPort });
    expect([isLower, isHigher]).toEqual([true, false]);
    expect(back).toBe(hash);
    expect(sealed({ src, dst, srcPort, dstPort: dstPort + 1 })[1]).not.toBe(hash);
  });
});

describe('places', () => {
  test('are filled in order, cleared, and moved to other memory', () => {
    const records = new Records(4);
    expect([records.count, records.capacity, records.words.length]).toEqual([0, 4, 4 * RECORD_WORDS]);
    records.count = 3;
    records.clear();
    expect(records.count).toBe(0);
    const elsewhere = new Uint32Array(4 * RECORD_WORDS).fill(9);
    records.moveTo(elsewhere, 2);
    expect([records.count, records.words]).toEqual([2, elsewhere]);
  });
});
