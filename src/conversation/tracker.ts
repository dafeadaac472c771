/**
 * Follows the segments of all captures in order and hands on each reset once, whole and in order of arrival.
 *
 * Knows no file, no clock but the frames' and what it is told, no process. A reset waits until no copy of it can come
 * any more and until it is known which side serves, or until waiting longer would take too much memory; then it goes to
 * `settled`. Who can't wait so long hears of it before, by `announced`, as it is known then.
 */

import { isLoopback, type AddressTest } from '../base/address.js';
import { num, value, word } from '../base/bytes.js';
import type { CapturedHost, CaptureInterface } from '../capture/frame-batch.js';
import { FIN, KEEP_ANY, RST, SYN } from '../decode/net/tcp.js';
import { RECORD_WORDS, recordOf, type Records } from '../decode/records.js';
import { INBOUND, OUTBOUND, type OuterHeader, type SegmentBatch } from '../decode/segment-batch.js';
import { MAC_BOTH, MAC_NONE } from '../decode/walk.js';
import { AddressTexts } from './address-texts.js';
import { foldHash, type Candidate } from './candidate.js';
import { conversationFacts, nothingKnown } from './conversation-facts.js';
import type { ConversationTable } from './conversation-table.js';
import { Conversations, type ConversationListener } from './conversations.js';
import { addCopy } from './copies.js';
import { directionOf } from './direction.js';
import { AFTER_SECONDS, type HostFacts } from './facts.js';
import { Folder } from './fold.js';
import { Hosts } from './hosts.js';
import { Queue } from './queue.js';
import { asClientSeesIt, type Reset } from './reset.js';
import { Roles, type Connections } from './roles.js';
import { byHandshake, byRegistry, byRoles, byShape, type Server } from './service-port.js';
import * as state from './state.js';
import { UNKNOWN_VERDICT } from './verdict.js';
import { Watches } from './watches.js';

/** The flags of the segments that the tracker looks at, by what is to be used of a capture. */
export const WANTED_FLAGS = { resets: RST, control: SYN | FIN | RST, full: KEEP_ANY } as const;

const TWO_20 = 1048576;
const TWO_32 = 4294967296;
/** Resets that may wait for evidence of their port at once, of a saved capture and of one that grows as fast as it may. */
const MAX_WAITING = 8192;
const MAX_WAITING_LIVE = 1024;

/** Characters of the comments that waiting resets may bear; what comes beyond is as if it bore none. */
const MAX_NOTES = 32 * 1024 * 1024;

const NOTHING_KNOWN = nothingKnown();
const NOTHING_OF_HOST: HostFacts = { ttlLeast: null, ttlMost: null, acceptedBefore: null, acceptedAfter: null };
const NO_TAGS: readonly number[] = [];
const NOTHING_AROUND: readonly OuterHeader[] = [];

export interface TrackerOptions {
  /** Copies fold into one reset. */
  readonly fold: boolean;
  /** Addresses that count as the capturing host's; null: those that the capture itself names, if it does. */
  readonly local: AddressTest | null;
  /** Whether a port has a registered name. */
  readonly registered: (port: number) => boolean;
  /** Seconds that the frames of one reset may lie apart in their order; null: as in saved captures. */
  readonly patience?: number | null;
  /** Hears of each reset once no copy of it can come any more: the reset, and a view of it as it is known by then. */
  readonly announced?: ((reset: Reset, view: Reset) => void) | null;
}

/** Where a batch comes from. */
export interface Origin {
  readonly file: number;
  readonly interfaces: readonly CaptureInterface[];
  /** Comments of our own on the frames, by row of the segments. */
  readonly comments: ReadonlyMap<number, string>;
}

/** For whoever wants to keep the bytes of the frames of resets. */
export interface FrameListener {
  /** A frame of a reset, as it is taken, by its row in the frame batch. */
  taken(reset: Reset, row: number): void;
  /** `twin` turned out to be `root`: its frames are frames of `root`. */
  joined(root: Reset, twin: Reset): void;
}

