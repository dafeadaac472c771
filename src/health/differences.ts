/** The differences between what was captured and what the kernel counted, in words, with the next command to type. Pure. */

import { plural, printable } from '../base/text.js';
import type { Difference } from '../report/types.js';
import type { Foreign, Ground, Unseen } from './ledger.js';
import type { Doubts } from './send-match.js';

const NOWHERE = { netns: null, name: null } as const;

const SOURCES_TOLD = 3;
const FIND_RULES = 'sudo nft list ruleset | grep -B5 reject; sudo iptables-save | grep REJECT';

/** `foreign`: those that are known, by their sources; of a comparison that is not exact, none. */
export function foreignDifference(resets: number, foreign: readonly Foreign[], exact: boolean): Difference {
  const bySource = new Map<string, number>();
  for (const { source } of foreign) bySource.set(source, (bySource.get(source) ?? 0) + 1);
  const most = [...bySource].sort(([, a], [, b]) => b - a);
  const told = most.slice(0, SOURCES_TOLD).map(([source, n]) => `${String(n)} from ${source}`);
  const more = most.length > SOURCES_TOLD ? [plural(most.length - SOURCES_TOLD, 'other source')] : [];
  const which = !exact || told.length === 0 ? '' : `: ${[...told, ...more].join(', ')}`;
  const message = `${exact ? '' : 'at least '}${plural(resets, 'reset')} not sent by TCP but by a packet filter or a raw socket${which}`;
  return { what: 'not_by_tcp', resets, ...NOWHERE, message, next_step: FIND_RULES };
}

/** Nobody listened in there. */
export function elsewhereDifference(resets: number, { key, netns, name }: Ground): Difference {
  return {
    what: 'not_captured',
    resets,
    netns,
    name,
    message: `${plural(resets, 'reset')} sent in ${labelOf({ netns, name })}, which was not captured in`,
    next_step: key === null ? 'sudo rstscope live --netns all' : `sudo rstscope live --netns ${printable(key)}`,
  };
}

/** What keeps equal numbers from being a proof. */
export function doubtDifferences({ listeners, apart, apartSeconds, translated }: Doubts): Difference[] {
  const tell = (resets: number, message: string): Difference[] =>
    resets === 0 ? [] : [{ what: 'doubtful', resets, ...NOWHERE, message, next_step: null }];
  return [
    ...tell(
      listeners,
      `${plural(listeners, 'answer')} of listeners, which the trace tells without their other end, were found by port and time only`,
    ),
    ...tell(
      apart,
      `${plural(apart, 'reset')} captured up to ${apartSeconds.toFixed(1)} s apart from when TCP sent ${apart === 1 ? 'it' : 'them'}, or others of the same ends`,
    ),
    ...tell(
      translated,
      `${plural(translated, 'reset')} captured under other addresses than TCP sent ${translated === 1 ? 'it' : 'them'} with, as NAT on this host makes of them`,
    ),
  ];
}

/** They are resets of their own in the rest of the report, and in no count here. */
export function copyDifference(resets: number): Difference {
  const message = `${plural(resets, 'more', 'more')} captured were copies of these, seen again at another place: the report counts them, they were sent once`;
  return { what: 'copy', resets, ...NOWHERE, message, next_step: null };
}

export function edgeDifference(resets: number): Difference {
  const message = `${plural(resets, 'reset')} counted while the capture opened or closed`;
  return { what: 'edge', resets, ...NOWHERE, message, next_step: null };
}

export function vanishedDifference(resets: number): Difference {
  const message = `${plural(resets, 'reset')} sent in a network namespace that came and went, or could not be read: it was not captured in`;
  return { what: 'not_captured', resets, ...NOWHERE, message, next_step: null };
}

/** Nothing was counted that was not captured: what the trace tells of beyond that never left. */
export function uncountedDifference(resets: number, { netns, name }: Ground): Difference {
  const message = `${plural(resets, 'more reset')} that the trace tells of and the kernel did not count: not sent, as without a route`;
  return { what: 'unexplained', resets: 0, netns, name, message, next_step: null };
}

export function surplusDifference(resets: number, gone: readonly Ground[]): Difference {
  const message = `${plural(resets, 'reset')} captured as sent beyond what the kernel counted${goneText(gone)}`;
  return { what: 'unexplained', resets: -resets, ...NOWHERE, message, next_step: null };
}

const TUPLES_TOLD = 3;

interface Found {
  readonly exact: boolean;
  /** Traced while all was listened to, and not captured. */
  readonly inside: readonly Unseen[];
  readonly gone: readonly Ground[];
}

/** `where`: the namespaces that they were counted in, as far as that is known. */
export function unexplainedDifference(
  resets: number,
  where: readonly Ground[],
  { exact, inside, gone }: Found,
): Difference {
  const [one, ...others] = where;
  const { netns, name } = one === undefined || others.length > 0 ? NOWHERE : one;
  const examples = inside.slice(0, TUPLES_TOLD).map(({ tuple }) => tupleWords(tuple));
  const such = examples.length === 0 ? '' : ` (${examples.join(', ')}${inside.length > examples.length ? ' …' : ''})`;
  const how = exact
    ? 'dropped on the way out by a packet filter, without a route, or missed by the capture'
    : 'dropped on the way out, or missed by the capture';
  const message = `${plural(resets, 'reset')} that the kernel counted and no interface showed${such}: ${how}${goneText(gone)}`;
  return { what: 'unexplained', resets, netns, name, message, next_step: 'sudo nft list ruleset' };
}

function goneText(gone: readonly Ground[]): string {
  return gone.length === 0 ? '' : `; ${gone.map(labelOf).join(', ')} went away before its counter was read`;
}

/** "127.0.0.1 7211 127.0.0.1 4242" as people write it; a listener's answer has no other end. */
function tupleWords(tuple: string): string {
  const [localIp = '', localPort = '', remoteIp = '', remotePort = ''] = tuple.split(' ');
  const end = (ip: string, port: string): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);
  return remotePort === '0' ? end(localIp, localPort) : `${end(localIp, localPort)} to ${end(remoteIp, remotePort)}`;
}

function labelOf({ name, netns }: Pick<Ground, 'name' | 'netns'>): string {
  return `network namespace ${printable(name ?? (netns === null ? 'unknown' : String(netns)))}`;
}
