/** The comment on a saved reset: written, read back, and written by strangers. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { attributionComment, CommentReader, readAttributionComment } from '../../src/attribute/comment.js';
import {
  found,
  missing,
  unattributed,
  type Attribution,
  type End,
  type Match,
  type MissingReason,
  type Process,
} from '../../src/attribute/process.js';
import { NO_KERNEL_FACTS, type KernelFacts, type KernelPath } from '../../src/conversation/kernel-facts.js';
import { printable } from '../../src/base/text.js';

const NODE: Process = {
  pid: 9114,
  ppid: 1,
  parent: 'systemd',
  name: 'node',
  exe: '/usr/bin/node',
  command: 'node server.js --password=***',
  user: 'collector',
  unit: 'collector.service',
  container: null,
  netns: 4026531840,
  started: 1772366400.12,
};
const CURL: Process = {
  pid: 1234,
  ppid: null,
  parent: null,
  name: 'curl',
  exe: null,
  command: null,
  user: null,
  unit: 'docker-0123.scope',
  container: {
    id: '0123456789abcdef0123',
    runtime: 'containerd',
    name: 'c',
    pod: 'probe-7',
    podNamespace: 'monitoring',
  },
  netns: null,
  started: null,
};
const WHO: Attribution = {
  sender: found(NODE, 'kernel-trace'),
  receiver: found(CURL, 'recent-socket'),
  kernel: {
    sent: { reason: 'TCP_ABORT_ON_CLOSE', path: 'close', active: true, socketless: false, listening: false },
    received: true,
    listener: { atSource: false, evidence: 'node (pid 9114) listened there until 12:00' },
    opener: 'destination',
  },
  evidence: ['node[9114] closed the socket with 5 bytes unread'],
};

const written = (who: Attribution, full = true): string =>
  attributionComment('f1-2', 'abort-unread-data', 'certain', who, full);

function asRead(who: Attribution): Attribution {
  const end = (each: End): End => (each.process === null ? each : found(each.process, 'capture-comment'));
  return { ...who, sender: end(who.sender), receiver: end(who.receiver) };
}

/** The second line of a comment, changed. */
function forged(change: (json: Record<string, unknown>) => unknown, who = WHO): string {
  const [first = '', second = ''] = written(who).split('\n');
  const mark = second.indexOf('{');
  const json = JSON.parse(second.slice(mark)) as Record<string, unknown>;
  return `${first}\n${second.slice(0, mark)}${JSON.stringify(change(json))}`;
}

