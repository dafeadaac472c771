/** Bursts of resets as a few lines: what they say is true, none is lost, and no flood grows them. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { eventLineWriter } from '../../src/render/event-line.js';
import { LiveLines } from '../../src/render/live-lines.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import type { ResetEvent } from '../../src/report/types.js';
import { HOSTILE, PLAIN, sampleEvent } from './sample-report.js';

const SERVER = '10.0.0.5';
const WIDE = { ...PLAIN, width: 160 };

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);
const isCondensed = (line: string): boolean => line.startsWith('… ');
const heldBy = (line: string): number => Number(/^… ([\d,]+) more from /.exec(line)?.[1]?.replaceAll(',', ''));
/** How many resets the lines stand for. */
const toldBy = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + (isCondensed(line) ? heldBy(line) : 1), 0);

/** From a service's side: 10.0.0.5:7211 to one of its clients. */
const fromServer = (client: number, port = 7211, ip = SERVER): ResetEvent =>
  sampleEvent({
    ...{ src_ip: ip, src_port: port, service_port: port, reset_by: 'server', sender: null },
    ...{ dest_ip: `10.1.${client >> 8}.${client & 255}`, dest_port: 40000 + (client % 20000) },
  });
/** From a client's side: 10.0.0.5 to port 7211 of a server. */
const fromClient = (server: number, port = 7211): ResetEvent =>
  sampleEvent({
    ...{ src_ip: SERVER, src_port: 50000 + (server % 9999), service_port: port, reset_by: 'client', sender: null },
    ...{ dest_ip: `10.2.${server >> 8}.${server & 255}`, dest_port: port },
  });

/** All that a second of these events prints: the single lines, and the condensed ones after it. */
function second(events: readonly ResetEvent[], style = WIDE): { singles: string[]; condensed: string[] } {
  const live = new LiveLines(style, true);
  const singles = linesOf(events.map((event, i) => live.add(event, () => event, (i * 999) / events.length)).join(''));
  return { singles, condensed: linesOf(live.tick(1000, false)) };
}
const repeat = (n: number, make: (i: number) => ResetEvent): ResetEvent[] =>
  Array.from({ length: n }, (_, i) => make(i));

describe('without condensing', () => {
  test('each reset is a line at once, and nothing is left for later', () => {
    const live = new LiveLines(PLAIN, false);
    for (let i = 0; i < 100; i++)
      expect(live.add(sampleEvent(), sampleEvent, 0)).toBe(`${eventLineWriter(PLAIN)(sampleEvent())}\n`);
    expect(live.tick(5000, true)).toBe('');
  });
});