/** A reset with the serial numbers of its ends among the roles. */
interface Waiting extends Candidate {
  source: number;
  destination: number;
  /** Time of it, seconds since 1970. */
  readonly at: number;
}

/** Servers whose next acceptance somebody waits for. */
const MOST_AWAITED = 4096;
const MOST_OF_A_SERVER = 64;
/** What came behind a reset has been seen, also where a file is out of order (dumpcap writes its interfaces in bursts). */
const RIPE_SECONDS = AFTER_SECONDS + 2;
const NO_SECONDS = -1;

export class Tracker {
  /** Frames that folded into resets seen before. */
  copies = 0;
  /** Distinct resets. */
  unique = 0;
  private readonly conversations: Conversations;
  private readonly watches = new Watches();
  private readonly hosts = new Hosts();
  /** By the server's serial number among the roles: the resets whose sender may accept somebody else yet. */
  private readonly awaited = new Map<number, { at: number; host: HostFacts }[]>();
  /** A row of the walk as a record. */
  private readonly scratch = new Uint32Array(2 * RECORD_WORDS);
  private readonly roles = new Roles();
  private readonly addresses = new AddressTexts();
  private readonly folder: Folder;
  private readonly waiting = new Queue<Waiting>();
  /** Those of `waiting` that were not announced yet; stays empty where nobody listens. */
  private readonly unannounced = new Queue<Waiting>();
  /** Characters of the comments of those that wait. */
  private notes = 0;
  /** The clock, where there is one: seconds since 1970. */
  private past = NO_SECONDS;
  private host: CapturedHost | null = null;
  private hostTest: AddressTest | null = null;
  private lastSeconds = NaN;
  private lastNanos = 0;
  private readonly options: TrackerOptions;
  private readonly mostWaiting: number;
  private readonly settled: (reset: Reset) => void;
  private readonly frames: FrameListener | null;

  constructor(options: TrackerOptions, settled: (reset: Reset) => void, frames: FrameListener | null) {
    this.options = options;
    this.mostWaiting = (options.patience ?? null) === null ? MAX_WAITING : MAX_WAITING_LIVE;
    this.settled = settled;
    this.frames = frames;
    this.conversations = new Conversations(this.listener());
    this.folder = new Folder((root, twin) => {
      this.unique--;
      this.copies++;
      this.frames?.joined(root, twin);
      this.passNote(twin, root);
      if (root.resetBy === 'unknown' && twin.resetBy !== 'unknown') {
        setServer(root, twin.resetBy === 'server' ? 'source' : 'destination');
      }
    }, options.patience ?? null);
  }

  /** Connections that were forgotten because there were too many. */
  get forgotten(): number {
    return this.conversations.evicted;
  }

  /** Connections to the server of a reset, by its number in `servers`, whose SYN was seen; null: none, or not known. */
  connectionsOf(server: number): Connections | null {
    return this.roles.connectionsOf(server);
  }

  connectionsOfPort(port: number): Connections | null {
    return this.roles.connectionsOfPort(port);
  }

  /** Takes the segments of a batch in their order; those of `plain` lie between the others by their frames' numbers. */
  follow(segments: SegmentBatch, plain: Records, origin: Origin): void {
    const { conversations, scratch } = this;
    let place = 0;
    for (let i = 0; i < segments.count; i++) {
      if (place < plain.count) place = conversations.run(plain, place, num(segments.number, i));
      recordOf(segments, i, scratch);
      if ((num(segments.flags, i) & RST) !== 0) this.takeReset(segments, i, origin);
      else conversations.take(conversations.tableOf(scratch, 0), scratch, 0);
    }
    conversations.run(plain, place, Infinity);
    this.settle();
  }

  /** The clock: of what is older than `seconds` since 1970 no further frame will come. */
  closeOlder(seconds: number): void {
    this.folder.closeOlder(seconds);
    this.past = Math.max(this.past, seconds);
    this.settle();
  }

