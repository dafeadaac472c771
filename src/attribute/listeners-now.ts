/** Who listens on this machine at this moment: one look at the sockets of all namespaces. */

import { ProcessReader } from './proc/reader.js';
import type { MissingReason, Process } from './process.js';
import { answer } from './sockets/answer.js';
import { Looker } from './sockets/looker.js';
import type { SocketAnswer } from './sockets/watch-protocol.js';

export type ListenerNow =
  { readonly process: Process; readonly reason: null } | { readonly process: null; readonly reason: MissingReason };

const MAX_KNOWN = 65_536;

export class ListenersNow {
  private readonly looker: Looker;
  private readonly known = new Map<string, ListenerNow>();
  private readonly at: number;

  /** `now`: milliseconds since 1970. */
  constructor(now: number, proc = '/proc') {
    const reader = new ProcessReader();
    this.at = now / 1000;
    this.looker = new Looker({
      proc,
      read: (pid) => reader.read(pid),
      now: () => this.at,
      stopwatch: () => this.at,
      worked: () => 0,
    });
    this.looker.look();
  }

  /** `netns`: the only one that is meant; null: any. */
  of(ip: string, port: number, netns: number | null): ListenerNow {
    const key = `${ip} ${String(port)} ${String(netns)}`;
    const before = this.known.get(key);
    if (before !== undefined) return before;
    const query = { localIp: ip, localPort: port, remoteIp: '0.0.0.0', remotePort: 0, netns, at: this.at };
    const found = theOne(answer(this.looker.history, query));
    if (this.known.size < MAX_KNOWN) this.known.set(key, found);
    return found;
  }
}

/** Of one namespace; equal ones in two can't be told apart. */
function theOne({ listeners }: SocketAnswer): ListenerNow {
  const [first] = listeners;
  if (first === undefined) return { process: null, reason: 'no-listener' };
  if (listeners.some((one) => one.netns !== first.netns)) {
    return { process: null, reason: 'ambiguous' };
  }
  if (first.group !== null) return { process: first.group, reason: null };
  return { process: null, reason: first.complete ? 'ambiguous' : 'permission' };
}
