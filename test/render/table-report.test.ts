/** The report for people: what it says, that it fits its width, and that nothing in it steers a terminal. */
import { describe, expect, test } from '@jest/globals';
import { renderReport } from '../../src/render/table-report.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import type { Report } from '../../src/report/types.js';
import {
  emptyReport,
  fullReport,
  HOSTILE,
  manyPorts,
  PLAIN,
  sampleEndpoint,
  sampleHost,
  samplePort,
  sampleProcessRow,
  sampleReport,
  withStrings,
} from './sample-report.js';

const IPV6_ENDPOINT = '[2001:db8:1111:2222:3333:4444:5555:6666]:8080';
/** Keys whose text is a time or one of a few words. */
const FIXED = new Set(['kind', 'context', 'start', 'end', 'first', 'last', 'timestamp', 'started']);
const ESCAPE = '\u001b';

const longNames = (): Report['processes'] => [
  sampleProcessRow({ name: 'w'.repeat(200), ports: manyPorts(50) }),
  sampleProcessRow({ name: '東'.repeat(200) }),
];
const lines = (text: string): string[] => text.split('\n');
const lineWith = (text: string, part: string): string => lines(text).find((line) => line.includes(part)) ?? '';
/** The lines from a title up to the next empty one. */
const section = (text: string, title: string): string[] => {
  const all = lines(text);
  const at = all.indexOf(title);
  return at < 0 ? [] : all.slice(at, all.indexOf('', at));
};
const report = (changes: Partial<Report> = {}, width = 80, top = 20): string =>
  renderReport(sampleReport(changes), { ...PLAIN, width }, top);

describe('the first lines', () => {
  test('say how many resets, in what time, in what', () => {
    expect(lines(report())[0]).toBe('121 resets (12 copies folded) in 60.0 s (2.0/s), 1,234 packets, office.pcap');
  });
  test('count without what the options left out, and say how much that was', () => {
    const text = report({ packets: { ...sampleReport().packets, filtered_out: 21 } }, 140);
    expect(lines(text)[0]).toMatch(/^100 resets \(12 copies folded\) in 60\.0 s \(1\.7\/s\)/);
    expect(text).toContain('21 resets left out by the options given');
  });
  test('give no rate where the window has no length', () => {
    const text = report({ window: { ...sampleReport().window, seconds: 0 } });
    expect(lines(text)[0]).toBe('121 resets (12 copies folded), 1,234 packets, office.pcap');
  });
  test('tell what was read', () => {
    expect(lines(report())[1]).toBe('link type EN10MB, LINUX_SLL; on eth0, docker0; all TCP headers');
  });
  test('say what it means when there are only resets', () => {
    const text = report({ source: { ...sampleReport().source, context: 'resets' } });
    expect(text.replaceAll('\n  ', ' ')).toContain('only resets were looked at: what led to them is not seen');
  });
  test('of a live capture name the interface', () => {
    const source = { ...sampleReport().source, kind: 'live', interfaces: ['any'], files: [] } as const;
    expect(lines(report({ source }))[0]).toMatch(/, live on any$/);
  });
  test('count files when there are many, and keep the end of a long path', () => {
    const { source } = sampleReport();
    expect(report({ source: { ...source, files: ['a', 'b', 'c', 'd'] } })).toContain('4 files');
    const text = report({ source: { ...source, files: [`/${'long/'.repeat(40)}office.pcap`] } });
    expect(text).toContain('…');
    expect(text).toContain('/long/office.pcap');
  });
});

describe('no resets', () => {
  test('are said clearly, with what was read', () => {
    const text = renderReport(emptyReport(), PLAIN, 20);
    expect(lines(text)[0]).toBe('No resets in 60.0 s: 1,234 packets, 1,200 of them TCP, office.pcap');
    expect(text).toContain('1,234 packets seen: 1,200 TCP, 30 not TCP, 1 fragment, 3 malformed');
    expect(text).not.toMatch(/Servers|Ports|Hosts|▁/);
  });
  test('in a capture without packets', () => {
    const text = renderReport(emptyReport({ seen: 0, tcp: 0, not_tcp: 0, fragments: 0, malformed: 0 }), PLAIN, 20);
    expect(text).toContain('No resets in 60.0 s: there was no packet at all');
    expect(text).toContain('\n0 packets seen\n');
  });
  test('because the options left all of them out', () => {
    const text = renderReport(emptyReport({ resets: 19, unique: 19, filtered_out: 19 }), PLAIN, 20);
    expect(lines(text)[0]).toMatch(/^No resets to show in 60\.0 s: all 19 resets were left out/);
  });
});

