/** The kernel's counters of aborts against the causes that were named: where they agree, and what is said where not. */
import { describe, expect, test } from '@jest/globals';
import { abortRows, type CauseCount } from '../../src/health/abort-notes.js';
import { KNOWN_NAMES } from '../../src/health/known-counters.js';
import type { AbortRow, Cause } from '../../src/report/types.js';
import { recorded, type Kernel } from './recorded.js';

const STILL = {
  ...{ TCPAbortOnClose: 0, TCPAbortOnData: 0, TCPAbortOnMemory: 0, TCPAbortOnTimeout: 0, TCPAbortOnLinger: 0 },
};

function count(cause: Cause, resets: number, reason: string | null = null): CauseCount {
  return { cause, reason, resets };
}

function rows(rose: Record<string, number>, ...causes: CauseCount[]): AbortRow[] {
  return abortRows(new Map(Object.entries({ ...STILL, ...rose })), causes);
}

/** Counter, its rise, the resets it was held against. */
function brief(all: readonly AbortRow[]): [string, number, number, boolean][] {
  return all.map(({ counter, delta, resets, agrees }) => [counter, delta, resets, agrees]);
}

describe('counters that agree with the causes', () => {
  test('say so and nothing more', () => {
    expect(rows({ TCPAbortOnClose: 3 }, count('abort-unread-data', 3))).toEqual([
      {
        ...{ counter: 'TCPAbortOnClose', delta: 3, resets: 3, agrees: true, causes: ['abort-unread-data'] },
        message: 'TCPAbortOnClose rose by 3, and 3 resets are abort-unread-data',
      },
    ]);
    expect(rows({ TCPAbortOnMemory: 1 }, count('abort-memory', 1))[0]?.message).toBe(
      'TCPAbortOnMemory rose by 1, and 1 reset is abort-memory',
    );
  });

  test('the same cause with several reasons is one sum', () => {
    const causes = [count('abort-unread-data', 2, 'TCP_ABORT_ON_CLOSE'), count('abort-unread-data', 1)];
    expect(brief(rows({ TCPAbortOnClose: 3 }, ...causes))).toEqual([['TCPAbortOnClose', 3, 3, true]]);
  });

  test('SO_LINGER 0 raises OnData, TCP_LINGER2 raises OnLinger; the reason tells them apart', () => {
    const causes = [
      count('abort-linger', 4, 'TCP_STATE'),
      count('abort-linger', 1),
      count('abort-linger', 2, 'TCP_ABORT_ON_LINGER'),
    ];
    expect(brief(rows({ TCPAbortOnData: 5, TCPAbortOnLinger: 2 }, ...causes))).toEqual([
      ['TCPAbortOnData', 5, 5, true],
      ['TCPAbortOnLinger', 2, 2, true],
    ]);
  });

  test('late data raises OnData only where the kernel says that it did', () => {
    const late = [count('late-data', 3, 'TCP_ABORT_ON_DATA'), count('late-data', 2, 'TCP_TIMEWAIT_SOCKET')];
    expect(rows({ TCPAbortOnData: 3 }, ...late)).toMatchObject([{ resets: 3, agrees: true, causes: ['late-data'] }]);
    expect(rows({}, count('late-data', 2))).toEqual([]);
    expect(rows({ TCPAbortOnData: 5 }, ...late, count('abort-linger', 2))[0]?.causes).toEqual([
      'abort-linger',
      'late-data',
    ]);
  });

  test('what stood still and was not expected to move is left out', () => {
    expect(rows({})).toEqual([]);
    expect(rows({}, count('closed-port', 9), count('abort', 2))).toEqual([]);
  });
});

describe('counters that differ', () => {
  test('by how much, and what else raises them', () => {
    expect(rows({ TCPAbortOnTimeout: 9 }, count('abort-timeout', 2))[0]).toMatchObject({
      agrees: false,
      message:
        'TCPAbortOnTimeout rose by 9, and 2 resets are abort-timeout: they differ by 7; a retransmission timeout raises it and sends no reset',
    });
    expect(rows({ TCPAbortOnData: 5 })[0]).toMatchObject({
      ...{ resets: 0, agrees: false, causes: ['abort-linger', 'late-data'] },
      message: expect.stringMatching(
        /^TCPAbortOnData rose by 5, and 0 resets are abort-linger or late-data: they diff/,
      ),
    });
  });

  test('less than the resets that were named is a difference, too', () => {
    const [row] = rows({}, count('abort-unread-data', 2));
    expect(row).toMatchObject({ delta: 0, resets: 2, agrees: false });
    expect(row?.message).toBe(
      'TCPAbortOnClose rose by 0, and 2 resets are abort-unread-data: they differ by 2; a connection of MPTCP ends without raising it',
    );
    // What else raises the counter is no reason that it did not rise.
    expect(rows({ TCPAbortOnData: 1 }, count('abort-linger', 2))[0]?.message).toMatch(
      /: they differ by 1; a connection that answers several late segments raises it once$/,
    );
  });

  test('resets of a cause that is not known as closely are named where they may be the rest', () => {
    const vague = [count('abort', 3), count('unknown', 1), count('closed-port', 8)];
    expect(rows({ TCPAbortOnClose: 5 }, ...vague)[0]?.message).toMatch(
      /; of 4 more resets the cause is not known as closely$/,
    );
    // They can't have been too few resets.
    expect(rows({ TCPAbortOnClose: 1 }, count('abort-unread-data', 2), ...vague)[0]?.message).not.toContain('closely');
    expect(rows({ TCPAbortOnClose: 5 }, count('abort-unread-data', 5), ...vague)[0]?.message).not.toContain('closely');
  });
});

test('a counter that the kernel lacks has no row, whatever was named', () => {
  expect(abortRows(new Map([['OutRsts', 4]]), [count('abort-memory', 4)])).toEqual([]);
});

test('each counter has a meaning', () => {
  const every = Object.fromEntries(Object.keys(STILL).map((name) => [name, 1]));
  const named = rows(every).map(({ counter }) => counter);
  expect(named.sort()).toEqual(Object.keys(STILL).sort());
  expect(named.filter((name) => !KNOWN_NAMES.has(name))).toEqual([]);
});

// The stories of docs/kernels.md, by what each of them is; the kernel's reasons are those of 6.18's recording.
const STORIES: readonly CauseCount[] = [
  count('closed-port', 3, 'NO_SOCKET'),
  count('abort-linger', 2, 'TCP_STATE'),
  count('abort-unread-data', 2, 'TCP_ABORT_ON_CLOSE'),
  count('listener-closed', 1, 'TCP_STATE'),
  count('abort-disconnect', 1, 'TCP_STATE'),
  count('abort-admin', 1, 'TCP_STATE'),
  count('abort-timeout', 1, 'TCP_KEEPALIVE_TIMEOUT'),
  count('half-open', 1, 'NO_SOCKET'),
  count('late-data', 1, 'TCP_TIMEWAIT_SOCKET'),
  count('handshake-mismatch', 1, 'TCP_FLAGS'),
];

test.each<Kernel>(['6.18', '6.1'])('what %s counted of known resets agrees with what they were', (kernel) => {
  const counters = recorded(kernel);
  expect(STORIES.reduce((sum, { resets }) => sum + resets, 0)).toBe(counters.get('OutRsts'));
  expect(brief(abortRows(counters, STORIES))).toEqual([
    ['TCPAbortOnClose', 2, 2, true],
    ['TCPAbortOnData', 2, 2, true],
    ['TCPAbortOnTimeout', 1, 1, true],
  ]);
});
