/** Growing streams as one capture: order, empty batches, interfaces by name, ends; all in memory. */
import { describe, expect, test } from '@jest/globals';
import type { CapturedHost } from '../../../src/capture/frame-batch.js';
import type { Link } from '../../../src/capture/live/links.js';
import { LiveReader } from '../../../src/capture/live/live-reader.js';
import { RecordQueue } from '../../../src/capture/live/record-queue.js';
import type { Surroundings } from '../../../src/capture/live/relabel.js';
import { openCapture } from '../../../src/capture/open.js';
import { classicHeader, classicRecord } from '../../support/capture-bytes.js';
import { carriedIp, sll, sll2, type CookedFields } from '../../support/frames.js';
import { packetOf } from '../../report/analysing.js';

const HOST: CapturedHost = { netns: 7, local: ['10.0.0.5'], timestamps: 'kernel', stacked: false };
const OUTGOING = 4;

function link(index: number, name: string, more: Partial<Link> = {}): Link {
  return {
    ...{ index, name, up: true, loopback: false, arphrd: 1, mac: `02:00:00:00:00:0${index}`, master: null },
    ...{ stacked: false, promiscuous: false, addresses: [], ...more },
  };
}

const LO = link(1, 'lo', { arphrd: 772, loopback: true, mac: null });

function around(links: readonly Link[], host = HOST): () => Surroundings {
  return () => ({ host, links, nameOf: (index) => links.find((one) => one.index === index)?.name ?? null });
}

interface Stream {
  readonly queue: RecordQueue;
  say(...frames: Uint8Array[]): void;
}

/** A stream of `linkType` that joins the reader; it begins with a file header. */
async function joined(
  reader: LiveReader,
  linkType: number,
  device: string | null,
  of: () => Surroundings,
): Promise<Stream> {
  const queue = new RecordQueue();
  let seconds = 0;
  queue.push(classicHeader({ linkType }));
  reader.join(await openCapture('stream', { source: queue, size: null }), device, of);
  return {
    queue,
    say: (...frames) => {
      for (const bytes of frames) queue.push(classicRecord({ seconds: ++seconds, fraction: 0, bytes }));
    },
  };
}

/** Interface names of the next batch that has rows. */
async function nextNames(reader: LiveReader): Promise<(string | null)[]> {
  for (;;) {
    const batch = await reader.next();
    if (batch === null) throw new Error('the capture is at its end');
    if (batch.count > 0) {
      return Array.from(batch.iface.subarray(0, batch.count), (i) => reader.interfaces[i]?.name ?? null);
    }
  }
}

const cooked2 = (interfaceIndex: number): Uint8Array => sll2({ ...carriedIp(packetOf()), interfaceIndex });

describe('streams', () => {
  test('a quiet one gives empty batches, and says that everything was read', async () => {
    const reader = new LiveReader();
    await joined(reader, 1, 'eth0', around([]));
    expect((await reader.next())?.count).toBe(0);
    expect(reader.idle).toBe(true);
  });

  test('one that is quiet holds up no other', async () => {
    const reader = new LiveReader();
    await joined(reader, 1, 'eth0', around([]));
    const busy = await joined(reader, 276, null, around([link(3, 'veth3')]));
    busy.say(cooked2(3));
    expect(await nextNames(reader)).toEqual(['veth3']);
    expect(reader.idle).toBe(false);
  });

  test('the end comes when all have ended and none will join, with what was still on its way', async () => {
    const reader = new LiveReader();
    const one = await joined(reader, 276, null, around([link(3, 'veth3')]));
    one.say(cooked2(3));
    one.queue.end();
    reader.end();
    expect(await nextNames(reader)).toEqual(['veth3']);
    expect(await reader.next()).toBeNull();
  });

  test('one that is cut off is no damage, and others join after it', async () => {
    const reader = new LiveReader();
    const one = await joined(reader, 276, null, around([link(3, 'veth3')]));
    one.queue.push(classicRecord({ seconds: 1, fraction: 0, bytes: cooked2(3) }).subarray(0, 30));
    one.queue.end();
    const two = await joined(reader, 276, null, around([link(4, 'veth4')]));
    two.say(cooked2(4));
    expect(await nextNames(reader)).toEqual(['veth4']);
    expect(reader.damage).toEqual([]);
    expect(reader.times).toMatchObject({ firstSeconds: 1, lastSeconds: 1 });
  });
});

describe('interfaces of "any"', () => {
  test('are named by the index of the cooked header; an unknown index has no name until it is known', async () => {
    const reader = new LiveReader();
    let links: readonly Link[] = [LO];
    const stream = await joined(reader, 276, null, () => around(links)());
    stream.say(cooked2(1), cooked2(9));
    expect(await nextNames(reader)).toEqual(['lo', null]);
    links = [LO, link(9, 'veth9')];
    stream.say(cooked2(9), cooked2(1));
    expect(await nextNames(reader)).toEqual(['veth9', 'lo']);
    expect(reader.interfaces.map(({ host }) => host)).toEqual([HOST, HOST, HOST]);
  });

  test('an index keeps its number while nothing changes, also over many batches', async () => {
    const reader = new LiveReader();
    const stream = await joined(reader, 276, null, around([LO, link(2, 'eth0')]));
    for (let i = 0; i < 5; i++) {
      stream.say(cooked2(1), cooked2(2));
      expect(await nextNames(reader)).toEqual(['lo', 'eth0']);
    }
    expect(reader.interfaces).toHaveLength(2);
  });

  test.each<[string, Link[], Partial<CookedFields>, string | null]>([
    ['loopback by its type', [LO, link(2, 'eth0')], { arphrd: 772 }, 'lo'],
    ['the only Ethernet one', [LO, link(2, 'eth0')], {}, 'eth0'],
    ['the only Ethernet one that is up', [link(2, 'eth0'), link(3, 'eth1', { up: false })], {}, 'eth0'],
    ['none of several for what comes in', [link(2, 'eth0'), link(3, 'eth1')], {}, null],
    [
      'by its own address for what goes out',
      [link(2, 'eth0'), link(3, 'eth1')],
      { packetType: OUTGOING, address: '02:00:00:00:00:03' },
      'eth1',
    ],
    [
      'none where two have the address',
      [link(2, 'eth0'), link(3, 'br0', { mac: '02:00:00:00:00:02' })],
      { packetType: OUTGOING, address: '02:00:00:00:00:02' },
      null,
    ],
    [
      'none for what may have left by a bridge or by its port',
      [link(2, 'br0'), link(3, 'veth1', { master: 'br0' })],
      { packetType: OUTGOING, address: '02:00:00:00:00:02' },
      null,
    ],
  ])('without an index: %s', async (_, links, fields, name) => {
    const reader = new LiveReader();
    const stream = await joined(reader, 113, null, around(links));
    stream.say(sll({ ...carriedIp(packetOf()), ...fields }));
    expect(await nextNames(reader)).toEqual([name]);
  });
});
