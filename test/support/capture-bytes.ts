/**
 * Writers of capture files for the tests: classic pcap in all its dialects and pcapng block by block. They write what
 * they are told, wrong lengths included, so that damaged files can be made on purpose.
 */
import { concat, ipBytes, macBytes, padToMultiple, text, u16, u32, u64, u8, zeros } from './bytes.js';

// ---- Classic pcap ----

const CLASSIC_MAGIC = 0xa1b2c3d4;
const CLASSIC_NANOSECOND_MAGIC = 0xa1b23c4d;
const CLASSIC_MODIFIED_MAGIC = 0xa1b2cd34;
const DEFAULT_SNAPLEN = 262144;

export interface ClassicRecord {
  seconds: number;
  /** Micro- or nanoseconds, as the file's magic says. */
  fraction?: number;
  bytes: Uint8Array;
  originalLength?: number;
  /** The captured length to claim. */
  capturedLength?: number;
  /** Of the "modified" record header only. */
  interfaceIndex?: number;
  protocol?: number;
  packetType?: number;
}

export interface ClassicPcapFields {
  bigEndian?: boolean;
  nanosecond?: boolean;
  /** Kuznetzov's variant: magic 0xa1b2cd34 and record headers of 24 bytes. */
  modified?: boolean;
  /** Any other magic number. */
  magic?: number;
  versionMajor?: number;
  versionMinor?: number;
  snaplen?: number;
  linkType?: number;
  /** The upper half of the link type word as it is: 0x0400 says the upper four bits hold the FCS length in 16-bit words. */
  linkTypeHighBits?: number;
  records?: readonly ClassicRecord[];
}

export function classicPcap(fields: ClassicPcapFields = {}): Uint8Array {
  const { modified = false, records = [] } = fields;
  const little = fields.bigEndian !== true;
  return concat(
    classicHeader(fields),
    ...records.map((record) => (modified ? modifiedRecord(record, little) : classicRecord(record, little))),
  );
}

/** The 24 bytes at the beginning of a classic file. */
export function classicHeader(fields: ClassicPcapFields = {}): Uint8Array {
  const little = fields.bigEndian !== true;
  const usual =
    fields.modified === true
      ? CLASSIC_MODIFIED_MAGIC
      : fields.nanosecond === true
        ? CLASSIC_NANOSECOND_MAGIC
        : CLASSIC_MAGIC;
  return concat(
    u32(fields.magic ?? usual, little),
    u16(fields.versionMajor ?? 2, little),
    u16(fields.versionMinor ?? 4, little),
    u32(0, little),
    u32(0, little),
    u32(fields.snaplen ?? DEFAULT_SNAPLEN, little),
    u32((fields.linkTypeHighBits ?? 0) * 0x10000 + (fields.linkType ?? 1), little),
  );
}

export function classicRecord(record: ClassicRecord, littleEndian = true): Uint8Array {
  return concat(classicRecordHeader(record, littleEndian), record.bytes);
}

function modifiedRecord(record: ClassicRecord, little: boolean): Uint8Array {
  return concat(
    classicRecordHeader(record, little),
    u32(record.interfaceIndex ?? 2, little),
    u16(record.protocol ?? 0, little),
    u8(record.packetType ?? 0),
    u8(0),
    record.bytes,
  );
}

function classicRecordHeader(record: ClassicRecord, little: boolean): Uint8Array {
  return concat(
    u32(record.seconds, little),
    u32(record.fraction ?? 0, little),
    u32(record.capturedLength ?? record.bytes.length, little),
    u32(record.originalLength ?? record.bytes.length, little),
  );
}

// ---- pcapng ----

export const BLOCK = {
  interface: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  nameResolution: 4,
  interfaceStatistics: 5,
  enhancedPacket: 6,
  decryptionSecrets: 10,
  custom: 0x00000bad,
  customNotCopied: 0x40000bad,
  section: 0x0a0d0d0a,
} as const;

