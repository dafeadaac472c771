/** `live --rewind`: the connections that died, with what led up to it, and nothing of the others; and what is too much. */
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { statSync } from 'node:fs';
import path from 'node:path';
import { expectLawful, expectRefusal } from '../cli/checks.js';
import { labProblem, twoHosts, type TwoHosts } from '../support/lab.js';
import { runCli, tmpDir } from '../support/run.js';
import { hasTool, testIf } from '../support/tools.js';
import { dial, knock, lingerClient, quietServer, type Traffic } from '../support/traffic.js';
import { tsharkFields } from '../support/tshark.js';
import { eachBackend, reportOf, runLive, startLive, type Live } from './support.js';

const lab = labProblem();
let hosts: TwoHosts | null = null;

beforeAll(async () => {
  if (lab === '') hosts = await twoHosts();
});

afterAll(async () => {
  await hosts?.lab.destroy();
});

function two(): TwoHosts {
  if (hosts === null) throw new Error('there is no lab');
  return hosts;
}

const begun: Live[] = [];
const busy: Traffic[] = [];

afterEach(async () => {
  await Promise.all(busy.splice(0).map((traffic) => traffic.stop()));
  for (const live of begun.splice(0)) {
    if (live.child.exitCode === null && live.child.signalCode === null) live.child.kill('SIGKILL');
    await live.ended;
  }
});

eachBackend('--rewind', (backend, absent) => {
  const problem = absent === '' ? lab : absent;
  const start = async (args: readonly string[], env: Record<string, string> = {}): Promise<Live> => {
    const live = await startLive(['--backend', backend, '--json', '--events', '-d', '0', ...args], {
      ns: two().a,
      env,
    });
    begun.push(live);
    return live;
  };

  testIf(
    problem === '' && hasTool('tshark'),
    problem || 'needs tshark',
    'of three connections the one that died',
    async () => {
      const { a, b } = two();
      const file = path.join(tmpDir(), 'died.pcapng');
      busy.push(await quietServer({ ns: b, host: '10.99.0.2', port: 8001 }));
      const runs = [await start(['--rewind', '20', '-w', file]), await start(['--context', 'full'])];
      const common = { ns: a, host: '10.99.0.2', port: 8001, send: 'a request' };
      busy.push(dial(common), dial(common));
      const [died] = await lingerClient({ ...common, afterMs: 100 }).done;
      await Promise.all(runs.map((run) => run.untilCounted(1)));
      const [rewound, full] = await Promise.all(runs.map(async (run) => reportOf(await run.stop())));
      if (rewound === undefined || full === undefined) throw new Error('there is no report');
      expectLawful(rewound);
      expect(rewound.source.context).toBe('full');
      const told = ({ events }: typeof full): unknown[] =>
        events.map(({ cause, confidence, stage, src_port, bytes_to_server }) => [
          cause,
          confidence,
          stage,
          src_port,
          bytes_to_server,
        ]);
      expect(told(rewound)).toEqual(told(full));

      const rows = await tsharkFields(file, ['tcp.stream', 'tcp.flags.str', 'tcp.port', 'frame.comment']);
      expect(new Set(rows.map(([stream]) => stream))).toEqual(new Set(['0']));
      const flags = rows.map(([, text = '']) => text.replaceAll('·', ''));
      // SYN, SYN-ACK, ACK, data, ACK, RST.
      expect(flags.slice(0, 3)).toEqual(['S', 'AS', 'A']);
      expect(flags.at(-1)).toMatch(/R/);
      expect(rows).toHaveLength(6);
      expect(rows.filter(([, , , comment]) => comment !== '')).toHaveLength(1);
      expect(rows[0]?.[2]).toContain(String(died?.client.port));
      expect(statSync(file).size).toBeLessThan(8192);
      if (hasTool('capinfos')) expect((await two().a.exec(['capinfos', '-o', file])).stdout).toMatch(/order:\s+True/);

      const again = await runCli(['read', '--json', '--events', file]);
      expect(told(JSON.parse(again.stdout) as typeof full)).toEqual(told(full));
    },
  );

  testIf(
    problem === '',
    problem,
    'too many packets: control segments, and no reset is missed or counted twice',
    async () => {
      const { a } = two();
      const file = path.join(tmpDir(), 'many.pcapng');
      const run = await start(['--rewind', '5', '-w', file], { RSTSCOPE_MOST_PACKETS: '200' });
      const traffic = knock({ ns: a, host: '10.99.0.2', port: 7, times: 3000, everyMs: 2 });
      busy.push(traffic);
      await run.says('from now on only SYN, FIN and RST are captured (context control)');
      const before = traffic.truth.length;
      const { length } = await traffic.done;
      expect(before).toBeLessThan(length);
      await run.untilCounted(length);
      const ended = await run.stop();
      const report = reportOf(ended);
      expect(ended.code).toBe(0);
      expect(report.source.context).toBe('control');
      expect(report.packets).toMatchObject({ unique: length, copies: 0 });
      const again = JSON.parse((await runCli(['read', '--json', file])).stdout) as typeof report;
      // Each with the SYN that it answers.
      expect(again.packets).toMatchObject({ unique: length, copies: 0, seen: 2 * length });
    },
  );
});

testIf(lab === '', lab, '--rewind 0, and with less than all of TCP', async () => {
  expectRefusal(await runLive(['--rewind', '0'], { ns: two().a }), '--rewind');
  expectRefusal(await runLive(['--rewind', '5000'], { ns: two().a }), '--rewind takes 1 to 1000 segments, not "5000"');
  const sentence = '--rewind takes every TCP header, --context resets does not';
  expectRefusal(await runLive(['--rewind', '5', '--context', 'resets'], { ns: two().a }), sentence);
});
