/** The interfaces as a table and as JSON. */
import { describe, expect, test } from '@jest/globals';
import { devicesJson, renderDevices, type DeviceRow } from '../../src/render/devices-table.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import { HOSTILE, PLAIN } from './sample-report.js';
import { asShipped, strictly } from './strict-schema.js';

const TOOL = { name: 'rstscope', version: '0.1.0' };
const DEVICES: readonly DeviceRow[] = [
  { name: 'eth0', addresses: ['10.0.0.5', 'fe80::1'], link_type: 'EN10MB', up: true, loopback: false },
  { name: 'lo', addresses: ['127.0.0.1', '::1'], link_type: 'EN10MB', up: true, loopback: true },
  { name: 'docker0', addresses: ['172.17.0.1'], link_type: null, up: false, loopback: false },
  { name: 'any', addresses: [], link_type: 'LINUX_SLL2', up: null, loopback: false },
];

describe('the table', () => {
  test('has a row for each interface', () => {
    expect(renderDevices(DEVICES, PLAIN)).toBe(
      [
        'Interfaces',
        '  interface  state         link type   addresses',
        '  eth0       up            EN10MB      10.0.0.5, fe80::1',
        '  lo         up, loopback  EN10MB      127.0.0.1, ::1',
        '  docker0    down          -           172.17.0.1',
        '  any        -             LINUX_SLL2  -',
        '',
      ].join('\n'),
    );
  });
  test('says so when there is none', () => {
    expect(renderDevices([], PLAIN)).toBe('No interface to capture on was found\n');
  });
  test('fits the page, whole addresses only', () => {
    const addresses = Array.from({ length: 20 }, (_, i) => `10.0.0.${i + 10}`);
    for (let width = 50; width < 140; width++) {
      const text = renderDevices([{ ...DEVICES[0]!, addresses }], { ...PLAIN, width });
      for (const line of text.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(width);
      expect(text).toMatch(/ 10\.0\.0\.10(, 10\.0\.0\.\d\d)* \+\d+\n$/);
    }
  });
  test('is the same under its colours', () => {
    expect(withoutColor(renderDevices(DEVICES, { ...PLAIN, color: 1 }))).toBe(renderDevices(DEVICES, PLAIN));
  });
});

describe('the document', () => {
  test.each([
    ['some', DEVICES],
    ['no', [] as readonly DeviceRow[]],
  ])('of %s interfaces holds them, valid by the schema', (_, devices) => {
    const text = devicesJson(devices, TOOL);
    const document: unknown = JSON.parse(text);
    expect(document).toEqual({ type: 'devices', schema_version: 1, tool: TOOL, devices });
    expect(strictly('devices')(document)).toEqual([]);
    expect(asShipped(document)).toEqual([]);
    expect(text.endsWith('}\n')).toBe(true);
  });
  test('has a line for each interface, its keys in order, and no others', () => {
    const { name, ...rest } = DEVICES[0]!;
    const odd = { ...rest, name, extra: 1 };
    expect(devicesJson([odd], { ...TOOL, ...{ extra: 1 } })).toBe(devicesJson([DEVICES[0]!], TOOL));
    expect(
      devicesJson(DEVICES, TOOL)
        .split('\n')
        .filter((line) => line.startsWith('    {"name":')),
    ).toHaveLength(4);
  });
});

test('no name steers the terminal', () => {
  const hostile = DEVICES.map((device) => ({ ...device, name: HOSTILE, addresses: [HOSTILE], link_type: HOSTILE }));
  const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
  expect(renderDevices(hostile, { ...PLAIN, width: 600 })).toContain('·[31mred');
  expect(renderDevices(hostile, { ...PLAIN, width: 600 })).not.toMatch(STEERING);
  expect(devicesJson(hostile, TOOL)).not.toMatch(STEERING);
  expect(JSON.parse(devicesJson(hostile, TOOL))).toMatchObject({ devices: hostile });
});