export const OPTION = {
  end: 0,
  comment: 1,
  sectionHardware: 2,
  sectionOs: 3,
  sectionApplication: 4,
  interfaceName: 2,
  interfaceDescription: 3,
  interfaceIpv4: 4,
  interfaceIpv6: 5,
  interfaceMac: 6,
  interfaceSpeed: 8,
  interfaceTsresol: 9,
  interfaceFilter: 11,
  interfaceOs: 12,
  interfaceFcsLength: 13,
  interfaceTsoffset: 14,
  interfaceHardware: 15,
  packetFlags: 2,
  packetHash: 3,
  packetDropcount: 4,
  packetId: 5,
  packetQueue: 6,
  statisticsStart: 2,
  statisticsEnd: 3,
  statisticsReceived: 4,
  statisticsDropped: 5,
  statisticsAccepted: 6,
  statisticsOsDropped: 7,
  statisticsDelivered: 8,
  custom: 2988,
} as const;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const SECTION_LENGTH_OFFSET = 16;
const BLOCK_OVERHEAD = 12;
const NAME_RECORD = { end: 0, ipv4: 1, ipv6: 2 } as const;
export const TLS_KEY_LOG = 0x544c534b;

export interface PcapngOption {
  code: number;
  value: Uint8Array;
  /** The length to claim. */
  length?: number;
}

/** What every block takes: further options, and lengths that may lie. */
export interface BlockFields {
  comments?: readonly string[];
  options?: readonly PcapngOption[];
  /** Option bytes behind all others as they are, in place of the end-of-options mark. */
  rawOptions?: Uint8Array;
  /** The total length to claim at the block's beginning, and at its end. */
  leadingLength?: number;
  trailingLength?: number;
}

export interface SectionFields extends BlockFields {
  bigEndian?: boolean;
  versionMajor?: number;
  versionMinor?: number;
  hardware?: string;
  os?: string;
  application?: string;
  /** Minus one (not said) by default; 'measured' writes the true length when the file is complete. */
  sectionLength?: bigint | 'measured';
}

export interface InterfaceFields extends BlockFields {
  linkType?: number;
  snaplen?: number;
  name?: string;
  description?: string;
  ipv4?: { address: string; mask: string };
  mac?: string;
  speed?: bigint;
  /** The raw byte: 6 microseconds, 9 nanoseconds, 0x80 + n units of 2^-n seconds. */
  tsresol?: number;
  /** Seconds to add to every timestamp. */
  tsoffset?: bigint;
  filter?: string;
  os?: string;
  hardware?: string;
  fcsLength?: number;
}

export interface PacketFields extends BlockFields {
  /** Index of the interface within its section. */
  interface?: number;
  /** Ticks of the interface's resolution. */
  timestamp?: bigint;
  bytes: Uint8Array;
  originalLength?: number;
  /** The captured length to claim. */
  capturedLength?: number;
  /** Direction and more: 1 received, 2 sent. */
  flags?: number;
}

export interface EnhancedPacketFields extends PacketFields {
  dropcount?: bigint;
  packetId?: bigint;
  queue?: number;
}

export interface InterfaceStatisticsFields extends BlockFields {
  interface?: number;
  timestamp?: bigint;
  start?: bigint;
  end?: bigint;
  received?: bigint;
  dropped?: bigint;
  accepted?: bigint;
  osdrop?: bigint;
  delivered?: bigint;
}

/**
 * A pcapng file, block after block. Each method returns the builder; `section` begins a new section, whose byte order
 * holds until the next. `pcapng().interface().enhancedPacket({bytes}).bytes()` is a whole file.
 */
export class PcapngBuilder {
  private little = true;
  private readonly blocks: Uint8Array[] = [];
  private readonly measured: number[] = [];
  private readonly sections: number[] = [];

  section(fields: SectionFields = {}): this {
    this.little = fields.bigEndian !== true;
    this.sections.push(this.blocks.length);
    const { sectionLength = -1n } = fields;
    if (sectionLength === 'measured') this.measured.push(this.blocks.length);
    const body = concat(
      this.u32(BYTE_ORDER_MAGIC),
      this.u16(fields.versionMajor ?? 1),
      this.u16(fields.versionMinor ?? 0),
      this.u64(sectionLength === 'measured' ? -1n : sectionLength),
    );
    return this.block(BLOCK.section, body, fields, [
      ...textOption(OPTION.sectionHardware, fields.hardware),
      ...textOption(OPTION.sectionOs, fields.os),
      ...textOption(OPTION.sectionApplication, fields.application),
    ]);
  }

