import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fraction } from '../../src/base/time.js';
import { storeTime, timeUnit } from '../../src/capture/pcapng-time.js';
import { pcapng } from '../support/capture-bytes.js';
import { frameBytes, readBytes } from './reading.js';

const PICO = 10n ** 12n;

function perSecond(resolution: number): bigint {
  const n = BigInt(resolution & 0x7f);
  return resolution & 0x80 ? 1n << n : 10n ** n;
}

function stored(resolution: number, count: bigint, offset = 0): { seconds: number; nanos: number } {
  const seconds = new Float64Array(1);
  const nanos = new Float64Array(1);
  storeTime(timeUnit(resolution, offset), Number(count >> 32n), Number(count & 0xffffffffn), seconds, nanos, 0);
  return { seconds: seconds[0]!, nanos: nanos[0]! };
}

/** The exact time, cut to picoseconds. */
function expected(resolution: number, count: bigint): { seconds: number; nanos: number; digits: string } {
  const unit = perSecond(resolution);
  const pico = ((count % unit) * PICO) / unit;
  return {
    seconds: Number(count / unit),
    nanos: Number(pico) / 1000,
    digits: pico.toString().padStart(12, '0'),
  };
}

describe('counts of any unit', () => {
  const count = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.bigInt({ min: 0n, max: 1n << 33n }),
    fc.integer({ min: 0, max: 63 }).map((n) => (1n << BigInt(n)) - 1n),
    fc.constant((1n << 64n) - 1n),
  );
  const resolution = fc.oneof(fc.nat(255), fc.constantFrom(0, 3, 6, 9, 12, 0x88, 0x94, 0xa0));
  /** Counts next to a whole second, where a quotient in doubles goes wrong first. */
  const edge = fc
    .tuple(resolution, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constantFrom(-1n, 0n, 1n))
    .map(([unit, n, step]) => [unit, BigInt.asUintN(64, (n / perSecond(unit)) * perSecond(unit) + step)] as const);

  test('are split exactly', () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(resolution, count), edge), ([unit, n]) => {
        const { seconds, nanos } = stored(unit, n);
        const right = expected(unit, n);
        expect({ seconds, nanos }).toEqual({ seconds: right.seconds, nanos: right.nanos });
        expect(nanos).toBeGreaterThanOrEqual(0);
        expect(nanos).toBeLessThan(1e9);
      }),
      { numRuns: 20_000 },
    );
  });

  test('are written with their own digits', () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(resolution, count), edge), ([unit, n]) => {
        const { digits } = timeUnit(unit, 0);
        expect(fraction(stored(unit, n).nanos, digits)).toBe(expected(unit, n).digits.slice(0, digits));
      }),
      { numRuns: 20_000 },
    );
  });

  test.each([
    [0, 0],
    [1, 1],
    [3, 3],
    [6, 6],
    [9, 9],
    [12, 12],
    [15, 12],
    [0x80, 0],
    [0x88, 3],
    [0x94, 7],
    [0xa0, 9],
    [0xff, 9],
  ])('the resolution byte %d has %d digits', (byte, digits) => {
    expect(timeUnit(byte, 0).digits).toBe(digits);
  });
});

describe('times in files', () => {
  const cases = [0, 3, 6, 9, 12, 0x88, 0x94, 0xa0];
  for (const bigEndian of [false, true]) {
    test.each(cases)(`resolution %d, ${bigEndian ? 'big' : 'little'}-endian, with offsets`, async (tsresol) => {
      const unit = perSecond(tsresol);
      const timestamp = 1_600_000n * unit + unit / 3n;
      for (const tsoffset of [0n, 3600n, -3600n, 1_000_000_000_000n, -1_600_001n]) {
        const file = pcapng({ bigEndian })
          .interface({ tsresol, tsoffset })
          .enhancedPacket({ timestamp, bytes: frameBytes(0) })
          .obsoletePacket({ timestamp, bytes: frameBytes(1) })
          .bytes();
        const right = expected(tsresol, timestamp);
        for (const { seconds, nanos } of (await readBytes(file)).frames) {
          expect([seconds, nanos]).toEqual([right.seconds + Number(tsoffset), right.nanos]);
        }
      }
    });
  }
});