describe('what is written', () => {
  test('a line for people, with both ends, and everything as JSON behind it', () => {
    const [first, second, ...more] = written(WHO).split('\n');
    expect(first).toBe(
      'rstscope: cause=abort-unread-data confidence=certain id=f1-2 sender=node[9114] collector.service ' +
        'receiver=curl[1234] monitoring/probe-7 kernel=TCP_ABORT_ON_CLOSE (close)',
    );
    expect(second).toMatch(/^rstscope-processes: \{.*\}$/);
    expect(more).toEqual([]);
  });

  test('where nobody looked for processes, nothing is said of them', () => {
    expect(written(unattributed('offline'))).toBe('rstscope: cause=abort-unread-data confidence=certain id=f1-2');
  });

  test('why an end is not known', () => {
    const text = written({ ...unattributed('remote'), receiver: missing('no-listener') });
    expect(text.split('\n')[0]).toMatch(/ id=f1-2 sender=\(remote\) receiver=\(no-listener\)$/);
  });

  test('whole command lines only where they were asked for', () => {
    expect(written(WHO, true)).toContain('server.js');
    const text = written(WHO, false);
    expect(text).not.toContain('server.js');
    expect(text).toContain('/usr/bin/node');
    expect(readAttributionComment(text)?.sender.process?.command).toBeNull();
  });

  test('what could steer a terminal stays in no line', () => {
    const name = 'a\u001b[31m\nb\u202e';
    const text = written({ ...WHO, sender: found({ ...NODE, name, unit: 'x\ny' }, 'socket') });
    expect(text).toMatch(/^[^\p{Cc}\p{Cf}]*\n[^\p{Cc}\p{Cf}]*$/u);
    expect(readAttributionComment(text)?.sender.process).toMatchObject({ name, unit: 'x\ny' });
  });

  test('eight kilobytes at most: the command lines are cut first, the names stay', () => {
    const long = (pid: number, character: string): End =>
      found({ ...NODE, pid, command: character.repeat(100_000), exe: `/${character.repeat(900)}` }, 'socket');
    for (const character of ['x', 'é', '\u{1f4a9}', '\u0001']) {
      const who: Attribution = { ...WHO, sender: long(7, character), receiver: long(8, character) };
      const text = written(who);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8192);
      const read = readAttributionComment(text);
      expect([read?.sender.process?.pid, read?.receiver.process?.pid]).toEqual([7, 8]);
      expect(read?.sender.process?.name).toBe('node');
    }
    const cut = readAttributionComment(written({ ...WHO, sender: long(7, 'x') }))?.sender.process;
    expect(cut?.command).toBe(`${'x'.repeat(1024)}…`);
    expect(cut?.exe).toHaveLength(901);
  });

  test('sentences without number or end are cut down', () => {
    const listener = { atSource: true, evidence: 'z'.repeat(100_000) };
    const who = { ...WHO, kernel: { ...WHO.kernel, listener } };
    const text = written({ ...who, evidence: Array.from({ length: 1000 }, () => 'y'.repeat(1000)) });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8192);
    const read = readAttributionComment(text);
    expect(read?.sender.process).toEqual(NODE);
    expect(read?.kernel).toEqual({ ...WHO.kernel, listener: { atSource: true, evidence: `${'z'.repeat(256)}…` } });
  });

  test('what the kernel knew stays where only the names have room', () => {
    const end = (pid: number): End =>
      found({ ...NODE, pid, command: null, exe: `/${'\u{1f4a9}'.repeat(4000)}` }, 'socket');
    const text = written({ ...WHO, sender: end(7), receiver: end(8) });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8192);
    const { sender, kernel } = readAttributionComment(text) ?? unattributed('offline');
    expect(sender.process).toMatchObject({ pid: 7, exe: null });
    expect(kernel).toEqual({ ...WHO.kernel, listener: { atSource: false, evidence: null } });
  });
});

// ---- There and back ----

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '"', '\\', '\n', '\0', '\u2028', '\ud800', '__proto__', 'rstscope-processes: {}'),
);
const whole = fc.maxSafeNat();
const maybe = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(some, { nil: null });
const container = fc.record({
  id: text,
  runtime: maybe(text),
  name: maybe(text),
  pod: maybe(text),
  podNamespace: maybe(text),
});
const someProcess: fc.Arbitrary<Process> = fc.record({
  pid: fc.integer({ min: 1, max: 2 ** 22 }),
  ppid: maybe(whole),
  parent: maybe(text),
  name: maybe(text),
  exe: maybe(text),
  command: maybe(text),
  user: maybe(text),
  unit: maybe(text),
  container: maybe(container),
  netns: maybe(whole),
  started: maybe(fc.nat({ max: 2 ** 40 }).map((hundredths) => hundredths / 100)),
});
const MATCHES: Match[] = [
  'kernel-trace',
  'socket',
  'recent-socket',
  'listener',
  'listener-group',
  'listener-now',
  'capture-comment',
];
const REASONS: MissingReason[] = [
  'remote',
  'offline',
  'no-listener',
  'gone',
  'permission',
  'ambiguous',
  'pid-namespace',
  'not-tried',
  'unknown',
];
const PATHS: KernelPath[] = ['linger', 'listener-closed', 'disconnect', 'killed', 'sock-destroy', 'keepalive', 'close'];
const someEnd: fc.Arbitrary<End> = fc.oneof(
  fc.tuple(someProcess, fc.constantFrom(...MATCHES)).map(([process, match]) => found(process, match)),
  fc.constantFrom(...REASONS).map((reason) => missing(reason)),
);
const sentence = text.map((some) => printable(some));
const someKernel: fc.Arbitrary<KernelFacts> = fc.record({
  sent: fc.oneof(
    fc.constantFrom(null, 'silent' as const),
    fc.record({
      reason: maybe(fc.constantFrom('NO_SOCKET', 'TCP_STATE', 'TCP_ABORT_ON_DATA', '17')),
      path: maybe(fc.constantFrom(...PATHS)),
      active: maybe(fc.boolean()),
      socketless: fc.boolean(),
      listening: fc.boolean(),
    }),
  ),
  received: maybe(fc.boolean()),
  listener: fc.record({ atSource: maybe(fc.boolean()), evidence: maybe(sentence) }),
  opener: maybe(fc.constantFrom('source' as const, 'destination' as const)),
});
const attribution: fc.Arbitrary<Attribution> = fc.record({
  sender: someEnd,
  receiver: someEnd,
  kernel: someKernel,
  evidence: fc.array(sentence, { maxLength: 4 }),
});

