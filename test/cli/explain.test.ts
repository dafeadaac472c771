/** `rstscope explain`: what is typed, what comes out, and where. */
import { describe, expect, test } from '@jest/globals';
import { CAUSES } from '../../src/report/types.js';
import { strictly } from '../render/strict-schema.js';
import { runInProcess } from '../support/in-process.js';
import { cliCommand, runCli, runShell } from '../support/run.js';
import { expectRefusal, RAW_CONTROL } from './checks.js';

describe('explain', () => {
  test('alone lists every cause', async () => {
    const { code, stdout, stderr } = await runCli(['explain']);
    expect([code, stderr]).toEqual([0, '']);
    for (const cause of CAUSES) expect(stdout).toMatch(new RegExp(`^ {2}${cause} {2,}\\S`, 'm'));
  });
  test('CAUSE prints its page', async () => {
    const { code, stdout, stderr } = await runCli(['explain', 'closed-port']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^closed-port: a SYN met no listener\n\n[^]*How it is recognised\n[^]*What to do\n/);
  });
  test.each(CAUSES)('%s --json is valid by the schema', async (cause) => {
    const { code, stdout, stderr } = await runInProcess(['explain', cause, '--json']);
    expect([code, stderr]).toEqual([0, '']);
    const document: unknown = JSON.parse(stdout);
    expect(strictly('explain')(document)).toEqual([]);
    expect(document).toMatchObject({ type: 'explain', cause });
  });
  test('takes other words for it, with and without --json', async () => {
    expect((await runInProcess(['explain', 'listen queue full'])).stdout).toMatch(/^listen-queue-full: /);
    const page = await runInProcess(['explain', 'buffer overflow']);
    expect(page).toMatchObject({ code: 0, stdout: expect.stringMatching(/^buffer overflow can be one of/) });
    const { stdout } = await runInProcess(['explain', '--json', 'buffer overflow']);
    const document = JSON.parse(stdout) as { causes: { cause: string }[] };
    expect(strictly('causes')(document)).toEqual([]);
    expect(document.causes.map(({ cause }) => cause)).toEqual(['abort-memory', 'abort-unread-data']);
  });
  test('--json alone lists the causes', async () => {
    const { stdout } = await runInProcess(['explain', '--json']);
    expect(strictly('causes')(JSON.parse(stdout))).toEqual([]);
  });
  test('says what a default Linux does with a full listen queue', async () => {
    const { stdout } = await runInProcess(['explain', 'listen queue full'], { COLUMNS: '200' });
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'Linux sends a reset then only with net.ipv4.tcp_abort_on_overflow=1. With the default, 0, the third segment',
    );
  });
});

describe('a word that nobody knows', () => {
  test('is exit code 2, with those like it', async () => {
    expectRefusal(
      await runCli(['explain', 'clsed-port']),
      'no cause is called "clsed-port": did you mean closed-port?',
    );
  });
  test('or with where to find them', async () => {
    expectRefusal(await runCli(['explain', 'xyzzy']), 'no cause is called "xyzzy": rstscope explain lists them');
    expectRefusal(await runCli(['explain', '']), 'no cause is called ""');
  });
  test('cannot steer the terminal', async () => {
    const result = await runCli(['explain', '\u001b[31m\u202e']);
    expectRefusal(result);
    expect(result.stderr).not.toMatch(RAW_CONTROL);
  });
  test('nor are two of them one', async () => {
    const known = await runCli(['explain', 'port', 'scan']);
    expectRefusal(known, 'explain takes one CAUSE, in quotes where it has several words, and got 2');
    expect(known.stderr).toMatch(/\n {2}try: rstscope explain "port scan"\n$/);
    const unknown = await runCli(['explain', 'xyzzy', 'plugh']);
    expectRefusal(unknown, 'explain takes one CAUSE');
    expect(unknown.stderr).toMatch(/\n {2}try: rstscope explain --help\n$/);
    expectRefusal(await runCli(['explain', 'RFC', '5961']), 'explain takes one CAUSE');
  });
  test('nor an option', async () => {
    const result = await runCli(['explain', '--nope']);
    expectRefusal(result, "unknown option '--nope'");
    expect(result.stderr).toMatch(/\n {2}try: rstscope explain --help\n$/);
  });
});

describe('on the streams', () => {
  test('help says what a CAUSE may be', async () => {
    const { code, stdout } = await runCli(['explain', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: rstscope explain \[options\] \[CAUSE \| FILE FRAME\|ID\]\n/);
    expect(stdout).toContain('"connection reset by peer"');
  });
  test('colour is only there where it is wanted', async () => {
    const bold = '\u001b[1m';
    expect((await runInProcess(['explain', 'abort'])).stdout).not.toContain('\u001b');
    expect((await runInProcess(['explain', 'abort'], { FORCE_COLOR: '1' })).stdout).toContain(`${bold}abort`);
    expect((await runInProcess(['explain', 'abort', '--color', 'always'])).stdout).toContain(`${bold}abort`);
    const not = ['explain', 'abort', '--no-color'];
    expect((await runInProcess(not, { FORCE_COLOR: '1' })).stdout).not.toContain('\u001b');
    expectRefusal(await runCli(['explain', '--color', 'blue']), '--color does not understand "blue"');
  });
  test('lines are as wide as COLUMNS says', async () => {
    const { stdout } = await runInProcess(['explain'], { COLUMNS: '60' });
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
  });
  test('a reader that leaves early is no error', async () => {
    const result = await runShell(`${cliCommand('explain', 'half-open')} | head -1`);
    expect(result.codes).toEqual([0, 0]);
    expect(result.stdout).toMatch(/^half-open: .*\n$/);
    expect(result.stderr).toBe('');
  });
});
