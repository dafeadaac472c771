/** The kernel's settings that explain something of what was seen, with what each explains. Pure. */

import { plural } from '../base/text.js';
import type { Cause, ListenQueueRow, SysctlRow } from '../report/types.js';

/** Files below /proc/sys, in the order in which they are read. */
export const SETTINGS = [
  'net.ipv4.tcp_abort_on_overflow',
  'net.core.somaxconn',
  'net.ipv4.tcp_max_syn_backlog',
  'net.ipv4.tcp_syn_retries',
  'net.ipv4.tcp_rfc1337',
] as const;
export type Setting = (typeof SETTINGS)[number];

/** What was seen in one namespace. */
export interface Seen {
  readonly rose: ReadonlyMap<string, number>;
  readonly causes: ReadonlySet<Cause>;
  readonly queues: readonly ListenQueueRow[];
}

type Explains = (value: number, seen: Seen) => string | null;

const EXPLAINS: Readonly<Record<Setting, Explains>> = {
  'net.ipv4.tcp_abort_on_overflow': (value, { rose, causes }) => {
    const overflows = rose.get('ListenOverflows') ?? 0;
    if (value !== 0) {
      return overflows > 0 || causes.has('listen-queue-full') ? 'a full accept queue is answered by a reset' : null;
    }
    if (overflows === 0) return null;
    return `${plural(overflows, 'handshake')} found an accept queue full and ${overflows === 1 ? 'was' : 'were'} dropped without a reset`;
  },
  'net.core.somaxconn': (value, { rose, queues }) => {
    const [full] = queues.filter((queue) => queue.backlog_max === value).sort((a, b) => b.backlog - a.backlog);
    if (full === undefined || ((rose.get('ListenOverflows') ?? 0) === 0 && full.backlog < value)) return null;
    return `no accept queue gets longer, whatever the program asks for: that of port ${String(full.port)} is as long as this`;
  },
  'net.ipv4.tcp_max_syn_backlog': (_, { rose }) => {
    const full = rose.get('TCPReqQFullDrop') ?? 0;
    return full === 0
      ? null
      : `${plural(full, 'SYN')} found a SYN queue full and ${full === 1 ? 'was' : 'were'} dropped without a reset`;
  },
  'net.ipv4.tcp_syn_retries': (value, { rose }) => {
    const again = rose.get('TCPSynRetrans') ?? 0;
    return again === 0
      ? null
      : `a SYN without an answer is sent again ${plural(value, 'time')} before the connect fails: no reset`;
  },
  'net.ipv4.tcp_rfc1337': (value, { causes }) => {
    if (!causes.has('time-wait-assassination')) return null;
    return value === 0 ? 'a reset ends TIME-WAIT early (RFC 1337); 1 prevents that' : 'a reset does not end TIME-WAIT';
  },
};

/** `values` in the order of `SETTINGS`, as the kernel writes them. */
export function settingRows(values: readonly string[], netns: number | null, seen: Seen): SysctlRow[] {
  return SETTINGS.flatMap((name, i) => {
    const value = values[i]?.trim() ?? '';
    if (!/^-?\d+$/.test(value)) return [];
    const message = EXPLAINS[name](Number(value), seen);
    return message === null ? [] : [{ name, value, netns, message }];
  });
}
