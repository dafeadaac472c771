/** `live -w`: what is saved while it is captured, for whom, and that a saved capture tells what was told live. */
import { afterEach, beforeAll, describe, expect } from '@jest/globals';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Report, ResetEvent } from '../../src/report/types.js';
import { expectLawful, expectRefusal } from '../cli/checks.js';
import { labProblem, natted, poll, routed, twoHosts, type Routed, type TwoHosts } from '../support/lab.js';
import { settled, snapshot } from '../support/leftovers.js';
import { CLI, runCli, shellQuote, tmpDir } from '../support/run.js';
import { hasTool, testIf } from '../support/tools.js';
import { knock, lingerClient, lingerServer, quietServer, type Traffic } from '../support/traffic.js';
import { tsharkFields } from '../support/tshark.js';
import { beginLive, eachBackend, Live, reportOf, runLive, startLive, type Backend } from './support.js';

const lab = labProblem();
const tshark = hasTool('tshark') ? lab : 'needs tshark';
let hosts: TwoHosts | null = null;

beforeAll(async () => {
  if (lab === '') hosts = await twoHosts();
});

function two(): TwoHosts {
  if (hosts === null) throw new Error('there is no lab');
  return hosts;
}

const begun: Live[] = [];
const busy: Traffic[] = [];

/** What a failed test leaves running must not disturb the next one. */
afterEach(async () => {
  await Promise.all(busy.splice(0).map((traffic) => traffic.stop()));
  for (const live of begun.splice(0)) {
    if (live.child.exitCode === null && live.child.signalCode === null) live.child.kill('SIGKILL');
    await live.ended;
  }
});

function noted(live: Live): Live {
  begun.push(live);
  return live;
}

function knocks(options: Parameters<typeof knock>[0]): Traffic {
  const traffic = knock(options);
  busy.push(traffic);
  return traffic;
}

const inTmp = (name: string): string => path.join(tmpDir(), name);

function resets(times: number, { everyMs = 0, port = 7, host = '10.99.0.2' } = {}): Promise<unknown> {
  return knock({ ns: two().a, host, port, times, everyMs }).done;
}

