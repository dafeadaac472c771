/** Batches: every frame counted once, rows in order, what is kept, interfaces and link types, tenants. */
import { describe, expect, test } from '@jest/globals';
import { BATCH_FRAMES } from '../../src/capture/frame-batch.js';
import { Decoder, type PacketCounts } from '../../src/decode/decoder.js';
import { FIN, RST, SYN } from '../../src/decode/net/tcp-layout.js';
import { zeros } from '../support/bytes.js';
import * as f from '../support/frames.js';
import { batchOf, decode, interfaceOf, KEEP_ALL, segmentAt, segmentOf } from './decoding.js';
import { FOUR, FRAME4, FRAME6, inIp, inUdp, OUTER } from './samples.js';

const ETHERNET = [interfaceOf(1)];
const NONE: PacketCounts = {
  seen: 0,
  tcp: 0,
  notTcp: 0,
  fragments: 0,
  cut: 0,
  malformed: 0,
  unknownLink: 0,
  resets: 0,
  control: 0,
};

describe('counts', () => {
  const arp = f.ethernet({ etherType: 0x0806, payload: zeros(28) });
  const fragment = f.ethernet(
    f.carriedIp(f.ipv4({ src: '192.0.2.1', dst: '192.0.2.2', fragment: { offset: 8 }, payload: zeros(8) })),
  );

  test('each frame once, by how it ended; TCP again by its flags', () => {
    const frames = [
      { bytes: FRAME4 },
      { bytes: f.segment({ flags: 'S' }) },
      { bytes: f.segment({ flags: 'F.' }) },
      { bytes: f.segment({ flags: '.' }) },
      { bytes: arp },
      { bytes: fragment },
      { bytes: FRAME6.subarray(0, 60), original: 74 },
      { bytes: FRAME6.subarray(0, 60) },
      { bytes: FRAME4, iface: 1 },
      { bytes: FRAME4, iface: 2 },
    ];
    const decoder = new Decoder(RST);
    const interfaces = [interfaceOf(1), interfaceOf(147)];
    const rows = decoder.decode(batchOf(frames), 0, frames.length, interfaces);
    expect(rows.count).toBe(1);
    expect(decoder.counts).toEqual({
      seen: 10,
      tcp: 4,
      notTcp: 1,
      fragments: 1,
      cut: 1,
      malformed: 1,
      unknownLink: 2,
      resets: 1,
      control: 3,
    });
    expect([...decoder.linkTypes]).toEqual([
      [1, 0],
      [147, 1],
      [-1, 1],
    ]);
  });

  test('over all batches', () => {
    const decoder = new Decoder(RST);
    const batch = batchOf([{ bytes: FRAME4 }, { bytes: arp }]);
    for (let i = 0; i < 3; i++) decoder.decode(batch, 0, 2, ETHERNET);
    expect(decoder.counts).toEqual({ ...NONE, seen: 6, tcp: 3, notTcp: 3, resets: 3, control: 3 });
  });

  test('nothing to decode', () => {
    const decoder = new Decoder(RST);
    expect(decoder.decode(batchOf([]), 0, 0, []).count).toBe(0);
    expect(decoder.counts).toEqual(NONE);
  });
});

