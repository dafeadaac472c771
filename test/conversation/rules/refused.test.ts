/** Refusals: a closed port, and packet filters that answer in a host's name. */
import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../src/conversation/facts.js';
import { judge } from '../../../src/conversation/judge.js';
import {
  closedPort,
  filterRefusal,
  filterReject,
  notByTcp,
  ownOutputFilter,
} from '../../../src/conversation/rules/refused.js';
import {
  answered,
  AT,
  changed,
  CLIENT_ISN,
  evidence,
  lone,
  loneAbort,
  NO_SOCKET,
  onlySyn,
  refused,
  says,
  segment,
  sent,
  SILENT,
  type Changes,
} from '../facts.js';

const LISTENS: Changes = { kernel: { listener: { atSource: true, evidence: 'nginx (pid 7) listens there' } } };
const NOBODY: Changes = {
  kernel: { listener: { atSource: false, evidence: 'nginx listened there until 3 s before' } },
};

describe('a closed port', () => {
  test('answers a SYN, and acknowledges just that: likely, never more from packets', () => {
    expect(says(closedPort, refused())).toBe('closed-port likely kernel');
    expect(evidence(closedPort, refused())).toEqual([
      'it answers the SYN of 10 ms before, and acknowledges just that',
      'a packet filter on the way could answer just so',
    ]);
    expect(judge(refused()).cause).toBe('closed-port');
  });
  test('acknowledges the data of a SYN too', () => {
    const withData = refused({
      reset: { ack: CLIENT_ISN + 11 },
      receiver: { ...onlySyn(), last: segment({ flags: 'S', seq: CLIENT_ISN, length: 10 }) },
    });
    expect(says(closedPort, withData)).toBe('closed-port likely kernel');
  });
  test('is certain where the kernel had no socket, and says what was seen of the SYN', () => {
    expect(says(closedPort, refused(NO_SOCKET))).toBe('closed-port certain kernel');
    expect(evidence(closedPort, refused(NO_SOCKET))).toContain('the kernel had no socket for it (NO_SOCKET)');
    const alone = lone({ ...NO_SOCKET, reset: { flags: 'R.', seq: 0, ack: 101 } });
    expect(says(closedPort, alone)).toBe('closed-port certain kernel');
    expect(evidence(closedPort, alone)[0]).toBe('it answers a segment without ACK, as a SYN is');
  });
  test('has words on who listened before', () => {
    expect(evidence(closedPort, refused(NOBODY))).toEqual([
      'it answers the SYN of 10 ms before, and acknowledges just that',
      'nobody listened there',
      'nginx listened there until 3 s before',
    ]);
  });
  test('is known by the host that has no listener, also where the SYN was not captured', () => {
    const alone = lone({ ...NOBODY, reset: { flags: 'R.', seq: 0, ack: 101 } });
    expect(says(closedPort, alone)).toBe('closed-port likely kernel');
    expect(evidence(closedPort, alone).join()).not.toMatch(/the SYN of/);
  });
  test('answers a probe without ACK: possible', () => {
    const probe = refused({
      receiver: { ...onlySyn(), isn: null, last: segment({ flags: 'F', seq: CLIENT_ISN }) },
      conversation: { opener: null, synSeen: false, fromStart: false },
    });
    expect(says(closedPort, probe)).toBe('closed-port possible kernel');
    expect(evidence(closedPort, probe)).toEqual([
      'it answers a segment without ACK and SYN, 10 ms before: a probe that met no socket',
    ]);
  });
  test('acknowledges just the end of the probe', () => {
    const probed = (flags: string, ack: number): Facts =>
      refused({
        reset: { ack },
        receiver: { ...onlySyn(), isn: null, last: segment({ flags, seq: CLIENT_ISN }) },
        conversation: { opener: null, synSeen: false, fromStart: false },
      });
    expect(says(closedPort, probed('', CLIENT_ISN))).toBe('closed-port possible kernel');
    expect(says(closedPort, probed('FPU', CLIENT_ISN + 1))).toBe('closed-port possible kernel');
    expect(says(closedPort, probed('', CLIENT_ISN + 1))).toMatch(/^no: no SYN was seen that it answers: /);
    expect(says(closedPort, probed('.', CLIENT_ISN))).toMatch(/^no: no SYN was seen that it answers: /);
    // A SYN whose number is not acknowledged is no probe.
    expect(says(closedPort, refused({ reset: { ack: CLIENT_ISN + 2 } }))).toMatch(
      /^no: no SYN was seen that it answers: /,
    );
    const known = changed(probed('FPU', CLIENT_ISN + 1), NO_SOCKET);
    expect(evidence(closedPort, known)[0]).toBe('it answers a segment without ACK and SYN, 10 ms before');
  });
  test('answers the SYN only while the client has said nothing else', () => {
    const on = refused({ receiver: { ...onlySyn(), last: segment({ seq: CLIENT_ISN + 1, ack: 5001 }) } });
    expect(says(closedPort, on)).toMatch(/^no: no SYN was seen that it answers: /);
    expect(says(filterRefusal, changed(on, LISTENS))).toMatch(/^no: it does not answer a SYN: /);
  });
  test('is doubtful where the host accepted the connection later', () => {
    const later = refused({ after: { synAck: segment({ flags: 'S.', at: AT + 0.02 }) } });
    expect(says(closedPort, later)).toBe('closed-port possible kernel');
    expect(evidence(closedPort, later)).toContain('its sender accepted the connection 20 ms later');
  });
  test('is none of a reset with numbers, of a bare one, of one without a SYN', () => {
    for (const facts of [lone(), loneAbort(), answered()]) {
      expect(says(closedPort, facts)).toMatch(
        /^no: it has no acknowledgement|^no: its sequence number is \d+, and what answers a SYN has 0$/,
      );
    }
    expect(says(closedPort, lone({ reset: { flags: 'R.', seq: 0, ack: 101 } }))).toBe(
      'no: no SYN was seen that it answers: nothing was captured of its receiver',
    );
  });
  test('is not of a kernel that did not send it', () => {
    // An IP ID of its own: not as netfilter makes it, so that no rule for filters takes it.
    const facts = refused({ ...SILENT, reset: { ipId: 4000 } });
    expect(judge(facts).cause).not.toBe('closed-port');
  });
});

