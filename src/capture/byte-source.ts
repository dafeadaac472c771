/**
 * Opens what a user names as a stream of bytes: a file, standard input, a named pipe.
 *
 * Regular files are read synchronously, which is fastest; now and then such a read lets the event loop run, so that a
 * signal is heard. Everything that may have to wait for a writer goes through the event loop altogether. A source that
 * was closed is at its end, also for a read that was under way.
 */

import { closeSync, constants, createReadStream, fstatSync, openSync, readlinkSync, readSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { systemReason, UserError } from '../base/errors.js';
import { printable } from '../base/text.js';
import type { ByteSource } from './byte-window.js';

/** A byte source and what is known of its length. */
export interface OpenedSource {
  readonly source: ByteSource;
  /** Bytes in all where that is known beforehand (a regular file), else null. */
  readonly size: number | null;
}

/** Bytes of a file between two turns of the event loop: a signal waits some milliseconds at most. */
const YIELD_BYTES = 1024 * 1024;

class FileSource implements ByteSource {
  private readonly fd: number;
  private closed = false;
  private sinceYield = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  read(into: Uint8Array, from: number, to: number): number | Promise<number> {
    if (this.closed) return 0;
    const got = readSync(this.fd, into, from, to - from, null);
    this.sinceYield += got;
    if (this.sinceYield < YIELD_BYTES) return got;
    this.sinceYield = 0;
    return new Promise((resolve) => setImmediate(resolve, got));
  }

  close(): void {
    if (!this.closed && this.fd !== 0) closeSync(this.fd);
    this.closed = true;
  }
}

/** Chunks of a stream, copied out piece by piece. */
class StreamSource implements ByteSource {
  private chunk: Uint8Array = new Uint8Array(0);
  private closed = false;

  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly stream: Readable;

  constructor(stream: Readable) {
    this.stream = stream;
    this.chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  async read(into: Uint8Array, from: number, to: number): Promise<number> {
    while (this.chunk.length === 0) {
      const next = await this.next();
      if (next === null) return 0;
      this.chunk = next;
    }
    const taken = Math.min(this.chunk.length, to - from);
    into.set(this.chunk.subarray(0, taken), from);
    this.chunk = this.chunk.subarray(taken);
    return taken;
  }

  private async next(): Promise<Uint8Array | null> {
    try {
      const answer = await this.chunks.next();
      return answer.done === true ? null : answer.value;
    } catch (error) {
      if (this.closed) return null;
      throw error;
    }
  }

  close(): void {
    this.closed = true;
    this.stream.destroy();
  }
}

/** What is opened by its descriptor and waits in the event loop: pipes. */
function pipeSource(fd: number): StreamSource {
  return new StreamSource(new Socket({ fd, readable: true, writable: false }));
}

/** How often to look whether a named pipe has got a writer. */
const PIPE_POLL_MS = 20;

/** A named pipe: waits for a writer without blocking the event loop. */
class NamedPipeSource implements ByteSource {
  private stream: StreamSource | null = null;
  private closed = false;

  private readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  async read(into: Uint8Array, from: number, to: number): Promise<number> {
    while (this.stream === null) {
      if (this.closed) return 0;
      try {
        const got = readSync(this.fd, into, from, to - from, null);
        if (got > 0) {
          this.stream = pipeSource(this.fd);
          return got;
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        this.stream = pipeSource(this.fd);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, PIPE_POLL_MS));
    }
    return this.stream.read(into, from, to);
  }

  close(): void {
    if (this.stream !== null) this.stream.close();
    else if (!this.closed) closeSync(this.fd);
    this.closed = true;
  }
}

/** Standard input, whatever it is; `stream` is the process's own, used where it is not a regular file. */
export function openStandardInput(stream: Readable): OpenedSource {
  const stat = fstatSync(0);
  if (stat.isFile()) return { source: new FileSource(0), size: stat.size };
  return { source: new StreamSource(stream), size: null };
}

/** Whether standard input is something that could hold a capture (not a terminal, not /dev/null, not closed). */
export function standardInputIsPipe(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false;
  }
}

/** Opens a path for reading. Throws a UserError with the system's reason. */
export function openPath(path: string): OpenedSource {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new UserError('unreadable', `${printable(path)} is a directory`);
    if (stat.isFIFO()) {
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return { source: isAnonymousPipe(fd) ? pipeSource(fd) : new NamedPipeSource(fd), size: null };
    }
    if (stat.isFile()) return { source: new FileSource(openSync(path, 'r')), size: stat.size };
    if (!stat.isCharacterDevice()) throw new UserError('unreadable', `${printable(path)} is neither a file nor a pipe`);
    // A terminal, perhaps: it must not hold up the event loop.
    return { source: new StreamSource(createReadStream(path, { fd: openSync(path, 'r') })), size: null };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = systemReason(error);
    const code = reason === 'no such file' ? 'no-such-file' : 'unreadable';
    throw new UserError(code, `cannot read ${printable(path)}: ${reason}`, null, error);
  }
}

/** A shell's process substitution: its writer is already there, so an empty read is its end. */
function isAnonymousPipe(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${String(fd)}`).startsWith('pipe:');
  } catch {
    return false;
  }
}
