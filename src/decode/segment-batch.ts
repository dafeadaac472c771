/**
 * What decoding hands on: one row of numbers for each TCP header that was asked for.
 *
 * Columns over typed arrays, so that rows cost no objects and could move between threads; what few rows have (tags,
 * tunnels, text in a reset) lies beside them by row. Valid until the decoder's next batch.
 */

import type { ResetDiagnostic } from './net/reset-diagnostic.js';
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

export const INBOUND = 1;
export const OUTBOUND = 2;

export class SegmentBatch {
  count = 0;
  readonly capacity: number;
  /** The frame's number in its file, its row in the frame batch, its time and its interface. */
  readonly number: Float64Array;
  readonly frame: Uint32Array;
  readonly seconds: Float64Array;
  readonly nanos: Float64Array;
  readonly iface: Uint32Array;
  /** The capture's own word on the direction: 0 none, INBOUND, OUTBOUND. */
  readonly noted: Uint8Array;
  /** Four words an address; IPv4 as 0, 0, 0xffff, word. */
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  readonly ipVersion: Uint8Array;
  readonly ttl: Uint8Array;
  /** −1 for IPv6. */
  readonly ipId: Int32Array;
  readonly sourcePort: Uint16Array;
  readonly destinationPort: Uint16Array;
  /** The nine flags of tcp.ts, and three reserved bits above them. */
  readonly flags: Uint16Array;
  readonly seq: Uint32Array;
  readonly ack: Uint32Array;
  /** −1 where the capture cut it off. */
  readonly window: Int32Array;
  readonly payloadLength: Uint32Array;
  /** TSval of the timestamps option, −1 where there is none. */
  readonly timestamp: Float64Array;
  /** Shift count of a SYN's window scale option, 255 where there is none. */
  readonly windowScale: Uint8Array;
  /** IPv4's "don't fragment". */
  readonly dontFragment: Uint8Array;
  readonly macLayout: Uint8Array;
  /** High 16 and low 32 bits of source and destination, four a row. */
  readonly mac: Uint32Array;
  /** A cooked header's packet type, 255 where there is none. */
  readonly packetType: Uint8Array;
  /** Interface index of the capturing machine (SLL2), −1 where there is none. */
  readonly interfaceIndex: Int32Array;
  /** Number of the VLAN tags and tunnel identifiers around the segment; 0: none. Two tenants' 10.0.0.5 are two. */
  readonly tenant: Uint32Array;
  readonly surroundings = new Map<number, Surroundings>();
  /** Printable payload of resets (RFC 9293 3.5.3). */
  readonly texts = new Map<number, string>();
  /** What diagnostic payloads of resets say. */
  readonly diagnostics = new Map<number, ResetDiagnostic>();

  constructor(capacity: number) {
    this.capacity = capacity;
    this.number = new Float64Array(capacity);
    this.frame = new Uint32Array(capacity);
    this.seconds = new Float64Array(capacity);
    this.nanos = new Float64Array(capacity);
    this.iface = new Uint32Array(capacity);
    this.noted = new Uint8Array(capacity);
    this.source = new Uint32Array(capacity * 4);
    this.destination = new Uint32Array(capacity * 4);
    this.ipVersion = new Uint8Array(capacity);
    this.ttl = new Uint8Array(capacity);
    this.ipId = new Int32Array(capacity);
    this.sourcePort = new Uint16Array(capacity);
    this.destinationPort = new Uint16Array(capacity);
    this.flags = new Uint16Array(capacity);
    this.seq = new Uint32Array(capacity);
    this.ack = new Uint32Array(capacity);
    this.window = new Int32Array(capacity);
    this.payloadLength = new Uint32Array(capacity);
    this.timestamp = new Float64Array(capacity);
    this.windowScale = new Uint8Array(capacity);
    this.dontFragment = new Uint8Array(capacity);
    this.macLayout = new Uint8Array(capacity);
    this.mac = new Uint32Array(capacity * 4);
    this.packetType = new Uint8Array(capacity);
    this.interfaceIndex = new Int32Array(capacity);
    this.tenant = new Uint32Array(capacity);
  }

  clear(): void {
    this.count = 0;
    if (this.surroundings.size > 0) this.surroundings.clear();
    if (this.texts.size > 0) this.texts.clear();
    if (this.diagnostics.size > 0) this.diagnostics.clear();
  }
}