describe('a packet filter that refuses', () => {
  test('where somebody listens', () => {
    expect(says(filterRefusal, refused(LISTENS))).toBe('firewall-reject likely firewall');
    expect(evidence(filterRefusal, refused(LISTENS))).toEqual([
      'it answers a SYN to a port where somebody listens',
      'nginx (pid 7) listens there',
    ]);
    expect(judge(refused(LISTENS)).cause).toBe('firewall-reject');
  });
  test('where the port accepted others before and after it', () => {
    const facts = refused({ host: { acceptedBefore: 0.4, acceptedAfter: 0.5 } });
    expect(says(filterRefusal, facts)).toBe('firewall-reject possible firewall');
    expect(evidence(filterRefusal, facts)).toEqual([
      'the port accepted somebody else 400 ms before and 500 ms after it',
    ]);
  });
  test.each([
    [null, 0.1],
    [0.4, null],
    [0.6, 0.5],
  ])('not where it accepted %s s before and %s s after', (acceptedBefore, acceptedAfter) => {
    expect(says(filterRefusal, refused({ host: { acceptedBefore, acceptedAfter } }))).toMatch(/^no: /);
  });
  test("where its TTL is off the host's other packets", () => {
    const facts = refused({ host: { ttlLeast: 57, ttlMost: 58 } });
    expect(says(filterRefusal, facts)).toBe('firewall-reject possible firewall');
    expect(evidence(filterRefusal, facts)).toEqual([`its TTL is 64, that of its sender's other packets 57 to 58`]);
    expect(says(filterRefusal, refused({ host: { ttlLeast: 64, ttlMost: 64 } }))).toMatch(/^no: TTL 64/);
  });
  test('not what the kernel sent, nor what answers no SYN', () => {
    expect(says(filterRefusal, refused({ kernel: { ...LISTENS.kernel, ...NO_SOCKET.kernel } }))).toBe(
      "no: the kernel's TCP sent it for NO_SOCKET",
    );
    expect(says(filterRefusal, answered(LISTENS))).toMatch(/^no: it does not answer a SYN: /);
  });
});

