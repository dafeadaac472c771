/** Connects that failed, listeners that ended, and how much is kept. */
import { describe, expect, test } from '@jest/globals';
import { PATHS, Script, STATE } from './script.js';

const CLIENT = 200;
const OTHER = 300;
const TUPLE = '10.0.0.2 40000 10.0.0.1 80';
const SOFT = { task: OTHER, soft: true };
const closed = (script: Script, where: { task: number; soft?: boolean }, path: keyof typeof PATHS | null) =>
  script.state(1, STATE.synSent, STATE.close, TUPLE, where, path === null ? null : PATHS[path]);

describe('a connect that failed', () => {
  const begun = () => new Script().connect(1, TUPLE, CLIENT);

  test('refused: a reset came', () => {
    const script = closed(begun().receive(1, TUPLE, SOFT), SOFT, null);
    expect(script.failed).toEqual([
      {
        owner: { task: CLIENT, at: 1_001_000, how: 'connect' },
        ip: '10.0.0.1',
        port: 80,
        at: 1_003_000,
        how: 'refused',
      },
    ]);
  });

  test.each([
    ['icmp', 'icmp', true],
    ['timeout', 'timed-out', true],
    ['unread', 'abandoned', false],
    ['linger', 'abandoned', false],
  ] as const)('by the stack %s: %s', (path, how, soft) => {
    const script = closed(begun(), { task: soft ? OTHER : CLIENT, soft }, path);
    expect(script.failed).toMatchObject([{ how, owner: { task: CLIENT } }]);
  });

  test('without stacks: closed in a call is abandoned, in an interrupt nothing is said', () => {
    expect(closed(begun(), { task: CLIENT }, null).failed).toMatchObject([{ how: 'abandoned' }]);
    expect(closed(begun(), SOFT, null).failed).toEqual([]);
  });

  test('a stack that says nothing', () => {
    expect(closed(begun(), SOFT, 'keepalive').failed).toEqual([]);
  });

  test('one that was begun before tracing has no owner', () => {
    expect(closed(new Script(), SOFT, 'icmp').failed).toMatchObject([{ owner: null, how: 'icmp' }]);
  });

  test('one that succeeded is none', () => {
    const script = begun().state(1, STATE.synSent, STATE.established, TUPLE, SOFT);
    expect(script.destroy(1, TUPLE, { task: CLIENT }).failed).toEqual([]);
  });

  test('a reset of the connection before does not make the next one refused', () => {
    const script = begun().receive(1, TUPLE, SOFT).connect(1, TUPLE, OTHER);
    expect(closed(script, { task: OTHER }, 'unread').failed).toMatchObject([
      { how: 'abandoned', owner: { task: OTHER } },
    ]);
  });

  test('to an IPv6 address', () => {
    const script = new Script().connect(1, 'fd00::2 0 fd00::1 443', CLIENT);
    script.state(1, STATE.synSent, STATE.close, 'fd00::2 40000 fd00::1 443', SOFT, PATHS.timeout);
    expect(script.failed).toMatchObject([{ ip: 'fd00::1', port: 443, how: 'timed-out', owner: { task: CLIENT } }]);
  });
});

describe('a listener that ended', () => {
  test('by close(): once, with who listened and who closed', () => {
    const script = new Script().listen(1, '0.0.0.0', 80, CLIENT);
    script.state(1, STATE.listen, STATE.close, '0.0.0.0 80 0.0.0.0 0', { task: OTHER });
    script.destroy(1, '0.0.0.0 80 0.0.0.0 0', { task: OTHER });
    expect(script.listenerEnds).toMatchObject([
      { ip: '0.0.0.0', port: 80, at: 1_002_000, owner: { task: CLIENT }, closer: { task: OTHER } },
    ]);
  });

  test('known by its destroy alone, as from a kernel that does not tell the state', () => {
    const script = new Script().listen(1, 'fd00::1', 80, CLIENT).destroy(1, 'fd00::1 80 :: 0', { task: CLIENT });
    expect(script.listenerEnds).toMatchObject([{ ip: 'fd00::1', port: 80, closer: { task: CLIENT } }]);
  });

  test('of before tracing', () => {
    const script = new Script().state(1, STATE.listen, STATE.close, '10.0.0.1 80 0.0.0.0 0', { task: OTHER });
    expect(script.listenerEnds).toMatchObject([{ ip: '10.0.0.1', port: 80, owner: null, closer: { task: OTHER } }]);
  });

  test('in an interrupt nobody closed it', () => {
    const script = new Script().listen(1, '10.0.0.1', 80, CLIENT);
    script.state(1, STATE.listen, STATE.close, '10.0.0.1 80 0.0.0.0 0', SOFT);
    expect(script.listenerEnds).toMatchObject([{ closer: null, owner: { task: CLIENT } }]);
  });

  test('without a port is none', () => {
    expect(new Script().state(1, STATE.listen, STATE.close, '0.0.0.0 0 0.0.0.0 0', SOFT).listenerEnds).toEqual([]);
  });
});

describe('what is kept is bounded', () => {
  const size = (script: Script, name: string): number =>
    (script.story as unknown as Readonly<Record<string, ReadonlyMap<unknown, unknown>>>)[name]?.size ?? -1;

  test('sockets whose end never comes', () => {
    const script = new Script();
    for (let sk = 1; sk <= 140_000; sk++) script.connect(sk, TUPLE, sk);
    expect(size(script, 'socks')).toBe(1 << 17);
    // The oldest went.
    expect(script.receive(1, TUPLE, SOFT).ownerOf()).toBeNull();
    expect(script.receive(140_000, TUPLE, SOFT).ownerOf()).toBe('connect 140000');
  });

  test('who closed what', () => {
    const script = new Script();
    for (let i = 0; i < 70_000; i++) {
      const tuple = `10.0.0.1 80 10.1.${(i >> 8) & 255}.${i & 255} ${1000 + (i >> 16)}`;
      script.state(1, STATE.established, STATE.finWait1, tuple, { task: 5 });
    }
    expect(size(script, 'closers')).toBe(1 << 16);
    expect(size(script, 'socks')).toBe(1);
  });
});
