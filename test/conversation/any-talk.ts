/** Connections at random: mostly as stacks speak, now and then as nobody does; as frames, and as records. */
import fc from 'fast-check';
import type { At } from '../report/analysing.js';
import { concat, segment, tcpOptions } from '../support/frames.js';

export interface Step {
  readonly connection: number;
  readonly byClient: boolean;
  readonly kind:
    'open' | 'syn' | 'syn-ack' | 'ack' | 'data' | 'again' | 'probe' | 'fin' | 'abort' | 'bare' | 'refuse' | 'odd';
  /** Microseconds since the step before. */
  readonly wait: number;
  readonly length: number;
  readonly timestamps: boolean;
  readonly ttl: number;
  readonly idStep: number;
  /** Added to the sequence number: a forger, or segments that were not captured. */
  readonly shift: number;
  /** Seen once more, on its way. */
  readonly copied: boolean;
}

const often = <T>(usual: T, ...seldom: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(usual, ...seldom) });

/** Waits in order, or `disordered` by at most two seconds, as a capture of several interfaces is. */
export function step(disordered: boolean): fc.Arbitrary<Step> {
  return fc.record({
    connection: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(3) }),
    byClient: fc.boolean(),
    kind: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom<Step['kind'][]>('data', 'data', 'ack', 'open') },
      {
        weight: 5,
        arbitrary: fc.constantFrom<Step['kind'][]>(
          ...(['syn', 'syn-ack', 'again', 'probe', 'fin', 'abort', 'bare', 'refuse', 'odd'] as const),
        ),
      },
    ),
    wait: fc.oneof(
      { weight: 6, arbitrary: fc.nat(3000) },
      { weight: 3, arbitrary: fc.nat(900_000) },
      { weight: 1, arbitrary: fc.constantFrom(4_999_999, 5_000_001, 8_000_000) },
      ...(disordered ? [{ weight: 1, arbitrary: fc.integer({ min: -1_900_000, max: -1 }) }] : []),
    ),
    length: fc.constantFrom(0, 1, 1, 20, 1460),
    timestamps: often(true, false),
    ttl: often(64, 63, 117),
    idStep: often(1, 0, 700, 40_000),
    shift: often(0, 1, 1460, -500, 0x80000000),
    copied: often(false, true),
  });
}

export const steps = fc.array(step(false), { maxLength: 60, size: 'max' });
export const disorderedSteps = fc.array(step(true), { maxLength: 60, size: 'max' });

/** A connection that stays open and goes its way, for the most part. */
export const steadySteps = fc
  .array(
    fc
      .tuple(
        step(false),
        fc.oneof(
          { weight: 12, arbitrary: fc.constantFrom<Step['kind'][]>('data', 'data', 'ack') },
          { weight: 1, arbitrary: fc.constantFrom<Step['kind'][]>('again', 'probe', 'syn', 'fin', 'open', 'odd') },
        ),
        fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 2, arbitrary: fc.constant(false) }),
      )
      .map(([each, kind, timestamps]): Step => ({
        ...each,
        connection: each.connection === 3 ? 3 : 0,
        kind,
        timestamps,
      })),
    { minLength: 20, maxLength: 60, size: 'max' },
  )
  .map((all): Step[] => all.map((each, i) => (i === 0 ? { ...each, kind: 'open', connection: 0 } : each)));

interface Side {
  next: number;
  id: number;
  last: Uint8Array | null;
}

/** One frame, and what it says. */
export interface Spoken {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly reset: boolean;
}

/** What the steps say, in order of the file. */
export function spoken(all: readonly Step[]): Spoken[] {
  const sides = new Map<string, Side>();
  const side = (connection: number, isClient: boolean): Side => {
    const key = `${String(connection)} ${String(isClient)}`;
    const known = sides.get(key) ?? {
      // The second connection's numbers go over the end.
      next: connection === 1 ? 0xffffffff - (isClient ? 30 : 0) : 1000 * (connection + (isClient ? 1 : 7)),
      id: 65_530,
      last: null,
    };
    sides.set(key, known);
    return known;
  };
  const frames: Spoken[] = [];
  let now = 3_000_000;
  let base = 0;
  const say = (each: Step, isClient: boolean, flags: string, seq: number, ack: number, length = 0): void => {
    const own = side(each.connection, isClient);
    own.id = (own.id + each.idStep) & 0xffff;
    const six = each.connection === 3;
    const [client, server] = six ? ['2001:db8::9', '2001:db8::5'] : ['192.0.2.9', '10.0.0.5'];
    const port = 50_000 + (each.connection % 3);
    const options = concat(tcpOptions.nop(), tcpOptions.nop(), tcpOptions.timestamps(now >>> 10, 1));
    const bytes = segment({
      ...(isClient
        ? { src: client, dst: server, srcPort: port, dstPort: 7000 }
        : { src: server, dst: client, srcPort: 7000, dstPort: port }),
      ...{
        flags,
        seq: (seq + (flags.includes('S') ? 0 : each.shift)) >>> 0,
        ack: ack >>> 0,
        ttl: each.ttl,
        id: own.id,
      },
      window: flags === 'R' || (flags === 'R.' && seq === 0) ? 0 : 501,
      ...(each.timestamps && flags !== 'R' ? { options } : {}),
      ...(length === 0 ? {} : { payload: new Uint8Array(length).fill(9) }),
    });
    const reset = flags.includes('R');
    frames.push({ at: now, bytes, reset });
    if (each.copied) {
      const copy = bytes.slice();
      if (!six) copy[22] = each.ttl - 1;
      base += 30;
      now += 30;
      frames.push({ at: now, bytes: copy, reset });
    }
    own.last = bytes;
  };
  for (const each of all) {
    base += Math.max(0, each.wait);
    now = Math.max(0, 3_000_000 + base + Math.min(0, each.wait));
    const { byClient, length } = each;
    const own = side(each.connection, byClient);
    const other = side(each.connection, !byClient);
    const [client, server] = byClient ? [own, other] : [other, own];
    switch (each.kind) {
      case 'open':
        say(each, true, 'S', client.next, 0);
        client.next++;
        say(each, false, 'S.', server.next, client.next);
        server.next++;
        say(each, true, '.', client.next, server.next);
        break;
      case 'syn':
        say(each, byClient, 'S', own.next, 0);
        own.next++;
        break;
      case 'syn-ack':
        say(each, byClient, 'S.', own.next, other.next);
        own.next++;
        break;
      case 'ack':
        say(each, byClient, '.', own.next, other.next);
        break;
      case 'data':
        say(each, byClient, 'P.', own.next, other.next, length);
        own.next += length;
        break;
      case 'again':
        if (own.last !== null) frames.push({ at: now, bytes: own.last, reset: (own.last[47] ?? 0) === 0 });
        break;
      case 'probe':
        say(each, byClient, '.', own.next - 1, other.next, length % 2);
        break;
      case 'fin':
        say(each, byClient, 'F.', own.next, other.next);
        own.next++;
        break;
      case 'abort':
        say(each, byClient, 'R.', own.next, other.next);
        break;
      case 'bare':
        say(each, byClient, 'R', own.next, 0);
        break;
      case 'refuse':
        say({ ...each, shift: 0 }, byClient, 'R.', 0, other.next);
        break;
      case 'odd':
        say(each, byClient, length === 0 ? 'FSRP' : 'FP', length, 0, length);
        break;
    }
    own.next >>>= 0;
    other.next >>>= 0;
  }
  return frames;
}

export function framesOf(all: readonly Step[]): At[] {
  return spoken(all).map(({ at, bytes }): At => [at, bytes]);
}