describe('what is kept', () => {
  const frames = ['S', 'S.', '.', 'P.', 'F.', 'R', 'R.', 'U'].map((flags) => ({ bytes: f.segment({ flags }) }));
  const batch = batchOf(frames);

  test.each([
    [RST, ['R', 'R.']],
    [SYN | FIN | RST, ['S', 'S.', 'F.', 'R', 'R.']],
    [KEEP_ALL, ['S', 'S.', '.', 'P.', 'F.', 'R', 'R.', 'U']],
    [0, []],
  ])('flags 0x%s', (keep, letters) => {
    const rows = new Decoder(keep).decode(batch, 0, batch.count, ETHERNET);
    expect(Array.from({ length: rows.count }, (_, n) => segmentAt(rows, n).flags)).toEqual(letters);
  });

  test('a part of a batch, with the indices of the whole', () => {
    const rows = new Decoder(KEEP_ALL).decode(batch, 3, 6, ETHERNET);
    expect(Array.from(rows.frame.subarray(0, rows.count))).toEqual([3, 4, 5]);
  });

  test('a batch without room for one more', () => {
    const full = batchOf(Array.from({ length: BATCH_FRAMES }, () => ({ bytes: FRAME4 })));
    const rows = new Decoder(RST).decode(full, 0, BATCH_FRAMES, ETHERNET);
    expect(rows.count).toBe(BATCH_FRAMES);
    expect(segmentAt(rows, BATCH_FRAMES - 1)).toEqual(segmentAt(rows, 0));
  });

  test('interfaces that take turns, each with its own link type', () => {
    const frames = [
      { bytes: FRAME4, iface: 0 },
      { bytes: FOUR, iface: 1 },
      { bytes: FRAME6, iface: 0 },
      { bytes: f.sll2({ ...f.carriedIp(FOUR), interfaceIndex: 3 }), iface: 2 },
    ];
    const interfaces = [interfaceOf(1), interfaceOf(101), interfaceOf(276)];
    const rows = new Decoder(RST).decode(batchOf(frames), 0, 4, interfaces);
    expect(Array.from({ length: rows.count }, (_, n) => segmentAt(rows, n).interfaceIndex)).toEqual([-1, -1, -1, 3]);
  });

  test('nothing of the row before stays', () => {
    const decoder = new Decoder(KEEP_ALL);
    const rich = f.segment({
      flags: 'R.',
      vlans: [{ id: 5 }],
      payload: new TextEncoder().encode('No TCP'),
      options: f.tcpOptions.timestamps(1, 2),
    });
    const plain = decode(FRAME4).segment;
    expect(segmentOf(rich, { decoder })).toMatchObject({ vlan: [5], text: 'No TCP', timestamp: 1, tenant: 1 });
    expect(segmentOf(FRAME4, { decoder })).toEqual(plain);
    expect(segmentOf(f.sll2({ ...f.carriedIp(FOUR) }), { decoder, linkType: 276 }).interfaceIndex).toBe(2);
    expect(segmentOf(FRAME4, { decoder })).toEqual(plain);
  });
});

describe('tenants', () => {
  const decoder = new Decoder(KEEP_ALL);
  const tenantOf = (frame: Uint8Array, linkType = 1): number => segmentOf(frame, { decoder, linkType }).tenant;
  const tagged = (...ids: number[]): Uint8Array => f.segment({ vlans: ids.map((id) => ({ id })) });
  const vxlan = (vni: number, outer = OUTER): Uint8Array => inUdp(4789, f.vxlan({ vni, frame: FRAME4 }), outer);

  test('none without tags or tunnels', () => {
    expect(tenantOf(FRAME4)).toBe(0);
    expect(tenantOf(f.pktap({ payload: FRAME4 }), f.LINK.pktap)).toBe(0);
  });

  test('the same number for the same tags and identifiers, another for others', () => {
    const frames = [
      tagged(5),
      tagged(6),
      tagged(5, 6),
      tagged(56),
      vxlan(5),
      vxlan(6),
      inIp(47, f.gre({ payload: FOUR })),
      inIp(47, f.gre({ key: 0, payload: FOUR })),
      inUdp(6081, f.geneve({ vni: 5, payload: FRAME4 })),
      f.ethernet({ etherType: 0x8864, payload: f.pppoe({ sessionId: 5, payload: FOUR }) }),
      f.ethernet(f.carriedIp(f.ipInIp({ ...OUTER, payload: FOUR }))),
    ];
    const numbers = frames.map((frame) => tenantOf(frame));
    expect(new Set(numbers).size).toBe(frames.length);
    expect(numbers).not.toContain(0);
    const backwards = [...frames].reverse().map((frame) => tenantOf(frame));
    expect(backwards.reverse()).toEqual(numbers);
  });

  test('whichever way a segment goes: outer addresses, TEIDs, labels and calls are not part of it', () => {
    const back = { src: OUTER.dst, dst: OUTER.src };
    expect(tenantOf(vxlan(9, back))).toBe(tenantOf(vxlan(9)));
    const gtp = (teid: number): Uint8Array => inUdp(2152, f.gtpu({ teid, payload: FOUR }));
    expect(tenantOf(gtp(1))).toBe(tenantOf(gtp(2)));
    const mpls = (label: number): Uint8Array => f.ethernet({ etherType: 0x8847, payload: f.mpls([label], FOUR) });
    expect(tenantOf(mpls(16))).toBe(tenantOf(mpls(17)));
    const call = (callId: number): Uint8Array => inIp(47, f.pptpGre({ callId, payload: FOUR }));
    expect(tenantOf(call(1))).toBe(tenantOf(call(2)));
  });
});
