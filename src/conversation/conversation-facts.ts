/**
 * Facts from a connection's state, for the rules: what each side had done when a reset came, and what came behind it.
 *
 * Reads the table; changes nothing in it.
 */

import { value, word } from '../base/bytes.js';
import { ACK, FIN, RST, SYN } from '../decode/net/tcp-layout.js';
import {
  FLAGS_MASK,
  IS_IPV6,
  NO_WINDOW,
  R_ACK,
  R_FLAGS,
  R_LENGTH,
  R_NUMBER,
  R_SEQ,
  TTL_SHIFT,
} from '../decode/record-layout.js';
import type { ConversationTable } from './conversation-table.js';
import { seqDiff, type AfterFacts, type ConversationFacts, type SegmentFacts, type SideFacts } from './facts.js';
import * as state from './state-layout.js';
import { HIGHER, HIGHER_SELDOM, LOWER, LOWER_SELDOM, STATE_WORDS } from './state-layout.js';
import { lastOf } from './state.js';

const NOTHING_SENT: SideFacts = {
  seen: false,
  isn: null,
  synAck: false,
  next: null,
  acked: null,
  finEnd: null,
  dataSegments: 0,
  probes: 0,
  last: null,
  earlierAck: null,
  window: null,
  windowScale: null,
  timestamps: null,
  timestamp: null,
  ttlLeast: null,
  ttlMost: null,
  ttl: null,
  ipIds: null,
  ipId: null,
  dontFragment: null,
  resets: 0,
  lastReset: null,
};

export function nothingAfter(): AfterFacts {
  return {
    senderWentOn: null,
    receiverWentOn: null,
    synAck: null,
    senderResets: 0,
    risingResets: 0,
    receiverResets: 0,
    receiverResetAfter: null,
  };
}

/** Of a reset whose connection nothing else was seen of. */
export function nothingKnown(full = false, hasHandshakes = full): ConversationFacts {
  return {
    sender: NOTHING_SENT,
    receiver: NOTHING_SENT,
    opener: null,
    synSeen: false,
    fromStart: false,
    established: false,
    earlier: null,
    full,
    hasHandshakes,
    gap: false,
    lastAt: null,
    firstAt: null,
    silence: null,
    closed: null,
    elsewhere: null,
    after: nothingAfter(),
  };
}

/**
 * The connection in `row` as it is now; the reset's sender is the lower end of its key, or the higher. `full`: the
 * capture holds more than the beginnings and ends of connections.
 */
export function conversationFacts(
  table: ConversationTable,
  row: number,
  senderIsLower: boolean,
  full: boolean,
  hasHandshakes: boolean = full,
): ConversationFacts {
  const { words, times } = table;
  const base = row * STATE_WORDS;
  const bits = word(words, base + state.BITS);
  if ((bits & state.ANY) === 0) return nothingKnown(full, hasHandshakes);
  const probes = word(words, base + state.PROBES);
  const lower = sideFacts(table, base + LOWER, base + LOWER_SELDOM, probes & 0xff);
  const higher = sideFacts(table, base + HIGHER, base + HIGHER_SELDOM, (probes >>> 8) & 0xff);
  const [sender, receiver] = senderIsLower ? [lower, higher] : [higher, lower];
  const lowerOpened = (bits & state.LOWER_OPENED) !== 0;
  const isOpened = lowerOpened || (bits & state.HIGHER_OPENED) !== 0;
  const isSeen = sender.seen || receiver.seen;
  return {
    sender,
    receiver,
    opener: !isOpened ? null : lowerOpened === senderIsLower ? 'sender' : 'receiver',
    synSeen: (bits & state.SYN_SEEN) !== 0,
    fromStart: (bits & state.FROM_START) !== 0,
    established: (bits & state.ESTABLISHED) !== 0,
    earlier: (bits & state.EARLIER_LIVE) !== 0 ? 'live' : (bits & state.EARLIER_ENDED) !== 0 ? 'ended' : null,
    full,
    hasHandshakes,
    gap: (bits & state.GAP) !== 0 || isMissing(sender, receiver) || isMissing(receiver, sender),
    lastAt: isSeen ? lastOf(times, base) : null,
    firstAt: isSeen ? value(times, base / 2 + state.FIRST_AT) : null,
    silence: (bits & state.RESUMED) === 0 ? null : value(times, base / 2 + state.RESUME_GAP),
    closed: closedBy(table, base, bits, senderIsLower),
    elsewhere: null,
    after: nothingAfter(),
  };
}

function closedBy(
  { times }: ConversationTable,
  base: number,
  bits: number,
  senderIsLower: boolean,
): ConversationFacts['closed'] {
  const idle = value(times, base / 2 + state.FIN_IDLE);
  if ((bits & state.BOTH_FINS) === 0 || idle === 0) return null;
  const lowerWasFirst = (bits & state.LOWER_FIN_FIRST) !== 0;
  return { by: lowerWasFirst === senderIsLower ? 'sender' : 'receiver', idle };
}

/** One side has acknowledged what was not seen of the other. */
function isMissing(side: SideFacts, other: SideFacts): boolean {
  return side.next !== null && other.acked !== null && seqDiff(other.acked, side.next) > 0;
}

