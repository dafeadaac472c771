/** Captures that the tests of the command line read: small ones with known answers, and large ones on demand. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { classicHeader, classicPcap, classicRecord, pcapng, type ClassicRecord } from '../support/capture-bytes.js';
import { resetFrame, segment } from '../support/frames.js';
import { tmpDir } from '../support/run.js';

/** 2026-03-01T12:00:00Z. */
export const NOON = 1772366400;
export const MINUTE = 60;

/**
 * Four conversations, each with a SYN and a reset, a minute apart from noon on: port 7211 over IPv4 (refused, and the
 * reset again by an ARP-like repetition 1 ms later), port 443 over IPv4 (the server aborts), port 443 over IPv6 (the
 * client aborts), port 8080 over IPv4 (refused).
 */
export function story(): ClassicRecord[] {
  return [
    at(0, segment({ flags: 'S', seq: 1000 })),
    at(0, resetFrame(), 500),
    at(1, segment({ dstPort: 443, srcPort: 40001, flags: 'S', seq: 5 })),
    at(1, resetFrame({ srcPort: 443, dstPort: 40001, flags: 'R', seq: 99, ack: 0 }), 700),
    at(2, segment({ src: '2001:db8::10', dst: '2001:db8::20', dstPort: 443, srcPort: 40002, flags: 'S', seq: 7 })),
    at(
      2,
      segment({ src: '2001:db8::10', dst: '2001:db8::20', dstPort: 443, srcPort: 40002, flags: 'R.', seq: 8, ack: 3 }),
      900,
    ),
    at(3, segment({ dst: '198.51.100.7', dstPort: 8080, srcPort: 40003, flags: 'S', seq: 1 })),
    at(3, resetFrame({ src: '198.51.100.7', srcPort: 8080, dstPort: 40003, ack: 2 }), 300),
  ];
}

/** Frames and resets of `story`. */
export const STORY = { frames: 8, resets: 4 } as const;

function at(minutes: number, bytes: Uint8Array, micros = 0): ClassicRecord {
  return { seconds: NOON + minutes * MINUTE, fraction: micros, bytes };
}

export function storyBytes(): Uint8Array {
  return classicPcap({ records: story() });
}

/** `bytes` in a file of a folder that goes away with the test file. */
export function saved(name: string, bytes: Uint8Array | string, folder = tmpDir()): string {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

/** Two interfaces of different link types, a reset on each: Ethernet, and raw IP. */
export function twoLinkTypes(): Uint8Array {
  const frame = resetFrame();
  return pcapng()
    .interface({ linkType: 1, name: 'eth0' })
    .interface({ linkType: 101, name: 'tun0' })
    .enhancedPacket({ interface: 0, timestamp: BigInt(NOON) * 1_000_000n, bytes: frame })
    .enhancedPacket({
      interface: 1,
      timestamp: BigInt(NOON + 5) * 1_000_000n,
      bytes: resetFrame({ srcPort: 9000 }).subarray(14),
    })
    .bytes();
}

/** As many resets of different connections, a millisecond apart; 70 bytes each. */
export function manyResets(count: number): Uint8Array {
  const record = classicRecord({ seconds: 0, fraction: 0, bytes: resetFrame() });
  const header = classicHeader();
  const all = new Uint8Array(header.length + count * record.length);
  all.set(header);
  const view = new DataView(all.buffer);
  const ETHERNET_AND_IP = 16 + 14 + 20;
  for (let i = 0; i < count; i++) {
    const start = header.length + i * record.length;
    all.set(record, start);
    view.setUint32(start, NOON + Math.floor(i / 1000), true);
    view.setUint32(start + 4, (i % 1000) * 1000, true);
    // The client's port and address: the destination's.
    view.setUint16(start + ETHERNET_AND_IP + 2, 1024 + (i % 60000));
    view.setUint16(start + 16 + 14 + 18, Math.floor(i / 60000));
    view.setUint32(start + ETHERNET_AND_IP + 8, i);
  }
  return all;
}

/** One segment of data again and again. */
export function manySegments(count: number): Uint8Array {
  const record = classicRecord({ seconds: NOON, bytes: segment({ flags: '.', payload: new Uint8Array(1000) }) });
  const header = classicHeader();
  const all = new Uint8Array(header.length + count * record.length);
  all.set(header);
  for (let i = 0; i < count; i++) all.set(record, header.length + i * record.length);
  return all;
}
