/** Why resets that the kernel counted in a namespace that was captured in can have escaped the capture. Pure. */

import { isLoopback } from '../base/address.js';
import { plural, printable } from '../base/text.js';

export interface Hindrances {
  /** The user's own filter; null: none. */
  readonly filter: string | null;
  /** What was listened to; null: every interface. */
  readonly interfaces: readonly string[] | null;
  /** Packets known to be lost while capturing. */
  readonly dropped: number;
  /** An interface was lost, or a namespace could not be captured in. */
  readonly lost: boolean;
}

export interface Reason {
  readonly resets: number;
  readonly message: string;
  readonly nextStep: string | null;
}

/**
 * Of `left` resets, as many as there are reasons for. `failed`: what TCP counted and could not send. `tuples`: of those
 * that are known, local end first.
 */
export function reasonsFor(left: number, failed: number, tuples: readonly string[], of: Hindrances): Reason[] {
  const reasons: Reason[] = [];
  let rest = left;
  const tell = (resets: number, message: string, nextStep: string | null): void => {
    if (resets <= 0) return;
    reasons.push({ resets, message, nextStep });
    rest -= resets;
  };
  const unsent = Math.min(Math.max(rest, 0), failed);
  tell(
    unsent,
    `${plural(unsent, 'reset')} that TCP counted and could not send (TCPAbortFailed): refused by a packet filter on the way out, no memory or no route`,
    'sudo nft list ruleset',
  );
  if (of.filter !== null) {
    tell(
      rest,
      `${plural(rest, 'reset')} more counted: not captured, as by the filter "${printable(of.filter, 80)}"`,
      'sudo rstscope live',
    );
  } else if (of.interfaces !== null) {
    const only = of.interfaces.map((name) => printable(name)).join(', ');
    const onLoopback = Math.min(tuples.filter(isOnLoopback).length, rest);
    const where = onLoopback > 0 && !of.interfaces.includes('lo') ? `; ${String(onLoopback)} of them on lo` : '';
    tell(
      rest,
      `${plural(rest, 'reset')} more counted: not captured, as by an interface that was not listened to (only ${only} was)${where}`,
      'sudo rstscope live -i any',
    );
  } else if (of.lost) {
    tell(rest, `${plural(rest, 'reset')} more counted: not captured while an interface was lost`, null);
  } else if (of.dropped > 0) {
    const gone = Math.min(rest, of.dropped);
    tell(gone, `${plural(gone, 'reset')} more counted: ${plural(of.dropped, 'packet')} dropped while capturing`, null);
  }
  return reasons;
}

/** Both ends are this machine's. */
function isOnLoopback(tuple: string): boolean {
  const [localIp = '', , remoteIp = ''] = tuple.split(' ');
  return isLoopback(localIp) || isLoopback(remoteIp) || localIp === remoteIp;
}
