/**
 * pcapng interfaces: what their Interface Description Block says, and how many packets they lost.
 *
 * Callers have checked that a block's fixed part is there.
 */

import { u16, u16le, u32, u32le } from '../base/bytes.js';
import { printable, utf8 } from '../base/text.js';
import type { CaptureInterface } from './frame-batch.js';
import { eachOption, IF_NAME, IF_TSOFFSET, IF_TSRESOL, ISB_IFDROP, ISB_OSDROP } from './pcapng-options.js';
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
/** The same of an Interface Statistics Block. */
export const STATISTICS_OPTIONS = 20;

const DEFAULT_RESOLUTION = 6;

/** The interface that the block at `at` describes; its options end at `end`. */
export function readInterface(bytes: Uint8Array, at: number, end: number, littleEndian: boolean): Reading {
  let name: string | null = null;
  let resolution = DEFAULT_RESOLUTION;
  let offset = 0;
  eachOption(bytes, at + INTERFACE_OPTIONS, end, littleEndian, (code, from, to) => {
    if (code === IF_NAME) name = printable(utf8(bytes.subarray(from, to)));
    else if (code === IF_TSRESOL && to - from >= 1) resolution = bytes[from] ?? resolution;
    else if (code === IF_TSOFFSET && to - from >= 8) offset = signed64(bytes, from, littleEndian);
  });
  const unit = resolution === DEFAULT_RESOLUTION && offset === 0 ? MICROSECONDS : timeUnit(resolution, offset);
  return {
    linkType: (littleEndian ? u16le : u16)(bytes, at + 8),
    snaplen: (littleEndian ? u32le : u32)(bytes, at + 12),
    name: name === '' ? null : name,
    fractionDigits: unit.digits,
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
  let drops: number | null = null;
  eachOption(bytes, at + STATISTICS_OPTIONS, end, littleEndian, (code, from, to) => {
    if ((code === ISB_IFDROP || code === ISB_OSDROP) && to - from >= 8) {
      drops = (drops ?? 0) + unsigned64(bytes, from, littleEndian);
    }
  });
  if (drops !== null) {
    reading.dropped = drops;
    reading.counted = true;
  }
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
