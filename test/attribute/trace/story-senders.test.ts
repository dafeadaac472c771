/** Who sent a reset, from the events of its connection. */
import { describe, expect, test } from '@jest/globals';
import { mirrored, Script, STATE } from './script.js';

const SERVER = 100;
const CLIENT = 200;
const OTHER = 300;
/** As the server has it. */
const T = '10.0.0.1 80 10.0.0.2 40000';
const BACK = mirrored(T);
const STRANGER = { task: OTHER, soft: true };

describe('sent by a program', () => {
  test.each(['linger', 'unread', 'killed', 'listener', 'disconnect'] as const)(
    '%s: whoever was in the call',
    (path) => {
      const script = new Script().abort(1, T, { task: SERVER }, path);
      expect(script.ownerOf()).toBe(`self ${SERVER}`);
      expect(script.last).toMatchObject({
        kind: 'send',
        tuple: T,
        active: true,
        socketless: false,
        destroyer: null,
        path: path === 'unread' ? 'close' : path === 'listener' ? 'listener-closed' : path,
      });
    },
  );

  test('the call of whoever closes counts before who opened it: a descriptor shared by fork', () => {
    const script = new Script().connected(1, T, CLIENT).abort(1, T, { task: OTHER }, 'linger');
    expect(script.ownerOf()).toBe(`self ${OTHER}`);
  });

  test.each(['10.0.0.1 80 10.0.0.2 40000', 'fd00::1 80 fd00::2 40000'])('over %s', (tuple) => {
    const script = new Script().connected(1, tuple, CLIENT).abort(1, tuple, { task: CLIENT }, 'linger');
    expect([script.last.tuple, script.ownerOf()]).toEqual([tuple, `self ${CLIENT}`]);
  });

  test('connections of a listener that was closed before they were accepted are the closer’s', () => {
    const script = new Script().listen(9, '0.0.0.0', 80, SERVER);
    script.abort(1, T, { task: OTHER }, 'listener').destroy(1, '10.0.0.1 80 10.0.0.2 0', { task: OTHER });
    expect(script.ownerOf()).toBe(`self ${OTHER}`);
  });

  test('without stacks, a socket that was closed is the program’s own', () => {
    const script = new Script().abort(1, T, { task: SERVER }, null, STATE.close);
    expect(script.ownerOf()).toBe(`self ${SERVER}`);
    expect(script.last.path).toBeNull();
  });
});

describe('destroyed from outside, as by ss -K', () => {
  const SS = { task: OTHER };

  test('is the owner’s reset, and names who did it', () => {
    const script = new Script().connected(1, T, CLIENT).abort(1, T, SS, 'destroyed', STATE.established);
    expect(script.ownerOf()).toBe(`connect ${CLIENT}`);
    expect(script.last).toMatchObject({ path: 'sock-destroy', destroyer: { task: OTHER } });
  });

  test('of a socket that nothing is known of has no owner rather than ss', () => {
    const script = new Script().abort(1, T, SS, 'destroyed', STATE.established);
    expect(script.ownerOf()).toBeNull();
    expect(script.last.destroyer?.task).toBe(OTHER);
  });

  test('without stacks is told by the state', () => {
    const script = new Script().connected(1, T, CLIENT).abort(1, T, SS, null, STATE.established);
    expect(script.ownerOf()).toBe(`connect ${CLIENT}`);
    expect(script.last.destroyer?.task).toBe(OTHER);
  });
});

describe('sent by a timer', () => {
  test('keepalive: never whoever was interrupted', () => {
    const unknown = new Script().abort(1, T, STRANGER, 'keepalive', STATE.established);
    expect(unknown.ownerOf()).toBeNull();
    const known = new Script().connected(1, T, CLIENT).abort(1, T, STRANGER, 'keepalive', STATE.established);
    expect(known.ownerOf()).toBe(`connect ${CLIENT}`);
    expect(known.last).toMatchObject({ path: 'keepalive', destroyer: null });
  });

  test('without stacks, in an interrupt, nobody destroyed it', () => {
    const script = new Script().connected(1, T, CLIENT).abort(1, T, STRANGER, null, STATE.established);
    expect(script.last.destroyer).toBeNull();
    expect(script.ownerOf()).toBe(`connect ${CLIENT}`);
  });
});

