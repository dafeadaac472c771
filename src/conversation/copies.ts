/** Puts what further frames of a reset showed beside its first frame. */

import type { Candidate } from './candidate.js';
import { Few } from './few.js';
import { framesOf, interfacesOf, type Copies, type Tuple } from './reset.js';
import type { Direction } from './verdict.js';

/** `frame` showed `known` once more. */
export function addCopy(known: Candidate, frame: Candidate): void {
  const copies = (known.copies ??= copiesOf(known));
  copies.frames.push(frame.frame);
  copies.sightings.add(frame.sighting);
  if (frame.interface !== null) copies.interfaces.add(frame.interface);
  known.direction = joined(known.direction, frame.direction);
}

/** What came in at one interface and went out at another was only passing through. */
function joined(a: Direction, b: Direction): Direction {
  if (a === b || b === 'unknown') return a;
  return a === 'unknown' ? b : 'forwarded';
}

/** `twin` is `known` behind a NAT: all its frames are frames of `known`. */
export function addTwin(known: Candidate, twin: Candidate): void {
  const copies = (known.copies ??= copiesOf(known));
  for (const frame of framesOf(twin)) copies.frames.push(frame);
  copies.frames.sort((a, b) => a - b);
  for (const name of interfacesOf(twin)) copies.interfaces.add(name);
  if (copies.twins?.some((other) => sameTuple(other, twin)) === true) return;
  const { srcIp, srcPort, destIp, destPort, seconds, nanos } = twin;
  (copies.twins ??= []).push({ srcIp, srcPort, destIp, destPort, seconds, nanos, interface: twin.interface });
}

function copiesOf(reset: Candidate): Copies {
  const copies: Copies = { frames: [], interfaces: new Few(), sightings: new Few(), twins: null };
  copies.sightings.add(reset.sighting);
  if (reset.interface !== null) copies.interfaces.add(reset.interface);
  return copies;
}

export function sameTuple(a: Tuple, b: Tuple): boolean {
  return a.srcPort === b.srcPort && a.destPort === b.destPort && a.srcIp === b.srcIp && a.destIp === b.destIp;
}
