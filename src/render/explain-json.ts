/** Explanations as JSON documents: of one cause, and of the causes that there are or that a word stands for. */

import type { Explanation, SharedWord } from '../report/explanations/explanation.js';
import type { Group } from '../report/explanations/find.js';
import { SCHEMA_VERSION, type Cause, type Tool } from '../report/types.js';
import { jsonText } from './json-text.js';
import { toolFields } from './report-fields.js';

/** One document, a line for each key; ends in a line break. */
export function explanationJson(explanation: Explanation, tool: Tool): string {
  return documentText('explain', tool, {
    cause: explanation.cause,
    title: explanation.title,
    meaning: explanation.meaning,
    recognised_by: explanation.recognised_by,
    certainty: explanation.certainty,
    next_steps: explanation.next_steps.map(({ say, type }) => (type === undefined ? say : `${say} Type: ${type}`)),
    counters: explanation.counters.map(({ name }) => name),
    sysctls: explanation.sysctls.map(({ name }) => name),
    aliases: explanation.aliases,
    event: null,
    ladder: [],
    rules: [],
  });
}

interface CauseRow {
  readonly cause: Cause;
  readonly title: string;
  readonly group: string;
  readonly when: string | null;
}

/** All causes; ends in a line break. */
export function causesJson(groups: readonly Group[], tool: Tool): string {
  return documentText('causes', tool, { asked: null, meaning: null, causes: rowsOf(groups) });
}

/** The causes that a word stands for; ends in a line break. */
export function sharedJson(typed: string, shared: SharedWord, groups: readonly Group[], tool: Tool): string {
  const rows = new Map(rowsOf(groups).map((row) => [row.cause, row]));
  const causes = shared.causes.flatMap(({ cause, when }) => {
    const row = rows.get(cause);
    return row === undefined ? [] : [{ ...row, when }];
  });
  return documentText('causes', tool, { asked: typed, meaning: shared.says, causes });
}

function rowsOf(groups: readonly Group[]): CauseRow[] {
  return groups.flatMap(({ title: group, explanations }) =>
    explanations.map(({ cause, title }) => ({ cause, title, group, when: null })),
  );
}

function documentText(type: string, tool: Tool, fields: Readonly<Record<string, unknown>>): string {
  const all = { type, schema_version: SCHEMA_VERSION, tool: toolFields(tool), ...fields };
  const lines = Object.entries(all).map(([key, value]) => `  ${jsonText(key)}: ${jsonText(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}
