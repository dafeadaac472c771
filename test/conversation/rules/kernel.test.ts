/** The kernel's word: each reason and each stack, what several things do, what this kernel does not say. */
import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../src/conversation/judge.js';
import type { KernelPath, KernelSent } from '../../../src/conversation/kernel-facts.js';
import { kernelActive, kernelClose, kernelPath, kernelReason, words } from '../../../src/conversation/rules/kernel.js';
import {
  aborted,
  answered,
  changed,
  evidence,
  lone,
  loneAbort,
  NO_SOCKET,
  refused,
  says,
  sent,
  SILENT,
} from '../facts.js';
import { mismatch } from '../stories.js';

const RULES = [kernelPath, kernelReason, kernelClose, kernelActive];
const wordOf = (word: Partial<KernelSent>): KernelSent => ({
  ...{ reason: null, path: null, active: null, socketless: false, listening: false },
  ...word,
});

describe('without the kernel', () => {
  test('every rule says that nothing is known', () => {
    for (const rule of RULES) expect(says(rule, loneAbort())).toBe('no: nothing is known from the kernel');
  });
  test('a kernel that said nothing did not send it', () => {
    for (const rule of RULES) expect(says(rule, loneAbort(SILENT))).toBe("no: the kernel's TCP did not send it");
  });
});

describe('the stack', () => {
  test.each<[KernelPath, string, string]>([
    ['linger', 'abort-linger certain application', 'SO_LINGER with time 0'],
    ['listener-closed', 'listener-closed certain application', 'its listener was closed'],
    ['disconnect', 'abort-disconnect certain application', 'connect() with AF_UNSPEC'],
    ['sock-destroy', 'abort-admin certain application', 'destroyed from outside'],
    ['keepalive', 'abort-timeout certain kernel', 'the peer did not answer'],
  ])('%s is %s', (path, answer, sentence) => {
    const facts = loneAbort(sent({ reason: 'TCP_STATE', path, active: true }));
    expect(says(kernelPath, facts)).toBe(answer);
    expect(evidence(kernelPath, facts)).toEqual([
      'the kernel sent it for TCP_STATE',
      expect.stringContaining(sentence),
    ]);
    expect(judge(facts).cause).toBe(answer.split(' ')[0]);
  });
  test.each(['close', 'killed'] as const)('%s is what several things do', (path) => {
    expect(says(kernelPath, loneAbort(sent({ path })))).toMatch(/^no: the stack says .*, which several things do$/);
  });
  test('none was told', () => {
    expect(says(kernelPath, loneAbort(sent({ reason: 'TCP_STATE' })))).toBe('no: no stack was told');
  });
  test('goes before the reason: connect() with AF_UNSPEC and unread data', () => {
    const facts = loneAbort(sent({ reason: 'TCP_ABORT_ON_CLOSE', path: 'disconnect', active: true }));
    expect(judge(facts).cause).toBe('abort-disconnect');
    const closed = loneAbort(sent({ reason: 'TCP_ABORT_ON_CLOSE', path: 'close', active: true }));
    expect(judge(closed).cause).toBe('abort-unread-data');
  });
});

describe('the reason', () => {
  test.each([
    ['TCP_ABORT_ON_CLOSE', 'abort-unread-data certain application'],
    ['TCP_ABORT_ON_LINGER', 'abort-linger certain application'],
    ['TCP_ABORT_ON_MEMORY', 'abort-memory certain kernel'],
    ['TCP_KEEPALIVE_TIMEOUT', 'abort-timeout certain kernel'],
    ['TCP_ABORT_ON_DATA', 'late-data certain kernel'],
    ['TCP_TIMEWAIT_SOCKET', 'late-data certain kernel'],
    ['TCP_OLD_ACK', 'port-reuse certain kernel'],
    ['TCP_INVALID_ACK_SEQUENCE', 'handshake-mismatch certain kernel'],
    ['TCP_FLAGS', 'handshake-mismatch certain kernel'],
  ])('%s is %s', (reason, answer) => {
    const facts = aborted(sent({ reason, active: answer.includes('abort') }));
    expect(says(kernelReason, facts)).toBe(answer);
    expect(evidence(kernelReason, facts)).toEqual([`the kernel sent it for ${reason}`]);
  });
  test('what a listener could not take is only likely where nothing else was captured', () => {
    expect(says(kernelReason, lone(sent({ reason: 'TCP_FLAGS' })))).toBe('handshake-mismatch likely kernel');
    expect(says(kernelReason, lone(sent({ reason: 'TCP_ABORT_ON_DATA' })))).toBe('late-data certain kernel');
  });
  test('a listener that does not know the connection was started anew', () => {
    const word = sent({ reason: 'TCP_FLAGS', listening: true });
    const sentence =
      'the connection had been established, and the listener there does not know it: the service was started anew';
    expect(evidence(kernelReason, answered(word))).toEqual(['the kernel sent it for TCP_FLAGS', sentence]);
    const midway = changed(answered(word), { conversation: { established: false }, sender: { dataSegments: 0 } });
    expect(evidence(kernelReason, midway)).toContain(sentence);
    expect(evidence(kernelReason, mismatch(word))).toHaveLength(1);
    const closed = changed(answered(word), { sender: { finEnd: 1 } });
    expect(evidence(kernelReason, closed)).not.toContain(sentence);
    expect(evidence(kernelReason, answered(sent({ reason: 'TCP_FLAGS' })))).toHaveLength(1);
  });
  test('INVALID_SYN at the third segment is a full queue, at a SYN a mismatch', () => {
    const word = sent({ reason: 'INVALID_SYN', listening: true });
    expect(says(kernelReason, answered(word))).toBe('listen-queue-full certain kernel');
    expect(says(kernelReason, refused(word))).toBe('handshake-mismatch certain kernel');
  });
  test.each(['NO_SOCKET', 'TCP_STATE', 'TCP_RFC7323_PAWS', 'NOT_SPECIFIED', 'SOMETHING_NEW'])(
    '%s is none',
    (reason) => {
      expect(says(kernelReason, lone(sent({ reason })))).toBe(`no: ${reason} is not the name of one mechanism`);
    },
  );
  test('this kernel gives none', () => {
    expect(says(kernelReason, lone(sent({})))).toBe('no: this kernel gives no reason');
  });
});

