/**
 * The network namespaces whose sockets can be looked at, and how: the own one by ss, others by the tables of a process in
 * them or, where only a name holds one, by a program started in it.
 *
 * Knows nothing of ports and owners.
 */

import { allNamespaces, pidOf, type Namespace } from '../../capture/live/namespaces.js';
import { catInside } from '../inside.js';
import { netNamespaces } from './descriptors.js';
import { askSs, type SsSocket } from './ss.js';
import { readTables, type NetTables } from './table.js';
import { viewOfSs, viewOfTables, type View } from './view.js';

export interface Place {
  /** Name of `ip netns`, else the inode number. */
  readonly label: string;
  readonly inode: number | null;
  readonly view: () => Promise<View | Closed>;
}

type Closed = 'gone' | 'permission';
type PlaceTables = NetTables | Closed;

const PROC = '/proc';

/** The own one first. What can be asked beside other work is under way from now on. */
export function findPlaces(ports: readonly number[]): Place[] {
  const answer = askSs(ports);
  const all = allNamespaces();
  // A name hides whether there is a process behind it.
  const named = all.some(({ path }) => path !== null && pidOf(path) === null);
  const processes = new Map(named ? netNamespaces(PROC).map(({ inode, pid }) => [inode, pid] as const) : []);
  return all.map((namespace): Place => {
    const { inode, name, path } = namespace;
    const label = name ?? String(inode ?? 'own');
    const view =
      path === null ? () => viewOfOwn(answer, ports) : async () => viewOf(await tablesOf(namespace, processes));
    return { label, inode, view };
  });
}

async function viewOfOwn(
  answer: Promise<readonly SsSocket[] | null>,
  ports: readonly number[],
): Promise<View | Closed> {
  const read = (): View | Closed => viewOf(readBy('self', null));
  const sockets = await answer;
  if (sockets === null) return read();
  return viewOfSs(sockets, ports, () => {
    const view = read();
    return typeof view === 'string' ? viewOfTables({ tcp: '', tcp6: '' }) : view;
  });
}

function viewOf(tables: PlaceTables): View | Closed {
  return typeof tables === 'string' ? tables : viewOfTables(tables);
}

function tablesOf(namespace: Namespace, processes: ReadonlyMap<number, number>): PlaceTables | Promise<PlaceTables> {
  const { inode, path } = namespace;
  const pid = pidOf(path ?? '') ?? (inode === null ? undefined : processes.get(inode));
  return pid === undefined ? readInside(namespace) : readBy(pid, inode);
}

function readBy(pid: number | 'self', inode: number | null): PlaceTables {
  const tables = readTables(PROC, pid);
  if (tables !== 'gone') return tables;
  // The process has ended; another one may be in there.
  const other = netNamespaces(PROC).find((one) => one.inode === inode && one.pid !== pid);
  return other === undefined ? 'gone' : readTables(PROC, other.pid);
}

/** Nobody is in there: somebody must go. */
async function readInside(namespace: Namespace): Promise<PlaceTables> {
  const [tcp, tcp6] = await Promise.all(
    ['tcp', 'tcp6'].map((file) => catInside(namespace, [`${PROC}/self/net/${file}`])),
  );
  return tcp === undefined || tcp === null ? 'permission' : { tcp, tcp6: tcp6 ?? '' };
}
