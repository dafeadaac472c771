/**
 * The report as one JSON document, a line for each element of a list.
 *
 * Long reports come in chunks, so that hundreds of thousands of events never are one string.
 */

import type { Report } from '../report/types.js';
import { jsonText } from './json-text.js';
import { reportFields, ROW_FIELDS } from './report-fields.js';

const CHUNK_LENGTH = 65536;

export function renderJson(report: Report): string {
  return [...jsonChunks(report)].join('');
}

/** The same text in parts of some 64 kB, made as they are asked for; ends in a line break. */
export function* jsonChunks(report: Report): Generator<string> {
  let text = '{';
  let before = '\n';
  for (const [key, value] of Object.entries(reportFields(report))) {
    text += `${before}  ${jsonText(key)}: `;
    before = ',\n';
    const rows = rowsOf(report, key, value);
    if (rows === null) {
      text += jsonText(value);
      continue;
    }
    text += '[';
    let separator = '\n    ';
    for (const row of rows) {
      text += separator + jsonText(row);
      separator = ',\n    ';
      if (text.length >= CHUNK_LENGTH) {
        yield text;
        text = '';
      }
    }
    text += '\n  ]';
  }
  yield `${text}\n}\n`;
}

/** The rows of a list that has any, else null; those of a long list are made as they are asked for. */
function rowsOf(report: Report, key: string, value: unknown): Iterable<unknown> | null {
  switch (key) {
    case 'endpoints':
      return lazily(report.endpoints, ROW_FIELDS.endpoints);
    case 'ports':
      return lazily(report.ports, ROW_FIELDS.ports);
    case 'hosts':
      return lazily(report.hosts, ROW_FIELDS.hosts);
    case 'events':
      return lazily(report.events, ROW_FIELDS.events);
    default:
      return isListOfObjects(value) ? value : null;
  }
}

function lazily<T>(rows: readonly T[], fields: (row: T) => T): Iterable<T> | null {
  if (rows.length === 0) return null;
  return (function* () {
    for (const row of rows) yield fields(row);
  })();
}

function isListOfObjects(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && typeof value[0] === 'object';
}
