/**
 * Mutates captures and reads them: nothing may throw, hang, fill the memory or point outside of the bytes.
 *
 * RSTSCOPE_FUZZ_SECONDS is the time for each target (4), RSTSCOPE_FUZZ_SEED the first seed: a failure prints the one to
 * replay it with.
 */
import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { UserError } from '../../src/base/errors.js';
import { openCapture } from '../../src/capture/open.js';
import type { FrameBatch } from '../../src/capture/frame-batch.js';
import { MemorySource } from '../capture/reading.js';
import { classicPcap, pcapng } from '../support/capture-bytes.js';
import { foreignCaptures } from '../support/tools.js';

const SECONDS = Number(process.env['RSTSCOPE_FUZZ_SECONDS'] ?? 4);
const GIVEN_SEED = process.env['RSTSCOPE_FUZZ_SEED'];
const FIRST_SEED = GIVEN_SEED === undefined ? Date.now() % 0x7fffffff : Number(GIVEN_SEED);

const MAX_FOREIGN_BYTES = 20_000;
/** A case is a few kilobytes: it takes milliseconds, or something is wrong. */
const MAX_CASE_MS = 2000;
const MAX_HEAP_GROWTH = 150_000_000;
/** Heads of blocks and records are at least this long, so there can't be more frames. */
const LEAST_FRAME_BYTES = 12;

const EXTREMES = [0, 1, 2, 3, 4, 11, 12, 0x7f, 0xffff, 0x40000, 0x40001, 0x1000000, 0x7fffffff, 0x80000000, 0xfffffff0];

type Random = (below: number) => number;

/** mulberry32. */
function random(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

function noise(length: number, next: Random): Uint8Array {
  return Uint8Array.from({ length }, () => (next(3) === 0 ? 0 : next(256)));
}

function madeClassic(next: Random): Uint8Array {
  const records = Array.from({ length: next(40) }, (_, n) => ({
    seconds: 1_700_000_000 + n,
    fraction: next(1_000_000),
    bytes: noise(next(8) === 0 ? next(3000) : next(120), next),
    originalLength: next(3) === 0 ? next(2000) : 120,
  }));
  return classicPcap({
    records,
    bigEndian: next(2) === 0,
    nanosecond: next(3) === 0,
    modified: next(4) === 0,
    versionMinor: 2 + next(3),
    snaplen: [0, 64, 65535, 262144, 0xffffffff][next(5)] ?? 0,
  });
}

function madePcapng(next: Random): Uint8Array {
  const builder = pcapng({ bigEndian: next(2) === 0, sectionLength: next(3) === 0 ? 'measured' : -1n });
  builder.interface({ name: 'eth0', tsresol: next(256), tsoffset: BigInt(next(1000) - 500) });
  for (let n = next(40); n > 0; n--) {
    const bytes = noise(next(200), next);
    const timestamp = (BigInt(next(0x7fffffff)) << 32n) | BigInt(next(0x7fffffff));
    switch (next(9)) {
      case 0:
        builder.simplePacket({ bytes });
        break;
      case 1:
        builder.obsoletePacket({ bytes, timestamp, drops: next(10) });
        break;
      case 2:
        builder.interfaceStatistics({ dropped: BigInt(next(100)), osdrop: 1n });
        break;
      case 3:
        builder.interface({ linkType: next(300), comments: ['x'], tsresol: next(20) });
        break;
      case 4:
        builder.section({ bigEndian: next(2) === 0 }).interface();
        break;
      case 5:
        builder.unknownBlock({ type: next(20), body: bytes });
        break;
      default:
        builder.enhancedPacket({ bytes, timestamp, comments: ['hello'], flags: next(4), dropcount: BigInt(next(3)) });
    }
  }
  return builder.bytes();
}

function foreign(): Uint8Array[] {
  const folder = foreignCaptures();
  if (folder === null) return [];
  const captures = path.join(folder, 'captures');
  return readdirSync(captures)
    .sort()
    .map((name) => path.join(captures, name))
    .filter((file) => statSync(file).size <= MAX_FOREIGN_BYTES)
    .map((file) => Uint8Array.from(readFileSync(file)));
}

function mutate(bytes: Uint8Array, next: Random): Uint8Array {
  let out: Uint8Array = Uint8Array.from(bytes);
  for (let n = 1 + next(6); n > 0 && out.length > 4; n--) {
    const at = next(out.length);
    switch (next(7)) {
      case 0:
        out[at]! ^= 1 << next(8);
        break;
      case 1:
        out = out.slice(0, at);
        break;
      case 2: {
        const length = next(Math.min(200, out.length - at) + 1);
        const to = next(out.length - length + 1);
        out.copyWithin(to, at, at + length);
        break;
      }
      case 3:
        out = Uint8Array.from([...out.subarray(0, at), ...noise(next(100), next), ...out.subarray(at)]);
        break;
      case 4:
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + next(100))]);
        break;
      case 5:
        new DataView(out.buffer).setUint32(next(out.length - 3), EXTREMES[next(EXTREMES.length)] ?? 0, next(2) === 0);
        break;
      default:
        new DataView(out.buffer).setUint32(next(out.length - 3) & ~3, next(0x7fffffff) >>> next(31), next(2) === 0);
    }
  }
  return out;
}

