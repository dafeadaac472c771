/** `read -w`: the resets with what led up to them, from files and from pipes, and that reading it back says the same. */
import { describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../src/report/types.js';
import { classicHeader, classicPcap, classicRecord, pcapng } from '../support/capture-bytes.js';
import { resetFrame, segment } from '../support/frames.js';
import { cliCommand, runCli, runShell, shellQuote, tmpDir } from '../support/run.js';
import { itWith } from '../support/tools.js';
import { tsharkFields } from '../support/tshark.js';
import { reportOf } from './checks.js';
import { NOON, saved } from './samples.js';

const folder = tmpDir();
const inFolder = (name: string): string => path.join(folder, name);

/** Two connections of 30 segments each in turn; the one of port 40001 is reset at the end, and answered once more. */
function twoConnections(): Uint8Array {
  const records = Array.from({ length: 60 }, (_, i) => ({
    seconds: NOON + i,
    bytes: segment({ srcPort: 40_000 + (i % 2), dstPort: 7211, flags: i < 2 ? 'S' : '.', seq: i }),
  }));
  const reset = { seconds: NOON + 60, bytes: resetFrame({ srcPort: 7211, dstPort: 40_001, flags: 'R', seq: 5 }) };
  const later = [61, 63].map((second) => ({
    seconds: NOON + second,
    bytes: segment({ srcPort: 40_001, dstPort: 7211, flags: '.', seq: 100 + second }),
  }));
  return classicPcap({ records: [...records, reset, ...later] });
}

/** More than is held without looking before: a connection's SYN, `count` frames of another one, and the reset. */
function farApart(count: number): Uint8Array {
  const syn = classicRecord({ seconds: NOON, bytes: segment({ srcPort: 40_001, dstPort: 7211, flags: 'S', seq: 1 }) });
  const other = classicRecord({ seconds: NOON + 1, bytes: segment({ srcPort: 40_002, dstPort: 7211, flags: '.' }) });
  const reset = classicRecord({
    seconds: NOON + 2,
    bytes: resetFrame({ srcPort: 7211, dstPort: 40_001, flags: 'R.', seq: 0, ack: 2 }),
  });
  const header = classicHeader();
  const all = new Uint8Array(header.length + syn.length + count * other.length + reset.length);
  all.set(header);
  all.set(syn, header.length);
  for (let i = 0; i < count; i++) all.set(other, header.length + syn.length + i * other.length);
  all.set(reset, all.length - reset.length);
  return all;
}

const two = saved('two-connections.pcap', twoConnections());

describe('read -w', () => {
  itWith('tshark', 'the last twelve segments of the connection that died, and the two seconds behind', async () => {
    const out = inFolder('two.pcapng');
    expect(await runCli(['read', '-w', out, two])).toMatchObject({
      code: 0,
      stderr: `rstscope: 14 frames saved in ${out}\n`,
    });
    const rows = await tsharkFields(out, ['frame.time_epoch', 'tcp.srcport', 'frame.comment']);
    expect(rows.map(([time]) => Number(time) - NOON)).toEqual([
      ...Array.from({ length: 12 }, (_, i) => 37 + 2 * i),
      60,
      61,
    ]);
    expect(new Set(rows.map(([, port]) => port))).toEqual(new Set(['40001', '7211']));
    expect(rows.filter(([, , comment]) => comment !== '')).toHaveLength(1);
  });

  test('by a pipe the same, byte for byte', async () => {
    const file = inFolder('by-file.pcapng');
    const pipe = inFolder('by-pipe.pcapng');
    await runCli(['read', '-q', '-w', file, two]);
    await runShell(`${cliCommand('read', '-q', '-w', pipe, '-')} <${shellQuote(two)}`);
    expect((await runShell(`cmp ${shellQuote(file)} ${shellQuote(pipe)}`)).code).toBe(0);
  });

  test('--context resets: the resets alone', async () => {
    const out = inFolder('resets.pcapng');
    await runCli(['read', '-q', '--context', 'resets', '-w', out, two]);
    expect((await reportOf([out])).packets).toMatchObject({ seen: 1, resets: 1 });
  });

  test('behind a NAT: what led up to it under both addresses, both ways', async () => {
    const capture = pcapng().interface({ linkType: 1, name: 'outer' }).interface({ linkType: 1, name: 'inner' });
    let time = BigInt(NOON) * 1_000_000n;
    const client = { ip: '198.51.100.7', port: 50_001 };
    const servers = [
      { ip: '10.96.0.10', port: 443 },
      { ip: '10.0.0.5', port: 8443 },
    ];
    const pass = (flags: string, seq: number, ack: number, toServer: boolean): void => {
      time += 1000n;
      for (const i of toServer ? [0, 1] : [1, 0]) {
        const server = servers[i] ?? client;
        const [from, to] = toServer ? [client, server] : [server, client];
        const ends = { src: from.ip, srcPort: from.port, dst: to.ip, dstPort: to.port };
        const bytes = segment({ ...ends, flags, seq, ack, ttl: toServer === (i === 0) ? 64 : 63 });
        capture.enhancedPacket({ interface: i, timestamp: (time += 10n), bytes });
      }
    };
    pass('S', 100, 0, true);
    pass('S.', 500, 101, false);
    pass('.', 101, 501, true);
    pass('R.', 501, 101, false);
    const out = inFolder('nat.pcapng');
    const file = saved('nat-in.pcapng', capture.bytes());
    await runCli(['read', '-q', '--port', '443', '-w', out, file]);
    const [before, after] = [await reportOf([file]), await reportOf([out])];
    expect(before.events.map(({ translations }) => translations.length)).toEqual([1]);
    expect(after.packets).toMatchObject({ seen: 8, unique: 1, copies: 1 });
    expect(after.events).toEqual(before.events.map((event) => ({ ...event, file: out })));
  });

  test('a reset that is left out does not come along with another one of its connection', async () => {
    const records = [
      { seconds: NOON, bytes: segment({ srcPort: 40_001, dstPort: 7211, flags: 'S', seq: 1 }) },
      { seconds: NOON + 1, bytes: resetFrame({ srcPort: 7211, dstPort: 40_001, flags: 'R', seq: 9 }) },
      { seconds: NOON + 10, bytes: resetFrame({ srcPort: 7211, dstPort: 40_001, flags: 'R.', seq: 0, ack: 2 }) },
    ];
    const file = saved('both.pcap', classicPcap({ records }));
    const out = inFolder('one-of-two.pcap');
    await runCli(['read', '-q', '--after', '2026-03-01T12:00:05Z', '-w', out, file]);
    expect((await reportOf([out])).packets).toMatchObject({ seen: 2, resets: 1 });
  });

  test('a large file is looked through before; of a pipe what was no longer held is told', async () => {
    const large = saved('far-apart.pcap', farApart(600_000));
    const out = inFolder('far.pcapng');
    expect(await runCli(['read', '-w', out, large])).toMatchObject({
      code: 0,
      stderr: `rstscope: 2 frames saved in ${out}\n`,
    });
    const result = await runShell(`${cliCommand('read', '-w', out, '-')} <${shellQuote(large)}`);
    expect(result.code).toBe(0);
    expect(result.stderr).toBe(
      `rstscope: 1 frame saved in ${out}\n` +
        'rstscope: of 1 saved reset some of what led up to it was no longer held\n',
    );
  });
});

describe('reading it back', () => {
  const pcaps = 'test/pcaps';
  /** What a dozen segments don't show: that the same was answered for other connections, or how often. */
  const LESS_SURE: readonly string[] = ['lab-queue-full.pcap'];
  /** One of each kind; all of them together take a minute. */
  const some = readdirSync(pcaps)
    .filter((name) => /^(?:lab-.*|copies|demo)\.pcap(?:ng)?$/.test(name))
    .filter((name, i) => i % 8 === 0 || LESS_SURE.includes(name) || !name.startsWith('lab'));

  test.each(some)('%s: the same resets, of the same causes', async (name) => {
    const out = inFolder('again.pcapng');
    await runCli(['read', '-q', '-w', out, path.join(pcaps, name)]);
    const [before, after] = [await reportOf([path.join(pcaps, name)]), await reportOf([out])];
    const told = ({ events }: Report): unknown[] =>
      events.map((e) => [
        [e.epoch, e.src_ip, e.src_port, e.dest_ip, e.dest_port, e.seq, e.copies, e.cause],
        LESS_SURE.includes(name) ? '' : e.confidence,
      ]);
    expect(told(after)).toEqual(told(before));
  });
});
