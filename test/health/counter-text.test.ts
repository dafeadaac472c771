/** The counters of three generations of kernels by their names, and that no hostile text ever gives one to another. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCounters, type Counters } from '../../src/health/counter-text.js';
import { KERNELS, recorded, textOf, type Kernel } from './recorded.js';

/** Read off the fixtures by eye, column by column. */
const VALUES: Readonly<Record<Kernel, Readonly<Record<string, number>>>> = {
  '6.18': {
    ...{ OutRsts: 14, AttemptFails: 3, EstabResets: 16, ActiveOpens: 12, PassiveOpens: 9, InCsumErrors: 0 },
    ...{ TCPAbortOnData: 2, TCPAbortOnClose: 2, TCPAbortOnMemory: 0, TCPAbortOnTimeout: 1, TCPAbortOnLinger: 0 },
    ...{ TCPAbortFailed: 0, ListenOverflows: 0, ListenDrops: 0, TW: 1, TCPKeepAlive: 1, TCPSynRetrans: 0 },
    // First and last of their lines, and one that no signed number would take.
    ...{ RtoAlgorithm: 1, SyncookiesSent: 0, TCPAODroppedIcmps: 0, MaxConn: -1 },
    ...{ PAWSOldAck: 0, PAWSTimewait: 0, TSEcrRejected: 0, BeyondWindow: 0, TCPOrigDataSent: 5, TCPDelivered: 12 },
  },
  '6.1': {
    ...{ OutRsts: 14, AttemptFails: 3, EstabResets: 16, ActiveOpens: 12, PassiveOpens: 9, InCsumErrors: 0 },
    ...{ TCPAbortOnData: 2, TCPAbortOnClose: 2, TCPAbortOnMemory: 0, TCPAbortOnTimeout: 1, TCPAbortOnLinger: 0 },
    ...{ TCPAbortFailed: 0, ListenOverflows: 0, ListenDrops: 0, TW: 1, TCPKeepAlive: 1, TCPSynRetrans: 0 },
    ...{ RtoAlgorithm: 1, SyncookiesSent: 0, TCPMigrateReqFailure: 0, MaxConn: -1, TCPDelivered: 12 },
  },
  old: {
    ...{ OutRsts: 2741, AttemptFails: 618, EstabResets: 97, ActiveOpens: 9120, PassiveOpens: 5544, InCsumErrors: 1 },
    ...{ TCPAbortOnData: 31, TCPAbortOnClose: 207, TCPAbortOnMemory: 0, TCPAbortOnTimeout: 14, TCPAbortOnLinger: 3 },
    ...{ TCPAbortFailed: 0, ListenOverflows: 13, ListenDrops: 17, TW: 6021, EmbryonicRsts: 8, TCPChallengeACK: 11 },
    ...{ SyncookiesSent: 40, SyncookiesRecv: 22, SyncookiesFailed: 6, TCPReqQFullDrop: 5, TCPReqQFullDoCookies: 40 },
    ...{ TCPPrequeued: 51320, PAWSPassive: 1, TCPLoss: 16, TCPForwardRetrans: 37, TCPSchedulerFailed: 1 },
    ...{ RtoAlgorithm: 1, TCPOFOQueue: 915, MaxConn: -1 },
  },
};

const LACKED: Readonly<Record<Kernel, readonly string[]>> = {
  '6.18': ['TCPPrequeued', 'PAWSPassive', 'TCPLoss', 'TCPForwardRetrans', 'TCPSchedulerFailed', 'TCPHPHitsToUser'],
  '6.1': ['PAWSOldAck', 'PAWSTimewait', 'TSEcrRejected', 'BeyondWindow', 'TCPAORequired', 'PAWSPassive'],
  old: [
    'TCPKeepAlive',
    'TCPSynRetrans',
    'TCPMigrateReqFailure',
    'TCPACKSkippedChallenge',
    'PAWSOldAck',
    'TCPDelivered',
  ],
};

describe.each(KERNELS)('the counters of %s', (kernel) => {
  const counters = recorded(kernel);

  test('have the values that stand below their names', () => {
    for (const [name, value] of Object.entries(VALUES[kernel])) {
      expect([name, counters.get(name)]).toEqual([name, value]);
    }
  });

  test('what the kernel lacks is not there, not 0', () => {
    expect(LACKED[kernel].filter((name) => counters.has(name))).toEqual([]);
  });

  test('those of other groups are not read, whose names may be those of TCP', () => {
    for (const name of [
      'InReceives',
      'InDatagrams',
      'NoPorts',
      'InOctets',
      'MPTCPRetrans',
      'OutDestUnreachs',
      'InType3',
    ])
      expect(counters.has(name)).toBe(false);
    // Of Tcp, not of Udp, UdpLite or Icmp.
    expect(counters.get('InErrs')).toBe(kernel === 'old' ? 6 : 0);
  });

  test('as many as there are names', () => {
    const names = (file: 'snmp' | 'netstat', group: string): number =>
      textOf(kernel, file)
        .split('\n')
        .find((line) => line.startsWith(`${group}: `))!
        .split(' ').length - 1;
    expect(counters.size).toBe(names('snmp', 'Tcp') + names('netstat', 'TcpExt'));
  });
});

