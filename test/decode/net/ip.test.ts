/** IPv4 and IPv6: lengths, options, extension headers, fragments, authentication, ICMP. */
import { describe, expect, test } from '@jest/globals';
import { hex, text, zeros } from '../../support/bytes.js';
import * as f from '../../support/frames.js';
import { decode, segmentOf } from '../decoding.js';
import { FOUR, inIp, OUTER, OUTER6, RESET, SIX, sixWith } from '../samples.js';

const extension = f.ipv6Extensions;
const ENDS = { src: '192.0.2.20', dst: '192.0.2.10' };
const ENDS6 = { src: '2001:db8::20', dst: '2001:db8::10' };
const SEGMENT = f.tcp({ ...RESET, payload: text('hello') });

function v4(fields: Partial<f.Ipv4Fields> = {}): Uint8Array {
  return f.ethernet(f.carriedIp(f.ipv4({ ...ENDS, payload: SEGMENT, ...fields })));
}

function v6(fields: Partial<f.Ipv6Fields> = {}): Uint8Array {
  return f.ethernet(f.carriedIp(f.ipv6({ ...ENDS6, payload: SEGMENT, ...fields })));
}

describe('IPv4', () => {
  test('addresses, time to live and identification', () => {
    expect(segmentOf(v4({ src: '255.255.255.255', dst: '0.0.0.1', ttl: 255, id: 0xffff }))).toMatchObject({
      version: 4,
      src: '255.255.255.255',
      dst: '0.0.0.1',
      ttl: 255,
      ipId: 0xffff,
    });
  });

  test('options are stepped over', () => {
    expect(segmentOf(v4({ options: zeros(40) })).payloadLength).toBe(5);
  });

  test('no total length (segmentation offload): the frame’s end counts', () => {
    expect(segmentOf(v4({ totalLength: 0 })).payloadLength).toBe(5);
    const cut = segmentOf(v4({ totalLength: 0 }), { captured: 54, original: 9054 });
    expect(cut.payloadLength).toBe(9000);
  });

  test('a total length beyond the frame is not believed', () => {
    expect(segmentOf(v4({ totalLength: 1500 })).payloadLength).toBe(5);
  });

  test('payload that was not captured counts all the same', () => {
    expect(segmentOf(v4(), { captured: 54 })).toMatchObject({ payloadLength: 5, text: null });
  });

  test('a frame said to be shorter than what was captured is as long as that', () => {
    expect(segmentOf(v4(), { original: 0 }).payloadLength).toBe(5);
  });

  test.each([
    ['a header of 16 bytes', { headerWords: 4 }, { need: 20, have: 16 }],
    ['another version', { version: 5 }, { need: 20, have: 0 }],
    ['a total length below the header', { totalLength: 19 }, { need: 20, have: 19 }],
    ['a total length below the options', { options: zeros(8), totalLength: 27 }, { need: 28, have: 27 }],
  ])('%s is malformed', (_name, fields, figures) => {
    expect(decode(v4(fields))).toMatchObject({
      outcome: 'malformed',
      stop: { kind: 'malformed', layer: 'ipv4', at: 14, claimedBy: 'ipv4', ...figures },
    });
  });

  test.each([1, 2, 17, 50, 89, 132, 253])('protocol %i is not TCP', (protocol) => {
    expect(decode(v4({ protocol, payload: zeros(64) })).outcome).toBe('not-tcp');
  });
});

