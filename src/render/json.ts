/**
 * The report as one JSON document, a line for each element of a list.
 *
 * Long reports come in chunks, so that hundreds of thousands of events never are one string.
 */

import type { Report } from '../report/types.js';
import { eventFields } from './event-fields.js';
import { jsonText } from './json-text.js';
import { reportFields } from './report-fields.js';

const CHUNK_LENGTH = 65536;

export function renderJson(report: Report): string {
  return [...jsonChunks(report)].join('');
}

/** The same text in parts of some 64 kB, made as they are asked for; ends in a line break. */
export function* jsonChunks(report: Report): Generator<string> {
  let text = '{';
  let before = '\n';
  for (const [key, value] of Object.entries({ ...reportFields(report), events: report.events })) {
    text += `${before}  ${jsonText(key)}: `;
    before = ',\n';
    if (!isListOfObjects(value)) {
      text += jsonText(value);
      continue;
    }
    text += '[';
    for (let i = 0; i < value.length; i++) {
      const element = key === 'events' ? eventFieldsAt(report, i) : value[i];
      text += `${i === 0 ? '' : ','}\n    ${jsonText(element)}`;
      if (text.length >= CHUNK_LENGTH) {
        yield text;
        text = '';
      }
    }
    text += '\n  ]';
  }
  yield `${text}\n}\n`;
}

function eventFieldsAt({ events }: Report, i: number): unknown {
  const event = events[i];
  return event === undefined ? null : eventFields(event);
}

function isListOfObjects(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && typeof value[0] === 'object';
}