describe('an answer', () => {
  test.each([true, false])('without a socket is nobody’s (in an interrupt: %s)', (soft) => {
    const script = new Script().answer(0, T, { task: OTHER, soft }, 0, 'NO_SOCKET');
    expect(script.ownerOf()).toBeNull();
    expect(script.last).toMatchObject({ socketless: true, active: false, reason: 'NO_SOCKET', listening: false });
  });

  test.each([true, false])('of a socket is never by whoever ran (in an interrupt: %s)', (soft) => {
    expect(new Script().answer(1, T, { task: OTHER, soft }, STATE.established).ownerOf()).toBeNull();
  });

  test('for a listener is no connection’s, also where its address held one', () => {
    const script = new Script().connected(1, T, CLIENT).answer(1, T, STRANGER, STATE.listen, 'TCP_FLAGS');
    expect(script.last.listening).toBe(true);
    expect(script.ownerOf()).toBeNull();
  });

  test('of the socket that was connected is its owner’s', () => {
    const script = new Script().connected(1, T, CLIENT).answer(1, T, STRANGER, STATE.established);
    expect(script.ownerOf()).toBe(`connect ${CLIENT}`);
  });

  test('in TIME-WAIT, by another socket, is the closer’s, by the tuple', () => {
    const script = new Script().state(1, STATE.established, STATE.finWait1, T, { task: SERVER });
    script.answer(55, T, STRANGER, STATE.timeWait, 'TCP_TIMEWAIT_SOCKET');
    expect(script.ownerOf()).toBe(`close ${SERVER}`);
  });

  test('in TIME-WAIT, the other end’s closer is not meant', () => {
    const script = new Script().state(1, STATE.established, STATE.finWait1, BACK, { task: CLIENT });
    script.answer(55, T, STRANGER, STATE.timeWait);
    expect(script.ownerOf()).toBeNull();
  });

  test('in TIME-WAIT, after the last close of two with one tuple', () => {
    const script = new Script().state(1, STATE.established, STATE.finWait1, T, { task: SERVER });
    script.state(2, STATE.established, STATE.finWait1, T, { task: OTHER });
    script.answer(55, T, STRANGER, STATE.timeWait);
    expect(script.ownerOf()).toBe(`close ${OTHER}`);
  });

  test('long after the close is nobody’s', () => {
    const script = new Script().state(1, STATE.established, STATE.finWait1, T, { task: SERVER });
    script.time += 181e9;
    script.answer(55, T, STRANGER, STATE.timeWait);
    expect(script.ownerOf()).toBeNull();
  });

  test('to data after a close, by the orphan itself', () => {
    const script = new Script().state(1, STATE.established, STATE.finWait1, T, { task: SERVER });
    script.answer(1, T, STRANGER, STATE.finWait1, 'TCP_ABORT_ON_DATA');
    expect(script.ownerOf()).toBe(`close ${SERVER}`);
  });

  test('a FIN that an interrupt saw is nobody’s close', () => {
    const script = new Script().state(1, STATE.established, STATE.finWait1, T, STRANGER);
    script.answer(55, T, STRANGER, STATE.timeWait);
    expect(script.ownerOf()).toBeNull();
  });

  test('last acknowledgement: the side that closed second', () => {
    const script = new Script().state(1, 8, STATE.lastAck, T, { task: SERVER }).answer(1, T, STRANGER, STATE.lastAck);
    expect(script.ownerOf()).toBe(`close ${SERVER}`);
  });
});