describe('the timeline', () => {
  const bars = (text: string): string => lineWith(text, '█').trim();

  test('is one character a bucket, with nothing unlike little', () => {
    const drawn = bars(report());
    expect(drawn).toHaveLength(60);
    expect(drawn[30]).toBe('█');
    expect(drawn[1]).toBe('▂');
    expect(drawn[3]).toBe('▁');
    expect(report()).toContain('2026-03-01 12:00:00 UTC to 12:01:00; one column is 1 s, most 62 at 12:00:30');
  });
  test('adds neighbours up where there are more buckets than columns', () => {
    const timeline = { ...sampleReport().timeline, counts: [...Array.from({ length: 119 }, () => 1), 5] };
    const text = report({ timeline });
    expect(bars(text)).toHaveLength(60);
    expect(text).toContain('one column is 2 s, most 6 at 12:01:58');
  });
  test('is ASCII where the terminal may know no more', () => {
    const text = renderReport(sampleReport(), { ...PLAIN, unicode: false }, 1);
    expect(text).toContain('#');
    expect(text).toMatch(/^[ -~\n]*$/);
  });
});

describe('the tables', () => {
  const reports: [string, Report][] = [
    ['plain', sampleReport()],
    ['full', fullReport()],
    ['empty', emptyReport()],
    ['long names', { ...fullReport(), processes: longNames() }],
  ];
  const sizes = [80, 100, 140].flatMap((width) => reports.map(([name, made]) => [name, width, made] as const));

  test.each(sizes)('%s fit %i columns', (_, width, made) => {
    for (const style of [{ ...PLAIN, width }, { ...PLAIN, width, unicode: false, color: 3 } as const]) {
      for (const line of lines(renderReport(made, style, 20))) {
        expect([line, columnsOf(line) <= width]).toEqual([line, true]);
        expect(line).toBe(line.trimEnd());
      }
    }
  });
  test('show more columns where there is room', () => {
    expect(report({}, 80)).not.toContain('first');
    const heads = section(report({}, 140), 'Servers')[1]?.trim().split(/ {2,}/);
    expect(heads).toEqual([
      'server',
      'service',
      'resets',
      'by server',
      'by client',
      'clients',
      'rate/s',
      'peak 10 s',
      'first',
      'last',
    ]);
    expect(report({}, 140)).toMatch(/100 +90 +10 +12 +1\.7 +40 +12:00:01 +12:00:59\n/);
  });
  test('never cut an address, however narrow', () => {
    for (const width of [20, 60, 80, 140]) {
      const text = report({}, width);
      expect(text).toContain(` ${IPV6_ENDPOINT} `);
      expect(section(text, 'Servers')[2]).toMatch(/^ {2}10\.0\.0\.1:443 .* 100\b/);
    }
  });
  test('leave columns out in the order that is stated', () => {
    const order = ['first', 'last', 'peak 10 s', 'clients', 'rate/s', 'service', 'by client', 'by server'];
    for (let width = 150; width > 40; width--) {
      const head = section(report({}, width), 'Servers')[1] ?? '';
      const there = order.map((name) => head.includes(name));
      expect(there).toEqual([...there].sort((a, b) => Number(a) - Number(b)));
    }
  });
  test('align numbers to the right', () => {
    const [, head = '', ...rows] = section(report({}, 140), 'Servers');
    const end = head.indexOf('resets') + 'resets'.length;
    expect(rows.map((row) => /(?:^| )(\S+)$/.exec(row.slice(0, end))?.[1])).toEqual(['100', '20', '1']);
  });
  test('align names of wide characters', () => {
    const { processes } = fullReport();
    const text = report({ processes }, 140);
    const [head = '', ...rows] = section(text, 'Processes').slice(1, 2 + processes.length);
    const at = columnsOf(head.slice(0, head.indexOf('kind')));
    for (const row of rows) expect(columnsOf(row.slice(0, /(?:unit|exe|container) /.exec(row)?.index))).toBe(at);
  });
  test('show the first rows and say how many more there are', () => {
    const endpoints = Array.from({ length: 30 }, (_, i) => sampleEndpoint({ ip: `10.0.1.${i}` }));
    const block = section(report({ endpoints }), 'Servers');
    expect(block).toHaveLength(1 + 1 + 20 + 1);
    expect(block.at(-1)).toBe('  … and 10 more (--top 30 shows all)');
    expect(block.at(-2)).toContain('10.0.1.19:443');
    expect(section(report({ endpoints }, 80, 30), 'Servers').join()).not.toContain('more');
  });
  test('of many rows are as one', () => {
    const endpoints = Array.from({ length: 1000 }, (_, i) => sampleEndpoint({ ip: '10.0.0.1', port: i }));
    const [, head, ...rows] = section(report({ endpoints }, 80, 1000), 'Servers');
    expect(rows.map((row) => /:(\d+) /.exec(row)?.[1])).toEqual(endpoints.map(({ port }) => String(port)));
    expect(new Set(rows.map((row) => row.indexOf('https')))).toEqual(new Set([head?.indexOf('service')]));
  });
  test('say how many rows were not kept', () => {
    const text = report({ endpoints_omitted: 5000, hosts_omitted: 1 });
    expect(section(text, 'Servers').at(-1)).toBe('  … and 5,000 more that were not kept, for memory');
    expect(section(text, 'Hosts').at(-1)).toBe('  … and 1 more that were not kept, for memory');
  });
  test('show sent and received only where there are any', () => {
    expect(report({}, 140)).not.toContain('received');
    const text = report({ ports: [samplePort({ received: 7 })] }, 140);
    expect(section(text, 'Ports')[1]).toMatch(/ sent +received /);
    expect(section(text, 'Ports')[2]).toMatch(/ 0 +7 /);
  });
  test('show nothing known as "-" and explain a row without port', () => {
    const block = section(report(), 'Ports');
    expect(block.at(-2)).toMatch(/^ {5}- {2}- +1 +0 +0 +12 +- +40$/);
    expect(block.at(-1)).toBe('  - as port: which side serves is not known');
    expect(report({ ports: [samplePort()] })).not.toContain('which side serves');
  });
  test('list whole ports only', () => {
    const row = section(report(), 'Hosts').at(-1) ?? '';
    expect(row).toMatch(/ 8000, 8001 \+38$/);
    for (let width = 60; width < 300; width++) {
      const text = report({ hosts: [sampleHost({ ports: manyPorts(2000) })] }, width);
      const cell = / 21 {2}(8000.*)\n/.exec(text)?.[1];
      expect(cell).toMatch(/^(8\d{3}, )*8\d{3} \+1\d{3}$/);
    }
    expect(report({ hosts: [sampleHost({ ports: [] })] })).toMatch(/ 21 {2}-\n/);
  });
  test('tell causes only when one is known', () => {
    expect(report()).not.toMatch(/Causes|main cause/);
    const text = renderReport(fullReport(), PLAIN, 20);
    expect(section(text, 'Causes')[2]).toMatch(/^ {2}closed-port +70 +0 +70 +0 +0 +kernel$/);
    expect(section(text, 'Patterns')[2]).toContain('tried 70 ports');
  });
});

