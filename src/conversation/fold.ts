/**
 * One reset, once: tells which frames are copies of a reset that was already seen.
 *
 * A copy agrees in addresses, ports, sequence, acknowledgement, flags, window, length, IP ID and TSval, and was seen
 * elsewhere or otherwise: on another interface, with another packet type, or some hops further. Frames that agree in
 * interface, packet type and TTL are never copies: that is a sender who said it twice. A twin has been through a NAT:
 * one end has another address, everything else agrees.
 */

import type { Reset, Sighting } from './reset.js';

/** Copies of one frame on this machine's interfaces lie within microseconds; measured on busy hosts below this. */
const SAME_HOST_SECONDS = 0.002;
/** The two sides of a router can lie this far apart; then only a running IP ID proves the copy. */
const ROUTER_SECONDS = 0.06;
/** How far out of time order a file may be: dumpcap writes its interfaces' packets in bursts, one after the other. */
const REORDER_SECONDS = 2;
/** A copy crossed few routers; a larger step is another sender. */
const MAX_HOPS = 4;
/** No machine shows one reset on more interfaces; past this a frame counts as a reset of its own. */
const MAX_SIGHTINGS = 64;
/** Resets with one hash that are compared; a scanner's constant numbers must not make folding quadratic. */
const MAX_ALIKE = 64;
/** Resets that may still get copies; a flood's older ones are closed early. */
const MAX_OPEN = 65536;

/** What a frame must show beside its `Sighting` to be judged. */
export interface Candidate extends Reset {
  readonly hash: number;
}

export class Folder {
  private readonly byHash = new Map<number, Candidate[]>();
  private open: Candidate[] = [];
  private head = 0;

  /** The reset that `frame` is a copy of, or null: then it is new, and is remembered. */
  fold(frame: Candidate): Candidate | null {
    this.closeBefore(frame);
    const candidates = this.byHash.get(frame.hash);
    if (candidates !== undefined) {
      for (const known of candidates) {
        if (known.file === frame.file && isCopy(known, frame)) return known;
      }
      for (const known of candidates) {
        if (known.file === frame.file && isTwin(known, frame)) return known;
      }
      if (candidates.length >= MAX_ALIKE) candidates.shift();
      candidates.push(frame);
    } else {
      this.byHash.set(frame.hash, [frame]);
    }
    this.open.push(frame);
    return null;
  }

  /** Closes everything: nothing more will come. */
  finish(): void {
    while (this.head < this.open.length) this.closeOldest();
  }

  private closeBefore(frame: Candidate): void {
    for (let oldest = this.open[this.head]; oldest !== undefined; oldest = this.open[this.head]) {
      const stillOpen = Math.abs(apart(oldest, frame)) <= REORDER_SECONDS;
      if (stillOpen && this.open.length - this.head < MAX_OPEN) return;
      this.closeOldest();
    }
  }

  private closeOldest(): void {
    const oldest = this.open[this.head];
    if (oldest === undefined) return;
    this.head += 1;
    if (this.head > 1024 && this.head * 2 > this.open.length) {
      this.open = this.open.slice(this.head);
      this.head = 0;
    }
    oldest.whole = true;
    const candidates = this.byHash.get(oldest.hash);
    if (candidates === undefined) return;
    const at = candidates.indexOf(oldest);
    if (at >= 0) candidates.splice(at, 1);
    if (candidates.length === 0) this.byHash.delete(oldest.hash);
  }
}

/** A hash over what copies and twins agree in. */
export function foldHash(flags: number, seq: number, ack: number): number {
  return Math.imul(seq ^ Math.imul(ack, 0x9e3779b1), 0x85ebca6b) ^ flags;
}

function apart(a: Reset, b: Reset): number {
  return b.seconds - a.seconds + (b.nanos - a.nanos) / 1e9;
}

function sameSegment(a: Candidate, b: Candidate): boolean {
  return (
    a.seq === b.seq &&
    a.ack === b.ack &&
    a.flags === b.flags &&
    a.ipVersion === b.ipVersion &&
    a.ipId === b.ipId &&
    a.payloadLength === b.payloadLength &&
    a.timestamp === b.timestamp &&
    (a.window === b.window || a.window < 0 || b.window < 0)
  );
}

function seenThere(sightings: readonly Sighting[], { iface, packetType, ttl }: Sighting): boolean {
  return sightings.some((s) => s.iface === iface && s.packetType === packetType && s.ttl === ttl);
}

/** Seen on another interface or with another packet type, or further on its way. */
function seenOtherwise(known: Candidate, frame: Candidate): boolean {
  const there = frame.sightings[0];
  const first = known.sightings[0];
  if (there === undefined || first === undefined) return false;
  if (known.sightings.length >= MAX_SIGHTINGS || seenThere(known.sightings, there)) return false;
  const gap = Math.abs(apart(known, frame));
  const hops = Math.abs(first.ttl - there.ttl);
  if (hops > MAX_HOPS) return false;
  const elsewhere = first.iface !== there.iface || first.packetType !== there.packetType;
  if (hops === 0) return elsewhere && gap <= SAME_HOST_SECONDS;
  // A router rewrites the link addresses; the same ones with another TTL are another packet by another path.
  if (!elsewhere && known.srcMac >= 0 && known.srcMac === frame.srcMac && known.destMac === frame.destMac) return false;
  return gap <= (frame.ipId > 0 ? ROUTER_SECONDS : SAME_HOST_SECONDS);
}

function isCopy(known: Candidate, frame: Candidate): boolean {
  return (
    known.srcPort === frame.srcPort &&
    known.destPort === frame.destPort &&
    known.srcIp === frame.srcIp &&
    known.destIp === frame.destIp &&
    sameSegment(known, frame) &&
    seenOtherwise(known, frame)
  );
}

/**
 * A NAT changes one end (its address, perhaps its port) and leaves the other. Two numbers that are 0 or a scanner's
 * constant identify nothing, so both ends and the interface must speak for it: another interface or packet type, or a
 * running IP ID.
 */
function isTwin(known: Candidate, frame: Candidate): boolean {
  const sourceKept = known.srcIp === frame.srcIp && known.srcPort === frame.srcPort;
  const destinationKept = known.destIp === frame.destIp && known.destPort === frame.destPort;
  if (sourceKept === destinationKept || (known.seq | known.ack) === 0) return false;
  if (sourceKept ? known.destIp === frame.destIp : known.srcIp === frame.srcIp) return false;
  const there = frame.sightings[0];
  const first = known.sightings[0];
  if (there === undefined || first === undefined) return false;
  const elsewhere = first.iface !== there.iface || first.packetType !== there.packetType;
  return (
    (elsewhere || frame.ipId > 0) &&
    Math.abs(apart(known, frame)) <= SAME_HOST_SECONDS &&
    sameSegment(known, frame) &&
    seenOtherwise(known, frame)
  );
}