describe('a packet filter in a connection', () => {
  /** The host acknowledges nothing of what was answered in its name, and goes on. */
  const on = segment({ flags: 'P.', seq: 5051, ack: 201, length: 30, at: AT + 0.3 });
  const goesOn: Changes = { after: { senderWentOn: on } };

  test('answers a segment that its host never got, and the host goes on', () => {
    const facts = answered(goesOn);
    expect(says(filterReject, facts)).toBe('firewall-reject likely firewall');
    expect(evidence(filterReject, facts)).toEqual([
      'it answers a segment of 10 ms before, which the host in whose name it came never acknowledged',
      'its sender goes on with the connection 300 ms later',
    ]);
    expect(judge(facts)).toMatchObject({ cause: 'firewall-reject', origin: 'firewall' });
  });
  test('may be nearer by than the host', () => {
    const far = { ttlLeast: 57, ttlMost: 57, ttl: 57 };
    const facts = answered({ ...goesOn, sender: far });
    expect(says(filterReject, facts)).toBe('firewall-reject likely firewall');
    expect(evidence(filterReject, facts)[2]).toMatch(/its TTL is 64, .* 57: it comes from nearer by on the way/);
    expect(says(filterReject, answered({ ...goesOn, sender: far, reset: { ttl: 40 } }))).toMatch(/^no: its TTL is 40/);
    // From 128 down is another system, not nearer by.
    expect(says(filterReject, answered({ ...goesOn, sender: far, reset: { ttl: 120 } }))).toMatch(
      /^no: its TTL is 120/,
    );
  });
  test.each<[string, Changes]>([
    ['its sender does not go on', {}],
    ['it does not look as a packet filter makes it', { ...goesOn, reset: { ipId: 5 } }],
    ['it does not look as a packet filter makes it', { ...goesOn, reset: { flags: 'R.', ack: 5 } }],
    ['it does not look as a packet filter makes it', { ...goesOn, reset: { window: 9 } }],
    ['it does not look as a packet filter makes it', { ...goesOn, reset: { dontFragment: false } }],
    ["the kernel's TCP sent it", { ...goesOn, ...NO_SOCKET }],
    [
      'it answers no segment that came just before: what it answers came 300 ms before, and a packet filter answers within 250 ms',
      { ...goesOn, receiver: { last: segment({ ack: 5051, at: AT - 0.3 }) } },
    ],
    ['it answers no segment', { ...goesOn, receiver: { last: segment({ ack: 9 }), earlierAck: null } }],
    ['it answers no segment', { ...goesOn, sender: { acked: 221, last: segment({ at: AT - 0.005 }) } }],
    // Without data there is nothing to acknowledge in it.
    ['what it answers had been acknowledged', { ...goesOn, receiver: { last: segment({ seq: 201, ack: 5051 }) } }],
    ['its sender did get what it answers', { after: { senderWentOn: { ...on, ack: 221 } } }],
  ])('no: %s', (because, changes) => {
    expect(says(filterReject, answered(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
});

describe("what a host's TCP did not send", () => {
  test('and looks as netfilter makes it, is a packet filter', () => {
    for (const facts of [refused(SILENT), answered(SILENT)]) {
      expect(says(notByTcp, facts)).toBe('firewall-reject likely firewall');
      expect(judge(facts).cause).toBe('firewall-reject');
    }
    expect(evidence(notByTcp, answered(SILENT))).toEqual([
      "the kernel's TCP did not send it: a packet filter did, or a raw socket",
      'it looks as a packet filter makes it: no options, no window, IP ID 0',
    ]);
  });
  test.each<[string, Changes]>([
    ['nothing says', {}],
    ['nothing says', NO_SOCKET],
    ['it does not look', { ...SILENT, reset: { window: 5 } }],
    ['it does not look', { ...SILENT, reset: { ipId: 5 } }],
    ['it does not look', { ...SILENT, reset: { timestamp: 5 } }],
    ['a packet filter answers a segment; none came', { ...SILENT, reset: { flags: 'R.', ack: 7 } }],
    ['a packet filter answers a segment; none came', { ...SILENT, reset: { seq: 1 } }],
    [
      'a packet filter answers a segment; none came',
      { ...SILENT, receiver: { last: segment({ ack: 5051, at: AT - 1 }) } },
    ],
    ['its TTL is 60', { ...SILENT, reset: { ttl: 60 } }],
  ])('no: %s', (because, changes) => {
    expect(says(notByTcp, answered(changes))).toMatch(new RegExp(`^no: ${because}`));
  });
});

describe("this host's own filter on the way out", () => {
  const own: Changes = { reset: { ownFilter: true } };
  test('is likely from a file, certain where the kernel did not send it', () => {
    expect(says(ownOutputFilter, lone(own))).toBe('firewall-reject likely firewall');
    expect(says(ownOutputFilter, lone({ ...own, ...SILENT }))).toBe('firewall-reject certain firewall');
    expect(evidence(ownOutputFilter, lone(own))).toEqual([
      'it came by on lo only, in the name of an address that is not of this host',
    ]);
    expect(judge(lone(own)).cause).toBe('firewall-reject');
  });
  test('is none elsewhere, nor what the kernel sent', () => {
    expect(says(ownOutputFilter, lone())).toMatch(/^no: it did not come by on lo/);
    expect(says(ownOutputFilter, lone({ ...own, ...sent({ reason: 'NO_SOCKET' }) }))).toBe(
      "no: the kernel's TCP sent it for NO_SOCKET",
    );
  });
});
