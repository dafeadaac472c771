/**
 * Random connections over a random path, compared: whatever a NAT, a clock, loss and a forger make of them, no reset that
 * both captures hold is called a device's, and nothing is counted twice or forgotten.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Comparison, End } from '../../src/report/comparison-types.js';
import { compareBytes, shownAt, type Names, type Passing, type Shown } from './world.js';

const u32 = fc.integer({ min: 0, max: 0xffffffff });

interface Move {
  readonly from: End;
  readonly kind: 'data' | 'ack' | 'fin' | 'abort' | 'bare' | 'again';
  readonly wait: number;
  readonly length: number;
  /** Lost behind the first capture. */
  readonly isLost: boolean;
}

interface Forgery {
  readonly to: End;
  readonly after: number;
  readonly flags: 'R' | 'R.';
  readonly shift: number;
}

interface Plan {
  readonly isns: readonly [number, number];
  readonly handshake: 'whole' | 'refused' | 'none';
  readonly moves: readonly Move[];
  readonly forgeries: readonly Forgery[];
  readonly start: number;
}

const end = fc.constantFrom<End[]>('client', 'server');
const move = (loss: boolean): fc.Arbitrary<Move> =>
  fc.record({
    from: end,
    kind: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom<Move['kind'][]>('data', 'ack') },
      { weight: 2, arbitrary: fc.constantFrom<Move['kind'][]>('fin', 'abort', 'bare', 'again') },
    ),
    wait: fc.integer({ min: 0, max: 80_000 }),
    length: fc.constantFrom(1, 20, 1460),
    isLost: loss
      ? fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })
      : fc.constant(false),
  });
const forgery: fc.Arbitrary<Forgery> = fc.record({
  to: end,
  after: fc.nat(12),
  flags: fc.constantFrom<Forgery['flags'][]>('R', 'R.'),
  shift: fc.constantFrom(0, 0, 1, 1460, 70_000),
});
const plan = (loss: boolean): fc.Arbitrary<Plan> =>
  fc.record({
    isns: fc.tuple(u32, u32),
    handshake: fc.oneof(
      { weight: 6, arbitrary: fc.constant('whole' as const) },
      { weight: 2, arbitrary: fc.constantFrom<Plan['handshake'][]>('refused', 'none') },
    ),
    moves: fc.array(move(loss), { maxLength: 14, size: 'max' }),
    forgeries: fc.array(forgery, { maxLength: 2 }),
    start: fc.nat(2_000_000),
  });

interface World {
  readonly plans: readonly Plan[];
  readonly nat: 'none' | 'source' | 'target' | 'both';
  readonly ahead: number;
  readonly way: number;
  readonly jitter: readonly number[];
  readonly hops: number;
}

const world = (loss: boolean): fc.Arbitrary<World> =>
  fc.record({
    plans: fc.array(plan(loss), { minLength: 1, maxLength: 6 }),
    nat: fc.constantFrom<World['nat'][]>('none', 'source', 'target', 'both'),
    ahead: fc.oneof(fc.constant(0), fc.integer({ min: -90_000_000_000, max: 90_000_000_000 })),
    way: fc.constantFrom(20, 400, 5000, 60_000),
    jitter: fc.array(fc.nat(10), { minLength: 7, maxLength: 7 }),
    hops: fc.constantFrom(0, 1, 4),
  });

/** The router's tables: every connection its own name at each end. */
function namesOf(i: number, nat: World['nat']): Names {
  const client = { ip: `192.0.2.${String(9 + (i % 3))}`, port: 50_000 + i };
  const server = { ip: '10.0.0.5', port: i % 2 === 0 ? 443 : 7000 };
  const changed = nat === 'source' || nat === 'both';
  return {
    client: { client, server },
    server: {
      client: changed ? { ip: '203.0.113.1', port: 20_000 + ((i * 7919) % 40_000) } : client,
      server: nat === 'target' || nat === 'both' ? { ip: '172.16.0.8', port: server.port + 1000 } : server,
    },
  };
}

