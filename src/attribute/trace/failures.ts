/** Connects that failed, by program and target. Plain counting. */

import type { FailedConnects, Process } from '../process.js';

/** Programs times targets: a scan has a target for every port. */
const MAX_ROWS = 20_000;

interface Row {
  readonly process: Process;
  readonly pids: Set<number>;
  readonly ip: string;
  readonly port: number;
  readonly counts: { refused: number; icmp: number; timedOut: number; abandoned: number };
}

const MAX_PIDS = 10_000;
const COUNTS = { refused: 'refused', icmp: 'icmp', 'timed-out': 'timedOut', abandoned: 'abandoned' } as const;

export class Failures {
  private readonly rows = new Map<string, Row>();
  /** Those that found no row. */
  omitted = 0;

  add(process: Process, ip: string, port: number, how: keyof typeof COUNTS): void {
    const key = `${programKey(process)}\0${ip}\0${String(port)}`;
    let row = this.rows.get(key);
    if (row === undefined) {
      if (this.rows.size >= MAX_ROWS) {
        this.omitted++;
        return;
      }
      row = { process, pids: new Set(), ip, port, counts: { refused: 0, icmp: 0, timedOut: 0, abandoned: 0 } };
      this.rows.set(key, row);
    }
    if (row.pids.size < MAX_PIDS) row.pids.add(process.pid);
    row.counts[COUNTS[how]]++;
  }

  /** The most first. */
  list(): FailedConnects[] {
    return [...this.rows.values()]
      .map(({ process, pids, ip, port, counts }) => {
        const attempts = counts.refused + counts.icmp + counts.timedOut + counts.abandoned;
        return { process, pids: pids.size, ip, port, attempts, ...counts };
      })
      .sort((a, b) => b.attempts - a.attempts);
  }
}

/**
 * What is started again and again is one program: the same name, started by the same parent. Not by its executable: of
 * one that was ending that is not known any more.
 */
function programKey({ exe, name, ppid, container }: Process): string {
  return [name ?? exe ?? '', String(ppid ?? ''), container?.id ?? ''].join('\0');
}
