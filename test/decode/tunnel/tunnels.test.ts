/** Tunnels: identifiers, addresses of the outer headers in order, bounds, and datagrams that only have the port. */
import { describe, expect, test } from '@jest/globals';
import { MAX_OUTER } from '../../../src/decode/walk.js';
import { hex, u32, zeros } from '../../support/bytes.js';
import * as f from '../../support/frames.js';
import { decode, segmentOf } from '../decoding.js';
import { FOUR, FRAME4, FRAME6, inIp, inUdp, OUTER, OUTER6, SIX } from '../samples.js';

const ENDS = { srcIp: OUTER.src, destIp: OUTER.dst };
const ENDS6 = { srcIp: OUTER6.src, destIp: OUTER6.dst };

describe('IP in IP', () => {
  test.each([
    ['IPv4 in IPv4', OUTER, FOUR, { encapsulation: 'ipip', ...ENDS, id: null }],
    ['IPv6 in IPv4', OUTER, SIX, { encapsulation: '6in4', ...ENDS, id: null }],
    ['IPv4 in IPv6', OUTER6, FOUR, { encapsulation: 'ipip', ...ENDS6, id: null }],
    ['IPv6 in IPv6', OUTER6, SIX, { encapsulation: 'ipip', ...ENDS6, id: null }],
  ])('%s', (_name, outer, payload, expected) => {
    expect(segmentOf(f.ethernet(f.carriedIp(f.ipInIp({ ...outer, payload })))).outer).toEqual([expected]);
  });

  test('as many as are believed, and one more', () => {
    let packet = FOUR;
    for (let depth = 0; depth < MAX_OUTER; depth++) packet = f.ipInIp({ ...OUTER, payload: packet });
    expect(segmentOf(f.ethernet(f.carriedIp(packet))).outer).toHaveLength(MAX_OUTER);
    packet = f.ipInIp({ ...OUTER, payload: packet });
    expect(decode(f.ethernet(f.carriedIp(packet)))).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'nesting', need: MAX_OUTER + 1, have: MAX_OUTER, claimedBy: 'nesting' },
    });
  });

  test('MPLS in IP', () => {
    expect(segmentOf(inIp(137, f.mpls([5], FOUR))).outer).toEqual([
      { encapsulation: 'mpls', srcIp: null, destIp: null, id: 5 },
    ]);
  });

  test('the link’s addresses, not those inside the tunnel', () => {
    const inside = f.ethernet({ ...f.carriedIp(FOUR), src: '02:00:00:00:00:98', dst: '02:00:00:00:00:99' });
    const raw = f.outerIp({
      ...OUTER,
      protocol: 17,
      payload: f.udp({ dstPort: 4789, payload: f.vxlan({ vni: 1, frame: inside }) }),
    });
    expect(segmentOf(f.ethernet(f.carriedIp(raw))).srcMac).toBe(f.DEFAULT_SRC_MAC);
    expect(segmentOf(raw, { linkType: f.LINK.raw })).toMatchObject({ srcMac: null, dstMac: null });
  });
});

