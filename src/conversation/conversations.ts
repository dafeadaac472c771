/**
 * Follows every connection: what each side has sent, and what came behind a reset. One pass over records, bounded
 * memory; the rules see none of this, only the facts made of it (conversation-facts.ts).
 *
 * Knows records and their times; no files, no clock, no processes.
 */

import { link, value, word } from '../base/bytes.js';
import { ACK, FIN, PSH, SYN } from '../decode/net/tcp-layout.js';
import {
  DONT_FRAGMENT,
  FLAGS_MASK,
  HAS_SCALE,
  HAS_TIMESTAMP,
  IPV6_SHIFT,
  IS_IPV6,
  NO_TIME,
  NO_WINDOW,
  R_ACK,
  R_FLAGS,
  R_HASH,
  R_LENGTH,
  R_NANOS,
  R_NUMBER,
  R_SECONDS,
  R_SEQ,
  R_TIMESTAMP,
  R_WINDOW_ID,
  RECORD_WORDS,
  SCALE_SHIFT,
  SOURCE_IS_LOWER,
  TTL_SHIFT,
} from '../decode/record-layout.js';
import type { Records } from '../decode/records.js';
import { ConversationTable } from './conversation-table.js';
import {
  BLOCK,
  COPY_SECONDS,
  GONE,
  ID_STEP,
  MOST_PROBES,
  SAME_HOST_SECONDS,
  SILENCE_SECONDS,
} from './following-layout.js';
import * as state from './state-layout.js';
import { HIGHER, HIGHER_SELDOM, LOWER, LOWER_SELDOM, STATE_WORDS } from './state-layout.js';
import { lastOf, ownOf } from './state.js';

/** Connections of one IP version that are followed at once. */
export const MOST_CONVERSATIONS = 1 << 17;

/** What the tracker hears of. */
export interface ConversationListener {
  /** A connection was opened by the segment: of `server`, the source or the destination; `bySyn`: the SYN was seen. */
  opened(words: Uint32Array, at: number, sourceServes: boolean, bySyn: boolean): void;
  /** The handshake's third segment was seen: it was sent to the server at `time`. */
  accepted(words: Uint32Array, at: number, time: number): void;
  /** The first segment of an end in a connection. */
  appeared(words: Uint32Array, at: number): void;
  /** A segment of a connection that is watched, before the state takes it. */
  watched(table: ConversationTable, row: number, words: Uint32Array, at: number, time: number): void;
  /** The segment answers one that came after a silence of `gap` seconds: whatever is on the way still knew of it. */
  survived(words: Uint32Array, at: number, gap: number): void;
  /** The row's connection is forgotten. */
  forgotten(table: ConversationTable, row: number): void;
}

export class Conversations {
  readonly four: ConversationTable;
  readonly six: ConversationTable;
  /** Time of the latest segment, for those without one. */
  clock = 0;
  /** Segments without SYN, FIN or RST were seen: the capture holds more than the beginnings and ends of connections. */
  sawMiddle = false;
  /** Segments with SYN were seen: the capture holds handshakes. */
  sawSyns = false;
  private readonly listener: ConversationListener;
  /** Of the block that is being taken: where each record begins, and its connection's row, or GONE. */
  private readonly begins = new Int32Array(BLOCK);
  private readonly rows = new Int32Array(BLOCK);
  private size = 0;

  constructor(listener: ConversationListener, limit = MOST_CONVERSATIONS) {
    this.listener = listener;
    this.four = new ConversationTable(4, limit, (row) => {
      listener.forgotten(this.four, row);
    });
    this.six = new ConversationTable(6, limit, (row) => {
      listener.forgotten(this.six, row);
    });
  }

  /** Connections that were forgotten because there were too many. */
  get evicted(): number {
    return this.four.evicted + this.six.evicted;
  }

  tableOf(words: Uint32Array, at: number): ConversationTable {
    return (word(words, at + R_FLAGS) & IS_IPV6) === 0 ? this.four : this.six;
  }

  timeOf(words: Uint32Array, at: number): number {
    if ((word(words, at + R_FLAGS) & NO_TIME) !== 0) return this.clock;
    const time = word(words, at + R_SECONDS) + word(words, at + R_NANOS) * 1e-9;
    this.clock = time;
    return time;
  }

