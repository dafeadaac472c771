/**
 * One reset, once: tells which frames are copies of a reset that was already seen.
 *
 * A copy agrees in addresses, ports, sequence, acknowledgement, flags, window, length, IP ID and TSval, and was seen
 * elsewhere or otherwise: on another interface, with another packet type, or some hops further. Frames that agree in
 * interface, packet type and TTL are never copies: that is a sender who said it twice. A frame belongs to the earliest
 * reset that was not yet seen where it was. Frames without a time are never copies.
 *
 * A twin has been through a NAT: one end has another address, everything else agrees. It stays a reset of its own until
 * nothing more can come, for only then can a scanner's constant numbers be told from a NAT.
 */

import { Constants } from './constants.js';
import type { Candidate, Suspect } from './candidate.js';
import { addTwin, sameTuple } from './copies.js';
import { OpenResets } from './open-resets.js';
import type { Reset } from './reset.js';

/** Copies of one frame on this machine's interfaces lie within microseconds; measured on busy hosts below this. */
const SAME_HOST_SECONDS = 0.002;
/** The same where the time is that of the arrival in a program, one for each interface. */
const ARRIVAL_SECONDS = 0.02;
/**
 * What a frame takes from one interface to the one that lies upon it; nobody says the same thing twice so fast. Only
 * for captures that don't tell such interfaces apart.
 */
const STACK_SECONDS = 0.002;
/** The two sides of a router can lie this far apart; then only a running IP ID proves the copy. */
const ROUTER_SECONDS = 0.06;
/** How far out of time order a file may be: dumpcap writes its interfaces' packets in bursts, one after the other. */
const BURST_SECONDS = 2;
/** Resets that may get copies at once; the shorter they wait, the fewer, and the less memory a flood takes. */
const MANY_OPEN = 16_384;
const FEW_OPEN = 2048;
const SHORT_SECONDS = 0.1;
/** A frame that is further ahead of the clock than this was stamped before the clock was set back. */
const MAX_CLOCK_STEP = 5;
/** A copy crossed few routers; a larger step is another sender. */
const MAX_HOPS = 4;
export class Folder {
  private readonly constants = new Constants();
  private readonly open: OpenResets;
  private readonly absorbed: (root: Candidate, twin: Candidate) => void;

  private readonly patience: number | null;

  /**
   * `absorbed` hears of each reset that turned out to be a twin of an earlier one. `patience`: seconds that the frames
   * of one reset may lie apart in the order in which they come; null: as in saved captures.
   */
  constructor(absorbed: (root: Candidate, twin: Candidate) => void, patience: number | null = null) {
    this.absorbed = absorbed;
    this.patience = patience;
    this.open = new OpenResets((patience ?? BURST_SECONDS) < SHORT_SECONDS ? FEW_OPEN : MANY_OPEN);
  }

  /** Closes what is older than `seconds` since 1970: the clock says that nothing more of it will come. */
  closeOlder(seconds: number): void {
    for (let { oldest } = this.open; oldest !== null; { oldest } = this.open) {
      // A clock that was set back must not hold on to them for ever.
      const age = seconds - (oldest.seconds + oldest.nanos / 1e9);
      if (age < 0 && age > -MAX_CLOCK_STEP) return;
      this.closeOldest();
    }
  }

  /**
   * The reset that `frame` is a copy of, or null: then it is new, and is remembered. Its capture has so many
   * `interfaces`.
   */
  fold(frame: Candidate, interfaces: number): Candidate | null {
    this.closeBefore(frame, this.patience ?? (interfaces > 1 ? BURST_SECONDS : ROUTER_SECONDS));
    const { srcMark, destMark, seq, ack } = frame;
    const known = this.open.earliest(frame, isCopy);
    if (known !== null) {
      if (frame.blind) noteBlind(known, frame);
      return known;
    }
    const via = this.open.earliest(frame, this.isSuspect);
    if (via !== null) suspect(via, frame);
    this.constants.see(srcMark, destMark, seq, ack);
    this.constants.see(destMark, srcMark, seq, ack);
    if (frame.blind) noteBlind(frame, frame);
    this.open.push(frame);
    return null;
  }

  /** Closes everything: nothing more will come. */
  finish(): void {
    while (this.open.oldest !== null) this.closeOldest();
  }

  private closeBefore(frame: Candidate, patience: number): void {
    for (let { oldest } = this.open; oldest !== null; { oldest } = this.open) {
      const stillOpen = Math.abs(apart(oldest, frame)) <= patience;
      if (stillOpen && !this.open.full) return;
      this.closeOldest();
    }
  }

  private closeOldest(): void {
    const oldest = this.open.shift();
    if (oldest === null) return;
    oldest.closed = true;
    if (oldest.suspect !== null) this.decide(oldest, oldest.suspect);
    if (oldest.suspects === null && !oldest.absorbed) oldest.whole = true;
  }

