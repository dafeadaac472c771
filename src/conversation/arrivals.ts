/**
 * A row of segments as a reset: what its header and its frame say, before anything is known of its connection.
 *
 * Knows no connections and no processes; the clock only as the frames have it.
 */

import { isLoopback, type AddressTest } from '../base/address.js';
import { num, value, word } from '../base/bytes.js';
import type { CapturedHost, CaptureInterface } from '../capture/frame-batch.js';
import { INBOUND, OUTBOUND, type OuterHeader, type SegmentBatch } from '../decode/segment-batch.js';
import { MAC_BOTH, MAC_NONE } from '../decode/walk.js';
import { AddressTexts } from './address-texts.js';
import { foldHash, type Candidate } from './candidate.js';
import { nothingKnown } from './conversation-facts.js';
import { directionOf } from './direction.js';
import type { HostFacts } from './facts.js';
import { UNKNOWN_VERDICT } from './verdict.js';

const TWO_20 = 1048576;
const TWO_32 = 4294967296;

const NOTHING_KNOWN = nothingKnown();
const NOTHING_OF_HOST: HostFacts = { ttlLeast: null, ttlMost: null, acceptedBefore: null, acceptedAfter: null };
const NO_TAGS: readonly number[] = [];
const NOTHING_AROUND: readonly OuterHeader[] = [];

/** Where a batch comes from. */
export interface Origin {
  readonly file: number;
  readonly interfaces: readonly CaptureInterface[];
  /** Comments of our own on the frames, by row of the segments. */
  readonly comments: ReadonlyMap<number, string>;
}

/** A reset with the serial numbers of its ends among the roles. */
export interface Waiting extends Candidate {
  source: number;
  destination: number;
  /** Time of it, seconds since 1970. */
  readonly at: number;
}

export class Arrivals {
  private readonly addresses = new AddressTexts();
  private readonly asked: AddressTest | null;
  private host: CapturedHost | null = null;
  private hostTest: AddressTest | null = null;
  private lastSeconds = NaN;
  private lastNanos = 0;

  /** `local`: addresses that count as the capturing host's; null: those that the capture itself names, if it does. */
  constructor(local: AddressTest | null) {
    this.asked = local;
  }

  /** The reset in row `i`. `mayNote`: there is room for what its comment says. */
  take(s: SegmentBatch, i: number, origin: Origin, mayNote: boolean): Waiting {
    const seconds = value(s.seconds, i);
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
    // A cooked header's index tells the interfaces of one "any" apart.
    const place = (iface * TWO_20 + ((interfaceIndex + 1) & (TWO_20 - 1))) * 256 + packetType;
    const host = described?.host ?? null;
    const name = around?.interfaceName ?? described?.name ?? null;
    const local = this.localOf(host);
    const filtered = host !== null && local !== null && isOwnFilter(name, local(srcIp), local(destIp));
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
      dontFragment: num(s.dontFragment, i) !== 0,
      payloadLength: num(s.payloadLength, i),
      payloadText: s.texts.get(i) ?? null,
      diagnostic: s.diagnostics.get(i) ?? null,
      note: mayNote ? (origin.comments.get(i) ?? null) : null,
      timestamp: num(s.timestamp, i),
      tenant: num(s.tenant, i),
      vlan: around?.vlan ?? NO_TAGS,
      outer: around?.outer ?? NOTHING_AROUND,
      interface: name,
      netns: host?.netns ?? null,
      copies: null,
      direction: filtered ? 'sent' : directionOf({ srcIp, destIp, packetType, noted }, local),
      ownFilter: filtered,
      servicePort: null,
      resetBy: 'unknown',
      verdict: UNKNOWN_VERDICT,
      conversation: NOTHING_KNOWN,
      host: NOTHING_OF_HOST,
      server: null,
      whole: false,
      hash: foldHash(flags, seq, ack),
      place,
      sighting: place * 256 + ttl,
      srcMark: endMark(s.source, i, srcPort),
      destMark: endMark(s.destination, i, destPort),
      coarse: host?.timestamps === 'arrival',
      blind: host?.stacked === true && name === null,
      blindTimes: null,
      closed: false,
      absorbed: false,
      suspect: null,
      suspects: null,
      source: 0,
      destination: 0,
      at: (timed ? seconds : this.lastSeconds) + (timed ? num(s.nanos, i) : this.lastNanos) / 1e9,
    };
  }

  /** Whose addresses count as the capturing host's, for a frame of this interface. */
  private localOf(host: CapturedHost | null): AddressTest | null {
    if (this.asked !== null || host === null) return this.asked;
    if (this.host?.local !== host.local) {
      const known = new Set(host.local);
      this.hostTest = (ip) => known.has(ip) || isLoopback(ip);
    }
    this.host = host;
    return this.hostTest;
  }
}

/**
 * A reset from elsewhere on the loopback interface was made here: a packet filter in the way out answers in the name of
 * the host that was called (nf_send_reset).
 */
function isOwnFilter(interfaceName: string | null, fromHere: boolean, toHere: boolean): boolean {
  return interfaceName === 'lo' && !fromHere && toHere;
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
