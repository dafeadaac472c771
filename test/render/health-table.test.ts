/** The kernel's counters for people: totals, intervals, changes of alerts, and the end with rates. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  renderChange,
  renderHealth,
  renderInterval,
  renderTotals,
  type HealthView,
} from '../../src/render/health-table.js';
import type { Style } from '../../src/render/style.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import type { HealthDocument } from '../../src/report/types.js';
import {
  everyCounter,
  fullAlerts,
  fullHealth,
  sampleAlert,
  sampleCounter,
  sampleCounters,
  sampleHealth,
  sampleNamespace,
} from './sample-kernel.js';
import { HOSTILE, PLAIN, withStrings } from './sample-report.js';

const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const MOVED: HealthView = { all: false, history: new Map() };
const ALL: HealthView = { ...MOVED, all: true };
/** Keys whose text is a time or one of a few words. */
const FIXED = new Set(['state', 'since']);

const text = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;
/** The blocks of a text, by their titles. */
const blocks = (rendered: string): Map<string, string> =>
  new Map(rendered.split('\n\n').map((block) => [block.split('\n')[0] ?? '', block.trimEnd()]));

function totals(changes: Partial<HealthDocument> = {}, style: Partial<Style> = {}, all = false): string {
  return renderTotals(sampleHealth(changes), { ...PLAIN, ...style }, all);
}

function ended(changes: Partial<HealthDocument> = {}, view: HealthView = MOVED, style: Partial<Style> = {}): string {
  return renderHealth(sampleHealth(changes), { ...PLAIN, ...style }, view);
}

describe('the totals', () => {
  test('are those that ever moved, with what each counts', () => {
    expect(totals()).toBe(
      text(
        'Totals so far (the host is up for 2 d 12 h)',
        '  counter          total  what it counts',
        '  OutRsts          1,234  resets sent by TCP, IPv4 and IPv6',
        '  AttemptFails     1,001  connections that ended in their handshake: refused, o…',
        '  TCPAbortOnClose      7  programs that closed with received data unread',
      ),
    );
  });
  test('are all with --all, those that this kernel lacks as "-"', () => {
    expect(totals({}, {}, true)).toBe(
      text(
        'Totals so far (the host is up for 2 d 12 h)',
        '  counter               total  what it counts',
        '  OutRsts               1,234  resets sent by TCP, IPv4 and IPv6',
        '  AttemptFails          1,001  connections that ended in their handshake: refus…',
        '  TCPAbortOnClose           7  programs that closed with received data unread',
        '  TCPAbortFailed            0  resets that TCP could not hand to the network',
        '  TCPMigrateReqFailure      -  connections not yet accepted that no other liste…',
      ),
    );
  });
  test('say so where none ever moved', () => {
    const counters = [sampleCounter({ total: 0 }), sampleCounter({ name: 'TW', total: null })];
    expect(totals({ counters })).toBe(
      text(
        'Totals so far (the host is up for 2 d 12 h)',
        '  none of the 2 counters of resets has ever moved (--all shows them)',
      ),
    );
  });
  test('where nobody says since when the host is up', () => {
    expect(totals({ boot_seconds: null }).split('\n')[0]).toBe('Totals so far');
    expect(totals({ boot_seconds: 11.26 }).split('\n')[0]).toBe('Totals so far (the host is up for 11.3 s)');
  });
  test('of other namespaces stand in blocks of their own, by name or else by number', () => {
    const nameless = sampleNamespace({ name: null, counters: sampleCounters() });
    const namespaces = [sampleNamespace(), nameless, sampleNamespace({ name: null, netns: null })];
    const found = blocks(totals({ namespaces }));
    expect([...found.keys()]).toEqual([
      'Totals so far (the host is up for 2 d 12 h)',
      'Network namespace web',
      'Network namespace 4026532281',
      'Network namespace unknown',
    ]);
    expect(found.get('Network namespace web')).toBe(
      [
        'Network namespace web',
        '  counter  total  what it counts',
        '  OutRsts     20  resets sent by TCP, IPv4 and IPv6',
      ].join('\n'),
    );
    expect(found.get('Network namespace 4026532281')).toContain('\n  AttemptFails     1,001  connections');
  });
});

