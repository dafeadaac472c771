/**
 * A large file is read in a thread of its own, standard input never is: both must say the same, whatever the file.
 */
import { describe, expect, test } from '@jest/globals';
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { attributionComment } from '../../src/attribute/comment.js';
import { found, missing, type Process } from '../../src/attribute/process.js';
import { NO_KERNEL_FACTS } from '../../src/conversation/kernel-facts.js';
import { RST } from '../../src/decode/net/tcp-layout.js';
import { RECORD_WORDS } from '../../src/decode/record-layout.js';
import { SegmentBatch } from '../../src/decode/segment-batch.js';
import {
  MAX_AHEAD,
  PLACES,
  ROWS,
  SHARED_WORDS,
  SLOTS,
  STOP,
  TAKEN,
  unpack,
  type ScanMessage,
} from '../../src/scan/protocol.js';
import { MIN_REMOTE_BYTES } from '../../src/scan/remote-scan.js';
import { classicHeader, classicRecord, pcapng } from '../support/capture-bytes.js';
import { carriedIp, ethernet, ipInIp, resetFrame, resetPacket, segment } from '../support/frames.js';
import { cliCommand, REPOSITORY, runShell, shellQuote, tmpDir } from '../support/run.js';

const SECOND = 1772366400;

/** Handshakes, data, refusals, aborts, tunnels and text: some frames of each kind, with rows and without. */
function frames(round: number): Uint8Array[] {
  const client = { src: '192.0.2.10', srcPort: 20000 + round, dst: '192.0.2.20', dstPort: 8080 };
  const server = { src: '192.0.2.20', srcPort: 8080, dst: '192.0.2.10', dstPort: 20000 + round };
  const data = segment({ ...server, seq: 10, ack: 5, flags: '.', payload: new Uint8Array(1400) });
  return [
    segment({ ...client, flags: 'S', seq: 1 }),
    segment({ ...server, flags: 'S.', seq: 9, ack: 2 }),
    ...Array.from({ length: 12 }, () => data),
    segment({ ...client, flags: 'F.', seq: 5, ack: 11 }),
    resetFrame({ ...server, flags: 'R.', seq: 1411 + round, ack: 5, window: 500, id: round + 1 }),
    resetFrame({ src: '2001:db8::20', dst: '2001:db8::10', dstPort: 30000 + round }),
    ethernet(carriedIp(ipInIp({ src: '203.0.113.1', dst: '203.0.113.2', payload: resetPacket({ dstPort: round }) }))),
    resetFrame({ dstPort: 1000 + round, payload: new TextEncoder().encode(`go away ${String(round)}`) }),
    ethernet({ etherType: 0x0806, payload: new Uint8Array(28) }),
  ];
}

const ROUNDS = 1700;

function records(): Uint8Array[] {
  const out: Uint8Array[] = [classicHeader()];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, bytes] of frames(round).entries()) {
      out.push(classicRecord({ seconds: SECOND + (round >> 4), fraction: (round % 16) * 60_000 + i, bytes }));
    }
  }
  return out;
}

const classic = Buffer.concat(records());

const PROCESS: Process = {
  pid: 1,
  ppid: 0,
  parent: null,
  name: 'node',
  exe: '/usr/bin/node',
  command: null,
  user: 'root',
  unit: null,
  container: null,
  netns: 4026531840,
  started: 1772366000.25,
};

/** As `live -w` writes it; each round's is another. */
function ownComment(round: number): string {
  const sender = found({ ...PROCESS, pid: 1000 + round }, 'socket');
  const sent = { reason: 'NO_SOCKET', path: null, active: false, socketless: true, listening: false };
  const who = { sender, receiver: missing('remote'), kernel: { ...NO_KERNEL_FACTS, sent }, evidence: [] };
  return attributionComment(`f1-${String(round)}`, 'abort', 'likely', who, false);
}

