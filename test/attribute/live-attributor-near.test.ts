/** Which of several traced resets is meant, how much is asked at once, and what the end waits for. */
import { describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { AT, later, made, nginx, redis, reset, said, THERE, HERE } from './live-sources.js';
import { someProcess } from './sockets/made-up.js';

const MS = 0.001;

describe('several resets of one tuple', () => {
  test('the nearest, when it is clearly that', async () => {
    const { attributor, trace } = made();
    trace.tell(redis, { at: AT - 20 * MS });
    trace.tell(nginx, { at: AT + 0.02 * MS });
    trace.tell(redis, { at: AT + 30 * MS });
    const inquiry = attributor.inquire(reset());
    await later(inquiry);
    expect(said(inquiry)).toEqual(['kernel-trace 100', 'remote']);
  });

  test('of two that lie about as far away nobody', async () => {
    const { attributor, trace } = made();
    trace.tell(redis, { at: AT - 0.3 * MS });
    trace.tell(nginx, { at: AT + 0.2 * MS });
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(true);
    expect(said(inquiry)).toEqual(['ambiguous', 'remote']);
    expect(inquiry.known.evidence).toEqual(['sender: several resets of this kind at once']);
  });

  test('nobody also where the nearest has no owner and the other has', async () => {
    const { attributor, trace } = made();
    trace.tell(undefined, { at: AT - 0.1 * MS });
    trace.tell(nginx, { at: AT + 0.2 * MS });
    const inquiry = attributor.inquire(reset());
    await later(inquiry);
    expect(said(inquiry)[0]).not.toBe('kernel-trace 100');
  });

  test('all of one owner are that owner’s', async () => {
    const { attributor, trace } = made();
    for (let i = 0; i < 5; i++) trace.tell(nginx, { at: AT + i * 0.1 * MS });
    const inquiry = attributor.inquire(reset());
    await later(inquiry);
    expect(said(inquiry)).toEqual(['kernel-trace 100', 'remote']);
  });

  test('one that is too far away is another', async () => {
    const { attributor, trace } = made();
    trace.tell(nginx, { at: AT + 0.06 });
    const inquiry = attributor.inquire(reset());
    await later(inquiry);
    expect(said(inquiry)).toEqual(['socket 200', 'remote']);
  });

  test('frames that are stamped as they arrive may lie farther away, and are told apart later', async () => {
    const one = made({ timestamps: 'arrival' });
    one.trace.tell(nginx, { at: AT - 0.15 });
    one.at(1);
    const inquiry = one.attributor.inquire(reset());
    await later(inquiry);
    expect(said(inquiry)).toEqual(['kernel-trace 100', 'remote']);

    const two = made({ timestamps: 'arrival' });
    two.trace.tell(nginx, { at: AT - 1 * MS });
    two.trace.tell(redis, { at: AT - 30 * MS });
    two.at(1);
    const unsure = two.attributor.inquire(reset());
    await later(unsure);
    expect(said(unsure)).toEqual(['ambiguous', 'remote']);
  });

  test('of loopback, those of another namespace are not meant', async () => {
    const { attributor, trace } = made();
    const tuple = '127.0.0.1 80 127.0.0.1 40000';
    trace.tell(someProcess(300, { netns: 5 }), { tuple, at: AT });
    trace.tell(someProcess(400, { netns: 6 }), { tuple, at: AT + 0.3 * MS });
    const inquiry = attributor.inquire(reset({ srcIp: '127.0.0.1', destIp: '127.0.0.1', netns: 6 }));
    await later(inquiry);
    expect(said(inquiry)[0]).toBe('kernel-trace 400');
  });

  test('a later one that is nearer still is waited for', async () => {
    const { attributor, trace, at } = made();
    trace.behind = 1;
    trace.tell(redis, { at: AT - 10 * MS });
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(false);
    trace.tell(nginx, { at: AT });
    trace.behind = 0.01;
    at(0.3);
    await later(inquiry);
    expect(said(inquiry)).toEqual(['kernel-trace 100', 'remote']);
  });

  test('sent and received are not mixed up', async () => {
    const { attributor, trace } = made();
    trace.tell(nginx, { kind: 'receive' });
    const inquiry = attributor.inquire(reset());
    await later(inquiry);
    expect(said(inquiry)).toEqual(['socket 200', 'remote']);
  });
});

describe('in a flood', () => {
  test('not more than a bounded number is asked at once; the others go without, and later ones do not', async () => {
    const { attributor, tables } = made();
    tables.hold = true;
    const many = Array.from({ length: 2200 }, (_, i) => attributor.inquire(reset({ destPort: 1000 + i })));
    expect(many.filter(({ final }) => final)).toHaveLength(200);
    await turn();
    expect(tables.queries).toHaveLength(2000);
    expect(many.filter(({ final }) => final)).toHaveLength(200);
    expect(said(many[2100] ?? many[0] ?? attributor.inquire(reset()))).toEqual(['not-tried', 'remote']);
    tables.release();
    await turn();
    expect(many.every(({ final }) => final)).toBe(true);
    const next = attributor.inquire(reset());
    await later(next);
    expect(said(next)).toEqual(['socket 200', 'remote']);
  });

  test('where more come than can be asked for, the next go without, until there are fewer', () => {
    let now = AT * 1000;
    const { attributor, tables } = made({ now: () => now });
    for (let i = 0; i < 3000; i++) attributor.inquire(reset({ destPort: 1000 + i }));
    now += 100;
    expect(said(attributor.inquire(reset()))).toEqual(['not-tried', 'not-tried']);
    now += 100;
    tables.hold = true;
    expect(attributor.inquire(reset()).final).toBe(false);
  });

  test('questions of one turn go together', async () => {
    const { attributor, tables } = made();
    const asked: number[] = [];
    const ask = tables.ask.bind(tables);
    tables.ask = (queries) => {
      asked.push(queries.length);
      return ask(queries);
    };
    const many = Array.from({ length: 10 }, () => attributor.inquire(reset()));
    expect(many.some(({ final }) => final)).toBe(false);
    await turn();
    expect(asked).toEqual([10]);
  });
});

describe('at the end', () => {
  test('the trace is stopped, after the last is known', async () => {
    const { attributor, trace, tables } = made();
    tables.hold = true;
    const inquiry = attributor.inquire(reset());
    const finished = attributor.finish();
    await turn();
    expect(trace.stopped).toBe(0);
    tables.release();
    await finished;
    expect([trace.stopped, inquiry.final]).toEqual([1, true]);
  });

  // The last may be named at once, by the trace, while one before it is still being looked for.
  test('also one that was begun before the last is waited for', async () => {
    const { attributor, trace, tables } = made();
    tables.hold = true;
    const first = attributor.inquire(reset({ destPort: 41000 }));
    expect(await later(first)).toBe(false);
    trace.tell(nginx);
    const second = attributor.inquire(reset());
    expect(second.final).toBe(true);
    const finished = attributor.finish();
    setTimeout(() => {
      tables.release();
    }, 30);
    await finished;
    expect(first.final).toBe(true);
    expect(said(first)).toEqual(['socket 200', 'remote']);
  });

  test('with nothing begun it ends at once', async () => {
    const { attributor, trace } = made();
    await attributor.finish();
    expect(trace.stopped).toBe(1);
    await made({ trace: null }).attributor.finish();
  });

  test('a remote reset is not waited for', async () => {
    const { attributor } = made();
    attributor.inquire(reset({ srcIp: THERE, destIp: '192.0.2.77' }));
    await attributor.finish();
  });
});

describe('where PIDs mean nothing', () => {
  test('who can not be found is in another PID namespace, maybe; who is found is found', async () => {
    const { attributor, tables } = made({ trace: null, otherPids: true });
    const found = attributor.inquire(reset());
    await later(found);
    expect(said(found)).toEqual(['socket 200', 'remote']);
    tables.answer = { ...tables.answer, exact: 'none', holders: [] };
    const hidden = attributor.inquire(reset());
    await later(hidden);
    expect(said(hidden)).toEqual(['pid-namespace', 'remote']);
    tables.answer = { ...tables.answer, exact: 'shared', holders: [nginx, redis] };
    const shared = attributor.inquire(reset({ srcIp: HERE }));
    await later(shared);
    expect(said(shared)).toEqual(['ambiguous', 'remote']);
  });
});
