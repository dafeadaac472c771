/** Processes as the JSON has them, key for key. */

import type { End, FailedConnects, Match, Process } from '../attribute/process.js';
import { isoTime } from '../base/time.js';
import { compare } from './traffic.js';
import type { FailedConnectRow, ProcessInfo } from './types.js';

/** The system tells when a process started to a hundredth of a second. */
const HUNDREDTHS = 100;
const DIGITS = 2;

export function processInfo(process: Process, match: Match): ProcessInfo {
  const { container, started } = process;
  return {
    pid: process.pid,
    ppid: process.ppid,
    parent: process.parent,
    name: process.name,
    exe: process.exe,
    command: process.command,
    user: process.user,
    unit: process.unit,
    container:
      container === null
        ? null
        : {
            id: container.id,
            runtime: container.runtime,
            name: container.name,
            pod: container.pod,
            pod_namespace: container.podNamespace,
          },
    netns: process.netns,
    started: started === null ? null : startText(started),
    match,
  };
}

function startText(started: number): string {
  const hundredths = Math.round(started * HUNDREDTHS);
  const seconds = Math.floor(hundredths / HUNDREDTHS);
  return isoTime(seconds, (hundredths - seconds * HUNDREDTHS) * 1e7, DIGITS);
}

/** The process at one end of a reset; null where it is not known. */
export function endInfo(end: End): ProcessInfo | null {
  return end.process === null ? null : processInfo(end.process, end.match);
}

/** Most attempts first. */
export function failedConnectRows(failed: readonly FailedConnects[]): FailedConnectRow[] {
  return failed
    .map((row) => ({
      // Only the kernel tells of connects that failed.
      process: processInfo(row.process, 'kernel-trace'),
      pids: row.pids,
      ip: row.ip,
      port: row.port,
      attempts: row.attempts,
      refused: row.refused,
      icmp: row.icmp,
      timed_out: row.timedOut,
      abandoned: row.abandoned,
    }))
    .sort((a, b) => b.attempts - a.attempts || compare(a.ip, b.ip) || a.port - b.port || a.process.pid - b.process.pid);
}
