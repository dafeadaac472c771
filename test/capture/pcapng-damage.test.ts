import { describe, expect, test } from '@jest/globals';
import { pcapng, type PcapngBuilder } from '../support/capture-bytes.js';
import { concat, u32, zeros } from '../support/bytes.js';
import { frameBytes, frameNumbers, messages, range, readBytes } from './reading.js';

/** Section header and interface, then `count` packets, each in a block of 92 bytes from byte 48 on. */
function packets(count: number, bigEndian = false): PcapngBuilder {
  const builder = pcapng({ bigEndian }).interface();
  for (const n of range(0, count)) builder.enhancedPacket({ timestamp: BigInt(n), bytes: frameBytes(n, 60) });
  return builder;
}

const FIRST = 48;
const BLOCK = 92;
const place = (n: number): number => FIRST + n * BLOCK;

function overwritten(file: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(file);
  copy.set(u32(value, true), at);
  return copy;
}

describe('a pcapng file that is cut off', () => {
  for (const bigEndian of [false, true]) {
    test(`${bigEndian ? 'big' : 'little'}-endian, at every byte`, async () => {
      const builder = pcapng({ bigEndian, application: 'test' })
        .interface({ name: 'eth0' })
        .enhancedPacket({ bytes: frameBytes(0, 61), comments: ['hello'] })
        .simplePacket({ bytes: frameBytes(1, 33) })
        .interfaceStatistics({ dropped: 1n })
        .obsoletePacket({ bytes: frameBytes(2, 42) });
      const file = builder.bytes();
      const starts = [...builder.offsets(), file.length];
      for (let cut = 12; cut <= file.length; cut++) {
        const read = await readBytes(file.subarray(0, cut));
        const whole = starts.filter((start) => start > 0 && start <= cut).length;
        const frames = [2, 3, 5].filter((block) => block < whole).length;
        expect(frameNumbers(read.frames)).toEqual(range(0, frames));
        const start = starts[whole]!;
        if (start === cut) {
          expect(read.damage).toEqual([]);
          continue;
        }
        const have = cut - start;
        const need = have < 12 ? 12 : starts[whole + 1]! - start;
        const message = `block ${whole + 1} at byte ${start} is cut off: it takes ${need} bytes, ${have} are there`;
        expect(read.damage).toEqual([{ reason: 'cut-off', interface: null, byte: start, message }]);
      }
    });
  }
});

