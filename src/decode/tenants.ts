/**
 * Numbers for the VLAN tags and tunnel identifiers around a segment, so that equal addresses of two tenants stay two.
 *
 * Outer addresses are left out (they swap with direction), and so are GTP's identifiers (each direction has its own)
 * and MPLS labels (likewise). Bounded: past the limit, tenants share numbers by hash.
 */

import type { Surroundings } from './segment-batch.js';

const LIMIT = 1 << 16;
/** Marks numbers that were made by hash and may be shared. */
const HASHED = 0x80000000;

export class Tenants {
  private readonly known = new Map<string, number>();

  number(around: Surroundings): number {
    const key = `${around.vlan.join('.')}|${around.outer
      .map(({ encapsulation, id }) =>
        encapsulation === 'gtp' || encapsulation === 'mpls' ? encapsulation : `${encapsulation}${String(id)}`,
      )
      .join('|')}`;
    if (key === '|') return 0;
    const before = this.known.get(key);
    if (before !== undefined) return before;
    if (this.known.size >= LIMIT) return (hash(key) | HASHED) >>> 0;
    const fresh = this.known.size + 1;
    this.known.set(key, fresh);
    return fresh;
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
