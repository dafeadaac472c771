/** What shape a reset has, and what is just not of it. */
import { describe, expect, test } from '@jest/globals';
import { nothingKnown } from '../../src/conversation/conversation-facts.js';
import type { Reset } from '../../src/conversation/reset.js';
import { habitOf, type Habit } from '../../src/patterns/habit.js';
import { START } from '../report/analysing.js';
import { resetOf, verdictOf } from '../report/attributing.js';
import { tcpFlags } from '../support/frames.js';
import { halfOpen, lateRequest, MAKERS, ofNoHabit, probe, refusal, stray, talked, unasked } from './made-up.js';

function shapeOf(reset: Reset): Habit['shape'] | null {
  return habitOf(reset)?.shape ?? null;
}

describe('each shape', () => {
  test.each(Object.entries(MAKERS))('%s: between whom, IPv4 and IPv6', (shape, make) => {
    for (const [client, server] of [
      ['10.0.0.9', '10.0.0.80'],
      ['2001:db8::9', '2001:db8::80'],
    ] as const) {
      expect(habitOf(make({ client, server, port: 7211 }))).toMatchObject({ shape, client, server, port: 7211 });
    }
  });

  test('a reset that is one of a program is of none', () => {
    expect(habitOf(ofNoHabit())).toBeNull();
  });
});

describe('a lone reset, nothing else of its connection captured', () => {
  const refused = { flags: tcpFlags('R.'), seq: 0, ack: 5, window: 0 };

  test('of resets alone, an answer to a SYN is a refusal', () => {
    expect(shapeOf(resetOf({ ...refused, conversation: nothingKnown(false) }))).toBe('refusal');
  });
  test('where SYNs are captured and its is not, nobody may have asked for it', () => {
    expect(shapeOf(resetOf({ ...refused, conversation: nothingKnown(false, true) }))).toBe('unasked');
    expect(shapeOf(resetOf({ ...refused, conversation: nothingKnown(true) }))).toBe('unasked');
  });
  test('any other is of no habit', () => {
    for (const hasHandshakes of [false, true]) {
      const conversation = nothingKnown(hasHandshakes, hasHandshakes);
      expect(habitOf(resetOf({ flags: tcpFlags('R'), conversation }))).toBeNull();
      expect(habitOf(resetOf({ flags: tcpFlags('R.'), seq: 77, ack: 5, window: 0, conversation }))).toBeNull();
    }
  });
  test('of a server that is not known there is none', () => {
    expect(habitOf(resetOf({ ...refused, resetBy: 'unknown', servicePort: null }))).toBeNull();
    expect(habitOf(resetOf({ ...refused, servicePort: null }))).toBeNull();
  });
});

describe('a refusal', () => {
  test.each<[string, Partial<Reset>]>([
    ['has the number 0', { seq: 1 }],
    ['acknowledges something', { ack: 0 }],
    ['has no window', { window: 1 }],
    ['has an ACK', { flags: tcpFlags('R') }],
    ['is the server’s', { resetBy: 'client' }],
  ])('%s', (_, changes) => {
    expect(shapeOf({ ...refusal(), ...changes })).not.toBe('refusal');
  });
  test('may have its window cut off by the capture', () => {
    expect(shapeOf({ ...refusal(), window: -1 })).toBe('refusal');
  });
});

describe('a probe', () => {
  test('is whole where the client completed the handshake, and half-open where it had no socket', () => {
    expect(habitOf(probe())).toMatchObject({ shape: 'probe', halfOpen: false });
    expect(habitOf(halfOpen())).toMatchObject({ shape: 'probe', halfOpen: true });
  });
  test('of a capture of beginnings and ends alone: the numbers say that nobody said anything', () => {
    expect(habitOf(talked(probe(), { full: false, established: false }))).toMatchObject({ shape: 'probe' });
    expect(habitOf({ ...talked(probe(), { full: false }), seq: 1011 })).toBeNull();
    expect(habitOf({ ...talked(probe(), { full: false }), ack: 9011 })).toBeNull();
    // A bare reset after the handshake looks like one of no socket where the handshake's end was not captured.
    expect(habitOf(talked(halfOpen(), { full: false, established: true }))).toMatchObject({ halfOpen: true });
    expect(habitOf(talked(halfOpen(), { established: true }))).toMatchObject({ halfOpen: false });
  });
  test.each<[string, Reset]>([
    ['without its SYN', talked(probe(), { synSeen: false })],
    ['without an answer', talked(probe(), { receiver: { synAck: false } })],
    ['with a request in it', talked(probe(), { sender: { dataSegments: 1 } })],
    ['with a greeting in it', talked(probe(), { receiver: { dataSegments: 1 } })],
    ['that the client closed', talked(probe(), { sender: { finEnd: 1002 } })],
    ['that the server closed', talked(probe(), { receiver: { finEnd: 9002 } })],
    ['whose bare reset has another number', { ...halfOpen(), seq: 1002 }],
    ['whose SYN’s number is not known', talked(halfOpen(), { sender: { isn: null } })],
    ['that the server reset', { ...probe(), resetBy: 'server' }],
  ])('not %s', (_, reset) => {
    expect(shapeOf(reset)).not.toBe('probe');
  });
});

