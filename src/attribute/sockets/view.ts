/** What is asked of the sockets of one network namespace, whoever tells it: the kernel's tables or ss. */

import type { SsSocket } from './ss.js';
import { rowsOfPort, rowsTouchingPort, type NetTables, type SocketRow } from './table.js';

export interface View {
  /** Sockets with the port at either end. */
  readonly touching: (port: number) => readonly SocketRow[];
  readonly listeners: (port: number) => readonly SocketRow[];
  /** Connections that may wait at this listener to be accepted; null where nobody says. */
  readonly backlogMax: (row: SocketRow) => number | null;
}

export function viewOfTables(tables: NetTables): View {
  const known = new Map<number, readonly SocketRow[]>();
  return {
    touching: (port) => rowsTouchingPort(tables, port),
    listeners: (port) => {
      const before = known.get(port);
      if (before !== undefined) return before;
      const rows = rowsOfPort(tables, port).filter(({ state }) => state === 'LISTEN');
      known.set(port, rows);
      return rows;
    },
    backlogMax: () => null,
  };
}

/** `ports` are those that were asked for: of others the tables are read. */
export function viewOfSs(sockets: readonly SsSocket[], ports: readonly number[], readTables: () => View): View {
  const backlogs = new Map(sockets.map(({ row, backlogMax }) => [row, backlogMax]));
  const rows = [...backlogs.keys()];
  let tables: View | null = null;
  return {
    touching: (port) => rows.filter(({ localPort, remotePort }) => localPort === port || remotePort === port),
    listeners: (port) => {
      if (ports.includes(port)) return rows.filter((row) => row.localPort === port && row.state === 'LISTEN');
      tables ??= readTables();
      return tables.listeners(port);
    },
    backlogMax: (row) => backlogs.get(row) ?? null,
  };
}
