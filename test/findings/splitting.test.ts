/** On every capture: patterns add up, in every output; and what `--pattern` keeps and `--exclude-pattern` leaves is the whole. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { PATTERNS, type Pattern, type Report, type ResetEvent } from '../../src/report/types.js';
import { STORY_CAPTURES } from '../lab/findings.js';
import { runInProcess } from '../support/in-process.js';
import { itWithCaptures } from '../support/tools.js';

/** More resets than wait for their pattern may be told before it shows. */
const MOST_WAITING = 20_000;
const OUTPUTS = ['--json', '--ndjson', '--csv'] as const;

interface Told {
  readonly key: string;
  readonly pattern: string | null;
}

/** Null: the file could not be read, or not whole. */
async function read(file: string, ...options: readonly string[]): Promise<Report | null> {
  const { code, stdout } = await runInProcess(['read', '--json', '--events', ...options, file]);
  return code === 0 ? (JSON.parse(stdout) as Report) : null;
}

function keyOf({ file, frame, dest_port: to }: Pick<ResetEvent, 'file' | 'frame' | 'dest_port'>): string {
  return `${String(file)} ${String(frame)} ${String(to)}`;
}

async function told(file: string, output: (typeof OUTPUTS)[number], ...options: readonly string[]): Promise<Told[]> {
  const events = output === '--json' ? ['--events'] : [];
  const { code, stdout } = await runInProcess(['read', output, ...events, ...options, file]);
  expect(code).toBe(0);
  if (output === '--json') {
    return (JSON.parse(stdout) as Report).events.map((event) => ({ key: keyOf(event), pattern: event.pattern }));
  }
  if (output === '--ndjson') {
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Omit<ResetEvent, 'type'> & { type: string });
    return lines.filter(({ type }) => type === 'reset').map((event) => ({ key: keyOf(event), pattern: event.pattern }));
  }
  const [head = '', ...rows] = stdout.trimEnd().split('\r\n');
  const names = head.split(',');
  return rows.map((row) => {
    // No field before these has a comma or a quote: times, addresses, numbers and words of the schema.
    const cells = row.split(',');
    const of = (name: string): string => cells[names.indexOf(name)] ?? '';
    const pattern = of('pattern');
    return { key: `${of('file')} ${of('frame')} ${of('dest_port')}`, pattern: pattern === '' ? null : pattern };
  });
}

function addUp(report: Report): void {
  const { patterns, packets, events } = report;
  const sum = patterns.reduce((total, { resets }) => total + resets, 0);
  expect(sum).toBeLessThanOrEqual(packets.unique - packets.filtered_out);
  for (const { summary, resets } of patterns) {
    expect(resets).toBeGreaterThan(0);
    expect(summary).not.toMatch(/NaN|Infinity|undefined|\bnull\b/);
  }
  if (events.length > MOST_WAITING || report.events_omitted > 0) return;
  const count = (pattern: Pattern): number => events.filter((event) => event.pattern === pattern).length;
  for (const pattern of PATTERNS) {
    const rows = patterns.filter((row) => row.pattern === pattern).reduce((total, { resets }) => total + resets, 0);
    expect([pattern, count(pattern)]).toEqual([pattern, rows]);
  }
  for (const finding of report.findings) {
    expect(finding.evidence.length).toBeGreaterThan(0);
    expect(finding.next_steps.length).toBeGreaterThan(0);
    expect(finding.resets).toBeLessThanOrEqual(packets.unique - packets.filtered_out);
    for (const text of [finding.summary, ...finding.evidence]) {
      expect(text).not.toMatch(/NaN|Infinity|undefined|\bnull\b/);
    }
  }
}

async function splits(file: string, pattern: Pattern, outputs: readonly (typeof OUTPUTS)[number][]): Promise<void> {
  for (const output of outputs) {
    const [all, own, others] = [
      await told(file, output),
      await told(file, output, '--pattern', pattern),
      await told(file, output, '--exclude-pattern', pattern),
    ];
    expect(own.length).toBeGreaterThan(0);
    expect(new Set(own.map((each) => each.pattern))).toEqual(new Set([pattern]));
    expect(others.filter((each) => each.pattern === pattern)).toEqual([]);
    const keys = (events: readonly Told[]): string[] => events.map(({ key, pattern: of }) => `${key} ${String(of)}`);
    expect([...keys(own), ...keys(others)].sort()).toEqual(keys(all).sort());
  }
}

function capturesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.p?cap(?:ng)?(?:\.gz)?$/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}

describe('the repository’s captures', () => {
  const files = capturesIn(STORY_CAPTURES);
  const seen = new Map<Pattern, string>();

  test('add up', async () => {
    expect(files.length).toBeGreaterThan(50);
    for (const file of files) {
      const report = await read(file);
      if (report === null) continue;
      addUp(report);
      for (const { pattern } of report.patterns) if (!seen.has(pattern)) seen.set(pattern, file);
    }
    expect([...seen.keys()].sort()).toEqual([...PATTERNS].sort());
  });

  test.each(PATTERNS)('are split by --pattern %s and --exclude-pattern, in every output', async (pattern) => {
    await splits(seen.get(pattern) ?? '', pattern, OUTPUTS);
  });

  test('several patterns at once are kept, or left out', async () => {
    const file = path.join(STORY_CAPTURES, 'finding-scan.pcapng');
    const all = await told(file, '--json');
    expect(await told(file, '--json', '--pattern', 'scan,flood')).toEqual(all);
    expect(await told(file, '--json', '--exclude-pattern', 'scan,flood')).toEqual([]);
  });
});

describe('captures from elsewhere', () => {
  const LARGEST = 200_000;
  /** One in so many: the whole would take minutes. */
  const ONE_IN = 6;

  itWithCaptures('add up, and are split', async (folder) => {
    const files = capturesIn(folder).filter((file) => statSync(file).size <= LARGEST);
    expect(files.length).toBeGreaterThan(50);
    const split = new Set<Pattern>();
    for (const file of files.filter((_, i) => i % ONE_IN === 0)) {
      const report = await read(file);
      if (report === null) continue;
      addUp(report);
      for (const { pattern } of report.patterns) {
        if (split.has(pattern)) continue;
        split.add(pattern);
        await splits(file, pattern, ['--json']);
      }
    }
  });
});
