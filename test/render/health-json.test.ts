/** What `rstscope health` says, as a document and as lines: every key and no other, valid by the schema. */
import { describe, expect, test } from '@jest/globals';
import { healthJson, healthLine } from '../../src/render/health-json.js';
import type { HealthDocument } from '../../src/report/types.js';
import { everyCounter, fullHealth, sampleHealth, sampleNamespace } from './sample-kernel.js';
import { HOSTILE, withStrings } from './sample-report.js';
import { asShipped, schema, strictly } from './strict-schema.js';

const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const DOCUMENTS: [string, HealthDocument][] = [
  ['plain', sampleHealth()],
  ['full', fullHealth()],
  ['whole', sampleHealth({ counters: everyCounter(), namespaces: [sampleNamespace({ counters: everyCounter() })] })],
  ['bare', sampleHealth({ counters: [], namespaces: [sampleNamespace({ counters: [] })], boot_seconds: null })],
];

/** A copy in which every object has one key more. */
function withExtraKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map((one: unknown) => withExtraKeys(one)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.entries(value).map(([key, one]) => [key, withExtraKeys<unknown>(one)] as const);
  return { ...Object.fromEntries(copy), extra_key: 1 } as T;
}

describe.each([
  ['the document', healthJson],
  ['the line', healthLine],
] as const)('%s', (_, render) => {
  test.each(DOCUMENTS)('of a %s run holds it all, in order, valid by the schema', (_name, document) => {
    const text = render(document);
    const parsed: unknown = JSON.parse(text);
    expect(JSON.stringify(parsed)).toBe(JSON.stringify(document));
    expect(strictly('health')(parsed)).toEqual([]);
    expect(asShipped(parsed)).toEqual([]);
    expect(text.endsWith('}\n')).toBe(true);
  });
  test('holds no key that is not in the types', () => {
    expect(render(withExtraKeys(fullHealth()))).toBe(render(fullHealth()));
  });
  test('escapes what could steer the terminal, and loses nothing of it', () => {
    const hostile = withStrings(fullHealth(), (text) => `${text}${HOSTILE}`);
    const text = render(hostile);
    expect(text).not.toMatch(STEERING);
    expect(JSON.parse(text)).toEqual(hostile);
  });
});

describe('the shape', () => {
  test('a line of --ndjson is one line', () => {
    for (const [, document] of DOCUMENTS) {
      const line = healthLine(document);
      expect(line.indexOf('\n')).toBe(line.length - 1);
    }
  });
  test('the document has a line for each counter, of every namespace', () => {
    const lines = healthJson(fullHealth()).split('\n');
    expect(lines.slice(0, 4)).toEqual([
      '{',
      '  "type": "health",',
      '  "schema_version": 1,',
      '  "tool": {"name":"rstscope","version":"0.1.0"},',
    ]);
    expect(lines.filter((line) => line.startsWith('    {"name":"'))).toHaveLength(5);
    expect(lines.filter((line) => line.startsWith('      {"name":"'))).toHaveLength(6);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1200);
  });
});

describe('the schema', () => {
  const full = fullHealth();
  const order = (name: string): string[] => Object.keys(schema.$defs[name]?.properties ?? {});

  test('lists the keys in their order', () => {
    expect(order('health')).toEqual(Object.keys(full));
    expect(order('counter')).toEqual(Object.keys(full.counters[0]!));
    expect(order('health_namespace')).toEqual(Object.keys(full.namespaces[0]!));
    expect(order('alert')).toEqual(Object.keys(full.alerts[0]!));
    expect(order('listen_queue')).toEqual(Object.keys(full.listeners[0]!));
    expect(order('setting')).toEqual(Object.keys(full.sysctls[0]!));
  });
  test.each(Object.keys(full))('requires %s, and knows its type', (key) => {
    const { [key]: _left, ...rest } = full as unknown as Record<string, unknown>;
    expect(strictly('health')(rest)).toHaveLength(1);
    expect(strictly('health')({ ...rest, [key]: { not: 'a value' } })).not.toEqual([]);
  });
  test('strictly knows of no other key, as shipped allows one', () => {
    expect(strictly('health')({ ...full, new_key: 1 })).toHaveLength(1);
    expect(asShipped(withExtraKeys(full))).toEqual([]);
  });
  test('knows every state of an alert, and no other', () => {
    const states = (state: string): unknown => ({ ...full, alerts: full.alerts.map((one) => ({ ...one, state })) });
    for (const state of ['undefined', 'clear', 'warning']) expect(strictly('health')(states(state))).toEqual([]);
    expect(strictly('health')(states('critical'))).toHaveLength(3);
  });
});
