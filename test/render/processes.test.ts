/** Processes on the screen: in the lines of resets, in the tables, in sentences; whatever they call themselves. */
import { describe, expect, test } from '@jest/globals';
import { eventLineWriter } from '../../src/render/event-line.js';
import { LiveLines } from '../../src/render/live-lines.js';
import { endsTexts, processName } from '../../src/render/process-text.js';
import { renderReport } from '../../src/render/table-report.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import type { Report, ResetEvent } from '../../src/report/types.js';
import {
  emptyReport,
  fullReport,
  HOSTILE,
  PLAIN,
  sampleEvent,
  sampleFailedConnect,
  sampleProcess,
  samplePort,
  sampleProcessRow,
  sampleReport,
} from './sample-report.js';

const WIDE = { ...PLAIN, width: 200 };
const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const NODE = sampleProcess({
  ...{ pid: 9114, name: 'node', exe: '/usr/bin/node', unit: 'collector.service', container: null },
  match: 'kernel-trace',
});
const LOCAL = { src_ip: '127.0.0.1', src_port: 7211, dest_ip: '127.0.0.1', dest_port: 52100 } as const;
/** The story of a port that nobody listens on. */
const REFUSED = sampleEvent({
  ...{ ...LOCAL, direction: 'local', cause: 'closed-port', confidence: 'certain', reset_by: 'server', pattern: null },
  ...{ copies: 1, sender: null, sender_reason: 'no-listener', receiver: NODE, receiver_reason: null },
});
const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);
const section = (text: string, title: string): string[] => {
  const all = text.split('\n');
  const at = all.indexOf(title);
  return at < 0 ? [] : all.slice(at, all.indexOf('', at));
};

describe('a line about a reset', () => {
  const at = (width: number, event = REFUSED): string => {
    const line = eventLineWriter({ ...PLAIN, width })(event);
    return line.slice(line.indexOf(event.tcp_flags, 50) + 2).trim();
  };

  test('says who is at both ends as fully as there is room beside the cause', () => {
    expect(at(160)).toBe('nobody listens → node[9114] (collector.service)  closed-port (certain), by the server');
    expect(at(120)).toBe('nobody listens → node[9114]  closed-port (certain)');
    expect(at(100)).toBe('→ node[9114]  closed-port (certain)');
    expect(at(80)).toBe('→ node[9114]');
    expect(at(64)).toBe('→ node');
  });
  test('says nothing of ends where nothing is known', () => {
    for (const reason of ['not-tried', 'offline', 'unknown', 'remote'] as const) {
      const nobody = { sender: null, receiver: null, sender_reason: reason, receiver_reason: reason };
      expect(endsTexts(sampleEvent(nobody), WIDE)).toEqual([]);
    }
  });
  test.each([
    ['permission', 'no permission → remote'],
    ['gone', 'gone → remote'],
    ['ambiguous', 'one of several → remote'],
    ['pid-namespace', 'in another PID namespace → remote'],
  ] as const)('says in words why nobody is named: %s', (reason, text) => {
    const event = sampleEvent({ sender: null, sender_reason: reason, receiver_reason: 'remote' });
    expect(endsTexts(event, WIDE)).toContain(text);
  });
  test('tells a group of listeners from a process in every length', () => {
    const event = sampleEvent({ sender: sampleProcess({ match: 'listener-group' }), receiver: NODE });
    for (const text of endsTexts(event, WIDE)) expect(text).toMatch(/^nginx \(group\).* → node/);
    expect(endsTexts(event, WIDE)[0]).toContain('nginx (group) (nginx.service)');
  });
  test('names nobody by a log-in or by an identifier', () => {
    const place = (changes: Parameters<typeof sampleProcess>[0]): string =>
      endsTexts(sampleEvent({ sender: sampleProcess(changes) }), WIDE)[0] ?? '';
    expect(place({ unit: 'session-3.scope', container: null })).toBe('nginx[4242] → remote');
    expect(place({ unit: null })).toBe('nginx[4242] (web) → remote');
    expect(place({ unit: `docker-${'0'.repeat(64)}.scope` })).toBe('nginx[4242] (web) → remote');
  });
});

