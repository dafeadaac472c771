/**
 * What every source of frames hands over: batches of frames as columns of numbers over one buffer of bytes.
 *
 * Knows no file format and nothing of what is inside a frame. A batch and its bytes belong to the reader and are
 * overwritten by its next batch: whoever wants to keep something copies it.
 */

/** Frames per batch. Small enough that a batch's columns and bytes stay in a core's cache. */
export const BATCH_FRAMES = 2048;

/** One interface that a capture names; its index in `CaptureReader.interfaces` is the `iface` of a frame. */
export interface CaptureInterface {
  /** LINKTYPE_ number, https://www.tcpdump.org/linktypes.html. */
  readonly linkType: number;
  /** The name that the file itself gives, never one of the reading machine. Made safe to show. */
  readonly name: string | null;
  readonly snaplen: number;
  /** Digits after the second that the source's times have (0 to 12). */
  readonly fractionDigits: number;
}

/** What a capture says about a frame beside its bytes; most frames have none of it. */
export interface FrameNote {
  readonly comments: readonly string[];
  /** Direction by the capture's own flags word (pcapng `epb_flags` bits 0 and 1), not by addresses. */
  readonly direction: 'inbound' | 'outbound' | null;
}

export class FrameBatch {
  bytes: Uint8Array = new Uint8Array(0);
  count = 0;
  /** Number of the batch's first frame, counted from 1 through the whole file. */
  firstFrame = 1;
  /** Where in `bytes` each frame begins. */
  readonly start = new Uint32Array(BATCH_FRAMES);
  /** Bytes of the frame that are in `bytes`. */
  readonly captured = new Uint32Array(BATCH_FRAMES);
  /** Bytes that the frame had on the wire. */
  readonly original = new Uint32Array(BATCH_FRAMES);
  readonly seconds = new Float64Array(BATCH_FRAMES);
  readonly nanos = new Float64Array(BATCH_FRAMES);
  readonly iface = new Uint32Array(BATCH_FRAMES);
  /** By index in the batch. */
  readonly notes = new Map<number, FrameNote>();

  /** Begins a new batch over `bytes`; `firstFrame` follows the previous one. */
  restart(bytes: Uint8Array): void {
    this.firstFrame += this.count;
    this.count = 0;
    this.bytes = bytes;
    if (this.notes.size > 0) this.notes.clear();
  }
}

export type DamageReason =
  | 'cut-off'
  | 'corrupt-record'
  | 'corrupt-block'
  | 'corrupt-gzip'
  | 'packets-dropped'
  | 'undecodable-link-type'
  | 'file-missing'
  | 'read-error'
  | 'interrupted';

/** One thing that was not read, or not whole. */
export interface Damage {
  readonly reason: DamageReason;
  readonly interface: string | null;
  /** Offset in the file's own bytes (uncompressed where it was compressed); null where there is none. */
  readonly byte: number | null;
  readonly message: string;
}

/** A capture that is read frame by frame. */
export interface CaptureReader {
  /** Grows as the capture tells of interfaces. */
  readonly interfaces: readonly CaptureInterface[];
  /** Grows as damage is met; complete once `next` has given null. */
  readonly damage: readonly Damage[];
  /** Packets that the capture's own statistics say were dropped; null while it has said nothing. */
  readonly dropped: number | null;
  /** The next batch, valid until the next call; null at the end. Never throws for what is in the file. */
  next(): Promise<FrameBatch | null>;
}
