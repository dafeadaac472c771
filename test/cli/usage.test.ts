/** What is typed: help, version, schema, and every option typed wrongly. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { optionsOf } from '../../src/cli/options.js';
import { cliCommand, REPOSITORY, runCli, runShell } from '../support/run.js';
import { expectRefusal } from './checks.js';
import { saved, storyBytes } from './samples.js';

const file = saved('story.pcap', storyBytes());
const { version } = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };

describe('no arguments', () => {
  const shown = expect.stringMatching(/^rstscope: who .*\n[^]*rstscope live -d 5m[^]*\| jq /);

  test('short help with two examples', async () => {
    expect(await runCli([])).toMatchObject({ code: 0, stderr: '', stdout: shown });
  });

  test('also with a capture on standard input, which is not read', async () => {
    expect(await runCli([], { stdin: storyBytes() })).toMatchObject({ code: 0, stderr: '', stdout: shown });
  });

  test('also with a pipe that stays open: it is not waited for', async () => {
    const result = await runShell(`sleep 40 | { ${cliCommand()}; kill -- -$$; }`, { timeoutMs: 20_000 });
    expect(result.stdout).toMatch(/^rstscope: who/);
  });
});

describe('help', () => {
  test.each([[['-h']], [['--help']], [['help']]])('%j tells of commands and exit codes', async (args) => {
    const result = await runCli(args);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    for (const word of ['Usage: rstscope', 'read', 'Exit codes', '70', '130', '--schema']) {
      expect(result.stdout).toContain(word);
    }
  });

  test.each([[['read', '-h']], [['read', '--help']], [['help', 'read']], [['read', '--help', file]]])(
    '%j lists every option that is shown',
    async (args) => {
      const result = await runCli(args);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      for (const { flags, hidden } of optionsOf('read')) {
        if (hidden === true) expect(result.stdout).not.toContain(`\n  ${flags} `);
        else expect(result.stdout).toContain(flags);
      }
    },
  );

  test('names only commands that are there', async () => {
    const { stdout } = await runCli(['--help']);
    expect(stdout).not.toMatch(/\bcompletion\b(?! is)/);
  });

  test('is as wide as COLUMNS says', async () => {
    const { stdout } = await runCli(['read', '--help'], { env: { COLUMNS: '60' } });
    const options = stdout.split('\n').filter((line) => /^ {2,}/.test(line) && !line.includes('rstscope'));
    expect(Math.max(...options.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test('on a command that is not there: exit 2', async () => {
    expectRefusal(await runCli(['help', 'nothing']), 'no help on that command');
  });
});

describe('version and schema', () => {
  test.each([[['-V']], [['--version']], [['-q', '--version']], [['read', '--version']], [[file, '--version']]])(
    '%j prints the version',
    async (args) => {
      expect(await runCli(args)).toMatchObject({ code: 0, stderr: '', stdout: `rstscope ${version}\n` });
    },
  );

  test.each([[['--schema']], [['read', '--schema']]])('%j prints the schema as shipped', async (args) => {
    const result = await runCli(args);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(result.stdout)).toHaveProperty('$defs.report');
    expect(result.stdout).toBe(readFileSync(path.join(REPOSITORY, 'schema/rstscope-v1.schema.json'), 'utf8'));
  });
});

describe('wrong usage', () => {
  test.each([
    [['--nope'], "unknown option '--nope'"],
    [['read', '--nope', file], "unknown option '--nope'"],
    [['read', '--jsn', file], 'did you mean --json?'],
    [['read', '-Z', file], "unknown option '-Z'"],
    [['read', '--json=yes', file], '--json'],
    [['read', file, '--port'], 'needs a value: only these ports'],
    [['-r'], 'needs a value'],
    [['read', ''], 'name is empty'],
    [['read', '-w', '', file], 'needs the name of a file'],
    [['read', '-', '-'], 'read once only'],
    [['read'], 'needs a capture: a file, a directory, or a pipe'],
  ])('%j', async (args, words) => {
    expectRefusal(await runCli(args), words);
  });

  test.each(
    optionsOf('read')
      .filter(({ flags }) => flags.includes('<'))
      .map(({ flags, hidden }) => [flags, hidden]),
  )('%s without its value says what it is', async (flags) => {
    const name = /--?[\w-]+(?= <)/.exec(String(flags))?.[0] ?? '';
    expectRefusal(await runCli(['read', file, name]), `${String(flags)} needs a value: `);
  });

  test.each([
    ['--port', 'http', 'a port, a list (80,443) or a range (8000-8100), from 0 to 65535'],
    ['--port', '65536', 'from 0 to 65535'],
    ['--port', '90-80', 'a range'],
    ['--port', '80,', 'a list'],
    ['--port', '', 'a port'],
    ['--port', '-1', 'a port'],
    ['--host', 'example.org', 'an IP address or a block (10.0.0.0/8)'],
    ['--host', '10.0.0.0/33', 'a block'],
    ['--host', '10.0.0', 'an IP address'],
    ['--host', '::1/129', 'a block'],
    ['--local', '1.2.3.4.5', 'an IP address'],
    ['--direction', 'up', 'one of sent, received, local, forwarded, unknown'],
    ['--cause', 'bad-luck', 'one of closed-port, '],
    ['--pattern', 'dots', 'one of scan, health-check'],
    ['--exclude-pattern', 'dots', 'one of scan, health-check'],
    ['--top', '0', 'a whole number from 1'],
    ['--top', 'many', 'a whole number from 1'],
    ['--top', '1.5', 'a whole number from 1'],
    ['--max-resets', '-1', 'a whole number from 0'],
    ['--max-resets', '1e3', 'a whole number from 0'],
    ['--color', 'blue', 'one of always, never, auto'],
    ['--context', 'some', 'one of resets, control, full'],
    ['--after', 'yesterday', 'a time such as 2026-03-01T12:00:00Z, 12:34:56, or -10m'],
    ['--after', '24:00', 'a time such as'],
    ['--before', '2026-02-31', 'a time such as'],
    ['--before', '2026-13-01T00:00Z', 'a time such as'],
    ['--before', '-10x', 'a time such as'],
  ])('%s %j', async (option, value, how) => {
    const result = await runCli(['read', option, value, file]);
    expectRefusal(result, `${option} does not understand "${value}": `, how);
    expect(result.stderr).toMatch(/\n {2}try: rstscope read --help\n$/);
  });

  test('the value of an option cannot steer the terminal', async () => {
    const result = await runCli(['read', '--port', '\u001b[31m', '--\u001b[0m']);
    expectRefusal(result);
    expect(result.stderr).not.toContain('\u001b');
  });

  test.each([
    [['--json', '--csv'], '--json and --csv'],
    [['--json', '--ndjson'], '--json and --ndjson'],
    [['--ndjson', '--csv'], '--ndjson and --csv'],
    [['--json', '-w', '-'], '--json and -w -'],
    [['--csv', '-w', '-'], '--csv and -w -'],
  ])('two things on standard output: %j', async (options, words) => {
    expectRefusal(await runCli(['read', ...options, file]), words);
  });

  test('is found before anything is read', async () => {
    expectRefusal(await runCli(['read', '--top', '0', '/nowhere.pcap']), '--top');
  });

  test('--debug adds where it was thrown', async () => {
    const result = await runCli(['read', '--debug', '--top', '0', file]);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(/\n {4}at /);
  });
});