describe('a socket’s address is used again', () => {
  test('with another tuple it is another socket', () => {
    const other = '10.0.0.1 80 10.0.0.3 41000';
    const script = new Script().connected(1, T, CLIENT).answer(1, other, STRANGER, STATE.established);
    expect(script.ownerOf()).toBeNull();
    script.abort(1, other, STRANGER, 'keepalive', STATE.established);
    expect(script.ownerOf()).toBeNull();
  });

  test('by a new connect it is another socket, also with the same tuple', () => {
    const script = new Script().connected(1, T, CLIENT).connect(1, T, OTHER);
    script.abort(1, T, STRANGER, 'keepalive', STATE.established);
    expect(script.ownerOf()).toBe(`connect ${OTHER}`);
  });

  test('by a connect in an interrupt (a kernel’s own) nobody is the owner', () => {
    const script = new Script().connected(1, T, CLIENT);
    script.state(1, STATE.close, STATE.synSent, T, STRANGER).abort(1, T, STRANGER, 'keepalive', STATE.established);
    expect(script.ownerOf()).toBeNull();
  });

  test('after it was destroyed, with the same tuple', () => {
    const script = new Script().connected(1, T, CLIENT).destroy(1, T, { task: CLIENT });
    script.abort(1, T, STRANGER, 'keepalive', STATE.established);
    expect(script.ownerOf()).toBeNull();
  });

  test('by a listener', () => {
    const script = new Script().connected(1, T, CLIENT).listen(1, '10.0.0.1', 80, SERVER);
    script.answer(1, '10.0.0.1 80 0.0.0.0 0', STRANGER, STATE.listen);
    expect(script.ownerOf()).toBeNull();
  });

  test('of a listener by a connection', () => {
    const script = new Script().listen(1, '10.0.0.1', 80, SERVER).abort(1, T, STRANGER, 'keepalive', STATE.established);
    expect(script.ownerOf()).toBeNull();
  });

  test('bound before it was connected, it may have any address at first', () => {
    const script = new Script().state(1, STATE.close, STATE.synSent, '0.0.0.0 40000 10.0.0.1 80', { task: CLIENT });
    script.abort(1, BACK, STRANGER, 'keepalive', STATE.established);
    expect(script.ownerOf()).toBe(`connect ${CLIENT}`);
  });

  test('an address that was known to be another one is another socket', () => {
    const script = new Script().connected(1, '10.0.0.2 40000 10.0.0.1 80', CLIENT);
    script.abort(1, '10.0.0.3 40000 10.0.0.1 80', STRANGER, 'keepalive', STATE.established);
    expect(script.ownerOf()).toBeNull();
  });

  test('the whole of an IPv6 address counts', () => {
    const script = new Script().connect(1, 'fd00::9 0 fd01::5 80', CLIENT);
    script.abort(1, 'fd00::9 40000 fd02::5 80', STRANGER, 'keepalive', STATE.established);
    expect(script.ownerOf()).toBeNull();
  });
});

test('a tuple that has a new connection is not the old one’s closer’s any more', () => {
  // The client used its port again; whoever closed the old connection has nothing to do with the new one.
  const script = new Script().state(1, STATE.established, STATE.finWait1, T, { task: SERVER });
  script.connected(2, BACK, CLIENT);
  script.answer(3, T, STRANGER, STATE.established, 'TCP_ACK_UNSENT_DATA');
  expect(script.ownerOf()).toBeNull();
});

describe('whether its socket was seen to connect', () => {
  const opened = (script: Script): boolean => script.last.connected;

  test('a program’s own reset, a timer’s, and one from outside', () => {
    expect(opened(new Script().connected(1, T, CLIENT).abort(1, T, { task: OTHER }, 'linger'))).toBe(true);
    expect(opened(new Script().connect(1, T, CLIENT).abort(1, T, { task: CLIENT }, 'disconnect'))).toBe(true);
    for (const path of ['keepalive', 'destroyed'] as const) {
      const script = new Script().connected(1, T, CLIENT).abort(1, T, STRANGER, path, STATE.established);
      expect(opened(script)).toBe(true);
    }
    expect(opened(new Script().abort(1, T, { task: SERVER }, 'linger'))).toBe(false);
  });

  test('an answer, also of what is left of it in TIME-WAIT', () => {
    const connected = (): Script => new Script().connected(1, T, CLIENT);
    expect(opened(connected().answer(1, T, STRANGER, STATE.established))).toBe(true);
    const closed = connected().state(1, STATE.established, STATE.finWait1, T, { task: CLIENT });
    expect(opened(closed.answer(55, T, STRANGER, STATE.timeWait))).toBe(true);
    const accepted = new Script().state(1, STATE.established, STATE.finWait1, T, { task: SERVER });
    expect(opened(accepted.answer(55, T, STRANGER, STATE.timeWait))).toBe(false);
  });

  test('one that it took', () => {
    expect(opened(new Script().connect(1, BACK, CLIENT).receive(1, BACK, STRANGER))).toBe(true);
    expect(opened(new Script().receive(1, T, STRANGER))).toBe(false);
  });

  test('not where there is no socket, nor a listener’s answer, nor another socket at its address', () => {
    const connected = (): Script => new Script().connected(1, T, CLIENT);
    expect(opened(connected().answer(0, T, STRANGER, 0, 'NO_SOCKET'))).toBe(false);
    expect(opened(connected().answer(1, T, STRANGER, STATE.listen))).toBe(false);
    expect(opened(connected().receive(1, '10.0.0.1 80 10.0.0.3 41000', STRANGER))).toBe(false);
    expect(opened(connected().destroy(1, T, { task: CLIENT }).receive(1, T, STRANGER))).toBe(false);
  });

  test('it is no matter who connected: the kernel itself may have', () => {
    const script = new Script().state(1, STATE.close, STATE.synSent, T, STRANGER);
    expect(opened(script.abort(1, T, STRANGER, 'keepalive', STATE.established))).toBe(true);
  });
});
