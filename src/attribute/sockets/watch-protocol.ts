/** What the main thread and the thread that looks at sockets say to each other; plain data, no code. */

import type { Process } from '../process.js';
import type { Seen } from './sighting.js';

export interface Query {
  readonly localIp: string;
  readonly localPort: number;
  readonly remoteIp: string;
  readonly remotePort: number;
  /** Only in this namespace; null: in any. */
  readonly netns: number | null;
  /** When the reset was captured, seconds since 1970. */
  readonly at: number;
  /** When the first SYN of this connection was seen, if it was: an older connection with equal ends is not meant. */
  readonly opened?: number | null;
}

export interface Listener {
  /** What the socket is bound to: the address itself, "0.0.0.0", or "::", which takes IPv4 too unless it was told not to. */
  readonly ip: string;
  readonly netns: number;
  /** Those that hold it or, of several sockets, one of them. */
  readonly processes: readonly Process[];
  /** Nobody else can hold it. */
  readonly complete: boolean;
  /** The one owner, or who stands for several; null: nobody. */
  readonly group: Process | null;
  /** It is the one, and has no children that may have taken over a connection. */
  readonly single: boolean;
  /** By 'around' and 'before' it listened then; by 'ended' and 'begun' it may or may not have. */
  readonly seen: Seen;
}

export interface SocketAnswer {
  /** Those that hold, or held when last seen, the socket with exactly these ends. */
  readonly holders: readonly Process[];
  /** Who stands for several of them, or the one; null: nobody. */
  readonly common: Process | null;
  /** It was there, and its program had not closed it, in a look that began after `at`. */
  readonly alive: boolean;
  /** The last look that saw it, seconds since 1970. */
  readonly seenAt: number | null;
  /** 'shared': which of the holders can't be told. */
  readonly exact: 'one' | 'shared' | 'none' | 'permission';
  /** Of the local port, most specific address first. */
  readonly listeners: readonly Listener[];
  /** Looks on both sides of `at` saw no listener there. */
  readonly noListener: boolean;
  /** Who listened there earlier in this run, where nobody does now. */
  readonly past: { readonly process: Process; readonly lastSeen: number } | null;
  /** End of the newest look at all that was asked about; 0: none was made. */
  readonly lookedAt: number;
}

/** What all looks have taken until now. */
export interface Effort {
  readonly looks: number;
  /** Scans of all processes' descriptors. */
  readonly scans: number;
  /** Those that could be looked at the last time. */
  readonly namespaces: number;
  readonly sockets: number;
  /** Processor time spent looking. */
  readonly seconds: number;
}

/** Given to the thread at its start. */
export interface WatchOrder {
  readonly proc: string;
  /** Seconds that the clock of the questions is ahead of the system's. */
  readonly ahead: number;
}

export interface AskOrder {
  readonly id: number;
  readonly queries: readonly Query[];
}

export type WatchWord =
  /** After each look; the first one says that questions may be asked. */
  | { readonly kind: 'looked'; readonly effort: Effort }
  | { readonly kind: 'answer'; readonly id: number; readonly answers: readonly SocketAnswer[] };

/** Nobody has looked. */
export const NOT_LOOKED: SocketAnswer = {
  holders: [],
  common: null,
  alive: false,
  seenAt: null,
  exact: 'none',
  listeners: [],
  noListener: false,
  past: null,
  lookedAt: 0,
};