function sideFacts({ words: s, times }: ConversationTable, own: number, seldom: number, probes: number): SideFacts {
  const bits = word(s, own + state.S_BITS);
  const resets = word(s, seldom + state.S_RESETS);
  const lastReset =
    resets === 0
      ? null
      : {
          seq: word(s, seldom + state.S_RESET_SEQ),
          ack: word(s, seldom + state.S_RESET_ACK),
          at: value(times, seldom / 2 + state.S_RESET_AT),
        };
  if ((bits & state.SEEN) === 0) return resets === 0 ? NOTHING_SENT : { ...NOTHING_SENT, resets, lastReset };
  const flagsWord = word(s, own + state.S_FLAGS);
  const isSix = (flagsWord & IS_IPV6) !== 0;
  const ttls = word(s, own + state.S_TTLS);
  const windowId = word(s, own + state.S_WINDOW_ID);
  const at = value(times, own / 2 + state.S_LAST_AT);
  const hasSyn = (bits & (state.HAS_SYN | state.HAS_SYN_ACK)) !== 0;
  return {
    seen: true,
    isn: hasSyn ? word(s, seldom + state.S_ISN) : null,
    synAck: (bits & state.HAS_SYN_ACK) !== 0,
    next: word(s, own + state.S_NEXT),
    acked: (bits & state.HAS_ACKED) === 0 ? null : word(s, own + state.S_ACKED),
    finEnd: (bits & state.HAS_FIN) === 0 ? null : word(s, own + state.S_FIN_END),
    dataSegments: word(s, own + state.S_DATA),
    probes,
    last: {
      flags: flagsWord & FLAGS_MASK,
      seq: word(s, own + state.S_SEQ),
      ack: word(s, own + state.S_ACK),
      length: word(s, own + state.S_LENGTH),
      at,
      frame: word(s, own + state.S_NUMBER),
    },
    earlierAck: (bits & state.HAS_EARLIER_ACK) === 0 ? null : word(s, own + state.S_EARLIER_ACK),
    window: (flagsWord & NO_WINDOW) === 0 ? windowId >>> 16 : null,
    windowScale: (bits & state.WITH_SCALE) === 0 ? null : (ttls >>> 16) & 15,
    timestamps: eachOf(bits, state.WITH_TIMESTAMP, state.WITHOUT_TIMESTAMP),
    timestamp: (bits & state.WITH_TIMESTAMP) === 0 ? null : word(s, own + state.S_TIMESTAMP),
    ttlLeast: ttls & 0xff,
    ttlMost: (ttls >>> 8) & 0xff,
    ttl: (flagsWord >>> TTL_SHIFT) & 0xff,
    ipIds: isSix ? null : ipIdsOf(bits),
    ipId: isSix ? null : windowId & 0xffff,
    dontFragment: isSix ? null : eachOf(bits, state.WITH_DF, state.WITHOUT_DF),
    resets,
    lastReset,
  };
}

function eachOf(bits: number, yes: number, no: number): 'always' | 'never' | 'sometimes' {
  if ((bits & yes) === 0) return 'never';
  return (bits & no) === 0 ? 'always' : 'sometimes';
}

function ipIdsOf(bits: number): SideFacts['ipIds'] {
  if ((bits & state.ID_COMPARED) === 0) return null;
  if ((bits & state.ID_NOT_ZERO) === 0) return 'zero';
  return (bits & state.ID_JUMPED) === 0 ? 'running' : 'other';
}

/** A segment behind the reset, which is no reset, of the reset's sender or of its receiver. */
export function noteAfter(facts: ConversationFacts, segment: SegmentFacts, bySender: boolean): void {
  const { after, sender, receiver } = facts;
  const end = segment.seq + segment.length + ((segment.flags & FIN) === 0 ? 0 : 1);
  if (bySender) {
    const isSynAck = (segment.flags & (SYN | ACK)) === (SYN | ACK);
    const acksSyn = receiver.isn !== null && seqDiff(segment.ack, receiver.isn) === 1;
    if (isSynAck && acksSyn && !sender.seen) after.synAck ??= segment;
    if ((segment.flags & SYN) !== 0) return;
    // What it had sent before, or could have: a repetition, or a segment that was overtaken.
    const isNew = sender.next === null || seqDiff(end, sender.next) > 0;
    const acksNew = sender.acked !== null && (segment.flags & ACK) !== 0 && seqDiff(segment.ack, sender.acked) > 0;
    if (isNew || acksNew) after.senderWentOn ??= segment;
    return;
  }
  if ((segment.flags & SYN) !== 0) return;
  const isNew = receiver.next === null || seqDiff(end, receiver.next) > 0;
  const acksNew = receiver.acked === null || ((segment.flags & ACK) !== 0 && seqDiff(segment.ack, receiver.acked) > 0);
  if (isNew || acksNew) after.receiverWentOn ??= segment;
}

/** A further reset of the connection. */
export function noteResetAfter(
  facts: ConversationFacts,
  first: { readonly seq: number; readonly ack: number; readonly at: number },
  further: SegmentFacts,
  bySender: boolean,
): void {
  const { after, sender, receiver } = facts;
  if (!bySender) {
    after.receiverResets++;
    after.receiverResetAfter ??= further.at - first.at;
    return;
  }
  if (further.seq === first.seq && further.ack === first.ack) return;
  after.senderResets++;
  const beyond = (known: number | null): boolean => known === null || seqDiff(further.seq, known) > 2;
  const rises = seqDiff(further.seq, first.seq) > 2 && beyond(sender.next) && beyond(receiver.acked);
  if (rises) after.risingResets++;
}

/** The record at `at` as a segment. */
export function segmentOf(words: Uint32Array, at: number, time: number): SegmentFacts {
  return {
    flags: word(words, at + R_FLAGS) & FLAGS_MASK,
    seq: word(words, at + R_SEQ),
    ack: word(words, at + R_ACK),
    length: word(words, at + R_LENGTH),
    at: time,
    frame: word(words, at + R_NUMBER),
  };
}

/** Whether the segment is a reset. */
export function isReset(segment: SegmentFacts): boolean {
  return (segment.flags & RST) !== 0;
}
