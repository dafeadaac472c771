/**
 * What the readers and the decoder could not read, in sentences; and whether anything could be read at all.
 */

import { UserError } from '../base/errors.js';
import { plural, printable } from '../base/text.js';
import type { Damage } from '../capture/frame-batch.js';
import { shellQuote } from '../capture/refusal.js';
import type { CaptureFile } from '../capture/story.js';
import { linkTypeName } from '../decode/link-types.js';
import type { Incomplete } from '../report/types.js';
import type { Scan } from '../scan/scan.js';

/**
 * Throws a UserError where nothing could be read. `names` are those of `files`; those of a growing capture are not
 * told.
 */
export function notRead(
  scan: Scan,
  files: readonly CaptureFile[],
  names: readonly string[],
  growing: boolean,
): Incomplete[] {
  const incomplete: Incomplete[] = [];
  const note = (file: number | null, damage: Damage): void => {
    incomplete.push({
      reason: damage.reason,
      interface: damage.interface,
      gap_seconds: null,
      file: file === null || growing ? null : (names[file] ?? null),
      byte: growing ? null : damage.byte,
      message: damage.message,
    });
  };
  const { captures, unopened, counts, linkTypes } = scan;
  for (const { file, error } of unopened) {
    if (!(error instanceof UserError)) throw error;
    note(file, { reason: 'file-missing', interface: null, byte: null, message: error.message });
  }
  const [first] = unopened;
  if (captures.length === 0 && first !== undefined) throw nothingOpened(files.length, first.error);
  for (const { file, damage } of captures) for (const each of damage) note(file, each);
  const { seen, unknownLink } = counts;
  const unknown = [...linkTypes].filter(([, frames]) => frames > 0);
  if (unknownLink > 0 && unknownLink === seen) {
    const types = unknown.map(([type]) => linkTypeName(type)).join(', ');
    const what = `${plural(seen, 'frame')} of link type ${types}, which rstscope does not know`;
    throw new UserError(
      'undecodable',
      `nothing in ${growing ? 'the capture' : names.map((name) => printable(name)).join(', ')} can be decoded: ${what}`,
      growing ? null : `tshark -r ${shellQuote(names[0] ?? 'FILE')}`,
    );
  }
  for (const [type, frames] of unknown) {
    note(null, {
      reason: 'undecodable-link-type',
      interface: null,
      byte: null,
      message: `${plural(frames, 'frame')} of ${plural(seen, 'frame')} could not be decoded: link type ${linkTypeName(type)}`,
    });
  }
  const dropped = growing ? null : sumDropped(scan);
  if (dropped !== null && dropped > 0) {
    note(null, {
      reason: 'packets-dropped',
      interface: null,
      byte: null,
      message: `${plural(dropped, 'packet')} dropped while capturing, by the file's own statistics: counts are too low`,
    });
  }
  // A pipe that is interrupted has had its natural end; of a file, the rest was there and was not read.
  if (!growing && scan.endedEarly && (captures.length === 0 || captures.some(({ hasEnd }) => hasEnd))) {
    note(null, { reason: 'interrupted', interface: null, byte: null, message: 'reading was interrupted' });
  }
  return incomplete;
}

function nothingOpened(files: number, first: unknown): UserError {
  if (first instanceof UserError && files === 1) return first;
  return new UserError(
    'no-captures',
    `none of ${plural(files, 'file')} could be read; the first: ${first instanceof Error ? first.message : String(first)}`,
  );
}

/** Packets lost by the captures' own statistics; null where none says. */
export function sumDropped(scan: Scan): number | null {
  let sum: number | null = null;
  for (const { dropped } of scan.captures) if (dropped !== null) sum = (sum ?? 0) + dropped;
  return sum;
}