async function read(file: string, ...args: readonly string[]): Promise<Report> {
  const { code, stdout, stderr } = await runCli(['read', '--json', '--events', ...args, file]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const report = JSON.parse(stdout) as Report;
  expectLawful(report);
  return report;
}

/** By their comments, read faster than by the program. */
function savedResets(file: string): number {
  return readFileSync(file, 'latin1').split('rstscope: cause=').length - 1;
}

/** What a saved event must have kept. */
function essence({ events }: Report): Partial<ResetEvent>[] {
  return events.map((event) => {
    const { timestamp, epoch, src_ip, src_port, dest_ip, dest_port, seq, ack, tcp_flags, copies, payload_text } = event;
    const { interface: first, interfaces, netns, direction, service_port, reset_by, cause, confidence } = event;
    const { translations, stage, conn_state, ttl, vlan, src_mac, dest_mac, evidence } = event;
    return {
      timestamp,
      epoch,
      src_ip,
      src_port,
      dest_ip,
      dest_port,
      seq,
      ack,
      tcp_flags,
      payload_text,
      copies,
      interface: first,
      interfaces,
      netns,
      direction,
      service_port,
      reset_by,
      cause,
      confidence,
      translations,
      stage,
      conn_state,
      ttl,
      vlan,
      src_mac,
      dest_mac,
      evidence,
    };
  });
}

eachBackend('-w', (backend, absent) => {
  const problem = absent === '' ? lab : absent;
  const by = ['--backend', backend];
  const it = (name: string, body: () => Promise<void>, why = problem): void => testIf(why === '', why, name, body);
  const start = (...args: readonly string[]): Promise<Live> => startLive([...by, ...args], { ns: two().a }).then(noted);

  it('can be read at any time while it grows; for its owner only', async () => {
    const file = inTmp('out.pcapng');
    const run = await start('--ndjson', '-d', '0', '-w', file);
    const traffic = knocks({ ns: two().a, host: '10.99.0.2', port: 7, times: 1000, everyMs: 20 });
    let last = 0;
    await run.untilResets(1);
    for (let round = 0; round < 3; round++) {
      await poll(() => traffic.truth.length >= last + 10, 15_000, 'some more');
      const captured = traffic.truth.length;
      // All of them are in it soon, while others come.
      await poll(
        async () => {
          const { packets } = await read(file);
          expect(packets.unique).toBeGreaterThanOrEqual(last);
          last = packets.unique;
          return last >= captured;
        },
        15_000,
        `${captured} in the file`,
      );
      expect(statSync(file).mode & 0o777).toBe(0o600);
      if (hasTool('tshark')) expect((await tsharkFields(file, ['frame.number'])).length).toBeGreaterThanOrEqual(last);
    }
    const { length } = await traffic.stop();
    expect(length).toBeLessThan(1000);
    await run.untilResets(length);
    const ended = await run.stop();
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stderr).toContain(`${String(length)} frames saved in ${file}\n`);
    expect((await read(file)).packets.unique).toBe(length);
    expect(reportOf(ended).packets.unique).toBe(length);
  });

  it('a single reset is on disk within a second, also when nothing follows it', async () => {
    const file = inTmp('out.pcapng');
    const run = await start('--ndjson', '-d', '0', '-w', file);
    const took: number[] = [];
    // The best of some: this machine may stand still for a moment.
    for (let count = 1; count <= 3; count++) {
      await resets(1);
      const begun = performance.now();
      await poll(() => savedResets(file) === count, 15_000, 'it on disk');
      took.push(performance.now() - begun);
    }
    expect(Math.min(...took)).toBeLessThan(1000);
    expect((await read(file)).packets.unique).toBe(3);
    await run.stop();
  });

  it(
    'has a comment on each reset, and the names of interfaces',
    async () => {
      const file = inTmp('out.pcapng');
      const run = await start('--ndjson', '-c', '4', '-d', '10', '-w', file);
      await resets(2);
      await resets(2, { host: '127.0.0.1', port: 9 });
      await run.ended;
      const rows = await tsharkFields(file, [
        'frame.comment',
        'tcp.flags.reset',
        'frame.interface_name',
        'tcp.srcport',
      ]);
      expect(rows.length).toBeGreaterThanOrEqual(4);
      const ids = new Set(run.resets.map(({ id }) => id));
      for (const [comment = '', reset, name, port] of rows) {
        expect(reset).toMatch(/^(?:1|True)$/);
        expect(comment).toMatch(/^rstscope: cause=[a-z-]+ confidence=[a-z]+ id=\S+/);
        expect(ids).toContain(/id=(\S+)/.exec(comment)?.[1]);
        if (backend === 'tcpdump') expect(name).toBe(port === '9' ? 'lo' : 'eth0');
      }
    },
    problem === '' ? tshark : problem,
  );

  it('FILE.pcap: says what it lacks, and is readable', async () => {
    const file = inTmp('out.pcap');
    const run = await start('--json', '--events', '-c', '3', '-d', '10', '-w', file);
    await resets(3);
    const ended = await run.ended;
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stderr).toContain(`${file} is written as classic pcap, which holds no comments\n`);
    const told = (report: Report): unknown[] =>
      report.events.map(({ epoch, src_port, dest_port, seq, ack }) => [epoch, src_port, dest_port, seq, ack]);
    expect(told(await read(file))).toEqual(told(reportOf(ended)));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    if (hasTool('tshark')) expect(await tsharkFields(file, ['tcp.srcport'])).toEqual([['7'], ['7'], ['7']]);
  });

  it('several link types and FILE.pcap: refused before the start, no file is made', async () => {
    const { a } = two();
    await a.ip('tuntap', 'add', 'tun0', 'mode', 'tun');
    try {
      await a.ip('link', 'set', 'tun0', 'up');
      const tmp = tmpDir();
      const file = path.join(tmp, 'out.pcap');
      const was = snapshot({ namespaces: [a], tmp });
      const args = [...by, '-i', 'lo,tun0', '-d', '0.3'];
      const ended = await runLive([...args, '-w', file], { ns: a, env: { TMPDIR: tmp } });
      expectRefusal(ended, 'a classic pcap holds one link type, the input has 2: ', 'EN10MB', 'RAW');
      expect(existsSync(file)).toBe(false);
      expect(await settled(was, 2000)).toEqual([]);
      const ng = path.join(tmp, 'out.pcapng');
      expect(await runLive([...args, '-w', ng], { ns: a })).toMatchObject({ code: 0 });
      expect(existsSync(ng)).toBe(true);
    } finally {
      await a.ip('link', 'del', 'tun0');
    }
  });

  it('-w - into rstscope and into tcpdump', async () => {
    const { a } = two();
    const program = [process.execPath, CLI].map(shellQuote).join(' ');
    const live = `${program} live ${by.join(' ')} -c 3 -d 10 -w -`;
    for (const [reader, expected] of [
      [`${program} read --json -`, '"unique": 3'],
      ['tcpdump -nn -r -', '10.99.0.2.7 > 10.99.0.1'],
    ] as const) {
      const child = a.start(['bash', '-c', `${live} | ${reader}; echo "codes \${PIPESTATUS[*]}"`]);
      const run = noted(new Live(child));
      await run.says('listening on ');
      await resets(3);
      const { stdout } = await run.ended;
      expect(stdout).toContain('codes 0 0');
      expect(stdout.replaceAll(/"unique":3/g, '"unique": 3')).toContain(expected);
      if (reader.startsWith('tcpdump')) expect(stdout.match(/Flags \[R\.\]/g)).toHaveLength(3);
    }
  });

  it('a full disk: a sentence at once and at the end, the report, exit 2', async () => {
    const folder = tmpDir();
    const file = path.join(folder, 'small', 'out.pcapng');
    mkdirSync(path.dirname(file));
    const mount = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"';
    const words = ['unshare', '--mount', 'sh', '-c', mount, path.dirname(file), process.execPath, CLI, 'live', ...by];
    const run = noted(new Live(two().a.start([...words, '-d', '0', '-w', file], { via: 'nsenter' })));
    await run.says('listening on ');
    const traffic = knocks({ ns: two().a, host: '10.99.0.2', port: 7, times: 3000 });
    const sentence = `rstscope: cannot write ${file}: no space left on the device\n`;
    await run.until(() => run.stderr.includes(sentence), 'the sentence');
    const { length } = await traffic.stop();
    await resets(1, { port: 8 });
    await run.untilCounted(length + 1);
    const ended = await run.stop();
    expect(ended.code).toBe(2);
    expect(ended.stderr.split(sentence)).toHaveLength(3);
    expect(ended.stderr).not.toContain('frames saved');
    const [, count = ''] = /^([\d\s,]+) resets in /m.exec(ended.stdout) ?? [];
    expect(Number(count.replaceAll(/\D/g, ''))).toBe(length + 1);
  });

  it('--context full: everything of TCP, by its headers; with --port that port alone', async () => {
    const { a, b } = two();
    const all = inTmp('all.pcapng');
    const some = inTmp('some.pcapng');
    const servers = await Promise.all([8001, 8002].map((port) => quietServer({ ns: b, host: '10.99.0.2', port })));
    const runs = [
      await start('--context', 'full', '--json', '-d', '0', '-w', all),
      await startLive([...by, '--context', 'full', '--json', '-d', '0', '-w', some, '--port', '8001'], { ns: a }),
    ];
    await Promise.all(
      [8001, 8002].map((port) => lingerClient({ ns: a, host: '10.99.0.2', port, send: 'x'.repeat(1000) }).done),
    );
    await Promise.all(runs.map((run, i) => run.untilCounted(2 - i)));
    for (const run of runs) await run.stop();
    await Promise.all(servers.map((server: Traffic) => server.stop()));
    if (!hasTool('tshark')) return;
    const fields = ['tcp.dstport', 'tcp.srcport', 'frame.cap_len', 'frame.len', 'tcp.flags.syn', 'tcp.flags.reset'];
    for (const [file, ports] of [
      [all, ['8001', '8002']],
      [some, ['8001']],
    ] as const) {
      const rows = await tsharkFields(file, fields);
      const seen = new Set(rows.flatMap(([to = '', from = '']) => [to, from]).filter((port) => /^800\d$/.test(port)));
      expect([...seen].sort()).toEqual(ports);
      // SYN, SYN-ACK, ACK, data, ACK, RST.
      expect(rows.length).toBeGreaterThanOrEqual(5 * ports.length);
      for (const [, , captured] of rows) expect(Number(captured)).toBeLessThanOrEqual(128);
      expect(Math.max(...rows.map(([, , , length]) => Number(length)))).toBeGreaterThan(1000);
      const report = await read(file);
      expect(report.source.context).toBe('full');
      expect(report.packets.unique).toBe(ports.length);
    }
  });

  it('obeys port and host, nothing else', async () => {
    const file = inTmp('out.pcapng');
    const run = await start('--json', '-d', '0', '-w', file, '--port', '7', '--cause', 'abort-memory');
    await resets(2);
    await resets(2, { port: 9 });
    await run.untilReported((report) => /\ball\s+4\s+resets\s+were\s+left\s+out\b/.test(report), 'all of them');
    const ended = await run.stop();
    expect(reportOf(ended).packets).toMatchObject({ unique: 4, filtered_out: 4 });
    const { events } = await read(file);
    expect(events.map(({ src_port }) => src_port)).toEqual([7, 7]);
  });

  describe('the saved capture tells what was told live', () => {
    const shapes: readonly [string, () => Promise<Routed>][] = [
      ['routed', routed],
      ['natted', natted],
    ];
    for (const [name, make] of shapes) {
      it(name, async () => {
        const shape = await make();
        try {
          await sameTold(shape, backend, name === 'natted');
        } finally {
          await shape.lab.destroy();
        }
      });
    }
  });
});

