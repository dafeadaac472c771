/**
 * The layout of a record (records.ts). Imports nothing: so the build puts its numbers where they are used, and does not
 * with those of other modules, which in a hot loop are a load each, and twice the time.
 */

/** Words a place: a cache line. */
export const RECORD_WORDS = 16;

/** IPv4 address, or the last word of an IPv6 one. */
export const R_SOURCE = 0;
export const R_DESTINATION = 1;
/** Source port in the upper half, destination port in the lower. */
export const R_PORTS = 2;
/** Number of the tenant; the IP version in the upper byte keeps an IPv4-mapped IPv6 address apart from the IPv4 one. */
export const R_TENANT = 3;
export const R_SEQ = 4;
export const R_ACK = 5;
/** TCP flags in the lower twelve bits, and the bits below. */
export const R_FLAGS = 6;
/** Window in the upper half, IP ID in the lower. */
export const R_WINDOW_ID = 7;
export const R_LENGTH = 8;
/** TSval; meaningless without HAS_TIMESTAMP. */
export const R_TIMESTAMP = 9;
/** Seconds since 1970 and nanoseconds; meaningless with NO_TIME. */
export const R_SECONDS = 10;
export const R_NANOS = 11;
/** The frame's number, its lower 32 bits. */
export const R_NUMBER = 12;
/** A hash of both ends and the tenant, the same for both directions. */
export const R_HASH = 13;
/** In the second place of IPv6: the first three words of the source, and of the destination. */
export const R_SOURCE_UPPER = 16;
export const R_DESTINATION_UPPER = 19;

export const FLAGS_MASK = 0xfff;
export const TTL_SHIFT = 12;
export const HAS_TIMESTAMP = 1 << 20;
export const IPV6_SHIFT = 21;
export const IS_IPV6 = 1 << IPV6_SHIFT;
export const DONT_FRAGMENT = 1 << 22;
export const NO_TIME = 1 << 23;
/** The capture cut the window off. */
export const NO_WINDOW = 1 << 24;
export const HAS_SCALE = 1 << 25;
export const SCALE_SHIFT = 26;
/** The source is the lower end of both: by address, then by port. */
export const SOURCE_IS_LOWER = 1 << 30;

/** In the tenant's word: the IP version. */
export const IPV4_TENANT = 4 << 24;
export const IPV6_TENANT = 6 << 24;
/** A window's scale is at most 14 (RFC 7323 2.3). */
export const MAX_SCALE = 14;
