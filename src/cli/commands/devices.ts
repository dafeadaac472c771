/** `rstscope devices`: the interfaces that one may capture on. */

import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { devicesOf } from '../../capture/live/devices.js';
import { readLinks } from '../../capture/live/links.js';
import { findNamespaces, namespaceLabel } from '../../capture/live/namespaces.js';
import { colorLevel, supportsUnicode } from '../../render/style.js';
import { devicesJson, renderDevices } from '../../render/devices-table.js';
import { EXIT_OK } from '../exit-codes.js';
import type { Io } from '../io.js';
import { colorOf } from '../plan.js';
import type { DevicesValues } from '../program.js';
import { width } from '../width.js';

const DEFAULT_WIDTH = 80;

export async function devices(values: DevicesValues, io: Io): Promise<number> {
  const namespaces = findNamespaces(values.netns ?? []);
  const found = await Promise.all(namespaces.map(async (one) => ({ one, list: devicesOf(await readLinks(one)) })));
  if (values.json === true) {
    const tool = { name: TOOL_NAME, version: toolVersion() };
    const all = found.flatMap(({ list }) => list);
    // "any" is there once, however many namespaces were asked for.
    const first = new Map(all.map((device, i) => [device.name === 'any' ? 'any' : String(i), device]));
    await io.stdout.write(devicesJson([...first.values()], tool));
    return EXIT_OK;
  }
  const { isTTY, colorDepth } = io.stdout;
  const style = {
    color: colorLevel({ option: colorOf(values.color), env: io.env, isTTY, colorDepth }),
    width: width(io) ?? DEFAULT_WIDTH,
    utc: false,
    unicode: supportsUnicode(io.env),
  };
  for (const { one, list } of found) {
    const title = found.length > 1 ? `${namespaceLabel(one)}:\n` : '';
    await io.stdout.write(`${title}${renderDevices(list, style)}`);
  }
  return EXIT_OK;
}
