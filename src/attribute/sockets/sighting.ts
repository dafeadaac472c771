/**
 * One socket as the looks saw it: from when, until when, whose it was; and what that says of one moment.
 *
 * Looks are moments; between two of them anything may have happened, and what can't be told is said to be so.
 */

import type { HolderSet } from './holders.js';

/** A look at one namespace; times are seconds since 1970. Rows were read somewhere between its two ends. */
export interface Look {
  /** Beginning of the look before it at the same namespace. */
  readonly before: number;
  readonly began: number;
  readonly ended: number;
}

export interface Sighting {
  /** 0: no process holds it: not yet accepted, or closed before the first look. */
  inode: number;
  readonly first: Look;
  last: Look;
  /** The first look that did not see it any more. */
  gone: Look | null;
  /** When last seen with holders; null: nobody was found. */
  holders: HolderSet | null;
  /** How often holders were looked for in vain. */
  tries: number;
  /** Somebody's descriptors could not be looked at when holders were looked for. */
  denied: boolean;
}

export interface ConnectionSighting extends Sighting {
  readonly key: string;
  /** Its program had closed it when it was last seen. */
  closing: boolean;
  /** Of another socket with the same two ends, before this one. */
  older: ConnectionSighting | null;
}

export interface ListenerSighting extends Sighting {
  readonly ip: string;
  readonly port: number;
}

/**
 * Of a moment: looks on both sides saw it; one before did and none has looked since; one before did and the next one
 * did not; one after did and the one before did not. The last two may or may not have been there.
 */
export type Seen = 'around' | 'before' | 'ended' | 'begun';

/** 'past', 'future': it can't have been there at that moment. */
export function seenAt(sighting: Sighting, at: number): Seen | 'past' | 'future' {
  const { first, last, gone } = sighting;
  if (first.ended > at) return first.before < at ? 'begun' : 'future';
  if (last.began >= at) return 'around';
  if (gone === null) return 'before';
  return gone.ended > at ? 'ended' : 'past';
}

/**
 * A tuple that had vanished so long before may have been somebody else's since: ports are given out again and again.
 * (A reset that answers late data comes some round trips after the end.)
 */
const GRACE_SECONDS = 10;

/**
 * Which sockets with these two ends the moment may have met. None that was first seen after it: a socket that lives on
 * after a reset is most often the next one. `opened`: the connection began then, as far as is known.
 */
export function sightingsFor(newest: ConnectionSighting, at: number, opened: number | null): ConnectionSighting[] {
  const around: ConnectionSighting[] = [];
  let earlier: ConnectionSighting | null = null;
  let later: ConnectionSighting | null = null;
  for (let each: ConnectionSighting | null = newest; each !== null; each = each.older) {
    // It was there before its connection was opened: it is of an earlier one.
    if (opened !== null && each.first.ended < opened) continue;
    const seen = seenAt(each, at);
    if (seen === 'around') around.push(each);
    else if (seen === 'begun') later = each;
    else if (seen !== 'future' && earlier === null && at - (each.gone?.ended ?? at) <= GRACE_SECONDS) earlier = each;
  }
  if (around.length > 0) return around;
  if (earlier === null) return [];
  return later === null ? [earlier] : [earlier, later];
}
