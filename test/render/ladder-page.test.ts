/** The page of one reset: it fits, it says what is there, and nothing in a capture can steer the terminal. */
import { describe, expect, test } from '@jest/globals';
import { attributionComment } from '../../src/attribute/comment.js';
import { found, missing, unattributed } from '../../src/attribute/process.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import { HANDSHAKE, SERVER, talk, type Said } from '../cli/ladders.js';
import { RAW_CONTROL } from '../cli/checks.js';
import { NOON, saved } from '../cli/samples.js';
import { pcapng } from '../support/capture-bytes.js';
import { resetFrame, segment } from '../support/frames.js';
import { runInProcess } from '../support/in-process.js';

const DATA: Said = { at: 5, flags: 'P.', seq: 101, ack: 901, payload: new Uint8Array(50) };
const GAP: Said = { at: 2400, flags: 'P.', seq: 251, ack: 901, payload: new Uint8Array(10) };
const RESET: Said = { at: 2420, by: 'server', flags: 'R.', seq: 901, ack: 261, id: 77 };
const LATER: Said = { at: 2500, flags: '.', seq: 261, ack: 901 };

async function page(said: readonly Said[], frame: number, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const file = saved('talk.pcap', talk(said));
  const { code, stdout, stderr } = await runInProcess(['explain', '--utc', file, String(frame)], env);
  expect([code, stderr]).toEqual([0, '']);
  return stdout.replaceAll(file, 'talk.pcap');
}

/** From the heading to the next empty line. */
function part(text: string, heading: string): string[] {
  const lines = text.split('\n');
  const from = lines.indexOf(heading) + 1;
  expect(from).toBeGreaterThan(0);
  return lines.slice(from, lines.indexOf('', from));
}

const STORY = [...HANDSHAKE, DATA, GAP, RESET, LATER];

describe('the ladder', () => {
  test('as a diagram', async () => {
    expect(part(await page(STORY, 6), 'The conversation')).toEqual([
      '  frame      time  192.0.2.10:40000                              192.0.2.20:7211',
      '                   client, gets the reset                server, sends the reset',
      '      1  0.000000  │ [S] seq 0 ───────────────────────────────────────────────▶│',
      '      2  0.001000  │◀─────────────────────────────────────── [S.] seq 0, ack 1 │',
      '      3  0.002000  │ [.] seq 1, ack 1 ────────────────────────────────────────▶│',
      '      4  0.005000  │ [P.] seq 1:51, ack 1, 50 bytes ──────────────────────────▶│',
      '                   ┆                        2.4 s later                        ┆',
      '                   ┆           not captured: 100 bytes of the client           ┆',
      '      5  2.400000  │ [P.] seq 151:161, ack 1, 10 bytes ───────────────────────▶│',
      '      6  2.420000  │◀━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ [R.] seq 1, ack 161 │',
      '                   │               on the wire: seq 901, ack 261               │',
      '                   │                 win 502, TTL 64, IP ID 77                 │',
      '                   ┆                     behind the reset                      ┆',
      '      7  2.500000  │ [.] seq 161, ack 1 ──────────────────────────────────────▶│',
    ]);
  });
  test('in ASCII', async () => {
    const text = await page(STORY, 6, { LANG: 'C' });
    expect(text).toMatch(/^[ -~\n]*$/);
    expect(text).toContain('|<===================================== [R.] seq 1, ack 161 |');
  });
  test('as a list where it is narrow', async () => {
    const text = await page(STORY, 6, { COLUMNS: '40' });
    expect(text).not.toContain('│');
    expect(part(text, 'The conversation')).toContain('  1  0.000000  client → server  [S] seq');
  });
  test('says how much there was before, and behind', async () => {
    const data = Array.from({ length: 1300 }, (_, i): Said => ({ at: 5 + i, flags: '.', seq: 101, ack: 901 + i }));
    const behind = Array.from({ length: 9 }, (_, i): Said => ({ at: 1600 + i, flags: '.', seq: 101, ack: 3000 }));
    const text = await page([...HANDSHAKE, ...data, { ...RESET, at: 1500 }, ...behind], 1304);
    expect(text).toContain('  … 1,292 segments before these\n');
    expect(text).toContain('  … 3 more segments within 5 s behind the reset\n');
  });
  test('of two sides of which neither is known to serve', async () => {
    const text = await page([{ at: 0, flags: 'R', seq: 5, ack: 0, window: 0, dstPort: 40009 }], 1);
    expect(text).toMatch(/ gets the reset +sends the reset\n/);
    expect(text).toContain('none said yes: unknown');
  });
});

