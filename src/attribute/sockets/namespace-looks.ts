/**
 * What the looks at one network namespace have seen: its connections and its listeners, those that are gone included.
 *
 * Pure: tables are handed in as texts. Keeps one small object for each socket, and of the texts nothing.
 */

import { eachRow, isClosing, LISTEN } from './raw-rows.js';
import type { ConnectionSighting, ListenerSighting, Look, Sighting } from './sighting.js';
import { listenersOf, type NetTables } from './table.js';

/** Gone sockets of one tuple that are kept. */
const MAX_OLDER = 8;
const MAX_LOOKS = 256;

/** Who keeps the looks at all namespaces. */
export interface Keeper {
  /** A socket more; false: there is no room for it, and it is not seen, as if nobody had looked. */
  readonly admit: () => boolean;
  /** Its holders are to be found. */
  readonly fresh: (sighting: Sighting) => void;
  readonly connectionGone: (sighting: ConnectionSighting, of: NamespaceLooks) => void;
  readonly listenerGone: (sighting: ListenerSighting, of: NamespaceLooks) => void;
}

export class NamespaceLooks {
  readonly netns: number;
  /** Newest last. */
  readonly looks: Look[] = [];
  /** Its tables may not be read. */
  denied = false;
  private readonly keeper: Keeper;
  /** The newest one of each tuple. */
  private readonly connections = new Map<string, ConnectionSighting>();
  private readonly listeners = new Map<string, ListenerSighting>();
  /** Those that have gone too. */
  private readonly byPort = new Map<number, Set<ListenerSighting>>();

  constructor(netns: number, keeper: Keeper) {
    this.netns = netns;
    this.keeper = keeper;
  }

  get newest(): Look | null {
    return this.looks.at(-1) ?? null;
  }

  take(tables: NetTables, began: number, ended: number): void {
    const look: Look = { before: this.newest?.began ?? -Infinity, began, ended };
    this.looks.push(look);
    if (this.looks.length > MAX_LOOKS) this.looks.shift();
    this.denied = false;
    eachRow(tables, (key, state, inode) => {
      if (state !== LISTEN) this.connection(key, isClosing(state), inode, look);
    });
    for (const { localIp, localPort, inode } of listenersOf(tables)) this.listener(localIp, localPort, inode, look);
    this.settle(look);
  }

  /** No process is in it any more; what was there is gone. */
  vanish(began: number, ended: number): void {
    this.settle({ before: this.newest?.began ?? -Infinity, began, ended });
  }

  private connection(key: string, closing: boolean, inode: number, look: Look): void {
    const newest = this.connections.get(key);
    if (newest?.gone === null) {
      const same = newest.inode === inode || (inode === 0 && closing);
      if (!same && !newest.closing && (newest.inode === 0 || newest.last === look)) {
        // Accepted since; or two at once (two devices may have connections with equal ends), and nobody can tell them
        // apart by their ends.
        newest.inode = newest.last === look ? 0 : inode;
        newest.holders = null;
        newest.last = look;
        if (newest.inode !== 0) this.keeper.fresh(newest);
        return;
      }
      if (same) {
        // What remains of an older connection says nothing of the present one.
        if (newest.last === look && closing) return;
        newest.last = look;
        newest.closing = closing;
        return;
      }
      this.end(newest, look);
    }
    // Of what was closed before anybody looked, no holder can be found.
    if ((inode === 0 && closing) || !this.keeper.admit()) return;
    // A part of the table's text would keep all of it.
    const own = newest?.key ?? Buffer.from(key, 'latin1').toString('latin1');
    const older = newest === undefined ? null : shortened(newest);
    const sighting: ConnectionSighting = { key: own, closing, older, ...seenFirst(inode, look) };
    this.connections.set(own, sighting);
    if (inode !== 0) this.keeper.fresh(sighting);
  }

  private end(sighting: ConnectionSighting, look: Look): void {
    sighting.gone = look;
    this.keeper.connectionGone(sighting, this);
  }

  private listener(ip: string, port: number, inode: number, look: Look): void {
    const key = `${String(inode)} ${String(port)} ${ip}`;
    const known = this.listeners.get(key);
    if (known !== undefined) {
      known.last = look;
      return;
    }
    if (!this.keeper.admit()) return;
    const sighting: ListenerSighting = { ip, port, ...seenFirst(inode, look) };
    this.listeners.set(key, sighting);
    const others = this.byPort.get(port);
    if (others === undefined) this.byPort.set(port, new Set([sighting]));
    else others.add(sighting);
    if (inode !== 0) this.keeper.fresh(sighting);
  }

  private settle(look: Look): void {
    for (const sighting of this.connections.values()) {
      if (sighting.gone === null && sighting.last !== look) this.end(sighting, look);
    }
    for (const [key, sighting] of this.listeners) {
      if (sighting.last === look) continue;
      sighting.gone = look;
      this.listeners.delete(key);
      this.keeper.listenerGone(sighting, this);
    }
  }

  /** The newest socket with these two ends, from which older ones are found. */
  connectionOf(key: string): ConnectionSighting | null {
    return this.connections.get(key) ?? null;
  }

  /** Those on a port, those that have gone too. */
  listenersOn(port: number): Iterable<ListenerSighting> {
    return this.byPort.get(port) ?? [];
  }

  /** It was gone for long enough. */
  forgetConnection(sighting: ConnectionSighting): void {
    const newest = this.connections.get(sighting.key);
    if (newest === sighting) this.connections.delete(sighting.key);
    for (let each = newest ?? null; each !== null; each = each.older) {
      if (each.older === sighting) each.older = null;
    }
  }

  forgetListener(sighting: ListenerSighting): void {
    const others = this.byPort.get(sighting.port);
    others?.delete(sighting);
    if (others?.size === 0) this.byPort.delete(sighting.port);
  }

  /** Everything that was there at the newest look. */
  *live(): Generator<Sighting> {
    for (const each of this.connections.values()) if (each.gone === null) yield each;
    yield* this.listeners.values();
  }
}

function seenFirst(inode: number, look: Look): Sighting {
  return { inode, first: look, last: look, gone: null, holders: null, tries: 0, denied: false };
}

/** The chain from `newest` on, with its oldest ones cut off. */
function shortened(newest: ConnectionSighting): ConnectionSighting {
  let each = newest;
  for (let length = 1; length < MAX_OLDER && each.older !== null; length++) each = each.older;
  each.older = null;
  return newest;
}
