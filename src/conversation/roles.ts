/**
 * What is known of each address and port over the whole capture: has it served, has it been a client, does it recur
 * with different peers, how many connections were opened to it. Bounded; what is forgotten is only a hint lost, never a
 * wrong one, and a count that is not whole is none.
 */

import { u8, value, word } from '../base/bytes.js';
import {
  IS_IPV6,
  R_DESTINATION,
  R_DESTINATION_UPPER,
  R_FLAGS,
  R_PORTS,
  R_SOURCE,
  R_SOURCE_UPPER,
} from '../decode/record-layout.js';
import type { ConversationFacts } from './facts.js';
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

/** Connections whose SYN was seen: how many, and how many of them were reset. */
export interface Connections {
  readonly opened: number;
  readonly reset: number;
}

/** What is known of an end as a server over the whole capture; times in seconds since 1970. */
export interface ServerFacts {
  /** When a connection to it was established last; null: none was seen. */
  readonly lastAccepted: number | null;
  /** Connections to it that went on after a silence, and the longest of these silences in seconds; null: none did. */
  readonly survivals: number;
  readonly longestSilence: number | null;
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
  private connections = new Uint32Array(this.table.rows);
  private resets = new Uint32Array(this.table.rows);
  private acceptedAt = new Float64Array(this.table.rows);
  private acceptedEarlier = new Float64Array(this.table.rows);
  private survivals = new Uint32Array(this.table.rows);
  private silence = new Float64Array(this.table.rows);
  private readonly portConnections = new Uint32Array(65536);
  private readonly portResets = new Uint32Array(65536);

  /** The source (or destination) of the record at `at` has served. */
  serves(words: Uint32Array, at: number, source: boolean): void {
    this.mark(this.row(words, at, source), SERVER);
  }

  /** A connection was opened to it, whose SYN was seen. */
  opened(words: Uint32Array, at: number, source: boolean): void {
    const row = this.row(words, at, source);
    this.mark(row, SERVER);
    this.connections[row] = word(this.connections, row) + 1;
    const port = portOf(words, at, source);
    this.portConnections[port] = word(this.portConnections, port) + 1;
  }

  /** One of the connections that `opened` counted was reset. */
  wasReset(words: Uint32Array, at: number, source: boolean): void {
    const row = this.row(words, at, source);
    this.resets[row] = word(this.resets, row) + 1;
    const port = portOf(words, at, source);
    this.portResets[port] = word(this.portResets, port) + 1;
  }

  /** A connection to it was established at `time`. */
  accepted(words: Uint32Array, at: number, source: boolean, time: number): number {
    const row = this.row(words, at, source);
    this.acceptedEarlier[row] = value(this.acceptedAt, row);
    this.acceptedAt[row] = time;
    return this.table.serial(row);
  }

  /** A connection of both ends went on after a silence of `gap` seconds; which of them serves may not be known yet. */
  survived(words: Uint32Array, at: number, gap: number): void {
    for (const source of [true, false]) {
      const row = this.row(words, at, source);
      this.survivals[row] = word(this.survivals, row) + 1;
      if (gap > value(this.silence, row)) this.silence[row] = gap;
    }
  }

  /** Null: it is not known any more. */
  factsOf(serial: number): ServerFacts | null {
    const row = this.table.rowOf(serial);
    if (row < 0) return null;
    const accepted = value(this.acceptedAt, row);
    const survivals = word(this.survivals, row);
    return {
      lastAccepted: accepted === 0 ? null : accepted,
      survivals,
      longestSilence: survivals === 0 ? null : value(this.silence, row),
    };
  }

  /** When a connection to it was established last, other than `own`, whose client is the receiver; null: none was. */
  acceptedBefore(serial: number, own: ConversationFacts): number | null {
    const row = this.table.rowOf(serial);
    if (row < 0) return null;
    const last = value(this.acceptedAt, row);
    // The third segment came between the first and the last of its client: another's in between is passed over, too.
    const { last: until } = own.receiver;
    const isOwn = own.established && until !== null && own.firstAt !== null && last >= own.firstAt && last <= until.at;
    const time = isOwn ? value(this.acceptedEarlier, row) : last;
    return time === 0 ? null : time;
  }

