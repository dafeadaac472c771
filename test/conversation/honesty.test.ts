/** What a verdict may not say, whatever the facts: more than was seen, more surely than can be known. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Facts } from '../../src/conversation/facts.js';
import { judge } from '../../src/conversation/judge.js';
import { RULES } from '../../src/conversation/rules/rules.js';
import { CAUSES } from '../../src/conversation/verdict.js';
import { fromFile, kernel, live, onlyResets, story } from './any-facts.js';
import { changed, lone, loneAbort, NO_SOCKET } from './facts.js';

const RUNS = { numRuns: 1500 };
const ACK = 0x10;

/** Counts what was met: a property that never meets its case tests nothing. */
function tally(): { readonly met: Map<string, number>; add: (key: string) => void } {
  const met = new Map<string, number>();
  return {
    met,
    add: (key) => {
      met.set(key, (met.get(key) ?? 0) + 1);
    },
  };
}

describe('from a file', () => {
  test('nothing is certain', () => {
    const { met, add } = tally();
    fc.assert(
      fc.property(fromFile, (facts) => {
        const { cause, confidence } = judge(facts);
        add(cause);
        expect([cause, confidence]).not.toEqual([cause, 'certain']);
      }),
      RUNS,
    );
    expect(met.size).toBeGreaterThan(9);
  });

  test('a verdict without a cause has no confidence, one with a cause has', () => {
    fc.assert(
      fc.property(live, (facts) => {
        const { cause, confidence, pattern } = judge(facts);
        expect(confidence === 'unknown').toBe(cause === 'unknown');
        expect([CAUSES.includes(cause), pattern]).toEqual([true, null]);
      }),
      RUNS,
    );
  });

  test('the kernel is not named where nothing is known of it', () => {
    fc.assert(
      fc.property(fromFile, (facts) => {
        const { evidence } = judge(facts);
        expect(evidence.join('; ')).not.toMatch(/kernel|stack|NO_SOCKET|TCP_/);
      }),
      RUNS,
    );
  });
});

describe('where only resets were captured', () => {
  test('it is an abort, or unknown', () => {
    const { met, add } = tally();
    fc.assert(
      fc.property(onlyResets, (facts) => {
        const { cause } = judge(facts);
        add(cause);
        expect(['abort', 'unknown']).toContain(cause);
      }),
      RUNS,
    );
    expect([...met.keys()].sort()).toEqual(['abort', 'unknown']);
  });

  test('evidence says what is missing', () => {
    fc.assert(
      fc.property(onlyResets, (facts) => {
        const { cause, evidence } = judge(facts);
        fc.pre(cause === 'abort' || cause === 'unknown');
        expect(evidence.join('; ')).toMatch(/nothing else of (it|its connection) was captured|not captured/);
      }),
      RUNS,
    );
  });

  test('the kernel that had no socket makes it half-open, a refusal a closed port, and no more', () => {
    const { met, add } = tally();
    fc.assert(
      fc.property(onlyResets, (facts) => {
        const { cause, confidence } = judge(changed(facts, NO_SOCKET));
        add(cause);
        expect(['abort', 'unknown', 'half-open', 'closed-port']).toContain(cause);
        if (cause === 'half-open') expect(confidence).toBe('possible');
      }),
      RUNS,
    );
    expect(met.has('half-open') && met.has('closed-port')).toBe(true);
  });

  test('one alone is never called refused, though it looks so', () => {
    expect(judge(lone({ reset: { flags: 'R.', seq: 0, ack: 101 } }))).toMatchObject({
      cause: 'unknown',
      confidence: 'unknown',
      evidence: [
        'it answers a segment without ACK, as a SYN is, which was not captured',
        'nothing else of its connection was captured',
      ],
    });
    expect(judge(lone())).toMatchObject({ cause: 'unknown', origin: 'kernel' });
    expect(judge(loneAbort())).toMatchObject({ cause: 'abort', confidence: 'likely' });
  });
});

describe('a closed port', () => {
  test('is never more than likely without the kernel', () => {
    let met = 0;
    fc.assert(
      fc.property(fromFile, kernel, (facts, known) => {
        const { cause, confidence } = judge(changed(facts, { kernel: { ...known, sent: null } }));
        if (cause !== 'closed-port') return;
        met++;
        expect(confidence).not.toBe('certain');
      }),
      RUNS,
    );
    expect(met).toBeGreaterThan(2);
  });
});

