/** FDDI, NFLOG, PKTAP, PPP and its kin, MPLS as a link, and link types that the decoder does not know. */
import { describe, expect, test } from '@jest/globals';
import { linkTypeName } from '../../../src/decode/link-types.js';
import { MAX_LAYERS } from '../../../src/decode/walk.js';
import { hex, text, u16, zeros } from '../../support/bytes.js';
import * as f from '../../support/frames.js';
import { decode, segmentOf } from '../decoding.js';
import { FOUR, FRAME4, FRAME6, SIX } from '../samples.js';

describe('FDDI', () => {
  test('addresses', () => {
    const frame = f.fddi({ ...f.carriedIp(FOUR), src: '02:00:00:00:00:51', dst: '02:00:00:00:00:52' });
    expect(segmentOf(frame, { linkType: f.LINK.fddi })).toMatchObject({
      srcMac: '02:00:00:00:00:51',
      dstMac: '02:00:00:00:00:52',
    });
  });

  test('a token is not TCP', () => {
    const frame = f.fddi({ ...f.carriedIp(FOUR), frameControl: 0x80 });
    expect(decode(frame, { linkType: f.LINK.fddi }).outcome).toBe('not-tcp');
  });
});

describe('NFLOG', () => {
  const NFLOG = { linkType: f.LINK.nflog };

  test.each([false, true])('big endian: %s', (bigEndian) => {
    // A length of 8 reads as 2048 in the other order, which fits into a frame this large.
    const payload = f.resetPacket({ payload: zeros(3000) });
    const values = [
      { type: f.NFLOG_TLV.packetHeader, data: hex('0800 01 00') },
      { type: f.NFLOG_TLV.prefix, data: text('drop: \0') },
      { type: f.NFLOG_TLV.inInterface, data: zeros(4) },
    ];
    const { src, payloadLength } = segmentOf(f.nflog({ payload, values, bigEndian }), NFLOG);
    expect({ src, payloadLength }).toEqual({ src: '192.0.2.20', payloadLength: 3000 });
    expect(segmentOf(f.nflog({ payload: SIX, bigEndian, values: [] }), NFLOG).version).toBe(6);
  });

  test('padding behind the payload is not payload', () => {
    const payload = f.resetPacket({ payload: text('x') });
    expect(segmentOf(f.nflog({ payload }), NFLOG)).toMatchObject({ payloadLength: 1, text: 'x' });
  });

  test('another family, and a log without a packet', () => {
    expect(decode(f.nflog({ payload: FOUR, family: 7 }), NFLOG).outcome).toBe('not-tcp');
    expect(decode(hex('02 00 0000'), NFLOG).outcome).toBe('not-tcp');
    expect(decode(hex('02 00 0000 0500 0a00 00'), NFLOG).outcome).toBe('not-tcp');
  });

  test('a field of no length can’t hold the walk up', () => {
    expect(decode(hex('02 00 0000 0000 0100 0000'), NFLOG)).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'nflog', need: 4, have: 0, at: 4, claimedBy: 'nflog' },
    });
  });

  test('a field that is longer than the frame', () => {
    expect(decode(hex('02 00 0000 0d00 0a00 00000000'), NFLOG)).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'nflog', need: 13, have: 8, at: 4, claimedBy: 'capture' },
    });
  });
});

describe('PKTAP', () => {
  const PKTAP = { linkType: f.LINK.pktap };

  test('name and direction', () => {
    const frame = f.pktap({ payload: FRAME4, interfaceName: 'en\x1b7' });
    expect(segmentOf(frame, PKTAP)).toMatchObject({
      interfaceName: 'en·7',
      packetType: 0,
      srcMac: f.DEFAULT_SRC_MAC,
      tenant: 0,
    });
    const out = Uint8Array.from(frame);
    out[36] = 2;
    expect(segmentOf(out, PKTAP).packetType).toBe(4);
  });

  test('no name', () => {
    expect(segmentOf(f.pktap({ payload: FRAME4, interfaceName: '' }), PKTAP).interfaceName).toBeNull();
  });

  test.each([
    ['raw IP', f.LINK.raw, SIX],
    ['NULL', f.LINK.null, f.nullLoopback({ payload: FOUR })],
    ['radiotap', f.LINK.radiotap, f.radiotap({ payload: f.ieee80211({ payload: f.llcSnap(f.carriedIp(FOUR)) }) })],
  ])('%s inside', (_name, linkType, payload) => {
    expect(decode(f.pktap({ linkType, payload }), PKTAP).outcome).toBe('tcp');
  });

  test('under the number it had at first', () => {
    expect(decode(f.pktap({ payload: FRAME6 }), { linkType: 149 }).outcome).toBe('tcp');
  });

  test('an unknown link type inside', () => {
    expect(decode(f.pktap({ linkType: 147, payload: FRAME4 }), PKTAP).outcome).toBe('unknown-link');
  });

  test.each([258, 149])('PKTAP in PKTAP (%i), however deep', (linkType) => {
    let payload = FRAME4;
    for (let depth = 0; depth < 100; depth++) payload = f.pktap({ linkType, payload });
    expect(decode(payload, PKTAP)).toMatchObject({ outcome: 'not-tcp', stop: null });
  });

  test.each([39, 4097, 0xffffffff])('a header of %i bytes is malformed', (headerLength) => {
    expect(decode(f.pktap({ payload: FRAME4, headerLength }), PKTAP)).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'pktap', need: 40, have: headerLength, at: 0, claimedBy: 'pktap' },
    });
  });
});

