/** Which of two rules wins where both fit: the kernel's word, then what only one mechanism makes, special before general. */
import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../src/conversation/facts.js';
import { judge } from '../../../src/conversation/judge.js';
import { abort, abortTimeout } from '../../../src/conversation/rules/abort.js';
import { closeReset, lateData, timeWaitAssassination } from '../../../src/conversation/rules/closing.js';
import { injected, middleboxReset } from '../../../src/conversation/rules/foreign.js';
import { halfOpen } from '../../../src/conversation/rules/half-open.js';
import { kernelActive, kernelClose, kernelPath, kernelReason } from '../../../src/conversation/rules/kernel.js';
import {
  clientGaveUp,
  handshakeMismatch,
  listenQueueFull,
  portReuse,
} from '../../../src/conversation/rules/opening.js';
import { closedPort, filterRefusal, filterReject, ownOutputFilter } from '../../../src/conversation/rules/refused.js';
import type { Rule } from '../../../src/conversation/rules/rule.js';
import { RULES } from '../../../src/conversation/rules/rules.js';
import { CAUSES } from '../../../src/conversation/verdict.js';
import { aborted, answered, AT, NO_SOCKET, refused, segment, sent, type Changes } from '../facts.js';
import { assassinated, closed, gone, late, mismatch, overflow, reused } from '../stories.js';

const GOES_ON: Changes = {
  after: { senderWentOn: segment({ flags: 'P.', seq: 5051, ack: 201, length: 30, at: AT + 0.3 }) },
};

const PAIRS: readonly (readonly [string, Rule, Rule, Facts])[] = [
  [
    'the stack before the reason',
    kernelPath,
    kernelReason,
    aborted(sent({ path: 'disconnect', reason: 'TCP_ABORT_ON_CLOSE' })),
  ],
  ['the reason before the shape', kernelReason, abort, aborted(sent({ reason: 'TCP_ABORT_ON_MEMORY', active: true }))],
  ['a close that resets before the abort', kernelClose, abort, aborted(sent({ path: 'close', active: true }))],
  ['a socket of its own before the shape', kernelActive, abort, aborted(sent({ reason: 'TCP_STATE', active: true }))],
  ['the port used again before half-open', portReuse, halfOpen, reused()],
  ['assassination before the close', timeWaitAssassination, closeReset, assassinated(NO_SOCKET)],
  ['the own filter before the closed port', ownOutputFilter, closedPort, refused({ reset: { ownFilter: true } })],
  ['the own filter before half-open', ownOutputFilter, halfOpen, answered({ reset: { ownFilter: true } })],
  ['the client that had gone before half-open', clientGaveUp, halfOpen, gone()],
  ['a filter in the connection before half-open', filterReject, halfOpen, answered(GOES_ON)],
  [
    'a filter that is nearer by before a forger',
    filterReject,
    injected,
    answered({ ...GOES_ON, sender: { ttlLeast: 57, ttlMost: 57, ttl: 57 } }),
  ],
  [
    'a filter before the closed port, by a listener',
    filterRefusal,
    closedPort,
    refused({ kernel: { listener: { atSource: true, evidence: null } } }),
  ],
  [
    'a filter before the closed port, by the TTL',
    filterRefusal,
    closedPort,
    refused({ host: { ttlLeast: 57, ttlMost: 57 } }),
  ],
  [
    'the close before the abort',
    closeReset,
    abort,
    closed({ reset: { flags: 'R.', ack: 202, window: 501, timestamp: 5 } }),
  ],
  ['late data before half-open', lateData, halfOpen, late()],
  ['numbers that do not fit before half-open', handshakeMismatch, halfOpen, mismatch()],
  ['the full queue before half-open', listenQueueFull, halfOpen, overflow()],
  [
    'both ends at once before the abort',
    middleboxReset,
    abort,
    aborted({ reset: { timestamp: null }, after: { receiverResets: 1, receiverResetAfter: 0.001 } }),
  ],
  ['another TTL before half-open', middleboxReset, halfOpen, answered({ reset: { ttl: 117 } })],
  ['probes before the abort', abortTimeout, abort, aborted({ sender: { probes: 3 } })],
];

describe('the order', () => {
  test.each(PAIRS)('%s', (_, wins, loses, facts) => {
    const [first, second] = [wins.test(facts), loses.test(facts)];
    if (!first.yes || !second.yes) throw new Error(`only one fits: ${JSON.stringify([first.yes, second.yes])}`);
    expect(RULES.indexOf(wins)).toBeLessThan(RULES.indexOf(loses));
    const { cause, confidence } = judge(facts);
    expect([cause, confidence]).toEqual([first.cause, first.confidence]);
  });

  test('forged before the device on the path, and before the abort', () => {
    const facts = aborted({ ...GOES_ON, reset: { ttl: 117 } });
    expect(middleboxReset.test(facts).yes).toBe(true);
    expect(judge(facts).cause).toBe('injected');
    expect(judge(aborted({ ...GOES_ON, reset: { timestamp: null } })).cause).toBe('injected');
  });
});

describe('the rules', () => {
  test('have names of their own, a cause of the table, and a source', () => {
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length);
    for (const { cause, source } of RULES) {
      expect(CAUSES).toContain(cause);
      expect(source).toMatch(/RFC \d+|Linux (net|include)\//);
    }
  });

  test('name every cause of the table, together with the kernel', () => {
    const reasons = ['TCP_ABORT_ON_CLOSE', 'TCP_ABORT_ON_LINGER', 'TCP_ABORT_ON_MEMORY'];
    const paths = ['listener-closed', 'disconnect', 'sock-destroy'] as const;
    const named = new Set([
      ...RULES.map(({ cause }) => cause),
      ...reasons.map((reason) => judge(aborted(sent({ reason, active: true }))).cause),
      ...paths.map((path) => judge(aborted(sent({ path, active: true }))).cause),
      'unknown',
    ]);
    expect([...named].sort()).toEqual([...CAUSES].sort());
  });
});
