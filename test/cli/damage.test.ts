/** Input that is wrong, missing or damaged: the exit code, one sentence with its figures, and what could be read. */
import { describe, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Report } from '../../src/report/types.js';
import { classicHeader, classicPcap, classicRecord, pcapng } from '../support/capture-bytes.js';
import { concat, resetFrame } from '../support/frames.js';
import { CLI, cliCommand, runCli, runShell, shellQuote, tmpDir, type RunResult } from '../support/run.js';
import { hasTool, testIf } from '../support/tools.js';
import { expectLawful, expectRefusal } from './checks.js';
import { NOON, saved, STORY, story, storyBytes } from './samples.js';

const bytes = storyBytes();
const file = saved('story.pcap', bytes);
const STACK = /\n\s+at |Error:/;

/** Exit 3 with a report of `seen` packets; its `incomplete` and stderr say `words`. */
function expectIncomplete(result: RunResult, seen: number, ...words: RegExp[]): Report {
  expect(result).toMatchObject({ code: 3, signal: null });
  expect(result.stderr).not.toMatch(STACK);
  const report = JSON.parse(result.stdout) as Report;
  expectLawful(report);
  expect(report.packets.seen).toBe(seen);
  const told = report.incomplete.map(({ message }) => message).join('\n');
  for (const word of words) {
    expect(told).toMatch(word);
    expect(result.stderr).toMatch(word);
  }
  expect(result.stderr.split('\n')).toHaveLength(report.incomplete.length + 1);
  return report;
}

describe('no capture at all: exit 2', () => {
  const WRONG: [string, Uint8Array | string, RegExp][] = [
    ['empty', '', /empty is empty: .*24 bytes/],
    ['text', 'Mar  1 12:00:00 host kernel: something happened\n', /text is text, not a capture/],
    ['wrong-magic', Uint8Array.of(1, 2, 3, 4, ...new Array<number>(40).fill(200)), /begins with 01 02 03 04/],
    ['cut-header', bytes.subarray(0, 10), /cut off.*10 bytes of at least 24/],
    ['cut.pcapng', pcapng().interface().bytes().subarray(0, 8), /8 bytes of at least 24/],
    ['gzip-of-nothing.gz', gzipSync(''), /is empty \(after gzip\)/],
    ['gzip-of-text.gz', gzipSync('a text file, packed, is no capture either'), /is text.*\(after gzip\)/],
    ['broken.gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), /gzip/],
  ];
  test.each(WRONG)('%s', async (name, content, words) => {
    const target = saved(name, content);
    expectRefusal(await runCli(['read', target]), words);
    expectRefusal(await runCli(['read', '--json', target]), words);
    expectRefusal(await runCli(['read', '--ndjson', target]), words);
    expectRefusal(await runCli(['read', '--csv', '-'], { stdin: content }), /^rstscope: (?:- |cannot read -)/);
  });

  test.each([
    ['zst', [0x28, 0xb5, 0x2f, 0xfd], 'zstd -dc'],
    ['lz4', [0x04, 0x22, 0x4d, 0x18], 'lz4 -dc'],
    ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz -dc'],
    ['bz2', [0x42, 0x5a, 0x68, 0x39], 'bzip2 -dc'],
    ['zip', [0x50, 0x4b, 0x03, 0x04], 'unzip -p'],
    ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], '7z x -so'],
  ])('%s, with the command that unpacks it', async (name, magic, command) => {
    const target = saved(`packed.${name}`, Uint8Array.of(...magic, ...new Array<number>(60).fill(7)));
    const result = await runCli(['read', target]);
    expectRefusal(result, /does not unpack itself/);
    expect(result.stderr).toContain(`  try: ${command} ${target} | rstscope read -\n`);
  });

  test('missing', async () => {
    expectRefusal(await runCli(['read', '/nowhere/a.pcap']), 'cannot read /nowhere/a.pcap: no such file');
    expectRefusal(await runCli(['/nowhere/a.pcap']), 'no such file');
    expectRefusal(await runCli(['read', '/nowhere/a.pcap', '/nowhere/b.pcap']), /none of 2 files .*a\.pcap: no such/);
  });

  test('a device', async () => {
    expectRefusal(await runCli(['read', '/dev/null']), '/dev/null is empty');
  });

  const asNobody = process.getuid?.() === 0 && hasTool('setpriv');
  testIf(asNobody, 'needs root and setpriv', 'unreadable', async () => {
    const folder = tmpDir();
    chmodSync(folder, 0o755);
    const secret = saved('secret.pcap', bytes, folder);
    chmodSync(secret, 0o600);
    // The program itself may lie where nobody else may look: it is opened before the rights are dropped.
    const result = await runShell(
      `setpriv --reuid=65534 --regid=65534 --clear-groups ${cliCommand('read', secret)} || exit`,
    );
    if (result.stderr.includes(CLI)) {
      process.stderr.write('skipped: another user cannot run the program from here\n');
      return;
    }
    expectRefusal(result, `cannot read ${secret}: permission denied`);
  });

  test('frames of a link type that nobody knows', async () => {
    const target = saved('odd.pcap', classicPcap({ linkType: 147, records: story() }));
    expectRefusal(await runCli(['read', target]), /can be decoded: 8 frames of link type (?:USER0|147)/);
  });
});

