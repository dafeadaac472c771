/** `explain FILE FRAME` of the built program: what it says where there is no such reset, and what becomes of its input. */
import { describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { classicPcap } from '../support/capture-bytes.js';
import { resetFrame, segment } from '../support/frames.js';
import { cliCommand, runCli, runShell } from '../support/run.js';
import { expectRefusal } from './checks.js';
import { HANDSHAKE, talk } from './ladders.js';
import { manySegments, NOON, saved, story, storyBytes } from './samples.js';

const ARP = new Uint8Array(60).fill(0).map((_, i) => [8, 6][i - 12] ?? 0);

/** What is typed after `try:`. */
function hint(stderr: string): string {
  return /\n {2}try: (.*)\n$/.exec(stderr)?.[1] ?? '';
}

describe('a frame that shows no reset', () => {
  const file = saved('story.pcap', storyBytes());
  const other = [
    ...story(),
    { seconds: NOON + 300, bytes: ARP },
    { seconds: NOON + 301, bytes: segment({ dstPort: 9 }) },
  ];
  const mixed = saved('mixed.pcap', classicPcap({ records: other }));
  test.each([
    ['1', 'is no reset: its TCP flags are [S]; the next reset of its conversation is frame 2', '2'],
    ['3', 'is no reset: its TCP flags are [S]; the next reset of its conversation is frame 4', '4'],
    ['9', 'frame 9 of .* holds no TCP header; of its 4 resets the nearest is frame 8', '8'],
    ['10', 'its TCP flags are \\[.\\]; of its 4 resets the nearest is frame 8', '8'],
    ['11', 'is beyond the end of .*, which has 10 frames; of its 4 resets the nearest is frame 8', '8'],
    ['0', 'frames are counted from 1: there is no frame 0', '2'],
    ['99999999999999999999999999', 'frame 99999999999999999999999999 is beyond the end', '8'],
    ['f1-1', 'f1-1 of .* is no reset', '2'],
    ['f3-1', 'f3-1 is of file 3, and .* is the one file', '2'],
  ])('%s: one sentence with figures, and the nearest that is one', async (frame, words, nearest) => {
    const result = await runCli(['explain', mixed, frame]);
    const pattern = words.includes('.*') || words.includes('\\') ? words : words.replaceAll(/[[\]]/g, '\\$&');
    expectRefusal(result, new RegExp(pattern));
    expect(hint(result.stderr)).toBe(`rstscope explain ${mixed} ${nearest}`);
  });
  test.each(['-1', '1e99', '1.5', '0x2', ' 2', 'f1-', 'refused', ''])('%j is none', async (word) => {
    expectRefusal(await runCli(['explain', file, word]), `"${word}" is neither the number of a frame`);
  });
  test('an id that no reset bears', async () => {
    const id = '2026-03-01T12:00:00Z-10.0.0.1-80-10.0.0.2-4000-1';
    expectRefusal(
      await runCli(['explain', file, id]),
      `has the id ${id}: it holds 4 resets, none of which bears an id`,
    );
  });
  test('a capture without a reset, without a frame', async () => {
    const without = saved('without.pcap', talk(HANDSHAKE));
    const result = await runCli(['explain', without, '2']);
    expectRefusal(result, /its TCP flags are \[S\.\]; there is no reset in it/);
    expect(hint(result.stderr)).toBe(`rstscope read ${without}`);
    expectRefusal(await runCli(['explain', saved('empty.pcap', classicPcap()), '1']), 'which has 0 frames');
  });
  test('in many frames of the sieve', async () => {
    const many = saved('many.pcap', manySegments(20_000));
    expectRefusal(await runCli(['explain', many, '19999']), 'its TCP flags are [.]; there is no reset in it');
  });
});

describe('the file', () => {
  test('is missing, is none, is a word', async () => {
    expectRefusal(await runCli(['explain', 'output.pcap', '17']), 'cannot read output.pcap: no such file');
    expectRefusal(
      await runCli(['explain', saved('text.txt', 'no capture at all, but text'), '1']),
      'is text, not a capture',
    );
    const alone = saved('story.pcap', storyBytes());
    expectRefusal(await runCli(['explain', alone]), 'is a file: explain takes the frame of a reset');
  });
  test('is read twice: standard input and pipes are not', async () => {
    expectRefusal(
      await runCli(['explain', '-', '2'], { stdin: storyBytes() }),
      'explain reads the capture twice, and - can be read once only',
    );
  });
  test('is compressed, is cut off: exit code 3, and what was there is explained', async () => {
    const packed = saved('story.pcap.gz', gzipSync(storyBytes()));
    expect(await runCli(['explain', packed, '2'])).toMatchObject({ code: 0, stderr: '' });
    const cut = saved('cut.pcap', storyBytes().subarray(0, -10));
    const result = await runCli(['explain', cut, '2']);
    expect(result.code).toBe(3);
    expect(result.stdout).toMatch(/^closed-port \(likely\)/);
    expect(result.stderr).toContain('cut.pcap');
    expect((await runCli(['explain', '-q', cut, '2'])).stderr).toBe('');
  });
  test('several: by the id of read, or not at all', async () => {
    const [one, two] = [saved('one.pcap', storyBytes()), saved('two.pcap', storyBytes())];
    expect((await runCli(['explain', one, two, 'f2-4'])).stdout).toContain(`Frame 4 of`);
    const result = await runCli(['explain', one, two, '4']);
    expectRefusal(result, 'there are 2 captures, and frame 4 is one of each');
    expect(hint(result.stderr)).toBe(`rstscope explain ${one} ${two} f1-4`);
  });
  test('has a name that a shell would take for more', async () => {
    const odd = saved("o'dd $(x).pcap", storyBytes());
    const { stdout } = await runCli(['explain', odd, '2']);
    expect(stdout).toContain(`tshark -r '${odd.replace("'", `'\\''`)}' -Y 'ip.addr == 192.0.2.20`);
  });
});

test('large files are read in a thread of their own, to the same end', async () => {
  const frames = manySegments(60_000);
  const reset = classicPcap({
    records: [{ seconds: NOON, fraction: 9, bytes: resetFrame({ flags: 'R', seq: 0, ack: 0 }) }],
  });
  const file = saved('large.pcap', Buffer.concat([frames, reset.subarray(24)]));
  const { code, stdout } = await runCli(['explain', '--json', file, '60001']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ event: { frame: 60_001 }, ladder: { length: expect.any(Number) } });
});

test('a reader that leaves early is no error', async () => {
  const file = saved('story.pcap', storyBytes());
  const result = await runShell(`${cliCommand('explain', file, '2')} | head -1`);
  expect(result.codes).toEqual([0, 0]);
  expect(result.stderr).toBe('');
});