/** Without any sign that it came against the connection's will. */
function willing(facts: Facts): Facts {
  return changed(facts, {
    after: { senderWentOn: null, synAck: null, risingResets: 0 },
    sender: { lastReset: null, resets: 0 },
    conversation: { gap: true },
  });
}

/** Without any sign that it is not of its sender's making. */
function ownMaking(facts: Facts): Facts {
  const { reset, conversation, kernel: known } = facts;
  const { sender } = conversation;
  return {
    ...changed(facts, { sender: { ttlLeast: 1, ttlMost: 255, dontFragment: null, ipIds: null } }),
    reset: {
      ...{ ...reset, flags: reset.flags & ~0xe00, payloadLength: 0, payloadText: null },
      timestamp: reset.timestamp ?? sender.timestamp ?? 5,
    },
    host: { ...facts.host, ttlLeast: null, ttlMost: null },
    kernel: { ...known, sent: known.sent === 'silent' ? null : known.sent },
  };
}

describe('forged', () => {
  test('is never said with fewer than two signs, one of each kind', () => {
    let met = 0;
    fc.assert(
      fc.property(live, (facts) => {
        const { cause, confidence, evidence } = judge(facts);
        if (cause !== 'injected') return;
        met++;
        expect(evidence.length).toBeGreaterThanOrEqual(2);
        expect(confidence).not.toBe('certain');
        expect(judge(willing(facts)).cause).not.toBe('injected');
        expect(judge(ownMaking(facts)).cause).not.toBe('injected');
      }),
      { numRuns: 3000 },
    );
    expect(met).toBeGreaterThan(15);
  });

  test('is never said of shape alone', () => {
    fc.assert(
      fc.property(story, fc.constantFrom(63, 117), fc.constantFrom(0, 9000), fc.boolean(), (facts, ttl, ipId, df) => {
        expect(judge(changed(facts, { reset: { ttl, ipId, dontFragment: df } })).cause).not.toBe('injected');
      }),
    );
  });

  test('numbers count only where everything before was captured', () => {
    // A host answers segments that were not captured, each by its own acknowledgement: lawful, and rising.
    const answers = changed(lone({ reset: { payloadLength: 4 } }), { after: { senderResets: 2, risingResets: 2 } });
    expect(judge(answers).cause).not.toBe('injected');
    const control = changed(answers, { conversation: { full: false }, sender: { seen: true, next: 5001, isn: 5000 } });
    expect(judge(control).cause).not.toBe('injected');
  });
});

describe('the kernel', () => {
  test('is not the origin of what it did not send', () => {
    fc.assert(
      fc.property(fromFile, (facts) => {
        const { cause, origin } = judge(changed(facts, { kernel: { sent: 'silent' } }));
        expect({ cause, byKernel: origin === 'kernel' }).toEqual({ cause, byKernel: false });
      }),
      RUNS,
    );
  });

  test('a packet filter, a device or a forger is not what it sent itself', () => {
    fc.assert(
      fc.property(live, (facts) => {
        const { sent } = facts.kernel;
        if (sent === null || sent === 'silent') return;
        expect(['firewall-reject', 'middlebox-reset', 'injected']).not.toContain(judge(facts).cause);
      }),
      RUNS,
    );
  });

  test('says certain by its own word, or by an exchange that nothing else can make', () => {
    fc.assert(
      fc.property(live, (facts) => {
        if (judge(facts).confidence === 'certain') expect(facts.kernel.sent).not.toBeNull();
      }),
      RUNS,
    );
  });
});

