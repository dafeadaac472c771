/** Which captured resets this machine sent, from which namespace, and which the trace tells of. */
import { describe, expect, test } from '@jest/globals';
import { LiveLedger, type Places } from '../../src/health/live-ledger.js';
import { liveLedger, ownerIn, PLACES, sentBy, tracedBy, withTwins } from './ledger-entries.js';
import { OTHER, OWN } from './made-up.js';

const SENT = '10.0.0.1:443 > 203.0.113.9:50000';
const RECEIVED = '203.0.113.9:50000 > 10.0.0.1:443';
const LOOPBACK = '127.0.0.1:80 > 127.0.0.1:50000';
const CONTAINER = '172.17.0.2:80 > 203.0.113.9:50000';

/** By namespace, how many were sent there; with the copies behind them where there are any. */
function sent(ledger: LiveLedger, isTraced = true): [number | null, number, number?][] {
  return [...ledger.sentByNetns(isTraced)].map(([netns, one]) =>
    one.copies === 0 ? [netns, one.sent] : [netns, one.sent, one.copies],
  );
}

describe('whose reset it is', () => {
  test('sent by one of its addresses; received by one; both; neither', () => {
    const ledger = liveLedger();
    ledger.captured(sentBy(SENT));
    expect([sent(ledger), ledger.received]).toEqual([[[OWN, 1]], 0]);
    ledger.captured(sentBy(RECEIVED));
    expect([sent(ledger), ledger.received]).toEqual([[[OWN, 1]], 1]);
    ledger.captured(sentBy(LOOPBACK));
    expect([sent(ledger), ledger.received]).toEqual([[[OWN, 2]], 2]);
    ledger.captured(sentBy('203.0.113.8:1 > 203.0.113.9:2'));
    expect([sent(ledger), ledger.received]).toEqual([[[OWN, 2]], 2]);
  });

  test('of the namespace that has the address; of none where several have it', () => {
    const ledger = liveLedger();
    ledger.captured(sentBy(CONTAINER));
    ledger.captured(sentBy('10.0.0.3:80 > 203.0.113.9:1'));
    ledger.captured(sentBy('[fd00::1]:80 > [fd00::9]:1'));
    expect(sent(ledger)).toEqual([
      [OTHER, 1],
      [null, 1],
      [OWN, 1],
    ]);
  });

  test('where several have the address, the one in which it was seen may have it', () => {
    const asked: [string, number | null | undefined][] = [];
    const places: Places = {
      ...PLACES,
      netnsOf: (ip, near) => {
        asked.push([ip, near]);
        return near ?? null;
      },
    };
    const ledger = new LiveLedger(places, { early: 0, late: 0, listener: 0 });
    ledger.captured(sentBy('10.0.0.3:80 > 203.0.113.9:1', 0, { netns: OTHER }));
    ledger.captured(sentBy('10.0.0.3:80 > 203.0.113.9:2', 0, { netns: null }));
    expect(asked).toEqual([
      ['10.0.0.3', OTHER],
      ['10.0.0.3', OWN],
    ]);
    expect(sent(ledger)).toEqual([
      [OTHER, 1],
      [OWN, 1],
    ]);
  });

  test('on loopback, of the namespace whose loopback it is', () => {
    const ledger = liveLedger();
    ledger.captured(sentBy(LOOPBACK, 0, { netns: OTHER }));
    ledger.captured(sentBy('[::1]:80 > [::1]:1', 0, { netns: null }));
    expect(sent(ledger)).toEqual([
      [OTHER, 1],
      [OWN, 1],
    ]);
  });

  test("a packet filter's of this host, with a stranger's address, was sent here", () => {
    const ledger = liveLedger();
    ledger.captured(sentBy(RECEIVED, 0, { ownFilter: true }));
    ledger.captured(sentBy(RECEIVED, 5, { ownFilter: true, netns: OTHER }));
    expect([sent(ledger), ledger.received]).toEqual([
      [
        [OWN, 1],
        [OTHER, 1],
      ],
      2,
    ]);
    expect(ledger.match.unsent).toHaveLength(2);
  });

  test('behind a NAT, of the sender before it, in whatever order the frames are', () => {
    for (const reset of [
      withTwins(sentBy(CONTAINER, 1), ['192.0.2.1:61000 > 203.0.113.9:50000', 1.00002]),
      withTwins(sentBy('192.0.2.1:61000 > 203.0.113.9:50000', 1.00002), [CONTAINER, 1]),
      // Over the end of a second.
      withTwins(sentBy('192.0.2.1:61000 > 203.0.113.9:50000', 1), [CONTAINER, 0.99999]),
    ]) {
      const ledger = liveLedger();
      ledger.captured(reset);
      expect(sent(ledger)).toEqual([[OTHER, 1]]);
      expect(ledger.senderOf(reset)).toBe(OTHER);
      // What it came to be is traced as what it was.
      ledger.traced(tracedBy(CONTAINER, 1));
      expect([ledger.match.matched, ledger.match.unsent]).toEqual([1, []]);
    }
  });

  test("a stranger's that was forwarded through a NAT is not of this machine, whatever it became", () => {
    const ledger = liveLedger();
    ledger.captured(
      withTwins(sentBy('198.51.100.7:5 > 10.0.0.1:443', 1), ['10.0.0.1:61000 > 172.17.0.2:443', 1.00002]),
    );
    expect([sent(ledger), ledger.received]).toEqual([[], 1]);
  });

  test('asked of one alone', () => {
    const ledger = liveLedger();
    expect(ledger.senderOf(sentBy(SENT))).toBe(OWN);
    expect(ledger.senderOf(sentBy('10.0.0.3:80 > 203.0.113.9:1'))).toBeNull();
    expect(ledger.senderOf(sentBy(RECEIVED))).toBeUndefined();
    expect(ledger.senderOf(sentBy(LOOPBACK, 0, { netns: OTHER }))).toBe(OTHER);
    expect(sent(ledger)).toEqual([]);
  });
});

