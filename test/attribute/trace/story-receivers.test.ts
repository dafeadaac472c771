/** Who got a reset, from the events before it and those that come after it. */
import { describe, expect, test } from '@jest/globals';
import { mirrored, Script, STATE } from './script.js';

const SERVER = 100;
const CLIENT = 200;
const OTHER = 300;
const T = '10.0.0.1 80 10.0.0.2 40000';
const BACK = mirrored(T);
const SOFT = { task: OTHER, soft: true };

test('a client is known by its connect(), also in an interrupt of somebody else', () => {
  const script = new Script().connected(1, BACK, CLIENT).receive(1, BACK, SOFT);
  expect(script.ownerOf()).toBe(`connect ${CLIENT}`);
  expect(script.last).toMatchObject({ kind: 'receive', tuple: BACK, active: null, open: true });
});

test('a connection of before is nobody’s until its read fails', () => {
  const script = new Script().receive(1, T, SOFT);
  expect(script.ownerOf()).toBeNull();
  script.failedCall(1, SERVER);
  expect(script.ownerOf()).toBe(`call ${SERVER}`);
  expect(script.amended).toEqual([script.last]);
});

test('a write that fails names it too', () => {
  expect(new Script().receive(1, T, SOFT).failedCall(1, SERVER, false).ownerOf()).toBe(`call ${SERVER}`);
});

test('whoever closes it afterwards names it, and ends it', () => {
  const script = new Script().receive(1, T, SOFT).destroy(1, T, { task: SERVER });
  expect(script.ownerOf()).toBe(`destroy ${SERVER}`);
  expect(script.last.open).toBe(false);
  expect(script.amended).toContain(script.last);
});

test('a read that failed is surer than the close, and than who opened it', () => {
  const script = new Script().connected(1, BACK, CLIENT).receive(1, BACK, SOFT);
  script.failedCall(1, OTHER).destroy(1, BACK, { task: CLIENT });
  expect(script.ownerOf()).toBe(`call ${OTHER}`);
});

test('the backlog names the caller weakly', () => {
  const script = new Script().receive(1, T, { task: SERVER });
  expect(script.ownerOf()).toBe(`backlog ${SERVER}`);
  script.failedCall(1, OTHER);
  expect(script.ownerOf()).toBe(`call ${OTHER}`);
});

test('whoever opened it is surer than the backlog', () => {
  expect(new Script().connected(1, BACK, CLIENT).receive(1, BACK, { task: OTHER }).ownerOf()).toBe(`connect ${CLIENT}`);
});

test('prefork: each child by its own read', () => {
  const script = new Script().listen(9, '0.0.0.0', 80, SERVER);
  [401, 402, 403, 404].forEach((child, i) => {
    const tuple = `10.0.0.1 80 10.0.0.2 ${40_001 + i}`;
    script.receive(10 + i, tuple, SOFT).failedCall(10 + i, child);
    expect(script.ownerOf()).toBe(`call ${child}`);
  });
});

test('the same evidence again is no news', () => {
  const script = new Script().receive(1, T, SOFT).failedCall(1, SERVER).failedCall(1, SERVER);
  expect(script.amended).toHaveLength(1);
});

test('received before it was sent, as on loopback', () => {
  const script = new Script().connected(1, BACK, CLIENT).receive(1, BACK, { task: SERVER, soft: true });
  script.abort(2, T, { task: SERVER }, 'linger');
  expect(script.resets.map((one) => [one.kind, script.ownerOf(one)])).toEqual([
    ['receive', `connect ${CLIENT}`],
    ['send', `self ${SERVER}`],
  ]);
});

test('all of the receiver’s end before the sender’s event', () => {
  const script = new Script().connected(1, BACK, CLIENT).receive(1, BACK, { task: SERVER, soft: true });
  script.failedCall(1, CLIENT).destroy(1, BACK, { task: CLIENT }).abort(2, T, { task: SERVER }, 'linger');
  expect(script.resets.map(({ owner }) => owner?.task)).toEqual([CLIENT, SERVER]);
});

