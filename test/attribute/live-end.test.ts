/** Who is said to be at one end, for each thing that can be known of it. */
import { describe, expect, test } from '@jest/globals';
import { decide, isNamedByTrace, isSilent, type EndFacts } from '../../src/attribute/live-end.js';
import { missing } from '../../src/attribute/process.js';
import type { Listener, SocketAnswer } from '../../src/attribute/sockets/watch-protocol.js';
import { NOT_LOOKED } from '../../src/attribute/sockets/watch-protocol.js';
import type { TracedOwner, TracedReset } from '../../src/attribute/trace/protocol.js';
import { someProcess } from './sockets/made-up.js';

const HOST = 4026531840;
const POD = 4026532999;
const nginx = someProcess(100, { name: 'nginx', netns: HOST });
const redis = someProcess(200, { name: 'redis', netns: POD });
const ss = someProcess(300, { name: 'ss', netns: HOST });

function facts(more: Partial<EndFacts> = {}): EndFacts {
  return {
    side: 'sender',
    ip: '10.0.0.1',
    netns: HOST,
    ipNetns: HOST,
    answersSyn: false,
    mayServe: true,
    traced: null,
    complete: false,
    sockets: looked(),
    pastListener: null,
    listenedThen: false,
    ...more,
  };
}

function looked(more: Partial<SocketAnswer> = {}): SocketAnswer {
  return { ...NOT_LOOKED, lookedAt: 1000, ...more };
}

function listener(more: Partial<Listener> = {}): Listener {
  const { group = nginx } = more;
  const processes = group === null ? [] : [group];
  return { ip: '0.0.0.0', netns: HOST, processes, complete: true, group, single: true, seen: 'around', ...more };
}

function traced(owner: TracedOwner['process'] | undefined, more: Partial<TracedReset> = {}): TracedReset {
  return {
    serial: 1,
    kind: 'send',
    at: 1000,
    mono: 1e12,
    tuple: '10.0.0.1 80 10.0.0.2 40000',
    active: true,
    reason: null,
    path: null,
    socketless: false,
    listening: false,
    connected: false,
    owner: owner === undefined ? null : { process: owner, task: owner?.pid ?? 77, how: 'self', shared: false },
    destroyer: null,
    open: false,
    ...more,
  };
}

const said = (more: Partial<EndFacts>): string => {
  const { process, match, reason } = decide(facts(more)).end;
  return process === null ? reason : `${match} ${process.pid}`;
};

describe('by the trace', () => {
  test.each([
    ['self', 'sender: nginx (pid 100) was in the call that sent it'],
    ['call', 'sender: nginx (pid 100) got it as the error of a read or write'],
    ['close', 'sender: nginx (pid 100) had closed its side of the connection'],
    ['connect', 'sender: nginx (pid 100) had opened the connection'],
    ['destroy', 'sender: nginx (pid 100) closed the socket after it'],
    ['backlog', 'sender: nginx (pid 100) was in a call on the socket when it came'],
  ] as const)('%s', (how, sentence) => {
    const decision = decide(
      facts({ traced: traced(nginx, { owner: { process: nginx, task: 100, how, shared: false } }) }),
    );
    expect(decision.end).toEqual({ process: nginx, match: 'kernel-trace', reason: null });
    expect(decision.evidence).toEqual([sentence]);
  });

  test('it counts before the tables', () => {
    expect(said({ traced: traced(nginx), sockets: looked({ exact: 'one', holders: [redis] }) })).toBe(
      'kernel-trace 100',
    );
  });

  test('who was gone before it was looked at is gone, and nobody else', () => {
    const decision = decide(facts({ traced: traced(null), sockets: looked({ listeners: [listener()] }) }));
    expect(decision.end.reason).toBe('gone');
    expect(decision.evidence).toEqual([
      'sender: task 77 was in the call that sent it; it was gone before it could be looked at',
    ]);
  });

  test('who had it destroyed from outside is told beside the owner', () => {
    const destroyer = { process: ss, task: 300, how: 'self', shared: false } as const;
    const { evidence } = decide(facts({ traced: traced(nginx, { destroyer }) }));
    expect(evidence).toContain('ss (pid 300) had the socket destroyed from outside');
  });

  test('and where the owner is known by the tables only', () => {
    const destroyer = { process: ss, task: 300, how: 'self', shared: false } as const;
    const sockets = looked({ exact: 'one', holders: [nginx], alive: true });
    const decision = decide(facts({ traced: traced(undefined, { destroyer }), sockets }));
    expect(decision.end).toMatchObject({ process: nginx, match: 'socket' });
    expect(decision.evidence).toContain('ss (pid 300) had the socket destroyed from outside');
  });

  test('on loopback of another namespace it is another connection', () => {
    expect(said({ ip: '127.0.0.1', netns: HOST, traced: traced(redis) })).toBe('gone');
    expect(said({ ip: '::1', netns: POD, traced: traced(redis) })).toBe('kernel-trace 200');
    // Where it is not known, or the address is no loopback, nothing contradicts.
    expect(said({ ip: '127.0.0.1', netns: null, traced: traced(redis) })).toBe('kernel-trace 200');
    expect(said({ ip: '10.0.0.1', netns: HOST, traced: traced(redis) })).toBe('kernel-trace 200');
    expect(isNamedByTrace(facts({ ip: '127.0.0.1', netns: HOST, traced: traced(redis) }))).toBe(false);
    expect(isNamedByTrace(facts({ traced: traced(redis) }))).toBe(true);
    expect(isNamedByTrace(facts({ traced: traced(null) }))).toBe(false);
  });

  test('names can steer no terminal', () => {
    const evil = someProcess(100, { name: '\u001b[31mx\n' });
    const said = decide(facts({ traced: traced(evil) })).evidence.join();
    expect([...new TextEncoder().encode(said)].filter((byte) => byte < 32)).toEqual([]);
  });
});

