/** Where plain.ts looks, and what for. Imports nothing: see record-layout.ts. */

/** Offsets from the beginning of the frame; each load covers what lies behind it. */
export const ETHER_TYPE_AND_VERSION = 12;
export const ETHERNET = 14;

/** EtherType IPv4, version 4, header of five words; the type of service is masked out. */
export const IPV4_MASK = 0xffffff00 | 0;
export const IPV4 = 0x08004500;
/** The length in the upper half, the identification in the lower. */
export const IPV4_LENGTH_AND_ID = 16;
export const IPV4_FRAGMENT_AND_PROTOCOL = 20;
export const IPV4_DONT_FRAGMENT = 0x40000000;
export const IPV4_SOURCE = 26;
export const IPV4_DESTINATION = 30;
/** No fragment, protocol TCP; "don't fragment" and the time to live are masked out. */
export const IPV4_TCP_MASK = 0x3fff00ff;
export const TCP = 6;
export const IPV4_TCP = 34;
export const IPV4_HEADER = 20;
export const IPV4_WHOLE = 54;

/** EtherType IPv6, version 6; traffic class and flow label are masked out. */
export const IPV6_MASK = 0xfffff000 | 0;
export const IPV6 = 0x86dd6000 | 0;
export const IPV6_LENGTH = 18;
export const IPV6_NEXT_HEADER = 20;
export const IPV6_HOP_LIMIT = 21;
export const IPV6_SOURCE = 22;
export const IPV6_DESTINATION = 38;
export const IPV6_TCP = 54;
export const IPV6_HEADER = 40;
export const IPV6_WHOLE = 74;

export const VLAN = 0x8100;
export const TAG = 4;
export const VLAN_ID = 0x0fff;

/** Offsets from the beginning of the TCP header. */
export const TCP_SEQ = 4;
export const TCP_ACK = 8;
/** Length of the header and flags in the upper half, window in the lower. */
export const TCP_FLAGS_AND_WINDOW = 12;
export const TCP_HEADER = 20;

export const FLAGS = 0x0fff;
/** Two no-operations and the timestamps, kind 8, length 10: how everybody writes them (RFC 7323 appendix A). */
export const ALIGNED_TIMESTAMPS = 0x0101080a;
export const WITH_TIMESTAMPS = 32;