describe('a line about many', () => {
  const condensed = (events: readonly ResetEvent[], width = 200): string => {
    const live = new LiveLines({ ...PLAIN, width }, true);
    for (const event of events) live.add(event, () => event, 0);
    return live.tick(1000, true).trimEnd();
  };
  const many = (n: number, changes: (i: number) => Partial<ResetEvent>): ResetEvent[] =>
    Array.from({ length: n + 5 }, (_, i) => ({ ...REFUSED, service_port: 7211, ...changes(i) }));

  test('names who they all were', () => {
    expect(condensed(many(7, () => ({})))).toBe('… 7 more from 127.0.0.1:7211 to 127.0.0.1  → node[9114]');
    expect(condensed(many(7, (i) => ({ receiver: { ...NODE, pid: i } })))).toMatch(/ → node$/);
    expect(condensed(many(7, () => ({ sender: sampleProcess() })))).toMatch(/ {2}nginx\[4242\] → node\[9114\]$/);
  });
  test('does not say that of others', () => {
    expect(condensed(many(7, (i) => (i === 8 ? { receiver: sampleProcess() } : {})))).toMatch(
      /node\[9114\] and others$/,
    );
    expect(condensed(many(7, (i) => (i === 8 ? { receiver: null } : {})))).toMatch(/node\[9114\] and others$/);
    expect(condensed(many(7, (i) => (i < 8 ? { receiver: null } : {})))).toMatch(/node\[9114\] and others$/);
    expect(condensed(many(7, () => ({ receiver: null })))).toMatch(/ to 127\.0\.0\.1$/);
  });
  test('leaves names out before addresses', () => {
    expect(
      condensed(
        many(7, () => ({})),
        50,
      ),
    ).toBe('… 7 more from 127.0.0.1:7211 to 127.0.0.1');
  });
});

describe('the tables of processes', () => {
  const node = sampleProcessRow({
    ...{ name: 'collector.service', pids: 1, resets_sent: 0, resets_received: 120, ports: [7211], sample: NODE },
    causes: [{ cause: 'closed-port', resets: 120 }],
  });
  const report = (changes: Partial<Report>, width = 120): string =>
    renderReport(sampleReport(changes), { ...PLAIN, width }, 20);

  test('say who, in which unit, how often and why', () => {
    const path = sampleProcessRow({ key: 'exe', name: '/usr/sbin/nginx', pids: 4, by_group: 3 });
    expect(section(report({ processes: [node, path] }), 'Processes')).toEqual([
      'Processes',
      '  who         unit, container or path  kind  pids  sent  received  by group  ports  main cause',
      '  node[9114]  collector.service        unit     1     0       120         0  7211   closed-port',
      '  nginx       /usr/sbin/nginx          exe      4    90        10         3  443    abort',
      '  by group: only the listeners that share a port are known, not which of them it was',
    ]);
    expect(section(report({ processes: [node] }), 'Processes').join()).not.toContain('by group');
    expect(section(report({ processes: [node] }, 80), 'Processes')[2]).toBe(
      '  node[9114]  collector.service           1     0       120  7211   closed-port',
    );
  });
  test('keep who, sent and received however narrow', () => {
    const [, head, row] = section(report({ processes: [node] }, 40), 'Processes');
    expect([head, row]).toEqual(['  who         sent  received', '  node[9114]     0       120']);
  });
  test('say why nobody is named, also where nobody at all is', () => {
    const unnamed = [
      { reason: 'no-listener', senders: 120, receivers: 0 },
      { reason: 'permission', senders: 1, receivers: 2 },
      { reason: 'remote', senders: 0, receivers: 119 },
    ] as const;
    const text =
      'no process named: 120 senders (nobody listens), 1 sender and 2 receivers (no permission: run as root)';
    expect(report({ unnamed })).toContain(`\n  ${text}\n`);
    expect(report({ unnamed })).not.toContain('\nProcesses\n');
    expect(section(report({ unnamed, processes: [node] }), 'Processes').at(-1)).toBe(`  ${text}`);
    expect(report({ unnamed: [{ reason: 'offline', senders: 121, receivers: 121 }] })).not.toContain(
      'no process named',
    );
  });
  test('say what was left out of them', () => {
    expect(report({ processes_omitted: 1 })).toContain('other processes, 1 time at an end of a reset, were not kept');
  });
  test('of connects that failed stand alone where there was no reset', () => {
    const failed_connects = [sampleFailedConnect(), sampleFailedConnect({ process: NODE, pids: 3, attempts: 3 })];
    const text = renderReport({ ...emptyReport(), failed_connects }, { ...PLAIN, width: 120 }, 20);
    expect(section(text, 'Failed connects')).toEqual([
      'Failed connects',
      '  who         unit or container  pids  to             failed  refused  by ICMP  timed out  given up',
      '  curl[4242]  -                     1  10.0.0.7:8125      30       24        3          2         1',
      '  node        collector.service     3  10.0.0.7:8125       3       24        3          2         1',
    ]);
    const only = [sampleFailedConnect({ icmp: 0, timed_out: 0, abandoned: 0 })];
    expect(section(report({ failed_connects: only }), 'Failed connects')[1]).toMatch(/^ {2}who +to +failed +refused$/);
  });
  test('of ports name who, at 80 columns too', () => {
    const ports = [samplePort({ sent: 90, received: 10, processes: ['nginx', 'curl'] })];
    expect(section(report({ ports }, 80), 'Ports').slice(1)).toEqual([
      '  port  service  resets  by server  by client  sent  received  who',
      '   443  https       100         90         10    90        10  nginx, curl',
    ]);
    const names = Array.from({ length: 30 }, (_, i) => `p${i}`);
    expect(section(report({ ports: [samplePort({ processes: names })] }, 200), 'Ports')[2]).toMatch(/p6, p7 \+22$/);
  });
});

