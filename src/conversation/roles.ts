/**
 * What is known of each address and port over the whole capture: has it served, has it been a client, does it recur
 * with different peers. Bounded; what is forgotten is only a hint lost, never a wrong one.
 */

import { num, word } from '../base/bytes.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import type { Server } from './service-port.js';
import { grown, WordTable } from './word-table.js';

const KEY_WORDS = 5;
const LIMIT = 1 << 17;

const SERVER = 1;
const CLIENT = 2;
const SEEN = 4;
/** Met peers with different ports, as the clients of a service have. */
const RECURS = 8;
/** Met a peer that no client is: below 1024 there are services only. */
const PRIVILEGED_PEER = 16;
const FIRST_CLIENT_PORT = 1024;

/** What is known of one end. */
export interface Role {
  readonly server: boolean;
  readonly client: boolean;
  readonly recurs: boolean;
}

const NOTHING: Role = { server: false, client: false, recurs: false };

export class Roles {
  /** Serial numbers of the ends that met last: what `of` takes. */
  source = 0;
  destination = 0;
  private readonly table = new WordTable(KEY_WORDS, LIMIT);
  private bits = new Uint8Array(this.table.rows);
  /** Port of the first peer met, a word a row. */
  private peer = new Uint32Array(this.table.rows);

  /** The source (or destination) of the segment in row `i` has served. */
  serves(s: SegmentBatch, i: number, source: boolean): void {
    this.mark(this.row(s, i, source), SERVER);
  }

  /** The two ends of the reset in row `i` were seen together; `server` is the one that serves, where that is known. */
  meet(s: SegmentBatch, i: number, server: Server | null): void {
    const sourcePort = num(s.sourcePort, i);
    const destinationPort = num(s.destinationPort, i);
    // One after the other: the second end's row may be the one that the first had.
    const source = this.row(s, i, true);
    this.withPeer(source, destinationPort);
    if (server !== null) this.mark(source, server === 'source' ? SERVER : CLIENT);
    this.source = this.table.serial(source);
    const destination = this.row(s, i, false);
    this.withPeer(destination, sourcePort);
    if (server !== null) this.mark(destination, server === 'source' ? CLIENT : SERVER);
    this.destination = this.table.serial(destination);
  }

  /** What is known now of the end that `meet` gave this serial number. */
  of(serial: number): Role {
    const row = this.table.rowOf(serial);
    if (row < 0) return NOTHING;
    const bits = num(this.bits, row);
    return {
      server: (bits & SERVER) !== 0,
      client: (bits & CLIENT) !== 0,
      recurs: (bits & (RECURS | PRIVILEGED_PEER)) === RECURS,
    };
  }

  private mark(row: number, bit: number): void {
    this.bits[row] = num(this.bits, row) | bit;
  }

  private withPeer(row: number, port: number): void {
    const bits = num(this.bits, row);
    const low = port < FIRST_CLIENT_PORT ? PRIVILEGED_PEER : 0;
    if ((bits & SEEN) === 0) {
      this.peer[row] = port;
      this.bits[row] = bits | SEEN | low;
    } else {
      this.bits[row] = bits | low | (this.peer[row] === port ? 0 : RECURS);
    }
  }

  /** The row of the source or destination of the segment in row `i` of the batch. */
  private row(s: SegmentBatch, i: number, source: boolean): number {
    const { table } = this;
    const { key } = table;
    const words = source ? s.source : s.destination;
    const at = i * 4;
    key[0] = word(words, at);
    key[1] = word(words, at + 1);
    key[2] = word(words, at + 2);
    key[3] = word(words, at + 3);
    key[4] = source ? num(s.sourcePort, i) : num(s.destinationPort, i);
    const row = table.put();
    if (this.bits.length < table.rows) {
      this.bits = grown(this.bits, new Uint8Array(table.rows));
      this.peer = grown(this.peer, new Uint32Array(table.rows));
    }
    if (table.fresh) this.bits[row] = 0;
    return row;
  }
}