/** What passes, in the order in which it was said. */
function passingsOf({ plans, way, jitter }: World): Passing[] {
  const all: Passing[] = [];
  plans.forEach(({ isns, handshake, moves, forgeries, start }, connection) => {
    let now = start;
    const next: Record<End, number> = { client: isns[0], server: isns[1] };
    const say = (from: End, flags: string, seq: number, ack: number, length = 0, isLost = false): void => {
      const id = all.length + 1;
      const there = now + way + (jitter[id % jitter.length] ?? 0);
      const [client, server] = from === 'client' ? [now, isLost ? null : there] : [isLost ? null : there, now];
      all.push({ id, from, flags, seq: seq >>> 0, ack: ack >>> 0, length, client, server, forged: false, connection });
      now = there + 15;
    };
    if (handshake !== 'none') say('client', 'S', next.client++, 0);
    if (handshake === 'refused') say('server', 'R.', 0, next.client);
    if (handshake === 'whole') {
      say('server', 'S.', next.server++, next.client);
      say('client', '.', next.client, next.server);
    }
    const forge = ({ to, flags, shift }: Forgery): void => {
      const from = to === 'client' ? 'server' : 'client';
      const id = all.length + 1;
      now += 15;
      const [seq, ack] = [(next[from] + shift) >>> 0, flags === 'R' ? 0 : next[to] >>> 0];
      all.push({
        ...{ id, from, flags, seq, ack, length: 0, forged: true, connection },
        client: to === 'client' ? now : null,
        server: to === 'server' ? now : null,
      });
    };
    moves.forEach(({ from, kind, wait, length, isLost }, i) => {
      now += wait;
      const other: End = from === 'client' ? 'server' : 'client';
      if (kind === 'data') {
        say(from, 'P.', next[from], next[other], length, isLost);
        next[from] += length;
      } else if (kind === 'ack') say(from, '.', next[from], next[other], 0, isLost);
      else if (kind === 'fin') say(from, 'F.', next[from]++, next[other], 0, isLost);
      else if (kind === 'abort') say(from, 'R.', next[from]++, next[other], 0, isLost);
      else if (kind === 'bare') say(from, 'R', next[from]++, 0, 0, isLost);
      else say(from, '.', next[from] - 1, next[other], 0, isLost);
      for (const each of forgeries) if (each.after === i) forge(each);
    });
  });
  return all;
}

/** The true ids of the frames of the resets that are listed for one end. */
function idsOf(comparison: Comparison, seen: End, shown: Shown, wanted: (verdict: string) => boolean): number[] {
  const events = seen === 'client' ? comparison.only_client : comparison.only_server;
  const verdicts = comparison.verdicts.filter((row) => row.seen === seen);
  return events.flatMap((event, i) =>
    wanted(verdicts[i]?.verdict ?? '') ? event.frames.map((frame) => shown.passings[frame - 1]?.id ?? -1) : [],
  );
}

/** Resets in a capture's numbers that are in the other one, too: said again, they are the same to anybody. */
function saidOf({ passings }: Shown): Set<string> {
  return new Set(passings.filter(({ flags }) => flags.includes('R')).map(keyOf));
}

function keyOf({ connection, from, flags, seq, ack }: Passing): string {
  return `${String(connection)} ${from} ${flags} ${String(seq)} ${String(ack)}`;
}

function expectSums(comparison: Comparison): void {
  for (const seen of ['client', 'server'] as const) {
    const events = seen === 'client' ? comparison.only_client : comparison.only_server;
    const apart = comparison.not_comparable
      .filter((row) => row.seen === seen)
      .reduce((sum, { resets }) => sum + resets, 0);
    expect(comparison.both + events.length + apart).toBe(comparison.captures?.[seen].resets);
    expect(comparison.verdicts.filter((row) => row.seen === seen)).toHaveLength(events.length);
  }
}

async function compared(it: World, kept: (end: End, one: Passing) => boolean) {
  const passings = passingsOf(it);
  const names = it.plans.map((_, i) => namesOf(i, it.nat));
  const at = (seen: End): Shown =>
    shownAt(
      seen,
      passings.map((one) => (kept(seen, one) ? one : { ...one, [seen]: null })),
      names,
      seen === 'server' ? it.ahead : 0,
      it.hops,
    );
  const [client, server] = [at('client'), at('server')];
  const comparison = await compareBytes(client.bytes, server.bytes);
  expectSums(comparison);
  return { comparison, shown: { client, server } };
}

/** What is listed for one end is not in the other capture. */
function expectOneSided(comparison: Comparison, shown: Record<End, Shown>): void {
  for (const [seen, other] of [['client', 'server'] as const, ['server', 'client'] as const]) {
    const there = new Set(shown[other].passings.map(({ id }) => id));
    const listed = idsOf(comparison, seen, shown[seen], (verdict) => verdict !== 'repeated');
    expect(listed.filter((id) => there.has(id))).toEqual([]);
  }
}

