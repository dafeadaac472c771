/**
 * Connections between a client's and a server's end, seen at both: what a path does to segments (a NAT, TTLs, delay,
 * loss), a device on it that forges resets, clocks that differ, and what the captures make of it. Every frame knows
 * what it truly is.
 */
import { nobody } from '../../src/attribute/attributor.js';
import { openCapture } from '../../src/capture/open.js';
import type { CaptureFile } from '../../src/capture/story.js';
import { readCapture, type Capture } from '../../src/compare/capture.js';
import { compareCaptures } from '../../src/compare/compare.js';
import type { Comparison, End } from '../../src/report/comparison-types.js';
import type { FilterOptions } from '../../src/report/filter.js';
import { MemorySource } from '../capture/reading.js';
import { classic, type At } from '../report/analysing.js';
import { segment } from '../support/frames.js';

const TOOL = { name: 'rstscope', version: '0.0.0' };

export interface Speaker {
  readonly ip: string;
  readonly port: number;
}

/** One segment on its way. */
export interface Passing {
  /** What it is, in both captures. */
  readonly id: number;
  readonly from: End;
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly length: number;
  /** Microseconds at the capture that it passes first, and at the other; null: it never passes there. */
  readonly client: number | null;
  readonly server: number | null;
  readonly forged: boolean;
  readonly connection: number;
  /** Where it is captured, whoever sent it; the path's own if not given. */
  readonly ttl?: number;
}

export interface Ends {
  readonly client: Speaker;
  readonly server: Speaker;
}

/** How a connection's ends are called at both captures. */
export type Names = Readonly<Record<End, Ends>>;

export interface Shown {
  readonly bytes: Uint8Array;
  /** What the frames are, by their numbers from 1. */
  readonly passings: readonly Passing[];
}

/** The capture at `end`, in order of time; `ahead`: microseconds of its clock. */
export function shownAt(
  end: End,
  passings: readonly Passing[],
  names: readonly Names[],
  ahead: number,
  hops: number,
): Shown {
  const seen = passings.filter((one) => one[end] !== null).sort((a, b) => (a[end] ?? 0) - (b[end] ?? 0));
  const frames = seen.map((one): At => {
    const ends = names[one.connection]?.[end];
    if (ends === undefined) throw new Error('a connection without names');
    const source = ends[one.from];
    const target = ends[one.from === 'client' ? 'server' : 'client'];
    return [
      (one[end] ?? 0) + ahead,
      segment({
        ...{ src: source.ip, srcPort: source.port, dst: target.ip, dstPort: target.port },
        ...{ flags: one.flags, seq: one.seq, ack: one.ack, ttl: one.ttl ?? (one.from === end ? 64 : 64 - hops) },
        id: one.id & 0xffff,
        ...(one.length === 0 ? {} : { payload: new Uint8Array(one.length).fill(7) }),
      }),
    ];
  });
  return { bytes: classic(frames), passings: seen };
}

export function captureOf(bytes: Uint8Array, name: string): Promise<Capture> {
  const file: CaptureFile = {
    name,
    once: false,
    open: () => openCapture(name, { source: new MemorySource(bytes), size: bytes.length }),
  };
  return readCapture([file], {
    tool: TOOL,
    service: () => null,
    attributor: nobody('offline'),
    signal: new AbortController().signal,
    onProgress: null,
  });
}

export async function compareBytes(
  client: Uint8Array,
  server: Uint8Array,
  filter: Pick<FilterOptions, 'port' | 'host'> = { port: null, host: null },
): Promise<Comparison> {
  return compareCaptures(await captureOf(client, 'client.pcap'), await captureOf(server, 'server.pcap'), {
    tool: TOOL,
    filter,
  });
}

/** A short way to write what passes, in milliseconds; each segment takes `way` to the other end. */
export class Story {
  readonly passings: Passing[] = [];
  private readonly connection: number;
  private readonly way: number;

  constructor(connection = 0, way = 5) {
    this.connection = connection;
    this.way = way;
  }

  /** `only`: it is at that end alone: lost behind it, or forged for it. */
  say(
    at: number,
    from: End,
    flags: string,
    seq: number,
    ack: number,
    more: { length?: number; only?: End; forged?: boolean; ttl?: number } = {},
  ): this {
    const { length = 0, only, forged = false, ttl } = more;
    const times = { [from]: at, [from === 'client' ? 'server' : 'client']: at + this.way } as Record<End, number>;
    const time = (end: End): number | null =>
      only === undefined || only === end ? Math.round(times[end] * 1000) : null;
    this.passings.push({
      id: this.connection * 1000 + this.passings.length + 1,
      ...{ from, flags, seq: seq >>> 0, ack: ack >>> 0, length, forged },
      client: time('client'),
      server: time('server'),
      connection: this.connection,
      ...(ttl === undefined ? {} : { ttl }),
    });
    return this;
  }

  /** A handshake from `at`, by the client. */
  open(at: number, isns: readonly [number, number]): this {
    const [c, s] = isns;
    return this.say(at, 'client', 'S', c, 0)
      .say(at + 10, 'server', 'S.', s, c + 1)
      .say(at + 20, 'client', '.', c + 1, s + 1);
  }
}

export const USUAL: Names = {
  client: { client: { ip: '192.0.2.9', port: 50_000 }, server: { ip: '10.0.0.5', port: 443 } },
  server: { client: { ip: '192.0.2.9', port: 50_000 }, server: { ip: '10.0.0.5', port: 443 } },
};
