/** The recordings of real kernels through decoders, symbols and story, against the truth of what was done there. */
import { describe, expect, test } from '@jest/globals';
import { tupleText } from '../../../src/attribute/trace/ends.js';
import type { Symbol } from '../../../src/attribute/trace/stacks.js';
import { Story, type FailedConnect, type ListenerEnd, type Traced } from '../../../src/attribute/trace/story.js';
import { eventsOf, RECORDED, storiesOf, symbolsOf, type TrueStory } from './recordings.js';

interface Told {
  readonly resets: Traced[];
  readonly failed: FailedConnect[];
  readonly listenerEnds: ListenerEnd[];
}

function told(kernel: string): Told {
  const story = new Story();
  const symbols = symbolsOf(kernel);
  const events = eventsOf(kernel);
  events.forEach((event, i) => {
    if (event.kind === 'stack') return;
    const next = events[i + 1];
    const stack: ReadonlySet<Symbol> | null = next?.kind === 'stack' ? symbols.in(next.callers) : null;
    story.see(event, stack);
  });
  return story.take();
}

const between = <T extends { readonly at: number }>(
  all: readonly T[],
  { began_ns: began, ended_ns: ended }: TrueStory,
) => all.filter(({ at }) => at >= began && at <= ended);

/** Of one side of the story. */
function tuples(story: TrueStory): { server: string; client: string } {
  const { ip, server_port: server, client_port: client } = story;
  return { server: tupleText(ip, server, ip, client), client: tupleText(ip, client, ip, server) };
}

describe.each(RECORDED)('what %s told', (kernel) => {
  const { resets, failed, listenerEnds } = told(kernel);
  const answersToo = !['5.10', '6.1'].includes(kernel);
  const stories = storiesOf(kernel);
  const of = (via: string) => stories.filter((story) => story.via === via);

  test('of every reset that a program sent: the program and its way', () => {
    const sent = stories.filter(({ via }) =>
      ['linger', 'close', 'killed', 'listener-closed', 'disconnect'].includes(via),
    );
    expect(sent.length).toBeGreaterThanOrEqual(6);
    for (const story of sent) {
      const tuple = tuples(story)[story.reset_by === 'server' ? 'server' : 'client'];
      const mine = between(resets, story).filter(({ kind }) => kind === 'send');
      expect([story.id, mine.map((one) => [one.tuple, one.owner?.task, one.owner?.how, one.path])]).toEqual([
        story.id,
        [[tuple, story.reset_by === 'server' ? story.server_pid : story.client_pid, 'self', story.via]],
      ]);
    }
  });

  test('of every reset that a program got: the program, if anybody, and all clients', () => {
    let named = 0;
    for (const story of stories.filter(({ via }) => via !== 'keepalive')) {
      for (const one of between(resets, story).filter(({ kind }) => kind === 'receive')) {
        const isClient = one.tuple.endsWith(` ${story.ip} ${story.server_port}`);
        const owner = isClient ? story.client_pid : story.server_pid;
        expect([story.id, one.owner?.task ?? owner]).toEqual([story.id, owner]);
        if (isClient || one.owner !== null) named++;
        if (isClient) expect([story.id, one.owner?.task]).toEqual([story.id, story.client_pid]);
        expect([story.id, one.connected]).toEqual([story.id, isClient]);
      }
    }
    expect(named).toBeGreaterThanOrEqual(8);
  });

  test('of a server that got one: the server, by its own call or its close', () => {
    for (const story of stories.filter(({ via, reset_by: by }) => by === 'client' && via !== 'keepalive')) {
      const got = between(resets, story).filter(({ kind }) => kind === 'receive');
      expect([story.id, got.map(({ owner }) => owner?.task)]).toEqual([story.id, [story.server_pid]]);
    }
  });

  test('of every reset that was sent: whether its side had connected', () => {
    let clients = 0;
    for (const story of stories) {
      for (const one of between(resets, story).filter(({ kind }) => kind === 'send')) {
        const isClient = one.tuple === tuples(story).client;
        expect([story.id, one.connected]).toEqual([story.id, isClient]);
        if (isClient) clients++;
      }
    }
    expect(clients).toBeGreaterThan(0);
  });

  test('of what answered for nobody', () => {
    for (const story of of('no-socket')) {
      const mine = between(resets, story);
      const sent = mine.filter(({ kind }) => kind === 'send');
      expect([story.id, sent.length]).toEqual([story.id, answersToo ? 1 : 0]);
      for (const one of sent) expect(one).toMatchObject({ socketless: true, owner: null, reason: 'NO_SOCKET' });
      expect(between(failed, story)).toMatchObject([
        { how: 'refused', ip: story.ip, port: story.server_port, owner: { task: story.client_pid } },
      ]);
    }
  });

  test('of a socket that was destroyed from outside: who did it, and not as its owner', () => {
    for (const story of of('sock-destroy')) {
      const [sent] = between(resets, story).filter(({ kind }) => kind === 'send');
      expect(sent).toMatchObject({ path: 'sock-destroy', destroyer: { task: story.helper_pid } });
      expect([null, story.server_pid]).toContain(sent?.owner?.task ?? null);
    }
  });

  test('of keepalive: nobody who ran by chance', () => {
    for (const story of of('keepalive')) {
      const [sent] = between(resets, story).filter(({ kind, active }) => kind === 'send' && active === true);
      expect(sent?.path).toBe('keepalive');
      expect([null, story.server_pid]).toContain(sent?.owner?.task ?? null);
    }
  });

  test('of late data: who had closed', () => {
    for (const story of of('time-wait')) {
      const sent = between(resets, story).filter(({ kind }) => kind === 'send');
      expect(sent.map(({ owner }) => [owner?.how, owner?.task])).toEqual(
        answersToo ? [['close', story.server_pid]] : [],
      );
      if (answersToo) expect(sent[0]?.reason).toBe('TCP_TIMEWAIT_SOCKET');
    }
  });

  test('of an answer for a listener', () => {
    for (const story of of('listener')) {
      const sent = between(resets, story).filter(({ kind }) => kind === 'send');
      expect(sent).toMatchObject([{ listening: true, socketless: false, owner: null, active: false }]);
    }
  });

  test('of listeners that ended: who listened, and who closed', () => {
    const ended = stories.flatMap((story) => between(listenerEnds, story).map((one) => [story, one] as const));
    expect(ended.length).toBeGreaterThanOrEqual(9);
    for (const [story, one] of ended) {
      expect([story.id, one.port, one.owner?.task, one.closer?.task]).toEqual([
        story.id,
        story.server_port,
        story.server_pid,
        story.server_pid,
      ]);
    }
  });
});
