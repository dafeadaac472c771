/**
 * The interfaces one may capture on, as a table and as a JSON document.
 *
 * Where they were found out is not known here; their names are strangers' text all the same.
 */

import { SCHEMA_VERSION, type Tool } from '../report/types.js';
import { NOTHING } from './figures.js';
import { jsonText } from './json-text.js';
import { toolFields } from './report-fields.js';
import { painter, safe, type Style } from './style.js';
import { listText, tableLines, type Column } from './table.js';

/** Key for key as the JSON has it. */
export interface DeviceRow {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Null where it is known only once the capture runs. */
  readonly link_type: string | null;
  /** Null where it can't be told. */
  readonly up: boolean | null;
  readonly loopback: boolean;
}

/** Ends in a line break. */
export function renderDevices(devices: readonly DeviceRow[], style: Style): string {
  if (devices.length === 0) return 'No interface to capture on was found\n';
  const title = painter(style).title('Interfaces');
  return `${[title, ...tableLines(deviceColumns(style), devices, style)].join('\n')}\n`;
}

/** Narrowing leaves out, in this order: link type, state. */
function deviceColumns(style: Style): Column<DeviceRow>[] {
  return [
    { head: 'interface', cell: (row) => row.name },
    { head: 'state', cell: stateText, rank: 20 },
    { head: 'link type', cell: (row) => row.link_type ?? NOTHING, rank: 10 },
    {
      head: 'addresses',
      cell: (row, room) =>
        listText(
          row.addresses.map((address) => safe(address, style)),
          room,
        ),
      least: 15,
    },
  ];
}

function stateText({ up, loopback }: DeviceRow): string {
  const state = up === null ? [] : [up ? 'up' : 'down'];
  return [...state, ...(loopback ? ['loopback'] : [])].join(', ') || NOTHING;
}

/** One document, a line for each interface; ends in a line break. */
export function devicesJson(devices: readonly DeviceRow[], tool: Tool): string {
  const rows = devices.map((device) => `\n    ${jsonText(deviceFields(device))}`);
  const list = rows.length === 0 ? '[]' : `[${rows.join(',')}\n  ]`;
  const fields = [
    '"type": "devices"',
    `"schema_version": ${SCHEMA_VERSION}`,
    `"tool": ${jsonText(toolFields(tool))}`,
    `"devices": ${list}`,
  ];
  return `{\n  ${fields.join(',\n  ')}\n}\n`;
}

function deviceFields(device: DeviceRow): DeviceRow {
  return {
    name: device.name,
    addresses: device.addresses,
    link_type: device.link_type,
    up: device.up,
    loopback: device.loopback,
  };
}