describe('a close that resets, on a kernel without reasons', () => {
  test.each(['close', 'killed'] as const)('%s: data was unread', (path) => {
    const facts = loneAbort(sent({ path, active: true }));
    expect(says(kernelClose, facts)).toBe('abort-unread-data likely application');
    expect(evidence(kernelClose, facts)[0]).toBe('the kernel sent it for a socket that was given up');
    expect(judge(facts)).toMatchObject({ cause: 'abort-unread-data', confidence: 'likely' });
  });
  test('not where there is a reason, nor where no socket was closed', () => {
    expect(says(kernelClose, loneAbort(sent({ path: 'close', reason: 'TCP_STATE' })))).toBe(
      'no: the kernel gives a reason, TCP_STATE',
    );
    for (const path of [null, 'linger'] as const) {
      expect(says(kernelClose, loneAbort(sent({ path })))).toBe('no: the stack does not say that a socket was closed');
    }
  });
});

describe('what remains', () => {
  test('an active reset is an abort, and the reason is in its evidence', () => {
    const facts = aborted(sent({ reason: 'TCP_STATE', active: true }));
    expect(says(kernelActive, facts)).toBe('abort certain application');
    expect(evidence(kernelActive, facts)).toEqual(['the kernel sent it for TCP_STATE']);
    expect(judge(facts)).toMatchObject({ cause: 'abort', confidence: 'certain', origin: 'application' });
  });
  test.each([false, null])('active %s is none', (active) => {
    expect(says(kernelActive, aborted(sent({ active })))).toMatch(/^no: the kernel does not say/);
  });
  test('a reason that no mechanism is known for is unknown where no socket sent it, with the reason in evidence', () => {
    const paws = sent({ reason: 'TCP_RFC7323_PAWS', active: false });
    for (const facts of [lone(paws), answered(paws)]) {
      const { cause, confidence, evidence: said } = judge(facts);
      expect([cause, confidence]).toEqual(['unknown', 'unknown']);
      expect(said.join()).toContain('TCP_RFC7323_PAWS');
    }
  });
  test('nor does what was captured give it a mechanism: both sides had finished, or a SYN is answered', () => {
    const paws = sent({ reason: 'TCP_RFC7323_PAWS', active: false });
    const finished = changed(answered(paws), {
      sender: { finEnd: 5051, acked: 222 },
      receiver: { next: 222, finEnd: 222 },
    });
    expect(judge(finished).cause).toBe('unknown');
    expect(judge(refused(paws)).cause).toBe('unknown');
  });
});

describe('the sentences', () => {
  test.each<[Partial<KernelSent>, string]>([
    [{ reason: 'NO_SOCKET', socketless: true }, 'the kernel sent it for NO_SOCKET'],
    [{ socketless: true }, 'the kernel sent it: there was no socket'],
    [{ listening: true }, 'the kernel sent it: a listener could not take the segment'],
    [{ active: true }, 'the kernel sent it for a socket that was given up'],
    [{}, 'the kernel sent it'],
  ])('%j', (word, sentence) => {
    expect(words(wordOf(word))).toEqual([sentence]);
  });
  test('a path is told behind the reason', () => {
    expect(words(wordOf({ path: 'killed', reason: 'TCP_ABORT_ON_CLOSE' }))).toEqual([
      'the kernel sent it for TCP_ABORT_ON_CLOSE',
      'its stack says get_signal: the process was killed',
    ]);
  });
});

test('NO_SOCKET is decided by the conversation', () => {
  expect(judge(refused(NO_SOCKET))).toMatchObject({ cause: 'closed-port', confidence: 'certain' });
  expect(judge(answered(NO_SOCKET))).toMatchObject({ cause: 'half-open', confidence: 'certain' });
  expect(judge(lone(NO_SOCKET))).toMatchObject({ cause: 'half-open', confidence: 'possible' });
});