describe('the first lines', () => {
  const who = (rows: Report['processes'], packets: Partial<Report['packets']> = {}): string =>
    renderReport(
      sampleReport({ processes: rows, packets: { ...sampleReport().packets, ...packets } }),
      { ...PLAIN, width: 160 },
      20,
    ).split('\n')[1] ?? '';
  const row = (
    sent: number,
    received: number,
    changes: Parameters<typeof sampleProcessRow>[0] = {},
  ): Report['processes'][0] =>
    sampleProcessRow({
      resets_sent: sent,
      resets_received: received,
      name: 'collector.service',
      sample: NODE,
      pids: 1,
      ...changes,
    });

  test('name the process that most resets come from or go to', () => {
    expect(who([row(0, 120)])).toBe('120 of 121 resets go to node[9114] (collector.service)');
    expect(who([row(121, 0, { pids: 4 })])).toBe('all 121 resets come from node (4 processes, collector.service)');
    expect(who([row(1, 119), row(61, 2, { key: 'exe', name: '/usr/bin/node', pids: null })])).toBe(
      '61 of 121 resets come from node (very many processes); 119 of 121 resets go to node[9114] (collector.service)',
    );
    expect(who([row(1, 0)], { unique: 1 })).toBe('the reset comes from node[9114] (collector.service)');
    expect(who([row(0, 2)], { unique: 2 })).toBe('both resets go to node[9114] (collector.service)');
    const group = { ...NODE, match: 'listener-group' as const };
    expect(who([row(100, 0, { sample: group })])).toBe('100 of 121 resets come from node (group) (collector.service)');
  });
  test('name nobody where nobody has more than half', () => {
    expect(who([row(60, 60), row(60, 60)])).toMatch(/^link type/);
    expect(who([])).toMatch(/^link type/);
  });
  test('say when names are those of socket tables only', () => {
    const { source } = sampleReport();
    const text = (changes: Partial<Report['source']>): string =>
      report({ source: { ...source, kind: 'live', ...changes } });
    const report = (changes: Partial<Report>): string => renderReport(sampleReport(changes), PLAIN, 20);
    expect(text({ trace: 'not root' })).toContain('\nnames by socket tables only: not root\n');
    for (const trace of ['on', 'off']) expect(text({ trace })).not.toContain('socket tables');
    expect(text({ kind: 'file', trace: 'not root' })).not.toContain('socket tables');
  });
});