async function sameTold(shape: Routed, backend: Backend, nat: boolean): Promise<void> {
  const { app, host, far } = shape;
  const folder = tmpDir();
  const contexts = ['resets', 'control', 'full'];
  const fileOf = (context: string): string => path.join(folder, `${context}.pcapng`);
  const server = await lingerServer({ ns: app, host: '0.0.0.0', port: 8443, afterMs: 10 });
  const args = ['--backend', backend, '--json', '--events', '-d', '0'];
  const runs = await Promise.all(
    contexts.map((context) =>
      startLive([...args, '--context', context, '-w', fileOf(context)], { ns: host, via: 'nsenter' }),
    ),
  );
  const traffic: (() => Traffic)[] = [
    () => knock({ ns: host, host: '127.0.0.1', port: 7 }),
    () => knock({ ns: host, host: '::1', port: 7 }),
    () => knock({ ns: far, host: '192.0.2.1', port: 8 }),
    () => knock({ ns: far, host: 'fd00:2::1', port: 8 }),
    () => knock({ ns: host, host: '192.0.2.50', port: 9 }),
    () => knock({ ns: far, host: '10.77.0.10', port: 9, times: 2 }),
    () => knock({ ns: far, host: 'fd00:77::10', port: 9 }),
    () =>
      lingerClient({
        ns: far,
        host: nat ? '192.0.2.1' : '10.77.0.10',
        port: nat ? 443 : 8443,
        send: 'hello',
        times: 2,
      }),
  ];
  for (const begin of traffic) await begin().done;
  // What passes the host is seen twice or three times.
  await Promise.all(runs.map((run) => run.untilCounted(traffic.length + 2)));
  const ends = await Promise.all(runs.map((run) => run.stop()));
  await server.stop();
  for (const [i, context] of contexts.entries()) {
    const ended = ends[i];
    if (ended === undefined) throw new Error(`no end of ${context}`);
    expect({ context, code: ended.code }).toEqual({ context, code: 0 });
    const live = reportOf(ended);
    expectLawful(live);
    expect(live.events.length).toBeGreaterThanOrEqual(traffic.length + 2);
    const again = await read(fileOf(context));
    expect(essence(again)).toEqual(essence(live));
    expect(again.packets).toMatchObject({ unique: live.packets.unique, copies: live.packets.copies });
  }
}

