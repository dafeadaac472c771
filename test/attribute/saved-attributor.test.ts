/** Who is said to be at the ends of resets of a saved capture. */
import { describe, expect, test } from '@jest/globals';
import { attributionComment } from '../../src/attribute/comment.js';
import type { ListenerNow, ListenersNow } from '../../src/attribute/listeners-now.js';
import { found, missing, unattributed, type Attribution } from '../../src/attribute/process.js';
import { SavedAttributor } from '../../src/attribute/saved-attributor.js';
import { NO_KERNEL_FACTS } from '../../src/conversation/kernel-facts.js';
import type { Reset } from '../../src/conversation/reset.js';
import { resetOf } from '../report/attributing.js';
import { someProcess } from './sockets/made-up.js';

const nginx = someProcess(100, { name: 'nginx' });
const WHO: Attribution = {
  sender: found(nginx, 'kernel-trace'),
  receiver: missing('remote'),
  kernel: {
    sent: { reason: 'TCP_STATE', path: 'linger', active: true, socketless: false, listening: false },
    received: false,
    listener: { atSource: true, evidence: 'nginx (pid 100) listens there' },
    opener: 'destination',
  },
  evidence: ['sender: nginx (pid 100) was in the call that sent it'],
};
const NOTE = attributionComment('live-1', 'abort-linger', 'certain', WHO, true);

interface Asked {
  readonly queries: [string, number, number | null][];
  readonly listeners: ListenersNow;
}

function listeners(answer: ListenerNow = { process: nginx, reason: null }): Asked {
  const queries: Asked['queries'] = [];
  const of = (ip: string, port: number, netns: number | null): ListenerNow => {
    queries.push([ip, port, netns]);
    return answer;
  };
  return { queries, listeners: { of } as unknown as ListenersNow };
}

const local = (ip: string): boolean => ip.startsWith('10.');

function here(reset: Partial<Reset>, answer?: ListenerNow): { ends: string[]; queries: Asked['queries'] } {
  const { listeners: now, queries } = listeners(answer);
  const inquiry = new SavedAttributor({ listeners: now, local, netnsOf: () => 9 }).inquire(resetOf(reset));
  expect(inquiry.final).toBe(true);
  const { sender, receiver } = inquiry.known;
  return {
    ends: [sender, receiver].map(({ process, match, reason }) =>
      process === null ? reason : `${match} ${process.pid}`,
    ),
    queries,
  };
}

describe('what a comment says', () => {
  test('is believed, as far as it goes', () => {
    const { known, final } = new SavedAttributor(null).inquire(resetOf({ note: NOTE }));
    expect(final).toBe(true);
    expect(known.sender).toMatchObject({ process: { pid: 100, name: 'nginx' }, match: 'capture-comment' });
    expect(known.receiver).toEqual(missing('remote'));
    expect(known.kernel).toEqual(WHO.kernel);
  });

  test('counts before the listeners of now', () => {
    const { listeners: now, queries } = listeners();
    const { known } = new SavedAttributor({ listeners: now, local, netnsOf: () => 9 }).inquire(resetOf({ note: NOTE }));
    expect(known.sender.match).toBe('capture-comment');
    expect(queries).toEqual([]);
  });

  test.each(['', 'somebody else’s comment', NOTE.slice(0, 40)])('what is none says nothing: %j', (note) => {
    expect(new SavedAttributor(null).inquire(resetOf({ note })).known).toEqual(unattributed('offline'));
  });
});

test('without either nobody is known', async () => {
  const attributor = new SavedAttributor(null);
  const inquiry = attributor.inquire(resetOf());
  expect([inquiry.final, inquiry.known]).toEqual([true, unattributed('offline')]);
  await attributor.finish();
  expect(attributor.failedConnects).toEqual([]);
});

describe('on the host that it was made on', () => {
  const server = { srcIp: '10.0.0.1', srcPort: 80, destIp: '192.0.2.1', destPort: 50000, servicePort: 80 } as const;
  const client = { srcIp: '192.0.2.1', srcPort: 50000, destIp: '10.0.0.1', destPort: 80, servicePort: 80 } as const;

  test('the serving end has the listener of now, the other is elsewhere', () => {
    const { ends, queries } = here({ ...server, resetBy: 'server', netns: 9 });
    expect(ends).toEqual(['listener-now 100', 'remote']);
    expect(queries).toEqual([['10.0.0.1', 80, 9]]);
  });

  test('also where it was the receiver', () => {
    expect(here({ ...client, resetBy: 'client' }).ends).toEqual(['remote', 'listener-now 100']);
  });

  test('a client here is gone', () => {
    const out = { srcIp: '10.0.0.1', srcPort: 50000, destIp: '192.0.2.1', destPort: 80 } as const;
    const { ends, queries } = here({ ...out, resetBy: 'client' });
    expect([ends, queries]).toEqual([['gone', 'remote'], []]);
  });

  test('both ends here: only the serving one is looked for', () => {
    const { ends, queries } = here({
      srcIp: '127.0.0.1',
      srcPort: 80,
      destIp: '127.0.0.1',
      destPort: 50000,
      resetBy: 'server',
    });
    expect(ends).toEqual(['listener-now 100', 'gone']);
    expect(queries).toHaveLength(1);
  });

  test('which side serves is not known: nobody', () => {
    const { ends, queries } = here({ ...server, resetBy: 'unknown' });
    expect([ends, queries]).toEqual([['gone', 'remote'], []]);
  });

  test.each(['no-listener', 'ambiguous', 'permission'] as const)('nobody listens now: %s', (reason) => {
    expect(here({ ...server, resetBy: 'server' }, { process: null, reason }).ends).toEqual([reason, 'remote']);
  });

  test('neither end here', () => {
    const { ends, queries } = here({ srcIp: '192.0.2.1', destIp: '192.0.2.2', resetBy: 'server' });
    expect([ends, queries]).toEqual([['remote', 'remote'], []]);
  });

  test('who listens now says nothing of then', () => {
    const { listeners: now } = listeners();
    const attributor = new SavedAttributor({ listeners: now, local, netnsOf: () => 9 });
    const { known } = attributor.inquire(resetOf({ ...server, resetBy: 'server', netns: 9 }));
    expect([known.sender.match, known.kernel]).toEqual(['listener-now', NO_KERNEL_FACTS]);
  });
});
