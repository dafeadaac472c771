/**
 * Follows the segments of all captures in order and hands on each reset once, whole and in order of arrival.
 *
 * Knows no file, no clock but the frames', no process. A reset waits until no copy of it can come any more and until it
 * is known which side serves, or until waiting longer would take too much memory; then it goes to `settled`.
 */

import { ipv4Text, ipv6Text, type AddressTest } from '../base/address.js';
import { num, word } from '../base/bytes.js';
import type { CaptureInterface, FrameBatch } from '../capture/frame-batch.js';
import { ACK, RST, SYN } from '../decode/net/tcp.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import { MAC_BOTH, MAC_NONE } from '../decode/walk.js';
import { directionOf } from './direction.js';
import { Folder, foldHash, type Candidate } from './fold.js';
import { Openers } from './openers.js';
import type { Reset } from './reset.js';
import { endOf, Roles, type End } from './roles.js';
import { UNKNOWN_VERDICT } from './verdict.js';
import { byHandshake, byRegistry, byRoles, byShape, type Server } from './service-port.js';

/** The flags of the segments that the tracker looks at. */
export const WANTED_FLAGS = SYN | RST;

const TWO_32 = 4294967296;
/** Resets that may wait for more evidence at once. */
const MAX_WAITING = 20_000;

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

/** A frame of a reset, as it is taken: for whoever wants to keep its bytes. */
export type FrameTaken = (reset: Reset, frames: FrameBatch, i: number) => void;

interface Waiting extends Candidate {
  readonly ends: { readonly source: End; readonly destination: End };
}

export class Tracker {
  /** Frames that folded into resets seen before. */
  copies = 0;
  /** Distinct resets. */
  unique = 0;
  private readonly openers = new Openers();
  private readonly roles = new Roles();
  private readonly folder = new Folder();
  private waiting: Waiting[] = [];
  private head = 0;
  private lastSeconds = NaN;
  private lastNanos = 0;
  private readonly options: TrackerOptions;
  private readonly settled: (reset: Reset) => void;
  private readonly taken: FrameTaken | null;

  constructor(options: TrackerOptions, settled: (reset: Reset) => void, taken: FrameTaken | null) {
    this.options = options;
    this.settled = settled;
    this.taken = taken;
  }

  /** Takes the segments of a batch, in their order. */
  follow(segments: SegmentBatch, frames: FrameBatch, origin: Origin): void {
    for (let i = 0; i < segments.count; i++) {
      const flags = num(segments.flags, i);
      if ((flags & RST) !== 0) this.takeReset(segments, i, frames, origin);
      else if ((flags & SYN) !== 0) this.takeHandshake(segments, i, (flags & ACK) !== 0);
    }
    this.settle();
  }

  /** The end of all captures: whatever waits is handed on with the evidence at hand. */
  finish(): void {
    this.folder.finish();
    for (let next = this.waiting[this.head]; next !== undefined; next = this.waiting[this.head]) this.handOn(next);
  }

  private takeHandshake(s: SegmentBatch, i: number, isSynAck: boolean): void {
    if (this.openers.see(s, i, isSynAck)) this.roles.serves(s, i, isSynAck);
  }

  private takeReset(s: SegmentBatch, i: number, frames: FrameBatch, origin: Origin): void {
    const opener = this.openers.of(s, i);
    const candidate = this.candidate(s, i, frames, origin);
    const known = this.options.fold ? this.folder.fold(candidate) : null;
    if (known === null) {
      this.unique++;
      if (!this.options.fold) candidate.whole = true;
      this.judge(
        candidate,
        byHandshake(opener) ?? byShape(candidate.flags, candidate.seq, candidate.ack, candidate.window),
      );
      this.waiting.push(candidate);
      this.taken?.(candidate, frames, num(s.frame, i));
    } else {
      this.copies++;
      addCopy(known, candidate);
      this.taken?.(known, frames, num(s.frame, i));
    }
  }

  private judge(reset: Waiting, server: Server | null): void {
    const { source, destination } = reset.ends;
    this.roles.meet(source, destination, server === null ? null : server === 'source' ? source : destination);
    if (server !== null) setServer(reset, server);
  }