describe('what could not be read', () => {
  const unread = sampleNamespace({
    counters: sampleCounters().map((row) => ({ ...row, total: null, delta: null, rate: null })),
  });

  test('is not said to stand still', () => {
    for (const all of [false, true]) {
      expect(blocks(totals({ namespaces: [unread] }, {}, all)).get('Network namespace web')).toBe(
        'Network namespace web\n  could not be read',
      );
      expect(blocks(ended({ namespaces: [unread] }, { ...ALL, all })).get('Network namespace web')).toBe(
        'Network namespace web\n  could not be read',
      );
    }
    expect(renderInterval(sampleHealth({ namespaces: [unread] }), PLAIN).split('\n')[1]).toBe(
      '12:00:02 web  could not be read',
    );
  });
  test('in part is told where it was', () => {
    const part = sampleNamespace({ counters: [...unread.counters.slice(1), sampleCounter({ delta: 0, rate: 0 })] });
    expect(blocks(ended({ namespaces: [part] })).get('Network namespace web')).toBe(
      'Network namespace web\n  none of the 5 counters of resets moved (--all shows them)',
    );
    expect(renderInterval(sampleHealth({ namespaces: [part] }), PLAIN)).toContain(' web  nothing moved\n');
  });
});

describe('an interval', () => {
  test('tells what moved, when it ended', () => {
    expect(renderInterval(sampleHealth(), PLAIN)).toBe('12:00:02  OutRsts 50.0/s, AttemptFails 0.50/s\n');
  });
  test('of less than a second has parts of seconds, over midnight no date', () => {
    const { window } = sampleHealth();
    const midnight = Date.UTC(2026, 2, 2) / 1000;
    const at = (seconds: number): string => {
      const end = new Date((midnight + 0.25) * 1000).toISOString();
      const short = { ...window, end, start_epoch: midnight + 0.25 - seconds, end_epoch: midnight + 0.25, seconds };
      const counters = [sampleCounter({ delta: 0, rate: 0 })];
      return renderInterval(sampleHealth({ window: short, counters }), PLAIN);
    };
    expect([0.1, 0.5, 1, 20].map(at)).toEqual([
      '00:00:00.250  nothing moved\n',
      '00:00:00.250  nothing moved\n',
      '00:00:00  nothing moved\n',
      '00:00:00  nothing moved\n',
    ]);
  });
  test('of nothing says so', () => {
    const counters = [sampleCounter({ delta: 0, rate: 0 }), sampleCounter({ name: 'TW', delta: null, rate: null })];
    expect(renderInterval(sampleHealth({ counters }), PLAIN)).toBe('12:00:02  nothing moved\n');
  });
  test('has a line for each namespace', () => {
    const quiet = sampleNamespace({ name: null, counters: [sampleCounter({ delta: 0, rate: 0 })] });
    expect(renderInterval(sampleHealth({ namespaces: [sampleNamespace(), quiet] }), PLAIN)).toBe(
      text(
        '12:00:02  OutRsts 50.0/s, AttemptFails 0.50/s',
        '12:00:02 web  OutRsts 10.0/s',
        '12:00:02 4026532281  nothing moved',
      ),
    );
  });
  test('is broken where many moved', () => {
    const counters = ['OutRsts', 'AttemptFails', 'EstabResets', 'TCPAbortOnData', 'TCPAbortOnClose'].map((name) =>
      sampleCounter({ name }),
    );
    expect(renderInterval(sampleHealth({ counters }), PLAIN)).toBe(
      text(
        '12:00:02  OutRsts 50.0/s, AttemptFails 50.0/s, EstabResets 50.0/s,',
        '          TCPAbortOnData 50.0/s, TCPAbortOnClose 50.0/s',
      ),
    );
  });
});

