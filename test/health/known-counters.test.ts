/** The list of counters that are shown: every name is one that a kernel has, and each tells something. */
import { describe, expect, test } from '@jest/globals';
import { KNOWN_COUNTERS, KNOWN_NAMES } from '../../src/health/known-counters.js';
import { CAUSES } from '../../src/report/types.js';
import { recorded } from './recorded.js';

const NAMES = KNOWN_COUNTERS.map(({ name }) => name);

function causeOf(name: string): string | null | undefined {
  return KNOWN_COUNTERS.find((counter) => counter.name === name)?.cause;
}

describe('the counters that are known', () => {
  test('have each one name, once, as a kernel writes it', () => {
    expect(new Set(NAMES).size).toBe(NAMES.length);
    expect(KNOWN_NAMES).toEqual(new Set(NAMES));
    const counters = recorded('6.18');
    expect(NAMES.filter((name) => !counters.has(name))).toEqual([]);
  });

  test('are those that the alerts and the notes look at, and every counter of aborts that 6.18 has', () => {
    const aborts = [...recorded('6.18').keys()].filter((name) => name.startsWith('TCPAbort'));
    expect(aborts).toHaveLength(6);
    const wanted = ['OutRsts', 'AttemptFails', 'EstabResets', 'ListenOverflows', 'ListenDrops', ...aborts];
    const ofSettings = ['TCPReqQFullDrop', 'TCPReqQFullDoCookies', 'TCPSynRetrans'];
    expect([...wanted, ...ofSettings].filter((name) => !KNOWN_NAMES.has(name))).toEqual([]);
  });

  test('begin with the one that everything is held against', () => {
    expect(NAMES[0]).toBe('OutRsts');
  });

  test('rise and never fall: settings and states are not among them', () => {
    for (const name of ['CurrEstab', 'MaxConn', 'RtoMin', 'RtoMax', 'RtoAlgorithm'])
      expect(KNOWN_NAMES.has(name)).toBe(false);
  });

  test('have meanings of their own, that fit into a row and end without a full stop', () => {
    const meanings = KNOWN_COUNTERS.map(({ meaning }) => meaning);
    expect(new Set(meanings).size).toBe(meanings.length);
    for (const meaning of meanings) {
      expect(meaning).toMatch(/^\S.*[^.\s]$/);
      expect(meaning.length).toBeLessThanOrEqual(100);
    }
  });

  test('point to causes that there are', () => {
    for (const { cause } of KNOWN_COUNTERS) expect([null, ...CAUSES]).toContain(cause);
    expect(causeOf('OutRsts')).toBeNull();
    expect(causeOf('AttemptFails')).toBe('closed-port');
    expect(causeOf('TCPAbortOnClose')).toBe('abort-unread-data');
    expect(causeOf('TCPAbortOnData')).toBe('abort-linger');
    expect(causeOf('TCPAbortOnTimeout')).toBe('abort-timeout');
    expect(causeOf('TCPAbortOnMemory')).toBe('abort-memory');
    expect(causeOf('ListenOverflows')).toBe('listen-queue-full');
    // Nobody is reset because of these.
    for (const name of ['TCPReqQFullDrop', 'SyncookiesSent', 'TCPSynRetrans', 'TCPAbortFailed'])
      expect(causeOf(name)).toBeNull();
  });
});