describe('every width', () => {
  const HUGE: Said = { at: 6, flags: 'P.', seq: 4294967000, ack: 901, payload: new Uint8Array(1000) };
  const six = { src: '2001:db8:1111:2222:3333:4444:5555:6666', dst: '2001:db8:1111:2222:3333:4444:5555:7777' };
  const back = { src: six.dst, dst: six.src };
  const long = [...HANDSHAKE, { ...HUGE, seq: 101 }, RESET].map((one) => ({
    ...one,
    ...(one.by === 'server' ? back : six),
  }));
  test.each([36, 40, 60, 79, 80, 100, 132, 200])('%i columns hold all but what is to be copied', async (width) => {
    for (const [said, frame] of [
      [STORY, 6],
      [[HUGE, RESET], 2],
      [long, 5],
    ] as const) {
      const text = await page(said, frame, { COLUMNS: String(width) });
      const wide = text.split('\n').filter((line) => columnsOf(line) > width);
      for (const line of wide) expect(line).toMatch(/^ +(tshark|sudo|nstat|rstscope|journalctl|ss|sysctl|uptime|cat) /);
    }
  });
  test('colours change nothing but the colour', async () => {
    const plain = await page(STORY, 6);
    const coloured = await page(STORY, 6, { FORCE_COLOR: '1' });
    expect(coloured).toContain('\u001b[');
    expect(withoutColor(coloured)).toBe(plain);
  });
});

describe('what a capture says', () => {
  const HOSTILE = '\u001b[2J\u202eevil\r\n';
  const process = {
    ...{ pid: 4711, ppid: 1, parent: HOSTILE, name: HOSTILE, exe: `/tmp/${HOSTILE}`, command: HOSTILE, user: 'root' },
    ...{ unit: null, container: null, netns: null, started: null },
  };
  const who = {
    ...unattributed('offline'),
    sender: found(process, 'socket'),
    receiver: missing('remote'),
    evidence: [`it was ${HOSTILE}`],
  };
  const ID = '2026-03-01T12:00:00.000500Z-192.0.2.20-7211-192.0.2.10-40000-2';
  function file(): string {
    const bytes = pcapng()
      .interface({ name: HOSTILE })
      .enhancedPacket({ timestamp: BigInt(NOON) * 1_000_000n, bytes: segment({ flags: 'S', seq: 1000 }) })
      .enhancedPacket({
        timestamp: BigInt(NOON) * 1_000_000n + 500n,
        bytes: resetFrame({ payload: new TextEncoder().encode('go away \u001b[31m') }),
        comments: [attributionComment(ID, 'closed-port', 'likely', who, false)],
      })
      .bytes();
    return saved('said.pcapng', bytes);
  }
  test('cannot steer the terminal', async () => {
    const { code, stdout } = await runInProcess(['explain', file(), '2']);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(RAW_CONTROL);
    expect(stdout).toContain('its sender: ');
    expect(stdout).toContain('[4711]');
  });
  test('leads to the reset by the id that live gave it', async () => {
    const saidFile = file();
    const byFrame = await runInProcess(['explain', saidFile, '2']);
    expect(await runInProcess(['explain', saidFile, ID])).toEqual(byFrame);
    const { stdout } = await runInProcess(['explain', '--json', saidFile, ID]);
    expect(JSON.parse(stdout)).toMatchObject({ asked: ID, event: { frame: 2, sender: { pid: 4711 } } });
  });
  test('does so even where it looks like a frame of the file, which counts before it', async () => {
    const bytes = pcapng().interface();
    for (const [i, id] of ['f1-2', 'f7-99'].entries()) {
      bytes.enhancedPacket({
        timestamp: BigInt(NOON + i) * 1_000_000n,
        bytes: resetFrame({ dstPort: 40000 + i }),
        comments: [attributionComment(id, 'closed-port', 'likely', unattributed('offline'), false)],
      });
    }
    const twice = saved('twice.pcapng', bytes.bytes());
    const frameOf = async (id: string): Promise<unknown> => {
      const { stdout } = await runInProcess(['explain', '--json', twice, id]);
      return (JSON.parse(stdout) as { event: { frame: number } }).event.frame;
    };
    expect([await frameOf('f1-2'), await frameOf('f7-99'), await frameOf('f1-1')]).toEqual([2, 2, 1]);
  });
});

test('a copy of a reset explains the reset, and says so', async () => {
  const bytes = pcapng().interface({ name: 'eth0' }).interface({ name: 'eth1' });
  for (const i of [0, 1]) {
    bytes.enhancedPacket({
      ...{ interface: i, timestamp: BigInt(NOON) * 1_000_000n + BigInt(i) * 10n },
      bytes: segment({ ...SERVER, flags: 'R.', seq: 5, ack: 7, id: 9 }),
    });
  }
  const file = saved('copies.pcapng', bytes.bytes());
  const { stdout } = await runInProcess(['explain', file, '2'], { COLUMNS: '200' });
  expect(stdout).toContain('(one reset in 2 frames: 1, 2)');
  expect(stdout).toContain('Frame 2, which was asked for, is another frame of the same reset.');
});
