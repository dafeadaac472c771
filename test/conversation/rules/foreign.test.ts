/** Resets of somebody on the path: two independent signs or none, numbers that fit nobody, devices that may. */
import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../src/conversation/facts.js';
import { judge } from '../../../src/conversation/judge.js';
import { injected, middleboxReset, outOfWindow } from '../../../src/conversation/rules/foreign.js';
import {
  formSign,
  goesOnSign,
  ipSign,
  numberSign,
  timestampSign,
  ttlDistance,
  ttlOff,
} from '../../../src/conversation/rules/signs.js';
import {
  aborted,
  answered,
  AT,
  changed,
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

/** The sender goes on with new data as if nothing had been. */
const GOES_ON: Changes = {
  after: { senderWentOn: segment({ flags: 'P.', seq: 5051, ack: 201, length: 9, at: AT + 1.2 }) },
};
const RISING: Changes = { after: { senderResets: 2, risingResets: 2 } };
const OFF: Changes = { reset: { ttl: 117 } };

function both(...changes: readonly Changes[]): Facts {
  return changes.reduce((facts, each) => changed(facts, each), aborted());
}

describe('a sign', () => {
  test('the sender goes on', () => {
    expect(goesOnSign(aborted(GOES_ON))).toBe('its sender goes on with the connection 1.2 s later');
    expect(goesOnSign(aborted())).toBeNull();
  });
  test('is none of a segment that was sent before and overtaken', () => {
    const overtaken = segment({ flags: 'P.', seq: 5001, ack: 201, length: 50, at: AT + 0.02 });
    expect(goesOnSign(aborted({ after: { senderWentOn: overtaken } }))).toBeNull();
    expect(goesOnSign(aborted({ after: { senderWentOn: { ...overtaken, at: AT + 0.2 } } }))).not.toBeNull();
  });
  test('the sender accepts the connection behind its refusal', () => {
    const synAck = segment({ flags: 'S.', seq: 5000, ack: 101, at: AT + 0.03 });
    expect(goesOnSign(refused({ after: { synAck } }))).toBe('its sender accepted the connection 30 ms later');
  });
  test('numbers that were not reached', () => {
    expect(numberSign(aborted({ reset: { ack: 301 } }))).toBe('it acknowledges 100 bytes that were not sent');
    expect(numberSign(aborted(RISING))).toBe('3 resets with rising sequence numbers, none of which was reached');
    const earlier = { resets: 1, lastReset: { seq: 5051, ack: 201, at: AT - 0.001 } };
    expect(numberSign(aborted({ reset: { seq: 6511 }, sender: earlier }))).toBe(
      'its sequence number is 1460 above that of the reset before, and was not reached',
    );
  });
  test.each<[string, Changes]>([
    ['it fits', {}],
    ['not everything was captured', { reset: { ack: 301 }, conversation: { gap: true } }],
    ['nor its data', { reset: { ack: 301 }, conversation: { full: false } }],
    [
      'the reset before came long ago',
      { reset: { seq: 6511 }, sender: { lastReset: { seq: 5051, ack: 0, at: AT - 3 } } },
    ],
  ])('is none of numbers where %s', (_, changes) => {
    expect(numberSign(aborted(changes))).toBeNull();
  });
  test('TTL off those of its sender, and by how much', () => {
    const off = aborted(OFF);
    expect(ttlOff(off)).toBe("its TTL is 117, that of its sender's other packets 64");
    expect(ttlDistance(off)).toBe(53);
    expect(ttlDistance(aborted({ reset: { ttl: 60 } }))).toBe(4);
    expect([ttlOff(aborted()), ttlDistance(aborted()), ttlDistance(lone())]).toEqual([null, 0, 0]);
    expect(ttlOff(lone({ host: { ttlLeast: 50, ttlMost: 52 } }))).toContain('50 to 52');
  });
  test("IP ID out of its sender's run, may be fragmented", () => {
    expect(ipSign(aborted({ reset: { ipId: 9000 } }))).toBe(
      "its IP ID 9000 is out of its sender's run, which was at 700",
    );
    expect(ipSign(aborted({ reset: { dontFragment: false } }))).toMatch(/^it may be fragmented/);
    expect(ipSign(aborted())).toBeNull();
  });
  test('IP ID 0 of a passive reset is none, nor one that wraps around', () => {
    expect(ipSign(answered())).toBeNull();
    expect(ipSign(aborted({ reset: { ipId: 3 }, sender: { ipId: 65_530 } }))).toBeNull();
    expect(ipSign(aborted({ reset: { ipId: 9000 }, sender: { ipIds: 'other' } }))).toBeNull();
    expect(ipSign(aborted({ reset: { ipId: 9000 }, sender: { ipIds: null } }))).toBeNull();
  });
  test('timestamps missing on an abort, not on a passive reset', () => {
    expect(timestampSign(aborted({ reset: { timestamp: null } }))).not.toBeNull();
    expect(timestampSign(answered())).toBeNull();
    expect(timestampSign(aborted({ reset: { timestamp: null }, sender: { timestamps: 'sometimes' } }))).toBeNull();
  });
  test('reserved bits, a payload that is no text', () => {
    expect(formSign(changed(aborted(), { reset: { payloadLength: 7 } }))).toBe('it bears 7 bytes that are no text');
    expect(formSign(aborted({ reset: { payloadLength: 7, payloadText: 'go away' } }))).toBeNull();
    const reserved = aborted();
    expect(formSign({ ...reserved, reset: { ...reserved.reset, flags: 0x214 } })).toBe(
      'reserved bits of its header are set',
    );
  });
});

describe('forged', () => {
  test.each<[string, Changes, Changes]>([
    ['goes on, TTL', GOES_ON, OFF],
    ['goes on, IP ID', GOES_ON, { reset: { ipId: 9000 } }],
    ['goes on, no timestamps', GOES_ON, { reset: { timestamp: null } }],
    ['goes on, payload', GOES_ON, { reset: { payloadLength: 4 } }],
    ['goes on, not sent by the kernel', GOES_ON, SILENT],
    ['rising numbers, TTL', RISING, OFF],
    ['acknowledges what was not sent, IP ID', { reset: { ack: 301 } }, { reset: { ipId: 9000 } }],
  ])('two signs: %s', (_, will, making) => {
    const facts = both(will, making);
    expect(says(injected, facts)).toBe('injected likely middlebox');
    expect(evidence(injected, facts).length).toBeGreaterThanOrEqual(2);
    expect(judge(facts).cause).toBe('injected');
    for (const one of [will, making]) {
      expect(says(injected, both(one))).toMatch(/^no: /);
      expect(judge(both(one)).cause).not.toBe('injected');
    }
  });
  test('TTL and IP ID together are one sign', () => {
    const facts = aborted({ reset: { ttl: 117, ipId: 9000, dontFragment: false } });
    expect(says(injected, facts)).toMatch(/^no: one sign only: its TTL is 117/);
  });
  test('missing timestamps and rising numbers are lawful together on other systems', () => {
    expect(says(injected, both(RISING, { reset: { timestamp: null } }))).toMatch(/^no: one sign only/);
  });
  test('no sign, or the kernel sent it', () => {
    expect(says(injected, aborted())).toBe(
      "no: no sign of a third party: TTL 64 is that of its sender's other packets, its sender says nothing more",
    );
    expect(says(injected, changed(both(GOES_ON, OFF), sent({ reason: 'TCP_STATE', active: true })))).toBe(
      "no: the kernel's TCP sent it for TCP_STATE",
    );
  });
});

describe("out of its receiver's window", () => {
  const WINDOW = 501 * 128;

  test.each([
    [-1, '1 below'],
    [WINDOW + 1, `${WINDOW + 1} above`],
  ])('%i from what was expected', (ahead, where) => {
    const facts = aborted({ reset: { seq: 5051 + ahead } });
    expect(says(outOfWindow, facts)).toBe('out-of-window possible unknown');
    expect(evidence(outOfWindow, facts)).toEqual([
      `its sequence number is ${where} what its receiver expected, the window ${WINDOW}`,
    ]);
    expect(judge(facts).cause).toBe('out-of-window');
  });
  test('is likely where the connection went on, or the kernel did not accept it', () => {
    const off = { reset: { seq: 4000 } };
    const on = segment({ flags: 'P.', seq: 201, ack: 5051, length: 9, at: AT + 0.5 });
    const wentOn = aborted({ ...off, after: { receiverWentOn: on } });
    expect(says(outOfWindow, wentOn)).toBe('out-of-window likely unknown');
    expect(evidence(outOfWindow, wentOn)[1]).toBe('the connection went on 500 ms later');
    const refusedByKernel = aborted({ ...off, kernel: { received: false } });
    expect(says(outOfWindow, refusedByKernel)).toBe('out-of-window likely unknown');
    expect(evidence(outOfWindow, refusedByKernel)[1]).toBe("the receiver's kernel did not accept it");
  });
  test.each<[string, Changes]>([
    ['sender', { sender: { windowScale: null } }],
    ['receiver', { receiver: { windowScale: null } }],
  ])('the window is as large as it can be where the %s named no scale: it may have been cut off', (_, unseen) => {
    expect(says(outOfWindow, aborted({ ...unseen, reset: { seq: 5051 + 501 * 2 ** 14 } }))).toMatch(/in the window/);
    const beyond = aborted({ ...unseen, reset: { seq: 5052 + 501 * 2 ** 14 } });
    expect(evidence(outOfWindow, beyond)[0]).toContain(`the window at most ${501 * 2 ** 14}`);
  });
  test('a scale of 14 that was seen is no guess', () => {
    const facts = aborted({ receiver: { windowScale: 14 }, reset: { seq: 5000 } });
    expect(evidence(outOfWindow, facts)[0]).not.toContain('at most');
  });
  test.each<[string, Changes]>([
    ['not every segment was captured', { conversation: { full: false } }],
    ['not every segment was captured', { conversation: { gap: true } }],
    ["the kernel's TCP sent it", sent({ reason: 'TCP_STATE', active: true })],
    ["it is not of its sender's making: its TTL is 117", { reset: { ttl: 117 } }],
    ["it is not of its sender's making: its IP ID", { reset: { ipId: 9000 } }],
    ["it is not of its sender's making: it bears 3 bytes", { reset: { payloadLength: 3 } }],
    ['it is not known what its receiver would accept', { receiver: { acked: null } }],
    ['it is not known what its receiver would accept', { receiver: { window: null } }],
    ['the connection was being closed', { sender: { finEnd: 5000 } }],
    ['the connection was being closed', { receiver: { finEnd: 200 } }],
    ['its sequence number is exactly the one expected', { reset: { seq: 5051 } }],
    ['its sequence number is in the window', { reset: { seq: 5052 } }],
    ['its receiver accepted it', { kernel: { received: true } }],
  ])('no: %s', (because, changes) => {
    expect(says(outOfWindow, aborted({ ...changes, reset: { seq: 4000, ...changes.reset } }))).toMatch(
      new RegExp(`^no: ${because}`),
    );
  });
  test('sequence numbers wrap around', () => {
    const facts = aborted({ reset: { seq: 5 }, receiver: { acked: 0xfffffffe } });
    expect(says(outOfWindow, facts)).toMatch(/in the window/);
    expect(evidence(outOfWindow, changed(facts, { reset: { seq: 0xfffffff0 } }))[0]).toContain('14 below');
  });
  test('is no bare reset that answers an earlier segment', () => {
    expect(says(outOfWindow, answered({ reset: { seq: 5001 } }))).toBe(
      'no: it answers an earlier segment of its receiver',
    );
  });
});

describe('a device on the path', () => {
  test('has another TTL: likely; one step off may be another way: possible', () => {
    expect(says(middleboxReset, aborted(OFF))).toBe('middlebox-reset likely middlebox');
    expect(evidence(middleboxReset, aborted(OFF))).toEqual(["its TTL is 117, that of its sender's other packets 64"]);
    expect(says(middleboxReset, aborted({ reset: { ttl: 63 } }))).toBe('middlebox-reset possible middlebox');
    // Some stacks count their resets apart.
    for (const reset of [{ ipId: 9000 }, { dontFragment: false }])
      expect(says(middleboxReset, aborted({ reset }))).toMatch(/^no: TTL 64 is that of/);
    expect(judge(aborted(OFF)).cause).toBe('middlebox-reset');
  });
  test('resets both ends at once, long after the last segment', () => {
    const reset = { timestamp: null };
    const first = aborted({ reset, after: { receiverResets: 1, receiverResetAfter: 0.0004 } });
    expect(says(middleboxReset, first)).toBe('middlebox-reset likely middlebox');
    expect(evidence(middleboxReset, first)).toEqual([
      'both ends were reset within 400 µs, 2.0 s after the last segment',
    ]);
    const second = aborted({ reset, receiver: { resets: 1, lastReset: { seq: 1, ack: 2, at: AT - 0.01 } } });
    expect(says(middleboxReset, second)).toBe('middlebox-reset likely middlebox');
  });
  test('is none of an abort whose timestamps fit: two programs may give up at the same moment', () => {
    const facts = aborted({ after: { receiverResets: 1, receiverResetAfter: 0.0004 } });
    expect(says(middleboxReset, facts)).toMatch(/^no: TTL 64 is that of/);
    expect(judge(facts).cause).toBe('abort');
    const bare = answered({
      receiver: { last: segment({ ack: 5051, at: AT - 2 }) },
      conversation: { lastAt: AT - 2 },
      after: { receiverResets: 1, receiverResetAfter: 0.0004 },
    });
    expect(says(middleboxReset, bare)).toBe('middlebox-reset likely middlebox');
  });
  test('is none where a reset may have crossed a segment, or the other came later', () => {
    const crossed = answered({ after: { receiverResets: 1, receiverResetAfter: 0.0004 } });
    expect(says(middleboxReset, crossed)).toMatch(/^no: /);
    const later = aborted({ reset: { timestamp: null }, after: { receiverResets: 1, receiverResetAfter: 0.06 } });
    expect(says(middleboxReset, later)).toMatch(/^no: /);
  });
  test('is none where nothing is off, nothing can be compared, or the kernel sent it', () => {
    expect(says(middleboxReset, aborted())).toMatch(/^no: TTL 64 is that of/);
    expect(says(middleboxReset, loneAbort())).toMatch(/^no: its sender had sent nothing/);
    expect(says(middleboxReset, aborted({ ...OFF, ...NO_SOCKET }))).toBe("no: the kernel's TCP sent it for NO_SOCKET");
  });
});