describe('GRE', () => {
  test.each([
    ['bare', {}, null],
    ['key', { key: 0 }, 0],
    ['sequence', { sequence: 4 }, null],
    ['checksum', { checksum: true }, null],
    ['all of them', { checksum: true, key: 0xffffffff, sequence: 1 }, 0xffffffff],
  ])('%s', (_name, fields, id) => {
    for (const payload of [FOUR, SIX]) {
      expect(segmentOf(inIp(47, f.gre({ payload, ...fields }))).outer).toEqual([{ encapsulation: 'gre', ...ENDS, id }]);
    }
    const bridged = f.gre({ payload: FRAME6, protocol: 0x6558, ...fields });
    expect(segmentOf(inIp(47, bridged, OUTER6)).outer).toEqual([{ encapsulation: 'gre', ...ENDS6, id }]);
  });

  test('PPTP: each direction has its own call, so there is no identifier', () => {
    expect(segmentOf(inIp(47, f.pptpGre({ callId: 5, payload: FOUR }))).outer).toEqual([
      { encapsulation: 'gre', ...ENDS, id: null },
    ]);
    const acknowledging = f.gre({
      version: 1,
      key: 1,
      sequence: 1,
      acknowledgement: 9,
      payload: f.ppp({ payload: SIX }),
    });
    expect(decode(inIp(47, acknowledging)).outcome).toBe('tcp');
  });

  test('a tag inside', () => {
    const tagged = f.ethernet(f.carriedVlan({ id: 7 }, f.carriedIp(FOUR)));
    const frame = f.ethernet(
      f.carriedVlan(
        { id: 3 },
        f.carriedIp(f.outerIp({ ...OUTER, protocol: 47, payload: f.gre({ protocol: 0x6558, payload: tagged }) })),
      ),
    );
    expect(segmentOf(frame).vlan).toEqual([3, 7]);
  });

  test.each([
    ['source routing', hex('4000 0800 00000000')],
    ['version 2', hex('0002 0800')],
    ['another protocol', hex('0000 883e')],
  ])('%s is not TCP', (_name, header) => {
    expect(decode(inIp(47, f.concat(header, FOUR))).outcome).toBe('not-tcp');
  });
});

describe('ERSPAN', () => {
  test.each([
    ['type I', { type: 1 as const }, null],
    ['type II', { type: 2 as const, session: 77, vlan: 5 }, 77],
    ['type III', { type: 3 as const, session: 1023 }, 1023],
    ['type III with a subheader', { type: 3 as const, session: 0, subheader: true }, 0],
  ])('%s', (_name, fields, id) => {
    expect(segmentOf(inIp(47, f.erspan({ ...fields, frame: FRAME4 })))).toMatchObject({
      outer: [{ encapsulation: 'erspan', ...ENDS, id }],
      vlan: [],
    });
  });

  test('type III of an IP packet', () => {
    const frame = Uint8Array.from(inIp(47, f.erspan({ type: 3, frame: SIX })));
    frame[42 + 10] = 2 << 2;
    expect(segmentOf(frame).version).toBe(6);
  });
});

describe('UDP tunnels', () => {
  test.each([4789, 8472])('VXLAN on %i', (port) => {
    expect(segmentOf(inUdp(port, f.vxlan({ vni: 0xffffff, frame: FRAME4 }))).outer).toEqual([
      { encapsulation: 'vxlan', ...ENDS, id: 0xffffff },
    ]);
  });

  test('Geneve, with options or none, Ethernet or IP inside', () => {
    const option = f.geneveOption({ class: 1, type: 2, data: zeros(8) });
    for (const frame of [
      f.geneve({ vni: 5, payload: FRAME4 }),
      f.geneve({ vni: 5, options: option, payload: FRAME4 }),
      f.geneve({ vni: 5, protocol: 0x86dd, payload: SIX }),
    ]) {
      expect(segmentOf(inUdp(6081, frame)).outer).toEqual([{ encapsulation: 'geneve', ...ENDS, id: 5 }]);
    }
  });

  test.each([
    ['bare', {}],
    ['sequence', { sequence: 1 }],
    ['N-PDU number', { nPdu: 255 }],
    ['one extension', { extensions: [{ type: 0x85, content: hex('1009') }] }],
    ['three', { extensions: [1, 2, 3].map((type) => ({ type, content: zeros(type * 4) })) }],
  ])('GTP-U, %s', (_name, fields) => {
    expect(segmentOf(inUdp(2152, f.gtpu({ teid: 0xfffffffe, payload: SIX, ...fields }), OUTER6)).outer).toEqual([
      { encapsulation: 'gtp', ...ENDS6, id: 0xfffffffe },
    ]);
  });

  test('GTP extensions that lead nowhere', () => {
    const start = f.concat(hex('34 ff 0000'), u32(1), hex('0000 00 85'));
    const endless = f.concat(start, ...Array.from({ length: 20 }, () => hex('01 0000 85')));
    expect(decode(inUdp(2152, endless))).toMatchObject({ outcome: 'malformed', stop: { layer: 'gtp' } });
    const empty = f.concat(hex('34 ff 0010'), u32(1), hex('0000 00 85 00'), zeros(11));
    expect(decode(inUdp(2152, empty))).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'gtp', need: 4, have: 0, at: 54, claimedBy: 'gtp' },
    });
  });

  test.each([
    ['VXLAN without its flag', 4789, f.vxlan({ vni: 1, flags: 0, frame: FRAME4 })],
    ['VXLAN too short', 4789, zeros(7)],
    ['Geneve of another version', 6081, f.concat(hex('40 00 6558'), zeros(4), FRAME4)],
    ['Geneve with options beyond the datagram', 6081, hex('3f 00 6558 00000000 0000')],
    ['GTP’s echo request', 2152, f.gtpu({ teid: 0, messageType: 1, payload: FOUR })],
    ['GTP version 2', 2152, f.concat(hex('48 ff 0020'), u32(0), FOUR)],
    ['an empty datagram', 2152, zeros(0)],
    ['any other port', 53, f.vxlan({ vni: 1, frame: FRAME4 })],
  ])('%s is plain UDP', (_name, port, payload) => {
    expect(decode(inUdp(port, payload))).toMatchObject({ outcome: 'not-tcp', stop: null });
  });

  test('a UDP length of 0 does not bound', () => {
    const datagram = f.udp({ dstPort: 4789, length: 0, payload: f.vxlan({ vni: 1, frame: FRAME4 }) });
    expect(decode(inIp(17, datagram)).outcome).toBe('tcp');
  });
});

