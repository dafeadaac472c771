/** Aborts of programs and timers, and resets of a host that does not know the connection. */
import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../src/conversation/judge.js';
import { abort, abortTimeout } from '../../../src/conversation/rules/abort.js';
import { halfOpen } from '../../../src/conversation/rules/half-open.js';
import {
  aborted,
  answered,
  AT,
  evidence,
  lone,
  loneAbort,
  NO_SOCKET,
  refused,
  says,
  segment,
  sent,
  SILENT,
  type Changes,
} from '../facts.js';

describe('a program aborted', () => {
  test('with the numbers of the connection', () => {
    expect(says(abort, aborted())).toBe('abort likely application');
    expect(evidence(abort, aborted())).toEqual([
      'it has the numbers of the connection: a program aborted, or was killed',
      'it had acknowledged 100 bytes before, which may not have been read',
      "its sender's last segment came 2.5 s before",
    ]);
    expect(judge(aborted()).cause).toBe('abort');
  });
  test('the FIN of its receiver is no byte that may not have been read', () => {
    const finished = aborted({
      reset: { ack: 202 },
      sender: { acked: 202 },
      receiver: { next: 202, finEnd: 202, last: segment({ flags: 'F.', seq: 201, ack: 5051 }) },
    });
    expect(evidence(abort, finished)[1]).toBe('it had acknowledged 100 bytes before, which may not have been read');
  });
  test('one byte is one byte', () => {
    expect(evidence(abort, aborted({ sender: { acked: 102 } }))[1]).toContain('1 byte before');
  });
  test('what only the reset acknowledges had not been acknowledged before', () => {
    expect(evidence(abort, aborted({ sender: { acked: 101 } })).join()).not.toContain('acknowledged');
    expect(evidence(abort, aborted({ sender: { acked: null } })).join()).not.toContain('acknowledged');
  });
  test('how long its sender was silent is not told of a capture that holds beginnings and ends only', () => {
    expect(evidence(abort, aborted({ conversation: { full: false } })).join()).not.toContain('last segment');
  });
  test('with another number, or without window and timestamps, is possible', () => {
    expect(says(abort, aborted({ reset: { seq: 5060 } }))).toBe('abort possible application');
    expect(says(abort, aborted({ reset: { window: 0, timestamp: null } }))).toBe('abort possible application');
    expect(says(abort, aborted({ reset: { window: 0 } }))).toBe('abort likely application');
    expect(says(abort, aborted({ reset: { window: null, timestamp: null } }))).toBe('abort possible application');
  });
  test('of which nothing else was captured', () => {
    expect(says(abort, loneAbort())).toBe('abort likely application');
    expect(evidence(abort, loneAbort())[0]).toContain('nothing else of it was captured');
    expect(says(abort, loneAbort({ reset: { timestamp: null } }))).toBe('abort possible application');
    expect(judge(loneAbort()).cause).toBe('abort');
  });
  test.each<[string, Changes]>([
    ['it has no window', { reset: { window: 0 } }],
    ['it has no window', { reset: { window: null } }],
    ['it does not look as a kernel sends it', { reset: { timestamp: null, dontFragment: false } }],
    ['it does not look as a kernel sends it', { reset: { payloadLength: 3 } }],
    // IPv6's header tells nothing.
    ['it does not look as a kernel sends it', { reset: { timestamp: null, dontFragment: null, ipId: null } }],
    ["the kernel's TCP did not send it", SILENT],
  ])('no, alone: %s', (because, changes) => {
    expect(says(abort, loneAbort(changes))).toMatch(new RegExp(`^no: .*${because}`));
  });
  test('no: a bare reset, a refusal', () => {
    for (const facts of [lone(), answered(), refused()])
      expect(says(abort, facts)).toMatch(/^no: it answers a segment/);
  });
});

