/** How a live report reads, above all one without resets. */
import { describe, expect, test } from '@jest/globals';
import { nothingLines } from '../../src/render/nothing.js';
import { renderReport } from '../../src/render/table-report.js';
import { columnsOf } from '../../src/render/text-width.js';
import type { Incomplete, Report, Source } from '../../src/report/types.js';
import { emptyReport, HOSTILE, PLAIN, sampleFailedConnect, sampleReport } from './sample-report.js';

const WIDE = { ...PLAIN, width: 200 };
const LIVE: Source = {
  ...{ kind: 'live', interfaces: ['any'], files: [], filter: null, backend: 'cap', link_types: ['LINUX_SLL2'] },
  ...{ context: 'resets', timestamps: 'kernel', trace: 'off', namespaces: [] },
};
const NO_PACKETS = { seen: 0, tcp: 0, not_tcp: 0, fragments: 0, malformed: 0, dropped: 0 };
const AWAY: Incomplete = {
  ...{ reason: 'interface-gone', interface: 'lo', gap_seconds: 2.5, file: null, byte: null },
  message: 'the interface went away; reading was slow',
};

interface Asked {
  readonly source?: Partial<Source>;
  readonly packets?: Partial<Report['packets']>;
  readonly seconds?: number | null;
  readonly incomplete?: readonly Incomplete[];
}

function nothing({ source = {}, packets = {}, seconds = 10.004, incomplete = [] }: Asked = {}): Report {
  const report = emptyReport({ ...NO_PACKETS, ...packets });
  return { ...report, source: { ...LIVE, ...source }, window: { ...report.window, seconds }, incomplete };
}
const said = (asked: Asked = {}): string => nothingLines(nothing(asked), WIDE).join('\n');

