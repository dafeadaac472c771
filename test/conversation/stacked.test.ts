/** Captures of `any` that don't tell stacked interfaces apart: what is one reset there, and what is two. */
import { describe, expect, test } from '@jest/globals';
import { CaptureWriter } from '../../src/capture/writer.js';
import type { CapturedHost } from '../../src/capture/frame-batch.js';
import { carriedIp, sll } from '../support/frames.js';
import { analyse, onlyEvent, packetOf, START } from '../report/analysing.js';

const STACKED: CapturedHost = { netns: 1, local: ['10.0.0.5'], timestamps: 'arrival', stacked: true };
const OTHER: CapturedHost = { netns: 2, local: STACKED.local, timestamps: 'arrival', stacked: false };
const LINUX_SLL = 113;

type Seen = readonly [microseconds: number, host: CapturedHost];

/** The same reset, as each host's cooked capture shows it, in a capture of our own. */
function captured(seen: readonly Seen[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new CaptureWriter('pcapng', 'test', (bytes) => parts.push(bytes.slice()));
  for (const [micros, host] of seen) {
    const frame = writer.hold({
      bytes: sll({ ...carriedIp(packetOf({ id: 0 })), packetType: host === OTHER ? 4 : 0 }),
      original: 56,
      seconds: START,
      nanos: micros * 1000,
      from: { key: String(host.netns), linkType: LINUX_SLL, name: null, snaplen: 512, digits: 6, host },
    });
    frame.fate = 'kept';
  }
  writer.finish(LINUX_SLL);
  return Buffer.concat(parts);
}

describe('a cooked capture where interfaces lie upon one another', () => {
  test('the same frame twice at once is one reset, seen on two interfaces', async () => {
    const report = await analyse(
      captured([
        [0, STACKED],
        [40, STACKED],
      ]),
    );
    expect(onlyEvent(report)).toMatchObject({ copies: 2, netns: 1, interface: null });
  });

  test('also when another namespace saw it first, by the clock of another program', async () => {
    const report = await analyse(
      captured([
        [0, OTHER],
        [1500, STACKED],
        [1540, STACKED],
      ]),
    );
    expect(onlyEvent(report)).toMatchObject({ copies: 3, netns: 2 });
  });

  test('the same frame a while later is said again', async () => {
    const report = await analyse(
      captured([
        [0, STACKED],
        [5000, STACKED],
      ]),
    );
    expect(report.packets).toMatchObject({ unique: 2, copies: 0 });
  });

  test('where nothing is stacked, twice is twice', async () => {
    const report = await analyse(
      captured([
        [0, OTHER],
        [40, OTHER],
      ]),
    );
    expect(report.packets).toMatchObject({ unique: 2, copies: 0 });
  });
});
