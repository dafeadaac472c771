/** What comes out of a run that went well: formats, filters, windows, exit codes. */
import { describe, expect, test } from '@jest/globals';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { cliCommand, runCli, runShell, shellQuote } from '../support/run.js';
import { itWith } from '../support/tools.js';
import { strictly } from '../render/strict-schema.js';
import { expectLawful, expectRefusal, RAW_CONTROL, reportOf } from './checks.js';
import { classicPcap, pcapng } from '../support/capture-bytes.js';
import { resetFrame } from '../support/frames.js';
import { manyResets, NOON, saved, STORY, storyBytes } from './samples.js';

const bytes = storyBytes();
const file = saved('story.pcap', bytes);
const ESCAPE = '\u001b[';

describe('--json', () => {
  test('is one document that keeps the strict schema, without events', async () => {
    const result = await runCli(['read', '--json', file]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const report = JSON.parse(result.stdout) as Report;
    expectLawful(report);
    expect(report.events).toEqual([]);
  });

  test('--events fills events, in the order of time', async () => {
    const { events } = await reportOf([file]);
    expect(events).toHaveLength(STORY.resets);
    expect(events.map(({ frame }) => frame)).toEqual([2, 4, 6, 8]);
    for (const event of events) expect(strictly('event')(event)).toEqual([]);
  });

  itWith('jq', 'goes through jq', async () => {
    const result = await runShell(`${cliCommand('read', '--json', file)} | jq -c '[.ports[].resets] | add'`);
    expect(result).toMatchObject({ codes: [0, 0], stderr: '', stdout: `${String(STORY.resets)}\n` });
  });
});

describe('--ndjson', () => {
  test('start, resets, summary', async () => {
    const result = await runCli(['read', '--ndjson', file]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.endsWith('\n')).toBe(true);
    const lines = result.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines.map(({ type }) => type)).toEqual(['start', 'reset', 'reset', 'reset', 'reset', 'summary']);
    expect(strictly('start')(lines[0])).toEqual([]);
    for (const line of lines.slice(1, -1)) expect(strictly('event')(line)).toEqual([]);
    expect(strictly('summary')(lines.at(-1))).toEqual([]);
  });

  test('the resets are those of --events', async () => {
    const { stdout } = await runCli(['read', '--ndjson', file]);
    const lines = stdout.split('\n').slice(1, -2);
    expect(lines.map((line) => JSON.parse(line) as ResetEvent)).toEqual((await reportOf([file])).events);
  });

  test('comes while the pipe is still open', async () => {
    const result = await runShell(
      `(cat ${shellQuote(file)}; sleep 40) | ${cliCommand('read', '--ndjson', '-')} | { head -2; kill -- -$$; }`,
      { timeoutMs: 20_000 },
    );
    expect(result.stdout.split('\n').filter((line) => line !== '')).toHaveLength(2);
  });

  test.each([[''], ['--csv'], ['--json --events'], ['-w -']])(
    'a reader that leaves is no error: read --ndjson %s',
    async (other) => {
      const big = saved('big.pcap', manyResets(150_000));
      const args = other === '' ? ['--ndjson'] : other.split(' ');
      const command = `${cliCommand('read', ...args, big)} | head -c 20 | wc -c`;
      const result = await runShell(command, { timeoutMs: 20_000 });
      expect(result).toMatchObject({ codes: [0, 0, 0], stderr: '' });
      expect(result.stdout.trim()).toBe('20');
    },
  );
});

