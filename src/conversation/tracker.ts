/**
 * Follows the segments of all captures in order and hands on each reset once, whole and in order of arrival.
 *
 * Knows no file, no clock but the frames', no process. A reset waits until no copy of it can come any more and until it
 * is known which side serves, or until waiting longer would take too much memory; then it goes to `settled`.
 */

import type { AddressTest } from '../base/address.js';
import { num, word } from '../base/bytes.js';
import type { CaptureInterface } from '../capture/frame-batch.js';
import { ACK, RST, SYN } from '../decode/net/tcp.js';
import { INBOUND, OUTBOUND, type OuterHeader, type SegmentBatch } from '../decode/segment-batch.js';
import { MAC_BOTH, MAC_NONE } from '../decode/walk.js';
import { AddressTexts } from './address-texts.js';
import { foldHash, type Candidate } from './candidate.js';
import { addCopy } from './copies.js';
import { directionOf } from './direction.js';
import { Folder } from './fold.js';
import { Openers } from './openers.js';
import { Queue } from './queue.js';
import { asClientSeesIt, type Reset } from './reset.js';
import { Roles } from './roles.js';
import { UNKNOWN_VERDICT } from './verdict.js';
import { byHandshake, byRegistry, byRoles, byShape, type Server } from './service-port.js';

/** The flags of the segments that the tracker looks at. */
export const WANTED_FLAGS = SYN | RST;

const TWO_32 = 4294967296;
/** Resets that may wait for evidence of their port at once; so few that they don't outlive the young generation. */
const MAX_WAITING = 8192;

const NO_TAGS: readonly number[] = [];
const NOTHING_AROUND: readonly OuterHeader[] = [];

export interface TrackerOptions {
  /** Copies fold into one reset. */
  readonly fold: boolean;
  /** Addresses that count as the capturing host's; null: not known. */
  readonly local: AddressTest | null;
  /** Whether a port has a registered name. */
  readonly registered: (port: number) => boolean;
}

/** Where a batch comes from. */
export interface Origin {
  readonly file: number;
  readonly interfaces: readonly CaptureInterface[];
}

/** A frame of a reset, as it is taken, by its row in the frame batch: for whoever wants to keep its bytes. */
export type FrameTaken = (reset: Reset, row: number) => void;

/** A reset with the serial numbers of its ends among the roles. */
interface Waiting extends Candidate {
  source: number;
  destination: number;
}

export class Tracker {
  /** Frames that folded into resets seen before. */
  copies = 0;
  /** Distinct resets. */
  unique = 0;
  private readonly openers = new Openers();
  private readonly roles = new Roles();
  private readonly addresses = new AddressTexts();
  private readonly folder: Folder;
  private readonly waiting = new Queue<Waiting>();
  private lastSeconds = NaN;
  private lastNanos = 0;
  private readonly options: TrackerOptions;
  private readonly settled: (reset: Reset) => void;
  private readonly taken: FrameTaken | null;

  constructor(options: TrackerOptions, settled: (reset: Reset) => void, taken: FrameTaken | null) {
    this.options = options;
    this.settled = settled;
    this.taken = taken;
    this.folder = new Folder((root, twin) => {
      this.unique--;
      this.copies++;
      if (root.resetBy === 'unknown' && twin.resetBy !== 'unknown') {
        setServer(root, twin.resetBy === 'server' ? 'source' : 'destination');
      }
    });
  }

  /** Takes the segments of a batch, in their order. */
  follow(segments: SegmentBatch, origin: Origin): void {
    for (let i = 0; i < segments.count; i++) {
      const flags = num(segments.flags, i);
      if ((flags & RST) !== 0) this.takeReset(segments, i, origin);
      else if ((flags & SYN) !== 0) this.takeHandshake(segments, i, (flags & ACK) !== 0);
    }
    this.settle();
  }

  /** The end of all captures: whatever waits is handed on with the evidence at hand. */
  finish(): void {
    this.folder.finish();
    for (let next = this.waiting.shift(); next !== null; next = this.waiting.shift()) {
      if (!next.absorbed) this.handOn(next);
    }
  }

  private takeHandshake(s: SegmentBatch, i: number, isSynAck: boolean): void {
    if (this.openers.see(s, i, isSynAck)) this.roles.serves(s, i, isSynAck);
  }

  private takeReset(s: SegmentBatch, i: number, origin: Origin): void {
    const candidate = this.candidate(s, i, origin);
    const known = this.options.fold ? this.folder.fold(candidate, origin.interfaces.length) : null;
    if (known === null) {
      this.unique++;
      candidate.whole = !this.options.fold;
      this.judge(s, i, candidate);
      this.waiting.push(candidate);
    } else {
      this.copies++;
      addCopy(known, candidate);
    }
    if (this.taken === null) return;
    const reset = known ?? candidate;
    this.taken(reset.suspect?.root ?? reset, word(s.frame, i));
  }