  /**
   * Takes the records from place `from` whose frames come before `number`. The hot loop.
   * @returns the place of the first that was not taken.
   */
  run(records: Records, from: number, number: number): number {
    const { words, count } = records;
    let place = from;
    while (place < count) {
      const before = place;
      place = this.lookUp(words, place, count, number);
      if (place === before) break;
      this.takeBlock(words);
    }
    return place;
  }

  /**
   * Finds the connections of the next records.
   * @returns the place behind them.
   */
  private lookUp(words: Uint32Array, from: number, count: number, number: number): number {
    const { begins, rows, four, six } = this;
    const end = Math.min(count, from + BLOCK);
    let place = from;
    let n = 0;
    while (place < end) {
      const at = place * RECORD_WORDS;
      if (word(words, at + R_NUMBER) >= number) break;
      begins[n] = at;
      n++;
      place += 1 + ((word(words, at + R_FLAGS) >>> IPV6_SHIFT) & 1);
    }
    this.size = n;
    // Of IPv6 nothing is found there.
    four.findAll(words, begins, rows, n);
    if (place - from === n) return place;
    for (let i = 0; i < n; i++) {
      const at = link(begins, i);
      if ((word(words, at + R_FLAGS) & IS_IPV6) === 0) continue;
      rows[i] = six.findFrom(six.first(word(words, at + R_HASH)), words, at);
    }
    return place;
  }

  private takeBlock(words: Uint32Array): void {
    const { begins, rows, four, six, size } = this;
    for (let i = 0; i < size; i++) {
      const at = link(begins, i);
      const row = link(rows, i);
      const table = (word(words, at + R_FLAGS) & IS_IPV6) === 0 ? four : six;
      if (row === GONE) this.takeFresh(table, words, at, i);
      else if (!this.isTaken(table.words, table.times, row * STATE_WORDS, words, at))
        this.takeOther(table, row, words, at);
    }
  }

  /** Of a connection that is not, or no longer, where it was looked for. A new one may push another out. */
  private takeFresh(table: ConversationTable, words: Uint32Array, at: number, i: number): void {
    const { evicted } = table;
    const row = table.put(words, at);
    this.takeOther(table, row, words, at);
    if (table.evicted === evicted) return;
    const { begins, rows, size } = this;
    for (let later = i + 1; later < size; later++) {
      if (rows[later] === row && this.tableOf(words, link(begins, later)) === table) rows[later] = GONE;
    }
  }

  /** A segment that is no reset. */
  take(table: ConversationTable, words: Uint32Array, at: number): void {
    const row = table.put(words, at);
    if (!this.isTaken(table.words, table.times, row * STATE_WORDS, words, at)) this.takeOther(table, row, words, at);
  }