function wrong(batch: FrameBatch): string | null {
  for (let i = 0; i < batch.count; i++) {
    const [start, captured, original] = [batch.start[i]!, batch.captured[i]!, batch.original[i]!];
    const [seconds, nanos] = [batch.seconds[i]!, batch.nanos[i]!];
    if (start + captured > batch.bytes.length)
      return `frame at ${start} of ${captured} bytes, ${batch.bytes.length} are there`;
    if (original < captured) return `original length ${original}, captured ${captured}`;
    if (!Number.isNaN(seconds) && !Number.isFinite(seconds)) return `seconds ${seconds}`;
    if (!(nanos >= 0 && nanos < 1e9)) return `nanoseconds ${nanos}`;
  }
  return null;
}

/** Reads to the end; gives what is wrong, or null. What is refused is refused with a sentence. */
async function read(bytes: Uint8Array, expanded: number): Promise<string | null> {
  const source = new MemorySource(bytes);
  let capture;
  try {
    capture = await openCapture('fuzzed', { source, size: bytes.length });
  } catch (error) {
    return error instanceof UserError ? null : `opening threw ${String(error)}`;
  }
  let frames = 0;
  let fault: string | null = null;
  for (let batch = await capture.reader.next(); batch !== null; batch = await capture.reader.next()) {
    if (batch.count === 0) fault ??= 'an empty batch';
    if (batch.number[0] !== frames + 1) fault ??= `batch of frame ${batch.number[0]} after ${frames}`;
    frames += batch.count;
    fault ??= wrong(batch);
    for (let i = 0; i < batch.count; i++) {
      if (capture.reader.interfaces[batch.iface[i]!] === undefined) fault ??= `interface ${batch.iface[i]!}`;
    }
    if (frames > expanded / LEAST_FRAME_BYTES) return `${frames} frames of ${expanded} bytes`;
  }
  if (capture.reader.damage.length > 51) fault ??= `${capture.reader.damage.length} complaints`;
  if (!capture.reader.damage.every(({ message }) => /^[\x20-\x7e·]+$/.test(message))) fault ??= 'an odd complaint';
  capture.close();
  if (source.closed !== 1) fault ??= `closed ${source.closed} times`;
  return fault;
}

async function fuzz(make: (next: Random) => [bytes: Uint8Array, expanded: number]): Promise<void> {
  const until = performance.now() + SECONDS * 1000;
  const heap = process.memoryUsage().heapUsed;
  for (let seed = FIRST_SEED; performance.now() < until; seed++) {
    let fault: string | null = null;
    let took = Infinity;
    // Once more where it was slow: this machine may stand still for a moment.
    for (let tries = 0; tries < 3 && took > MAX_CASE_MS; tries++) {
      const start = performance.now();
      try {
        fault = await read(...make(random(seed)));
      } catch (error) {
        fault = error instanceof Error ? (error.stack ?? error.message) : String(error);
      }
      took = performance.now() - start;
    }
    if (took > MAX_CASE_MS) fault ??= `took ${took} ms`;
    const growth = process.memoryUsage().heapUsed - heap;
    if (growth > MAX_HEAP_GROWTH) fault ??= `the heap grew by ${growth} bytes`;
    if (fault !== null) throw new Error(`${fault}\nreplay with RSTSCOPE_FUZZ_SEED=${seed}`);
    if (GIVEN_SEED !== undefined && SECONDS === 0) break;
  }
}

const TIMEOUT_MS = SECONDS * 1000 + 60_000;

describe(`readers, from seed ${FIRST_SEED}`, () => {
  const plain = (bytes: Uint8Array): [Uint8Array, number] => [bytes, bytes.length];

  test('classic', () => fuzz((next) => plain(mutate(madeClassic(next), next))), TIMEOUT_MS);

  test('pcapng', () => fuzz((next) => plain(mutate(madePcapng(next), next))), TIMEOUT_MS);

  test(
    'gzip, mutated and of mutated captures',
    () =>
      fuzz((next) => {
        const made = next(2) === 0 ? madeClassic(next) : madePcapng(next);
        if (next(2) === 0) return [mutate(gzipSync(made), next), 50_000_000];
        return [gzipSync(mutate(made, next)), 50_000_000];
      }),
    TIMEOUT_MS,
  );

  test(
    'noise behind a sound header',
    () => {
      const heads = [classicPcap(), pcapng().interface().bytes()];
      return fuzz((next) => plain(Uint8Array.from([...heads[next(2)]!, ...noise(next(5000), next)])));
    },
    TIMEOUT_MS,
  );

  const files = foreign();
  if (files.length > 0) {
    test(
      'captures from elsewhere',
      async () => {
        for (const bytes of files) expect(await read(bytes, 50_000_000)).toBeNull();
        await fuzz((next) => [mutate(files[next(files.length)]!, next), 50_000_000]);
      },
      TIMEOUT_MS,
    );
  }
});
