/** `rstscope compare`: what is typed, what comes out, and the exit codes. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Comparison } from '../../src/report/comparison-types.js';
import { shownAt, Story, USUAL, type Names } from '../compare/world.js';
import { strictly } from '../render/strict-schema.js';
import { cliCommand, REPOSITORY, runCli, runShell, tmpDir } from '../support/run.js';
import { expectRefusal, RAW_CONTROL } from './checks.js';

const folder = tmpDir();
const file = (name: string): string => path.join(folder, name);
const pcaps = path.join(REPOSITORY, 'test/pcaps');
const demo = path.join(pcaps, 'demo.pcapng');

const FAR: Names = {
  client: { client: { ip: '192.0.2.9', port: 50_000 }, server: { ip: '198.51.100.1', port: 443 } },
  server: { client: { ip: '203.0.113.7', port: 31_000 }, server: { ip: '10.0.0.5', port: 8443 } },
};

beforeAll(() => {
  const [c, s] = [1_111_111_112, 2_222_222_223];
  const forged = new Story(0)
    .open(0, [c - 1, s - 1])
    .say(100, 'server', 'R.', s, c, { only: 'client', ttl: 50 })
    .say(300, 'client', 'R', c, 0, { only: 'client' })
    .say(9000, 'server', 'R', s + 9, 0, { only: 'client' });
  const around = new Story(1)
    .open(-1000, [77_000_001, 88_000_001])
    .say(5000, 'client', 'F.', 77_000_002, 88_000_002)
    .say(5010, 'server', 'R.', 88_000_002, 77_000_003);
  const passings = [...forged.passings, ...around.passings];
  for (const end of ['client', 'server'] as const) {
    writeFileSync(file(`${end}.pcap`), shownAt(end, passings, [FAR, USUAL], end === 'server' ? 4_500_000 : 0, 2).bytes);
  }
});

describe('two captures', () => {
  test('as a page: the answer first, the resets, what is not comparable, the next commands', async () => {
    const { code, stdout, stderr } = await runCli(['compare', '--utc', 'client.pcap', 'server.pcap'], { cwd: folder });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^1 reset was seen at the client only, from the server's address, that the server\n {2}never sent: a device between them sent that one\n/,
    );
    expect(stdout).toContain('1 reset that the client sent was not seen at the server: dropped on the way');
    expect(stdout).toContain("the server's clock is 4.500 s ahead");
    expect(stdout).toMatch(/^ +7 .* 198\.51\.100\.1:443 .* 192\.0\.2\.9:50000 .* a device between$/m);
    expect(stdout).toContain('its TTL is 50 where the other segments of that address have 62');
    expect(stdout).toMatch(
      /^Not comparable\n {2}1 reset of client\.pcap lies after the last packet of server\.pcap \(frame \d+\)$/m,
    );
    expect(stdout).toContain('      rstscope explain client.pcap ');
    expect(stdout).not.toMatch(RAW_CONTROL);
  });

  test('as JSON, valid by the schema; every reset of each capture is counted once', async () => {
    const { code, stdout } = await runCli(['compare', '--json', file('client.pcap'), file('server.pcap')]);
    expect(code).toBe(0);
    const comparison = JSON.parse(stdout) as Comparison;
    expect(strictly('compare')(comparison)).toEqual([]);
    expect(comparison).toMatchObject({
      ...{ both: 1, clock_offset_seconds: 4.5, matched_connections: 2, ports: [], reports: null },
      verdicts: [{ verdict: 'middlebox' }, { verdict: 'lost' }],
      not_comparable: [{ seen: 'client', reason: 'after-its-window', resets: 1 }],
    });
  });

  test('a capture against itself: all is in both; an unrelated one: exit 0 and no claim', async () => {
    const same = await runCli(['compare', demo, demo]);
    expect(same.code).toBe(0);
    expect(same.stderr).toContain('the same file');
    expect(same.stdout).toMatch(/^All 27 resets were seen at both ends: none was sent or dropped between them\n/);
    const { code, stdout } = await runCli(['compare', '--json', demo, path.join(pcaps, 'lab-half-open.pcap')]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ both: 0, only_client: [], only_server: [], matched_connections: 0 });
  });

  test('one of both from standard input', async () => {
    const stdin = readFileSync(file('server.pcap'));
    const { code, stdout } = await runCli(['compare', '--json', file('client.pcap'), '-'], { stdin });
    expect([code, (JSON.parse(stdout) as Comparison).both]).toEqual([0, 1]);
  });

  test('damage of one of them: exit 3, and what was read is compared', async () => {
    writeFileSync(file('cut.pcap'), readFileSync(file('server.pcap')).subarray(0, -20));
    const { code, stdout, stderr } = await runCli(['compare', '--json', file('client.pcap'), file('cut.pcap')]);
    expect(code).toBe(3);
    expect(stderr).toContain('cut.pcap');
    expect((JSON.parse(stdout) as Comparison).incomplete).toMatchObject([{ reason: 'cut-off' }]);
  });

  test.each([
    [['compare'], 'compare takes two captures: CLIENT and SERVER, and got 0'],
    [['compare', 'a.pcap'], 'and got 1'],
    [['compare', 'a.pcap', 'b.pcap', 'c.pcap'], 'and got 3'],
    [['compare', '-', '-'], 'standard input (-) can be read once only'],
    [['compare', demo, 'no-such-file'], 'no such file'],
    [['compare', demo, demo, '--top', '0'], '--top'],
    [['compare', demo, demo, '--port', 'http'], '--port'],
    [['compare', '--reports', demo, demo, '--port', '80'], '--port chooses among resets of captures'],
    [['compare', demo, demo, '--events'], "unknown option '--events'"],
  ])('%j is refused in a sentence', async (args, sentence) => {
    expectRefusal(await runCli(args), sentence);
  });
});

describe('two reports', () => {
  beforeAll(async () => {
    for (const [name, args] of [
      ['before.json', ['--json', '--events', demo]],
      ['after.json', ['--json', path.join(pcaps, 'lab-half-open.pcap')]],
      ['after.ndjson', ['--ndjson', path.join(pcaps, 'lab-half-open.pcap')]],
    ] as const) {
      writeFileSync(file(name), (await runCli(['read', ...args])).stdout);
    }
  });

  test('which ports have more, which less; rates where the windows differ; causes that came and went', async () => {
    const { code, stdout, stderr } = await runCli(['compare', '--reports', file('before.json'), file('after.json')]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Port 7211: 14 → 0, /);
    expect(stdout).toContain('The windows differ in length: rates are compared');
    expect(stdout).toContain('Causes that went: ');
    expect(stdout).toMatch(/^ +7211 +- +14 +→ +0 +-14 .* went$/m);
  });

  test('JSON is valid by the schema; the summary line of JSON lines says the same', async () => {
    const one = await runCli(['compare', '--json', '--reports', file('before.json'), file('after.json')]);
    const comparison = JSON.parse(one.stdout) as Comparison;
    expect(strictly('compare')(comparison)).toEqual([]);
    expect(comparison.ports).toContainEqual(expect.objectContaining({ port: 7211, before: 14, after: 0 }));
    const other = await runCli(['compare', '--json', '--reports', file('before.json'), file('after.ndjson')]);
    const { reports, ...rest } = JSON.parse(other.stdout) as Comparison;
    expect({ ...rest, reports: { ...reports, after: comparison.reports?.after } }).toEqual(comparison);
  });

  test('a report from a pipe', async () => {
    const command = `${cliCommand('read', '--json', demo)} | ${cliCommand('compare', '--reports', file('after.json'), '-')}`;
    const { code, stdout } = await runShell(command);
    expect(code).toBe(0);
    expect(stdout).toContain('Port 7211: 0 → 14');
  });

  test.each<[string, string | (() => string), string]>([
    ['nothing', '', 'is empty'],
    ['text', 'hello\nworld\n', 'is not a report of rstscope in JSON'],
    ['a list', '[1,2]', 'is not a report of rstscope in JSON'],
    ['another document', '{"type":"who","schema_version":1}', 'is a document of type "who", not a report'],
    [
      'another version',
      '{"type":"report","schema_version":2}',
      'is a report of schema version 2, this program reads version 1',
    ],
    ['a cut report', '{"type":"report","schema_version":1,"packets":{}}', 'is a damaged report'],
    [
      'JSON lines without their end',
      '{"type":"start"}\n{"type":"res',
      'its last line, the summary, is missing or cut off',
    ],
    [
      'a negative count',
      () => readFileSync(file('after.json'), 'utf8').replace(/"resets": ?1\b/g, '"resets":-1'),
      'is a damaged report',
    ],
    ['control characters', '{"type":"\\u001b[31mred","schema_version":1}', 'is a document of type "·[31mred"'],
  ])('%s is refused in a sentence', async (name, text, sentence) => {
    const bad = file(`bad ${name}.json`);
    writeFileSync(bad, typeof text === 'string' ? text : text());
    const result = await runCli(['compare', '--reports', file('before.json'), bad]);
    expectRefusal(result, sentence);
    expect(result.stderr).not.toMatch(RAW_CONTROL);
  });

  test('reports without --reports: the command that was meant', async () => {
    const result = await runCli(['compare', file('before.json'), file('after.json')]);
    expectRefusal(result, 'reports are compared with --reports');
    expect(result.stderr).toContain('try: rstscope compare --reports ');
  });
});
