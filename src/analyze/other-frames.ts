/**
 * Saves everything that is captured, not only resets: every row of a batch in its order, as far as the user's ports and
 * hosts allow.
 */

import { num, word } from '../base/bytes.js';
import { AddressTexts } from '../conversation/address-texts.js';
import type { Reset } from '../conversation/reset.js';
import type { SegmentBatch } from '../decode/segment-batch.js';
import type { FilterOptions } from '../report/filter.js';
import type { Rows } from '../scan/scan.js';
import type { HeldFrames } from './held-frames.js';

export class OtherFrames {
  /** Whether all TCP headers must be decoded for it. */
  readonly needsHeaders: boolean;
  private readonly resets = new Map<number, Reset>();
  private readonly texts = new AddressTexts();
  private readonly held: HeldFrames;
  private readonly filter: Pick<FilterOptions, 'port' | 'host'>;

  constructor(held: HeldFrames, filter: Pick<FilterOptions, 'port' | 'host'>) {
    this.held = held;
    this.filter = filter;
    this.needsHeaders = filter.port !== null || filter.host !== null;
  }

  /** Row `row` of the batch that is being followed shows a reset. */
  showsReset(row: number, reset: Reset): void {
    this.resets.set(row, reset);
  }

  /** The batch was followed. */
  take(rows: Rows): void {
    const { frames } = rows;
    if (frames === null) return;
    const asked = this.needsHeaders ? this.askedFor(rows.segments) : null;
    for (let row = 0; row < frames.count; row++) {
      const reset = this.resets.get(row);
      if (reset !== undefined) this.held.ofReset(rows, frames, row, reset);
      else if (asked === null || asked.has(row)) this.held.other(rows, frames, row);
    }
    this.resets.clear();
  }

  private askedFor(segments: SegmentBatch): ReadonlySet<number> {
    const rows = new Set<number>();
    for (let i = 0; i < segments.count; i++) if (this.asks(segments, i)) rows.add(word(segments.frame, i));
    return rows;
  }

  private asks(s: SegmentBatch, i: number): boolean {
    const { port, host } = this.filter;
    if (port !== null && !port(num(s.sourcePort, i)) && !port(num(s.destinationPort, i))) return false;
    if (host === null) return true;
    const version = num(s.ipVersion, i);
    return host(this.texts.text(s.source, i, version)) || host(this.texts.text(s.destination, i, version));
  }
}
