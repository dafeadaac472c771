/**
 * Classic pcap: a 24-byte file header, then records of a header and bytes.
 *
 * Knows nothing of what is in a frame. A corrupt record is told and passed over where a plausible chain follows.
 */

import { num, u32, u32le } from '../base/bytes.js';
import { grouped, plural } from '../base/text.js';
import type { ByteWindow } from './byte-window.js';
import { isOdd, PLAUSIBLE_SECONDS, isSound, nextRecord, readClaim, type Claim } from './classic-claim.js';
import { CLASSIC_HEADER, classicHeader, type ClassicHeader, type Layout } from './classic-format.js';
import { DamageLog } from './damage-log.js';
import { readDamage } from './damage.js';
import { BATCH_FRAMES, FrameBatch, type CaptureInterface, type CaptureReader, type Damage } from './frame-batch.js';

export class ClassicReader implements CaptureReader {
  readonly interfaces: readonly CaptureInterface[];
  readonly dropped = null;

  private readonly window: ByteWindow;
  private readonly header: ClassicHeader;
  private readonly log = new DamageLog();
  private readonly batch = new FrameBatch();
  private records = 0;
  /** Time of the last record that was taken, or -1. */
  private lastSeconds = -1;
  /** Where in the window an odd record begins that is to be taken all the same, or -1. */
  private vouched = -1;
  private done = false;

  /** `window` stands at the magic number that `layout` was told by and holds the whole file header. */
  constructor(window: ByteWindow, layout: Layout) {
    this.window = window;
    this.header = classicHeader(window.bytes, window.at, layout);
    const { linkType, snaplen } = this.header;
    const fractionDigits = layout.nanosPerFraction === 1 ? 9 : 6;
    this.interfaces = [{ linkType, name: null, snaplen, fractionDigits }];
    window.at += CLASSIC_HEADER;
  }

  get damage(): readonly Damage[] {
    return this.log.entries;
  }

  async next(): Promise<FrameBatch | null> {
    const { batch, window } = this;
    while (!this.done) {
      batch.restart(window.bytes);
      this.takeRecords();
      if (batch.count > 0) return batch;
      await this.cross();
    }
    return null;
  }

  /** Takes the whole records that lie in the window. The hot loop: a call of its own, so that it stays optimised. */
  private takeRecords(): void {
    const { window, batch, vouched } = this;
    const { littleEndian, nanosPerFraction, recordHeader, order, ordinary } = this.header;
    const { start, captured, original, seconds, nanos } = batch;
    const { bytes, end } = window;
    let at = window.at;
    let n = 0;
    let before = this.lastSeconds < 0 ? this.secondsAt(at) : this.lastSeconds;
    while (n < BATCH_FRAMES && end - at >= recordHeader) {
      let cap = littleEndian ? u32le(bytes, at + 8) : u32(bytes, at + 8);
      let len = littleEndian ? u32le(bytes, at + 12) : u32(bytes, at + 12);
      if (order !== 'captured-first' && (order === 'original-first' || cap > len)) {
        const first = cap;
        cap = len;
        len = first;
      }
      let sec = littleEndian ? u32le(bytes, at) : u32(bytes, at);
      const odd = cap > len || cap > ordinary || cap === 0;
      if (odd || sec - before > PLAUSIBLE_SECONDS || before - sec > PLAUSIBLE_SECONDS) {
        if (at !== vouched && !this.vouchFor(at, n)) break;
        if (len < cap) len = cap;
      }
      if (end - at - recordHeader < cap) break;
      before = sec;
      let ns = (littleEndian ? u32le(bytes, at + 4) : u32(bytes, at + 4)) * nanosPerFraction;
      if (ns >= 1e9) {
        sec += Math.floor(ns / 1e9);
        ns %= 1e9;
      }
      start[n] = at + recordHeader;
      captured[n] = cap;
      original[n] = len;
      seconds[n] = sec;
      nanos[n] = ns;
      n++;
      at += recordHeader + cap;
    }
    window.at = at;
    batch.count = n;
    this.vouched = -1;
    this.records += n;
    if (n > 0) this.lastSeconds = num(seconds, n - 1);
  }

