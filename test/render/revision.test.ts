/** Revision lines: the keys that changed, their new values and nothing else. */
import { describe, expect, test } from '@jest/globals';
import { revisionLine } from '../../src/render/revision.js';
import type { ResetEvent } from '../../src/report/types.js';
import { HOSTILE, sampleEvent, sampleProcess } from './sample-report.js';
import { asShipped, strictly } from './strict-schema.js';

const revised = (changes: Partial<ResetEvent>): string | null => revisionLine(sampleEvent(), sampleEvent(changes));

/** A value of each key that differs from the sample's. */
const OTHER: Omit<ResetEvent, 'type' | 'id'> = {
  ...{ timestamp: null, epoch: 1, src_ip: '::1', src_port: 1, dest_ip: '::2', dest_port: 2, ip_version: 6 },
  ...{ src_mac: null, dest_mac: '00:00:00:00:00:01', tcp_flags: 'R', seq: 2, ack: null, window: 1, ttl: 1, ip_id: 7 },
  ...{ payload_length: 1, payload_text: 'x', vlan: [7, 100], outer: [], file: null, frame: 1, frames: [17] },
  ...{ interface: 'lo', interfaces: [], copies: 3, translations: [], netns: 5, direction: 'local' as const },
  ...{ service_port: null, reset_by: 'client' as const, conn_state: null, stage: 'data' as const, idle_seconds: 1 },
  ...{ bytes_to_server: 9, bytes_to_client: 9, cause: 'abort' as const, confidence: 'certain' as const },
  ...{
    origin: 'unknown' as const,
    pattern: null,
    evidence: ['more'],
    kernel_reason: 'x',
    kernel_path: 'linger' as const,
  },
  ...{ sender: sampleProcess({ pid: 1 }), receiver: sampleProcess(), sender_reason: 'gone' as const },
  ...{ receiver_reason: null, community_id: '1:z' },
};

describe('a revision', () => {
  test('holds the id and what changed, in the order of the event', () => {
    expect(revised({ cause: 'abort', copies: 3, vlan: [] })).toBe(
      '{"type":"revision","id":"f1","vlan":[],"copies":3,"cause":"abort"}\n',
    );
  });
  test('of nothing is none', () => {
    expect(revised({})).toBeNull();
    // Equal, but other objects, with their keys in another order.
    const { pid, ...rest } = sampleProcess();
    expect(revised({ sender: { ...rest, pid }, frames: [17, 18] })).toBeNull();
  });
  test('is not made of the id or the type', () => {
    expect(revised({ id: 'f2' })).toBeNull();
    expect(revised({ id: 'f2', copies: 3 })).toContain('"id":"f1"');
  });
  test('sees a change deep inside', () => {
    const container = { id: 'abc123', runtime: 'docker', name: 'web2', pod: null, pod_namespace: null };
    const line = JSON.parse(revised({ sender: sampleProcess({ container }) }) ?? '') as Record<string, unknown>;
    expect(Object.keys(line)).toEqual(['type', 'id', 'sender']);
    expect(line['sender']).toEqual(sampleProcess({ container }));
  });
  test.each(Object.entries(OTHER))('tells of a new %s, valid by the schema', (key, value) => {
    const line = revised({ [key]: value }) ?? '';
    expect(JSON.parse(line)).toEqual({ type: 'revision', id: 'f1', [key]: value });
    expect(strictly('revision')(JSON.parse(line))).toEqual([]);
    expect(asShipped(JSON.parse(line))).toEqual([]);
  });
  test('can tell of every key', () => {
    const { type: _type, id: _id, ...rest } = sampleEvent();
    expect(Object.keys(OTHER)).toEqual(Object.keys(rest));
  });
  test('is one line that steers no terminal', () => {
    const line = revised({ sender: sampleProcess({ command: HOSTILE }) }) ?? '';
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(line).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    expect(JSON.parse(line)).toMatchObject({ sender: { command: HOSTILE } });
  });
});
