/**
 * gzip (RFC 1952) as a byte source over another: unpacked as it is read, nothing lost before damage.
 *
 * zlib gives back nothing of the call in which it meets an error. So a scout unpacks each piece first, on a thread of
 * its own beside the delivery of the piece before; the piece that it fails at is then delivered byte by byte. A piece
 * unpacks to at most about a thousand times its size, which bounds the memory.
 */

import { createGunzip, type Gunzip } from 'node:zlib';
import { plural } from '../base/text.js';
import type { ByteSource } from './byte-window.js';

const PIECE = 16 * 1024;
const UNPACKED_CHUNK = 64 * 1024;

/** The compressed stream ended early (`cut`) or does not unpack. */
export class GzipError extends Error {
  readonly cut: boolean;

  constructor(cut: boolean, message: string) {
    super(message);
    this.cut = cut;
    this.name = 'GzipError';
  }
}

/** A zlib stream that is fed piece by piece. */
class Unpacker {
  over = false;
  failure: Error | null = null;
  private readonly gunzip: Gunzip = createGunzip({ chunkSize: UNPACKED_CHUNK });
  /** Called when zlib has taken a piece, ended or failed. */
  private wake: () => void = () => undefined;

  constructor(deliver: (chunk: Uint8Array) => void) {
    this.gunzip.on('data', deliver);
    this.gunzip.on('error', (error) => {
      this.failure ??= error;
      this.wake();
    });
    this.gunzip.on('end', () => {
      this.over = true;
      this.wake();
    });
  }

  /** Packed bytes that were unpacked without an error. */
  get taken(): number {
    return this.gunzip.bytesWritten;
  }

  /** Unpacks a piece, all of it delivered once this resolves; null is the end of the input. */
  async take(piece: Uint8Array | null): Promise<void> {
    if (this.over || this.failure !== null) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      if (piece === null) this.gunzip.end();
      else this.gunzip.write(piece, () => resolve());
    });
    // Reading tells the 'data' listener of what still waits in the stream: an error would drop it.
    while (!this.gunzip.destroyed && this.gunzip.read() !== null);
  }

  close(): void {
    this.over = true;
    this.gunzip.destroy();
    this.wake();
  }
}

export class GzipSource implements ByteSource {
  private readonly ready: Uint8Array[] = [];
  private readonly main = new Unpacker((chunk) => {
    this.unpacked += chunk.length;
    this.ready.push(chunk);
  });
  private readonly scout = new Unpacker(() => undefined);
  /** Pieces that the scout has been through, the last one perhaps in single bytes; null is the end of the input. */
  private readonly proven: (Uint8Array | null)[] = [];
  private explored = false;
  private packed = 0;
  private unpacked = 0;
  private inputFailure: unknown = null;

  private readonly inner: ByteSource;

  constructor(inner: ByteSource) {
    this.inner = inner;
  }

  async read(into: Uint8Array, from: number, to: number): Promise<number> {
    while (this.ready.length === 0 && !this.finished()) await this.advance();
    const chunk = this.ready[0];
    if (chunk === undefined) {
      if (this.main.failure !== null) throw this.gzipError(this.main.failure);
      if (this.inputFailure !== null) throw this.inputFailure as Error;
      return 0;
    }
    const taken = Math.min(chunk.length, to - from);
    into.set(chunk.subarray(0, taken), from);
    if (taken === chunk.length) this.ready.shift();
    else this.ready[0] = chunk.subarray(taken);
    return taken;
  }

  private finished(): boolean {
    return this.main.over || this.main.failure !== null || (this.explored && this.proven.length === 0);
  }

  /** Delivers a proven piece while the scout goes through the next. */
  private async advance(): Promise<void> {
    const piece = this.proven.shift();
    const explore = this.proven.length === 0 && !this.explored;
    await Promise.all([piece === undefined ? null : this.main.take(piece), explore ? this.explore() : null]);
  }

  private async explore(): Promise<void> {
    const piece = await this.nextPiece();
    if (piece === undefined) return;
    if (piece === null) {
      this.proven.push(null);
      return;
    }
    const before = this.packed - piece.length;
    await this.scout.take(piece);
    if (this.scout.failure === null) {
      this.proven.push(piece);
      return;
    }
    this.explored = true;
    const good = Math.min(Math.max(this.scout.taken - before, 0), piece.length);
    if (good > 0) this.proven.push(piece.subarray(0, good));
    for (let i = good; i < piece.length; i++) this.proven.push(piece.subarray(i, i + 1));
  }

  /** The next piece of the input; null at its end, undefined where reading it failed. */
  private async nextPiece(): Promise<Uint8Array | null | undefined> {
    const piece = new Uint8Array(PIECE);
    try {
      const got = await this.inner.read(piece, 0, PIECE);
      this.packed += got;
      if (got > 0) return piece.subarray(0, got);
      this.explored = true;
      return null;
    } catch (error) {
      this.inputFailure = error;
      this.explored = true;
      return undefined;
    }
  }

  private gzipError(error: Error): GzipError {
    const cut = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
    const figures = `${plural(cut ? this.packed : this.main.taken, 'packed byte')} gave ${plural(this.unpacked, 'byte')}`;
    if (cut) return new GzipError(true, `the gzip stream is cut off: ${figures} before its end`);
    return new GzipError(false, `the gzip stream is corrupt: ${figures} before it fails (${error.message})`);
  }

  close(): void {
    this.main.close();
    this.scout.close();
    this.inner.close();
  }
}