describe('standard input', () => {
  test.each([
    ['closed', 'read <&-', /needs a capture/],
    ['closed, by name', 'read - <&-', /- is empty/],
    ['/dev/null', 'read </dev/null', /needs a capture/],
    ['an empty pipe', 'read - < <(true)', /- is empty/],
    ['a directory', 'read - </', /standard input is a directory/],
  ])('%s: exit 2', async (_, command, words) => {
    expectRefusal(await runShell(`"$NODE" "$RSTSCOPE" ${command}`), words);
  });

  testIf(hasTool('script'), 'needs script', 'a terminal: exit 2', async () => {
    for (const [args, words] of [
      [['read', '-'], /standard input is a terminal/],
      [['read'], /needs a capture/],
    ] as const) {
      const err = path.join(tmpDir(), 'err');
      const command = `${cliCommand(...args)} 2>${shellQuote(err)}; echo "code $?"; cat ${shellQuote(err)}`;
      const { stdout } = await runShell(`script -qec ${shellQuote(command)} /dev/null </dev/null`);
      expect(stdout).toContain('code 2');
      expect(stdout).toMatch(words);
    }
  });
});

describe('damaged: exit 3, and all that could be read', () => {
  test('a record that is cut off', async () => {
    const result = await runCli(['read', '--json', saved('cut.pcap', bytes.subarray(0, -10))]);
    expectIncomplete(result, STORY.frames - 1, /cut off/, /\d+ (?:of|bytes)/);
  });

  test('a record header that is cut off, through a pipe', async () => {
    const { length } = classicRecord({ seconds: 0, bytes: story().at(-1)?.bytes ?? new Uint8Array(0) });
    const stdin = bytes.subarray(0, bytes.length - length + 7);
    expectIncomplete(await runCli(['read', '--json', '-'], { stdin }), STORY.frames - 1, /cut off/);
  });

  test('a corrupt length in the middle: what follows is found again', async () => {
    const records = Array.from({ length: 40 }, (_, i) => ({
      seconds: NOON + i,
      bytes: resetFrame({ dstPort: 40000 + i, id: i }),
      ...(i === 20 ? { capturedLength: 4294967280 } : {}),
    }));
    const target = saved('corrupt.pcap', classicPcap({ records }));
    const result = await runCli(['read', '--json', target]);
    expectIncomplete(result, 39, /record 21 at byte \d+ claims 4294967280 bytes/, /262144/);
  });

  test('zero-length blocks of a pcapng', async () => {
    const capture = pcapng().interface();
    for (let i = 0; i < 6; i++) {
      if (i === 3) capture.unknownBlock({ leadingLength: 0, trailingLength: 0 });
      capture.enhancedPacket({ timestamp: BigInt(NOON + i) * 1_000_000n, bytes: resetFrame({ dstPort: 5000 + i }) });
    }
    expectIncomplete(await runCli(['read', '--json', saved('zero.pcapng', capture.bytes())]), 6, /\b0\b/);
  });

  test('a gzip stream that is cut off', async () => {
    const packed = gzipSync(concat(bytes, bytes.subarray(24), bytes.subarray(24)));
    const result = await runCli(['read', '--json', saved('cut.gz', packed.subarray(0, -12))]);
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/gzip stream is cut off/);
  });

  test('drops by the file’s own statistics', async () => {
    const capture = pcapng()
      .interface()
      .enhancedPacket({ timestamp: BigInt(NOON) * 1_000_000n, bytes: resetFrame() })
      .interfaceStatistics({ received: 100n, dropped: 17n })
      .bytes();
    const report = expectIncomplete(await runCli(['read', '--json', saved('drops.pcapng', capture)]), 1, /17 packets/);
    expect(report.packets.dropped).toBe(17);
  });

  test('part of the frames of an unknown link type', async () => {
    const capture = pcapng().interface().interface({ linkType: 147 });
    for (const i of [0, 1, 0]) capture.enhancedPacket({ interface: i, bytes: resetFrame() });
    const report = expectIncomplete(
      await runCli(['read', '--json', saved('part.pcapng', capture.bytes())]),
      3,
      /1 frame of 3 frames could not be decoded/,
    );
    expect(report.packets.unknown_link).toBe(1);
  });

  test('one file of several missing', async () => {
    const result = await runCli(['read', '--json', file, '/nowhere.pcap']);
    const report = expectIncomplete(result, STORY.frames, /cannot read \/nowhere\.pcap: no such file/);
    expect(report.incomplete).toMatchObject([{ reason: 'file-missing', file: '/nowhere.pcap' }]);
  });

  test('one file of several no capture', async () => {
    const text = saved('notes.txt', 'these are my notes on the outage of last night');
    expectIncomplete(await runCli(['read', '--json', text, file]), STORY.frames, /notes\.txt is text/);
  });

  test('tables say so too', async () => {
    const result = await runCli(['read', file, '/nowhere.pcap']);
    expect(result.code).toBe(3);
    expect(`${result.stdout}${result.stderr}`).toMatch(/\/nowhere\.pcap/);
  });
});

