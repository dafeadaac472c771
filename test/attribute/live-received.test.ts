/** Whether a socket of this host took the reset, as the trace tells it or would have told it; and what is known on the way. */
import { describe, expect, test } from '@jest/globals';
import type { Inquiry } from '../../src/attribute/attributor.js';
import type { Reset } from '../../src/conversation/reset.js';
import { AT, HERE, later, made, nginx, redis, reset, THERE } from './live-sources.js';

const MS = 0.001;
/** Well after. */
const LATE = 0.5;

/** A reset that comes here: of the socket of T. */
const incoming = (more: Partial<Reset> = {}): Reset =>
  reset({ srcIp: THERE, srcPort: 40000, destIp: HERE, destPort: 80, ...more });

async function received(inquiry: Inquiry): Promise<boolean | null> {
  expect(await later(inquiry)).toBe(true);
  return inquiry.known.kernel.received;
}

describe('a reset that comes here', () => {
  test('was taken, where the trace says so: at once', async () => {
    const { attributor, trace } = made();
    trace.tell(nginx, { kind: 'receive', active: null });
    expect(await received(attributor.inquire(incoming()))).toBe(true);
  });

  test('was not, where the trace would have said so: when no socket can take it any more', async () => {
    const { attributor, at } = made();
    const inquiry = attributor.inquire(incoming());
    at(0.1);
    expect(await later(inquiry)).toBe(false);
    // Who it was is known, and told, before.
    expect(inquiry.known).toMatchObject({ receiver: { match: 'socket' }, kernel: { received: null } });
    at(LATE);
    expect(inquiry.final).toBe(true);
    expect(inquiry.known.kernel).toMatchObject({ sent: null, received: false });
  });

  test('nothing is known until the trace has told so far', async () => {
    const { attributor, trace, at } = made();
    trace.behind = 0.4;
    const inquiry = attributor.inquire(incoming());
    at(0.5);
    expect(await later(inquiry)).toBe(false);
    at(0.7);
    expect(await received(inquiry)).toBe(false);
  });

  test('nor of a trace that stays behind, which is not waited for for ever', async () => {
    const { attributor, trace, at } = made();
    trace.behind = 5;
    const inquiry = attributor.inquire(incoming());
    at(5.1);
    expect(await later(inquiry)).toBe(false);
    at(20);
    trace.behind = 20;
    expect(await received(inquiry)).toBeNull();
  });

  test.each<[string, Parameters<typeof made>[0], (trace: ReturnType<typeof made>['trace']) => void]>([
    ['there is no trace', { trace: null }, () => undefined],
    ['the trace has lost something', {}, (trace) => (trace.tellsTaken = false)],
    ['a reset was taken at about that time', {}, (trace) => trace.tell(nginx, { kind: 'receive', at: AT + 0.15 })],
    ['or before', {}, (trace) => trace.tell(nginx, { kind: 'receive', at: AT - 1 })],
  ])('it is not known where %s', async (_, sources, prepare) => {
    const { attributor, trace, at } = made(sources);
    prepare(trace);
    const inquiry = attributor.inquire(incoming());
    at(LATE);
    expect(await received(inquiry)).toBeNull();
  });

  test('events are lost while it is waited for: it is not known', async () => {
    const { attributor, trace, at } = made();
    const inquiry = attributor.inquire(incoming());
    at(0.1);
    expect(await later(inquiry)).toBe(false);
    trace.tellsTaken = false;
    at(LATE);
    expect(await received(inquiry)).toBeNull();
  });

  test('one that was told was another one’s: the second was not taken', async () => {
    const { attributor, trace, at } = made();
    trace.tell(nginx, { kind: 'receive', active: null });
    expect(await received(attributor.inquire(incoming({ seq: 5 })))).toBe(true);
    const second = attributor.inquire(incoming({ seq: 777, nanos: 3_000_000 }));
    at(LATE);
    expect(await received(second)).toBe(false);
  });

  test('a copy of it is the same reset', async () => {
    const { attributor, trace, at } = made();
    trace.tell(nginx, { kind: 'receive', active: null });
    expect(await received(attributor.inquire(incoming()))).toBe(true);
    const copy = attributor.inquire(incoming({ nanos: 100_000 }));
    at(LATE);
    expect(await received(copy)).toBe(true);
  });

  test('of two that may be meant nothing is said', async () => {
    const { attributor, trace, at } = made();
    trace.tell(nginx, { kind: 'receive', at: AT - 0.3 * MS });
    trace.tell(redis, { kind: 'receive', at: AT + 0.2 * MS });
    const inquiry = attributor.inquire(incoming());
    at(LATE);
    expect(await received(inquiry)).toBeNull();
    expect(inquiry.known.receiver.reason).toBe('ambiguous');
  });

  // Late data to a closed socket ends it by the same event, and that socket answers.
  test('what took late data took no reset', async () => {
    const one = made();
    one.trace.tell(nginx, { kind: 'receive', active: null, at: AT });
    one.trace.tell(undefined, { kind: 'send', active: false, reason: 'TCP_ABORT_ON_DATA', at: AT + 0.01 * MS });
    expect(await received(one.attributor.inquire(incoming()))).toBeNull();

    // After a reset there is no socket to answer.
    const other = made();
    other.trace.tell(nginx, { kind: 'receive', active: null, at: AT });
    other.trace.tell(undefined, { active: false, socketless: true, reason: 'NO_SOCKET', at: AT + 0.01 * MS });
    expect(await received(other.attributor.inquire(incoming()))).toBe(true);
  });
});