describe('times', () => {
  const zoned = (timeZone: string): string =>
    renderReport(sampleReport(), { ...PLAIN, width: 140, utc: false, timeZone }, 20);

  test('are local unless UTC is asked for', () => {
    expect(zoned('Asia/Tokyo')).toContain('2026-03-01 21:00:00 GMT+9 to 21:01:00');
    expect(renderReport(sampleReport(), { ...PLAIN, timeZone: 'Asia/Tokyo' }, 20)).toContain('12:00:00 UTC');
  });
  test('carry the date where the window covers more than a day', () => {
    const { window } = sampleReport();
    const text = report({ window: { ...window, end_epoch: (window.end_epoch ?? 0) + 86400, seconds: 86460 } }, 160);
    expect(text).toContain('UTC to 2026-03-02 12:01:00');
    expect(section(text, 'Servers')[2]).toContain('2026-03-01 12:00:01');
  });
  test('carry milliseconds where the window is short', () => {
    const { window } = sampleReport();
    const text = report({ window: { ...window, end_epoch: (window.start_epoch ?? 0) + 2, seconds: 2 } }, 160);
    expect(section(text, 'Servers')[2]).toContain('12:00:01.123');
  });
  test('are "-" where nothing has a time', () => {
    const none = { start: null, start_epoch: null, end: null, end_epoch: null, seconds: null };
    const timeline = { ...sampleReport().timeline, start: null, start_epoch: null };
    const text = report({ window: none, timeline, endpoints: [sampleEndpoint({ first: null, last: null })] }, 140);
    expect(section(text, 'Servers')[2]).toMatch(/40 {2}- +-$/);
    expect(text).toContain('\none column is 1 s, most 62\n');
  });
});

