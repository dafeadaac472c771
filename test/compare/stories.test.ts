/** Two captures of one story each: what is said of a reset that one of them alone has, and what is not. */
import { describe, expect, test } from '@jest/globals';
import type { Comparison, End } from '../../src/report/comparison-types.js';
import { strictly } from '../render/strict-schema.js';
import { compareJson } from '../../src/render/compare-json.js';
import { compareBytes, shownAt, Story, USUAL, type Names, type Passing } from './world.js';

const HOUR = 3_600_000_000;

interface How {
  names?: readonly Names[];
  hops?: number;
  /** What the capture at an end has of what passes there. */
  kept?: (end: End, one: Passing) => boolean;
}

async function compared(passings: readonly Passing[], how: How = {}): Promise<Comparison> {
  const { names = [USUAL, USUAL, USUAL], hops = 2, kept = () => true } = how;
  const at = (end: End): Uint8Array =>
    shownAt(
      end,
      passings.map((one) => (kept(end, one) ? one : { ...one, [end]: null })),
      names,
      end === 'server' ? HOUR : 0,
      hops,
    ).bytes;
  const comparison = await compareBytes(at('client'), at('server'));
  expect(strictly('compare')(JSON.parse([...compareJson(comparison)].join('')))).toEqual([]);
  return comparison;
}

/** Something goes on at both ends, before and after. */
const around = (connection: number): Passing[] =>
  new Story(connection)
    .open(-2000, [77_000_001, 88_000_001])
    .say(8000, 'client', 'F.', 77_000_002, 88_000_002)
    .say(8100, 'server', 'F.', 88_000_002, 77_000_003)
    .say(8200, 'client', '.', 77_000_003, 88_000_003).passings;

const other: Names = {
  client: { client: { ip: '192.0.2.9', port: 50_001 }, server: { ip: '10.0.0.5', port: 443 } },
  server: { client: { ip: '192.0.2.9', port: 50_001 }, server: { ip: '10.0.0.5', port: 443 } },
};
const NAMES = [USUAL, other];

const begun = (): Story => new Story(0).open(0, [1_111_111_111, 2_222_222_222]);
const [C, S] = [1_111_111_112, 2_222_222_223];

