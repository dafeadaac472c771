/**
 * `rstscope compare` on captures of a real tcpdump at both ends of a path with a device on it: that one forges resets,
 * swallows some, answers in a server's place, or does nothing at all, and says what it did.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import path from 'node:path';
import type { Comparison, VerdictRow } from '../../src/report/comparison-types.js';
import { strictly } from '../render/strict-schema.js';
import { Lab, labProblem, poll, type Namespace } from '../support/lab.js';
import { REPOSITORY, runCli, tmpDir } from '../support/run.js';
import { hasTool } from '../support/tools.js';

const PARTIES = path.join(REPOSITORY, 'test/support/forging.py');
const READY_MS = 15_000;
const problem = labProblem('tcpdump', 'python3') || (hasTool('editcap') ? '' : 'needs editcap');

interface Path {
  lab: Lab;
  client: Namespace;
  middle: Namespace;
  server: Namespace;
}

/** A client and a server with a router between; `nat`: it translates both ends. */
async function makePath(nat: boolean): Promise<Path> {
  const lab = await Lab.create();
  const [client, middle, server] = [
    await lab.namespace('c'),
    await lab.namespace('m'),
    await lab.namespace('s'),
  ] as const;
  for (const [ns, device, net] of [
    [client, 'left', '1'],
    [server, 'right', '2'],
  ] as const) {
    await lab.veth(
      { ns: middle, name: device, addresses: [`10.71.${net}.1/24`, `fd00:71:${net}::1/64`] },
      { ns, name: 'eth0', addresses: [`10.71.${net}.2/24`, `fd00:71:${net}::2/64`] },
    );
    for (const via of [`10.71.${net}.1`, `fd00:71:${net}::1`]) await lab.route(ns, 'default', via);
  }
  await lab.forwarding(middle);
  await lab.nft(
    middle,
    'add table inet rsct_way',
    'add chain inet rsct_way forward { type filter hook forward priority 0; }',
    'add rule inet rsct_way forward tcp dport 9999 reject with tcp reset',
    'add rule inet rsct_way forward tcp sport 8444 tcp flags & rst == rst drop',
  );
  if (nat) {
    await lab.dnat(middle, '10.71.1.1', 443, '10.71.2.2', 8443);
    await lab.nft(
      middle,
      'add table ip rsct_masq',
      'add chain ip rsct_masq out { type nat hook postrouting priority 100; }',
      'add rule ip rsct_masq out oifname "right" masquerade random',
    );
  }
  return { lab, client, middle, server };
}