describe('what the trace tells', () => {
  test('finds what was captured, at its time', () => {
    const ledger = liveLedger();
    ledger.captured(sentBy(SENT, 1.00001));
    ledger.traced(tracedBy(SENT, 1));
    ledger.traced(tracedBy(SENT, 10));
    const { matched, unseen, unsent, matchedByNetns } = ledger.match;
    expect([matched, unseen.length, unsent.length]).toEqual([1, 1, 0]);
    expect(unseen[0]).toMatchObject({ tuple: '10.0.0.1 443 203.0.113.9 50000', mono: 10e9 });
    expect([...matchedByNetns]).toEqual([[OWN, 1]]);
  });

  test('is of the namespace of its process, else of its address, else of nobody', () => {
    const netnsOf = (...args: Parameters<typeof tracedBy>): number | null | undefined => {
      const ledger = liveLedger();
      ledger.traced(tracedBy(...args));
      return ledger.match.unseen[0]?.netns;
    };
    expect(netnsOf(SENT, 1, { owner: ownerIn(OTHER) })).toBe(OTHER);
    expect(netnsOf(SENT, 1, { owner: ownerIn(null) })).toBe(OWN);
    expect(netnsOf(SENT, 1, { owner: { ...ownerIn(null), process: null } })).toBe(OWN);
    expect(netnsOf(CONTAINER)).toBe(OTHER);
    expect(netnsOf('10.0.0.3:1 > 203.0.113.9:2')).toBeNull();
    // Every namespace has these.
    for (const ends of [LOOPBACK, '[::1]:1 > [::1]:2', '0.0.0.0:80 > 0.0.0.0:0', '[::]:80 > [::]:0'])
      expect(netnsOf(ends)).toBeNull();
    expect(netnsOf(LOOPBACK, 1, { owner: ownerIn(OTHER) })).toBe(OTHER);
  });

  test('of what a socket took is only counted', () => {
    const ledger = liveLedger();
    ledger.traced(tracedBy(RECEIVED, 1, { kind: 'receive' }));
    ledger.traced(tracedBy(RECEIVED, 1, { kind: 'receive' }));
    expect([ledger.taken, ledger.match.unseen.length]).toEqual([2, 0]);
  });

  test('of a listener has one end', () => {
    const ledger = liveLedger();
    ledger.traced(tracedBy('0.0.0.0:443 > 0.0.0.0:0', 1, { listening: true }));
    ledger.captured(sentBy(SENT, 1));
    expect(ledger.match.matched).toBe(1);
  });
});

