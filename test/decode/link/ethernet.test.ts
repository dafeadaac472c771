/** Ethernet, VLAN tags and LLC: addresses, tags in order, padding, and what is not IP. */
import { describe, expect, test } from '@jest/globals';
import { MAX_VLANS } from '../../../src/decode/walk.js';
import { hex, zeros } from '../../support/bytes.js';
import * as f from '../../support/frames.js';
import { decode, segmentOf } from '../decoding.js';
import { FOUR, SIX } from '../samples.js';

const SNAP = f.llcSnap(f.carriedIp(FOUR));

function tagged(ids: readonly number[], tpid = 0x8100): Uint8Array {
  return f.ethernet(ids.reduceRight((inner, id) => f.carriedVlan({ id, tpid }, inner), f.carriedIp(FOUR)));
}

describe('Ethernet', () => {
  test('both addresses', () => {
    const frame = f.ethernet({ ...f.carriedIp(FOUR), src: '02:aa:bb:cc:dd:ee', dst: 'fe:ff:ff:00:00:01' });
    expect(segmentOf(frame)).toMatchObject({ srcMac: '02:aa:bb:cc:dd:ee', dstMac: 'fe:ff:ff:00:00:01' });
  });

  test('padding is never payload', () => {
    const frame = f.ethernet({ ...f.carriedIp(FOUR), padTo60: true });
    expect(frame).toHaveLength(60);
    expect(segmentOf(frame)).toMatchObject({ payloadLength: 0, text: null });
  });

  test('nor is a frame check sequence', () => {
    expect(segmentOf(f.withFcs(f.ethernet(f.carriedIp(SIX)))).payloadLength).toBe(0);
  });

  test.each([
    ['ARP', 0x0806, zeros(28)],
    ['LLDP', 0x88cc, zeros(40)],
    ['PPPoE discovery', 0x8863, hex('11 09 0000 0000')],
    ['MACsec', 0x88e5, zeros(40)],
    ['the first EtherType', 0x0600, FOUR],
  ])('%s is not TCP', (_name, etherType, payload) => {
    expect(decode(f.ethernet({ etherType, payload }))).toMatchObject({ outcome: 'not-tcp', stop: null });
  });

  test.each([
    ['an EtherType IPv4 before something else', 0x0800, SIX, 'ipv4', 20],
    ['an EtherType IPv6 before something else', 0x86dd, FOUR, 'ipv6', 40],
  ])('%s is malformed', (_name, etherType, payload, layer, need) => {
    expect(decode(f.ethernet({ etherType, payload }))).toMatchObject({
      outcome: 'malformed',
      stop: { layer, need, have: 0, at: 14, claimedBy: layer },
    });
  });
});

describe('802.3', () => {
  test('the length bounds what follows', () => {
    const frame = f.ethernet8023({ payload: SNAP, padTo60: true });
    expect(segmentOf(frame).payloadLength).toBe(0);
  });

  test('a length beyond the frame is not believed', () => {
    expect(decode(f.ethernet8023({ payload: SNAP, length: 1500 })).outcome).toBe('tcp');
  });

  test.each([
    ['spanning tree', hex('42 42 03 0000000000')],
    ['raw IPX', hex('ff ff 00 22 00 11')],
    ['an information frame', hex('aa aa 00 00 000000 0800')],
    ['a SNAP of Cisco’s', f.llcSnap({ ...f.carriedIp(FOUR), oui: 0x00000c })],
  ])('%s is not TCP', (_name, payload) => {
    expect(decode(f.ethernet8023({ payload })).outcome).toBe('not-tcp');
  });

  test('SNAP of a bridge tunnel leads to an EtherType', () => {
    const payload = f.llcSnap({ ...f.carriedIp(FOUR), oui: 0x0000f8 });
    expect(decode(f.ethernet8023({ payload })).outcome).toBe('tcp');
  });
});

describe('VLAN tags', () => {
  test.each([0x8100, 0x88a8, 0x9100])('0x%s', (tpid) => {
    expect(segmentOf(tagged([4095], tpid)).vlan).toEqual([4095]);
  });

  test('priority and drop bits are no part of the number', () => {
    const tag = { id: 5, priority: 7, dropEligible: true };
    expect(segmentOf(f.ethernet(f.carriedVlan(tag, f.carriedIp(FOUR)))).vlan).toEqual([5]);
  });

  test('outer to inner', () => {
    expect(segmentOf(tagged([100, 20, 3])).vlan).toEqual([100, 20, 3]);
  });

  test('as many as are believed, and one more', () => {
    const ids = Array.from({ length: MAX_VLANS + 1 }, (_, i) => i);
    expect(segmentOf(tagged(ids.slice(0, MAX_VLANS))).vlan).toEqual(ids.slice(0, MAX_VLANS));
    expect(decode(tagged(ids))).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'nesting', need: MAX_VLANS + 1, have: MAX_VLANS, at: 14 + 4 * MAX_VLANS, claimedBy: 'nesting' },
    });
  });
});
