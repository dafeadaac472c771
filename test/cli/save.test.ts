/** `-w`: what is saved, where, and what is refused. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../src/report/types.js';
import { cliCommand, runCli, runShell, shellQuote, tmpDir } from '../support/run.js';
import { hasTool, itWith, testIf } from '../support/tools.js';
import { tsharkFields } from '../support/tshark.js';
import { expectRefusal, reportOf } from './checks.js';
import { manyResets, saved, STORY, storyBytes, twoLinkTypes } from './samples.js';

const bytes = storyBytes();
const file = saved('story.pcap', bytes);
const two = saved('two.pcapng', twoLinkTypes());
const folder = tmpDir();
const inFolder = (name: string): string => path.join(folder, name);

/** What a saved event must have kept. */
function essence(report: Report): unknown[] {
  return report.events.map((e) => [e.epoch, e.src_ip, e.src_port, e.dest_ip, e.dest_port, e.seq, e.tcp_flags]);
}

describe('-w FILE.pcapng', () => {
  const out = inFolder('out.pcapng');

  test('saves the resets; the report comes too', async () => {
    const result = await runCli(['read', '-w', out, file]);
    // Each reset with the SYN that it answers.
    expect(result).toMatchObject({ code: 0, stderr: `rstscope: 8 frames saved in ${out}\n` });
    expect(result.stdout).toContain('4 resets');
    expect(essence(await reportOf([out]))).toEqual(essence(await reportOf([file])));
    expect((await reportOf([out])).packets).toMatchObject({ seen: STORY.frames, resets: STORY.resets });
  });

  test('is for its owner only', () => {
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });

  itWith('tshark', 'has a comment on each reset, and on nothing else', async () => {
    const rows = await tsharkFields(out, ['frame.comment', 'tcp.flags.reset']);
    expect(rows).toHaveLength(STORY.frames);
    for (const [comment, reset = ''] of rows) {
      if (/^(?:1|True)$/.test(reset)) expect(comment).toMatch(/^rstscope: cause=[a-z-]+ confidence=[a-z]+ id=\S+$/);
      else expect(comment).toBe('');
    }
  });

  test('holds the chosen ones only', async () => {
    const chosen = inFolder('chosen.pcapng');
    await runCli(['read', '-q', '--port', '443', '-w', chosen, file]);
    expect((await reportOf([chosen])).packets.resets).toBe(2);
  });

  test('keeps interfaces and link types', async () => {
    const copy = inFolder('two.pcapng');
    await runCli(['read', '-q', '-w', copy, two]);
    const report = await reportOf([copy]);
    expect(report.source).toMatchObject({ interfaces: ['eth0', 'tun0'] });
    expect(report.source.link_types).toHaveLength(2);
  });

  test('with nothing to save it is a capture all the same', async () => {
    const none = inFolder('none.pcapng');
    expect(await runCli(['read', '-w', none, '--port', '1', file])).toMatchObject({ code: 0 });
    expect((await reportOf([none])).packets.seen).toBe(0);
  });

  test('beside JSON', async () => {
    const result = await runCli(['read', '--json', '-w', inFolder('beside.pcapng'), file]);
    expect(JSON.parse(result.stdout)).toMatchObject({ packets: { resets: 4 } });
  });
});

describe('-w FILE.pcap', () => {
  test('says that it holds no comments', async () => {
    const out = inFolder('out.pcap');
    const result = await runCli(['read', '-w', out, file]);
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/out\.pcap is written as classic pcap, which holds no comments\n/);
    expect(essence(await reportOf([out]))).toEqual(essence(await reportOf([file])));
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });

  test('two link types are refused before anything is written', async () => {
    const out = saved('mixed.pcap', 'as it was');
    expectRefusal(await runCli(['read', '-w', out, two]), 'holds one link type, the input has 2: EN10MB, RAW');
    expect(readFileSync(out, 'utf8')).toBe('as it was');
    const fresh = inFolder('fresh.pcap');
    expectRefusal(await runCli(['read', '-w', fresh, two]), 'one link type');
    expect(existsSync(fresh)).toBe(false);
  });

  test('two link types of a pipe show later: the report comes, exit 2', async () => {
    const result = await runCli(['read', '--json', '-w', inFolder('late.pcap'), '-'], { stdin: twoLinkTypes() });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('holds one link type, the input has 2: EN10MB, RAW');
    expect(JSON.parse(result.stdout)).toMatchObject({ packets: { resets: 2 } });
  });
});