  /** Hands on all that are whole, with the evidence at hand. */
  handOnWhole(): void {
    this.announce();
    for (let { first } = this.waiting; first !== null; { first } = this.waiting) {
      if (!first.absorbed && !first.whole) return;
      this.take();
      if (!first.absorbed) this.handOn(first);
    }
  }

  /** The end of all captures: whatever waits is handed on with the evidence at hand. */
  finish(): void {
    this.folder.finish();
    this.announce();
    for (let next = this.take(); next !== null; next = this.take()) {
      if (!next.absorbed) this.handOn(next);
    }
  }

  private listener(): ConversationListener {
    const { roles, hosts, watches } = this;
    return {
      opened: (words, at, sourceServes, bySyn) => {
        if (bySyn) this.roles.opened(words, at, sourceServes);
        else this.roles.serves(words, at, sourceServes);
      },
      accepted: (words, at, time) => {
        this.heardOf(roles.accepted(words, at, false, time), time);
      },
      appeared: (words, at) => {
        hosts.see(words, at);
      },
      watched: (table, row, words, at, time) => {
        watches.see(table, row, words, at, time);
      },
      forgotten: (table, row) => {
        watches.end(table, row);
      },
    };
  }

  /** The server has accepted somebody at `time`. */
  private heardOf(server: number, time: number): void {
    const waiting = this.awaited.get(server);
    if (waiting === undefined) return;
    this.awaited.delete(server);
    for (const { at, host } of waiting) {
      if (time >= at && time - at <= AFTER_SECONDS) host.acceptedAfter = time - at;
    }
  }

  /** The reset's record is in `scratch`. */
  private takeReset(s: SegmentBatch, i: number, origin: Origin): void {
    const { conversations, scratch } = this;
    const candidate = this.candidate(s, i, origin);
    const time = conversations.timeOf(scratch, 0);
    const known = this.options.fold ? this.folder.fold(candidate, origin.interfaces.length) : null;
    if (known === null) {
      this.unique++;
      candidate.whole = !this.options.fold;
      this.notes += candidate.note?.length ?? 0;
      const table = conversations.tableOf(scratch, 0);
      this.meet(candidate, table, table.put(scratch, 0), time);
      this.waiting.push(candidate);
      if (this.options.announced) this.unannounced.push(candidate);
    } else {
      this.copies++;
      addCopy(known, candidate);
      this.passNote(candidate, known);
    }
    this.frames?.taken(known ?? candidate, word(s.frame, i));
    if (this.waiting.size > this.mostWaiting) this.settle();
  }

  /** Takes what is known of the reset's connection and its ends, and lets them know of it. */
  private meet(reset: Waiting, table: ConversationTable, row: number, time: number): void {
    const { conversations, scratch, roles, watches } = this;
    const facts = conversationFacts(table, row, table.sourceIsLower, conversations.sawMiddle);
    const first = { seq: reset.seq, ack: reset.ack, at: time };
    watches.see(table, row, scratch, 0, time);
    watches.begin(table, row, facts, first);
    conversations.noteReset(table, row, scratch, 0, time);
    const opener = facts.opener === null ? null : facts.opener === 'sender' ? 'source' : 'destination';
    const server = byHandshake(opener) ?? byShape(reset.flags, reset.seq, reset.ack, reset.window);
    roles.meet(scratch, 0, server);
    reset.source = roles.source;
    reset.destination = roles.destination;
    reset.conversation = facts;
    reset.host = this.hostFacts(reset, time);
    if (server === null) return;
    setServer(reset, server);
    const at = row * state.STATE_WORDS + state.BITS;
    if (!facts.synSeen || (word(table.words, at) & state.RESET_COUNTED) !== 0) return;
    table.words[at] = word(table.words, at) | state.RESET_COUNTED;
    roles.wasReset(scratch, 0, server === 'source');
  }