describe('seen at one end only', () => {
  test('from the far end: a device between sent it', async () => {
    const story = begun().say(100, 'server', 'R.', S, C, { only: 'client', forged: true });
    const comparison = await compared([...story.passings, ...around(1)], { names: NAMES });
    expect(comparison).toMatchObject({
      both: 0,
      only_client: [{ seq: S, src_ip: '10.0.0.5' }],
      only_server: [],
      clock_offset_seconds: 3600,
      matched_connections: 2,
      not_comparable: [],
      clock: { basis: 'both-directions', one_way_seconds: 0.005 },
      verdicts: [{ seen: 'client', sent_as: 'server', verdict: 'middlebox' }],
    });
    expect(comparison.summary).toEqual([
      "1 reset was seen at the client only, from the server's address, that the server never sent: a device between them sent that one",
    ]);
    expect(comparison.verdicts[0]?.because).toEqual([
      "it bears the server's address, and server.pcap, which was made at that end and covers that time, does not have it",
      'server.pcap has the 1 other segment of that end that could be checked here',
      'whether packets were dropped, server.pcap does not say',
    ]);
  });

  test("both ends reset by a device in the other one's name: both are told", async () => {
    const story = begun()
      .say(100, 'server', 'R.', S, C, { only: 'client', forged: true })
      .say(100, 'client', 'R', C, 0, { only: 'server', forged: true });
    const { verdicts } = await compared([...story.passings, ...around(1)], { names: NAMES });
    expect(verdicts).toMatchObject([
      { seen: 'client', sent_as: 'server', verdict: 'middlebox' },
      { seen: 'server', sent_as: 'client', verdict: 'middlebox' },
    ]);
  });

  test('from the near end: it was lost', async () => {
    const story = begun().say(100, 'client', 'R.', C, S, { only: 'client' });
    const { verdicts, summary } = await compared([...story.passings, ...around(1)], { names: NAMES });
    expect(verdicts).toMatchObject([{ seen: 'client', sent_as: 'client', verdict: 'lost' }]);
    expect(summary).toEqual(['1 reset that the client sent was not seen at the server: dropped on the way']);
  });

  test('once more than at the other end: repeated, and nobody is accused', async () => {
    const story = begun().say(100, 'server', 'R', S, 0).say(400, 'server', 'R', S, 0, { only: 'client' });
    const { both, verdicts } = await compared([...story.passings, ...around(1)], { names: NAMES });
    expect(both).toBe(1);
    expect(verdicts).toMatchObject([{ seen: 'client', verdict: 'repeated' }]);
  });

  test("behind the other capture's last packet, or before its first: no claim", async () => {
    const story = begun().say(9000, 'server', 'R.', S, C, { only: 'client', forged: true });
    const after = await compared([...story.passings, ...around(1)], { names: NAMES });
    expect(after).toMatchObject({
      only_client: [],
      not_comparable: [{ seen: 'client', reason: 'after-its-window', resets: 1 }],
    });
    const early = new Story(0)
      .open(-5000, [C - 1, S - 1])
      .say(-4000, 'server', 'R.', S, C, { only: 'client', forged: true });
    const before = await compared([...early.passings, ...around(1)], {
      names: NAMES,
      kept: (end, { server }) => end === 'client' || (server ?? 0) > -3_000_000,
    });
    expect(before).toMatchObject({ only_client: [], not_comparable: [{ reason: 'before-its-window', resets: 1 }] });
  });

  test('of a connection that the other capture does not have: no claim, and why', async () => {
    const story = new Story(0)
      .say(0, 'client', 'S', C - 1, 0, { only: 'client' })
      .say(1, 'server', 'R.', 0, C, { only: 'client' });
    const comparison = await compared([...story.passings, ...around(1)], { names: NAMES });
    expect(comparison).toMatchObject({
      only_client: [],
      not_comparable: [{ reason: 'no-such-connection', resets: 1 }],
    });
    expect(comparison.not_comparable[0]?.message).toContain(
      'a device between answered for it, or server.pcap does not see',
    );
  });

  test('where the other capture lacks more of what that end sent: not sure', async () => {
    const story = begun();
    for (let i = 0; i < 6; i++) {
      story.say(50 + i * 10, 'client', 'P.', C + i, S, { length: 1 }).say(55 + i * 10, 'server', '.', S, C + i + 1);
    }
    story.say(200, 'server', 'R.', S, C + 6, { only: 'client', forged: true });
    const { verdicts } = await compared([...story.passings, ...around(1)], {
      names: NAMES,
      kept: (end, one) => end === 'client' || one.from === 'client' || one.flags !== '.' || one.id % 3 !== 0,
    });
    expect(verdicts).toMatchObject([
      { verdict: 'unsure', because: [expect.stringMatching(/^server\.pcap lacks \d of \d+ segments/)] },
    ]);
  });

  test('a capture of SYN, FIN and RST alone is whole without the rest', async () => {
    const story = begun().say(50, 'server', '.', S, C).say(100, 'server', 'R.', S, C, { only: 'client', forged: true });
    const third = new Story(2).open(10, [5_000_001, 6_000_001]).say(200, 'server', 'R.', 6_000_002, 5_000_002);
    const lean = await compared([...story.passings, ...around(1), ...third.passings], {
      names: [...NAMES, { client: other.server, server: other.server }],
      kept: (end, { flags }) => end === 'client' || flags !== '.',
    });
    expect(lean).toMatchObject({ both: 1, verdicts: [{ verdict: 'middlebox' }] });
  });

  test('its TTL is told where it differs from what else bears its address', async () => {
    const story = begun().say(100, 'server', 'R.', S, C, { only: 'client', forged: true, ttl: 63 });
    const { verdicts } = await compared([...story.passings, ...around(1)], { names: NAMES });
    expect(verdicts[0]?.because).toContain('its TTL is 63 where the other segments of that address have 62');
  });
});

