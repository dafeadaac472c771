/** Connections that were reset a moment ago: what still comes of them. Bounded; the oldest make room. */

import { num } from '../base/bytes.js';
import type { Claim } from './claims.js';

/** Watched at once. In a flood of resets nothing comes behind most of them. */
const MOST_WATCHED = 16_384;
/** Frames behind a reset; one that had no effect goes on as before. */
const MOST_AFTER = 256;
/** Resets of one connection whose followers are asked for at once: the others' are the same, nearly. */
const MOST_OF_ONE = 16;
const BITS = 0xffff;

/** Two frames of one connection have the same first hash, and `isOf` says whether they really are of one. */
export interface Watched {
  readonly hash: number;
  /** Seconds since 1970. */
  readonly until: number;
  readonly claim: Claim;
  /** Key words of the connection. */
  readonly key: readonly [number, number, number];
  left: number;
}

export class ConnectionWatch {
  private readonly byHash = new Map<number, Watched[]>();
  /** In the order in which they were begun. */
  private readonly order: Watched[] = [];
  private head = 0;
  /** By the lowest bits of the hash, how many there are: most frames are of none, and cost one look. */
  private readonly counts = new Uint16Array(BITS + 1);

  get size(): number {
    return this.order.length - this.head;
  }

  begin(hash: number, key: Watched['key'], until: number, claim: Claim, already: number): void {
    if (this.size >= MOST_WATCHED) this.endFirst();
    const watched: Watched = { hash, key, until, claim, left: MOST_AFTER - already };
    const same = this.byHash.get(hash);
    if (same !== undefined && same.length >= MOST_OF_ONE) return;
    if (same === undefined) this.byHash.set(hash, [watched]);
    else same.push(watched);
    this.order.push(watched);
    this.counts[hash & BITS] = num(this.counts, hash & BITS) + 1;
  }

  /** Ends those that are over at `time`. */
  endOlder(time: number): void {
    for (let first = this.order[this.head]; first !== undefined && first.until < time; first = this.order[this.head]) {
      this.endFirst();
    }
  }

  mayBe(hash: number): boolean {
    return num(this.counts, hash & BITS) !== 0;
  }

  /** Those that ask for a frame of this connection and time. */
  askers(hash: number, lower: number, higher: number, ports: number, time: number): Claim[] {
    const asking: Claim[] = [];
    for (const watched of this.byHash.get(hash) ?? []) {
      const [a, b, c] = watched.key;
      if (a !== lower || b !== higher || c !== ports || time > watched.until || watched.left <= 0) continue;
      watched.left--;
      asking.push(watched.claim);
    }
    return asking;
  }

  private endFirst(): void {
    const first = this.order[this.head];
    if (first === undefined) return;
    this.head++;
    if (this.head > 1024 && this.head * 2 > this.order.length) {
      this.order.splice(0, this.head);
      this.head = 0;
    }
    const { hash } = first;
    this.counts[hash & BITS] = num(this.counts, hash & BITS) - 1;
    const left = (this.byHash.get(hash) ?? []).filter((each) => each !== first);
    if (left.length === 0) this.byHash.delete(hash);
    else this.byHash.set(hash, left);
  }
}

/** So many frames may be asked for behind a reset. */
export const AFTER_FRAMES = MOST_AFTER;