describe('IPv6', () => {
  test('addresses and hop limit', () => {
    expect(segmentOf(v6({ src: '::1', dst: 'ff02::1:2', hopLimit: 1, flowLabel: 0xfffff }))).toMatchObject({
      version: 6,
      src: '::1',
      dst: 'ff02::1:2',
      ttl: 1,
      ipId: -1,
    });
  });

  test('an IPv4-mapped address stays IPv6', () => {
    expect(segmentOf(v6({ src: '::ffff:192.0.2.1' }))).toMatchObject({ version: 6, src: '::ffff:192.0.2.1' });
  });

  test('no payload length: the frame’s end counts', () => {
    expect(segmentOf(v6({ payloadLength: 0 })).payloadLength).toBe(5);
  });

  test('the payload length bounds', () => {
    expect(segmentOf(f.concat(v6(), zeros(9))).payloadLength).toBe(5);
  });

  test.each([
    ['hop-by-hop', [extension.hopByHop()]],
    ['routing', [extension.routing({ addresses: ['::1', '::2', '::3'] })]],
    ['destination', [extension.destination(zeros(60))]],
    ['mobility', [extension.mobility()]],
    ['host identity', [extension.raw(139, (next) => Uint8Array.of(next, 0, 0, 0, 0, 0, 0, 0))]],
    ['shim', [extension.raw(140, (next) => Uint8Array.of(next, 0, 0, 0, 0, 0, 0, 0))]],
    ['atomic fragment', [extension.fragment()]],
    ['authentication', [extension.ah()]],
    ['authentication, then destination', [extension.ah(), extension.destination()]],
    [
      'as RFC 8200 orders them',
      [
        extension.hopByHop(),
        extension.destination(),
        extension.routing(),
        extension.fragment(),
        extension.ah({ icv: zeros(20) }),
        extension.destination(),
      ],
    ],
  ])('%s', (_name, extensions) => {
    expect(segmentOf(v6({ extensions })).payloadLength).toBe(5);
  });

  test.each([59, 58, 50, 253])('next header %i is not TCP', (nextHeader) => {
    expect(decode(v6({ nextHeader, payload: zeros(40) })).outcome).toBe('not-tcp');
  });

  test('as many extension headers as are believed, and one more', () => {
    const chain = (length: number): Uint8Array =>
      v6({ extensions: Array.from({ length }, () => extension.destination()) });
    expect(decode(chain(31)).outcome).toBe('tcp');
    expect(decode(chain(32))).toMatchObject({
      outcome: 'malformed',
      stop: { layer: 'nesting', need: 33, have: 32, at: 14 + 40 + 32 * 8, claimedBy: 'nesting' },
    });
  });
});

describe('authentication headers', () => {
  test('in IPv4', () => {
    const packet = f.ahInIpv4({ ...ENDS, payload: SEGMENT });
    expect(segmentOf(f.ethernet(f.carriedIp(packet))).payloadLength).toBe(5);
  });

  test('a length below its own header is malformed', () => {
    const frame = v4({ protocol: 51, payload: f.concat(hex('06 00 0000 00000001 00000001'), SEGMENT) });
    expect(decode(frame).stop).toMatchObject({ layer: 'ah', need: 12, have: 8, at: 34, claimedBy: 'ah' });
  });

  test('one behind the other in IPv4 is nobody’s', () => {
    const ah = extension.ah();
    expect(decode(v4({ protocol: 51, payload: f.concat(ah.build(51), ah.build(6), SEGMENT) })).outcome).toBe('not-tcp');
  });

  test('encrypted payload is not TCP', () => {
    expect(decode(v4({ protocol: 50, payload: zeros(60) })).outcome).toBe('not-tcp');
  });
});