  private judge(s: SegmentBatch, i: number, reset: Waiting): void {
    const server = byHandshake(this.openers.of(s, i)) ?? byShape(reset.flags, reset.seq, reset.ack, reset.window);
    this.roles.meet(s, i, server);
    reset.source = this.roles.source;
    reset.destination = this.roles.destination;
    if (server !== null) setServer(reset, server);
  }

  /** Hands on from the front what is whole and decided; order of arrival is kept. */
  private settle(): void {
    for (let { first } = this.waiting; first !== null; { first } = this.waiting) {
      if (!first.absorbed) {
        if (!first.whole) return;
        if (first.servicePort === null && this.waiting.size <= MAX_WAITING) return;
      }
      this.waiting.shift();
      if (!first.absorbed) this.handOn(first);
    }
  }

  private handOn(reset: Waiting): void {
    if (reset.servicePort === null) {
      const server =
        byRoles(this.roles.of(reset.source), this.roles.of(reset.destination)) ??
        byRegistry(reset.srcPort, reset.destPort, this.options.registered);
      if (server !== null) setServer(reset, server);
    }
    if (reset.resetBy !== 'unknown') {
      const seen = asClientSeesIt(reset);
      reset.servicePort = reset.resetBy === 'server' ? seen.srcPort : seen.destPort;
    }
    this.settled(reset);
  }

  private candidate(s: SegmentBatch, i: number, origin: Origin): Waiting {
    const seconds = num(s.seconds, i);
    const timed = !Number.isNaN(seconds);
    if (timed) {
      this.lastSeconds = seconds;
      this.lastNanos = num(s.nanos, i);
    }
    const iface = num(s.iface, i);
    const around = s.surroundings.get(i);
    const described = origin.interfaces[iface];
    const version = num(s.ipVersion, i);
    const srcIp = this.addresses.text(s.source, i, version);
    const destIp = this.addresses.text(s.destination, i, version);
    const srcPort = num(s.sourcePort, i);
    const destPort = num(s.destinationPort, i);
    const packetType = num(s.packetType, i);
    const flags = num(s.flags, i);
    const seq = num(s.seq, i);
    const ack = num(s.ack, i);
    const macLayout = num(s.macLayout, i);
    const way = num(s.noted, i);
    const noted = way === INBOUND ? 'inbound' : way === OUTBOUND ? 'outbound' : null;
    const interfaceIndex = num(s.interfaceIndex, i);
    const ttl = num(s.ttl, i);
    // A cooked header's index tells the interfaces of one "any" apart; kept clear of the capture's own numbers.
    const place = (interfaceIndex < 0 ? iface : TWO_32 + interfaceIndex) * 256 + packetType;
    return {
      seconds: timed ? seconds : this.lastSeconds,
      nanos: timed ? num(s.nanos, i) : this.lastNanos,
      digits: described?.fractionDigits ?? 6,
      timed,
      file: origin.file,
      frame: num(s.number, i),
      srcIp,
      srcPort,
      destIp,
      destPort,
      ipVersion: version,
      srcMac: macLayout === MAC_NONE ? -1 : word(s.mac, i * 4) * TWO_32 + word(s.mac, i * 4 + 1),
      destMac: macLayout === MAC_BOTH ? word(s.mac, i * 4 + 2) * TWO_32 + word(s.mac, i * 4 + 3) : -1,
      flags,
      seq,
      ack,
      window: num(s.window, i),
      ttl,
      ipId: num(s.ipId, i),
      payloadLength: num(s.payloadLength, i),
      payloadText: s.texts.get(i) ?? null,
      timestamp: num(s.timestamp, i),
      tenant: num(s.tenant, i),
      vlan: around?.vlan ?? NO_TAGS,
      outer: around?.outer ?? NOTHING_AROUND,
      interface: around?.interfaceName ?? described?.name ?? null,
      copies: null,
      direction: directionOf({ srcIp, destIp, packetType, noted }, this.options.local),
      servicePort: null,
      resetBy: 'unknown',
      verdict: UNKNOWN_VERDICT,
      whole: false,
      hash: foldHash(flags, seq, ack),
      place,
      sighting: place * 256 + ttl,
      srcMark: endMark(s.source, i, srcPort),
      destMark: endMark(s.destination, i, destPort),
      closed: false,
      absorbed: false,
      suspect: null,
      suspects: null,
      source: 0,
      destination: 0,
    };
  }
}

/** A hash of an address and port. */
function endMark(words: Uint32Array, i: number, port: number): number {
  let h = port;
  for (let w = i * 4; w < i * 4 + 4; w++) {
    h = Math.imul(h ^ word(words, w), 0x85ebca6b);
    h ^= h >>> 15;
  }
  return h;
}

function setServer(reset: Reset, server: Server): void {
  reset.servicePort = server === 'source' ? reset.srcPort : reset.destPort;
  reset.resetBy = server === 'source' ? 'server' : 'client';
}
