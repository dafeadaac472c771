/**
 * Which addresses are this host's, in all its network namespaces: those that are watched as soon as they change, those
 * of others as they are looked at now and then.
 *
 * Knows nothing of captures.
 */

import type { LinkWatch } from './link-watch.js';
import { readLinks } from './links.js';
import { allNamespaces, type Namespace } from './namespaces.js';

const EVERY_MS = 10_000;
/** Namespaces beside those that are captured in; each takes a program that is started. */
const MAX_OTHERS = 256;
const AT_ONCE = 4;

export class HostAddresses {
  /** Addresses of the namespaces that are not watched, each with where it is. */
  private others: Places = new Map();
  private known: readonly string[] = [];
  private print = '';
  private places: Places = new Map();
  private readonly watches: readonly LinkWatch[];
  /** Of `watches`, in their order. */
  private readonly watched: readonly (number | null)[];
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private looked: readonly unknown[] = [];

  /** `namespaces` are those of `watches`. */
  constructor(watches: readonly LinkWatch[], namespaces: readonly Namespace[]) {
    this.watches = watches;
    this.watched = namespaces.map(({ inode }) => inode);
  }

  /** In the form that the decoder prints, sorted; the same array while nothing changes. */
  get list(): readonly string[] {
    this.renew();
    return this.known;
  }

  /** The one namespace that has the address, of several `near` if it has it; null: it is not known, or several have it. */
  netnsOf(ip: string, near: number | null = null): number | null {
    this.renew();
    const all = this.places.get(ip);
    if (all?.size === 1) return [...all][0] ?? null;
    return near !== null && all?.has(near) === true ? near : null;
  }

  async start(): Promise<void> {
    await this.lookAtOthers();
    this.plan();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private plan(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      void this.lookAtOthers().then(() => {
        this.plan();
      });
    }, EVERY_MS).unref();
  }

  private async lookAtOthers(): Promise<void> {
    const others = allNamespaces()
      .filter(({ inode }) => !this.watched.includes(inode))
      .slice(0, MAX_OTHERS);
    const found: Places = new Map();
    const next = async (): Promise<void> => {
      for (let one = others.pop(); one !== undefined; one = others.pop()) {
        for (const { addresses } of await readLinks(one)) for (const ip of addresses) put(found, ip, one.inode);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    this.others = found;
    this.looked = [];
  }

  /** Makes list and places anew where a watch has read other links. */
  private renew(): void {
    const now = [...this.watches.map(({ links }) => links), this.others];
    if (now.length === this.looked.length && now.every((one, i) => one === this.looked[i])) return;
    this.looked = now;
    this.places = new Map([...this.others].map(([ip, all]) => [ip, new Set(all)]));
    this.watches.forEach(({ links }, i) => {
      for (const { addresses } of links) for (const ip of addresses) put(this.places, ip, this.watched[i] ?? null);
    });
    const known = [...this.places.keys()].sort();
    const print = known.join();
    if (print === this.print) return;
    this.print = print;
    this.known = known;
  }
}

/** Address → inode numbers of the namespaces that have it; null: it is not known which. */
type Places = Map<string, Set<number | null>>;

function put(places: Places, ip: string, inode: number | null): void {
  const known = places.get(ip);
  if (known === undefined) places.set(ip, new Set([inode]));
  else known.add(inode);
}