/** Each sentence of a rule, and what it may be said of. */
const CLAIMS: readonly (readonly [RegExp, (facts: Facts) => boolean])[] = [
  [/answers the SYN of/, ({ conversation }) => conversation.receiver.isn !== null && !conversation.receiver.synAck],
  [/the client's SYN|its SYN was answered/, ({ conversation }) => conversation.sender.isn !== null],
  [/answers? (a|the) SYN-ACK/, ({ conversation }) => ((conversation.receiver.last?.flags ?? 0) & 0x12) === 0x12],
  [/nothing but its SYN-ACK/, ({ conversation }) => conversation.sender.synAck],
  [/third segment of the handshake/, ({ conversation }) => conversation.receiver.last !== null],
  [
    /both sides had (sent a FIN|finished)/,
    ({ conversation: c }) => c.sender.finEnd !== null && c.receiver.finEnd !== null,
  ],
  [/its sender had sent a FIN/, ({ conversation }) => conversation.sender.finEnd !== null],
  [/had sent no FIN/, ({ conversation }) => conversation.sender.finEnd === null],
  [/probes that nobody answered/, ({ conversation }) => conversation.sender.probes > 0],
  [/had acknowledged/, ({ conversation }) => conversation.sender.acked !== null],
  [/last segment came|last been heard/, ({ conversation: c }) => c.sender.last !== null || c.receiver.last !== null],
  [/goes on with the connection/, ({ conversation }) => conversation.after.senderWentOn !== null],
  [/the connection went on/, ({ conversation: { after } }) => (after.receiverWentOn ?? after.senderWentOn) !== null],
  [/accepted the connection/, ({ conversation }) => conversation.after.synAck !== null],
  [/accepted (somebody else|another client)/, ({ host }) => host.acceptedBefore !== null],
  [
    /both ends were reset/,
    ({ conversation: c }) => c.after.receiverResetAfter !== null || c.receiver.lastReset !== null,
  ],
  [/its sender had reset the connection/, ({ conversation }) => conversation.sender.lastReset !== null],
  [/in the name of its receiver/, ({ conversation }) => conversation.receiver.lastReset !== null],
  [/nothing else .*was captured/, ({ conversation: c }) => !c.sender.seen && c.sender.last === null],
  [/NO_SOCKET/, ({ kernel: { sent } }) => sent !== null && sent !== 'silent'],
  [/nobody listened there/, ({ kernel: k }) => k.listener.atSource === false],
  [/somebody listens/, ({ kernel: k }) => k.listener.atSource === true],
  [/(\d+) bytes? that came/, ({ conversation }) => (conversation.receiver.last?.length ?? 0) > 0],
];

describe('sentences', () => {
  test('claim no segment that the facts do not hold', () => {
    const { met, add } = tally();
    fc.assert(
      fc.property(live, (facts) => {
        for (const sentence of judge(facts).evidence) {
          for (const [claim, holds] of CLAIMS) {
            if (!claim.test(sentence)) continue;
            add(claim.source);
            expect({ sentence, holds: holds(facts) }).toEqual({ sentence, holds: true });
          }
        }
      }),
      { numRuns: 3000 },
    );
    expect(met.size).toBeGreaterThan(14);
  });

  test('that name what it answers name a segment which bears its number', () => {
    fc.assert(
      fc.property(fromFile, (facts) => {
        const { reset, conversation } = facts;
        const { last } = conversation.receiver;
        if ((reset.flags & ACK) !== 0) return;
        for (const sentence of judge(facts).evidence) {
          if (!/it answers (\d+ bytes?|a segment|a SYN-ACK|the SYN-ACK) (that came|of)/.test(sentence)) continue;
          expect({ sentence, ack: last?.ack }).toEqual({ sentence, ack: reset.seq });
        }
      }),
      RUNS,
    );
  });

  test('hold figures that are numbers, no negative ones, and are no empty words', () => {
    fc.assert(
      fc.property(live, (facts) => {
        const { evidence } = judge(facts);
        expect(evidence.length).toBeGreaterThan(0);
        for (const sentence of evidence) {
          expect(sentence).not.toMatch(/NaN|undefined|null|Infinity|-\d/);
          expect(sentence).not.toMatch(/\b1 (bytes|resets|probes)\b/);
          expect(sentence).toMatch(/^\S.*\S$/);
        }
      }),
      RUNS,
    );
  });

  test('of every rule that says no give a reason', () => {
    fc.assert(
      fc.property(live, (facts) => {
        for (const rule of RULES) {
          const answer = rule.test(facts);
          const said = answer.yes ? answer.evidence() : [answer.because()];
          for (const sentence of said) expect(sentence).not.toMatch(/NaN|undefined|Infinity|^$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('do not change with who asks, nor how often', () => {
    fc.assert(
      fc.property(live, (facts) => {
        const verdict = judge(facts);
        expect(verdict.evidence).toEqual(judge(structuredClone(facts)).evidence);
        expect(verdict.evidence).toEqual(verdict.evidence);
      }),
      { numRuns: 500 },
    );
  });

  test('of the reset itself are quoted', () => {
    const facts = lone({ reset: { payloadLength: 7, payloadText: 'go away' } });
    expect(judge(facts).evidence.at(-1)).toBe('it says of itself: "go away"');
  });
});
