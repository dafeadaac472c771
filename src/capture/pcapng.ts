/**
 * pcapng: blocks of a type and a length written twice, in sections with byte orders and interfaces of their own.
 *
 * Source: draft-ietf-opsawg-pcapng. Reads Section Header, Interface Description, Enhanced, Simple and obsolete Packet
 * Blocks and Interface Statistics; other blocks are passed over. Knows nothing of what is in a frame.
 */

import { u16, u16le, u32, u32le, value } from '../base/bytes.js';
import { grouped, plural } from '../base/text.js';
import type { ByteWindow } from './byte-window.js';
import type { SectionNote } from './host-note.js';
import { DamageLog } from './damage-log.js';
import { readDamage } from './damage.js';
import { BATCH_FRAMES, FrameBatch, TimeSpan, type CaptureReader, type Damage, type Sieve } from './frame-batch.js';
import {
  countDrops,
  INTERFACE_OPTIONS,
  readInterface,
  readSection,
  readStatistics,
  SECTION_OPTIONS,
  STATISTICS_OPTIONS,
  type Reading,
} from './pcapng-interface.js';
import { takeNotes } from './pcapng-notes.js';
import { BLOCK_FRAME, MAX_BLOCK, nextBlock, SECTION_HEADER, sectionOrder } from './pcapng-search.js';
import { storeTime } from './pcapng-time.js';

const INTERFACE_DESCRIPTION = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;

/** The fixed parts of the blocks, counted from their type to where what varies begins. */
const PACKET_BYTES = 28;
const SIMPLE_PACKET_BYTES = 12;

/** Interfaces of all sections together; a hostile file could describe one every twenty bytes. */
const MAX_INTERFACES = 131072;

export class PcapngReader implements CaptureReader {
  readonly interfaces: Reading[] = [];
  readonly times = new TimeSpan();
  sieve: Sieve | null = null;
  private readonly log = new DamageLog();
  private readonly window: ByteWindow;
  private readonly batch = new FrameBatch();
  private littleEndian = true;
  /** Index in `interfaces` of this section's interface 0. */
  private sectionStart = 0;
  private section: SectionNote | null = null;
  private blocks = 0;
  private done = false;

  /** `window` stands at the first Section Header Block. */
  constructor(window: ByteWindow) {
    this.window = window;
  }

  get damage(): readonly Damage[] {
    return this.log.entries;
  }

  get dropped(): number | null {
    let sum: number | null = null;
    for (const { dropped } of this.interfaces) if (dropped !== null) sum = (sum ?? 0) + dropped;
    return sum;
  }

  async next(): Promise<FrameBatch | null> {
    const { batch, window } = this;
    while (!this.done) {
      batch.restart(window.bytes);
      const before = batch.next;
      const need = this.takeBlocks();
      if (batch.next > before) return batch;
      await this.cross(need);
    }
    return null;
  }

  /**
   * Takes the whole blocks that lie in the window, until the batch is full.
   * @returns bytes that must be at hand before it can go on; 0: the batch is full; -1: no block begins here.
   */
  private takeBlocks(): number {
    const { window, batch } = this;
    for (;;) {
      this.takePackets();
      if (batch.count === BATCH_FRAMES) return 0;
      const { bytes, at, end } = window;
      if (end - at < BLOCK_FRAME) return BLOCK_FRAME;
      if (u32le(bytes, at) === SECTION_HEADER) {
        const order = sectionOrder(bytes, at);
        if (order === null) return -1;
        this.littleEndian = order;
      }
      const total = this.word(at + 4);
      if (total < BLOCK_FRAME || total > MAX_BLOCK) return -1;
      // Some writers don't count the padding that they write, others write none.
      const padded = (total + 3) & ~3;
      if (end - at < padded) return padded;
      let length = padded;
      if (this.word(at + padded - 4) !== total) {
        if (this.word(at + total - 4) !== total) return -1;
        length = total;
      }
      const fault = this.takeBlock(this.word(at), at, at + total - 4);
      if (fault !== null) this.passOver(`${this.where()} ${fault}; it is passed over`);
      window.at = at + length;
      this.blocks += 1;
    }
  }