  /** Connections to it whose SYN was seen, and how many of them were reset; null: not known any more, or none. */
  connectionsOf(serial: number): Connections | null {
    const row = this.table.rowOf(serial);
    // One that was forgotten and came back has lost count.
    if (row < 0 || this.table.evicted > 0) return null;
    return connections(word(this.connections, row), word(this.resets, row));
  }

  /** The same of all servers on one port. */
  connectionsOfPort(port: number): Connections | null {
    return connections(word(this.portConnections, port), word(this.portResets, port));
  }

  /** The two ends of the reset in the record were seen together; `server` is the one that serves, where that is known. */
  meet(words: Uint32Array, at: number, server: Server | null): void {
    const sourcePort = portOf(words, at, true);
    const destinationPort = portOf(words, at, false);
    // One after the other: the second end's row may be the one that the first had.
    const source = this.row(words, at, true);
    this.withPeer(source, destinationPort);
    if (server !== null) this.mark(source, server === 'source' ? SERVER : CLIENT);
    this.source = this.table.serial(source);
    const destination = this.row(words, at, false);
    this.withPeer(destination, sourcePort);
    if (server !== null) this.mark(destination, server === 'source' ? CLIENT : SERVER);
    this.destination = this.table.serial(destination);
  }

  /** What is known now of the end that `meet` gave this serial number. */
  of(serial: number): Role {
    const row = this.table.rowOf(serial);
    if (row < 0) return NOTHING;
    const bits = u8(this.bits, row);
    return {
      server: (bits & SERVER) !== 0,
      client: (bits & CLIENT) !== 0,
      recurs: (bits & (RECURS | PRIVILEGED_PEER)) === RECURS,
    };
  }

  private mark(row: number, bit: number): void {
    this.bits[row] = u8(this.bits, row) | bit;
  }

  private withPeer(row: number, port: number): void {
    const bits = u8(this.bits, row);
    const low = port < FIRST_CLIENT_PORT ? PRIVILEGED_PEER : 0;
    if ((bits & SEEN) === 0) {
      this.peer[row] = port;
      this.bits[row] = bits | SEEN | low;
    } else {
      this.bits[row] = bits | low | (this.peer[row] === port ? 0 : RECURS);
    }
  }

  /** The row of the record's source or destination. */
  private row(words: Uint32Array, at: number, source: boolean): number {
    const { table } = this;
    const { key } = table;
    if ((word(words, at + R_FLAGS) & IS_IPV6) === 0) {
      key[0] = 0;
      key[1] = 0;
      key[2] = 0xffff;
    } else {
      const upper = at + (source ? R_SOURCE_UPPER : R_DESTINATION_UPPER);
      for (let w = 0; w < 3; w++) key[w] = word(words, upper + w);
    }
    key[3] = word(words, at + (source ? R_SOURCE : R_DESTINATION));
    key[4] = portOf(words, at, source);
    const row = table.put();
    if (this.bits.length < table.rows) this.grow(table.rows);
    if (table.fresh) {
      this.bits[row] = 0;
      this.connections[row] = 0;
      this.resets[row] = 0;
      this.acceptedAt[row] = 0;
      this.acceptedEarlier[row] = 0;
      this.survivals[row] = 0;
      this.silence[row] = 0;
    }
    return row;
  }

  private grow(rows: number): void {
    this.bits = grown(this.bits, new Uint8Array(rows));
    this.peer = grown(this.peer, new Uint32Array(rows));
    this.connections = grown(this.connections, new Uint32Array(rows));
    this.resets = grown(this.resets, new Uint32Array(rows));
    this.acceptedAt = grown(this.acceptedAt, new Float64Array(rows));
    this.acceptedEarlier = grown(this.acceptedEarlier, new Float64Array(rows));
    this.survivals = grown(this.survivals, new Uint32Array(rows));
    this.silence = grown(this.silence, new Float64Array(rows));
  }
}

function portOf(words: Uint32Array, at: number, source: boolean): number {
  const ports = word(words, at + R_PORTS);
  return source ? ports >>> 16 : ports & 0xffff;
}

function connections(opened: number, reset: number): Connections | null {
  return opened === 0 ? null : { opened, reset };
}
