/** Rows that are one thing are told in a line; a server that resets more than its fellows is named. */
import { describe, expect, test } from '@jest/globals';
import { backendNotes, foldPatterns } from '../../src/render/folded-rows.js';
import { sampleEndpoint, sampleHost, samplePort, sampleReport } from './sample-report.js';

const scanned = (port: number, resets = 1): ReturnType<typeof sampleEndpoint> =>
  sampleEndpoint({ port, resets, pattern: 'scan' });

describe('rows of one pattern', () => {
  test('are folded from the third', () => {
    const two = [scanned(1), sampleEndpoint({ pattern: null }), scanned(2)];
    expect(foldPatterns(two, 'server', false)).toEqual({ rows: two, notes: [] });
    const three = [scanned(1, 5), sampleEndpoint({ pattern: null }), scanned(2), scanned(3, 1200)];
    expect(foldPatterns(three, 'server', false)).toEqual({
      rows: [three[1]],
      notes: ['scan: 3 servers, 1,206 resets (--all shows them row by row)'],
    });
  });
  test('are all shown where all are asked for', () => {
    const rows = [scanned(1), scanned(2), scanned(3)];
    expect(foldPatterns(rows, 'server', true)).toEqual({ rows, notes: [] });
  });
  test('of each pattern on its own; what is of none stays', () => {
    const loop = (port: number): ReturnType<typeof samplePort> =>
      samplePort({ port, pattern: 'retry-loop', resets: 4 });
    const check = (port: number): ReturnType<typeof samplePort> =>
      samplePort({ port, pattern: 'health-check', resets: 1 });
    const rows = [loop(1), check(2), loop(3), check(4), loop(5), samplePort({ port: 6, pattern: null })];
    const folded = foldPatterns(rows, 'port', false);
    expect(folded.rows.map(({ port }) => port)).toEqual([2, 4, 6]);
    expect(folded.notes).toEqual(['retry-loop: 3 ports, 12 resets (--all shows them row by row)']);
    const none = [1, 2, 3, 4].map((port) => samplePort({ port, pattern: null }));
    expect(foldPatterns(none, 'port', false)).toEqual({ rows: none, notes: [] });
  });
  test('hosts count what they sent and what they got', () => {
    const host = (n: number): ReturnType<typeof sampleHost> =>
      sampleHost({ ip: `10.0.0.${String(n)}`, pattern: 'flood', resets_from: n, resets_to: 10 });
    expect(foldPatterns([host(1), host(2), host(3)], 'host', false)).toEqual({
      rows: [],
      notes: ['flood: 3 hosts, 36 resets (--all shows them row by row)'],
    });
  });
});

describe('servers that share a port', () => {
  const backend = (ip: string, resets: number, connections: number): ReturnType<typeof sampleEndpoint> =>
    sampleEndpoint({ ip, port: 8080, resets, connections, reset_ratio: resets / connections, pattern: null });
  const notes = (...endpoints: ReturnType<typeof sampleEndpoint>[]): string[] => {
    const connections = endpoints.reduce((sum, row) => sum + (row.connections ?? 0), 0);
    const resets = endpoints.reduce((sum, row) => sum + row.resets, 0);
    const port = samplePort({ port: 8080, resets, connections, reset_ratio: resets / connections, pattern: null });
    return backendNotes(sampleReport({ endpoints, ports: [port] }));
  };

  test('the one that resets three times as often is named', () => {
    expect(notes(backend('10.0.0.1', 31, 100), backend('10.0.0.2', 10, 100))).toEqual([
      '10.0.0.1:8080: 31% of 100 connections reset; of the 100 to other servers on port 8080 10%',
    ]);
    expect(notes(backend('10.0.0.1', 29, 100), backend('10.0.0.2', 10, 100))).toEqual([]);
  });
  test('not by less than five resets', () => {
    expect(notes(backend('10.0.0.1', 4, 10), backend('10.0.0.2', 0, 10))).toEqual([]);
    expect(notes(backend('10.0.0.1', 5, 10), backend('10.0.0.2', 0, 10))).toHaveLength(1);
  });
  test('not alone, not of a pattern, not without a count of connections', () => {
    expect(notes(backend('10.0.0.1', 50, 100))).toEqual([]);
    const other = backend('10.0.0.2', 0, 100);
    expect(notes({ ...backend('10.0.0.1', 50, 100), pattern: 'health-check' }, other)).toEqual([]);
    expect(notes({ ...backend('10.0.0.1', 50, 100), connections: null, reset_ratio: null }, other)).toEqual([]);
  });
  test('at most three', () => {
    const bad = [1, 2, 3, 4].map((n) => backend(`10.0.0.${String(n)}`, 90, 100));
    expect(notes(...bad, backend('10.0.0.9', 0, 10_000))).toHaveLength(3);
  });
});
