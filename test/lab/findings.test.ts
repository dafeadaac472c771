/** The captures of the stories and their table belong together, and hold as many resets as it says. */
import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { RESETS } from '../support/lab.js';
import { itWith } from '../support/tools.js';
import { STORY_CAPTURES, storyTruths } from './findings.js';

const LARGEST = 60_000;
const STORY = /^finding-.*\.pcapng(\.gz)?$/;
const truths = storyTruths();

describe('the captures of the stories', () => {
  test('each has its row, and each row its capture', () => {
    const files = readdirSync(STORY_CAPTURES).filter((name) => STORY.test(name));
    expect(truths.map(({ file }) => file).sort()).toEqual(files.sort());
  });

  test('are small', () => {
    expect(truths.filter((one) => statSync(one.path).size > LARGEST)).toEqual([]);
  });

  test('each finding has one that raises it and one that must not', () => {
    const raised = new Set(truths.flatMap((one) => one.raised));
    const not = new Set(truths.flatMap((one) => one.not));
    expect([...raised].filter((id) => !not.has(id))).toEqual([]);
    for (const { file, raised: ids, not: others } of truths) {
      expect([file, ids.filter((id) => others.includes(id))]).toEqual([file, []]);
    }
  });

  itWith('tcpdump', 'hold the resets that the table has', () => {
    const counted = truths.map(({ file, path }) => {
      const bytes = readFileSync(path);
      const frames = execFileSync('tcpdump', ['-nn', '-r', '-', RESETS], {
        input: file.endsWith('.gz') ? gunzipSync(bytes) : bytes,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      return [file, frames.split('\n').length - 1];
    });
    expect(counted).toEqual(truths.map(({ file, resets }) => [file, resets]));
  });
});
