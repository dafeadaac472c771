/**
 * Every reset of every capture that others made, and none besides: held against tshark's word (truth/*.tsv beside the
 * captures). What differs, and why, stands in exceptions.tsv: at most twenty lines, each of which must still be needed.
 */
import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInProcess } from '../support/in-process.js';
import { itWithCaptures } from '../support/tools.js';

const EXCEPTIONS = fileURLToPath(new URL('exceptions.tsv', import.meta.url));
const MAX_EXCEPTIONS = 20;
const UNREAD_TAG = 'notpcap';
const UNREAD_COMPRESSION = /(^|,)(zst|xz|bz2)(,|$)/;
const CONTAINERS = new Set(['pcap', 'pcapng', 'nsecpcap', 'modpcap', 'rh6_1pcap', 'nokiapcap']);
const COULD_NOT = 2;

function table(file: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const names = head.replace(/^#/, '').split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  });
}

interface Line {
  type: string;
  src_ip: string;
  src_port: number;
  dest_ip: string;
  dest_port: number;
  seq: number;
  frame: number;
  frames: number[];
  packets: Record<string, number>;
}

function linesOf(ndjson: string): Line[] {
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** "frame src:port > dst:port seq", sorted. */
function resetsOf(lines: readonly Line[]): string[] {
  return lines
    .filter(({ type }) => type === 'reset')
    .map(
      (r) =>
        `${String(r.frame)} ${r.src_ip}:${String(r.src_port)} > ${r.dest_ip}:${String(r.dest_port)} ${String(r.seq)}`,
    )
    .sort();
}

function truthOf(folder: string, name: string): string[] {
  const file = path.join(folder, 'truth', `${name}.tsv`);
  if (!existsSync(file)) return [];
  return table(file)
    .filter((row) => row['icmp_quoted'] !== '1')
    .map(
      (row) =>
        `${row['frame'] ?? ''} ${row['src'] ?? ''}:${row['sport'] ?? ''} > ${row['dst'] ?? ''}:${row['dport'] ?? ''} ${row['seq_raw'] ?? ''}`,
    )
    .sort();
}

function frameOf(reset: string): string {
  return reset.slice(0, reset.indexOf(' '));
}

test(`at most ${String(MAX_EXCEPTIONS)} exceptions, each with a reason`, () => {
  const exceptions = table(EXCEPTIONS);
  expect(exceptions.length).toBeLessThanOrEqual(MAX_EXCEPTIONS);
  for (const { reason = '' } of exceptions) expect(reason.length).toBeGreaterThan(20);
});

itWithCaptures(
  'every reset of every foreign capture is found, and none is invented',
  async (folder) => {
    const exceptions = new Set(table(EXCEPTIONS).map(({ file = '', frame = '' }) => `${file}:${frame}`));
    const needed = new Set<string>();
    const wrong: string[] = [];
    let checked = 0;
    let resets = 0;
    for (const row of table(path.join(folder, 'manifest.tsv'))) {
      const { file = '', tag = '', structure = '', file_type: type = '' } = row;
      if (tag === UNREAD_TAG || UNREAD_COMPRESSION.test(structure) || !CONTAINERS.has(type)) continue;
      checked++;
      const capture = path.join(folder, 'captures', file);
      const single = await runInProcess(['read', '--ndjson', '--no-fold', capture]);
      const folded = await runInProcess(['read', '--ndjson', capture]);
      const lines = linesOf(single.stdout);
      const found = resetsOf(lines);
      const truth = truthOf(folder, file);
      resets += found.length;
      for (const reset of symmetricDifference(found, truth)) {
        const key = `${file}:${frameOf(reset)}`;
        if (exceptions.has(key)) needed.add(key);
        else wrong.push(`${key} ${found.includes(reset) ? 'invented' : 'missed'}: ${reset}`);
      }
      if (![0, COULD_NOT, 3].includes(single.code)) wrong.push(`${file}: exit code ${String(single.code)}`);
      if (single.code !== folded.code)
        wrong.push(`${file}: exit codes ${String(single.code)} and ${String(folded.code)}`);
      const frames = (all: readonly Line[]): string =>
        all
          .filter(({ type: kind }) => kind === 'reset')
          .flatMap((line) => line.frames)
          .sort((a, b) => a - b)
          .join(' ');
      if (frames(lines) !== frames(linesOf(folded.stdout))) wrong.push(`${file}: folding lost or made frames`);
    }
    expect(wrong).toEqual([]);
    expect([...exceptions].filter((key) => !needed.has(key))).toEqual([]);
    expect(checked).toBeGreaterThan(650);
    expect(resets).toBeGreaterThan(7_500);
  },
  600_000,
);

/** What is in one list and not in the other, counting duplicates. */
function symmetricDifference(a: readonly string[], b: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const item of a) counts.set(item, (counts.get(item) ?? 0) + 1);
  for (const item of b) counts.set(item, (counts.get(item) ?? 0) - 1);
  return [...counts].filter(([, count]) => count !== 0).map(([item]) => item);
}