  interface(fields: InterfaceFields = {}): this {
    const body = concat(this.u16(fields.linkType ?? 1), this.u16(0), this.u32(fields.snaplen ?? DEFAULT_SNAPLEN));
    const { ipv4, mac, speed, tsresol, tsoffset, filter, fcsLength } = fields;
    return this.block(BLOCK.interface, body, fields, [
      ...textOption(OPTION.interfaceName, fields.name),
      ...textOption(OPTION.interfaceDescription, fields.description),
      ...option(OPTION.interfaceIpv4, ipv4 && concat(ipBytes(ipv4.address), ipBytes(ipv4.mask))),
      ...option(OPTION.interfaceMac, mac === undefined ? undefined : macBytes(mac)),
      ...option(OPTION.interfaceSpeed, speed === undefined ? undefined : this.u64(speed)),
      ...option(OPTION.interfaceTsresol, tsresol === undefined ? undefined : u8(tsresol)),
      ...option(OPTION.interfaceFilter, filter === undefined ? undefined : concat(u8(0), text(filter))),
      ...textOption(OPTION.interfaceOs, fields.os),
      ...option(OPTION.interfaceFcsLength, fcsLength === undefined ? undefined : u8(fcsLength)),
      ...option(OPTION.interfaceTsoffset, tsoffset === undefined ? undefined : this.u64(tsoffset)),
      ...textOption(OPTION.interfaceHardware, fields.hardware),
    ]);
  }

  enhancedPacket(fields: EnhancedPacketFields): this {
    const { bytes, timestamp = 0n, flags, dropcount, packetId, queue } = fields;
    const body = concat(
      this.u32(fields.interface ?? 0),
      this.timestamp(timestamp),
      this.u32(fields.capturedLength ?? bytes.length),
      this.u32(fields.originalLength ?? bytes.length),
      padToMultiple(bytes, 4),
    );
    return this.block(BLOCK.enhancedPacket, body, fields, [
      ...option(OPTION.packetFlags, flags === undefined ? undefined : this.u32(flags)),
      ...option(OPTION.packetDropcount, dropcount === undefined ? undefined : this.u64(dropcount)),
      ...option(OPTION.packetId, packetId === undefined ? undefined : this.u64(packetId)),
      ...option(OPTION.packetQueue, queue === undefined ? undefined : this.u32(queue)),
    ]);
  }

  /** The captured length is not in the block: it is the lesser of the interface's snapshot length and the original. */
  simplePacket(
    fields: Omit<BlockFields, 'comments' | 'options'> & { bytes: Uint8Array; originalLength?: number },
  ): this {
    const body = concat(this.u32(fields.originalLength ?? fields.bytes.length), padToMultiple(fields.bytes, 4));
    return this.block(BLOCK.simplePacket, body, fields, []);
  }

  /** Block type 2, which the enhanced packet block replaced. */
  obsoletePacket(fields: PacketFields & { drops?: number }): this {
    const { bytes, timestamp = 0n, flags } = fields;
    const body = concat(
      this.u16(fields.interface ?? 0),
      this.u16(fields.drops ?? 0xffff),
      this.timestamp(timestamp),
      this.u32(fields.capturedLength ?? bytes.length),
      this.u32(fields.originalLength ?? bytes.length),
      padToMultiple(bytes, 4),
    );
    const options = option(OPTION.packetFlags, flags === undefined ? undefined : this.u32(flags));
    return this.block(BLOCK.obsoletePacket, body, fields, options);
  }

  interfaceStatistics(fields: InterfaceStatisticsFields = {}): this {
    const { start, end, received, dropped, accepted, osdrop, delivered } = fields;
    const body = concat(this.u32(fields.interface ?? 0), this.timestamp(fields.timestamp ?? 0n));
    const counter = (code: number, count: bigint | undefined): PcapngOption[] =>
      option(code, count === undefined ? undefined : this.u64(count));
    return this.block(BLOCK.interfaceStatistics, body, fields, [
      ...option(OPTION.statisticsStart, start === undefined ? undefined : this.timestamp(start)),
      ...option(OPTION.statisticsEnd, end === undefined ? undefined : this.timestamp(end)),
      ...counter(OPTION.statisticsReceived, received),
      ...counter(OPTION.statisticsDropped, dropped),
      ...counter(OPTION.statisticsAccepted, accepted),
      ...counter(OPTION.statisticsOsDropped, osdrop),
      ...counter(OPTION.statisticsDelivered, delivered),
    ]);
  }

