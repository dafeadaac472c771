/**
 * What an order comes to before anything is started: which interfaces of which namespaces, which programs to try, and the
 * sentence for what can't be.
 */

import { UserError } from '../../base/errors.js';
import { plural, printable } from '../../base/text.js';
import { isThere, type Backend, type Refused } from './channel.js';
import type { Wanted } from './filter.js';
import type { LinkWatch } from './link-watch.js';
import type { Namespace } from './namespaces.js';

/** Every interface of a namespace. */
export const ANY = 'any';

export interface LiveOrder {
  /** "any", or names. */
  readonly interfaces: readonly string[];
  /** The own one first. */
  readonly namespaces: readonly Namespace[];
  readonly backend: Backend | 'auto';
  readonly wanted: Wanted;
  /** The user's own filter. */
  readonly filter: string | null;
  readonly snaplen: number;
  readonly promiscuous: boolean;
  /** Packets a second above which control segments alone are captured; null: never. */
  readonly narrowAbove: number | null;
  /** Every namespace that can be entered was asked for: one that can't is told, and is no failure. */
  readonly lenient: boolean;
}

/** A child of the binding is a whole node; of many interfaces tcpdump listens to each with a twentieth of the memory. */
const MANY_CHANNELS = 8;
const MAX_CHANNELS = 128;
/** Names that an error lists. */
const SHOWN_NAMES = 12;

type Watches = ReadonlyMap<Namespace, LinkWatch>;

/** The programs to try, in their order. Throws a UserError for more channels than there may be. */
export function backendsFor(order: LiveOrder, watches: Watches): Backend[] {
  let channels = 0;
  for (const watch of watches.values()) channels += devicesIn(order.interfaces, watch).length;
  if (channels > MAX_CHANNELS) {
    throw new UserError(
      'usage',
      `${plural(channels, 'interface')} would be captured one by one, ${String(MAX_CHANNELS)} at once is the limit: -i any is all of them`,
      'rstscope live -i any',
    );
  }
  if (order.backend !== 'auto') return [order.backend];
  // The binding can't keep an interface from becoming promiscuous.
  // It also holds fewer packets: of all TCP it loses more.
  const tcpdumpFirst =
    order.wanted === 'full' || channels > MANY_CHANNELS || (!order.promiscuous && !order.interfaces.includes(ANY));
  return tcpdumpFirst ? ['tcpdump', 'cap'] : ['cap', 'tcpdump'];
}

/** Those of the interfaces that the namespace has; all of them where its links can't be read. */
export function devicesIn(interfaces: readonly string[], watch: LinkWatch): string[] {
  if (interfaces.includes(ANY)) return [ANY];
  const { links } = watch;
  const there = (name: string): boolean =>
    links.length === 0 || isSpecial(name) || links.some((link) => link.name === name);
  return [...new Set(interfaces)].filter(there);
}

/** What libpcap captures on beside interfaces, and can hold TCP. */
function isSpecial(name: string): boolean {
  return /^nflog(:[\d,]+)?$/.test(name);
}

/** Throws a UserError for an interface that no namespace has. */
export function mustExist(order: LiveOrder, watches: Watches): void {
  for (const name of order.interfaces) {
    if ([...watches.values()].some((watch) => devicesIn([name], watch).length > 0)) continue;
    const names = [...new Set([...watches.values()].flatMap(({ links }) => links.map((link) => link.name)))];
    const there = names.slice(0, SHOWN_NAMES).join(', ');
    const more = names.length > SHOWN_NAMES ? ` and ${String(names.length - SHOWN_NAMES)} more` : '';
    throw new UserError(
      'no-such-interface',
      `there is no interface called "${printable(name, 64)}": there are any, ${there}${more}`,
      'rstscope devices',
    );
  }
}

/** Why nothing could be started, as a sentence for the user. */
export function sentenceFor(order: LiveOrder, backends: readonly Backend[], failures: readonly Refused[]): UserError {
  const last = failures.find(({ why }) => why !== 'unavailable') ?? failures[0];
  const words = printable(last?.message ?? 'no reason was given', 512);
  const names = order.interfaces.map((name) => printable(name, 64)).join(', ');
  switch (last?.why) {
    case 'permission':
      return new UserError('no-permission', `capturing on ${names} takes root: ${words}`, null, last);
    case 'no-device':
      return new UserError('no-such-interface', `cannot capture on ${names}: ${words}`, 'rstscope devices', last);
    case 'late':
      return new UserError(
        'no-backend',
        `capturing on ${names} did not begin: ${words}`,
        'rstscope live --backend tcpdump',
        last,
      );
    case 'down':
      return new UserError('interface-down', `cannot capture on ${names}: ${words}`, 'ip link', last);
    case 'filter': {
      const own = order.filter === null ? '' : ` the filter "${printable(order.filter, 256)}"`;
      return new UserError(
        'bad-filter',
        `libpcap refuses${own === '' ? ` to capture on ${names}` : own}: ${words}`,
        null,
        last,
      );
    }
    default: {
      const each = backends.map((backend, i) => `${backend}: ${printable(failures[i]?.message ?? '', 256)}`);
      const other = order.backend === 'cap' && isThere('tcpdump');
      return new UserError(
        'no-backend',
        `${other ? "the chosen backend can't" : 'nothing here can'} capture: ${each.join('; ')}`,
        other ? 'rstscope live --backend tcpdump' : 'sudo apt-get install tcpdump',
        last,
      );
    }
  }
}
