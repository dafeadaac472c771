/** A reset that was seen coming in and going out was forwarded, whichever frame came first. */
import { describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { classicPcap } from '../support/capture-bytes.js';
import { carriedIp, LINK, resetPacket, sll2 } from '../support/frames.js';
import { runInProcess } from '../support/in-process.js';
import { tmpDir } from '../support/run.js';

const IN = 0;
const OTHER_HOST = 3;
const OUT = 4;

async function directions(packetTypes: readonly number[], args: readonly string[] = []): Promise<unknown> {
  const records = packetTypes.map((packetType, i) => ({
    seconds: 1772366400,
    fraction: i,
    bytes: sll2({ ...carriedIp(resetPacket({ id: 7, seq: 5 })), packetType, interfaceIndex: i + 1 }),
  }));
  const file = path.join(tmpDir(), 'any.pcap');
  writeFileSync(file, classicPcap({ linkType: LINK.linuxSll2, records }));
  const { stdout } = await runInProcess(['read', '--json', '--events', ...args, file]);
  const { events } = JSON.parse(stdout) as { events: { direction: string; copies: number }[] };
  return events.map(({ direction, copies }) => `${direction} ${String(copies)}`);
}

describe('the direction of a reset with copies', () => {
  test.each([
    ['in at a veth and a bridge, out at the NIC', [IN, IN, OUT], 'forwarded 3'],
    ['out first, as a file out of order has it', [OUT, IN], 'forwarded 2'],
    ['out at a bridge and a veth', [OUT, OUT], 'sent 2'],
    ['in at a NIC and a bridge', [IN, IN], 'received 2'],
    ["another host's", [OTHER_HOST, OUT], 'forwarded 2'],
  ])('%s', async (_, packetTypes, expected) => {
    expect(await directions(packetTypes)).toEqual([expected]);
  });

  test('the addresses count more, where they are known', async () => {
    expect(await directions([IN, OUT], ['--local', '192.0.2.20'])).toEqual(['sent 2']);
  });
});