describe('a timer gave up', () => {
  test('after probes that nobody answered', () => {
    const probed = aborted({ sender: { probes: 3 } });
    expect(says(abortTimeout, probed)).toBe('abort-timeout likely kernel');
    expect(evidence(abortTimeout, probed)).toEqual(['its sender had sent 3 probes that nobody answered']);
    expect(judge(probed).cause).toBe('abort-timeout');
  });
  test.each<[string, Changes]>([
    ['1 probes without an answer', { sender: { probes: 1 } }],
    ['0 probes without an answer', { receiver: { probes: 9 } }],
    ['nothing was captured of its receiver', { sender: { probes: 9 }, receiver: { seen: false, last: null } }],
    ['it is no abort', { sender: { probes: 9 }, reset: { flags: 'R' } }],
    ['the kernel says something else', { sender: { probes: 9 }, ...sent({ reason: 'TCP_STATE', active: true }) }],
  ])('no: %s', (because, changes) => {
    expect(says(abortTimeout, aborted(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
  test('is not of a kernel that did not send it', () => {
    expect(judge(aborted({ ...SILENT, sender: { probes: 3 } })).origin).not.toBe('kernel');
  });
});

describe('a host that does not know the connection', () => {
  test('answers a segment by its own number', () => {
    expect(says(halfOpen, answered())).toBe('half-open likely kernel');
    expect(evidence(halfOpen, answered())).toEqual([
      'it answers 20 bytes that came 10 ms before',
      'its sender had last been heard of 2.5 s before, and had sent no FIN',
    ]);
    expect(judge(answered()).cause).toBe('half-open');
  });
  test('had said something lately, or was never heard of: possible', () => {
    const lately = answered({ sender: { last: segment({ at: AT - 0.5 }) } });
    expect(says(halfOpen, lately)).toBe('half-open possible kernel');
    const unheard = answered({ sender: { seen: false, last: null } });
    expect(says(halfOpen, unheard)).toBe('half-open possible kernel');
    expect(evidence(halfOpen, unheard)).toContain('nothing else was captured of its sender');
  });
  test('had been reset before: likely', () => {
    const lastReset = { seq: 1, ack: 2, at: AT - 3 };
    const bySender = answered({ sender: { resets: 1, lastReset } });
    expect(says(halfOpen, bySender)).toBe('half-open likely kernel');
    expect(evidence(halfOpen, bySender)[1]).toBe('its sender had reset the connection 3.0 s before');
    const byReceiver = answered({ receiver: { resets: 1, lastReset } });
    expect(evidence(halfOpen, byReceiver)[1]).toBe('a reset in the name of its receiver came 3.0 s before');
  });
  test('by the kernel: certain with the segment and the SYN, likely without the SYN, possible without the segment', () => {
    expect(says(halfOpen, answered(NO_SOCKET))).toBe('half-open certain kernel');
    const midway = answered({ ...NO_SOCKET, conversation: { fromStart: false } });
    expect(says(halfOpen, midway)).toBe('half-open likely kernel');
    expect(says(halfOpen, lone(NO_SOCKET))).toBe('half-open possible kernel');
    expect(evidence(halfOpen, lone(NO_SOCKET))).toEqual([
      'the kernel had no socket for what it answers (NO_SOCKET); that segment was not captured',
    ]);
    expect(says(halfOpen, answered({ ...NO_SOCKET, reset: { seq: 1 } }))).toBe('half-open possible kernel');
  });
  test('before Linux 6.10 the kernel gives no reason, and says that there was no socket', () => {
    expect(says(halfOpen, answered(sent({ socketless: true })))).toBe('half-open certain kernel');
  });
  test('answers what an earlier acknowledgement of the receiver says', () => {
    const crossed = answered({ reset: { seq: 5001 } });
    expect(says(halfOpen, crossed)).toBe('half-open likely kernel');
    expect(says(halfOpen, answered({ reset: { seq: 5002 } }))).toMatch(
      /^no: no segment was seen that it answers: its receiver's last segment came /,
    );
  });
  test('answers nothing that came more than a round trip before', () => {
    const before = (age: number): Changes => ({
      receiver: { last: segment({ flags: 'P.', seq: 201, ack: 5051, length: 20, at: AT - age }) },
    });
    expect(says(halfOpen, answered(before(2.9)))).toBe('half-open likely kernel');
    expect(says(halfOpen, answered(before(3.1)))).toMatch(
      /^no: no segment was seen that it answers: its receiver's last segment came /,
    );
    // Nor is an earlier acknowledgement younger than the last.
    const crossed = { ...before(3.1), reset: { seq: 5001 } };
    expect(says(halfOpen, answered(crossed))).toMatch(
      /^no: no segment was seen that it answers: its receiver's last segment came /,
    );
    const { cause, evidence: said } = judge(answered(before(3.1)));
    expect(cause).toBe('unknown');
    expect(said).toEqual([
      'it has no acknowledgement',
      "no segment was captured that it answers: its receiver's last came 3.1 s before",
    ]);
  });
  test('answers nothing that its sender had acknowledged', () => {
    const acked = { acked: 221, last: segment({ seq: 5051, ack: 221, at: AT - 0.005 }) };
    expect(says(halfOpen, answered({ sender: acked }))).toMatch(
      /^no: no segment was seen that it answers: its receiver's last segment came /,
    );
    expect(says(halfOpen, answered({ sender: { acked: 220 } }))).toBe('half-open likely kernel');
    // What takes no room is never acknowledged.
    const plain = answered({ sender: { acked: 201 }, receiver: { last: segment({ seq: 201, ack: 5051 }) } });
    expect(says(halfOpen, plain)).toBe('half-open likely kernel');
    const fin = { last: segment({ flags: 'F.', seq: 220, ack: 5051 }) };
    expect(says(halfOpen, answered({ sender: acked, receiver: fin }))).toMatch(
      /^no: no segment was seen that it answers: its receiver's last segment came /,
    );
    expect(says(halfOpen, answered({ sender: { acked: 220 }, receiver: fin }))).toBe('half-open likely kernel');
  });
  test('how long its sender was silent is not told of a capture that holds beginnings and ends only', () => {
    expect(evidence(halfOpen, answered({ conversation: { full: false } }))).toHaveLength(1);
  });
  test('that it answered the last segment is not claimed where only an earlier one fits', () => {
    expect(evidence(halfOpen, answered({ reset: { seq: 5001 } })).join()).not.toContain('20 bytes');
  });
  test.each<[string, Changes]>([
    ['it has an acknowledgement', { reset: { flags: 'R.', ack: 5 } }],
    ["the kernel's TCP did not send it", SILENT],
    ['the kernel had a socket', sent({ reason: 'TCP_STATE', active: true })],
  ])('no: %s', (because, changes) => {
    expect(says(halfOpen, answered(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
  test('no: only resets were captured', () => {
    expect(says(halfOpen, lone())).toBe('no: nothing of its connection was captured but resets');
  });
});