  /**
   * The short way: most segments go on where their side was and change nothing but its numbers. Written without
   * branches on what differs from segment to segment.
   * @returns whether the segment was one of these, and taken.
   */
  private isTaken(s: Uint32Array, times: Float64Array, base: number, words: Uint32Array, at: number): boolean {
    const flagsWord = word(words, at + R_FLAGS);
    const own = ownOf(base, flagsWord);
    const seq = word(words, at + R_SEQ);
    const ack = word(words, at + R_ACK);
    const length = word(words, at + R_LENGTH);
    const windowId = word(words, at + R_WINDOW_ID);
    const bits = word(s, base + state.BITS);
    const own$ = word(s, own + state.S_BITS);
    const ttl = (flagsWord >>> TTL_SHIFT) & 0xff;
    const lastAck = word(s, own + state.S_ACK);
    const lastWindowId = word(s, own + state.S_WINDOW_ID);
    const time = word(words, at + R_SECONDS) + word(words, at + R_NANOS) * 1e-9;
    if (
      (flagsWord & (SYN | FIN | ACK | NO_TIME | NO_WINDOW)) !== ACK ||
      (own$ & state.KNOWN_SIDE) !== state.KNOWN_SIDE ||
      ((bits & (state.WATCHED | state.RESUMED)) | word(s, base + state.PROBES)) !== 0 ||
      // Whether all were silent is looked at closely.
      time - value(times, own / 2 + state.S_LAST_AT) >= SILENCE_SECONDS ||
      (bits & (state.SYN_ACK_SEEN | state.ESTABLISHED)) === state.SYN_ACK_SEEN ||
      word(s, own + state.S_NEXT) !== seq ||
      (word(s, own + state.S_TTLS) & 0xffff) !== (ttl | (ttl << 8)) ||
      // A copy of the last one, perhaps.
      ((word(s, own + state.S_SEQ) ^ seq) |
        (lastAck ^ ack) |
        (word(s, own + state.S_LENGTH) ^ length) |
        (lastWindowId ^ windowId) |
        ((word(s, own + state.S_FLAGS) ^ flagsWord) & FLAGS_MASK)) ===
        0
    ) {
      return false;
    }
    const acked = word(s, own + state.S_ACKED);
    const ahead = (ack - acked) | 0;
    s[own + state.S_ACKED] = acked + (ahead & ~(ahead >> 31));
    // All bits where something differs, else none; a function for it is compiled into this one in some runs only.
    const acks = lastAck ^ ack;
    const isOther = (acks | (0 - acks)) >> 31;
    const earlier = word(s, own + state.S_EARLIER_ACK);
    s[own + state.S_EARLIER_ACK] = earlier ^ ((earlier ^ lastAck) & isOther);
    s[own + state.S_ACK] = ack;
    const step = (windowId - lastWindowId) & 0xffff;
    const jumped = ((ID_STEP - step) | (step - 1)) >> 31;
    s[own + state.S_BITS] =
      own$ |
      state.PLAIN |
      state.ID_COMPARED |
      (isOther & state.HAS_EARLIER_ACK) |
      (jumped & state.ID_JUMPED) |
      (((0 - (windowId & 0xffff)) >> 31) & state.ID_NOT_ZERO) |
      ((flagsWord & DONT_FRAGMENT) === 0 ? state.WITHOUT_DF : state.WITH_DF) |
      ((flagsWord & HAS_TIMESTAMP) === 0 ? state.WITHOUT_TIMESTAMP : state.WITH_TIMESTAMP);
    if ((flagsWord & HAS_TIMESTAMP) !== 0) s[own + state.S_TIMESTAMP] = word(words, at + R_TIMESTAMP);
    s[own + state.S_NEXT] = seq + length;
    s[own + state.S_SEQ] = seq;
    s[own + state.S_FLAGS] = flagsWord;
    s[own + state.S_LENGTH] = length;
    s[own + state.S_WINDOW_ID] = windowId;
    s[own + state.S_DATA] = word(s, own + state.S_DATA) + ((0 - length) >>> 31);
    s[own + state.S_NUMBER] = word(words, at + R_NUMBER);
    times[own / 2 + state.S_LAST_AT] = time;
    this.clock = time;
    this.sawMiddle = true;
    return true;
  }

