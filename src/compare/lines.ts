/**
 * Which connections of two captures are one: whatever shares a segment is joined, by union and find. A line is what
 * came of it; each of its connections lies in it one way round or the other.
 *
 * Joins what it is told to and notices contradictions; knows no reason to join.
 */

import { link } from '../base/bytes.js';
import type { Connection, Side } from './connection.js';

export interface Line {
  /** Its connections in the client's capture, and in the server's: more than one where a NAT or a tunnel is in view. */
  readonly client: Connection[];
  readonly server: Connection[];
  /** What joined it contradicts itself: it is several, and nobody knows which. */
  readonly torn: boolean;
}

export class Lines {
  private readonly clients: number;
  private readonly all: readonly Connection[];
  private readonly parents: Int32Array;
  /** 1: turned round against its parent; a root is not. */
  private readonly turns: Uint8Array;
  /** By root. */
  private readonly torn: Uint8Array;

  constructor(client: readonly Connection[], server: readonly Connection[]) {
    this.clients = client.length;
    this.all = [...client, ...server];
    this.parents = Int32Array.from(this.all, (_, i) => i);
    this.turns = new Uint8Array(this.all.length);
    this.torn = new Uint8Array(this.all.length);
  }

  /** Number of a connection of the client's capture, or the server's. */
  numberOf(connection: Connection, ofServer: boolean): number {
    return ofServer ? this.clients + connection.index : connection.index;
  }

  /** The two are one; `turned`: the lower end of one is the higher end of the other. */
  join(a: number, b: number, turned: boolean): void {
    const rootA = this.rootOf(a);
    const rootB = this.rootOf(b);
    const turn = (this.turns[a] ?? 0) ^ (this.turns[b] ?? 0) ^ (turned ? 1 : 0);
    if (rootA === rootB) {
      if (turn === 1) this.torn[rootA] = 1;
      return;
    }
    this.parents[rootB] = rootA;
    this.turns[rootB] = turn;
    if (this.torn[rootB] === 1) this.torn[rootA] = 1;
  }

  /** Afterwards `number` hangs on its root, and its turn is against that. */
  rootOf(number: number): number {
    let root = number;
    let turn = 0;
    while (link(this.parents, root) !== root) {
      turn ^= this.turns[root] ?? 0;
      root = link(this.parents, root);
    }
    let each = number;
    while (each !== root) {
      const parent = link(this.parents, each);
      const own = this.turns[each] ?? 0;
      this.parents[each] = root;
      this.turns[each] = turn;
      turn ^= own;
      each = parent;
    }
    return root;
  }

  /** Whether what the lower end of the connection sends is what the line calls from its lower end. */
  isTurned(number: number): boolean {
    return this.rootOf(number) !== number && this.turns[number] === 1;
  }

  /** All lines by their roots. */
  groups(): Map<number, Line> {
    const lines = new Map<number, Line>();
    this.all.forEach((connection, number) => {
      const root = this.rootOf(number);
      let line = lines.get(root);
      if (line === undefined) {
        line = { client: [], server: [], torn: this.torn[root] === 1 };
        lines.set(root, line);
      }
      (number < this.clients ? line.client : line.server).push(connection);
    });
    return lines;
  }
}

/** An end as the line names it. */
export function sideInLine(side: Side, turned: boolean): Side {
  return (side === 'lower') === !turned ? 'lower' : 'higher';
}

/** Both captures have it. */
export function isWhole({ client, server }: Line): boolean {
  return client.length > 0 && server.length > 0;
}