describe('what cannot be told is not told', () => {
  test('nothing in common: no claim, not even of a clock', async () => {
    const story = begun().say(100, 'server', 'R.', S, C);
    const comparison = await compared([...story.passings, ...around(1)], {
      names: NAMES,
      kept: (end, { connection }) => (end === 'client') === (connection === 0),
    });
    expect(comparison).toMatchObject({
      both: 0,
      only_client: [],
      clock_offset_seconds: null,
      matched_connections: 0,
      not_comparable: [{ seen: 'client', reason: 'no-connection-in-common', resets: 1 }],
    });
    expect(comparison.summary[0]).toBe(
      'no connection of client.pcap (1) is in server.pcap (1): nothing can be compared',
    );
  });

  test('a device that rewrites sequence numbers is named as a reason, its resets are no forgeries', async () => {
    const story = begun().say(100, 'server', 'R.', S, C);
    const passings = story.passings;
    const moved = new Story(0).open(0, [5, 6]).say(100, 'server', 'R.', 7, 6).passings;
    const comparison = await compareBytes(
      shownAt('client', passings, NAMES, 0, 2).bytes,
      shownAt('server', moved, NAMES, 0, 2).bytes,
    );
    expect(comparison).toMatchObject({ both: 0, only_client: [], only_server: [], matched_connections: 0 });
    expect(comparison.summary.join('\n')).toContain(
      '1 connection has the same addresses and ports in both and other sequence numbers: a device between rewrites them',
    );
  });

  test("a scanner's constant numbers, through a NAT that changes all ports: ambiguous, not guessed", async () => {
    const scan = (from: number, nat: boolean): Names[] =>
      [0, 1, 2, 3, 4, 5].map((i) => {
        const client = { client: { ip: '192.0.2.9', port: 40_000 + i }, server: { ip: '10.0.0.5', port: 100 + i } };
        const server = {
          client: { ip: '203.0.113.1', port: from + i * 7 },
          server: { ip: '172.16.0.8', port: 900 + i * 3 },
        };
        return { client, server: nat ? server : client };
      });
    const passings = [0, 1, 2, 3, 4, 5].flatMap(
      (i) => new Story(i).say(i * 50, 'client', 'S', 4242, 0).say(i * 50 + 10, 'server', 'R.', 0, 4243).passings,
    );
    const lastly = around(6);
    const names = (nat: boolean): Names[] => [...scan(20_000, nat), other];
    const plain = await compared([...passings, ...lastly], { names: names(false) });
    expect(plain).toMatchObject({ both: 6, only_client: [], only_server: [], not_comparable: [] });
    const natted = await compared([...passings, ...lastly], { names: names(true) });
    expect(natted).toMatchObject({ both: 0, only_client: [], only_server: [] });
    expect(natted.not_comparable).toMatchObject([
      { seen: 'client', reason: 'ambiguous', resets: 6 },
      { seen: 'server', reason: 'ambiguous', resets: 6 },
    ]);
  });

  test('the files the wrong way round: who sent it is told all the same, and that they are', async () => {
    const story = begun().say(100, 'server', 'R.', S, C, { only: 'client', forged: true });
    const passings = [...story.passings, ...around(1)];
    const comparison = await compareBytes(
      shownAt('server', passings, NAMES, 0, 2).bytes,
      shownAt('client', passings, NAMES, 0, 2).bytes,
    );
    expect(comparison.verdicts).toMatchObject([{ seen: 'server', sent_as: 'client', verdict: 'middlebox' }]);
    expect(comparison.summary.join('\n')).toContain('are the two files the wrong way round?');
  });

  test('--port and --host choose by what either capture has', async () => {
    const nat: Names = {
      client: { client: { ip: '192.0.2.9', port: 50_000 }, server: { ip: '10.0.0.5', port: 443 } },
      server: { client: { ip: '203.0.113.1', port: 1234 }, server: { ip: '172.16.0.8', port: 8443 } },
    };
    const story = begun().say(100, 'server', 'R.', S, C);
    const [client, server] = (['client', 'server'] as const).map(
      (end) => shownAt(end, story.passings, [nat], 0, 1).bytes,
    );
    if (client === undefined || server === undefined) throw new Error('no captures');
    for (const port of [443, 8443, 50_000]) {
      const one = await compareBytes(client, server, { port: (p) => p === port, host: null });
      expect(one).toMatchObject({ both: 1, filtered_out: 0 });
    }
    const none = await compareBytes(client, server, { port: (p) => p === 80, host: null });
    expect(none).toMatchObject({ both: 0, filtered_out: 1, only_client: [], only_server: [], not_comparable: [] });
  });
});
