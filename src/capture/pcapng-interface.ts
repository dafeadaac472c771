/**
 * pcapng interfaces: what their Interface Description Block says, and how many packets they lost.
 *
 * Callers have checked that a block's fixed part is there.
 */

import { u16, u16le, u32, u32le, u8 } from '../base/bytes.js';
import { printable, utf8 } from '../base/text.js';
import type { CapturedHost, CaptureInterface } from './frame-batch.js';
import { readInterfaceComment, readSectionComment, type SectionNote } from './host-note.js';
import { eachOption, OPT_COMMENT, IF_NAME, IF_TSOFFSET, IF_TSRESOL, ISB_IFDROP, ISB_OSDROP } from './pcapng-options.js';
import { MICROSECONDS, timeUnit, type TimeUnit } from './pcapng-time.js';

/** An interface as the reader keeps it. */
export interface Reading extends CaptureInterface {
  readonly unit: TimeUnit;
  /** Packets lost by the last statistics block, else the sum of the packets' own drop counts; null: nothing said. */
  dropped: number | null;
  counted: boolean;
}

/** The end of an Interface Description Block's fixed part, counted from its type. */
export const INTERFACE_OPTIONS = 16;
/** The same of a Section Header Block. */
export const SECTION_OPTIONS = 24;
/** The same of an Interface Statistics Block. */
export const STATISTICS_OPTIONS = 20;

const DEFAULT_RESOLUTION = 6;

/** What the options of the section header at `at` say of the host, in a capture of our own. */
export function readSection(bytes: Uint8Array, at: number, end: number, littleEndian: boolean): SectionNote | null {
  let note: SectionNote | null = null;
  eachOption(bytes, at + SECTION_OPTIONS, end, littleEndian, (code, from, to) => {
    if (code === OPT_COMMENT) note ??= readSectionComment(utf8(bytes.subarray(from, to)));
  });
  return note;
}

/** The interface that the block at `at` describes; its options end at `end`. `section`: see `readSection`. */
export function readInterface(
  bytes: Uint8Array,
  at: number,
  end: number,
  littleEndian: boolean,
  section: SectionNote | null,
): Reading {
  const said = { name: '', resolution: DEFAULT_RESOLUTION, offset: 0 };
  let host: CapturedHost | null = section === null ? null : { ...section, netns: null, stacked: false };
  eachOption(bytes, at + INTERFACE_OPTIONS, end, littleEndian, (code, from, to) => {
    if (code === IF_NAME) said.name = printable(utf8(bytes.subarray(from, to)));
    else if (code === IF_TSRESOL && to - from >= 1) said.resolution = u8(bytes, from);
    else if (code === OPT_COMMENT && host !== null) {
      host = { ...host, ...readInterfaceComment(utf8(bytes.subarray(from, to))) };
    } else if (code === IF_TSOFFSET && to - from >= 8) said.offset = signed64(bytes, from, littleEndian);
  });
  const { name, resolution, offset } = said;
  const unit = resolution === DEFAULT_RESOLUTION && offset === 0 ? MICROSECONDS : timeUnit(resolution, offset);
  return {
    linkType: (littleEndian ? u16le : u16)(bytes, at + 8),
    snaplen: (littleEndian ? u32le : u32)(bytes, at + 12),
    name: name || null,
    fractionDigits: unit.digits,
    host,
    unit,
    dropped: null,
    counted: false,
  };
}

/** What the statistics block at `at` says was lost: counts since the capture began, so the last one is right. */
export function readStatistics(
  bytes: Uint8Array,
  at: number,
  end: number,
  littleEndian: boolean,
  reading: Reading,
): void {
  const lost: number[] = [];
  eachOption(bytes, at + STATISTICS_OPTIONS, end, littleEndian, (code, from, to) => {
    const counts = code === ISB_IFDROP || code === ISB_OSDROP;
    if (counts && to - from >= 8) lost.push(unsigned64(bytes, from, littleEndian));
  });
  if (lost.length === 0) return;
  reading.dropped = lost.reduce((sum, count) => sum + count, 0);
  reading.counted = true;
}

/** Packets' own drop counts add up until a statistics block, which counts everything, has spoken. */
export function countDrops(reading: Reading, drops: number): void {
  if (!reading.counted) reading.dropped = (reading.dropped ?? 0) + drops;
}

/** To the precision of a double. */
export function unsigned64(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  return littleEndian
    ? u32le(bytes, at + 4) * 4294967296 + u32le(bytes, at)
    : u32(bytes, at) * 4294967296 + u32(bytes, at + 4);
}

function signed64(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  return littleEndian
    ? (u32le(bytes, at + 4) | 0) * 4294967296 + u32le(bytes, at)
    : (u32(bytes, at) | 0) * 4294967296 + u32(bytes, at + 4);
}
