/** What `-w` saves beside the resets: the last segments of their connections. */

import { RING_BYTES, RING_SECONDS, type RewindOrder } from './rewind.js';
import { plural } from '../base/text.js';
import type { CaptureFile } from '../capture/story.js';
import { connectionsWithResets } from '../scan/reset-connections.js';
import type { Context } from '../report/types.js';

/** Segments before each reset that `read -w` saves. */
const SAVED_SEGMENTS = 12;
/** All of a smaller capture is held anyway: nobody has to look before what will be needed. */
const SMALL_BYTES = 24 * 1024 * 1024;

/** Of saved captures. Null: only resets are looked at. */
export async function savedLeadUp(
  files: readonly CaptureFile[],
  context: Context,
  signal: AbortSignal,
  onShort: (resets: number) => void,
): Promise<RewindOrder | null> {
  if (context === 'resets') return null;
  const isSeekable = files.every(({ once }) => !once);
  const bytes = files.reduce((sum, { stored }) => sum + (stored?.size ?? Infinity), 0);
  const admits = isSeekable && bytes > SMALL_BYTES ? await connectionsWithResets(files, signal) : null;
  return { segments: SAVED_SEGMENTS, seconds: Infinity, bytes: RING_BYTES, admits, onShort };
}

/** Of a capture that grows. */
export function growingLeadUp(segments: number, onShort: (resets: number) => void): RewindOrder {
  return { segments, seconds: RING_SECONDS, bytes: RING_BYTES, admits: null, onShort };
}

/** What to tell of saved resets whose lead-up is not whole. */
export function shortSentence(resets: number): string {
  return `of ${plural(resets, 'saved reset')} some of what led up to it was no longer held`;
}