  /** The same for every segment, whatever it is. */
  private takeOther(table: ConversationTable, row: number, words: Uint32Array, at: number): void {
    const flagsWord = word(words, at + R_FLAGS);
    const time = this.timeOf(words, at);
    const isLower = (flagsWord & SOURCE_IS_LOWER) !== 0;
    table.sourceIsLower = isLower;
    const { words: s, times } = table;
    const base = row * STATE_WORDS;
    const own = base + (isLower ? LOWER : HIGHER);
    const ownTimes = own / 2;
    const flags = flagsWord & FLAGS_MASK;
    const seq = word(words, at + R_SEQ);
    const ack = word(words, at + R_ACK);
    const length = word(words, at + R_LENGTH);
    if ((flags & (SYN | FIN)) === 0) this.sawMiddle = true;
    let own$ = word(s, own + state.S_BITS);
    if (
      (own$ & state.SEEN) !== 0 &&
      word(s, own + state.S_SEQ) === seq &&
      word(s, own + state.S_ACK) === ack &&
      word(s, own + state.S_LENGTH) === length &&
      ((word(s, own + state.S_FLAGS) ^ flagsWord) & FLAGS_MASK) === 0 &&
      time - value(times, ownTimes + state.S_LAST_AT) < COPY_SECONDS &&
      word(s, own + state.S_WINDOW_ID) === word(words, at + R_WINDOW_ID)
    ) {
      noteCopy(s, own, flagsWord);
      // So late it may be the same said again, as an acknowledgement is that is asked for again.
      if (time - value(times, ownTimes + state.S_LAST_AT) > SAME_HOST_SECONDS) times[ownTimes + state.S_LAST_AT] = time;
      return;
    }
    if ((flags & SYN) !== 0) this.sawSyns = true;
    if ((flags & SYN) !== 0 && this.handshake(table, row, words, at, isLower)) own$ = 0;
    let bits = word(s, base + state.BITS);
    if ((bits & state.WATCHED) !== 0) this.listener.watched(table, row, words, at, time);
    bits = this.silence(table, base, words, at, time);
    // What the handshake knows of this side is kept; a first segment leaves nothing to compare with.
    own$ |= word(s, own + state.S_BITS);
    const end = (seq + length + (flags & SYN) / SYN + (flags & FIN)) >>> 0;
    const idle = (own$ & state.SEEN) === 0 ? 0 : time - value(times, ownTimes + state.S_LAST_AT);
    if ((own$ & state.SEEN) === 0) {
      if ((bits & state.ANY) === 0) {
        bits |= state.ANY;
        times[base / 2 + state.FIRST_AT] = time;
      }
      s[own + state.S_NEXT] = end;
      s[own + state.S_TTLS] = (word(s, own + state.S_TTLS) & 0xff0000) | ttlsOf(flagsWord);
      this.listener.appeared(words, at);
    } else {
      const next = word(s, own + state.S_NEXT);
      const ahead = (end - next) | 0;
      if (ahead > 0) {
        if (((seq - next) | 0) > 0) bits |= state.GAP;
        s[own + state.S_NEXT] = end;
      } else if (ahead === -1 || (ahead === 0 && length === 1)) {
        if (isProbe(flags, seq, next, length)) countProbe(s, base, isLower);
      }
      const ttls = word(s, own + state.S_TTLS);
      const ttl = (flagsWord >>> TTL_SHIFT) & 0xff;
      if (ttl < (ttls & 0xff) || ttl > ((ttls >>> 8) & 0xff)) s[own + state.S_TTLS] = widened(ttls, ttl);
    }
    own$ |= state.SEEN;
    own$ |= (flagsWord & HAS_TIMESTAMP) === 0 ? state.WITHOUT_TIMESTAMP : state.WITH_TIMESTAMP;
    own$ |= (flagsWord & DONT_FRAGMENT) === 0 ? state.WITHOUT_DF : state.WITH_DF;
    if ((flags & (SYN | ACK)) !== (SYN | ACK)) {
      const id = word(words, at + R_WINDOW_ID) & 0xffff;
      if (id !== 0) own$ |= state.ID_NOT_ZERO;
      if ((own$ & state.ID_SEEN) !== 0) {
        const step = (id - (word(s, own + state.S_WINDOW_ID) & 0xffff)) & 0xffff;
        own$ |= step > ID_STEP || step === 0 ? state.ID_JUMPED | state.ID_COMPARED : state.ID_COMPARED;
      }
      own$ |= state.ID_SEEN;
    }
    if ((flags & ACK) !== 0) {
      if ((own$ & state.HAS_ACKED) === 0) s[own + state.S_ACKED] = ack;
      else {
        if (((ack - word(s, own + state.S_ACKED)) | 0) > 0) s[own + state.S_ACKED] = ack;
        const before = word(s, own + state.S_ACK);
        if (before !== ack) {
          s[own + state.S_EARLIER_ACK] = before;
          own$ |= state.HAS_EARLIER_ACK;
        }
      }
      own$ |= state.HAS_ACKED;
      const opened = isLower ? state.LOWER_OPENED : state.HIGHER_OPENED;
      if (
        (bits & (state.SYN_ACK_SEEN | state.ESTABLISHED)) === state.SYN_ACK_SEEN &&
        (flags & SYN) === 0 &&
        (bits & opened) !== 0 &&
        ack === (word(s, base + (isLower ? HIGHER_SELDOM : LOWER_SELDOM) + state.S_ISN) + 1) >>> 0
      ) {
        bits |= state.ESTABLISHED;
        this.listener.accepted(words, at, time);
      }
    }
    if ((flags & FIN) !== 0) {
      own$ |= state.HAS_FIN;
      s[own + state.S_FIN_END] = end;
      if ((bits & state.BOTH_FINS) === 0 && (own$ & state.SEEN) !== 0) {
        times[base / 2 + state.FIN_IDLE] = idle;
        if (isLower) bits |= state.LOWER_FIN_FIRST;
      }
      bits |= isLower ? state.LOWER_FIN : state.HIGHER_FIN;
    }
    if (length > 0 && (flags & SYN) === 0) s[own + state.S_DATA] = word(s, own + state.S_DATA) + 1;
    const probes = word(s, base + state.PROBES);
    if (probes !== 0) s[base + state.PROBES] = probes & (isLower ? 0xff : 0xff00);
    s[base + state.BITS] = bits;
    s[own + state.S_SEQ] = seq;
    s[own + state.S_ACK] = ack;
    s[own + state.S_FLAGS] = flagsWord;
    s[own + state.S_LENGTH] = length;
    if ((flagsWord & NO_WINDOW) === 0) s[own + state.S_WINDOW_ID] = word(words, at + R_WINDOW_ID);
    if ((flagsWord & HAS_TIMESTAMP) !== 0) s[own + state.S_TIMESTAMP] = word(words, at + R_TIMESTAMP);
    own$ = (flags & (ACK | SYN | FIN)) === ACK ? own$ | state.PLAIN : own$ & ~state.PLAIN;
    s[own + state.S_BITS] = own$;
    s[own + state.S_NUMBER] = word(words, at + R_NUMBER);
    times[ownTimes + state.S_LAST_AT] = time;
  }

