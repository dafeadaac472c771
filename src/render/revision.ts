/**
 * The NDJSON line that says what was learnt of a reset after its own line was written.
 *
 * Compares two events; what came to be known between them, and how, is not known here.
 */

import type { ResetEvent } from '../report/types.js';
import { eventFields } from './event-fields.js';
import { jsonText } from './json-text.js';

/** The keys that changed with their new values, in the event's order, and a line break; null when nothing did. */
export function revisionLine(before: ResetEvent, after: ResetEvent): string | null {
  const old = new Map<string, unknown>(Object.entries(eventFields(before)));
  const changed = Object.entries(eventFields(after)).filter(
    // Field by field both have their keys in one order, so that equal text means equal values.
    ([key, value]) => key !== 'type' && key !== 'id' && jsonText(value) !== jsonText(old.get(key)),
  );
  if (changed.length === 0) return null;
  return `${jsonText({ type: 'revision', id: before.id, ...Object.fromEntries(changed) })}\n`;
}
