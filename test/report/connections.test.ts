/** Connections and the share of them that was reset, for each endpoint and port: each SYN once, each reset connection once. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Report } from '../../src/report/types.js';
import { handshake, talk } from '../conversation/following.js';
import { analyse, analyseAll, classic, onInterfaces, type At, type OnInterface } from './analysing.js';

const both = talk();
const { c, s } = both;

interface Row {
  readonly port: number | null;
  readonly resets: number;
  readonly connections: number | null;
  readonly reset_ratio: number | null;
}

function rows(report: Report): { readonly endpoints: Row[]; readonly ports: Row[] } {
  const row = ({ port, resets, connections, reset_ratio }: Row): Row => ({ port, resets, connections, reset_ratio });
  return { endpoints: report.endpoints.map(row), ports: report.ports.map(row) };
}

async function rowsOf(...frames: readonly At[]): Promise<Row> {
  const { endpoints, ports } = rows(await analyse(classic(frames)));
  expect(endpoints).toEqual(ports);
  expect(endpoints).toHaveLength(1);
  return endpoints[0]!;
}

describe('connections', () => {
  test('a SYN that is said again is one, also after seconds', async () => {
    const frames = [c(0, 'S', 1000, 0), c(1000, 'S', 1000, 0), c(3000, 'S', 1000, 0), s(3010, 'R.', 0, 1001)];
    expect(await rowsOf(...frames)).toEqual({ port: 7000, resets: 1, connections: 1, reset_ratio: 1 });
  });

  test('a second one on the same addresses and ports is one more', async () => {
    const frames = [
      ...[c(0, 'S', 1000, 0), s(10, 'R.', 0, 1001)],
      ...[c(2000, 'S', 90_000, 0), s(2010, 'R.', 0, 90_001)],
    ];
    expect(await rowsOf(...frames)).toEqual({ port: 7000, resets: 2, connections: 2, reset_ratio: 1 });
  });

  test('several resets of one are one reset connection', async () => {
    const frames = [
      ...handshake(both, 0, [1000, 5000]),
      ...[s(100, 'R.', 5001, 1001), s(300, 'R.', 5002, 1001), c(500, 'R', 1001, 0)],
    ];
    expect(await rowsOf(...frames)).toEqual({ port: 7000, resets: 3, connections: 1, reset_ratio: 1 });
  });

  test('that were not reset count too', async () => {
    const others = [1, 2, 3].flatMap((n) => handshake(talk({ clientPort: 50_000 + n }), n * 100, [n, n]));
    const frames = [...others, c(500, 'S', 1000, 0), s(510, 'R.', 0, 1001)];
    expect(await rowsOf(...frames)).toEqual({ port: 7000, resets: 1, connections: 4, reset_ratio: 0.25 });
  });

  test('whose SYN was not seen do not, nor do their resets', async () => {
    const unseen = talk({ clientPort: 50_009 });
    const frames = [...handshake(both, 0, [1000, 5000]), unseen.s(100, 'S.', 5, 7), unseen.s(200, 'R.', 6, 7)];
    expect(await rowsOf(...frames)).toEqual({ port: 7000, resets: 1, connections: 1, reset_ratio: 0 });
    expect(await rowsOf(unseen.s(100, 'S.', 5, 7), unseen.s(200, 'R.', 6, 7))).toMatchObject({ reset_ratio: null });
  });

  test('whose SYN was captured behind its answer count, and are reset at most once', async () => {
    const late = [s(10, 'S.', 5000, 1001), c(11, 'S', 1000, 0), c(20, '.', 1001, 5001), s(30, 'R.', 5001, 1001)];
    expect(await rowsOf(...late)).toEqual({ port: 7000, resets: 1, connections: 1, reset_ratio: 1 });
    const other = handshake(talk({ clientPort: 50_001 }), 100, [1, 2]);
    const reset = talk({ clientPort: 50_001 }).s(200, 'R.', 3, 2);
    expect(await rowsOf(...late, ...other, reset)).toMatchObject({ connections: 2, reset_ratio: 1 });
  });

  test('are those of each server at its endpoint, of all of them at the port', async () => {
    const two = talk({ server: '10.0.0.6' });
    const six = talk({ server: '2001:db8::5', client: '2001:db8::9' });
    const report = await analyse(
      classic([
        ...[c(0, 'S', 1000, 0), s(10, 'R.', 0, 1001)],
        ...handshake(two, 100, [1, 2]),
        ...[two.c(300, 'S', 70_000, 0), two.s(310, 'R.', 0, 70_001)],
        ...[six.c(400, 'S', 5, 0), six.s(410, 'R.', 0, 6)],
      ]),
    );
    expect(report.endpoints.map(({ ip, connections, reset_ratio }) => [ip, connections, reset_ratio]).sort()).toEqual([
      ['10.0.0.5', 1, 1],
      ['10.0.0.6', 2, 0.5],
      ['2001:db8::5', 1, 1],
    ]);
    expect(rows(report).ports).toEqual([{ port: 7000, resets: 3, connections: 4, reset_ratio: 0.75 }]);
  });

  test('seen on two interfaces are one', async () => {
    const frames = [c(0, 'S', 1000, 0), s(10, 'R.', 0, 1001, { id: 5 })];
    const twice = frames.flatMap(([at, bytes]): OnInterface[] => [
      [at, 0, bytes],
      [at + 30, 1, bytes],
    ]);
    expect(rows(await analyse(onInterfaces(twice))).endpoints).toEqual([
      { port: 7000, resets: 1, connections: 1, reset_ratio: 1 },
    ]);
  });

  test('copies that are not folded do not make more reset connections than there are', async () => {
    const frames = [c(0, 'S', 1000, 0), s(10, 'R.', 0, 1001), s(10.03, 'R.', 0, 1001, { ttl: 63 })];
    const report = await analyse(classic(frames), { fold: false });
    expect(rows(report).endpoints).toMatchObject([{ resets: 2, connections: 1, reset_ratio: 1 }]);
  });

  test('go on from one file to the next', async () => {
    const [one, two] = [classic([c(0, 'S', 1000, 0)]), classic([s(500, 'R.', 0, 1001)])];
    expect(rows(await analyseAll([one, two])).endpoints).toEqual([
      { port: 7000, resets: 1, connections: 1, reset_ratio: 1 },
    ]);
  });

  test('are counted the same where data is left out', async () => {
    const frames = [
      ...handshake(both, 0, [1000, 5000]),
      c(100, 'P.', 1001, 5001, { length: 9 }),
      s(900, 'R.', 5001, 1010),
    ];
    const control = await analyse(classic(frames), { context: 'control' });
    expect(rows(control)).toEqual(rows(await analyse(classic(frames))));
    const lone = await analyse(classic(frames), { context: 'resets', service: (port) => (port === 7000 ? 'x' : null) });
    expect(rows(lone).ports).toEqual([{ port: 7000, resets: 1, connections: null, reset_ratio: null }]);
  });
});

describe('always', () => {
  const step = fc.record({
    client: fc.nat(2),
    server: fc.nat(1),
    kind: fc.constantFrom('syn', 'again', 'answer', 'ack', 'refuse', 'abort', 'fin'),
    isn: fc.constantFrom(1000, 2000, 0xffffffff),
    back: fc.boolean(),
  });

  test('no more connections were reset than there were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const frames = steps.map(({ client, server, kind, isn, back }, i): At => {
          const ends = talk({ clientPort: 50_000 + client, server: `10.0.0.${String(server + 1)}` });
          const at = i * 150;
          switch (kind) {
            case 'syn':
            case 'again':
              return ends.c(at, 'S', isn, 0);
            case 'answer':
              return ends.s(at, 'S.', 5000, isn + 1);
            case 'ack':
              return ends.c(at, '.', isn + 1, 5001);
            case 'refuse':
              return ends.s(at, 'R.', 0, isn + 1);
            case 'abort':
              return back ? ends.c(at, 'R.', isn + 1, 5001) : ends.s(at, 'R.', 5001, isn + 1);
            case 'fin':
              return back ? ends.c(at, 'F.', isn + 1, 5001) : ends.s(at, 'F.', 5001, isn + 1);
          }
        });
        const report = await analyse(classic(frames));
        const syns = steps.filter(({ kind }) => kind === 'syn' || kind === 'again').length;
        for (const row of [...report.endpoints, ...report.ports]) {
          expect(row.connections ?? 0).toBeLessThanOrEqual(syns);
          if (row.reset_ratio === null) expect(row.connections).toBeNull();
          else expect([row.reset_ratio >= 0, row.reset_ratio <= 1]).toEqual([true, true]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