  nameResolution(fields: BlockFields & { names: readonly { address: string; names: readonly string[] }[] }): this {
    const records = fields.names.map(({ address, names }) => {
      const bytes = ipBytes(address);
      const value = concat(bytes, ...names.map((name) => concat(text(name), u8(0))));
      const type = bytes.length === 4 ? NAME_RECORD.ipv4 : NAME_RECORD.ipv6;
      return concat(this.u16(type), this.u16(value.length), padToMultiple(value, 4));
    });
    const body = concat(...records, this.u16(NAME_RECORD.end), this.u16(0));
    return this.block(BLOCK.nameResolution, body, fields, []);
  }

  decryptionSecrets(fields: BlockFields & { type?: number; secrets: Uint8Array }): this {
    const { type = TLS_KEY_LOG, secrets } = fields;
    const body = concat(this.u32(type), this.u32(secrets.length), padToMultiple(secrets, 4));
    return this.block(BLOCK.decryptionSecrets, body, fields, []);
  }

  customBlock(fields: BlockFields & { enterprise?: number; copied?: boolean; data?: Uint8Array } = {}): this {
    const type = fields.copied === false ? BLOCK.customNotCopied : BLOCK.custom;
    const body = concat(this.u32(fields.enterprise ?? 32473), padToMultiple(fields.data ?? zeros(8), 4));
    return this.block(type, body, fields, []);
  }

  /** A block of any type number, with a body as it is. */
  unknownBlock(fields: BlockFields & { type?: number; body?: Uint8Array } = {}): this {
    return this.block(fields.type ?? 0x0000abcd, padToMultiple(fields.body ?? zeros(8), 4), fields, []);
  }

  /** Bytes that are no block. */
  raw(bytes: Uint8Array): this {
    this.blocks.push(bytes);
    return this;
  }

  bytes(): Uint8Array {
    return concat(...this.blocks.map((block, index) => (this.measured.includes(index) ? this.measure(index) : block)));
  }

  /** The byte offset of every block added so far, in order. */
  offsets(): number[] {
    let offset = 0;
    return this.blocks.map((block) => {
      offset += block.length;
      return offset - block.length;
    });
  }

  private block(type: number, body: Uint8Array, fields: BlockFields, own: readonly PcapngOption[]): this {
    const comments = (fields.comments ?? []).flatMap((comment) => textOption(OPTION.comment, comment));
    const options = [...comments, ...own, ...(fields.options ?? [])];
    const end = fields.rawOptions ?? (options.length > 0 ? zeros(4) : zeros(0));
    const content = concat(body, ...options.map((each) => this.option(each)), end);
    const length = content.length + BLOCK_OVERHEAD;
    return this.raw(
      concat(
        this.u32(type),
        this.u32(fields.leadingLength ?? length),
        content,
        this.u32(fields.trailingLength ?? fields.leadingLength ?? length),
      ),
    );
  }

  private measure(index: number): Uint8Array {
    const block = Uint8Array.from(this.blocks[index] ?? zeros(0));
    const next = this.sections.find((section) => section > index) ?? this.blocks.length;
    const length = this.blocks.slice(index + 1, next).reduce((sum, each) => sum + each.length, 0);
    const little = block[8] === (BYTE_ORDER_MAGIC & 0xff);
    block.set(u64(BigInt(length), little), SECTION_LENGTH_OFFSET);
    return block;
  }

  private option({ code, value, length = value.length }: PcapngOption): Uint8Array {
    return concat(this.u16(code), this.u16(length), padToMultiple(value, 4));
  }

  /** The upper half first, each half in the section's byte order. */
  private timestamp(ticks: bigint): Uint8Array {
    const unsigned = BigInt.asUintN(64, ticks);
    return concat(this.u32(Number(unsigned >> 32n)), this.u32(Number(unsigned & 0xffffffffn)));
  }

  private u16(value: number): Uint8Array {
    return u16(value, this.little);
  }

  private u32(value: number): Uint8Array {
    return u32(value, this.little);
  }

  private u64(value: bigint): Uint8Array {
    return u64(value, this.little);
  }
}

/** A builder that has its first section already. */
export function pcapng(fields: SectionFields = {}): PcapngBuilder {
  return new PcapngBuilder().section(fields);
}

function option(code: number, value: Uint8Array | undefined): PcapngOption[] {
  return value === undefined ? [] : [{ code, value }];
}

function textOption(code: number, value: string | undefined): PcapngOption[] {
  return option(code, value === undefined ? undefined : text(value));
}
