/**
 * The state of one connection as words in a table: where each number lies. Imports nothing: see record-layout.ts.
 *
 * A row holds what both sides have in common, then the side of the key's lower end, then that of the higher.
 */

/** Words and 64-bit numbers a row: four cache lines, of which most segments touch the first and that of their side. */
export const STATE_WORDS = 64;
export const STATE_TIMES = STATE_WORDS / 2;

/** Among the words of the row: the table's own. */
export const NEXT_ROW = 0;
export const HASH = 1;
export const KEY = 2;
export const BITS = 6;
/** Unanswered probes of the lower end in the lowest byte, of the higher in the next. */
export const PROBES = 7;
/** Among the 64-bit numbers of the row: time of its first segment, or reset. */
export const FIRST_AT = 4;
/** Seconds that whoever sent the first FIN had sent nothing before it. */
export const FIN_IDLE = 5;
/** Seconds that nobody had sent anything before the segment that is not answered yet: see RESUMED. */
export const RESUME_GAP = 6;

export const LOWER_OPENED = 1;
export const HIGHER_OPENED = 2;
/** The SYN itself was seen. */
export const SYN_SEEN = 4;
export const SYN_ACK_SEEN = 8;
export const ESTABLISHED = 16;
export const GAP = 32;
/** Somebody wants to know what comes behind a reset. */
export const WATCHED = 64;
/** An earlier connection had the same key, which had ended, or had not. */
export const EARLIER_ENDED = 128;
export const EARLIER_LIVE = 256;
/** The first segment seen is the SYN. */
export const FROM_START = 512;
export const RESET_SEEN = 1024;
/** It is among the reset connections of its server. */
export const RESET_COUNTED = 2048;
export const LOWER_FIN = 4096;
export const HIGHER_FIN = 8192;
/** A segment was seen, or a reset. */
export const ANY = 16384;
/** The lower end sent the first FIN; it tells whose FIN_IDLE is. */
export const LOWER_FIN_FIRST = 32768;
/** After a long silence somebody spoke, and was not answered yet; and whether it was the lower end. */
export const RESUMED = 65536;
export const LOWER_RESUMED = 131072;
export const BOTH_FINS = LOWER_FIN | HIGHER_FIN;

/** The sides: words from the row's beginning. */
export const LOWER = 16;
export const HIGHER = 32;
/** From the bit of a record that the source is the lower end, to the words between the two sides. */
export const LOWER_SHIFT = 26;
/** What is seldom needed of a side. */
export const LOWER_SELDOM = 48;
export const HIGHER_SELDOM = 56;

/** Among the 64-bit numbers of a side: time of its last segment. */
export const S_LAST_AT = 0;
/** Among the words of a side. */
export const S_NEXT = 2;
export const S_ACKED = 3;
export const S_SEQ = 4;
export const S_ACK = 5;
/** The last segment's word of flags, as in its record. */
export const S_FLAGS = 6;
export const S_LENGTH = 7;
export const S_EARLIER_ACK = 8;
export const S_WINDOW_ID = 9;
export const S_TIMESTAMP = 10;
export const S_BITS = 11;
export const S_DATA = 12;
/** Least TTL, greatest, and the shift count of the window, a byte each. */
export const S_TTLS = 13;
export const S_NUMBER = 14;
export const S_FIN_END = 15;
/** Among a side's seldom 64-bit numbers: time of its last reset. */
export const S_RESET_AT = 0;
/** Among its seldom words. */
export const S_ISN = 2;
export const S_RESETS = 3;
export const S_RESET_SEQ = 4;
export const S_RESET_ACK = 5;

export const SEEN = 1;
export const HAS_SYN = 2;
export const HAS_SYN_ACK = 4;
export const HAS_FIN = 8;
export const HAS_ACKED = 16;
export const WITH_TIMESTAMP = 32;
export const WITHOUT_TIMESTAMP = 64;
export const WITH_DF = 128;
export const WITHOUT_DF = 256;
export const ID_NOT_ZERO = 512;
/** The IP ID did not go up by little from one segment to the next. */
export const ID_JUMPED = 1024;
/** Segments whose IP IDs could be compared were seen. */
export const ID_COMPARED = 2048;
export const ID_SEEN = 4096;
export const HAS_EARLIER_ACK = 8192;
export const WITH_SCALE = 16384;
/** The last segment had an acknowledgement and neither SYN nor FIN. */
export const PLAIN = 32768;
/** Of a side that has sent segments of the commonest kind before. */
export const KNOWN_SIDE = SEEN | HAS_ACKED | ID_SEEN;
