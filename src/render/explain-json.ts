/** Explanations as JSON documents: of one cause, of one reset, and of the causes that there are or that a word stands for. */

import type { Explained, RuleRow, Rung, Translated } from '../report/explained.js';
import type { Explanation, NextStep, SharedWord } from '../report/explanations/explanation.js';
import type { Group } from '../report/explanations/find.js';
import { SCHEMA_VERSION, type Cause, type Tool } from '../report/types.js';
import { eventFields } from './event-fields.js';
import { jsonText } from './json-text.js';
import { stepsFor } from './next-steps.js';
import { toolFields } from './report-fields.js';

/** One document, a line for each key; ends in a line break. */
export function explanationJson(explanation: Explanation, tool: Tool): string {
  return documentText('explain', tool, {
    ...explanationFields(explanation, explanation.next_steps),
    asked: null,
    event: null,
    ladder: [],
    earlier_segments: null,
    later_segments: null,
    rules: [],
  });
}

/** The same of one reset; `file` is its capture as a shell takes it. */
export function explainedJson(explained: Explained, explanation: Explanation, tool: Tool, file: string): string {
  const { asked, event, ladder, earlier, later, rules } = explained;
  return documentText('explain', tool, {
    ...explanationFields(explanation, stepsFor(explanation.next_steps, event.service_port, file)),
    asked,
    event: eventFields(event),
    ladder: ladder.map(rungFields),
    earlier_segments: earlier,
    later_segments: later,
    rules: rules.map(ruleFields),
  });
}

function explanationFields(explanation: Explanation, steps: readonly NextStep[]): Readonly<Record<string, unknown>> {
  return {
    cause: explanation.cause,
    title: explanation.title,
    meaning: explanation.meaning,
    recognised_by: explanation.recognised_by,
    certainty: explanation.certainty,
    next_steps: steps.map(({ say, type }) => (type === undefined ? say : `${say} Type: ${type}`)),
    counters: explanation.counters.map(({ name }) => name),
    sysctls: explanation.sysctls.map(({ name }) => name),
    aliases: explanation.aliases,
  };
}

function rungFields(rung: Rung): Rung {
  return {
    frame: rung.frame,
    timestamp: rung.timestamp,
    from: rung.from,
    flags: rung.flags,
    seq: rung.seq,
    ack: rung.ack,
    payload_length: rung.payload_length,
    window: rung.window,
    relative_seq: rung.relative_seq,
    relative_ack: rung.relative_ack,
    seconds: rung.seconds,
    side: rung.side,
    asked: rung.asked,
    after: rung.after,
    new_connection: rung.new_connection,
    repeat: rung.repeat,
    missing_bytes: rung.missing_bytes,
    unseen_bytes: rung.unseen_bytes,
    file: rung.file,
    frames: rung.frames,
    translation: rung.translation === null ? null : translatedFields(rung.translation),
  };
}

function translatedFields({ src_ip, src_port, dest_ip, dest_port }: Translated): Translated {
  return { src_ip, src_port, dest_ip, dest_port };
}

function ruleFields({ cause, verdict, because, name, source, evidence }: RuleRow): RuleRow {
  return { cause, verdict, because, name, source, evidence };
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
  const lines = Object.entries(all).map(([key, value]) => `  ${jsonText(key)}: ${valueText(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** A line for each row of a list. */
function valueText(value: unknown): string {
  if (!Array.isArray(value) || typeof value[0] !== 'object') return jsonText(value);
  return `[\n${value.map((row) => `    ${jsonText(row)}`).join(',\n')}\n  ]`;
}
