/**
 * What every source of frames hands over: batches of frames as columns of numbers over one buffer of bytes.
 *
 * Knows no file format and nothing of what is inside a frame. A batch and its bytes belong to the reader and are
 * overwritten by its next batch: whoever wants to keep something copies it.
 */

/** Frames per batch. Small enough that a batch's columns and bytes stay in a core's cache. */
export const BATCH_FRAMES = 2048;

/** What a capture that rstscope made itself says of the host, for what the frames alone don't tell. */
export interface CapturedHost {
  /** Inode number of the network namespace that the interface is in; null where it is not known. */
  readonly netns: number | null;
  /** Addresses of the host in all its namespaces, as the decoder writes them. */
  readonly local: readonly string[];
  /** Who looked at the clock: the kernel as the frame came by, or the program as the frame arrived there. */
  readonly timestamps: 'kernel' | 'arrival';
  /** Interfaces lie upon one another there (a bridge, a bond, a VLAN): one frame passes several of them. */
  readonly stacked: boolean;
}

/** One interface that a capture names; its index in `CaptureReader.interfaces` is the `iface` of a frame. */
export interface CaptureInterface {
  /** LINKTYPE_ number, https://www.tcpdump.org/linktypes.html. */
  readonly linkType: number;
  /** The name that the file itself gives, never one of the reading machine. Made safe to show. */
  readonly name: string | null;
  readonly snaplen: number;
  /** Digits after the second that the source's times have (0 to 12). */
  readonly fractionDigits: number;
  /** Null in captures of other programs. */
  readonly host: CapturedHost | null;
}

/** What a capture says about a frame beside its bytes; most frames have none of it. */
export interface FrameNote {
  /** Those that rstscope itself wrote: see packet-note.ts. */
  readonly comments: readonly string[];
  /** Direction by the capture's own flags word (pcapng `epb_flags` bits 0 and 1), not by addresses. */
  readonly direction: 'inbound' | 'outbound' | null;
}

/**
 * Looks at frames before they get a row: most frames of a capture are counted and nothing else. It is asked once for
 * every frame of its link type, in order.
 */
export interface Sieve {
  /** The link type that it knows. */
  readonly linkType: number;
  /**
   * Whether the frame from `at` to `end`, of that time (NaN: none) and number, was taken and needs no row. It had
   * `original` bytes on the wire.
   */
  passes(
    view: DataView,
    at: number,
    end: number,
    seconds: number,
    nanos: number,
    number: number,
    original: number,
  ): boolean;
}

export class FrameBatch {
  bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes: a load of four bytes through it is one instruction, four loads of one are four. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Rows: the frames that no sieve has taken. */
  count = 0;
  /** Number of the frame that comes next, counted from 1 through the whole file, with and without a row. */
  next = 1;
  /** Each frame's number. */
  readonly number = new Float64Array(BATCH_FRAMES);
  /** Where in `bytes` each frame begins. */
  readonly start = new Uint32Array(BATCH_FRAMES);
  /** Bytes of the frame that are in `bytes`. */
  readonly captured = new Uint32Array(BATCH_FRAMES);
  /** Bytes that the frame had on the wire. */
  readonly original = new Uint32Array(BATCH_FRAMES);
  readonly seconds = new Float64Array(BATCH_FRAMES);
  readonly nanos = new Float64Array(BATCH_FRAMES);
  readonly iface = new Uint32Array(BATCH_FRAMES);
  /** By row. */
  readonly notes = new Map<number, FrameNote>();

  /** Begins a new batch over `bytes`. */
  restart(bytes: Uint8Array): void {
    this.count = 0;
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    if (this.notes.size > 0) this.notes.clear();
  }
}

/** The first and the last time of all frames so far, with and without a row. Infinities while there is none. */
export class TimeSpan {
  firstSeconds = Infinity;
  firstNanos = 0;
  lastSeconds = -Infinity;
  lastNanos = 0;

  /** NaN, a frame without a time, changes nothing. */
  add(seconds: number, nanos: number): void {
    if (seconds < this.firstSeconds || (seconds === this.firstSeconds && nanos < this.firstNanos)) {
      this.firstSeconds = seconds;
      this.firstNanos = nanos;
    }
    if (seconds > this.lastSeconds || (seconds === this.lastSeconds && nanos > this.lastNanos)) {
      this.lastSeconds = seconds;
      this.lastNanos = nanos;
    }
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
  | 'interface-lost'
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
  /** Of all frames so far. */
  readonly times: TimeSpan;
  /** Whoever counts frames at a glance; null: every frame gets a row. */
  sieve: Sieve | null;
  /**
   * The next batch, valid until the next call; null at the end. It has no rows where the sieve took all its frames.
   * Never throws for what is in the file.
   */
  next(): Promise<FrameBatch | null>;
}
