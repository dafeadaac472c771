/**
 * A sliding window over a stream of bytes: the readers look at it, ask for more, and move on.
 *
 * Knows no file format. Memory is bounded by the largest `need` that a reader asks for.
 */

/** Where bytes come from. */
export interface ByteSource {
  /** Reads at most `to - from` bytes into `into` at `from`; 0 at the end. Throws what the system throws. */
  read(into: Uint8Array, from: number, to: number): number | Promise<number>;
  close(): void;
}

/** Stays within a core's second-level cache, where the parse follows the copy. */
const CHUNK = 256 * 1024;

export class ByteWindow {
  bytes = new Uint8Array(2 * CHUNK);
  /** The reader's position in `bytes`. */
  at = 0;
  /** End of the valid bytes. */
  end = 0;
  /** Offset in the stream of `bytes[0]`. */
  private base = 0;
  private over = false;
  private failure: unknown = null;

  private readonly source: ByteSource;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** Offset in the stream of the reader's position. */
  get offset(): number {
    return this.base + this.at;
  }

  get available(): number {
    return this.end - this.at;
  }

  /** What the system said when reading failed before the end; null when it did not. */
  get readError(): unknown {
    return this.failure;
  }

  /** True once at least `need` bytes lie at `at`; false when the stream ends before. Moves `bytes`: old offsets die. */
  async fill(need: number): Promise<boolean> {
    while (this.end - this.at < need && !this.over) {
      this.makeRoom(need);
      const room = Math.min(this.bytes.length, this.end + CHUNK);
      try {
        const answer = this.source.read(this.bytes, this.end, room);
        const got = typeof answer === 'number' ? answer : await answer;
        if (got === 0) this.over = true;
        this.end += got;
      } catch (error) {
        this.failure = error;
        this.over = true;
      }
    }
    return this.end - this.at >= need;
  }

  /** Passes over `count` bytes without keeping them; false when the stream ends before. */
  async skip(count: number): Promise<boolean> {
    let left = count;
    while (left > this.available) {
      left -= this.available;
      this.at = this.end;
      if (!(await this.fill(1))) return false;
    }
    this.at += left;
    return true;
  }

  private makeRoom(need: number): void {
    if (this.at > 0) {
      this.bytes.copyWithin(0, this.at, this.end);
      this.base += this.at;
      this.end -= this.at;
      this.at = 0;
    }
    if (need + CHUNK > this.bytes.length) this.grow(need + CHUNK);
  }

  /** At least doubles, so that needs that grow little by little don't copy the window over and over. */
  private grow(size: number): void {
    const larger = new Uint8Array(Math.max(size, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }
}
