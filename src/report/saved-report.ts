/**
 * A report that was saved: the document of `--json`, or the summary line of `--ndjson`. Of it, what two reports are
 * compared by.
 *
 * Knows no files. What is in the text may be anything: it is looked at key by key, and what is not a report is an error
 * in one sentence.
 */

import { UserError } from '../base/errors.js';
import { printable } from '../base/text.js';
import type { ComparedReport } from './comparison-types.js';
import { CAUSES, SCHEMA_VERSION, type Cause, type Context } from './types.js';

/** Rows that a list may have: a report has one for each port. */
const MOST_ROWS = 65_537;
const MOST_TEXT = 256;

export interface SavedReport {
  readonly told: ComparedReport;
  readonly ports: ReadonlyMap<number | null, { readonly resets: number; readonly service: string | null }>;
  readonly causes: ReadonlyMap<Cause, number>;
}

type Fields = Readonly<Record<string, unknown>>;

/** Throws a UserError where `text`, of what the user calls `file`, is no report. */
export function savedReport(text: string, file: string): SavedReport {
  const name = printable(file);
  const document = documentIn(text, name);
  const { type, schema_version: version } = document;
  if (type !== 'report' && type !== 'summary') {
    const what = typeof type === 'string' ? `a document of type "${printable(type, 40)}"` : 'JSON without a type';
    throw bad(`${name} is ${what}, not a report of rstscope: save one with --json`);
  }
  if (version !== SCHEMA_VERSION) {
    const found = printable(version === undefined ? 'none' : JSON.stringify(version), 40);
    throw bad(`${name} is a report of schema version ${found}, this program reads version ${String(SCHEMA_VERSION)}`);
  }
  const wrong = (key: string): UserError => bad(`${name} is a damaged report: "${key}" is not what a report has there`);
  const need = <T>(value: T | null, key: string): T => {
    if (value === null) throw wrong(key);
    return value;
  };
  const packets = need(fieldsOf(document['packets']), 'packets');
  const window = need(fieldsOf(document['window']), 'window');
  const source = need(fieldsOf(document['source']), 'source');
  const tool = need(fieldsOf(document['tool']), 'tool');
  const ports = new Map<number | null, { resets: number; service: string | null }>();
  for (const row of need(rowsOf(document['ports']), 'ports')) {
    const port = row['port'] === null ? null : need(countOf(row['port'], 65_535), 'ports');
    const resets = need(countOf(row['resets']), 'ports') + (ports.get(port)?.resets ?? 0);
    ports.set(port, { resets, service: textOf(row['service']) });
  }
  const causes = new Map<Cause, number>();
  for (const row of need(rowsOf(document['causes']), 'causes')) {
    const cause = need(CAUSES.find((one) => one === row['cause']) ?? null, 'causes');
    causes.set(cause, need(countOf(row['resets']), 'causes') + (causes.get(cause) ?? 0));
  }
  const unique = need(countOf(packets['unique']), 'packets');
  const filteredOut = need(countOf(packets['filtered_out']), 'packets');
  const seconds = window['seconds'];
  const { incomplete } = document;
  return {
    told: {
      file,
      tool: { name: textOf(tool['name']) ?? '', version: textOf(tool['version']) ?? '' },
      kind: source['kind'] === 'live' ? 'live' : 'file',
      context: need(contextOf(source['context']), 'source'),
      start: textOf(window['start']),
      seconds: typeof seconds === 'number' && seconds >= 0 && Number.isFinite(seconds) ? seconds : null,
      resets: Math.max(0, unique - filteredOut),
      filtered_out: filteredOut,
      incomplete: Array.isArray(incomplete) ? incomplete.length : 0,
    },
    ports,
    causes,
  };
}

function bad(message: string): UserError {
  return new UserError('unreadable', message, 'rstscope read --json output.pcap > before.json');
}

/** The whole text, or its last line. */
function documentIn(text: string, name: string): Fields {
  const trimmed = text.trim();
  if (trimmed === '') throw bad(`${name} is empty: a report is saved with --json`);
  const whole = parsed(trimmed);
  const document = whole ?? parsed(trimmed.slice(trimmed.lastIndexOf('\n') + 1));
  if (document !== null) return document;
  const lines = trimmed.startsWith('{"type":"start"') ? ': its last line, the summary, is missing or cut off' : '';
  throw bad(`${name} is not a report of rstscope in JSON${lines}`);
}

function parsed(text: string): Fields | null {
  if (!text.startsWith('{')) return null;
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return null;
  }
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function rowsOf(value: unknown): Fields[] | null {
  if (!Array.isArray(value) || value.length > MOST_ROWS) return null;
  const rows = value.map(fieldsOf);
  return rows.every((row) => row !== null) ? rows : null;
}

function countOf(value: unknown, most: number = Number.MAX_SAFE_INTEGER): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most ? value : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? printable(value, MOST_TEXT) : null;
}

function contextOf(value: unknown): Context | null {
  return (['resets', 'control', 'full'] as const).find((one) => one === value) ?? null;
}
