/**
 * The network interfaces of a namespace as they are now, by iproute's JSON; where `ip` can't say, those of the own
 * namespace by /sys. What is read is taken as claims of strangers: what does not have its form is left out.
 *
 * Knows nothing of captures, and remembers nothing: link-watch.ts does.
 */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename, join } from 'node:path';
import { ipv4Text, ipv6Text, parseAddress } from '../../base/address.js';
import { askProgram, findProgram } from '../../base/spawn.js';
import { inNamespace, type Namespace } from './namespaces.js';

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly loopback: boolean;
  /** ARPHRD_ number (1 ether, 772 loopback, 65534 none …), null where it is not known. */
  readonly arphrd: number | null;
  /** Lower-case aa:bb:cc:dd:ee:ff; null where there is none, as on loopback. */
  readonly mac: string | null;
  /** Name of the bridge, bond or other interface it is a port of, or null. */
  readonly master: string | null;
  /** It lies upon another interface of the same namespace (vlan, macvlan), so that one frame passes both. */
  readonly stacked: boolean;
  readonly promiscuous: boolean;
  /** IPv4 and IPv6 in the form that the decoder prints, without prefix length and zone. */
  readonly addresses: readonly string[];
}

const ASK_TIMEOUT_MS = 3000;

/** iproute's names of ARPHRD_ numbers; one without a name is "[519]". */
const ARPHRD: ReadonlyMap<string, number> = new Map([
  ['ether', 1],
  ['ieee802', 6],
  ['ieee1394', 24],
  ['infiniband', 32],
  ['slip', 256],
  ['cslip', 257],
  ['slip6', 258],
  ['cslip6', 259],
  ['adapt', 264],
  ['can', 280],
  ['ppp', 512],
  ['hdlc', 513],
  ['lapb', 516],
  ['rawhdlc', 518],
  ['rawip', 519],
  ['ipip', 768],
  ['tunnel6', 769],
  ['frad', 770],
  ['loopback', 772],
  ['fddi', 774],
  ['sit', 776],
  ['gre', 778],
  ['irda', 783],
  ['ieee802.11', 801],
  ['ieee802.11/prism', 802],
  ['ieee802.11/radiotap', 803],
  ['ieee802.15.4', 804],
  ['gre6', 823],
  ['netlink', 824],
  ['6lowpan', 825],
  ['vsockmon', 826],
  ['none', 65534],
  ['void', 65535],
]);

/** Kinds whose frames are those of the interface below. A veth names its peer in the same field, a vxlan packs anew. */
const STACKED_KINDS: ReadonlySet<unknown> = new Set(['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap']);

/** The links now, by index. Never throws: [] where nothing can be learnt. */
export async function readLinks(namespace: Namespace): Promise<readonly Link[]> {
  return (await askLinks(namespace)) ?? [];
}

/** The links now, by index; null where nothing can be learnt, which is not the same as that there are none. */
export async function askLinks(namespace: Namespace): Promise<readonly Link[] | null> {
  const ip = findProgram('ip');
  if (ip !== null) {
    try {
      const [file, ...args] = [...inNamespace(namespace), ip, '-j', '-d', 'addr', 'show'];
      const { code, stdout } = await askProgram(file, args, ASK_TIMEOUT_MS);
      const links = code === 0 ? parseLinks(stdout) : null;
      if (links !== null) return links;
    } catch {
      // No nsenter: /sys knows no other namespace either.
    }
  }
  return namespace.path === null ? linksOfSystem() : null;
}

/** What the kernel takes for a name, less what could not be shown or typed again. */
export function isLinkName(name: string): boolean {
  return /^[^\s\p{Cc}/:\ufffd]+$/u.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 15;
}

/** Of the output of `ip -j -d addr show`; null where it is not that. */
export function parseLinks(json: string): Link[] | null {
  let found: unknown;
  try {
    found = JSON.parse(json);
  } catch {
    return null;
  }
  if (!Array.isArray(found)) return null;
  return byIndex(found.flatMap(parseLink));
}

type Fields = Readonly<Record<string, unknown>>;

