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
/** The first reads are small: a parser's hot loop that has come to its end once is compiled for good the first time. */
const FIRST_CHUNK = 4 * 1024;
const CHUNK_GROWTH = 4;
/**
 * Where in a page the bytes of a read begin. The system's copy runs a quarter faster to a whole cache line, and a good
 * deal slower to the same place in a page as it comes from.
 */
const WELL_PLACED = 64;
const PAGE = 4096;

export class ByteWindow {
  bytes = new Uint8Array(2 * CHUNK);
  /** The reader's position in `bytes`. */
  at = 0;
  /** End of the valid bytes. */
  end = 0;
  /** Offset in the stream of `bytes[0]`. */
  private base = 0;
  private chunk = FIRST_CHUNK;
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
      const room = Math.min(this.bytes.length, this.end + this.chunk);
      this.chunk = Math.min(CHUNK, this.chunk * CHUNK_GROWTH);
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

  /** Moves what is left towards the front, to where the next bytes will lie well for the copy. */
  private makeRoom(need: number): void {
    const left = this.end - this.at;
    const front = (WELL_PLACED - left) & (PAGE - 1);
    if (front + need + CHUNK > this.bytes.length) this.grow(front + need + CHUNK);
    if (front === this.at) return;
    this.bytes.copyWithin(front, this.at, this.end);
    this.base += this.at - front;
    this.at = front;
    this.end = front + left;
  }

  /** At least doubles, so that needs that grow little by little don't copy the window over and over. */
  private grow(size: number): void {
    const larger = new Uint8Array(Math.max(size, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }
}