describe('resets that are alike', () => {
  test('are lines up to the fifth in a second, then counted', () => {
    const { singles, condensed } = second(repeat(1208, (i) => fromServer(i % 40)));
    expect(singles).toHaveLength(5);
    expect(condensed).toEqual(['… 1,203 more from 10.0.0.5:7211 to 40 clients']);
  });
  test('are told by the port that they go to when it is the service', () => {
    expect(second(repeat(1208, fromClient)).condensed).toEqual([
      '… 1,203 more from 10.0.0.5 to port 7211 of 1,203 hosts',
    ]);
    expect(second(repeat(8, () => fromClient(1))).condensed).toEqual(['… 3 more from 10.0.0.5 to 10.2.0.1:7211']);
  });
  test('name the one client that they all went to', () => {
    expect(second(repeat(9, () => fromServer(3))).condensed).toEqual(['… 4 more from 10.0.0.5:7211 to 10.1.0.3']);
  });
  test('go by the destination port where nobody knows which side serves', () => {
    const event = { ...fromServer(1), service_port: null, reset_by: 'unknown' as const };
    expect(second(repeat(6, () => event)).condensed).toEqual(['… 1 more from 10.0.0.5 to 10.1.0.1:40001']);
  });
  test('between two equal ports go by who sent them', () => {
    const event = { ...fromServer(1), dest_port: 7211 };
    expect(second(repeat(6, () => event)).condensed).toEqual(['… 1 more from 10.0.0.5:7211 to 10.1.0.1']);
    const back = { ...event, reset_by: 'client' as const };
    expect(second(repeat(6, () => back)).condensed).toEqual(['… 1 more from 10.0.0.5 to 10.1.0.1:7211']);
  });
  test('have their five again in the next second', () => {
    const live = new LiveLines(WIDE, true);
    const printed =
      Array.from({ length: 30 }, (_, i) => live.add(fromServer(1), () => fromServer(1), i * 100)).join('') +
      live.tick(3000, false);
    const kinds = linesOf(printed).map((line) => (isCondensed(line) ? heldBy(line) : 1));
    expect(kinds).toEqual([1, 1, 1, 1, 1, 5, 1, 1, 1, 1, 1, 5, 1, 1, 1, 1, 1, 5]);
  });
  test('are told when the second is over or at the end, not before and not twice', () => {
    const live = new LiveLines(WIDE, true);
    for (let i = 0; i < 6; i++) live.add(fromServer(1), () => fromServer(1), 100);
    expect(live.tick(1099, false)).toBe('');
    expect(live.tick(1099, true)).toBe('… 1 more from 10.0.0.5:7211 to 10.1.0.1\n');
    expect(live.tick(1099, true)).toBe('');
    expect(new LiveLines(WIDE, true).tick(0, true)).toBe('');
  });
});

describe('resets of many', () => {
  test('are at most thirty single lines a second', () => {
    const { singles, condensed } = second(repeat(38, (i) => fromServer(i, 1000 + i)));
    expect(singles).toHaveLength(30);
    expect(condensed).toHaveLength(8);
    expect(condensed[0]).toBe('… 1 more from 10.0.0.5:1030 to 10.1.0.30');
  });
  test('are told the most first', () => {
    const events = [...repeat(6, (i) => fromServer(i, 80)), ...repeat(9, (i) => fromServer(i, 443))];
    expect(second(events).condensed.map(heldBy)).toEqual([4, 1]);
  });
  test('of one sender become one line when its ports are too many', () => {
    const scanned = repeat(130, (i) => fromServer(1, 1000 + i));
    expect(second(scanned).condensed).toEqual(['… 100 more from 100 ports of 10.0.0.5']);
    const scanning = repeat(130, (i) => fromClient(1, 1000 + i));
    expect(second(scanning).condensed).toEqual(['… 100 more from 10.0.0.5 to 100 ports']);
    const both = [...scanned, ...scanning];
    expect(second(both).condensed).toEqual(['… 230 more from 10.0.0.5']);
  });
  test('of one sender with more ports than are kept say so', () => {
    expect(second(repeat(1000, (i) => fromServer(1, 1000 + i))).condensed).toEqual([
      '… 970 more from over 226 ports of 10.0.0.5',
    ]);
  });
  test('of many senders are eight lines and one for the rest', () => {
    const { condensed } = second(repeat(5000, (i) => fromServer(1, 7211, `192.0.2.${i % 100}`)));
    expect(condensed).toHaveLength(9);
    expect(condensed[0]).toBe('… 50 more from 192.0.2.30:7211 to 10.1.0.1');
    expect(condensed.at(-1)).toBe(`… ${(4970 - 8 * 50).toLocaleString('en')} more from 92 other addresses`);
    expect(toldBy(condensed)).toBe(4970);
  });
  test('name the ninth as well when it is the last', () => {
    const { condensed } = second(repeat(54, (i) => fromServer(1, 7211, `192.0.2.${i % 9}`)));
    expect(condensed).toHaveLength(9);
    expect(condensed.join()).not.toContain('other');
  });
  test('with made-up addresses fill the tables and no more', () => {
    const live = new LiveLines(WIDE, true);
    let single = '';
    for (let i = 0; i < 200_000; i++) {
      const event = fromServer(i % 65536, 80, `${i >> 16}.2.${(i >> 8) & 255}.${i & 255}`);
      single += live.add(event, () => event, 0);
    }
    const condensed = linesOf(live.tick(1000, false));
    expect(linesOf(single)).toHaveLength(30);
    expect(condensed).toHaveLength(9);
    expect(condensed.at(-1)).toMatch(/^… 199,962 more from over 1,242 other addresses$/);
  });
  test('with very many clients say that there are more', () => {
    const { condensed } = second(repeat(20_000, (i) => fromServer(i)));
    expect(condensed).toEqual(['… 19,995 more from 10.0.0.5:7211 to over 8,192 clients']);
  });
});