describe('where listening brought nothing', () => {
  test('the whole of it reads', () => {
    expect(renderReport(nothing(), PLAIN, 20)).toBe(
      `No resets in 10 s, live on any
link type LINUX_SLL2; captured by cap

No reset was seen on any interface of this host in that time.
  · a connection can fail without a reset: a SYN that nobody answers times out,
    a firewall may reject with ICMP
  → --netns all listens in containers too: what stays inside them, as on their
    loopback, is not seen from here
  → -d 5m listens longer

0 packets captured; none dropped
`,
    );
  });
  test('connects that failed all the same are told of, not guessed at', () => {
    const failed_connects = [sampleFailedConnect(), sampleFailedConnect({ attempts: 3 })];
    const text = nothingLines({ ...nothing(), failed_connects }, WIDE).join('\n');
    expect(text).toContain('33 connects failed all the same: see "Failed connects" below');
    expect(text).not.toContain('a connection can fail without a reset');
  });
  test('a filter is told of', () => {
    const text = said({ source: { filter: 'port 443' } });
    expect(text).toContain('No reset that the filter "port 443" lets through was seen on any interface');
    expect(text).toContain('→ leave out the filter');
    expect(said()).not.toContain('filter');
  });
  test('named interfaces are named, and that there are others', () => {
    const text = said({ source: { interfaces: ['eth0', 'lo'] } });
    expect(text).toContain('No reset was seen on eth0, lo in that time.');
    expect(text).toContain('→ -i any');
    expect(said()).not.toContain('-i any');
    expect(said({ source: { interfaces: ['a', 'b', 'c', 'd'] } })).toContain('on 4 interfaces in');
  });
  test('other namespaces are suggested to those who listened in one', () => {
    expect(said()).toContain('--netns all');
    expect(said({ source: { namespaces: ['host'] } })).toContain('--netns all');
    const text = said({ source: { namespaces: ['host', 'web', 'db'] } });
    expect(text).not.toContain('--netns');
    expect(text).toContain('any interface in 3 network namespaces');
  });
  test('listening longer is suggested to those who did not', () => {
    expect(said()).toContain('-d 5m');
    expect(said({ seconds: null })).toContain('-d 5m');
    expect(said({ seconds: null })).not.toContain('in that time');
    expect(said({ seconds: 300 })).not.toContain('-d 5m');
  });
  test('resets that were left out are not denied', () => {
    const text = said({ packets: { seen: 19, tcp: 19, resets: 19, unique: 19, filtered_out: 19 } });
    expect(text).toMatch(/^19 resets were seen, but none that the options ask for\.\n/);
    expect(text).toContain('→ leave out an option');
    expect(text).not.toMatch(/No reset|without a reset/);
    expect(said({ packets: { seen: 1, tcp: 1, resets: 1, unique: 1, filtered_out: 1 } })).toMatch(
      /^One reset was seen/,
    );
  });
  test('what was lost or not read may hold some', () => {
    expect(said({ packets: { dropped: 5 } })).toContain('· 5 packets were dropped: resets may be among them');
    expect(said({ packets: { dropped: 1 } })).toContain('· 1 packet was dropped');
    expect(said({ packets: { seen: 3, cut: 2, malformed: 1 } })).toContain('· 3 packets could not be read');
    expect(said({ incomplete: [AWAY] })).toContain('see "incomplete" below');
    expect(said()).not.toMatch(/dropped|could not|incomplete/);
  });
  test('no packet at all says something only where more than resets would have come', () => {
    expect(said({ source: { context: 'control' } })).toContain('not one packet was captured');
    expect(said({ source: { context: 'control' }, packets: { seen: 9, tcp: 9 } })).not.toContain('not one packet');
    expect(said()).not.toContain('not one packet');
  });
  test('because there was nothing to listen on, that is said', () => {
    expect(said({ source: { interfaces: [] } })).toMatch(/^No interface was listened on\.\n/);
  });
  test('files and reports with resets have none of it', () => {
    expect(nothingLines(emptyReport(), PLAIN)).toEqual([]);
    expect(nothingLines(sampleReport({ source: LIVE }), PLAIN)).toEqual([]);
  });
  test('it fits the page, is ASCII where it must be and steers nothing', () => {
    const report = nothing({ source: { filter: HOSTILE, interfaces: [HOSTILE] }, incomplete: [AWAY] });
    for (let width = 30; width < 140; width++) {
      for (const line of nothingLines(report, { ...PLAIN, width }).flatMap((text) => text.split('\n')))
        expect(columnsOf(line)).toBeLessThanOrEqual(width);
    }
    expect(nothingLines(report, { ...WIDE, unicode: false }).join('\n')).toMatch(/^[ -~\n]*$/);
    expect(nothingLines(report, WIDE).join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  });
});

describe('a live report', () => {
  const live = (source: Partial<Source> = {}, packets: Partial<Report['packets']> = {}, changes = {}): string => {
    const report = sampleReport();
    const all = { source: { ...LIVE, ...source }, packets: { ...report.packets, ...packets }, ...changes };
    return renderReport({ ...report, ...all }, WIDE, 20);
  };

  test('counts packets where they are not all resets', () => {
    expect(live()).toMatch(/^121 resets \(12 copies folded\) in 60 s \(2\.0\/s\), live on any\n/);
    expect(live({ context: 'control', interfaces: ['eth0'] })).toMatch(/ \(2\.0\/s\), 1,234 packets, live on eth0\n/);
  });
  test('says where when that was in several places', () => {
    expect(live({ namespaces: ['host', 'web'] })).toContain('live on any in 2 network namespaces\n');
  });
  test('says how it was captured', () => {
    const text = live({ backend: 'tcpdump', filter: 'net 10/8', timestamps: 'arrival' });
    expect(text.split('\n').slice(1, 3).join(' ').replaceAll('  ', ' ')).toContain(
      `link type LINUX_SLL2; filter "net 10/8"; captured by tcpdump; times are those of arrival here, not the kernel's; only resets were captured:`,
    );
  });
  test('without any of the packets asked for says so', () => {
    expect(renderReport(nothing({ source: { context: 'full' } }), WIDE, 20)).toMatch(
      /^No resets in 10 s: no packet at all was captured, live on any\n/,
    );
  });
  test('says what was lost, that nothing was, or that nobody knows', () => {
    expect(live({}, { dropped: 5 })).toContain('1,234 packets captured: 1,200 TCP');
    expect(live({}, { dropped: 5 })).toContain('malformed; 5 more dropped\n');
    expect(live({}, { dropped: 0 })).toContain('malformed; none dropped\n');
    expect(live({}, { dropped: null })).toContain('malformed; how many were dropped is not known\n');
    expect(renderReport(sampleReport({ packets: { ...sampleReport().packets, dropped: 0 } }), WIDE, 20)).not.toContain(
      'dropped',
    );
  });
  test('names an interface that was away, though its name be in another word', () => {
    expect(live({}, {}, { incomplete: [AWAY] })).toContain(
      'incomplete: lo: the interface went away; reading was slow (2.5 s missing)\n',
    );
    expect(live({}, {}, { incomplete: [{ ...AWAY, interface: '' }] })).toContain(
      'incomplete: the interface went away;',
    );
    const named = { ...AWAY, message: 'lo: went away', gap_seconds: 0 };
    expect(live({}, {}, { incomplete: [named] })).toContain('incomplete: lo: went away\n');
  });
});