  /** The time of the file's first record, which has none before it to be compared with. */
  private secondsAt(at: number): number {
    const { window, header } = this;
    return window.end - at < header.recordHeader ? 0 : readClaim(window.bytes, at, header).seconds;
  }

  /** Whether the odd record at `at` can be taken at once: only where the window shows that another one follows it. */
  private vouchFor(at: number, n: number): boolean {
    const { window, header } = this;
    const claim = readClaim(window.bytes, at, header);
    const next = at + header.recordHeader + claim.captured;
    if (window.end - next < header.recordHeader) return false;
    return isSound(claim, window.bytes, next, header, n > 0 ? num(this.batch.seconds, n - 1) : this.lastSeconds);
  }

  /** Gets over what `takeRecords` stopped at: the window's end, a very long frame, damage, the end of the file. */
  private async cross(): Promise<void> {
    const { window, header } = this;
    const { recordHeader } = header;
    if (!(await window.fill(recordHeader))) {
      this.finish(window.available > 0 ? this.cutOff('a record header takes', recordHeader, window.available) : null);
      return;
    }
    const claim = readClaim(window.bytes, window.at, header);
    const { captured } = claim;
    if (captured > header.limit) {
      await this.resynchronise(this.objection(claim), null);
    } else if (!(await window.fill(recordHeader + captured))) {
      const have = window.available - recordHeader;
      const cut = this.cutOff('its header claims', captured, have);
      if (window.readError !== null) this.finish(cut);
      else await this.resynchronise(`${plural(captured, 'byte')}, ${grouped(have)} are there`, cut);
    } else if (isOdd(claim, header, this.lastSeconds)) {
      const next = recordHeader + captured;
      const follower = (await window.fill(next + recordHeader)) ? window.at + next : null;
      if (isSound(claim, window.bytes, follower, header, this.lastSeconds)) this.vouched = window.at;
      else await this.resynchronise(this.objection(claim), null);
    }
  }

  /** The end: where reading failed, that is told in place of what it left behind. */
  private finish(left: Damage | null): void {
    this.done = true;
    if (this.window.readError !== null) this.log.add(readDamage(this.window));
    else if (left !== null) this.log.add(left);
  }

  private where(): string {
    return `record ${String(this.records + 1)} at byte ${String(this.window.offset)}`;
  }

  private cutOff(what: string, need: number, have: number): Damage {
    const message = `${this.where()} is cut off: ${what} ${plural(need, 'byte')}, ${grouped(have)} are there`;
    return { reason: 'cut-off', interface: null, byte: this.window.offset, message };
  }

  /**
   * Tells of the corrupt record and goes on at the next place where a plausible chain of records begins. `cut` is what
   * is told, in place of corruption, where none does.
   */
  private async resynchronise(objection: string, cut: Damage | null): Promise<void> {
    const { window } = this;
    const byte = window.offset;
    const what = `${this.where()} claims ${objection}`;
    const corrupt = (message: string): Damage => ({ reason: 'corrupt-record', interface: null, byte, message });
    if (await nextRecord(window, this.header, this.lastSeconds)) {
      const passed = plural(window.offset - byte, 'byte');
      this.log.add(corrupt(`${what}; ${passed} passed over, reading goes on at byte ${String(window.offset)}`));
      return;
    }
    const left = plural(window.offset + window.available - byte, 'byte');
    if (cut === null) this.log.add(corrupt(`${what}; no record is recognisable in the ${left} from there to the end`));
    this.finish(cut);
  }

  private objection({ captured, original }: Claim): string {
    const { snaplen, ordinary, limit } = this.header;
    if (captured > ordinary) {
      const most = snaplen === ordinary ? 'the snapshot length is' : 'no frame is longer than';
      return `${String(captured)} bytes, ${most} ${String(snaplen === ordinary ? snaplen : limit)}`;
    }
    return `${String(captured)} bytes of a frame of ${String(original)}, and no record follows it`;
  }
}
