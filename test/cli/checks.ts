/** What tests of the command line say about a run again and again. */
import { expect } from '@jest/globals';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { runCli, type RunOptions, type RunResult } from '../support/run.js';
import { strictly } from '../render/strict-schema.js';

/** Exit code 2, nothing on stdout, one sentence that holds `words`, perhaps a command to type, and no stack. */
export function expectRefusal(result: Omit<RunResult, 'stdoutBytes'>, ...words: (string | RegExp)[]): void {
  expect(result).toMatchObject({ code: 2, signal: null, stdout: '' });
  const lines = result.stderr.split('\n').slice(0, -1);
  expect(lines.length).toBeGreaterThanOrEqual(1);
  expect(lines.length).toBeLessThanOrEqual(2);
  expect(lines[0]).toMatch(/^rstscope: \S/);
  if (lines.length === 2) expect(lines[1]).toMatch(/^ {2}try: \S/);
  for (const word of words) expect(lines[0]).toMatch(typeof word === 'string' ? literally(word) : word);
}

/** What always holds of a report's counts, and the strict schema. */
export function expectLawful(report: Report): void {
  expect(strictly('report')(report)).toEqual([]);
  const { packets } = report;
  const { seen, tcp, not_tcp, fragments, cut, malformed, unknown_link } = packets;
  expect(tcp + not_tcp + fragments + cut + malformed + unknown_link).toBe(seen);
  expect(packets.unique + packets.copies).toBe(packets.resets);
  const shown = packets.unique - packets.filtered_out;
  expect(total(report.ports.map(({ resets }) => resets))).toBe(shown);
  expect(total(report.causes.map(({ resets }) => resets))).toBe(shown);
  expect(total(report.timeline.counts)).toBe(shown);
  if (report.events.length > 0) expect(report.events.length + report.events_omitted).toBe(shown);
}

export function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

/** The `--json --events` report; checks exit code and the laws. */
export async function reportOf(
  args: readonly string[],
  options: RunOptions & { code?: number } = {},
): Promise<Report & { events: readonly ResetEvent[] }> {
  const result = await runCli(['read', '--json', '--events', ...args], options);
  expect({ code: result.code, stderr: result.stderr }).toMatchObject({ code: options.code ?? 0 });
  const report = JSON.parse(result.stdout) as Report;
  expectLawful(report);
  return report;
}

export function literally(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}

/** Control characters that a terminal would obey: none may be on a stream, beside those that end lines. */
export const RAW_CONTROL = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
