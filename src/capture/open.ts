/**
 * Recognises a capture by its first bytes, never by its name, and opens the reader for it.
 *
 * Knows the containers and what else people mistake for a capture; refuses the latter with the next command to type.
 */

import { u32, u32le } from '../base/bytes.js';
import { systemReason, UserError } from '../base/errors.js';
import { plural, printable } from '../base/text.js';
import type { OpenedSource } from './byte-source.js';
import { ByteWindow, type ByteSource } from './byte-window.js';
import { CLASSIC_HEADER, classicLayout, ClassicReader } from './classic.js';
import type { CaptureReader } from './frame-batch.js';
import { GzipError, GzipSource } from './gzip.js';
import { PcapngReader } from './pcapng.js';
import { SECTION_HEADER, sectionOrder } from './pcapng-search.js';

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

/** Files that are something else, by their first bytes; `unpack` is the command whose output we read. */
const OTHERS: readonly { magic: readonly number[]; what: string; unpack?: string; hint?: string }[] = [
  { magic: [0x28, 0xb5, 0x2f, 0xfd], what: 'zstd-compressed', unpack: 'zstd -dc' },
  { magic: [0x04, 0x22, 0x4d, 0x18], what: 'lz4-compressed', unpack: 'lz4 -dc' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], what: 'xz-compressed', unpack: 'xz -dc' },
  { magic: [0x42, 0x5a, 0x68], what: 'bzip2-compressed', unpack: 'bzip2 -dc' },
  { magic: [0x50, 0x4b, 0x03, 0x04], what: 'a zip archive', unpack: 'unzip -p' },
  { magic: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], what: 'a 7z archive', unpack: '7z x -so' },
  { magic: [0x73, 0x6e, 0x6f, 0x6f, 0x70, 0x00], what: 'a snoop capture', hint: 'editcap -F pcapng' },
  { magic: [0x47, 0x4d, 0x42, 0x55], what: 'a Network Monitor capture', hint: 'editcap -F pcapng' },
  { magic: [0x52, 0x54, 0x53, 0x53], what: 'a Network Monitor capture', hint: 'editcap -F pcapng' },
];

/** A name as a shell takes it. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-')
    ? text
    : `'${printable(text, 4096).replaceAll("'", `'\\''`)}'`;
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
  try {
    return await recognise(name, opened, counting);
  } catch (error) {
    opened.source.close();
    throw error;
  }
}

async function recognise(name: string, opened: OpenedSource, counting: CountingSource): Promise<OpenCapture> {
  let source: ByteSource = counting;
  let window = new ByteWindow(source);
  await window.fill(CLASSIC_HEADER);
  const packed = isGzip(window);
  if (packed) {
    source = new GzipSource(new PrefixedSource(window.bytes.slice(window.at, window.end), counting));
    window = new ByteWindow(source);
    await window.fill(CLASSIC_HEADER);
  }
  const common = { name, size: opened.size, bytesRead: () => counting.count, close: closer(source) };
  if (window.available >= 12 && u32(window.bytes, window.at) === SECTION_HEADER && hasByteOrder(window)) {
    return { ...common, reader: new PcapngReader(window), container: 'pcapng' };
  }
  if (window.available >= CLASSIC_HEADER && classicLayout(window.bytes, window.at) !== null) {
    return { ...common, reader: new ClassicReader(window), container: 'pcap' };
  }
  throw refusal(name, window, packed);
}

function closer(source: ByteSource): () => void {
  let open = true;
  return () => {
    if (open) source.close();
    open = false;
  };
}

function hasByteOrder({ bytes, at }: ByteWindow): boolean {
  return u32(bytes, at + 8) === 0x1a2b3c4d || u32le(bytes, at + 8) === 0x1a2b3c4d;
}

function refusal(name: string, window: ByteWindow, packed: boolean): UserError {
  const shown = printable(name);
  const file = name === '-' ? 'FILE' : shellQuote(name);
  const { bytes, at, available, readError } = window;
  if (readError !== null) {
    const reason = readError instanceof GzipError ? readError.message : systemReason(readError);
    if (available === 0) return new UserError('unreadable', `cannot read ${shown}: ${reason}`, null, readError);
  }
  if (available === 0) {
    return new UserError(
      'not-a-capture',
      `${shown} is empty: a capture begins with a header of at least ${String(CLASSIC_HEADER)} bytes`,
    );
  }
  const other = OTHERS.find(
    ({ magic }) => magic.length <= available && magic.every((byte, i) => bytes[at + i] === byte),
  );
  if (other?.unpack !== undefined) {
    return new UserError(
      'compressed',
      `${shown} is ${other.what}, which rstscope does not unpack itself`,
      `${other.unpack} ${file} | rstscope read -`,
    );
  }
  if (other?.hint !== undefined) {
    return new UserError(
      'not-a-capture',
      `${shown} is ${other.what}, rstscope reads pcap and pcapng`,
      `${other.hint} ${file} converted.pcapng && rstscope read converted.pcapng`,
    );
  }
  const inside = packed ? ' (after gzip)' : '';
  const magic = available >= 4 && (classicLayout(bytes, at) !== null || u32(bytes, at) === SECTION_HEADER);
  if (magic) {
    return new UserError(
      'not-a-capture',
      `${shown} is cut off in its header${inside}: ${plural(available, 'byte')} of at least ${String(CLASSIC_HEADER)} are there`,
    );
  }
  const first = Array.from(bytes.subarray(at, at + Math.min(4, available)), (b) =>
    b.toString(16).padStart(2, '0'),
  ).join(' ');
  return new UserError(
    'not-a-capture',
    `${shown} is not a capture${inside}: it begins with ${first}, a pcap with d4 c3 b2 a1 and a pcapng with 0a 0d 0d 0a (or their kin)`,
    `file ${file}`,
  );
}
