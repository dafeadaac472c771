/**
 * One client as a scanner: how many places it was refused at, or looked at without opening a connection.
 *
 * The limits are Zeek's (policy/misc/scan.zeek: 15 ports of a host, 25 hosts on a port, within five minutes).
 */

import type { Cell } from './cell.js';

const WITHIN_SECONDS = 300;
const LEAST_PORTS = 15;
const LEAST_HOSTS = 25;
/** Places of any kind: scattered over hosts and ports they are a scan all the same. */
const LEAST_PLACES = 100;
export class Scanner {
  readonly ip: string;
  readonly cells: Cell[] = [];
  /** Where what finds no room for a cell of its own goes. */
  overflow: Cell | null = null;
  /** Cells that it came back to again and again. */
  heavy = 0;
  private hasMany = false;
  private readonly seen = new Set<string>();
  private readonly portsOf = new Map<string, number[]>();
  private readonly hostsOn = new Map<number, number[]>();
  private readonly places: number[] = [];

  constructor(ip: string) {
    this.ip = ip;
  }

  /** A cell of it was made, `at` in seconds since 1970; NaN: when, the capture does not say, nor whether it was soon. */
  meet(cell: Cell, at: number): void {
    this.cells.push(cell);
    if (this.hasMany || Number.isNaN(at) || !countsAsLook(cell)) return;
    const { server, port } = cell.habit;
    const place = `${server}|${String(port)}`;
    // Tried by another program, or in another way.
    if (this.seen.has(place)) return;
    this.seen.add(place);
    this.hasMany =
      isMany(listOf(this.portsOf, server), at, LEAST_PORTS) ||
      isMany(listOf(this.hostsOn, port), at, LEAST_HOSTS) ||
      isMany(this.places, at, LEAST_PLACES);
    if (!this.hasMany) return;
    this.seen.clear();
    this.portsOf.clear();
    this.hostsOn.clear();
  }

  /** It looked at many places, and at most of them no more than a few times. */
  get isScan(): boolean {
    return this.hasMany && 2 * this.heavy <= this.cells.length;
  }
}

/** Whoever completes a handshake and ends it may be a health check of many places that all are well. */
function countsAsLook({ habit: { shape, halfOpen, served } }: Cell): boolean {
  // A service that is there, and refuses now: its clients are no scanners.
  return (shape === 'refusal' && !served) || shape === 'stray' || (shape === 'probe' && halfOpen);
}

function listOf<K>(lists: Map<K, number[]>, key: K): number[] {
  const known = lists.get(key);
  if (known !== undefined) return known;
  const fresh: number[] = [];
  lists.set(key, fresh);
  return fresh;
}

/** Adds a time; whether `least` of them lie within the time that counts. Never more than so many are kept. */
function isMany(times: number[], at: number, least: number): boolean {
  times.push(at);
  while (times.length > least || at - (times[0] ?? at) > WITHIN_SECONDS) times.shift();
  return times.length >= least;
}
