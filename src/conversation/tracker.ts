/**
 * Follows the segments of all captures in order and hands on each reset once, whole and in order of arrival.
 *
 * Knows no file, no clock but the frames' and what it is told, no process. A reset waits until no copy of it can come
 * any more and until it is known which side serves, or until waiting longer would take too much memory; then it goes to
 * `settled`. Who can't wait so long hears of it before, by `announced`, as it is known then.
 */

import { ipv4Text, ipv6Text, type AddressTest } from '../base/address.js';
import { num, word } from '../base/bytes.js';
import { ACK, FIN, KEEP_ANY, RST, SYN } from '../decode/net/tcp-layout.js';
import { RECORD_WORDS } from '../decode/record-layout.js';
import { recordOf, type Records } from '../decode/records.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import { Arrivals, type Origin, type Waiting } from './arrivals.js';
import { conversationFacts } from './conversation-facts.js';
import type { ConversationTable } from './conversation-table.js';
import { Conversations, type ConversationListener } from './conversations.js';
import { addCopy } from './copies.js';
import { AFTER_SECONDS, type Elsewhere, type HostFacts } from './facts.js';
import { Folder } from './fold.js';
import { Hosts } from './hosts.js';
import { Queue } from './queue.js';
import { asClientSeesIt, type Reset } from './reset.js';
import { Roles, type Connections, type ServerFacts } from './roles.js';
import { byHandshake, byRegistry, byRoles, byShape, type Server } from './service-port.js';
import * as state from './state-layout.js';
import { Watches } from './watches.js';

export type { Origin } from './arrivals.js';

/** The flags of the segments that the tracker looks at, by what is to be used of a capture. */
export const WANTED_FLAGS = { resets: RST, control: SYN | FIN | RST, full: KEEP_ANY } as const;

/** Resets that may wait for evidence of their port at once, of a saved capture and of one that grows as fast as it may. */
const MAX_WAITING = 8192;
const MAX_WAITING_LIVE = 1024;

/** Characters of the comments that waiting resets may bear; what comes beyond is as if it bore none. */
const MAX_NOTES = 32 * 1024 * 1024;

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

/** For whoever wants to keep the bytes of the frames of resets. */
export interface FrameListener {
  /** A frame of a reset, as it is taken, by its row in the frame batch. */
  taken(reset: Reset, row: number): void;
  /** `twin` turned out to be `root`: its frames are frames of `root`. */
  joined(root: Reset, twin: Reset): void;
}

/** Servers whose next acceptance somebody waits for. */
const MOST_AWAITED = 4096;
const MOST_OF_A_SERVER = 64;
/** What came behind a reset has been seen, also where a file is out of order (dumpcap writes its interfaces in bursts). */
const RIPE_SECONDS = AFTER_SECONDS + 2;
const NO_SECONDS = -1;
/** Looks through all connections for another one of a reset's sender: a flood of strange resets shall not cost more. */
const MOST_SEARCHES = 256;

export class Tracker {
  /** Frames that folded into resets seen before. */
  copies = 0;
  /** Distinct resets. */
  unique = 0;
  private conversations: Conversations;
  private readonly watches = new Watches();
  private readonly hosts = new Hosts();
  /** By the server's serial number among the roles: the resets whose sender may accept somebody else yet. */
  private readonly awaitedOrder = new Queue<number>();
  private readonly awaited = new Map<number, { at: number; host: HostFacts }[]>();
  /** A row of the walk as a record. */
  private readonly scratch = new Uint32Array(2 * RECORD_WORDS);
  private readonly roles = new Roles();
  private readonly folder: Folder;
  private readonly waiting = new Queue<Waiting>();
  /** Those of `waiting` that were not announced yet; stays empty where nobody listens. */
  private readonly unannounced = new Queue<Waiting>();
  /** Characters of the comments of those that wait. */
  private notes = 0;
  private searches = 0;
  private forgottenBefore = 0;
  /** The clock, where there is one: seconds since 1970. */
  private past = NO_SECONDS;
  private readonly arrivals: Arrivals;
  private readonly options: TrackerOptions;
  private readonly mostWaiting: number;
  private readonly settled: (reset: Reset) => void;
  private readonly frames: FrameListener | null;

  constructor(options: TrackerOptions, settled: (reset: Reset) => void, frames: FrameListener | null) {
    this.options = options;
    this.arrivals = new Arrivals(options.local);
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
    return this.forgottenBefore + this.conversations.evicted;
  }

  /**
   * From now on only beginnings and ends of connections come. What was known of a connection by all its segments is
   * forgotten: it would be taken for all that happened.
   */
  narrow(): void {
    const { clock, evicted } = this.conversations;
    this.forgottenBefore += evicted;
    this.watches.endAll();
    this.conversations = new Conversations(this.listener());
    this.conversations.clock = clock;
  }

  /** Connections to the server of a reset, by its number in `servers`, whose SYN was seen; null: none, or not known. */
  connectionsOf(server: number): Connections | null {
    return this.roles.connectionsOf(server);
  }

  /** What is known of the server of a reset by now, by its number in `servers`; null: not any more. */
  serverFacts(server: number): ServerFacts | null {
    return this.roles.factsOf(server);
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
      survived: (words, at, gap) => {
        roles.survived(words, at, gap);
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
    const candidate = this.arrivals.take(s, i, origin, this.notes < MAX_NOTES);
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
    const facts = conversationFacts(table, row, table.sourceIsLower, conversations.sawMiddle, conversations.sawSyns);
    if ((reset.flags & ACK) === 0 && !facts.sender.seen) facts.elsewhere = this.elsewhere(reset, table, row);
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

  /** The sender has said nothing here; whether it says these numbers to somebody else, under the same port. */
  private elsewhere(reset: Reset, table: ConversationTable, row: number): Elsewhere | null {
    if (this.searches >= MOST_SEARCHES) return null;
    this.searches++;
    const { sourceIsLower } = table;
    const other = table.anotherOf(row, sourceIsLower, reset.seq);
    if (other < 0) return null;
    const { words, port } = table.peerOf(other, table.foundLower);
    const [a = 0, b = 0, c = 0, d = 0] = words;
    return { ip: words.length === 1 ? ipv4Text(a) : ipv6Text(a, b, c, d), port };
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
    this.awaited.set(reset.source, [{ at: time, host }]);
    this.awaitedOrder.push(reset.source);
    // Some of them have been heard of, and await anew: they wait a little less.
    if (this.awaitedOrder.size > MOST_AWAITED) this.awaited.delete(this.awaitedOrder.shift() ?? NO_SECONDS);
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
}

function setServer(reset: Reset, server: Server): void {
  reset.servicePort = server === 'source' ? reset.srcPort : reset.destPort;
  reset.resetBy = server === 'source' ? 'server' : 'client';
}