test('one file alone, both in one text, and the same in the other order', () => {
  const [snmp, netstat] = [textOf('6.18', 'snmp'), textOf('6.18', 'netstat')];
  expect(parseCounters(snmp).get('OutRsts')).toBe(14);
  expect(parseCounters(snmp).has('TCPAbortOnClose')).toBe(false);
  expect(parseCounters(netstat).get('TCPAbortOnClose')).toBe(2);
  const all = recorded('6.18');
  expect(parseCounters(snmp + netstat)).toEqual(all);
  expect(new Map([...parseCounters(netstat, snmp)].sort())).toEqual(new Map([...all].sort()));
});

const GOOD = 'Tcp: A B\nTcp: 1 2\n';
const EXT = 'TcpExt: C\nTcpExt: 3\n';

function read(...texts: string[]): Record<string, number> {
  return Object.fromEntries(parseCounters(...texts));
}

describe('a group that does not match is left out as a whole, and the others stay', () => {
  const BROKEN: [string, string][] = [
    ['names without values', 'Tcp: A B\n'],
    ['names, and an empty line of values', 'Tcp: A B\nTcp:\n'],
    ['more values than names', 'Tcp: A B\nTcp: 1 2 3\n'],
    ['more names than values', 'Tcp: A B C\nTcp: 1 2\n'],
    ['a value that is no number', 'Tcp: A B\nTcp: 1 x\n'],
    ['a value in another base', 'Tcp: A B\nTcp: 1 0x10\n'],
    ['a value with a fraction', 'Tcp: A B\nTcp: 1 2.5\n'],
    ['a value with an exponent', 'Tcp: A B\nTcp: 1 1e3\n'],
    ['a value longer than 64 bits have digits', `Tcp: A B\nTcp: 1 ${'9'.repeat(21)}\n`],
    ['a bare minus', 'Tcp: A B\nTcp: 1 -\n'],
    ['a name that is none', 'Tcp: A B-2\nTcp: 1 2\n'],
    ['a name that begins with a digit', 'Tcp: A 2B\nTcp: 1 2\n'],
    ['the pair reversed', 'Tcp: 1 2\nTcp: A B\n'],
    ['the values of another group below', 'Tcp: A B\nUdp: 1 2\n'],
    ['the values of a group with a longer name below', 'Tcp: A B\nTcpExt2: 1 2\n'],
    ['a line between', 'Tcp: A B\n\nTcp: 1 2\n'],
    ['a NUL in a name', 'Tcp: A B\0\nTcp: 1 2\n'],
    ['a NUL in a value', 'Tcp: A B\nTcp: 1 \x002\n'],
    ['no group', ': A B\n: 1 2\n'],
    ['a blank before the group', ' Tcp: A B\n Tcp: 1 2\n'],
    ["a group of JavaScript's own", '__proto__: A B\n__proto__: 1 2\n'],
  ];
  test.each(BROKEN)('%s', (_, text) => {
    expect(read(text)).toEqual({});
    expect(read(text + EXT)).toEqual({ C: 3 });
    expect(read(EXT + text)).toEqual({ C: 3 });
  });
});

describe('what is meant is read', () => {
  test('a missing last line break, CR LF, more blanks, a line of names twice', () => {
    expect(read(GOOD.trimEnd())).toEqual({ A: 1, B: 2 });
    expect(read(GOOD.replaceAll('\n', '\r\n'))).toEqual({ A: 1, B: 2 });
    expect(read('Tcp:  A   B \nTcp:  1   2 \n')).toEqual({ A: 1, B: 2 });
    expect(read('Tcp: X Y\nTcp: A B\nTcp: 1 2\n')).toEqual({ A: 1, B: 2 });
  });
  test('the first of two that bear one name', () => {
    expect(read(GOOD, 'Tcp: A Z\nTcp: 7 8\n')).toEqual({ A: 1, B: 2, Z: 8 });
  });
  test('unsigned longs and the one value below 0', () => {
    expect(read('Tcp: MaxConn Most\nTcp: -1 18446744073709551615\n')).toEqual({ MaxConn: -1, Most: 2 ** 64 });
    expect(read(`Tcp: A\nTcp: ${Number.MAX_SAFE_INTEGER}\n`)).toEqual({ A: Number.MAX_SAFE_INTEGER });
  });
  test('nothing, where there is nothing', () => {
    expect(read()).toEqual({});
    expect(read('', '\n\n', '\0')).toEqual({});
  });
});

const huge = 200_000;

