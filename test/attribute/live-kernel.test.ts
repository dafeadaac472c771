/** What is known of why, for each thing that can be known of the two ends. */
import { describe, expect, test } from '@jest/globals';
import type { EndFacts } from '../../src/attribute/live-end.js';
import { decide } from '../../src/attribute/live-end.js';
import { kernelFactsOf } from '../../src/attribute/live-kernel.js';
import { NOT_LOOKED, type Listener, type SocketAnswer } from '../../src/attribute/sockets/watch-protocol.js';
import type { TracedReset } from '../../src/attribute/trace/protocol.js';
import { NO_KERNEL_FACTS, type KernelFacts } from '../../src/conversation/kernel-facts.js';
import { someProcess } from './sockets/made-up.js';
import { traced as tracedBy } from './trace/puppet.js';

const HOST = 4026531840;
const POD = 4026532999;
const nginx = someProcess(100, { name: 'nginx', netns: HOST });
const redis = someProcess(200, { name: 'redis', netns: HOST });

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

const looked = (more: Partial<SocketAnswer> = {}): SocketAnswer => ({ ...NOT_LOOKED, lookedAt: 1000, ...more });

function listener(more: Partial<Listener> = {}): Listener {
  const one = { ip: '0.0.0.0', netns: HOST, processes: [nginx], complete: true, group: nginx, single: true };
  return { ...one, seen: 'around', ...more };
}

function traced(more: Partial<TracedReset> = {}): TracedReset {
  return tracedBy(1, { at: 1000, active: true, socketless: false, ...more });
}

/** Of a reset of this host. */
function of(sender: Partial<EndFacts> | null, receiver: Partial<EndFacts> | null = null): KernelFacts {
  return kernelFactsOf({
    sender: sender === null ? null : facts(sender),
    receiver: receiver === null ? null : facts({ side: 'receiver', ...receiver }),
    received: null,
  });
}

const listens = (more: Partial<EndFacts>): [boolean | null, string | null] => {
  const { atSource, evidence } = of(more).listener;
  return [atSource, evidence];
};

test('of nobody here nothing is known', () => {
  expect(of(null)).toEqual(NO_KERNEL_FACTS);
  expect(of({})).toEqual(NO_KERNEL_FACTS);
  expect(of(null, { traced: null, complete: true })).toEqual(NO_KERNEL_FACTS);
});

describe('what the kernel said of sending it', () => {
  test('is told as it was', () => {
    const word = { reason: 'TCP_STATE', path: 'linger', active: true, socketless: false, listening: false } as const;
    expect(of({ traced: traced(word) }).sent).toEqual(word);
    const other = { reason: null, path: null, active: null, socketless: true, listening: true };
    expect(of({ traced: traced(other) }).sent).toEqual(other);
  });

  test('it kept silent, where it would have told', () => {
    expect(of({ complete: true }).sent).toBe('silent');
    expect(of({ complete: false }).sent).toBeNull();
    expect(of({ complete: true, traced: traced() }).sent).not.toBe('silent');
  });

  test('that the other end got one says nothing of it', () => {
    expect(of(null, { traced: traced({ kind: 'receive', reason: 'X' }) }).sent).toBeNull();
  });
});

test('whether a socket took it is told as it was', () => {
  for (const received of [true, false, null]) {
    expect(kernelFactsOf({ sender: null, receiver: null, received }).received).toBe(received);
  }
});