describe('-w', () => {
  testIf(lab === '', lab, 'belongs to the user behind sudo', async () => {
    const file = inTmp('out.pcapng');
    const env = { SUDO_UID: '65534', SUDO_GID: '65533' };
    await runLive(['-q', '-i', 'lo', '-d', '0.3', '-w', file], { ns: two().a, env });
    expect(statSync(file)).toMatchObject({ uid: 65534, gid: 65533 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await read(file)).packets.seen).toBe(0);
  });

  testIf(lab === '', lab, 'a folder that is not there: before anything is begun', async () => {
    const ended = await runLive(['-i', 'lo', '-d', '0.3', '-w', '/nowhere/out.pcapng'], { ns: two().a });
    expectRefusal(ended, 'cannot write /nowhere/out.pcapng: there is no such folder');
  });

  testIf(lab === '', lab, '/dev/full', async () => {
    const run = await startLive(['--json', '-d', '0', '-w', '/dev/full'], { ns: two().a });
    await resets(1);
    await run.says('cannot write /dev/full: no space left on the device');
    const ended = await run.stop();
    expect(ended.code).toBe(2);
    expect(reportOf(ended).packets.unique).toBe(1);
  });

  for (const format of ['--json', '--ndjson', '--csv']) {
    testIf(lab === '', lab, `- and ${format}: one of them`, async () => {
      const run = beginLive([format, '-w', '-', '-d', '0.3'], { ns: two().a });
      expectRefusal(await run.ended, `standard output can carry one of ${format} and -w -, not both`);
    });
  }

  testIf(lab === '', lab, '- with lines on no stream that carries the capture', async () => {
    const file = inTmp('out');
    const run = new Live(
      two().a.start([
        'bash',
        '-c',
        `${[process.execPath, CLI].map(shellQuote).join(' ')} live -c 1 -d 10 -w - >${shellQuote(file)}`,
      ]),
    );
    await run.says('listening on ');
    await resets(1);
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(readFileSync(file).readUInt32LE(0)).toBe(0x0a0d0d0a);
    expect((await read(file)).packets.unique).toBe(1);
  });
});
