/**
 * What decoding hands on: one row of numbers for each TCP header that was asked for.
 *
 * Columns over typed arrays, so that rows cost no objects and could move between threads; what few rows have (tags,
 * tunnels, text in a reset) lies beside them by row. Valid until the decoder's next batch.
 */

import { BATCH_FRAMES } from '../capture/frame-batch.js';
import type { Encapsulation } from './walk.js';

/** One encapsulation around the innermost IP header. */
export interface OuterHeader {
  readonly encapsulation: Encapsulation;
  readonly srcIp: string | null;
  readonly destIp: string | null;
  /** VNI, GRE key, ERSPAN session, TEID, PPPoE session or MPLS label; null where there is none. */
  readonly id: number | null;
}

/** What lies around a segment beside plain Ethernet and IP. */
export interface Surroundings {
  readonly vlan: readonly number[];
  readonly outer: readonly OuterHeader[];
  /** The interface's name inside the frame (PKTAP). */
  readonly interfaceName: string | null;
}

export class SegmentBatch {
  count = 0;
  /** Index of the frame in the frame batch that was decoded. */
  readonly frame = new Uint32Array(BATCH_FRAMES);
  /** Four words an address; IPv4 as 0, 0, 0xffff, word. */
  readonly source = new Uint32Array(BATCH_FRAMES * 4);
  readonly destination = new Uint32Array(BATCH_FRAMES * 4);
  readonly ipVersion = new Uint8Array(BATCH_FRAMES);
  readonly ttl = new Uint8Array(BATCH_FRAMES);
  /** −1 for IPv6. */
  readonly ipId = new Int32Array(BATCH_FRAMES);
  readonly sourcePort = new Uint16Array(BATCH_FRAMES);
  readonly destinationPort = new Uint16Array(BATCH_FRAMES);
  /** The nine flags of tcp.ts, and three reserved bits above them. */
  readonly flags = new Uint16Array(BATCH_FRAMES);
  readonly seq = new Uint32Array(BATCH_FRAMES);
  readonly ack = new Uint32Array(BATCH_FRAMES);
  /** −1 where the capture cut it off. */
  readonly window = new Int32Array(BATCH_FRAMES);
  readonly payloadLength = new Uint32Array(BATCH_FRAMES);
  /** TSval of the timestamps option, −1 where there is none. */
  readonly timestamp = new Float64Array(BATCH_FRAMES);
  readonly macLayout = new Uint8Array(BATCH_FRAMES);
  /** High 16 and low 32 bits of source and destination, four a row. */
  readonly mac = new Uint32Array(BATCH_FRAMES * 4);
  /** A cooked header's packet type, 255 where there is none. */
  readonly packetType = new Uint8Array(BATCH_FRAMES);
  /** Interface index of the capturing machine (SLL2), −1 where there is none. */
  readonly interfaceIndex = new Int32Array(BATCH_FRAMES);
  /** Number of the VLAN tags and tunnel identifiers around the segment; 0: none. Two tenants' 10.0.0.5 are two. */
  readonly tenant = new Uint32Array(BATCH_FRAMES);
  readonly surroundings = new Map<number, Surroundings>();
  /** Printable payload of resets (RFC 9293 3.5.3). */
  readonly texts = new Map<number, string>();

  clear(): void {
    this.count = 0;
    if (this.surroundings.size > 0) this.surroundings.clear();
    if (this.texts.size > 0) this.texts.clear();
  }
}
