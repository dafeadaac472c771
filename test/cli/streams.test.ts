/** Streams that are closed, full or terminals; names that are hostile; what is loaded. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../src/report/types.js';
import { pcapng } from '../support/capture-bytes.js';
import { resetFrame } from '../support/frames.js';
import { CLI, cliCommand, runCli, runShell, shellQuote, tmpDir } from '../support/run.js';
import { hasTool, testIf } from '../support/tools.js';
import { RAW_CONTROL } from './checks.js';
import { manySegments, NOON, saved, storyBytes } from './samples.js';

const bytes = storyBytes();
const file = saved('story.pcap', bytes);
const STACK = /\n\s+at /;
const RUN = '"$NODE" "$RSTSCOPE"';

describe('closed streams', () => {
  test.each([
    [`read ${file} >&-`, 0],
    [`read --json ${file} 2>&-`, 0],
    [`read ${file} <&- >&- 2>&-`, 0],
    ['read /nowhere.pcap 2>&-', 2],
    ['--version >&-', 0],
    [`read -w - ${file} >&-`, 0],
  ])('%s: exit %d', async (args, code) => {
    const result = await runShell(`${RUN} ${args}`);
    expect(result.code).toBe(code);
    expect(`${result.stdout}${result.stderr}`).not.toMatch(STACK);
  });

  test('a reader that has gone before anything was written', async () => {
    for (const args of ['--version', '--schema', '', 'read --help', `read ${file}`, `read --csv ${file}`]) {
      const result = await runShell(`${RUN} ${args} | true`);
      expect(result).toMatchObject({ codes: [0, 0], stderr: '' });
    }
  });

  test('nobody reads stderr', async () => {
    const result = await runShell(
      `{ ${RUN} read ${file} /nowhere.pcap 2>&1 >&3 | true; echo "\${PIPESTATUS[0]}"; } 3>&1`,
    );
    expect(result.stdout).toMatch(/\n3\n$/);
  });
});

describe('full streams', () => {
  const full = existsSync('/dev/full');
  for (const args of [
    '',
    '--version',
    '--help',
    '--schema',
    `read ${file}`,
    `read --json ${file}`,
    `read -w - ${file}`,
  ]) {
    testIf(full, 'needs /dev/full', `rstscope ${args} >/dev/full: one sentence, exit 2`, async () => {
      const result = await runShell(`${RUN} ${args} >/dev/full`);
      expect(result.code).toBe(2);
      expect(result.stderr).toMatch(/^rstscope: cannot write to standard output: .*no space left on .*device.*\n$/);
    });
  }

  testIf(full, 'needs /dev/full', 'stderr: the report and the code are what they are', async () => {
    for (const [args, code] of [
      [`read --debug ${file}`, 0],
      [`read ${file} /nowhere.pcap`, 3],
      ['read /nowhere.pcap', 2],
    ] as const) {
      const result = await runShell(`${RUN} ${args} 2>/dev/full`);
      expect(result.code).toBe(code);
      expect(result.stdout.includes('4 resets')).toBe(code !== 2);
    }
  });
});

/** Runs a command with a terminal for stdout and stderr; what it shows. */
async function onTerminal(command: string, env: Record<string, string> = {}): Promise<{ shown: string; code: number }> {
  const result = await runShell(`script -qec ${shellQuote(command)} /dev/null </dev/null`, {
    env: { TERM: 'xterm-256color', ...env },
  });
  return { shown: result.stdout, code: result.code ?? -1 };
}

