/** `rstscope devices`: the interfaces that one may capture on. */

import { UserError } from '../../base/errors.js';
import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { devicesOf } from '../../capture/live/devices.js';
import { askLinks, type Link } from '../../capture/live/links.js';
import { findNamespaces, namespaceLabel, type Namespace } from '../../capture/live/namespaces.js';
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
  const found = await Promise.all(namespaces.map(async (one) => ({ one, list: devicesOf(await linksOf(one)) })));
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

async function linksOf(namespace: Namespace): Promise<readonly Link[]> {
  const links = await askLinks(namespace);
  if (links !== null) return links;
  throw new UserError(
    'unreadable',
    `the interfaces of ${namespaceLabel(namespace)} can't be read: it takes root, and the program ip`,
    'ip netns list',
  );
}
