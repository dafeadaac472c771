/**
 * The interfaces as somebody who chooses one wants to see them. Knows only the links it is given.
 */

import type { Link } from './links.js';

export interface Device {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Link type of its frames in a capture, in the report's words ("EN10MB"); null where it is not known. */
  readonly link_type: string | null;
  readonly up: boolean;
  readonly loopback: boolean;
}

/** What libpcap makes of ARPHRD_ numbers, as `tcpdump -L` of libpcap 1.10.3 tells it of each. */
const LINK_TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'EN10MB'],
  [6, 'IEEE802'],
  [256, 'RAW'],
  [257, 'RAW'],
  [258, 'RAW'],
  [259, 'RAW'],
  [264, 'RAW'],
  [280, 'CAN_SOCKETCAN'],
  [513, 'C_HDLC'],
  [518, 'RAW'],
  [768, 'RAW'],
  [770, 'FRELAY'],
  [772, 'EN10MB'],
  [774, 'FDDI'],
  [776, 'RAW'],
  [783, 'LINUX_IRDA'],
  [801, 'IEEE802_11'],
  [802, 'PRISM_HEADER'],
  [803, 'IEEE802_11_RADIO'],
  [804, 'IEEE802_15_4_NOFCS'],
  [824, 'NETLINK'],
  [826, 'VSOCK'],
  [65534, 'RAW'],
]);

/** What it takes for every number that it does not know, PPP, GRE and ip6tnl among them: the kernel's cooked frames. */
const COOKED = 'LINUX_SLL';

const ANY: Device = { name: 'any', addresses: [], link_type: 'LINUX_SLL2', up: true, loopback: false };

/** 'any' first, then the links by index. */
export function devicesOf(links: readonly Link[]): Device[] {
  const sorted = [...links].sort((a, b) => a.index - b.index);
  return [ANY, ...sorted.map(deviceOf)];
}

function deviceOf({ name, addresses, arphrd, up, loopback }: Link): Device {
  return { name, addresses, link_type: arphrd === null ? null : (LINK_TYPES.get(arphrd) ?? COOKED), up, loopback };
}