  /**
   * Notes a segment that ends a long silence, and the answer to one: what a timer on the way had forgotten is not
   * answered.
   * @returns the row's bits.
   */
  private silence(table: ConversationTable, base: number, words: Uint32Array, at: number, time: number): number {
    const { words: s, times } = table;
    const isLower = table.sourceIsLower;
    const bits = word(s, base + state.BITS);
    if ((bits & state.RESUMED) !== 0) {
      const byLower = (bits & state.LOWER_RESUMED) !== 0;
      const next = word(s, base + (byLower ? LOWER : HIGHER) + state.S_NEXT);
      const hasAck = (word(words, at + R_FLAGS) & (SYN | ACK)) === ACK;
      // Said again: the silence is not over.
      if (byLower === isLower || !hasAck || ((word(words, at + R_ACK) - next) | 0) < 0) return bits;
      this.listener.survived(words, at, value(times, base / 2 + state.RESUME_GAP));
      return (s[base + state.BITS] = bits & ~(state.RESUMED | state.LOWER_RESUMED));
    }
    if ((bits & state.ANY) === 0 || (word(words, at + R_FLAGS) & (SYN | FIN)) !== 0) return bits;
    const before = lastOf(times, base);
    if (before === 0 || time - before < SILENCE_SECONDS) return bits;
    times[base / 2 + state.RESUME_GAP] = time - before;
    return (s[base + state.BITS] = bits | state.RESUMED | (isLower ? state.LOWER_RESUMED : 0));
  }

  /** A reset of the connection in `row` was seen; its facts have been taken. */
  noteReset(table: ConversationTable, row: number, words: Uint32Array, at: number, time: number): void {
    const { words: s, times } = table;
    const base = row * STATE_WORDS;
    const own = base + (table.sourceIsLower ? LOWER_SELDOM : HIGHER_SELDOM);
    const bits = word(s, base + state.BITS);
    if ((bits & state.ANY) === 0) times[base / 2 + state.FIRST_AT] = time;
    s[base + state.BITS] = bits | state.RESET_SEEN | state.ANY;
    s[own + state.S_RESETS] = word(s, own + state.S_RESETS) + 1;
    s[own + state.S_RESET_SEQ] = word(words, at + R_SEQ);
    s[own + state.S_RESET_ACK] = word(words, at + R_ACK);
    times[own / 2 + state.S_RESET_AT] = time;
  }