describe('--csv', () => {
  test('is RFC 4180 with a header', async () => {
    const result = await runCli(['read', '--csv', file]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const rows = result.stdout.split('\r\n');
    expect(rows).toHaveLength(STORY.resets + 2);
    expect(rows.at(-1)).toBe('');
    expect(rows[0]).toMatch(/^type,id,timestamp,epoch,src_ip,/);
    expect(rows[0]?.split(',')).toHaveLength(rows[1]?.split(',').length ?? 0);
    expect(result.stdout.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  test('header alone when there is no reset', async () => {
    const result = await runCli(['read', '--csv', '--port', '1', file]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.split('\r\n')).toHaveLength(2);
  });
});

describe('tables', () => {
  test('plain text in a pipe, within 80 columns', async () => {
    const result = await runCli(['read', file]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain(`${String(STORY.resets)} resets`);
    expect(result.stdout).not.toMatch(RAW_CONTROL);
    for (const line of result.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('COLUMNS widens them', async () => {
    const widest = async (columns: string): Promise<number> => {
      const { stdout } = await runCli(['read', file], { env: { COLUMNS: columns } });
      return Math.max(...stdout.split('\n').map((line) => line.length));
    };
    expect(await widest('200')).toBeGreaterThan(await widest('60'));
    expect(await widest('60')).toBeLessThanOrEqual(60);
    expect(await widest('nonsense')).toBe(await widest('80'));
  });

  test('--top cuts tables and says so, never JSON', async () => {
    const { stdout } = await runCli(['read', '--top', '1', file]);
    expect(stdout).toMatch(/\b[1-9]\d* more/);
    expect((await runCli(['read', file])).stdout).not.toMatch(/\d more/);
    expect((await reportOf(['--top', '1', file])).endpoints).toHaveLength(4);
  });

  test.each([
    ['--color always', ['--color', 'always'], {}, true],
    ['auto in a pipe', [], {}, false],
    ['FORCE_COLOR', [], { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0', [], { FORCE_COLOR: '0' }, false],
    ['FORCE_COLOR and NO_COLOR', [], { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    ['--no-color over FORCE_COLOR', ['--no-color'], { FORCE_COLOR: '1' }, false],
    ['--color never over FORCE_COLOR', ['--color', 'never'], { FORCE_COLOR: '1' }, false],
    ['--color always over NO_COLOR', ['--color', 'always'], { NO_COLOR: '1' }, true],
    ['--color always over TERM=dumb', ['--color', 'always'], { TERM: 'dumb' }, true],
  ])('%s', async (_, args, env, colored) => {
    const result = await runCli(['read', ...args, file], { env });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.includes(ESCAPE)).toBe(colored);
  });

  test('colours never reach JSON, JSON lines or CSV', async () => {
    for (const format of ['--json', '--ndjson', '--csv']) {
      const { stdout } = await runCli(['read', format, '--color', 'always', file], { env: { FORCE_COLOR: '3' } });
      expect(stdout).not.toContain('\u001b');
    }
  });

  test('local time unless --utc', async () => {
    const env = { TZ: 'Asia/Kolkata' };
    expect((await runCli(['read', file], { env })).stdout).toContain('17:30');
    const utc = await runCli(['read', '--utc', file], { env });
    expect(utc.stdout).toContain('12:00');
    expect(utc.stdout).not.toContain('17:30');
    expect((await runCli(['read', '--json', file], { env })).stdout).toContain('2026-03-01T12:00:00.000000Z');
  });
});

describe('filters', () => {
  test.each([
    [['--port', '443'], 2],
    [['--port', '443,8080'], 3],
    [['--port', '443', '--port', '8080'], 3],
    [['--port', '7000-8100'], 2],
    [['--port', '40001'], 1],
    [['--port', '0-65535'], 4],
    [['--port', '1'], 0],
    [['--host', '198.51.100.7'], 1],
    [['--host', '198.51.100.0/24'], 1],
    [['--host', '192.0.2.0/24'], 3],
    [['--host', '2001:db8::/32'], 1],
    [['--host', '2001:DB8:0::20'], 1],
    [['--host', '198.51.100.7,2001:db8::/64'], 2],
    [['--host', '10.0.0.0/8'], 0],
    [['--host', '0.0.0.0/0'], 3],
    [['--port', '443', '--host', '192.0.2.0/24'], 1],
    [['--cause', 'unknown,closed-port,abort,half-open'], 4],
    [['--cause', 'injected'], 0],
    [['--pattern', 'scan'], 0],
    [['--exclude-pattern', 'scan'], 4],
    [['--direction', 'unknown'], 4],
    [['--direction', 'sent'], 0],
    [['--local', '192.0.2.10', '--direction', 'received'], 3],
    [['--local', '192.0.2.0/24', '--direction', 'local'], 2],
    [['--local', '192.0.2.10,2001:db8::10', '--direction', 'sent'], 1],
  ])('%j keeps %d', async (args, kept) => {
    const report = await reportOf([...args, file]);
    expect(report.events).toHaveLength(kept);
    expect(report.packets).toMatchObject({ unique: STORY.resets, filtered_out: STORY.resets - kept });
  });

  test('--cause and its opposite share all resets between them', async () => {
    const { causes } = await reportOf([file]);
    for (const { cause, resets } of causes) {
      expect((await reportOf(['--cause', cause, file])).events).toHaveLength(resets);
    }
  });

  test('--context resets uses nothing else', async () => {
    const report = await reportOf(['--context', 'resets', file]);
    expect(report.source.context).toBe('resets');
    expect(report.packets.unique).toBe(STORY.resets);
  });
});

describe('--no-fold', () => {
  const frame = resetFrame({ id: 4711 });
  const capture = pcapng().interface({ name: 'eth0' }).interface({ name: 'br0' });
  for (const i of [0, 1]) {
    capture.enhancedPacket({ interface: i, timestamp: BigInt(NOON) * 1_000_000n + BigInt(i * 20), bytes: frame });
  }
  const twice = saved('twice.pcapng', capture.bytes());

  test('counts every copy', async () => {
    expect((await reportOf([twice])).packets).toMatchObject({ resets: 2, copies: 1, unique: 1 });
    expect((await reportOf(['--no-fold', twice])).packets).toMatchObject({ resets: 2, copies: 0, unique: 2 });
  });
});

describe('--after and --before', () => {
  test.each([
    [['--after', '2026-03-01T12:01:00Z'], 3],
    [['--after', '2026-03-01T12:01:00.0007Z'], 3],
    [['--after', '2026-03-01T12:01:00.000701Z'], 2],
    [['--before', '2026-03-01T12:01:00.0007Z'], 2],
    [['--before', '2026-03-01T12:01:00.000699999Z'], 1],
    [['--after', '2026-03-01 13:02:00+01:00'], 2],
    [['--after', '2026-03-01T13:02+0100'], 2],
    [['--after', '2026-03-01'], 4],
    [['--before', '2026-03-01'], 0],
    [['--after', '12:01', '--before', '12:02:30'], 2],
    [['--after', '12:02:00.0009'], 2],
    [['--after', '-1m'], 2],
    [['--after', '-59s'], 1],
    [['--after', '-10m'], 4],
    [['--before', '-2m'], 1],
    [['--before', '-0.0001s'], 3],
    [['--after', '13:00'], 0],
  ])('%j keeps %d', async (args, kept) => {
    const report = await reportOf([...args, file]);
    expect(report.events).toHaveLength(kept);
    expect(report.packets.filtered_out).toBe(STORY.resets - kept);
    expect(report.packets.seen).toBe(STORY.frames);
  });

  test('a time of the day is local, or UTC with --utc', async () => {
    const env = { TZ: 'America/New_York' };
    const kept = async (...args: string[]): Promise<number> => (await reportOf([...args, file], { env })).events.length;
    expect(await kept('--after', '07:01')).toBe(3);
    expect(await kept('--after', '12:01')).toBe(0);
    expect(await kept('--after', '12:01', '--utc')).toBe(3);
    expect(await kept('--after', '2026-03-01T07:01')).toBe(3);
    expect(await kept('--after', '2026-03-01T12:01', '--utc')).toBe(3);
  });

  test('a time of the day is what the clock on the wall shows, on the day summer time begins too', async () => {
    // 2026-03-29 in Berlin: from 02:00 to 03:00 in one step. 10:00 there is 08:00 UTC.
    const day = Date.UTC(2026, 2, 29) / 1000;
    const records = [0, 7.5, 8.5].map((hour, i) => ({
      seconds: day + hour * 3600,
      bytes: resetFrame({ dstPort: 50000 + i }),
    }));
    const report = await reportOf(['--after', '10:00', saved('summer.pcap', classicPcap({ records }))], {
      env: { TZ: 'Europe/Berlin' },
    });
    expect(report.events.map(({ dest_port }) => dest_port)).toEqual([50002]);
  });

  test('through a pipe: all but a time from the end', async () => {
    for (const time of ['2026-03-01T12:01:00Z', '12:01']) {
      expect((await reportOf(['--after', time, '-'], { stdin: bytes })).events).toHaveLength(3);
    }
    expectRefusal(
      await runCli(['read', '--after', '-10m', '-'], { stdin: bytes }),
      'a time from the end (-10m) needs a file that can be read twice, not a pipe',
    );
  });

  test('from the end of standard input that is a file', async () => {
    const result = await runShell(`${cliCommand('read', '--json', '--after', '-10m', '-')} <${shellQuote(file)}`);
    expectRefusal(result, 'not a pipe');
  });
});

describe('--max-resets', () => {
  test.each([
    [['--max-resets', '3'], 1],
    [['--max-resets', '4'], 0],
    [['--max-resets', '0'], 1],
    [['--max-resets', '2', '--port', '443'], 0],
    [['--max-resets', '1', '--port', '443'], 1],
    [['--max-resets', '0', '--port', '1'], 0],
  ])('%j: exit %d, the report the same', async (args, code) => {
    const result = await runCli(['read', ...args, file]);
    expect(result).toMatchObject({ code, stderr: '' });
    expect(result.stdout).not.toBe('');
  });

  test('damage wins', async () => {
    const result = await runCli(['read', '--max-resets', '0', '-'], { stdin: bytes.subarray(0, -10) });
    expect(result.code).toBe(3);
  });
});

describe('talk', () => {
  test('--debug says where the time went', async () => {
    const result = await runCli(['read', '--debug', '--json', file]);
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/^rstscope: start-up [\d.]+ ms, reading [\d.]+ ms, writing [\d.]+ ms, 8 packets, /);
    expect((JSON.parse(result.stdout) as Report).packets.seen).toBe(STORY.frames);
  });

  test('-q silences talk, not errors', async () => {
    const cut = saved('cut.pcap', bytes.subarray(0, -10));
    expect((await runCli(['read', '--json', cut])).stderr).not.toBe('');
    expect(await runCli(['read', '-q', '--json', cut])).toMatchObject({ code: 3, stderr: '' });
    expectRefusal(await runCli(['read', '-q', '/nowhere.pcap']), 'no such file');
  });

  test('the window is told by the capture', async () => {
    const { window } = await reportOf([file]);
    expect(window).toMatchObject({ start_epoch: NOON, end_epoch: NOON + 180.0003 });
  });
});
