/** JSON and NDJSON: every key and no other, valid by the schema, and safe to look at. */
import { describe, expect, test } from '@jest/globals';
import { jsonChunks, renderJson } from '../../src/render/json.js';
import { eventLine, startLine, summaryLine } from '../../src/render/ndjson.js';
import { CAUSES, DIRECTIONS, PATTERNS, type Report } from '../../src/report/types.js';
import { ENCAPSULATIONS } from '../../src/decode/walk.js';
import {
  emptyReport,
  fullReport,
  HOSTILE,
  sampleEvent,
  sampleProcess,
  sampleReport,
  sampleStart,
  withStrings,
} from './sample-report.js';
import { fullKernel, sampleAlert } from './sample-kernel.js';
import { asShipped, schema, strictly } from './strict-schema.js';

/** Objects whose keys are the kernel's own names, whatever these are. */
const isByName = (key: string, value: unknown): boolean => key === 'counters' && !Array.isArray(value);

/** A copy in which every object has one key more. */
function withExtraKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map((one: unknown) => withExtraKeys(one)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.entries(value).map(
    ([key, one]) => [key, isByName(key, one) ? (one as unknown) : withExtraKeys<unknown>(one)] as const,
  );
  return { ...Object.fromEntries(copy), extra_key: 1 } as T;
}

const REPORTS: [string, Report][] = [
  ['plain', sampleReport()],
  ['full', fullReport()],
  ['empty', emptyReport()],
];
const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

describe('the document', () => {
  test.each(REPORTS)('of a %s report holds it all, in order', (_, report) => {
    expect(JSON.stringify(JSON.parse(renderJson(report)))).toBe(JSON.stringify(report));
    expect(renderJson(report).endsWith('}\n')).toBe(true);
  });
  test('holds no key that is not in the types', () => {
    expect(renderJson(withExtraKeys(fullReport()))).toBe(renderJson(fullReport()));
  });
  test('comes in chunks when it is long', () => {
    const report = sampleReport({ events: Array.from({ length: 2000 }, (_, i) => sampleEvent({ id: `f${i}` })) });
    const chunks = [...jsonChunks(report)];
    expect(chunks.length).toBeGreaterThan(10);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(2 * 65536);
    expect(JSON.parse(chunks.join(''))).toEqual(report);
  });
  test('has a line for each event', () => {
    const text = renderJson(fullReport());
    expect(text.split('\n').filter((line) => line.startsWith('    {"type":"reset",'))).toHaveLength(2);
  });
});

describe('the lines', () => {
  test('are one line each', () => {
    for (const line of [startLine(sampleStart), eventLine(sampleEvent()), summaryLine(fullReport())]) {
      expect(line.indexOf('\n')).toBe(line.length - 1);
    }
  });
  test('start and reset hold what they were given', () => {
    expect(JSON.parse(startLine(withExtraKeys(sampleStart)))).toEqual(sampleStart);
    expect(JSON.parse(eventLine(withExtraKeys(sampleEvent())))).toEqual(sampleEvent());
  });
  test('the summary is the report without its events', () => {
    const { events: _events, ...rest } = fullReport();
    const line = summaryLine(fullReport());
    expect(JSON.stringify(JSON.parse(line))).toBe(JSON.stringify({ ...rest, type: 'summary' }));
    expect(line.startsWith('{"type":"summary","schema_version":1,')).toBe(true);
  });
});

describe('hostile text', () => {
  const hostile = sampleEvent({ payload_text: HOSTILE, file: HOSTILE, sender: sampleProcess({ command: HOSTILE }) });

  test('is escaped, not lost', () => {
    const line = eventLine(hostile);
    expect(HOSTILE).toMatch(STEERING);
    expect(line).not.toMatch(STEERING);
    expect(JSON.parse(line)).toEqual(hostile);
  });
  test('is nowhere raw in the document', () => {
    const text = renderJson(withStrings(fullReport(), (one) => one + HOSTILE));
    expect(text).toContain('\\u009b2J\\u202egnp.exe');
    expect(text).not.toMatch(STEERING);
  });
  test('outside the basic plane is escaped by halves', () => {
    expect(eventLine(sampleEvent({ file: '\u{e0041}' }))).toContain('"\\udb40\\udc41"');
  });
});

