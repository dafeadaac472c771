/** Numbers of following connections (conversations.ts). Imports nothing: see decode/record-layout.ts. */

/** Copies of one segment, on several interfaces or both sides of a router, lie within this. */
export const COPY_SECONDS = 0.06;
/** Those of one host within this. */
export const SAME_HOST_SECONDS = 0.005;
/** What a socket's IP ID goes up by from one segment to the next; segments that were not captured count too. */
export const ID_STEP = 512;
export const MOST_PROBES = 255;
/** Seconds without a segment: less is no silence that a timer on the way could have ended. */
export const SILENCE_SECONDS = 1;
/** Records that are looked up before the first of them is taken: so their ways to memory overlap. */
export const BLOCK = 256;
/** In a row's place: another connection has it by now. */
export const GONE = -1;
