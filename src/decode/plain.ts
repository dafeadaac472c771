/**
 * The commonest frames of all, known at a glance: untagged Ethernet, IPv4 or IPv6 without options or fragments, a
 * whole TCP header.
 *
 * Only a shortcut. Whatever it says, the walk says too (a test holds them to it), and whatever it does not recognise
 * is the walk's; it knows no more of these headers than it takes to be sure.
 */

import { word } from '../base/bytes.js';
import type { Sieve } from '../capture/frame-batch.js';
import { EN10MB } from './link-types.js';
import { CONTROL, KEEP_ANY, RST, SYN } from './net/tcp.js';
import { timestampValue, windowScale } from './net/tcp-options.js';
import {
  DONT_FRAGMENT,
  HAS_SCALE,
  HAS_TIMESTAMP,
  IS_IPV6,
  MAX_SCALE,
  R_ACK,
  R_DESTINATION,
  R_DESTINATION_UPPER,
  R_FLAGS,
  R_LENGTH,
  R_NANOS,
  R_NUMBER,
  R_PORTS,
  R_SECONDS,
  R_SEQ,
  R_SOURCE,
  R_SOURCE_UPPER,
  R_TENANT,
  R_TIMESTAMP,
  R_WINDOW_ID,
  RECORD_WORDS,
  SCALE_SHIFT,
  sealFour,
  sealSix,
  TTL_SHIFT,
  untagged,
  type Records,
} from './records.js';

/** Offsets from the beginning of the frame; each load covers what lies behind it. */
const ETHER_TYPE_AND_VERSION = 12;

/** EtherType IPv4, version 4, header of five words; the type of service is masked out. */
const IPV4_MASK = 0xffffff00 | 0;
const IPV4 = 0x08004500;
const IPV4_LENGTH = 16;
const IPV4_ID = 18;
const IPV4_FRAGMENT_AND_PROTOCOL = 20;
const IPV4_DONT_FRAGMENT = 0x40000000;
const IPV4_SOURCE = 26;
const IPV4_DESTINATION = 30;
/** No fragment, protocol TCP; "don't fragment" and the time to live are masked out. */
const IPV4_TCP_MASK = 0x3fff00ff;
const TCP = 6;
const IPV4_TCP = 34;
const IPV4_TCP_FLAGS = 46;
const IPV4_WHOLE = 54;
/** Twenty bytes of IPv4 and twenty of TCP. */
const BOTH_HEADERS = 40;

/** EtherType IPv6, version 6; traffic class and flow label are masked out. */
const IPV6_MASK = 0xfffff000 | 0;
const IPV6 = 0x86dd6000 | 0;
const IPV6_LENGTH = 18;
const IPV6_NEXT_HEADER = 20;
const IPV6_HOP_LIMIT = 21;
const IPV6_SOURCE = 22;
const IPV6_DESTINATION = 38;
const IPV6_TCP = 54;
const IPV6_TCP_FLAGS = 66;
const IPV6_WHOLE = 74;

/** Offsets from the beginning of the TCP header. */
const TCP_SEQ = 4;
const TCP_ACK = 8;
const TCP_FLAGS = 12;
const TCP_WINDOW = 14;
const TCP_HEADER = 20;

const FIVE_WORDS = 0x5000;
const FLAGS = 0x0fff;
/** Two no-operations and the timestamps, kind 8, length 10: how everybody writes them (RFC 7323 appendix A). */
const ALIGNED_TIMESTAMPS = 0x0101080a;
const WITH_TIMESTAMPS = 32;

const UNTAGGED_IPV4 = untagged(4);
const UNTAGGED_IPV6 = untagged(6);

/** Takes plain segments that are no resets: counts them, and makes records of those that are wanted. */
export class PlainSieve implements Sieve {
  readonly linkType = EN10MB;
  /** Segments taken. */
  passed = 0;
  /** Of these, those with SYN or FIN. */
  control = 0;
  /** Flags of the segments that are wanted. */
  private readonly wanted: number;
  /** Null: what is wanted is let through. */
  private readonly records: Records | null;
  private bytesOf: DataView = new DataView(new ArrayBuffer(0));
  private bytes: Uint8Array = new Uint8Array(0);

  constructor(wanted: number, records: Records | null) {
    this.wanted = wanted;
    this.records = records;
  }

  passes(view: DataView, at: number, end: number, seconds: number, nanos: number, number: number): boolean {
    const flags = plainFlags(view, at, end);
    // A reset's row tells more than a record does.
    if (flags < 0 || (flags & RST) !== 0) return false;
    if (((flags | KEEP_ANY) & this.wanted) !== 0) {
      const { records } = this;
      if (records === null) return false;
      const isSix = view.getUint8(at + ETHER_TYPE_AND_VERSION) !== 0x08;
      const length = isSix ? view.getUint16(at + IPV6_LENGTH) : view.getUint16(at + IPV4_LENGTH);
      // Only the walk knows how long the frame was on the wire.
      if (length === 0 || records.count + 2 > records.capacity) return false;
      const { words } = records;
      const to = records.count * RECORD_WORDS;
      if (isSix) {
        six(view, at, length, flags, words, to);
        records.count += 2;
      } else {
        four(view, at, length, flags, words, to);
        records.count++;
      }
      this.options(view, at + (isSix ? IPV6_TCP : IPV4_TCP), end, words, to);
      if (isSix) sealSix(words, to);
      else sealFour(words, to);
      words[to + R_SECONDS] = seconds;
      words[to + R_NANOS] = nanos;
      words[to + R_NUMBER] = number;
    }
    this.passed++;
    // Without a branch: the first FIN would come after the loop around it was compiled, and undo that.
    this.control += (flags & CONTROL) === 0 ? 0 : 1;
    return true;
  }