  /** What other connections say of the reset's sender; it grows when the sender accepts another one soon. */
  private hostFacts(reset: Waiting, time: number): HostFacts {
    const ttls = this.hosts.of(this.scratch, 0);
    const before = this.roles.acceptedBefore(reset.source, reset.conversation);
    const host: HostFacts = {
      ttlLeast: ttls?.least ?? null,
      ttlMost: ttls?.most ?? null,
      acceptedBefore: before === null || before > time ? null : time - before,
      acceptedAfter: null,
    };
    const waiting = this.awaited.get(reset.source);
    if (waiting !== undefined) {
      if (waiting.length >= MOST_OF_A_SERVER) waiting.shift();
      waiting.push({ at: time, host });
      return host;
    }
    const [oldest] = this.awaited.keys();
    if (this.awaited.size >= MOST_AWAITED && oldest !== undefined) this.awaited.delete(oldest);
    this.awaited.set(reset.source, [{ at: time, host }]);
    return host;
  }

  /** A comment on a copy counts where the first frame has none. */
  private passNote(copy: Reset, known: Reset): void {
    if (copy.note === null || known.note !== null) return;
    known.note = copy.note;
    this.notes += copy.note.length;
  }

  /** Hands on from the front what is whole and decided; order of arrival is kept. */
  private settle(): void {
    this.announce();
    const now = this.conversations.clock;
    for (let { first } = this.waiting; first !== null; { first } = this.waiting) {
      if (!first.absorbed) {
        if (!first.whole) return;
        const isRipe = first.servicePort !== null && Math.max(now, this.past) > first.at + RIPE_SECONDS;
        if (!isRipe && this.waiting.size <= this.mostWaiting) return;
      }
      this.take();
      if (!first.absorbed) this.handOn(first);
    }
  }

  /** The first of those that wait, which waits no longer. */
  private take(): Waiting | null {
    const first = this.waiting.shift();
    this.notes -= first?.note?.length ?? 0;
    return first;
  }

  private announce(): void {
    const { unannounced } = this;
    const { announced } = this.options;
    if (!announced) return;
    for (let { first } = unannounced; first !== null && (first.absorbed || first.whole); { first } = unannounced) {
      unannounced.shift();
      if (first.absorbed) continue;
      const view = { ...first };
      this.decide(view);
      announced(first, view);
    }
  }

  private handOn(reset: Waiting): void {
    this.decide(reset);
    this.settled(reset);
  }

  /** Says which side serves, as far as that is known by now. */
  private decide(reset: Waiting): void {
    if (reset.servicePort === null) {
      const server =
        byRoles(this.roles.of(reset.source), this.roles.of(reset.destination)) ??
        byRegistry(reset.srcPort, reset.destPort, this.options.registered);
      if (server !== null) setServer(reset, server);
    }
    if (reset.resetBy !== 'unknown') {
      reset.server = reset.resetBy === 'server' ? reset.source : reset.destination;
      const seen = asClientSeesIt(reset);
      reset.servicePort = reset.resetBy === 'server' ? seen.srcPort : seen.destPort;
    }
  }

  /** Whose addresses count as the capturing host's, for a frame of this interface. */
  private localOf(host: CapturedHost | null): AddressTest | null {
    if (this.options.local !== null || host === null) return this.options.local;
    if (this.host?.local !== host.local) {
      const known = new Set(host.local);
      this.hostTest = (ip) => known.has(ip) || isLoopback(ip);
    }
    this.host = host;
    return this.hostTest;
  }

  private candidate(s: SegmentBatch, i: number, origin: Origin): Waiting {
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
      note: this.notes < MAX_NOTES ? (origin.comments.get(i) ?? null) : null,
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

function setServer(reset: Reset, server: Server): void {
  reset.servicePort = server === 'source' ? reset.srcPort : reset.destPort;
  reset.resetBy = server === 'source' ? 'server' : 'client';
}
