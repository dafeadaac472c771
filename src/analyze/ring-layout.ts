/** The layout of a FrameRing's entries. Imports nothing, so that the build puts its numbers where they are used. */

/** Words an entry: a cache line. */
export const ENTRY_WORDS = 16;

/** Of the connection: its hash, the last words of both addresses, the lower end's port in the upper half. */
export const E_HASH = 0;
export const E_LOWER = 1;
export const E_HIGHER = 2;
export const E_PORTS = 3;
/** A hash of what the segment says: the same for one that passes several interfaces. */
export const E_SEGMENT = 4;
/** Slab and place in it. */
export const E_AT = 5;
export const E_CAPTURED = 6;
export const E_ORIGINAL = 7;
export const E_INTERFACE = 8;
export const E_FILE = 9;
/** Row in its frame batch, while that is there. */
export const E_FRAME = 10;
/** Of a frame without a time: those of the frame before. */
export const E_SECONDS = 11;
export const E_NANOS = 12;
/** Whether it has a time, and what is noted of its fate. */
export const E_MARK = 13;
export const E_TIMED = 14;
/** Frames back to the one before it in its bucket; 0: there is none. */
export const E_BEFORE = 15;

/** In E_MARK. */
export const IS_RESET = 1;
export const IS_CLAIMED = 2;
/** In E_TIMED. */
export const IS_TIMED = 1;

/** Bytes a slab: E_AT has twenty bits for the place in it. */
export const SLAB = 1 << 20;
/** Octets between two frames of a batch that are copied along rather than two copies made: a record's header. */
export const GAP = 64;
export const BUCKETS = 1 << 17;
/** What a batch brings is there while it is followed. */
export const LEAST_SLABS = 2;
/** 64 MB of 128 bytes each; more than a batch has, in any case. */
export const MOST_ENTRIES = 1 << 19;
