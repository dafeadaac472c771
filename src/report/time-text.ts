/** A reset's time as the report writes it. */

import { isoTime } from '../base/time.js';

/** When something was seen, to the digits that the source had. */
export interface Seen {
  readonly seconds: number;
  readonly nanos: number;
  readonly digits: number;
  readonly timed: boolean;
}

/** The time as the source had it; null where it gave none. */
export function timeText(seen: Seen): string | null {
  return seen.timed ? isoTime(seen.seconds, seen.nanos, seen.digits) : null;
}