describe('a corrupt block', () => {
  const expectGap = async (file: Uint8Array, gap: number, message: RegExp): Promise<void> => {
    const read = await readBytes(file);
    expect(frameNumbers(read.frames)).toEqual(range(0, 50).filter((n) => n !== gap));
    expect(read.damage.map(({ reason, byte }) => [reason, byte])).toEqual([['corrupt-block', place(gap)]]);
    expect(messages(read)[0]).toMatch(message);
  };
  const file = packets(50).bytes();

  test('of 4 GB', async () => {
    const message = `block 13 at byte ${place(10)} claims 4294967292 bytes, a block has 12 to 16777216; 92 bytes passed over, reading goes on at byte ${place(11)}`;
    await expectGap(overwritten(file, place(10) + 4, 0xfffffffc), 10, new RegExp(`^${message}$`));
  });

  test('of no length, or too short for a block', async () => {
    await expectGap(overwritten(file, place(10) + 4, 0), 10, /claims 0 bytes, a block has 12 to 16777216; /);
    await expectGap(overwritten(file, place(10) + 4, 11), 10, /claims 11 bytes, a block has 12/);
  });

  test('whose two lengths differ', async () => {
    await expectGap(overwritten(file, place(11) - 4, 88), 10, /has two lengths, 92 and 88 bytes; 92 bytes passed over/);
    await expectGap(overwritten(file, place(10) + 4, 184), 10, /has two lengths, 184 and 92 bytes; /);
  });

  test('whose length leads behind the end of the file', async () => {
    await expectGap(
      overwritten(file, place(10) + 4, 1_000_000),
      10,
      /claims 1,000,000 bytes, 3,680 are there; 92 bytes/,
    );
  });

  test('whose packet is longer than it', async () => {
    const message = /^block 13 at byte 968 claims a packet of 61 bytes, the block holds 60; it is passed over$/;
    await expectGap(overwritten(file, place(10) + 20, 61), 10, message);
    await expectGap(overwritten(file, place(10) + 20, 0xffffffff), 10, /claims a packet of 4294967295 bytes/);
  });

  test('of an interface that is not described', async () => {
    await expectGap(
      overwritten(file, place(10) + 8, 7),
      10,
      /holds a packet of interface 7, the section describes 1; /,
    );
    await expectGap(overwritten(file, place(10) + 8, 0xffffffff), 10, /interface 4294967295/);
  });

  test('big-endian', async () => {
    const big = packets(50, true).bytes();
    big.set(u32(0xfffffffc), place(10) + 4);
    await expectGap(big, 10, /claims 4294967292 bytes/);
  });

  test('bytes lost and bytes too many, whatever that does to the alignment', async () => {
    for (const length of [1, 2, 3, 4, 5, 91]) {
      const lost = concat(file.subarray(0, place(10) + 30), file.subarray(place(10) + 30 + Math.min(length, 60)));
      const read = await readBytes(lost);
      expect(frameNumbers(read.frames)).toEqual(range(0, 50).filter((n) => n !== 10));
    }
    for (const length of [1, 2, 3, 4, 17, 100, 600_000]) {
      const garbage = Uint8Array.from({ length }, (_, i) => 0x80 | ((i * 2654435761) >>> 24));
      const more = concat(file.subarray(0, place(10)), garbage, file.subarray(place(10)));
      const read = await readBytes(more);
      expect(frameNumbers(read.frames)).toEqual(range(0, 50));
      expect(read.damage.map(({ byte }) => byte)).toEqual([place(10)]);
    }
  });

  test('section header without a byte order: the next section is found', async () => {
    const second = packets(5, true).bytes();
    second.set(u32(0x11111111), 8);
    const read = await readBytes(concat(file, second, packets(3, true).bytes()));
    expect(frameNumbers(read.frames)).toEqual([...range(0, 50), ...range(0, 3)]);
    expect(messages(read)[0]).toMatch(/^block 53 at byte 4648 is a section header without a byte order; /);
  });

  test('to the end', async () => {
    const read = await readBytes(concat(file, new Uint8Array(1000).fill(0xee)));
    expect(frameNumbers(read.frames)).toEqual(range(0, 50));
    expect(messages(read)).toEqual([
      'block 53 at byte 4648 claims 4008636142 bytes, a block has 12 to 16777216; ' +
        'no block is recognisable in the 1,000 bytes from there to the end',
    ]);
  });

  test('zeros at the end', async () => {
    const read = await readBytes(concat(file, zeros(4096)));
    expect(frameNumbers(read.frames)).toEqual(range(0, 50));
    expect(read.damage).toHaveLength(1);
  });

  test('too short for what it should be', async () => {
    const builder = pcapng().interface();
    for (const type of [1, 2, 3, 5, 6]) builder.unknownBlock({ type, body: zeros(0) });
    const read = await readBytes(builder.enhancedPacket({ bytes: frameBytes(0) }).bytes());
    expect(frameNumbers(read.frames)).toEqual([0]);
    expect(messages(read)).toEqual([
      'block 3 at byte 48 is an interface description and too short for it: 12 bytes; it is passed over',
      'block 4 at byte 60 is a packet and too short for it: 12 bytes; it is passed over',
      'block 5 at byte 72 is a simple packet and too short for it: 12 bytes; it is passed over',
      'block 6 at byte 84 is interface statistics and too short for it: 12 bytes; it is passed over',
      'block 7 at byte 96 is a packet and too short for it: 12 bytes; it is passed over',
    ]);
  });

  test('simple packet and statistics without an interface', async () => {
    const builder = pcapng()
      .simplePacket({ bytes: frameBytes(0) })
      .interfaceStatistics({ interface: 3 });
    expect(messages(await readBytes(builder.bytes()))).toEqual([
      'block 2 at byte 28 holds a simple packet of interface 0, the section describes 0; it is passed over',
      'block 3 at byte 104 holds statistics of interface 3, the section describes 0; it is passed over',
    ]);
  });

  test('simple packet that claims more than its block: what is there', async () => {
    const read = await readBytes(
      pcapng()
        .interface()
        .simplePacket({ bytes: frameBytes(3, 40), originalLength: 9000 })
        .bytes(),
    );
    expect(read.frames.map(({ captured, original }) => [captured, original])).toEqual([[40, 9000]]);
  });

  test('more interfaces than are kept', async () => {
    const many = pcapng();
    for (let n = 0; n < 43_691; n++) many.interface();
    const interfaces = many.bytes().subarray(28);
    const last = pcapng()
      .enhancedPacket({ bytes: frameBytes(0) })
      .bytes()
      .subarray(28);
    const read = await readBytes(concat(pcapng().bytes(), interfaces, interfaces, interfaces, last));
    expect(read.frames).toHaveLength(1);
    expect(messages(read)).toEqual([
      'block 131074 at byte 2621468 describes interface 131,073 of the file, 131,072 are kept; it is passed over',
    ]);
  });

  test('complaints are bounded', async () => {
    const builder = pcapng().interface();
    for (const n of range(0, 1000)) builder.enhancedPacket({ interface: 9, bytes: frameBytes(n) });
    const read = await readBytes(builder.bytes());
    expect(read.damage).toHaveLength(51);
    expect(messages(read).at(-1)).toMatch(/^950 more places of damage, the last: block 1002 at byte/);
  });
});

describe('block lengths that are not a multiple of four', () => {
  const block = (n: number, total: number, trailerAt: number, size: number): Uint8Array => {
    const [bytes] = [zeros(size)];
    for (const [offset, value] of [
      [0, 6],
      [4, total],
      [20, 59],
      [24, 59],
      [trailerAt, total],
    ] as const) {
      bytes.set(u32(value, true), offset);
    }
    bytes.set(frameBytes(n, 59), 28);
    return bytes;
  };

  test('padding not counted, or not written', async () => {
    const blocks = [block(0, 91, 88, 92), block(1, 91, 87, 91), block(2, 91, 88, 92), block(3, 91, 87, 91)];
    const read = await readBytes(concat(pcapng().interface().bytes(), ...blocks, packets(2).bytes()));
    expect(read.damage).toEqual([]);
    expect(frameNumbers(read.frames)).toEqual([0, 1, 2, 3, 0, 1]);
  });
});
