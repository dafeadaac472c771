/**
 * Which way a reset went, seen from the host that captured it.
 *
 * The capture's own word (cooked packet type, pcapng flags) counts first, then the addresses that are this host's. A
 * reset between loopback addresses has both ends here, whoever reads the file.
 */

import { isLoopback, type AddressTest } from '../base/address.js';
import { PACKET_HOST, PACKET_OTHERHOST, PACKET_OUTGOING } from '../decode/walk.js';
import type { Direction } from './verdict.js';

export interface Seen {
  readonly srcIp: string;
  readonly destIp: string;
  readonly packetType: number;
  /** The frame's own flags word. */
  readonly noted: 'inbound' | 'outbound' | null;
}

/** `local` is null where nothing is known of the host's addresses. */
export function directionOf(seen: Seen, local: AddressTest | null): Direction {
  if (isLoopback(seen.srcIp) && isLoopback(seen.destIp)) return 'local';
  if (local !== null) {
    const from = local(seen.srcIp);
    const to = local(seen.destIp);
    if (from && to) return 'local';
    if (from) return 'sent';
    return to ? 'received' : 'forwarded';
  }
  if (seen.packetType === PACKET_OUTGOING || seen.noted === 'outbound') return 'sent';
  if (seen.packetType === PACKET_HOST || seen.noted === 'inbound') return 'received';
  return seen.packetType === PACKET_OTHERHOST ? 'forwarded' : 'unknown';
}