  /** Hands on from the front what is whole and decided; order of arrival is kept. */
  private settle(): void {
    for (let next = this.waiting[this.head]; next !== undefined; next = this.waiting[this.head]) {
      const crowded = this.waiting.length - this.head > MAX_WAITING;
      if (!crowded && !(next.whole && next.servicePort !== null)) return;
      if (!next.whole && this.waiting.length - this.head <= 4 * MAX_WAITING) return;
      this.handOn(next);
    }
  }

  private handOn(reset: Waiting): void {
    this.head++;
    if (this.head > 1024 && this.head * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
    if (reset.servicePort === null) {
      const server =
        byRoles(this.roles.of(reset.ends.source), this.roles.of(reset.ends.destination)) ??
        byRegistry(reset.srcPort, reset.destPort, this.options.registered);
      if (server !== null) setServer(reset, server);
    }
    this.settled(reset);
  }

  private candidate(s: SegmentBatch, i: number, frames: FrameBatch, origin: Origin): Waiting {
    const frame = num(s.frame, i);
    const seconds = num(frames.seconds, frame);
    const timed = !Number.isNaN(seconds);
    if (timed) {
      this.lastSeconds = seconds;
      this.lastNanos = num(frames.nanos, frame);
    }
    const iface = num(frames.iface, frame);
    const around = s.surroundings.get(i);
    const described = origin.interfaces[iface];
    const name = around?.interfaceName ?? described?.name ?? null;
    const srcIp = addressText(s.source, i, num(s.ipVersion, i));
    const destIp = addressText(s.destination, i, num(s.ipVersion, i));
    const packetType = num(s.packetType, i);
    const flags = num(s.flags, i);
    const seq = num(s.seq, i);
    const ack = num(s.ack, i);
    const macLayout = num(s.macLayout, i);
    const noted = frames.notes.get(frame)?.direction ?? null;
    const interfaceIndex = num(s.interfaceIndex, i);
    const ttl = num(s.ttl, i);
    return {
      seconds: timed ? seconds : this.lastSeconds,
      nanos: timed ? num(frames.nanos, frame) : this.lastNanos,
      digits: described?.fractionDigits ?? 6,
      timed,
      file: origin.file,
      frames: [frames.firstFrame + frame],
      srcIp,
      srcPort: num(s.sourcePort, i),
      destIp,
      destPort: num(s.destinationPort, i),
      ipVersion: num(s.ipVersion, i),
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
      vlan: around?.vlan ?? [],
      outer: around?.outer ?? [],
      interfaces: name === null ? [] : [name],
      // A cooked header's index tells the interfaces of one "any" apart; kept clear of the capture's own numbers.
      sightings: [{ iface: interfaceIndex < 0 ? iface : -2 - interfaceIndex, packetType, ttl }],
      twins: [],
      direction: directionOf({ srcIp, destIp, packetType, noted }, this.options.local),
      servicePort: null,
      resetBy: 'unknown',
      verdict: UNKNOWN_VERDICT,
      whole: false,
      hash: foldHash(flags, seq, ack),
      ends: { source: endOf(s, i, true), destination: endOf(s, i, false) },
    };
  }
}

function addressText(words: Uint32Array, i: number, version: number): string {
  const at = i * 4;
  if (version === 4) return ipv4Text(word(words, at + 3));
  return ipv6Text(word(words, at), word(words, at + 1), word(words, at + 2), word(words, at + 3));
}

function setServer(reset: Reset, server: Server): void {
  reset.servicePort = server === 'source' ? reset.srcPort : reset.destPort;
  reset.resetBy = server === 'source' ? 'server' : 'client';
}

function addCopy(known: Candidate, frame: Candidate): void {
  known.frames.push(...frame.frames);
  known.sightings.push(...frame.sightings);
  for (const name of frame.interfaces) if (!known.interfaces.includes(name)) known.interfaces.push(name);
  const same =
    known.srcIp === frame.srcIp &&
    known.srcPort === frame.srcPort &&
    known.destIp === frame.destIp &&
    known.destPort === frame.destPort;
  if (same) return;
  const twin = {
    srcIp: frame.srcIp,
    srcPort: frame.srcPort,
    destIp: frame.destIp,
    destPort: frame.destPort,
    interface: frame.interfaces[0] ?? null,
  };
  const before = known.twins.some(
    (t) =>
      t.srcIp === twin.srcIp && t.srcPort === twin.srcPort && t.destIp === twin.destIp && t.destPort === twin.destPort,
  );
  if (!before) known.twins.push(twin);
}
