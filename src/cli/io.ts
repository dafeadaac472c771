/**
 * The streams and the surroundings of a run, handed to everything that talks to the user: tests hand in their own.
 *
 * A reader that closes the pipe early is no error: writing then goes nowhere and `closed` tells so.
 */

import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../render/style.js';

export interface OutputStream {
  readonly isTTY: boolean;
  readonly columns: number | null;
  /** Bits of colour that the terminal has, null where it is none. */
  readonly colorDepth: number | null;
}

/** What a terminal adds to a stream. */
interface Terminal {
  readonly isTTY: boolean;
  readonly columns: number;
  getColorDepth(env?: object): number;
}

/** What the terminal can is asked here, what the user wants elsewhere; Node warns where the two wishes differ. */
function withoutWishes(env: Environment): Environment {
  return { ...env, FORCE_COLOR: undefined, NO_COLOR: undefined, NODE_DISABLE_COLORS: undefined };
}

/** A stream that is written to with patience. */
export class Output implements OutputStream {
  /** The reader has gone. */
  closed = false;
  /** Bytes that the system has taken. */
  taken = 0;
  readonly isTTY: boolean;
  readonly columns: number | null;
  readonly colorDepth: number | null;
  /** Called once when the reader goes. */
  onClosed: () => void = () => undefined;
  private readonly stream: Writable;
  private failure: Error | null = null;

  constructor(stream: Writable & Partial<Terminal>, env: Environment = {}) {
    this.stream = stream;
    this.isTTY = stream.isTTY === true;
    // A terminal that was never told its size says 0.
    this.columns = stream.columns === undefined || stream.columns === 0 ? null : stream.columns;
    this.colorDepth = this.isTTY ? (stream.getColorDepth?.(withoutWishes(env)) ?? null) : null;
    stream.on('error', (error: Error) => {
      this.failure ??= error;
      if (!this.closed) {
        this.closed = true;
        this.onClosed();
      }
    });
  }

  /** What went wrong beside a reader that left; null where nothing did. A terminal that is hung up says EIO. */
  get error(): Error | null {
    const { failure } = this;
    if (failure === null || !('code' in failure)) return failure;
    return failure.code === 'EPIPE' || (this.isTTY && failure.code === 'EIO') ? null : failure;
  }

  /** Resolves when the system has taken all of it, or the reader is gone. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.closed || data.length === 0) return;
    await new Promise<void>((resolve) => {
      this.stream.write(data, (error) => {
        if (error === null || error === undefined) this.taken += Buffer.byteLength(data);
        resolve();
      });
    });
  }
}

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
  /** The wall clock, milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Ends the input of a run; aborted by the first of SIGINT, SIGTERM and SIGHUP. */
  readonly interrupt: AbortSignal;
  /** This program as it is started: node's path, its own path. */
  readonly program: readonly string[];
  /** Who asks for the report so far (SIGUSR2) is heard from now on. @returns how to stop listening. */
  readonly onAsked: (listener: () => void) => () => void;
}
