/** `rstscope who PORT…`: who owns a TCP port, in every network namespace. */

import { existsSync } from 'node:fs';
import { ipv4Text, ipv6Text, parseAddress } from '../../base/address.js';
import { UserError } from '../../base/errors.js';
import { TOOL_NAME, toolVersion } from '../../base/package-info.js';
import { plural, printable } from '../../base/text.js';
import type { PortQuery, WhoAnswer } from '../../attribute/who.js';
import { EXIT_FOUND, EXIT_OK } from '../exit-codes.js';
import type { Io } from '../io.js';
import type { WhoValues } from '../program.js';
import { talker } from '../talk.js';

const DEFAULT_WIDTH = 80;
const DEFAULT_TOP = 20;
const PROC = '/proc';

export async function who(
  typed: readonly string[],
  values: WhoValues,
  args: readonly string[],
  io: Io,
): Promise<number> {
  const queries = typed.map(portQuery);
  const json = values.json === true;
  const style = json ? null : await styleOf(values, io);
  const asking = ask(queries);
  // Loaded while threads and programs work on the answer.
  const [answer, { portRow }, { whoJson }] = await Promise.all([
    asking,
    import('../who-rows.js'),
    import('../../render/who-json.js'),
  ]);
  const rows = answer.ports.map(portRow);
  if (style === null) {
    await io.stdout.write(whoJson(rows, answer.namespaces, { name: TOOL_NAME, version: toolVersion() }));
  } else {
    const { renderWho } = await import('../../render/who-table.js');
    const tables = answer.ports.map((port, i) => ({
      ...(rows[i] ?? portRow(port)),
      asked: typed[i]?.replace(/^:/, '') ?? '',
      owned: port.owned,
    }));
    await io.stdout.write(renderWho(tables, answer.namespaces, style.style, style.top));
  }
  await sayWhatIsHidden(answer, talker(io, values.quiet === true), [io.program, args]);
  return answer.ports.every(({ owned }) => owned) ? EXIT_OK : EXIT_FOUND;
}

/** "7211", ":7211", "10.0.0.1:7211", "[::1]:7211". */
function portQuery(text: string): PortQuery {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]*)\]:|([^:]*):)?(\d{1,5})$/.exec(text) ?? [];
  const ip = bracketed ?? (plain === '' ? undefined : plain);
  const address = ip === undefined ? null : parseAddress(ip);
  const port = Number(digits);
  if (digits === '' || port < 1 || port > 65535 || (ip !== undefined && address === null)) {
    const how = 'a port from 1 to 65535, as 7211, :7211, 10.0.0.1:7211 or [::1]:7211';
    throw new UserError('usage', `who does not understand "${printable(text, 80)}": ${how}`, 'rstscope who --help');
  }
  if (address === null) return { port, ip: null };
  const [a, b, c, d] = address.words;
  // The kernel's tables of the two families are read as one.
  const mapped = a === 0 && b === 0 && c === 0xffff;
  return { port, ip: mapped ? ipv4Text(d) : ipv6Text(a, b, c, d) };
}

async function ask(queries: readonly PortQuery[]): Promise<WhoAnswer> {
  if (!existsSync(`${PROC}/self/net/tcp`)) {
    const { whoByLsof } = await import('../../attribute/lsof.js');
    return whoByLsof(queries);
  }
  const { ownersHere } = await import('../../attribute/who-here.js');
  return ownersHere(queries);
}

async function styleOf(values: WhoValues, io: Io) {
  const [{ colorLevel, supportsUnicode }, { colorOf }, { wholeNumber }, { width }] = await Promise.all([
    import('../../render/style.js'),
    import('../plan.js'),
    import('../values.js'),
    import('../width.js'),
  ]);
  const { isTTY, colorDepth } = io.stdout;
  return {
    top: values.top === undefined ? DEFAULT_TOP : wholeNumber('--top', values.top, 1),
    style: {
      color: colorLevel({ option: colorOf(values.color), env: io.env, isTTY, colorDepth }),
      width: width(io) ?? DEFAULT_WIDTH,
      utc: false,
      unicode: supportsUnicode(io.env),
    },
  };
}

/** Nothing, where all there is was seen. */
async function sayWhatIsHidden(
  { ports, closed, unreadable }: WhoAnswer,
  talk: (sentence: string) => Promise<void>,
  typed: readonly [program: readonly string[], args: readonly string[]],
): Promise<void> {
  const sockets = ports.flatMap(({ listeners, connections }) => [...listeners, ...connections]);
  const nameless = sockets.filter(({ end }) => end.reason === 'permission').length;
  const lacks = process.getuid?.() !== 0 && ports.some(({ owned }) => !owned);
  if (closed.length > 0) {
    const names = closed.slice(0, 8).join(', ');
    await talk(`${plural(closed.length, 'network namespace')} could not be looked into: ${names}`);
  }
  if (nameless > 0) {
    const of = unreadable === null || unreadable === 0 ? '' : ` of ${plural(unreadable, 'process', 'processes')}`;
    await talk(`the owner of ${plural(nameless, 'socket')} is not known: looking at the descriptors${of} takes root`);
  }
  if (process.getuid?.() !== 0 && (nameless > 0 || lacks || closed.length > 0)) {
    const { withSudo } = await import('../sudo.js');
    await talk(`as root all processes and network namespaces are seen: ${withSudo(...typed)}`);
  }
}