function ng(): Uint8Array {
  const sections: Uint8Array[] = [];
  for (let from = 0; from < ROUNDS; from += 100) {
    const builder = pcapng({}).interface({ name: `eth${String(from / 100)}` });
    for (let round = from; round < from + 100; round++) {
      for (const bytes of frames(round)) {
        const timestamp = BigInt(SECOND + (round >> 4)) * 1_000_000n;
        const comments = round % 50 === 0 ? ['here'] : round % 3 === 0 ? [ownComment(round)] : [];
        builder.enhancedPacket({ timestamp, bytes, flags: round % 3, comments });
      }
    }
    builder.interfaceStatistics({ interface: 0, received: 5n, dropped: 1n });
    sections.push(builder.bytes());
  }
  return Buffer.concat(sections);
}

function corrupted(): Uint8Array {
  const bytes = Buffer.from(classic);
  bytes.writeUInt32LE(0xfffffff0, 24 + 8 + (16 + 54) * 0);
  const middle = bytes.indexOf(Buffer.from('go away 900'));
  bytes.fill(0xff, middle, middle + 200);
  return bytes;
}

/** As if it had been read from standard input, which nothing can be asked about again: no step names it. */
function asOfStream(text: string, file: string): string {
  return text
    .replaceAll(`,"rstscope explain ${file} `, ',"rstscope explain - ')
    .replaceAll(/,"rstscope explain - \d+"/g, '')
    .replaceAll(file, '-');
}

const CASES: Readonly<Record<string, () => Uint8Array>> = {
  whole: () => classic,
  'cut off': () => classic.subarray(0, classic.length - 1000),
  corrupt: corrupted,
  pcapng: ng,
};

describe('a thread of its own says what the main thread says', () => {
  test.each(Object.keys(CASES))(
    '%s',
    async (name) => {
      const file = path.join(tmpDir(), 'large.pcap');
      writeFileSync(file, CASES[name]?.() ?? new Uint8Array(0));
      expect(statSync(file).size).toBeGreaterThan(MIN_REMOTE_BYTES);
      for (const options of [
        ['--json', '--events'],
        ['--json', '--no-fold'],
        ['--json', '--context', 'resets'],
        ['--csv'],
      ]) {
        const own = await runShell(cliCommand('read', ...options, file), { timeoutMs: 120_000 });
        const main = await runShell(`cat ${shellQuote(file)} | ${cliCommand('read', ...options, '-')}`, {
          timeoutMs: 120_000,
        });
        expect(own.code).toBe(main.code);
        expect(asOfStream(own.stdout, file)).toBe(main.stdout);
        expect(own.stderr.replaceAll(file, '-')).toBe(main.stderr);
        expect(own.stdout.length).toBeGreaterThan(1000);
      }
    },
    240_000,
  );

  test('gzip, and what is no capture', async () => {
    const folder = tmpDir();
    const noise = Buffer.alloc(MIN_REMOTE_BYTES + 1000, 'no capture at all ');
    writeFileSync(path.join(folder, 'text'), noise);
    const refused = await runShell(cliCommand('read', path.join(folder, 'text')));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('not a capture');
    expect(refused.stdout).toBe('');
    const packed = path.join(folder, 'large.gz');
    writeFileSync(packed, gzipSync(classic, { level: 0 }));
    expect(statSync(packed).size).toBeGreaterThan(MIN_REMOTE_BYTES);
    const own = await runShell(cliCommand('read', '--json', packed), { timeoutMs: 60_000 });
    const main = await runShell(`cat ${shellQuote(packed)} | ${cliCommand('read', '--json')}`, { timeoutMs: 60_000 });
    expect(asOfStream(own.stdout, packed)).toBe(main.stdout);
    expect(own.code).toBe(0);
  }, 120_000);

  test('an interruption is heard: what was read is reported', async () => {
    const file = path.join(tmpDir(), 'larger.pcap');
    writeFileSync(file, Buffer.concat([classic, ...Array.from({ length: 12 }, () => classic.subarray(24))]));
    const whole = await runShell(cliCommand('read', '--json', file), { timeoutMs: 60_000 });
    const { seen } = (JSON.parse(whole.stdout) as { packets: { seen: number } }).packets;
    expect(seen).toBe(13 * ROUNDS * frames(0).length);
    const cut = await runShell(`timeout -s INT 0.25 ${cliCommand('read', '--json', file)}`, { timeoutMs: 60_000 });
    if (cut.stdout === '') return;
    const report = JSON.parse(cut.stdout) as { packets: { seen: number }; incomplete: { reason: string }[] };
    expect(report.packets.seen).toBeLessThanOrEqual(seen);
    if (report.packets.seen < seen) expect(report.incomplete.map(({ reason }) => reason)).toContain('interrupted');
  }, 120_000);
});

