/** What must follow from the captures of the stories (`findings.tsv`), as data. Knows nothing of the program judged by it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const TABLE = fileURLToPath(new URL('./findings.tsv', import.meta.url));
export const STORY_CAPTURES = fileURLToPath(new URL('../pcaps', import.meta.url));

export interface StoryTruth {
  /** Below test/pcaps. */
  readonly file: string;
  /** Its full path. */
  readonly path: string;
  /** Ids of findings that must follow, the one that the capture is about first. */
  readonly raised: readonly string[];
  /** Ids of findings that must not. */
  readonly not: readonly string[];
  /** A pattern that must be told, with the least and the most resets that may be of it. */
  readonly pattern: { readonly name: string; readonly least: number; readonly most: number } | null;
  /** All of the capture. */
  readonly resets: number;
  /** Words that the summary of the first of `raised` must have. */
  readonly tells: readonly string[];
  readonly note: string;
}

export function storyTruths(): StoryTruth[] {
  const lines = readFileSync(TABLE, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return lines.slice(1).map((line) => {
    const [file = '', raised = '', not = '', pattern = '', inPattern = '', resets = '', tells = '', note = ''] =
      line.split('\t');
    const [least = '', most = least] = inPattern.split('..');
    return {
      file,
      path: path.join(STORY_CAPTURES, file),
      raised: list(raised, ','),
      not: list(not, ','),
      pattern: pattern === '-' ? null : { name: pattern, least: Number(least), most: Number(most) },
      resets: Number(resets),
      tells: list(tells, ';'),
      note,
    };
  });
}

function list(text: string, separator: string): string[] {
  return text === '-' ? [] : text.split(separator);
}
