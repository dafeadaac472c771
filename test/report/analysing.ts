/** Captures in memory through the whole pipeline, and a short way to write frames with a reset in them. */
import { nobody } from '../../src/attribute/attributor.js';
import { analyze, type AnalyzeOptions } from '../../src/analyze/analyze.js';
import type { CaptureFile } from '../../src/capture/story.js';
import { openCapture } from '../../src/capture/open.js';
import { KEEP_ALL } from '../../src/report/filter.js';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { MemorySource } from '../capture/reading.js';
import {
  classicHeader,
  classicRecord,
  pcapng,
  type ClassicRecord,
  type PcapngBuilder,
} from '../support/capture-bytes.js';
import {
  carriedIp,
  DEFAULT_DST_MAC,
  DEFAULT_SRC_MAC,
  ethernet,
  ipv4,
  ipv6,
  tcp,
  tcpOptions,
} from '../support/frames.js';

/** 2026-03-01T12:00:00Z. */
export const START = 1772366400;

export type Settings = Partial<AnalyzeOptions> & { pieces?: readonly number[] };

/** The report, with its events, of captures that lie in memory. */
export function analyseAll(captures: readonly Uint8Array[], settings: Settings = {}): Promise<Report> {
  const { pieces, ...options } = settings;
  const files = captures.map((bytes, i): CaptureFile => {
    const name = `capture-${String(i + 1)}`;
    const open = (): ReturnType<typeof openCapture> =>
      openCapture(name, { source: new MemorySource(bytes, pieces), size: bytes.length });
    return { name, once: false, open };
  });
  return analyze(files, {
    tool: { name: 'rstscope', version: '0.0.0' },
    context: 'full',
    fold: true,
    local: null,
    filter: KEEP_ALL,
    service: () => null,
    attributor: nobody('offline'),
    fullCommand: false,
    keepEvents: true,
    onEvent: null,
    writer: null,
    onProgress: null,
    signal: new AbortController().signal,
    growing: null,
    ...options,
  });
}

export function analyse(capture: Uint8Array, settings: Settings = {}): Promise<Report> {
  return analyseAll([capture], settings);
}

/** The frame numbers of each event, in the report's order. */
export function framesOfEvents({ events }: Report): number[][] {
  return events.map(({ frames }) => [...frames]);
}

/** The only event; throws where there are more or none. */
export function onlyEvent({ events }: Report): ResetEvent {
  const [event] = events;
  if (event === undefined || events.length > 1) throw new Error(`${events.length} events, not one`);
  return event;
}

export interface ResetFields {
  src?: string;
  dst?: string;
  srcPort?: number;
  dstPort?: number;
  flags?: string;
  seq?: number;
  ack?: number;
  window?: number;
  ttl?: number;
  id?: number;
  /** TSval; no option without. */
  timestamp?: number;
  payload?: Uint8Array;
  srcMac?: string;
  dstMac?: string;
}

/** An IP packet with a TCP segment: an aborting server's reset by default. */
export function packetOf(fields: ResetFields = {}): Uint8Array {
  const { src = '10.0.0.5', dst = '192.0.2.9', ttl = 64, id = 700 } = fields;
  const { timestamp } = fields;
  const segment = tcp({
    srcPort: fields.srcPort ?? 8443,
    dstPort: fields.dstPort ?? 50000,
    seq: fields.seq ?? 1001,
    ack: fields.ack ?? 2002,
    flags: fields.flags ?? 'R.',
    window: fields.window ?? 500,
    ...(timestamp === undefined ? {} : { options: tcpOptions.timestamps(timestamp, 1) }),
    ...(fields.payload === undefined ? {} : { payload: fields.payload }),
  });
  return src.includes(':')
    ? ipv6({ src, dst, hopLimit: ttl, payload: segment })
    : ipv4({ src, dst, ttl, id, payload: segment });
}

export function frameOf(fields: ResetFields = {}): Uint8Array {
  const { srcMac = DEFAULT_SRC_MAC, dstMac = DEFAULT_DST_MAC } = fields;
  return ethernet({ src: srcMac, dst: dstMac, ...carriedIp(packetOf(fields)) });
}

/** The other side's link addresses: what a router writes over those of `frameOf`. */
export const ROUTED = { srcMac: '02:00:00:00:00:0a', dstMac: '02:00:00:00:00:0b' };

/** A frame at so many microseconds after START. */
export type At = readonly [microseconds: number, bytes: Uint8Array];

export function records(frames: readonly At[]): ClassicRecord[] {
  return frames.map(([at, bytes]) => ({
    seconds: START + Math.floor(at / 1e6),
    fraction: ((at % 1e6) + 1e6) % 1e6,
    bytes,
  }));
}

export function classic(frames: readonly At[], linkType = 1): Uint8Array {
  return Buffer.concat([classicHeader({ linkType }), ...records(frames).map((record) => classicRecord(record))]);
}

/** A frame of one interface, by its index. */
export type OnInterface = readonly [microseconds: number, iface: number, bytes: Uint8Array];

/** A capture on several interfaces: veth1, br0, eth0 unless named. */
export function onInterfaces(
  frames: readonly OnInterface[],
  names: readonly string[] = ['veth1', 'br0', 'eth0'],
  linkType = 1,
): Uint8Array {
  const file: PcapngBuilder = pcapng();
  for (const name of names) file.interface({ name, linkType });
  for (const [at, iface, bytes] of frames) {
    file.enhancedPacket({ interface: iface, timestamp: BigInt(START) * 1_000_000n + BigInt(at), bytes });
  }
  return file.bytes();
}
