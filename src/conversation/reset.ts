/**
 * One reset as the tracker knows it: the header of its first frame, every frame that showed it, and what follows from
 * the connection. Plain data; the report turns it into an event.
 */

import type { OuterHeader } from '../decode/segment-batch.js';
import type { Direction, ResetBy, Verdict } from './verdict.js';

/** The same reset under other addresses: what a NAT made of it. */
export interface Twin {
  readonly srcIp: string;
  readonly srcPort: number;
  readonly destIp: string;
  readonly destPort: number;
  readonly interface: string | null;
}

/** Where a frame was seen: frames that agree in all three are never copies of one another. */
export interface Sighting {
  readonly iface: number;
  readonly packetType: number;
  readonly ttl: number;
}

export interface Reset {
  /** Time of the first frame. */
  readonly seconds: number;
  readonly nanos: number;
  /** Digits after the second that the source's times have. */
  readonly digits: number;
  /** The capture gave the frame a time; without one, `seconds` is that of the frame before. */
  readonly timed: boolean;
  readonly file: number;
  readonly frames: number[];
  readonly srcIp: string;
  readonly srcPort: number;
  readonly destIp: string;
  readonly destPort: number;
  readonly ipVersion: number;
  /** Link addresses as 48-bit numbers, -1 where the link has none. */
  readonly srcMac: number;
  readonly destMac: number;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  /** −1: cut off by the capture. */
  readonly window: number;
  readonly ttl: number;
  /** −1: IPv6 has none. */
  readonly ipId: number;
  readonly payloadLength: number;
  readonly payloadText: string | null;
  /** TSval, −1 without. */
  readonly timestamp: number;
  readonly tenant: number;
  readonly vlan: readonly number[];
  readonly outer: readonly OuterHeader[];
  readonly interfaces: string[];
  readonly sightings: Sighting[];
  readonly twins: Twin[];
  direction: Direction;
  /** Port of the serving side; null where nothing says which side serves. */
  servicePort: number | null;
  resetBy: ResetBy;
  verdict: Verdict;
  /** No further frame can fold into it. */
  whole: boolean;
}

/** Address of the serving side; null where that is not known. */
export function serverIp(reset: Reset): string | null {
  if (reset.resetBy === 'server') return reset.srcIp;
  return reset.resetBy === 'client' ? reset.destIp : null;
}

/** Address of the other side; null where the serving side is not known. */
export function clientIp(reset: Reset): string | null {
  if (reset.resetBy === 'server') return reset.destIp;
  return reset.resetBy === 'client' ? reset.srcIp : null;
}