describe('a reset that goes out', () => {
  test('is taken elsewhere: it is not known whether, and not waited for', async () => {
    const { attributor, trace } = made();
    trace.tell(nginx);
    expect(await received(attributor.inquire(reset()))).toBeNull();
  });

  test('the kernel’s word is known, and that it has none, in the same breath as who it was', async () => {
    const { attributor, trace } = made();
    trace.tell(nginx, { reason: 'TCP_STATE', path: 'linger' });
    const sent = { reason: 'TCP_STATE', path: 'linger', active: true, socketless: false, listening: false };
    expect(attributor.inquire(reset()).known.kernel.sent).toEqual(sent);

    const silent = made().attributor.inquire(reset());
    expect(await later(silent)).toBe(true);
    expect(silent.known.kernel.sent).toBe('silent');
    expect(silent.known.evidence).toEqual([]);
  });

  test('what it says comes before the name where that takes longer', () => {
    const { attributor, trace, tables } = made();
    tables.hold = true;
    trace.tell(undefined, { active: false, socketless: true, reason: 'NO_SOCKET', path: null });
    const inquiry = attributor.inquire(reset());
    expect(inquiry.final).toBe(false);
    expect(inquiry.known.kernel).toMatchObject({ sent: { reason: 'NO_SOCKET' }, listener: { atSource: false } });
  });

  test.each([
    ['before it has told so far', 1, true],
    ['where it has lost something', 0.01, false],
  ])('it is not said to be silent %s', async (_, behind, tellsAll) => {
    const { attributor, trace } = made();
    trace.behind = behind;
    trace.tellsAll = tellsAll;
    const inquiry = attributor.inquire(reset());
    await later(inquiry);
    expect(inquiry.known.kernel.sent).toBeNull();
  });

  test('of two that may be meant nothing is said', async () => {
    const { attributor, trace } = made();
    trace.tell(redis, { at: AT - 0.3 * MS });
    trace.tell(nginx, { at: AT + 0.2 * MS });
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(true);
    expect(inquiry.known.kernel.sent).toBeNull();
  });
});

test('both ends here: who connected is who opened it', async () => {
  const { attributor, trace } = made();
  const back = '10.0.0.2 40000 10.0.0.1 80';
  trace.tell(nginx, { tuple: '10.0.0.1 80 10.0.0.2 40000' });
  trace.tell(redis, { kind: 'receive', active: null, tuple: back, connected: true });
  const inquiry = attributor.inquire(reset({ destIp: '10.0.0.2' }));
  expect(await later(inquiry)).toBe(true);
  expect(inquiry.known.kernel).toMatchObject({ sent: { active: true }, received: true, opener: 'destination' });
});

test('a flood that nobody takes: each waits, and all end', () => {
  const { attributor, at } = made({ sockets: null });
  const many = Array.from({ length: 1500 }, (_, i) => attributor.inquire(incoming({ srcPort: 1000 + i })));
  expect(many.some(({ final }) => final)).toBe(false);
  at(LATE);
  expect(many.every(({ final, known }) => final && known.kernel.received === false)).toBe(true);
});
