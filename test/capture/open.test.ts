import { describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { UserError } from '../../src/base/errors.js';
import { classicPcap, pcapng } from '../support/capture-bytes.js';
import { concat, hex, text, zeros } from '../support/bytes.js';
import { frameBytes, MemorySource, openSource, range, readBytes } from './reading.js';

async function refused(bytes: Uint8Array, name = 'some.pcap'): Promise<UserError> {
  const source = new MemorySource(bytes);
  const error: unknown = await openSource(source, name).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(source.closed).toBe(1);
  if (!(error instanceof UserError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

describe('what is refused, with the command to type', () => {
  test.each([
    ['28b52ffd', 'zstd-compressed', 'zstd -dc'],
    ['04224d18', 'lz4-compressed', 'lz4 -dc'],
    ['fd377a585a00', 'xz-compressed', 'xz -dc'],
    ['425a6839', 'bzip2-compressed', 'bzip2 -dc'],
    ['1f9d90', 'compressed by compress', 'gzip -dc'],
    ['504b0304', 'a zip archive', 'unzip -p'],
    ['377abcaf271c', 'a 7z archive', '7z x -so'],
  ])('%s: %s', async (magic, what, command) => {
    const bytes = concat(hex(magic), zeros(100));
    const error = await refused(bytes, 'some capture.pcap');
    expect(error.code).toBe('compressed');
    expect(error.message).toBe(`some capture.pcap is ${what}, which rstscope does not unpack itself`);
    expect(error.hint).toBe(`${command} 'some capture.pcap' | rstscope read -`);
    expect((await refused(bytes, '-')).hint).toBe(`${command} FILE | rstscope read -`);
    const packed = await refused(gzipSync(bytes), 'a.gz');
    expect(packed.hint).toBe(`gzip -dc a.gz | ${command} | rstscope read -`);
  });

  test.each([
    ['736e6f6f7000000000000002', 'a snoop capture'],
    ['474d4255', 'a Network Monitor capture'],
    ['52545353', 'a Network Monitor capture'],
  ])('%s: %s', async (magic, what) => {
    const error = await refused(concat(hex(magic), zeros(100)), 'x.cap');
    expect(error.code).toBe('not-a-capture');
    expect(error.message).toBe(`x.cap is ${what}, rstscope reads pcap and pcapng`);
    expect(error.hint).toBe('editcap -F pcapng x.cap converted.pcapng && rstscope read converted.pcapng');
  });

  test('text', async () => {
    const error = await refused(text('12:00:00.000000 IP 10.0.0.1.80 > 10.0.0.2.1234: Flags [R.]\n'), 'dump.txt');
    expect(error.message).toMatch(/^dump\.txt is text, not a capture: /);
    expect(error.hint).toContain('tcpdump');
  });

  test('anything else, with its first bytes', async () => {
    const error = await refused(concat(hex('7f454c46'), zeros(60)), '-odd name');
    expect(error.message).toBe(
      '-odd name is not a capture: it begins with 7f 45 4c 46, a pcap with d4 c3 b2 a1 and a pcapng with 0a 0d 0d 0a (or their kin)',
    );
    expect(error.hint).toBe("file './-odd name'");
  });

  test('an empty file, plain and in gzip', async () => {
    expect((await refused(zeros(0))).message).toBe(
      'some.pcap is empty: a capture begins with a header of at least 24 bytes',
    );
    expect((await refused(gzipSync(zeros(0)))).message).toMatch(/^some\.pcap is empty \(after gzip\): /);
  });

  test('gzip that does not unpack', async () => {
    const packed = gzipSync(classicPcap());
    expect((await refused(packed.subarray(0, 10))).message).toBe(
      'cannot read some.pcap: the gzip stream is cut off: 10 packed bytes gave 0 bytes before its end',
    );
    expect((await refused(hex('1f8b08'))).message).toContain('the gzip stream is cut off: 3 packed bytes gave 0 bytes');
    expect((await refused(concat(hex('1f8b08ff'), zeros(40)))).message).toContain('the gzip stream is corrupt');
  });

  test('a name that would steer a terminal', async () => {
    const error = await refused(zeros(50), '\u001b[2Jx.pcap');
    expect(`${error.message} ${error.hint ?? ''}`).not.toMatch(/\p{Cc}/u);
  });

  test('one to thirty bytes of anything', async () => {
    for (const length of range(1, 31)) {
      for (const fill of [0, 0x0a, 0x41, 0xff]) {
        expect((await refused(new Uint8Array(length).fill(fill))).code).toBe('not-a-capture');
      }
    }
  });
});

describe('headers that are cut off', () => {
  test('classic: 24 bytes are a capture without packets, fewer are none', async () => {
    const header = classicPcap({ nanosecond: true });
    for (const length of range(1, 24)) {
      const error = await refused(header.subarray(0, length));
      const told = length < 4 ? 'is not a capture' : `${length} bytes of at least 24 are there`;
      expect(error.message).toContain(told);
    }
    expect((await readBytes(header)).frames).toEqual([]);
  });

  test('pcapng: what has a byte order is one', async () => {
    const file = pcapng().bytes();
    for (const length of range(1, 12)) {
      const error = await refused(file.subarray(0, length));
      expect(error.message).toContain(length < 4 ? 'some.pcap is' : `${length} bytes of at least 24 are there`);
    }
    for (const length of range(12, 28)) {
      expect((await readBytes(file.subarray(0, length))).damage).toMatchObject([{ reason: 'cut-off', byte: 0 }]);
    }
    expect((await readBytes(file)).damage).toEqual([]);
    const odd = Uint8Array.from(file);
    odd[8] = 0;
    expect((await refused(odd)).message).toContain('cut off or corrupt in its header: its byte order is not stated');
  });
});

describe('content decides, never the name', () => {
  const records = [{ seconds: 1, bytes: frameBytes(0) }];
  test.each(['a.gz', 'a.zst', 'a.pcapng', 'a.txt', '-', 'noname'])('classic called %s', async (name) => {
    const capture = await openSource(new MemorySource(classicPcap({ records })), name);
    expect([capture.container, capture.name]).toEqual(['pcap', name]);
    expect((await capture.reader.next())?.count).toBe(1);
  });

  test('pcapng called .pcap, gzip without .gz', async () => {
    const file = pcapng().interface().bytes();
    expect((await openSource(new MemorySource(file), 'a.pcap')).container).toBe('pcapng');
    expect((await openSource(new MemorySource(gzipSync(file)), 'a.pcap')).container).toBe('pcapng');
  });
});

describe('an open capture', () => {
  test('counts the bytes as stored and closes its source once', async () => {
    const plain = classicPcap({ records: range(0, 1000).map((n) => ({ seconds: n, bytes: frameBytes(n) })) });
    for (const bytes of [plain, gzipSync(plain)]) {
      const source = new MemorySource(bytes, [100]);
      const capture = await openSource(source);
      expect(capture.bytesRead()).toBeGreaterThanOrEqual(24);
      while ((await capture.reader.next()) !== null);
      expect(capture.bytesRead()).toBe(bytes.length);
      capture.close();
      capture.close();
      expect(source.closed).toBe(1);
    }
  });

  test('that was closed early gives what it had and ends', async () => {
    const plain = classicPcap({ records: range(0, 50_000).map((n) => ({ seconds: n, bytes: frameBytes(n) })) });
    const capture = await openSource(new MemorySource(gzipSync(plain)));
    expect((await capture.reader.next())?.count).toBeGreaterThan(0);
    capture.close();
    while ((await capture.reader.next()) !== null);
  });
});
