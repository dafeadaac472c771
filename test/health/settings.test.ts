/** Which settings of the kernel are told, when, and with what they explain. */
import { describe, expect, test } from '@jest/globals';
import { SETTINGS, settingRows, type Seen, type Setting } from '../../src/health/settings.js';
import type { ListenQueueRow } from '../../src/report/types.js';

/** As Linux has them. */
const VALUES: Readonly<Record<Setting, string>> = {
  'net.ipv4.tcp_abort_on_overflow': '0',
  'net.core.somaxconn': '4096',
  'net.ipv4.tcp_max_syn_backlog': '512',
  'net.ipv4.tcp_syn_retries': '6',
  'net.ipv4.tcp_rfc1337': '0',
};

function seen(more: Partial<Omit<Seen, 'rose'>> & { rose?: Record<string, number> } = {}): Seen {
  return { causes: new Set(), queues: [], ...more, rose: new Map(Object.entries(more.rose ?? {})) };
}

function queue(more: Partial<ListenQueueRow> = {}): ListenQueueRow {
  return { ip: '0.0.0.0', port: 8080, netns: 7, backlog: 0, backlog_max: 4096, ...more };
}

/** Name and what it explains, of the rows that there are. */
function told(values: Partial<Record<Setting, string>>, of: Seen): [string, string][] {
  const all = { ...VALUES, ...values };
  return settingRows(
    SETTINGS.map((name) => all[name]),
    7,
    of,
  ).map(({ name, message }) => [name, message]);
}

describe('settings', () => {
  test('that explain nothing are not told', () => {
    expect(told({}, seen())).toEqual([]);
    expect(told({ 'net.ipv4.tcp_abort_on_overflow': '1', 'net.ipv4.tcp_rfc1337': '1' }, seen())).toEqual([]);
    expect(told({}, seen({ rose: { OutRsts: 900, TCPAbortOnClose: 8 }, causes: new Set(['closed-port']) }))).toEqual(
      [],
    );
  });

  test('have the value as the kernel writes it, and the namespace', () => {
    const values = SETTINGS.map((name) => `${VALUES[name]}\n`);
    expect(settingRows(values, 7, seen({ rose: { TCPSynRetrans: 1 } }))).toEqual([
      {
        ...{ name: 'net.ipv4.tcp_syn_retries', value: '6', netns: 7 },
        message: 'a SYN without an answer is sent again 6 times before the connect fails: no reset',
      },
    ]);
    expect(settingRows(values, null, seen({ rose: { TCPSynRetrans: 1 } }))[0]?.netns).toBeNull();
  });

  test('that could not be read, or are no numbers, are left out and shift nothing', () => {
    const of = seen({ rose: { ListenOverflows: 2, TCPReqQFullDrop: 1, TCPSynRetrans: 1 } });
    expect(settingRows([], 7, of)).toEqual([]);
    expect(settingRows(['0'], 7, of).map(({ name }) => name)).toEqual(['net.ipv4.tcp_abort_on_overflow']);
    const odd = ['', 'x', '1 2', '-1', '0x1'];
    expect(settingRows(odd, 7, of).map(({ name, value }) => [name, value])).toEqual([
      ['net.ipv4.tcp_syn_retries', '-1'],
    ]);
  });

  test('come in the order of the list', () => {
    const of = seen({
      rose: { ListenOverflows: 1, TCPReqQFullDrop: 1, TCPSynRetrans: 1 },
      causes: new Set(['time-wait-assassination']),
      queues: [queue()],
    });
    expect(told({}, of).map(([name]) => name)).toEqual([...SETTINGS]);
  });
});

