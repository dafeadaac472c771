/**
 * What the system knows of why a reset of now came to be, from what is known of its two ends. Only concludes; asks nobody.
 */

import type { KernelFacts, ListenerFacts } from '../conversation/kernel-facts.js';
import { isSilent, listenersOf, nameOf, pastListenerOf, wasListening, type EndFacts } from './live-end.js';
import type { Listener } from './sockets/watch-protocol.js';

/** Of the ends that are this host's; null: another's, or nothing certain is known of it. */
export interface KnownEnds {
  readonly sender: EndFacts | null;
  readonly receiver: EndFacts | null;
  /** See `KernelFacts`. */
  readonly received: boolean | null;
}

export function kernelFactsOf({ sender, receiver, received }: KnownEnds): KernelFacts {
  return {
    sent: sender === null ? null : sentBy(sender),
    received,
    listener: sender === null ? { atSource: null, evidence: null } : listenerAt(sender),
    opener: openerOf(sender, receiver),
  };
}

function sentBy(sender: EndFacts): KernelFacts['sent'] {
  const { traced } = sender;
  if (traced === null) return isSilent(sender) ? 'silent' : null;
  const { reason, path, active, socketless, listening } = traced;
  return { reason, path, active, socketless, listening };
}

/** The kernel's own word counts before the tables, which are of a moment before or after. */
function listenerAt(sender: EndFacts): ListenerFacts {
  const { traced, sockets, ipNetns } = sender;
  const [past = null] = pastListenerOf(sender);
  if (traced?.socketless === true) return { atSource: false, evidence: past };
  const there = listenersOf(sender).find((one) => wasListening(one, sender));
  // One of another namespace may be bound to any address as well.
  if (there?.netns === ipNetns) return { atSource: true, evidence: whoListens(there) };
  if (traced?.listening === true) return { atSource: true, evidence: null };
  return { atSource: sockets?.noListener === true ? false : null, evidence: past };
}

function whoListens({ processes }: Listener): string | null {
  const [one, ...others] = processes;
  if (one === undefined) return null;
  return others.length === 0
    ? `${nameOf(one)} listens there`
    : `${nameOf(one)} and ${String(others.length)} more hold the listening socket there`;
}

/** Who was not seen to connect may have done so before: only the kernel's word counts, and only where it is clear. */
function openerOf(sender: EndFacts | null, receiver: EndFacts | null): KernelFacts['opener'] {
  const source = sender?.traced?.connected === true;
  const destination = receiver?.traced?.connected === true;
  if (source === destination) return null;
  return source ? 'source' : 'destination';
}
