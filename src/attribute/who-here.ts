/** Who owns TCP ports of this machine, as /proc says now. */

import { ProcessReader } from './proc/reader.js';
import { findPlaces } from './sockets/places.js';
import { HolderSearch } from './sockets/search.js';
import { whoOwns, type PortQuery, type WhoAnswer } from './who.js';

const PROC = '/proc';

export async function ownersHere(queries: readonly PortQuery[]): Promise<WhoAnswer> {
  // Its thread looks around while this one reads the tables.
  const search = new HolderSearch(PROC);
  const reader = new ProcessReader();
  try {
    return await whoOwns(queries, {
      proc: PROC,
      places: findPlaces,
      holders: (inodes) => search.find(inodes),
      process: (pid) => reader.read(pid),
      root: process.getuid?.() === 0,
    });
  } finally {
    await search.stop();
  }
}
