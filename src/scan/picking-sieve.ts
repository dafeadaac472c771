/**
 * A sieve that lets frames of some connections through, so that they get rows and whoever reads finds their bytes.
 *
 * Knows a connection by the hash of its record; the walk says of such a frame what the sieve would have said.
 */

import { word } from '../base/bytes.js';
import type { Sieve } from '../capture/frame-batch.js';
import { CONTROL } from '../decode/net/tcp-layout.js';
import type { PlainSieve } from '../decode/plain.js';
import { R_FLAGS, R_HASH, RECORD_WORDS } from '../decode/record-layout.js';
import type { Records } from '../decode/records.js';

export class PickingSieve implements Sieve {
  readonly linkType: number;
  private readonly inner: PlainSieve;
  private readonly records: Records;
  private readonly picks: (hash: number) => boolean;

  /** `records` are those that `inner` fills. */
  constructor(inner: PlainSieve, records: Records, picks: (hash: number) => boolean) {
    this.inner = inner;
    this.linkType = inner.linkType;
    this.records = records;
    this.picks = picks;
  }

  passes(
    view: DataView,
    at: number,
    end: number,
    seconds: number,
    nanos: number,
    number: number,
    original: number,
  ): boolean {
    const { inner, records } = this;
    const { count } = records;
    if (!inner.passes(view, at, end, seconds, nanos, number, original)) return false;
    if (records.count === count) return true;
    const to = count * RECORD_WORDS;
    if (!this.picks(word(records.words, to + R_HASH))) return true;
    records.count = count;
    inner.takeBack((word(records.words, to + R_FLAGS) & CONTROL) !== 0);
    return false;
  }
}
