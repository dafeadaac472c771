/**
 * Who is at the ends of resets in a saved capture: what its comments say, as `live -w` writes them; and, where the file
 * was made on this host, who listens on the ports now.
 */

import { serverIp, type Reset } from '../conversation/reset.js';
import { isLoopback, type AddressTest } from '../base/address.js';
import { settled, type Attributor, type Inquiry } from './attributor.js';
import { CommentReader } from './comment.js';
import type { ListenersNow } from './listeners-now.js';
import { found, missing, unattributed, type Attribution, type End } from './process.js';

/** The file was made here. */
export interface Here {
  readonly listeners: ListenersNow;
  /** Addresses of this host. */
  readonly local: AddressTest;
  /** The one network namespace that has the address; null: it is not known, or several have it. */
  readonly netnsOf: (ip: string) => number | null;
}

const OFFLINE = settled(unattributed('offline'));

export class SavedAttributor implements Attributor {
  readonly failedConnects = [];
  private readonly comments = new CommentReader();
  private readonly here: Here | null;

  constructor(here: Here | null) {
    this.here = here;
  }

  inquire(reset: Reset): Inquiry {
    const said = reset.note === null ? null : this.comments.read(reset.note);
    if (said !== null) return settled(said);
    return this.here === null ? OFFLINE : settled(attributionNow(reset, this.here));
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }
}

/** The serving end may still be what it was; the other one is gone. */
function attributionNow(reset: Reset, here: Here): Attribution {
  const serving = serverIp(reset);
  const end = (ip: string, port: number, side: 'server' | 'client'): End => {
    if (!isLoopback(ip) && !here.local(ip)) return missing('remote');
    if (serving === null || reset.resetBy !== side) return missing('gone');
    const netns = isLoopback(ip) ? reset.netns : here.netnsOf(ip);
    const { process, reason } = here.listeners.of(ip, port, netns);
    return process === null ? missing(reason) : found(process, 'listener-now');
  };
  return {
    ...unattributed('offline'),
    sender: end(reset.srcIp, reset.srcPort, 'server'),
    receiver: end(reset.destIp, reset.destPort, 'client'),
  };
}
