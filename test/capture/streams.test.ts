import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { capture, classicRecords } from '../support/arbitraries.js';
import { classicPcap, pcapng } from '../support/capture-bytes.js';
import { readBytes } from './reading.js';

/** The same bytes give the same frames, however they arrive. */
describe('a capture in pieces', () => {
  const piece = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5000 }));
  const pieces = fc.oneof(fc.constant([1]), fc.array(piece, { minLength: 1, maxLength: 20 }));
  const damage = fc.option(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat(255) }));
  const cut = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));

  test('reads the same as whole: classic, pcapng, gzip, sound or damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        capture({ maxRecords: 12 }),
        fc.constantFrom('pcap', 'pcapng', 'gzip'),
        pieces,
        fc.boolean(),
        damage,
        cut,
        async (description, container, sizes, later, spoil, end) => {
          const { bigEndian, nanosecond } = description;
          const records = classicRecords(description);
          let bytes = classicPcap({ bigEndian, nanosecond, records });
          if (container === 'pcapng') {
            const builder = pcapng({ bigEndian }).interface({ tsresol: nanosecond ? 9 : 6 });
            for (const { seconds, fraction = 0, bytes: frame } of records) {
              const timestamp = BigInt(seconds) * (nanosecond ? 1_000_000_000n : 1_000_000n) + BigInt(fraction);
              builder.enhancedPacket({ timestamp, bytes: frame, flags: frame.length & 3 });
            }
            bytes = builder.bytes();
          }
          if (container === 'gzip') bytes = gzipSync(bytes);
          // The file header stays: what it opens is another test's matter.
          if (spoil !== null && bytes.length > 48) {
            bytes[48 + Math.floor(spoil.at * (bytes.length - 49))] = spoil.value;
          }
          if (end !== null) bytes = bytes.subarray(0, Math.max(48, Math.floor(end * bytes.length)));
          const read = (parts?: readonly number[]): Promise<unknown> =>
            readBytes(bytes, parts, later).catch((error: unknown) => ({ refused: String(error) }));
          expect(await read(sizes)).toEqual(await read());
        },
      ),
      { numRuns: 300 },
    );
  });
});
