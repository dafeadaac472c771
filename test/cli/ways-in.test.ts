/** The same capture by every way into the program gives the same report. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Report } from '../../src/report/types.js';
import { cliCommand, runCli, runShell, shellQuote, tmpDir } from '../support/run.js';
import { expectLawful, reportOf } from './checks.js';
import { NOON, saved, STORY, story, storyBytes, twoLinkTypes } from './samples.js';
import { classicPcap } from '../support/capture-bytes.js';

const bytes = storyBytes();
const file = saved('story.pcap', bytes);
const packed = saved('no-matter-what.txt', gzipSync(bytes));
const JSON_ARGS = ['--json', '--events'];

/** Without what names the input. */
function nameless(report: Report): unknown {
  const events = report.events.map((event) => ({ ...event, file: null, id: null }));
  return { ...report, source: { ...report.source, files: [] }, events };
}

async function* singly(all: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < all.length; i++) {
    yield all.subarray(i, i + 1);
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const expected = nameless(await reportOf([file]));

describe('the same report', () => {
  test('the plain one is right', () => {
    expect(expected).toMatchObject({ packets: { seen: STORY.frames, resets: STORY.resets, unique: STORY.resets } });
  });

  test.each([
    ['read FILE', ['read', ...JSON_ARGS, file]],
    ['options behind the file', ['read', file, ...JSON_ARGS]],
    ['FILE alone', [...JSON_ARGS, file]],
    ['-r FILE', [...JSON_ARGS, '-r', file]],
    ['-nn -r FILE', ['-nn', ...JSON_ARGS, '-r', file]],
    ['-nnvr FILE', ['-nnvr', file, ...JSON_ARGS]],
    ["tcpdump's habits", ['-s', '0', '-l', '-U', '-p', '-v', '-n', '-r', file, ...JSON_ARGS]],
    ['gzip, whatever its name', ['read', ...JSON_ARGS, packed]],
  ])('%s', async (_, args) => {
    const result = await runCli(args);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(nameless(JSON.parse(result.stdout) as Report)).toEqual(expected);
  });

  test.each([
    ['read -', ['read', ...JSON_ARGS, '-'], bytes],
    ['read alone with a pipe', ['read', ...JSON_ARGS], bytes],
    ['-r -', [...JSON_ARGS, '-r', '-'], bytes],
    ['gzip through a pipe', ['read', ...JSON_ARGS, '-'], gzipSync(bytes)],
    ['one byte at a time', ['read', ...JSON_ARGS, '-'], singly(bytes)],
    ['gzip one byte at a time', ['read', ...JSON_ARGS, '-'], singly(gzipSync(bytes))],
  ])('%s', async (_, args, stdin) => {
    const result = await runCli(args, { stdin });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(nameless(JSON.parse(result.stdout) as Report)).toEqual(expected);
  });

  const json = cliCommand('read', ...JSON_ARGS);
  const fifo = `${shellQuote(tmpDir())}/fifo`;
  test.each([
    ['< FILE', `${json} <${shellQuote(file)}`],
    ['- < FILE', `${json} - <${shellQuote(file)}`],
    ['< FILE.gz', `${json} - <${shellQuote(packed)}`],
    ['cat |', `cat ${shellQuote(file)} | ${json} -`],
    ['process substitution', `${json} <(cat ${shellQuote(file)})`],
    ['/dev/stdin', `cat ${shellQuote(file)} | ${json} /dev/stdin`],
    ['/dev/fd/3', `${json} /dev/fd/3 3<${shellQuote(file)}`],
    ['a named pipe', `mkfifo ${fifo}; (sleep 0.3; cat ${shellQuote(file)} >${fifo}) & ${json} ${fifo}`],
  ])('%s', async (_, command) => {
    const result = await runShell(command);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(nameless(JSON.parse(result.stdout) as Report)).toEqual(expected);
  });
});

describe('several captures', () => {
  const records = story();
  const first = saved('first.pcap', classicPcap({ records: records.slice(0, 3) }));
  const second = saved('second.pcap', classicPcap({ records: records.slice(3) }));

  test('are one story, whatever their order on the command line', async () => {
    for (const files of [
      [first, second],
      [second, first],
    ]) {
      const report = await reportOf(files);
      expect(report).toMatchObject({ packets: { seen: STORY.frames, unique: STORY.resets } });
      expect(report.source.files).toEqual(files);
      expect(report.events.map(({ epoch }) => epoch)).toEqual([...report.events.map(({ epoch }) => epoch)].sort());
    }
  });

  test('one of them from standard input', async () => {
    const report = await reportOf([first, '-'], { stdin: readFileSync(second) });
    expect(report).toMatchObject({ packets: { seen: STORY.frames }, source: { files: [first, '-'] } });
  });

  test('one that is named twice is read once, and that is told', async () => {
    const result = await runCli(['read', '--json', file, file]);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toMatch(/^rstscope: .*story\.pcap is named more than once and read once\n$/);
    const report = JSON.parse(result.stdout) as Report;
    expectLawful(report);
    expect(report.packets.seen).toBe(STORY.frames);
  });

  test('of different link types and formats', async () => {
    const report = await reportOf([file, saved('two.pcapng', twoLinkTypes())]);
    expect(report.packets).toMatchObject({ seen: STORY.frames + 2, resets: STORY.resets + 2 });
    expect(report.source.link_types).toHaveLength(2);
    expect(report.window.start_epoch).toBe(NOON);
  });
});