describe('a stray segment', () => {
  test.each<[string, Reset]>([
    ['of which nothing was captured', talked(stray(), { receiver: { seen: false } })],
    ['of a connection that was opened', talked(stray(), { opener: 'receiver' })],
    ['with data', talked(stray(), { receiver: { dataSegments: 1 } })],
    ['that is a FIN', talked(stray(), { receiver: { finEnd: 6 } })],
    ['of a connection whose other side had spoken', talked(stray(), { sender: { seen: true } })],
    ['answered with an ACK', { ...stray(), flags: tcpFlags('R.') }],
  ])('not %s', (_, reset) => {
    expect(shapeOf(reset)).not.toBe('stray');
  });
  test('comes of the host that the reset goes to, whoever serves', () => {
    const reset = { ...stray({ client: '10.0.0.9', server: '10.0.0.80', port: 443 }), resetBy: 'unknown' as const };
    expect(habitOf({ ...reset, servicePort: null })).toMatchObject({
      client: '10.0.0.9',
      server: '10.0.0.80',
      port: 443,
    });
  });
});

describe('an answer that nobody asked for', () => {
  test('is known whole where its reset was captured', () => {
    expect(habitOf(unasked())).toMatchObject({ shape: 'unasked', answered: true });
  });
  test('whose SYN was captured is none', () => {
    expect(habitOf(talked(unasked(), { synSeen: true }))).toBeNull();
  });
  test('is one also where its server gives up', () => {
    const sender = { seen: true, isn: 9000, synAck: true, next: 9001 };
    const reset = { ...refusal({ client: '10.0.0.9', server: '10.0.0.80', port: 443 }), seq: 9001 };
    const given = talked(reset, { synSeen: false, opener: 'receiver', sender, receiver: { seen: false } });
    expect(habitOf(given)).toMatchObject({ shape: 'unasked', answered: false, client: '10.0.0.9', port: 443 });
    expect(shapeOf(talked(given, { synSeen: true }))).not.toBe('unasked');
    expect(shapeOf(talked(given, { receiver: { seen: true } }))).not.toBe('unasked');
    expect(shapeOf(talked(given, { established: true }))).not.toBe('unasked');
    expect(shapeOf(talked(given, { sender: { dataSegments: 1 } }))).not.toBe('unasked');
  });
});

describe('a late request', () => {
  test('tells how long the server had been silent', () => {
    expect(habitOf(lateRequest({ idle: 0.5 }))).toMatchObject({ shape: 'late-request', idle: 0.5 });
  });
  test.each<[string, Reset]>([
    ['after less than half a second', lateRequest({ idle: 0.499 })],
    ['of another cause', { ...lateRequest(), verdict: verdictOf('abort') }],
    ['where the client closed first', talked(lateRequest(), { closed: { by: 'receiver', idle: 5 } })],
    ['where nobody closed', talked(lateRequest(), { closed: null })],
    ['where something was not captured', talked(lateRequest(), { gap: true })],
    ['without data', talked(lateRequest(), { receiver: { dataSegments: 0 } })],
    ['that was acknowledged', talked(lateRequest(), { sender: { acked: 1201 } })],
    [
      'of a client of which only its own FIN is owed',
      talked(lateRequest(), { receiver: { next: 1102, finEnd: 1102 } }),
    ],
    ['of a server whose acknowledgements are not known', talked(lateRequest(), { sender: { acked: null } })],
  ])('not one %s', (_, reset) => {
    expect(shapeOf(reset)).toBeNull();
  });
  test('comes within two seconds of the FIN', () => {
    const after = (distance: number): Reset => {
      const reset = lateRequest();
      const { sender, receiver } = reset.conversation;
      if (sender.last === null || receiver.last === null) throw new Error('it has both');
      return talked(reset, {
        sender: { last: { ...sender.last, at: START } },
        receiver: { last: { ...receiver.last, at: START + distance } },
      });
    };
    expect(shapeOf(after(2))).toBe('late-request');
    expect(shapeOf(after(2.01))).toBeNull();
  });
});
