/**
 * What lies between a capturing program and the reader of its stream: a bounded queue that never makes the program
 * wait. What finds no room is dropped by whole packets, and counted; the stream stays one that can be read.
 *
 * Knows how records and blocks are framed (classic pcap, pcapng), nothing of what is in them.
 */

import { u32, u32le } from '../../base/bytes.js';
import type { ByteSource } from '../byte-window.js';

/** Bytes that may wait: some hundred thousand resets. */
const LIMIT = 32 * 1024 * 1024;

const CLASSIC_HEADER = 24;
const CLASSIC_RECORD = 16;
const BLOCK_FRAME = 12;
const SECTION_HEADER = 0x0a0d0d0a;
const ENHANCED_PACKET = 6;
/** A longer record comes from a program that has gone wrong: the rest is handed on as it is, for the reader to judge. */
const MAX_RECORD = 16 * 1024 * 1024;

export class RecordQueue implements ByteSource {
  /** Packets that found no room. */
  dropped = 0;
  private readonly chunks: Uint8Array[] = [];
  private head = 0;
  private offset = 0;
  private waiting = 0;
  private over = false;
  private closed = false;
  private wake: (() => void) | null = null;
  /** The beginning of a record whose end has not come yet. */
  private rest: Uint8Array = new Uint8Array(0);
  private format: 'unknown' | 'classic' | 'pcapng' | 'opaque' = 'unknown';
  private littleEndian = true;
  private readonly limit: number;

  constructor(limit = LIMIT) {
    this.limit = limit;
  }

  /** Bytes that wait. */
  get size(): number {
    return this.waiting;
  }

  /** The next bytes of the stream, however they are cut. The queue keeps `bytes`. */
  push(bytes: Uint8Array): void {
    if (this.closed || this.over) return;
    const all = this.rest.length === 0 ? bytes : joined(this.rest, bytes);
    const whole = this.wholeRecords(all);
    this.rest = all.subarray(whole);
  }

  /** The stream is at its end: what is left of a record that was cut goes along. */
  end(): void {
    if (this.rest.length > 0) this.put(this.rest);
    this.rest = new Uint8Array(0);
    this.over = true;
    this.stir();
  }

  /** Resolves when there is something to read, or nothing will come any more. */
  ready(): Promise<void> {
    if (this.waiting > 0 || this.over || this.closed) return Promise.resolve();
    return new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  read(into: Uint8Array, from: number, to: number): number | Promise<number> {
    if (this.waiting === 0) {
      if (this.over || this.closed) return 0;
      return this.ready().then(() => this.read(into, from, to));
    }
    let at = from;
    while (at < to) {
      const chunk = this.chunks[this.head];
      if (chunk === undefined) break;
      const taken = Math.min(chunk.length - this.offset, to - at);
      into.set(chunk.subarray(this.offset, this.offset + taken), at);
      at += taken;
      this.offset += taken;
      if (this.offset === chunk.length) this.shift();
    }
    this.waiting -= at - from;
    return at - from;
  }

  close(): void {
    this.closed = true;
    this.chunks.length = 0;
    this.head = 0;
    this.waiting = 0;
    this.stir();
  }

  private shift(): void {
    // The place is let go at once, the list is cut now and then.
    this.chunks[this.head] = new Uint8Array(0);
    this.head++;
    this.offset = 0;
    if (this.head > 1024 && this.head * 2 > this.chunks.length) {
      this.chunks.splice(0, this.head);
      this.head = 0;
    }
  }

  /** Takes the whole records of `bytes`. @returns where the first that is not whole begins. */
  private wholeRecords(bytes: Uint8Array): number {
    let at = 0;
    /** Where the run of records begins that are taken together. */
    let from = 0;
    for (;;) {
      const length = this.recordLength(bytes, at);
      if (length === 0 || length > bytes.length - at) break;
      const isPacket = this.isPacket(bytes, at);
      if (isPacket && this.waiting + (at + length - from) > this.limit) {
        this.put(bytes.subarray(from, at));
        this.dropped++;
        from = at + length;
      }
      if (this.format === 'unknown') this.recognise(bytes, at);
      at += length;
    }
    this.put(bytes.subarray(from, at));
    return at;
  }

  /** Bytes of the record or block at `at`; 0 while that is not known. */
  private recordLength(bytes: Uint8Array, at: number): number {
    const left = bytes.length - at;
    if (this.format === 'opaque') return left;
    if (this.format === 'unknown') {
      if (left < BLOCK_FRAME) return 0;
      if (u32(bytes, at) === SECTION_HEADER) return this.blockLength(bytes, at);
      return left < CLASSIC_HEADER ? 0 : CLASSIC_HEADER;
    }
    if (this.format === 'pcapng') return left < BLOCK_FRAME ? 0 : this.blockLength(bytes, at);
    if (left < CLASSIC_RECORD) return 0;
    return this.bounded(CLASSIC_RECORD + this.word(bytes, at + 8), left);
  }

  private blockLength(bytes: Uint8Array, at: number): number {
    if (u32(bytes, at) === SECTION_HEADER) this.littleEndian = u32le(bytes, at + 8) === 0x1a2b3c4d;
    const length = this.word(bytes, at + 4);
    return this.bounded(length < BLOCK_FRAME ? MAX_RECORD + 1 : length + (-length & 3), bytes.length - at);
  }

  private bounded(length: number, left: number): number {
    if (length <= MAX_RECORD) return length;
    this.format = 'opaque';
    return left;
  }

  private recognise(bytes: Uint8Array, at: number): void {
    if (u32(bytes, at) === SECTION_HEADER) {
      this.format = 'pcapng';
      return;
    }
    const magic = u32le(bytes, at);
    this.format = 'classic';
    this.littleEndian = magic === 0xa1b2c3d4 || magic === 0xa1b23c4d;
  }

  private isPacket(bytes: Uint8Array, at: number): boolean {
    if (this.format === 'classic') return true;
    return this.format === 'pcapng' && this.word(bytes, at) === ENHANCED_PACKET;
  }

  private word(bytes: Uint8Array, at: number): number {
    return this.littleEndian ? u32le(bytes, at) : u32(bytes, at);
  }

  private put(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.chunks.push(bytes);
    this.waiting += bytes.length;
    this.stir();
  }

  private stir(): void {
    const { wake } = this;
    this.wake = null;
    wake?.();
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
