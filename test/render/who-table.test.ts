/** Who owns a port, as tables and as JSON. */
import { describe, expect, test } from '@jest/globals';
import { whoJson, type WhoConnectionRow, type WhoListenerRow } from '../../src/render/who-json.js';
import { renderWho, type WhoPortTable } from '../../src/render/who-table.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import { HOSTILE, PLAIN, sampleProcess } from './sample-report.js';
import { asShipped, strictly } from './strict-schema.js';

const TOOL = { name: 'rstscope', version: '0.1.0' };
const nginx = { ...sampleProcess(), pid: 1234, name: 'nginx', user: 'www', unit: 'nginx.service', container: null };

const LISTENER: WhoListenerRow = {
  ip: '0.0.0.0',
  port: 80,
  process: { ...nginx, command: 'nginx: master process /usr/sbin/nginx -g daemon off;', match: 'listener-group' },
  reason: null,
  holders: [1234, 1300, 1301],
  netns: 1,
  backlog: 3,
  backlog_max: null,
};
const CONNECTION: WhoConnectionRow = {
  local_ip: '10.0.0.1',
  local_port: 80,
  remote_ip: '2001:db8:1111:2222:3333:4444:5555:6666',
  remote_port: 50000,
  state: 'ESTABLISHED',
  recv_queue: 0,
  send_queue: 1448,
  process: { ...nginx, pid: 1300, command: 'nginx: worker', match: 'socket' },
  reason: null,
  holders: [1300],
  netns: 1,
  age_seconds: null,
};
const NOBODYS: WhoConnectionRow = { ...CONNECTION, remote_ip: '10.0.0.2', process: null, reason: 'gone', holders: [] };
const PORT: WhoPortTable = {
  ...{ asked: '80', owned: true, port: 80 },
  ...{ listeners: [LISTENER], connections: [CONNECTION, { ...NOBODYS, state: 'TIME_WAIT' }] },
};
const FREE: WhoPortTable = { asked: '81', owned: false, port: 81, listeners: [], connections: [] };

describe('the table', () => {
  test('says whose the port is', () => {
    expect(renderWho([PORT], ['own'], { ...PLAIN, width: 170 }, 20)).toBe(
      [
        'Port 80',
        'Listeners',
        '  address     backlog  process          user  service        command',
        '  0.0.0.0:80        3  nginx (1234) +2  www   nginx.service  nginx: master process /usr/sbin/nginx -g daemon off;',
        'Connections: 1 ESTABLISHED, 1 TIME_WAIT',
        '  local        remote                                          state        recv  send  process         user  service        command',
        '  10.0.0.1:80  [2001:db8:1111:2222:3333:4444:5555:6666]:50000  ESTABLISHED     0  1448  nginx (1300)    www   nginx.service  nginx: worker',
        '  10.0.0.1:80  10.0.0.2:50000                                  TIME_WAIT       0  1448  nobody: closed  -     -              -',
        '',
      ].join('\n'),
    );
  });
  test('says that nobody has it, and where that was looked for', () => {
    expect(renderWho([FREE], ['own', 'a', 'b'], PLAIN, 20)).toBe(
      'nobody owns port 81: no listener, no connection, in 3 network namespaces\n',
    );
    const remains = { ...FREE, connections: [NOBODYS] };
    expect(renderWho([remains], ['own'], PLAIN, 20)).toMatch(
      /^nobody owns port 81: no listener, 1 closed connection, in 1 network namespace\nConnections: 1 ESTABLISHED\n/,
    );
  });
  test('keeps its rows to the top ones', () => {
    const many = { ...PORT, connections: Array.from({ length: 1500 }, () => CONNECTION) };
    const text = renderWho([many], ['own'], PLAIN, 2);
    expect(text.match(/ESTABLISHED /g)).toHaveLength(2);
    expect(text).toContain('… and 1,498 more (--top 1500 shows all)\n');
    expect(text).toContain('Connections: 1,500 ESTABLISHED\n');
  });
  test('names the namespaces where there is more than one', () => {
    const text = renderWho(
      [{ ...PORT, listeners: [LISTENER, { ...LISTENER, netns: 2 }] }],
      [],
      { ...PLAIN, width: 200 },
      9,
    );
    expect(text).toMatch(/netns/);
    expect(renderWho([PORT], [], { ...PLAIN, width: 200 }, 9)).not.toMatch(/netns/);
  });
  test.each([
    ['ambiguous', [12, 15], 'one of 12, 15'],
    ['ambiguous', [], 'one of several'],
    ['permission', [], '? (takes root)'],
    ['unknown', [], 'no process'],
    ['not-tried', [], '-'],
  ] as const)('says why nobody is named: %s %j', (reason, holders, words) => {
    const row = { ...LISTENER, process: null, reason, holders };
    expect(renderWho([{ ...PORT, listeners: [row], connections: [] }], [], PLAIN, 9)).toContain(`  ${words}`);
  });
  test('fits the page from 80 columns on', () => {
    for (let width = 80; width < 200; width += 3) {
      for (const line of renderWho([PORT, FREE], ['own'], { ...PLAIN, width }, 20).split('\n'))
        expect(columnsOf(line)).toBeLessThanOrEqual(width);
    }
  });
  test('is the same under its colours', () => {
    const dressed = renderWho([PORT, FREE], ['own'], { ...PLAIN, color: 1 }, 1);
    expect(withoutColor(dressed)).toBe(renderWho([PORT, FREE], ['own'], PLAIN, 1));
  });
});

describe('the document', () => {
  test.each([
    ['some', [PORT, FREE]],
    ['no', [] as WhoPortTable[]],
  ])('of %s ports holds them, valid by the schema', (_, ports) => {
    const text = whoJson(ports, ['own', '17'], TOOL);
    const document: unknown = JSON.parse(text);
    const rows = ports.map(({ port, listeners, connections }) => ({ port, listeners, connections }));
    expect(document).toEqual({ type: 'who', schema_version: 1, tool: TOOL, ports: rows, namespaces: ['own', '17'] });
    expect(strictly('who')(document)).toEqual([]);
    expect(asShipped(document)).toEqual([]);
    expect(text.endsWith('}\n')).toBe(true);
  });
});

test('no name steers the terminal', () => {
  const process = { ...nginx, name: HOSTILE, user: HOSTILE, unit: null, command: HOSTILE };
  const hostile = { ...PORT, listeners: [{ ...LISTENER, process }], connections: [{ ...CONNECTION, process }] };
  const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
  expect(renderWho([hostile], ['x'], { ...PLAIN, width: 600 }, 9)).toContain('·[31mred');
  expect(renderWho([hostile], ['x'], { ...PLAIN, width: 600 }, 9)).not.toMatch(STEERING);
  expect(whoJson([hostile], [HOSTILE], TOOL)).not.toMatch(STEERING);
});
