/** 802.11 with and without radiotap or PPI: which address is whose, what can't be read. */
import { describe, expect, test } from '@jest/globals';
import { hex, zeros } from '../../support/bytes.js';
import * as f from '../../support/frames.js';
import { decode, segmentOf } from '../decoding.js';
import { FOUR, FRAME4 } from '../samples.js';

const SNAP = f.llcSnap(f.carriedIp(FOUR));
const WIFI = { linkType: f.LINK.ieee80211 };
const RADIOTAP = { linkType: f.LINK.radiotap };
const ADDRESSES = {
  src: '02:00:00:00:00:31',
  dst: '02:00:00:00:00:32',
  bssid: '02:00:00:00:00:33',
  transmitter: '02:00:00:00:00:34',
};

describe('802.11', () => {
  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('source and destination with to-DS %s, from-DS %s', (toDs, fromDs) => {
    for (const qos of [false, true]) {
      const frame = f.ieee80211({ ...ADDRESSES, payload: SNAP, toDs, fromDs, qos });
      expect(segmentOf(frame, WIFI)).toMatchObject({ srcMac: ADDRESSES.src, dstMac: ADDRESSES.dst });
    }
  });

  test('of an aggregate the subframe’s', () => {
    const first = f.amsduSubframe({ src: '02:00:00:00:00:41', dst: '02:00:00:00:00:42', payload: SNAP });
    const second = f.amsduSubframe({ last: true, payload: SNAP });
    const payload = f.concat(first, second);
    const frame = f.ieee80211({ ...ADDRESSES, toDs: true, qos: true, amsdu: true, payload });
    expect(segmentOf(frame, WIFI)).toMatchObject({
      srcMac: '02:00:00:00:00:41',
      dstMac: '02:00:00:00:00:42',
      payloadLength: 0,
    });
  });

  test('an order bit without QoS is no HT control', () => {
    expect(decode(f.ieee80211({ payload: SNAP, order: true }), WIFI).outcome).toBe('tcp');
  });

  test('a frame check sequence is not payload', () => {
    expect(segmentOf(f.withFcs(f.ieee80211({ payload: SNAP })), WIFI).payloadLength).toBe(0);
  });

  test.each([
    ['encrypted', { protected: true }],
    ['management', { type: 0, subtype: 8 }],
    ['control', { type: 1, subtype: 13 }],
    ['null data', { subtype: 4 }],
    ['QoS null data', { qos: true, subtype: 12 }],
  ])('%s is not TCP', (_name, fields) => {
    expect(decode(f.ieee80211({ payload: SNAP, ...fields }), WIFI).outcome).toBe('not-tcp');
  });

  test('fragments: the first holds the header, the others nothing that can be read', () => {
    const first = f.ieee80211({ payload: SNAP.subarray(0, 48), moreFragments: true });
    expect(decode(first, WIFI).outcome).toBe('tcp');
    const tiny = f.ieee80211({ payload: SNAP.subarray(0, 36), moreFragments: true });
    expect(decode(tiny, WIFI)).toMatchObject({ outcome: 'fragment', stop: null });
    const later = f.ieee80211({ payload: SNAP.subarray(36), fragmentNumber: 1 });
    expect(decode(later, WIFI)).toMatchObject({ outcome: 'fragment', stop: null });
  });
});

describe('radiotap', () => {
  const qos = f.ieee80211({ payload: SNAP, fromDs: true, qos: true });
  const padded = f.ieee80211({ payload: SNAP, fromDs: true, qos: true, padHeader: true });

  test.each([
    ['nothing known', {}],
    ['flags', { flags: 0 }],
    ['TSFT', { tsft: 1n }],
    ['flags with all but the padding bit', { flags: 0xdf }],
    ['three words of presence', { tsft: 1n, flags: 0x10, extraPresenceWords: 2 }],
    ['more fields behind', { flags: 0, trailing: zeros(7) }],
  ])('%s', (_name, fields) => {
    expect(decode(f.radiotap({ ...fields, payload: qos }), RADIOTAP).outcome).toBe('tcp');
  });

  test.each([
    ['flags', { flags: 0x20 }],
    ['TSFT and flags', { tsft: 1n, flags: 0x20 }],
    ['an extra word moves TSFT', { tsft: 1n, flags: 0x20, extraPresenceWords: 1 }],
    ['two extra words', { tsft: 1n, flags: 0x30, extraPresenceWords: 2 }],
  ])('a padded header by %s', (_name, fields) => {
    expect(decode(f.radiotap({ ...fields, payload: padded }), RADIOTAP).outcome).toBe('tcp');
  });

  test('a length below its own header is malformed, one beyond the frame too', () => {
    const short = decode(f.radiotap({ length: 7, payload: qos }), RADIOTAP);
    expect(short.stop).toMatchObject({ layer: 'radiotap', need: 8, have: 7, at: 0, claimedBy: 'radiotap' });
    const long = decode(f.radiotap({ length: 5000, payload: qos }), RADIOTAP);
    expect(long).toMatchObject({ outcome: 'malformed', stop: { need: 5000, claimedBy: 'capture' } });
  });

  test('presence words that never end', () => {
    const frame = f.concat(hex('00 00 1000'), new Uint8Array(12).fill(0xff), qos);
    expect(['tcp', 'not-tcp']).toContain(decode(frame, RADIOTAP).outcome);
  });
});

describe('PPI', () => {
  test.each([
    ['802.11', 105, f.ieee80211({ payload: SNAP }), 'tcp'],
    ['Ethernet', 1, FRAME4, 'tcp'],
    ['anything else', 147, FRAME4, 'not-tcp'],
  ])('%s', (_name, linkType, payload, outcome) => {
    const frame = f.ppi({ linkType, fields: hex('ffff 0400 00000000'), payload });
    expect(decode(frame, { linkType: f.LINK.ppi }).outcome).toBe(outcome);
  });

  test('a length below its own header is malformed', () => {
    const frame = f.concat(hex('00 00 0700 01000000'), FRAME4);
    expect(decode(frame, { linkType: f.LINK.ppi }).stop).toMatchObject({ layer: 'ppi', need: 8, have: 7 });
  });
});
