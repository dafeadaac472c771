/**
 * Classic pcap: a 24-byte file header, then records of a header and bytes.
 *
 * Knows nothing of what is in a frame. A corrupt record is told and passed over where a plausible chain follows.
 */

import { grouped, plural } from '../base/text.js';
import type { ByteWindow } from './byte-window.js';
import { isOdd, PLAUSIBLE_SECONDS, isSound, nextRecord, readClaim, type Claim } from './classic-claim.js';
import { CLASSIC_HEADER, classicHeader, type ClassicHeader, type Layout } from './classic-format.js';
import { DamageLog } from './damage-log.js';
import { readDamage } from './damage.js';
import {
  BATCH_FRAMES,
  FrameBatch,
  TimeSpan,
  type CaptureInterface,
  type CaptureReader,
  type Damage,
  type Sieve,
} from './frame-batch.js';

export class ClassicReader implements CaptureReader {
  readonly interfaces: readonly CaptureInterface[];
  readonly dropped = null;
  readonly times = new TimeSpan();
  sieve: Sieve | null = null;

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
    this.interfaces = [{ linkType, name: null, snaplen, fractionDigits, host: null }];
    window.at += CLASSIC_HEADER;
  }

  get damage(): readonly Damage[] {
    return this.log.entries;
  }

  async next(): Promise<FrameBatch | null> {
    const { batch, window } = this;
    while (!this.done) {
      batch.restart(window.bytes);
      if (this.takeRecords()) return batch;
      await this.cross();
    }
    return null;
  }

  /**
   * Takes the whole records that lie in the window. The hot loop: a call of its own, so that it stays optimised.
   * @returns whether there were any.
   */
  private takeRecords(): boolean {
    const { window, batch, vouched, times } = this;
    const { littleEndian, nanosPerFraction, recordHeader, order, ordinary } = this.header;
    const { view, number, start, captured, original, seconds, nanos } = batch;
    const sieve = this.sieve?.linkType === this.interfaces[0]?.linkType ? this.sieve : null;
    const { end } = window;
    const mayBeSwapped = order !== 'captured-first';
    const second = 1e9 / nanosPerFraction;
    let at = window.at;
    let n = 0;
    let next = batch.next;
    const first = next;
    let before = this.lastSeconds < 0 ? this.secondsAt(at) : this.lastSeconds;
    // The span of this call, in the file's own unit: fields of an object would be written for every frame.
    let firstSecond = Infinity;
    let firstFraction = 0;
    let lastSecond = -1;
    let lastFraction = 0;
    while (n < BATCH_FRAMES && end - at >= recordHeader) {
      let cap = view.getUint32(at + 8, littleEndian);
      let len = view.getUint32(at + 12, littleEndian);
      if (mayBeSwapped && (order === 'original-first' || cap > len)) {
        const other = cap;
        cap = len;
        len = other;
      }
      let sec = view.getUint32(at, littleEndian);
      const odd = cap > len || cap > ordinary || cap === 0;
      if (odd || sec - before > PLAUSIBLE_SECONDS || before - sec > PLAUSIBLE_SECONDS) {
        if (at !== vouched && !this.vouchFor(at, next > first ? before : this.lastSeconds)) break;
        if (len < cap) len = cap;
      }
      if (end - at - recordHeader < cap) break;
      before = sec;
      let fraction = view.getUint32(at + 4, littleEndian);
      if (fraction >= second) {
        sec += Math.floor(fraction / second);
        fraction %= second;
      }
      if (sec > lastSecond || (sec === lastSecond && fraction > lastFraction)) {
        lastSecond = sec;
        lastFraction = fraction;
      }
      if (sec < firstSecond || (sec === firstSecond && fraction < firstFraction)) {
        firstSecond = sec;
        firstFraction = fraction;
      }
      at += recordHeader;
      const nano = fraction * nanosPerFraction;
      if (sieve?.passes(view, at, at + cap, sec, nano, next, len) !== true) {
        number[n] = next;
        start[n] = at;
        captured[n] = cap;
        original[n] = len;
        seconds[n] = sec;
        nanos[n] = nano;
        n++;
      }
      next++;
      at += cap;
    }
    window.at = at;
    // The one interface; whoever had the batch before may have put others in its place.
    batch.iface.fill(0, 0, n);
    batch.count = n;
    batch.next = next;
    this.vouched = -1;
    this.records += next - first;
    if (next === first) return false;
    times.add(firstSecond, firstFraction * nanosPerFraction);
    times.add(lastSecond, lastFraction * nanosPerFraction);
    this.lastSeconds = before;
    return true;
  }

  /** The time of the file's first record, which has none before it to be compared with. */
  private secondsAt(at: number): number {
    const { window, header } = this;
    return window.end - at < header.recordHeader ? 0 : readClaim(window.bytes, at, header).seconds;
  }

  /** Whether the odd record at `at` can be taken at once: only where the window shows that another one follows it. */
  private vouchFor(at: number, last: number): boolean {
    const { window, header } = this;
    const claim = readClaim(window.bytes, at, header);
    const next = at + header.recordHeader + claim.captured;
    if (window.end - next < header.recordHeader) return false;
    return isSound(claim, window.bytes, next, header, last);
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
