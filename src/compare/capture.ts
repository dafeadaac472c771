/** Reads one of the two captures: its resets as events, and what its connections are known by. */

import { analyze, type AnalyzeOptions, type Progress } from '../analyze/analyze.js';
import type { Attributor } from '../attribute/attributor.js';
import type { CaptureFile } from '../capture/story.js';
import { KEEP_ALL } from '../report/filter.js';
import type { Report, ResetEvent, Tool } from '../report/types.js';
import { Footprints } from './footprints.js';

/** Resets of one capture that are compared; each takes about a kilobyte. */
export const MOST_RESETS = 100_000;

export interface ReadOptions {
  readonly tool: Tool;
  readonly service: (port: number) => string | null;
  readonly attributor: Attributor;
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: Progress) => Promise<void> | void) | null;
}

export interface Capture {
  readonly files: readonly string[];
  readonly report: Report;
  readonly footprints: Footprints;
  readonly events: readonly ResetEvent[];
  /** Resets beyond the limit, and the first of them. */
  readonly left: number;
  readonly firstLeft: ResetEvent | null;
}

/** Throws a UserError when nothing could be read. The user's filter comes later: a NAT changes what it asks for. */
export async function readCapture(files: readonly CaptureFile[], options: ReadOptions): Promise<Capture> {
  const footprints = new Footprints();
  const events: ResetEvent[] = [];
  let left = 0;
  let firstLeft: ResetEvent | null = null;
  const settings: AnalyzeOptions = {
    ...options,
    context: 'full',
    fold: true,
    local: null,
    filter: KEEP_ALL,
    fullCommand: false,
    keepEvents: false,
    onEvent: (event) => {
      if (events.length < MOST_RESETS) events.push(event);
      else {
        left++;
        firstLeft ??= event;
      }
    },
    writer: null,
    onRows: (rows) => {
      footprints.take(rows);
    },
    growing: null,
  };
  const report = await analyze(files, settings);
  return { files: files.map(({ name }) => name), report, footprints, events, left, firstLeft };
}