  /** The timestamps, and a SYN's window scale. `tcp` is the header's beginning, `end` that of what was captured. */
  private options(view: DataView, tcp: number, end: number, words: Uint32Array, to: number): void {
    const header = (view.getUint8(tcp + TCP_FLAGS) >> 4) << 2;
    if (header === TCP_HEADER) return;
    const from = tcp + TCP_HEADER;
    if (header >= WITH_TIMESTAMPS && end - tcp >= WITH_TIMESTAMPS && view.getInt32(from) === ALIGNED_TIMESTAMPS) {
      words[to + R_TIMESTAMP] = view.getUint32(from + 4);
      words[to + R_FLAGS] = word(words, to + R_FLAGS) | HAS_TIMESTAMP;
      return;
    }
    this.oddOptions(view, from, Math.min(tcp + header, end), words, to);
  }

  private oddOptions(view: DataView, from: number, until: number, words: Uint32Array, to: number): void {
    if (this.bytesOf !== view) {
      this.bytesOf = view;
      this.bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    }
    const timestamp = timestampValue(this.bytes, from, until);
    if (timestamp >= 0) {
      words[to + R_TIMESTAMP] = timestamp;
      words[to + R_FLAGS] = word(words, to + R_FLAGS) | HAS_TIMESTAMP;
    }
    if ((word(words, to + R_FLAGS) & SYN) === 0) return;
    const scale = windowScale(this.bytes, from, until);
    if (scale < 0 || scale > MAX_SCALE) return;
    words[to + R_FLAGS] = word(words, to + R_FLAGS) | HAS_SCALE | (scale << SCALE_SHIFT);
  }
}

function four(view: DataView, at: number, length: number, flags: number, words: Uint32Array, to: number): void {
  const third = view.getInt32(at + IPV4_FRAGMENT_AND_PROTOCOL);
  words[to] = view.getInt32(at + IPV4_SOURCE);
  words[to + R_DESTINATION] = view.getInt32(at + IPV4_DESTINATION);
  words[to + R_TENANT] = UNTAGGED_IPV4;
  const ttl = (third >> 8) & 0xff;
  words[to + R_FLAGS] = flags | (ttl << TTL_SHIFT) | ((third & IPV4_DONT_FRAGMENT) === 0 ? 0 : DONT_FRAGMENT);
  const id = view.getUint16(at + IPV4_ID);
  header(view, at + IPV4_TCP, length - TCP_HEADER, id, words, to);
}

function six(view: DataView, at: number, length: number, flags: number, words: Uint32Array, to: number): void {
  for (let w = 0; w < 3; w++) {
    words[to + R_SOURCE_UPPER + w] = view.getInt32(at + IPV6_SOURCE + 4 * w);
    words[to + R_DESTINATION_UPPER + w] = view.getInt32(at + IPV6_DESTINATION + 4 * w);
  }
  words[to + R_SOURCE] = view.getInt32(at + IPV6_SOURCE + 12);
  words[to + R_DESTINATION] = view.getInt32(at + IPV6_DESTINATION + 12);
  words[to + R_TENANT] = UNTAGGED_IPV6;
  words[to + R_FLAGS] = flags | (view.getUint8(at + IPV6_HOP_LIMIT) << TTL_SHIFT) | IS_IPV6;
  header(view, at + IPV6_TCP, length, 0xffff, words, to);
}

/** What lies in the TCP header, of `room` bytes with its payload. */
function header(view: DataView, tcp: number, room: number, id: number, words: Uint32Array, to: number): void {
  words[to + R_PORTS] = view.getInt32(tcp);
  words[to + R_SEQ] = view.getInt32(tcp + TCP_SEQ);
  words[to + R_ACK] = view.getInt32(tcp + TCP_ACK);
  words[to + R_WINDOW_ID] = (view.getUint16(tcp + TCP_WINDOW) << 16) | id;
  words[to + R_LENGTH] = Math.max(0, room - ((view.getUint8(tcp + TCP_FLAGS) >> 4) << 2));
}

/** TCP flags of a plain segment that lies from `at` to `end`; −1 for anything else. */
export function plainFlags(view: DataView, at: number, end: number): number {
  if (end - at < IPV4_WHOLE) return -1;
  const first = view.getInt32(at + ETHER_TYPE_AND_VERSION);
  if ((first & IPV4_MASK) === IPV4) {
    if ((view.getInt32(at + IPV4_FRAGMENT_AND_PROTOCOL) & IPV4_TCP_MASK) !== TCP) return -1;
    return flagsAt(view, at + IPV4_TCP_FLAGS, view.getUint16(at + IPV4_LENGTH), BOTH_HEADERS);
  }
  if ((first & IPV6_MASK) !== IPV6 || end - at < IPV6_WHOLE || view.getUint8(at + IPV6_NEXT_HEADER) !== TCP) return -1;
  return flagsAt(view, at + IPV6_TCP_FLAGS, view.getUint16(at + IPV6_LENGTH), TCP_HEADER);
}

/** The flags, where the datagram claims `least` bytes (or none: segmentation offload) and the header is whole. */
function flagsAt(view: DataView, at: number, length: number, least: number): number {
  const word = view.getUint16(at);
  return (length === 0 || length >= least) && word >= FIVE_WORDS ? word & FLAGS : -1;
}
