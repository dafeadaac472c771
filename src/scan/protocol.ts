/** What the scanning thread and its starter say to each other. */

import type { CaptureInterface, Damage, TimeSpan } from '../capture/frame-batch.js';
import type { PacketCounts } from '../decode/decoder.js';
import type { ResetDiagnostic } from '../decode/net/reset-diagnostic.js';
import { RECORD_WORDS } from '../decode/record-layout.js';
import type { SegmentBatch, Surroundings } from '../decode/segment-batch.js';
import type { RowComments } from './comments.js';

/** What the thread is started with. */
export interface ScanOrder {
  readonly path: string;
  /** Flags of the TCP headers that are wanted. */
  readonly keep: number;
  /** TAKEN, STOP and AWAITED, shared. */
  readonly shared: Int32Array;
  /** SLOTS of PLACES records, shared: message n has its records in slot n % SLOTS. */
  readonly records: Uint32Array;
}

/** In `shared`: messages that have been dealt with so far; the thread waits when it is too far ahead. */
export const TAKEN = 0;
/** In `shared`: not 0: end the input. */
export const STOP = 1;
/** In `shared`: the number of messages dealt with that the thread waits for. */
export const AWAITED = 2;
export const SHARED_WORDS = 3;

/** Messages that may be under way: about a megabyte each. */
export const MAX_AHEAD = 6;
/** Of these, those that may be left when a thread that had to wait goes on: to wake it takes long. */
export const FEW_AHEAD = 2;
/** One that is being filled beside those under way. */
export const SLOTS = MAX_AHEAD + 1;
/** Records a slot: twice what is sent at once, so that a reader's window always finds room. */
export const PLACES = 16_384;
/** Rows a message. */
export const ROWS = 8192;
/** Characters of comments after which a message is sent before it has all its rows. */
export const COMMENT_CHARACTERS = 1024 * 1024;

/** What is known of the capture so far, but for the interfaces told before. */
export interface ScanState {
  /** Interfaces described since the message before: a capture may have a hundred thousand. */
  readonly fresh: readonly CaptureInterface[];
  readonly damage: readonly Damage[];
  readonly dropped: number | null;
  readonly times: TimeSpan;
  readonly counts: PacketCounts;
  readonly linkTypes: ReadonlyMap<number, number>;
  readonly bytesRead: number;
  /** It was told to stop before the end. */
  readonly endedEarly: boolean;
}

type Column = Exclude<
  {
    [K in keyof SegmentBatch]: SegmentBatch[K] extends ArrayBufferView ? K : never;
  }[keyof SegmentBatch],
  undefined
>;

/** Every column, with the elements that a row has in it. */
const COLUMNS: Readonly<Record<Column, 1 | 4>> = {
  number: 1,
  frame: 1,
  seconds: 1,
  nanos: 1,
  iface: 1,
  noted: 1,
  source: 4,
  destination: 4,
  ipVersion: 1,
  ttl: 1,
  ipId: 1,
  sourcePort: 1,
  destinationPort: 1,
  flags: 1,
  seq: 1,
  ack: 1,
  window: 1,
  payloadLength: 1,
  timestamp: 1,
  windowScale: 1,
  dontFragment: 1,
  macLayout: 1,
  mac: 4,
  packetType: 1,
  interfaceIndex: 1,
  tenant: 1,
};

/** Rows on their way from one thread to another. */
export interface PackedSegments {
  readonly count: number;
  /** One column after the other: to send many arrays takes long. */
  readonly columns: Float64Array;
  readonly surroundings: ReadonlyMap<number, Surroundings>;
  readonly texts: ReadonlyMap<number, string>;
  readonly diagnostics: ReadonlyMap<number, ResetDiagnostic>;
}

export type ScanMessage =
  | {
      readonly kind: 'segments';
      readonly segments: PackedSegments;
      /** Records in the message's slot. */
      readonly plain: number;
      readonly comments: RowComments;
      readonly state: ScanState;
    }
  | { readonly kind: 'progress'; readonly state: ScanState }
  | { readonly kind: 'end'; readonly state: ScanState }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly hint: string | null };

/** The words of the message's slot. */
export function slotOf(records: Uint32Array, message: number): Uint32Array {
  const words = PLACES * RECORD_WORDS;
  const from = (message % SLOTS) * words;
  return records.subarray(from, from + words);
}

const NAMES = Object.keys(COLUMNS) as Column[];
const ELEMENTS = Object.values(COLUMNS).reduce<number>((sum, elements) => sum + elements, 0);

export function pack(segments: SegmentBatch): PackedSegments {
  const { count } = segments;
  const columns = new Float64Array(count * ELEMENTS);
  let to = 0;
  for (const name of NAMES) {
    const length = count * COLUMNS[name];
    columns.set(segments[name].subarray(0, length), to);
    to += length;
  }
  return {
    count,
    columns,
    surroundings: new Map(segments.surroundings),
    texts: new Map(segments.texts),
    diagnostics: new Map(segments.diagnostics),
  };
}

export function unpack({ count, columns, surroundings, texts, diagnostics }: PackedSegments, into: SegmentBatch): void {
  into.clear();
  into.count = count;
  let from = 0;
  for (const name of NAMES) {
    const length = count * COLUMNS[name];
    into[name].set(columns.subarray(from, from + length));
    from += length;
  }
  for (const [row, around] of surroundings) into.surroundings.set(row, around);
  for (const [row, text] of texts) into.texts.set(row, text);
  for (const [row, diagnostic] of diagnostics) into.diagnostics.set(row, diagnostic);
}
