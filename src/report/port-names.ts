/** Names of the programs at both ends of one port's resets: those of the serving side first, then by how many resets. */

import type { Attribution } from '../attribute/process.js';
import type { ResetBy } from '../conversation/verdict.js';
import { programName } from './sentence-words.js';
import { compare } from './traffic.js';

/** Names kept of one port, and of all ports together: what comes later is not listed. */
const MAX_NAMES = 64;
const MAX_OF_ALL = 20_000;

interface Counts {
  serving: number;
  resets: number;
}

/** Room for names, shared by all ports. */
export class NameRoom {
  private left = MAX_OF_ALL;

  /** False where there is no more. */
  take(): boolean {
    if (this.left === 0) return false;
    this.left--;
    return true;
  }
}

export class PortNames {
  private readonly names = new Map<string, Counts>();
  private readonly room: NameRoom;

  constructor(room: NameRoom) {
    this.room = room;
  }

  add({ sender, receiver }: Attribution, resetBy: ResetBy): void {
    const from = sender.process === null ? null : programName(sender.process);
    const to = receiver.process === null ? null : programName(receiver.process);
    if (from !== null) this.count(from, resetBy === 'server' || (from === to && resetBy === 'client'));
    if (to !== null && to !== from) this.count(to, resetBy === 'client');
  }

  private count(name: string, serving: boolean): void {
    let counts = this.names.get(name);
    if (counts === undefined) {
      if (this.names.size >= MAX_NAMES || !this.room.take()) return;
      counts = { serving: 0, resets: 0 };
      this.names.set(name, counts);
    }
    counts.resets++;
    if (serving) counts.serving++;
  }

  list(): string[] {
    return [...this.names]
      .sort(([a, x], [b, y]) => y.serving - x.serving || y.resets - x.resets || compare(a, b))
      .map(([name]) => name);
  }
}
