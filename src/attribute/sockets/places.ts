/**
 * The network namespaces whose tables of sockets can be read, and how: by a process in them, or, where only a name
 * holds one, by a program started in it.
 *
 * Knows nothing of ports and owners.
 */

import { allNamespaces, inNamespace, type Namespace } from '../../capture/live/namespaces.js';
import { askProgram, findProgram } from '../../base/spawn.js';
import { netNamespaces } from './descriptors.js';
import { readTables, type NetTables } from './table.js';

export interface Place {
  /** Name of `ip netns`, else the inode number. */
  readonly label: string;
  readonly inode: number | null;
  readonly read: () => PlaceTables | Promise<PlaceTables>;
}

type PlaceTables = NetTables | 'gone' | 'permission';

const PROC = '/proc';
const ASK_TIMEOUT_MS = 10_000;

/** The own one first. */
export function findPlaces(): Place[] {
  const all = allNamespaces();
  // A name hides whether there is a process behind it.
  const named = all.some(({ path }) => path !== null && pidOf(path) === null);
  const processes = new Map(named ? netNamespaces(PROC).map(({ inode, pid }) => [inode, pid] as const) : []);
  return all.map((namespace) => placeOf(namespace, processes));
}

function placeOf(namespace: Namespace, processes: ReadonlyMap<number, number>): Place {
  const { inode, name, path } = namespace;
  const label = name ?? String(inode ?? 'own');
  const pid = path === null ? 'self' : (pidOf(path) ?? (inode === null ? undefined : processes.get(inode)));
  const read = pid === undefined ? () => readInside(namespace) : () => readBy(pid, inode);
  return { label, inode, read };
}

function pidOf(path: string): number | null {
  const pid = /^\/proc\/(\d+)\/ns\/net$/.exec(path)?.[1];
  return pid === undefined ? null : Number(pid);
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
  const cat = findProgram('cat');
  if (cat === null) return 'permission';
  try {
    const [program = '', ...words] = inNamespace(namespace);
    const ask = async (file: string): Promise<string | null> => {
      const { code, stdout } = await askProgram(program, [...words, cat, `${PROC}/self/net/${file}`], ASK_TIMEOUT_MS);
      return code === 0 ? stdout : null;
    };
    const [tcp, tcp6] = await Promise.all([ask('tcp'), ask('tcp6')]);
    return tcp === null ? 'permission' : { tcp, tcp6: tcp6 ?? '' };
  } catch {
    // There is no nsenter.
    return 'permission';
  }
}
