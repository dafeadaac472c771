/** Connections from hand-made frames to the facts of their resets: a short way to write what each side says. */
import type { CaptureFile } from '../../src/capture/story.js';
import { openCapture } from '../../src/capture/open.js';
import type { Reset } from '../../src/conversation/reset.js';
import { Tracker, WANTED_FLAGS } from '../../src/conversation/tracker.js';
import { startScan } from '../../src/scan/scan.js';
import { MemorySource } from '../capture/reading.js';
import { classic, START, type At } from '../report/analysing.js';
import { concat, segment, tcpOptions, type SegmentFields } from '../support/frames.js';

export const CLIENT = '192.0.2.9';
export const SERVER = '10.0.0.5';

export interface Ends {
  readonly client?: string;
  readonly server?: string;
  readonly clientPort?: number;
  readonly serverPort?: number;
}

export interface Said extends Omit<SegmentFields, 'flags' | 'seq' | 'ack' | 'payload'> {
  /** Bytes of payload. */
  readonly length?: number;
  /** TSval; none without. */
  readonly ts?: number;
}

/** A segment, at so many milliseconds. */
export type Says = (at: number, flags: string, seq: number, ack: number, more?: Said) => At;

/** What the two sides of a connection say. */
export function talk(ends: Ends = {}): { readonly c: Says; readonly s: Says } {
  const { client = CLIENT, server = SERVER, clientPort = 50_000, serverPort = 7000 } = ends;
  const says =
    (isClient: boolean): Says =>
    (at, flags, seq, ack, { length = 0, ts, ...more } = {}) => [
      Math.round(at * 1000),
      segment({
        ...(isClient ? { src: client, dst: server } : { src: server, dst: client }),
        srcPort: isClient ? clientPort : serverPort,
        dstPort: isClient ? serverPort : clientPort,
        ...{ flags, seq: seq >>> 0, ack: ack >>> 0, window: flags.includes('R') ? 0 : 501 },
        ...(ts === undefined
          ? {}
          : { options: concat(tcpOptions.nop(), tcpOptions.nop(), tcpOptions.timestamps(ts, 1)) }),
        ...(length === 0 ? {} : { payload: new Uint8Array(length).fill(7) }),
        ...more,
      }),
    ];
  return { c: says(true), s: says(false) };
}

/** A handshake from `at` milliseconds, 20 ms long. */
export function handshake({ c, s }: ReturnType<typeof talk>, at: number, isns: readonly [number, number]): At[] {
  const [client, server] = isns;
  return [c(at, 'S', client, 0), s(at + 10, 'S.', server, client + 1), c(at + 20, '.', client + 1, server + 1)];
}

/** All resets of captures, as they settle, with the facts of their connections. */
export async function resetsOf(
  captures: readonly Uint8Array[],
  context: keyof typeof WANTED_FLAGS = 'full',
  pieces?: readonly number[],
): Promise<Reset[]> {
  const files = captures.map((bytes, i): CaptureFile => ({
    name: `capture-${String(i)}`,
    once: false,
    open: () => openCapture('made', { source: new MemorySource(bytes, pieces), size: bytes.length }),
  }));
  const scan = startScan(files, WANTED_FLAGS[context], 'none');
  const resets: Reset[] = [];
  const options = { fold: true, local: null, registered: (): boolean => false };
  const tracker = new Tracker(options, (reset) => resets.push(reset), null);
  for (let rows = await scan.next(); rows !== null; rows = await scan.next()) {
    tracker.follow(rows.segments, rows.plain, rows);
  }
  tracker.finish();
  await scan.close();
  return resets;
}

/** The only reset of the frames. */
export async function resetOf(frames: readonly At[]): Promise<Reset> {
  const [reset, another] = await resetsOf([classic(frames)]);
  if (reset === undefined || another !== undefined) throw new Error('not one reset');
  return reset;
}

/** Seconds since 1970 of so many milliseconds. */
export function secondsOf(at: number): number {
  return START + at / 1000;
}
