/** What `-i any` and loopback devices write before the packet. */
import { describe, expect, test } from '@jest/globals';
import { hex, zeros } from '../../support/bytes.js';
import * as f from '../../support/frames.js';
import { decode, segmentOf } from '../decoding.js';
import { FOUR, FRAME4, SIX } from '../samples.js';

describe('Linux cooked', () => {
  test.each([0, 1, 2, 3, 4])('packet type %i', (packetType) => {
    const sll = f.sll({ ...f.carriedIp(FOUR), packetType });
    const sll2 = f.sll2({ ...f.carriedIp(FOUR), packetType });
    expect(segmentOf(sll, { linkType: f.LINK.linuxSll }).packetType).toBe(packetType);
    expect(segmentOf(sll2, { linkType: f.LINK.linuxSll2 }).packetType).toBe(packetType);
  });

  test('no packet type without such a header', () => {
    expect(segmentOf(FRAME4)).toMatchObject({ packetType: 255, interfaceIndex: -1 });
  });

  test('the sender’s address only', () => {
    const frame = f.sll({ ...f.carriedIp(FOUR), address: '02:00:00:00:00:77' });
    expect(segmentOf(frame, { linkType: f.LINK.linuxSll })).toMatchObject({
      srcMac: '02:00:00:00:00:77',
      dstMac: null,
    });
  });

  test('a device without addresses', () => {
    const frame = f.sll2({ ...f.carriedIp(SIX), address: null, arphrd: 65534 });
    expect(segmentOf(frame, { linkType: f.LINK.linuxSll2 })).toMatchObject({ srcMac: null, dstMac: null });
  });

  test.each([0, 7, 0x7fffffff])('interface index %i', (interfaceIndex) => {
    const frame = f.sll2({ ...f.carriedIp(FOUR), interfaceIndex });
    expect(segmentOf(frame, { linkType: f.LINK.linuxSll2 }).interfaceIndex).toBe(interfaceIndex);
  });

  test.each([f.LINK.linuxSll, f.LINK.linuxSll2])('tags, LLC and Ethernet inside (link type %i)', (linkType) => {
    const build = linkType === f.LINK.linuxSll ? f.sll : f.sll2;
    const tagged = build(f.carriedVlan({ id: 10 }, f.carriedIp(FOUR)));
    expect(segmentOf(tagged, { linkType }).vlan).toEqual([10]);
    const llc = build({ etherType: 4, payload: f.llcSnap(f.carriedIp(FOUR)) });
    expect(decode(llc, { linkType }).outcome).toBe('tcp');
    const bridged = build({ etherType: 0x6558, payload: FRAME4 });
    expect(segmentOf(bridged, { linkType })).toMatchObject({ srcMac: f.DEFAULT_SRC_MAC, dstMac: null });
  });

  test.each([
    ['netlink, whose protocol is no EtherType', { etherType: 0x0800, arphrd: 824, payload: FOUR }],
    ['ARP', { etherType: 0x0806, payload: zeros(28) }],
    ['802.3 without LLC', { etherType: 1, payload: FOUR }],
  ])('%s is not TCP', (_name, fields) => {
    expect(decode(f.sll(fields), { linkType: f.LINK.linuxSll }).outcome).toBe('not-tcp');
    expect(decode(f.sll2(fields), { linkType: f.LINK.linuxSll2 }).outcome).toBe('not-tcp');
  });
});

describe('NULL and LOOP', () => {
  test.each([10, 23, 24, 28, 30])('IPv6 as %i, in both byte orders', (family) => {
    for (const bigEndian of [false, true]) {
      const frame = f.nullLoopback({ payload: SIX, family, bigEndian });
      expect(segmentOf(frame, { linkType: f.LINK.null }).src).toBe('2001:db8::20');
    }
    expect(segmentOf(f.loop({ payload: SIX, family }), { linkType: f.LINK.loop }).version).toBe(6);
  });

  test.each([0, 7, 0x01000000, 0xffffffff])('family %i is not TCP', (family) => {
    expect(decode(f.nullLoopback({ payload: FOUR, family }), { linkType: f.LINK.null }).outcome).toBe('not-tcp');
  });
});

describe('no link header', () => {
  test.each([f.LINK.raw, f.LINK.rawBsd, f.LINK.rawOpenBsd])('link type %i takes both versions', (linkType) => {
    expect(segmentOf(FOUR, { linkType })).toMatchObject({ version: 4, srcMac: null, dstMac: null });
    expect(segmentOf(SIX, { linkType }).version).toBe(6);
    expect(decode(hex('50 00 00 00'), { linkType }).outcome).toBe('not-tcp');
  });

  test('a version that the link type rules out is malformed', () => {
    expect(decode(SIX, { linkType: f.LINK.ipv4 })).toMatchObject({ outcome: 'malformed', stop: { layer: 'ipv4' } });
    expect(decode(FOUR, { linkType: f.LINK.ipv6 })).toMatchObject({ outcome: 'malformed', stop: { layer: 'ipv6' } });
  });

  test('an empty frame', () => {
    const stop = { layer: 'raw', need: 1, have: 0, at: 0, claimedBy: 'capture' };
    expect(decode(zeros(0), { linkType: f.LINK.raw })).toMatchObject({ outcome: 'malformed', stop });
    expect(decode(zeros(0), { linkType: f.LINK.raw, original: 60 })).toMatchObject({ outcome: 'cut', stop });
  });
});