describe('tunnels in tunnels', () => {
  test('outermost first', () => {
    const vxlan = f.udp({ dstPort: 4789, payload: f.vxlan({ vni: 7, frame: FRAME4 }) });
    const gre = f.gre({ key: 9, payload: f.outerIp({ ...OUTER6, protocol: 17, payload: vxlan }) });
    const pppoe = f.pppoe({ sessionId: 3, payload: f.outerIp({ ...OUTER, protocol: 47, payload: gre }) });
    expect(segmentOf(f.ethernet({ etherType: 0x8864, payload: pppoe })).outer).toEqual([
      { encapsulation: 'pppoe', srcIp: null, destIp: null, id: 3 },
      { encapsulation: 'gre', ...ENDS, id: 9 },
      { encapsulation: 'vxlan', ...ENDS6, id: 7 },
    ]);
  });

  test.each([
    ['GRE', inIp(47, f.gre({ payload: FOUR }))],
    ['ERSPAN', inIp(47, f.erspan({ type: 2, frame: FRAME4 }))],
    ['6in4', f.ethernet(f.carriedIp(f.ipInIp({ ...OUTER, payload: SIX })))],
    ['Geneve', inUdp(6081, f.geneve({ vni: 1, payload: FRAME4 }))],
    ['GTP-U', inUdp(2152, f.gtpu({ teid: 1, payload: FOUR }))],
    ['PPPoE', f.ethernet({ etherType: 0x8864, payload: f.pppoe({ payload: FOUR }) })],
    ['MPLS', f.ethernet({ etherType: 0x8847, payload: f.mpls([16], FOUR) })],
  ])('%s as one more than are believed', (_name, innermost) => {
    let frame = innermost;
    for (let depth = 1; depth < MAX_OUTER; depth++) frame = inUdp(4789, f.vxlan({ vni: depth, frame }));
    expect(segmentOf(frame).outer).toHaveLength(MAX_OUTER);
    expect(decode(inUdp(4789, f.vxlan({ vni: 9, frame })))).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'nesting', need: MAX_OUTER + 1, have: MAX_OUTER },
    });
  });

  test('every VXLAN up to the bound and beyond', () => {
    let frame = FRAME4;
    for (let depth = 0; depth < MAX_OUTER; depth++) frame = inUdp(4789, f.vxlan({ vni: depth, frame }));
    expect(segmentOf(frame).outer.map(({ id }) => id)).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
    expect(decode(inUdp(4789, f.vxlan({ vni: 9, frame }))).stop).toMatchObject({ layer: 'nesting' });
  });
});