describe('-w -', () => {
  itWith('tshark', 'into tshark', async () => {
    const result = await runShell(`${cliCommand('read', '-w', '-', file)} | tshark -n -r - -T fields -e tcp.srcport`);
    expect(result.codes).toEqual([0, 0]);
    expect(result.stdout).toBe('40000\n7211\n40001\n443\n40002\n40002\n40003\n8080\n');
  });

  test('into rstscope, talk on stderr only', async () => {
    const result = await runShell(
      `${cliCommand('read', '-w', '-', file)} | ${cliCommand('read', '--json', '--events', '-')}`,
    );
    expect(result).toMatchObject({ codes: [0, 0], stderr: '' });
    expect(essence(JSON.parse(result.stdout) as Report)).toEqual(essence(await reportOf([file])));
  });

  test('a large one through a slow reader loses nothing', async () => {
    const many = saved('many.pcap', manyResets(50_000));
    const result = await runShell(
      `${cliCommand('read', '-w', '-', many)} | { sleep 1; ${cliCommand('read', '--json', '-')}; }`,
    );
    expect(result).toMatchObject({ codes: [0, 0], stderr: '' });
    expect((JSON.parse(result.stdout) as Report).packets.resets).toBe(50_000);
  });
});

describe('refused', () => {
  test('writing over the capture that is read, by whatever name', async () => {
    const link = inFolder('link.pcapng');
    symlinkSync(file, link);
    for (const target of [file, link, `${path.dirname(file)}/./story.pcap`]) {
      expectRefusal(await runCli(['read', '-w', target, file]), 'would write over the capture that is being read');
    }
    const command = `${cliCommand('read', '-w', file, '-')} <${shellQuote(file)}`;
    expectRefusal(await runShell(command), 'would write over the capture that is being read');
    expect(Buffer.compare(readFileSync(file), bytes)).toBe(0);
  });

  test.each([
    ['/nowhere/out.pcapng', 'there is no such folder'],
    [folder, 'it is a directory'],
  ])('%s', async (target, why) => {
    expectRefusal(await runCli(['read', '-w', target, file]), `cannot write ${target}: ${why}`);
  });

  test('a run that cannot read leaves what was there', async () => {
    const old = saved('old.pcapng', 'as it was');
    expectRefusal(await runCli(['read', '-w', old, '/nowhere.pcap']), 'no such file');
    expect(readFileSync(old, 'utf8')).toBe('as it was');
    const fresh = inFolder('not-made.pcapng');
    expectRefusal(await runCli(['read', '-w', fresh, '/nowhere.pcap']), 'no such file');
    expect(existsSync(fresh)).toBe(false);
  });
});

describe('a full disk', () => {
  testIf(existsSync('/dev/full'), 'needs /dev/full', '/dev/full: a sentence, the report, exit 2', async () => {
    for (const quiet of [[], ['-q']]) {
      const result = await runCli(['read', ...quiet, '-w', '/dev/full', file]);
      expect(result).toMatchObject({ code: 2 });
      expect(result.stderr).toBe('rstscope: cannot write /dev/full: no space left on the device\n');
      expect(result.stdout).toContain('4 resets');
    }
  });

  const root = process.getuid?.() === 0 && hasTool('unshare');
  testIf(root, 'needs root and unshare', 'a small file system', async () => {
    const many = saved('many.pcap', manyResets(50_000));
    const place = tmpDir();
    const command = cliCommand('read', '--json', '-w', `${place}/out.pcapng`, many);
    const result = await runShell(
      `unshare -m sh -c ${shellQuote(`mount -t tmpfs -o size=64k none ${shellQuote(place)} && ${command}`)}`,
    );
    if (result.stderr.includes('mount:') || result.stderr.includes('unshare:')) {
      process.stderr.write('skipped: mounting is not allowed here\n');
      return;
    }
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^rstscope: cannot write .*out\.pcapng: no space left on the device\n$/);
    expect((JSON.parse(result.stdout) as Report).packets.resets).toBe(50_000);
  });
});