/** The messages of the thread itself; `taken` follows them as the starter's count does. */
async function messagesOf(file: string): Promise<ScanMessage[]> {
  const shared = new Int32Array(new SharedArrayBuffer(SHARED_WORDS * 4));
  const records = new Uint32Array(new SharedArrayBuffer(SLOTS * PLACES * RECORD_WORDS * 4));
  const order = { path: file, keep: RST, shared, records };
  const worker = new Worker(path.join(REPOSITORY, 'dist/cli/scan-worker.js'), { workerData: order });
  const messages: ScanMessage[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', (message: ScanMessage) => {
        messages.push(message);
        if (message.kind === 'segments') {
          Atomics.add(shared, TAKEN, 1);
          Atomics.notify(shared, TAKEN);
        }
        if (message.kind === 'end' || message.kind === 'refused') resolve();
      });
    });
  } finally {
    Atomics.store(shared, STOP, 1);
    await worker.terminate();
  }
  return messages;
}

describe('comments cross from one thread to the other', () => {
  const write = (comment: (n: number) => string | null, count: number): string => {
    const builder = pcapng({}).interface({});
    for (let n = 0; n < count; n++) {
      const own = comment(n);
      const bytes = resetFrame({ dstPort: 1000, seq: n });
      builder.enhancedPacket({ timestamp: BigInt(SECOND), bytes, comments: own === null ? [] : [own] });
    }
    const file = path.join(tmpDir(), 'commented.pcapng');
    writeFileSync(file, builder.bytes());
    return file;
  };
  /** Of each row by its sequence number, over all messages. */
  const arrived = (messages: readonly ScanMessage[]): (string | null)[] =>
    messages.flatMap((message) => {
      if (message.kind !== 'segments') return [];
      const { segments, comments } = message;
      const rows = new SegmentBatch(ROWS);
      unpack(segments, rows);
      return Array.from({ length: rows.count }, (_, row) => `${String(rows.seq[row])} ${comments.get(row) ?? '-'}`);
    });

  test('each with its row, message by message', async () => {
    const count = 3 * ROWS;
    const own = (n: number): string | null => (n % 11 === 0 ? `rstscope: ${String(n)}` : null);
    const messages = await messagesOf(write(own, count));
    expect(messages.filter(({ kind }) => kind === 'segments').length).toBeGreaterThan(2);
    expect(arrived(messages)).toEqual(Array.from({ length: count }, (_, n) => `${String(n)} ${own(n) ?? '-'}`));
  }, 60_000);

  test('many long ones go in smaller messages', async () => {
    const messages = await messagesOf(write((n) => `rstscope: ${String(n)} ${'x'.repeat(10_000)}`, 2000));
    const sizes = messages.map((message) =>
      message.kind === 'segments' ? [...message.comments.values()].reduce((sum, { length }) => sum + length, 0) : 0,
    );
    expect(arrived(messages)).toHaveLength(2000);
    expect(sizes.length).toBeGreaterThan(2 * MAX_AHEAD);
    expect(Math.max(...sizes)).toBeLessThan(2_000_000);
  }, 60_000);
});
