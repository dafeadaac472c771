/**
 * Golden by listing: every capture in test/pcaps has its report beside it, NAME.json (with events) and NAME.txt (tables
 * in UTC, 100 columns). `npm run golden` rewrites them, and the captures that are built byte by byte.
 */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { REPOSITORY, runCli } from '../support/run.js';
import { BUILT } from './captures.js';

const FOLDER = path.join(REPOSITORY, 'test', 'pcaps');
const SERVICES = path.join(REPOSITORY, 'test', 'support', 'services');
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';
const CAPTURE = /\.(pcap|pcapng)(\.gz)?$/;
const ENV = { RSTSCOPE_SERVICES: SERVICES, COLUMNS: '100', LANG: 'C.UTF-8' };

/** A new version is no reason to rewrite every golden. */
function withoutVersion(text: string): string {
  return text.replace(/("name": ?"rstscope",\s*"version": ?")[^"]*"/g, '$10.0.0"');
}

function golden(file: string, text: string): void {
  const full = path.join(FOLDER, file);
  if (UPDATE) writeFileSync(full, text);
  expect(existsSync(full) ? readFileSync(full, 'utf8') : `${file} is missing: npm run golden`).toBe(text);
}

describe('captures that are built', () => {
  test.each(Object.keys(BUILT))('%s is what its builder makes', (name) => {
    const bytes = Buffer.from(BUILT[name]?.() ?? new Uint8Array(0));
    const full = path.join(FOLDER, name);
    // What zlib packs may differ from version to version; a packed capture is only made once.
    if (UPDATE && !(name.endsWith('.gz') && existsSync(full))) writeFileSync(full, bytes);
    if (!name.endsWith('.gz')) expect(readFileSync(full).equals(bytes)).toBe(true);
  });
});

/** What lies in the folder, and what is about to be built into it. */
function captures(): string[] {
  const there = readdirSync(FOLDER).filter((name) => CAPTURE.test(name));
  return [...new Set([...there, ...Object.keys(BUILT)])].sort();
}

/** Of a report, or of the truth of a capture of the lab. */
function captureOf(name: string): string {
  return name.endsWith('.truth.json') ? name.replace(/truth\.json$/, 'pcap') : name.replace(/\.(json|txt)$/, '');
}

describe('reports', () => {
  test('there are goldens', () => {
    expect(captures().length).toBeGreaterThan(25);
  });

  test('every golden has its capture', () => {
    const stray = readdirSync(FOLDER).filter(
      (name) => /\.(json|txt)$/.test(name) && !existsSync(path.join(FOLDER, captureOf(name))),
    );
    expect(stray).toEqual([]);
  });

  test.each(captures())('%s', async (name) => {
    const options = { cwd: FOLDER, env: ENV };
    const json = await runCli(['read', '--json', '--events', name], options);
    const tables = await runCli(['read', '--utc', '--no-color', name], options);
    expect(tables.code).toBe(json.code);
    golden(`${name}.json`, withoutVersion(json.stdout));
    golden(`${name}.txt`, `exit ${String(tables.code)}\n${tables.stderr}${tables.stdout}`);
  });
});