describe('a condensed line', () => {
  const events = repeat(1208, (i) => fromServer(i % 40, 7211, '2001:db8::1'));

  test('leaves out where to when the page is narrow', () => {
    expect(second(events, { ...PLAIN, width: 50 }).condensed).toEqual([
      '… 1,203 more from [2001:db8::1]:7211 to 40 clients',
    ]);
    expect(second(events, { ...PLAIN, width: 49 }).condensed).toEqual(['… 1,203 more from [2001:db8::1]:7211']);
  });
  test('is ASCII where it must be, and the same under its colours', () => {
    expect(second(events, { ...WIDE, unicode: false }).condensed[0]).toMatch(/^\.\.\. 1,203 more [ -~]*$/);
    const colored = second(events, { ...WIDE, color: 1 }).condensed[0] ?? '';
    expect(colored).toContain('\u001b[');
    expect(withoutColor(colored)).toBe(second(events).condensed[0]);
  });
  test('lets no address steer the terminal', () => {
    const { condensed } = second(repeat(6, () => fromServer(1, 1, HOSTILE)));
    expect(condensed).toHaveLength(1);
    expect(condensed[0]).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  });
});

describe('of any resets at any times', () => {
  const few = (n: number): fc.Arbitrary<number> => fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, fc.nat(n));
  const reset = fc
    .record({ ip: few(2000), port: few(2000), peer: few(2000), service: fc.constantFrom('source', 'dest', null) })
    .map(({ ip, port, peer, service }) =>
      sampleEvent({
        ...{ src_ip: `10.${ip >> 8}.0.${ip & 255}`, src_port: port, dest_ip: `10.0.${peer >> 8}.${peer & 255}` },
        ...{
          dest_port: 5000 + peer,
          service_port: service === 'source' ? port : service === 'dest' ? 5000 + peer : null,
        },
      }),
    );
  const burst = fc.record({
    wait: fc.constantFrom(0, 1, 400, 999, 1000, 5000),
    times: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 })),
    events: fc.array(reset, { minLength: 1, maxLength: 60 }),
    tick: fc.boolean(),
  });

  test('none is lost, and a second has no more lines than it may', () => {
    fc.assert(
      fc.property(fc.array(burst, { maxLength: 20 }), (bursts) => {
        const live = new LiveLines(WIDE, true);
        const lines: string[] = [];
        const singlesAt: number[] = [];
        let now = 0;
        let events = 0;
        const take = (text: string): void => {
          const taken = linesOf(text);
          expect(taken.filter(isCondensed).length).toBeLessThanOrEqual(9);
          for (const line of taken) if (!isCondensed(line)) singlesAt.push(now);
          lines.push(...taken);
        };
        for (const { wait, times, events: some, tick } of bursts) {
          now += wait;
          if (tick) take(live.tick(now, false));
          for (let n = 0; n < times; n++) for (const event of some) take(live.add(event, () => event, now));
          events += times * some.length;
        }
        take(live.tick(now, true));
        expect(toldBy(lines)).toBe(events);
        // Any second meets at most two of the seconds that are counted in.
        for (const at of new Set(singlesAt))
          expect(singlesAt.filter((other) => other >= at && other < at + 1000).length).toBeLessThanOrEqual(60);
        for (const line of lines) if (isCondensed(line)) expect(columnsOf(line)).toBeLessThan(WIDE.width);
      }),
      { numRuns: 60 },
    );
  });
});
