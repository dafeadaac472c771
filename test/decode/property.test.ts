/** Whatever the builders can describe is decoded to just that description; whatever bytes come, nothing breaks. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAddress } from '../../src/base/address.js';
import { Decoder } from '../../src/decode/decoder.js';
import { KEEP_ANY } from '../../src/decode/net/tcp-layout.js';
import { FLAGS_MASK, R_FLAGS } from '../../src/decode/record-layout.js';
import { Records } from '../../src/decode/records.js';
import type { OuterHeader } from '../../src/decode/segment-batch.js';
import * as arbitrary from '../support/arbitraries.js';
import { timestampsAt } from '../../src/decode/net/tcp-options.js';
import { batchOf, decode, interfaceOf, KEEP_ALL, segmentAt, segmentOf } from './decoding.js';
import { SAMPLES } from './samples.js';

/** Deeper than the walk goes is tested apart. */
const DEPTH = 4;

function described(layers: readonly arbitrary.Layer[], version: 4 | 6): OuterHeader[] {
  return layers.flatMap((layer, i): OuterHeader[] => {
    if (layer.kind === 'vlan') return [];
    if (layer.kind === 'mpls') return [{ encapsulation: 'mpls', srcIp: null, destIp: null, id: layer.labels.at(-1)! }];
    if (layer.kind === 'pppoe') {
      return [{ encapsulation: 'pppoe', srcIp: null, destIp: null, id: layer.sessionId }];
    }
    const ends = { srcIp: canonical(layer.src), destIp: canonical(layer.dst) };
    switch (layer.kind) {
      case 'ipip': {
        const inner = innerVersion(layers[i + 1], version);
        const six = layer.src.includes(':');
        return [{ encapsulation: inner === 6 && !six ? '6in4' : 'ipip', ...ends, id: null }];
      }
      case 'gre':
      case 'nvgre':
        return [{ encapsulation: 'gre', ...ends, id: layer.key }];
      case 'erspan':
        return [{ encapsulation: 'erspan', ...ends, id: layer.type === 1 ? null : layer.session }];
      case 'vxlan':
      case 'geneve':
        return [{ encapsulation: layer.kind, ...ends, id: layer.vni }];
      case 'gtpu':
        return [{ encapsulation: 'gtp', ...ends, id: layer.teid }];
    }
  });
}

function innerVersion(next: arbitrary.Layer | undefined, version: 4 | 6): 4 | 6 {
  if (next === undefined) return version;
  return 'src' in next && next.src.includes(':') ? 6 : 4;
}

/** As Node writes an address: RFC 5952. */
function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