  /**
   * A SYN or SYN-ACK: who opened, and whether a new connection begins on the key.
   * @returns whether nothing that was known of the side counts any more.
   */
  private handshake(table: ConversationTable, row: number, words: Uint32Array, at: number, isLower: boolean): boolean {
    const { words: s } = table;
    const base = row * STATE_WORDS;
    const own = base + (isLower ? LOWER : HIGHER);
    const flagsWord = word(words, at + R_FLAGS);
    const isSynAck = (flagsWord & ACK) !== 0;
    const seq = word(words, at + R_SEQ);
    const ownBits = word(s, own + state.S_BITS);
    const wanted = isSynAck ? state.HAS_SYN_ACK : state.HAS_SYN;
    const seldom = base + (isLower ? LOWER_SELDOM : HIGHER_SELDOM);
    const isKnown = (ownBits & wanted) !== 0 && word(s, seldom + state.S_ISN) === seq;
    if (isKnown) return false;
    let bits = word(s, base + state.BITS);
    if (!isSynAck && !isLate(s, base, isLower, bits, seq)) bits = begin(s, base, bits);
    const wasOpened = (bits & (state.LOWER_OPENED | state.HIGHER_OPENED)) !== 0;
    // A SYN says more than a SYN-ACK, which a scanner or a reflector may send out of the blue.
    if (!wasOpened) bits |= isLower === isSynAck ? state.HIGHER_OPENED : state.LOWER_OPENED;
    bits |= isSynAck ? state.SYN_ACK_SEEN : state.SYN_SEEN;
    s[base + state.BITS] = bits;
    s[seldom + state.S_ISN] = seq;
    s[own + state.S_BITS] = wanted | ((flagsWord & HAS_SCALE) === 0 ? 0 : state.WITH_SCALE);
    s[own + state.S_TTLS] = ((flagsWord >>> SCALE_SHIFT) & 15) << 16;
    // Of a connection that was known by its SYN-ACK alone, it is told now that its SYN was seen.
    const isOwn = (bits & (isLower ? state.LOWER_OPENED : state.HIGHER_OPENED)) !== 0;
    if (!wasOpened || (!isSynAck && isOwn)) this.listener.opened(words, at, isSynAck, !isSynAck);
    return true;
  }
}

/** The same segment on another interface or the other side of a router, or said again at once: by another way, perhaps. */
function noteCopy(s: Uint32Array, own: number, flagsWord: number): void {
  s[own + state.S_TTLS] = widened(word(s, own + state.S_TTLS), (flagsWord >>> TTL_SHIFT) & 0xff);
}

/** The SYN was captured behind its answer. */
function isLate(s: Uint32Array, base: number, isLower: boolean, bits: number, seq: number): boolean {
  const other = base + (isLower ? HIGHER : LOWER);
  return (
    (bits & (state.SYN_SEEN | state.SYN_ACK_SEEN)) === state.SYN_ACK_SEEN &&
    word(s, other + state.S_ACKED) === (seq + 1) >>> 0
  );
}

/** A SYN with a number that is not known: a new connection on the key. @returns its bits. */
function begin(s: Uint32Array, base: number, before: number): number {
  if ((before & state.ANY) === 0) return before | state.FROM_START;
  const ended = (before & state.RESET_SEEN) !== 0 || (before & state.BOTH_FINS) === state.BOTH_FINS;
  // The key stays.
  s.fill(0, base + state.BITS, base + STATE_WORDS);
  return (before & state.WATCHED) | state.FROM_START | (ended ? state.EARLIER_ENDED : state.EARLIER_LIVE);
}

/** Least and greatest TTL, both that of the first segment. */
function ttlsOf(flagsWord: number): number {
  const ttl = (flagsWord >>> TTL_SHIFT) & 0xff;
  return ttl | (ttl << 8);
}

function widened(ttls: number, ttl: number): number {
  const least = Math.min(ttls & 0xff, ttl);
  const most = Math.max((ttls >>> 8) & 0xff, ttl);
  return (ttls & 0xff0000) | least | (most << 8);
}

/** One octet or none, just below what comes next: asks whether the peer is there, or has room (RFC 9293 3.8.4, 3.8.6.1). */
function isProbe(flags: number, seq: number, next: number, length: number): boolean {
  return (flags & (ACK | SYN | FIN)) === ACK && (flags & PSH) === 0 && length <= 1 && ((seq - next) | 0) === -1;
}

function countProbe(s: Uint32Array, base: number, isLower: boolean): void {
  const probes = word(s, base + state.PROBES);
  const shift = isLower ? 0 : 8;
  const own = (probes >>> shift) & 0xff;
  if (own < MOST_PROBES) s[base + state.PROBES] = probes + (1 << shift);
}
