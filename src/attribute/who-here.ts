/** Who owns TCP ports of this machine, as /proc says now. */

import { findPlaces } from './sockets/places.js';
import { HolderSearch } from './sockets/search.js';
import { whoOwns, type PortQuery, type WhoAnswer } from './who.js';

const PROC = '/proc';

export async function ownersHere(queries: readonly PortQuery[]): Promise<WhoAnswer> {
  // Its thread gets ready while this one does.
  const search = new HolderSearch(PROC);
  try {
    const places = findPlaces([...new Set(queries.map(({ port }) => port))]);
    const { ProcessReader } = await import('./proc/reader.js');
    const reader = new ProcessReader();
    search.lookAhead();
    return await whoOwns(queries, {
      proc: PROC,
      places: () => places,
      holders: (inodes) => search.find(inodes),
      process: (pid) => reader.read(pid),
      root: process.getuid?.() === 0,
    });
  } finally {
    await search.stop();
  }
}