describe('tcp_abort_on_overflow', () => {
  const NAME = 'net.ipv4.tcp_abort_on_overflow';
  test('0: how many handshakes were dropped without a reset', () => {
    expect(told({}, seen({ rose: { ListenOverflows: 1 } }))).toEqual([
      [NAME, '1 handshake found an accept queue full and was dropped without a reset'],
    ]);
    expect(told({}, seen({ rose: { ListenOverflows: 1200 } }))).toEqual([
      [NAME, '1,200 handshakes found an accept queue full and were dropped without a reset'],
    ]);
    expect(told({}, seen({ causes: new Set(['listen-queue-full']) }))).toEqual([]);
  });
  test('1: that a reset answers, where the counter or a cause says that it did', () => {
    const answer = [[NAME, 'a full accept queue is answered by a reset']];
    expect(told({ [NAME]: '1' }, seen({ rose: { ListenOverflows: 3 } }))).toEqual(answer);
    expect(told({ [NAME]: '1' }, seen({ causes: new Set(['listen-queue-full']) }))).toEqual(answer);
    expect(told({ [NAME]: '1' }, seen({ rose: { ListenDrops: 3 } }))).toEqual([]);
  });
});

describe('somaxconn', () => {
  const says = (port: number): [string, string][] => [
    [
      'net.core.somaxconn',
      `no accept queue gets longer, whatever the program asks for: that of port ${String(port)} is as long as this`,
    ],
  ];
  const somaxconn = (of: Seen): [string, string][] => told({}, of).filter(([name]) => name === 'net.core.somaxconn');

  test('is told where a queue is as long as it allows and ran full', () => {
    expect(somaxconn(seen({ rose: { ListenOverflows: 1 }, queues: [queue()] }))).toEqual(says(8080));
    expect(somaxconn(seen({ queues: [queue({ backlog: 4096 })] }))).toEqual(says(8080));
    expect(somaxconn(seen({ queues: [queue({ backlog: 4097 })] }))).toEqual(says(8080));
    expect(
      somaxconn(seen({ rose: { ListenOverflows: 1 }, queues: [queue({ backlog_max: 128 }), queue({ port: 81 })] })),
    ).toEqual(says(81));
  });
  test('is not told of shorter queues, of unknown ones, nor where none was full', () => {
    expect(somaxconn(seen({ queues: [queue()] }))).toEqual([]);
    expect(somaxconn(seen({ rose: { ListenOverflows: 1 } }))).toEqual([]);
    expect(somaxconn(seen({ rose: { ListenOverflows: 1 }, queues: [queue({ backlog_max: 128 })] }))).toEqual([]);
    expect(somaxconn(seen({ rose: { ListenOverflows: 1 }, queues: [queue({ backlog_max: null })] }))).toEqual([]);
  });
});

test('tcp_max_syn_backlog: the SYNs that found a queue full, and not those that got a cookie', () => {
  const of = seen({ rose: { TCPReqQFullDrop: 2, TCPReqQFullDoCookies: 1 } });
  expect(told({}, of)).toEqual([
    ['net.ipv4.tcp_max_syn_backlog', '2 SYNs found a SYN queue full and were dropped without a reset'],
  ]);
  expect(told({}, seen({ rose: { TCPReqQFullDrop: 1 } }))[0]?.[1]).toMatch(/^1 SYN found/);
});

test('tcp_syn_retries: how often a SYN is sent', () => {
  const of = seen({ rose: { TCPSynRetrans: 9 } });
  expect(told({ 'net.ipv4.tcp_syn_retries': '1' }, of)[0]?.[1]).toContain('is sent again 1 time before');
});

test('tcp_rfc1337: of TIME-WAIT that a reset ended', () => {
  const of = seen({ causes: new Set(['time-wait-assassination']) });
  expect(told({}, of)).toEqual([['net.ipv4.tcp_rfc1337', 'a reset ends TIME-WAIT early (RFC 1337); 1 prevents that']]);
  expect(told({ 'net.ipv4.tcp_rfc1337': '1' }, of)).toEqual([
    ['net.ipv4.tcp_rfc1337', 'a reset does not end TIME-WAIT'],
  ]);
});
