/**
 * Which side serves: decided from the best evidence at hand, and left open where there is none.
 *
 * In order: the handshake; the shape of the reset; what the two ends did elsewhere in the capture; registered ports.
 * Each rule answers with a side or null; the first answer counts.
 */

import { ACK, RST } from '../decode/net/tcp-layout.js';
import type { Role } from './roles.js';

/** One of a reset's two ends. */
export type Server = 'source' | 'destination';

/** The handshake says it: whoever did not open serves. */
export function byHandshake(opener: Server | null): Server | null {
  if (opener === null) return null;
  return opener === 'source' ? 'destination' : 'source';
}

/**
 * RST and ACK with sequence number 0 answer a segment without ACK (RFC 9293 3.10.7.1): a SYN, or a scanner's probe.
 * Whoever answers so serves, or was asked to.
 */
export function byShape(flags: number, seq: number, ack: number, window: number): Server | null {
  return (flags & (RST | ACK)) === (RST | ACK) && seq === 0 && ack !== 0 && window <= 0 ? 'source' : null;
}

/** One end is known from other connections: it served there, or it was the client there, or it recurs. */
export function byRoles(source: Role, destination: Role): Server | null {
  return (
    only(source.server && !source.client, destination.server && !destination.client) ??
    only(destination.client && !destination.server, source.client && !source.server) ??
    only(source.recurs && !source.client, destination.recurs && !destination.client)
  );
}

/** First port of Linux's default ephemeral range; a name registered above it is most often a client's accident. */
const EPHEMERAL = 32768;

/** One of the two ports has a registered name, the other has not. */
export function byRegistry(
  sourcePort: number,
  destinationPort: number,
  registered: (port: number) => boolean,
): Server | null {
  if (sourcePort < EPHEMERAL !== destinationPort < EPHEMERAL) {
    return only(
      sourcePort < EPHEMERAL && registered(sourcePort),
      destinationPort < EPHEMERAL && registered(destinationPort),
    );
  }
  return only(registered(sourcePort), registered(destinationPort));
}

function only(source: boolean, destination: boolean): Server | null {
  if (source === destination) return null;
  return source ? 'source' : 'destination';
}