describe('an alert that changed', () => {
  const at = '2026-03-01T12:01:10.123Z';

  test('is a line: why it warns, or the figure that is none to warn of', () => {
    const [warns, clear, undefined_] = fullAlerts();
    expect(renderChange(warns!, at, PLAIN)).toBe(
      text(
        '12:01:10  netdata_resets_sent: warning: 112/s in the last 10 s, above 50/s: 10',
        "          times the minute before (2/s, taken as 5); the host's uptime stands",
        "          for the agent's",
      ),
    );
    expect(renderChange(clear!, at, PLAIN)).toBe('12:01:10  netdata_resets_received: clear, 1.5/s\n');
    expect(renderChange(undefined_!, at, PLAIN)).toBe('12:01:10  logicmonitor_failed_connections: undefined\n');
  });
  test('is yellow where it warns, green where it is over', () => {
    const [warns, clear] = fullAlerts();
    expect(renderChange(warns!, at, { ...PLAIN, color: 1, width: 300 })).toMatch(/^\S*\[33m12:01:10 .*\[39m\n$/);
    expect(renderChange(clear!, at, { ...PLAIN, color: 1, width: 300 })).toMatch(/^\S*\[32m12:01:10 .*\[39m\n$/);
  });
});

describe('the end', () => {
  test('shows those that moved, with what each counts and points to', () => {
    expect(ended()).toBe(
      text(
        'In 2.0 s',
        '  counter       more  rate/s  total  points to',
        '  OutRsts       +100    50.0  1,234  -',
        '  AttemptFails    +1    0.50  1,001  closed-port',
        '  OutRsts: resets sent by TCP, IPv4 and IPv6',
        '  AttemptFails: connections that ended in their handshake: refused, or given up',
        '    by the other end',
        '',
        'Alerts',
      ),
    );
  });
  test('shows all with --all, what this kernel lacks as "-"', () => {
    expect(blocks(ended({}, ALL)).get('In 2.0 s')).toBe(
      [
        'In 2.0 s',
        '  counter               more  rate/s  total  points to',
        '  OutRsts               +100    50.0  1,234  -',
        '  AttemptFails            +1    0.50  1,001  closed-port',
        '  TCPAbortOnClose         +0       0      7  abort-unread-data',
        '  TCPAbortFailed          +0       0      0  -',
        '  TCPMigrateReqFailure     -       -      -  listener-closed',
        '  OutRsts: resets sent by TCP, IPv4 and IPv6',
        '  AttemptFails: connections that ended in their handshake: refused, or given up',
        '    by the other end',
        '  TCPAbortOnClose: programs that closed with received data unread',
        '  TCPAbortFailed: resets that TCP could not hand to the network',
        '  TCPMigrateReqFailure: connections not yet accepted that no other listener',
        '    could take over',
      ].join('\n'),
    );
  });
  test('says so where none moved', () => {
    const counters = sampleCounters().map((row) => ({ ...row, delta: 0, rate: 0 }));
    expect(blocks(ended({ counters })).get('In 2.0 s')).toBe(
      'In 2.0 s\n  none of the 5 counters of resets moved (--all shows them)',
    );
  });
  test('draws the course of the rates of this namespace, and of no other', () => {
    const history = new Map([
      ['OutRsts', [0, 1, 50, 100]],
      ['AttemptFails', [0, 0, 0, 1]],
    ]);
    const found = blocks(ended({ namespaces: [sampleNamespace()] }, { all: false, history }));
    expect(found.get('In 2.0 s')?.split('\n').slice(1, 4)).toEqual([
      '  counter       more  rate/s  course  total  points to',
      '  OutRsts       +100    50.0  ▁▂▅█    1,234  -',
      '  AttemptFails    +1    0.50  ▁▁▁█    1,001  closed-port',
    ]);
    expect(found.get('Network namespace web')).toBe(
      [
        'Network namespace web',
        '  counter  more  rate/s  total  points to',
        '  OutRsts   +20    10.0     20  -',
        '  OutRsts: resets sent by TCP, IPv4 and IPv6',
      ].join('\n'),
    );
  });
  test('of a long run adds neighbours up: no more than 20 columns', () => {
    const rates = Array.from({ length: 600 }, (_, i) => (i < 300 ? 1 : 2));
    const rendered = ended({}, { all: false, history: new Map([['OutRsts', rates]]) });
    expect(/OutRsts .*? ([▁-█]+) /.exec(rendered)?.[1]).toBe(`${'▅'.repeat(10)}${'█'.repeat(10)}`);
  });
  test('leaves out columns that matter less on a narrow page', () => {
    const view = { all: false, history: new Map([['OutRsts', [1]]]) };
    const head = (width: number): string => ended({}, view, { width }).split('\n')[1] ?? '';
    expect(head(52)).toBe('  counter       more  rate/s  course  points to');
    expect(head(46)).toBe('  counter       more  rate/s  points to');
  });
  test('tells queues and settings only where there are some', () => {
    const { listeners, sysctls } = fullHealth();
    const found = blocks(ended({ listeners, sysctls }));
    expect(found.get('Listen queues and settings')).toBe(
      [
        'Listen queues and settings',
        '  · 129 connections wait to be accepted at 0.0.0.0:80 (backlog 128: full)',
        '  · 1 connection waits to be accepted at',
        '    [2001:db8:1111:2222:3333:4444:5555:6666]:8080',
        '  · net.ipv4.tcp_abort_on_overflow = 0: 5 handshakes found an accept queue full',
        '    and were dropped without a reset',
      ].join('\n'),
    );
    expect(ended()).not.toContain('Listen queues');
    const nobody = listeners.map((row) => ({ ...row, backlog: 0 }));
    expect(ended({ listeners: nobody })).not.toContain('Listen queues');
  });
  test('tells each alert, its figure and why, and once what its counter counts', () => {
    expect(blocks(ended({ alerts: fullAlerts() })).get('Alerts')).toBe(
      [
        'Alerts',
        '  netdata_resets_sent: warning, 112/s (OutRsts)',
        '    112/s in the last 10 s, above 50/s: 10 times the minute before (2/s, taken',
        "    as 5); the host's uptime stands for the agent's",
        '  netdata_resets_received: clear, 1.5/s (AttemptFails)',
        '    1.5/s in the last 10 s, not above 50/s',
        '  logicmonitor_failed_connections: undefined (AttemptFails)',
        '  OutRsts counts resets that TCP sends',
        '  AttemptFails counts connections that end in their handshake in this network',
        '    namespace: not resets received',
      ].join('\n'),
    );
  });
  test('has its blocks in this order', () => {
    const order = [...blocks(renderHealth(fullHealth(), PLAIN, ALL)).keys()];
    expect(order).toEqual([
      'In 2.0 s',
      'Network namespace web',
      'Network namespace unknown',
      'Listen queues and settings',
      'Alerts',
    ]);
  });
});

describe('whatever is told', () => {
  const every = sampleHealth({
    ...{ ...fullHealth(), counters: everyCounter() },
    namespaces: [sampleNamespace({ counters: everyCounter() })],
  });
  const history = new Map(everyCounter().map(({ name }) => [name, Array.from({ length: 90 }, (_, i) => i)]));
  const still = everyCounter().map((row) => ({ ...row, total: 0, delta: 0, rate: 0 }));
  const rendered = (document: HealthDocument, style: Style): string[] => [
    ...[true, false].map((all) => renderTotals(document, style, all)),
    renderInterval(document, style),
    ...[true, false].map((all) => renderHealth(document, style, { all, history })),
    ...document.alerts.map((alert) => renderChange(alert, '2026-03-01T12:00:10.000Z', style)),
  ];

  test('fits the page from 80 columns on', () => {
    for (let width = 80; width <= 140; width += width === 80 ? 1 : 7) {
      for (const document of [every, fullHealth(), sampleHealth({ counters: still })]) {
        for (const line of rendered(document, { ...PLAIN, width }).flatMap((one) => one.split('\n')))
          expect([line, columnsOf(line)]).toEqual([line, Math.min(columnsOf(line), width)]);
      }
    }
  });
  test('names every counter that there is', () => {
    for (const [one, ...others] of [rendered(every, PLAIN), rendered(every, { ...PLAIN, width: 140 })]) {
      for (const { name } of everyCounter()) {
        expect(one).toContain(`\n  ${name} `);
        expect(others[2]).toContain(`\n  ${name} `);
      }
    }
  });
  test('is the same under its colours', () => {
    const plain = rendered(fullHealth(), PLAIN);
    const dressed = rendered(fullHealth(), { ...PLAIN, color: 1 });
    expect(dressed.map(withoutColor)).toEqual(plain);
    expect(dressed.join('')).not.toBe(plain.join(''));
  });
  test('is ASCII where the terminal may know no more', () => {
    for (const one of rendered(every, { ...PLAIN, unicode: false })) expect(one).toMatch(/^[ -~\n]*$/);
    expect(rendered(fullHealth(), { ...PLAIN, unicode: false })[0]).toContain('their handshake: ref...\n');
  });
  test('no text of it steers the terminal', () => {
    const strange = <T>(value: T): T => withStrings(value, (one, key) => (FIXED.has(key) ? one : `${one}${HOSTILE}`));
    const { namespaces, alerts, listeners, sysctls } = fullHealth();
    const hostile = sampleHealth({
      namespaces: namespaces.map((row) => ({ ...row, name: `web${HOSTILE}` })),
      ...strange({ alerts, listeners, sysctls }),
    });
    for (const style of [{ ...PLAIN, width: 300 }, PLAIN, { ...PLAIN, unicode: false }]) {
      const all = rendered(hostile, style);
      expect(all.join('').replaceAll(/\s+/g, '')).toMatch(/Networknamespaceweb[·?]\[31mred/);
      for (const one of all) expect(one).not.toMatch(STEERING);
    }
  });
  test('every text ends in one line break, and blocks are one empty line apart', () => {
    for (const one of [...rendered(every, PLAIN), ...rendered(sampleHealth(), PLAIN)])
      expect(one).toMatch(/^\S(?:(?!\n\n\n)[^])*[^\n]\n$/);
  });
  test('rates and totals read as they are', () => {
    const number = fc.oneof(fc.nat({ max: 2 ** 45 }), fc.constant(null));
    fc.assert(
      fc.property(number, number, (total, delta) => {
        const one = sampleCounter({ total, delta, rate: delta === null ? null : delta / 2 });
        // Where nothing at all is known there is no table.
        const counters = [one, sampleCounter({ name: 'TW' })];
        const line = ended({ counters }, ALL, { width: 120 }).split('\n')[2] ?? '';
        const [, more, , all] = line.trim().split(/ +/);
        expect(more).toBe(delta === null ? '-' : `+${delta.toLocaleString('en-US')}`);
        expect(all).toBe(total === null ? '-' : total.toLocaleString('en-US'));
      }),
    );
  });
  test('of an alert that has not been judged says no more than its state', () => {
    const alerts = [sampleAlert({ state: 'undefined', value: null, threshold: null, since: null, reason: null })];
    expect(ended({ alerts })).toContain('\n  netdata_resets_sent: undefined (OutRsts)\n  OutRsts counts');
  });
});