describe('nobody listened', () => {
  const socketless = traced(undefined, { socketless: true, active: false, reason: 'NO_SOCKET' });

  test('the kernel says so of the answer to a SYN', () => {
    expect(said({ traced: socketless, answersSyn: true, sockets: looked({ listeners: [listener()] }) })).toBe(
      'no-listener',
    );
  });

  test('of anything else the connection is gone', () => {
    expect(said({ traced: socketless, answersSyn: false, sockets: looked({ listeners: [listener()] }) })).toBe('gone');
  });

  test('the tables say so', () => {
    expect(said({ answersSyn: true, sockets: looked({ noListener: true }) })).toBe('no-listener');
    expect(said({ answersSyn: true, side: 'receiver', sockets: looked({ noListener: true }) })).toBe('gone');
  });

  test('who listened before, as the trace has it, else as the tables have it', () => {
    const pastListener = { ip: '0.0.0.0', port: 80, at: 1_700_000_000.5, process: nginx, closer: ss };
    const past = looked({ past: { process: redis, lastSeen: 1_700_000_000 } });
    const evidence = (more: Partial<EndFacts>) =>
      decide(facts({ traced: socketless, answersSyn: true, ...more })).evidence;
    expect(evidence({ pastListener })).toEqual(['nginx (pid 100) listened there until 2023-11-14T22:13:20.500Z']);
    expect(evidence({ sockets: past })).toEqual([
      'redis (pid 200) listened there; last seen at 2023-11-14T22:13:20.000Z',
    ]);
    expect(evidence({ pastListener: { ...pastListener, process: null } })[0]).toMatch(/^ss \(pid 300\)/);
    // Of another namespace, or nobody knows of which.
    expect(evidence({ pastListener, ip: '127.0.0.1', ipNetns: POD })).toEqual([]);
    expect(evidence({ pastListener, ipNetns: null })).toEqual([]);
    expect(evidence({ sockets: null })).toEqual([]);
  });
});

describe('not sent by the kernel’s TCP', () => {
  test('is known where the trace would have told', () => {
    const told = facts({ complete: true, answersSyn: true, sockets: looked({ listeners: [listener()] }) });
    expect(isSilent(told)).toBe(true);
    expect(decide(told)).toEqual({ end: missing('unknown'), evidence: [] });
  });

  test.each<[string, Partial<EndFacts>]>([
    ['the trace may have missed it', { complete: false }],
    ['it was told', { complete: true, traced: traced(undefined) }],
    ['of a receiver', { complete: true, side: 'receiver' }],
  ])('and not where %s', (_, more) => {
    expect(isSilent(facts(more))).toBe(false);
  });

  test('the listener is not its sender', () => {
    expect(said({ complete: true, sockets: looked({ listeners: [listener()] }) })).toBe('unknown');
  });
});

