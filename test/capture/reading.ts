/** Reads captures in the tests: whole, or as a source that hands its bytes over piece by piece. */
import { openCapture, type OpenCapture } from '../../src/capture/open.js';
import type { ByteSource } from '../../src/capture/byte-window.js';
import type { CaptureInterface, CaptureReader, Damage, FrameNote } from '../../src/capture/frame-batch.js';

export interface ReadFrame {
  number: number;
  bytes: Uint8Array;
  captured: number;
  original: number;
  seconds: number;
  nanos: number;
  iface: number;
  note: FrameNote | null;
}

export interface Reading {
  container: 'pcap' | 'pcapng';
  frames: ReadFrame[];
  damage: Damage[];
  interfaces: CaptureInterface[];
  dropped: number | null;
}

/** The bytes of memory as a source; `pieces` gives the size of each read, over and over, and may answer later. */
export class MemorySource implements ByteSource {
  closed = 0;
  private at = 0;
  private reads = 0;
  private readonly bytes: Uint8Array;
  private readonly pieces: readonly number[];
  private readonly later: boolean;

  constructor(bytes: Uint8Array, pieces: readonly number[] = [Infinity], later = false) {
    this.bytes = bytes;
    this.pieces = pieces;
    this.later = later;
  }

  read(into: Uint8Array, from: number, to: number): number | Promise<number> {
    const piece = this.pieces[this.reads++ % this.pieces.length] ?? Infinity;
    const taken = Math.min(to - from, piece, this.bytes.length - this.at);
    into.set(this.bytes.subarray(this.at, this.at + taken), from);
    this.at += taken;
    return this.later ? Promise.resolve(taken) : taken;
  }

  close(): void {
    this.closed += 1;
  }
}

export function openSource(source: ByteSource, name = 'made.pcap'): Promise<OpenCapture> {
  return openCapture(name, { source, size: null });
}

export async function readBytes(bytes: Uint8Array, pieces?: readonly number[], later = false): Promise<Reading> {
  return readSource(new MemorySource(bytes, pieces, later));
}

export async function readSource(source: ByteSource): Promise<Reading> {
  const capture = await openSource(source);
  try {
    return { ...(await readAll(capture.reader)), container: capture.container };
  } finally {
    capture.close();
  }
}

export async function readAll(reader: CaptureReader): Promise<Omit<Reading, 'container'>> {
  const frames: ReadFrame[] = [];
  for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
    for (let i = 0; i < batch.count; i++) {
      const start = batch.start[i]!;
      const captured = batch.captured[i]!;
      frames.push({
        number: batch.number[i] ?? 0,
        bytes: batch.bytes.slice(start, start + captured),
        captured,
        original: batch.original[i]!,
        seconds: batch.seconds[i]!,
        nanos: batch.nanos[i]!,
        iface: batch.iface[i]!,
        note: batch.notes.get(i) ?? null,
      });
    }
  }
  return { frames, damage: [...reader.damage], interfaces: [...reader.interfaces], dropped: reader.dropped };
}

/** Bytes that tell one frame from another: its number, then a pattern. */
export function frameBytes(n: number, length = 60): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (n * 31 + i * 7 + 3) & 0xff;
  if (length >= 4) new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

/** The numbers that `frameBytes` put into the frames. */
export function frameNumbers(frames: readonly ReadFrame[]): number[] {
  return frames.map(({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0));
}

export function messages(reading: { damage: readonly Damage[] }): string[] {
  return reading.damage.map(({ message }) => message);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