describe('fragments', () => {
  const payload = new Uint8Array(100).fill(0x41);
  const whole = f.segmentPacket({ ...RESET, payload });

  test('IPv4: the first holds the flags, later ones do not', () => {
    const [first, later, last] = f.fragmentIpv4(whole, 40).map((packet) => f.ethernet(f.carriedIp(packet)));
    expect(segmentOf(first!)).toMatchObject({ flags: 'R.', payloadLength: 20 });
    expect(decode(later!)).toMatchObject({ outcome: 'fragment', stop: null, counts: { fragments: 1 } });
    expect(decode(last!).outcome).toBe('fragment');
  });

  test('a first fragment of 16 bytes holds flags and window', () => {
    const [first] = f.fragmentIpv4(whole, 16);
    expect(segmentOf(f.ethernet(f.carriedIp(first!)))).toMatchObject({ flags: 'R.', window: 501, payloadLength: 0 });
  });

  test('one of 8 bytes does not: the flags are in the next', () => {
    const [first, second] = f.fragmentIpv4(whole, 8);
    for (const packet of [first!, second!]) {
      expect(decode(f.ethernet({ ...f.carriedIp(packet), padTo60: true }))).toMatchObject({
        outcome: 'fragment',
        stop: null,
      });
    }
  });

  test('a first fragment that the capture cut is cut', () => {
    const [first] = f.fragmentIpv4(whole, 40);
    expect(decode(f.ethernet(f.carriedIp(first!)), { captured: 14 + 20 + 13 })).toMatchObject({
      outcome: 'cut',
      stop: { layer: 'tcp', need: 14, have: 13, at: 34, claimedBy: 'capture' },
    });
  });

  test.each([
    [6, 'fragment'],
    [4, 'fragment'],
    [41, 'fragment'],
    [47, 'fragment'],
    [51, 'fragment'],
    [137, 'fragment'],
    [17, 'not-tcp'],
    [1, 'not-tcp'],
    [50, 'not-tcp'],
  ])('a later fragment of protocol %i: %s', (protocol, outcome) => {
    const fields = { protocol, fragment: { offset: 64 }, payload: zeros(24) };
    expect(decode(v4(fields)).outcome).toBe(outcome);
    const later = [extension.fragment({ offset: 64 })];
    const six = v6({ nextHeader: protocol, extensions: later, payload: zeros(24), fillChecksum: false });
    expect(decode(six).outcome).toBe(outcome);
  });

  test('IPv6', () => {
    const piece = (from: number, to: number): Uint8Array =>
      v6({
        extensions: [extension.fragment({ offset: from, more: to < 120 })],
        fillChecksum: false,
        payload: f.tcp({ ...RESET, payload }).subarray(from, to),
      });
    expect(segmentOf(piece(0, 64))).toMatchObject({ flags: 'R.', payloadLength: 44 });
    expect(segmentOf(piece(0, 16)).window).toBe(501);
    expect(decode(piece(0, 8)).outcome).toBe('fragment');
    expect(decode(piece(64, 120)).outcome).toBe('fragment');
  });

  test('IPv6: a later fragment that begins with another extension header may hold TCP', () => {
    const extensions = [extension.fragment({ offset: 8 })];
    const frame = v6({ nextHeader: 60, extensions, payload: zeros(24), fillChecksum: false });
    expect(decode(frame).outcome).toBe('fragment');
  });

  test('a tunnel’s first fragment that holds the inner header is read', () => {
    const inner = f.outerIp({ ...OUTER, protocol: 47, payload: f.gre({ payload: whole }) });
    const [first, later] = f.fragmentIpv4(inner, 80);
    expect(segmentOf(f.ethernet(f.carriedIp(first!)))).toMatchObject({
      flags: 'R.',
      outer: [{ encapsulation: 'gre' }],
      payloadLength: 36,
    });
    expect(decode(f.ethernet(f.carriedIp(later!))).outcome).toBe('fragment');
  });

  test.each([8, 24, 32, 48])('one of %i bytes that ends before the inner flags is a fragment', (size) => {
    const inner = f.outerIp({ ...OUTER, protocol: 4, payload: whole });
    const [first] = f.fragmentIpv4(inner, size < 40 ? size : 32);
    expect(decode(f.ethernet(f.carriedIp(first!)))).toMatchObject({ outcome: 'fragment', stop: null });
  });

  test('a fragmented VXLAN datagram', () => {
    const datagram = f.udp({ dstPort: 4789, payload: f.vxlan({ vni: 7, frame: f.ethernet(f.carriedIp(whole)) }) });
    const [first, later] = f.fragmentIpv4(f.outerIp({ ...OUTER, protocol: 17, payload: datagram }), 96);
    expect(segmentOf(f.ethernet(f.carriedIp(first!))).outer).toMatchObject([{ encapsulation: 'vxlan', id: 7 }]);
    expect(decode(f.ethernet(f.carriedIp(later!))).outcome).toBe('not-tcp');
    const [tiny] = f.fragmentIpv4(f.outerIp({ ...OUTER, protocol: 17, payload: datagram }), 8);
    expect(decode(f.ethernet(f.carriedIp(tiny!))).outcome).toBe('fragment');
  });
});

describe('ICMP errors quote TCP, and never count', () => {
  test.each([
    ['28 bytes', FOUR.subarray(0, 28)],
    ['the whole packet', FOUR],
  ])('ICMP, %s', (_name, quoted) => {
    for (const type of [3, 4, 5, 11, 12]) {
      expect(decode(inIp(1, f.icmpError({ version: 4, type, quoted }))).outcome).toBe('not-tcp');
    }
  });

  test('ICMPv6', () => {
    expect(decode(inIp(58, f.icmpError({ version: 6, quoted: SIX }), OUTER6)).outcome).toBe('not-tcp');
    const far = f.ipv6({
      ...OUTER6,
      nextHeader: 58,
      extensions: [extension.hopByHop()],
      payload: f.icmpError({ version: 6, quoted: sixWith() }),
    });
    expect(decode(f.ethernet(f.carriedIp(far))).outcome).toBe('not-tcp');
  });

  test('in a tunnel', () => {
    const error = f.ipv4({ ...ENDS, protocol: 1, payload: f.icmpError({ version: 4, quoted: FOUR }) });
    expect(decode(f.ethernet(f.carriedIp(f.ipInIp({ ...OUTER, payload: error })))).outcome).toBe('not-tcp');
  });
});
