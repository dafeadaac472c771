/**
 * What one capture tells of every connection in it, so that it is known again in another capture; and to which
 * connection each reset belongs.
 *
 * Takes rows as the pipeline reads them, in bounded memory: connections for which there is no place are counted, and
 * their resets belong to none.
 */

import { num, word } from '../base/bytes.js';
import { ACK, FIN, RST, SYN } from '../decode/net/tcp-layout.js';
import {
  FLAGS_MASK,
  HAS_TIMESTAMP,
  IPV6_SHIFT,
  NO_TIME,
  R_ACK,
  R_FLAGS,
  R_HASH,
  R_LENGTH,
  R_NANOS,
  R_NUMBER,
  R_SECONDS,
  R_SEQ,
  R_TIMESTAMP,
  RECORD_WORDS,
  SOURCE_IS_LOWER,
  TTL_SHIFT,
} from '../decode/record-layout.js';
import { recordOf } from '../decode/records.js';
import type { Rows } from '../scan/scan.js';
import { connectionOf, isOf, otherSide, type Connection, type Side } from './connection.js';
import { ANSWER, DATA, FINAL, OPENING, PURE } from './marks.js';

/** Connections of one capture that are remembered. */
export const MOST_CONNECTIONS = 1 << 16;
/** Frames of resets whose connection is remembered. */
const MOST_RESET_FRAMES = 1 << 19;
/** Connections whose ends have one hash: more are somebody's making. */
const MOST_OF_A_HASH = 32;
/** More frames than a file may have. */
const TWO_36 = 2 ** 36;

/** The connection of a reset, and whether the lower end sent it. */
export interface ResetPlace {
  readonly connection: Connection;
  readonly fromLower: boolean;
}

export class Footprints {
  readonly connections: Connection[] = [];
  /** Segments of connections that found no place. */
  omitted = 0;
  private readonly limit: number;
  private readonly byHash = new Map<number, Connection>();
  /** By file and frame: twice the connection's number, and one more where the lower end sent the reset. */
  private readonly resets = new Map<number, number>();
  private readonly scratch = new Uint32Array(2 * RECORD_WORDS);

  constructor(limit = MOST_CONNECTIONS) {
    this.limit = limit;
  }

  /** The records of the sieve lie between the others by their frames' numbers. */
  take({ segments, plain, file }: Rows): void {
    const { scratch } = this;
    let place = 0;
    const until = (number: number): void => {
      while (place < plain.count) {
        const at = place * RECORD_WORDS;
        if (word(plain.words, at + R_NUMBER) >= number) return;
        this.takeRecord(plain.words, at, file);
        place += 1 + ((word(plain.words, at + R_FLAGS) >>> IPV6_SHIFT) & 1);
      }
    };
    for (let i = 0; i < segments.count; i++) {
      until(num(segments.number, i));
      recordOf(segments, i, scratch);
      this.takeRecord(scratch, 0, file);
    }
    until(Infinity);
  }

  /** Where the reset in that frame belongs; null: nowhere, there was no place. */
  placeOf(file: number, frame: number): ResetPlace | null {
    const code = this.resets.get(file * TWO_36 + frame);
    const connection = code === undefined ? undefined : this.connections[code >>> 1];
    if (code === undefined || connection === undefined) return null;
    return { connection, fromLower: (code & 1) === 1 };
  }

  private takeRecord(words: Uint32Array, at: number, file: number): void {
    const flagsWord = word(words, at + R_FLAGS);
    const isLower = (flagsWord & SOURCE_IS_LOWER) !== 0;
    const flags = flagsWord & FLAGS_MASK;
    const side: Side = isLower ? 'lower' : 'higher';
    const known = this.find(words, at, isLower);
    if ((flags & RST) !== 0) {
      const connection = known ?? this.begin(words, at, isLower, null);
      if (connection === null || this.resets.size >= MOST_RESET_FRAMES) return;
      this.resets.set(file * TWO_36 + word(words, at + R_NUMBER), connection.index * 2 + (isLower ? 1 : 0));
      return;
    }
    const seq = word(words, at + R_SEQ);
    const isFresh = (flags & (SYN | ACK)) === SYN && known !== null && isAnother(known, side, seq);
    const connection = known === null || isFresh ? this.begin(words, at, isLower, known) : known;
    if (connection === null) return;
    connection.segments++;
    const ack = (flags & ACK) === 0 ? 0 : word(words, at + R_ACK);
    const time = (flagsWord & NO_TIME) !== 0 ? NaN : word(words, at + R_SECONDS) + word(words, at + R_NANOS) * 1e-9;
    const ttl = (flagsWord >>> TTL_SHIFT) & 0xff;
    if ((flags & SYN) !== 0) {
      const timestamp = (flagsWord & HAS_TIMESTAMP) === 0 ? -1 : word(words, at + R_TIMESTAMP);
      if ((flags & ACK) === 0) opened(connection, side, seq, timestamp);
      else answered(connection, side, seq, ack);
      connection.marks.take(seq, ack, (flags & ACK) === 0 ? OPENING : ANSWER, isLower, time, ttl);
      return;
    }
    if ((flags & ACK) === 0) return;
    const kind = word(words, at + R_LENGTH) > 0 ? DATA : (flags & FIN) !== 0 ? FINAL : PURE;
    connection.marks.take(seq, ack, kind, isLower, time, ttl);
  }

  /** The last connection that had these ends. */
  private find(words: Uint32Array, at: number, isLower: boolean): Connection | null {
    let each = this.byHash.get(word(words, at + R_HASH)) ?? null;
    while (each !== null && !isOf(each, words, at, isLower)) each = each.next;
    return each;
  }

  /** `before` had the same ends: it is found no more. */
  private begin(words: Uint32Array, at: number, isLower: boolean, before: Connection | null): Connection | null {
    const hash = word(words, at + R_HASH);
    const others: Connection[] = [];
    for (let each = this.byHash.get(hash) ?? null; each !== null; each = each.next)
      if (each !== before) others.push(each);
    if (this.connections.length >= this.limit || others.length >= MOST_OF_A_HASH) {
      this.omitted++;
      return null;
    }
    const connection = connectionOf(this.connections.length, words, at, isLower);
    let last = connection;
    for (const other of others) {
      last.next = other;
      last = other;
    }
    last.next = null;
    this.byHash.set(hash, connection);
    this.connections.push(connection);
    return connection;
  }
}

/** A SYN that is not the connection's own: the same ends speak anew. */
function isAnother(connection: Connection, side: Side, seq: number): boolean {
  const { opener, openerIsn, acceptorIsn, segments } = connection;
  // A connection of which only a reset was seen: the reset may have come first in a file that is out of order.
  if (opener === null) return segments > 0;
  return opener === side ? openerIsn !== seq : acceptorIsn !== null && acceptorIsn !== seq;
}

function opened(connection: Connection, side: Side, seq: number, timestamp: number): void {
  if (connection.opener !== null && connection.opener !== side) return;
  connection.opener = side;
  connection.openerIsn = seq;
  if (connection.synTimestamp < 0) connection.synTimestamp = timestamp;
}

/** The SYN's number is known by its answer, too. */
function answered(connection: Connection, side: Side, seq: number, ack: number): void {
  const openerIsn = (ack - 1) >>> 0;
  if (connection.opener === side || (connection.openerIsn !== null && connection.openerIsn !== openerIsn)) return;
  connection.opener = otherSide(side);
  connection.openerIsn = openerIsn;
  connection.acceptorIsn ??= seq;
}
