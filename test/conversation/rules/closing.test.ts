/** Resets of connections that one side, or both, had finished. */
import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../src/conversation/judge.js';
import { closeReset, lateData, timeWaitAssassination } from '../../../src/conversation/rules/closing.js';
import { aborted, AT, evidence, NO_SOCKET, says, segment, sent, type Changes } from '../facts.js';
import { assassinated, closed, late } from '../stories.js';

describe('data that came too late', () => {
  test('its sender had finished', () => {
    expect(says(lateData, late())).toBe('late-data likely kernel');
    expect(evidence(lateData, late())).toEqual([
      'its sender had sent a FIN; it answers 20 bytes that came 10 ms before',
      '20 bytes of its receiver were not acknowledged',
    ]);
    expect(judge(late()).cause).toBe('late-data');
    expect(judge(late(NO_SOCKET)).cause).toBe('late-data');
  });
  test('the client had finished too, but its data were lost', () => {
    const both = late({ receiver: { finEnd: 502, next: 502 } });
    expect(says(lateData, both)).toBe('late-data likely kernel');
    expect(says(closeReset, both)).toBe('no: both sides had finished, and 300 bytes were lost');
  });
  test('the last words of TLS are no loss', () => {
    const both = late({ receiver: { finEnd: 222, next: 222 } });
    expect(says(lateData, both)).toBe('no: both sides had finished, and no more than 20 bytes were lost');
    expect(says(closeReset, both)).toBe('close-reset likely kernel');
  });
  test.each<[string, Changes]>([
    ['it has an acknowledgement', { reset: { flags: 'R.', ack: 201 } }],
    ['its sender had sent no FIN', { sender: { finEnd: null } }],
    ['both sides had finished', { sender: { acked: 222 }, receiver: { finEnd: 222, next: 222 } }],
    ['the kernel says something else', sent({ reason: 'TCP_STATE', active: true })],
    ['no segment was seen that it answers', { reset: { seq: 5053 } }],
  ])('no: %s', (because, changes) => {
    expect(says(lateData, late(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
});

describe('both sides had finished', () => {
  test('it is harmless', () => {
    expect(says(closeReset, closed())).toBe('close-reset likely kernel');
    expect(evidence(closeReset, closed())).toEqual(['both sides had sent a FIN; the last segment came 10 ms before']);
    expect(judge(closed(NO_SOCKET)).cause).toBe('close-reset');
    expect(judge(closed()).cause).toBe('close-reset');
  });
  test.each([{ sender: { finEnd: null } }, { receiver: { finEnd: null } }])('no: only one had, %j', (changes) => {
    expect(says(closeReset, closed(changes))).toMatch(
      /^no: not both sides had finished: no FIN of its (sender|receiver) was seen$/,
    );
  });
});

describe('TIME-WAIT assassination', () => {
  test('an old segment was answered from TIME-WAIT, and that by the reset', () => {
    expect(says(timeWaitAssassination, assassinated())).toBe('time-wait-assassination likely kernel');
    expect(evidence(timeWaitAssassination, assassinated())[0]).toBe(
      'an old segment of its sender came 20 ms before, after both sides had finished; it was answered from TIME-WAIT',
    );
    expect(judge(assassinated()).cause).toBe('time-wait-assassination');
  });
  test('is certain where the kernel had no socket, and no other word of it fits', () => {
    expect(judge(assassinated(NO_SOCKET))).toMatchObject({ cause: 'time-wait-assassination', confidence: 'certain' });
    // NO_SOCKET at the peer. What a socket sent is what that reason says.
    expect(judge(assassinated(sent({ reason: 'TCP_ABORT_ON_DATA', active: false }))).cause).toBe('late-data');
  });
  test.each<[string, Changes]>([
    ['it has an acknowledgement', { reset: { flags: 'R.', ack: 5 } }],
    ['not both sides had finished', { sender: { finEnd: null } }],
    ['no segment was seen that it answers', { reset: { seq: 1 } }],
    ['what it answers bears data', { receiver: { last: segment({ seq: 202, ack: 5052, length: 1 }) } }],
    [
      'what it answers bears data, or a FIN',
      { sender: { acked: 201 }, receiver: { last: segment({ flags: 'F.', seq: 201, ack: 5052 }) } },
    ],
    ['the last segment of its sender is no old one', { sender: { last: segment({ flags: 'F.', seq: 5051 }) } }],
    ['the last segment of its sender is no old one', { sender: { last: segment({ seq: 5001, at: AT - 0.001 }) } }],
  ])('no: %s', (because, changes) => {
    expect(says(timeWaitAssassination, assassinated(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
  test('is none of a live connection', () => {
    expect(says(timeWaitAssassination, aborted())).toMatch(/^no/);
  });
});
