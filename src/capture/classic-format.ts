/**
 * The file header of classic pcap and what it says of the records behind it.
 *
 * Source: draft-ietf-opsawg-pcap and libpcap sf-pcap.c (magics, swapped lengths of old versions).
 */

import { u16, u16le, u32, u32le } from '../base/bytes.js';

export const CLASSIC_HEADER = 24;

const MAGIC_MICRO = 0xa1b2c3d4;
const MAGIC_NANO = 0xa1b23c4d;
/** Alexey Kuznetzov's modified format: eight more bytes in each record header. */
const MAGIC_MODIFIED = 0xa1b2cd34;

const RECORD_HEADER = 16;
const MODIFIED_RECORD_HEADER = 24;

/** libpcap's MAXIMUM_SNAPLEN: no frame is longer, whatever a header claims, but for files that say so themselves. */
const MAX_SNAPLEN = 262144;
/** A larger snapshot length than any capture program takes is not believed; MAX_SNAPLEN counts instead. */
const MAX_BELIEVED_SNAPLEN = 16 * 1024 * 1024;

/** LINKTYPE is the low 26 bits of the header's last word; above it are the FCS length and its flag. */
const LINK_TYPE_MASK = 0x03ffffff;

/** Which of a record's two lengths comes first; 'either' is the captured one unless it is the greater. */
export type LengthOrder = 'captured-first' | 'original-first' | 'either';

export interface Layout {
  readonly littleEndian: boolean;
  readonly nanosPerFraction: 1 | 1000;
  readonly recordHeader: number;
}

export interface ClassicHeader extends Layout {
  readonly order: LengthOrder;
  readonly linkType: number;
  /** The snapshot length as the file states it. */
  readonly snaplen: number;
  /** The longest frame that a sound record of this file has: the snapshot length where it can be believed. */
  readonly ordinary: number;
  /** A longer record is no record. */
  readonly limit: number;
}

/** The layout that a magic number stands for; null when it is none. */
export function classicLayout(bytes: Uint8Array, at: number): Layout | null {
  for (const littleEndian of [true, false]) {
    const magic = littleEndian ? u32le(bytes, at) : u32(bytes, at);
    if (magic === MAGIC_MICRO) return { littleEndian, nanosPerFraction: 1000, recordHeader: RECORD_HEADER };
    if (magic === MAGIC_NANO) return { littleEndian, nanosPerFraction: 1, recordHeader: RECORD_HEADER };
    if (magic === MAGIC_MODIFIED) return { littleEndian, nanosPerFraction: 1000, recordHeader: MODIFIED_RECORD_HEADER };
  }
  return null;
}

/** The file header at `at`, where `layout` was recognised and CLASSIC_HEADER bytes are there. */
export function classicHeader(bytes: Uint8Array, at: number, layout: Layout): ClassicHeader {
  const word = layout.littleEndian ? u32le : u32;
  const half = layout.littleEndian ? u16le : u16;
  const snaplen = word(bytes, at + 16);
  const ordinary = snaplen === 0 || snaplen > MAX_BELIEVED_SNAPLEN ? MAX_SNAPLEN : snaplen;
  return {
    ...layout,
    order: lengthOrder(half(bytes, at + 4), half(bytes, at + 6)),
    linkType: word(bytes, at + 20) & LINK_TYPE_MASK,
    snaplen,
    ordinary,
    limit: Math.max(ordinary, MAX_SNAPLEN),
  };
}

/** Old writers put the two lengths the other way round (libpcap sf-pcap.c, `lengths_swapped`; 543.0 is DG/UX). */
function lengthOrder(major: number, minor: number): LengthOrder {
  if (major === 543) return 'original-first';
  if (major !== 2 || minor > 3) return 'captured-first';
  return minor === 3 ? 'either' : 'original-first';
}
