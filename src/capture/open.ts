/**
 * Recognises a capture by its first bytes, never by its name, and opens the reader for it.
 */

import { u32 } from '../base/bytes.js';
import type { OpenedSource } from './byte-source.js';
import { ByteWindow, type ByteSource } from './byte-window.js';
import { ClassicReader } from './classic.js';
import { CLASSIC_HEADER, classicLayout } from './classic-format.js';
import type { CaptureReader } from './frame-batch.js';
import { GzipSource } from './gzip.js';
import { PcapngReader } from './pcapng.js';
import { BLOCK_FRAME, SECTION_HEADER, sectionOrder } from './pcapng-search.js';
import { refusal } from './refusal.js';

/** An open capture and what its source says of itself. */
export interface OpenCapture {
  readonly name: string;
  readonly reader: CaptureReader;
  readonly container: 'pcap' | 'pcapng';
  /** Bytes in all, as stored; null where that is not known beforehand. */
  readonly size: number | null;
  /** Bytes taken from the source so far, as stored. */
  bytesRead(): number;
  close(): void;
}

class CountingSource implements ByteSource {
  count = 0;

  private readonly inner: ByteSource;

  constructor(inner: ByteSource) {
    this.inner = inner;
  }

  read(into: Uint8Array, from: number, to: number): number | Promise<number> {
    const answer = this.inner.read(into, from, to);
    if (typeof answer === 'number') {
      this.count += answer;
      return answer;
    }
    return answer.then((got) => {
      this.count += got;
      return got;
    });
  }

  close(): void {
    this.inner.close();
  }
}

/** Bytes that were already looked at, then the rest of their source. */
class PrefixedSource implements ByteSource {
  private prefix: Uint8Array;
  private readonly rest: ByteSource;

  constructor(prefix: Uint8Array, rest: ByteSource) {
    this.prefix = prefix;
    this.rest = rest;
  }

  read(into: Uint8Array, from: number, to: number): number | Promise<number> {
    if (this.prefix.length === 0) return this.rest.read(into, from, to);
    const taken = Math.min(this.prefix.length, to - from);
    into.set(this.prefix.subarray(0, taken), from);
    this.prefix = this.prefix.subarray(taken);
    return taken;
  }

  close(): void {
    this.rest.close();
  }
}

function isGzip(window: ByteWindow): boolean {
  const { bytes, at, available } = window;
  return available >= 3 && bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8;
}

/** Opens the capture in `opened`. Throws a UserError for what is none. `name` is what the user called it. */
export async function openCapture(name: string, opened: OpenedSource): Promise<OpenCapture> {
  const counting = new CountingSource(opened.source);
  let source: ByteSource = counting;
  try {
    let window = await firstBytes(source);
    const packed = isGzip(window);
    if (packed) {
      source = new GzipSource(new PrefixedSource(window.bytes.slice(window.at, window.end), counting));
      window = await firstBytes(source);
    }
    const { reader, container } = readerFor(name, window, packed);
    return { name, reader, container, size: opened.size, bytesRead: () => counting.count, close: closer(source) };
  } catch (error) {
    source.close();
    throw error;
  }
}

async function firstBytes(source: ByteSource): Promise<ByteWindow> {
  const window = new ByteWindow(source);
  await window.fill(CLASSIC_HEADER);
  return window;
}

function readerFor(name: string, window: ByteWindow, packed: boolean): Pick<OpenCapture, 'reader' | 'container'> {
  const { bytes, at, available } = window;
  if (available >= BLOCK_FRAME && u32(bytes, at) === SECTION_HEADER && sectionOrder(bytes, at) !== null) {
    return { reader: new PcapngReader(window), container: 'pcapng' };
  }
  const layout = available >= CLASSIC_HEADER ? classicLayout(bytes, at) : null;
  if (layout === null) throw refusal(name, window, packed);
  return { reader: new ClassicReader(window, layout), container: 'pcap' };
}

function closer(source: ByteSource): () => void {
  let open = true;
  return () => {
    if (open) source.close();
    open = false;
  };
}
