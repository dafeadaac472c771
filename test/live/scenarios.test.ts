/** Resets of real sockets in real networks, captured by both backends at once, with tcpdump beside them as the judge. */
import { describe, expect } from '@jest/globals';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { strictly } from '../render/strict-schema.js';
import { bridged, labProblem, natted, routed, twoHosts, type Namespace } from '../support/lab.js';
import { dial, knock, lingerClient, lingerServer, quietServer, type Traffic } from '../support/traffic.js';
import { testIf } from '../support/tools.js';
import { BACKENDS, backendProblem, reportOf, revised, startLive, type Backend, type Live } from './support.js';

const LAB = labProblem('tcpdump');
const TEST_TIMEOUT_MS = 180_000;
const TIMES = 3;
/** Frames of one reset that were stamped farther apart than this are not known to be of one. */
const APART_SECONDS: Readonly<Record<Backend, number>> = { tcpdump: 0.002, cap: 0.02 };
/** A scene is played so often until no machine that is busy has drawn its frames apart. */
const MOST_PLAYS = 3;
/** Between a reset's frame and its line, of all scenes. */
const delays: Readonly<Record<Backend, number[]>> = { tcpdump: [], cap: [] };
const LONGEST_DELAY = 10;
/** Between the stamp of an event and the judge's of the same frame, of all scenes. */
const offsets: Readonly<Record<Backend, number[]>> = { tcpdump: [], cap: [] };
const MOST_OFFSET: Readonly<Record<Backend, number>> = { tcpdump: 0.005, cap: 0.25 };

interface Got {
  readonly backend: Backend;
  /** In order of arrival, as they were at the end. */
  readonly events: readonly ResetEvent[];
  readonly report: Report;
  readonly code: number | null;
  readonly ns: Namespace;
  readonly judged: readonly Judged[];
  readonly live: Live;
}

/** A line of the judge. */
interface Judged {
  readonly at: number;
  readonly device: string;
  readonly from: string;
  readonly to: string;
}

interface Scene {
  readonly ns: Namespace;
  readonly args?: readonly string[];
  /** Makes the resets; resolves when they have been made. */
  readonly traffic: () => Promise<unknown>;
  /** Reset lines to wait for, the same for both; afterwards it is ended by Ctrl-C. */
  readonly lines: number;
  /** Frames that the judge sees on any. */
  readonly frames: number;
  /** It ends by itself. */
  readonly ends?: boolean;
}

const COOKED: Readonly<Record<Backend, string>> = { cap: 'LINUX_SLL', tcpdump: 'LINUX_SLL2' };

type Results = ReadonlyMap<Backend, Got>;

async function play(scene: Scene): Promise<Results> {
  const { ns, args = [], lines, frames } = scene;
  const backends = BACKENDS.filter((backend) => backendProblem(backend) === '');
  const [judge, ...lives] = await Promise.all([
    ns.tcpdump('any'),
    ...backends.map((backend) => startLive(['--ndjson', '--backend', backend, '-d', '60', ...args], { ns })),
  ]);
  const truth = await scene.traffic();
  try {
    await judge.until(frames);
  } catch (error) {
    const before = judge.lines.length;
    const { lines: seen, stderr } = await judge.stop();
    const ours = lives.map(({ stdout }) => stdout);
    const told = JSON.stringify({ before, after: seen.length, stderr, truth, ours }, null, 1);
    throw new Error(`${String(error)}: ${told}`, { cause: error });
  }
  await Promise.all(lives.map((live) => live.untilResets(lines)));
  const ended = await Promise.all(lives.map((live) => (scene.ends === true ? live.ended : live.stop())));
  const verdict = await judge.stop();
  const judged = verdict.lines.map(judgedLine);
  return new Map(
    backends.map((backend, i) => {
      const [live, end] = [lives[i], ended[i]];
      if (live === undefined || end === undefined) throw new Error('a capture is missing');
      const report = reportOf(end);
      return [backend, { backend, events: revised(live), report, code: live.child.exitCode, ns, judged, live }];
    }),
  );
}

/** Its frames came to be stamped so far apart that it is shown as several. */
function isDrawnApart({ backend, events }: Got): boolean {
  const shown = new Map<string, number>();
  return events.some(({ seq, ack, epoch }) => {
    // Behind a NAT its addresses are others.
    const key = `${seq} ${ack}`;
    const before = shown.get(key);
    const at = epoch ?? NaN;
    shown.set(key, at);
    return before !== undefined && Math.abs(at - before) > APART_SECONDS[backend];
  });
}