const NO_FIELDS: Fields = {};

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : NO_FIELDS;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function parseLink(value: unknown): Link[] {
  const fields = fieldsOf(value);
  const { ifindex: index, ifname: name, master, promiscuity } = fields;
  if (!isIndex(index) || typeof name !== 'string' || !isLinkName(name)) return [];
  const flags = listOf(fields['flags']);
  const { info_kind: kind } = fieldsOf(fields['linkinfo']);
  return [
    {
      index,
      name,
      up: flags.includes('UP'),
      loopback: flags.includes('LOOPBACK'),
      arphrd: arphrdOf(fields['link_type']),
      mac: macOf(fields['address']),
      master: typeof master === 'string' && isLinkName(master) ? master : null,
      // "link" is a name only for one of the same namespace; another's is "link_index", and one that is gone null.
      stacked: STACKED_KINDS.has(kind) && typeof fields['link'] === 'string',
      // The flag tells of who set it by hand only; a capture counts one up.
      promiscuous: flags.includes('PROMISC') || (typeof promiscuity === 'number' && promiscuity > 0),
      addresses: addressesOf(listOf(fields['addr_info']).map((info) => fieldsOf(info)['local'])),
    },
  ];
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function arphrdOf(type: unknown): number | null {
  if (typeof type !== 'string') return null;
  const bare = /^\[(\d{1,5})\]$/.exec(type)?.[1];
  return bare === undefined ? (ARPHRD.get(type) ?? null) : Number(bare);
}

/** Tunnels have IP addresses in this place, and loopback nothing but zeros. */
function macOf(address: unknown): string | null {
  if (typeof address !== 'string') return null;
  const mac = address.toLowerCase();
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) && /[1-9a-f]/.test(mac) ? mac : null;
}

function addressesOf(texts: readonly unknown[]): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    const address = typeof text === 'string' ? parseAddress(text.split('%')[0] ?? '') : null;
    if (address !== null) found.add(address.version === 4 ? ipv4Text(address.words[3]) : ipv6Text(...address.words));
  }
  return [...found];
}

function byIndex(links: Link[]): Link[] {
  return links.sort((a, b) => a.index - b.index);
}

const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_PROMISC = 0x100;

export interface SystemSources {
  /** /sys/class/net; it is of the namespace in which it was mounted. */
  readonly folder: string;
  /** /proc/PID/net/dev; it is of the namespace that the process is in. */
  readonly table: string;
  readonly addresses: (name: string) => readonly string[];
}

const OWN: SystemSources = {
  folder: '/sys/class/net',
  table: '/proc/self/net/dev',
  addresses: (name) => (networkInterfaces()[name] ?? []).map(({ address }) => address),
};

/** The links of the own namespace by /sys and /proc; null where there is no such thing. */
export function linksOfSystem({ folder, table, addresses }: SystemSources = OWN): Link[] | null {
  try {
    // Under `nsenter --net` /sys still shows the other namespace; what the table does not have is not ours.
    const names = readFileSync(table, 'utf8').match(/^ *[^\s:|]+(?=:)/gm) ?? [];
    return byIndex(names.flatMap((name) => systemLink(folder, name.trim(), addresses)));
  } catch {
    return null;
  }
}

function systemLink(folder: string, name: string, addresses: SystemSources['addresses']): Link[] {
  if (!isLinkName(name)) return [];
  const at = join(folder, name);
  try {
    const index = Number(text(at, 'ifindex'));
    const flags = Number(text(at, 'flags'));
    if (!isIndex(index) || !Number.isSafeInteger(flags)) return [];
    return [
      {
        index,
        name,
        up: (flags & IFF_UP) !== 0,
        loopback: (flags & IFF_LOOPBACK) !== 0,
        arphrd: Number(text(at, 'type')),
        mac: macOf(text(at, 'address')),
        master: masterOf(at),
        stacked: isStacked(at),
        promiscuous: (flags & IFF_PROMISC) !== 0,
        addresses: addressesOf(addresses(name)),
      },
    ];
  } catch {
    // It went away meanwhile.
    return [];
  }
}

function text(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8').trim();
}

function masterOf(folder: string): string | null {
  try {
    return basename(readlinkSync(join(folder, 'master')));
  } catch {
    return null;
  }
}

/**
 * /sys has a lower_NAME only for an interface of the same namespace. A master has them for its ports and a vxlan for
 * what it runs over, but the two say of themselves (iflink) that they lie upon nothing.
 */
function isStacked(folder: string): boolean {
  if (text(folder, 'iflink') === text(folder, 'ifindex')) return false;
  return readdirSync(folder).some((name) => name.startsWith('lower_'));
}