describe('nothing is credited to a socket that it is not', () => {
  test('a call that failed without a reset', () => {
    const script = new Script().connected(1, BACK, CLIENT).failedCall(1, OTHER, false).receive(1, BACK, SOFT);
    expect(script.ownerOf()).toBe(`connect ${CLIENT}`);
  });

  test('a call on an address of which nothing is known', () => {
    const script = new Script().receive(1, T, SOFT).failedCall(2, OTHER);
    expect(script.ownerOf()).toBeNull();
  });

  test('after the end of it', () => {
    const script = new Script().receive(1, T, SOFT).destroy(1, T, { task: SERVER }).failedCall(1, OTHER);
    expect(script.ownerOf()).toBe(`destroy ${SERVER}`);
  });

  test('when the address has another connection by then', () => {
    const script = new Script().receive(1, T, SOFT).connect(1, '10.0.0.1 0 10.0.0.9 443', OTHER).failedCall(1, OTHER);
    const [first] = script.resets;
    expect(first?.owner).toBeNull();
  });

  test('an interrupt’s destroy names nobody', () => {
    const script = new Script().receive(1, T, SOFT).destroy(1, T, SOFT);
    expect(script.ownerOf()).toBeNull();
    expect(script.last.open).toBe(false);
  });

  // Of a closed socket the end is not told: it comes in an interrupt. Its address has another socket at once.
  test('the close of a socket with other ends at the same address', () => {
    const script = new Script().receive(1, T, SOFT).destroy(1, '10.0.0.1 443 10.0.0.7 50123', { task: OTHER });
    expect(script.ownerOf()).toBeNull();
  });

  test('the close of a socket whose remote end is cleared is still its own', () => {
    const script = new Script().receive(1, BACK, SOFT).destroy(1, '0.0.0.0 40000 10.0.0.1 0', { task: CLIENT });
    expect(script.ownerOf()).toBe(`destroy ${CLIENT}`);
  });

  test('the close of an IPv6 socket whose addresses are cleared', () => {
    const tuple = 'fd00::2 40000 fd00::1 80';
    const script = new Script().receive(1, tuple, SOFT).destroy(1, ':: 40000 fd00::1 0', { task: CLIENT });
    expect(script.ownerOf()).toBe(`destroy ${CLIENT}`);
  });

  // A write to a connection that timed out fails with EPIPE, without a reset.
  test('the failed write of whoever has the address of an orphan that was reset', () => {
    const script = new Script().state(1, STATE.established, STATE.finWait1, T, { task: SERVER }).receive(1, T, SOFT);
    script.failedCall(1, OTHER, false);
    expect(script.ownerOf()).toBe(`close ${SERVER}`);
  });

  test('a call that fails after events were lost: the socket may be another by then', () => {
    const script = new Script().receive(1, T, SOFT);
    script.story.lost();
    script.failedCall(1, OTHER);
    expect(script.ownerOf()).toBeNull();
  });
});

describe('events were lost', () => {
  test('a socket whose port was not known yet is forgotten', () => {
    const script = new Script().connect(1, BACK, CLIENT);
    script.story.lost();
    script.receive(1, BACK, SOFT);
    expect(script.ownerOf()).toBeNull();
  });

  test('one that is known whole is told by its tuple', () => {
    const script = new Script().connected(1, BACK, CLIENT);
    script.story.lost();
    script.receive(1, BACK, SOFT);
    expect(script.ownerOf()).toBe(`connect ${CLIENT}`);
  });

  test('listeners stay', () => {
    const script = new Script().listen(9, '10.0.0.1', 80, SERVER);
    script.story.lost();
    script.state(9, STATE.listen, STATE.close, '10.0.0.1 80 0.0.0.0 0', { task: OTHER });
    expect(script.listenerEnds).toMatchObject([
      { ip: '10.0.0.1', port: 80, owner: { task: SERVER }, closer: { task: OTHER } },
    ]);
  });
});

describe('where the end of a connection is known in pieces', () => {
  test('the local port comes later', () => {
    const script = new Script().connect(1, BACK, CLIENT).receive(1, BACK, SOFT);
    expect(script.ownerOf()).toBe(`connect ${CLIENT}`);
  });

  test('a mapped address comes as itself later', () => {
    const script = new Script().state(1, STATE.close, STATE.synSent, ':: 0 10.0.0.1 80', { task: CLIENT });
    expect(script.receive(1, BACK, SOFT).ownerOf()).toBe(`connect ${CLIENT}`);
    expect(script.last.tuple).toBe(BACK);
  });

  test('bound before connect', () => {
    const script = new Script().state(1, STATE.close, STATE.synSent, '0.0.0.0 40000 10.0.0.1 80', { task: CLIENT });
    expect(script.receive(1, BACK, SOFT).ownerOf()).toBe(`connect ${CLIENT}`);
  });

  test('bound to another port it is another socket', () => {
    const script = new Script().state(1, STATE.close, STATE.synSent, '0.0.0.0 40001 10.0.0.1 80', { task: CLIENT });
    expect(script.receive(1, BACK, SOFT).ownerOf()).toBeNull();
  });

  test('to another place it is another socket', () => {
    const script = new Script().connect(1, '10.0.0.2 0 10.0.0.1 81', CLIENT);
    expect(script.receive(1, BACK, SOFT).ownerOf()).toBeNull();
  });
});

test('serial numbers tell resets apart', () => {
  const script = new Script().receive(1, T, SOFT).receive(1, T, SOFT).abort(2, BACK, { task: CLIENT }, 'linger');
  expect(script.resets.map(({ serial }) => serial)).toEqual([0, 1, 2]);
});

test('a socket that takes a second reset: the evidence is the second’s', () => {
  const script = new Script().receive(1, T, SOFT).receive(1, T, SOFT).failedCall(1, SERVER);
  expect(script.resets.map((one) => script.ownerOf(one))).toEqual([null, `call ${SERVER}`]);
});