describe('there and back', () => {
  test('what was written is read, found by the comment', () => {
    const reader = new CommentReader();
    fc.assert(
      fc.property(attribution, (who) => {
        const comment = written(who);
        const read = readAttributionComment(comment) ?? unattributed('offline');
        expect(read).toEqual(asRead(who));
        expect(reader.read(comment) ?? unattributed('offline')).toEqual(read);
        // And once more: `read -w` of what was saved.
        expect(readAttributionComment(written(read)) ?? unattributed('offline')).toEqual(read);
      }),
      { numRuns: 2000 },
    );
  });

  test('one reader gives the same object for the same words, and does not keep everything', () => {
    const reader = new CommentReader();
    const first = reader.read(written(WHO));
    expect(reader.read(attributionComment('f9-9', 'abort', 'likely', WHO, true))).toBe(first);
    for (let pid = 1; pid < 2000; pid++) {
      const { process } = reader.read(written({ ...WHO, sender: found({ ...NODE, pid }, 'socket') }))?.sender ?? {};
      expect(process?.pid).toBe(pid);
    }
    expect(reader.read(written(WHO))).not.toBe(first);
    expect(reader.read(written(WHO))).toEqual(first);
  });
});

describe('an older comment, which has the reason and the path alone', () => {
  test.each<[string, Record<string, unknown>, KernelFacts['sent']]>([
    [
      'of a program',
      { kernel_reason: 'TCP_STATE', kernel_path: 'linger' },
      { reason: 'TCP_STATE', path: 'linger', active: true, socketless: false, listening: false },
    ],
    [
      'of no socket',
      { kernel_reason: 'NO_SOCKET', kernel_path: null },
      { reason: 'NO_SOCKET', path: null, active: null, socketless: true, listening: false },
    ],
    ['that says nothing', { kernel_reason: null, kernel_path: null }, null],
  ])('%s', (_, words, sent) => {
    const who = readAttributionComment(forged((json) => ({ ...json, kernel: undefined, ...words })));
    expect(who?.kernel).toEqual({ ...NO_KERNEL_FACTS, sent });
  });
});

