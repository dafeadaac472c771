/** The captures of the stories through the whole program: what must be found is found, what must not is not. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { FINDERS } from '../../src/findings/find.js';
import type { Report } from '../../src/report/types.js';
import { STORY_CAPTURES, storyTruths } from '../lab/findings.js';
import { runInProcess } from '../support/in-process.js';
import { REPOSITORY } from '../support/run.js';

const truths = storyTruths();
const reports = new Map<string, Report>();

beforeAll(async () => {
  for (const { file, path: at } of truths) {
    const { code, stdout } = await runInProcess(['read', '--json', '--events', at]);
    expect([file, code]).toEqual([file, 0]);
    reports.set(file, JSON.parse(stdout) as Report);
  }
}, 60_000);

function reportOf(file: string): Report {
  const report = reports.get(file);
  if (report === undefined) throw new Error(`${file} was not read`);
  return report;
}

describe.each(truths)('$file', ({ file, raised, not, pattern, resets, tells }) => {
  test('raises what it must, and not what it must not', () => {
    const ids = reportOf(file).findings.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([...raised]));
    expect(ids.filter((id) => not.includes(id))).toEqual([]);
    expect(reportOf(file).packets.unique).toBe(resets);
  });

  test('tells its pattern, with as many resets', () => {
    const { patterns, events } = reportOf(file);
    if (pattern === null) return;
    const { name, least, most } = pattern;
    const told = patterns.filter((row) => row.pattern === name).reduce((sum, row) => sum + row.resets, 0);
    expect(told).toBeGreaterThanOrEqual(least);
    expect(told).toBeLessThanOrEqual(most);
    expect(events.filter((event) => event.pattern === name)).toHaveLength(told);
  });

  test('says it in words, with facts and something to do', () => {
    const { findings, events } = reportOf(file);
    const [main] = raised;
    const summary = findings.find(({ id }) => id === main)?.summary ?? '';
    for (const word of tells) expect(summary).toContain(word);
    const hosts = new Set(events.flatMap(({ src_ip: from, dest_ip: to }) => [from, to]));
    const ports = new Set(events.flatMap(({ src_port: from, dest_port: to }) => [from, to]));
    for (const finding of findings) {
      expect(finding.evidence.length).toBeGreaterThan(0);
      expect(finding.next_steps.length).toBeGreaterThan(0);
      expect(finding.resets).toBeGreaterThan(0);
      expect(finding.resets).toBeLessThanOrEqual(resets);
      for (const text of [finding.summary, ...finding.evidence, ...finding.next_steps]) {
        expect(text.trim()).not.toBe('');
        expect(text).not.toMatch(/NaN|Infinity|undefined|\bnull\b|\[object/);
      }
      // A NAT's other side may be one that no reset names.
      if (finding.id === 'nat-bypass') continue;
      expect(finding.hosts.filter((host) => !hosts.has(host))).toEqual([]);
      expect(finding.ports.filter((port) => !ports.has(port))).toEqual([]);
    }
  });
});

describe('each kind of finding', () => {
  const ids = FINDERS.map(({ id }) => id as string);

  test('has a capture that raises it and one that must not', () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !truths.some(({ raised }) => raised.includes(id)))).toEqual([]);
    expect(ids.filter((id) => !truths.some(({ not }) => not.includes(id)))).toEqual([]);
    const named = truths.flatMap(({ raised, not }) => [...raised, ...not]);
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('has its row in docs/findings.md, with captures that are there and say so', () => {
    const text = readFileSync(path.join(REPOSITORY, 'docs', 'findings.md'), 'utf8');
    const [, table = ''] = text.split(/^## Findings$/m);
    const rows = [
      ...table
        .split(/^## /m)
        .slice(0, 1)
        .join('')
        .matchAll(/^\| `([a-z-]+)` \|(.*)$/gm),
    ];
    expect(rows.map(([, id]) => id).sort()).toEqual([...ids].sort());
    const there = new Set(readdirSync(STORY_CAPTURES));
    const named = [...text.matchAll(/\bfinding-[a-z-]+\.pcapng(?:\.gz)?/g)].map(([name]) => name);
    expect(named.filter((name) => !there.has(name))).toEqual([]);
    for (const [, id = '', cells = ''] of rows) {
      const [by, notBy] = cells
        .split('|')
        .map((cell) => cell.trim())
        .filter((cell) => cell !== '')
        .slice(-2);
      expect(truths.find(({ file }) => file === by)?.raised).toContain(id);
      expect(truths.find(({ file }) => file === notBy)?.not).toContain(id);
    }
  });
});