test.each([
  ['names', `Tcp: ${'A '.repeat(huge)}\nTcp: ${'1 '.repeat(huge)}\n`],
  ['blanks', `Tcp: ${' '.repeat(huge * 10)}\nTcp: ${' '.repeat(huge * 10)}1\n`],
  ['one name', `Tcp: ${'A'.repeat(huge * 10)}1-\nTcp: 1\n`],
  ['one value', `Tcp: A\nTcp: ${'1'.repeat(huge * 10)}\n`],
  ['no line break', 'Tcp: A'.repeat(huge)],
  ['line breaks', '\n'.repeat(huge * 10)],
  ['groups', 'Tcp: A\n'.repeat(huge)],
])('huge %s are read in no time, and are no counters', (_, text) => {
  const begun = performance.now();
  expect(read(text)).toEqual({});
  expect(performance.now() - begun).toBeLessThan(2000);
});

/** Names in order, each once, with values that tell which is whose. */
const columns = fc
  .uniqueArray(fc.stringMatching(/^[A-Z][A-Za-z0-9]{0,12}$/), { minLength: 1, maxLength: 30 })
  .map((names) => names.map((name, i) => [name, 1000 + i] as const));
const junk = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\n', '-', 'x', '1', 'Tcp:'));

function lines(pairs: readonly (readonly [string, number])[]): { names: string[]; values: string[] } {
  return { names: pairs.map(([name]) => name), values: pairs.map(([, value]) => String(value)) };
}

function pairText(names: readonly string[], values: readonly string[]): string {
  return `TcpExt: ${names.join(' ')}\nTcpExt: ${values.join(' ')}\n`;
}

function expectWithin(found: Counters, truth: Counters): void {
  for (const [name, value] of found) expect([name, value]).toEqual([name, truth.get(name)]);
}

describe('random texts', () => {
  test('whatever the names and their order, each value is its own', () => {
    fc.assert(
      fc.property(columns, (pairs) => {
        const { names, values } = lines(pairs);
        expect(parseCounters(pairText(names, values))).toEqual(new Map(pairs));
      }),
    );
  });

  test('with a column lost on one side, or one more, nothing is paired', () => {
    fc.assert(
      fc.property(columns, fc.nat(), fc.boolean(), fc.boolean(), (pairs, where, ofNames, isLost) => {
        const { names, values } = lines(pairs);
        const side = ofNames ? names : values;
        side.splice(where % side.length, isLost ? 1 : 0, ...(isLost ? [] : [ofNames ? 'New' : '7']));
        expect(parseCounters(pairText(names, values)).size).toBe(0);
      }),
    );
  });

  test('with a value replaced by junk, no other gets its place', () => {
    fc.assert(
      fc.property(columns, fc.nat(), junk, (pairs, where, text) => {
        const { names, values } = lines(pairs);
        const at = where % pairs.length;
        values[at] = text;
        const found = parseCounters(pairText(names, values));
        // A number in its place is its value then, and a text of several columns makes too many of them.
        const truth = new Map(pairs).set(names[at]!, Number(text));
        expectWithin(found, truth);
        if (!/^-?\d+$/.test(text.trim())) expect(found.size).toBe(0);
      }),
    );
  });

  test('with any line of a kernel lost, doubled, or in another place, every value stays where it belongs', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KERNELS),
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('lose', 'double', 'move')), { maxLength: 4 }),
        (kernel, changes) => {
          const all = (textOf(kernel, 'snmp') + textOf(kernel, 'netstat')).split('\n');
          for (const [from, to, change] of changes) {
            const [line = ''] = all.splice(from % all.length, change === 'double' ? 0 : 1);
            if (change === 'double') all.splice(to % all.length, 0, all[from % all.length]!);
            else if (change === 'move') all.splice(to % (all.length + 1), 0, line);
          }
          expectWithin(parseCounters(all.join('\n')), recorded(kernel));
        },
      ),
    );
  });

  test('cut off anywhere, every value but the one that was cut is right', () => {
    const text = textOf('old', 'netstat');
    const truth = recorded('old');
    for (let length = 0; length < text.length; length++) {
      const found = parseCounters(text.slice(0, length));
      // Nothing in the text says that the last number of a line goes on.
      expectWithin(new Map([...found].filter(([name]) => name !== 'TCPOFOQueue')), truth);
    }
  });

  test("binary junk, alone and in a kernel's text, throws nothing and makes up nothing", () => {
    const text = textOf('6.1', 'netstat');
    const truth = parseCounters(text);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(text.length), (bytes, at) => {
        const noise = Buffer.from(bytes).toString('latin1');
        for (const [name, value] of parseCounters(noise)) {
          expect(noise).toContain(name);
          expect(noise).toContain(String(Math.abs(value)).slice(0, 15));
        }
        const broken = text.slice(0, at) + noise + text.slice(at);
        const found = parseCounters(broken);
        // Noise of digits within a number, or of letters within a name, is another number or name, of the same column.
        const lost = [...found].filter(([name, value]) => truth.has(name) && truth.get(name) !== value);
        expect(lost.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
