/**
 * What is known of each address and port over the whole capture: has it served, has it been a client, does it recur
 * with different peers. Bounded; what is forgotten is only a hint lost, never a wrong one.
 */

import { num, word } from '../base/bytes.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import { grown, WordTable } from './word-table.js';

const KEY_WORDS = 5;
const LIMIT = 1 << 17;

const SERVER = 1;
const CLIENT = 2;
const SEEN = 4;
const RECURS = 8;

/** What is known of one end. */
export interface Role {
  readonly server: boolean;
  readonly client: boolean;
  readonly recurs: boolean;
}

/** The two ends of one reset, by their row; rows may be reused, so they are looked up again when asked late. */
export type End = readonly [number, number, number, number, number];

export class Roles {
  private readonly table = new WordTable(KEY_WORDS, LIMIT);
  private bits = new Uint8Array(this.table.rows);
  private peer = new Uint32Array(this.table.rows);

  /** The source (or destination) of the segment in row `i` has served. */
  serves(s: SegmentBatch, i: number, source: boolean): void {
    this.mark(endOf(s, i, source), SERVER);
  }

  /** The two ends of a reset were seen together; `server` is the one that serves, where that is known. */
  meet(a: End, b: End, server: End | null): void {
    this.withPeer(a, b);
    this.withPeer(b, a);
    if (server === null) return;
    this.mark(server, SERVER);
    this.mark(server === a ? b : a, CLIENT);
  }

  of(end: End): Role {
    this.setKey(end);
    const row = this.table.find();
    const bits = row < 0 ? 0 : num(this.bits, row);
    return { server: (bits & SERVER) !== 0, client: (bits & CLIENT) !== 0, recurs: (bits & RECURS) !== 0 };
  }

  private mark(end: End, bit: number): void {
    const row = this.row(end);
    this.bits[row] = num(this.bits, row) | bit;
  }

  private withPeer(end: End, peer: End): void {
    const row = this.row(end);
    const bits = num(this.bits, row);
    const mark =
      (Math.imul(peer[3], 31) ^ Math.imul(peer[2], 131) ^ Math.imul(peer[1], 1031) ^ peer[0] ^ (peer[4] << 7)) >>> 0;
    if ((bits & SEEN) === 0) {
      this.peer[row] = mark;
      this.bits[row] = bits | SEEN;
    } else if (this.peer[row] !== mark) {
      this.bits[row] = bits | RECURS;
    }
  }

  private row(end: End): number {
    this.setKey(end);
    const row = this.table.put();
    if (this.bits.length < this.table.rows) {
      this.bits = grown(this.bits, new Uint8Array(this.table.rows));
      this.peer = grown(this.peer, new Uint32Array(this.table.rows));
    }
    if (this.table.fresh) this.bits[row] = 0;
    return row;
  }

  private setKey(end: End): void {
    const { key } = this.table;
    for (let w = 0; w < KEY_WORDS; w++) key[w] = end[w] ?? 0;
  }
}

/** Address words and port of the source or destination of the segment in row `i`. */
export function endOf(s: SegmentBatch, i: number, source: boolean): End {
  const words = source ? s.source : s.destination;
  const at = i * 4;
  const port = source ? num(s.sourcePort, i) : num(s.destinationPort, i);
  return [word(words, at), word(words, at + 1), word(words, at + 2), word(words, at + 3), port];
}