describe('random connections', () => {
  test("whole captures: what is called a device's is forged, whatever path, NAT and clocks", async () => {
    let claims = 0;
    await fc.assert(
      fc.asyncProperty(world(true), async (it) => {
        const { comparison, shown } = await compared(it, () => true);
        expectOneSided(comparison, shown);
        for (const seen of ['client', 'server'] as const) {
          const forged = new Set(shown[seen].passings.flatMap(({ id, forged }) => (forged ? [id] : [])));
          const claimed = idsOf(comparison, seen, shown[seen], (verdict) => verdict === 'middlebox');
          claims += claimed.length;
          expect(claimed.filter((id) => !forged.has(id))).toEqual([]);
          const lost = idsOf(comparison, seen, shown[seen], (verdict) => verdict === 'lost');
          expect(lost.filter((id) => forged.has(id))).toEqual([]);
        }
        const { clock_offset_seconds: offset } = comparison;
        if (offset === null) return;
        // What was lost and said again within two milliseconds looks like a copy; of few segments that is half, and
        // where the two directions' delays are told by one segment each, one that waited is as long as the way.
        const most = it.way * 1e-6 + 0.0022;
        expect(Math.abs(offset - it.ahead * 1e-6)).toBeLessThanOrEqual(most);
      }),
      { numRuns: 120 },
    );
    // The property would hold of a program that never claims anything.
    expect(claims).toBeGreaterThan(10);
  }, 60_000);

  test('nothing lost, nothing forged: every reset is in both, or can be told to lie outside', async () => {
    await fc.assert(
      fc.asyncProperty(world(false), async (it) => {
        const quiet = { ...it, plans: it.plans.map((each) => ({ ...each, forgeries: [] })) };
        const { comparison, shown } = await compared(quiet, () => true);
        expect([comparison.only_client, comparison.only_server]).toEqual([[], []]);
        // A connection of which each capture has one lone ACK or reset may have numbers that are nobody's own.
        const open = comparison.not_comparable.reduce((sum, { resets }) => sum + resets, 0);
        if (shown.client.passings.some(({ flags }) => flags === 'S.'))
          expect(comparison.both > 0 || open === 0 || comparison.matched_connections > 0).toBe(true);
      }),
      { numRuns: 80 },
    );
  }, 60_000);

  test('frames that one capture dropped: no reset of both is ever listed, nor one with its numbers claimed', async () => {
    await fc.assert(
      fc.asyncProperty(
        world(true),
        fc.array(fc.nat(9), { minLength: 13, maxLength: 13 }),
        end,
        async (it, drops, poor) => {
          const { comparison, shown } = await compared(
            it,
            (seen, { id }) => seen !== poor || (drops[id % drops.length] ?? 0) > 1,
          );
          expectOneSided(comparison, shown);
          const said = { client: saidOf(shown.client), server: saidOf(shown.server) };
          for (const [seen, other] of [['client', 'server'] as const, ['server', 'client'] as const]) {
            const claimed = new Set(idsOf(comparison, seen, shown[seen], (verdict) => verdict === 'middlebox'));
            const same = shown[seen].passings.filter((one) => claimed.has(one.id) && said[other].has(keyOf(one)));
            expect(same).toEqual([]);
          }
        },
      ),
      { numRuns: 80 },
    );
  }, 60_000);

  test('a capture of resets alone, and one that began later or ended earlier: no claim that rests on nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        world(false),
        end,
        fc.boolean(),
        fc.nat(2_500_000),
        fc.nat(2_500_000),
        async (it, poor, lean, from, to) => {
          const quiet = { ...it, plans: it.plans.map((each) => ({ ...each, forgeries: [] })) };
          const { comparison, shown } = await compared(quiet, (seen, one) => {
            if (seen !== poor) return true;
            const at = one[seen] ?? 0;
            return lean ? one.flags.includes('R') : at >= Math.min(from, to) && at <= Math.max(from, to);
          });
          expectOneSided(comparison, shown);
          expect(comparison.verdicts.filter(({ verdict }) => verdict === 'middlebox' || verdict === 'lost')).toEqual(
            [],
          );
        },
      ),
      { numRuns: 80 },
    );
  }, 60_000);
});