describe('the schema', () => {
  test.each(REPORTS)('describes a %s report, key for key', (_, report) => {
    expect(strictly('report')(JSON.parse(renderJson(report)))).toEqual([]);
    expect(strictly('summary')(JSON.parse(summaryLine(report)))).toEqual([]);
    expect(asShipped(JSON.parse(renderJson(report)))).toEqual([]);
    expect(asShipped(JSON.parse(summaryLine(report)))).toEqual([]);
  });
  test('describes the other lines', () => {
    expect(strictly('start')(sampleStart)).toEqual([]);
    expect(strictly('event')(sampleEvent())).toEqual([]);
    expect(strictly('revision')({ type: 'revision', id: 'f1', cause: 'abort', sender: sampleProcess() })).toEqual([]);
    expect(asShipped(sampleStart)).toEqual([]);
    expect(asShipped(sampleEvent())).toEqual([]);
    expect(asShipped({ type: 'revision', id: 'f1', copies: 3 })).toEqual([]);
  });
  test('lists the keys of a type in its order', () => {
    const order = (name: string): string[] => Object.keys(schema.$defs[name]?.properties ?? {});
    const report = fullReport();
    expect(order('event')).toEqual(Object.keys(sampleEvent()));
    expect(order('report')).toEqual(Object.keys(report));
    expect(order('process')).toEqual(Object.keys(sampleProcess()));
    expect(order('source')).toEqual(Object.keys(report.source));
    expect(order('packets')).toEqual(Object.keys(report.packets));
    expect(order('endpoint_row')).toEqual(Object.keys(report.endpoints[0]!));
    expect(order('port_row')).toEqual(Object.keys(report.ports[0]!));
    expect(order('process_row')).toEqual(Object.keys(report.processes[0]!));
    expect(order('failed_connect')).toEqual(Object.keys(report.failed_connects[0]!));
    expect(order('unnamed_row')).toEqual(Object.keys(report.unnamed[0]!));
    const kernel = fullKernel();
    expect(order('kernel')).toEqual(Object.keys(kernel));
    expect(order('kernel_namespace')).toEqual(Object.keys(kernel.namespaces[0]!));
    expect(order('reconciliation')).toEqual(Object.keys(kernel.reconciliation));
    expect(order('difference')).toEqual(Object.keys(kernel.reconciliation.differences[0]!));
    expect(order('received_resets')).toEqual(Object.keys(kernel.received));
    expect(order('abort')).toEqual(Object.keys(kernel.aborts[0]!));
    expect(order('listen_queue')).toEqual(Object.keys(kernel.listeners[0]!));
    expect(order('setting')).toEqual(Object.keys(kernel.sysctls[0]!));
    expect(order('alert')).toEqual(Object.keys(report.alerts[0]!));
    expect(order('start')).toEqual(Object.keys(sampleStart));
  });
  test.each(Object.keys(fullReport()))('requires %s of a report', (key) => {
    const { [key]: _left, ...rest } = fullReport() as unknown as Record<string, unknown>;
    expect(strictly('report')(rest)).toHaveLength(1);
  });
  test.each(Object.keys(sampleEvent()))('requires %s of an event, and knows its type', (key) => {
    const { [key]: _left, ...rest } = sampleEvent() as unknown as Record<string, unknown>;
    expect(strictly('event')(rest)).toHaveLength(1);
    expect(strictly('event')({ ...rest, [key]: { not: 'a value' } })).not.toEqual([]);
  });
  test('strictly knows of no other key, as shipped allows one', () => {
    expect(strictly('event')({ ...sampleEvent(), new_key: 1 })).toHaveLength(1);
    expect(strictly('report')(withExtraKeys(fullReport())).length).toBeGreaterThan(20);
    expect(asShipped({ ...sampleEvent(), new_key: 1 })).toEqual([]);
  });
  test('tells documents apart by type', () => {
    expect(asShipped({ ...sampleEvent(), type: 'report' })).not.toEqual([]);
    expect(asShipped({ ...sampleEvent(), type: 'other' })).not.toEqual([]);
    expect(schema.oneOf).toHaveLength(11);
  });
  test('knows every word of the types', () => {
    for (const cause of CAUSES) expect(strictly('event')(sampleEvent({ cause }))).toEqual([]);
    for (const direction of DIRECTIONS) expect(strictly('event')(sampleEvent({ direction }))).toEqual([]);
    for (const pattern of PATTERNS) expect(strictly('event')(sampleEvent({ pattern }))).toEqual([]);
    for (const encapsulation of ENCAPSULATIONS) {
      const outer = [{ encapsulation, src_ip: null, dest_ip: null, id: null }];
      expect(strictly('event')(sampleEvent({ outer }))).toEqual([]);
    }
  });
  test('describes every key and requires it', () => {
    for (const [name, definition] of Object.entries(schema.$defs)) {
      const keys = 'properties' in definition ? Object.keys(definition.properties) : [];
      if (keys.length === 0) continue;
      expect([name, definition.required]).toEqual([name, name === 'revision' ? ['type', 'id'] : keys]);
      for (const key of keys) {
        const field = definition.properties[key];
        const described = field?.description ?? ('$ref' in (field ?? {}) ? 'by reference' : '');
        expect([name, key, described.length > 3]).toEqual([name, key, true]);
      }
    }
  });
  test('describes the documents of the other commands', () => {
    const head = { schema_version: 1, tool: { name: 'rstscope', version: '0.1.0' } };
    const owner = { process: sampleProcess(), reason: null, holders: [4242], netns: 1 };
    const documents: Record<string, object> = {
      who: {
        ports: [
          {
            port: 80,
            listeners: [{ ip: '::', port: 80, ...owner, backlog: 0, backlog_max: 511 }],
            connections: [
              {
                ...{ local_ip: '10.0.0.1', local_port: 80, remote_ip: '10.0.0.2', remote_port: 1024, state: 'ESTAB' },
                ...{ recv_queue: 0, send_queue: 0, ...owner, age_seconds: null },
              },
            ],
          },
        ],
        namespaces: [],
      },
      health: {
        window: sampleReport().window,
        boot_seconds: 12.5,
        counters: [{ name: 'OutRsts', total: 9, delta: 1, rate: 0.1, meaning: 'resets sent', cause: null }],
        namespaces: [{ netns: 1, name: null, counters: [] }],
        alerts: [sampleAlert()],
        listeners: [{ ip: '::', port: 80, netns: null, backlog: 1, backlog_max: null }],
        sysctls: [{ name: 'net.core.somaxconn', value: '128', netns: 1, message: 'as long as the queue' }],
      },
      explain: {
        ...{ cause: 'abort', title: 'aborted', meaning: 'it was aborted', recognised_by: [], next_steps: [] },
        ...{ certainty: 'likely', counters: [], sysctls: [], aliases: [], event: null, ladder: [], rules: [] },
        ...{ asked: null, earlier_segments: null, later_segments: null },
      },
      causes: {
        ...{ asked: 'timeout', meaning: 'it sends no reset' },
        causes: [{ cause: 'abort', title: 'aborted', group: 'Ended by a program', when: null }],
      },
      compare: {
        ...{ both: 3, only_client: [sampleEvent()], only_server: [], clock_offset_seconds: null },
        ...{ matched_connections: 7, ports: [{ port: 80, before: 1, after: 2 }] },
      },
      devices: { devices: [{ name: 'lo', addresses: ['::1'], link_type: 'EN10MB', up: true, loopback: true }] },
    };
    for (const [type, rest] of Object.entries(documents)) {
      expect(strictly(type)({ type, ...head, ...rest })).toEqual([]);
      expect(asShipped({ type, ...head, ...rest })).toEqual([]);
    }
  });
});
