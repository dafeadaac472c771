/**
 * What is said of resets in captures that others made, held against what people read in them: injected.tsv and
 * interesting.tsv (README.md here says how they are meant).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CAUSES } from '../../src/conversation/verdict.js';
import type { ResetEvent } from '../../src/report/types.js';
import { runInProcess } from '../support/in-process.js';
import { foreignCaptures, itWithCaptures } from '../support/tools.js';

const INJECTED = fileURLToPath(new URL('injected.tsv', import.meta.url));
const INTERESTING = fileURLToPath(new URL('interesting.tsv', import.meta.url));
const TIMEOUT_MS = 120_000;
const COULD_NOT = 2;

type Row = Readonly<Record<string, string>>;

function table(file: string): Row[] {
  const [head = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const names = head.replace(/^#/, '').split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  });
}

const injected = table(INJECTED);
const interesting = table(INTERESTING);

/** By the name of the file; those in which tshark finds no reset are left out. */
const found = new Map<string, ResetEvent[]>();

beforeAll(async () => {
  const folder = foreignCaptures();
  if (folder === null) return;
  for (const { file = '', rst_headers: resets } of table(path.join(folder, 'manifest.tsv'))) {
    if (resets === '0') continue;
    const { code, stdout, stderr } = await runInProcess(['read', '--ndjson', path.join(folder, 'captures', file)]);
    if (![0, COULD_NOT, 3].includes(code)) throw new Error(`${file}: exit code ${code}: ${stderr}`);
    const lines = stdout.split('\n').filter((line) => line.startsWith('{"type":"reset"'));
    found.set(
      file,
      lines.map((line) => JSON.parse(line) as ResetEvent),
    );
  }
}, TIMEOUT_MS);

function events(): { file: string; event: ResetEvent }[] {
  return [...found].flatMap(([file, list]) => list.map((event) => ({ file, event })));
}

function said(file: string, { frame, cause, confidence, evidence }: ResetEvent): string {
  return `${file} ${frame}: ${cause}, ${confidence}: ${evidence.join('; ')}`;
}

/** The event that this frame is, or is a copy of. */
function at(file: string, frame: string | undefined): ResetEvent | undefined {
  return found.get(file)?.find(({ frames }) => frames.includes(Number(frame)));
}

describe('captures that others made', () => {
  const verdicts = new Map(injected.map(({ file, frame, verdict }) => [`${file}:${frame}`, verdict]));

  itWithCaptures('are read with their resets', () => {
    expect(found.size).toBeGreaterThan(300);
    expect(events().length).toBeGreaterThan(7_000);
  });

  itWithCaptures('hold no reset that is called injected but those that are, or may be', () => {
    const wrong = events().filter(
      ({ file, event: { cause, frames } }) =>
        cause === 'injected' &&
        !frames.some((frame) => ['injected', 'maybe'].includes(verdicts.get(`${file}:${frame}`) ?? '')),
    );
    expect(wrong.map(({ file, event }) => said(file, event))).toEqual([]);
  });

  itWithCaptures('have every forged reset found', () => {
    const rows = injected.filter(({ verdict }) => verdict === 'injected');
    expect(rows.length).toBeGreaterThan(0);
    const missed = rows.flatMap(({ file = '', frame }) => {
      const event = at(file, frame);
      if (event === undefined) return [`${file} ${frame}: no such reset`];
      return event.cause === 'injected' ? [] : [said(file, event)];
    });
    expect(missed).toEqual([]);
  });

  itWithCaptures('have lawful answers of devices on the path that are never called injected', () => {
    const rows = injected.filter(({ verdict }) => verdict === 'middlebox');
    expect(rows.length).toBeGreaterThan(0);
    const wrong = rows.flatMap(({ file = '', frame }) => {
      const event = at(file, frame);
      if (event === undefined) return [`${file} ${frame}: no such reset`];
      return event.cause === 'injected' ? [said(file, event)] : [];
    });
    expect(wrong).toEqual([]);
  });

  itWithCaptures('are answered as a careful reader answers, where one has read them', () => {
    expect(interesting.flatMap(wrongIn)).toEqual([]);
  });

  itWithCaptures('are covered whole where a careful reader has read them', () => {
    for (const file of new Set(interesting.map((row) => row['file'] ?? ''))) {
      const rows = interesting.filter((row) => row['file'] === file);
      const frames = (found.get(file) ?? []).reduce((sum, { copies }) => sum + copies, 0);
      expect({ file, frames: rows.reduce((sum, { count }) => sum + Number(count), 0) }).toEqual({ file, frames });
    }
  });

  itWithCaptures('hold nothing that is certain, for no kernel was asked', () => {
    const certain = events().filter(({ event }) => event.confidence === 'certain');
    expect(certain.map(({ file, event }) => said(file, event))).toEqual([]);
  });
});

/** Sentences on the resets of a row that are not answered as it wants, or not as many as it wants. */
function wrongIn({ file = '', frame = '', filter = '', count, causes = '' }: Row): string[] {
  const wanted = filter.split(' ').map((pair) => pair.split('='));
  const one = at(file, frame);
  const mine =
    frame === '*'
      ? (found.get(file) ?? []).filter((event) => wanted.every(([key, value]) => String(valueOf(event, key)) === value))
      : [one].filter((event) => event !== undefined);
  const wrong = mine.filter(({ cause }) => !causes.split(',').includes(cause)).map((event) => said(file, event));
  const frames = frame === '*' ? mine.reduce((sum, { copies }) => sum + copies, 0) : mine.length;
  return frames === Number(count) ? wrong : [...wrong, `${file} ${frame} ${filter}: ${frames} of ${count} resets`];
}

function valueOf(event: ResetEvent, key = ''): unknown {
  return (event as unknown as Readonly<Record<string, unknown>>)[key];
}

describe('the tables', () => {
  test('name causes and verdicts that there are', () => {
    const known = new Set<string>(CAUSES);
    const named = interesting.flatMap(({ causes = '' }) => causes.split(','));
    expect(named.filter((cause) => !known.has(cause))).toEqual([]);
    expect(new Set(injected.map(({ verdict }) => verdict))).toEqual(new Set(['injected', 'middlebox', 'maybe']));
  });
});
