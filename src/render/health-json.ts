/** What the kernel's counters say, as a JSON document or as one line of it. */

import type { CounterRow, HealthDocument, HealthNamespaceRow } from '../report/types.js';
import { jsonText } from './json-text.js';
import { alertFields, counterFields, healthNamespaceFields, listenQueueFields, sysctlFields } from './kernel-fields.js';
import { toolFields, windowFields } from './report-fields.js';

/** A line for each counter; ends in a line break. */
export function healthJson(document: HealthDocument): string {
  const { counters, namespaces, ...rest } = healthFields(document);
  const lines = Object.entries(rest).map(([key, value]) => `  ${jsonText(key)}: ${jsonText(value)}`);
  const at = lines.findIndex((line) => line.startsWith('  "alerts"'));
  lines.splice(at, 0, `  "counters": ${listOf(counters, '  ')}`, `  "namespaces": ${namespacesText(namespaces)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** A line of `--ndjson`. */
export function healthLine(document: HealthDocument): string {
  return `${jsonText(healthFields(document))}\n`;
}

function healthFields(document: HealthDocument): HealthDocument {
  return {
    type: document.type,
    schema_version: document.schema_version,
    tool: toolFields(document.tool),
    window: windowFields(document.window),
    boot_seconds: document.boot_seconds,
    counters: document.counters.map(counterFields),
    namespaces: document.namespaces.map(healthNamespaceFields),
    alerts: document.alerts.map(alertFields),
    listeners: document.listeners.map(listenQueueFields),
    sysctls: document.sysctls.map(sysctlFields),
  };
}

function namespacesText(rows: readonly HealthNamespaceRow[]): string {
  if (rows.length === 0) return '[]';
  const texts = rows.map(
    ({ netns, name, counters }) =>
      `    {"netns": ${jsonText(netns)}, "name": ${jsonText(name)}, "counters": ${listOf(counters, '    ')}}`,
  );
  return `[\n${texts.join(',\n')}\n  ]`;
}

function listOf(rows: readonly CounterRow[], indent: string): string {
  if (rows.length === 0) return '[]';
  return `[\n${rows.map((row) => `${indent}  ${jsonText(row)}`).join(',\n')}\n${indent}]`;
}
