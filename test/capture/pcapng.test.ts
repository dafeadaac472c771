import { describe, expect, test } from '@jest/globals';
import { BLOCK, OPTION, pcapng, PcapngBuilder } from '../support/capture-bytes.js';
import { concat, text, u32, u64, zeros } from '../support/bytes.js';
import { frameBytes, frameNumbers, range, readBytes } from './reading.js';

const bytes = frameBytes(1);

describe('packets', () => {
  for (const bigEndian of [false, true]) {
    const order = bigEndian ? 'big-endian' : 'little-endian';

    test(`enhanced, simple and obsolete, ${order}`, async () => {
      const file = pcapng({ bigEndian })
        .interface({ linkType: 101, snaplen: 96, name: 'eth0' })
        .enhancedPacket({ timestamp: 1_700_000_000_123_456n, bytes: frameBytes(0, 61), originalLength: 1514 })
        .simplePacket({ bytes: frameBytes(1, 62) })
        .simplePacket({ bytes: frameBytes(2, 96), originalLength: 1500 })
        .obsoletePacket({ timestamp: 1_700_000_001_000_001n, bytes: frameBytes(3, 63), originalLength: 64 })
        .enhancedPacket({ timestamp: 0n, bytes: frameBytes(4, 4) })
        .bytes();
      const read = await readBytes(file);
      expect(read.damage).toEqual([]);
      expect(read.container).toBe('pcapng');
      expect(read.interfaces).toMatchObject([{ linkType: 101, snaplen: 96, name: 'eth0', fractionDigits: 6 }]);
      const seen = read.frames.map(({ captured, original, seconds, nanos, iface, note }) => [
        [captured, original],
        [seconds, nanos],
        iface,
        note,
      ]);
      expect(seen).toEqual([
        [[61, 1514], [1_700_000_000, 123_456_000], 0, null],
        [[62, 62], [NaN, 0], 0, null],
        [[96, 1500], [NaN, 0], 0, null],
        [[63, 64], [1_700_000_001, 1000], 0, null],
        [[4, 4], [0, 0], 0, null],
      ]);
      expect(frameNumbers(read.frames)).toEqual(range(0, 5));
      expect(read.frames.map(({ bytes: each }) => each)).toEqual(
        [61, 62, 96, 63, 4].map((length, n) => frameBytes(n, length)),
      );
    });

    test(`other blocks are passed over, ${order}`, async () => {
      const file = pcapng({ bigEndian })
        .nameResolution({ names: [{ address: '192.0.2.1', names: ['a.example', 'b.example'] }] })
        .interface()
        .decryptionSecrets({ secrets: text('CLIENT_RANDOM 00 11\n') })
        .enhancedPacket({ bytes: frameBytes(0) })
        .customBlock({ data: zeros(20) })
        .customBlock({ copied: false })
        .enhancedPacket({ bytes: frameBytes(1) })
        .unknownBlock({ type: 0x80000001, body: zeros(100) })
        .unknownBlock({ type: 9, body: text('__REALTIME_TIMESTAMP=1\n') })
        .interfaceStatistics({ received: 3n })
        .enhancedPacket({ bytes: frameBytes(2) })
        .unknownBlock({ type: 0, body: zeros(0) })
        .bytes();
      const read = await readBytes(file);
      expect(read.damage).toEqual([]);
      expect(frameNumbers(read.frames)).toEqual([0, 1, 2]);
    });
  }

  test('several sections, of either byte order, each with interfaces of its own', async () => {
    const builder = new PcapngBuilder();
    for (const n of range(0, 6)) {
      builder.section({ bigEndian: n % 2 === 1, sectionLength: n === 3 ? 'measured' : -1n });
      builder
        .interface({ linkType: 1, name: `first${n}` })
        .interface({ linkType: 113, name: `second${n}`, tsresol: 9 });
      builder.enhancedPacket({ interface: 1, timestamp: BigInt(n) * 1_000_000_001n, bytes: frameBytes(2 * n) });
      builder.simplePacket({ bytes: frameBytes(2 * n + 1) });
    }
    const read = await readBytes(builder.bytes());
    expect(read.damage).toEqual([]);
    expect(read.frames.map(({ iface }) => iface)).toEqual(range(0, 6).flatMap((n) => [2 * n + 1, 2 * n]));
    expect(read.interfaces.map(({ name }) => name)).toEqual(range(0, 6).flatMap((n) => [`first${n}`, `second${n}`]));
    const timed = read.frames.filter(({ seconds }) => !Number.isNaN(seconds));
    expect(timed.map(({ seconds, nanos }) => [seconds, nanos])).toEqual(range(0, 6).map((n) => [n, n]));
  });

  test('a section begins without any interface', async () => {
    const file = pcapng().interface().section({ bigEndian: true }).enhancedPacket({ bytes }).bytes();
    const read = await readBytes(file);
    expect(read.frames).toEqual([]);
    expect(read.damage[0]?.message).toContain('holds a packet of interface 0, the section describes 0');
  });

  test('blocks of every length modulo four', async () => {
    const builder = pcapng().interface();
    const own = (n: number): string => `rstscope:${'x'.repeat(n)}`;
    for (const n of range(0, 9)) builder.enhancedPacket({ bytes: frameBytes(n, 60 + n), comments: [own(n)] });
    const read = await readBytes(builder.bytes());
    expect(read.frames.map(({ captured, note }) => [captured, note?.comments])).toEqual(
      range(0, 9).map((n) => [60 + n, [own(n)]]),
    );
  });

  test('many: more than a batch and a window hold', async () => {
    const builder = pcapng().interface();
    for (const n of range(0, 9000))
      builder.enhancedPacket({ timestamp: BigInt(n), bytes: frameBytes(n, 60 + (n % 7)) });
    const read = await readBytes(builder.bytes());
    expect(frameNumbers(read.frames)).toEqual(range(0, 9000));
    expect(read.frames.map(({ number, nanos }) => number - 1 - nanos / 1000)).toEqual(range(0, 9000).map(() => 0));
  });

  test('one of 16 MB less its block', async () => {
    const long = frameBytes(5, 16 * 1024 * 1024 - 32);
    const file = pcapng().interface({ snaplen: 0 }).enhancedPacket({ bytes: long }).simplePacket({ bytes }).bytes();
    const read = await readBytes(file);
    expect(read.damage).toEqual([]);
    expect(read.frames.map(({ captured }) => captured)).toEqual([long.length, 60]);
    expect(Buffer.compare(read.frames[0]!.bytes, long)).toBe(0);
  });

  test('original length below the captured', async () => {
    const read = await readBytes(pcapng().interface().enhancedPacket({ bytes, originalLength: 10 }).bytes());
    expect(read.frames.map(({ captured, original }) => [captured, original])).toEqual([[60, 60]]);
  });
});

