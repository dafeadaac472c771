/** Counts distinct members of many sets together, exactly and in bounded memory. */

import { WordTable } from '../conversation/word-table.js';

const LIMIT = 1 << 19;

export const NEW = 0;
export const KNOWN = 1;
/** There is no room to remember it: from now on the set's size is not known. */
export const NO_ROOM = 2;

export class Distinct {
  private readonly table: WordTable;

  /** `limit`: members of all sets together, a power of two. */
  constructor(limit = LIMIT) {
    this.table = new WordTable(2, limit);
  }

  /** Adds `member` to the set with the number `set`. */
  add(set: number, member: number): typeof NEW | typeof KNOWN | typeof NO_ROOM {
    const { table } = this;
    table.key[0] = set;
    table.key[1] = member;
    if (table.full) return table.find() < 0 ? NO_ROOM : KNOWN;
    table.put();
    return table.fresh ? NEW : KNOWN;
  }
}
