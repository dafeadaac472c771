/** Numbers of the table of connections. Imports nothing: see decode/record-layout.ts. */

export const NONE = 0;
/** Looked at for one that makes room. */
export const CANDIDATES = 4;
/** Keys of one slot; keys made to collide push each other out instead of slowing everything down. */
export const MAX_CHAIN = 64;
/** Of IPv6: the upper words of the lower end's address, and of the higher's. */
export const UPPER_WORDS = 6;