describe('who listened at the source', () => {
  const past = looked({ past: { process: redis, lastSeen: 1_700_000_000 } });
  const WAS = 'redis (pid 200) listened there; last seen at 2023-11-14T22:13:20.000Z';

  test('nobody, by the kernel’s own word, whatever it answers and the tables say', () => {
    const socketless = traced({ socketless: true, active: false });
    expect(listens({ traced: socketless })).toEqual([false, null]);
    expect(listens({ traced: socketless, sockets: null })).toEqual([false, null]);
    expect(listens({ traced: socketless, answersSyn: true, sockets: past })).toEqual([false, WAS]);
    expect(listens({ traced: socketless, sockets: looked({ listeners: [listener()] }) })).toEqual([false, null]);
  });

  test('nobody, by the tables, also where it answers no SYN', () => {
    expect(listens({ sockets: looked({ noListener: true }) })).toEqual([false, null]);
    expect(listens({ answersSyn: true, sockets: { ...past, noListener: true } })).toEqual([false, WAS]);
  });

  test('the sentence on who did is the end’s own, word for word', () => {
    const more = { answersSyn: true, sockets: { ...past, noListener: true } };
    expect(decide(facts(more)).evidence).toEqual([of(more).listener.evidence]);
  });

  test.each<[string, Partial<EndFacts>]>([
    ['the tables saw it around that time', { sockets: looked({ listeners: [listener()] }) }],
    ['or before', { sockets: looked({ listeners: [listener({ seen: 'before' })] }) }],
    ['the trace saw it begin', { sockets: looked({ listeners: [listener({ seen: 'begun' })] }), listenedThen: true }],
    [
      'it is not the most specific of those that are there now',
      { sockets: looked({ listeners: [listener({ ip: '10.0.0.1', seen: 'begun', processes: [redis] }), listener()] }) },
    ],
    [
      'on loopback, in its namespace',
      {
        ip: '127.0.0.1',
        sockets: looked({ listeners: [listener({ netns: POD, processes: [redis] }), listener()] }),
      },
    ],
    ['the kernel kept silent', { complete: true, sockets: looked({ listeners: [listener()] }) }],
  ])('somebody: %s', (_, more) => {
    expect(listens(more)).toEqual([true, 'nginx (pid 100) listens there']);
  });

  test('several, or nobody that may be seen', () => {
    const of = (more: Partial<Listener>) => listens({ sockets: looked({ listeners: [listener(more)] }) });
    expect(of({ processes: [nginx, redis, redis], single: false })).toEqual([
      true,
      'nginx (pid 100) and 2 more hold the listening socket there',
    ]);
    expect(of({ processes: [], group: null, complete: false })).toEqual([true, null]);
  });

  test('a listener answered, whoever that is', () => {
    expect(listens({ traced: traced({ listening: true, active: false }), sockets: null })).toEqual([true, null]);
    const sockets = looked({ noListener: true });
    expect(listens({ traced: traced({ listening: true, active: false }), sockets })).toEqual([true, null]);
  });

  test.each<[string, Partial<EndFacts>]>([
    ['nobody was asked', { sockets: null }],
    ['nobody has looked', { sockets: NOT_LOOKED }],
    ['it may have begun since', { sockets: looked({ listeners: [listener({ seen: 'begun' })] }) }],
    ['it may have ended before', { sockets: looked({ listeners: [listener({ seen: 'ended' })] }) }],
    [
      'the namespace of the address is not known',
      { ipNetns: null, netns: null, sockets: looked({ listeners: [listener()] }) },
    ],
    ['it listens in another', { ipNetns: POD, netns: POD, sockets: looked({ listeners: [listener()] }) }],
  ])('it is not known: %s', (_, more) => {
    expect(listens(more)).toEqual([null, null]);
  });

  test('who closed it is told where it is not known whether another one listens', () => {
    const pastListener = { ip: '0.0.0.0', port: 80, at: 1_700_000_000.5, process: nginx, closer: null };
    expect(listens({ sockets: null, pastListener })).toEqual([
      null,
      'nginx (pid 100) listened there until 2023-11-14T22:13:20.500Z',
    ]);
  });

  test('names can steer no terminal', () => {
    const processes = [someProcess(100, { name: '\u001b[31mx\n' })];
    const [, said] = listens({ sockets: looked({ listeners: [listener({ processes })] }) });
    expect(said).toMatch(/^[^\p{Cc}]+ \(pid 100\) listens there$/u);
  });
});

describe('who opened the connection', () => {
  const connected = { traced: traced({ connected: true }) };
  const accepted = { traced: traced({ connected: false }) };

  test.each<[KernelFacts['opener'], string, Partial<EndFacts> | null, Partial<EndFacts> | null]>([
    ['source', 'who sent it', connected, null],
    ['source', 'who sent it, and the other end is here too', connected, accepted],
    ['destination', 'who got it', null, connected],
    ['destination', 'who got it, and the other end is here too', accepted, connected],
    [null, 'who was not seen to connect may have before', accepted, null],
    [null, 'nor both', accepted, accepted],
    [null, 'a connection to itself', connected, connected],
    [null, 'nothing was traced', { traced: null }, { traced: null }],
  ])('%s: %s', (opener, _, sender, receiver) => {
    expect(of(sender, receiver).opener).toBe(opener);
  });
});
