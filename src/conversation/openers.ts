/**
 * Who opened each connection: the sender of its SYN, or the receiver of its SYN-ACK where the SYN was not captured.
 *
 * Exact keys (addresses, ports, tenant), bounded, the oldest connection forgotten first.
 */

import { num, word } from '../base/bytes.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import { grown, WordTable } from './word-table.js';

const KEY_WORDS = 10;
const LIMIT = 1 << 18;

/** Nothing was seen of the handshake; the source of the segment opened; its destination did. */
export const OPENER_UNKNOWN = 0;
export const OPENER_SOURCE = 1;
export const OPENER_DESTINATION = 2;
export type Opener = number;

/** In the column: which end of the ordered key opened. */
const LOWER = 1;
const HIGHER = 2;

export class Openers {
  private readonly table = new WordTable(KEY_WORDS, LIMIT);
  private side = new Uint8Array(this.table.rows);

  /** A SYN or SYN-ACK in row `i`. @returns whether it began a connection that was not known. */
  see(s: SegmentBatch, i: number, isSynAck: boolean): boolean {
    const sourceIsLower = this.setKey(s, i);
    const row = this.table.put();
    if (this.side.length < this.table.rows) this.side = grown(this.side, new Uint8Array(this.table.rows));
    const { fresh } = this.table;
    // A SYN says more than a SYN-ACK, which a scanner or a reflector may send out of the blue.
    if (fresh || !isSynAck) this.side[row] = sourceIsLower === isSynAck ? HIGHER : LOWER;
    return fresh;
  }

  /** Who opened the connection of the segment in row `i`. */
  of(s: SegmentBatch, i: number): Opener {
    const sourceIsLower = this.setKey(s, i);
    const row = this.table.find();
    if (row < 0) return OPENER_UNKNOWN;
    return (num(this.side, row) === LOWER) === sourceIsLower ? OPENER_SOURCE : OPENER_DESTINATION;
  }

  /** Both directions have one key: the lower end first. @returns whether the source is the lower end. */
  private setKey(s: SegmentBatch, i: number): boolean {
    const { key } = this.table;
    const { source, destination } = s;
    const at = i * 4;
    const sourcePort = num(s.sourcePort, i);
    const destinationPort = num(s.destinationPort, i);
    let order = 0;
    for (let w = 0; w < 4 && order === 0; w++) order = word(source, at + w) - word(destination, at + w);
    if (order === 0) order = sourcePort - destinationPort;
    const sourceIsLower = order <= 0;
    const lower = sourceIsLower ? source : destination;
    const higher = sourceIsLower ? destination : source;
    for (let w = 0; w < 4; w++) {
      key[w] = word(lower, at + w);
      key[4 + w] = word(higher, at + w);
    }
    key[8] = sourceIsLower ? (sourcePort << 16) | destinationPort : (destinationPort << 16) | sourcePort;
    // The IP version keeps an IPv4-mapped IPv6 address apart from the IPv4 one.
    key[9] = (word(s.tenant, i) ^ (num(s.ipVersion, i) << 24)) >>> 0;
    return sourceIsLower;
  }
}
