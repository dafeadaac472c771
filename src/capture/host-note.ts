/**
 * What rstscope writes into its own captures about the host, so that a saved capture says of each reset what it said
 * live: a comment of the section (addresses, clock) and one of each interface (namespace).
 *
 * Read back with distrust: anybody can write such a comment. What is not of the right shape is as if it were not there.
 */

import { parseAddress } from '../base/address.js';
import type { CapturedHost } from './frame-batch.js';

const SECTION_MARK = 'rstscope host: ';
const INTERFACE_MARK = 'rstscope interface: ';
/** An option's length is 16 bits; what does not fit is left out. */
const MAX_NOTE = 65_000;
const MAX_ADDRESSES = 8192;

/** What a section says of all its interfaces. */
export type SectionNote = Pick<CapturedHost, 'local' | 'timestamps'>;
/** What an interface says of itself. */
export type InterfaceNote = Pick<CapturedHost, 'netns' | 'stacked'>;

export function sectionComment({ local, timestamps }: SectionNote): string {
  const fitting: string[] = [];
  let room = MAX_NOTE;
  for (const address of local) {
    room -= address.length + 3;
    if (room < 0) break;
    fitting.push(address);
  }
  return `${SECTION_MARK}${JSON.stringify({ timestamps, local: fitting })}`;
}

export function interfaceComment({ netns, stacked }: InterfaceNote): string {
  return `${INTERFACE_MARK}${JSON.stringify({ netns, stacked })}`;
}

/** Null: the comment is none of ours. */
export function readSectionComment(text: string): SectionNote | null {
  const said = objectBehind(text, SECTION_MARK);
  if (said === null) return null;
  const { local, timestamps } = said;
  if ((timestamps !== 'kernel' && timestamps !== 'arrival') || !Array.isArray(local)) return null;
  const addresses = local
    .slice(0, MAX_ADDRESSES)
    .filter((one): one is string => typeof one === 'string' && one.length < 64 && parseAddress(one) !== null);
  return { local: addresses, timestamps };
}

/** Null: the comment is none of ours. */
export function readInterfaceComment(text: string): InterfaceNote | null {
  const said = objectBehind(text, INTERFACE_MARK);
  if (said === null) return null;
  const { netns, stacked } = said;
  if (netns !== null && !Number.isSafeInteger(netns)) return null;
  return { netns: typeof netns === 'number' ? netns : null, stacked: stacked === true };
}

function objectBehind(text: string, mark: string): Record<string, unknown> | null {
  if (!text.startsWith(mark)) return null;
  try {
    const parsed: unknown = JSON.parse(text.slice(mark.length));
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : null;
  } catch {
    return null;
  }
}