describe('by the tables', () => {
  test.each<[string, Partial<EndFacts>]>([
    ['socket 100', { sockets: looked({ exact: 'one', holders: [nginx], alive: true }) }],
    ['recent-socket 100', { sockets: looked({ exact: 'one', holders: [nginx], alive: false }) }],
    ['ambiguous', { sockets: looked({ exact: 'shared', holders: [nginx, redis] }) }],
    ['permission', { sockets: looked({ exact: 'permission', listeners: [listener()] }) }],
    ['not-tried', { sockets: null }],
    ['not-tried', { sockets: NOT_LOOKED }],
    ['gone', { sockets: looked() }],
    ['unknown', { sockets: looked({ listeners: [] }), answersSyn: true }],
    ['listener 100', { sockets: looked({ listeners: [listener()] }) }],
    ['listener 100', { sockets: looked({ listeners: [listener({ seen: 'before' })] }) }],
    ['unknown', { sockets: looked({ listeners: [listener({ seen: 'begun' })] }) }],
    ['unknown', { sockets: looked({ listeners: [listener({ seen: 'ended' })] }) }],
    ['listener 100', { sockets: looked({ listeners: [listener({ seen: 'begun' })] }), listenedThen: true }],
    ['gone', { sockets: looked({ listeners: [listener()] }), mayServe: false }],
    ['permission', { sockets: looked({ listeners: [listener({ complete: false })] }) }],
    ['permission', { sockets: looked({ listeners: [listener({ group: null, complete: false })] }) }],
    ['gone', { sockets: looked({ listeners: [listener({ group: null })] }) }],
    [
      'ambiguous',
      { sockets: looked({ listeners: [listener({ group: null, processes: [nginx, redis], single: false })] }) },
    ],
    [
      'listener-group 100',
      { sockets: looked({ listeners: [listener({ processes: [nginx, redis], single: false })] }) },
    ],
    // Its trace says that it was answered for a listener: who that is, the tables say.
    [
      'listener 100',
      {
        sockets: looked({ listeners: [listener()] }),
        traced: traced(undefined, { listening: true }),
        answersSyn: true,
      },
    ],
  ])('%s', (end, more) => {
    expect(said(more)).toBe(end);
  });

  test('the members of a group are told, eight at most', () => {
    const processes = Array.from({ length: 20 }, (_, i) => someProcess(400 + i, { name: 'w' }));
    const { evidence } = decide(facts({ sockets: looked({ listeners: [listener({ processes, single: false })] }) }));
    expect(evidence).toHaveLength(1);
    expect(evidence[0]).toMatch(/^sender: one of 20 that hold the listening socket: w \(pid 400\), .*w \(pid 407\)$/);
    const shared = decide(facts({ sockets: looked({ exact: 'shared', holders: processes }) })).evidence;
    expect(shared[0]).toMatch(/w \(pid 407\) and 12 more$/);
  });
});

describe('never a name where two differ', () => {
  const inHost = listener({ netns: HOST, group: nginx });
  const inPod = listener({ netns: POD, group: redis });

  test('listeners of equal addresses in two namespaces', () => {
    expect(said({ sockets: looked({ listeners: [inHost, inPod] }) })).toBe('ambiguous');
    expect(said({ sockets: looked({ listeners: [inHost, inPod] }), netns: null })).toBe('ambiguous');
  });

  // What is bound to "::" takes IPv4 too.
  test('any address of IPv4 in one namespace and of IPv6 in the other', () => {
    expect(said({ sockets: looked({ listeners: [inHost, { ...inPod, ip: '::' }] }) })).toBe('ambiguous');
  });

  test('on loopback only those of its namespace count', () => {
    expect(said({ ip: '127.0.0.1', netns: POD, sockets: looked({ listeners: [inHost, inPod] }) })).toBe('listener 200');
    expect(said({ ip: '127.0.0.1', netns: 5, sockets: looked({ listeners: [inHost, inPod] }) })).toBe('gone');
    expect(said({ ip: '127.0.0.1', netns: null, sockets: looked({ listeners: [inHost, inPod] }) })).toBe('ambiguous');
  });

  test('in one namespace the more specific address takes the connection', () => {
    const all = listener({ group: redis });
    expect(said({ sockets: looked({ listeners: [listener({ ip: '10.0.0.1' }), all] }) })).toBe('listener 100');
  });
});