  /** What `frame` may be a twin of. */
  private readonly isSuspect = (known: Candidate, frame: Candidate): boolean => {
    if (!isTwin(known, frame)) return false;
    if (this.constants.has(keptMark(known, frame), frame.seq, frame.ack)) return false;
    const root = known.suspect?.root ?? known;
    return !root.closed && !isTaken(root, frame) && root.suspects?.some((other) => isTaken(other, frame)) !== true;
  };

  /** Everything that could speak against `twin` has been seen. */
  private decide(twin: Candidate, { root, via, kept }: Suspect): void {
    twin.suspect = null;
    if ((via === root || via.absorbed) && !this.constants.has(kept, twin.seq, twin.ack)) {
      addTwin(root, twin);
      twin.absorbed = true;
      this.absorbed(root, twin);
    }
    const left = root.suspects?.filter((other) => other !== twin) ?? [];
    root.suspects = left.length === 0 ? null : left;
    if (root.suspects === null && root.closed) root.whole = true;
  }
}

/** When `known` was last seen as `frame` shows it. */
function noteBlind(known: Candidate, frame: Candidate): void {
  known.blindTimes ??= new Map();
  known.blindTimes.set(frame.sighting, timeOf(frame));
}

/** Links `frame` to what it may be a twin of. */
function suspect(via: Candidate, frame: Candidate): void {
  const root = via.suspect?.root ?? via;
  frame.suspect = { root, via, kept: keptMark(via, frame) };
  (root.suspects ??= []).push(frame);
}

/** Mark of the end that both have. */
function keptMark(known: Candidate, frame: Candidate): number {
  return known.srcMark === frame.srcMark ? frame.srcMark : frame.destMark;
}

function apart(a: Reset, b: Reset): number {
  return b.seconds - a.seconds + (b.nanos - a.nanos) / 1e9;
}

/** To the microsecond or so. */
function timeOf({ seconds, nanos }: Reset): number {
  return seconds + nanos / 1e9;
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
    (a.window === b.window || a.window < 0 || b.window < 0) &&
    a.file === b.file &&
    a.timed &&
    b.timed
  );
}

/** Seen on another interface or with another packet type, or further on its way. */
function seenOtherwise(known: Candidate, frame: Candidate): boolean {
  const seen = known.copies === null ? known.sighting === frame.sighting : known.copies.sightings.has(frame.sighting);
  const gap = Math.abs(apart(known, frame));
  // From the last frame that was seen just so: the first one may have another program's time.
  if (seen)
    return frame.blind && Math.abs(timeOf(frame) - (known.blindTimes?.get(frame.sighting) ?? NaN)) <= STACK_SECONDS;
  const hops = Math.abs(known.ttl - frame.ttl);
  if (hops > MAX_HOPS) return false;
  const elsewhere = known.place !== frame.place;
  const sameHost = sameHostSeconds(known, frame);
  if (hops === 0) return elsewhere && gap <= sameHost;
  // A router rewrites the link addresses; the same ones with another TTL are another packet by another path.
  if (!elsewhere && sameLink(known, frame)) return false;
  return gap <= (frame.ipId > 0 ? ROUTER_SECONDS : sameHost);
}

function sameHostSeconds(a: Candidate, b: Candidate): number {
  return a.coarse || b.coarse ? ARRIVAL_SECONDS : SAME_HOST_SECONDS;
}

/** Both link addresses are there and agree; all zeros is what a switch's mirror writes over them, and says nothing. */
function sameLink(a: Candidate, b: Candidate): boolean {
  return a.srcMac > 0 && a.destMac > 0 && a.srcMac === b.srcMac && a.destMac === b.destMac;
}

function isCopy(known: Candidate, frame: Candidate): boolean {
  return sameTuple(known, frame) && sameSegment(known, frame) && seenOtherwise(known, frame);
}

/**
 * A NAT changes one end (its address, perhaps its port) and leaves the other. Two numbers that are 0 identify nothing,
 * and both sides of it must be told apart by more: interface or packet type, tenant, or a running IP ID.
 */
function isTwin(known: Candidate, frame: Candidate): boolean {
  const sourceKept = known.srcIp === frame.srcIp && known.srcPort === frame.srcPort;
  const destinationKept = known.destIp === frame.destIp && known.destPort === frame.destPort;
  if (sourceKept === destinationKept || (known.seq | known.ack) === 0) return false;
  if (sourceKept ? known.destIp === frame.destIp : known.srcIp === frame.srcIp) return false;
  return (
    (known.place !== frame.place || known.tenant !== frame.tenant || frame.ipId > 0) &&
    Math.abs(apart(known, frame)) <= sameHostSeconds(known, frame) &&
    sameSegment(known, frame) &&
    seenOtherwise(known, frame)
  );
}

/** `other` has been seen just so: `frame` is a repetition, not another sighting of it. */
function isTaken(other: Candidate, frame: Candidate): boolean {
  return (
    sameTuple(other, frame) &&
    (other.copies === null ? other.sighting === frame.sighting : other.copies.sightings.has(frame.sighting))
  );
}