/** Starts a party and waits until it is ready. */
async function party(ns: Namespace, ...args: string[]): Promise<{ lines: () => string[]; end: () => Promise<void> }> {
  const child = ns.start(['python3', PARTIES, ...args], { via: 'nsenter' });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = once(child, 'close');
  await poll(() => text.includes('ready') || child.exitCode !== null, READY_MS, args.join(' '));
  return {
    lines: () => text.split('\n').filter((line) => line.startsWith('{')),
    end: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function capture(ns: Namespace, file: string, filter: string): Promise<() => Promise<void>> {
  const fixed = ['-Z', 'root', '-U', '--immediate-mode', '-s', '128', '-B', '8192', '-i', 'eth0', '-w', file];
  const child = ns.start(['tcpdump', ...fixed, filter], { via: 'nsenter' });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const ended = once(child, 'close');
  await poll(() => said.includes('listening on') || child.exitCode !== null, READY_MS, 'tcpdump to listen');
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill('SIGINT');
    await ended;
    expect(said).toContain('0 packets dropped by kernel');
  };
}

interface Forged {
  to: 'client' | 'server';
  seq: number;
  ack: number | null;
}

interface Told {
  comparison: Comparison;
  forged: Forged[];
  files: [client: string, server: string];
}

/** Captures at both ends while the client speaks, and compares. */
async function compareOn(shape: Path, talks: readonly (readonly string[])[], filter = 'tcp'): Promise<Told> {
  const folder = tmpDir();
  const files: [string, string] = [path.join(folder, 'client.pcap'), path.join(folder, 'server.pcap')];
  const serving = await party(shape.server, 'serve', '8443', '8444');
  const device = await party(shape.middle, 'forge', 'left', 'right');
  const stops = [await capture(shape.client, files[0], filter), await capture(shape.server, files[1], filter)];
  for (const args of talks) {
    const { code, stderr } = await shape.client.exec(['python3', PARTIES, 'talk', ...args], { via: 'nsenter' });
    if (args[1] !== '9999') expect([code, stderr]).toEqual([0, '']);
  }
  for (const stop of stops) await stop();
  const forged = device.lines().map((line) => JSON.parse(line) as Forged);
  await device.end();
  await serving.end();
  return { comparison: await compared(files), forged, files };
}

async function compared(files: readonly string[]): Promise<Comparison> {
  const { code, stdout, stderr } = await runCli(['compare', '--json', ...files]);
  expect([code, stderr]).toEqual([0, '']);
  const comparison = JSON.parse(stdout) as Comparison;
  expect(strictly('compare')(comparison)).toEqual([]);
  return comparison;
}

/** The resets with that verdict, as the device would print them. */
function withVerdict(comparison: Comparison, verdict: VerdictRow['verdict']): Forged[] {
  return comparison.verdicts
    .filter((row) => row.verdict === verdict)
    .flatMap(({ seen, id }) => {
      const events = seen === 'client' ? comparison.only_client : comparison.only_server;
      const event = events.find((one) => one.id === id);
      return event === undefined ? [] : [{ to: seen, seq: event.seq, ack: event.ack }];
    });
}

const inOrder = (list: readonly Forged[]): string[] => list.map((one) => JSON.stringify(one)).sort();

describe.each([
  ['a router', false, '10.71.2.2', '8443'],
  ['a NAT of both ends', true, '10.71.1.1', '443'],
] as const)('through %s', (_, nat, address, port) => {
  const name = (text: string): string => (problem === '' ? text : `${text} [skipped: ${problem}]`);
  const only = problem === '' ? test : test.skip;
  let shape: Path | null = null;
  const made = (): Path => {
    if (shape === null) throw new Error('no lab');
    return shape;
  };
  beforeAll(async () => {
    if (problem === '') shape = await makePath(nat);
  }, 60_000);
  afterAll(async () => {
    await shape?.lab.destroy();
  }, 60_000);

  only(
    name('the resets that the device forged are told from all others, exactly'),
    async () => {
      const words = ['ECHO', 'SABRT', 'FRGC', 'CABRT', 'FRGS', 'ECHO', 'FRGB', 'SABRT', 'FRGC', 'ECHO'];
      const { comparison, forged, files } = await compareOn(made(), [[address, port, ...words]]);
      expect(forged.map(({ to }) => to).sort()).toEqual(['client', 'client', 'client', 'server', 'server']);
      expect(inOrder(withVerdict(comparison, 'middlebox'))).toEqual(inOrder(forged));
      expect(comparison.verdicts.every(({ verdict }) => verdict === 'middlebox')).toBe(true);
      expect(comparison.not_comparable).toEqual([]);
      expect(comparison.matched_connections).toBe(words.length);
      // Two aborts of the server's, one of the client's, and what live ends answer to forged ones.
      expect(comparison.both).toBeGreaterThanOrEqual(3);
      expect(Math.abs(comparison.clock_offset_seconds ?? NaN)).toBeLessThan(0.002);
      expect(comparison.summary[0]).toBe(
        "3 resets were seen at the client only, from the server's address, that the server never sent: a device between them sent those",
      );
      // The same with a clock that is a day and a quarter second ahead, and with the files the other way round.
      const ahead = path.join(path.dirname(files[1]), 'ahead.pcap');
      await made().server.exec(['editcap', '-t', '86400.25', files[1], ahead]);
      const moved = await compared([files[0], ahead]);
      expect(Math.abs((moved.clock_offset_seconds ?? NaN) - 86_400.25)).toBeLessThan(0.002);
      expect(inOrder(withVerdict(moved, 'middlebox'))).toEqual(inOrder(forged));
      const swapped = await compared([files[1], files[0]]);
      expect(withVerdict(swapped, 'middlebox')).toHaveLength(forged.length);
      expect(swapped.summary.join('\n')).toContain('the wrong way round?');
    },
    60_000,
  );

  if (nat) return;
  only(
    name('what nobody forged is at both ends'),
    async () => {
      const words = ['ECHO', 'SABRT', 'CABRT', 'SABRT', 'ECHO'];
      const { comparison, forged } = await compareOn(made(), [[address, port, ...words]]);
      expect(forged).toEqual([]);
      expect(comparison).toMatchObject({ both: 3, only_client: [], only_server: [], not_comparable: [] });
      expect(comparison.summary).toEqual([
        'all 3 resets were seen at both ends: none was sent or dropped between them',
      ]);
    },
    60_000,
  );

  only(
    name('a reset that the device swallowed is lost, one that it answered in the place of a server is no claim'),
    async () => {
      const { comparison } = await compareOn(made(), [
        [address, port, 'ECHO'],
        [address, '8444', 'SABRT'],
        [address, '9999', 'ECHO'],
        [address, port, 'ECHO'],
      ]);
      expect(comparison).toMatchObject({ both: 0, only_client: [] });
      // The client knows nothing of it and may send more: the server answers each.
      const verdicts = new Set(
        comparison.verdicts.map(({ seen, sent_as, verdict }) => `${seen} ${String(sent_as)} ${verdict}`),
      );
      expect([...verdicts]).toEqual(['server server lost']);
      // What comes late lies behind the client's last packet.
      const ofClient = comparison.not_comparable.filter(({ seen }) => seen === 'client');
      expect(ofClient).toMatchObject([{ seen: 'client', reason: 'no-such-connection', resets: 1 }]);
    },
    60_000,
  );

  only(
    name('captures of resets alone are matched too, and less is said'),
    async () => {
      const filter = 'tcp[tcpflags] & tcp-rst != 0';
      const words = ['SABRT', 'FRGC', 'CABRT', 'SABRT'];
      const { comparison, forged } = await compareOn(made(), [[address, port, ...words]], filter);
      expect(inOrder(withVerdict(comparison, 'unsure'))).toEqual(inOrder(forged));
      expect(withVerdict(comparison, 'middlebox')).toEqual([]);
      expect(comparison.both).toBeGreaterThanOrEqual(3);
      expect(comparison.summary.join(' ')).toContain('holds resets alone');
    },
    60_000,
  );
});