describe('PPP', () => {
  test.each([f.LINK.ppp, f.LINK.pppHdlc])('with and without address and control (link type %i)', (linkType) => {
    for (const addressControl of [true, false]) {
      for (const compressedProtocol of [true, false]) {
        const frame = f.ppp({ payload: FOUR, addressControl, compressedProtocol });
        expect(decode(frame, { linkType }).outcome).toBe('tcp');
      }
    }
  });

  test('MPLS inside', () => {
    const frame = f.ppp({ protocol: 0x0281, payload: f.mpls([99], FOUR) });
    expect(segmentOf(frame, { linkType: f.LINK.ppp }).outer).toMatchObject([{ encapsulation: 'mpls', id: 99 }]);
  });

  test.each([0xc021, 0x8021, 0x002d, 0x00fd])('protocol 0x%s is not TCP', (protocol) => {
    expect(decode(f.ppp({ protocol, payload: FOUR }), { linkType: f.LINK.ppp }).outcome).toBe('not-tcp');
  });

  test.each([0x0f, 0x8f])('Cisco’s framing on a PPP_HDLC link, address 0x%s', (address) => {
    const frame = f.concat(Uint8Array.of(address, 0), u16(0x86dd), SIX);
    expect(segmentOf(frame, { linkType: f.LINK.pppHdlc }).version).toBe(6);
  });

  test('PPPoE: the session is the identifier, its length bounds the payload', () => {
    const frame = f.ethernet({ etherType: 0x8864, payload: f.pppoe({ sessionId: 513, payload: FOUR }), padTo60: true });
    expect(segmentOf(frame)).toMatchObject({
      outer: [{ encapsulation: 'pppoe', srcIp: null, destIp: null, id: 513 }],
      payloadLength: 0,
    });
    const discovery = f.pppoe({ code: 0xa7, payload: FOUR });
    expect(decode(discovery, { linkType: f.LINK.pppEther }).outcome).toBe('not-tcp');
  });
});

describe('MPLS', () => {
  const MPLS = { linkType: f.LINK.mpls };

  test('the label nearest the payload is the identifier', () => {
    expect(segmentOf(f.mpls([16, 0xfffff], SIX), MPLS).outer).toEqual([
      { encapsulation: 'mpls', srcIp: null, destIp: null, id: 0xfffff },
    ]);
  });

  test('a pseudowire with a control word, and one without', () => {
    expect(segmentOf(f.mpls([16], f.pseudowire(FRAME4)), MPLS)).toMatchObject({ srcMac: null, dstMac: null });
    expect(decode(f.mpls([16], FRAME6), MPLS).outcome).toBe('tcp');
    const numbered = f.concat(hex('0000 1234'), FRAME4);
    expect(decode(f.mpls([16], numbered), MPLS).outcome).toBe('tcp');
  });

  test('multicast EtherType', () => {
    expect(decode(f.ethernet({ etherType: 0x8848, payload: f.mpls([16], FOUR) })).outcome).toBe('tcp');
  });

  test.each([hex('10 00 0021'), hex('f0 00 0000')])('neither IP nor a control word: %s', (payload) => {
    expect(decode(f.mpls([16], payload), MPLS).outcome).toBe('not-tcp');
  });

  test('a stack without a bottom', () => {
    expect(decode(zeros(4 * 1000), MPLS)).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'nesting', need: MAX_LAYERS + 1, have: MAX_LAYERS, at: 4 * MAX_LAYERS, claimedBy: 'nesting' },
    });
  });
});

describe('link types', () => {
  test.each([147, 2, 107, 256, -1, 65535])('%i is not known', (linkType) => {
    const { outcome, stop, segment, counts } = decode(FRAME4, { linkType });
    expect({ outcome, stop, segment }).toEqual({ outcome: 'unknown-link', stop: null, segment: null });
    expect(counts).toMatchObject({ seen: 1, unknownLink: 1, tcp: 0 });
  });

  test('names', () => {
    expect([1, 113, 276, 12, 101, 9999].map(linkTypeName)).toEqual([
      'EN10MB',
      'LINUX_SLL',
      'LINUX_SLL2',
      'RAW',
      'RAW',
      '9999',
    ]);
  });
});