describe('copies that were not folded', () => {
  const copy = (
    at: number,
    place: string,
    netns: number | null = null,
    more = {},
  ): Parameters<LiveLedger['captured']>[0] => sentBy(SENT, at, { interface: place, netns, ...more });

  test('at another place are no more resets, with the trace and without it', () => {
    const ledger = liveLedger();
    ledger.traced(tracedBy(SENT, 0));
    ledger.captured(copy(0, 'veth1'));
    ledger.captured(copy(0.01, 'br0'));
    ledger.captured(copy(1.9, 'eth0', OTHER));
    expect(sent(ledger)).toEqual([[OWN, 1, 2]]);
    expect(sent(ledger, false)).toEqual([[OWN, 1, 2]]);
    expect([ledger.match.matched, ledger.match.unsent.map(({ mayBeCopy }) => mayBeCopy)]).toEqual([1, [true, true]]);
  });

  test('at the same place, or much later, are resets', () => {
    const ledger = liveLedger();
    ledger.captured(copy(0, 'eth0'));
    ledger.captured(copy(0.01, 'eth0'));
    ledger.captured(copy(2.5, 'br0'));
    expect(sent(ledger)).toEqual([[OWN, 3]]);
  });

  test('with other numbers are resets', () => {
    const ledger = liveLedger();
    ledger.captured(copy(0, 'veth1'));
    for (const more of [{ seq: 2 }, { ack: 2 }, { flags: 20 }, { window: 9 }, { ipId: 9 }])
      ledger.captured(copy(0.001, 'br0', null, more));
    expect(sent(ledger)).toEqual([[OWN, 6]]);
  });

  test('that the trace tells of as well were sent again', () => {
    const ledger = liveLedger();
    ledger.traced(tracedBy(SENT, 0));
    ledger.traced(tracedBy(SENT, 1));
    ledger.captured(copy(0, 'veth1'));
    ledger.captured(copy(1, 'br0'));
    expect(sent(ledger)).toEqual([[OWN, 2]]);
    // Nobody says so without it.
    expect(sent(ledger, false)).toEqual([[OWN, 1, 1]]);
  });

  test('are received once', () => {
    const ledger = liveLedger();
    ledger.captured(sentBy(RECEIVED, 0, { interface: 'eth0' }));
    ledger.captured(sentBy(RECEIVED, 0.01, { interface: 'br0' }));
    expect(ledger.received).toBe(1);
  });

  test('are asked for as often as one likes', () => {
    const ledger = liveLedger();
    ledger.captured(copy(0, 'veth1'));
    ledger.captured(copy(0.01, 'br0'));
    for (let i = 0; i < 3; i++) expect([sent(ledger), sent(ledger, false)]).toEqual([[[OWN, 1, 1]], [[OWN, 1, 1]]]);
  });
});

describe('ports of this machine', () => {
  test('are those that serve, here', () => {
    const ledger = liveLedger();
    ledger.captured(sentBy(SENT, 0, { resetBy: 'server', servicePort: 443 }));
    ledger.captured(sentBy('203.0.113.9:50000 > 10.0.0.1:8443', 1, { resetBy: 'client', servicePort: 8443 }));
    ledger.captured(sentBy('203.0.113.9:22 > 10.0.0.1:50000', 2, { resetBy: 'server', servicePort: 22 }));
    ledger.captured(sentBy('10.0.0.1:50000 > 203.0.113.9:25', 3, { resetBy: 'client', servicePort: 25 }));
    ledger.captured(sentBy('10.0.0.1:1 > 203.0.113.9:2', 4, { resetBy: 'unknown', servicePort: 1 }));
    ledger.captured(sentBy('10.0.0.1:3 > 203.0.113.9:2', 5, { resetBy: 'server', servicePort: null }));
    expect([...ledger.ports]).toEqual([443, 8443]);
  });

  test('are not more than can be looked at, whatever a scan knocks at', () => {
    const ledger = liveLedger();
    for (let port = 1; port <= 1000; port++) {
      ledger.captured(sentBy(`10.0.0.1:${port} > 203.0.113.9:50000`, port / 1000, { servicePort: port }));
    }
    expect(ledger.ports.size).toBe(64);
    expect(sent(ledger)).toEqual([[OWN, 1000]]);
  });
});