describe('what a file says beside the packets', () => {
  test('comments of our own and direction', async () => {
    const file = pcapng()
      .interface()
      .enhancedPacket({ bytes, comments: ['rstscope: one', 'another', 'rstscope: zwei é'], flags: 1 })
      .enhancedPacket({ bytes, flags: 2 })
      .enhancedPacket({ bytes, flags: 0b10001 })
      .enhancedPacket({ bytes, flags: 3 })
      .enhancedPacket({ bytes, flags: 0 })
      .obsoletePacket({ bytes, flags: 2, comments: ['rstscope: old'] })
      .enhancedPacket({ bytes, comments: ['rstscope: a\0b'], packetId: 7n, queue: 1 })
      .enhancedPacket({ bytes, options: [{ code: OPTION.comment, value: text('rstscope: x'), length: 60000 }] })
      .enhancedPacket({ bytes, comments: ['rstscope: unended'], rawOptions: zeros(0) })
      .bytes();
    const read = await readBytes(file);
    expect(read.damage).toEqual([]);
    expect(read.frames.map(({ note }) => note)).toEqual([
      { comments: ['rstscope: one', 'rstscope: zwei é'], direction: 'inbound' },
      { comments: [], direction: 'outbound' },
      { comments: [], direction: 'inbound' },
      null,
      null,
      { comments: ['rstscope: old'], direction: 'outbound' },
      { comments: ['rstscope: a'], direction: null },
      null,
      { comments: ['rstscope: unended'], direction: null },
    ]);
  });

  test('an interface without a name, with an empty one, with one that would steer a terminal', async () => {
    const file = pcapng()
      .interface()
      .interface({ name: '' })
      .interface({ name: '\u001b[31mred\u001b]0;title\u0007\u202e\n' })
      .interface({ options: [{ code: OPTION.interfaceName, value: concat(text('eth\0junk'), Uint8Array.of(0xff)) }] })
      .interface({ options: [{ code: OPTION.interfaceName, value: Uint8Array.of(0x65, 0xff, 0x66) }] })
      .interface({ name: 'x'.repeat(1000) })
      .bytes();
    const names = (await readBytes(file)).interfaces.map(({ name }) => name);
    expect(names.slice(0, 5)).toEqual([null, null, '·[31mred·]0;title···', 'eth', 'e\ufffdf']);
    expect(names[5]).toHaveLength(257);
  });

  test('65,536 interfaces and a packet of each kind of end', async () => {
    const builder = pcapng();
    for (const n of range(0, 65536)) builder.interface({ linkType: n, name: `if${n}` });
    builder.enhancedPacket({ interface: 65535, bytes: frameBytes(0) });
    builder.obsoletePacket({ interface: 65535, bytes: frameBytes(1) });
    builder.enhancedPacket({ interface: 0, bytes: frameBytes(2) });
    const read = await readBytes(builder.bytes());
    expect(read.damage).toEqual([]);
    expect(read.frames.map(({ iface }) => iface)).toEqual([65535, 65535, 0]);
    expect(read.interfaces[65535]).toMatchObject({ linkType: 65535, name: 'if65535' });
  });

  test('drops: by packets, until statistics tell', async () => {
    const packets = pcapng()
      .interface()
      .enhancedPacket({ bytes, dropcount: 3n })
      .obsoletePacket({ bytes, drops: 4 })
      .obsoletePacket({ bytes })
      .enhancedPacket({ bytes, dropcount: 0n });
    expect((await readBytes(packets.bytes())).dropped).toBe(7);
    packets.interfaceStatistics({ dropped: 5n, osdrop: 6n, received: 100n });
    packets.enhancedPacket({ bytes, dropcount: 50n });
    expect((await readBytes(packets.bytes())).dropped).toBe(11);
    packets.interfaceStatistics({ dropped: 12n });
    expect((await readBytes(packets.bytes())).dropped).toBe(12);
  });

  test('drops: nothing said, none, of several interfaces, too many for 32 bits, big-endian', async () => {
    expect((await readBytes(pcapng().interface().interfaceStatistics({ received: 9n }).bytes())).dropped).toBeNull();
    expect((await readBytes(pcapng().interface().interfaceStatistics({ dropped: 0n }).bytes())).dropped).toBe(0);
    const several = pcapng({ bigEndian: true })
      .interface()
      .interface()
      .interfaceStatistics({ interface: 1, dropped: 5_000_000_000n })
      .interfaceStatistics({ interface: 0, dropped: 1n });
    expect((await readBytes(several.bytes())).dropped).toBe(5_000_000_001);
  });

  test('an offset with a resolution, whatever their order among the options', async () => {
    const file = pcapng({ bigEndian: true })
      .interface({
        options: [
          { code: OPTION.interfaceTsoffset, value: u64(-100n) },
          { code: OPTION.interfaceTsresol, value: Uint8Array.of(9) },
        ],
      })
      .enhancedPacket({ timestamp: 1_000_000_000_000n + 7n, bytes })
      .bytes();
    const read = await readBytes(file);
    expect([read.frames[0]?.seconds, read.frames[0]?.nanos]).toEqual([900, 7]);
    expect(read.interfaces[0]?.fractionDigits).toBe(9);
  });

  test('options too short for their type are passed over', async () => {
    const short = [OPTION.interfaceTsresol, OPTION.interfaceTsoffset].map((code) => ({ code, value: zeros(0) }));
    const file = pcapng().interface({ options: short, tsoffset: 5n }).enhancedPacket({ timestamp: 1n, bytes }).bytes();
    expect((await readBytes(file)).frames[0]?.seconds).toBe(5);
  });

  test('a block type that only the byte order tells apart', async () => {
    const file = pcapng({ bigEndian: true }).interface().enhancedPacket({ bytes }).raw(u32(BLOCK.section)).bytes();
    const read = await readBytes(file);
    expect(read.frames).toHaveLength(1);
    expect(read.damage.map(({ reason }) => reason)).toEqual(['cut-off']);
  });
});
