/** Resets in a handshake: the client that has gone, the port used again, the full queue, numbers that don't fit. */
import { describe, expect, test } from '@jest/globals';
import type { SegmentFacts } from '../../../src/conversation/facts.js';
import { judge } from '../../../src/conversation/judge.js';
import {
  clientGaveUp,
  handshakeMismatch,
  listenQueueFull,
  portReuse,
} from '../../../src/conversation/rules/opening.js';
import {
  AT,
  CLIENT_ISN,
  evidence,
  NO_SOCKET,
  onlySynAck,
  says,
  segment,
  sent,
  SERVER_ISN,
  SILENT,
  type Changes,
} from '../facts.js';
import { gone, mismatch, overflow, reused } from '../stories.js';

describe('the client had gone', () => {
  test('when the SYN-ACK came', () => {
    expect(says(clientGaveUp, gone())).toBe('client-gave-up likely kernel');
    expect(evidence(clientGaveUp, gone())[0]).toBe(
      "it answers the SYN-ACK of 10 ms before, which came 40 ms after the client's SYN",
    );
    expect(says(clientGaveUp, gone(NO_SOCKET))).toBe('client-gave-up certain kernel');
    expect(judge(gone()).cause).toBe('client-gave-up');
  });
  test('is not claimed where its SYN was not seen: somebody else may have asked in its name', () => {
    const unasked = gone({ sender: { isn: null, seen: false, next: null, last: null } });
    expect(says(clientGaveUp, unasked)).toBe('half-open possible kernel');
    expect(evidence(clientGaveUp, unasked)).toEqual([
      'it answers a SYN-ACK of 10 ms before, and no SYN was seen that asked for it',
    ]);
  });
  test.each<[string, Changes]>([
    ['it has an acknowledgement', { reset: { flags: 'R.', ack: 5 } }],
    ['no SYN-ACK acknowledges its sequence number', { reset: { seq: CLIENT_ISN + 2 } }],
    ['no SYN-ACK acknowledges', { receiver: { last: segment({ ack: CLIENT_ISN + 1 }) } }],
    ['the SYN-ACK does not acknowledge the SYN', { sender: { isn: CLIENT_ISN - 7 } }],
    ['the kernel had a socket', sent({ reason: 'TCP_STATE', active: true })],
    ['no SYN-ACK acknowledges', { sender: { acked: SERVER_ISN + 1, last: segment({ at: AT - 0.005 }) } }],
    ['the client had gone on', { sender: { acked: SERVER_ISN } }],
    ['the client had gone on', { sender: { dataSegments: 1 } }],
  ])('no: %s', (because, changes) => {
    expect(says(clientGaveUp, gone(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
  test('is not of a kernel that did not send it', () => {
    expect(judge(gone(SILENT)).origin).not.toBe('kernel');
  });
});

describe('a port used again', () => {
  test('a SYN that met the remains of an older connection', () => {
    expect(says(portReuse, reused())).toBe('port-reuse likely kernel');
    expect(evidence(portReuse, reused())).toEqual([
      'its SYN was answered by an acknowledgement of something else, 10 ms before: the server still had an older connection',
      'that connection was seen, and not seen to end',
    ]);
    expect(judge(reused()).cause).toBe('port-reuse');
  });
  test('is certain where the kernel sent it and the older connection was seen', () => {
    expect(says(portReuse, reused(NO_SOCKET))).toBe('port-reuse certain kernel');
    expect(says(portReuse, reused({ ...NO_SOCKET, conversation: { earlier: null } }))).toBe('port-reuse likely kernel');
    expect(evidence(portReuse, reused({ conversation: { earlier: null } }))).toHaveLength(1);
  });
  test.each<[string, Changes]>([
    ['it has an acknowledgement', { reset: { flags: 'R.', ack: 5 } }],
    ['its sender had sent no SYN', { sender: { isn: null } }],
    ['its sender had sent no SYN', { sender: { synAck: true } }],
    ['no acknowledgement came that it answers', { reset: { seq: 8999 } }],
    ['no acknowledgement came', { receiver: { last: segment({ flags: 'S.', ack: 9000 }) } }],
    ['the SYN had been answered by a SYN-ACK', { receiver: { synAck: true } }],
    ['the acknowledgement is that of the SYN', { sender: { isn: 8999 } }],
    ['a socket sent it by itself', sent({ reason: 'TCP_STATE', active: true })],
  ])('no: %s', (because, changes) => {
    expect(says(portReuse, reused(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
  test('is not of a kernel that did not send it', () => {
    expect(judge(reused(SILENT)).origin).not.toBe('kernel');
  });
});

/** The third segment, or the data just behind it. */
function third(age: number, length = 0): SegmentFacts {
  return segment({ seq: CLIENT_ISN + 1, ack: SERVER_ISN + 1, at: AT - age, length });
}

describe('the accept queue is full', () => {
  test('the third segment is answered by a reset', () => {
    expect(says(listenQueueFull, overflow())).toBe('listen-queue-full possible kernel');
    expect(evidence(listenQueueFull, overflow())).toEqual([
      'it answers the third segment of the handshake, 2 ms before; the server had said nothing but its SYN-ACK',
    ]);
    expect(judge(overflow()).cause).toBe('listen-queue-full');
  });
  test('the data that came just behind it may be what is answered', () => {
    const soon = { sender: onlySynAck(0.2), receiver: { dataSegments: 1, last: third(0.05, 10) } };
    expect(says(listenQueueFull, overflow(soon))).toBe('listen-queue-full possible kernel');
    // Without data, the third segment may take longer.
    const late = { sender: onlySynAck(0.9), receiver: { last: third(0.05) } };
    expect(says(listenQueueFull, overflow(late))).toBe('listen-queue-full possible kernel');
  });
  test('is likely where the port accepted somebody else before', () => {
    const facts = overflow({ host: { acceptedBefore: 12.3 } });
    expect(says(listenQueueFull, facts)).toBe('listen-queue-full likely kernel');
    expect(evidence(listenQueueFull, facts)[1]).toBe('the port had accepted another client 12.3 s before');
  });
  test.each<[string, Changes]>([
    ['it has an acknowledgement', { reset: { flags: 'R.', ack: 5 } }],
    ['its sender had sent no SYN-ACK', { sender: { synAck: false } }],
    ['its sequence number is not that of the handshake', { reset: { seq: SERVER_ISN + 2 } }],
    ['its sender had sent data', { sender: { next: SERVER_ISN + 9 } }],
    ["the handshake's third segment was not seen", { receiver: { last: segment({ flags: 'S' }) } }],
    ['the client had sent more than one segment', { receiver: { dataSegments: 2 } }],
    ['the server has said something since', { sender: { last: segment({ at: AT - 0.0015 }) } }],
    ['the server had acknowledged data', { sender: { acked: CLIENT_ISN + 11 } }],
    [
      'the client had said nothing for a while',
      { sender: onlySynAck(0.3), receiver: { dataSegments: 1, last: third(0.05, 10) } },
    ],
    ["the client's last segment came 1.5 s before", { sender: onlySynAck(1.6), receiver: { last: third(1.5) } }],
    ['the handshake had been completed long before', { sender: { last: segment({ flags: 'S.', at: AT - 4 }) } }],
    ['the client had finished', { receiver: { finEnd: 200 } }],
    ['the kernel says something else', NO_SOCKET],
    ['its TTL is 60', { reset: { ttl: 60 } }],
  ])('no: %s', (because, changes) => {
    expect(says(listenQueueFull, overflow(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
  test('is not of a kernel that did not send it', () => {
    // An IP ID of its own: not as netfilter makes it, so that no rule for filters takes it.
    expect(judge(overflow({ ...SILENT, reset: { ipId: 4000 } })).origin).not.toBe('kernel');
  });
});

describe("an acknowledgement that doesn't fit the handshake", () => {
  test('both numbers are told', () => {
    expect(says(handshakeMismatch, mismatch())).toBe('handshake-mismatch likely kernel');
    expect(evidence(handshakeMismatch, mismatch())).toEqual([
      `it answers an acknowledgement of 60000, where ${SERVER_ISN + 1} was to be acknowledged`,
    ]);
    expect(judge(mismatch()).cause).toBe('handshake-mismatch');
  });
  test('the number to be acknowledged wraps around', () => {
    expect(evidence(handshakeMismatch, mismatch({ sender: { isn: 0xffffffff, next: 0 } }))[0]).toContain(
      'where 0 was to be acknowledged',
    );
  });
  test('the client answers a SYN-ACK of another connection so too', () => {
    const facts = gone({ reset: { seq: 60_000 }, receiver: { last: segment({ flags: 'S.', ack: 60_000 }) } });
    expect(says(handshakeMismatch, facts)).toBe('handshake-mismatch likely kernel');
  });
  test.each<[string, Changes]>([
    ['it has an acknowledgement', { reset: { flags: 'R.', ack: 5 } }],
    ['not every segment was captured', { conversation: { full: false } }],
    ['no segment was seen that it answers', { reset: { seq: 59_999 } }],
    ['the handshake had been completed', { conversation: { established: true } }],
    ['its sender had sent neither SYN nor SYN-ACK', { sender: { isn: null } }],
    ["the acknowledgement fits the sender's SYN", { sender: { isn: 59_999 } }],
    ['no SYN-ACK was seen', { sender: { synAck: false } }],
  ])('no: %s', (because, changes) => {
    expect(says(handshakeMismatch, mismatch(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
});
