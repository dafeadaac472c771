/** Every prefix of every sample frame: what it is taken for, and exactly where and why the walk stopped. */
import { describe, expect, test } from '@jest/globals';
import type { LayerName, Stop } from '../../src/decode/walk.js';
import { decode } from './decoding.js';
import { SAMPLES, type Ask, type Sample } from './samples.js';

const TCP_MIN = 20;
/** Through the flags: a segment. Through the window: with its window. */
const THROUGH_WINDOW = 16;
/** A datagram too short for one of these only has the tunnel's port. */
const BY_PORT: readonly LayerName[] = ['vxlan', 'geneve', 'gtp'];

function tcpAt({ asks }: Sample): number {
  const last = asks.at(-1);
  if (last?.[0] !== 'tcp') throw new Error('the last to ask is TCP');
  return last[1];
}

/** The first ask that `length` bytes do not meet. */
function unmet(asks: readonly Ask[], length: number): Ask | undefined {
  return asks.find(([, at, need]) => at + need > length);
}

function stopAt([layer, at, need]: Ask, length: number, kind: Stop['kind'], claimedBy: LayerName): Stop {
  return { kind, layer, need, have: length - at, at, claimedBy };
}

/** The asks of a frame that says it is whole: TCP then needs its twenty bytes. */
function wholeAsks({ asks }: Sample): Ask[] {
  return asks.map((ask) => (ask[0] === 'tcp' ? ['tcp', ask[1], TCP_MIN] : ask));
}

describe.each(SAMPLES)('$name', (sample) => {
  const { frame, linkType, version, asks, claims = [] } = sample;

  test('the whole frame is the reset', () => {
    const { outcome, segment } = decode(frame, { linkType });
    expect({ outcome, segment }).toMatchObject({
      outcome: 'tcp',
      segment: {
        version,
        src: version === 4 ? '192.0.2.20' : '2001:db8::20',
        dst: version === 4 ? '192.0.2.10' : '2001:db8::10',
        srcPort: 7211,
        dstPort: 40000,
        flags: 'R.',
        seq: 0x80000001,
        ack: 0xfffffffe,
        window: 501,
      },
    });
  });

  test('cut by the capture', () => {
    const told = [];
    const expected = [];
    const whole = decode(frame, { linkType }).segment;
    for (let length = 0; length <= frame.length; length++) {
      const { outcome, stop, segment } = decode(frame, { linkType, captured: length });
      const ask = unmet(asks, length);
      told.push({ length, outcome, stop, window: segment?.window, payload: segment?.payloadLength });
      expected.push(
        ask === undefined
          ? {
              length,
              outcome: 'tcp',
              stop: null,
              window: length >= tcpAt(sample) + THROUGH_WINDOW ? 501 : -1,
              payload: whole?.payloadLength,
            }
          : {
              length,
              outcome: 'cut',
              stop: stopAt(ask, length, 'cut', 'capture'),
              window: undefined,
              payload: undefined,
            },
      );
    }
    expect(told).toEqual(expected);
  });

  test('so short on the wire', () => {
    const told = [];
    const expected = [];
    for (let length = 0; length < tcpAt(sample) + TCP_MIN; length++) {
      const { outcome, stop } = decode(frame.subarray(0, length), { linkType });
      const ask = unmet(wholeAsks(sample), length)!;
      told.push({ length, outcome, stop });
      const plain = isNoTunnel(sample, ask) || isEndOfList(ask);
      expected.push(
        plain
          ? { length, outcome: 'not-tcp', stop: null }
          : { length, outcome: 'malformed', stop: stopAt(ask, length, 'malformed', 'capture') },
      );
    }
    expect(told).toEqual(expected);
  });

  for (const { layer, at, from, header, littleEndian = false } of claims)
    test(`claimed short by ${layer} at ${at}`, () => {
      const told = [];
      const expected = [];
      for (let length = Math.max(header, 1); from + length < tcpAt(sample) + TCP_MIN; length++) {
        const changed = Uint8Array.from(frame);
        new DataView(changed.buffer).setUint16(at, length, littleEndian);
        const { outcome, stop } = decode(changed, { linkType });
        const ask = unmet(wholeAsks(sample), from + length)!;
        told.push({ length, outcome, stop });
        const plain = isNoTunnel(sample, ask) || isEndOfList(ask);
        expected.push(
          plain
            ? { length, outcome: 'not-tcp', stop: null }
            : { length, outcome: 'malformed', stop: stopAt(ask, from + length, 'malformed', layer) },
        );
      }
      expect(told.length).toBeGreaterThan(0);
      expect(told).toEqual(expected);
    });
});

/** The tunnel's header, by which it is recognised, has no room; GTP's optional part comes after that. */
function isNoTunnel({ asks }: Sample, ask: Ask): boolean {
  return BY_PORT.includes(ask[0]) && asks.find(([layer]) => layer === ask[0])?.[1] === ask[1];
}

/** NFLOG's list of fields may end without a payload. */
function isEndOfList([layer, at, need]: Ask): boolean {
  return layer === 'nflog' && at > 0 && need === 4;
}
