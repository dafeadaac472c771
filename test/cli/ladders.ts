/** Captures of one conversation, and what explain says of a reset in it. */
import { expect } from '@jest/globals';
import type { RuleRow, Rung } from '../../src/report/explained.js';
import type { ResetEvent } from '../../src/report/types.js';
import { strictly } from '../render/strict-schema.js';
import { classicPcap } from '../support/capture-bytes.js';
import { segment, type SegmentFields } from '../support/frames.js';
import { runInProcess } from '../support/in-process.js';
import { NOON, saved } from './samples.js';

export interface ExplainDocument {
  readonly cause: string;
  readonly asked: string;
  readonly event: ResetEvent;
  readonly ladder: readonly Rung[];
  readonly earlier_segments: number;
  readonly later_segments: number;
  readonly rules: readonly RuleRow[];
  readonly next_steps: readonly string[];
}

/** A segment at so many milliseconds: of the client (192.0.2.10:40000), or of the server (192.0.2.20:7211). */
export interface Said extends SegmentFields {
  readonly at: number;
  readonly by?: 'server';
}

export const SERVER = { src: '192.0.2.20', dst: '192.0.2.10', srcPort: 7211, dstPort: 40000 } as const;

let id = 1;

function frameOf({ at: _, by, ...fields }: Said): Uint8Array {
  id++;
  return segment({ id, ...(by === 'server' ? SERVER : {}), ...fields });
}

export function talk(said: readonly Said[]): Uint8Array {
  return classicPcap({
    records: said.map((one) => ({
      seconds: NOON + Math.floor(one.at / 1000),
      fraction: Math.round((one.at % 1000) * 1000),
      bytes: frameOf(one),
    })),
  });
}

/** Handshake with SYN 100 and SYN-ACK 900, in the first three milliseconds. */
export const HANDSHAKE: readonly Said[] = [
  { at: 0, flags: 'S', seq: 100 },
  { at: 1, by: 'server', flags: 'S.', seq: 900, ack: 101 },
  { at: 2, flags: '.', seq: 101, ack: 901 },
];

export async function explained(file: string, which: string, ...more: string[]): Promise<ExplainDocument> {
  const { code, stdout, stderr } = await runInProcess(['explain', '--json', ...more, file, which]);
  expect([code === 3 ? 0 : code, code === 3 ? '' : stderr]).toEqual([0, '']);
  const document = JSON.parse(stdout) as ExplainDocument;
  expect(strictly('explain')(document)).toEqual([]);
  return document;
}

export function ofTalk(said: readonly Said[], frame: number, ...more: string[]): Promise<ExplainDocument> {
  return explained(saved('talk.pcap', talk(said)), String(frame), ...more);
}

/** "server [R.] 1/102": who, flags, relative numbers. */
export function shown({ from, flags, relative_seq: seq, relative_ack: ack }: Rung): string {
  return `${from} [${flags}] ${String(seq)}${ack === null ? '' : `/${ack}`}`;
}