const ERASE = '\r\u001b[2K';
const COLOR = /\p{Cc}\[[\d;]*m/u;

describe('a terminal', () => {
  const script = hasTool('script');
  const read = cliCommand('read', file);

  testIf(script, 'needs script', 'has colours, unless told otherwise', async () => {
    expect((await onTerminal(read)).shown).toMatch(COLOR);
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }, { FORCE_COLOR: '0' }]) {
      expect((await onTerminal(read, env)).shown).not.toMatch(COLOR);
    }
    expect((await onTerminal(`${read} --color never`)).shown).not.toMatch(COLOR);
    const both = (await onTerminal(read, { NO_COLOR: '1', FORCE_COLOR: '1' })).shown;
    expect(both).toMatch(COLOR);
    expect(both).not.toContain('Warning');
  });

  testIf(script, 'needs script', 'colour goes by each stream', async () => {
    const { shown } = await onTerminal(`${read} | cat`);
    expect(shown).not.toMatch(COLOR);
  });

  testIf(script, 'needs script', 'a short run draws no progress', async () => {
    expect((await onTerminal(read)).shown).not.toContain(ERASE);
  });

  testIf(script, 'needs script', '-w - is refused', async () => {
    const { shown, code } = await onTerminal(cliCommand('read', '-w', '-', file));
    expect(shown).toContain('would write a capture to the terminal');
    expect(code).toBe(2);
  });

  testIf(script, 'needs script', 'a long run draws a line of progress, gone before the report; -q none', async () => {
    // Long beside what the program takes to begin.
    const slow = `(cat ${shellQuote(file)}; sleep 3; tail -c +25 ${shellQuote(file)})`;
    const { shown } = await onTerminal(`bash -c ${shellQuote(`${slow} | ${cliCommand('read', '-')}`)}`);
    const last = shown.lastIndexOf(ERASE);
    expect(last).toBeGreaterThan(0);
    expect(shown.slice(0, last)).toMatch(/\d+ resets/);
    expect(shown.slice(last)).toContain('link type');
    expect(shown.slice(0, last)).not.toContain('link type');
    const quiet = await onTerminal(`bash -c ${shellQuote(`${slow} | ${cliCommand('read', '-q', '-')}`)}`);
    expect(quiet.shown).not.toContain(ERASE);
  });

  test('without one there is no progress', async () => {
    const large = saved('large.pcap', manySegments(200_000));
    expect(await runCli(['read', '--json', large])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('hostile names', () => {
  const evil = 'a\u001b[31m\nb\u0007\u009b\u202e\r.pcap';
  const folder = tmpDir();
  saved(evil, bytes, folder);
  const frames = [0, 1].map((i) => ({
    timestamp: BigInt(NOON + i) * 1_000_000n,
    bytes: resetFrame({ dstPort: 50000 + i, payload: Buffer.from('\u001b]0;owned\u0007') }),
  }));
  const named = pcapng({ os: evil, application: evil }).interface({ name: `eth\u001b[2J\n${evil}`, description: evil });
  for (const frame of frames) named.enhancedPacket({ ...frame, comments: [evil] });
  const capture = saved('named.pcapng', named.bytes());

  const formats = [[], ['--json', '--events'], ['--ndjson'], ['--csv'], ['--color', 'never', '--debug']];

  test.each(formats.map((args) => [args]))('no stream carries control characters: read %j', async (args) => {
    for (const target of [path.join(folder, evil), capture, folder]) {
      const result = await runCli(['read', ...args, target]);
      expect(result.code).toBe(0);
      expect(result.stdout.replaceAll('\r\n', '\n')).not.toMatch(RAW_CONTROL);
      expect(result.stderr).not.toMatch(RAW_CONTROL);
    }
  });

  test('nor when they are missing, no captures, damaged, or written to', async () => {
    saved(`cut${evil}`, bytes.subarray(0, -3), folder);
    saved(`text${evil}`, 'a text that is no capture, whatever it is called', folder);
    for (const args of [
      [path.join(folder, `missing${evil}`)],
      [path.join(folder, `text${evil}`)],
      [path.join(folder, `cut${evil}`)],
      ['--json', path.join(folder, `cut${evil}`)],
      [folder],
      [file, path.join(folder, `missing${evil}`)],
      ['-w', path.join(folder, evil), path.join(folder, evil)],
      ['-w', path.join(folder, `out${evil}`), file],
      ['--debug', path.join(folder, `missing${evil}`)],
      [`--${evil}`],
      ['--cause', evil, file],
    ]) {
      const result = await runCli(['read', ...args]);
      expect([0, 2, 3]).toContain(result.code);
      expect(result.stdout).not.toMatch(RAW_CONTROL);
      expect(result.stderr).not.toMatch(RAW_CONTROL);
    }
  });

  test('JSON keeps the true name, escaped', async () => {
    const target = path.join(folder, evil);
    const report = JSON.parse((await runCli(['read', '--json', target])).stdout) as Report;
    expect(report.source.files).toEqual([target]);
  });
});

describe('start-up', () => {
  /** What a run loads, by a loader's hook. */
  async function loaded(...args: string[]): Promise<string[]> {
    const folder = tmpDir();
    const list = path.join(folder, 'loaded');
    const hooks = path.join(folder, 'hooks.mjs');
    const register = path.join(folder, 'register.mjs');
    writeFileSync(list, '');
    writeFileSync(
      hooks,
      `import { appendFileSync } from 'node:fs';
       export async function load(url, context, next) {
         appendFileSync(${JSON.stringify(list)}, url + '\\n');
         return next(url, context);
       }`,
    );
    writeFileSync(register, `import { register } from 'node:module'; register('./hooks.mjs', import.meta.url);`);
    const result = await runShell(`"$NODE" --import ${shellQuote(register)} ${shellQuote(CLI)} ${args.join(' ')}`);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    return readFileSync(list, 'utf8').trim().split('\n');
  }

  test('--version loads next to nothing', async () => {
    const modules = await loaded('--version');
    expect(modules.length).toBeLessThanOrEqual(8);
    expect(modules.join('\n')).not.toMatch(/node_modules|zlib|crypto|process-/);
  });

  test('JSON loads nothing that only tables need', async () => {
    const modules = (await loaded('read', '--json', file)).join('\n');
    expect(modules).toContain('commander');
    expect(modules).not.toMatch(/chalk|cli-table3|node:crypto/);
  });

  test('tables load nothing that only events need', async () => {
    const modules = (await loaded('read', file)).join('\n');
    expect(modules).toContain('cli-table3');
    expect(modules).not.toMatch(/node:crypto/);
  });
});