describe('stacks of encapsulations', () => {
  test('are decoded to what they were built from', () => {
    fc.assert(
      fc.property(
        arbitrary.encapsulationStack(DEPTH),
        arbitrary.tcpSegment().filter(({ tcp }) => tcp.flags !== 0),
        (layers, description) => {
          const found = segmentOf(arbitrary.stackFrame(layers, description));
          const { tcp, version } = description;
          const options = tcp.options ?? new Uint8Array(0);
          const at = timestampsAt(options, 0, options.length);
          expect(found).toMatchObject({
            version,
            src: canonical(description.src),
            dst: canonical(description.dst),
            srcPort: tcp.srcPort,
            dstPort: tcp.dstPort,
            flagBits: tcp.flags,
            seq: tcp.seq,
            ack: tcp.ack,
            window: tcp.window,
            ttl: description.ttl,
            ipId: version === 4 ? description.id : -1,
            payloadLength: tcp.payload?.length ?? 0,
            timestamp: at < 0 ? -1 : new DataView(options.buffer, options.byteOffset).getUint32(at),
            vlan: layers.flatMap((layer) => (layer.kind === 'vlan' ? [layer.id] : [])),
            outer: described(layers, version),
          });
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('cut anywhere: cut, or the same as far as it goes', () => {
    fc.assert(
      fc.property(
        arbitrary.encapsulationStack(DEPTH),
        arbitrary.tcpSegment({ reset: true }),
        fc.nat(400),
        (layers, description, length) => {
          const frame = arbitrary.stackFrame(layers, description);
          const { outcome, stop, segment } = decode(frame, { captured: Math.min(length, frame.length) });
          if (segment === null) {
            expect({ outcome, claimedBy: stop?.claimedBy }).toEqual({ outcome: 'cut', claimedBy: 'capture' });
            expect(stop!.at + stop!.have).toBe(length);
            expect(stop!.need).toBeGreaterThan(stop!.have);
          } else {
            const { seq, ack, flagBits, payloadLength } = segmentOf(frame);
            expect(segment).toMatchObject({ seq, ack, flagBits, payloadLength });
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('bytes of any kind', () => {
  const linkTypes = [...new Set(SAMPLES.map(({ linkType }) => linkType)), 12, 149, 219, 147];

  function holds(bytes: Uint8Array, linkType: number, original: number): void {
    const { outcome, stop, counts } = decode(bytes, { linkType, original });
    expect(counts.seen).toBe(1);
    const { tcp, notTcp, fragments, cut, malformed, unknownLink } = counts;
    expect(tcp + notTcp + fragments + cut + malformed + unknownLink).toBe(1);
    expect(stop?.kind ?? 'none').toBe(outcome === 'cut' || outcome === 'malformed' ? outcome : 'none');
  }

  test('never break the decoder', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(...linkTypes),
        fc.oneof(fc.constant(0), fc.nat(65535), fc.constant(0xffffffff)),
        holds,
      ),
      { numRuns: 2000 },
    );
  });

  test('nor do damaged frames', () => {
    fc.assert(
      fc.property(
        arbitrary.encapsulationStack(DEPTH),
        arbitrary.tcpSegment(),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (layers, description, changes) => {
          const frame = arbitrary.stackFrame(layers, description);
          for (const [at, value] of changes) if (at < frame.length) frame[at] = value;
          holds(frame, 1, frame.length);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a batch of them adds up', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ bytes: fc.uint8Array({ maxLength: 80 }), iface: fc.nat(linkTypes.length) }), {
          maxLength: 40,
        }),
        (frames) => {
          const decoder = new Decoder(KEEP_ALL);
          const rows = decoder.decode(batchOf(frames), 0, frames.length, linkTypes.map(interfaceOf));
          const { seen, tcp, notTcp, fragments, cut, malformed, unknownLink } = decoder.counts;
          expect(seen).toBe(frames.length);
          expect(tcp + notTcp + fragments + cut + malformed + unknownLink).toBe(seen);
          expect(rows.count).toBeLessThanOrEqual(tcp);
          for (let n = 0; n < rows.count; n++) expect(parseAddress(segmentAt(rows, n).src)).not.toBeNull();
        },
      ),
    );
  });
});

describe('the shortcut for plain segments', () => {
  test('says what the walk says', () => {
    const frame = SAMPLES[0]!.frame;
    const change = fc.tuple(fc.integer({ min: 12, max: 53 }), fc.nat(255));
    let plain = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 2 }), fc.integer({ min: 0, max: 60 }), (changes, length) => {
        const changed = new Uint8Array(60);
        changed.set(frame);
        // No reset: those are the walk's.
        changed[47] = 0x10;
        for (const [at, value] of changes) changed[at] = value;
        const records = new Records(2);
        const view = new DataView(changed.buffer, changed.byteOffset, changed.byteLength);
        if (!new Decoder(KEEP_ANY, 1, records).sieve.passes(view, 0, length, 1, 2, 3, 60)) return;
        plain++;
        const flags = records.words[R_FLAGS]! & FLAGS_MASK;
        // Every flag is asked for here, so that the segment comes by way of the walk.
        const { outcome, segment } = decode(changed, { captured: length });
        expect({ outcome, flags: segment?.flagBits ?? 0 }).toEqual({ outcome: 'tcp', flags });
      }),
      { numRuns: 5000 },
    );
    expect(plain).toBeGreaterThan(50);
  });

  test('and the decoder counts alike whatever is asked for', () => {
    fc.assert(
      fc.property(fc.array(arbitrary.tcpSegment(), { maxLength: 20 }), fc.nat(0x1ff), (segments, keep) => {
        const batch = batchOf(segments.map((each) => ({ bytes: arbitrary.stackFrame([], each) })));
        const all = new Decoder(KEEP_ALL);
        const some = new Decoder(keep);
        all.decode(batch, 0, batch.count, [interfaceOf(1)]);
        const rows = some.decode(batch, 0, batch.count, [interfaceOf(1)]);
        expect(some.counts).toEqual(all.counts);
        expect(rows.count).toBe(segments.filter(({ tcp }) => (tcp.flags & keep) !== 0).length);
      }),
    );
  });
});
