/**
 * Tells which interface a frame of `any` came by, and gives it that interface in place of "any": by the index in the
 * cooked header where there is one (SLL2), else by what is certain of the header's link address and type (SLL).
 *
 * Knows the first bytes of a cooked header and the links of one namespace; nothing of what a frame carries.
 */

import { u16, u32, u8, word } from '../../base/bytes.js';
import type { CapturedHost, CaptureInterface, FrameBatch } from '../frame-batch.js';
import type { Link } from './links.js';

const LINUX_SLL = 113;
const LINUX_SLL2 = 276;
/** Bytes of a cooked header that are looked at. */
const SLL2_INDEX_END = 8;
const SLL_ADDRESS = 6;
const SLL_ADDRESS_END = 14;
const PACKET_OUTGOING = 4;
const MAC_BYTES = 6;

/** The interfaces of all channels, each with its number: what `CaptureReader.interfaces` is. */
export class InterfaceTable {
  readonly all: CaptureInterface[] = [];

  add(one: CaptureInterface): number {
    // Interfaces that come and go without end: the last one's number is as good as any.
    if (this.all.length >= MAX_INTERFACES) return MAX_INTERFACES - 1;
    return this.all.push(one) - 1;
  }
}

const MAX_INTERFACES = 131_072;

/** What is known of the namespace that a channel captures in; asked again for every batch. */
export interface Surroundings {
  readonly host: CapturedHost;
  readonly links: readonly Link[];
  /** Name of an index, also of an interface that is gone; null: not known (yet). */
  readonly nameOf: (index: number) => string | null;
}

/** The labels of one channel. */
export class Relabel {
  private readonly table: InterfaceTable;
  private readonly device: string | null;
  private host: CapturedHost | null = null;
  private links: readonly Link[] = [];
  /** By the kernel's index, −1 for none: number in the table. */
  private numbers = new Map<number, number>();
  private byMac = new Map<string, Link | null>();

  /** `device`: the one interface that is captured on; null: any. */
  constructor(table: InterfaceTable, device: string | null) {
    this.table = table;
    this.device = device;
  }

  /** Gives each row its interface. `own` is what the stream says of itself. */
  apply(batch: FrameBatch, own: readonly CaptureInterface[], around: Surroundings): void {
    if (this.host !== around.host || this.links !== around.links) this.renew(around);
    for (let i = 0; i < batch.count; i++) {
      const described = own[word(batch.iface, i)];
      if (described === undefined) continue;
      batch.iface[i] = this.numberOf(batch, i, described, around);
    }
  }

  private renew({ host, links }: Surroundings): void {
    const { numbers, table } = this;
    // The same host, other links: what had no name yet may get one.
    const stays = ([index, number]: [number, number]): boolean => index < 0 || table.all[number]?.name !== null;
    this.numbers = new Map(this.host === host ? [...numbers].filter(stays) : []);
    this.host = host;
    this.links = links;
    this.byMac = new Map();
    const masters = new Set(links.map(({ master }) => master));
    for (const link of links) {
      if (link.mac === null) continue;
      // What leaves by a bridge goes on through its port, with the bridge's address still.
      const goesOn = link.stacked || masters.has(link.name);
      this.byMac.set(link.mac, goesOn || this.byMac.has(link.mac) ? null : link);
    }
  }

  private numberOf(batch: FrameBatch, i: number, described: CaptureInterface, around: Surroundings): number {
    const index = this.device === null ? this.indexOf(batch, i, described.linkType) : -1;
    const known = this.numbers.get(index);
    if (known !== undefined) return known;
    const name = this.device ?? (index < 0 ? null : around.nameOf(index));
    const { linkType, snaplen, fractionDigits } = described;
    const number = this.table.add({ linkType, name, snaplen, fractionDigits, host: around.host });
    this.numbers.set(index, number);
    return number;
  }

  /** The kernel's index of the interface that the frame came by; −1: not known. */
  private indexOf({ bytes, start, captured }: FrameBatch, i: number, linkType: number): number {
    const at = word(start, i);
    const length = word(captured, i);
    if (linkType === LINUX_SLL2) return length < SLL2_INDEX_END ? -1 : u32(bytes, at + 4);
    if (linkType !== LINUX_SLL || length < SLL_ADDRESS_END) return -1;
    const type = u16(bytes, at + 2);
    let same: Link | null = null;
    for (const link of this.links) {
      if (link.arphrd !== type || !link.up) continue;
      if (same !== null) return this.bySender(bytes, at);
      same = link;
    }
    return same?.index ?? -1;
  }

  /** What goes out bears the address of its interface; of what comes in the header says only who sent it. */
  private bySender(bytes: Uint8Array, at: number): number {
    if (u16(bytes, at) !== PACKET_OUTGOING || u16(bytes, at + 4) !== MAC_BYTES) return -1;
    let mac = '';
    for (let b = at + SLL_ADDRESS; b < at + SLL_ADDRESS + MAC_BYTES; b++) {
      mac += (mac === '' ? '' : ':') + u8(bytes, b).toString(16).padStart(2, '0');
    }
    return this.byMac.get(mac)?.index ?? -1;
  }
}