  /** Takes sound Enhanced Packet Blocks up to the first other one: the hot loop, and a call of its own for that. */
  private takePackets(): void {
    const { window, batch, littleEndian, interfaces, sectionStart } = this;
    const { bytes, end } = window;
    const { view, number, start, captured, original, iface, seconds, nanos } = batch;
    let { at } = window;
    const { times, sieve } = this;
    let n = batch.count;
    let next = batch.next;
    while (n < BATCH_FRAMES && end - at >= PACKET_BYTES + 4) {
      const type = littleEndian ? u32le(bytes, at) : u32(bytes, at);
      const total = littleEndian ? u32le(bytes, at + 4) : u32(bytes, at + 4);
      if (type !== ENHANCED_PACKET || total < PACKET_BYTES + 4 || total > MAX_BLOCK || total % 4 !== 0) break;
      if (total > end - at) break;
      const index = sectionStart + (littleEndian ? u32le(bytes, at + 8) : u32(bytes, at + 8));
      const cap = littleEndian ? u32le(bytes, at + 20) : u32(bytes, at + 20);
      const second = littleEndian ? u32le(bytes, at + total - 4) : u32(bytes, at + total - 4);
      const reading = interfaces[index];
      if (second !== total || cap > total - PACKET_BYTES - 4 || reading === undefined) break;
      const len = littleEndian ? u32le(bytes, at + 24) : u32(bytes, at + 24);
      const high = littleEndian ? u32le(bytes, at + 12) : u32(bytes, at + 12);
      const low = littleEndian ? u32le(bytes, at + 16) : u32(bytes, at + 16);
      storeTime(reading.unit, high, low, seconds, nanos, n);
      times.add(value(seconds, n), value(nanos, n));
      const frame = at + PACKET_BYTES;
      const own = next++;
      if (sieve?.linkType === reading.linkType) {
        const [sec, nano] = [value(seconds, n), value(nanos, n)];
        if (sieve.passes(view, frame, frame + cap, sec, nano, own, len < cap ? cap : len)) {
          at += total;
          continue;
        }
      }
      number[n] = own;
      start[n] = frame;
      captured[n] = cap;
      original[n] = len < cap ? cap : len;
      iface[n] = index;
      const content = at + total - 4;
      const options = at + PACKET_BYTES + ((cap + 3) & ~3);
      if (content - options >= 4) takeNotes(batch, n, reading, bytes, options, content, littleEndian);
      n++;
      at += total;
    }
    this.blocks += next - batch.next;
    batch.next = next;
    batch.count = n;
    window.at = at;
  }

  private word(at: number): number {
    return this.littleEndian ? u32le(this.window.bytes, at) : u32(this.window.bytes, at);
  }

  private half(at: number): number {
    return this.littleEndian ? u16le(this.window.bytes, at) : u16(this.window.bytes, at);
  }

  /** Takes the block at `at` whose content ends at `end`; gives what is wrong with it, else null. */
  private takeBlock(type: number, at: number, end: number): string | null {
    switch (type) {
      case ENHANCED_PACKET:
        return end - at < PACKET_BYTES ? short('a packet', at, end) : this.takePacket(at, end, this.word(at + 8), 0);
      case SECTION_HEADER:
        this.sectionStart = this.interfaces.length;
        this.section = null;
        if (end - at < SECTION_OPTIONS) return short('a section header', at, end);
        this.section = readSection(this.window.bytes, at, end, this.littleEndian);
        return null;
      case INTERFACE_DESCRIPTION:
        return this.takeInterface(at, end);
      case SIMPLE_PACKET:
        return this.takeSimple(at, end);
      case OBSOLETE_PACKET:
        return end - at < PACKET_BYTES
          ? short('a packet', at, end)
          : this.takePacket(at, end, this.half(at + 8), this.half(at + 10));
      case INTERFACE_STATISTICS:
        return this.takeStatistics(at, end);
      default:
        return null;
    }
  }

  private takeInterface(at: number, end: number): string | null {
    if (end - at < INTERFACE_OPTIONS) return short('an interface description', at, end);
    if (this.interfaces.length >= MAX_INTERFACES) {
      return `describes interface ${grouped(this.interfaces.length + 1)} of the file, ${grouped(MAX_INTERFACES)} are kept`;
    }
    this.interfaces.push(readInterface(this.window.bytes, at, end, this.littleEndian, this.section));
    return null;
  }

  /** Enhanced and obsolete Packet Blocks differ only in how they name the interface and count drops. */
  private takePacket(at: number, end: number, index: number, drops: number): string | null {
    const reading = this.interfaces[this.sectionStart + index];
    const captured = this.word(at + 20);
    if (reading === undefined) return this.undescribed('a packet', index);
    if (captured > end - at - PACKET_BYTES) {
      return `claims a packet of ${String(captured)} bytes, the block holds ${String(end - at - PACKET_BYTES)}`;
    }
    const { batch } = this;
    const n = batch.count++;
    batch.number[n] = batch.next++;
    batch.start[n] = at + PACKET_BYTES;
    batch.captured[n] = captured;
    batch.original[n] = Math.max(captured, this.word(at + 24));
    batch.iface[n] = this.sectionStart + index;
    storeTime(reading.unit, this.word(at + 12), this.word(at + 16), batch.seconds, batch.nanos, n);
    this.times.add(value(batch.seconds, n), value(batch.nanos, n));
    if (drops > 0 && drops !== 0xffff) countDrops(reading, drops);
    const options = at + PACKET_BYTES + ((captured + 3) & ~3);
    if (end - options >= 4) takeNotes(batch, n, reading, this.window.bytes, options, end, this.littleEndian);
    return null;
  }