describe('whatever they are called', () => {
  const NAMES: [string, string][] = [
    ['escape sequences', HOSTILE],
    ['line breaks', 'a\nProcesses\r\n  fake[1]'],
    ['four kilobytes', 'x'.repeat(4096)],
    ['wide characters', '東京サーバー'.repeat(50)],
    ['combining characters', 'e\u0301'.repeat(300)],
    ['right to left', '\u202egnp.exe\u202c\u2066x\u2069\u05d0\u05d1'],
    ['nothing', ''],
  ];
  const SIZES = [40, 80, 120, 200].flatMap((width) => NAMES.map(([what, name]) => [what, width, name] as const));
  const called = (name: string): ReturnType<typeof sampleProcess> =>
    sampleProcess({
      ...{ name, exe: `/opt/${name}`, unit: `${name}.service`, command: name, user: name, parent: name },
      container: { id: name, runtime: name, name, pod: name, pod_namespace: name },
    });

  test.each(SIZES)('%s: at %i columns lines fit, steer nothing and forge nothing', (_, width, name) => {
    for (const unicode of [true, false]) {
      const style = { ...PLAIN, width, unicode, color: 1 } as const;
      const event = sampleEvent({ ...LOCAL, sender: called(name), receiver: called(name), receiver_reason: null });
      const live = new LiveLines(style, true);
      let text = `${eventLineWriter(style)(event)}\n`;
      for (let i = 0; i < 9; i++) text += live.add(event, () => event, 0);
      text += live.tick(1000, true);
      expect(linesOf(text)).toHaveLength(1 + 5 + 1);
      const process = called(name);
      const rows = ['unit', 'container', 'exe'] as const;
      const report: Report = {
        ...fullReport(),
        endpoints: [],
        hosts: [],
        findings: [],
        processes: rows.map((key) => sampleProcessRow({ key, name, sample: process, resets_sent: 121, pids: 1 })),
        ports: [samplePort({ processes: [name, `${name}2`, 'nginx'] })],
        failed_connects: [sampleFailedConnect({ process })],
        source: { ...sampleReport().source, kind: 'live', trace: name },
      };
      const whole = renderReport(report, style, 20);
      for (const [kind, all] of [
        ['line', text],
        ['report', whole],
      ] as const) {
        const plain = withoutColor(all);
        expect(plain).not.toMatch(STEERING);
        for (const line of linesOf(plain)) {
          // Addresses are never cut: a line of them alone may be wider than so narrow a page.
          if (kind === 'line' && width === 40) continue;
          expect([line, columnsOf(line) <= width]).toEqual([line, true]);
        }
      }
      expect(linesOf(withoutColor(whole)).filter((line) => line === 'Processes')).toHaveLength(1);
      expect(withoutColor(whole)).not.toMatch(/^ {2}fake\[1\]$/m);
    }
  });
  test('a name can not pass for the marks between names', () => {
    const name = (text: string): string => processName({ pid: 5, name: text, exe: null }, WIDE);
    expect(name('x[1] → sshd')).toBe('"x[1] → sshd"[5]');
    expect(name('a, b')).toBe('"a, b"[5]');
    expect(name('"')).toBe(`"'"[5]`);
    expect(name('')).toBe('""[5]');
    expect(name('tmux: server')).toBe('tmux: server[5]');
    expect(name('kworker/0:1')).toBe('kworker/0:1[5]');
    expect(processName({ pid: 5, name: null, exe: null }, WIDE)).toBe('pid 5');
    expect(processName({ pid: 5, name: null, exe: '/usr/bin/node' }, WIDE)).toBe('node[5]');
  });
});
