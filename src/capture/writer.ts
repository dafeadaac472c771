/**
 * Writes captures: pcapng with a comment a frame, or classic pcap without.
 *
 * Knows bytes and files' formats, not what is in a frame. Frames are held until it is decided whether they are kept,
 * and are written in the order in which they came.
 */

import { fractionUnits, pcapngInterface, pcapngPacket, pcapngSection } from './pcapng-bytes.js';
import type { CapturedHost } from './frame-batch.js';
import { interfaceComment, sectionComment } from './host-note.js';
import { classicFileHeader, classicRecordHeader } from './classic-bytes.js';

/** A frame that may be written. */
export interface HeldFrame {
  readonly bytes: Uint8Array;
  readonly original: number;
  readonly seconds: number;
  readonly nanos: number;
  /** The interface it was captured on. */
  readonly from: SavedInterface;
  fate: 'open' | 'kept' | 'dropped';
  comment: string | null;
}

export interface SavedInterface {
  /** Tells interfaces of different files and sections apart. */
  readonly key: string;
  readonly linkType: number;
  readonly name: string | null;
  readonly snaplen: number;
  readonly digits: number;
  /** What the frames' own capture says of its host; it goes along. */
  readonly host: CapturedHost | null;
}

export type SaveFormat = 'pcapng' | 'pcap';

/** More than one link type cannot go into one classic pcap. */
export class MixedLinkTypes extends Error {
  readonly linkTypes: readonly [number, number];

  constructor(first: number, second: number) {
    super('a classic pcap holds one link type');
    this.name = 'MixedLinkTypes';
    this.linkTypes = [first, second];
  }
}

export class CaptureWriter {
  /** Frames written so far. */
  written = 0;
  private held: HeldFrame[] = [];
  private head = 0;
  private readonly interfaces = new Map<string, number>();
  private linkType: number | null = null;
  private begun = false;
  /** The addresses that this section names as the host's. */
  private local: readonly string[] | null = null;
  private readonly format: SaveFormat;
  private readonly application: string;
  private readonly sink: (bytes: Uint8Array) => void;

  /** `application` names the writing program; `sink` takes the bytes in order. */
  constructor(format: SaveFormat, application: string, sink: (bytes: Uint8Array) => void) {
    this.format = format;
    this.application = application;
    this.sink = sink;
  }

  /** Takes a frame whose fate is not decided yet; its bytes are the caller's copy. */
  hold(frame: Omit<HeldFrame, 'fate' | 'comment'>): HeldFrame {
    const held: HeldFrame = { ...frame, fate: 'open', comment: null };
    this.held.push(held);
    return held;
  }

  /** Writes what is decided from the front on. */
  flush(): void {
    for (let frame = this.held[this.head]; frame !== undefined && frame.fate !== 'open'; frame = this.held[this.head]) {
      this.head++;
      if (frame.fate === 'kept') this.write(frame);
    }
    if (this.head > 1024 && this.head * 2 > this.held.length) {
      this.held = this.held.slice(this.head);
      this.head = 0;
    }
  }

  /** Ends the file; an empty one is still a capture. */
  finish(linkTypeIfEmpty: number): void {
    this.flush();
    if (this.begun) return;
    if (this.format === 'pcapng') this.sink(pcapngSection(this.application));
    else this.sink(classicFileHeader(linkTypeIfEmpty));
  }

  private write(frame: HeldFrame): void {
    if (this.format === 'pcapng') this.writePcapng(frame);
    else this.writeClassic(frame);
    this.written++;
  }

  private writePcapng(frame: HeldFrame): void {
    const { from } = frame;
    const local = from.host?.local ?? null;
    // What is said of the host holds for a whole section: something else begins another.
    if (!this.begun || local !== this.local) {
      this.sink(pcapngSection(this.application, from.host === null ? null : sectionComment(from.host)));
      this.interfaces.clear();
      this.local = local;
    }
    this.begun = true;
    let index = this.interfaces.get(from.key);
    if (index === undefined) {
      index = this.interfaces.size;
      this.interfaces.set(from.key, index);
      const note = from.host === null ? null : interfaceComment(from.host);
      this.sink(pcapngInterface(from.linkType, from.snaplen, from.name, from.digits, note));
    }
    const ticks = fractionUnits(frame.seconds, frame.nanos, from.digits);
    this.sink(pcapngPacket(index, ticks, frame.bytes, frame.original, frame.comment));
  }

  private writeClassic(frame: HeldFrame): void {
    const { linkType } = frame.from;
    if (!this.begun) this.sink(classicFileHeader(linkType));
    this.begun = true;
    this.linkType ??= linkType;
    if (this.linkType !== linkType) throw new MixedLinkTypes(this.linkType, linkType);
    this.sink(classicRecordHeader(frame.seconds, frame.nanos, frame.bytes.length, frame.original));
    this.sink(frame.bytes);
  }
}