describe('what strangers write', () => {
  test('a comment without the second line says nothing', () => {
    expect(readAttributionComment('rstscope: cause=unknown confidence=unknown id=f1-1')).toBeNull();
    expect(readAttributionComment('')).toBeNull();
    expect(readAttributionComment('rstscope:\nrstscope-processes: ')).toBeNull();
  });

  test('only as rstscope writes it: the mark first, the JSON on a line of its own', () => {
    const [first = '', second = ''] = written(WHO).split('\n');
    expect(readAttributionComment(`${first}\n${second}`)).not.toBeNull();
    expect(readAttributionComment(`${first}\n${second}\nsomething else`)).not.toBeNull();
    expect(readAttributionComment(second)).toBeNull();
    expect(readAttributionComment(`seen by me\n${second}`)).toBeNull();
    expect(readAttributionComment(`${first} ${second}`)).toBeNull();
  });

  const sender = (change: Record<string, unknown>): string =>
    forged((json) => ({ ...json, sender: { ...(json['sender'] as object), ...change } }));

  const kernel = (change: Record<string, unknown>): string =>
    forged((json) => ({ ...json, kernel: { ...(json['kernel'] as object), ...change } }));

  test.each([
    ['a match that nobody knows', sender({ match: 'guess' })],
    ['a match of the prototype', sender({ match: 'toString' })],
    ['no match', sender({ match: undefined })],
    ['a pid that is text', sender({ pid: '9114' })],
    ['no pid', sender({ pid: undefined })],
    ['pid 0', sender({ pid: 0 })],
    ['half a pid', sender({ pid: 1.5 })],
    ['a pid below 0', sender({ ppid: -1 })],
    ['a number beyond the safe ones', sender({ netns: 2 ** 60 })],
    ['a start before 1970', sender({ started: -5 })],
    ['a start that is text', sender({ started: 'yesterday' })],
    ['a name that is none', sender({ name: ['node'] })],
    ['a name without end', sender({ name: 'n'.repeat(257) })],
    ['a path without end', sender({ exe: '/'.repeat(8193) })],
    ['a container that is text', sender({ container: 'abc' })],
    ['a container without id', sender({ container: { name: 'x' } })],
    ['a process that is a list', forged((json) => ({ ...json, sender: [1] }))],
    ['a process and a reason', forged((json) => ({ ...json, sender_reason: 'remote' }))],
    ['neither process nor reason', forged((json) => ({ ...json, receiver: null }))],
    ['a reason that nobody knows', forged((json) => ({ ...json, receiver: null, receiver_reason: 'magic' }))],
    ['a kernel word in small letters', forged((json) => ({ ...json, kernel_reason: 'no \u001b[31m' }))],
    ['a kernel path that nobody knows', forged((json) => ({ ...json, kernel_path: 'constructor' }))],
    ['a kernel that is text', forged((json) => ({ ...json, kernel: 'silent' }))],
    ['a kernel that is a list', forged((json) => ({ ...json, kernel: [] }))],
    ['a kernel that sent nothing, and why', kernel({ sent: 'silent' })],
    ['a kernel that sent what nobody knows', kernel({ sent: 'loud' })],
    ['a kernel that sent a list', kernel({ sent: [] })],
    ['a reset that is active in words', kernel({ sent: { active: 'yes' } })],
    ['a reset that is socketless by number', kernel({ sent: { socketless: 1 } })],
    ['a listener’s answer in words', kernel({ sent: { listening: '' } })],
    ['a reset that was received in words', kernel({ received: 'true' })],
    ['a listener that is none', kernel({ listener: true })],
    ['a listener that is there by number', kernel({ listener: { at_source: 0 } })],
    ['a listener with evidence that is none', kernel({ listener: { evidence: ['it'] } })],
    ['an opener that nobody knows', kernel({ opener: 'middle' })],
    ['an opener of the prototype', kernel({ opener: 'toString' })],
    ['evidence that is text', forged((json) => ({ ...json, evidence: 'it was me' }))],
    ['evidence of numbers', forged((json) => ({ ...json, evidence: [1] }))],
    ['evidence without end', forged((json) => ({ ...json, evidence: Array.from({ length: 17 }, () => 'a') }))],
    ['a list', forged((json) => [json])],
    ['null', forged(() => null)],
    ['too much JSON', forged((json) => ({ ...json, more: 'x'.repeat(20_000) }))],
    ['no JSON', 'rstscope: x\nrstscope-processes: {"sender":'],
    ['brackets', `rstscope: x\nrstscope-processes: ${'['.repeat(16_000)}`],
  ])('%s: nothing is taken', (_, comment) => {
    expect(readAttributionComment(comment)).toBeNull();
  });

  test('keys that are not known yet are passed over, and none reaches a prototype', () => {
    const who = readAttributionComment(forged((json) => ({ ...json, later: 1 })));
    expect(who).toEqual(asRead(WHO));
    const text = written(WHO).replace('{"sender"', '{"__proto__":{"kernel_path":"linger"},"sender"');
    expect(readAttributionComment(text)).toEqual(asRead(WHO));
    expect(Object.hasOwn(Object.prototype, 'kernel_path')).toBe(false);
  });

  test('evidence is made safe to show', () => {
    const who = readAttributionComment(forged((json) => ({ ...json, evidence: ['a\u001b[2Jb', 'z'.repeat(500)] })));
    expect(who?.evidence).toEqual(['a·[2Jb', `${'z'.repeat(256)}…`]);
    const listener = { evidence: `a\u001b[2Jb${'z'.repeat(500)}` };
    const { evidence } = readAttributionComment(kernel({ listener }))?.kernel.listener ?? {};
    expect(evidence).toMatch(/^a·\[2Jbz+…$/);
    expect(evidence).toHaveLength(257);
  });

  test('what the kernel said and what it kept silent of can’t both be so', () => {
    const silent = { ...WHO, kernel: { ...NO_KERNEL_FACTS, sent: 'silent' as const } };
    expect(readAttributionComment(written(silent))?.kernel.sent).toBe('silent');
    for (const word of [{ kernel_reason: 'TCP_STATE' }, { kernel_path: 'linger' }]) {
      expect(readAttributionComment(forged((json) => ({ ...json, ...word }), silent))).toBeNull();
    }
  });

  test('anything at all: never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), fc.boolean(), (json, line) => {
        readAttributionComment(`rstscope: ${line ? '\nrstscope-processes: ' : ''}${json}`);
      }),
    );
  });
});