  /** It has no time, and none is made up for it; its captured length is what the snapshot length leaves. */
  private takeSimple(at: number, end: number): string | null {
    if (end - at < SIMPLE_PACKET_BYTES) return short('a simple packet', at, end);
    const reading = this.interfaces[this.sectionStart];
    if (reading === undefined) return this.undescribed('a simple packet', 0);
    const original = this.word(at + 8);
    const limit = reading.snaplen === 0 ? original : Math.min(original, reading.snaplen);
    const { batch } = this;
    const n = batch.count++;
    batch.number[n] = batch.next++;
    batch.start[n] = at + SIMPLE_PACKET_BYTES;
    batch.captured[n] = Math.min(limit, end - at - SIMPLE_PACKET_BYTES);
    batch.original[n] = original;
    batch.iface[n] = this.sectionStart;
    batch.seconds[n] = NaN;
    batch.nanos[n] = 0;
    return null;
  }

  private takeStatistics(at: number, end: number): string | null {
    if (end - at < STATISTICS_OPTIONS) return short('interface statistics', at, end);
    const index = this.word(at + 8);
    const reading = this.interfaces[this.sectionStart + index];
    if (reading === undefined) return this.undescribed('statistics', index);
    readStatistics(this.window.bytes, at, end, this.littleEndian, reading);
    return null;
  }

  private undescribed(what: string, index: number): string {
    const known = this.interfaces.length - this.sectionStart;
    return `holds ${what} of interface ${String(index)}, the section describes ${String(known)}`;
  }

  private where(): string {
    return `block ${String(this.blocks + 1)} at byte ${String(this.window.offset)}`;
  }

  private passOver(message: string, byte = this.window.offset): void {
    this.log.add({ reason: 'corrupt-block', interface: null, byte, message });
  }

  /** Gets over what `takeBlocks` stopped at: the window's end, damage, the end of the file. */
  private async cross(need: number): Promise<void> {
    const { window } = this;
    if (need < 0) {
      await this.resynchronise(this.corruption(), null);
    } else if (!(await window.fill(need))) {
      if (window.available === 0 || window.readError !== null) {
        this.finish();
        return;
      }
      const there = `${plural(need, 'byte')}, ${grouped(window.available)} are there`;
      const cut: Damage = {
        reason: 'cut-off',
        interface: null,
        byte: window.offset,
        message: `${this.where()} is cut off: it takes ${there}`,
      };
      await this.resynchronise(`${this.where()} claims ${there}`, cut);
    }
  }

  private finish(): void {
    this.done = true;
    if (this.window.readError !== null) this.log.add(readDamage(this.window));
  }

  private isLostSection(at: number): boolean {
    const { bytes } = this.window;
    return u32le(bytes, at) === SECTION_HEADER && sectionOrder(bytes, at) === null;
  }

  /** What is wrong with the block at the window's position, that its end can't be told. */
  private corruption(): string {
    const { at } = this.window;
    if (this.isLostSection(at)) {
      return `${this.where()} is a section header without a byte order`;
    }
    const total = this.word(at + 4);
    if (total < BLOCK_FRAME || total > MAX_BLOCK) {
      return `${this.where()} claims ${String(total)} bytes, a block has ${String(BLOCK_FRAME)} to ${String(MAX_BLOCK)}`;
    }
    const second = this.word(at + ((total + 3) & ~3) - 4);
    return `${this.where()} has two lengths, ${String(total)} and ${String(second)} bytes`;
  }

  /** Goes on at the next believable block. `otherwise` is what is told, in place of corruption, where none follows. */
  private async resynchronise(what: string, otherwise: Damage | null): Promise<void> {
    const { window } = this;
    const from = window.offset;
    const inSection = !(window.available >= BLOCK_FRAME && this.isLostSection(window.at));
    if (await nextBlock(window, inSection ? this.littleEndian : null)) {
      const passed = plural(window.offset - from, 'byte');
      this.passOver(`${what}; ${passed} passed over, reading goes on at byte ${String(window.offset)}`, from);
      this.blocks += 1;
      return;
    }
    if (otherwise !== null) {
      this.log.add(otherwise);
    } else {
      const left = plural(window.offset + window.available - from, 'byte');
      this.passOver(`${what}; no block is recognisable in the ${left} from there to the end`, from);
    }
    this.finish();
  }
}

function short(what: string, at: number, end: number): string {
  return `is ${what} and too short for it: ${String(end - at + 4)} bytes`;
}