describe('what is said around the tables', () => {
  test('findings come before the tables, with evidence and the next step', () => {
    const text = renderReport(fullReport(), { ...PLAIN, width: 140 }, 20);
    expect(text.indexOf('warning: 10.0.0.1 refused')).toBeGreaterThan(0);
    expect(text.indexOf('warning: 10.0.0.1 refused')).toBeLessThan(text.indexOf('Servers'));
    expect(text).toContain('\n  · 70 SYNs were answered by resets\n');
    expect(text).toContain('\n  → ss -ltnp sport = :443\n');
  });
  test('damage comes last', () => {
    const text = renderReport(fullReport(), { ...PLAIN, width: 140 }, 20);
    expect(lines(text).at(-2)).toBe(
      'incomplete: eth0: record 101 at byte 7024 claims 4294967280 bytes, the snapshot length is 262144 (2.5 s missing)',
    );
  });
  test('packets dropped are told', () => {
    expect(report({ packets: { ...sampleReport().packets, dropped: 5 } }, 140)).toContain(
      '3 malformed; 5 more dropped',
    );
  });
  test('which of several files is damaged is told', () => {
    const { source } = sampleReport();
    const entry = { reason: 'cut-off', interface: null, gap_seconds: null, file: 'b.pcap', byte: 1, message: 'cut' };
    const text = report({ source: { ...source, files: ['a.pcap', 'b.pcap'] }, incomplete: [entry] });
    expect(text).toContain('incomplete: b.pcap: cut\n');
    expect(report({ incomplete: [entry] })).toContain('incomplete: cut\n');
  });
  test('many damaged places are cut as a table is', () => {
    const entry = { reason: 'x', interface: null, gap_seconds: null, file: null, byte: null, message: 'broken' };
    const text = report({ incomplete: Array.from({ length: 5 }, () => entry) }, 80, 3);
    expect(text.match(/incomplete: broken/g)).toHaveLength(3);
    expect(text).toContain('… and 2 more (--top 5 shows all)');
  });
});

describe('colour', () => {
  test('none means no escape code', () => {
    expect(renderReport(fullReport(), PLAIN, 20)).not.toContain(ESCAPE);
  });
  test.each([1, 2, 3] as const)('of level %i adds SGR codes and changes no text', (color) => {
    const text = renderReport(fullReport(), { ...PLAIN, color }, 20);
    expect(text).toContain(ESCAPE);
    expect(withoutColor(text)).not.toContain(ESCAPE);
    expect(withoutColor(text)).toBe(renderReport(fullReport(), PLAIN, 20));
  });
});

describe('hostile text', () => {
  // Everything that the UNSAFE class of printable() names, but the line break.
  const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
  const hostile = withStrings(fullReport(), (text, key) => (FIXED.has(key) ? text : `${text}${HOSTILE}`));

  test('is there to be made safe', () => {
    expect(HOSTILE).toMatch(STEERING);
  });
  test.each([80, 140])('steers nothing at %i columns', (width) => {
    const text = renderReport(hostile, { ...PLAIN, width }, 20);
    expect(text).not.toMatch(STEERING);
    expect(text).toContain('nginx.service·[31mred');
  });
  test('forges no line', () => {
    const { source } = sampleReport();
    const text = report({ source: { ...source, files: ['a\n\nServers\n  fake.pcap'] } });
    expect(lines(text).filter((line) => line === 'Servers')).toHaveLength(1);
  });
});
