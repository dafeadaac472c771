/** What `live` refuses, and odd places that it must cope with: one sentence, at once, nothing made. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { expectRefusal } from '../cli/checks.js';
import { cliCommand, runCli, runShell, shellQuote, tmpDir } from '../support/run.js';
import { labProblem } from '../support/lab.js';
import { testIf } from '../support/tools.js';

const problem = labProblem('tcpdump');
const it = (name: string, body: () => Promise<void>): void => testIf(problem === '', problem, name, body, 120_000);

describe('refused before anything starts', () => {
  test('a filter over which libpcap would take minutes', async () => {
    const words = ['port', '1', ...Array.from({ length: 2000 }, () => ['or', 'port', '1']).flat()];
    expectRefusal(await runCli(['live', '-d', '1', ...words]), '8,192 are the limit');
  });

  test('standard output as a file beside a report, by whatever name', async () => {
    const out = path.join(tmpDir(), 'both');
    const command = cliCommand('live', '-d', '1', '--json', '-w', '/dev/stdout');
    const { code, stderr } = await runShell(`${command} > ${shellQuote(out)}`);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--json and -w -, not both') });
  });

  test.each([
    ['--duration', 'x'],
    ['--count', '0'],
    ['--backend', 'foo'],
    ['-s', 'x'],
  ])('%s %s names the help of live', async (option, value) => {
    const { code, stderr } = await runCli(['live', option, value]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('rstscope live --help') });
  });

  it('a pipe that nobody reads: it would hold up the run', async () => {
    const folder = tmpDir();
    const { code, stderr } = await runShell(
      `cd ${shellQuote(folder)} && mkfifo pipe && ${cliCommand('live', '-i', 'lo', '-d', '1', '-w', 'pipe')}`,
    );
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('nobody reads that pipe') });
  });
});

describe('odd places', () => {
  it('a working directory that is gone: it captures, and saves nothing there', async () => {
    const folder = path.join(tmpDir(), 'gone');
    mkdirSync(folder);
    const live = cliCommand('live', '-i', 'lo', '-d', '0.3', '--json', '-q');
    const gone = `cd ${shellQuote(folder)} && rmdir ../gone`;
    expect(await runShell(`${gone} && ${live}`)).toMatchObject({ code: 0, stderr: '' });
    mkdirSync(folder);
    const { code, stderr } = await runShell(`${gone} && ${live} -w resets.pcapng`);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('working directory is gone') });
    expect(existsSync('/resets.pcapng')).toBe(false);
  });

  it('a pipe with a reader takes a capture', async () => {
    const folder = tmpDir();
    const live = cliCommand('live', '-i', 'lo', '-d', '0.5', '-q', '-w', 'pipe');
    const read = cliCommand('read', '--json', 'pipe');
    const reads = 'until readlink /proc/$reader/fd/* 2>/dev/null | grep -q /pipe$; do sleep 0.05; done';
    const { code, stdout } = await runShell(
      `cd ${shellQuote(folder)} && mkfifo pipe && { ${read} & reader=$!; ${reads}; ${live} >live.txt; echo "code $?" >code.txt; wait $reader; }; cat code.txt`,
    );
    expect(code).toBe(0);
    expect(stdout).toContain('code 0');
    expect(stdout).toContain('"type": "report"');
  });

  it('interfaces that are named twice are one; any is all of them', async () => {
    const { stdout } = await runCli(['live', '-i', 'lo', '-i', 'lo,any', '-d', '0.3', '--json', '-q']);
    expect(JSON.parse(stdout)).toMatchObject({ source: { interfaces: ['any'] } });
  });
});