describe('not damaged: exit 0', () => {
  test.each([
    ['pcap', classicHeader()],
    ['pcapng', pcapng().interface().bytes()],
    ['pcapng without interfaces', pcapng().bytes()],
    ['snapshot length 0', classicHeader({ snaplen: 0 })],
    ['snapshot length 4294967295', classicHeader({ snaplen: 0xffffffff })],
  ])('a valid capture without packets: %s', async (_, content) => {
    for (const args of [[], ['--json'], ['--ndjson'], ['--csv'], ['--after', '12:00'], ['--after', '-5m']]) {
      const result = await runCli(['read', ...args, saved('none', content)]);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect(result.stdout).not.toBe('');
    }
  });

  test('an absurd snapshot length', async () => {
    for (const snaplen of [0, 1, 0xffffffff]) {
      const target = saved('absurd.pcap', classicPcap({ snaplen, records: story() }));
      const result = await runCli(['read', '--json', target]);
      expect([0, 3]).toContain(result.code);
      expect((JSON.parse(result.stdout) as Report).packets.seen).toBe(STORY.frames);
    }
  });
});

describe('a directory', () => {
  test('every capture in it; the rest is told', async () => {
    const folder = tmpDir();
    const records = story();
    saved('a.pcap', classicPcap({ records: records.slice(0, 4) }), folder);
    saved('b', gzipSync(classicPcap({ records: records.slice(4) })), folder);
    saved('notes.txt', 'nothing here but notes, one after the other', folder);
    saved('c.pcap.zst', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...new Array<number>(60).fill(7)), folder);
    mkdirSync(path.join(folder, 'deeper'));
    saved('deep.pcap', bytes, path.join(folder, 'deeper'));
    const result = await runCli(['read', '--json', folder]);
    expect(result.code).toBe(0);
    const report = JSON.parse(result.stdout) as Report;
    expect(report.packets.seen).toBe(STORY.frames);
    expect(report.source.files).toEqual([path.join(folder, 'a.pcap'), path.join(folder, 'b')]);
    expect(result.stderr).toMatch(/notes\.txt is text.*passed over\n/);
    expect(result.stderr).toMatch(/c\.pcap\.zst is zstd-compressed.*zstd -dc .*passed over\n/);
    expect(result.stderr).toMatch(/1 entry that is no file passed over \(folders are not entered\)\n/);
    expect(await runCli(['read', '-q', '--json', folder])).toMatchObject({ code: 0, stderr: '' });
  });

  test('with nothing in it: exit 2; beside a capture: exit 3', async () => {
    const folder = tmpDir();
    expectRefusal(await runCli(['read', folder]), `no capture in ${folder}: it is empty`);
    expectIncomplete(await runCli(['read', '--json', folder, file]), STORY.frames, /no capture in .*: it is empty/);
    writeFileSync(path.join(folder, 'notes'), 'only notes, which are text and not a capture');
    const result = await runCli(['read', folder]);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(`no capture in ${folder}: 1 other file there`);
  });

  const asNobody = process.getuid?.() === 0 && hasTool('setpriv');
  testIf(asNobody, 'needs root and setpriv', 'with one that cannot be read: exit 3', async () => {
    const folder = tmpDir();
    chmodSync(folder, 0o755);
    saved('a.pcap', bytes, folder);
    chmodSync(saved('b.pcap', bytes, folder), 0o600);
    const command = cliCommand('read', '--json', folder);
    const result = await runShell(`setpriv --reuid=65534 --regid=65534 --clear-groups ${command}`);
    if (result.stderr.includes(CLI)) {
      process.stderr.write('skipped: another user cannot run the program from here\n');
      return;
    }
    expectIncomplete(result, STORY.frames, /b\.pcap: permission denied/);
  });
});
