/**
 * The commonest frames of all, known at a glance: Ethernet without tags or with one, IPv4 or IPv6 without options or
 * fragments, a whole TCP header.
 *
 * Only a shortcut. Whatever it says, the walk says too (a test holds them to it), and whatever it does not recognise
 * is the walk's; it knows no more of these headers than it takes to be sure.
 */

import { word } from '../base/bytes.js';
import type { Sieve } from '../capture/frame-batch.js';
import { EN10MB } from './link-types.js';
import { CONTROL, KEEP_ANY, RST, SYN } from './net/tcp-layout.js';
import { timestampValue, windowScale } from './net/tcp-options.js';
import {
  ALIGNED_TIMESTAMPS,
  ETHERNET,
  ETHER_TYPE_AND_VERSION,
  FLAGS,
  IPV4,
  IPV4_DESTINATION,
  IPV4_DONT_FRAGMENT,
  IPV4_FRAGMENT_AND_PROTOCOL,
  IPV4_HEADER,
  IPV4_LENGTH_AND_ID,
  IPV4_MASK,
  IPV4_SOURCE,
  IPV4_TCP,
  IPV4_TCP_MASK,
  IPV4_WHOLE,
  IPV6,
  IPV6_DESTINATION,
  IPV6_HEADER,
  IPV6_HOP_LIMIT,
  IPV6_LENGTH,
  IPV6_MASK,
  IPV6_NEXT_HEADER,
  IPV6_SOURCE,
  IPV6_TCP,
  IPV6_WHOLE,
  TAG,
  TCP,
  TCP_ACK,
  TCP_FLAGS_AND_WINDOW,
  TCP_HEADER,
  TCP_SEQ,
  VLAN,
  VLAN_ID,
  WITH_TIMESTAMPS,
} from './plain-layout.js';
import {
  DONT_FRAGMENT,
  HAS_SCALE,
  HAS_TIMESTAMP,
  IPV4_TENANT,
  IPV6_TENANT,
  IS_IPV6,
  MAX_SCALE,
  NO_TIME,
  R_ACK,
  R_DESTINATION,
  R_DESTINATION_UPPER,
  R_FLAGS,
  R_HASH,
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
  SOURCE_IS_LOWER,
  TTL_SHIFT,
} from './record-layout.js';
import { below, bitsOf, mix, sealSix, type Records } from './records.js';
import type { Tenants } from './tenants.js';

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
  private readonly tenants: Tenants;
  /** Of the frame that is looked at; 0: it has no tag. */
  private tenant = 0;
  /** By VLAN; 0: not met yet. */
  private readonly tenantOf = new Uint32Array(VLAN_ID + 1);
  private bytesOf: DataView = new DataView(new ArrayBuffer(0));
  private bytes: Uint8Array = new Uint8Array(0);

  constructor(wanted: number, records: Records | null, tenants: Tenants) {
    this.wanted = wanted;
    this.records = records;
    this.tenants = tenants;
  }

  /**
   * All of a frame of IPv4 in one function, and without branches on what differs from frame to frame: a call for each
   * header takes longer than reading it.
   */
  passes(
    view: DataView,
    at: number,
    end: number,
    seconds: number,
    nanos: number,
    number: number,
    original: number,
  ): boolean {
    if (end - at < IPV4_WHOLE) return false;
    if ((view.getInt32(at + ETHER_TYPE_AND_VERSION) & IPV4_MASK) !== IPV4) {
      return this.passesOther(view, at, end, seconds, nanos, number, original);
    }
    const third = view.getInt32(at + IPV4_FRAGMENT_AND_PROTOCOL);
    if ((third & IPV4_TCP_MASK) !== TCP) return false;
    const lengthAndId = view.getInt32(at + IPV4_LENGTH_AND_ID);
    const flagsAndWindow = view.getInt32(at + IPV4_TCP + TCP_FLAGS_AND_WINDOW);
    const flags = (flagsAndWindow >>> 16) & FLAGS;
    const datagram = lengthAndId >>> 16;
    const header = (flagsAndWindow >>> 28) << 2;
    const length = datagram - IPV4_HEADER - header;
    // A reset's row tells more than a record does. Segmentation offload leaves no length.
    if (header < TCP_HEADER || (flags & RST) !== 0 || (length < 0 && datagram !== 0)) return false;
    if (((flags | KEEP_ANY) & this.wanted) !== 0) {
      const { records } = this;
      // Only the walk knows how long the frame was on the wire.
      if (length < 0 || ETHERNET + datagram > original) return false;
      if (records === null || records.count + 2 > records.capacity) return false;
      const source = view.getInt32(at + IPV4_SOURCE);
      const destination = view.getInt32(at + IPV4_DESTINATION);
      const ports = view.getInt32(at + IPV4_TCP);
      const swapped = (ports << 16) | (ports >>> 16);
      const differ = source ^ destination;
      const areTwo = bitsOf(differ);
      const isLower = (below(source, destination) & areTwo) | ~(below(swapped, ports) | areTwo);
      const crossed = differ & isLower;
      const tenant = this.tenant ^ IPV4_TENANT;
      const own = swapped ^ ((ports ^ swapped) & isLower);
      const hash = mix(destination ^ crossed, source ^ crossed, own, tenant);
      const { words } = records;
      const to = records.count * RECORD_WORDS;
      records.count++;
      words[to + R_SOURCE] = source;
      words[to + R_DESTINATION] = destination;
      words[to + R_PORTS] = ports;
      words[to + R_TENANT] = tenant;
      words[to + R_SEQ] = view.getInt32(at + IPV4_TCP + TCP_SEQ);
      words[to + R_ACK] = view.getInt32(at + IPV4_TCP + TCP_ACK);
      words[to + R_WINDOW_ID] = (flagsAndWindow << 16) | (lengthAndId & 0xffff);
      words[to + R_LENGTH] = length;
      words[to + R_SECONDS] = seconds;
      words[to + R_NANOS] = nanos;
      words[to + R_NUMBER] = number;
      words[to + R_HASH] = hash;
      words[to + R_FLAGS] =
        flags |
        (((third >> 8) & 0xff) << TTL_SHIFT) |
        (((third & IPV4_DONT_FRAGMENT) >>> 30) * DONT_FRAGMENT) |
        (isLower & SOURCE_IS_LOWER) |
        (seconds >= 0 ? 0 : NO_TIME);
      if (header !== TCP_HEADER) this.options(view, at + IPV4_TCP, header, end, words, to);
    }
    this.passed++;
    // Without a branch: the first FIN would come after the loop around it was compiled, and undo that.
    this.control += (flags & CONTROL) === 0 ? 0 : 1;
    return true;
  }

  /** The segment that passed last has not. */
  takeBack(isControl: boolean): void {
    this.passed--;
    if (isControl) this.control--;
  }

  /** IPv6, or a tag. */
  private passesOther(
    view: DataView,
    at: number,
    end: number,
    seconds: number,
    nanos: number,
    number: number,
    original: number,
  ): boolean {
    const first = view.getInt32(at + ETHER_TYPE_AND_VERSION);
    if ((first & IPV6_MASK) !== IPV6) {
      if (first >>> 16 !== VLAN || this.tenant !== 0) return false;
      this.tenant = this.ofVlan(first & VLAN_ID);
      const answer = this.passes(view, at + TAG, end, seconds, nanos, number, original - TAG);
      this.tenant = 0;
      return answer;
    }
    if (end - at < IPV6_WHOLE || view.getUint8(at + IPV6_NEXT_HEADER) !== TCP) return false;
    const flagsAndWindow = view.getInt32(at + IPV6_TCP + TCP_FLAGS_AND_WINDOW);
    const flags = (flagsAndWindow >>> 16) & FLAGS;
    const datagram = view.getUint16(at + IPV6_LENGTH);
    const header = (flagsAndWindow >>> 28) << 2;
    const length = datagram - header;
    if (header < TCP_HEADER || (flags & RST) !== 0 || (length < 0 && datagram !== 0)) return false;
    if (((flags | KEEP_ANY) & this.wanted) !== 0) {
      const { records } = this;
      if (length < 0 || ETHERNET + IPV6_HEADER + datagram > original) return false;
      if (records === null || records.count + 2 > records.capacity) return false;
      const { words } = records;
      const to = records.count * RECORD_WORDS;
      records.count += 2;
      words[to + R_SOURCE_UPPER] = view.getInt32(at + IPV6_SOURCE);
      words[to + R_SOURCE_UPPER + 1] = view.getInt32(at + IPV6_SOURCE + 4);
      words[to + R_SOURCE_UPPER + 2] = view.getInt32(at + IPV6_SOURCE + 8);
      words[to + R_SOURCE] = view.getInt32(at + IPV6_SOURCE + 12);
      words[to + R_DESTINATION_UPPER] = view.getInt32(at + IPV6_DESTINATION);
      words[to + R_DESTINATION_UPPER + 1] = view.getInt32(at + IPV6_DESTINATION + 4);
      words[to + R_DESTINATION_UPPER + 2] = view.getInt32(at + IPV6_DESTINATION + 8);
      words[to + R_DESTINATION] = view.getInt32(at + IPV6_DESTINATION + 12);
      words[to + R_TENANT] = this.tenant ^ IPV6_TENANT;
      words[to + R_PORTS] = view.getInt32(at + IPV6_TCP);
      words[to + R_SEQ] = view.getInt32(at + IPV6_TCP + TCP_SEQ);
      words[to + R_ACK] = view.getInt32(at + IPV6_TCP + TCP_ACK);
      words[to + R_WINDOW_ID] = (flagsAndWindow << 16) | 0xffff;
      words[to + R_LENGTH] = length;
      words[to + R_SECONDS] = seconds;
      words[to + R_NANOS] = nanos;
      words[to + R_NUMBER] = number;
      words[to + R_FLAGS] =
        flags | (view.getUint8(at + IPV6_HOP_LIMIT) << TTL_SHIFT) | IS_IPV6 | (seconds >= 0 ? 0 : NO_TIME);
      sealSix(words, to);
      if (header !== TCP_HEADER) this.options(view, at + IPV6_TCP, header, end, words, to);
    }
    this.passed++;
    this.control += (flags & CONTROL) === 0 ? 0 : 1;
    return true;
  }

  private ofVlan(id: number): number {
    const known = word(this.tenantOf, id);
    if (known !== 0) return known;
    const fresh = this.tenants.number({ vlan: [id], outer: [], interfaceName: null });
    this.tenantOf[id] = fresh;
    return fresh;
  }

  /** The timestamps, and a SYN's window scale. `tcp` is the header's beginning, `end` that of what was captured. */
  private options(view: DataView, tcp: number, header: number, end: number, words: Uint32Array, to: number): void {
    const from = tcp + TCP_HEADER;
    const hasRoom = header >= WITH_TIMESTAMPS && end - tcp >= WITH_TIMESTAMPS;
    // A SYN has more to say than its timestamps.
    if (hasRoom && view.getInt32(from) === ALIGNED_TIMESTAMPS && (word(words, to + R_FLAGS) & SYN) === 0) {
      words[to + R_TIMESTAMP] = view.getInt32(from + 4);
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