async function playWhole(make: () => Promise<Scene>): Promise<Results> {
  for (let plays = 1; ; plays++) {
    const results = await play(await make());
    if (plays === MOST_PLAYS || ![...results.values()].some(isDrawnApart)) return results;
  }
}

function judgedLine(line: string): Judged {
  const [, at, device, from, to] = /^(\d+\.\d+) (\S+) +\S+ +IP6? (\S+) > (\S+): /.exec(line) ?? [];
  if (at === undefined) throw new Error(`tcpdump wrote "${line}"`);
  return { at: Number(at), device: String(device), from: String(from), to: String(to) };
}

/** One test for each backend over one run of the scene; what holds of every report is checked of each. */
function scenario(name: string, make: () => Promise<Scene>, check: (got: Got) => void): void {
  let played: Promise<Results> | null = null;
  for (const backend of BACKENDS) {
    const problem = LAB || backendProblem(backend);
    testIf(
      problem === '',
      problem,
      `${name}, by ${backend}`,
      async () => {
        played ??= playWhole(make);
        const got = (await played).get(backend);
        if (got === undefined) throw new Error(`nothing was captured by ${backend}`);
        holds(got);
        check(got);
      },
      TEST_TIMEOUT_MS,
    );
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** What holds of every live report and its lines. */
function holds({ backend, events, report, code, ns, judged, live }: Got): void {
  const { packets: p } = report;
  expect(code).toBe(0);
  expect(report.incomplete).toEqual([]);
  expect(p.seen).toBe(p.tcp + p.not_tcp + p.fragments + p.cut + p.malformed + p.unknown_link);
  expect(p.resets).toBe(p.unique + p.copies);
  const kept = p.unique - p.filtered_out;
  expect(events).toHaveLength(kept);
  expect(sum(report.ports.map(({ resets }) => resets))).toBe(kept);
  expect(sum(report.causes.map(({ resets }) => resets))).toBe(kept);
  expect(sum(report.timeline.counts)).toBe(kept);
  if (p.filtered_out === 0) {
    expect(sum(events.map(({ copies }) => copies - 1))).toBe(p.copies);
    // The judge captured on the same interfaces.
    expect(p.resets).toBe(judged.length);
  }
  expect(report.source).toMatchObject({
    kind: 'live',
    files: [],
    backend,
    link_types: [!report.source.interfaces.includes('any') ? 'EN10MB' : COOKED[backend]],
    context: 'resets',
    timestamps: backend === 'cap' ? 'arrival' : 'kernel',
    trace: 'on',
    namespaces: [ns.name],
  });
  expect(p.dropped).toBe(backend === 'cap' ? null : 0);
  for (const event of events) {
    expect(event).toMatchObject({ netns: ns.inode, file: null, frame: null, frames: [] });
    const seen = judged.filter(({ from, to }) => isTuple(event, from, to));
    namedRightly(event, backend, seen);
  }
  linesHold(backend, live);
}

function isTuple({ src_ip, src_port, dest_ip, dest_port }: ResetEvent, from: string, to: string): boolean {
  return from === `${src_ip}.${String(src_port)}` && to === `${dest_ip}.${String(dest_port)}`;
}

/** Under tcpdump exactly, under cap never wrongly. */
function namedRightly(event: ResetEvent, backend: Backend, seen: readonly Judged[]): void {
  const devices = seen.map(({ device }) => device);
  if (event.interface !== null) expect(devices).toContain(event.interface);
  if (backend === 'tcpdump') {
    expect(devices).toContain(event.interface);
  } else if (event.interfaces.length > 0 && event.translations.length === 0) {
    expect(devices).toEqual(expect.arrayContaining([...event.interfaces]));
  }
  const times = seen.map(({ at }) => Math.abs(at - (event.epoch ?? 0)));
  const offset = Math.min(...times);
  expect(offset).toBeLessThan(backend === 'cap' ? 2 : 0.05);
  offsets[backend].push(offset);
}

/** The lines as they were written: of the schema's form, soon enough, revisions only of what differs. */
function linesHold(backend: Backend, { documents, lines }: Live): void {
  const known = new Map<string, Record<string, unknown>>();
  const kinds = documents.map(({ type }) => type);
  expect(kinds[0]).toBe('start');
  expect(kinds.at(-1)).toBe('summary');
  expect(kinds.filter((kind) => kind !== 'reset' && kind !== 'revision')).toEqual(['start', 'summary']);
  documents.forEach((document, i) => {
    const definition = document.type === 'reset' ? 'event' : document.type;
    expect(strictly(definition)(document)).toEqual([]);
    if (document.type === 'reset') {
      known.set(String(document['id']), { ...document });
      const delay = (lines[i]?.atMs ?? 0) / 1000 - Number(document['epoch']);
      expect(delay).toBeLessThan(LONGEST_DELAY);
      delays[backend].push(delay);
    } else if (document.type === 'revision') {
      const event = known.get(String(document['id']));
      expect(event).toBeDefined();
      const { type: _type, id: _id, ...changed } = document;
      for (const [key, value] of Object.entries(changed)) {
        expect(Object.keys(event ?? {})).toContain(key);
        expect(value).not.toEqual(event?.[key]);
      }
      Object.assign(event ?? {}, changed);
    }
  });
}

function all(...traffic: (Traffic | Promise<Traffic>)[]): Promise<unknown> {
  return Promise.all(traffic.map(async (one) => (await one).done));
}

function on(events: readonly ResetEvent[], port: number): ResetEvent[] {
  return events.filter(({ src_port, dest_port }) => src_port === port || dest_port === port);
}

/** What a key is in all of them, each value once. */
function values<Key extends keyof ResetEvent>(events: readonly ResetEvent[], key: Key): ResetEvent[Key][] {
  const texts = new Set(events.map((event) => JSON.stringify(event[key])));
  return [...texts].map((text) => JSON.parse(text) as ResetEvent[Key]);
}

/** Names that are right where they are certain, and under cap may be missing. */
function named({ backend }: Got, events: readonly ResetEvent[], ...right: readonly string[]): void {
  for (const { interface: first, interfaces } of events) {
    if (backend === 'tcpdump') {
      expect(first).toBe(right[0]);
      expect(interfaces).toEqual(right);
    } else {
      expect([...right, null]).toContain(first);
      expect(right).toEqual(expect.arrayContaining([...interfaces]));
    }
  }
}

describe('one host', () => {
  scenario(
    'closed ports on loopback, IPv4 and IPv6',
    async () => {
      const { a: ns } = await twoHosts();
      return {
        ns,
        traffic: () =>
          all(
            knock({ ns, host: '127.0.0.1', port: 7211, times: TIMES }),
            knock({ ns, host: '::1', port: 7212, times: TIMES }),
          ),
        lines: 2 * TIMES,
        frames: 2 * TIMES,
      };
    },
    ({ events, report }) => {
      for (const port of [7211, 7212]) {
        const some = on(events, port);
        expect(some).toHaveLength(TIMES);
        for (const event of some) {
          // The loopback device is the only one of its kind: even a cooked header without an index tells it.
          expect(event).toMatchObject({
            interface: 'lo',
            interfaces: ['lo'],
            copies: 1,
            translations: [],
            direction: 'local',
            service_port: port,
            reset_by: 'server',
            tcp_flags: 'R.',
            seq: 0,
          });
        }
        expect(report.ports.find((row) => row.port === port)).toMatchObject({
          resets: TIMES,
          by_server: TIMES,
          sent: TIMES,
          received: TIMES,
        });
      }
      expect(report.packets).toMatchObject({ resets: 2 * TIMES, unique: 2 * TIMES, copies: 0, filtered_out: 0 });
      expect(values(on(events, 7212), 'ip_version')).toEqual([6]);
    },
  );

  scenario(
    'a packet filter that rejects what goes out, and one that rejects what comes in',
    async () => {
      const { lab, a: ns, b } = await twoHosts();
      // An address that no namespace has.
      await lab.route(ns, '203.0.113.9', '10.99.0.2');
      await lab.nft(
        ns,
        'add table inet rsct_reject',
        'add chain inet rsct_reject out { type filter hook output priority 0; }',
        'add rule inet rsct_reject out tcp dport 7300 reject with tcp reset',
      );
      await lab.reject(b, 'input', 7301);
      return {
        ns,
        traffic: () =>
          all(
            knock({ ns, host: '203.0.113.9', port: 7300, times: TIMES }),
            knock({ ns, host: '10.99.0.2', port: 7301, times: TIMES }),
            knock({ ns, host: 'fd00:99::2', port: 7301, times: TIMES }),
          ),
        lines: 3 * TIMES,
        frames: 3 * TIMES,
      };
    },
    (got) => {
      const out = on(got.events, 7300);
      expect(out).toHaveLength(TIMES);
      for (const event of out) {
        expect(event).toMatchObject({
          src_ip: '203.0.113.9',
          dest_ip: '10.99.0.1',
          interface: 'lo',
          copies: 1,
          direction: 'sent',
          origin: 'firewall',
          service_port: 7300,
        });
        expect(event.evidence.length).toBeGreaterThan(0);
      }
      const into = on(got.events, 7301);
      expect(into).toHaveLength(2 * TIMES);
      // Who rejected it there is on this host as well, in another namespace.
      expect(values(into, 'direction')).toEqual(['local']);
      expect(values(into, 'origin')).toEqual(['firewall']);
      named(got, into, 'eth0');
    },
  );

  scenario(
    'the same reset said twice at once stays two where no interface lies upon another',
    async () => {
      const { lab, a: ns, b } = await twoHosts();
      // With two cards a cooked header does not tell which one it came by.
      await lab.veth({ ns, name: 'eth1' }, { ns: b, name: 'eth1' });
      await lab.nft(
        b,
        'add table netdev rsct_twice',
        'add chain netdev rsct_twice out { type filter hook egress device "eth0" priority 0; }',
        'add rule netdev rsct_twice out ip protocol tcp meta mark != 7 meta mark set 7 dup to "eth0"',
      );
      return {
        ns,
        traffic: () => all(knock({ ns, host: '10.99.0.2', port: 7400, times: TIMES, everyMs: 60 })),
        lines: 2 * TIMES,
        frames: 2 * TIMES,
      };
    },
    (got) => {
      expect(got.report.packets).toMatchObject({ resets: 2 * TIMES, unique: 2 * TIMES, copies: 0 });
      expect(new Set(got.judged.map(({ at }) => Math.round(at * 20))).size).toBeLessThanOrEqual(TIMES + 1);
      expect(new Set(got.events.map(({ id }) => id)).size).toBe(2 * TIMES);
      named(got, got.events, 'eth0');
    },
  );
});

describe('two hosts', () => {
  /** Resets by the server (443) and by the client (8443), over both families. */
  const lingering = async (args: readonly string[], lines: number): Promise<Scene> => {
    const { a: ns, b } = await twoHosts();
    return {
      ns,
      args,
      traffic: async () => {
        const both = ['10.99.0.2', 'fd00:99::2'];
        const servers = await Promise.all(
          both.flatMap((host) => [
            lingerServer({ ns: b, host, port: 443, afterMs: 10 }),
            quietServer({ ns: b, host, port: 5432 }),
          ]),
        );
        await all(
          ...both.flatMap((host) => [
            dial({ ns, host, port: 443, times: TIMES }),
            lingerClient({ ns, host, port: 5432, times: TIMES }),
          ]),
        );
        await Promise.all(servers.map((server) => server.stop()));
      },
      lines,
      frames: 4 * TIMES,
    };
  };

  scenario(
    'linger 0 by the server and by the client: both ends are on this host, in its namespaces',
    () => lingering([], 4 * TIMES),
    (got) => {
      const { events, report } = got;
      expect(report.packets).toMatchObject({ resets: 4 * TIMES, unique: 4 * TIMES, copies: 0 });
      expect(values(events, 'direction')).toEqual(['local']);
      expect(values(events, 'copies')).toEqual([1]);
      named(got, events, 'eth0');
      for (const [port, by] of [
        [443, 'server'],
        [5432, 'client'],
      ] as const) {
        const some = on(events, port);
        expect(some).toHaveLength(2 * TIMES);
        expect(values(some, 'service_port')).toEqual([port]);
        expect(values(some, 'reset_by')).toEqual([by]);
        expect(values(some, 'tcp_flags')).toEqual(['R.']);
        expect(values(some, 'ip_version').sort()).toEqual([4, 6]);
      }
    },
  );

  scenario(
    'the same as one of the hosts sees it: --local',
    () => lingering(['--local', '10.99.0.1,fd00:99::1'], 4 * TIMES),
    ({ events, report }) => {
      expect(values(on(events, 443), 'direction')).toEqual(['received']);
      expect(values(on(events, 5432), 'direction')).toEqual(['sent']);
      expect(report.ports.find(({ port }) => port === 443)).toMatchObject({ received: 2 * TIMES, sent: 0 });
      expect(report.ports.find(({ port }) => port === 5432)).toMatchObject({ received: 0, sent: 2 * TIMES });
    },
  );

  scenario(
    'filters leave out, and count what they left out',
    () =>
      lingering(
        ['--local', '10.99.0.0/24', '--port', '400-500,5432', '--host', '10.99.0.2', '--direction', 'local'],
        2 * TIMES,
      ),
    ({ events, report }) => {
      expect(report.packets).toMatchObject({ resets: 4 * TIMES, unique: 4 * TIMES, filtered_out: 2 * TIMES });
      expect(values(events, 'ip_version')).toEqual([4]);
      expect(on(events, 443)).toHaveLength(TIMES);
    },
  );

  for (const [name, args, kept] of [
    ['--port', ['--port', '443'], 443],
    ['--direction', ['--local', '10.99.0.1,fd00:99::1', '--direction', 'sent'], 5432],
  ] as const) {
    scenario(
      `${name} alone`,
      () => lingering(args, 2 * TIMES),
      ({ events, report }) => {
        expect(report.packets).toMatchObject({ unique: 4 * TIMES, filtered_out: 2 * TIMES });
        expect(on(events, kept)).toHaveLength(2 * TIMES);
        expect(report.ports.map(({ port }) => port)).toEqual([kept]);
      },
    );
  }

  scenario(
    '-c 5 ends with exactly five',
    async () => {
      const scene = await lingering(['-c', '5'], 5);
      return { ...scene, ends: true };
    },
    ({ events, report, live }) => {
      expect(events).toHaveLength(5);
      expect(live.resets).toHaveLength(5);
      expect(report.packets.unique - report.packets.filtered_out).toBe(5);
    },
  );
});

describe('a bridge', () => {
  scenario(
    'between two containers: one reset, seen twice',
    async () => {
      const { host: ns, a, b } = await bridged();
      return {
        ns,
        traffic: async () => {
          const server = await lingerServer({ ns: b, host: '10.88.0.20', port: 443 });
          await all(dial({ ns: a, host: '10.88.0.20', port: 443, times: TIMES }));
          await all(knock({ ns: a, host: 'fd00:88::20', port: 7211, times: TIMES }));
          await server.stop();
        },
        lines: 2 * TIMES,
        frames: 4 * TIMES,
      };
    },
    (got) => {
      expect(got.report.packets).toMatchObject({ resets: 4 * TIMES, unique: 2 * TIMES, copies: 2 * TIMES });
      expect(values(got.events, 'copies')).toEqual([2]);
      named(got, got.events, 'vethb', 'vetha');
      expect(values(on(got.events, 443), 'service_port')).toEqual([443]);
    },
  );

  /** Between a container and the host itself, where each frame passes the port and the bridge. */
  for (const [address, set] of [
    ['of its port', 'same'],
    ['of its own', '02:00:00:00:88:01'],
    ['lower than those of all its ports', '02:00:00:00:00:01'],
  ] as const) {
    scenario(
      `that has an address ${address}: one reset, seen twice, in both directions`,
      async () => {
        const { host: ns, a } = await bridged();
        const portMac = /link\/ether (\S+)/.exec(await ns.ip('-o', 'link', 'show', 'vetha'))?.[1] ?? '';
        await ns.ip('link', 'set', 'br0', 'address', set === 'same' ? portMac : set);
        return {
          ns,
          args: ['--local', '10.88.0.1,fd00:88::1'],
          traffic: async () => {
            const server = await quietServer({ ns, host: '10.88.0.1', port: 443 });
            await all(
              knock({ ns: a, host: '10.88.0.1', port: 7211, times: TIMES }),
              knock({ ns: a, host: 'fd00:88::1', port: 7212, times: TIMES }),
              lingerClient({ ns: a, host: '10.88.0.1', port: 443, times: TIMES }),
            );
            await server.stop();
          },
          lines: 3 * TIMES,
          frames: 6 * TIMES,
        };
      },
      (got) => {
        const { events, report } = got;
        expect(report.packets).toMatchObject({ resets: 6 * TIMES, unique: 3 * TIMES, copies: 3 * TIMES });
        expect(values(events, 'copies')).toEqual([2]);
        named(got, [...on(events, 7211), ...on(events, 7212)], 'br0', 'vetha');
        named(got, on(events, 443), 'vetha', 'br0');
        expect(values(on(events, 7211), 'direction')).toEqual(['sent']);
        expect(values(on(events, 443), 'direction')).toEqual(['received']);
      },
    );
  }
});

describe('an interface that lies upon another', () => {
  scenario(
    'a macvlan: one reset, seen twice, in both directions',
    async () => {
      const { lab, a: ns, b } = await twoHosts();
      await ns.ip('link', 'add', 'mac0', 'link', 'eth0', 'type', 'macvlan', 'mode', 'bridge');
      await ns.ip('link', 'set', 'mac0', 'up');
      await lab.address(ns, 'mac0', '10.98.0.1/24');
      await lab.address(b, 'eth0', '10.98.0.2/24');
      return {
        ns,
        args: ['--local', '10.98.0.1'],
        traffic: () =>
          all(
            knock({ ns, host: '10.98.0.2', port: 7501, times: TIMES }),
            knock({ ns: b, host: '10.98.0.1', port: 7502, times: TIMES }),
          ),
        lines: 2 * TIMES,
        frames: 4 * TIMES,
      };
    },
    (got) => {
      expect(got.report.packets).toMatchObject({ resets: 4 * TIMES, unique: 2 * TIMES, copies: 2 * TIMES });
      named(got, on(got.events, 7501), 'eth0', 'mac0');
      named(got, on(got.events, 7502), 'mac0', 'eth0');
      expect(values(on(got.events, 7501), 'direction')).toEqual(['received']);
      expect(values(on(got.events, 7502), 'direction')).toEqual(['sent']);
    },
  );
});

describe('a host that forwards', () => {
  /** A client beyond it whose address no namespace of this host has. */
  const remote = async (shape: Awaited<ReturnType<typeof routed>>): Promise<void> => {
    const { lab, host, far } = shape;
    await lab.route(host, '203.0.113.9', '192.0.2.50');
    await lab.nft(
      far,
      'add table ip rsct_remote',
      'add chain ip rsct_remote post { type nat hook postrouting priority 100; }',
      'add rule ip rsct_remote post ip saddr 192.0.2.50 snat to 203.0.113.9',
    );
  };
  const traffic = async ({ app, far }: Awaited<ReturnType<typeof routed>>): Promise<unknown> => {
    const servers = await Promise.all([
      lingerServer({ ns: app, host: '10.77.0.10', port: 443 }),
      quietServer({ ns: app, host: '10.77.0.10', port: 5432 }),
      lingerServer({ ns: app, host: 'fd00:77::10', port: 80 }),
    ]);
    const truth = await all(
      dial({ ns: far, host: '10.77.0.10', port: 443, times: TIMES }),
      lingerClient({ ns: far, host: '10.77.0.10', port: 5432, times: TIMES }),
      dial({ ns: far, host: 'fd00:77::10', port: 80, times: TIMES }),
    );
    await Promise.all(servers.map((server) => server.stop()));
    return truth;
  };
  const forwarding = async (args: readonly string[], lines: number): Promise<Scene> => {
    const shape = await routed();
    await remote(shape);
    return { ns: shape.host, args, traffic: () => traffic(shape), lines, frames: 9 * TIMES };
  };

  scenario(
    'one reset, seen three times',
    () => forwarding([], 3 * TIMES),
    (got) => {
      const { events, report } = got;
      expect(report.packets).toMatchObject({ resets: 9 * TIMES, unique: 3 * TIMES, copies: 6 * TIMES });
      expect(values(events, 'copies')).toEqual([3]);
      expect(values(events, 'translations')).toEqual([[]]);
      named(got, [...on(events, 443), ...on(events, 80)], 'veth1', 'br0', 'eth0');
      named(got, on(events, 5432), 'eth0', 'br0', 'veth1');
      // A container's address is one of this host's, whichever way its resets go.
      expect(values(on(events, 443), 'direction')).toEqual(['sent']);
      expect(values(on(events, 443), 'dest_ip')).toEqual(['203.0.113.9']);
      expect(values(on(events, 5432), 'direction')).toEqual(['received']);
      expect(values(on(events, 80), 'direction')).toEqual(['local']);
      expect(report.ports.find(({ port }) => port === 443)).toMatchObject({ resets: TIMES, by_server: TIMES });
    },
  );

  scenario(
    'the same on three named interfaces, each captured by a program of its own',
    () => forwarding(['-i', 'veth1,br0', '-i', 'eth0'], 3 * TIMES),
    ({ events, report }) => {
      expect(report.source.interfaces).toEqual(['veth1', 'br0', 'eth0']);
      expect(report.packets).toMatchObject({ resets: 9 * TIMES, unique: 3 * TIMES, copies: 6 * TIMES });
      // Their programs get their turn in any order.
      for (const { interfaces } of events) expect([...interfaces].sort()).toEqual(['br0', 'eth0', 'veth1']);
    },
  );

  scenario(
    'between two others: forwarded',
    () => forwarding(['--local', '192.0.2.1'], 3 * TIMES),
    ({ events }) => {
      expect(values(events, 'direction')).toEqual(['forwarded']);
      expect(values(events, 'copies')).toEqual([3]);
    },
  );

  scenario(
    'every copy is its own with --no-fold',
    () => forwarding(['--no-fold'], 9 * TIMES),
    ({ events, report }) => {
      expect(report.packets).toMatchObject({ resets: 9 * TIMES, unique: 9 * TIMES, copies: 0 });
      expect(values(events, 'copies')).toEqual([1]);
    },
  );

  scenario(
    'behind a NAT: one event under the port that the client dialled',
    async () => {
      const { host: ns, app, far } = await natted();
      return {
        ns,
        traffic: async () => {
          const server = await lingerServer({ ns: app, host: '10.77.0.10', port: 8443 });
          await all(dial({ ns: far, host: '192.0.2.1', port: 443, times: TIMES, everyMs: 30 }));
          await server.stop();
          await all(
            knock({ ns: far, host: '192.0.2.1', port: 443, times: TIMES, everyMs: 30 }),
            knock({ ns: far, host: 'fd00:2::1', port: 443, times: TIMES, everyMs: 30 }),
          );
        },
        lines: 3 * TIMES,
        frames: 9 * TIMES,
      };
    },
    (got) => {
      const { events, report, backend } = got;
      expect(report.packets).toMatchObject({ resets: 9 * TIMES, unique: 3 * TIMES, copies: 6 * TIMES });
      expect(values(events, 'copies')).toEqual([3]);
      for (const { ip_version, src_ip, src_port, dest_ip, dest_port, translations } of events) {
        expect([src_ip, src_port]).toEqual([ip_version === 4 ? '10.77.0.10' : 'fd00:77::10', 8443]);
        const there = { src_ip: ip_version === 4 ? '192.0.2.1' : 'fd00:2::1', src_port: 443, dest_ip, dest_port };
        expect(translations).toHaveLength(1);
        expect(translations[0]).toMatchObject(there);
        if (backend === 'tcpdump') expect(translations[0]?.interface).toBe('eth0');
        else expect(['eth0', null]).toContain(translations[0]?.interface);
      }
      named(got, events, 'veth1', 'br0', 'eth0');
      expect(values(events, 'service_port')).toEqual([443]);
      expect(values(events, 'reset_by')).toEqual(['server']);
      expect(report.ports.map(({ port, resets }) => [port, resets])).toEqual([[443, 3 * TIMES]]);
    },
  );
});

/** The greatest of nine in ten: this machine may stand still for a moment. */
function ofMost(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.9)] ?? NaN;
}

describe('a line', () => {
  for (const backend of BACKENDS) {
    const problem = LAB || backendProblem(backend);
    testIf(problem === '', problem, `comes within a second of its reset, by ${backend}`, () => {
      expect(ofMost(delays[backend])).toBeLessThan(1);
    });
    testIf(problem === '', problem, `bears the time of its reset, by ${backend}`, () => {
      expect(ofMost(offsets[backend])).toBeLessThan(MOST_OFFSET[backend]);
    });
  }
});
