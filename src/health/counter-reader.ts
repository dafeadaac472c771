/**
 * Reads the counters of network namespaces: the own one's by /proc/self/net, others' by a process in them, those that no
 * process is in by a program that is started there.
 *
 * /proc/PID/net is the namespace of PID, whoever reads it.
 */

import { readFileSync } from 'node:fs';
import { catInside } from '../attribute/inside.js';
import { netNamespaceOf, netNamespaces } from '../attribute/sockets/descriptors.js';
import { inodeAt, pidOf, type Namespace } from '../capture/live/namespaces.js';
import { parseCounters, type Counters } from './counter-text.js';

const PROC = '/proc';
const FILES = ['snmp', 'netstat'] as const;

export interface CounterReading {
  readonly counters: Counters;
  /** Before the kernel was asked, and after it had answered: nanoseconds of CLOCK_MONOTONIC. */
  readonly from: number;
  readonly to: number;
}

/** Nanoseconds of CLOCK_MONOTONIC, which is the clock of the kernel's trace too. */
export function mono(): number {
  return Number(process.hrtime.bigint());
}

export class CounterReader {
  /** A process by which a namespace was read before. */
  private readonly pids = new Map<number, number>();
  /** All processes have been looked at in this round. */
  private looked = false;

  /** Another round of readings begins: processes may have come and gone. */
  nextRound(): void {
    this.looked = false;
  }

  /** At once, and without starting anything; null: there is no process to read it by, or it may not be read. */
  readNow(namespace: Namespace): CounterReading | null {
    if (namespace.path === null) return readBy('self');
    const pid = this.pidIn(namespace);
    return pid === null ? null : readBy(pid);
  }

  /** By a program that is started in it. Null: it is gone, or may not be entered. */
  async enter(namespace: Namespace): Promise<CounterReading | null> {
    // Its name may have been given to another one.
    if (!isStillThere(namespace)) return null;
    const from = mono();
    const text = await catInside(
      namespace,
      FILES.map((file) => `${PROC}/self/net/${file}`),
    );
    return text === null ? null : readingOf([text], from);
  }

  private pidIn({ inode, path }: Namespace): number | null {
    if (inode === null) return null;
    const known = [this.pids.get(inode), pidOf(path ?? '')];
    const still = known.find((pid) => typeof pid === 'number' && netNamespaceOf(PROC, pid) === inode) ?? null;
    if (still !== null) return still;
    if (this.looked) return null;
    this.looked = true;
    this.pids.clear();
    for (const one of netNamespaces(PROC)) this.pids.set(one.inode, one.pid);
    return this.pids.get(inode) ?? null;
  }
}

/** The path leads to it. */
export function isStillThere({ inode, path }: Namespace): boolean {
  return path === null || inode === null || inodeAt(path) === inode;
}

function readBy(pid: number | 'self'): CounterReading | null {
  const from = mono();
  try {
    return readingOf(
      FILES.map((file) => readFileSync(`${PROC}/${String(pid)}/net/${file}`, 'latin1')),
      from,
    );
  } catch {
    return null;
  }
}

function readingOf(texts: readonly string[], from: number): CounterReading | null {
  const to = mono();
  const counters = parseCounters(...texts);
  return counters.size === 0 ? null : { counters, from, to };
}
