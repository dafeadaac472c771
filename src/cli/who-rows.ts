/** Owners of ports as `who` shows them: key for key as the JSON has them. */

import type { End } from '../attribute/process.js';
import type { OwnedSocket, PortOwners } from '../attribute/who.js';
import { endInfo } from '../report/process-info.js';
import type { WhoConnectionRow, WhoListenerRow, WhoPortRow } from '../render/who-json.js';
import type { ProcessInfo } from '../report/types.js';

export function portRow({ query, listeners, connections }: PortOwners): WhoPortRow {
  return { port: query.port, listeners: listeners.map(listenerRow), connections: connections.map(connectionRow) };
}

function listenerRow({ row, end, holders, netns, backlogMax }: OwnedSocket): WhoListenerRow {
  return {
    ip: row.localIp,
    port: row.localPort,
    process: infoOf(end),
    reason: end.reason,
    holders,
    netns,
    backlog: row.recvQueue,
    backlog_max: backlogMax,
  };
}

function connectionRow({ row, end, holders, netns }: OwnedSocket): WhoConnectionRow {
  return {
    local_ip: row.localIp,
    local_port: row.localPort,
    remote_ip: row.remoteIp,
    remote_port: row.remotePort,
    state: row.state,
    recv_queue: row.recvQueue,
    send_queue: row.sendQueue,
    process: infoOf(end),
    reason: end.reason,
    holders,
    netns,
    age_seconds: null,
  };
}

const infos = new WeakMap<End, ProcessInfo | null>();

/** The same one for the same end, so that it is made, and written, once. */
function infoOf(end: End): ProcessInfo | null {
  const before = infos.get(end);
  if (before !== undefined) return before;
  const info = endInfo(end);
  infos.set(end, info);
  return info;
}
